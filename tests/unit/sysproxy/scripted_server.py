# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that follow a test's script, in a thread: the other end of the session under test.

A script is a function that is given a :class:`Peer`, the accepted connection, and says and hears what it
wants. :func:`serving` is for façade tests: it answers each system call with the test's own function.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import frames
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Session, open_session
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import AMD64

PATIENCE: Final = 20.0  # seconds after which a script that waits in vain fails its test


class Gone(Exception):
    """The client hung up."""


class Peer:
    """A script's connection with the client."""

    def __init__(self, stream: socket.socket, abi: Abi) -> None:
        stream.settimeout(PATIENCE)
        self.stream = stream
        self.abi = abi
        self.machine = frames.Server(abi.banner, abi.wire)

    def send(self, *data: bytes) -> None:
        """Say something; a client that is gone already does not mind."""
        with contextlib.suppress(ConnectionError):
            self.stream.sendall(b"".join(data))

    def trickle(self, pieces: Iterable[bytes], pause: float) -> None:
        """Say ``pieces`` with a pause before each, for as long as the client hears them.

        :raises Gone: it hung up.
        """
        for piece in pieces:
            time.sleep(pause)
            try:
                self.stream.sendall(piece)
            except ConnectionError:
                raise Gone from None

    def receive(self) -> Any:
        """The client's next event.

        :raises Gone: it hung up.
        """
        while True:
            event = self.machine.next_event()
            if isinstance(event, frames.ConnectionClosed):
                raise Gone
            if event is not frames.NEED_DATA:
                return event
            try:
                self.machine.receive_data(self.stream.recv(65536))
            except ConnectionError:
                raise Gone from None

    def received_all(self) -> list[Any]:
        """All that the client still says until it hangs up."""
        events = []
        with contextlib.suppress(Gone):
            while True:
                events.append(self.receive())
        return events

    def welcome(self) -> frames.HandshakeRequest:
        """Greet the client and accept its handshake."""
        self.send(self.machine.banner_bytes())
        request = self.receive()
        assert isinstance(request, frames.HandshakeRequest)
        self.send(self.machine.handshake_reply(request.reqno))
        return request

    def syscall(self, name: str | None = None) -> tuple[int, dict[str, int]]:
        """The next system call, which must be of that name: its request number and arguments."""
        request = self.receive()
        assert isinstance(request, frames.SyscallRequest), request
        called = self.abi.syscall_name(request.number)
        assert called is not None
        assert name in (None, called)
        return request.reqno, self.abi.decode_arguments(called, request.args)

    def reply(self, reqno: int, error: int = 0, value0: int = 0, value1: int = 0) -> None:
        self.send(self.machine.syscall_reply(reqno, error, value0, value1))

    def copyin(self, address: int, length: int) -> bytes:
        reqno = self.machine.next_reqno()
        self.send(self.machine.copyin(reqno, address, length))
        return self._answer(reqno)

    def copyinstr(self, address: int, length: int = 1024) -> bytes:
        reqno = self.machine.next_reqno()
        self.send(self.machine.copyinstr(reqno, address, length))
        return self._answer(reqno)

    def copyout(self, address: int, data: bytes) -> None:
        self.send(self.machine.copyout(self.machine.next_reqno(), address, data))

    def _answer(self, reqno: int) -> bytes:
        reply = self.receive()
        assert isinstance(reply, frames.CopyInReply)
        assert reply.reqno == reqno
        return reply.data


Script = Callable[[Peer], object]


class _Thread(threading.Thread):
    """Runs a function and hands its exception to whoever joins it."""

    def __init__(self, function: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._function = function
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._function()
        except Gone:
            pass  # a client may hang up when it likes
        except BaseException as error:
            self._error = error

    def finish(self) -> None:
        self.join(PATIENCE)
        assert not self.is_alive(), "the server's script did not come to its end"
        if self._error is not None:
            raise self._error


@contextlib.contextmanager
def listening(directory: Path, *scripts: Script, abi: Abi = AMD64) -> Iterator[str]:
    """A server whose connections follow one script each, in this order; gives its URL."""
    path = directory / "csock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    listener.settimeout(PATIENCE)

    def serve() -> None:
        with listener:
            for script in scripts:
                stream, _address = listener.accept()
                with stream, contextlib.suppress(Gone):
                    script(Peer(stream, abi))

    thread = _Thread(serve)
    try:
        yield f"unix://{path}"
    finally:
        thread.finish()
        path.unlink()


@contextlib.contextmanager
def session_with(script: Script, directory: Path, *, abi: Abi = AMD64, timeout: float = 10.0) -> Iterator[Session]:
    """A session whose server follows ``script`` after the handshake."""

    def whole(peer: Peer) -> None:
        peer.welcome()
        script(peer)

    with listening(directory, whole, abi=abi) as url, open_session(url, timeout=timeout, connect_timeout=10) as session:
        yield session


@dataclass
class Called:
    """A system call as a façade test's server sees it."""

    peer: Peer
    name: str
    arguments: dict[str, int]

    def __getitem__(self, argument: str) -> int:
        return self.arguments[argument]

    def read(self, argument: str, length: int) -> bytes:
        """What the argument points to."""
        return self.peer.copyin(self.arguments[argument], length)

    def string(self, argument: str) -> str:
        return self.peer.copyinstr(self.arguments[argument]).rstrip(b"\0").decode()

    def write(self, argument: str, data: bytes) -> None:
        """Write to where the argument points."""
        self.peer.copyout(self.arguments[argument], data)


Result = int | tuple[int, int] | tuple[int, int, int] | None
"""A call's end: its errno, or with the registers' values; None stands for success."""
Answer = Callable[[Called], Result]


@dataclass
class Serving:
    """A kernel whose calls the test answers, and the calls that it made so far."""

    kernel: Kernel
    calls: list[tuple[str, dict[str, int]]] = field(default_factory=list)

    def names(self) -> list[str]:
        return [name for name, _arguments in self.calls]


@contextlib.contextmanager
def serving(
    directory: Path, answers: dict[str, Answer | Result], *, abi: Abi = AMD64, timeout: float = 10.0
) -> Iterator[Serving]:
    """A kernel that answers each call as ``answers`` has it, and one that is not in there with ENOSYS."""
    calls: list[tuple[str, dict[str, int]]] = []

    def script(peer: Peer) -> None:
        while True:
            request = peer.receive()
            assert isinstance(request, frames.SyscallRequest)
            name = abi.syscall_name(request.number)
            assert name is not None
            called = Called(peer, name, abi.decode_arguments(name, request.args))
            calls.append((name, called.arguments))
            answer = answers.get(name, 78)
            result = answer(called) if callable(answer) else answer
            error, *values = result if isinstance(result, tuple) else (result or 0,)
            peer.reply(request.reqno, error, *values)

    with session_with(script, directory, abi=abi, timeout=timeout) as session:
        yield Serving(Kernel(session), calls)
