# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several calls of a session at once, and what becomes of the others when one of them goes wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import errors, frames
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import (
    CallTimeout,
    ConnectError,
    ConnectionLost,
    ForeignMemory,
    ProtocolError,
    RumpError,
    SessionClosed,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Errno, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Request, open_session
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import (
    Peer,
    Script,
    listening,
    session_with,
)

ERESTART: Final = -3


def calls(peer: Peer, number: int) -> list[tuple[int, dict[str, int]]]:
    """The next system calls, none of them answered."""
    return [peer.syscall() for _call in range(number)]


def test_requests_are_sent_when_something_is_waited_for(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        for reqno, arguments in calls(peer, 3):
            peer.reply(reqno, 0, arguments["fd"])

    with session_with(script, tmp_path) as session:
        pending = [session.submit("close", fd) for fd in (5, 6, 7)]
        assert session.wait(pending[2]) == (7, 0)
        assert session.wait(pending[0]) == (5, 0)
        assert session.wait(pending[1]) == (6, 0)
        assert session.wait(pending[1]) == (6, 0)  # the end of a call does not change


def test_very_many_requests(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        for reqno, arguments in calls(peer, 5000):
            peer.reply(reqno, 0, arguments["fd"])

    with session_with(script, tmp_path) as session:
        pending = [session.submit("close", fd) for fd in range(5000)]
        assert [session.wait(call)[0] for call in pending] == list(range(5000))


def test_each_call_has_its_own_error(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        for (reqno, _arguments), error in zip(calls(peer, 3), (Errno.ENOENT, 0, Errno.EPERM), strict=True):
            peer.reply(reqno, error)

    with session_with(script, tmp_path) as session:
        first, second, third = (session.submit("close", fd, subject=f"number {fd}") for fd in range(3))
        with pytest.raises(PermissionError, match="close number 2: EPERM"):
            session.wait(third)
        with pytest.raises(FileNotFoundError, match="close number 0: ENOENT"):
            session.wait(first)
        assert session.wait(second) == (0, 0)


def test_only_the_call_that_is_to_be_made_again_is(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        first, second = calls(peer, 2)
        peer.reply(first[0], ERESTART)
        again, arguments = peer.syscall("read")
        assert again not in (first[0], second[0])
        assert arguments == first[1]
        peer.copyout(arguments["buf"], b"x")
        peer.reply(again, 0, 1)
        peer.reply(second[0], 0, 2)

    buffer = bytearray(1)
    with session_with(script, tmp_path) as session:
        first, second = session.submit("read", 3, buffer, 1), session.submit("read", 3, bytearray(1), 1)
        assert (session.wait(first)[0], session.wait(second)[0]) == (1, 2)
    assert buffer == b"x"


def test_a_second_answer_to_one_of_them(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        (first, _arguments), _second = calls(peer, 2)
        peer.reply(first, 0, 1)
        peer.reply(first, 0, 2)
        peer.received_all()

    with session_with(script, tmp_path) as session:
        first, second = session.submit("getpid"), session.submit("getpid")
        assert session.wait(first) == (1, 0)
        with pytest.raises(ProtocolError, match="was not asked"):
            session.wait(second)
        assert session.closed


# A session that ends


def foreign(peer: Peer) -> None:
    (_reqno, arguments), _second = calls(peer, 2)
    peer.copyout(arguments["buf"] - 1, b"x")
    peer.received_all()


def noise(peer: Peer) -> None:
    calls(peer, 2)
    peer.send(b"\xff" * 24)
    peer.received_all()


@pytest.mark.parametrize(
    ("script", "kind"),
    [(foreign, ForeignMemory), (noise, ProtocolError), (lambda peer: calls(peer, 2), ConnectionLost)],
)
def test_the_sessions_end_is_the_end_of_all(script: Script, kind: type[RumpError], tmp_path: Path) -> None:
    buffers = [bytearray(4), bytearray(4)]
    with session_with(script, tmp_path) as session:
        first, second = (session.submit("read", 3, buffer, 4) for buffer in buffers)
        with pytest.raises(kind):
            session.wait(first)
        assert session.closed
        for call in (first, second):
            with pytest.raises(RumpError):
                session.wait(call)
    assert buffers == [bytes(4), bytes(4)]


def test_what_is_not_sent_is_not_lent(tmp_path: Path) -> None:
    with session_with(lambda peer: peer.received_all(), tmp_path) as session:
        session.close()
        with pytest.raises(SessionClosed):
            session.submit("write", 3, bytes(100), 100)
        assert session._memory.largest == 0


def test_what_does_not_fit_is_not_lent(tmp_path: Path) -> None:
    with session_with(lambda peer: peer.received_all(), tmp_path) as session:
        with pytest.raises(ValueError, match="write"):
            session.submit("write", 1 << 40, bytes(100), 100)
        with pytest.raises(KeyError):
            session.submit("no such call", bytes(100))
        assert session._memory.largest == 0


def test_a_forked_process_cannot_wait_for_its_parents_calls(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall()
        time.sleep(0.3)
        peer.reply(reqno, 0, 7)

    with session_with(script, tmp_path) as session:
        call = session.submit("getpid")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                session.wait(call)
            except SessionClosed:
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert session.wait(call) == (7, 0)


# Calls that take too long


def test_a_call_that_ends_while_it_is_cancelled_was_too_late_all_the_same(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        reqno, _arguments = peer.syscall()
        cancel = peer.receive()
        peer.reply(reqno, 0, 9)
        peer.send(peer.machine.handshake_reply(cancel.reqno))
        peer.reply(peer.syscall()[0], 0, 5)

    with session_with(script, tmp_path) as session:
        with pytest.raises(CallTimeout):
            session.call("getpid", timeout=0.1)
        assert session.call("getpid") == (5, 0)


def test_others_that_were_done_keep_their_ends(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        slow, quick, other = (reqno for reqno, _arguments in calls(peer, 3))
        peer.reply(quick, 0, 2)
        cancel = peer.receive()
        peer.reply(slow, Errno.EINTR)
        peer.reply(other, Errno.EINTR)
        peer.send(peer.machine.handshake_reply(cancel.reqno))

    with session_with(script, tmp_path) as session:
        slow = session.submit("getpid", timeout=0.2)
        quick, other = session.submit("getpid"), session.submit("getpid")
        with pytest.raises(CallTimeout):
            session.wait(slow)
        assert session.wait(quick) == (2, 0)
        with pytest.raises(InterruptedError):
            session.wait(other)
        assert not session.closed


@pytest.mark.parametrize("what", ["nothing", "a refusal", "an end", "noise", "no end of the call", "trickles"])
def test_a_cancel_that_fails(what: str, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.syscall()
        reqno = peer.receive().reqno
        match what:
            case "a refusal":
                peer.send(peer.machine.error_reply(reqno, frames.FrameType.HANDSHAKE, 5))
            case "an end":
                return
            case "noise":
                peer.send(b"\xff" * 24)
            case "no end of the call":
                peer.send(peer.machine.handshake_reply(reqno))
            case "trickles":
                peer.trickle([peer.machine.raise_signal(0, 29)] * 50, pause=0.02)
        peer.received_all()

    with session_with(script, tmp_path) as session:
        started = time.monotonic()
        with pytest.raises(CallTimeout, match="no end of getpid within the time limit"):
            session.call("getpid", timeout=0.1)
        assert time.monotonic() - started < 5
        assert session.closed


def test_a_limit_is_the_calls_own_not_that_of_the_wait(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        first, second = (reqno for reqno, _arguments in calls(peer, 2))
        time.sleep(0.3)
        peer.reply(first, 0, 1)
        cancel = peer.receive()
        peer.reply(second, Errno.EINTR)
        peer.send(peer.machine.handshake_reply(cancel.reqno))

    with session_with(script, tmp_path) as session:
        first, second = session.submit("getpid"), session.submit("getpid", timeout=0.1)
        assert session.wait(first) == (1, 0)
        with pytest.raises(CallTimeout):
            session.wait(second)


# Many at once


def test_map_draws_requests_as_it_goes(tmp_path: Path) -> None:
    drawn: list[int] = []

    def requests() -> Iterator[Request]:
        for fd in range(6):
            drawn.append(fd)
            yield Request("close", (fd,))

    def script(peer: Peer) -> None:
        for _call in range(6):
            reqno, arguments = peer.syscall()
            peer.reply(reqno, 0, arguments["fd"])

    with session_with(script, tmp_path) as session:
        results = session.map(requests(), limit=2)
        assert next(results) == (0, 0)
        assert drawn == [0, 1]
        assert list(results) == [(fd, 0) for fd in range(1, 6)]


def test_map_gives_errors_as_results(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        for _call in range(3):
            reqno, arguments = peer.syscall()
            peer.reply(reqno, Errno.EBADF if arguments["fd"] == 1 else 0)

    with session_with(script, tmp_path) as session:
        first, second, third = session.map(Request("close", (fd,), f"number {fd}", "shut") for fd in range(3))
    assert (first, third) == ((0, 0), (0, 0))
    assert isinstance(second, KernelError)
    assert str(second).startswith("shut number 1: EBADF")


def test_map_of_nothing(tmp_path: Path) -> None:
    with session_with(lambda peer: peer.received_all(), tmp_path) as session:
        assert list(session.map([])) == []


def test_a_map_whose_server_goes_away(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        pending = calls(peer, 3)
        peer.reply(pending[0][0])

    with session_with(script, tmp_path) as session:
        results = session.map((Request("getpid") for _call in range(100)), limit=3)
        assert next(results) == (0, 0)
        with pytest.raises(ConnectionLost):
            next(results)
        assert session.closed


def test_a_map_whose_requests_fail(tmp_path: Path) -> None:
    def requests() -> Iterator[Request]:
        yield Request("getpid")
        raise LookupError("no more")

    def script(peer: Peer) -> None:
        peer.reply(peer.syscall()[0], 0, 1)
        peer.reply(peer.syscall()[0], 0, 2)

    with session_with(script, tmp_path) as session:
        with pytest.raises(LookupError):
            list(session.map(requests()))
        assert session.call("getpid") == (2, 0)  # nothing was left in flight


def test_a_map_with_a_call_that_takes_too_long(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        pending = calls(peer, 2)
        cancel = peer.receive()
        for reqno, _arguments in pending:
            peer.reply(reqno, Errno.EINTR)
        peer.send(peer.machine.handshake_reply(cancel.reqno))
        peer.reply(peer.syscall()[0], 0, 5)

    with session_with(script, tmp_path, timeout=0.2) as session:
        with pytest.raises(CallTimeout):
            list(session.map([Request("getpid")] * 2))
        assert session.call("getpid", timeout=10) == (5, 0)


# Requests that are no system calls


@pytest.mark.parametrize("request_type", [frames.FrameType.PREFORK, frames.FrameType.HANDSHAKE])
def test_a_refused_prefork_or_exec(request_type: frames.FrameType, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(peer.machine.error_reply(peer.receive().reqno, request_type, 4))
        peer.reply(peer.syscall()[0], 0, 5)

    with session_with(script, tmp_path) as session:
        with pytest.raises(errors.ForkFailed):
            session.prefork() if request_type == frames.FrameType.PREFORK else session.exec()
        assert session.call("getpid") == (5, 0)


def test_a_prefork_without_an_answer(tmp_path: Path) -> None:
    with session_with(lambda peer: peer.received_all(), tmp_path, timeout=0.2) as session:
        with pytest.raises(CallTimeout, match="no end of prefork"):
            session.prefork()
        assert session.closed


def test_an_exec_ends_blocked_calls(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        blocked, _arguments = peer.syscall()
        request = peer.receive()
        assert (request.kind, request.body) == (frames.HandshakeKind.EXEC, b"rumpkernel.rump\0\0")
        peer.reply(blocked, Errno.EINTR)
        peer.send(peer.machine.handshake_reply(request.reqno))

    with session_with(script, tmp_path) as session:
        blocked = session.submit("getpid")
        session.exec()
        with pytest.raises(InterruptedError):
            session.wait(blocked)


@pytest.mark.parametrize(("code", "kind"), [(2, errors.AuthenticationRefused), (3, errors.InvalidPrefork)])
def test_a_ticket_that_is_not_accepted(code: int, kind: type[RumpError], tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.send(peer.machine.banner_bytes())
        request: Any = peer.receive()
        assert (request.kind, request.body) == (frames.HandshakeKind.FORK, bytes(20))
        peer.send(peer.machine.error_reply(request.reqno, frames.FrameType.HANDSHAKE, code))
        peer.received_all()

    with listening(tmp_path, script) as url, pytest.raises(ConnectError, match="refused the handshake") as caught:
        open_session(url, connect_timeout=5, ticket=bytes(16))
    assert caught.value.__cause__.__class__ is kind
