# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions with a server that does its part, and with servers that do anything but."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect, errors, frames
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import (
    CallTimeout,
    ConnectError,
    ConnectionLost,
    ConnectTimeout,
    ForeignMemory,
    ProtocolError,
    RequestRefused,
    RumpError,
    ServerFull,
    SessionClosed,
    UnknownMachine,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Request, Session, open_session
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    ALL_ABIS,
    AMD64,
    I386,
    ILP32_BIG,
    LP64_BIG,
    abi_name,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import (
    Peer,
    Script,
    listening,
    session_with,
)

every_abi = pytest.mark.parametrize("abi", [AMD64, I386, LP64_BIG, ILP32_BIG], ids=abi_name)
ERESTART: Final = -3
EJUSTRETURN: Final = -2


def answer(error: int = 0, value0: int = 0, value1: int = 0) -> Script:
    """A script that answers one call with nothing more."""

    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall()
        peer.reply(reqno, error, value0, value1)

    return script


# Calls that go well


@every_abi
def test_a_call(abi: Abi, tmp_path: Path) -> None:
    with session_with(answer(0, 42, -7), tmp_path, abi=abi) as session:
        assert session.abi == abi
        assert session.banner == abi.banner
        assert session.call("getpid") == (42, -7)


def test_the_handshake_names_the_program(tmp_path: Path) -> None:
    seen: list[frames.HandshakeRequest] = []
    with listening(tmp_path, lambda peer: seen.append(peer.welcome())) as url:
        open_session(url, connect_timeout=5).close()
    assert (seen[0].kind, seen[0].body.rstrip(b"\0")) == (0, b"rumpkernel.rump")


@every_abi
def test_arguments_arrive(abi: Abi, tmp_path: Path) -> None:
    seen: dict[str, int] = {}

    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("pread")
        seen.update(arguments)
        peer.reply(reqno)

    with session_with(script, tmp_path, abi=abi) as session:
        session.call("pread", 3, None, 100, 1 << 33)
    assert seen == {"fd": 3, "buf": 0, "nbyte": 100, "offset": 1 << 33}


@every_abi
def test_the_kernel_reads_the_calls_buffers(abi: Abi, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("write")
        assert 0 < arguments["buf"] < 1 << 32
        assert peer.copyin(arguments["buf"], 4) == b"cont"
        assert peer.copyin(arguments["buf"] + 4, 3) == b"ent"
        assert peer.copyin(arguments["buf"], 0) == b""
        peer.reply(reqno, 0, arguments["nbyte"])

    with session_with(script, tmp_path, abi=abi) as session:
        assert session.call("write", 1, b"content", 7) == (7, 0)


@every_abi
def test_the_kernel_reads_strings(abi: Abi, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("rename")
        assert peer.copyinstr(arguments["to"]) == b"/new name\0"
        assert peer.copyinstr(arguments["from"], 4) == b"/old"
        peer.reply(reqno)

    with session_with(script, tmp_path, abi=abi) as session:
        session.call("rename", b"/old\0", b"/new name\0")


@every_abi
def test_the_kernel_fills_the_calls_buffers(abi: Abi, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("read")
        peer.copyout(arguments["buf"] + 3, b"def")
        peer.copyout(arguments["buf"], b"abc")
        peer.reply(reqno, 0, 6)

    buffer = bytearray(8)
    with session_with(script, tmp_path, abi=abi) as session:
        assert session.call("read", 0, buffer, 8)[0] == 6
    assert buffer == b"abcdef\0\0"


def test_large_buffers(tmp_path: Path) -> None:
    content = os.urandom(3 << 20)

    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("write")
        copied = b"".join(peer.copyin(arguments["buf"] + at, 1 << 16) for at in range(0, 3 << 20, 1 << 16))
        peer.reply(reqno, 0, len(copied))
        reqno, arguments = peer.syscall("read")
        peer.copyout(arguments["buf"], copied)
        peer.reply(reqno, 0, len(copied))

    buffer = bytearray(3 << 20)
    with session_with(script, tmp_path) as session:
        session.call("write", 3, content, len(content))
        session.call("read", 3, buffer, len(buffer))
    assert buffer == content


def test_pointers_within_structures(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("__mount50")
        device = peer.abi.read_integer("pointer", peer.copyin(arguments["data"], 8))
        assert peer.copyinstr(device) == b"/dev/vnd0a\0"
        peer.reply(reqno)
        peer.syscall("getpid")
        peer.copyinstr(device)

    with session_with(script, tmp_path) as session:
        with session.lend(b"/dev/vnd0a\0") as address:
            session.call("__mount50", b"ffs\0", b"/mnt\0", 0, session.abi.integer("pointer", address), 8)
        with pytest.raises(ForeignMemory):  # it was lent for as long as the block ran
            session.call("getpid")


def test_many_calls_over_one_session(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        for index in range(500):
            reqno, arguments = peer.syscall("read")
            peer.copyout(arguments["buf"], b"%03d" % index)
            peer.reply(reqno, 0, 3)

    with session_with(script, tmp_path) as session:
        for index in range(500):
            buffer = bytearray(4)
            session.call("read", 0, buffer, 4)
            assert buffer == b"%03d\0" % index


def test_an_answer_in_tiny_pieces(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("read")
        data = peer.machine.copyout(0, arguments["buf"], b"slow") + peer.machine.syscall_reply(reqno, 0, 4)
        for byte in data:
            peer.send(bytes([byte]))

    buffer = bytearray(4)
    with session_with(script, tmp_path) as session:
        assert session.call("read", 0, buffer, 4) == (4, 0)
    assert buffer == b"slow"


# Refused calls


@every_abi
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Errno.ENOENT, FileNotFoundError),
        (Errno.EPERM, PermissionError),
        (Errno.EAGAIN, BlockingIOError),
        (Errno.EEXIST, FileExistsError),
        (Errno.ENOSYS, KernelError),
        (Errno.EPROTO, KernelError),
        (200, KernelError),
        (-4, KernelError),
    ],
)
def test_refused_calls(abi: Abi, error: int, kind: type[OSError], tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        answer(error)(peer)
        answer(0, 1)(peer)

    with session_with(script, tmp_path, abi=abi) as session:
        with pytest.raises(kind) as caught:
            session.call("open", b"/x\0", 0, 0, subject="/x")
        assert isinstance(caught.value, KernelError)
        assert caught.value.number == error
        assert caught.value.subject == "/x"
        # The session goes on.
        assert session.call("getpid") == (1, 0)


@pytest.mark.parametrize(
    ("name", "label", "subject", "text"),
    [
        ("open", "", "/x", "open /x: ENOENT (No such file or directory)"),
        ("__stat50", "", "/x", "stat /x: ENOENT (No such file or directory)"),
        ("__getdents30", "", "", "getdents: ENOENT (No such file or directory)"),
        ("pipe2", "", "", "pipe: ENOENT (No such file or directory)"),
        ("ioctl", "SIOCSIFMTU", "shmif0", "SIOCSIFMTU shmif0: ENOENT (No such file or directory)"),
    ],
)
def test_what_errors_say(name: str, label: str, subject: str, text: str, tmp_path: Path) -> None:
    arguments = {"open": (b"\0", 0, 0), "__stat50": (b"\0", None), "pipe2": (None, 0)}.get(name, (0, 0, 0))
    with session_with(answer(Errno.ENOENT), tmp_path) as session, pytest.raises(KernelError) as caught:
        session.call(name, *arguments, label=label, subject=subject)
    assert str(caught.value) == text


def test_a_call_that_is_to_be_made_again(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        for end in (ERESTART, ERESTART, 0):
            reqno, arguments = peer.syscall("read")
            peer.copyout(arguments["buf"], b"again" if end else b"at last")
            peer.reply(reqno, end, 7)

    buffer = bytearray(8)
    with session_with(script, tmp_path) as session:
        assert session.call("read", 0, buffer, 8) == (7, 0)
    assert buffer == b"at last\0"


def test_a_call_that_is_to_be_made_again_for_ever(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        while isinstance(request := peer.receive(), frames.SyscallRequest):
            peer.reply(request.reqno, ERESTART)

    with session_with(script, tmp_path, timeout=0.3) as session:
        with pytest.raises(CallTimeout):
            session.call("getpid")
        assert session.closed  # it does not end when it is cancelled either


def test_a_call_that_just_returns(tmp_path: Path) -> None:
    with session_with(answer(EJUSTRETURN, 3, 4), tmp_path) as session:
        assert session.call("getpid") == (3, 4)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, errors.RequestTryAgain),
        (2, errors.AuthenticationRefused),
        (3, errors.InvalidPrefork),
        (4, errors.ForkFailed),
        (5, errors.InExec),
        (6, errors.ServerOutOfMemory),
        (7, errors.MalformedRequest),
        (0, RequestRefused),
        (99, RequestRefused),
    ],
)
def test_protocol_errors(code: int, kind: type[RequestRefused], tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall()
        peer.send(peer.machine.error_reply(reqno, frames.FrameType.SYSCALL, code))

    with session_with(script, tmp_path) as session, pytest.raises(RequestRefused) as caught:
        session.call("getpid")
    assert caught.value.__class__ is kind
    assert caught.value.code == code
    assert f"protocol error {code}" in str(caught.value)
    assert isinstance(caught.value, ProtocolError)


# What servers ask beside


def test_signals_are_ignored(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall("write")
        peer.send(peer.machine.raise_signal(0, 13), peer.machine.raise_signal(1, 29))
        peer.reply(reqno, Errno.EPIPE)
        assert peer.received_all() == []

    with session_with(script, tmp_path) as session, pytest.raises(BrokenPipeError):
        session.call("write", 1, b"x", 1)


def test_a_flood_of_signals_does_not_hold_a_call_up(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.syscall("getpid")
        peer.trickle([peer.machine.raise_signal(0, 29) * 1000] * 100000, pause=0)

    with session_with(script, tmp_path, timeout=0.3) as session, pytest.raises(CallTimeout):
        session.call("getpid")


@every_abi
def test_memory_that_the_kernel_asks_for(abi: Abi, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall()
        peer.send(peer.machine.anonmmap(3, 8192))
        asked = peer.receive()
        assert (type(asked), asked.reqno) == (frames.AnonMmapReply, 3)
        peer.send(peer.machine.copyout(4, asked.address, b"<plist/>"))
        peer.reply(reqno, 0, 0, asked.address & 0x7FFFFFFF)
        answer()(peer)

    with session_with(script, tmp_path, abi=abi) as session:
        _pid, address = session.call("getpid")
        assert session.anonymous(address, 10) == b"<plist/>\0\0"
        with pytest.raises(ForeignMemory):
            session.anonymous(address, 8193)
        session.call("getpid")
        with pytest.raises(ForeignMemory):  # gone with the next call
            session.anonymous(address, 1)


def test_memory_that_the_kernel_asks_for_is_bounded(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall()
        for length, granted in ((1 << 19, True), ((1 << 19) + 1, False), (0, False), (1 << 63, False), (1 << 19, True)):
            peer.send(peer.machine.anonmmap(3, length))
            assert bool(peer.receive().address) == granted
        peer.reply(reqno, Errno.ENOMEM)

    with session_with(script, tmp_path) as session, pytest.raises(KernelError, match="ENOMEM"):
        session.call("getpid")


# Servers that ask for what is not theirs


@pytest.mark.parametrize("how", ["copyin", "copyinstr"])
@pytest.mark.parametrize(
    ("offset", "length"), [(0, 17), (1, 16), (16, 1), (-1, 1), (0, 1 << 16), (0x100000, 4), (-0x10000, 4096)]
)
def test_foreign_memory_is_never_sent(how: str, offset: int, length: int, tmp_path: Path) -> None:
    secret = b"secret of 16 b.."
    said: list[Any] = []

    def script(peer: Peer) -> None:
        _reqno, arguments = peer.syscall("write")
        ask = getattr(peer.machine, how)
        peer.send(ask(0, arguments["buf"] + offset, length))
        said.extend(peer.received_all())

    with session_with(script, tmp_path) as session:
        with pytest.raises(ForeignMemory, match=f"asked to read {length} bytes") as caught:
            session.call("write", 3, secret, len(secret))
        assert session.closed
        assert "unix://" in str(caught.value)
        with pytest.raises(SessionClosed):
            session.call("getpid")
    # Zeros, as many as were asked for: a server that gets fewer reads past its own buffer.
    assert said == [frames.CopyInReply(0, bytes(length))]


@pytest.mark.parametrize("length", [(1 << 16) + 1, 1 << 32, (1 << 64) - 1])
@pytest.mark.parametrize("how", ["copyin", "copyinstr"])
def test_a_request_for_very_much_foreign_memory_gets_no_answer(how: str, length: int, tmp_path: Path) -> None:
    said: list[Any] = []

    def script(peer: Peer) -> None:
        _reqno, arguments = peer.syscall("write")
        peer.send(getattr(peer.machine, how)(0, arguments["buf"], length))
        said.extend(peer.received_all())

    with session_with(script, tmp_path) as session, pytest.raises(ForeignMemory):
        session.call("write", 3, b"x", 1)
    assert said == []


@pytest.mark.parametrize("address", [0, 8, 0x7FFFFFFF, (1 << 64) - 1])
def test_a_stray_address(address: int, tmp_path: Path) -> None:
    with (
        session_with(lambda peer: (peer.syscall(), peer.copyin(address, 16)), tmp_path) as session,
        pytest.raises(ForeignMemory, match="memory that it has no business with"),
    ):
        session.call("write", 3, b"x", 1)


@pytest.mark.parametrize(("offset", "size"), [(0, 9), (1, 8), (8, 1), (-1, 1), (0x100000, 4)])
def test_foreign_memory_is_never_written(offset: int, size: int, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("read")
        peer.copyout(arguments["buf"] + offset, b"x" * size)
        peer.reply(reqno)
        assert peer.received_all() == []

    buffer = bytearray(8)
    with session_with(script, tmp_path) as session:
        with pytest.raises(ForeignMemory, match=f"asked to write {size} bytes"):
            session.call("read", 3, buffer, 8)
        assert session.closed
    assert buffer == bytes(8)


def test_what_is_only_lent_to_be_read_is_never_written(tmp_path: Path) -> None:
    content = b"content"

    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("write")
        peer.copyout(arguments["buf"], b"changed")
        peer.reply(reqno)

    with session_with(script, tmp_path) as session, pytest.raises(ForeignMemory):
        session.call("write", 3, content, 7)
    assert content == b"content"


def test_a_former_calls_buffers_are_foreign(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("read")
        peer.reply(reqno)
        address = arguments["buf"]
        peer.syscall("getpid")
        peer.copyout(address, b"late")

    buffer = bytearray(4)
    with session_with(script, tmp_path) as session:
        session.call("read", 0, buffer, 4)
        with pytest.raises(ForeignMemory):
            session.call("getpid")
    assert buffer == bytes(4)


# Servers that talk nonsense


def nonsense(peer: Peer, reqno: int) -> dict[str, bytes]:
    machine = peer.machine
    return {
        "noise": b"\xff" * 64,
        "text": b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "zeros": bytes(64),
        "an answer to nothing": machine.syscall_reply(reqno + 1, 0),
        "an answer of another type": machine.handshake_reply(reqno),
        "a huge frame": machine.copyout(0, 0x10000, bytes(1 << 17))[:24],
        "a frame larger than the buffers": machine.copyout(0, 0x10000, bytes(8 + 65)),
        "a client's request": frames.Client._frame(peer.machine, 0, 1, 0, 20),  # type: ignore[arg-type]
        "an unknown type": frames.Client._frame(peer.machine, 0, 9, 0, 0),  # type: ignore[arg-type]
        "an unknown class": frames.Client._frame(peer.machine, 3, 1, reqno, 0),  # type: ignore[arg-type]
    }


NONSENSE: Final = [
    "noise",
    "text",
    "zeros",
    "an answer to nothing",
    "an answer of another type",
    "a huge frame",
    "a frame larger than the buffers",
    "a client's request",
    "an unknown type",
    "an unknown class",
]


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense(what: str, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall("read")
        peer.send(nonsense(peer, reqno)[what])
        assert peer.received_all() == []

    with session_with(script, tmp_path) as session:
        with pytest.raises(ProtocolError) as caught:
            session.call("read", 0, bytearray(8), 8)
        assert not isinstance(caught.value, ForeignMemory)
        assert str(caught.value).startswith("unix://")
        assert session.closed
        with pytest.raises(SessionClosed):
            session.call("getpid")


# Servers that go away


def test_a_server_that_dies_during_a_call(tmp_path: Path) -> None:
    with session_with(lambda peer: peer.syscall(), tmp_path) as session:
        with pytest.raises(ConnectionLost, match="went away") as caught:
            session.call("getpid")
        assert session.closed
    assert isinstance(caught.value, ConnectionError)


def test_a_server_that_died_before_the_call(tmp_path: Path) -> None:
    with listening(tmp_path, lambda peer: peer.welcome()) as url, open_session(url, connect_timeout=5) as session:
        time.sleep(0.05)
        with pytest.raises(ConnectionLost):
            session.call("getpid")
        assert session.closed


def test_a_server_that_resets_the_connection() -> None:
    def serve() -> None:
        stream, _address = listener.accept()
        peer = Peer(stream, AMD64)
        peer.welcome()
        peer.syscall()
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        stream.close()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        with open_session(f"tcp://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=5) as session:
            with pytest.raises(ConnectionLost, match="reset"):
                session.call("getpid")
            assert session.closed
        thread.join()


@pytest.mark.parametrize("kept", [1, 20, 24, 40])
def test_a_server_that_dies_within_a_frame(kept: int, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall()
        peer.send(peer.machine.syscall_reply(reqno, 0)[:kept])

    with session_with(script, tmp_path) as session:
        with pytest.raises(ConnectionLost):
            session.call("getpid")
        assert session.closed


def test_a_server_that_dies_while_it_copies(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        _reqno, arguments = peer.syscall("write")
        peer.send(peer.machine.copyin(0, arguments["buf"], 1 << 20))
        peer.stream.recv(10)

    with session_with(script, tmp_path) as session, pytest.raises(ConnectionLost):
        session.call("write", 3, bytes(1 << 20), 1 << 20)


# Servers that are slow


def test_a_server_that_stalls(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.syscall()
        cancelled, *more = peer.received_all()
        assert (cancelled.kind, more) == (frames.HandshakeKind.EXEC, [])  # the client cancels, and then hangs up

    with session_with(script, tmp_path, timeout=0.3) as session:
        started = time.monotonic()
        with pytest.raises(CallTimeout, match="no end of getpid within the time limit") as caught:
            session.call("getpid")
        assert 0.25 < time.monotonic() - started < 5
        assert session.closed
        with pytest.raises(SessionClosed):
            session.call("getpid")
    assert isinstance(caught.value, TimeoutError)


def test_a_calls_own_limit(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        answer()(peer)
        peer.syscall()
        peer.received_all()

    with session_with(script, tmp_path, timeout=20) as session:
        session.call("sync")
        started = time.monotonic()
        with pytest.raises(CallTimeout, match="sync /data"):
            session.call("sync", subject="/data", timeout=0.2)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("what", ["bytes", "frames"])
def test_trickling_does_not_extend_the_limit(what: str, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("read")
        if what == "bytes":
            pieces = [bytes([byte]) for byte in peer.machine.syscall_reply(reqno, 0)]
        else:
            pieces = [peer.machine.copyout(0, arguments["buf"], b"x")] * 40
        peer.trickle(pieces, pause=0.15)

    with session_with(script, tmp_path, timeout=0.4) as session:
        started = time.monotonic()
        with pytest.raises(CallTimeout):
            session.call("read", 0, bytearray(8), 8)
        # All of the pieces would have taken 6 s and more.
        assert time.monotonic() - started < 4


def test_a_server_that_does_not_read(tmp_path: Path) -> None:
    done = threading.Event()

    def script(peer: Peer) -> None:
        _reqno, arguments = peer.syscall("write")
        peer.send(peer.machine.copyin(0, arguments["buf"], 32 << 20))
        done.wait(10)

    with session_with(script, tmp_path, timeout=0.4) as session:
        started = time.monotonic()
        try:
            with pytest.raises(CallTimeout, match="took no more of write"):
                session.call("write", 3, bytes(32 << 20), 32 << 20)
        finally:
            done.set()
        assert time.monotonic() - started < 5
        assert session.closed


def test_a_server_that_reads_drop_by_drop(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        _reqno, arguments = peer.syscall("write")
        peer.send(peer.machine.copyin(0, arguments["buf"], 32 << 20))
        while peer.stream.recv(4096):
            time.sleep(0.02)

    with session_with(script, tmp_path, timeout=0.4) as session:
        started = time.monotonic()
        with pytest.raises(CallTimeout):
            session.call("write", 3, bytes(32 << 20), 32 << 20)
        assert time.monotonic() - started < 5


# Signals whose handlers raise, as that of Ctrl-C and that of a task's limit do


class Struck(BaseException):
    """What the signal's handler raises."""


@contextlib.contextmanager
def striking(seconds: float) -> Iterator[None]:
    def strike(_number: int, _frame: object) -> None:
        raise Struck

    former = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def test_a_signal_while_an_answer_is_awaited(tmp_path: Path) -> None:
    """None of the calls that clean up waits for the server again, or takes the place of the handler's exception."""

    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall("open")
        peer.reply(reqno, value0=3)
        peer.received_all()

    with session_with(script, tmp_path, timeout=20) as session:
        started = time.monotonic()
        with striking(0.3), pytest.raises(Struck):
            Kernel(session).write_file("/file", bytes(4 << 20))
        assert time.monotonic() - started < 5
        assert session.closed


def test_a_signal_while_a_buffer_is_sent(tmp_path: Path) -> None:
    """Nothing of a next call is sent, which the server would take for the rest of the buffer."""
    size = 8 << 20
    struck = threading.Event()
    came = bytearray()

    def script(peer: Peer) -> None:
        _reqno, arguments = peer.syscall("write")
        peer.send(peer.machine.copyin(0, arguments["buf"], size))
        struck.wait(10)
        while piece := peer.stream.recv(1 << 16):
            came.extend(piece)

    with session_with(script, tmp_path, timeout=20) as session:
        with striking(0.3), pytest.raises(Struck):
            session.call("write", 3, b"x" * size, size)
        struck.set()
        with pytest.raises(SessionClosed):
            session.call("getpid")
    assert 0 < len(came) < size
    assert came.endswith(b"x")


# Connecting


def hang_up(_peer: Peer) -> None:
    """A server that has all the clients that it takes."""


def test_a_server_that_is_full_for_a_while(tmp_path: Path) -> None:
    with listening(tmp_path, hang_up, hang_up, hang_up, lambda peer: (peer.welcome(), answer(0, 5)(peer))) as url:
        started = time.monotonic()
        with connect(url, connect_timeout=10) as kernel:
            # 0.05, 0.1 and 0.2 s of pauses
            assert time.monotonic() - started > 0.3
            assert kernel.getpid() == 5


def test_a_server_that_stays_full(tmp_path: Path) -> None:
    path = tmp_path / "full"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    clients = 0

    def serve() -> None:
        nonlocal clients
        while True:
            try:
                stream, _address = listener.accept()
            except OSError:
                return
            clients += 1
            stream.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        started = time.monotonic()
        with pytest.raises(ServerFull, match="all the clients that it takes") as caught:
            connect(f"unix://{path}", connect_timeout=0.5)
        assert time.monotonic() - started < 5
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
    assert 2 <= clients <= 10  # it backs off
    assert isinstance(caught.value, ConnectError)


@pytest.mark.parametrize("said", [b"", b"RUMPSP", AMD64.banner.encode() + b"\n"])
def test_a_server_that_stalls_during_the_handshake(said: bytes, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(said)
        while peer.stream.recv(100):
            pass

    with listening(tmp_path, script) as url:
        started = time.monotonic()
        with pytest.raises(ConnectTimeout, match=r"no answer within 0\.3 s"):
            connect(url, connect_timeout=0.3)
        assert 0.25 < time.monotonic() - started < 5


def test_a_banner_that_trickles(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.trickle([bytes([byte]) for byte in peer.machine.banner_bytes()], pause=0.05)

    with listening(tmp_path, script) as url:
        started = time.monotonic()
        with pytest.raises(ConnectTimeout):
            connect(url, connect_timeout=0.3)
        assert time.monotonic() - started < 1.2  # the whole banner takes 1.6 s


def test_a_server_that_hangs_up_after_its_banner(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(peer.machine.banner_bytes())
        peer.receive()

    with listening(tmp_path, script) as url, pytest.raises(ConnectError, match="hung up during the handshake"):
        connect(url, connect_timeout=5)


def test_a_server_that_hangs_up_within_its_banner(tmp_path: Path) -> None:
    with listening(tmp_path, lambda peer: peer.send(b"RUMPSP-0.4")) as url, pytest.raises(ConnectError):
        connect(url, connect_timeout=5)


def test_a_refused_handshake(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(peer.machine.banner_bytes())
        peer.send(peer.machine.handshake_reply(peer.receive().reqno, Errno.EPERM))
        assert peer.received_all() == []

    with listening(tmp_path, script) as url, pytest.raises(ConnectError, match="refused the handshake") as caught:
        connect(url, connect_timeout=5)
    assert isinstance(caught.value.__cause__, PermissionError)


@pytest.mark.parametrize(
    ("code", "kind"), [(1, errors.RequestTryAgain), (2, errors.AuthenticationRefused), (7, errors.MalformedRequest)]
)
def test_a_handshake_refused_by_the_protocol(code: int, kind: type[RumpError], tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(peer.machine.banner_bytes())
        peer.send(peer.machine.error_reply(peer.receive().reqno, frames.FrameType.HANDSHAKE, code))
        assert peer.received_all() == []

    with listening(tmp_path, script) as url, pytest.raises(ConnectError, match="refused the handshake") as caught:
        connect(url, connect_timeout=5)
    assert caught.value.__cause__.__class__ is kind


@pytest.mark.parametrize(
    "greeting",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail.example ESMTP\r\n",
        b"\n",
        b"x" * 200,
        b"\xff\xfe\n",
        b"RUMPSP-1.0-NetBSD-7.99.34/amd64\n",
        b"\0" * 96,
    ],
)
def test_servers_of_other_protocols(greeting: bytes, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(greeting)
        peer.received_all()

    with listening(tmp_path, script) as url:
        with pytest.raises(ConnectError) as caught:
            connect(url, connect_timeout=5)
        assert isinstance(caught.value, ProtocolError)
        assert str(caught.value).startswith(f"{url}: ")
        assert str(caught.value).endswith("; check the port or path in its URL")


def test_a_machine_that_is_not_known(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(b"RUMPSP-0.4-NetBSD-7.99.34/pdp11\n")
        peer.received_all()

    with listening(tmp_path, script) as url:
        with pytest.raises(UnknownMachine, match="NetBSD/pdp11") as caught:
            connect(url, connect_timeout=5)
        assert isinstance(caught.value, ConnectError)
        assert str(caught.value).startswith(f"{url}: ")


def test_what_refused_requests_say(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(peer.machine.error_reply(peer.syscall()[0], frames.FrameType.SYSCALL, 1))
        peer.send(peer.machine.error_reply(peer.receive().reqno, frames.FrameType.PREFORK, 4))
        peer.send(peer.machine.error_reply(peer.receive().reqno, frames.FrameType.HANDSHAKE, 5))
        answer(0, 7)(peer)

    with session_with(script, tmp_path) as session:
        with pytest.raises(RequestRefused, match=f"^{session.url}: open /x: the server refused the request: try again"):
            session.call("open", b"/x\0", 0, 0, subject="/x")
        with pytest.raises(RequestRefused, match=f"^{session.url}: prefork: the server refused"):
            session.prefork()
        with pytest.raises(RequestRefused, match=f"^{session.url}: exec: the server refused"):
            session.exec()
        assert session.call("getpid") == (7, 0)


def test_an_exec_that_the_kernel_refuses(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(peer.machine.handshake_reply(peer.receive().reqno, Errno.ENOMEM))

    with session_with(script, tmp_path) as session, pytest.raises(KernelError, match="exec: ENOMEM"):
        session.exec()


def test_an_assumption_that_has_proved_right_is_not_doubted(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, arguments = peer.syscall("read")
        peer.copyout(arguments["buf"], b"x")
        peer.reply(reqno, 0, 1)
        peer.syscall("read")
        peer.send(b"\xff" * 100)

    with session_with(script, tmp_path) as session:
        assert "a 64-bit little-endian kernel was assumed, from its banner" in session.doubt()
        session.call("read", 3, bytearray(1), 1)
        with pytest.raises(ProtocolError) as caught:
            session.call("read", 3, bytearray(1), 1)
    assert "assumed" not in str(caught.value)


def test_the_user_knows_the_machine_better(tmp_path: Path) -> None:
    big = Abi(4, 8, "big", machine="evbmips")

    def script(peer: Peer) -> None:
        peer.machine.banner = "RUMPSP-0.4-NetBSD-7.99.34/pdp11"
        peer.welcome()
        answer(0, 7)(peer)

    with listening(tmp_path, script, abi=big) as url, connect(url, connect_timeout=5, abi=big) as kernel:
        assert kernel.abi == big
        assert kernel.getpid() == 7


def test_nonsense_during_the_handshake(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(peer.machine.banner_bytes(), b"\xff" * 100)
        peer.received_all()

    with listening(tmp_path, script) as url, pytest.raises(ProtocolError):
        connect(url, connect_timeout=5)


def test_no_large_frame_before_a_call(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(peer.machine.banner_bytes(), peer.machine.copyout(0, 0x10000, bytes(1000)))
        peer.received_all()

    with listening(tmp_path, script) as url, pytest.raises(ProtocolError, match="announced a frame of"):
        connect(url, connect_timeout=5)


# After the end


def test_a_closed_session(tmp_path: Path) -> None:
    with session_with(lambda peer: peer.received_all(), tmp_path) as session:
        assert not session.closed
        session.close()
        assert session.closed
        with pytest.raises(SessionClosed, match="the session is closed"):
            session.call("getpid")
        session.close()
    assert issubclass(SessionClosed, ConnectionError)


def test_a_block_closes_its_session(tmp_path: Path) -> None:
    heard: list[Any] = []
    with listening(tmp_path, lambda peer: (peer.welcome(), heard.append(peer.received_all()))) as url:
        with connect(url, connect_timeout=5) as kernel:
            pass
        assert kernel.session.closed
    assert heard == [[]]


def test_a_forked_process_has_no_session(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        answer(0, 1)(peer)
        answer(0, 2)(peer)

    with session_with(script, tmp_path) as session:
        assert session.call("getpid") == (1, 0)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                session.call("getpid")
            except SessionClosed as error:
                code = 0 if "forked" in str(error) else 2
            except BaseException:
                code = 3
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        # Nothing of it reached the parent's session.
        assert session.call("getpid") == (2, 0)


def test_sessions_give_their_sockets_back(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    if not Path("/proc/self/fd").exists():
        pytest.skip("the system does not list a process's descriptors")

    def stall(peer: Peer) -> None:
        peer.send(peer.machine.banner_bytes())
        peer.received_all()

    scripts: list[Callable[[Peer], object]] = [hang_up, stall, lambda peer: peer.send(b"SSH-2.0\r\n")]
    with listening(tmp_path, *scripts) as url:
        before = open_files()
        for kind, limit in ((ServerFull, 0.01), (ConnectTimeout, 0.1), (ProtocolError, 5)):
            with pytest.raises(kind):
                connect(url, connect_timeout=limit)
        # The listener, a thread of this process, has an end of each of them, and may take a moment.
        deadline = time.monotonic() + 5
        while open_files() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert open_files() <= before


def test_buffers_are_given_back_after_an_error(tmp_path: Path) -> None:
    with session_with(answer(Errno.EIO), tmp_path) as session:
        with pytest.raises(KernelError):
            session.call("write", 3, bytes(100), 100)
        assert session._memory.largest == 0


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
def test_arguments_that_do_not_fit_are_not_sent(abi: Abi, tmp_path: Path) -> None:
    with session_with(answer(0, 1), tmp_path, abi=abi) as session:
        with pytest.raises(ValueError, match="close"):
            session.call("close", 1 << 40)
        with pytest.raises(KeyError):
            session.call("no such call")
        assert session.call("getpid") == (1, 0)


def test_a_session_is_for_one_process_and_says_so() -> None:
    with socket.socket() as stream:
        session = Session(stream, "unix://x")
        session._forks -= 1
        with pytest.raises(SessionClosed, match="belongs to the process that forked this one"):
            session._usable_channel()


# Many calls in flight


def test_calls_in_flight_end_in_any_order(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        asked = [peer.syscall("read") for _call in range(4)]
        for number, (reqno, arguments) in reversed(list(enumerate(asked))):
            peer.send(peer.machine.copyout(0, arguments["buf"], bytes([number]) * 4))
            peer.reply(reqno, 0, number)

    with session_with(script, tmp_path) as session:
        buffers = [bytearray(4) for _call in range(4)]
        calls = [session.submit("read", 3, buffer, 4) for buffer in buffers]
        assert [session.wait(call)[0] for call in calls] == [0, 1, 2, 3]
        assert buffers == [bytes([number]) * 4 for number in range(4)]


def test_the_end_of_a_call_ends_what_it_lent(tmp_path: Path) -> None:
    """A server that writes into the buffer of a call that is over is found out, while another one is in flight."""

    def script(peer: Peer) -> None:
        (first, arguments), _second = peer.syscall("read"), peer.syscall("read")
        peer.reply(first, 0, 0)
        peer.send(peer.machine.copyout(0, arguments["buf"], b"late"))
        peer.received_all()

    with session_with(script, tmp_path) as session:
        buffer = bytearray(4)
        first, second = session.submit("read", 3, buffer, 4), session.submit("read", 3, bytearray(4), 4)
        session.wait(first)
        with pytest.raises(ForeignMemory):
            session.wait(second)
        assert buffer == bytes(4)


def test_map_keeps_the_order_and_the_limit(tmp_path: Path) -> None:
    most = 0

    def script(peer: Peer) -> None:
        nonlocal most
        waiting: list[int] = []
        done = 0
        while done < 10:
            waiting.append(peer.syscall()[0])
            most = max(most, len(waiting))
            if len(waiting) == 3 or done + len(waiting) == 10:
                for reqno in reversed(waiting):
                    peer.reply(reqno, Errno.ENOENT if done == 4 else 0, done)
                    done += 1
                waiting.clear()

    with session_with(script, tmp_path) as session:
        results = list(session.map((Request("getpid", (), f"number {number}") for number in range(10)), limit=3))
        assert most == 3
        assert [isinstance(result, tuple) for result in results].count(False) == 1
        refused = next(result for result in results if isinstance(result, KernelError))
        assert refused.name == "ENOENT"


def test_a_map_that_is_left_early_leaves_no_call_behind(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        for _call in range(4):
            answer(0, 7)(peer)

    with session_with(script, tmp_path) as session:
        for result in session.map((Request("getpid") for _call in range(100)), limit=3):
            assert result == (7, 0)
            break
        assert session.call("getpid") == (7, 0)


def test_a_cancelled_call_leaves_the_session_in_use(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        blocked, other = peer.syscall()[0], peer.syscall()[0]
        cancel = peer.receive()
        assert (cancel.kind, cancel.body) == (frames.HandshakeKind.EXEC, b"rumpkernel.rump\0\0")
        peer.reply(blocked, Errno.EINTR)
        peer.reply(other, ERESTART)  # not made again while the exec is under way
        peer.send(peer.machine.handshake_reply(cancel.reqno))
        answer(0, 5)(peer)

    with session_with(script, tmp_path) as session:
        blocked = session.submit("getpid", subject="blocked", timeout=0.2)
        other = session.submit("getpid")
        with pytest.raises(CallTimeout, match="no end of getpid blocked"):
            session.wait(blocked)
        with pytest.raises(InterruptedError):
            session.wait(other)
        assert session.call("getpid") == (5, 0)


def test_prefork_gives_a_ticket_for_another_connection(tmp_path: Path) -> None:
    ticket = bytes(range(16))

    def parent(peer: Peer) -> None:
        peer.welcome()
        peer.send(peer.machine.prefork_reply(peer.receive().reqno, ticket))
        peer.received_all()

    def child(peer: Peer) -> None:
        peer.send(peer.machine.banner_bytes())
        asked = peer.receive()
        assert (asked.kind, asked.body[:16]) == (frames.HandshakeKind.FORK, ticket)
        peer.send(peer.machine.handshake_reply(asked.reqno))
        answer(0, 9)(peer)

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        listening(tmp_path / "a", parent) as url,
        listening(tmp_path / "b", child) as other,
        open_session(url) as first,
        open_session(other, ticket=first.prefork()) as second,
    ):
        assert second.call("getpid") == (9, 0)
