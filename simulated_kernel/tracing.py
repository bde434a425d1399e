# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Traces: records of what processes ask of the kernel, in a file (sys/kern/kern_ktrace.c, sys/ktrace.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .clock import NANOSECONDS
from .errors import SyscallError

if TYPE_CHECKING:
    from .kernel import SimulatedKernel
    from .process import Process
    from .vfs.node import Node

KTR_SYSCALL, KTR_SYSRET, KTR_NAMEI, KTR_GENIO, KTR_EMUL = 1, 2, 3, 4, 7
EMULATION: Final = b"netbsd-rump"
VERSION_SHIFT: Final = 24
PAGE: Final = 4096
GENIO_READ, GENIO_WRITE = 0, 1


class Trace:
    """A file that takes records."""

    def __init__(self, kernel: SimulatedKernel, node: Node) -> None:
        self._kernel = kernel
        self.node = node
        self._offset = 0
        self._calls = 0
        node.filesystem.hold(node)

    def next_call(self) -> int:
        """A number for the thread that serves a call."""
        self._calls += 1
        return self._calls

    def record(self, process: Process, kind: int, data: bytes, version: int) -> None:
        """Write a record; where there is no room for it, it is lost."""
        abi, layout = self._kernel.abi, self._kernel.abi.struct("ktr_header")
        seconds, rest = divmod(self._kernel.clock.now(), NANOSECONDS)
        head = layout.build(
            ktr_len=len(data),
            ktr_kind=version << 16 | kind,
            ktr_pid=process.pid,
            ktr_comm=process.name.encode()[:16],
            ktr_ts={"tv_sec": seconds, "tv_nsec": rest},
            ktr_lid=self._calls,
        )
        if version < 2:
            # The old versions have a moment of 32 bits and a word, and behind it nothing or the thread, in three words.
            moment = abi.integer("int32", seconds).ljust(abi.word_size, b"\0")
            moment += abi.integer("long", rest if version else rest // 1000)
            moment += abi.integer("int", self._calls if version else 0)
            head = head[: layout.offset_of("ktr_ts")] + moment.ljust(3 * abi.word_size, b"\0")
        raw = head + data
        filesystem = self.node.filesystem
        try:
            filesystem.make_room(self.node, self._offset, len(raw))
            filesystem.store(self.node, self._offset, raw)
        except SyscallError:
            return
        self._offset += len(raw)

    def close(self) -> None:
        self.node.filesystem.release(self.node)


class Tracing:
    """The traces of one kernel."""

    def __init__(self, kernel: SimulatedKernel) -> None:
        self._kernel = kernel
        self._traces: dict[int, tuple[Trace, int]] = {}
        """By process: the file, and the bits of what it records."""

    def _record(self, process: Process, kind: int, data: bytes) -> None:
        """Write a record, if a trace wants such."""
        trace, facilities = self._traces.get(process.pid, (None, 0))
        if trace is not None and facilities & 1 << kind:
            trace.record(process, kind, data, facilities >> VERSION_SHIFT & 0xF)

    def start(self, node: Node, processes: list[Process], facilities: int) -> None:
        """Record into a file what processes do, besides what is recorded already."""
        known = next((trace for trace, _bits in self._traces.values() if trace.node is node), None)
        trace = known or Trace(self._kernel, node)
        for process in processes:
            _old, before = self._traces.get(process.pid, (None, 0))
            self._traces[process.pid] = trace, facilities | before
            self._record(process, KTR_EMUL, EMULATION)

    def stop(self, processes: list[Process], facilities: int) -> None:
        """Record some things no longer."""
        for process in processes:
            if process.pid not in self._traces:
                continue
            trace, before = self._traces[process.pid]
            self._traces[process.pid] = trace, before & ~facilities
            self._record(process, KTR_EMUL, EMULATION)
            if not before & ~facilities & 0xFFFFFF:
                self.forget(process.pid)

    def stop_file(self, node: Node) -> None:
        """End all traces into a file."""
        for pid in [pid for pid, (trace, _bits) in self._traces.items() if trace.node is node]:
            self.forget(pid)

    def forget(self, pid: int) -> None:
        """A process is traced no longer."""
        trace, _bits = self._traces.pop(pid, (None, 0))
        if trace is not None and all(other is not trace for other, _bits in self._traces.values()):
            trace.close()

    # Records

    def is_traced(self, process: Process) -> bool:
        return process.pid in self._traces

    def call_begins(self, process: Process, number: int, block: bytes) -> None:
        trace, _bits = self._traces[process.pid]
        trace.next_call()
        self._record(process, KTR_SYSCALL, self._kernel.abi.integers("int", number, len(block)) + block)

    def call_ends(self, process: Process, number: int, error: int, values: tuple[int, int]) -> None:
        abi = self._kernel.abi
        results = (0, 0) if error else values
        mask = (1 << 8 * abi.word_size) - 1
        data = abi.integers("int16", number, 0) + abi.integer("int", error)
        self._record(process, KTR_SYSRET, data + abi.integers("pointer", *(value & mask for value in results)))

    def path(self, process: Process, path: bytes) -> None:
        self._record(process, KTR_NAMEI, path + b"\0")

    def wants_data(self, process: Process) -> bool:
        return bool(self._traces.get(process.pid, (None, 0))[1] & 1 << KTR_GENIO)

    def data(self, process: Process, descriptor: int, written: bool, data: bytes) -> None:
        """Bytes that were read or written, a page at a time with what is told of them."""
        head = self._kernel.abi.integers("int", descriptor, GENIO_WRITE if written else GENIO_READ)
        room = PAGE - len(head)
        for start in range(0, max(len(data), 1), room):
            self._record(process, KTR_GENIO, head + data[start : start + room])
