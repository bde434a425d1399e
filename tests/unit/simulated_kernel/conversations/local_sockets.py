# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets of the file system, and what passes through them."""

from __future__ import annotations

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.socket_scribe import (
    AF_LOCAL,
    DGRAM,
    PEEK,
    SEQPACKET,
    SOL_SOCKET,
    STREAM,
    SocketScribe,
    local_address,
)

SO_ERROR = 0x1007
SCM_RIGHTS = 1


def socketpair(hand: SocketScribe, kind: int, flags: int = 0x20000000) -> tuple[int, int]:
    both = bytearray(8)
    hand.scribe("socketpair", AF_LOCAL, kind | flags, 0, both)
    abi = hand.scribe.client.abi
    return abi.read_integer("int", bytes(both)), abi.read_integer("int", bytes(both[4:]))


def local_sockets(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    scribe("umask", 0o27)
    for kind in (STREAM, SEQPACKET):
        path = f"/s{kind}"
        waiting = hand.open(AF_LOCAL, kind)
        hand.names(waiting)
        hand.call("listen", waiting, 5)
        hand.bind(waiting, local_address(path))
        scribe.stat(path)
        scribe.fstat(waiting)
        hand.bind(waiting, local_address("/other"))
        hand.bind(hand.open(AF_LOCAL, kind), local_address(path))
        hand.bind(hand.open(AF_LOCAL, kind), local_address("/none/x"))
        client = hand.open(AF_LOCAL, kind)
        hand.connect(client, local_address(path))
        hand.call("listen", waiting, 1)
        hand.connect(client, local_address(path))
        hand.names(client)
        hand.send(client, b"early")
        server = hand.accept(waiting)
        hand.names(server)
        hand.receive(server)
        hand.receive(server)
        hand.connect(client, local_address(path))
        for number in (client, server):
            hand.get(number, 0, 3, 12)
            hand.get(number, 0, 1)
        hand.poll(waiting, client, server)
        others = [hand.open(AF_LOCAL, kind) for _attempt in range(4)]
        for number in others:
            hand.connect(number, local_address(path))
        hand.connect(hand.open(AF_LOCAL, DGRAM), local_address(path))
        hand.connect(hand.open(AF_LOCAL, kind), local_address("/dev/null"))
        hand.connect(hand.open(AF_LOCAL, kind), local_address("/nothing"))
        scribe("open", path, 2, 0)
        scribe("unlink", path)
        hand.connect(hand.open(AF_LOCAL, kind), local_address(path))
        hand.call("shutdown", client, 1)
        hand.receive(server)
        hand.send(client, b"x")
        hand.send(server, b"answer")
        hand.close(server)
        hand.receive(client)
        hand.receive(client)
        hand.poll(client)
        hand.close(waiting)
        for number in others:
            hand.receive(number)
            hand.get(number, SOL_SOCKET, SO_ERROR)
        hand.close(client, *others)


def local_data(scribe: Scribe) -> None:
    """What is sent over pairs of sockets."""
    hand = SocketScribe(scribe)
    for kind in (STREAM, SEQPACKET, DGRAM):
        one, other = socketpair(hand, kind)
        hand.names(one)
        scribe.fstat(one)
        hand.send(one, b"first")
        hand.send(one, b"second")
        hand.waiting(other)
        hand.receive(other, 3, PEEK)
        hand.receive(other, 3, named=True)
        hand.receive(other, named=True)
        hand.receive(other)
        hand.send(one, b"")
        hand.receive(other)
        for size in (2048, 4096, 4608, 5000, 9000):
            hand.send(one, bytes(size))
            hand.waiting(other)
            hand.poll(one, other)
        hand.receive(other, 1000)
        hand.receive(other, 20000)
        hand.receive(other, 20000)
        hand.send_message(one, [b"one", b"two"])
        hand.receive_message(other, [2, 10], 64)
        hand.close(one)
        hand.poll(other)
        hand.send(other, b"x")
        hand.receive(other)
        hand.close(other)
    scribe("socketpair", 2, 1, 0, bytearray(8))
    scribe("socketpair", 1, 1, 0, None)
    scribe("socketpair", 1, 9, 0, bytearray(8))


def local_datagrams(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    one, other = hand.open(AF_LOCAL, DGRAM), hand.open(AF_LOCAL, DGRAM)
    hand.bind(one, local_address("/one"))
    hand.call("listen", one, 1)
    hand.send(other, b"x")
    hand.send(other, b"to one", where=local_address("/one"))
    hand.receive(one, named=True)
    hand.bind(other, local_address("/other"))
    hand.send(other, b"again", where=local_address("/one"))
    hand.receive(one, named=True)
    hand.connect(other, local_address("/one"))
    hand.names(other)
    hand.send(other, b"connected")
    hand.send(other, b"named", where=local_address("/one"))
    hand.receive(one, 3, named=True)
    for _attempt in range(12):
        hand.send(other, bytes(500))
    hand.close(one)
    hand.poll(other)
    hand.send(other, b"x")
    hand.send(other, b"x")
    hand.receive(other)
    hand.names(other)
    hand.connect(other, local_address("/one"))


def descriptors_passed(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    abi = scribe.client.abi
    one, other = socketpair(hand, STREAM)
    head = abi.struct("cmsghdr")

    def rights(*numbers: int, kind: int = SCM_RIGHTS, length: int | None = None) -> bytes:
        size = 16 + 4 * len(numbers) if length is None else length
        raw = head.build(cmsg_len=size, cmsg_level=SOL_SOCKET, cmsg_type=kind).ljust(16, b"\0")
        return (raw + abi.integers("int", *numbers)).ljust(-(-(16 + 4 * len(numbers)) // 8) * 8, b"\0")

    file = scribe("open", "/f", 0x202, 0o644).value
    scribe("write", file, b"content", 7)
    hand.send_message(one, [b"here"], rights(file))
    scribe("close", file)
    hand.send_message(one, [b"more"])
    told = hand.receive_message(other, [100], 64)
    scribe.write("rights", told)
    scribe("lseek", file, 0, 1)
    hand.receive_message(other, [100], 64)
    hand.send_message(one, [b"two"], rights(file, file))
    scribe.write("rights", hand.receive_message(other, [100], 16))
    hand.send_message(one, [b"none"], rights(99))
    hand.send_message(one, [b"creds"], rights(file, kind=2))
    hand.send_message(one, [b"long"], rights(file, length=100))
    hand.send_message(one, [b"short"], rights(file, length=4))
    hand.send_message(one, [b"tiny"], bytes(8))
    hand.send_message(one, [b"empty"], rights())
    hand.receive_message(other, [100], 64)
    hand.send_message(one, [b"thrown away"], rights(file))
    hand.receive(other)
    hand.send_message(one, [b"peeked"], rights(file))
    hand.receive_message(other, [100], 0, PEEK)
    scribe.write("rights", hand.receive_message(other, [100], 64))
    hand.send_message(one, [b"lost"], rights(file))
    scribe("close", other)
    scribe("__fstat50", file, bytearray(scribe.client.abi.struct("stat").size))
