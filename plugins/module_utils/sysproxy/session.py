# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session with a rump kernel: connect, greet, make calls, with a limit on every wait.

A session is one process of the kernel's, with its own descriptors, working directory and umask. It
keeps as many calls in flight as it is given: :meth:`Session.submit` starts one, :meth:`Session.wait`
ends it, :meth:`Session.call` does both. It is not shared between threads, nor with a child of a fork of
this process: whoever needs another one makes one. An exception that a signal handler raises while the server is
listened or talked to (KeyboardInterrupt, or the limit of a task) ends the session.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, Self, TypeAlias

from . import frames
from .channel import Channel
from .confirmation import confirm, doubt
from .errors import (
    CallTimeout,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    ForeignMemory,
    ForeignServer,
    ProtocolError,
    RequestRefused,
    RumpError,
    ServerFull,
    SessionClosed,
    UnknownMachine,
    printable,
    request_refused,
)
from .memory import AddressSpace, Buffer
from .netbsd import Abi, AbiHints, Errno
from .netbsd.kernel_error import KernelError, kernel_error
from .netbsd.layout import require_construct
from .netbsd.machines import AMBIGUOUS
from .transport import open_stream, parse_url

DEFAULT_TIMEOUT: Final = 30.0
DEFAULT_CONNECT_TIMEOUT: Final = 10.0
IN_FLIGHT: Final = 8
"""Calls that are with a server at once, as long as it answers, and that helpers keep outstanding.

It has up to 128 workers for the calls of all its clients, but ends those beyond 16 that have nothing to do (IDLEWORKER
of rumpuser_sp.c): with more calls than that it spends its time on making workers anew, and serves half as many. Of
the numbers below, this one is served fastest.
"""

_PROGRAM: Final = "rumpkernel.rump"
_FIRST_BACKOFF: Final = 0.05
_LONGEST_BACKOFF: Final = 1.0
_FRAME_SLACK: Final = 64  # what a frame carries beside a buffer's bytes
_ZEROS_LIMIT: Final = 1 << 16
_OUTGOING_LIMIT: Final = 1 << 16  # bytes of requests and answers that are gathered before they are sent
_PATIENCE: Final = 0.001
"""Seconds without a word from the server after which the calls that it has are taken to be blocked ones."""
_OTHER_SERVER: Final = "; check the port or path in its URL"
_CANCEL_LIMIT: Final = 1.0  # seconds for the kernel to end the calls that are cancelled
_ERESTART: Final = int(Errno.ERESTART)  # a plain number compares in half the time

Argument: TypeAlias = "int | Buffer | None"
Registers = tuple[int, int]
Reply: TypeAlias = "frames.SyscallReply | frames.HandshakeReply | frames.PreforkReply | frames.ErrorReply"


@cache
def _label(name: str) -> str:
    """A call's name as its manual page has it: stat for __stat50."""
    return name.strip("_").rstrip("0123456789") or name


class Request(NamedTuple):
    """A system call to be made: see :meth:`Session.submit`."""

    name: str
    arguments: tuple[Argument, ...] = ()
    subject: str = ""
    label: str = ""


_forks = 0
"""How often this process is a fork of one that had this module: cheaper to look at than its number."""


def _count_fork() -> None:
    global _forks
    _forks += 1


os.register_at_fork(after_in_child=_count_fork)


class Call:
    """A system call in flight. Its buffers are lent to the server until its end."""

    __slots__ = ("block", "blocked", "deadline", "label", "lent", "number", "reply", "subject", "written")

    def __init__(self, number: int, block: bytes, lent: list[int], label: str, subject: str, deadline: float) -> None:
        self.number = number
        self.block = block
        self.lent = lent
        self.label = label
        self.subject = subject
        self.deadline = deadline
        self.blocked = False
        self.reply: Any = None  # an ErrorReply, or the Reply to what was asked: frames lets no other one through
        self.written = 0

    def __str__(self) -> str:
        return printable(f"{self.label} {self.subject}" if self.subject else self.label)


