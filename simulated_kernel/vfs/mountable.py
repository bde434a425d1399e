# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What mount(2) can mount: a class a type, with its own arguments (struct tmpfs_args, ufs_args, …)."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import refuse
from ..rooms import Abi
from ..storage import release_storage, storage_behind
from ..usermemory import UserMemory
from .diskfs import DiskFs
from .filesystem import MNT_RDONLY, FileSystem
from .kernfs import KernFs
from .lookup import resolve
from .node import Node
from .tmpfs import SIZES, TmpFs

if TYPE_CHECKING:
    from ..files import OpenFile
    from ..kernel import SimulatedKernel
    from ..process import Process

TMPFS_ARGS_VERSION = 1
NAME_LIMIT = 1023


@dataclass
class MountArguments:
    """What a mount call brought along."""

    kernel: SimulatedKernel
    memory: UserMemory
    process: Process
    raw: bytes | None
    """The file system's own arguments, or None."""
    flags: int

    @property
    def abi(self) -> Abi:
        return self.memory.abi


class MountableType:
    """A type of file system."""

    name = ""
    component = "rumpvfs"

    def minimum_size(self, abi: Abi) -> int:
        """Bytes of the type's arguments."""
        return 0

    async def make(self, arguments: MountArguments) -> FileSystem:
        """A file system to be mounted."""
        raise NotImplementedError

    async def update(self, filesystem: FileSystem, arguments: MountArguments) -> None:
        """mount -u."""

    def arguments(self, filesystem: FileSystem, arguments: MountArguments) -> bytes:
        """The arguments as they stand (MNT_GETARGS)."""
        return b""


class RumpFsType(MountableType):
    name = "rumpfs"

    async def make(self, arguments: MountArguments) -> FileSystem:
        filesystem = arguments.kernel.new_rumpfs()
        filesystem.mounted_from = b"rumpfs"
        return filesystem


class KernFsType(MountableType):
    name, component = "kernfs", "rumpfs_kernfs"

    async def make(self, arguments: MountArguments) -> FileSystem:
        filesystem = KernFs(arguments.kernel)
        filesystem.mounted_from = b"kernfs"
        return filesystem

    async def update(self, filesystem: FileSystem, arguments: MountArguments) -> None:
        raise refuse("EOPNOTSUPP")


class TmpFsType(MountableType):
    name, component = "tmpfs", "rumpfs_tmpfs"

    def minimum_size(self, abi: Abi) -> int:
        return abi.struct("tmpfs_args").size

    def _parse(self, arguments: MountArguments) -> Any:
        raw = arguments.raw
        if raw is None or len(raw) < self.minimum_size(arguments.abi):
            raise refuse("EINVAL")
        parsed = arguments.abi.struct("tmpfs_args").parse(raw)
        if parsed.ta_version != TMPFS_ARGS_VERSION:
            raise refuse("EINVAL")
        return parsed

    def _checked(self, arguments: MountArguments) -> Any:
        parsed = self._parse(arguments)
        if 0xFFFFFFFF in (parsed.ta_root_uid, parsed.ta_root_gid):
            raise refuse("EINVAL")
        return parsed

    async def make(self, arguments: MountArguments) -> FileSystem:
        parsed, abi = self._checked(arguments), arguments.abi
        filesystem = TmpFs(
            arguments.kernel.clock,
            SIZES[abi.word_size, abi.int64_alignment],
            parsed.ta_size_max,
            parsed.ta_nodes_max,
            parsed.ta_root_mode & 0o7777,
            parsed.ta_root_uid,
            parsed.ta_root_gid,
        )
        filesystem.mounted_from = b"tmpfs"
        return filesystem

    async def update(self, filesystem: FileSystem, arguments: MountArguments) -> None:
        parsed = self._checked(arguments)
        assert isinstance(filesystem, TmpFs)
        filesystem.update(
            parsed.ta_size_max,
            parsed.ta_nodes_max,
            parsed.ta_root_mode & 0o7777,
            parsed.ta_root_uid,
            parsed.ta_root_gid,
        )

    def arguments(self, filesystem: FileSystem, arguments: MountArguments) -> bytes:
        self._parse(arguments)
        assert isinstance(filesystem, TmpFs)
        root, limit = filesystem.root, filesystem.size_limit
        return arguments.abi.struct("tmpfs_args").build(
            ta_version=TMPFS_ARGS_VERSION,
            ta_nodes_max=filesystem.node_limit,
            ta_size_max=limit - (1 << 64) if limit >= 1 << 63 else limit,
            ta_root_uid=root.uid,
            ta_root_gid=root.gid,
            ta_root_mode=root.mode,
        )


