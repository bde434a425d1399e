# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What processes ask of the routing table: adding, removing, changing and finding routes.

Sources: sys/net/rtsock.c (route_output), route.c (rtrequest1, rt_getifa, ifa_ifwithroute), if.c (ifa_ifwith…).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..clock import NANOSECONDS
from ..errors import refuse
from .addresses import AF_LINK, InterfaceAddress, masked
from .interfaces import IFF_BROADCAST, Interface
from .messages import (
    RTAX_DST,
    RTAX_GATEWAY,
    RTAX_IFA,
    RTAX_IFP,
    RTAX_NETMASK,
    RTAX_TAG,
    RTM_ADD,
    RTM_CHANGE,
    RTM_DELETE,
    RTM_GET,
    RTM_LOCK,
    own_link_sockaddr,
)
from .route_messages import RouteMessage, interface_addresses, wall_metrics
from .routes import (
    PLACES,
    RTF_ANNOUNCE,
    RTF_GATEWAY,
    RTF_HOST,
    RTF_LLDATA,
    RTF_STATIC,
    RTF_UP,
    Route,
    address_bits,
    mask_bits,
)

if TYPE_CHECKING:
    from .stack import NetworkStack

AF_MAX = 36
PRESERVED_FLAGS = 0x1 | 0x2 | 0x4 | 0x40 | 0x80
"""RTF_UP, GATEWAY, HOST, DONE and MASK, which RTM_CHANGE leaves alone."""
RTV_MTU, RTV_EXPIRE = 0x1, 0x4
SETTABLE = {
    0x1: "mtu",
    0x2: "hopcount",
    0x8: "recvpipe",
    0x10: "sendpipe",
    0x20: "ssthresh",
    0x40: "rtt",
    0x80: "rttvar",
}
"""Metrics by their bits of rtm_inits (RTV_)."""
Own = tuple[Interface, InterfaceAddress | None]
"""An interface's address; None is its link address."""


