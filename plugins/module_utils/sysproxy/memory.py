# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address space that a call lends to the server.

A system call's pointers are addresses that the server reads from (copyin) and writes to (copyout).
They are not addresses of this process: each buffer of a call in flight gets a range of an address
space of the session's own, and nothing else is there. A server that asks for anything outside the
ranges is told nothing and found out.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Final, TypeAlias

from .errors import ForeignMemory

Buffer: TypeAlias = "bytes | bytearray | memoryview"

_BASE: Final = 0x10000
_TOP: Final = 0xFFF00000  # below 4 GiB, so that a 32-bit kernel's pointers hold every address
_GUARD: Final = 0x1000  # a gap after each buffer, so that no overrun of one reaches the next
_ALIGNMENT: Final = 16
_ANONYMOUS_LIMIT: Final = 1 << 20


class AddressSpace:
    """Addresses for the buffers of the calls in flight.

    ``bytes`` and other read-only buffers can be copied in; a ``bytearray`` or writable
    ``memoryview`` can be copied in and out, and holds what the server wrote when the call is over.
    """

    def __init__(self) -> None:
        self._regions: dict[int, memoryview] = {}
        self._bases: list[int] = []
        self._next = _BASE
        self._written: dict[int, int] = {}
        self._anonymous: list[int] = []
        self._anonymous_size = 0
        self.largest = 0
        """The size of the largest buffer since nothing was lent, which bounds what one frame can carry."""

    def lend(self, buffer: Buffer) -> int:
        """An address for ``buffer``, good until :meth:`take_back`.

        :raises MemoryError: the buffers in flight leave no room for it.
        """
        view = memoryview(buffer).cast("B")
        size = len(view)
        span = (size + _GUARD + _ALIGNMENT - 1) & -_ALIGNMENT
        address = free = self._next if self._regions else _BASE
        if address + span > _TOP:
            address = self._gap(span)
        self._next = max(free, address + span)  # beyond all that is lent: what follows a gap is taken
        self._regions[address] = view
        if address == self._next - span:
            self._bases.append(address)  # behind all others, as nearly always
        else:
            insort(self._bases, address)
        if size > self.largest:
            self.largest = size
        return address

    def take_back(self, address: int) -> int:
        """End the lending of the buffer that starts at ``address``: the number of bytes that were put into it."""
        del self._regions[address]
        self._bases.remove(address)
        if not self._bases:
            self.largest = 0
        return self._written.pop(address, 0)

    def lend_anonymous(self, length: int) -> int:
        """An address for memory that the kernel asks for itself (anonmmap), good until :meth:`drop_anonymous`.

        A null pointer, which the kernel takes for a refusal, when it asks for more than is reasonable:
        it uses this for lists of properties of some kilobytes. What is smaller than a page counts as one, so that
        there are not many of them either.
        """
        charge = max(length, _GUARD)
        if not length or charge > _ANONYMOUS_LIMIT - self._anonymous_size:
            return 0
        address = self.lend(bytearray(length))
        self._anonymous.append(address)
        self._anonymous_size += charge
        return address

    def drop_anonymous(self) -> None:
        """End the lending of all anonymous memory."""
        for address in self._anonymous:
            self.take_back(address)
        self._anonymous.clear()
        self._anonymous_size = 0

    def copyin(self, address: int, length: int) -> memoryview:
        """What lies at ``address``.

        :raises ForeignMemory: not all of it is lent.
        """
        view, offset = self._find(address, length, "read")
        return view[offset : offset + length]

    def copyinstr(self, address: int, length: int) -> bytes:
        """The string at ``address`` with its NUL, or its first ``length`` bytes if it is longer.

        :raises ForeignMemory: the string does not start in a lent buffer, or does not end in it.
        """
        view, offset = self._find(address, 0, "read", asked=length)
        piece = bytes(view[offset : offset + length])
        string, nul, _rest = piece.partition(b"\0")
        if not nul and len(piece) < length:
            raise _foreign("read", address, length)
        return string + nul

    def copyout(self, address: int, data: Buffer) -> None:
        """Put ``data`` at ``address``.

        :raises ForeignMemory: not all of it fits a lent buffer that may be written to.
        """
        view, offset = self._find(address, len(data), "write")
        if view.readonly:
            raise _foreign("write", address, len(data))
        size = len(data)
        view[offset : offset + size] = data
        base = address - offset
        self._written[base] = self._written.get(base, 0) + size

    def _find(self, address: int, length: int, verb: str, asked: int | None = None) -> tuple[memoryview, int]:
        index = bisect_right(self._bases, address) - 1
        if index >= 0:
            base = self._bases[index]
            view = self._regions[base]
            if address - base + length <= len(view):
                return view, address - base
        raise _foreign(verb, address, length if asked is None else asked)

    def _gap(self, span: int) -> int:
        """The lowest address with ``span`` free bytes."""
        address = _BASE
        for base in self._bases:
            if base - address >= span:
                return address
            end = base + len(self._regions[base]) + _GUARD
            address = end + -end % _ALIGNMENT
        if address + span > _TOP:
            raise MemoryError(f"the calls in flight leave no room for a buffer of {span} bytes")
        return address


def _foreign(verb: str, address: int, length: int) -> ForeignMemory:
    return ForeignMemory(
        f"the server asked to {verb} {length} bytes at {address:#x}, memory that it has no business with; "
        "the session was ended"
    )