class DiskType(MountableType):
    """A file system on a block device: the argument is the device's path (struct ufs_args)."""

    def __init__(self, name: str, component: str) -> None:
        self.name, self.component = name, component

    def minimum_size(self, abi: Abi) -> int:
        return abi.struct("ufs_args").size

    def _pointer(self, arguments: MountArguments) -> int:
        raw = arguments.raw
        if raw is None or len(raw) < self.minimum_size(arguments.abi):
            raise refuse("EINVAL")
        return arguments.abi.struct("ufs_args").parse(raw).fspec

    async def _device(self, arguments: MountArguments, pointer: int) -> Node:
        path = await arguments.memory.path(pointer)
        process = arguments.process
        arguments.kernel.tracing.path(process, path)
        return resolve(process.view(), path, process.directory).existing()

    async def make(self, arguments: MountArguments) -> FileSystem:
        pointer = self._pointer(arguments)
        if not pointer:
            raise refuse("EINVAL")
        node = await self._device(arguments, pointer)
        if node.kind != stat.S_IFBLK:
            raise refuse("ENOTBLK")
        storage = storage_behind(arguments.kernel, node, read_only=bool(arguments.flags & MNT_RDONLY))
        try:
            if storage.mounted_device is not None:
                raise refuse("EBUSY")
            filesystem = MountedDisk(arguments.kernel, self.name, storage, node)
        except Exception:
            release_storage(arguments.kernel, node)
            raise
        filesystem.mounted_from = await arguments.memory.copyinstr(pointer, NAME_LIMIT)
        storage.mounted_device = node.rdev
        return filesystem

    async def update(self, filesystem: FileSystem, arguments: MountArguments) -> None:
        pointer = self._pointer(arguments)
        if pointer:
            node = await self._device(arguments, pointer)
            if node.rdev != filesystem.device_of(filesystem.root):
                raise refuse("EINVAL")
        to_read_only = arguments.flags & MNT_RDONLY and not filesystem.read_only
        if to_read_only and any(_open_for_writing(arguments.kernel, filesystem)):
            raise refuse("EBUSY")

    def arguments(self, filesystem: FileSystem, arguments: MountArguments) -> bytes:
        self._pointer(arguments)
        return arguments.abi.struct("ufs_args").build(fspec=0)


class MountedDisk(DiskFs):
    """A disk's file system that gives the device back when it is unmounted."""

    def __init__(self, kernel: SimulatedKernel, type_name: str, storage: Any, node: Node) -> None:
        super().__init__(kernel.clock, type_name, storage, node.rdev)
        self._kernel, self._node = kernel, node

    def unmounted(self) -> None:
        super().unmounted()
        release_storage(self._kernel, self._node)


def _open_for_writing(kernel: SimulatedKernel, filesystem: FileSystem) -> Iterator[OpenFile]:
    for process in kernel.processes.values():
        for number in process.descriptors.numbers():
            file = process.descriptors.file(number)
            if file.flags & 2 and file.seekable and file.node.filesystem is filesystem:
                yield file


class UnsimulatedType(MountableType):
    """A type that the kernel has and that cannot be mounted here."""

    def __init__(self, name: str, component: str) -> None:
        self.name, self.component = name, component

    async def make(self, arguments: MountArguments) -> FileSystem:
        raise refuse("EOPNOTSUPP")


TYPES: dict[str, MountableType] = {
    kind.name: kind
    for kind in (
        RumpFsType(),
        TmpFsType(),
        KernFsType(),
        UnsimulatedType("msdos", "rumpfs_msdos"),
        DiskType("ext2fs", "rumpfs_ext2fs"),
        DiskType("ffs", "rumpfs_ffs"),
        UnsimulatedType("cd9660", "rumpfs_cd9660"),
        UnsimulatedType("fdesc", "rumpfs_fdesc"),
        UnsimulatedType("union", "rumpfs_union"),
        UnsimulatedType("null", "rumpfs_null"),
        UnsimulatedType("ptyfs", "rumpfs_ptyfs"),
    )
}
"""In the order of vfs.generic.fstypes."""
