# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a kernel's tables will hold when interfaces have been changed: routes and neighbours are planned against that.

The kernel makes routes by itself for each address: one to it, and one to its network.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.interfaces import Interface, InterfaceAddress
from ..sysproxy.kernel.routes import Route
from ..sysproxy.kernel.routing_messages import IPAddress, IPNetwork, Names
from ..sysproxy.netbsd.constants import IFF, RTF
from . import route

_UP, _FAR, _OWN = int(RTF.UP), int(RTF.UP | RTF.HOST), int(RTF.UP | RTF.HOST | RTF.LOCAL)
_SOME_ETHERNET = bytes(6)
"""Stands for the link-level address that an interface will have which is yet to be made."""


class ForetoldNames(Names):
    """The interfaces' names, with those of interfaces that are yet to be made."""

    def __init__(self, by_index: Mapping[int, str]) -> None:
        super().__init__(by_index)
        self._planned: frozenset[str] = frozenset()
        self._kernel: Kernel | None = None

    def expect(self, names: Iterable[str]) -> None:
        """These will be there: they have an index that is no index, until :meth:`settle`."""
        self._planned = frozenset(names)

    def settle(self, kernel: Kernel) -> None:
        """They are there now: the kernel is asked when an index is needed."""
        self._kernel = kernel

    def index(self, name: str) -> int | None:
        if name in self._planned:
            if self._kernel is None:
                return -1
            self._planned = frozenset()
            super().__init__({found.index: found.name for found in self._kernel.interfaces.all()})
        return super().index(name)


@dataclass(frozen=True)
class ForetoldRoutes(route.Table):
    """A routing table that routes are added to and removed from while it is planned."""

    routes: dict[tuple[IPNetwork, str], Route]
    _by_length: dict[tuple[int, str], dict[int, dict[int, Route]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for found in self.routes.values():
            self._file(found)

    def add(self, made: Route) -> None:
        self.routes[made.key] = made
        self._file(made)

    def remove(self, gone: Route) -> None:
        if self.routes.pop(gone.key, None) is not None:
            network = gone.destination
            del self._by_length[network.version, gone.scope][network.prefixlen][_bits(network.network_address, network)]

    def _file(self, made: Route) -> None:
        network = made.destination
        lengths = self._by_length.setdefault((network.version, made.scope), {})
        lengths.setdefault(network.prefixlen, {})[_bits(network.network_address, network)] = made

    def leading_to(self, address: IPAddress, but: tuple[IPNetwork, str] | None = None) -> Route | None:
        """As the table's, in the time that a few look-ups take instead of one for each route."""
        lengths = self._by_length.get((address.version, getattr(address, "scope_id", None) or ""), {})
        bits, size = int(address), address.max_prefixlen
        for length in sorted(lengths, reverse=True):
            found = lengths[length].get(bits >> size - length)
            if found is not None and found.key != but:
                return found
        return None


def _bits(address: IPAddress, network: IPNetwork) -> int:
    """The bits of an address that tell the network."""
    return int(address) >> address.max_prefixlen - network.prefixlen


def foretell_interface(found: Interface | None, after: Mapping[str, Any]) -> Interface | None:
    """The interface as it will be by what its plan says of it afterwards; None for none."""
    if after["state"] == "absent":
        return None
    is_up = "UP" in after["flags"]
    if found is None:
        link_address = bytes.fromhex((after.get("lladdr") or "").replace(":", ""))
        kind = after["name"].rstrip("0123456789")
        if not link_address and kind not in ("lo", "gif", "gre", "ppp", "pppoe", "tun", "sl", "faith"):
            link_address = _SOME_ETHERNET
        found = Interface(after["name"], -1, IFF(0), after.get("mtu") or 0, 0, 0, link_address)
    flags = found.flags | IFF.UP if is_up else found.flags & ~IFF.UP
    far_ends = {detail["address"]: detail.get("destination") for detail in after["address_details"]}
    addresses = []
    for text in after["addresses"]:
        far = far_ends.get(text)
        addresses.append(
            InterfaceAddress(ipaddress.ip_interface(text), destination=ipaddress.ip_address(far) if far else None)
        )
    return replace(found, flags=flags, addresses=tuple(addresses))


def is_made_up(link_address: bytes) -> bool:
    """Whether it only stands for one that the kernel will choose."""
    return link_address == _SOME_ETHERNET


def foretell_routes(
    before: Mapping[str, Interface], after: Mapping[str, Interface], routes: Iterable[Route], names: Names
) -> ForetoldRoutes:
    """The routing table as it will be when the interfaces are as in ``after``: what the kernel does by itself."""
    table = ForetoldRoutes(routes={found.key: found for found in routes}, names=names)
    has_inet6 = any(found.destination.version == 6 for found in table.routes.values())
    for found in list(table.routes.values()):
        if found.interface and found.interface in before and found.interface not in after:
            table.remove(found)
    held = {(name, address.interface): address for name, found in after.items() for address in found.addresses}
    for name, former in before.items():
        for address in former.addresses:
            if (name, address.interface) not in held:
                _forget(table, name, address)
    for (name, _address), address in held.items():
        for made in _own_routes(after[name], address):
            if made.key not in table.routes:
                table.add(made)
    for name, coming in after.items():
        if has_inet6 and name not in before and coming.flags & IFF.UP:
            network = ipaddress.ip_network("fe80::/64")
            table.add(Route(network, interface=name, flags=_UP, scope=name))
    return table


def _own_routes(found: Interface, address: InterfaceAddress) -> list[Route]:
    """The routes that the kernel makes for an address."""
    ip, network = address.interface.ip, address.interface.network
    scope = found.name if ip.is_link_local and ip.version == 6 else ""
    own = Route(_host(ip), interface="lo0", flags=_OWN, scope=scope)
    if address.destination is not None:
        return [own, Route(_host(address.destination), interface=found.name, flags=_FAR, scope=scope)]
    if network.prefixlen == network.max_prefixlen or found.flags & IFF.LOOPBACK:
        return [own]
    return [own, Route(network, interface=found.name, flags=_UP, scope=scope)]


def _host(address: IPAddress) -> IPNetwork:
    """An address as a network of its own."""
    return (ipaddress.IPv4Network if address.version == 4 else ipaddress.IPv6Network)(address.packed)


def _forget(table: ForetoldRoutes, name: str, address: InterfaceAddress) -> None:
    """What goes with an address. A route by a gateway stays, though nothing leads to the gateway any more."""
    ip, network = address.interface.ip, address.interface.network
    scope = name if ip.is_link_local and ip.version == 6 else ""
    own = table.routes.get((_host(ip), scope))
    if own is not None and own.flags & RTF.LOCAL:
        table.remove(own)
    far = _host(address.destination) if address.destination is not None else network
    link = table.routes.get((far, scope))
    if link is not None and link.interface == name and not link.flags & (RTF.GATEWAY | RTF.STATIC | RTF.LOCAL):
        table.remove(link)