class Session:
    """One connection to a rump kernel's server, after its handshake. Made by :func:`open_session`."""

    def __init__(self, stream: socket.socket, url: str, timeout: float = DEFAULT_TIMEOUT) -> None:
        """``timeout``: seconds that a system call may take, unless the call says otherwise."""
        self.url = url
        self.timeout = timeout
        self.banner = ""
        self.ssh_args: Sequence[str] = ()
        """More arguments for ssh, that the stream was opened with."""
        self.written = 0
        """How many bytes the kernel put into the buffers of the call that was waited for last."""
        self._channel: Channel | None = Channel(stream)
        self._machine = frames.Client(max_body=_FRAME_SLACK)
        self._memory = AddressSpace()
        self._outgoing = bytearray()
        self._waiting: dict[int, Call] = {}  # by request number
        self._blocked = 0  # so many of them
        self._held: deque[Call] = deque()  # yet to be sent
        self._cancelling = False
        self._forks = _forks
        self._abi: Abi | None = None
        self._given = False  # what of the ABI is in doubt was said by the user
        self._proven = False  # a kernel that has filled a buffer knows addresses as we do
        self._handlers: dict[type, Callable[..., None]] = {
            frames.SyscallReply: self._on_reply,
            frames.HandshakeReply: self._on_reply,
            frames.PreforkReply: self._on_reply,
            frames.ErrorReply: self._on_reply,
            frames.CopyOut: self._on_copyout,
            frames.CopyIn: self._on_copyin,
            frames.CopyInStr: self._on_copyin,
            frames.AnonMmap: self._on_anonmmap,
            frames.Raise: self._on_raise,
            frames.ConnectionClosed: self._on_end,
        }

    @property
    def abi(self) -> Abi:
        """The kernel's ABI, known once the banner came."""
        if self._abi is None:
            raise RuntimeError("the server's banner, which tells the ABI, did not come yet")
        return self._abi

    @property
    def closed(self) -> bool:
        return self._channel is None

    @property
    def endpoints(self) -> tuple[tuple[str, int], tuple[str, int]] | None:
        """Our end of a TCP connection and the server's, as address and port; None for what is no such connection."""
        try:
            return self._usable_channel().endpoints()
        except OSError:
            return None  # the peer hung up

    def reopen(self, url: str, connect_timeout: float) -> Session:
        """Another session with the same kernel, by another URL: its process is a child of this session's, and has
        copies of its descriptors.

        It takes a ticket of this session's, which no other kernel takes. Until ``connect_timeout`` seconds are over
        it is tried again and again, since an address that was just given may need a while to answer.

        :raises InvalidURL: ``url`` is no server's URL.
        :raises ConnectError: nothing answers there, or another kernel does.
        :raises RumpError: this session broke.
        """
        deadline = time.monotonic() + connect_timeout
        ticket = self.prefork()
        backoff = _FIRST_BACKOFF
        while True:
            try:
                remaining = max(deadline - time.monotonic(), 0.001)
                return open_session(
                    url,
                    timeout=self.timeout,
                    connect_timeout=remaining,
                    abi=self.abi,
                    ticket=ticket,
                    ssh_args=self.ssh_args,
                )
            except ConnectError as error:
                told = isinstance(error, ForeignServer | UnknownMachine) or isinstance(error.__cause__, RequestRefused)
                if told or time.monotonic() + backoff > deadline:
                    raise
            time.sleep(backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    # Calls

    def call(
        self, name: str, *arguments: Argument, subject: str = "", label: str = "", timeout: float | None = None
    ) -> Registers:
        """Make a system call and wait for its end: :meth:`submit` and :meth:`wait` in one."""
        return self.wait(self._submit(name, arguments, subject, label, self.timeout if timeout is None else timeout))

    def submit(
        self, name: str, *arguments: Argument, subject: str = "", label: str = "", timeout: float | None = None
    ) -> Call:
        """Start a system call. It is sent at the latest when something is waited for, or, where very many were
        started before it, when some of these ended, or within a millisecond if none does.

        ``name`` is the call's in NetBSD's table, such as ``__stat50``. An argument is a number, a
        buffer (whose address is passed; a ``bytearray`` may be written to) or None for a null
        pointer. The buffers belong to the call until :meth:`wait` returned. For errors, ``subject`` is
        what the call is about, and ``label`` its name where that of the system call says little (an
        ioctl's). ``timeout``: seconds from now.

        Calls in flight are served side by side, in no order. Those that depend on each other wait for
        each other.

        :raises KeyError: the kernel's release has no such call.
        :raises ValueError: an argument does not fit.
        """
        return self._submit(name, arguments, subject, label, self.timeout if timeout is None else timeout)

    def _submit(self, name: str, arguments: tuple[Argument, ...], subject: str, label: str, timeout: float) -> Call:
        self._usable_channel()
        if not self._waiting and not self._held:
            self._memory.drop_anonymous()
        lent: list[int] = []
        try:
            numbers = [
                argument if isinstance(argument, int) else 0 if argument is None else self._lend(argument, lent)
                for argument in arguments
            ]
            number, block = self.abi.encode_call(name, *numbers)
        except BaseException:
            self._take_back(lent)
            raise
        call = Call(number, block, lent, label or _label(name), subject, time.monotonic() + timeout)
        self._request(call)
        if len(self._outgoing) > _OUTGOING_LIMIT:
            self._flush(call.deadline, call)
        return call

    def wait(self, call: Call) -> Registers:
        """Wait for a call's end; the result is the kernel's two registers.

        :raises KernelError: the kernel refused it; for many errnos it is Python's own class too.
        :raises CallTimeout: no end within the limit. The call is cancelled in the kernel, and with it all
            others that were started, which end with InterruptedError; the session goes on. Where the kernel
            does not end it even so (a rump kernel's nanosleep cannot be interrupted), the session is closed.
        :raises RequestRefused: the server refused the request; its subclasses say why. The session goes on.
        :raises ConnectionLost: the server went away.
        :raises ProtocolError: as any other, the server broke the protocol; the session is closed.
        """
        try:
            while call.reply is None:
                self._step(call.deadline, call)
        except TimeoutError as error:
            if isinstance(error, RumpError):
                raise
            self._cancel(call)
            raise CallTimeout(f"{self.url}: no end of {call} within the time limit") from None
        reply = call.reply
        self.written = call.written
        if isinstance(reply, frames.ErrorReply):
            raise request_refused(reply.code, f"{self.url}: {call}")
        if reply.error and reply.error != Errno.EJUSTRETURN:
            raise kernel_error(reply.error, call.label, call.subject)
        return reply.value0, reply.value1

    def map(self, requests: Iterable[Request], limit: int = IN_FLIGHT) -> Iterator[Registers | KernelError]:
        """Make many calls, at most ``limit`` of them in flight, and give their results in order.

        A call that the kernel refused gives its error, which does not keep the others from being
        made. ``requests`` is drawn from as calls are started, so it may depend on earlier results.

        :raises RumpError: as :meth:`wait`; the session is then of no more use, or none is in flight.
        """
        calls: deque[Call | KernelError] = deque()
        todo = iter(requests)
        try:
            while True:
                while len(calls) < limit and (request := next(todo, None)) is not None:
                    calls.append(self._start(request))
                if not calls:
                    return
                yield self._end(calls.popleft())
        finally:
            # Whoever stops early leaves no calls behind whose buffers are gone.
            for call in calls:
                if not self.closed:
                    with contextlib.suppress(RumpError):
                        self._end(call)

    def _start(self, request: Request) -> Call | KernelError:
        """A call in flight, or the error that it gave before it was sent: the release has no such call."""
        try:
            return self._submit(request.name, request.arguments, request.subject, request.label, self.timeout)
        except KernelError as error:
            return error

    def _end(self, call: Call | KernelError) -> Registers | KernelError:
        try:
            return call if isinstance(call, KernelError) else self.wait(call)
        except KernelError as error:
            return error

    @contextlib.contextmanager
    def lend(self, buffer: Buffer) -> Iterator[int]:
        """An address for ``buffer`` for as long as the block runs, for pointers inside structures."""
        address = self._memory.lend(buffer)
        try:
            yield address
        finally:
            self._memory.take_back(address)

    def anonymous(self, address: int, length: int) -> bytes:
        """What the kernel put into memory that it asked for (anonmmap) during the last call.

        :raises ForeignMemory: it asked for no such memory.
        """
        return bytes(self._memory.copyin(address, length))

    # The session's life

    def greet(self, deadline: float, abi: Abi | AbiHints | None = None, ticket: bytes | None = None) -> None:
        """Await the banner and introduce ourselves. ``abi`` overrides what the banner says.

        :param ticket: of another session's :meth:`prefork`, whose child this one becomes.
        :raises ServerFull: the server hung up without a banner.
        :raises ForeignServer: it is no sysproxy server.
        :raises UnknownMachine: the word size and byte order of its machine are not known.
        :raises ConnectError: it hung up later, or refused the handshake.
        :raises TimeoutError: it did not answer by ``deadline`` (of time.monotonic).
        """
        self._given = abi is not None and (isinstance(abi, Abi) or (abi.word_size or abi.byteorder) is not None)
        try:
            self.banner = self._await_banner(deadline)
            try:
                self._abi = Abi.from_banner(self.banner, abi)
            except ForeignServer as error:
                self.close()
                raise ForeignServer(f"{self.url}: {error}", _OTHER_SERVER) from None
            except UnknownMachine as error:
                self.close()
                raise UnknownMachine(f"{self.url}: {error}") from None
            self._machine.wire = self._abi.wire
            reqno, request = (
                self._machine.handshake(_PROGRAM) if ticket is None else self._machine.fork_handshake(ticket)
            )
            reply = self._exchange("the handshake", reqno, request, deadline)
        except ConnectionLost as error:
            raise ConnectError(f"{self.url}: the server hung up during the handshake", self.doubt()) from error
        except ForeignServer:
            raise
        except ProtocolError as error:
            more = self.doubt() if self._abi is not None else _OTHER_SERVER
            raise ForeignServer(str(error).removesuffix(more), more) from error
        refusal: RumpError | None = None
        if isinstance(reply, frames.ErrorReply):
            refusal = request_refused(reply.code)
        elif isinstance(reply, frames.HandshakeReply) and reply.error:
            refusal = kernel_error(reply.error, "handshake")
        if refusal is not None:
            self.close()
            raise ConnectError(f"{self.url}: the server refused the handshake: {refusal}") from refusal

    def prefork(self) -> bytes:
        """A ticket with which another connection becomes a child of this process, once.

        :raises RequestRefused: the server refused.
        """
        reqno, request = self._machine.prefork()
        reply = self._exchange("prefork", reqno, request, time.monotonic() + self.timeout)
        if isinstance(reply, frames.ErrorReply):
            raise request_refused(reply.code, f"{self.url}: prefork")
        return reply.auth

    def exec(self) -> None:
        """Renew the process as an exec does: its blocked calls end with EINTR, descriptors with close-on-exec are
        closed, all else stays.

        :raises RequestRefused: the server refused.
        :raises KernelError: the kernel did.
        """
        reqno, request = self._machine.handshake(_PROGRAM, frames.HandshakeKind.EXEC)
        reply = self._exchange("exec", reqno, request, time.monotonic() + self.timeout)
        if isinstance(reply, frames.ErrorReply):
            raise request_refused(reply.code, f"{self.url}: exec")
        if reply.error:
            raise kernel_error(reply.error, "exec")

    def doubt(self, silent: bool = False) -> str:
        """What may be wrong with what is assumed of the kernel, for an error's text; empty if nothing is.

        ``silent``: it says nothing at all. Only where the assumption is a weak one that is likely to be the reason.
        """
        if self._abi is None or self._proven or (silent and not self._given and self._abi.machine not in AMBIGUOUS):
            return ""
        return doubt(self._abi, self._given)

    def close(self) -> None:
        """Hang up. The kernel closes the process's descriptors and wakes its blocked calls."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    # Below the calls

    def _lend(self, buffer: Buffer, lent: list[int]) -> int:
        address = self._memory.lend(buffer)
        lent.append(address)
        return address

    def _take_back(self, lent: list[int]) -> int:
        """End the lending of a call's buffers: the number of bytes that were put into them."""
        written = 0
        for address in lent:
            written += self._memory.take_back(address)
        lent.clear()
        return written

    def _request(self, call: Call) -> None:
        """Send a call, now or when the server is through with others."""
        if len(self._waiting) - self._blocked < IN_FLIGHT:
            self._put(call)
        else:
            self._held.append(call)

    def _put(self, call: Call) -> None:
        reqno, request = self._machine.syscall(call.number, call.block)
        self._waiting[reqno] = call
        self._machine.max_body = self._memory.largest + _FRAME_SLACK
        self._outgoing += request

    def _put_held(self) -> None:
        while self._held:
            self._put(self._held.popleft())

    def _exchange(self, about: str, reqno: int, request: bytes, deadline: float) -> Any:
        """Send a request that is no system call, and wait for its :data:`Reply`."""
        self._usable_channel()
        self._put_held()
        pending = Call(0, b"", [], about, "", deadline)
        self._waiting[reqno] = pending
        self._outgoing += request
        try:
            while pending.reply is None:
                self._step(deadline, pending)
        except TimeoutError as error:
            self.close()
            if isinstance(error, RumpError):
                raise
            raise CallTimeout(f"{self.url}: no end of {about} within the time limit") from None
        return pending.reply

    def _cancel(self, call: Call) -> None:
        """Have the kernel end a call that takes too long, so that it does not hold one of the server's workers."""
        self._cancelling = True
        while self._held:
            self._finish(self._held.popleft(), frames.SyscallReply(0, Errno.EINTR, 0, 0))
        reqno, request = self._machine.handshake(_PROGRAM, frames.HandshakeKind.EXEC)
        try:
            self._exchange("exec", reqno, request, time.monotonic() + _CANCEL_LIMIT)
        except RumpError:
            self.close()
        finally:
            self._cancelling = False
        if call.reply is None:
            self.close()

    def _await_banner(self, deadline: float) -> str:
        greeting = Call(0, b"", [], "the handshake", "", deadline)
        while True:
            event = self._next_event()
            if isinstance(event, frames.Banner):
                return event.text
            if isinstance(event, frames.ConnectionClosed):
                self.close()
                raise ServerFull(f"{self.url}: the server hung up without a word: it has all the clients that it takes")
            try:
                self._receive(deadline, greeting)
            except TimeoutError:
                self.close()
                raise CallTimeout(f"{self.url}: no end of the handshake within the time limit") from None

    def _step(self, deadline: float, call: Call) -> None:
        """Serve one of the server's frames; when there is none, send what is gathered and wait for more."""
        try:
            event = self._next_event() if self._machine.pending else frames.NEED_DATA
            if event is frames.NEED_DATA:
                if self._outgoing:
                    self._flush(deadline, call)
                if self._held:
                    self._receive_soon(deadline, call)
                else:
                    self._receive(deadline, call)
            else:
                self._handlers[type(event)](event)
                if len(self._outgoing) > _OUTGOING_LIMIT:
                    self._flush(deadline, call)
        except (RumpError, TimeoutError):
            raise
        except BaseException:
            # A signal handler's: some of what came may be lost. Whoever cleans up is not to wait for this server again.
            self.close()
            raise

    def _next_event(self) -> frames.Event:
        try:
            return self._machine.next_event()
        except ConnectionLost as error:
            self.close()
            raise type(error)(f"{self.url}: {error}") from None
        except ProtocolError as error:
            self.close()
            raise ProtocolError(f"{self.url}: {error}{self.doubt()}") from None

    def _on_reply(self, reply: Reply) -> None:
        call = self._waiting.pop(reply.reqno)
        if call.blocked:
            call.blocked = False
            self._blocked -= 1
        if isinstance(reply, frames.SyscallReply) and reply.error == _ERESTART:
            if not self._cancelling:
                self._request(call)
                return
            reply = reply._replace(error=Errno.EINTR)
        self._finish(call, reply)
        if self._held:
            self._put(self._held.popleft())

    def _finish(self, call: Call, reply: Reply) -> None:
        if call.lent:
            call.written = self._take_back(call.lent)
            self._proven = self._proven or call.written > 0
        call.reply = reply

    def _on_copyout(self, event: frames.CopyOut) -> None:
        try:
            self._memory.copyout(event.address, event.data)
        except ForeignMemory as error:
            self._foreign(error)

    def _on_copyin(self, event: frames.CopyIn | frames.CopyInStr) -> None:
        try:
            self._copyin(event.reqno, event.address, event.length, isinstance(event, frames.CopyInStr))
        except ForeignMemory as error:
            # All of the zeros or none: a server that gets fewer than it asked for reads past them.
            if event.length <= _ZEROS_LIMIT:
                self._outgoing += self._machine.copyin_reply(event.reqno, bytes(event.length))
                with contextlib.suppress(RumpError, TimeoutError):
                    self._flush(time.monotonic() + 1, Call(0, b"", [], "copyin", "", 0))
            self._foreign(error)

    def _copyin(self, reqno: int, address: int, length: int, string: bool) -> bool:
        """Answer a request for a buffer's bytes; whether so much waits to be sent now that this comes first."""
        read = self._memory.copyinstr if string else self._memory.copyin
        self._outgoing += self._machine.copyin_reply(reqno, read(address, length))
        return len(self._outgoing) > _OUTGOING_LIMIT

    def _foreign(self, error: ForeignMemory) -> None:
        self.close()
        raise ForeignMemory(f"{self.url}: {error}{self.doubt()}") from None

    def _on_anonmmap(self, event: frames.AnonMmap) -> None:
        address = self._memory.lend_anonymous(event.length)
        self._machine.max_body = self._memory.largest + _FRAME_SLACK
        self._outgoing += self._machine.anonmmap_reply(event.reqno, address)

    def _on_raise(self, event: frames.Raise) -> None:
        """Signals (SIGPIPE, SIGINFO) mean nothing to a client that is no process of the kernel's machine."""

    def _on_end(self, _event: frames.ConnectionClosed) -> None:
        self.close()
        raise ConnectionLost(f"{self.url}: the server went away")

    def _receive(self, deadline: float, call: Call) -> None:
        """Wait for bytes. A TimeoutError that is none of ours leaves the session as it is."""
        channel = self._usable_channel()
        try:
            data = channel.receive(deadline, eager=len(self._waiting) > 1)
        except TimeoutError:
            raise
        except OSError as error:
            self.close()
            raise ConnectionLost(f"{self.url}: {error.strerror or error}") from error
        self._machine.receive_data(data)
        try:
            self._machine.drain(self._memory.copyout, self._copyin, self._on_reply)
        except ForeignMemory:
            return  # what asked for it stays where it is, and is the next event

    def _receive_soon(self, deadline: float, call: Call) -> None:
        """:meth:`_receive` for a moment: when nothing comes, the calls that wait for others to end are sent."""
        patience = time.monotonic() + _PATIENCE
        try:
            self._receive(min(patience, deadline), call)
        except TimeoutError:
            if patience >= deadline:
                raise
            for waiting in self._waiting.values():
                waiting.blocked = True
            self._blocked = len(self._waiting)
            self._put_held()

    def _flush(self, deadline: float, call: Call) -> None:
        channel = self._usable_channel()
        try:
            data, self._outgoing = self._outgoing, bytearray()
            channel.send(data, deadline, self._machine.receive_data, self._machine.waiting)
        except TimeoutError:
            # A frame that was sent in part cannot be taken back.
            self.close()
            raise CallTimeout(f"{self.url}: the server took no more of {call} within the time limit") from None
        except OSError as error:
            self.close()
            raise ConnectionLost(f"{self.url}: the server went away ({error.strerror or error})") from error
        except BaseException:
            self.close()  # as in _step, and what is sent next would be taken for the rest of this frame
            raise

    def _usable_channel(self) -> Channel:
        if self._channel is None:
            raise SessionClosed(f"{self.url}: the session is closed")
        if self._forks != _forks:
            raise SessionClosed(f"{self.url}: the session belongs to the process that forked this one; make another")
        return self._channel


def open_session(
    url: str,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    connect_timeout: float = DEFAULT_CONNECT_TIMEOUT,
    abi: Abi | AbiHints | None = None,
    ticket: bytes | None = None,
    ssh_args: Sequence[str] = (),
) -> Session:
    """Connect to the server at ``url``, awaiting a place if it is full.

    ``connect_timeout`` seconds are for all of it: the connection, the banner, the handshake, and the
    tries with growing pauses while the server has all the clients that it takes. ``ticket`` is of
    another session's :meth:`Session.prefork`: the new one shares its open descriptors. ``ssh_args`` are
    more arguments for ssh, where the URL names it.

    :raises InvalidURL: ``url`` is no server's URL.
    :raises MissingLibrary: the package construct is not installed.
    :raises ConnectError: no session could be made; its subclasses say more.
    """
    require_construct()
    address = parse_url(url)
    deadline = time.monotonic() + connect_timeout
    backoff = _FIRST_BACKOFF
    while True:
        session: Session | None = None
        try:
            stream = open_stream(address, max(deadline - time.monotonic(), 0.001), ssh_args)
            session = Session(stream, url, timeout)
            session.ssh_args = ssh_args
            try:
                session.greet(deadline, abi, ticket)
                confirm(session, abi, deadline)
            except BaseException:
                session.close()
                raise
            return session
        except CallTimeout:
            reason = "" if session is None else session.doubt(silent=True)
            waited = f"no answer within {connect_timeout:.3g} s"
            raise ConnectTimeout(f"{url}: connected, and then {waited}", reason) from None
        except ServerFull:
            if time.monotonic() + backoff > deadline:
                raise
            time.sleep(backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)
