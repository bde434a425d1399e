# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What waits in a socket to be read: records, each with an address and ancillary data where its protocol has them.

Sources: sys/kern/uipc_socket2.c (sbappend and its kin), sys/sys/socketvar.h.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..files import OpenFile
    from ..mbufs import Mbufs

SB_MAX = 262144
"""The most that a buffer may hold (kern.sbmax)."""
SCM_RIGHTS = 1


@dataclass
class Control:
    """A control message. Descriptors under way are open files, not numbers."""

    level: int
    kind: int
    data: bytes = b""
    files: list[OpenFile] = field(default_factory=list)


@dataclass
class Record:
    """What one send brought; of a byte stream, all that came since."""

    data: bytearray
    address: bytes | None = None
    control: list[Control] = field(default_factory=list)
    end: bool = False
    """Whether a record ends here (MSG_EOR)."""

    @property
    def size(self) -> int:
        return len(self.data) + len(self.address or b"") + sum(16 + len(entry.data) for entry in self.control)

    def memory(self, mbufs: Mbufs) -> int:
        """About how much memory the kernel would count for it (sb_mbcnt)."""
        return mbufs.size * (bool(self.address) + len(self.control)) + mbufs.memory_for(len(self.data))


class ReceiveBuffer:
    """A queue of records."""

    def __init__(self, limit: int, mbufs: Mbufs) -> None:
        self.limit = limit
        """sb_hiwat."""
        self._mbufs = mbufs
        self.low_mark = 1
        self.records: deque[Record] = deque()

    @property
    def used(self) -> int:
        return sum(record.size for record in self.records)

    @property
    def space(self) -> int:
        memory = min(2 * self.limit, SB_MAX) - sum(record.memory(self._mbufs) for record in self.records)
        return min(self.limit - self.used, memory)

    def fits(self, record: Record) -> bool:
        """Whether a datagram has room (sbappendaddr)."""
        return self.space >= record.size

    def append_record(self, record: Record) -> None:
        self.records.append(record)

    def append_stream(self, data: bytes) -> None:
        """Bytes without bounds, behind what is there."""
        if self.records and not self.records[-1].end:
            self.records[-1].data += data
        else:
            self.records.append(Record(bytearray(data)))

    def clear(self) -> list[Record]:
        """Forget everything; what there was is returned."""
        records = list(self.records)
        self.records.clear()
        return records
