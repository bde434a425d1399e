# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Block storage: what holds a disk's bytes, and the drivers of vnd units and of the host's files.

Sources: sys/dev/vnd.c, sys/rump/librump/rumpvfs/rumpblk.c and rumpfs.c (etfs).
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .changes import mark_change
from .devices import Driver
from .errors import SyscallError, refuse
from .rooms import Errno
from .usermemory import UserIo
from .vfs.node import Node, make_device, minor_of
from .vfs.permissions import READ, WRITE, check_access

if TYPE_CHECKING:
    from .ioctls import IoctlRequest
    from .kernel import SimulatedKernel
    from .options import Disk

SECTOR = 512
PARTITIONS_PER_DISK = 8
CHARACTER_PIECE = 65536
BLOCK_PIECE, POWERPC_BLOCK_PIECE = 2048, 4096  # BLKDEV_IOSIZE of sys/arch/*/include/param.h
RUMPBLK_MAJOR = 197
VND_BLOCK_MAJOR, VND_CHARACTER_MAJOR = 14, 41
VNDIOF_HASGEOM, VNDIOF_READONLY, VNDIOF_FORCE = 1, 2, 4


def raw_partition(machine: str) -> int:
    """Which partition is the whole disk: d on PCs, c on the other machines that rump kernels are built for.

    Source: RAW_PART of sys/arch/*/include/disklabel.h.
    """
    return 3 if machine in ("amd64", "i386") else 2


class Storage:
    """The bytes of a disk. File systems attach their trees to it, so that they outlive a mount."""

    def __init__(self) -> None:
        self.volumes: dict[str, object] = {}
        """What file systems keep between mounts, by type."""
        self.mounted_device: int | None = None
        """The device under which a file system on it is mounted."""
        self.read_only = False

    @property
    def size(self) -> int:
        raise NotImplementedError

    def read(self, offset: int, length: int) -> bytes:
        raise NotImplementedError

    def write(self, offset: int, data: bytes) -> None:
        raise NotImplementedError


class HostStorage(Storage):
    """A part of a host's file."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        super().__init__()
        self._path, self._offset, self._size = path, offset, size
        writable = os.access(path, os.W_OK)
        self.read_only = not writable
        self._descriptor = os.open(path, os.O_RDWR if writable else os.O_RDONLY)

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self._size - offset))
        return os.pread(self._descriptor, length, self._offset + offset)

    def write(self, offset: int, data: bytes) -> None:
        if self.read_only:
            raise refuse("EROFS")
        os.pwrite(self._descriptor, data, self._offset + offset)
        mark_change()

    def close(self) -> None:
        os.close(self._descriptor)


class FileStorage(Storage):
    """A file of the kernel's own, behind a vnd unit."""

    def __init__(self, node: Node) -> None:
        super().__init__()
        self.node = node

    @property
    def size(self) -> int:
        return self.node.filesystem.size_of(self.node) // SECTOR * SECTOR

    def read(self, offset: int, length: int) -> bytes:
        return self.node.filesystem.read(self.node, offset, max(0, min(length, self.size - offset)))

    def write(self, offset: int, data: bytes) -> None:
        self.node.filesystem.store(self.node, offset, data)
        self.node.filesystem.was_written(self.node, by_root=True)


async def transfer(storage: Storage, node: Node, io: UserIo, offset: int, writing: bool) -> None:
    """Read or write a disk through its character or block device."""
    is_powerpc = io.abi.machine.endswith(("ppc", "powerpc"))
    block_piece = POWERPC_BLOCK_PIECE if is_powerpc else BLOCK_PIECE
    piece_size = CHARACTER_PIECE if node.kind == stat.S_IFCHR else block_piece
    if offset < 0 or (node.kind == stat.S_IFCHR and offset % SECTOR):
        raise refuse("EINVAL")
    if writing and offset > storage.size and io.remaining:
        raise refuse("EINVAL")
    if node.kind == stat.S_IFCHR and io.remaining % SECTOR:
        return
    while io.remaining and offset < storage.size:
        length = min(io.remaining, piece_size, storage.size - offset)
        if writing:
            storage.write(offset, await io.take(length))
        else:
            await io.put(storage.read(offset, length))
        offset += length


class VndUnit:
    """One vnd unit: nothing, or a file that is its disk."""

    def __init__(self) -> None:
        self.storage: FileStorage | None = None
        self.open_partitions: dict[tuple[int, int], int] = {}
        """How often each (device type, partition) is open."""
        self.read_only = False
        self.geometry: dict[str, int] = {}


