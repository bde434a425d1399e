# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the levels IP, IPv6, TCP and UDP.

Sources: sys/netinet/ip_output.c (ip_ctloutput), tcp_usrreq.c and udp_usrreq.c (their ctloutput),
netinet6/ip6_output.c (ip6_ctloutput).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import refuse
from ..network.addresses import AF_INET
from .options import SO_NOHEADER, SOL_SOCKET, integer_of
from .socket import SOCK_DGRAM, SOCK_RAW, SOCK_STREAM

if TYPE_CHECKING:
    from ..kernel import SimulatedKernel

IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6 = 0, 6, 17, 41
IP_HDRINCL, IP_TTL, IP_PORTALGO, IP_PORTRANGE, IP_ERRORMTU, IP_MINTTL = 2, 4, 18, 19, 21, 24
IP_MULTICAST_IF, IP_MULTICAST_TTL, IP_MULTICAST_LOOP, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP = range(9, 14)
IPV6_UNICAST_HOPS, IPV6_V6ONLY, IPV6_PORTALGO, IPV6_PORTRANGE, IPV6_HOPLIMIT = 4, 27, 17, 14, 47
IPV6_MULTICAST_IF, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP, IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP = range(9, 14)
IPV6_CHECKSUM, IPV6_OTCLASS, IPV6_DONTFRAG = 26, 58, 62
PACKET_OPTIONS: Final = (35,)
"""Options of IPv6 that are headers, of which there are none."""
TCP_NODELAY, TCP_MAXSEG, TCP_MD5SIG = 1, 2, 0x10
UDP_ENCAP: Final = 100
PORTRANGE_LOW: Final = 2
DEFAULT_TTL: Final = 64
TCP_DEFAULT_SEGMENT: Final = 536


@dataclass(frozen=True)
class Option:
    """An int with limits, and what it is at first. A switch is read as 0 or as its ``on``."""

    default: int = 0
    low: int = -(1 << 31)
    high: int = (1 << 31) - 1
    on: int = 0
    byte: bool = False
    """Whether it is read as one byte."""
    wraps: bool = False
    """Whether it is kept in one byte."""
    readable: bool = True
    writable: bool = True


_SWITCH: Final = Option(on=1)
_IP: Final = {
    3: Option(wraps=True),
    IP_TTL: Option(DEFAULT_TTL, wraps=True),
    **dict.fromkeys((5, 6, 7, 20, 23, 25, 26), _SWITCH),
    IP_MINTTL: Option(low=1, high=255),
    IP_ERRORMTU: Option(-1, writable=False),
    IP_PORTRANGE: Option(low=0, high=PORTRANGE_LOW),
    IP_PORTALGO: Option(0xFFFF, low=0, high=5),
}
_IP_RAW: Final = {IP_TTL: Option(wraps=True), IP_HDRINCL: Option(on=8)}
_IP_MULTICAST: Final = {IP_MULTICAST_TTL: Option(1, 0, 255, byte=True), IP_MULTICAST_LOOP: Option(1, 0, 1, byte=True)}
_IPV6: Final = {
    IPV6_UNICAST_HOPS: Option(-1, -1, 255),
    IPV6_MULTICAST_IF: Option(),
    IPV6_MULTICAST_HOPS: Option(1, -1, 255),
    IPV6_MULTICAST_LOOP: Option(1, 0, 1),
    IPV6_V6ONLY: Option(1, on=1),
    IPV6_PORTRANGE: Option(low=0, high=PORTRANGE_LOW),
    IPV6_PORTALGO: Option(0xFFFF, low=0, high=5),
    **dict.fromkeys((29, 36, 37, 38, 39, 40, 41, 43, 57), _SWITCH),
    61: Option(0, -1, 255),
    62: _SWITCH,
    42: Option(-1, -1, 1),
    63: Option(-1, -1, 1),
}
_TCP: Final = {
    TCP_NODELAY: Option(on=4),
    TCP_MAXSEG: Option(TCP_DEFAULT_SEGMENT, low=1, high=TCP_DEFAULT_SEGMENT),
    **dict.fromkeys((3, 5, 6, 7), Option(low=1, readable=False)),
}


