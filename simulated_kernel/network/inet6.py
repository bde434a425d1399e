# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 addresses of interfaces (sys/netinet6/in6.c, in6_ifattach.c, nd6_nbr.c)."""

from __future__ import annotations

import hashlib
import ipaddress
import random
from typing import TYPE_CHECKING, Any

from ..changes import mark_change
from ..clock import NANOSECONDS
from ..errors import SyscallError, refuse
from .addresses import (
    AF_INET6,
    IFA_ROUTE,
    IN6_IFF_ANYCAST,
    IN6_IFF_AUTOCONF,
    IN6_IFF_DEPRECATED,
    IN6_IFF_DETACHED,
    IN6_IFF_DUPLICATED,
    IN6_IFF_NODAD,
    IN6_IFF_TENTATIVE,
    INFINITE_LIFETIME,
    RTF_CONNECTED,
    SOCKADDR_IN6_SIZE,
    InterfaceAddress,
    embed_scope,
    is_link_local,
    mask_of,
    needs_scope,
    prefix_length,
    sockaddr_in6,
)
from .interfaces import (
    IFF_LOOPBACK,
    IFF_MULTICAST,
    IFF_POINTOPOINT,
    IFT_BRIDGE,
    IFT_CARP,
    LINK_STATE_DOWN,
    NAME_SIZE,
    Interface,
)
from .routes import RTF_HOST

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

LOOPBACK = bytes(15) + b"\1"
MINIMUM_MTU = 1280
READ_ONLY_FLAGS = IN6_IFF_DUPLICATED | IN6_IFF_DETACHED | IN6_IFF_TENTATIVE | IN6_IFF_NODAD | IN6_IFF_AUTOCONF
RETRANS_SECONDS = 1.0
MAX_DELAY_SECONDS = 1.0


