# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the level SOL_SOCKET (sys/kern/uipc_socket.c, sosetopt1 and sogetopt1)."""

from __future__ import annotations

from typing import Final

from ..errors import refuse
from ..mbufs import CLUSTER_SIZE, Mbufs
from ..rooms import Abi
from .buffers import SB_MAX
from .socket import SO_LINGER, Socket

SOL_SOCKET: Final = 0xFFFF
SWITCHES: Final = frozenset({0x1, 0x4, 0x8, 0x10, 0x20, 0x40, 0x100, 0x200, 0x400, 0x800, 0x2000})
"""SO_DEBUG, REUSEADDR, KEEPALIVE, DONTROUTE, BROADCAST, USELOOPBACK, OOBINLINE, REUSEPORT, OTIMESTAMP, NOSIGPIPE,
TIMESTAMP."""
SO_ACCEPTCONN, SO_ACCEPTFILTER, SO_SNDBUF, SO_RCVBUF, SO_SNDLOWAT, SO_RCVLOWAT = 0x2, 0x1000, *range(0x1001, 0x1005)
OLD_TIMEOUTS: Final = (0x1005, 0x1006)
"""SO_OSNDTIMEO and SO_ORCVTIMEO, whose times are of two C longs."""
SO_ERROR, SO_TYPE, SO_OVERFLOWED, SO_NOHEADER, SO_SNDTIMEO, SO_RCVTIMEO = 0x1007, 0x1008, 0x1009, 0x100A, 0x100B, 0x100C
TIMEOUTS: Final = {0x1005: "send", 0x1006: "receive", SO_SNDTIMEO: "send", SO_RCVTIMEO: "receive"}
LARGEST_LINGER: Final = 0xFFFF
TICK_MICROSECONDS: Final = 10_000


def integer_of(abi: Abi, value: bytes) -> int:
    """The int that an option has to be; EINVAL for another size."""
    if len(value) != 4:
        raise refuse("EINVAL")
    return abi.read_integer("int", value)


def set_socket_option(abi: Abi, socket: Socket, name: int, value: bytes) -> None:
    if name in SWITCHES:
        socket.options = socket.options | name if integer_of(abi, value) else socket.options & ~name
    elif name == SO_LINGER:
        _set_linger(abi, socket, value)
    elif name in (SO_SNDBUF, SO_RCVBUF, SO_SNDLOWAT, SO_RCVLOWAT):
        _set_size(abi, socket, name, value)
    elif name in TIMEOUTS:
        _set_timeout(abi, socket, name, value)
    elif name == SO_ACCEPTFILTER:
        raise refuse("EINVAL")
    else:
        raise refuse("ENOPROTOOPT")


def _set_linger(abi: Abi, socket: Socket, value: bytes) -> None:
    """struct linger: whether, and how many seconds."""
    if len(value) != 8:
        raise refuse("EINVAL")
    on, seconds = abi.read_integer("int", value), abi.read_integer("int", value[4:])
    if not 0 <= seconds <= LARGEST_LINGER:
        raise refuse("EDOM")
    socket.linger = seconds
    socket.options = socket.options | SO_LINGER if on else socket.options & ~SO_LINGER


def _set_size(abi: Abi, socket: Socket, name: int, value: bytes) -> None:
    size = integer_of(abi, value)
    if size < 1:
        raise refuse("EINVAL")
    largest = SB_MAX * CLUSTER_SIZE // (CLUSTER_SIZE + Mbufs.of(abi).size)
    if name in (SO_SNDBUF, SO_RCVBUF) and size > largest:
        raise refuse("ENOBUFS")
    if name == SO_SNDBUF:
        socket.send_limit = size
        socket.send_low_mark = min(socket.send_low_mark, size)
    elif name == SO_RCVBUF:
        socket.received.limit = size
        socket.received.low_mark = min(socket.received.low_mark, size)
    elif name == SO_SNDLOWAT:
        socket.send_low_mark = min(size, socket.send_limit)
    else:
        socket.received.low_mark = min(size, socket.received.limit)


def _set_timeout(abi: Abi, socket: Socket, name: int, value: bytes) -> None:
    """struct timeval, which the kernel rounds to ticks."""
    if name in OLD_TIMEOUTS:
        if len(value) != 2 * abi.word_size:
            raise refuse("EINVAL")
        seconds, microseconds = abi.read_integer("long", value), abi.read_integer("long", value[abi.word_size :])
    else:
        layout = abi.struct("timeval")
        if len(value) != layout.size:
            raise refuse("EINVAL")
        limit = layout.parse(value)
        seconds, microseconds = limit.tv_sec, limit.tv_usec
    if seconds > (0x7FFFFFFF - microseconds // TICK_MICROSECONDS) // 100:
        raise refuse("EDOM")
    ticks = seconds * 100 + microseconds // TICK_MICROSECONDS
    if ticks == 0 and microseconds:
        ticks = 1
    if TIMEOUTS[name] == "send":
        socket.send_timeout = ticks / 100
    else:
        socket.receive_timeout = ticks / 100


def get_socket_option(abi: Abi, socket: Socket, name: int) -> bytes:
    if name in SWITCHES or name == SO_ACCEPTCONN:
        return abi.integer("int", 1 if socket.options & name else 0)
    if name == SO_LINGER:
        return abi.integers("int", 1 if socket.options & SO_LINGER else 0, socket.linger)
    if name in TIMEOUTS:
        limit = socket.send_timeout if TIMEOUTS[name] == "send" else socket.receive_timeout
        seconds, microseconds = divmod(round(limit * 100) * TICK_MICROSECONDS, 1_000_000)
        if name in OLD_TIMEOUTS:
            return abi.integers("long", seconds, microseconds)
        return abi.struct("timeval").build(tv_sec=seconds, tv_usec=microseconds)
    if name == SO_ERROR:
        error, socket.pending_error = socket.pending_error, None
        return abi.integer("int", int(error or 0))
    sizes = {
        SO_TYPE: socket.kind,
        SO_SNDBUF: socket.send_limit,
        SO_RCVBUF: socket.received.limit,
        SO_SNDLOWAT: socket.send_low_mark,
        SO_RCVLOWAT: socket.received.low_mark,
        SO_OVERFLOWED: socket.overflowed,
    }
    if name == SO_ACCEPTFILTER:
        raise refuse("EINVAL")
    if name not in sizes:
        raise refuse("ENOPROTOOPT")
    return abi.integer("int", sizes[name])
