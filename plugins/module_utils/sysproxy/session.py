# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session with a rump kernel: connect, greet, call, with a limit on every wait.

A session is one process of the kernel's, with its own descriptors, working directory and umask. It
is not shared between threads, nor with a child of a fork: whoever needs one makes one.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from typing import Final, Self

from . import frames
from .errors import (
    CallTimeout,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    ForeignMemory,
    ProtocolError,
    RumpError,
    ServerFull,
    SessionClosed,
    request_refused,
)
from .memory import AddressSpace, Buffer
from .netbsd import Abi, Errno
from .netbsd.kernel_error import kernel_error
from .transport import open_stream, parse_url

DEFAULT_TIMEOUT: Final = 30.0
DEFAULT_CONNECT_TIMEOUT: Final = 10.0
_PROGRAM: Final = "rumpkernel.rump"
_RECEIVE_SIZE: Final = 1 << 18
_FIRST_BACKOFF: Final = 0.05
_LONGEST_BACKOFF: Final = 1.0
_FRAME_SLACK: Final = 64  # what a frame carries beside a buffer's bytes
_ZEROS_LIMIT: Final = 1 << 16

Argument = int | Buffer | None


class Session:
    """One connection to a rump kernel's server, after its handshake. Made by :func:`open_session`."""

    def __init__(self, stream: socket.socket, url: str, timeout: float = DEFAULT_TIMEOUT) -> None:
        """``timeout``: seconds that a system call may take, unless the call says otherwise."""
        self.url = url
        self.timeout = timeout
        self.banner = ""
        self._stream: socket.socket | None = stream
        self._machine = frames.Client(max_body=_FRAME_SLACK)
        self._memory = AddressSpace()
        self._replies: dict[int, frames.SyscallReply | frames.HandshakeReply | frames.ErrorReply] = {}
        self._abandoned: set[int] = set()
        self._process = os.getpid()
        self._abi: Abi | None = None

    @property
    def abi(self) -> Abi:
        """The kernel's ABI, known once the banner came."""
        assert self._abi is not None
        return self._abi

    @property
    def closed(self) -> bool:
        return self._stream is None

    def greet(self, deadline: float, abi: Abi | None = None) -> None:
        """Await the banner and introduce ourselves. ``abi`` overrides what the banner says.

        :raises ServerFull: the server hung up without a banner.
        :raises ConnectError: it hung up later.
        :raises ProtocolError: it is no sysproxy server.
        :raises CallTimeout: it did not answer by ``deadline`` (of time.monotonic).
        """
        try:
            banner = self._await_banner(deadline)
            self._abi = abi or Abi.from_banner(banner)
            self._machine.wire = self._abi.wire
            reqno, request = self._machine.handshake(_PROGRAM)
            self._send(request, deadline)
            reply = self._await_reply(reqno, deadline)
        except ConnectionLost as error:
            raise ConnectError(f"{self.url}: the server hung up during the handshake") from error
        refusal: RumpError | None = None
        if isinstance(reply, frames.ErrorReply):
            refusal = request_refused(reply.code)
        elif reply.error:
            refusal = kernel_error(reply.error, "handshake")
        if refusal is not None:
            self.close()
            raise ConnectError(f"{self.url}: the server refused the handshake") from refusal

    def call(
        self, name: str, *arguments: Argument, subject: str = "", label: str = "", timeout: float | None = None
    ) -> tuple[int, int]:
        """Make a system call and wait for its end; the result is the kernel's two registers.

        ``name`` is the call's in NetBSD's table, such as ``__stat50``. An argument is a number, a
        buffer (whose address is passed; a ``bytearray`` may be written to) or None for a null
        pointer. For errors, ``subject`` is what the call is about, and ``label`` its name where that of
        the system call says little (an ioctl's).

        :raises KernelError: the kernel refused it; for many errnos it is Python's own class too.
        :raises CallTimeout: no end within the limit. The session is closed with it, which wakes the
            call in the kernel.
        :raises ConnectionLost: the server went away.
        :raises ProtocolError: the server broke the protocol; the session is closed.
        """
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        with contextlib.ExitStack() as lendings:
            numbers = [
                argument
                if isinstance(argument, int)
                else 0
                if argument is None
                else lendings.enter_context(self.lend(argument))
                for argument in arguments
            ]
            block = self.abi.encode_arguments(name, *numbers)
            number = self.abi.syscall_number(name)
            label = label or name.strip("_").rstrip("0123456789") or name
            about = f"{label} {subject}" if subject else label
            while True:
                reqno, request = self._machine.syscall(number, block)
                self._machine.max_body = self._memory.largest + _FRAME_SLACK
                self._send(request, deadline, about)
                reply = self._await_reply(reqno, deadline, about)
                if isinstance(reply, frames.ErrorReply):
                    raise request_refused(reply.code)
                assert isinstance(reply, frames.SyscallReply)
                if reply.error not in (Errno.ERESTART, Errno.EJUSTRETURN, 0):
                    raise kernel_error(reply.error, label, subject)
                if reply.error != Errno.ERESTART:
                    return reply.value0, reply.value1

    @contextlib.contextmanager
    def lend(self, buffer: Buffer) -> Iterator[int]:
        """An address for ``buffer`` for as long as the block runs, for pointers inside structures."""
        address = self._memory.lend(buffer)
        try:
            yield address
        finally:
            self._memory.take_back(address)

    def close(self) -> None:
        """Hang up. The kernel closes the process's descriptors and wakes its blocked calls."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _await_banner(self, deadline: float) -> str:
        while True:
            event = self._next_event(deadline)
            if isinstance(event, frames.Banner):
                self.banner = event.text
                return event.text
            raise ServerFull(f"{self.url}: the server hung up without a word: it has all the clients that it takes")

    def _await_reply(
        self, reqno: int, deadline: float, about: str = "the handshake"
    ) -> frames.SyscallReply | frames.HandshakeReply | frames.ErrorReply:
        while reqno not in self._replies:
            self._handle(self._next_event(deadline, about), deadline, about)
        return self._replies.pop(reqno)

    def _handle(self, event: frames.Event, deadline: float, about: str) -> None:
        match event:
            case frames.SyscallReply() | frames.HandshakeReply() | frames.ErrorReply():
                self._replies[event.reqno] = event
            case frames.CopyOut():
                self._served(lambda: self._memory.copyout(event.address, event.data))
            case frames.CopyIn():
                data = self._served(lambda: self._memory.copyin(event.address, event.length), event)
                self._send(self._machine.copyin_reply(event.reqno, data), deadline, about)
            case frames.CopyInStr():
                data = self._served(lambda: self._memory.copyinstr(event.address, event.length), event)
                self._send(self._machine.copyin_reply(event.reqno, data), deadline, about)
            case frames.AnonMmap():
                # No call that is made here takes memory that the kernel chooses.
                self._send(self._machine.anonmmap_reply(event.reqno, 0), deadline, about)
            case frames.Raise():
                pass  # signals (SIGPIPE, SIGINFO) mean nothing to a client that is no process
            case frames.ConnectionClosed():
                self.close()
                raise ConnectionLost(f"{self.url}: the server went away")
            case _:
                self.close()
                raise ProtocolError(f"{self.url}: the server sent a {type(event).__name__} that was not asked for")

    def _served(self, serve, request: frames.CopyIn | frames.CopyInStr | None = None):  # type: ignore[no-untyped-def]
        """Let the server at the lent memory; one that wants more gets zeros and the session's end."""
        try:
            return serve()
        except ForeignMemory as error:
            # All of the zeros or none: a server that gets fewer than it asked for reads past them.
            if request is not None and request.length <= _ZEROS_LIMIT:
                with contextlib.suppress(RumpError):
                    zeros = bytes(request.length)
                    self._send(self._machine.copyin_reply(request.reqno, zeros), time.monotonic() + 1)
            self.close()
            raise ForeignMemory(f"{self.url}: {error}") from None

    def _next_event(self, deadline: float, about: str = "the handshake") -> frames.Event:
        while True:
            try:
                event = self._machine.next_event()
            except ProtocolError as error:
                self.close()
                raise type(error)(f"{self.url}: {error}") from None
            if event is not frames.NEED_DATA:
                return event
            stream = self._usable_stream()
            remaining = self._remaining(deadline, about)
            try:
                stream.settimeout(remaining)
                data = stream.recv(_RECEIVE_SIZE)
            except TimeoutError:
                self._remaining(deadline, about)
                continue
            except OSError as error:
                self.close()
                raise ConnectionLost(f"{self.url}: {error.strerror or error}") from error
            self._machine.receive_data(data)

    def _send(self, data: bytes, deadline: float, about: str = "the handshake") -> None:
        stream = self._usable_stream()
        remaining = self._remaining(deadline, about)
        try:
            stream.settimeout(remaining)
            stream.sendall(data)
        except TimeoutError:
            self.close()
            raise CallTimeout(f"{self.url}: the server took no more of {about} within the time limit") from None
        except OSError as error:
            self.close()
            raise ConnectionLost(f"{self.url}: the server went away ({error.strerror or error})") from error

    def _usable_stream(self) -> socket.socket:
        if self._stream is None:
            raise SessionClosed(f"{self.url}: the session is closed")
        if os.getpid() != self._process:
            raise SessionClosed(f"{self.url}: the session belongs to the process that forked this one; make another")
        return self._stream

    def _remaining(self, deadline: float, about: str) -> float:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            self.close()
            raise CallTimeout(f"{self.url}: no end of {about} within the time limit")
        return remaining


def open_session(
    url: str,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    connect_timeout: float = DEFAULT_CONNECT_TIMEOUT,
    abi: Abi | None = None,
) -> Session:
    """Connect to the server at ``url``, awaiting a place if it is full.

    ``connect_timeout`` seconds are for all of it: the connection, the banner, the handshake, and the
    tries with growing pauses while the server has all the clients that it takes.

    :raises InvalidURL: ``url`` is no server's URL.
    :raises ConnectError: no session could be made; its subclasses say more.
    """
    address = parse_url(url)
    deadline = time.monotonic() + connect_timeout
    backoff = _FIRST_BACKOFF
    while True:
        try:
            session = Session(open_stream(address, max(deadline - time.monotonic(), 0.001)), url, timeout)
            try:
                session.greet(deadline, abi)
            except BaseException:
                session.close()
                raise
            return session
        except CallTimeout:
            raise ConnectTimeout(f"{url}: connected, and then no answer within {connect_timeout:g} s") from None
        except ServerFull:
            if time.monotonic() + backoff > deadline:
                raise
            time.sleep(backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)
