# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 prefixes that are on links, and their routes (sys/netinet6/nd6_rtr.c; in6.c for the multicast routes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..clock import NANOSECONDS
from ..errors import SyscallError
from ..rooms import Errno
from .addresses import (
    AF_INET6,
    IN6_IFF_ANYCAST,
    IN6_IFF_DUPLICATED,
    IN6_IFF_TENTATIVE,
    INFINITE_LIFETIME,
    RTF_CONNECTED,
    InterfaceAddress,
    embed_scope,
    is_link_local,
    mask_of,
    masked,
)

if TYPE_CHECKING:
    from .interfaces import Interface
    from .stack import NetworkStack

MULTICAST_GROUPS = (b"\xff\x02" + bytes(13) + b"\1", b"\xff\x01" + bytes(13) + b"\1")
"""All nodes of a link and of an interface, in the order in which an address joins them."""


@dataclass(eq=False)
class Prefix:
    """A prefix of one interface's link."""

    interface: Interface
    bits: bytes
    length: int
    on_link: bool = False
    references: int = 0
    """How many addresses were given with it."""
    lifetime: int = INFINITE_LIFETIME
    """Seconds, of validity and preference alike."""
    updated: int = 0
    """Seconds since the start."""

    @property
    def mask(self) -> bytes:
        return mask_of(self.length, 16)

    def same_network(self, other: Prefix) -> bool:
        return (self.bits, self.length) == (other.bits, other.length)


class Prefixes:
    """The prefixes of one kernel, the newest first."""

    def __init__(self, stack: NetworkStack) -> None:
        self._stack = stack
        self._prefixes: list[Prefix] = []

    def make_known(self, interface: Interface, address: bytes, length: int) -> Prefix:
        """The prefix of an address; a new one comes on link at once."""
        bits = masked(address, mask_of(length, 16))
        for prefix in self._prefixes:
            if prefix.interface is interface and (prefix.bits, prefix.length) == (bits, length):
                return prefix
        prefix = Prefix(interface, bits, length, updated=self._stack.kernel.clock.uptime() // NANOSECONDS)
        self._prefixes.insert(0, prefix)
        self._bring_on_link(prefix)
        return prefix

    def check(self) -> None:
        """Try again what could not come on link."""
        for prefix in self._prefixes:
            if not prefix.on_link:
                self._bring_on_link(prefix)

    def let_go(self, prefix: Prefix) -> None:
        """The last address with it is gone."""
        self._prefixes.remove(prefix)
        self._take_off_link(prefix)

    def all(self) -> list[Prefix]:
        return list(self._prefixes)

    def flush(self) -> None:
        """Forget those that are no link's own (SIOCSPFXFLUSH_IN6); to which addresses were given go off their links."""
        for prefix in self.all():
            if is_link_local(prefix.bits):
                continue
            prefix.lifetime = 0
            self._take_off_link(prefix)
            if not prefix.references:
                self._prefixes.remove(prefix)
                self.check()

    def interface_removed(self, interface: Interface) -> None:
        for prefix in [prefix for prefix in self._prefixes if prefix.interface is interface]:
            self.let_go(prefix)

    def _bring_on_link(self, prefix: Prefix) -> None:
        if any(other.on_link and other.same_network(prefix) for other in self._prefixes if other is not prefix):
            return
        address = self._address_for(prefix.interface)
        if address is None:
            return
        flags = address.flags & ~RTF_CONNECTED
        if prefix.interface.caches_neighbours:
            flags |= RTF_CONNECTED
        try:
            self._stack.routes.connect(prefix.interface, address, prefix.bits, prefix.mask, flags, quiet=False)
        except SyscallError as error:
            if error.errno is not Errno.EEXIST:
                raise
            return
        prefix.on_link = True

    def _address_for(self, interface: Interface) -> InterfaceAddress | None:
        """The address that a prefix's route has: a link-local one that is ready, or the first."""
        uptime = self._stack.kernel.clock.uptime()
        own = [address for address in interface.addresses if address.family == AF_INET6]
        unusable = IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED | IN6_IFF_ANYCAST
        usable = (
            address for address in own if is_link_local(address.address) and not address.state_at(uptime) & unusable
        )
        return next(usable, own[0] if own else None)

    def _take_off_link(self, prefix: Prefix) -> None:
        if not prefix.on_link:
            return
        if not self._stack.routes.disconnect(AF_INET6, prefix.bits, prefix.mask):
            return
        prefix.on_link = False
        for other in self._prefixes:
            if other is not prefix and not other.on_link and other.same_network(prefix):
                self._bring_on_link(other)

    def join_groups(self, interface: Interface, address: InterfaceAddress) -> None:
        """The routes to the multicast groups that every address joins."""
        mask = mask_of(32, 16)
        for group in MULTICAST_GROUPS:
            bits = embed_scope(group, interface.index)
            found = self._stack.routes.match(AF_INET6, bits)
            if found is not None and found.bits[:4] == bits[:4]:
                if found.interface is not interface:
                    found.interface, found.address = interface, address
                continue
            self._stack.routes.connect(interface, address, masked(bits, mask), mask, RTF_CONNECTED, quiet=True)
