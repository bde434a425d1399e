# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of interfaces, and how the kernel writes them as sockaddrs.

Sources: sys/net/if.h (struct ifaddr), netinet/in_var.h, netinet6/in6_var.h, net/if_dl.h.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..rooms import Abi

AF_UNSPEC, AF_LOCAL, AF_INET, AF_LINK, AF_INET6, AF_ROUTE = 0, 1, 2, 18, 24, 34
SOCKADDR_IN_SIZE, SOCKADDR_IN6_SIZE = 16, 28
IFA_ROUTE = 0x1
"""The address owns the route to its network (RTF_UP)."""
RTF_CONNECTED = 0x100
IN_IFF_TENTATIVE, IN_IFF_DUPLICATED, IN_IFF_DETACHED, IN_IFF_TRYTENTATIVE = 0x1, 0x2, 0x4, 0x8
IN6_IFF_ANYCAST, IN6_IFF_TENTATIVE, IN6_IFF_DUPLICATED, IN6_IFF_DETACHED = 0x1, 0x2, 0x4, 0x8
IN6_IFF_DEPRECATED, IN6_IFF_NODAD, IN6_IFF_AUTOCONF = 0x10, 0x20, 0x40
INFINITE_LIFETIME = 0xFFFFFFFF


def sockaddr_in(address: bytes, length: int = SOCKADDR_IN_SIZE, family: int = AF_INET) -> bytes:
    """A struct sockaddr_in, cut to ``length`` bytes (a netmask is as long as its last byte that is not zero)."""
    return (bytes([length, family, 0, 0]) + address + bytes(8))[: max(length, 0)]


def sockaddr_in6(
    abi: Abi, address: bytes, scope: int = 0, length: int = SOCKADDR_IN6_SIZE, family: int = AF_INET6
) -> bytes:
    return bytes([length, family]) + bytes(6) + address + abi.integer("uint32", scope)


def trimmed_mask(mask: bytes) -> int:
    """sin_len of an IPv4 netmask (in_socktrim): 0 for an empty one."""
    used = len(mask.rstrip(b"\0"))
    return 4 + used if used else 0


def mask_of(prefix_length: int, size: int) -> bytes:
    """A netmask of ``size`` bytes."""
    bits = 8 * size
    return ((1 << bits) - (1 << bits - prefix_length)).to_bytes(size, "big")


def prefix_length(mask: bytes) -> int | None:
    """The number of leading ones; None if ones follow a zero (in6_mask2len)."""
    bits = int.from_bytes(mask, "big")
    width = 8 * len(mask)
    length = width - ((bits ^ ((1 << width) - 1)).bit_length())
    return length if bits == (1 << width) - (1 << width - length) else None


def masked(address: bytes, mask: bytes) -> bytes:
    return bytes(a & m for a, m in zip(address, mask, strict=True))


def embed_scope(address: bytes, index: int) -> bytes:
    """Put an interface's index into a link-local address, as the kernel keeps it (in6_setscope)."""
    return address[:2] + index.to_bytes(2, "big") + address[4:]


def is_link_local(address: bytes) -> bool:
    return address[0] == 0xFE and address[1] & 0xC0 == 0x80


def needs_scope(address: bytes) -> bool:
    """Whether an IPv6 address means something only on a link: fe80::/10, or ff01:: and ff02:: multicast."""
    return is_link_local(address) or (address[0] == 0xFF and address[1] & 0xF in (1, 2))


@dataclass(eq=False)
class InterfaceAddress:
    """One address of an interface. ``address`` is 4 or 16 bytes; an IPv6 one has its scope embedded."""

    family: int
    address: bytes
    mask: bytes
    mask_family: int = 0
    """sa_family of the netmask, which the kernel keeps as it came."""
    mask_length: int = 0
    """sa_len of the netmask."""
    broadcast: bytes | None = None
    """The broadcast address, or the other end of a point-to-point or loopback link."""
    broadcast_length: int = 0
    """sa_len of the broadcast or destination address: 0 while it is not set."""
    has_destination: bool = True
    """Whether messages carry a broadcast or destination address at all, be it empty."""
    flags: int = 0
    """ifa_flags: IFA_ROUTE, RTF_CONNECTED."""
    metric: int = 0
    state: int = 0
    """IN_IFF_ or IN6_IFF_ bits as they were set; :meth:`state_at` knows whether tentative still holds."""
    valid_lifetime: int = INFINITE_LIFETIME
    preferred_lifetime: int = INFINITE_LIFETIME
    updated: int = 0
    """Uptime of the last update, in nanoseconds."""
    dad_ends: int | None = None
    """Uptime at which duplicate address detection is over, in nanoseconds; None while there is none."""
    initialised: bool = False
    """Whether the interface's driver was told of it, and so has a say about its routes."""
    is_probed: bool = False
    """Whether duplicates of an IPv4 address are looked for when its interface comes up."""
    prefix: Any = field(default=None, repr=False)
    """The prefix that an IPv6 address was given with."""

    @property
    def tentative_bit(self) -> int:
        return IN_IFF_TENTATIVE if self.family == AF_INET else IN6_IFF_TENTATIVE

    @property
    def detached_bit(self) -> int:
        return IN_IFF_DETACHED if self.family == AF_INET else IN6_IFF_DETACHED

    def state_at(self, uptime: int) -> int:
        """The state, after what the time since has done to it."""
        if self.dad_ends is not None and uptime >= self.dad_ends:
            self.dad_ends = None
            self.state &= ~self.tentative_bit
        return self.state

    def detach(self) -> bool:
        """The interface went down; whether the address heard of it only now."""
        self.dad_ends = None
        if self.state & self.detached_bit:
            return False
        self.state |= self.detached_bit
        self.state &= ~(self.tentative_bit | (IN_IFF_DUPLICATED if self.family == AF_INET else IN6_IFF_DUPLICATED))
        return True

    # As sockaddrs

    def sockaddr(self, abi: Abi) -> bytes:
        if self.family == AF_INET:
            return sockaddr_in(self.address)
        return sockaddr_in6(abi, self.address)

    def mask_sockaddr(self, abi: Abi) -> bytes:
        """The netmask as messages carry it: an IPv4 one is trimmed."""
        if self.family == AF_INET:
            raw = bytes([self.mask_length, self.mask_family, 0, 0]) + self.mask + bytes(8)
            return raw[: self.mask_length]
        raw = sockaddr_in6(abi, self.mask, 0, self.mask_length, self.mask_family)
        return raw[: self.mask_length]

    def broadcast_sockaddr(self, abi: Abi) -> bytes | None:
        """The broadcast or destination address; empty where there is room for one, None where not."""
        if not self.has_destination:
            return None
        if self.broadcast is None or not self.broadcast_length:
            return b""
        if self.family == AF_INET:
            return sockaddr_in(self.broadcast)
        return sockaddr_in6(abi, self.broadcast)


def link_sockaddr(abi: Abi, index: int, kind: int, name: str, address: bytes) -> bytes:
    """A struct sockaddr_dl with an interface's name and hardware address."""
    text = name.encode()
    head = abi.integer("uint16", index) + bytes([kind, len(text), len(address), 0])
    length = 2 + len(head) + len(text) + len(address)
    return bytes([length, AF_LINK]) + head + text + address


def link_mask_sockaddr(name: str) -> bytes:
    """The netmask of a link address: ones over the name."""
    size = len(name.encode())
    return bytes([8 + size]) + bytes(7) + b"\xff" * size
