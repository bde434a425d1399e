# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One client's connection: handshakes, system calls in flight, copies from and to its memory.

Source: lib/librumpuser/rumpuser_sp.c.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING

from .errors import refuse
from .faults import FOREIGN_ADDRESS, FOREIGN_LENGTH, Fault, FramePlace, garbage, with_length
from .rooms import Errno, ProtocolError, frames

if TYPE_CHECKING:
    from .kernel import SimulatedKernel
    from .process import Process

READ_SIZE = 1 << 16
# Protocol errors (sys/rump/kern/lib/libsysproxy, rumpuser_sp's enum rumpsp_err).
ERR_AUTH, ERR_INVALID_PREFORK, ERR_INEXEC, ERR_MALFORMED = 2, 3, 5, 7
COMM_LENGTH = 16
"""A process's name is cut to MAXCOMLEN (16) bytes."""

_place: ContextVar[tuple[str, int, list[int]] | None] = ContextVar("call_place", default=None)


class ConnectionDone(Exception):
    """The connection is to be closed."""


class Connection:
    """Serves one client until it goes away."""

    def __init__(self, kernel: SimulatedKernel, number: int,
                 reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:  # fmt: skip
        self.kernel = kernel
        self.number = number
        self.process: Process | None = None
        self.program = ""
        self._reader = reader
        self._writer = writer
        self._machine = frames.Server(kernel.abi.banner, kernel.abi.wire)
        self._calls: set[asyncio.Task[None]] = set()
        self._copies: dict[int, asyncio.Future[bytes | int]] = {}
        self._sent = 0
        self._counts: dict[str, int] = {}
        self._stalled = False
        self._reachable = asyncio.Event()
        self._reachable.set()
        self._may_answer = asyncio.Event()
        self._may_answer.set()
        self._in_exec = False
        self._preforks: list[bytes] = []

    # Life

    async def serve(self) -> None:
        try:
            if not await self._greet():
                return
            while True:
                data = await self._reader.read(READ_SIZE)
                if data:
                    await self._reachable.wait()
                    if self.kernel.own_stack is not None:
                        self.kernel.own_stack.passed(self, data, comes_in=True)
                self._machine.receive_data(data)
                while (event := self._machine.next_event()) is not frames.NEED_DATA:
                    if isinstance(event, frames.ConnectionClosed):
                        return
                    await self._handle(event)
        except (ConnectionDone, ConnectionError, ProtocolError):
            return
        finally:
            await self._finish()

    async def _greet(self) -> bool:
        banner = self._machine.banner_bytes()
        for fault in self.kernel.faults.at_connection(self.number):
            if fault.action == "no-banner":
                return False
            banner = fault.text.encode().decode("unicode_escape").encode("latin-1")
        await self._may_answer.wait()
        self._writer.write(banner)
        await self._writer.drain()
        return True

    async def _finish(self) -> None:
        """The client is gone: wake what waits for it, then close what its process has open."""
        self._fail_copies()
        for task in list(self._calls):
            task.cancel()
        if self._calls:
            await asyncio.gather(*self._calls, return_exceptions=True)
        for ticket in self._preforks:
            self.kernel.cancel_prefork(ticket)
        if self.process is not None:
            self.kernel.process_exits(self.process)
        self.close()

    def reach(self, reachable: bool, may_answer: bool) -> None:
        """Whether anything passes from the client to the kernel, and the other way (:mod:`.own_stack`)."""
        for event, passes in ((self._reachable, reachable), (self._may_answer, may_answer)):
            if passes:
                event.set()
            else:
                event.clear()

    def close(self) -> None:
        self._reachable.set()
        self._may_answer.set()
        with contextlib.suppress(Exception):
            self._writer.close()

    def _fail_copies(self) -> None:
        for future in self._copies.values():
            if not future.done():
                future.set_exception(refuse("EFAULT"))
        self._copies.clear()

    # Requests

    async def _handle(self, event: object) -> None:
        match event:
            case frames.SyscallRequest():
                await self._syscall(event)
            case frames.CopyInReply():
                self._copied(event.reqno, event.data)
            case frames.AnonMmapReply():
                self._copied(event.reqno, event.address)
            case frames.HandshakeRequest():
                await self._handshake(event)
            case frames.PreforkRequest():
                await self._prefork(event)
            case frames.ErrorReply():
                await self._send(self._machine.error_reply(event.reqno, 0, ERR_MALFORMED))

    async def _refuse(self, reqno: int, code: int, close: bool = True) -> None:
        await self._send(self._machine.error_reply(reqno, 0, code))
        if close:
            raise ConnectionDone

    async def _handshake(self, request: frames.HandshakeRequest) -> None:
        if self.process is not None:
            if request.kind != frames.HandshakeKind.EXEC:
                await self._refuse(request.reqno, ERR_MALFORMED)
            await self._exec(request)
            return
        if request.kind == frames.HandshakeKind.GUEST:
            self.program = _program_name(request.body)
            self.process = self.kernel.new_process(self.program)
        elif request.kind == frames.HandshakeKind.FORK:
            await self._fork(request)
        else:
            await self._refuse(request.reqno, ERR_AUTH)
        await self._send(self._machine.handshake_reply(request.reqno))

    async def _fork(self, request: frames.HandshakeRequest) -> None:
        if len(request.body) != frames.AUTH_SIZE + 4:
            await self._refuse(request.reqno, ERR_MALFORMED)
        ticket = request.body[: frames.AUTH_SIZE]
        cancel = any(request.body[frames.AUTH_SIZE :])
        process = self.kernel.take_prefork(ticket, keep=not cancel)
        if process is None:
            if cancel:
                raise ConnectionDone
            await self._refuse(request.reqno, ERR_INVALID_PREFORK)
        self.process = process
        assert process is not None
        self.program = process.name

    async def _exec(self, request: frames.HandshakeRequest) -> None:
        """Blocked calls end with EINTR, descriptors marked so are closed, the process has a new name."""
        if self._in_exec:
            await self._refuse(request.reqno, ERR_INEXEC)
        self._in_exec = True
        for task in list(self._calls):
            task.cancel()
        if self._calls:
            await asyncio.gather(*self._calls, return_exceptions=True)
        assert self.process is not None
        self.process.descriptors.close_on_exec()
        self.program = self.process.name = _program_name(request.body)
        self._in_exec = False
        await self._send(self._machine.handshake_reply(request.reqno))

    async def _prefork(self, request: frames.PreforkRequest) -> None:
        if self.process is None:
            await self._refuse(request.reqno, ERR_AUTH)
        if self._in_exec:
            await self._refuse(request.reqno, ERR_INEXEC)
        assert self.process is not None
        ticket = self.kernel.prefork(self.process)
        self._preforks.append(ticket)
        await self._send(self._machine.prefork_reply(request.reqno, ticket))

    async def _syscall(self, request: frames.SyscallRequest) -> None:
        if self.process is None:
            await self._refuse(request.reqno, ERR_AUTH)
        task = asyncio.create_task(self._serve_call(request))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _serve_call(self, request: frames.SyscallRequest) -> None:
        name = self.kernel.call_name(request.number)
        self._counts[name] = self._counts.get(name, 0) + 1
        _place.set((name, self._counts[name], [0]))
        try:
            for fault in self.kernel.faults.at_call(self.number, name, self._counts[name]):
                await self._touch_foreign_memory(fault)
            try:
                error, value0, value1 = await self.kernel.serve_call(self, request.number, request.args)
            except asyncio.CancelledError:
                if not self._in_exec:
                    raise
                error, value0, value1 = Errno.EINTR, 0, 0
            if self.kernel.own_stack is not None:
                await self.kernel.own_stack.update()
            await self._send(self._machine.syscall_reply(request.reqno, error, value0, value1))
        except (ConnectionError, ConnectionDone):
            self.close()
        if self.kernel.halted:
            self.kernel.shut_down()

    async def _touch_foreign_memory(self, fault: Fault) -> None:
        length = fault.value or FOREIGN_LENGTH
        if fault.action == "foreign-copyin":
            await self.copyin(FOREIGN_ADDRESS, length)
        else:
            await self.copyout(FOREIGN_ADDRESS, garbage(length))

    # Copies: the kernel's own requests

    async def copyin(self, address: int, length: int) -> bytes:
        data = await self._ask(lambda reqno: self._machine.copyin(reqno, address, length))
        assert isinstance(data, bytes)
        if len(data) < length:
            raise refuse("EFAULT")
        return data[:length]

    async def copyinstr(self, address: int, length: int) -> bytes:
        data = await self._ask(lambda reqno: self._machine.copyinstr(reqno, address, length))
        assert isinstance(data, bytes)
        return data[:length]

    async def copyout(self, address: int, data: bytes) -> None:
        await self._send(self._machine.copyout(self._machine.next_reqno(), address, data))

    async def anonmmap(self, length: int) -> int:
        address = await self._ask(lambda reqno: self._machine.anonmmap(reqno, length))
        assert isinstance(address, int)
        return address

    async def raise_signal(self, signal: int) -> None:
        """Tell the client about a signal; it does not answer."""
        await self._send(self._machine.raise_signal(self._machine.next_reqno(), signal))

    async def _ask(self, frame_for: Callable[[int], bytes]) -> bytes | int:
        reqno = self._machine.next_reqno()
        future: asyncio.Future[bytes | int] = asyncio.get_running_loop().create_future()
        self._copies[reqno] = future
        try:
            await self._send(frame_for(reqno))
            return await future
        finally:
            self._copies.pop(reqno, None)

    def _copied(self, reqno: int, answer: bytes | int) -> None:
        future = self._copies.get(reqno)
        if future is not None and not future.done():
            future.set_result(answer)

    # Sending

    async def _send(self, frame: bytes) -> None:
        """Send one frame, unless a fault has something else in mind for it."""
        self._sent += 1
        place = FramePlace(self._sent)
        call = _place.get()
        if call is not None:
            call[2][0] += 1
            place.call, place.nth, place.call_frame = call[0], call[1], call[2][0]
        for fault in self.kernel.faults.at_frame(self.number, place) if self.kernel.faults.faults else ():
            frame = await self._misbehave(fault, frame)
        if self._stalled:
            return
        await self._may_answer.wait()
        if self.kernel.own_stack is not None:
            self.kernel.own_stack.passed(self, frame, comes_in=False)
        self._writer.write(frame)
        await self._writer.drain()

    async def _misbehave(self, fault: Fault, frame: bytes) -> bytes:
        match fault.action:
            case "cut":
                self.close()
                raise ConnectionDone
            case "stall":
                self._stalled = True
            case "length":
                return with_length(frame, fault.value or 0, self.kernel.abi.byteorder)
            case "garbage":
                return garbage(fault.value or len(frame))
            case "delay":
                await asyncio.sleep(fault.seconds)
        return frame


def _program_name(body: bytes) -> str:
    return body.split(b"\0")[0][:COMM_LENGTH].decode("utf-8", "replace")
