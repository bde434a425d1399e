# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces made of others, and tunnels: the vlan, agr and gif that rump_ifconfig asks for.

What it asks of carp and wireless interfaces has pages of its own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.carp import Carp
from ..sysproxy.kernel.interface_kinds import Tunnel, Vlan
from ..sysproxy.kernel.interfaces import Interface
from ..sysproxy.kernel.wireless import Wireless
from ..sysproxy.netbsd.constants import IFF
from . import interface_carp, interface_wireless
from .failures import OptionError
from .interface_carp import WantedCarp
from .interface_state import Draft
from .interface_wireless import WantedWireless
from .internet import parse_interface

_MOST_VLANS = 4095


@dataclass(frozen=True)
class WantedKinds:
    """The options in their normal form. None stands for what is left as it is."""

    tag: int | None = None
    parent: str | None = None
    """Empty: on no parent."""
    tunnel: Tunnel | None = None
    no_tunnel: bool = False
    ports: tuple[str, ...] | None = None
    purge_ports: bool = False
    carp: WantedCarp | None = None
    wireless: WantedWireless | None = None


@dataclass(frozen=True)
class FoundKinds:
    """What the kernel has; of these, an interface has but one."""

    vlan: Vlan | None = None
    tunnel: Tunnel | None = None
    ports: tuple[str, ...] = ()
    carp: Carp | None = None
    wireless: Wireless | None = None


def normalize(parameters: Mapping[str, Any], cloner: str) -> WantedKinds:
    """Check the options without a kernel.

    :raises OptionError: one is wrong.
    """
    for option, kind in (("vlan", "vlan"), ("vlanif", "vlan"), ("tunnel", "gif"), ("agr", "agr")):
        if parameters.get(option) is not None and cloner != kind:
            raise OptionError(option, f"it is for interfaces of the kind {kind}, such as {kind}0")
    tag, parent = parameters.get("vlan"), parameters.get("vlanif")
    if tag is not None and not 0 <= tag <= _MOST_VLANS:
        raise OptionError("vlan", f"{tag} is no tag: give 0 to {_MOST_VLANS}")
    if parent:
        parse_interface("vlanif", parent)
        if parent == parameters["name"]:
            raise OptionError("vlanif", f"{parent} cannot be on itself")
    if parent == "" and tag is not None:
        raise OptionError("vlan", "an interface on no parent (vlanif is empty) has no tag")
    tunnel, no_tunnel = _tunnel(parameters.get("tunnel"))
    agr = parameters.get("agr") or {}
    ports = agr.get("ports")
    return WantedKinds(
        tag=tag,
        parent=parent,
        tunnel=tunnel,
        no_tunnel=no_tunnel,
        ports=None if ports is None else tuple(parse_interface("agr", port) for port in dict.fromkeys(ports)),
        purge_ports=bool(agr.get("purge")),
        carp=interface_carp.normalize(parameters, cloner),
        wireless=interface_wireless.normalize(parameters.get("wireless")),
    )


def _tunnel(given: Mapping[str, Any] | None) -> tuple[Tunnel | None, bool]:
    if given is None:
        return None, False
    texts = [given.get("source"), given.get("destination")]
    if texts == [None, None]:
        return None, True
    ends = []
    for option, text in zip(("source", "destination"), texts, strict=True):
        try:
            ends.append(ipaddress.ip_address(str(text or "")))
        except ValueError:
            raise OptionError("tunnel", f"{option} {text!r} is no IP address: a tunnel has two ends, or none") from None
    if ends[0].version != ends[1].version:
        raise OptionError("tunnel", f"its ends are of two address families, {ends[0]} and {ends[1]}")
    return Tunnel(*ends), False


def read(kernel: Kernel, found: Interface | None, cloner: str) -> FoundKinds:
    """What the interface has."""
    if found is None:
        return FoundKinds()
    match cloner:
        case "vlan":
            return FoundKinds(vlan=kernel.interfaces.vlan(found.name))
        case "gif":
            return FoundKinds(tunnel=kernel.interfaces.tunnel(found.name))
        case "agr":
            return FoundKinds(ports=tuple(kernel.interfaces.ports(found.name)))
        case "carp":
            return FoundKinds(carp=kernel.interfaces.carp(found.name))
    return FoundKinds(wireless=interface_wireless.read(kernel, found, cloner))


def describe(kinds: FoundKinds, cloner: str) -> dict[str, Any]:
    """In the module's terms."""
    match cloner:
        case "vlan":
            vlan = kinds.vlan
            return {"vlan": vlan.tag if vlan else None, "vlanif": vlan.parent if vlan else None}
        case "gif":
            ends = kinds.tunnel
            shown = {"source": str(ends.source), "destination": str(ends.destination)} if ends else None
            return {"tunnel": shown}
        case "agr":
            return {"agr": {"ports": list(kinds.ports)}}
        case "carp":
            return interface_carp.describe(kinds.carp) if kinds.carp else interface_carp.foretold()
    return interface_wireless.describe(kinds.wireless) if kinds.wireless else {}


def restore(kernel: Kernel, name: str, found: FoundKinds) -> None:
    """Set a carp or wireless interface to what it was, with the secrets that no description shows."""
    if found.carp is not None:
        interface_carp.restore(kernel, name, found.carp)
    if found.wireless is not None:
        interface_wireless.restore(kernel, name, found.wireless)


