# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client's memory, as a system call of the kernel sees it: copyin, copyout and uiomove.

Source: sys/rump/librump/rumpkern/rumpcopy.c. The client serves every copy over its connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from .errors import refuse
from .rooms import Abi


class Channel(Protocol):
    """What carries the copies: a connection."""

    async def copyin(self, address: int, length: int) -> bytes: ...

    async def copyinstr(self, address: int, length: int) -> bytes: ...

    async def copyout(self, address: int, data: bytes) -> None: ...

    async def anonmmap(self, length: int) -> int: ...


class UserMemory:
    """Reads and writes a client's memory; a null pointer is EFAULT, as is a client that went away."""

    def __init__(self, channel: Channel, abi: Abi) -> None:
        self._channel = channel
        self.abi = abi

    async def copyin(self, address: int, length: int) -> bytes:
        if length == 0:
            return b""
        if address == 0:
            raise refuse("EFAULT")
        return await self._channel.copyin(address, length)

    async def copyinstr(self, address: int, limit: int) -> bytes:
        """The string without its NUL, which must stand among the first ``limit`` bytes."""
        if limit == 0:
            return b""
        if address == 0:
            raise refuse("EFAULT")
        data = await self._channel.copyinstr(address, limit)
        text, nul, _rest = data[:limit].partition(b"\0")
        if not nul:
            raise refuse("ENAMETOOLONG")
        return text

    async def path(self, address: int) -> bytes:
        """A path argument: at most PATH_MAX (1024) bytes with its NUL."""
        return await self.copyinstr(address, 1024)

    async def copyout(self, address: int, data: bytes) -> None:
        if not data:
            return
        if address == 0:
            raise refuse("EFAULT")
        await self._channel.copyout(address, data)

    async def anonmmap(self, length: int) -> int:
        """The address of ``length`` new bytes in the client."""
        address = await self._channel.anonmmap(length)
        if address == 0:
            raise refuse("ENOMEM")
        return address

    async def integer(self, kind: str, address: int) -> int:
        """The C integer of type ``kind`` at ``address``."""
        return self.abi.read_integer(kind, await self.copyin(address, len(self.abi.integer(kind, 0))))

    async def put_integer(self, kind: str, address: int, value: int) -> None:
        await self.copyout(address, self.abi.integer(kind, value))

    async def struct(self, name: str, address: int) -> Any:
        """The structure ``name`` at ``address``."""
        layout = self.abi.struct(name)
        return layout.parse(await self.copyin(address, layout.size))


class UserIo:
    """A transfer between the kernel and one or more buffers of the client (struct uio)."""

    def __init__(self, memory: UserMemory, segments: list[tuple[int, int]]) -> None:
        self._memory = memory
        self._segments = [segment for segment in segments if segment[1]]
        self.total = sum(length for _address, length in segments)
        self.remaining = self.total

    @property
    def abi(self) -> Abi:
        """The client's and the kernel's."""
        return self._memory.abi

    @property
    def done(self) -> int:
        """How many bytes were moved so far."""
        return self.total - self.remaining

    def swallow(self) -> None:
        """Take the rest for granted, without asking the client for it."""
        self.remaining = 0
        self._segments.clear()

    async def put(self, data: bytes) -> None:
        """Copy ``data`` out to where the transfer stands; it must not be more than remains."""
        await self._move(len(data), lambda address, start, end: self._memory.copyout(address, data[start:end]))

    async def take(self, length: int) -> bytes:
        """The next ``length`` bytes from the client."""
        pieces: list[bytes] = []

        async def take_piece(address: int, start: int, end: int) -> None:
            pieces.append(await self._memory.copyin(address, end - start))

        await self._move(length, take_piece)
        return b"".join(pieces)

    async def _move(self, length: int, move: Callable[[int, int, int], Awaitable[None]]) -> None:
        moved = 0
        while moved < length:
            address, size = self._segments[0]
            piece = min(size, length - moved)
            await move(address, moved, moved + piece)
            moved += piece
            self.remaining -= piece
            if piece == size:
                self._segments.pop(0)
            else:
                self._segments[0] = (address + piece, size - piece)
