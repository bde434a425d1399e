# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Making, opening, naming and removing files (sys/kern/vfs_syscalls.c, vfs_vnops.c)."""

from __future__ import annotations

import stat

from ..capture import Capture
from ..devices import BPF_MAJOR
from ..errors import refuse
from ..files import FREAD, FWRITE, NodeFile, OpenFile
from ..vfs.filesystem import Operation
from ..vfs.lookup import Found
from ..vfs.node import Node, major_of
from ..vfs.permissions import READ, WRITE, check_access
from .registry import Call, syscall

O_ACCMODE, O_NOFOLLOW, O_CREAT, O_TRUNC, O_EXCL = 0x3, 0x100, 0x200, 0x400, 0x800
O_DIRECTORY, O_CLOEXEC, O_APPEND = 0x200000, 0x400000, 0x8
# The flags of open that stay with the file: O_NONBLOCK, O_APPEND, O_ASYNC, O_SYNC, O_DSYNC, O_RSYNC,
# O_ALT_IO, O_DIRECT, O_NOSIGPIPE.
KEPT_FLAGS = 0x4 | 0x8 | 0x40 | 0x80 | 0x10000 | 0x20000 | 0x40000 | 0x80000 | 0x1000000
AT_SYMLINK_NOFOLLOW, AT_SYMLINK_FOLLOW, AT_REMOVEDIR = 0x200, 0x400, 0x800
NAMELESS = (b".", b"..")


@syscall("open", component="rumpvfs")
async def open_(call: Call) -> int:
    return await _open(call, call.process.directory, await call.path("path"), call["flags"])


@syscall("openat", component="rumpvfs")
async def openat(call: Call) -> int:
    path = await call.path("path")
    return await _open(call, call.start_of("fd"), path, call["oflags"])


async def _open(call: Call, start: Node, path: bytes, flags: int) -> int:
    access = (flags + 1) & O_ACCMODE
    if access == 0:
        raise refuse("EINVAL")
    table = call.process.descriptors
    table.lowest_free()
    node, created = _find_to_open(call, start, path, flags)
    if node.kind == stat.S_IFSOCK:
        raise refuse("EOPNOTSUPP")
    if node.is_link:
        raise refuse("EFTYPE")
    if not created:
        _check_open(call, node, access, flags)
        if flags & O_TRUNC and not node.is_directory:
            node.filesystem.truncate(node, 0)
    if node.is_device:
        call.kernel.devices.open(node, access)
    if node.kind == stat.S_IFIFO:
        raise refuse("EOPNOTSUPP")
    node.filesystem.check_open(node, bool(access & FWRITE), bool(flags & O_APPEND))
    file: OpenFile
    if node.kind == stat.S_IFCHR and major_of(node.rdev) == BPF_MAJOR:
        file = Capture(call.kernel, access | flags & KEPT_FLAGS)
    else:
        file = NodeFile(call.kernel, node, access | flags & KEPT_FLAGS)
    return table.allocate(file, close_on_exec=bool(flags & O_CLOEXEC))


def _find_to_open(call: Call, start: Node, path: bytes, flags: int) -> tuple[Node, bool]:
    """(the node, whether it was made for this open)."""
    if not flags & O_CREAT:
        return call.resolve(path, start, follow=not flags & O_NOFOLLOW).existing(), False
    follow = not flags & (O_EXCL | O_NOFOLLOW)
    found = call.resolve(path, start, operation=Operation.CREATE, follow=follow)
    if found.node is None:
        mode = call["mode"] & ~call.process.umask & 0o7777 & ~stat.S_ISVTX
        who = call.process.credentials
        return found.parent.filesystem.make(found.parent, found.name, stat.S_IFREG, mode, who), True
    if flags & O_EXCL:
        raise refuse("EEXIST")
    return found.node, False


def _check_open(call: Call, node: Node, access: int, flags: int) -> None:
    if flags & O_DIRECTORY and not node.is_directory:
        raise refuse("ENOTDIR")
    wanted = READ if access & FREAD else 0
    if access & FWRITE or flags & O_TRUNC:
        wanted |= WRITE
        if node.is_directory:
            raise refuse("EISDIR")
        node.filesystem.check_writable(node)
    check_access(node, wanted, call.process.credentials)


# Making


def _to_create(call: Call, path: bytes, start: Node | None, for_directory: bool = False) -> Found:
    found = call.resolve(path, start, operation=Operation.CREATE, follow=False, for_directory=for_directory)
    if found.node is not None:
        raise refuse("EEXIST")
    return found


