# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What routing sockets hear of interfaces, addresses and routes (sys/net/rtsock.c)."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from ..clock import NANOSECONDS
from .messages import (
    RTAX_DST,
    RTAX_IFA,
    RTAX_IFP,
    RTM_ADD,
    RTM_DELETE,
    RTM_MISS,
    address_notice,
    announcement,
    interface_message,
    own_link_sockaddr,
)
from .route_messages import RouteMessage, route_addresses
from .routes import RTF_DONE, RTF_UP

if TYPE_CHECKING:
    from .addresses import InterfaceAddress
    from .interfaces import Interface
    from .routes import Route
    from .stack import NetworkStack


CURRENT_PID: ContextVar[int] = ContextVar("CURRENT_PID", default=0)
"""The process whose call is being served."""


class Listener(Protocol):
    """A routing socket."""

    protocol: int
    """The address family that it wants to hear of; 0 for all."""

    def hear(self, message: bytes) -> None: ...


class Notices:
    """Tells the routing sockets of one kernel."""

    def __init__(self, stack: NetworkStack) -> None:
        self._stack = stack
        self.listeners: list[Listener] = []
        """The newest first."""

    def send(self, message: bytes, family: int = 0, but_not: Listener | None = None) -> None:
        for listener in self.listeners:
            if listener is not but_not and listener.protocol in (0, family):
                listener.hear(message)

    def interface(self, interface: Interface) -> None:
        """Its flags or its state changed."""
        if self.listeners:
            self.send(interface_message(self._stack.kernel.abi, interface, with_address=False))

    def announce(self, interface: Interface, what: int) -> None:
        if self.listeners:
            self.send(announcement(self._stack.kernel.abi, interface, what))

    def route(self, kind: int, route: Route) -> None:
        """A route came, went or changed (rt_newmsg)."""
        if not self.listeners:
            return
        abi = self._stack.kernel.abi
        addresses = route_addresses(abi, route, with_interface=False)
        addresses[RTAX_IFP] = own_link_sockaddr(abi, route.interface)
        addresses[RTAX_IFA] = route.source(abi)
        message = RouteMessage(kind, flags=route.flags | RTF_DONE, pid=CURRENT_PID.get(), addresses=addresses)
        self.send(message.build(abi), route.family)

    def host_route_removed(self, route: Route) -> None:
        """The route to an own address went with the address (rtdeletemsg)."""
        if self.listeners:
            abi = self._stack.kernel.abi
            addresses, flags = route_addresses(abi, route, with_interface=False), route.flags | RTF_UP | RTF_DONE
            message = RouteMessage(RTM_DELETE, flags=flags, pid=CURRENT_PID.get(), addresses=addresses)
            self.send(message.build(abi), route.family)

    def miss(self, destination: bytes) -> None:
        """No route leads there (RTM_MISS)."""
        if self.listeners:
            addresses = {RTAX_DST: destination}
            message = RouteMessage(RTM_MISS, flags=RTF_DONE, pid=CURRENT_PID.get(), addresses=addresses)
            self.send(message.build(self._stack.kernel.abi), destination[1])

    def address_added(self, interface: Interface, address: InterfaceAddress, route: Route | None) -> None:
        """An address came, perhaps with the route to itself (rt_newaddrmsg)."""
        if not self.listeners:
            return
        abi = self._stack.kernel.abi
        self.send(address_notice(abi, interface, address, abi.constant("RTM_NEWADDR")), address.family)
        if route is not None:
            addresses = route_addresses(abi, route, with_interface=False)
            message = RouteMessage(RTM_ADD, interface.index, route.flags, CURRENT_PID.get(), addresses=addresses)
            self.send(message.build(abi), address.family)

    def when_checked(self, interface: Interface, address: InterfaceAddress) -> None:
        """Tell of an address once the search for duplicates is over."""
        ends, clock = address.dad_ends, self._stack.kernel.clock

        def tell() -> None:
            if address.dad_ends in (ends, None) and not address.state_at(clock.uptime()) & address.detached_bit:
                self.address_added(interface, address, None)

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if ends is not None:
            loop.call_later(max(0, ends - clock.uptime()) / NANOSECONDS, tell)

    def address_removed(self, interface: Interface, address: InterfaceAddress) -> None:
        if self.listeners:
            abi = self._stack.kernel.abi
            self.send(address_notice(abi, interface, address, abi.constant("RTM_DELADDR")), address.family)
