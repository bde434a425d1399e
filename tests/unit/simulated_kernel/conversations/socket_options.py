# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of sockets: what they are at first, what can be set."""

from __future__ import annotations

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.socket_scribe import (
    SOL_SOCKET,
    SocketScribe,
)

SOCKETS = ((2, 1), (2, 2), (2, 3), (24, 1), (24, 2), (24, 3), (1, 1), (1, 2), (1, 5), (34, 3), (18, 2))
SOCKET_OPTIONS = (
    *(1 << bit for bit in range(14)), 0x1001, 0x1002, 0x1003, 0x1004, 0x1005, 0x1006, 0x1007, 0x1008, 0x1009, 0x100A,
    0x100B, 0x100C, 0x100D,
)  # fmt: skip
SO_TYPE, SO_ERROR = 0x1008, 0x1007


def socket_options(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    for family, kind in SOCKETS:
        number = hand.open(family, kind, 0)
        for option in SOCKET_OPTIONS:
            hand.get(number, SOL_SOCKET, option)
        for option in SOCKET_OPTIONS:
            hand.set(number, SOL_SOCKET, option, 1)
            hand.get(number, SOL_SOCKET, option)
        hand.close(number)
    number = hand.open(2, 1, 0)
    for size in (0, -1, 1, 1000, 200_000, 262_144, 10_000_000):
        for option in (0x1001, 0x1002, 0x1003, 0x1004):
            hand.set(number, SOL_SOCKET, option, size)
            hand.get(number, SOL_SOCKET, option)
    abi = scribe.client.abi
    for on, seconds in ((1, 5), (0, 7), (1, 0), (1, -1), (1, 70_000)):
        hand.set(number, SOL_SOCKET, 0x80, abi.integers("int", on, seconds))
        hand.get(number, SOL_SOCKET, 0x80)
    layout = abi.struct("timeval")
    for seconds, micros in ((1, 0), (0, 1), (0, 250_000), (2, 999_999), (1 << 40, 0)):
        hand.set(number, SOL_SOCKET, 0x100B, layout.build(tv_sec=seconds, tv_usec=micros))
        hand.get(number, SOL_SOCKET, 0x100B)
    for room in (0, 1, 2, 3, 4, 5):
        hand.get(number, SOL_SOCKET, 0x4, room)
    for value in (b"", b"\1", b"\1\0\0", b"\1\0\0\0\0\0\0\0"):
        hand.set(number, SOL_SOCKET, 0x4, value)
    scribe("setsockopt", number, SOL_SOCKET, 4, None, 4)
    scribe("setsockopt", number, SOL_SOCKET, 4, bytes(3000), 3000)
    scribe("getsockopt", number, SOL_SOCKET, 4, None, None)
    scribe("getsockopt", 0, SOL_SOCKET, 4, None, None)
    scribe("getsockopt", 99, SOL_SOCKET, 4, None, None)


def protocol_options(scribe: Scribe) -> None:
    hand = SocketScribe(scribe)
    for family, kind in SOCKETS[:7]:
        number = hand.open(family, kind, 0)
        for level in (0, 1, 6, 17, 41, 58):
            for option in (*range(1, 30), *range(35, 48), 57, 58, 61, 62, 63, 100):
                if (level, option) in ((41, 46), (41, 44), (0, 22), (41, 28), (41, 25), (6, 9), (41, 24)):
                    continue
                hand.get(number, level, option)
        for level in (0, 6, 17, 41):
            for option in (2, 3, 4, 5, 7, 10, 11, 19, 23, 24, 27, 36, 57, 61, 62, 99):
                for value in (1, 300, -2, b"\1"):
                    if level == 6 and option != 2 and value == -2:
                        continue  # the kernel's timers do not survive it
                    hand.set(number, level, option, value)
                hand.get(number, level, option)
        hand.close(number)


def signals(scribe: Scribe) -> None:
    """SO_NOSIGPIPE and the flag of the descriptor."""
    hand = SocketScribe(scribe)
    number = scribe("__socket30", 2, 1 | 0x40000000, 0).value
    scribe("fcntl", number, 3, 0)
    hand.set(number, SOL_SOCKET, 0x4, 1)
    scribe("fcntl", number, 3, 0)
    hand.get(number, SOL_SOCKET, 0x800)
    hand.set(number, SOL_SOCKET, 0x800, 1)
    scribe("fcntl", number, 3, 0)
    hand.get(number, SOL_SOCKET, 0x800)
    scribe("fcntl", number, 4, 4)
    scribe("fcntl", number, 3, 0)
    hand.get(number, SOL_SOCKET, 0x800)