def _make(call: Call, found: Found, kind: int, mode: int, **more: object) -> Node:
    who = call.process.credentials
    return found.parent.filesystem.make(found.parent, found.name, kind, mode, who, **more)  # type: ignore[arg-type]


def _mkdir(call: Call, path: bytes, start: Node | None) -> None:
    found = _to_create(call, path, start, for_directory=True)
    _make(call, found, stat.S_IFDIR, call["mode"] & 0o777 & ~call.process.umask)


@syscall("mkdir", component="rumpvfs")
async def mkdir(call: Call) -> None:
    _mkdir(call, await call.path("path"), None)


@syscall("mkdirat", component="rumpvfs")
async def mkdirat(call: Call) -> None:
    path = await call.path("path")
    _mkdir(call, path, call.start_of("fd"))


def _mknod(call: Call, path: bytes, start: Node | None) -> None:
    if not call.process.credentials.is_root:
        raise refuse("EPERM")
    found = _to_create(call, path, start)
    kind = call["mode"] & 0o170000
    mode = call["mode"] & 0o7777 & ~call.process.umask
    if kind == stat.S_IFREG:
        _make(call, found, kind, mode)
    elif kind in (stat.S_IFCHR, stat.S_IFBLK):
        if call["dev"] == (1 << 64) - 1:
            raise refuse("EINVAL")
        _make(call, found, kind, mode, rdev=call["dev"])
    else:
        raise refuse("EINVAL")


@syscall("__mknod50", component="rumpvfs")
async def mknod(call: Call) -> None:
    _mknod(call, await call.path("path"), None)


@syscall("mknodat", component="rumpvfs")
async def mknodat(call: Call) -> None:
    path = await call.path("path")
    _mknod(call, path, call.start_of("fd"))


def _mkfifo(call: Call, path: bytes, start: Node | None) -> None:
    found = _to_create(call, path, start)
    _make(call, found, stat.S_IFIFO, call["mode"] & 0o7777 & ~call.process.umask)


@syscall("mkfifo", component="rumpvfs")
async def mkfifo(call: Call) -> None:
    _mkfifo(call, await call.path("path"), None)


@syscall("mkfifoat", component="rumpvfs")
async def mkfifoat(call: Call) -> None:
    path = await call.path("path")
    _mkfifo(call, path, call.start_of("fd"))


# Links


def _symlink(call: Call, target: bytes, path: bytes, start: Node | None) -> None:
    found = _to_create(call, path, start)
    _make(call, found, stat.S_IFLNK, 0o777 & ~call.process.umask, target=target)


@syscall("symlink", component="rumpvfs")
async def symlink(call: Call) -> None:
    target = await call.path("path")
    _symlink(call, target, await call.path("link"), None)


@syscall("symlinkat", component="rumpvfs")
async def symlinkat(call: Call) -> None:
    target = await call.path("path1")
    path = await call.path("path2")
    _symlink(call, target, path, call.start_of("fd"))


def _link(call: Call, source: Node, path: bytes, start: Node | None) -> None:
    found = _to_create(call, path, start)
    if source.is_directory:
        raise refuse("EPERM")
    if found.parent.filesystem is not source.filesystem:
        raise refuse("EXDEV")
    found.parent.filesystem.link(found.parent, found.name, source, call.process.credentials)


@syscall("link", component="rumpvfs")
async def link(call: Call) -> None:
    source = call.resolve(await call.path("path")).existing()
    _link(call, source, await call.path("link"), None)


@syscall("linkat", component="rumpvfs")
async def linkat(call: Call) -> None:
    path = await call.path("name1")
    follow = bool(call["flags"] & AT_SYMLINK_FOLLOW)
    source = call.resolve(path, call.start_of("fd1"), follow=follow).existing()
    other = await call.path("name2")
    _link(call, source, other, call.start_of("fd2"))


async def _readlink(call: Call, path: bytes, start: Node | None, length: str) -> int:
    node = call.resolve(path, start, follow=False).existing()
    if not node.is_link:
        raise refuse("EINVAL")
    text = node.target[: call[length]]
    await call.memory.copyout(call["buf"], text)
    node.filesystem.touch(node, accessed=True)
    return len(text)


@syscall("readlink", component="rumpvfs")
async def readlink(call: Call) -> int:
    return await _readlink(call, await call.path("path"), None, "count")


@syscall("readlinkat", component="rumpvfs")
async def readlinkat(call: Call) -> int:
    path = await call.path("path")
    return await _readlink(call, path, call.start_of("fd"), "bufsize")


# Removing and renaming


