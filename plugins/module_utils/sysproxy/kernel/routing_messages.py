# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages about routes and neighbours: a struct rt_msghdr, then the addresses that its bits name.

What a routing socket takes and gives, and what sysctl net.route lists. Bytes in, objects out: no calls are made here.
IPv6 addresses of one link carry its interface's index inside (KAME's way), which :class:`Names` knows.

Sources: route(4), sys/net/route.h and rtsock.c of 6.99.16 to release 10, netinet6/scope6.c.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

from ..netbsd import Abi
from ..netbsd.constants import AF, RTAX, RTF, RTM, RTV

IPAddress: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"
IPNetwork: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

METRICS: Final = {
    "mtu": RTV.MTU,
    "hopcount": RTV.HOPCOUNT,
    "recvpipe": RTV.RPIPE,
    "sendpipe": RTV.SPIPE,
    "ssthresh": RTV.SSTHRESH,
    "rtt": RTV.RTT,
    "rttvar": RTV.RTTVAR,
    "expire": RTV.EXPIRE,
}
"""The metrics of a route that can be set, with their bits in rtm_inits."""
_HEAD: Final = (
    *(f"rtm_{name}" for name in ("type", "index", "flags", "addrs", "pid", "seq", "errno", "use")),
    *(f"rtm_rmx.rmx_{name}" for name in METRICS),
)
"""What is read of a message's head, in its order."""
_STARTS: Final[dict[int, tuple[int, int]]] = {
    AF.INET: (4, 4),
    AF.INET6: (8, 16),
}  # where an address stands in its sockaddr, and its length
_VERSION: Final = int(RTM.VERSION)
_ABOUT_ROUTES: Final = range(int(RTM.ADD), int(RTM.NEWADDR))
_PLACES: Final = range(int(RTAX.MAX))
_LINK_HEAD: Final = 8
_LINK_SIZE: Final = 20  # struct sockaddr_dl
_ETHERNET: Final = 6  # IFT_ETHER, and the bytes of its addresses


class Names:
    """The interfaces' names by index and indices by name."""

    def __init__(self, by_index: Mapping[int, str]) -> None:
        self._by_index = dict(by_index)
        self._by_name = {name: index for index, name in self._by_index.items()}

    def name(self, index: int) -> str:
        """The name of an interface, or its number where it is not there any more."""
        return self._by_index.get(index, str(index)) if index else ""

    def index(self, name: str) -> int | None:
        return self._by_name.get(name)


@dataclass(frozen=True)
class Message:
    """A message about a route or a neighbour. ``addresses`` are raw sockaddrs by their place."""

    type: int
    index: int = 0
    flags: int = 0
    pid: int = 0
    seq: int = 0
    errno: int = 0
    use: int = 0
    metrics: Mapping[str, int] = field(default_factory=dict)
    """The metrics by name; those that are named are set by the message. ``expire`` is the time of day in seconds."""
    addresses: Mapping[int, bytes] = field(default_factory=dict)

    def build(self, abi: Abi) -> bytes:
        layout = abi.struct("rt_msghdr")
        bits, packed = 0, b""
        for place in sorted(self.addresses):
            raw = self.addresses[place]
            bits |= 1 << place
            packed += raw.ljust(rounded(len(raw)), b"\0")
        head = layout.build(
            rtm_msglen=layout.size + len(packed),
            rtm_version=RTM.VERSION,
            rtm_type=self.type,
            rtm_index=self.index,
            rtm_flags=self.flags,
            rtm_addrs=bits,
            rtm_pid=self.pid,
            rtm_seq=self.seq,
            rtm_inits=sum(METRICS[name] for name in self.metrics),
            rtm_rmx={f"rmx_{name}": value for name, value in self.metrics.items()},
        )
        return head + packed


def parse_messages(abi: Abi, data: bytes, having: int = 0) -> Iterator[Message]:
    """The messages in what sysctl or a routing socket gave; those of other versions and kinds are passed over, and so
    are, with ``having``, those that have none of these flags.

    :raises ValueError: they are cut off, or say of themselves that they are shorter than messages are.
    """
    layout, position = abi.struct("rt_msghdr"), 0
    unpack = layout.numbers(_HEAD).unpack_from
    while position < len(data):
        left = len(data) - position
        length = abi.read_integer("uint16", data[position : position + 2].ljust(2, b"\0"))
        if length < 4 or length > left:
            raise ValueError(f"a routing message of {length} bytes where {left} are left")
        end = position + length
        if data[position + 2] == _VERSION and length >= layout.size and data[position + 3] in _ABOUT_ROUTES:
            kind, index, flags, present, pid, seq, errno, use, *metrics = unpack(data, position)
            if not having or flags & having:
                yield Message(
                    type=kind,
                    index=index,
                    flags=flags & 0xFFFFFFFF,
                    pid=pid,
                    seq=seq,
                    errno=errno,
                    use=use & 0xFFFFFFFF,
                    metrics=dict(zip(METRICS, metrics, strict=True)),
                    addresses=dict(sockaddrs(data[position + layout.size : end], present)),
                )
        position = end


def rounded(length: int) -> int:
    """The room that a sockaddr of so many bytes takes in a message (RT_ROUNDUP): to 8 bytes since release 6."""
    return max(length + -length % 8, 8)


def sockaddrs(data: bytes, present: int) -> Iterator[tuple[int, bytes]]:
    """The sockaddrs after a routing message's head, by their :class:`RTAX`; ``present`` has a bit for each (RTA_*)."""
    position = 0
    for place in _PLACES:
        if present & (1 << place) and position < len(data):
            length = data[position]
            yield place, data[position : position + length]
            position += rounded(length)


