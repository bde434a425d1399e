# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client that makes system calls with plain buffers and hides nothing of what the server does.

It stands on the frames and the ABI only, so that what it sees of a kernel is the kernel's, and keeps a trace
of the copies of each call.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import frames
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno

PATIENCE: Final = 20.0
FIRST_ADDRESS: Final = 0x10000000
GAP: Final = 0x10000
Argument = int | str | bytes | bytearray | None


@dataclass
class Outcome:
    """A call's end. ``error`` is the errno's name or None."""

    error: str | None
    value: int = 0
    second: int = 0
    trace: list[tuple[str, int]] = field(default_factory=list)
    """The copies: ("in" | "instr" | "out", length)."""

    def __bool__(self) -> bool:
        return self.error is None


class RawClient:
    """One connection, one call at a time."""

    def __init__(self, url: str, program: str = "rawclient", handshake: bool = True) -> None:
        self.stream = _connect(url)
        self.machine = frames.Client()
        banner = self.next_event()
        assert isinstance(banner, frames.Banner), banner
        self.abi = Abi.from_banner(banner.text)
        self.machine.wire = self.abi.wire
        self._buffers: dict[int, bytearray] = {}
        if handshake:
            self.send(self.machine.handshake(program))
            reply = self.next_event()
            assert reply == frames.HandshakeReply(reply.reqno, 0), reply

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        self.stream.close()

    def send(self, request: tuple[int, bytes]) -> int:
        self.stream.sendall(request[1])
        return request[0]

    def next_event(self) -> Any:
        while (event := self.machine.next_event()) is frames.NEED_DATA:
            try:
                self.machine.receive_data(self.stream.recv(1 << 16))
            except ConnectionResetError:
                self.machine.receive_data(b"")
        return event

    # Memory

    def lend(self, data: bytes | bytearray) -> int:
        """Give a buffer an address. What the kernel writes goes into it if it is a bytearray."""
        address = max((start + len(kept) for start, kept in self._buffers.items()), default=FIRST_ADDRESS) + GAP
        address -= address % GAP
        self._buffers[address] = data if isinstance(data, bytearray) else bytearray(data)
        return address

    def _find(self, address: int) -> tuple[bytearray, int]:
        for start, data in self._buffers.items():
            if start <= address <= start + len(data):
                return data, address - start
        raise AssertionError(f"the kernel asks for {address:#x}, which nobody lent it")

    # Calls

    def call(self, name: str, *arguments: Argument) -> Outcome:
        """A system call: strings get their NUL, bytes are read and bytearrays also written by the kernel."""
        outcome = self.finish(self.begin(name, *arguments))
        self._buffers.clear()
        return outcome

    def begin(self, name: str, *arguments: Argument) -> int:
        """Send a call and do not wait for its end; the buffers stay lent."""
        numbers = [self._number(argument) for argument in arguments]
        block = self.abi.encode_arguments(name, *numbers)
        return self.send(self.machine.syscall(self.abi.syscall_number(name), block))

    def raw(self, number: int, block: bytes) -> Outcome:
        """A call by number, with an argument block as it is."""
        return self.finish(self.send(self.machine.syscall(number, block)))

    def _number(self, argument: Argument) -> int:
        if argument is None:
            return 0
        if isinstance(argument, str):
            argument = argument.encode() + b"\0"
        if isinstance(argument, (bytes, bytearray)):
            return self.lend(argument)
        return argument

    def finish(self, reqno: int) -> Outcome:
        """Serve the kernel's copies until the call ends."""
        trace: list[tuple[str, int]] = []
        while True:
            event = self.next_event()
            match event:
                case frames.SyscallReply():
                    assert event.reqno == reqno
                    error = Errno(event.error).name if event.error else None
                    return Outcome(error, event.value0, event.value1, trace)
                case frames.CopyIn() | frames.CopyInStr():
                    self._give(event, trace)
                case frames.CopyOut():
                    trace.append(("out", len(event.data)))
                    data, offset = self._find(event.address)
                    data[offset : offset + len(event.data)] = event.data
                case frames.AnonMmap():
                    address = self.lend(bytearray(event.length))
                    self.stream.sendall(self.machine.anonmmap_reply(event.reqno, address))
                case frames.Raise():
                    trace.append(("raise", event.signal))
                case _:
                    raise AssertionError(event)

    def _give(self, event: Any, trace: list[tuple[str, int]]) -> None:
        data, offset = self._find(event.address)
        if isinstance(event, frames.CopyInStr):
            trace.append(("instr", event.length))
            answer = bytes(data[offset:]).partition(b"\0")[0] + b"\0"
            answer = answer[: event.length]
        else:
            trace.append(("in", event.length))
            answer = bytes(data[offset : offset + event.length]).ljust(event.length, b"\0")
        self.stream.sendall(self.machine.copyin_reply(event.reqno, answer))

    # What many tests want

    def ok(self, name: str, *arguments: Argument) -> int:
        """A call that must succeed; its result."""
        outcome = self.call(name, *arguments)
        assert outcome.error is None, f"{name}{arguments}: {outcome.error}"
        return outcome.value

    def ioctl(self, descriptor: int, request: str | int, data: bytearray | bytes | None = None) -> Outcome:
        code = self.abi.ioctl(request) if isinstance(request, str) else request
        return self.call("ioctl", descriptor, code, data)

    def stat(self, path: str, follow: bool = True) -> Any:
        """The struct stat of a path, or the errno's name."""
        layout = self.abi.struct("stat")
        buffer = bytearray(layout.size)
        outcome = self.call("__stat50" if follow else "__lstat50", path, buffer)
        return layout.parse(buffer) if outcome else outcome.error

    def sysctl(self, mib: list[int], room: int | None = 4096, new: bytes | None = None) -> tuple[Outcome, bytes, int]:
        """(outcome, the bytes that came, the length that the kernel told); ``room`` None asks for the length only."""
        length = bytearray(self.abi.integer("size_t", room or 0))
        old = None if room is None else bytearray(room)
        names = self.abi.integers("int", *mib)
        outcome = self.call("__sysctl", names, len(mib), old, length, new, len(new) if new is not None else 0)
        told = self.abi.read_integer("size_t", length)
        return outcome, bytes(old[: min(told, len(old))]) if old is not None else b"", told


def _connect(url: str) -> socket.socket:
    if url.startswith("unix://"):
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(PATIENCE)
        stream.connect(url.removeprefix("unix://"))
        return stream
    host, _colon, port = url.removeprefix("tcp://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)
