# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Very many calls: a server gets some at a time for as long as it answers, and all of them when it does not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import frames, session
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import (
    CallTimeout,
    ConnectionLost,
    RumpError,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Errno
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Request
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Peer, session_with

WINDOW = session.IN_FLIGHT


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are held for as long as it takes."""
    monkeypatch.setattr(session, "_PATIENCE", 60.0)


def descriptors(peer: Peer, number: int) -> list[tuple[int, int]]:
    """The next calls of close, none of them answered: request numbers and descriptors."""
    return [(reqno, arguments["fd"]) for reqno, arguments in (peer.syscall("close") for _call in range(number))]


@pytest.mark.usefixtures("patient")
def test_a_server_that_answers_has_some_at_a_time(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        pending = descriptors(peer, WINDOW)
        for _answer in range(100):
            assert peer.machine.waiting == 0, "there were more"
            reqno, fd = pending.pop(0)
            peer.reply(reqno, 0, fd)
            if fd + WINDOW < 100:
                pending += descriptors(peer, 1)

    with session_with(script, tmp_path) as client:
        calls = [client.submit("close", fd) for fd in range(100)]
        assert [client.wait(call)[0] for call in calls] == list(range(100))


def test_a_server_that_does_not_answer_has_them_all(tmp_path: Path) -> None:
    """The last one may be what the others wait for."""

    def script(peer: Peer) -> None:
        for reqno, fd in reversed(descriptors(peer, 100)):
            peer.reply(reqno, 0, fd)

    with session_with(script, tmp_path) as client:
        started = time.monotonic()
        assert list(client.map((Request("close", (fd,)) for fd in range(100)), limit=100)) == [
            (fd, 0) for fd in range(100)
        ]
        assert time.monotonic() - started < 5


def test_blocked_calls_take_no_place_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(peer: Peer) -> None:
        blocked = descriptors(peer, WINDOW)
        for _call in range(20):
            peer.reply(*descriptors(peer, 1)[0])
        for reqno, _fd in blocked:
            peer.reply(reqno)
        for reqno, _fd in descriptors(peer, 2 * WINDOW):
            peer.reply(reqno)

    monkeypatch.setattr(session, "_PATIENCE", 0.3)
    with session_with(script, tmp_path) as client:
        blocked = [client.submit("close", fd) for fd in range(WINDOW)]
        started = time.monotonic()
        for _call in range(20):
            client.wait(client.submit("close", 0))
        assert time.monotonic() - started < 2 * 0.3, "only the first one was held"
        for call in blocked:
            client.wait(call)
        assert not client._blocked
        for call in [client.submit("close", fd) for fd in range(2 * WINDOW)]:
            client.wait(call)


@pytest.mark.usefixtures("patient")
def test_what_was_not_sent_is_cancelled_without_it(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        pending = descriptors(peer, WINDOW)
        cancel = peer.receive()
        assert isinstance(cancel, frames.HandshakeRequest)
        for reqno, _fd in pending:
            peer.reply(reqno, Errno.EINTR)
        peer.send(peer.machine.handshake_reply(cancel.reqno))
        peer.reply(peer.syscall("getpid")[0], 0, 7)

    with session_with(script, tmp_path) as client:
        calls = [client.submit("close", fd, timeout=0.1) for fd in range(WINDOW + 3)]
        with pytest.raises(CallTimeout):
            client.wait(calls[-1])
        for call in calls[:-1]:
            with pytest.raises(InterruptedError):
                client.wait(call)
        assert client.call("getpid") == (7, 0)


@pytest.mark.usefixtures("patient")
def test_other_requests_follow_the_calls_before_them(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        pending = descriptors(peer, WINDOW + 3)
        prefork = peer.receive()
        assert isinstance(prefork, frames.PreforkRequest)
        peer.send(peer.machine.prefork_reply(prefork.reqno, bytes(16)))
        for reqno, fd in pending:
            peer.reply(reqno, 0, fd)

    with session_with(script, tmp_path) as client:
        calls = [client.submit("close", fd) for fd in range(WINDOW + 3)]
        assert client.prefork() == bytes(16)
        assert [client.wait(call)[0] for call in calls] == list(range(WINDOW + 3))


@pytest.mark.usefixtures("patient")
def test_a_call_that_is_made_again_keeps_its_place(tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        pending = descriptors(peer, WINDOW)
        reqno, first = pending.pop(0)
        peer.reply(reqno, -3)
        pending += descriptors(peer, 1)
        assert pending[-1][1] == first
        for reqno, fd in pending:
            peer.reply(reqno, 0, fd)
        for reqno, fd in descriptors(peer, 2):
            peer.reply(reqno, 0, fd)

    with session_with(script, tmp_path) as client:
        calls = [client.submit("close", fd) for fd in range(WINDOW + 2)]
        assert [client.wait(call)[0] for call in calls] == list(range(WINDOW + 2))


@pytest.mark.usefixtures("patient")
def test_the_session_ends_with_calls_that_were_not_sent(tmp_path: Path) -> None:
    with session_with(lambda peer: descriptors(peer, WINDOW), tmp_path) as client:
        calls = [client.submit("close", fd) for fd in range(WINDOW + 3)]
        with pytest.raises(ConnectionLost, match="the server went away"):
            client.wait(calls[0])
        with pytest.raises(RumpError):
            client.wait(calls[-1])
