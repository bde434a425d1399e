# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv4 addresses of interfaces (sys/netinet/in.c, in_control; if_arp.c for duplicate detection)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from ..changes import mark_change
from ..clock import NANOSECONDS
from ..errors import SyscallError, refuse
from ..rooms import Errno
from .addresses import (
    AF_INET,
    AF_UNSPEC,
    IFA_ROUTE,
    IN_IFF_DETACHED,
    IN_IFF_TENTATIVE,
    IN_IFF_TRYTENTATIVE,
    SOCKADDR_IN_SIZE,
    InterfaceAddress,
    masked,
    sockaddr_in,
    trimmed_mask,
)
from .interfaces import IFF_BROADCAST, IFF_LOOPBACK, IFF_POINTOPOINT, LINK_STATE_DOWN, NAME_SIZE, Interface
from .routes import RTF_HOST

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

ANY = bytes(4)
ADDRESS, DESTINATION, MASK = NAME_SIZE, NAME_SIZE + 16, NAME_SIZE + 32
"""Offsets of the three sockaddrs of a struct ifaliasreq; a struct ifreq has only the first."""
DAD_PROBE_WAIT, DAD_PROBE_MIN, DAD_PROBE_MAX, DAD_ANNOUNCE_WAIT = 1.0, 1.0, 2.0, 2.0
"""Seconds (RFC 5227)."""


