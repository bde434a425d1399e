# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection that a task itself comes by, where it goes through the network stack that the task changes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.interfaces import Interface
from ..sysproxy.kernel.neighbours import Neighbour
from ..sysproxy.kernel.routes import Route
from ..sysproxy.kernel.routing_messages import IPAddress
from ..sysproxy.netbsd.constants import IFF, RTF
from . import route

_HARMLESS = frozenset(
    [
        *("name", "state", "flags", "mtu", "metric", "description", "addresses", "address_details", "bridge"),
        *("capabilities", "enabled_capabilities"),
    ]
)
"""What can be changed of an interface while a connection goes through it; all else interrupts its link."""


@dataclass(frozen=True)
class OwnConnection:
    """Our connection as the kernel sees it: its own address, the controller's, and the interface with the former.

    ``carriers`` are the interfaces that it goes through: beside that one those that a vlan or an agr is made of.
    """

    local: IPAddress
    remote: IPAddress
    interface: str
    carriers: frozenset[str]

    def __str__(self) -> str:
        return f"{self.local} on {self.interface}, from {self.remote}"


def find(kernel: Kernel, interfaces: Iterable[Interface]) -> OwnConnection | None:
    """Our connection, if it goes through the kernel's own stack, as the kernel sees it: address translation and
    forwarded ports on the way do not matter (:mod:`..sysproxy.kernel.own_stack`)."""
    found = list(interfaces)
    ends = kernel.own_stack.ends(found)
    if ends is None:
        return None
    (local, _port), (remote, _remote_port) = ends
    for one in found:
        if not one.flags & IFF.LOOPBACK and any(address.interface.ip == local for address in one.addresses):
            return OwnConnection(local, remote, one.name, frozenset(_carriers(kernel, one.name)))
    return None


def _carriers(kernel: Kernel, name: str) -> set[str]:
    found = {name}
    if name.startswith("vlan"):
        vlan = kernel.interfaces.vlan(name)
        found |= _carriers(kernel, vlan.parent) if vlan else set()
    elif name.startswith("agr"):
        found.update(kernel.interfaces.ports(name))
    return found


def cut_by_interface(own: OwnConnection, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Why the connection does not outlive an interface's changes from ``before`` to ``after``, or nothing."""
    if name not in own.carriers or before.get("state") == "absent":
        return ""
    if after["state"] == "absent":
        return f"the connection goes through {name}, which is destroyed"
    if "UP" in before["flags"] and "UP" not in after["flags"]:
        return f"the connection goes through {name}, which is taken down"
    for key in before.keys() | after.keys():
        if key not in _HARMLESS and before.get(key) != after.get(key):
            return f"the connection goes through {name}, whose {key} is changed"
    if name == own.interface:
        former = {text for text in before["addresses"] if ipaddress.ip_interface(text).ip == own.local}
        if not former <= set(after["addresses"]):
            return f"the connection is to {own.local}, which {name} loses"
    return ""


def cut_by_removal(own: OwnConnection, name: str, address: IPAddress) -> str:
    """Why the connection does not outlive that an address is taken from an interface, or nothing."""
    if name == own.interface and address == own.local:
        return f"the connection is to {address}, which {name} loses"
    return ""


def rerouted(own: OwnConnection, before: route.Table, after: route.Table) -> tuple[Route | None, Route | None] | None:
    """The routes that lead to the controller before and after, if they are not the same way; else None."""
    former, coming = before.leading_to(own.remote), after.leading_to(own.remote)
    return None if _way(former) == _way(coming) else (former, coming)


def _way(found: Route | None) -> tuple[Any, ...] | None:
    if found is None:
        return None
    return found.gateway, found.interface, found.flags & (RTF.REJECT | RTF.BLACKHOLE | RTF.GATEWAY)


def cut_by_neighbour(own: OwnConnection, table: route.Table, found: Neighbour, link_address: bytes) -> str:
    """Why the connection does not outlive that a neighbour is known at another link-level address, or nothing."""
    way = table.leading_to(own.remote)
    hop = own.remote if way is None or way.gateway is None else way.gateway
    if found.address.packed != hop.packed or found.link_address == link_address:
        return ""
    return f"the connection goes by the neighbour {found.address}, which is said to be elsewhere"
