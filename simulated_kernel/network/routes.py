# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routing table: what leads where, and how it follows the interfaces' addresses.

Sources: sys/net/route.c, rtbl.c, radix.c; netinet/if_arp.c and netinet6/nd6.c for the gateways of connected routes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..clock import NANOSECONDS
from ..errors import SyscallError, refuse
from ..rooms import Abi
from .addresses import (
    AF_INET,
    AF_INET6,
    AF_LINK,
    RTF_CONNECTED,
    InterfaceAddress,
    masked,
    sockaddr_in,
    sockaddr_in6,
)
from .messages import RTM_ADD, RTM_CHANGE, RTM_DELETE, own_link_sockaddr

if TYPE_CHECKING:
    from .interfaces import Interface
    from .stack import NetworkStack

RTF_UP, RTF_GATEWAY, RTF_HOST, RTF_REJECT, RTF_STATIC = 0x1, 0x2, 0x4, 0x8, 0x800
RTF_DONE, RTF_LLDATA, RTF_BLACKHOLE, RTF_LOCAL, RTF_BROADCAST = 0x40, 0x400, 0x1000, 0x40000, 0x80000
RTF_ANNOUNCE = 0x20000
PLACES = {AF_INET: (4, 8), AF_INET6: (8, 24)}
"""Where the address stands in a sockaddr, by family."""
METRICS = ("locks", "mtu", "hopcount", "recvpipe", "sendpipe", "ssthresh", "rtt", "rttvar", "expire", "pksent")
"""The members of struct rt_metrics, 64 bits each."""


@dataclass(eq=False)
class Route:
    """One route. Addresses are sockaddrs, as they were given."""

    key: bytes
    mask: bytes | None
    """The mask's bits alone, as long as an address of the family; None for a route to a host."""
    gateway: bytes
    flags: int
    interface: Interface
    address: InterfaceAddress | None
    """The interface's own address for packets that leave this way."""
    tag: bytes | None = None
    uses: int = 0
    metrics: dict[str, int] = field(default_factory=lambda: dict.fromkeys(METRICS, 0))
    """struct rt_metrics; ``expire`` is in seconds since the start."""

    def source(self, abi: Abi) -> bytes:
        """That address as a sockaddr; the link's own if there is none."""
        return own_link_sockaddr(abi, self.interface) if self.address is None else self.address.sockaddr(abi)

    @property
    def family(self) -> int:
        return self.key[1]

    @property
    def bits(self) -> bytes:
        """The destination's address."""
        return address_bits(self.key)

    @property
    def prefix_length(self) -> int:
        """The number of ones in the mask; a host's route has one more than any mask."""
        if self.mask is None:
            return 8 * 16 + 1
        return int.from_bytes(self.mask, "big").bit_count()

    def covers(self, bits: bytes) -> bool:
        return self.bits == (bits if self.mask is None else masked(bits, self.mask))

    @property
    def is_local_host(self) -> bool:
        """Whether it is an own address's route, through the loopback."""
        return bool(self.flags & RTF_HOST) and self.interface.is_loopback

    def mask_sockaddr(self) -> bytes | None:
        """The mask as messages carry it: as long as its last byte that is not zero, ones before the address."""
        if self.mask is None:
            return None
        start = PLACES[self.family][0]
        used = len(self.mask.rstrip(b"\0"))
        if not used:
            return b""
        return bytes([start + used]) + b"\xff" * (start - 1) + self.mask[:used]


def address_bits(raw: bytes) -> bytes:
    """The address in a sockaddr, with zeros for what is missing of it."""
    start, end = PLACES[raw[1]]
    return raw[start:end].ljust(end - start, b"\0")


def mask_bits(raw: bytes, family: int) -> bytes:
    """The bits of a netmask's sockaddr, which may be cut off and whose family does not count."""
    start, end = PLACES[family]
    return raw[start : min(end, max(raw[0], start))].ljust(end - start, b"\0") if raw else bytes(end - start)