def plan(draft: Draft, wanted: WantedKinds, found: FoundKinds) -> None:
    """What is to be so before the interface's MTU and addresses, which depend on it."""
    if wanted.tag is not None or wanted.parent is not None:
        _plan_vlan(draft, wanted, found.vlan)
    if wanted.tunnel is not None or wanted.no_tunnel:
        _plan_tunnel(draft, wanted.tunnel, found.tunnel)
    if wanted.ports is not None:
        _plan_ports(draft, wanted.ports, found.ports, wanted.purge_ports)
    if wanted.carp is not None:
        interface_carp.plan(draft, wanted.carp, found.carp)


def _plan_vlan(draft: Draft, wanted: WantedKinds, found: Vlan | None) -> None:
    interfaces, name = draft.kernel.interfaces, draft.name
    parent = wanted.parent if wanted.parent is not None else (found.parent if found else None)
    tag = wanted.tag if wanted.tag is not None else (found.tag if found else None)
    if parent is None:
        raise OptionError(
            "vlan",
            f"{name} is on no parent: name the interface that it is to be on by vlanif",
            call="SIOCSETVLAN",
            object=name,
            errno="ENOENT",
        )
    if parent and tag is None:
        raise OptionError("vlanif", f"{name} has no tag: give one by vlan")
    goal = Vlan(tag or 0, parent) if parent else None
    if goal == found:
        return
    if found is not None:
        draft.add(f"take {name} off {found.parent}", lambda: interfaces.unset_vlan(name))
        # It goes down, and its IPv6 addresses with it. The link-local one comes back by itself.
        draft.is_up, draft.mtu = False, None
        for address in draft.found.addresses if draft.found else ():
            if address.interface.version == 6 and goal is None:
                draft.gone.add(address.interface.ip)
            elif address.interface.version == 6 and not address.interface.is_link_local:
                draft.lost.add(address.interface.ip)
        draft.after |= {"mtu": 0, "lladdr": None}
    draft.after |= describe(FoundKinds(vlan=goal), "vlan")
    if goal is None:
        return

    def parent_is_good() -> None:
        """Else it would be off the one, and not on the other."""
        there = interfaces.get(goal.parent)
        about = {"call": "SIOCSETVLAN", "object": name}
        if there is None:
            raise OptionError("vlanif", f"there is no interface {goal.parent}: make it first", **about, errno="ENOENT")
        if not there.link_address:
            raise OptionError("vlanif", f"{goal.parent} is no Ethernet", **about, errno="EPROTONOSUPPORT")

    draft.require(parent_is_good)
    draft.add(
        f"put {name} on {goal.parent} with the tag {goal.tag}",
        lambda: interfaces.set_vlan(name, goal.tag, goal.parent),
    )
    # It takes its parent's link-level address, its MTU or somewhat less, and is up if the parent is.
    under = interfaces.get(goal.parent)
    draft.is_up, draft.mtu = None, None
    draft.after |= {"mtu": None, "lladdr": (under.link_address.hex(":") or None) if under else None}


def _plan_tunnel(draft: Draft, wanted: Tunnel | None, found: Tunnel | None) -> None:
    interfaces, name = draft.kernel.interfaces, draft.name
    if wanted == found:
        return
    if wanted is None:
        draft.add(f"take the tunnel of {name} away", lambda: interfaces.unset_tunnel(name))
    else:

        def ends_are_free() -> None:
            for other in interfaces.all():
                if other.name != name and other.name.startswith("gif") and interfaces.tunnel(other.name) == wanted:
                    raise OptionError(
                        "tunnel",
                        f"{other.name} has the tunnel {wanted} already",
                        call="SIOCSLIFPHYADDR",
                        object=name,
                        errno="EADDRNOTAVAIL",
                    )

        draft.require(ends_are_free)
        draft.add(f"set the tunnel of {name} to {wanted}", lambda: interfaces.set_tunnel(name, wanted))
    draft.after |= describe(FoundKinds(tunnel=wanted), "gif")


def _plan_ports(draft: Draft, wanted: tuple[str, ...], found: tuple[str, ...], purge: bool) -> None:
    interfaces, name = draft.kernel.interfaces, draft.name
    leaving = [port for port in found if port not in wanted] if purge else []
    coming = [port for port in wanted if port not in found]
    staying = [port for port in found if port not in leaving]
    # Without any port it is no Ethernet any more, which its addresses would not outlive: new ones come first.
    for port in coming:
        draft.add(f"join {port} to {name}", partial(interfaces.add_port, name, port))
    for port in leaving:
        draft.add(f"take {port} out of {name}", partial(interfaces.remove_port, name, port))
    if coming:
        draft.require(lambda: _require_ports(draft.kernel, name, coming))
    if coming or leaving:
        draft.after["agr"] = {"ports": [*staying, *coming]}
        if not found:
            draft.mtu = None


def _require_ports(kernel: Kernel, name: str, ports: list[str]) -> None:
    """What the kernel asks of a port, and says less clearly."""
    there = {interface.name: interface for interface in kernel.interfaces.all()}
    for port in ports:
        about = {"call": "SIOCSETAGR", "object": f"{name} agrport {port}"}
        if port not in there:
            raise OptionError("agr", f"there is no interface {port}: make it first", **about, errno="ENOENT")
        held = ", ".join(str(address.interface) for address in there[port].addresses)
        if held:
            raise OptionError(
                "agr",
                f"{port} has addresses, {held}, and a port has none: take them away, or join it before it comes up",
                **about,
                errno="EBUSY",
            )
        for other in there.values():
            if other.name.startswith("agr") and other.name != name and port in kernel.interfaces.ports(other.name):
                raise OptionError(
                    "agr", f"{port} is a port of {other.name}: take it out there first", **about, errno="EBUSY"
                )
        if there[port].flags & IFF.LOOPBACK or not there[port].link_address:
            raise OptionError("agr", f"{port} is no Ethernet", **about, errno="EPROTONOSUPPORT")
