# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Device drivers by device number: null, zero, random, vnd, and the host's disks.

Majors are those that a rump kernel of NetBSD 7.99.34 for amd64 gives its devices.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from .errors import refuse
from .vfs.node import Node, major_of, minor_of

if TYPE_CHECKING:
    from .ioctls import IoctlRequest
    from .usermemory import UserIo

MEMORY_MAJOR = 2
NULL_MINOR, ZERO_MINOR = 2, 12
BPF_MAJOR = 23
NPF_MAJOR = 255
RANDOM_MAJOR = 256
ZEROS = bytes(512)
RANDOM_PIECE = 512


class Driver:
    """A device's behaviour: like a null device that knows no ioctl."""

    def open(self, node: Node, flags: int) -> None:
        """Called before a descriptor is given out; may refuse."""

    def close(self, node: Node) -> None:
        """The last descriptor is gone."""

    async def read(self, node: Node, io: UserIo, offset: int) -> None:
        """Nothing to read: the end of the file."""

    async def write(self, node: Node, io: UserIo, offset: int) -> None:
        io.swallow()

    async def ioctl(self, node: Node, request: IoctlRequest) -> None:
        raise refuse("ENOTTY")


class MemoryDriver(Driver):
    """/dev/null and /dev/zero (sys/rump/librump/rumpvfs/devnull.c)."""

    def open(self, node: Node, flags: int) -> None:
        if minor_of(node.rdev) not in (NULL_MINOR, ZERO_MINOR):
            raise refuse("ENXIO")

    async def read(self, node: Node, io: UserIo, offset: int) -> None:
        if minor_of(node.rdev) == ZERO_MINOR:
            while io.remaining:
                await io.put(ZEROS[: min(len(ZEROS), io.remaining)])

    async def ioctl(self, node: Node, request: IoctlRequest) -> None:
        raise refuse("ENODEV")


class RandomDriver(Driver):
    """/dev/random and /dev/urandom."""

    async def read(self, node: Node, io: UserIo, offset: int) -> None:
        while io.remaining:
            await io.put(os.urandom(min(RANDOM_PIECE, io.remaining)))

    async def write(self, node: Node, io: UserIo, offset: int) -> None:
        while io.remaining:
            await io.take(min(RANDOM_PIECE, io.remaining))


class DeviceTable:
    """Which driver serves which device."""

    def __init__(self) -> None:
        self._drivers: dict[tuple[int, int], Driver] = {}
        self._open_blocks: set[int] = set()
        """Block devices that are open: they are only once at a time."""

    def add(self, kind: int, major: int, driver: Driver) -> None:
        """``kind`` is stat.S_IFCHR or stat.S_IFBLK."""
        self._drivers[kind, major] = driver

    def open(self, node: Node, flags: int) -> None:
        """Open a device for a descriptor or a mount; EBUSY for a block device that is open already (spec_open)."""
        driver = self.driver(node)
        is_block = node.kind == stat.S_IFBLK
        if is_block and node.rdev in self._open_blocks:
            raise refuse("EBUSY")
        driver.open(node, flags)
        if is_block:
            self._open_blocks.add(node.rdev)

    def close(self, node: Node) -> None:
        self.driver(node).close(node)
        if node.kind == stat.S_IFBLK:
            self._open_blocks.discard(node.rdev)

    def driver(self, node: Node) -> Driver:
        """The node's driver; ENXIO if there is none."""
        driver = self._drivers.get((node.kind, major_of(node.rdev)))
        if driver is None:
            raise refuse("ENXIO")
        return driver


def basic_devices(components: frozenset[str]) -> DeviceTable:
    """The devices that need nothing else of the kernel."""
    table = DeviceTable()
    table.add(stat.S_IFCHR, MEMORY_MAJOR, MemoryDriver())
    if "rumpdev_rnd" in components:
        table.add(stat.S_IFCHR, RANDOM_MAJOR, RandomDriver())
    if "rumpdev_bpf" in components:
        table.add(stat.S_IFCHR, BPF_MAJOR, Driver())
    if "rumpnet_npf" in components:
        table.add(stat.S_IFCHR, NPF_MAJOR, Driver())
    return table
