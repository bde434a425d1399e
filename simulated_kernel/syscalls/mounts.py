# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mounting and unmounting, and the numbers of file systems (sys/kern/vfs_syscalls.c)."""

from __future__ import annotations

from ..errors import SyscallError, refuse
from ..rooms import Errno
from ..vfs.filesystem import FileSystem, Space
from ..vfs.lookup import View, path_of
from ..vfs.mountable import TYPES, MountableType, MountArguments
from ..vfs.mounts import MNT_FORCE, MNT_RDONLY, VISIBLE_FLAGS
from ..vfs.node import Node
from .registry import Call, syscall

MNT_UPDATE, MNT_RELOAD, MNT_GETARGS, MNT_EXPORTED = 0x10000, 0x40000, 0x400000, 0x100
MNT_NOWAIT, MNT_LAZY, MNT_WAIT = 2, 3, 1
MAX_MOUNT_DATA = 8192
TYPE_NAME_SIZE = 32
NAME_MAX = 255


@syscall("__mount50", component="rumpvfs")
async def mount(call: Call) -> int:
    """The result is the length of the arguments for MNT_GETARGS."""
    path = await call.path("path")
    flags = call["flags"] & 0xFFFFFFFF
    call.note("flags", hex(flags))
    node = call.resolve(path).existing()
    type_name = node.filesystem.type_name
    if not flags & (MNT_GETARGS | MNT_UPDATE):
        type_name = await _type_name(call)
        call.note("type", type_name)
        if type_name not in call.kernel.filesystem_types():
            raise refuse("ENODEV")
    kind = TYPES[type_name]
    raw = await _mount_data(call, kind.minimum_size(call.memory.abi))
    arguments = MountArguments(call.kernel, call.memory, call.process, raw, flags)
    if flags & MNT_GETARGS:
        return await _get_arguments(call, node, flags, kind, arguments)
    if flags & MNT_UPDATE:
        _check_update(node, flags)
        await kind.update(node.filesystem, arguments)
        call.kernel.mounts.set_flags(node.filesystem, flags)
        return 0
    if not node.is_directory:
        raise refuse("ENOTDIR")
    if flags & MNT_EXPORTED:
        raise refuse("EINVAL")
    await _mount_new(call, path, node, kind, arguments)
    return 0


async def _type_name(call: Call) -> str:
    """The type's name; one that is too long is none that the kernel knows."""
    try:
        raw = await call.memory.copyinstr(call["type"], TYPE_NAME_SIZE)
    except SyscallError as error:
        raise refuse("ENODEV" if error.errno is Errno.ENAMETOOLONG else error.errno.name) from None
    return raw.decode("utf-8", "replace")


async def _mount_new(call: Call, path: bytes, node: Node, kind: MountableType, arguments: MountArguments) -> None:
    filesystem = await kind.make(arguments)
    mounted_on = (_root_path(call) + await call.memory.copyinstr(call["path"], 1023))[:1023]
    path = await call.memory.path(call["path"])
    if call.resolve(path).node is not node:
        raise refuse("EINVAL")
    call.kernel.mounts.attach(filesystem, node, arguments.flags, mounted_on, call.process.credentials.euid)
    for process in call.kernel.processes.values():
        if process.directory is node:
            process.directory = filesystem.root
        if process.root is node:
            process.root = filesystem.root


async def _mount_data(call: Call, minimum: int) -> bytes | None:
    """The file system's own arguments; a length of zero stands for their usual size."""
    if not call["data"]:
        return None
    length = call["data_len"] or minimum
    if length > MAX_MOUNT_DATA:
        raise refuse("EINVAL")
    return await call.memory.copyin(call["data"], length)


async def _get_arguments(call: Call, node: Node, flags: int, kind: MountableType, arguments: MountArguments) -> int:
    if arguments.raw is None or not arguments.raw:
        raise refuse("EINVAL")
    if flags & ~MNT_GETARGS or not node.is_mount_root:
        raise refuse("EINVAL")
    answer = kind.arguments(node.filesystem, arguments)
    await call.memory.copyout(call["data"], answer)
    return len(answer)


