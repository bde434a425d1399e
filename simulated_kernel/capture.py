# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/dev/bpf: the packets of an interface, as they come and go (sys/net/bpf.c).

Of simulated interfaces the only packets are those by which a kernel is reached through its own stack
(:mod:`.own_stack`). There are no filters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import refuse
from .files import O_NONBLOCK, OpenFile
from .usermemory import UserIo

if TYPE_CHECKING:
    from .ioctls import IoctlRequest
    from .kernel import SimulatedKernel
    from .network.interfaces import Interface

BUFFER_SIZE, SMALLEST, LARGEST = 1 << 15, 32, 1 << 20
BIOCSETIF = 0x8090426C
WORDS = {"BIOCGBLEN": 0x40044266, "BIOCSBLEN": 0xC0044266, "BIOCGDLT": 0x4004426A, "BIOCIMMEDIATE": 0x80044270}
ETHERNET_HEADER = 14


class Capture(OpenFile):
    """An open bpf device. Each open has its own."""

    def __init__(self, kernel: SimulatedKernel, flags: int) -> None:
        super().__init__(flags)
        self._kernel = kernel
        self._size = BUFFER_SIZE
        self._interface: Interface | None = None
        self._records = b""
        self._is_immediate = False
        kernel.captures.append(self)

    def close(self) -> None:
        self._kernel.captures.remove(self)

    def ready(self) -> tuple[bool, bool]:
        return bool(self._records), True

    def tap(self, interface: Interface, packet: bytes) -> None:
        """An Ethernet packet goes through an interface."""
        if interface is not self._interface:
            return
        abi = self._kernel.abi
        seconds, nanoseconds = divmod(self._kernel.clock.now(), 10**9)
        head = abi.integers("long", seconds, nanoseconds // 1000) + abi.integers("uint32", len(packet), len(packet))
        word = len(abi.integer("long", 0))
        # The packet behind its link-level header is to begin at a multiple of a word.
        length = _aligned(ETHERNET_HEADER + _aligned(len(head) + 2, word), word) - ETHERNET_HEADER
        record = (head + abi.integer("uint16", length)).ljust(length, b"\0") + packet
        room = _aligned(len(self._records), word)
        if room + len(record) <= self._size:
            self._records = self._records.ljust(room, b"\0") + record
            self.changed.ring()

    async def read(self, io: UserIo, offset: int | None) -> None:
        if io.total != self._size:
            raise refuse("EINVAL")
        while not self._records or not (self._is_immediate or self.flags & O_NONBLOCK):
            if self.flags & O_NONBLOCK:
                raise refuse("EAGAIN")
            await self.changed.wait()
        records, self._records = self._records, b""
        await io.put(records)

    async def ioctl(self, request: IoctlRequest) -> None:
        if request.code == BIOCSETIF:
            found = self._kernel.network.find(request.text(0, 16).decode(errors="replace"))
            if found is None:
                raise refuse("ENXIO")
            self._interface = found
        elif request.code == WORDS["BIOCSBLEN"]:
            if self._interface is not None:
                raise refuse("EINVAL")
            asked = self._kernel.abi.read_integer("uint32", request.data)
            self._size = min(max(asked, SMALLEST), LARGEST)
            request.put_integer("uint32", self._size)
        elif request.code == WORDS["BIOCGBLEN"]:
            request.put_integer("uint32", self._size)
        elif request.code == WORDS["BIOCIMMEDIATE"]:
            self._is_immediate = self._kernel.abi.read_integer("uint32", request.data) != 0
        elif request.code == WORDS["BIOCGDLT"] and self._interface is not None:
            request.put_integer("uint32", self._interface.kind.dlt)
        else:
            raise refuse("EINVAL")


def _aligned(length: int, word: int) -> int:
    return length + word - 1 & -word
