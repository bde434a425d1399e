# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UDP and raw sockets."""

from __future__ import annotations

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interface_scribe import (
    alias,
    ifreq,
    interfaces,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interfaces import make_shmif
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.socket_scribe import (
    AF_INET,
    AF_INET6,
    DGRAM,
    DONTWAIT,
    PEEK,
    RAW,
    SOL_SOCKET,
    SocketScribe,
    address,
)

HOSTS = {AF_INET: "127.0.0.1", AF_INET6: "::1"}
SO_ERROR, SO_RCVBUF, SO_OVERFLOWED, SO_BROADCAST = 0x1007, 0x1002, 0x1009, 0x20


def datagrams(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    for family in (AF_INET, AF_INET6):
        host = HOSTS[family]
        one, other = hand.open(family, DGRAM), hand.open(family, DGRAM)
        hand.names(one)
        hand.poll(one)
        hand.send(one, b"x")
        hand.receive(one)
        hand.call("listen", one, 5)
        hand.accept(one)
        hand.bind(one, address(family, host, 7700))
        hand.bind(one, address(family, host, 7701))
        hand.name(one)
        hand.send(other, b"first", where=address(family, host, 7700))
        hand.name(other)
        hand.send(other, b"", where=address(family, host, 7700))
        hand.send_message(other, [b"th", b"ird"], where=address(family, host, 7700))
        hand.send(other, b"cut off", where=address(family, host, 7700))
        hand.waiting(one)
        hand.poll(one)
        hand.receive(one, 3, PEEK, named=True)
        hand.receive(one, named=True)
        hand.receive(one, named=True)
        hand.receive_message(one, [2, 10], 64)
        hand.receive_message(one, [3], 0, PEEK)
        hand.receive_message(one, [3])
        hand.receive(one, 100, DONTWAIT)
        hand.receive(one, 0)
        hand.connect(other, address(family, host, 7700))
        hand.names(other)
        hand.send(other, b"connected")
        hand.send(other, b"not so", where=address(family, host, 7700))
        hand.receive(one)
        hand.call("sendto", other, bytes(70000), 70000, 0, None, 0)
        hand.call("sendto", other, bytes(9217), 9217, 0, None, 0)
        hand.call("sendto", other, bytes(9216), 9216, 0, None, 0)
        hand.pause()
        hand.receive(one, 20000)
        hand.set(other, SOL_SOCKET, 0x1001, 100000)
        for size in (65507, 65508, 65527, 65528):
            hand.call("sendto", other, bytes(size), size, 0, None, 0)
        hand.pause()
        hand.set(one, SOL_SOCKET, SO_RCVBUF, 2000)
        for _attempt in range(4):
            hand.send(other, bytes(900))
        hand.get(one, SOL_SOCKET, SO_OVERFLOWED)
        hand.connect(other, address(family, host, 9))
        hand.send(other, b"nobody")
        hand.poll(other)
        hand.get(other, SOL_SOCKET, SO_ERROR)
        hand.send(other, b"nobody")
        hand.receive(other)
        hand.receive(other)
        hand.send(other, b"nobody")
        hand.send(other, b"nobody")
        lonely = hand.open(family, DGRAM)
        hand.send(lonely, b"nobody", where=address(family, host, 9))
        hand.receive(lonely)
        hand.send(lonely, b"x", where=address(family, host, 0))
        hand.send(lonely, b"x", where=address(family, host, 9)[:-1])
        hand.send(lonely, b"x", where=b"\x10\x63" + bytes(14))
        hand.call("shutdown", lonely, 1)
        hand.send(lonely, b"x", where=address(family, host, 7700))
        hand.call("shutdown", one, 0)
        hand.receive(one)
        hand.send_message(other, [b"x"], bytes(16))
        hand.close(one, other, lonely)


def paths(scribe: Scribe, bus: str) -> None:
    """Which own address a packet leaves from, and where none can go."""
    for name in ([4, 2, 0, 25], [4, 24, 41, 16]):
        scribe.client.sysctl(name, None, scribe.client.abi.integer("int", 0))
    hand, screen = SocketScribe(scribe), interfaces(scribe)
    hosts = ("10.0.0.1", "10.0.0.9", "10.0.0.255", "192.0.2.1", "127.0.0.2", "255.255.255.255", "224.0.0.1", "0.0.0.0")

    def look() -> None:
        for host in hosts:
            number = hand.open(AF_INET, DGRAM)
            hand.connect(number, address(AF_INET, host, 7800))
            hand.names(number)
            hand.send(number, b"x")
            hand.set(number, SOL_SOCKET, SO_BROADCAST, 1)
            hand.send(number, b"x")
            hand.close(number)
            number = hand.open(AF_INET, DGRAM)
            hand.send(number, b"x", where=address(AF_INET, host, 7800))
            hand.name(number)
            hand.close(number)
        for host in ("2001:db8::1", "fe80::1", "ff02::1", "::"):
            number = hand.open(AF_INET6, DGRAM)
            hand.connect(number, address(AF_INET6, host, 7800))
            hand.names(number)
            hand.send(number, b"x")
            hand.close(number)

    look()
    make_shmif(screen, "shmif0", bus)
    screen.ask("SIOCAIFADDR", alias("shmif0", "10.0.0.1", "255.255.255.0"))
    look()
    screen.ask("SIOCIFDESTROY", ifreq(scribe.client, "shmif0"))


def raw_sockets(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    for family, protocol, request in (
        (AF_INET, 1, b"\x08\0\xf7\xfd\0\x01\0\x01"),
        (AF_INET6, 58, b"\x80\0\0\0\0\1\0\1"),
    ):
        number = scribe("__socket30", family, RAW | 0x20000000, protocol).value
        hand.name(number)
        hand.send(number, request, where=address(family, HOSTS[family]))
        if family == AF_INET:
            hand.receive(number, 24, named=True)
        hand.send(number, request)
        hand.call("listen", number, 1)
        hand.close(number)
