# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stream below a session: no wait goes past its deadline, and no peer can make it keep everything."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import channel as channel_module
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.channel import Channel

Ends = tuple[Channel, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A channel, and the peer's socket."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    with theirs:
        yield channel, theirs
    channel.close()


def soon(seconds: float) -> float:
    return time.monotonic() + seconds


def nothing(_data: bytes) -> None:
    raise AssertionError("nothing was to come in")


# Receiving


def test_what_is_there_is_received_at_once(ends: Ends) -> None:
    channel, theirs = ends
    theirs.sendall(b"content")
    assert channel.receive(soon(10)) == b"content"


def test_what_comes_later_is_waited_for(ends: Ends) -> None:
    channel, theirs = ends
    threading.Timer(0.6, theirs.sendall, (b"content",)).start()
    started = time.monotonic()
    assert channel.receive(soon(10)) == b"content"
    assert time.monotonic() - started > 0.5


@pytest.mark.parametrize("limit", [0.0, 0.05, 0.4])
def test_a_silent_peer(limit: float, ends: Ends) -> None:
    channel, _theirs = ends
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        channel.receive(soon(limit))
    assert limit <= time.monotonic() - started < limit + 5


@pytest.mark.parametrize("passed", [0.0, 1.0, 1e6])
def test_a_deadline_that_is_over(passed: float, ends: Ends) -> None:
    channel, theirs = ends
    theirs.sendall(b"too late")
    with pytest.raises(TimeoutError):
        channel.receive(soon(-passed))


def test_the_end_of_the_stream(ends: Ends) -> None:
    channel, theirs = ends
    theirs.sendall(b"last words")
    theirs.close()
    assert channel.receive(soon(10)) == b"last words"
    assert channel.receive(soon(10)) == b""


def test_a_peer_that_hangs_up_while_it_is_waited_for(ends: Ends) -> None:
    channel, theirs = ends
    threading.Timer(0.1, theirs.shutdown, (socket.SHUT_WR,)).start()
    assert channel.receive(soon(10)) == b""


# Sending


def test_sending(ends: Ends) -> None:
    channel, theirs = ends
    channel.send(b"content", soon(10), nothing)
    assert theirs.recv(100) == b"content"


def test_sending_more_than_the_peer_has_room_for(ends: Ends) -> None:
    channel, theirs = ends
    content = bytes(range(256)) * (1 << 15)
    received = bytearray()

    def drain() -> None:
        while len(received) < len(content):
            time.sleep(0.001)
            received.extend(theirs.recv(1 << 18))

    thread = threading.Thread(target=drain)
    thread.start()
    channel.send(content, soon(20), nothing)
    thread.join()
    assert received == content


@pytest.mark.parametrize("limit", [0.0, 0.3])
def test_a_peer_that_does_not_read(limit: float, ends: Ends) -> None:
    channel, _theirs = ends
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        channel.send(bytes(1 << 24), soon(limit), nothing)
    assert limit <= time.monotonic() - started < limit + 5


def test_a_peer_that_reads_drop_by_drop(ends: Ends) -> None:
    channel, theirs = ends
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.02):
            theirs.recv(4096)

    thread = threading.Thread(target=drip)
    thread.start()
    started = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            channel.send(bytes(1 << 24), soon(0.4), nothing)
    finally:
        stop.set()
        thread.join()
    assert time.monotonic() - started < 5


def test_a_peer_that_has_room_again_after_the_deadline(monkeypatch: pytest.MonkeyPatch, ends: Ends) -> None:
    channel, theirs = ends

    def drip(_events: int, _seconds: float) -> int:
        theirs.recv(1 << 18)  # so that there is room at every look
        return select.POLLOUT

    monkeypatch.setattr(channel, "_poll", drip)
    with pytest.raises(TimeoutError):
        channel.send(bytes(1 << 24), soon(-1), nothing)


def test_a_peer_that_is_gone(ends: Ends) -> None:
    channel, theirs = ends
    theirs.close()
    with pytest.raises(BrokenPipeError):
        channel.send(b"content", soon(10), nothing)


def test_a_peer_that_goes_while_we_send(ends: Ends) -> None:
    channel, theirs = ends
    threading.Timer(0.1, theirs.close).start()
    with pytest.raises(ConnectionError):
        channel.send(bytes(1 << 24), soon(10), lambda _data: None)


def test_a_peer_that_stops_talking_while_we_send(ends: Ends) -> None:
    channel, theirs = ends
    threading.Timer(0.1, theirs.shutdown, (socket.SHUT_WR,)).start()
    said: list[bytes] = []
    with pytest.raises(BrokenPipeError, match="the peer hung up"):
        channel.send(bytes(1 << 24), soon(10), said.append)
    assert said == [b""]


def test_two_peers_that_both_have_much_to_say(ends: Ends) -> None:
    channel, theirs = ends
    ours, other = b"o" * (1 << 22), b"t" * (1 << 22)
    heard, received = bytearray(), bytearray()

    def talk_then_listen() -> None:
        theirs.sendall(other)  # blocks until it is heard
        while len(received) < len(ours):
            received.extend(theirs.recv(1 << 18))

    thread = threading.Thread(target=talk_then_listen)
    thread.start()
    channel.send(ours, soon(20), heard.extend)
    while len(heard) < len(other):
        heard.extend(channel.receive(soon(20)))
    thread.join()
    assert received == ours
    assert heard == other


def test_a_peer_that_talks_and_never_listens(monkeypatch: pytest.MonkeyPatch, ends: Ends) -> None:
    channel, theirs = ends
    monkeypatch.setattr(channel_module, "_INCOMING_LIMIT", 1 << 20)
    stop = threading.Event()
    theirs.settimeout(0.1)

    def talk() -> None:
        while not stop.is_set():
            try:
                theirs.send(bytes(1 << 16))
            except TimeoutError:
                continue

    thread = threading.Thread(target=talk)
    thread.start()
    heard = 0

    def hear(data: bytes) -> None:
        nonlocal heard
        heard += len(data)

    try:
        with pytest.raises(TimeoutError):
            channel.send(bytes(1 << 24), soon(0.5), hear)
    finally:
        stop.set()
        thread.join()
    assert heard <= (1 << 20) + (1 << 18)
