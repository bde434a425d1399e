# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open files: what a descriptor stands for, whatever is behind it.

A subclass a kind of file: a node of a file system here, the console here, sockets and pipes in
modules of their own. Sources: sys/kern/vfs_vnops.c, kern_descrip.c, sys_generic.c.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from .errors import refuse
from .usermemory import UserIo
from .vfs.node import Node
from .wakeup import Wakeup

if TYPE_CHECKING:
    from .ioctls import IoctlRequest
    from .kernel import SimulatedKernel
    from .process import Process

FREAD, FWRITE = 0x1, 0x2
O_NONBLOCK, O_APPEND = 0x4, 0x8
PAGE = 4096


class OpenFile:
    """What one or several descriptors share: the mode and the position."""

    def __init__(self, flags: int) -> None:
        self.flags = flags
        """FREAD and FWRITE, and those O_ flags that fcntl(F_GETFL) shows."""
        self.offset = 0
        self.references = 0
        self.changed = Wakeup()
        """Rings when what :meth:`ready` says may have changed."""

    @property
    def node(self) -> Node:
        """The node of a file that has one; EINVAL for the others (fd_getvnode)."""
        raise refuse("EINVAL")

    @property
    def seekable(self) -> bool:
        return False

    async def read(self, io: UserIo, offset: int | None) -> None:
        """Move bytes to the client, from ``offset`` or from the file's own position."""
        raise refuse("EOPNOTSUPP")

    async def write(self, io: UserIo, offset: int | None) -> None:
        raise refuse("EOPNOTSUPP")

    async def ioctl(self, request: IoctlRequest) -> None:
        raise refuse("ENOTTY")

    def set_flags_allowed(self) -> None:
        """Refuse F_SETFL, if what is behind the file does."""

    def attributes(self, kernel: SimulatedKernel) -> dict[str, object]:
        """The members of struct stat."""
        raise refuse("EOPNOTSUPP")

    def ready(self) -> tuple[bool, bool]:
        """Whether a read and a write would not block."""
        return True, True

    @property
    def can_be_polled(self) -> bool:
        return True

    @property
    def has_urgent(self) -> bool:
        """Whether there is out-of-band data."""
        return False

    def close(self) -> None:
        """The last descriptor is gone."""


class ConsoleFile(OpenFile):
    """Descriptors 0 to 2: the server's console, which can only be written (rump's cons.c)."""

    def __init__(self, output: list[bytes]) -> None:
        super().__init__(FWRITE)
        self._output = output

    async def write(self, io: UserIo, offset: int | None) -> None:
        while io.remaining:
            self._output.append(await io.take(min(PAGE, io.remaining)))

    async def ioctl(self, request: IoctlRequest) -> None:
        if request.name != "TIOCGETA":
            raise refuse("ENOTTY")

    def attributes(self, kernel: SimulatedKernel) -> dict[str, object]:
        boot = kernel.clock.boot_time
        return {"st_mode": stat.S_IFCHR | 0o600, "times": (boot, boot, boot, boot)}

    def ready(self) -> tuple[bool, bool]:
        return False, True


class NodeFile(OpenFile):
    """An open file, directory or device of a file system."""

    def __init__(self, kernel: SimulatedKernel, node: Node, flags: int) -> None:
        super().__init__(flags)
        self._kernel = kernel
        self._node = node
        node.filesystem.hold(node)

    @property
    def node(self) -> Node:
        return self._node

    @property
    def seekable(self) -> bool:
        return self._node.kind != stat.S_IFIFO

    @property
    def can_be_polled(self) -> bool:
        return self._node.filesystem.can_be_polled or not (self._node.is_regular or self._node.is_directory)

    def close(self) -> None:
        self._node.locks.release(self)
        if self._node.is_device:
            self._kernel.devices.close(self._node)
        self._node.filesystem.release(self._node)

    async def read(self, io: UserIo, offset: int | None) -> None:
        node = self._node
        if node.filesystem.dead:
            raise refuse("EIO")
        if node.is_directory:
            raise refuse("EISDIR")
        async with node.lock:
            position = self.offset if offset is None else offset
            if node.is_device:
                await self._kernel.devices.driver(node).read(node, io, position)
            elif node.is_regular:
                await self._read_content(node, io, position)
            else:
                raise refuse("EINVAL")
            if offset is None:
                self.offset = position + io.done

    @staticmethod
    async def _read_content(node: Node, io: UserIo, position: int) -> None:
        filesystem = node.filesystem
        if position < 0:
            raise refuse("EINVAL")
        if not io.remaining:
            return
        while io.remaining:
            length = min(io.remaining, filesystem.piece_size(node, position))
            data = filesystem.read(node, position, length)
            if not data:
                break
            await io.put(data)
            position += len(data)
        filesystem.was_read(node)

    async def write(self, io: UserIo, offset: int | None) -> None:
        node = self._node
        if node.filesystem.dead:
            raise refuse("EIO")
        async with node.lock:
            position = self.offset if offset is None else offset
            if node.is_device:
                await self._kernel.devices.driver(node).write(node, io, position)
            elif node.is_regular:
                if self.flags & O_APPEND:
                    position = node.filesystem.size_of(node)
                await self._write_content(node, io, position)
            else:
                raise refuse("EINVAL")
            if offset is None:
                self.offset = position + io.done

    @staticmethod
    async def _write_content(node: Node, io: UserIo, position: int) -> None:
        """The file grows first, then takes the bytes; a client that goes away leaves the old size."""
        filesystem = node.filesystem
        filesystem.refuse_if_read_only()
        if position < 0:
            raise refuse("EINVAL")
        if not io.remaining:
            return
        old_size = filesystem.size_of(node)
        filesystem.make_room(node, position, io.remaining)
        try:
            while io.remaining:
                data = await io.take(min(io.remaining, filesystem.piece_size(node, position)))
                filesystem.store(node, position, data)
                position += len(data)
        except BaseException:
            if filesystem.size_of(node) > old_size:
                filesystem.resize(node, old_size)
            raise
        filesystem.was_written(node, by_root=True)

    async def ioctl(self, request: IoctlRequest) -> None:
        node = self._node
        if node.is_device:
            await self._kernel.devices.driver(node).ioctl(node, request)
            return
        if node.is_regular and request.name == "FIONREAD":
            request.put_integer("int", node.filesystem.size_of(node) - self.offset)
            return
        raise refuse("ENOTTY")

    def set_flags_allowed(self) -> None:
        self._node.filesystem.set_descriptor_flags(self._node)

    def attributes(self, kernel: SimulatedKernel) -> dict[str, object]:
        return kernel.attributes(self._node)


def drop(file: OpenFile, process: Process | None = None) -> None:
    """A descriptor of ``file`` is closed."""
    file.references -= 1
    if file.references == 0:
        file.close()
