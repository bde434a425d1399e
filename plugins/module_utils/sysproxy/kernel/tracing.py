# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ktrace(2): a record of what a session asks of the kernel, written to a file there.

Sources: ktrace(2), ktrace(9), sys/ktrace.h.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..netbsd import Abi
from ..netbsd.constants import KTR, KTRFAC, KTROP
from .base import Base, StrPath, path_bytes

_VERSION_2: Final = 0x02000000  # KTRFACv2
_DEFAULT: Final = KTRFAC.SYSCALL | KTRFAC.SYSRET | KTRFAC.NAMEI


@dataclass(frozen=True)
class TraceRecord:
    """One record: ``type`` is of :class:`KTR`, ``time`` in nanoseconds since 1970, ``data`` as ktrace(9) has it."""

    type: int
    pid: int
    lwp: int
    command: str
    time: int
    data: bytes

    def syscall(self, abi: Abi) -> str | None:
        """The name of the system call that a record of KTR.SYSCALL or KTR.SYSRET is about."""
        if self.type == KTR.SYSCALL and len(self.data) >= 4:
            return abi.syscall_name(abi.read_integer("int", self.data))
        if self.type == KTR.SYSRET and len(self.data) >= 2:
            return abi.syscall_name(abi.read_integer("int16", self.data))
        return None


class Tracing(Base):
    """Traces of the sessions' calls."""

    def ktrace(self, path: StrPath, facilities: KTRFAC = _DEFAULT, *, pid: int | None = None) -> None:
        """Record what the process ``pid``, the session's own by default, does into a file, which must exist."""
        process = self.call("getpid")[0] if pid is None else pid
        self.path_call("ktrace", path, KTROP.SET, facilities | _VERSION_2, process)

    def ktrace_stop(self, path: StrPath) -> None:
        """End all traces into a file. A thread of the kernel's writes what is left to write, up to seconds later."""
        self.call("ktrace", path_bytes(path), KTROP.CLEARFILE, 0, 0, subject=os.fsdecode(path))

    def trace_records(self, data: bytes) -> Iterator[TraceRecord]:
        """The records in what a trace's file holds; one that is cut off at the end is left out.

        :raises ValueError: the data is none of a trace of this kernel's.
        """
        layout = self.abi.struct("ktr_header")
        position = 0
        while position + layout.size <= len(data):
            head = layout.parse(data, position)
            version, kind = divmod(head.ktr_kind, 1 << 16)
            if version != 2 or head.ktr_len < 0:
                raise ValueError(f"there is no record of a trace at byte {position}")
            start = position + layout.size
            position = start + head.ktr_len
            if position > len(data):
                return
            moment = head.ktr_ts
            yield TraceRecord(
                type=kind,
                pid=head.ktr_pid,
                lwp=head.ktr_lid,
                command=os.fsdecode(head.ktr_comm),
                time=moment.tv_sec * 10**9 + moment.tv_nsec,
                data=data[start:position],
            )