class VndDriver(Driver):
    """/dev/vndNx and /dev/rvndNx (vnd(4))."""

    def __init__(self, kernel: SimulatedKernel) -> None:
        self._raw_partition = raw_partition(kernel.abi.machine)
        self.units: dict[int, VndUnit] = {}

    def unit(self, node: Node) -> VndUnit:
        return self.units.setdefault(minor_of(node.rdev) // PARTITIONS_PER_DISK, VndUnit())

    def storage(self, node: Node) -> Storage:
        """The disk behind a node; ENXIO if the unit has none."""
        storage = self.unit(node).storage
        if storage is None:
            raise refuse("ENXIO")
        return storage

    def open(self, node: Node, flags: int) -> None:
        unit = self.unit(node)
        partition = minor_of(node.rdev) % PARTITIONS_PER_DISK
        # A disk without a label has one partition, a, beside the one that is all of it.
        if partition != self._raw_partition and (unit.storage is None or partition != 0):
            raise refuse("ENXIO")
        key = (node.kind, partition)
        unit.open_partitions[key] = unit.open_partitions.get(key, 0) + 1

    def close(self, node: Node) -> None:
        unit = self.unit(node)
        key = (node.kind, minor_of(node.rdev) % PARTITIONS_PER_DISK)
        count = unit.open_partitions.get(key, 0) - 1
        if count > 0:
            unit.open_partitions[key] = count
        else:
            unit.open_partitions.pop(key, None)

    async def read(self, node: Node, io: UserIo, offset: int) -> None:
        await transfer(self.storage(node), node, io, offset, writing=False)

    async def write(self, node: Node, io: UserIo, offset: int) -> None:
        storage = self.storage(node)
        if self.unit(node).read_only:
            raise refuse("EACCES")
        await transfer(storage, node, io, offset, writing=True)

    async def ioctl(self, node: Node, request: IoctlRequest) -> None:
        match request.name:
            case "VNDIOCGET":
                self._get(node, request)
            case "VNDIOCSET":
                await self._set(node, request)
            case "VNDIOCCLR":
                self._clear(node, request)
            case "DIOCGMEDIASIZE":
                request.put_integer("int64", self.storage(node).size)
            case _:
                self.storage(node)
                raise refuse("ENOTTY")

    def _get(self, node: Node, request: IoctlRequest) -> None:
        number = request.struct("vnd_user").vnu_unit
        if number == -1:
            number = minor_of(node.rdev) // PARTITIONS_PER_DISK
        if number < 0:
            raise refuse("EINVAL")
        unit = self.units.get(number)
        if unit is None or unit.storage is None:
            request.put_struct("vnd_user", vnu_unit=number)
            return
        file = unit.storage.node
        request.put_struct("vnd_user", vnu_unit=number, vnu_dev=file.filesystem.device_of(file), vnu_ino=file.number)

    async def _set(self, node: Node, request: IoctlRequest) -> None:
        argument, unit = request.struct("vnd_ioctl"), self.unit(node)
        self._check_writable(request)
        if unit.storage is not None:
            raise refuse("EBUSY")
        path = await request.memory.path(argument.vnd_file)
        request.notes.update(file=path, flags=argument.vnd_flags)
        file = self._open_file(request, path, bool(argument.vnd_flags & VNDIOF_READONLY))
        sectors = file.filesystem.size_of(file) // SECTOR
        unit.geometry = _geometry(argument, sectors)
        storage = file.extra if isinstance(file.extra, FileStorage) else FileStorage(file)
        file.extra = unit.storage = storage
        unit.read_only = storage.read_only = bool(argument.vnd_flags & VNDIOF_READONLY)
        file.filesystem.hold(file)
        size = sectors * SECTOR
        abi = request.abi
        layout = abi.struct("vnd_ioctl")
        request.put_integer("uint", size & 0xFFFFFFFF, layout.offset_of("vnd_osize"))
        request.put_integer("uint64", size, layout.offset_of("vnd_size"))
        mark_change()

    def _open_file(self, request: IoctlRequest, path: bytes, read_only: bool) -> Node:
        from .vfs.lookup import resolve

        view = request.process.view()
        node = resolve(view, path, request.process.directory).existing()
        if node.is_directory and not read_only:
            raise refuse("EISDIR")
        if not read_only:
            node.filesystem.check_writable(node)
        check_access(node, READ | (0 if read_only else WRITE), view.who)
        if not node.is_regular:
            raise refuse("EOPNOTSUPP")
        return node

    @staticmethod
    def _check_writable(request: IoctlRequest) -> None:
        if not request.descriptor.file.flags & 2:
            raise refuse("EBADF")

    def _clear(self, node: Node, request: IoctlRequest) -> None:
        argument, unit = request.struct("vnd_ioctl"), self.unit(node)
        self._check_writable(request)
        if unit.storage is None:
            raise refuse("ENXIO")
        own = (node.kind, minor_of(node.rdev) % PARTITIONS_PER_DISK)
        others = set(unit.open_partitions) - {own}
        if others and not argument.vnd_flags & VNDIOF_FORCE:
            raise refuse("EBUSY")
        file = unit.storage.node
        file.filesystem.release(file)
        unit.storage = None
        unit.read_only = False
        mark_change()


def _geometry(argument: Any, sectors: int) -> dict[str, int]:
    """The disk's geometry: what was asked for, if it fits, or a fictitious one."""
    if not argument.vnd_flags & VNDIOF_HASGEOM:
        if sectors >= 32 * 64:
            return {"secsize": SECTOR, "nsectors": 32, "ntracks": 64, "ncylinders": sectors // (64 * 32)}
        return {"secsize": SECTOR, "nsectors": 1, "ntracks": 1, "ncylinders": sectors}
    asked = argument.vnd_geom
    size = asked.vng_secsize
    valid = size >= SECTOR and size & (size - 1) == 0
    if not (valid and asked.vng_ncylinders and asked.vng_ntracks and asked.vng_nsectors):
        raise refuse("EINVAL")
    if sectors < asked.vng_nsectors * asked.vng_ntracks * asked.vng_ncylinders * (size // SECTOR):
        raise refuse("EINVAL")
    return {
        "secsize": size,
        "nsectors": asked.vng_nsectors,
        "ntracks": asked.vng_ntracks,
        "ncylinders": asked.vng_ncylinders,
    }


class HostDiskDriver(Driver):
    """Disks that are files of the host (rumpblk)."""

    def __init__(self) -> None:
        self.disks: list[HostStorage] = []

    def storage(self, node: Node) -> Storage:
        number = minor_of(node.rdev)
        if number >= len(self.disks):
            raise refuse("ENXIO")
        return self.disks[number]

    def open(self, node: Node, flags: int) -> None:
        storage = self.storage(node)
        if flags & 2 and storage.read_only:
            raise refuse("EROFS")

    async def read(self, node: Node, io: UserIo, offset: int) -> None:
        await transfer(self.storage(node), node, io, offset, writing=False)

    async def write(self, node: Node, io: UserIo, offset: int) -> None:
        await transfer(self.storage(node), node, io, offset, writing=True)

    async def ioctl(self, node: Node, request: IoctlRequest) -> None:
        if request.name == "DIOCGMEDIASIZE":
            request.put_integer("int64", self.storage(node).size)
            return
        raise refuse("ENOTTY")


def storage_behind(kernel: SimulatedKernel, node: Node, read_only: bool) -> Storage:
    """The disk of a block device that a file system is to be mounted from."""
    if node.kind != stat.S_IFBLK:
        raise refuse("ENOTBLK")
    driver = kernel.devices.driver(node)
    if not isinstance(driver, VndDriver | HostDiskDriver):
        raise refuse("ENXIO")
    kernel.devices.open(node, 1 if read_only else 3)
    try:
        return driver.storage(node)
    except SyscallError:
        kernel.devices.close(node)
        raise


def release_storage(kernel: SimulatedKernel, node: Node) -> None:
    """The file system on it is unmounted."""
    kernel.devices.close(node)


class HostFile:
    """The content of a regular file that is the host's (etfs, ``type=reg``)."""

    def __init__(self, storage: HostStorage) -> None:
        self.storage = storage


def add_disks(kernel: SimulatedKernel, disks: tuple[Disk, ...]) -> None:
    """Put the host's files into the root file system under their keys.

    :raises OSError: the host's file cannot be opened.
    """
    driver = HostDiskDriver()
    kernel.devices.add(stat.S_IFBLK, RUMPBLK_MAJOR, driver)
    kernel.devices.add(stat.S_IFCHR, RUMPBLK_MAJOR, driver)
    root = kernel.mounts.root
    for disk in disks:
        total = disk.host_path.stat().st_size
        size = total - disk.offset if disk.size is None else disk.size
        if disk.offset + size > total:
            raise OSError(Errno.EINVAL, f"{disk.host_path} ends before byte {disk.offset + size}")
        storage = HostStorage(disk.host_path, disk.offset, size)
        kind = {"blk": stat.S_IFBLK, "chr": stat.S_IFCHR, "reg": stat.S_IFREG}[disk.kind]
        node = Node(root, kind, 0o755, root.next_number(), kernel.clock.now())
        if disk.kind == "reg":
            node.extra = HostFile(storage)
        else:
            node.rdev = make_device(RUMPBLK_MAJOR, len(driver.disks))
            driver.disks.append(storage)
        root.host_nodes[disk.key.lstrip("/").encode()] = node