class InternetOptions:
    """The options of one socket."""

    def __init__(self, kernel: SimulatedKernel, family: int, kind: int) -> None:
        self._kernel = kernel
        self._is_ipv4 = family == AF_INET
        self._kind = kind
        self._values: dict[tuple[int, int], int] = {}

    def copy(self) -> InternetOptions:
        """The options that a new connection has from its listener."""
        other = copy.copy(self)
        other._values = dict(self._values)
        return other

    # What the sockets ask

    @property
    def only_v6(self) -> bool:
        return bool(self._value(IPPROTO_IPV6, IPV6_V6ONLY, _IPV6[IPV6_V6ONLY]))

    @property
    def low_port(self) -> bool:
        """Whether a port below 1024 is wanted."""
        level, name = (IPPROTO_IP, IP_PORTRANGE) if self._is_ipv4 else (IPPROTO_IPV6, IPV6_PORTRANGE)
        return self._values.get((level, name)) == PORTRANGE_LOW

    @property
    def header_included(self) -> bool:
        return bool(self._values.get((IPPROTO_IP, IP_HDRINCL)))

    @property
    def ttl(self) -> int:
        return self._value(IPPROTO_IP, IP_TTL, _IP[IP_TTL]) & 0xFF

    def _value(self, level: int, name: int, option: Option) -> int:
        return self._values.get((level, name), option.default)

    # getsockopt, setsockopt

    def _known(self, level: int) -> dict[int, Option]:
        """The options of a level that the socket's protocol has; ENOPROTOOPT."""
        if self._kind == SOCK_STREAM and level == IPPROTO_TCP:
            return _TCP
        if level == IPPROTO_IP and self._is_ipv4:
            return {**_IP, **_IP_MULTICAST, **(_IP_RAW if self._kind == SOCK_RAW else {})}
        if level == IPPROTO_IP:
            return _IP_MULTICAST
        if level == IPPROTO_IPV6 and not self._is_ipv4:
            return {**_IPV6, IPV6_CHECKSUM: Option(-1)} if self._kind == SOCK_RAW else _IPV6
        raise refuse("ENOPROTOOPT")

    def get(self, level: int, name: int) -> bytes:
        abi = self._kernel.abi
        if self._kind == SOCK_DGRAM and level == IPPROTO_UDP:
            raise refuse("EINVAL")
        known = self._known(level)
        if level == IPPROTO_IP and name == IP_MULTICAST_IF:
            return bytes(4)
        if level == IPPROTO_IP and name in (1, 8) and self._is_ipv4:
            return b""
        if level in (IPPROTO_IP, IPPROTO_IPV6) and name in (IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP):
            raise refuse("EOPNOTSUPP")
        if level == IPPROTO_IPV6 and name in PACKET_OPTIONS:
            return b""
        if level == IPPROTO_IPV6 and name == IPV6_OTCLASS:
            raise refuse("EINVAL")
        option = known.get(name)
        if option is None or not option.readable:
            raise refuse("ENOPROTOOPT")
        value = self._value(level, name, option)
        if option.on:
            value = option.on if value else 0
        if name == IP_PORTRANGE and level == IPPROTO_IP and value != PORTRANGE_LOW:
            value = 0
        return bytes([value]) if option.byte else abi.integer("int", value)

    def set(self, level: int, name: int, value: bytes, bound: bool) -> None:
        if level == SOL_SOCKET and name == SO_NOHEADER and (self._is_ipv4 or self._kind == SOCK_RAW):
            return
        if self._kind == SOCK_DGRAM and level == IPPROTO_UDP:
            self._set_udp(name, value)
            return
        known = self._known(level)
        if self._is_multicast(level, name):
            self._set_multicast(level, name, value)
            return
        option = known.get(name)
        if option is None or not option.writable:
            raise refuse("ENOPROTOOPT")
        number = self._integer(value, option)
        if (level, name) == (IPPROTO_TCP, TCP_MAXSEG) and number > self._value(level, name, option):
            raise refuse("EINVAL")
        if (level, name, self._kind) == (IPPROTO_IPV6, IPV6_DONTFRAG, SOCK_STREAM):
            number = 0
        if (level, name) == (IPPROTO_IPV6, IPV6_V6ONLY) and bound:
            raise refuse("EINVAL")
        self._values[level, name] = number

    def _integer(self, value: bytes, option: Option) -> int:
        if option.byte and len(value) == 1:
            number = value[0]
        else:
            number = integer_of(self._kernel.abi, value)
        if not option.low <= number <= option.high:
            raise refuse("EINVAL")
        return number & 0xFF if option.wraps else number

    def _set_udp(self, name: int, value: bytes) -> None:
        if not self._is_ipv4:
            raise refuse("EINVAL")
        if name != UDP_ENCAP:
            raise refuse("ENOPROTOOPT")
        if integer_of(self._kernel.abi, value) not in (0, 1, 2):
            raise refuse("EINVAL")

    def _is_multicast(self, level: int, name: int) -> bool:
        """Whether it is about membership in groups."""
        return name in (IP_MULTICAST_IF, IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP) and level in (IPPROTO_IP, IPPROTO_IPV6)

    def _set_multicast(self, level: int, name: int, value: bytes) -> None:
        """Groups are taken note of and bring nothing: no packets come from outside."""
        if name == IP_MULTICAST_IF:
            if len(value) != 4:
                raise refuse("EINVAL")
            return
        if len(value) != (8 if level == IPPROTO_IP else 20):
            raise refuse("EINVAL")
        is_group = value[0] >> 4 == 0xE if level == IPPROTO_IP else value[0] == 0xFF
        if not is_group:
            raise refuse("EINVAL")