class Inet:
    """The IPv4 side of the stack."""

    def __init__(self, stack: NetworkStack) -> None:
        self._stack = stack

    # Ioctls

    def control(self, request: IoctlRequest, interface: Interface) -> None:
        """An ioctl on an IPv4 socket that the driver left to the protocol."""
        handler = _HANDLERS.get(request.name)
        if handler is None:
            raise refuse("ENOTTY")
        handler(self, request, interface)

    @staticmethod
    def _sockaddr(request: IoctlRequest, offset: int) -> tuple[int, int, bytes]:
        """(length, family, address) of a sockaddr_in in the argument."""
        raw = request.data[offset : offset + 16]
        return raw[0], raw[1], bytes(raw[4:8])

    @staticmethod
    def addresses(interface: Interface) -> list[InterfaceAddress]:
        return [address for address in interface.addresses if address.family == AF_INET]

    def _first(self, interface: Interface) -> InterfaceAddress | None:
        found = self.addresses(interface)
        return found[0] if found else None

    def _named(self, request: IoctlRequest, interface: Interface) -> InterfaceAddress | None:
        """The address that the argument names; without one, the interface's first."""
        _length, family, wanted = self._sockaddr(request, ADDRESS)
        if family != AF_INET:
            return self._first(interface)
        request.notes["address"] = ".".join(map(str, wanted))
        return next((address for address in self.addresses(interface) if address.address == wanted), None)

    def _existing(self, request: IoctlRequest, interface: Interface) -> InterfaceAddress:
        address = self._first(interface)
        if address is None:
            raise refuse("EADDRNOTAVAIL")
        return address

    def _get_address(self, request: IoctlRequest, interface: Interface) -> None:
        request.put_bytes(ADDRESS, sockaddr_in(self._existing(request, interface).address))

    def _get_broadcast(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._existing(request, interface)
        if not interface.flags & IFF_BROADCAST:
            raise refuse("EINVAL")
        request.put_bytes(ADDRESS, sockaddr_in(address.broadcast or ANY))

    def _get_destination(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._existing(request, interface)
        if not interface.flags & IFF_POINTOPOINT:
            raise refuse("EINVAL")
        request.put_bytes(ADDRESS, sockaddr_in(address.broadcast or ANY, address.broadcast_length or SOCKADDR_IN_SIZE))

    def _get_mask(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._existing(request, interface)
        request.put_bytes(ADDRESS, sockaddr_in(address.mask, family=address.mask_family))

    def _checked(self, request: IoctlRequest, interface: Interface) -> InterfaceAddress:
        """The named address, for the requests that want it to exist and to be IPv4."""
        address = self._named(request, interface)
        if address is None:
            raise refuse("EADDRNOTAVAIL")
        length, family, _wanted = self._sockaddr(request, ADDRESS)
        if family == AF_UNSPEC and request.name == "SIOCDIFADDR":
            family = AF_INET
        if length == 0:
            # The first address stands in, and with it its family.
            request.put_bytes(ADDRESS, sockaddr_in(address.address))
            family = AF_INET
        if family != AF_INET:
            raise refuse("EAFNOSUPPORT")
        return address

    def _get_alias(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._checked(request, interface)
        raw_mask = bytes([address.mask_length, address.mask_family, 0, 0]) + address.mask + bytes(8)
        request.put_bytes(MASK, raw_mask)
        other = bytes(16)
        if interface.flags & (IFF_POINTOPOINT | IFF_BROADCAST) and address.broadcast is not None:
            other = sockaddr_in(address.broadcast)
        request.put_bytes(DESTINATION, other)

    def _get_state(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._checked(request, interface)
        request.put_integer("int", address.state_at(self._stack.kernel.clock.uptime()), NAME_SIZE)

    def _delete(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._checked(request, interface)
        request.refuse_all_but_root()
        self.remove(interface, address)
        mark_change()

    def _set_broadcast(self, request: IoctlRequest, interface: Interface) -> None:
        request.refuse_all_but_root()
        address = self._existing(request, interface)
        if not interface.flags & IFF_BROADCAST:
            raise refuse("EINVAL")
        address.broadcast, address.broadcast_length = self._sockaddr(request, ADDRESS)[2], SOCKADDR_IN_SIZE
        mark_change()

    def _set_destination(self, request: IoctlRequest, interface: Interface) -> None:
        _length, family, wanted = self._sockaddr(request, ADDRESS)
        if family != AF_INET:
            raise refuse("EAFNOSUPPORT")
        address = self._existing(request, interface)
        request.refuse_all_but_root()
        if not interface.flags & IFF_POINTOPOINT:
            raise refuse("EINVAL")
        address.broadcast, address.broadcast_length = wanted, SOCKADDR_IN_SIZE
        mark_change()

    def _set_mask(self, request: IoctlRequest, interface: Interface) -> None:
        length, family, mask = self._sockaddr(request, ADDRESS)
        if family != AF_INET:
            raise refuse("EAFNOSUPPORT")
        address = self._existing(request, interface)
        request.refuse_all_but_root()
        self._scrub(interface, address)
        address.mask, address.mask_family, address.mask_length = mask, family, length
        self._initialise(interface, address, is_new_host=False)
        mark_change()

    def _set_address(self, request: IoctlRequest, interface: Interface) -> None:
        """SIOCSIFADDR: the interface's first address becomes another, and keeps its netmask."""
        _length, family, wanted = self._sockaddr(request, ADDRESS)
        if family != AF_INET:
            raise refuse("EAFNOSUPPORT")
        request.refuse_all_but_root()
        address = self._first(interface)
        is_new = address is None
        if address is None:
            address = self._blank(interface)
        else:
            self._scrub(interface, address)
        is_new_host = address.address != wanted
        address.address = wanted
        self._initialise(interface, address, is_new_host)
        if is_new:
            interface.addresses.append(address)
        mark_change()

    def _add(self, request: IoctlRequest, interface: Interface) -> None:
        """SIOCAIFADDR: add an address, or change the netmask or the far end of one."""
        address = self._named(request, interface)
        length, family, wanted = self._sockaddr(request, ADDRESS)
        is_new_host = True
        if address is not None and length == 0:
            wanted, family, is_new_host = address.address, AF_INET, False
        elif address is not None and address.address == wanted:
            is_new_host = False
        if family != AF_INET:
            raise refuse("EAFNOSUPPORT")
        request.refuse_all_but_root()
        is_new = address is None
        if address is None:
            address = self._blank(interface)
        before = (address.mask, address.broadcast)
        changed = self._take_mask_and_far_end(request, interface, address)
        if is_new_host or changed:
            address.address = wanted
            self._initialise(interface, address, is_new_host)
        self._take_broadcast(request, interface, address)
        if is_new:
            interface.addresses.append(address)
        if is_new or before != (address.mask, address.broadcast):
            mark_change()

    @staticmethod
    def _blank(interface: Interface) -> InterfaceAddress:
        address = InterfaceAddress(AF_INET, ANY, ANY, mask_family=AF_INET, mask_length=8)
        if interface.flags & IFF_BROADCAST:
            address.broadcast, address.broadcast_length = ANY, SOCKADDR_IN_SIZE
        return address

    def _take_mask_and_far_end(self, request: IoctlRequest, interface: Interface, address: InterfaceAddress) -> bool:
        changed = False
        length, family, mask = self._sockaddr(request, MASK)
        if length:
            if address.flags & IFA_ROUTE:
                self._scrub(interface, address)
            address.mask, address.mask_family, changed = mask, family, True
            address.mask_length = length
            request.notes["netmask"] = ".".join(map(str, mask))
        _length, family, destination = self._sockaddr(request, DESTINATION)
        if interface.flags & IFF_POINTOPOINT and family == AF_INET:
            if address.flags & IFA_ROUTE:
                self._scrub(interface, address)
            address.broadcast, address.broadcast_length, changed = destination, SOCKADDR_IN_SIZE, True
        return changed

    def _take_broadcast(self, request: IoctlRequest, interface: Interface, address: InterfaceAddress) -> None:
        _length, family, broadcast = self._sockaddr(request, DESTINATION)
        if interface.flags & IFF_BROADCAST and family == AF_INET:
            address.broadcast, address.broadcast_length = broadcast, SOCKADDR_IN_SIZE

    # Addresses

    def _initialise(self, interface: Interface, address: InterfaceAddress, is_new_host: bool) -> None:
        """in_ifinit: bring the interface up, complete the netmask and the broadcast address, add the route."""
        if is_new_host and interface.does_dad and address.address != ANY:
            address.state |= IN_IFF_DETACHED if interface.link_state == LINK_STATE_DOWN else IN_IFF_TRYTENTATIVE
        interface.init_address(address)
        address.initialised = True
        address.state &= ~IN_IFF_TRYTENTATIVE
        self._add_local(interface, address)
        if address.mask == ANY:
            address.mask = _class_mask(address.address)
        address.mask_length = trimmed_mask(address.mask)
        address.metric = interface.metric
        if interface.flags & IFF_BROADCAST:
            inverse = bytes(byte ^ 0xFF for byte in address.mask)
            subnet = masked(address.address, address.mask)
            address.broadcast = bytes(a | b for a, b in zip(subnet, inverse, strict=True))
            address.broadcast_length = SOCKADDR_IN_SIZE
        elif interface.flags & IFF_LOOPBACK:
            address.broadcast, address.broadcast_length = address.address, SOCKADDR_IN_SIZE
        self._add_prefix(interface, address)
        if is_new_host and interface.does_dad and address.state & IN_IFF_TENTATIVE:
            self.start_dad(interface, address)

    def _add_local(self, interface: Interface, address: InterfaceAddress) -> None:
        """The route to the address itself (in_ifaddlocal)."""
        to_itself = interface.is_point_to_point and address.broadcast == address.address
        if address.address == ANY or to_itself:
            self._stack.notices.address_added(interface, address, None)
        else:
            self._stack.routes.add_local(interface, address)

    def _prefix(self, interface: Interface, address: InterfaceAddress) -> bytes:
        if interface.flags & (IFF_LOOPBACK | IFF_POINTOPOINT):
            return address.broadcast or ANY
        return masked(address.address, address.mask)

    def _everywhere(self) -> list[tuple[Interface, InterfaceAddress]]:
        return [(interface, address) for interface in self._stack.interfaces for address in self.addresses(interface)]

    def _add_prefix(self, interface: Interface, address: InterfaceAddress) -> None:
        """The address owns the route to its network, unless another one does.

        A loopback's never does: the route to the address itself is there already.
        """
        if interface.flags & IFF_LOOPBACK:
            return
        if interface.flags & IFF_POINTOPOINT and address.broadcast is None:
            return
        prefix = self._prefix(interface, address)
        if any(other.flags & IFA_ROUTE and self._prefix(owner, other) == prefix for owner, other in self._everywhere()):
            return
        self._own_route(interface, address, prefix)

    def _own_route(self, interface: Interface, address: InterfaceAddress, prefix: bytes) -> None:
        """Add the route to the address's network and own it; one that is there already stays as it is."""
        flags, mask = (RTF_HOST, None) if interface.is_point_to_point else (0, address.mask)
        try:
            self._stack.routes.connect(interface, address, prefix, mask, flags | address.flags, quiet=False)
        except SyscallError as error:
            if error.errno is not Errno.EEXIST:
                raise
        else:
            address.flags |= IFA_ROUTE

    def _scrub(self, interface: Interface, address: InterfaceAddress) -> None:
        """in_scrubprefix: give up the route; another address of the same network takes it over."""
        if not address.flags & IFA_ROUTE:
            return
        prefix = self._prefix(interface, address)
        mask = None if interface.is_point_to_point else address.mask
        self._stack.routes.disconnect(AF_INET, prefix, mask, address)
        address.flags &= ~IFA_ROUTE
        for owner, other in self._everywhere():
            if other is not address and not other.flags & IFA_ROUTE and self._prefix(owner, other) == prefix:
                self._own_route(owner, other, prefix)
                return

    def give(self, interface: Interface, wanted: bytes, mask: bytes) -> None:
        """An address that the kernel has from its start on."""
        address = self._blank(interface)
        address.address, address.mask, address.mask_length = wanted, mask, trimmed_mask(mask)
        self._initialise(interface, address, is_new_host=False)
        interface.addresses.append(address)

    def remove(self, interface: Interface, address: InterfaceAddress) -> None:
        self._scrub(interface, address)
        self._stack.routes.remove_local(interface, address)
        interface.addresses.remove(address)

    def start_dad(self, interface: Interface, address: InterfaceAddress) -> None:
        """Probe for the address: a random wait, probes a second or two apart, and a last wait."""
        clock, kernel = self._stack.kernel.clock, self._stack.kernel
        probes = kernel.sysctl.value("net.inet.ip.dad_count", 3) if hasattr(kernel, "sysctl") else 3
        if not probes:
            address.state &= ~IN_IFF_TENTATIVE
            self._stack.notices.address_added(interface, address, None)
            return
        seconds = random.uniform(0, DAD_PROBE_WAIT) + DAD_ANNOUNCE_WAIT
        seconds += sum(random.uniform(DAD_PROBE_MIN, DAD_PROBE_MAX) for _probe in range(probes - 1))
        address.dad_ends = clock.uptime() + int(seconds * kernel.options.dad_scale * NANOSECONDS)
        self._stack.notices.when_checked(interface, address)

    def interface_up(self, interface: Interface) -> None:
        """Addresses that were detached are checked again (in_if_link_up)."""
        if not interface.is_ready or interface.link_state == LINK_STATE_DOWN:
            return
        for address in self.addresses(interface):
            if address.state & IN_IFF_DETACHED:
                address.state &= ~IN_IFF_DETACHED
                if interface.does_dad and address.is_probed:
                    address.state |= IN_IFF_TENTATIVE
                elif not address.state & IN_IFF_TENTATIVE:
                    self._stack.notices.address_added(interface, address, None)
            if address.state & IN_IFF_TENTATIVE and address.dad_ends is None:
                self.start_dad(interface, address)

    def interface_down(self, interface: Interface) -> None:
        for address in self.addresses(interface):
            if address.detach():
                self._stack.notices.address_added(interface, address, None)


def _class_mask(address: bytes) -> bytes:
    """The netmask of an address's class."""
    if address[0] < 128:
        return b"\xff\0\0\0"
    if address[0] < 192:
        return b"\xff\xff\0\0"
    return b"\xff\xff\xff\0"


_HANDLERS = {
    "SIOCGIFADDR": Inet._get_address,
    "SIOCGIFBRDADDR": Inet._get_broadcast,
    "SIOCGIFDSTADDR": Inet._get_destination,
    "SIOCGIFNETMASK": Inet._get_mask,
    "SIOCGIFALIAS": Inet._get_alias,
    "SIOCGIFAFLAG_IN": Inet._get_state,
    "SIOCSIFADDR": Inet._set_address,
    "SIOCSIFNETMASK": Inet._set_mask,
    "SIOCSIFBRDADDR": Inet._set_broadcast,
    "SIOCSIFDSTADDR": Inet._set_destination,
    "SIOCAIFADDR": Inet._add,
    "SIOCDIFADDR": Inet._delete,
}