class Inet6:
    """The IPv6 side of the stack."""

    def __init__(self, stack: NetworkStack) -> None:
        self._stack = stack

    @staticmethod
    def addresses(interface: Interface) -> list[InterfaceAddress]:
        return [address for address in interface.addresses if address.family == AF_INET6]

    # Ioctls

    def control(self, request: IoctlRequest, interface: Interface) -> None:
        """An ioctl on an IPv6 socket that the driver left to the protocol."""
        if request.name in _FOR_ROOT:
            request.refuse_all_but_root()
        handler = _HANDLERS.get(request.name)
        if handler is not None:
            handler(self, request, interface)
        elif not self._stack.discovery.control(request, interface):
            raise refuse("ENOTTY")

    def _scoped(self, request: IoctlRequest, interface: Interface, name: str) -> tuple[Any, bytes]:
        """(the argument's sockaddr, its address with the scope embedded)."""
        layout = request.abi.struct(name)
        member = "ifra_addr" if name == "in6_aliasreq" else "ifr_ifru"
        parsed = layout.parse(request.data)
        found = parsed[member] if name == "in6_aliasreq" else parsed.ifr_ifru.ifru_addr
        address = bytes(found.sin6_addr)
        if found.sin6_family == AF_INET6:
            address = self._embedded(address, found.sin6_scope_id, interface)
            request.notes["address"] = str(ipaddress.IPv6Address(bytes(found.sin6_addr)))
        return found, address

    def _embedded(self, address: bytes, scope: int, interface: Interface) -> bytes:
        """in6_setscope and sa6_embedscope: link-local addresses carry their interface's index."""
        if address == LOOPBACK and not interface.flags & IFF_LOOPBACK:
            raise refuse("EINVAL")
        if not needs_scope(address):
            return address
        if scope:
            if address[2:4] != bytes(2):
                raise refuse("EINVAL")
            if not any(other.index == scope for other in self._stack.interfaces):
                raise refuse("ENXIO")
        return embed_scope(address, scope or interface.index)

    def _find(self, interface: Interface, address: bytes) -> InterfaceAddress | None:
        return next((found for found in self.addresses(interface) if found.address == address), None)

    def _existing(self, request: IoctlRequest, interface: Interface) -> InterfaceAddress:
        found, address = self._scoped(request, interface, "in6_ifreq")
        existing = self._find(interface, address) if found.sin6_family == AF_INET6 else None
        if existing is None:
            raise refuse("EADDRNOTAVAIL")
        return existing

    def _get_address(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._existing(request, interface).address
        scope = 0
        if needs_scope(address):
            scope, address = int.from_bytes(address[2:4], "big"), address[:2] + bytes(2) + address[4:]
        request.put_bytes(NAME_SIZE, sockaddr_in6(request.abi, address, scope))

    def _get_destination(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._existing(request, interface)
        if not interface.flags & IFF_POINTOPOINT:
            raise refuse("EINVAL")
        raw = address.broadcast_sockaddr(request.abi) or b""
        request.put_bytes(NAME_SIZE, raw.ljust(SOCKADDR_IN6_SIZE, b"\0"))

    def _get_mask(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._existing(request, interface)
        raw = sockaddr_in6(request.abi, address.mask, 0, address.mask_length, address.mask_family)
        request.put_bytes(NAME_SIZE, raw)

    def _get_state(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._existing(request, interface)
        request.put_integer("int", address.state_at(self._stack.kernel.clock.uptime()), NAME_SIZE)

    def _get_lifetime(self, request: IoctlRequest, interface: Interface) -> None:
        address = self._existing(request, interface)
        built = request.abi.struct("in6_addrlifetime").build(
            ia6t_expire=self._expiry(address, address.valid_lifetime),
            ia6t_preferred=self._expiry(address, address.preferred_lifetime),
            ia6t_vltime=address.valid_lifetime,
            ia6t_pltime=address.preferred_lifetime,
        )
        request.put_bytes(NAME_SIZE, built)

    def _expiry(self, address: InterfaceAddress, lifetime: int) -> int:
        """The wall clock's second at which a lifetime ends; 0 for one that does not."""
        if lifetime == INFINITE_LIFETIME:
            return 0
        clock = self._stack.kernel.clock
        boot = (clock.now() - clock.uptime()) // NANOSECONDS
        return boot + address.updated // NANOSECONDS + lifetime

    def _deprecated_set(self, request: IoctlRequest, interface: Interface) -> None:
        raise refuse("EINVAL")

    def _delete(self, request: IoctlRequest, interface: Interface) -> None:
        existing = self._existing(request, interface)
        found = request.struct("in6_ifreq").ifr_ifru.ifru_addr
        if found.sin6_len != SOCKADDR_IN6_SIZE:
            raise refuse("EAFNOSUPPORT")
        prefix = existing.prefix
        self.remove(interface, existing)
        if prefix is not None and not prefix.references:
            self._stack.prefixes.let_go(prefix)
        mark_change()

    def _add(self, request: IoctlRequest, interface: Interface) -> None:
        found, address = self._scoped(request, interface, "in6_aliasreq")
        if found.sin6_family != AF_INET6 or found.sin6_len != SOCKADDR_IN6_SIZE:
            raise refuse("EAFNOSUPPORT")
        asked = request.struct("in6_aliasreq")
        if asked.ifra_flags & READ_ONLY_FLAGS:
            raise refuse("EINVAL")
        destination = self._destination(asked, interface)
        mask = asked.ifra_prefixmask
        if mask.sin6_len > SOCKADDR_IN6_SIZE:
            raise refuse("EINVAL")
        self.update(
            interface,
            address,
            (mask.sin6_len, mask.sin6_family, bytes(mask.sin6_addr)),
            destination,
            asked.ifra_flags,
            (asked.ifra_lifetime.ia6t_vltime, asked.ifra_lifetime.ia6t_pltime),
        )
        entry = self._find(interface, address)
        length = prefix_length(bytes(mask.sin6_addr))
        if entry is None or length == 128:
            return
        prefix = self._stack.prefixes.make_known(interface, address, length or 0)
        if entry.prefix is None:
            entry.prefix = prefix
            prefix.references += 1
        self._stack.prefixes.check()

    def _destination(self, asked: Any, interface: Interface) -> bytes | None:
        """The far end, if one is given; only point-to-point and loopback interfaces have one."""
        given = asked.ifra_dstaddr
        if interface.flags & IFF_POINTOPOINT and given.sin6_family not in (AF_INET6, 0):
            raise refuse("EAFNOSUPPORT")
        if given.sin6_family != AF_INET6:
            return None
        address = bytes(given.sin6_addr)
        if interface.flags & (IFF_POINTOPOINT | IFF_LOOPBACK) and needs_scope(address):
            address = embed_scope(address, interface.index)
        return address

    # Addresses

    def update(self, interface: Interface, address: bytes, mask: tuple[int, int, bytes], destination: bytes | None,
               flags: int, lifetimes: tuple[int, int], delay: bool = False) -> None:  # fmt: skip
        """Add an address or renew one (in6_update_ifa). ``mask`` is (sa_len, sa_family, bits)."""
        existing = self._find(interface, address)
        length = self._checked_length(existing, mask)
        if destination is not None and (not interface.flags & (IFF_POINTOPOINT | IFF_LOOPBACK) or length != 128):
            raise refuse("EINVAL")
        valid, preferred = lifetimes
        if preferred > valid:
            raise refuse("EINVAL")
        if valid == 0 and existing is None:
            return
        new = existing is None
        entry = existing or self._blank(interface, address)
        before = (entry.state, entry.valid_lifetime, entry.preferred_lifetime, entry.broadcast)
        if mask[0]:
            if not new and prefix_length(entry.mask) != length:
                raise refuse("EINVAL")
            entry.mask_length, entry.mask_family, entry.mask = mask
        if destination is not None and destination != entry.broadcast:
            entry.broadcast, entry.broadcast_length = destination, SOCKADDR_IN6_SIZE
        entry.updated = self._stack.kernel.clock.uptime()
        entry.valid_lifetime, entry.preferred_lifetime = valid, preferred
        was_tentative = entry.state_at(entry.updated) & (IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED)
        entry.state = flags & ~IN6_IFF_DUPLICATED
        if interface.link_state == LINK_STATE_DOWN:
            entry.state = (entry.state | IN6_IFF_DETACHED) & ~IN6_IFF_TENTATIVE
        elif (new or was_tentative) and interface.does_dad:
            entry.state |= IN6_IFF_TENTATIVE
        if flags & IN6_IFF_DEPRECATED:
            entry.preferred_lifetime = 0
        self._initialise(interface, entry, length, new)
        if new:
            self._attach(interface, entry, flags, delay)
        if new or before != (entry.state, entry.valid_lifetime, entry.preferred_lifetime, entry.broadcast):
            mark_change()

    @staticmethod
    def _checked_length(existing: InterfaceAddress | None, mask: tuple[int, int, bytes]) -> int:
        """The prefix's length; a new address needs one, of consecutive ones and not 0."""
        if not mask[0]:
            if existing is None:
                raise refuse("EINVAL")
            return prefix_length(existing.mask) or 0
        length = prefix_length(mask[2])
        if not length:
            raise refuse("EINVAL")
        return length

    @staticmethod
    def _blank(interface: Interface, address: bytes) -> InterfaceAddress:
        has_destination = bool(interface.flags & (IFF_POINTOPOINT | IFF_LOOPBACK))
        return InterfaceAddress(AF_INET6, address, bytes(16), has_destination=has_destination)

    def _initialise(self, interface: Interface, entry: InterfaceAddress, length: int, new: bool) -> None:
        """in6_ifinit: the first address brings the interface up."""
        if not self.addresses(interface):
            interface.init_address(entry)
            entry.initialised = True
        entry.metric = interface.metric
        if length == 128 and entry.broadcast is not None:
            flags = RTF_HOST | entry.flags
            self._stack.routes.connect(interface, entry, entry.broadcast, None, flags, quiet=False)
            entry.flags |= IFA_ROUTE
        if not new or (interface.is_point_to_point and entry.broadcast == entry.address):
            self._stack.notices.address_added(interface, entry, None)
        else:
            self._stack.routes.add_local(interface, entry)

    def _attach(self, interface: Interface, entry: InterfaceAddress, flags: int, delay: bool) -> None:
        interface.addresses.append(entry)
        if interface.flags & IFF_MULTICAST:
            self._stack.prefixes.join_groups(interface, entry)
        if interface.caches_neighbours:
            entry.flags |= RTF_CONNECTED
        if interface.does_dad and not flags & IN6_IFF_NODAD and entry.state & IN6_IFF_TENTATIVE:
            self.start_dad(interface, entry, random.uniform(0, MAX_DELAY_SECONDS) if delay else 0.01)

    def remove(self, interface: Interface, address: InterfaceAddress) -> None:
        if address.flags & IFA_ROUTE and address.broadcast is not None:
            self._stack.routes.disconnect(AF_INET6, address.broadcast, None, address)
            address.flags &= ~IFA_ROUTE
        self._stack.routes.remove_local(interface, address)
        interface.addresses.remove(address)
        if address.prefix is not None:
            address.prefix.references -= 1

    def start_dad(self, interface: Interface, address: InterfaceAddress, delay: float) -> None:
        """Solicit the address: after the delay, as often as net.inet6.ip6.dad_count says, a second each."""
        kernel = self._stack.kernel
        count = kernel.sysctl.value("net.inet6.ip6.dad_count", 1) if hasattr(kernel, "sysctl") else 1
        if address.state & IN6_IFF_ANYCAST or not count:
            address.state &= ~IN6_IFF_TENTATIVE
            self._stack.notices.address_added(interface, address, None)
            return
        seconds = (delay + count * RETRANS_SECONDS) * kernel.options.dad_scale
        address.dad_ends = kernel.clock.uptime() + int(seconds * NANOSECONDS)
        self._stack.notices.when_checked(interface, address)

    # Interfaces

    def interface_up(self, interface: Interface) -> None:
        """Give the interface its own addresses, then look at those that were detached (in6_if_up)."""
        self.attach_interface(interface)
        if not interface.is_ready:
            return
        for address in self.addresses(interface):
            if address.state & IN6_IFF_DETACHED:
                address.state &= ~IN6_IFF_DETACHED
                if interface.does_dad:
                    address.state |= IN6_IFF_TENTATIVE
                elif not address.state & IN6_IFF_TENTATIVE:
                    self._stack.notices.address_added(interface, address, None)
            if address.state & IN6_IFF_TENTATIVE and address.dad_ends is None:
                address.state &= ~IN6_IFF_DUPLICATED
                self.start_dad(interface, address, random.uniform(0, MAX_DELAY_SECONDS))

    def interface_down(self, interface: Interface) -> None:
        for address in self.addresses(interface):
            if address.detach():
                self._stack.notices.address_added(interface, address, None)

    def attach_interface(self, interface: Interface) -> None:
        """in6_ifattach: ::1 for a loopback, a link-local address for all that can have one."""
        if interface.kind.type == IFT_BRIDGE:
            self._stack.discovery.refuse_bridge(interface)
        if interface.kind.type in (IFT_BRIDGE, IFT_CARP) or interface.mtu < MINIMUM_MTU:
            return
        if not interface.flags & IFF_MULTICAST:
            return
        infinite = (INFINITE_LIFETIME, INFINITE_LIFETIME)
        if interface.flags & IFF_LOOPBACK and self._find(interface, LOOPBACK) is None:
            mask = (SOCKADDR_IN6_SIZE, AF_INET6, mask_of(128, 16))
            try:
                if any(self._find(other, LOOPBACK) for other in self._stack.interfaces if other is not interface):
                    # The route to ::1 exists, and the second loopback gets neither it nor a link-local address.
                    return
                self.update(interface, LOOPBACK, mask, LOOPBACK, IN6_IFF_NODAD, infinite)
            except SyscallError:
                return
        if not self._stack.discovery.gives_link_local(interface) or any(
            is_link_local(address.address) for address in self.addresses(interface)
        ):
            return
        identifier = interface_identifier(self._stack, interface)
        address = embed_scope(b"\xfe\x80" + bytes(6) + identifier, interface.index)
        mask = (SOCKADDR_IN6_SIZE, AF_INET6, mask_of(64, 16))
        try:
            self.update(interface, address, mask, None, 0, infinite, delay=True)
        except SyscallError:
            return
        self._stack.prefixes.make_known(interface, address, 64)


def interface_identifier(stack: NetworkStack, interface: Interface) -> bytes:
    """The lower half of a link-local address: EUI-64 of the interface or of another one, or of the hostname."""
    if interface.flags & IFF_LOOPBACK:
        return bytes(7) + b"\1"
    for candidate in (interface, *stack.interfaces):
        hardware = candidate.hardware_address
        if len(hardware) == 6 and candidate.kind.type != IFT_CARP:
            return bytes([hardware[0] ^ 2]) + hardware[1:3] + b"\xff\xfe" + hardware[3:]
    digest = hashlib.md5(stack.kernel.options.hostname.encode(), usedforsecurity=False).digest()
    return bytes([digest[8] & ~2 & 0xFE]) + digest[9:]


_HANDLERS = {
    "SIOCAIFADDR_IN6": Inet6._add,
    "SIOCDIFADDR_IN6": Inet6._delete,
    "SIOCGIFNETMASK_IN6": Inet6._get_mask,
    "SIOCGIFDSTADDR_IN6": Inet6._get_destination,
    "SIOCGIFAFLAG_IN6": Inet6._get_state,
    "SIOCGIFALIFETIME_IN6": Inet6._get_lifetime,
    "SIOCGIFADDR_IN6": Inet6._get_address,
}
_FOR_ROOT = frozenset(
    ("SIOCAIFADDR_IN6", "SIOCDIFADDR_IN6", "SIOCSIFINFO_FLAGS", "SIOCSIFINFO_IN6", "SIOCSPFXFLUSH_IN6",
     "SIOCSRTRFLUSH_IN6")
)  # fmt: skip
"""What in6_control does for the superuser alone."""
