# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of socket options: Python's numbers for the controller's system, turned into NetBSD's.

Each system has its own numbers, and ``socket.SO_REUSEADDR`` is the controller's. What NetBSD has and the
controller lacks goes by the classes of :mod:`~..netbsd.constants`: SO, IP, IPV6, with SOL and IPPROTO for levels.
"""

from __future__ import annotations

import socket
from enum import IntEnum
from typing import Final

from ..netbsd import Abi
from ..netbsd.constants import IP, IPPROTO, IPV6, MSG, SO, SOCK, SOL

_OPTIONS: Final[dict[int, type[IntEnum]]] = {SOL.SOCKET: SO, IPPROTO.IP: IP, IPPROTO.IPV6: IPV6}
_OTHER_NAMES: Final = {"IPV6_ADD_MEMBERSHIP": IPV6.JOIN_GROUP, "IPV6_DROP_MEMBERSHIP": IPV6.LEAVE_GROUP}
# netinet/in6.h, netinet/tcp.h: the names that Python may have too.
_MORE: Final[dict[int, dict[str, int]]] = {
    IPPROTO.IPV6: {"IPV6_V6ONLY": 27},
    IPPROTO.TCP: {
        "TCP_NODELAY": 1,
        "TCP_MAXSEG": 2,
        "TCP_KEEPIDLE": 3,
        "TCP_KEEPINTVL": 5,
        "TCP_KEEPCNT": 6,
        "TCP_KEEPINIT": 7,
        "TCP_INFO": 9,
        "TCP_MD5SIG": 0x10,
        "TCP_CONGCTL": 0x20,
    },
}


def _translations(level: int) -> dict[int, int]:
    """The controller's numbers at a level to NetBSD's."""
    kind = _OPTIONS.get(level)
    names = {f"{kind.__name__}_{name}": int(number) for name, number in kind.__members__.items()} if kind else {}
    names |= _MORE.get(level, {})
    if kind is IPV6:
        names |= {name: int(number) for name, number in _OTHER_NAMES.items()}
    return {int(getattr(socket, name)): number for name, number in names.items() if hasattr(socket, name)}


_TRANSLATIONS: Final = {level: _translations(level) for level in (*_OPTIONS, IPPROTO.TCP)}
_FLAGS: Final = {
    int(getattr(socket, f"MSG_{name}")): flag
    for name, flag in MSG.__members__.items()
    if hasattr(socket, f"MSG_{name}")
}


def native_option(level: int, option: int) -> tuple[int, int]:
    """NetBSD's numbers for a level and an option of the controller's, or of NetBSD's by its classes.

    :raises ValueError: NetBSD has no such option.
    """
    if not isinstance(level, SOL | IPPROTO):
        level = SOL.SOCKET if level == socket.SOL_SOCKET else level
    if isinstance(option, SO | IP | IPV6):
        return level, option
    known = _TRANSLATIONS.get(level)
    if known is None:
        return level, option  # the options of a protocol that has one set of numbers everywhere
    if option not in known:
        raise ValueError(f"NetBSD has no socket option {option} of level {level}")
    return level, known[option]


def native_flags(flags: int) -> int:
    """NetBSD's flags of send and recv for Python's; those that are NetBSD's, as MSG, stay.

    :raises ValueError: NetBSD has no such flag.
    """
    if isinstance(flags, MSG):
        return flags
    native = 0
    for host, ours in _FLAGS.items():
        if flags & host == host:
            native |= ours
            flags &= ~host
    if flags:
        raise ValueError(f"NetBSD has no flags {flags:#x} of send and recv")
    return native


def creation_flags(abi: Abi) -> int:
    """Of all sockets: they never wait in the kernel, and raise no SIGPIPE, where the release can be told so."""
    return SOCK.NONBLOCK | (SOCK.NOSIGPIPE if abi.release >= (7,) else 0)