def _check_update(node: Node, flags: int) -> None:
    if not node.is_mount_root:
        raise refuse("EINVAL")
    filesystem = node.filesystem
    to_read_only = flags & (MNT_RELOAD | MNT_RDONLY) and not filesystem.flags & MNT_RDONLY
    if to_read_only and not filesystem.can_become_read_only:
        raise refuse("EOPNOTSUPP")


@syscall("unmount", component="rumpvfs")
async def unmount(call: Call) -> None:
    node = call.resolve(await call.path("path"), follow=False).existing()
    filesystem = node.filesystem
    if filesystem is call.kernel.mounts.root or not node.is_mount_root:
        raise refuse("EINVAL")
    call.kernel.mounts.detach(filesystem, bool(call["flags"] & MNT_FORCE))


# Numbers


def _space(filesystem: FileSystem, flags: int) -> Space:
    """Fresh numbers, or the last that somebody asked for."""
    if flags in (0, MNT_WAIT):
        filesystem.cached = filesystem.space()
    return filesystem.cached


def build_statvfs(call: Call, filesystem: FileSystem, flags: int, mounted_on: bytes) -> bytes:
    space = _space(filesystem, flags)
    return call.memory.abi.struct("statvfs").build(
        f_flag=filesystem.flags & VISIBLE_FLAGS,
        f_bsize=space.block_size,
        f_frsize=space.fragment_size,
        f_iosize=space.io_size,
        f_blocks=space.blocks,
        f_bfree=space.free,
        f_bavail=max(0, space.free - space.reserved),
        f_bresvd=min(space.reserved, space.free),
        f_files=space.files,
        f_ffree=space.free_files,
        f_favail=space.free_files,
        f_fsidx=[_signed(part) for part in filesystem.fsid],
        f_fsid=filesystem.fsid[0],
        f_namemax=NAME_MAX,
        f_owner=filesystem.owner,
        f_fstypename=filesystem.type_name.encode(),
        f_mntonname=mounted_on,
        f_mntfromname=filesystem.mounted_from,
    )


def _signed(value: int) -> int:
    return value - (1 << 32) if value >= 1 << 31 else value


def _root_path(call: Call) -> bytes:
    """Where the process's root is; empty if it is the system's."""
    root = call.kernel.root
    if call.process.root is root:
        return b""
    return path_of(View(root, root, call.process.credentials), call.process.root).rstrip(b"/")


def _seen_from_root(call: Call, filesystem: FileSystem, is_root: bool = False) -> bytes | None:
    """Where a process sees the file system mounted; None if it is outside the process's root."""
    prefix = _root_path(call)
    if not prefix:
        return filesystem.mounted_on
    rest = filesystem.mounted_on.removeprefix(prefix)
    if rest != filesystem.mounted_on and (not rest or rest.startswith(b"/")):
        return rest or b"/"
    return b"/" if is_root else None


@syscall("statvfs1", component="rumpvfs")
async def statvfs(call: Call) -> None:
    filesystem = call.resolve(await call.path("path")).existing().filesystem
    await _statvfs(call, filesystem)


@syscall("fstatvfs1", component="rumpvfs")
async def fstatvfs(call: Call) -> None:
    await _statvfs(call, call.file().node.filesystem)


async def _statvfs(call: Call, filesystem: FileSystem) -> None:
    mounted_on = _seen_from_root(call, filesystem, is_root=True)
    await call.memory.copyout(call["buf"], build_statvfs(call, filesystem, call["flags"], mounted_on or b"/"))


@syscall("getvfsstat", component="rumpvfs")
async def getvfsstat(call: Call) -> int:
    """How many file systems there are, or as many as fitted into the buffer."""
    size = call.memory.abi.struct("statvfs").size
    room, address, count, root_seen = call["bufsize"] // size, call["buf"], 0, False
    for filesystem in call.kernel.mounts:
        mounted_on = _seen_from_root(call, filesystem)
        if address and count < room:
            if mounted_on is None:
                continue
            await call.memory.copyout(address, build_statvfs(call, filesystem, call["flags"], mounted_on))
            address += size
            root_seen = root_seen or mounted_on == b"/"
        count += 1
    if not root_seen and call.process.root is not call.kernel.root:
        if address:
            filesystem = call.process.root.filesystem
            await call.memory.copyout(address, build_statvfs(call, filesystem, call["flags"], b"/"))
        count += 1
    return min(room, count) if address else count