class RouteTable:
    """The routes of one kernel."""

    def __init__(self, stack: NetworkStack) -> None:
        self._stack = stack
        self._routes: dict[int, list[Route]] = {AF_INET: [], AF_INET6: []}

    # The table itself

    def walk(self, family: int = 0) -> Iterator[Route]:
        """All routes in the tree's order: by destination, the narrower before the wider."""
        for number, routes in self._routes.items():
            if family in (0, number):
                yield from sorted(routes, key=lambda route: (route.bits, -route.prefix_length))

    def match(self, family: int, bits: bytes) -> Route | None:
        """The narrowest route that leads to an address."""
        fitting = [route for route in self._routes.get(family, ()) if route.covers(bits)]
        return max(fitting, key=lambda route: route.prefix_length, default=None)

    def lookup(self, family: int, bits: bytes, mask: bytes | None) -> Route:
        """A route by destination and, if it is given, by mask among those to the same destination; ESRCH."""
        if family not in self._routes:
            raise refuse("ESRCH")
        found = self.match(family, bits)
        if found is not None and mask is not None:
            found = next((other for other in self._chain(found) if other.mask == mask), None)
        if found is None:
            raise refuse("ESRCH")
        return found

    def _chain(self, found: Route) -> list[Route]:
        """The routes with the same destination that are as wide or wider, the narrower first."""
        same = [route for route in self._routes[found.family] if route.bits == found.bits]
        same.sort(key=lambda route: -route.prefix_length)
        return same[same.index(found) :]

    def add(self, route: Route) -> None:
        """Refuses with EEXIST what is there already."""
        routes = self._routes[route.family]
        if any(other.bits == route.bits and other.mask == route.mask for other in routes):
            raise refuse("EEXIST")
        routes.append(route)
        self.adapt(route)

    def delete(self, family: int, bits: bytes, mask: bytes | None) -> Route:
        """Take out the route to exactly this, without a mask the narrowest; ESRCH."""
        self.lookup(family, bits, mask)
        same = [route for route in self._routes[family] if route.bits == bits and mask in (None, route.mask)]
        if not same:
            raise refuse("ESRCH")
        exact = max(same, key=lambda route: route.prefix_length)
        self.drop(exact)
        return exact

    def drop(self, route: Route) -> None:
        self._routes[route.family].remove(route)
        route.flags &= ~RTF_UP
        owner = route.address
        if owner is not None and owner.flags & 0x1 and route.bits == self._connected_bits(owner):
            owner.flags &= ~0x1

    def _connected_bits(self, owner: InterfaceAddress) -> bytes:
        return masked(owner.address, owner.mask)

    def adapt(self, route: Route) -> None:
        """What the interface's protocol makes of a new route (lo, arp, nd6 and p2p_rtrequest)."""
        interface = route.interface
        if interface.is_loopback:
            if route.address is not None and route.address.initialised:
                route.metrics["mtu"] = self._stack.loopback.mtu
        elif route.flags & RTF_GATEWAY:
            return
        elif route.family == AF_INET:
            if interface.resolves_addresses:
                self._adapt_arp(route, interface)
            elif interface.is_point_to_point and route.flags & RTF_LOCAL:
                route.interface = self._stack.loopback
        elif not interface.is_point_to_point and (interface.caches_neighbours or route.flags & RTF_HOST):
            self._adapt_neighbour(route, interface)

    def _adapt_arp(self, route: Route, interface: Interface) -> None:
        if not route.flags & RTF_HOST and route.mask is not None and route.mask != b"\xff" * 4:
            route.flags |= RTF_CONNECTED
        if route.flags & (RTF_CONNECTED | RTF_LOCAL):
            route.gateway = self._link_gateway(interface)
            route.metrics["expire"] = 1 + self._stack.kernel.clock.uptime() // NANOSECONDS
        if route.flags & RTF_CONNECTED:
            return
        own = next((own for own in interface.addresses if own.address == route.bits), None)
        if route.flags & RTF_LOCAL or (own is not None and route.gateway[1] == AF_LINK):
            route.metrics["expire"] = route.metrics["mtu"] = 0
            route.interface = self._stack.loopback
            if not route.flags & RTF_LOCAL and own is not None:
                route.flags |= RTF_LOCAL
                route.address = own

    def _adapt_neighbour(self, route: Route, interface: Interface) -> None:
        if route.flags & (RTF_CONNECTED | RTF_LOCAL):
            route.gateway = self._link_gateway(interface)
        if route.flags & RTF_CONNECTED:
            return
        own = next((own for own in interface.addresses if own.address == route.bits), None)
        if route.flags & RTF_LOCAL or own is not None:
            route.interface = self._stack.loopback
            if own is not None:
                route.address = own

    def _link_gateway(self, interface: Interface) -> bytes:
        """The gateway of a connected route: the interface by number, with room for its name and address."""
        index = self._stack.kernel.abi.integer("uint16", interface.index)
        size = 8 + len(interface.name) + len(interface.hardware_address)
        return (bytes([size, AF_LINK]) + index + bytes([interface.kind.type])).ljust(size, b"\0")

    # Routes that addresses bring

    def add_local(self, interface: Interface, address: InterfaceAddress) -> None:
        """The route to an own address, unless there is one (rt_ifa_addlocal)."""
        found = self.match(address.family, address.address)
        if found is not None and found.is_local_host:
            self._stack.notices.address_added(interface, address, None)
            return
        flags = RTF_UP | RTF_HOST | RTF_LOCAL
        if not interface.is_loopback and not interface.is_point_to_point:
            flags |= RTF_LLDATA
        abi = self._stack.kernel.abi
        route = Route(address.sockaddr(abi), None, own_link_sockaddr(abi, interface), flags, interface, address)
        try:
            self.add(route)
        except SyscallError:
            self._stack.notices.address_added(interface, address, None)
            raise
        self._stack.notices.address_added(interface, address, route)

    def remove_local(self, interface: Interface, address: InterfaceAddress) -> None:
        """The own address is going (rt_ifa_remlocal); another interface that has it too takes the route over."""
        found = self.match(address.family, address.address)
        if found is None or not found.is_local_host:
            self._stack.notices.address_removed(interface, address)
            return
        other = next(
            (
                own
                for owner in self._stack.interfaces
                if owner is not interface
                for own in owner.addresses
                if own.family == address.family and own.address == address.address
            ),
            None,
        )
        if other is None:
            self.drop(found)
            self._stack.notices.host_route_removed(found)
            self._stack.notices.address_removed(interface, address)
        else:
            found.address = other
            self._stack.notices.route(RTM_CHANGE, found)

    def connect(
        self, interface: Interface, address: InterfaceAddress, bits: bytes, mask: bytes | None, flags: int, quiet: bool
    ) -> None:
        """A route through one of an interface's own addresses (rtinit); EEXIST."""
        abi = self._stack.kernel.abi
        key = sockaddr_in(bits) if address.family == AF_INET else sockaddr_in6(abi, bits)
        route = Route(key, mask, address.sockaddr(abi), RTF_UP | flags, interface, address)
        self.add(route)
        if not quiet:
            self._stack.notices.route(RTM_ADD, route)

    def disconnect(self, family: int, bits: bytes, mask: bytes | None, owner: InterfaceAddress | None = None) -> bool:
        """Take such a route away, if it is its owner's; whether it was."""
        if owner is not None:
            found = self.match(family, bits)
            if found is not None and found.address is not owner:
                return False
        try:
            route = self.delete(family, bits, mask)
        except SyscallError:
            return False
        self._stack.notices.route(RTM_DELETE, route)
        return True

    def interface_removed(self, interface: Interface) -> None:
        """Whatever still leads through the interface goes with it (if_rt_walktree)."""
        for route in list(self.walk()):
            if route.interface is interface:
                self.drop(route)