# Addresses


def family_of(raw: bytes) -> int:
    return raw[1] if len(raw) > 1 else 0


def scope_is_needed(address: ipaddress.IPv6Address) -> bool:
    """Whether an address means something on one link only (IN6_IS_SCOPE_LINKLOCAL and its multicast kin)."""
    first, second = address.packed[:2]
    return (first == 0xFE and second & 0xC0 == 0x80) or (first == 0xFF and second & 0xF in (1, 2))


def pack_address(abi: Abi, address: IPAddress, index: int = 0) -> bytes:
    """A sockaddr. ``index`` is that of the interface of a link-local address, which gets it inside (in6_setscope)."""
    if address.version == 4:
        return b"\x10\x02\0\0" + address.packed + bytes(8)  # struct sockaddr_in, in half the time of its layout's
    packed = address.packed
    if index and scope_is_needed(address):
        packed = packed[:2] + index.to_bytes(2, "big") + packed[4:]
    return abi.struct("sockaddr_in6").build(sin6_len=28, sin6_family=AF.INET6, sin6_addr=packed)


def pack_mask(abi: Abi, network: IPNetwork) -> bytes:
    """A netmask's sockaddr as route(8) makes it: an IPv4 one ends with its last byte that is not zero."""
    if network.version == 6:
        mask = abi.struct("sockaddr_in6").build(sin6_len=28, sin6_family=AF.INET6, sin6_addr=network.netmask.packed)
        return mask if network.prefixlen else bytes(8)
    bits = network.netmask.packed.rstrip(b"\0")
    return bytes([4 + len(bits)]) + bytes(3) + bits if bits else bytes(8)


def pack_link(abi: Abi, index: int, address: bytes = b"") -> bytes:
    """A sockaddr_dl: an interface by its index, or with ``address`` a neighbour's address on its link."""
    kind = _ETHERNET if len(address) == _ETHERNET else 0
    head = bytes([_LINK_SIZE, AF.LINK]) + abi.integer("uint16", index) + bytes([kind, 0, len(address), 0])
    return (head + address).ljust(_LINK_SIZE, b"\0")


def unpack_address(raw: bytes, names: Names) -> IPAddress | None:
    """The address in a sockaddr, which may be cut off; a link-local one gets its interface's name as scope."""
    family = family_of(raw)
    if family not in _STARTS:
        return None
    start, size = _STARTS[family]
    packed = raw[start : start + size].ljust(size, b"\0")
    found = _address(packed)
    if isinstance(found, ipaddress.IPv4Address) or not scope_is_needed(found):
        return found
    inside = int.from_bytes(packed[2:4], "big")
    return _address(packed[:2] + bytes(2) + packed[4:], names.name(inside) if inside else "")


@lru_cache(maxsize=1024)
def _address(packed: bytes, scope: str = "") -> IPAddress:
    """An address of its bytes: a routing table has the same few again and again."""
    if len(packed) == 4:
        return ipaddress.IPv4Address(packed)
    plain = ipaddress.IPv6Address(packed)
    return ipaddress.IPv6Address(f"{plain}%{scope}") if scope else plain


def unpack_network(destination: bytes, mask: bytes | None, names: Names) -> tuple[IPNetwork, str] | None:
    """A destination and the interface whose link it is on, if it is link-local; ``mask`` is None for a host."""
    address = unpack_address(destination, names)
    if address is None:
        return None
    start, size = _STARTS[family_of(destination)]
    prefix: int = address.max_prefixlen
    if mask is not None:
        # The mask's own length tells where it ends: what a sockaddr of its family has behind that is zero.
        prefix = int.from_bytes(mask[start : start + size], "big").bit_count()
    scope = getattr(address, "scope_id", None) or ""
    packed = address.packed
    # ip_network takes an IPv6 one for an IPv4 one first, which costs an exception.
    kind = ipaddress.IPv4Network if address.version == 4 else ipaddress.IPv6Network
    return kind((packed, prefix), strict=False), scope


def unpack_link(abi: Abi, raw: bytes) -> tuple[int, bytes] | None:
    """The interface's index and the address of a sockaddr_dl."""
    if family_of(raw) != AF.LINK or len(raw) < _LINK_HEAD:
        return None
    start = _LINK_HEAD + raw[5]
    return abi.read_integer("uint16", raw[2:4]), raw[start : start + raw[6]]


def flag_names(abi: Abi, flags: int) -> list[str]:
    """The flags by the names that they have in the kernel's release, in lower case."""
    return list(_flag_names(flags, neighbours_are_apart(abi)))


@lru_cache(maxsize=256)
def _flag_names(flags: int, neighbours_are_apart: bool) -> tuple[str, ...]:
    known = {int(flag): str(flag.name).lower() for flag in RTF} | ({} if neighbours_are_apart else FORMER_FLAGS)
    return tuple(name for bit, name in sorted(known.items()) if flags & bit)


FORMER_FLAGS: Final = {0x100: "cloning", 0x200: "xresolve", 0x400: "llinfo", 0x2000: "cloned"}
"""Flags of a time when neighbours were routes, cloned from those of their networks."""


def neighbours_are_apart(abi: Abi) -> bool:
    """Whether the kernel has its neighbours in tables of their own, and not among the routes (7.99.28)."""
    return abi.release >= (7, 99, 28)
