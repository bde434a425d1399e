# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Link-level addresses of neighbours: what arp(8) and ndp(8) show and set (sys/net/if_llatbl.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import refuse
from .addresses import AF_INET, AF_INET6, AF_LINK, sockaddr_in, sockaddr_in6
from .messages import RTAX_DST, RTAX_GATEWAY, RTM_GET
from .route_messages import RouteMessage
from .routes import RTF_ANNOUNCE, RTF_GATEWAY, RTF_HOST, RTF_STATIC

if TYPE_CHECKING:
    from .interfaces import Interface
    from .stack import NetworkStack

SIN_PROXY = 1


@dataclass
class Neighbour:
    """What is known of one address on one link."""

    hardware_address: bytes
    expires: int = 0
    """Wall clock in seconds; 0 is never."""
    published: bool = False


class NeighbourTable:
    """The neighbours of one kernel. Own addresses are among them for good."""

    def __init__(self, stack: NetworkStack) -> None:
        self._stack = stack
        self._entries: dict[tuple[Interface, bytes], Neighbour] = {}

    def find(self, interface: Interface, address: bytes) -> Neighbour | None:
        known = self._entries.get((interface, address))
        if known is None and any(own.address == address for own in interface.addresses):
            return Neighbour(interface.hardware_address)
        return known

    def add(self, index: int, address: bytes, link: bytes, expires: int, published: bool) -> None:
        """An entry by hand, from a sockaddr_dl.

        EEXIST if there is one that stays, EINVAL without the interface, ENOMEM if no link leads to the address.
        """
        interface = self._interface(index)
        known = self.find(interface, address)
        if known is not None and not known.expires:
            raise refuse("EEXIST")
        if known is None:
            route = self._stack.routes.match(AF_INET if len(address) == 4 else AF_INET6, address)
            if route is None or route.flags & RTF_GATEWAY:
                raise refuse("ENOMEM")
        start = 8 + link[5]
        hardware_address = link[start : start + 6].ljust(len(interface.hardware_address), b"\0")
        self._entries[interface, address] = Neighbour(hardware_address, expires, published)

    def remove(self, index: int, address: bytes) -> None:
        if self._entries.pop((self._interface(index), address), None) is None:
            raise refuse("ENOENT")

    def interface_removed(self, interface: Interface) -> None:
        self._entries = {key: entry for key, entry in self._entries.items() if key[0] is not interface}

    def _interface(self, index: int) -> Interface:
        found = next((interface for interface in self._stack.interfaces if interface.index == index), None)
        if found is None:
            raise refuse("EINVAL")
        return found

    def link_address(self, interface: Interface, known: Neighbour | None) -> bytes:
        """A sockaddr_dl without the interface's name."""
        abi = self._stack.kernel.abi
        size = 8 + len(interface.hardware_address)
        hardware_address = known.hardware_address if known is not None else b""
        head = bytes([size, AF_LINK]) + abi.integer("uint16", interface.index)
        return (head + bytes([interface.kind.type, 0, len(hardware_address), 0]) + hardware_address).ljust(size, b"\0")

    def dump(self, family: int) -> list[bytes]:
        """The messages that sysctl gives for one family."""
        return [
            self._message(interface, address, entry)
            for interface in reversed(self._stack.interfaces)
            if (interface.resolves_addresses if family == AF_INET else interface.caches_neighbours)
            for address, entry in sorted(self._of(interface, 4 if family == AF_INET else 16).items())
        ]

    def _of(self, interface: Interface, size: int) -> dict[bytes, Neighbour]:
        own = [own.address for own in interface.addresses if len(own.address) == size]
        entries = {address: Neighbour(interface.hardware_address) for address in own}
        return entries | {
            address: entry
            for (owner, address), entry in self._entries.items()
            if owner is interface and len(address) == size
        }

    def _message(self, interface: Interface, address: bytes, entry: Neighbour) -> bytes:
        abi = self._stack.kernel.abi
        if len(address) == 4:
            # struct sockaddr_inarp: the last two bytes, sin_other, say whether it is published.
            destination = sockaddr_in(address)[:14] + abi.integer("uint16", SIN_PROXY if entry.published else 0)
        else:
            destination = sockaddr_in6(abi, address)
        flags = RTF_HOST | (0 if entry.expires else RTF_STATIC) | (RTF_ANNOUNCE if entry.published else 0)
        addresses = {RTAX_DST: destination, RTAX_GATEWAY: self.link_address(interface, entry)}
        message = RouteMessage(RTM_GET, interface.index, flags, addresses=addresses)
        message.metrics["expire"] = entry.expires
        return message.build(abi)