class RouteRequests:
    """Serves the messages that processes write to routing sockets."""

    def __init__(self, stack: NetworkStack) -> None:
        self._stack = stack
        self._abi = stack.kernel.abi

    def serve(self, message: RouteMessage, is_root: bool) -> RouteMessage:
        """Do what a message asks; the answer. The message itself says what changed, where nothing else does.

        ``is_root``: whether it is the superuser who asks; others may only look routes up.
        """
        addresses = message.addresses
        destination = addresses.get(RTAX_DST)
        if destination is None or destination[1] >= AF_MAX:
            raise refuse("EINVAL")
        if RTAX_GATEWAY in addresses and addresses[RTAX_GATEWAY][1] >= AF_MAX:
            raise refuse("EINVAL")
        if message.kind != RTM_GET and not is_root:
            raise refuse("EACCES")
        if message.kind == RTM_DELETE:
            gateway = message.addresses.get(RTAX_GATEWAY)
            if gateway is not None and gateway[1] == AF_LINK and message.flags & RTF_LLDATA:
                index = self._abi.read_integer("uint16", gateway[2:4])
                self._stack.neighbours.remove(index, address_bits(destination))
                return message
            return self._report(message, self._delete(message))
        if message.kind == RTM_GET:
            return self._get(message)
        if message.kind == RTM_ADD:
            self._add(message)
        elif message.kind in (RTM_CHANGE, RTM_LOCK):
            self._change(message)
        else:
            raise refuse("EOPNOTSUPP")
        return message

    def _key(self, message: RouteMessage) -> tuple[int, bytes, bytes | None]:
        """(family, address, mask) of what a message is about; ESRCH for a family without routes."""
        destination = message.addresses[RTAX_DST]
        family = destination[1]
        if family not in PLACES:
            raise refuse("ESRCH")
        bits, mask = address_bits(destination), None
        raw_mask = message.addresses.get(RTAX_NETMASK)
        if raw_mask is not None and not message.flags & RTF_HOST:
            mask = mask_bits(raw_mask, family)
            bits = masked(bits, mask)
        return family, bits, mask

    # Adding and removing

    def _add(self, message: RouteMessage) -> None:
        gateway = message.addresses.get(RTAX_GATEWAY)
        if gateway is None:
            raise refuse("EINVAL")
        if gateway[1] == AF_LINK and self._add_neighbour(message, gateway):
            return
        family, bits, mask = self._key(message)
        interface, address = self._own_for(message)
        start, end = PLACES[family]
        raw = message.addresses[RTAX_DST]
        key = raw[:start] + bits[: max(0, len(raw) - start)] + raw[end:]
        route = Route(key, mask, gateway, RTF_UP | message.flags, interface, address)
        route.tag = message.addresses.get(RTAX_TAG)
        if address is None:
            # An interface's link address stands for that of the destination's family (link_rtrequest).
            own = self._of_interface(raw, interface)
            route.address = own[1] if own else None
        self._miss_gateway(route)
        by_link = message.addresses.get(RTAX_IFP)
        if by_link is not None:
            named = self._with_net(by_link)
            if named is not None:
                route.interface = named[0]
        self._stack.routes.add(route)
        self._set_metrics(message, route)

    def _add_neighbour(self, message: RouteMessage, link: bytes) -> bool:
        """Whether the message is about a neighbour; one that only names an interface is about a route."""
        link = link.ljust(8, b"\0")
        destination = message.addresses[RTAX_DST]
        if not any(link[5:8]) or destination[1] not in PLACES:
            return False
        index = self._abi.read_integer("uint16", link[2:4])
        if not index:
            route = self._stack.routes.match(destination[1], address_bits(destination))
            if route is None or route.gateway[1] != AF_LINK:
                return False
            index = self._abi.read_integer("uint16", route.gateway[2:4])
        published = bool(message.flags & RTF_ANNOUNCE)
        expires = message.metrics["expire"]
        self._stack.neighbours.add(index, address_bits(destination), link, expires, published)
        return True

    def _delete(self, message: RouteMessage) -> Route:
        return self._stack.routes.delete(*self._key(message))

    def _miss_gateway(self, route: Route) -> None:
        """Tell all who listen of a gateway to which no route leads."""
        gateway = route.gateway
        if not route.flags & RTF_GATEWAY or gateway[1] not in PLACES:
            return
        if self._stack.routes.match(gateway[1], address_bits(gateway)) is None:
            self._stack.notices.miss(gateway)

    def _adopt_mtu(self, route: Route) -> None:
        """A gateway to which a route leads whose MTU is smaller gives the route that one, or none (rt_setgate)."""
        if not route.flags & RTF_GATEWAY or route.gateway[1] not in PLACES:
            return
        way = self._stack.routes.match(route.gateway[1], address_bits(route.gateway))
        if way is not None and not route.metrics["locks"] & RTV_MTU and route.metrics["mtu"] > way.metrics["mtu"]:
            route.metrics["mtu"] = way.metrics["mtu"]

    # Finding

    def _get(self, message: RouteMessage) -> RouteMessage:
        route = self._stack.routes.lookup(*self._key(message))
        asks_for_link = message.flags & RTF_LLDATA or not message.flags & RTF_UP
        if not asks_for_link or route.key == message.addresses[RTAX_DST]:
            return self._report(message, route)
        interface = route.interface
        known = self._stack.neighbours.find(interface, address_bits(message.addresses[RTAX_DST]))
        answer = self._report(message, route, {RTAX_GATEWAY: self._stack.neighbours.link_address(interface, known)})
        answer.flags |= RTF_LLDATA
        if known is not None and not known.expires:
            answer.flags |= RTF_STATIC
        return answer

    def _report(self, message: RouteMessage, route: Route, instead: dict[int, bytes] | None = None) -> RouteMessage:
        """The message, telling of the route (route_output_report)."""
        addresses = dict(message.addresses)
        wants_interface = (message.addrs or 0) & (1 << RTAX_IFP | 1 << RTAX_IFA)
        if instead is None:
            addresses |= {RTAX_DST: route.key, RTAX_GATEWAY: route.gateway}
            addresses.pop(RTAX_NETMASK, None)
            mask = route.mask_sockaddr()
            if mask is not None:
                addresses[RTAX_NETMASK] = mask
        else:
            addresses |= instead
        index, metrics = message.index, wall_metrics(route, self._stack.kernel.clock)
        metrics |= {name: message.metrics[name] for name in ("locks", "pksent")}
        if wants_interface:
            addresses |= interface_addresses(self._abi, route)
            index = route.interface.index
        return RouteMessage(
            message.kind,
            index,
            route.flags,
            message.pid,
            message.seq,
            0,
            message.use,
            message.inits,
            wall_metrics(route, self._stack.kernel.clock)
            | {"locks": message.metrics["locks"], "pksent": message.metrics["pksent"]},
            addresses,
        )

    # Changing

    def _change(self, message: RouteMessage) -> None:
        routes, addresses = self._stack.routes, message.addresses
        route = routes.lookup(*self._key(message))
        destination = addresses[RTAX_DST]
        if destination != route.key[: len(destination)]:
            raise refuse("ESRCH")
        if RTAX_NETMASK not in addresses and route.mask is not None:
            raise refuse("ETOOMANYREFS")
        if message.kind == RTM_CHANGE:
            self._own_for(message)
            if RTAX_GATEWAY in addresses:
                route.gateway = addresses[RTAX_GATEWAY]
                self._miss_gateway(route)
                self._adopt_mtu(route)
            self._move(message, route)
            self._set_metrics(message, route)
            if route.flags != message.flags:
                route.flags = message.flags & ~PRESERVED_FLAGS | route.flags & PRESERVED_FLAGS
            routes.adapt(route)
        route.metrics["locks"] &= ~message.inits
        route.metrics["locks"] |= message.inits & message.metrics["locks"]

    def _move(self, message: RouteMessage, route: Route) -> None:
        """A new gateway may mean another interface (route_output_get_ifa)."""
        own, interface = self._own_for_change(message, route)
        if own is not None:
            route.address = own[1]
            route.interface = interface or own[0]
        elif interface is not None:
            route.interface = interface

    def _own_for_change(self, message: RouteMessage, route: Route) -> tuple[Own | None, Interface | None]:
        addresses = message.addresses
        gateway, by_address = addresses.get(RTAX_GATEWAY), addresses.get(RTAX_IFA)
        interface: Interface | None = None
        by_link = self._with_net(addresses[RTAX_IFP]) if RTAX_IFP in addresses else None
        if by_link is not None:
            interface = by_link[0]
            if by_address is not None:
                return self._with_address(by_address) or self._of_interface(by_address, interface), interface
            if gateway is not None:
                return self._of_interface(gateway, interface), interface
        if by_address is not None:
            found = self._with_address(by_address)
            if found is not None:
                return found, interface
        if gateway is not None:
            return self._with_route(route.flags, route.key, gateway), interface
        return None, interface

    def _set_metrics(self, message: RouteMessage, route: Route) -> None:
        for bit, name in SETTABLE.items():
            if message.inits & bit:
                route.metrics[name] = message.metrics[name]
        if message.inits & RTV_EXPIRE:
            clock = self._stack.kernel.clock
            boot = (clock.now() - clock.uptime()) // NANOSECONDS
            given = message.metrics["expire"]
            route.metrics["expire"] = given - boot if given else 0

    # Which own address a route has

    def _owns(self) -> Iterator[tuple[Interface, InterfaceAddress]]:
        for interface in self._stack.interfaces:
            for address in interface.addresses:
                yield interface, address

    def _own_for(self, message: RouteMessage) -> Own:
        """rt_getifa; ENETUNREACH."""
        addresses, found = message.addresses, None
        interface: Interface | None = None
        by_link = addresses.get(RTAX_IFP)
        if by_link is not None and by_link[1] == AF_LINK:
            named = self._with_net(by_link)
            interface = named[0] if named else None
        gateway, by_address = addresses.get(RTAX_GATEWAY), addresses.get(RTAX_IFA)
        if by_address is not None:
            found = self._with_address(by_address)
        if found is None:
            destination = addresses[RTAX_DST]
            sought = by_address or gateway or destination
            if interface is not None:
                found = self._of_interface(sought, interface)
            elif gateway is not None:
                found = self._with_route(message.flags, destination, gateway)
            else:
                found = self._with_route(message.flags, sought, sought)
        if found is None:
            raise refuse("ENETUNREACH")
        return found

    def _with_route(self, flags: int, destination: bytes, gateway: bytes) -> Own | None:
        """ifa_ifwithroute: the address from which a gateway is reached."""
        found: Own | None = None
        if flags & RTF_GATEWAY:
            found = self._with_far_end(gateway)
        else:
            if flags & RTF_HOST and gateway[1] != AF_LINK:
                found = self._with_far_end(destination)
            if found is None:
                found = self._with_address(gateway)
        if found is None:
            found = self._with_net(gateway)
        if found is None and destination[1] in PLACES:
            route = self._stack.routes.match(destination[1], address_bits(destination))
            found = None if route is None else self._owner(route)
        if found is not None and (found[1] is None or found[1].family != destination[1]):
            found = self._of_interface(destination, found[0]) or found
        return found

    def _owner(self, route: Route) -> Own:
        """A route's own address with the interface that has it."""
        for interface, address in self._owns():
            if address is route.address:
                return interface, address
        return route.interface, route.address

    def _with_address(self, raw: bytes) -> Own | None:
        """ifa_ifwithaddr: an own address, or a broadcast one."""
        for interface in self._stack.interfaces:
            if own_link_sockaddr(self._abi, interface) == raw:
                return interface, None
        for interface, address in self._owns():
            if address.sockaddr(self._abi) == raw:
                return interface, address
            if interface.flags & IFF_BROADCAST and address.broadcast_sockaddr(self._abi) == raw:
                return interface, address
        return None

    def _with_far_end(self, raw: bytes) -> Own | None:
        """ifa_ifwithdstaddr: the address whose link's other end this is."""
        for interface, address in self._owns():
            if interface.is_point_to_point and address.broadcast_sockaddr(self._abi) == raw:
                return interface, address
        return None

    def _with_net(self, raw: bytes) -> Own | None:
        """ifa_ifwithnet: an interface by its number, or the address with the narrowest fitting network."""
        if raw[1] == AF_LINK:
            index = self._abi.read_integer("uint16", raw[2:4])
            return next(((interface, None) for interface in self._stack.interfaces if interface.index == index), None)
        if raw[1] not in PLACES:
            return None
        bits = address_bits(raw)
        best: tuple[Interface, InterfaceAddress] | None = None
        for interface, address in self._owns():
            if address.family != raw[1] or masked(bits, address.mask) != masked(address.address, address.mask):
                continue
            if best is None or address.mask > best[1].mask:
                best = (interface, address)
        return best

    def _of_interface(self, raw: bytes, interface: Interface) -> Own | None:
        """ifaof_ifpforaddr: of one interface, the address with a fitting network, or the last of the family."""
        if raw[1] == AF_LINK:
            return interface, None
        own = [address for address in interface.addresses if address.family == raw[1]]
        if not own or raw[1] not in PLACES:
            return None
        bits = address_bits(raw)
        fitting = (a for a in own if masked(bits, a.mask) == masked(a.address, a.mask))
        return interface, next(fitting, own[-1])
