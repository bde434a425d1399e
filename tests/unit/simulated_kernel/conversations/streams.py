# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP: making connections, sending over them, and their ends."""

from __future__ import annotations

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.socket_scribe import (
    AF_INET,
    AF_INET6,
    DONTWAIT,
    OOB,
    PEEK,
    SOL_SOCKET,
    STREAM,
    WAITALL,
    SocketScribe,
    address,
)

HOSTS = {AF_INET: "127.0.0.1", AF_INET6: "::1"}
ANY = {AF_INET: "0.0.0.0", AF_INET6: "::"}
SO_REUSEADDR, SO_REUSEPORT, SO_LINGER, SO_ERROR = 0x4, 0x200, 0x80, 0x1007

TCP_NODELAY = 1
MOMENTS = 5  # how often nothing happens before nothing more is expected


def listener(hand: SocketScribe, family: int, port: int, backlog: int = 5) -> int:
    number = hand.open(family, STREAM)
    hand.bind(number, address(family, HOSTS[family], port))
    hand.call("listen", number, backlog)
    return number


def pair(hand: SocketScribe, family: int, port: int) -> tuple[int, int, int]:
    """(the listener, and both ends of a connection)."""
    waiting = listener(hand, family, port)
    client = hand.open(family, STREAM)
    hand.connect(client, address(family, HOSTS[family], port))
    return waiting, client, hand.accept(waiting)