def _to_delete(call: Call, path: bytes, start: Node | None) -> tuple[Found, Node]:
    found = call.resolve(path, start, operation=Operation.DELETE, follow=False)
    node = found.existing()
    if node.is_mount_root or node.mounted is not None:
        raise refuse("EBUSY")
    if node is found.parent:
        raise refuse("EINVAL")
    return found, node


def _unlink(call: Call, path: bytes, start: Node | None) -> None:
    found, node = _to_delete(call, path, start)
    if node.is_directory:
        raise refuse("EPERM")
    found.parent.filesystem.remove(found.parent, found.name, node)


def _rmdir(call: Call, path: bytes, start: Node | None) -> None:
    found, node = _to_delete(call, path, start)
    if not node.is_directory:
        raise refuse("ENOTDIR")
    if found.name == b"..":
        raise refuse("ENOTEMPTY")
    found.parent.filesystem.remove_directory(found.parent, found.name, node)


@syscall("unlink", component="rumpvfs")
async def unlink(call: Call) -> None:
    _unlink(call, await call.path("path"), None)


@syscall("rmdir", component="rumpvfs")
async def rmdir(call: Call) -> None:
    _rmdir(call, await call.path("path"), None)


@syscall("unlinkat", component="rumpvfs")
async def unlinkat(call: Call) -> None:
    path = await call.path("path")
    remove = _rmdir if call["flag"] & AT_REMOVEDIR else _unlink
    remove(call, path, call.start_of("fd"))


async def _rename(call: Call, keep_links: bool, starts: tuple[str, str] | None = None) -> None:
    """``keep_links``: two names of one file stay both (POSIX)."""
    old, new = await call.path("from"), await call.path("to")
    start, target_start = (call.start_of(starts[0]), call.start_of(starts[1])) if starts else (None, None)
    source = call.resolve(old, start, operation=Operation.DELETE, follow=False)
    node = source.existing()
    if source.name in NAMELESS:
        raise refuse("EINVAL")
    target = call.resolve(new, target_start, operation=Operation.RENAME, follow=False, for_directory=node.is_directory)
    if target.name == b".":
        raise refuse("EISDIR")
    if target.name == b"..":
        raise refuse("EINVAL")
    _check_rename(source, node, target)
    if target.node is node and (keep_links or (source.parent, source.name) == (target.parent, target.name)):
        return
    filesystem = source.parent.filesystem
    filesystem.rename(source.parent, source.name, node, target.parent, target.name, target.node)


def _check_rename(source: Found, node: Node, target: Found) -> None:
    if source.parent.filesystem is not target.parent.filesystem:
        raise refuse("EXDEV")
    replaced = target.node
    if replaced is not None:
        if node.is_directory and not replaced.is_directory:
            raise refuse("ENOTDIR")
        if not node.is_directory and replaced.is_directory:
            raise refuse("EISDIR")
    if node is target.parent:
        raise refuse("EINVAL")
    if node.is_mount_root or node.mounted or (replaced is not None and (replaced.is_mount_root or replaced.mounted)):
        raise refuse("EBUSY")
    if node.is_directory and _is_below(target.parent, node):
        raise refuse("EINVAL")
    if replaced is not None and replaced.is_directory and replaced is not node and _is_below(source.parent, replaced):
        raise refuse("ENOTEMPTY")


def _is_below(directory: Node, other: Node) -> bool:
    """Whether ``directory`` is ``other`` or somewhere below it."""
    node: Node | None = directory
    while node is not None:
        if node is other:
            return True
        if node.is_mount_root:
            return False
        node = node.parent
    return False


@syscall("rename", component="rumpvfs")
async def rename(call: Call) -> None:
    await _rename(call, keep_links=False)


@syscall("__posix_rename", component="rumpvfs")
async def posix_rename(call: Call) -> None:
    await _rename(call, keep_links=True)


@syscall("renameat", component="rumpvfs")
async def renameat(call: Call) -> None:
    await _rename(call, keep_links=False, starts=("fromfd", "tofd"))


@syscall("truncate", component="rumpvfs")
async def truncate(call: Call) -> None:
    path = await call.path("path")
    if call["length"] < 0:
        raise refuse("EINVAL")
    node = call.resolve(path).existing()
    if node.is_directory:
        raise refuse("EISDIR")
    node.filesystem.check_writable(node)
    check_access(node, WRITE, call.process.credentials)
    node.filesystem.truncate(node, call["length"])


@syscall("revoke", component="rumpvfs")
async def revoke(call: Call) -> None:
    call.resolve(await call.path("path")).existing()