def connections(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    for family in (AF_INET, AF_INET6):
        fresh = hand.open(family, STREAM)
        hand.names(fresh)
        hand.poll(fresh)
        hand.send(fresh, b"x")
        hand.send(fresh, b"")
        hand.receive(fresh)
        hand.accept(fresh)
        waiting, client, server = pair(hand, family, 7000)
        for number in (waiting, client, server):
            hand.names(number)
        hand.name(client, room=0)
        hand.name(client, room=5)
        hand.poll(waiting, client, server)
        hand.connect(client, address(family, HOSTS[family], 7000))
        hand.connect(waiting, address(family, HOSTS[family], 7000))
        hand.send(waiting, b"x")
        hand.receive(waiting)
        hand.call("listen", client, 5)
        hand.accept(client)
        hand.bind(client, address(family, HOSTS[family], 7001))
        hand.accept(waiting)
        hand.get(client, SOL_SOCKET, SO_ERROR)
        refused = hand.open(family, STREAM)
        hand.connect(refused, address(family, HOSTS[family], 9))
        hand.poll(refused)
        hand.get(refused, SOL_SOCKET, SO_ERROR)
        hand.get(refused, SOL_SOCKET, SO_ERROR)
        hand.names(refused)
        hand.connect(refused, address(family, HOSTS[family], 7000))
        hand.send(refused, b"x")
        hand.receive(refused)
        hand.call("shutdown", refused, 2)
        blocking = hand.open(family, STREAM, 0)
        hand.connect(blocking, address(family, HOSTS[family], 9))
        hand.connect(blocking, address(family, HOSTS[family], 9))
        other = hand.open(family, STREAM, 0)
        hand.connect(other, address(family, HOSTS[family], 7000))
        hand.names(other)
        hand.close(fresh, waiting, client, server, refused, blocking, other)


def bad_addresses(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    for family, other in ((AF_INET, AF_INET6), (AF_INET6, AF_INET)):
        number = hand.open(family, STREAM)
        good = address(family, HOSTS[family], 7100)
        for call in (hand.bind, hand.connect):
            call(number, address(other, HOSTS[other], 7100))
            call(number, good[:-1])
            call(number, good + b"\0\0\0\0")
            call(number, good[:2])
            call(number, b"\0" + bytes([99]) + good[2:])
        hand.call("bind", number, None, 16)
        hand.call("bind", number, good, 300)
        hand.connect(number, address(family, HOSTS[family], 0))
        elsewhere = "192.0.2.1" if family == AF_INET else "2001:db8::1"
        hand.bind(number, address(family, elsewhere, 7100))
        hand.connect(hand.open(family, STREAM), address(family, elsewhere, 7100))
        group = "224.0.0.1" if family == AF_INET else "ff02::1"
        hand.connect(hand.open(family, STREAM), address(family, group, 7100))
        hand.bind(hand.open(family, STREAM), address(family, group, 7100))
        hand.connect(hand.open(family, STREAM), address(family, ANY[family], 9))
    number = hand.open(AF_INET6, STREAM)
    hand.bind(number, address(AF_INET6, "fe80::1", 7100))
    hand.bind(number, address(AF_INET6, "fe80::1", 7100, 99))
    hand.bind(number, address(AF_INET6, "fe80::1", 7100, 1))
    hand.name(number)
    hand.connect(hand.open(AF_INET6, STREAM), address(AF_INET6, "::ffff:127.0.0.1", 7100))
    hand.bind(hand.open(AF_INET6, STREAM), address(AF_INET6, "::ffff:127.0.0.1", 7100))


def ports_in_use(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    for kind in (STREAM, 2):
        for options in ((), (SO_REUSEADDR,), (SO_REUSEPORT,)):
            numbers = []
            for host in ("127.0.0.1", "127.0.0.1", ANY[AF_INET]):
                number = hand.open(AF_INET, kind)
                for option in options:
                    hand.set(number, SOL_SOCKET, option, 1)
                hand.bind(number, address(AF_INET, host, 7200))
                if kind == STREAM:
                    hand.call("listen", number, 1)
                numbers.append(number)
            six = hand.open(AF_INET6, kind)
            hand.bind(six, address(AF_INET6, "::", 7200))
            hand.bind(six, address(AF_INET6, "::", 7201))
            for number in (*numbers, six):
                hand.name(number)
            hand.close(*numbers, six)
    waiting, client, server = pair(hand, AF_INET, 7300)
    hand.close(waiting)
    again = hand.open(AF_INET, STREAM)
    hand.bind(again, address(AF_INET, HOSTS[AF_INET], 7300))
    hand.set(again, SOL_SOCKET, SO_REUSEADDR, 1)
    hand.bind(again, address(AF_INET, HOSTS[AF_INET], 7300))
    hand.close(server)
    hand.close(client)
    late = hand.open(AF_INET, STREAM)
    hand.bind(late, address(AF_INET, HOSTS[AF_INET], 7300))


def streams(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    _waiting, client, server = pair(hand, AF_INET, 7400)
    hand.set(client, 6, TCP_NODELAY, 1)
    hand.send(client, b"first")
    hand.send(client, b"second")
    hand.waiting(server)
    hand.receive(server, 3, PEEK)
    hand.receive(server, 3)
    hand.receive(server, 0)
    hand.receive(server, 100, named=True)
    hand.receive(server)
    hand.receive(server, 100, DONTWAIT)
    hand.send(client, b"abc", where=address(AF_INET, "127.0.0.1", 7400))
    hand.receive(server)
    hand.send_message(client, [b"one", b"", b"two"])
    hand.receive_message(server, [2, 10], 64)
    hand.send_message(client, [b"x"], bytes(16))
    hand.send(client, b"12345", OOB)
    hand.poll(server, events=0x1 | 0x2 | 0x4 | 0x80)
    hand.receive(server, 100)
    hand.receive(server, 100, OOB)
    hand.receive(server, 100, OOB)
    hand.send(client, b"0123456789")
    hand.receive(server, 10, WAITALL)
    hand.call("write", client, b"written", 7)
    hand.pause()
    buffer = bytearray(20)
    hand.call("read", server, buffer, 20)
    scribe.write("read", bytes(buffer))
    hand.call("lseek", server, 0, 0)
    hand.call("pread", server, bytearray(4), 4, 0)
    hand.call("shutdown", client, 3)
    hand.call("shutdown", client, 1)
    hand.pause()
    hand.poll(client, server)
    hand.receive(server)
    hand.send(client, b"x")
    hand.send(server, b"still")
    hand.receive(client)
    hand.names(client)
    hand.call("shutdown", server, 0)
    hand.send(client, b"x")
    hand.receive(server)
    hand.send(server, b"more")
    hand.waiting(client)
    hand.call("shutdown", server, 1)
    hand.pause()
    hand.names(client)
    hand.names(server)
    hand.receive(client, 100)
    hand.receive(client, 100)
    hand.receive(server, 100)
    hand.poll(client, server)
    hand.get(server, 6, 1)
    hand.set(server, 6, 1, 1)
    hand.close(client, server)


def ends(scribe: Scribe) -> None:
    """How connections are cut off."""
    hand = SocketScribe(scribe)
    port = 7500
    for data in (b"", b"unread"):
        port += 1
        _waiting, client, server = pair(hand, AF_INET, port)
        if data:
            hand.send(client, data)
        hand.close(server)
        hand.poll(client)
        hand.receive(client)
        hand.send(client, b"first")
        hand.poll(client)
        hand.get(client, SOL_SOCKET, SO_ERROR)
        hand.send(client, b"second")
        hand.receive(client)
        hand.names(client)
        hand.close(client)
    port += 1
    _waiting, client, server = pair(hand, AF_INET, port)
    hand.set(server, SOL_SOCKET, SO_LINGER, scribe.client.abi.integers("int", 1, 0))
    hand.close(server)
    hand.poll(client)
    hand.receive(client)
    hand.receive(client)
    hand.send(client, b"x")
    hand.names(client)
    port += 1
    waiting = listener(hand, AF_INET, port, 1)
    clients = []
    for _attempt in range(4):
        clients.append(hand.open(AF_INET, STREAM))
        hand.connect(clients[-1], address(AF_INET, HOSTS[AF_INET], port))
        hand.poll(clients[-1])
    hand.close(clients.pop(0))
    server = hand.accept(waiting)
    hand.receive(server)
    hand.close(waiting)
    for client in clients:
        hand.poll(client)
        hand.receive(client)
        hand.get(client, SOL_SOCKET, SO_ERROR)
    for how in (0, 1, 2):
        number = hand.open(AF_INET, STREAM)
        hand.call("shutdown", number, how)
        hand.poll(number)
        hand.receive(number)
        hand.send(number, b"x")
        hand.bind(number, address(AF_INET, HOSTS[AF_INET], 7599))
        hand.name(number)
    waiting = listener(hand, AF_INET, 7598)
    hand.call("shutdown", waiting, 0)
    hand.accept(waiting)
    hand.accept(waiting)
    waiting = listener(hand, AF_INET, 7597)
    hand.call("shutdown", waiting, 1)
    hand.accept(waiting)
    hand.name(waiting)


def full_buffers(scribe: Scribe) -> None:
    """What a sender may do when nobody reads."""
    hand = SocketScribe(scribe)
    _waiting, client, server = pair(hand, AF_INET, 7600)
    for number in (client, server):
        hand.set(number, SOL_SOCKET, 0x1001, 8192)
        hand.set(number, SOL_SOCKET, 0x1002, 8192)
    idle = 0
    while idle < MOMENTS:  # what is on its way makes room again, later on a busy machine
        outcome = scribe.client.call("sendto", client, bytes(4096), 4096, 0, None, 0)
        idle = 0 if outcome else idle + 1
        if not outcome:
            hand.pause()
    scribe.write("full", outcome.error)
    hand.poll(client)
    hand.send(client, b"x")
    read = idle = 0
    while idle < MOMENTS:
        outcome = scribe.client.call("recvfrom", server, bytearray(65536), 65536, 0, None, None)
        idle = 0 if outcome else idle + 1
        if outcome:
            read += outcome.value
        else:
            hand.pause()
    scribe.write("all read", (outcome.error, read % 4096))
    hand.poll(client)
    hand.send(client, b"again")
    hand.receive(server)
