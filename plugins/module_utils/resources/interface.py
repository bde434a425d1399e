# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface resource: what rump_ifconfig asks for against what the kernel has.

The order of the changes is the one in which the kernel takes them: what an interface is on or made of before its MTU,
its MTU before its members and addresses, its link-level address before the IPv6 address that follows from it, and up
or down last of all. The parts stand in pages of their own, interface_*.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.bridges import Bridge
from ..sysproxy.kernel.interfaces import Interface, IPAddress
from ..sysproxy.netbsd.constants import IFF
from . import (
    interface_addresses,
    interface_bridge,
    interface_carp,
    interface_kinds,
    interface_link,
    interface_wireless,
)
from .failures import OptionError, component_of_cloner
from .interface_addresses import FoundAddress, WantedAddress
from .interface_bridge import WantedBridge
from .interface_kinds import FoundKinds, WantedKinds
from .interface_link import FoundLink, WantedLink
from .interface_state import Draft, answers
from .internet import parse_interface
from .plan import Plan

_VOLATILE = ("state", "active", "active_options")
"""Keys that tell what the network made of it, at any depth below the interface: no matter of a diff."""


@dataclass(frozen=True)
class Wanted:
    """The options in their normal form. None stands for what is left as it is."""

    name: str
    state: str
    linkstr: str | None
    mtu: int | None
    addresses: dict[IPAddress, WantedAddress] | None
    purge: bool
    link: WantedLink
    kinds: WantedKinds
    bridge: WantedBridge | None
    wait: float | None
    """Seconds to wait at most until all addresses are good; None: not at all."""

    @property
    def cloner(self) -> str:
        """The kind of interface that the name says."""
        return cloner_of(self.name)


def cloner_of(name: str) -> str:
    """The kind of an interface: ``shmif`` of ``shmif0``."""
    return name.rstrip("0123456789")


def normalize(parameters: Mapping[str, Any]) -> Wanted:
    """Check the options without a kernel.

    :raises OptionError: one is wrong.
    """
    name = parse_interface("name", str(parameters["name"]))
    mtu = parameters.get("mtu")
    if mtu is not None and not 1 <= mtu <= 65535:
        raise OptionError("mtu", f"{mtu} is no MTU: give 1 to 65535 bytes")
    linkstr = parameters.get("linkstr")
    if linkstr is not None and (not linkstr or "\0" in linkstr):
        raise OptionError("linkstr", "give a text, such as the path of the bus file of a shmif interface")
    addresses = parameters.get("addresses")
    limit = parameters.get("dad_timeout")
    if limit is not None and not 0 <= limit <= 3600:
        raise OptionError("dad_timeout", f"{limit:g}: give 0 to 3600 seconds")
    return Wanted(
        name=name,
        state=parameters.get("state") or "present",
        linkstr=linkstr,
        mtu=mtu,
        addresses=None if addresses is None else interface_addresses.normalize(addresses),
        purge=bool(parameters.get("purge_addresses")),
        link=interface_link.normalize(parameters),
        kinds=interface_kinds.normalize(parameters, cloner_of(name)),
        bridge=interface_bridge.normalize(parameters.get("bridge"), cloner_of(name)),
        wait=(15.0 if limit is None else float(limit)) if parameters.get("wait_for_dad") else None,
    )


@dataclass(frozen=True)
class Found:
    """All that rump_ifconfig shows of an interface; ``interface`` is None where there is none."""

    interface: Interface | None
    linkstr: str | None
    addresses: dict[IPAddress, FoundAddress]
    link: FoundLink
    kinds: FoundKinds
    bridge: Bridge | None


def find(kernel: Kernel, name: str, interface: Interface | None) -> Found:
    """What the kernel has. ``interface`` is what its list of interfaces says."""
    return find_all(kernel, {name: interface})[name]


def find_all(kernel: Kernel, listed: Mapping[str, Interface | None]) -> dict[str, Found]:
    """What the kernel has of several interfaces, asked for side by side."""
    there = [interface for interface in listed.values() if interface is not None]
    linkstrs = answers(kernel, (kernel.interfaces.asking_linkstr(interface.name) for interface in there))
    addresses = interface_addresses.read_all(kernel, there)
    links = interface_link.read_all(kernel, there)
    found = {name: Found(None, None, {}, FoundLink(), FoundKinds(), None) for name in listed}
    for interface, linkstr, held, link in zip(there, linkstrs, addresses, links, strict=True):
        cloner = cloner_of(interface.name)
        found[interface.name] = Found(
            interface,
            linkstr,
            held,
            link,
            interface_kinds.read(kernel, interface, cloner),
            interface_bridge.read(kernel, interface, cloner),
        )
    return found


def read(kernel: Kernel, name: str) -> dict[str, Any]:
    """The interface as the kernel has it, in the module's terms."""
    return describe(kernel, find(kernel, name, kernel.interfaces.get(name)))


def describe(kernel: Kernel, found: Found) -> dict[str, Any]:
    """An interface in the module's terms."""
    interface = found.interface
    if interface is None:
        return {"state": "absent"}
    return {
        "state": "present",
        "name": interface.name,
        "flags": [str(flag.name) for flag in IFF if interface.flags & flag],
        "mtu": interface.mtu,
        "metric": interface.metric,
        "lladdr": interface.link_address.hex(":") or None,
        "linkstr": found.linkstr,
        **interface_addresses.describe(found.addresses),
        **interface_link.describe(kernel, found.link),
        **interface_kinds.describe(found.kinds, cloner_of(interface.name)),
        **interface_bridge.describe(found.bridge),
    }


def _foretold(name: str) -> dict[str, Any]:
    """What can be said of an interface that is yet to be made."""
    return {
        "state": "present",
        "name": name,
        "flags": [],
        "mtu": None,
        "metric": 0,
        "lladdr": None,
        "linkstr": None,
        "addresses": [],
        "address_details": [],
        **interface_kinds.describe(FoundKinds(), cloner_of(name)),
    }


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The changes that bring the interface to what the options ask for."""
    wanted = normalize(parameters)
    made = Plan()
    found = find(kernel, wanted.name, kernel.interfaces.get(wanted.name))
    before, after = plan_interface(kernel, wanted, found, made, kernel.interfaces.cloners)
    if made.changes:
        made.before, made.after = steady(before), steady(after)
    made.expected = {"interface": after}
    if wanted.state != "absent":
        made.report = lambda: _report(kernel, wanted, made)
    return made


def _report(kernel: Kernel, wanted: Wanted, made: Plan) -> dict[str, Any]:
    if wanted.wait is not None:
        interface_addresses.wait(kernel, wanted.name, wanted.wait)
    shown = read(kernel, wanted.name)
    for address in shown.get("address_details", ()):
        if "duplicated" in address["state"]:
            made.warnings.append(
                f"{kernel.url}: another host on the link of {wanted.name} has {address['address']}, "
                "and the kernel does not use it"
            )
    return {"interface": shown}


def plan_interface(
    kernel: Kernel, wanted: Wanted, found: Found, made: Plan, cloners: Callable[[], list[str]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add to a plan what brings one interface to what is wanted.

    ``cloners`` tells what kinds of interfaces the kernel can create. The answer is what the module says of the
    interface before, and as far as can be foretold, after.

    :raises OptionError: the kernel cannot do it.
    """
    interface = found.interface
    before = describe(kernel, found)
    if wanted.state == "absent":
        _plan_absent(kernel, wanted.name, found, made)
        return before, {"state": "absent"}
    draft = Draft(kernel, wanted.name, interface, made, dict(before) if interface else _foretold(wanted.name))
    draft.is_up = bool(interface and interface.flags & IFF.UP)
    draft.mtu = interface.mtu if interface else None
    if interface is None:
        _plan_creation(draft, cloners())
    if wanted.linkstr is not None and wanted.linkstr != found.linkstr:
        _plan_linkstr(draft, wanted.linkstr, found.linkstr)
    interface_kinds.plan(draft, wanted.kinds, found.kinds)
    if wanted.mtu is not None and wanted.mtu != draft.mtu:
        interface_carp.plan_before_mtu(draft)
        _plan_mtu(draft, wanted.mtu)
    interface_link.plan(draft, wanted.link, found.link)
    if wanted.kinds.wireless is not None:
        interface_wireless.plan(
            draft, wanted.kinds.wireless, found.kinds.wireless, interface_link.is_active(found.link)
        )
    if wanted.bridge is not None:
        interface_bridge.plan(draft, wanted.bridge, found.bridge)
    if wanted.addresses is not None or draft.lost or draft.gone:
        purge = wanted.purge and wanted.addresses is not None
        held = {ip: address for ip, address in found.addresses.items() if ip not in draft.gone}
        is_new = bool(set(wanted.addresses or ()) - set(held))
        if wanted.wait is not None and wanted.state != "down" and not draft.is_up and is_new:
            # An address that comes while the interface is down is not looked for elsewhere.
            draft.add_up(f"bring {draft.name} up", True)
            draft.is_up = True
        interface_addresses.plan(draft, wanted.addresses or {}, purge, held, recheck=wanted.wait is not None)
    _plan_up(draft, wanted)
    interface_carp.plan_state(draft, wanted.kinds.carp, found.kinds.carp)
    return before, draft.after


def steady(description: Any, depth: int = 0) -> Any:
    """A description without what the network makes of it, for diffs."""
    if isinstance(description, Mapping):
        return {
            key: steady(value, depth + 1) for key, value in description.items() if not depth or key not in _VOLATILE
        }
    if isinstance(description, list):
        return [steady(entry, depth) for entry in description]
    return description


def _plan_absent(kernel: Kernel, name: str, found: Found, made: Plan) -> None:
    if found.interface is None:
        return
    if name == "lo0":
        # Some releases refuse this only after they have taken the interface apart.
        raise OptionError("state", "lo0 cannot be destroyed (EPERM)", call="SIOCIFDESTROY", object=name, errno="EPERM")
    for port in found.kinds.ports:
        # With a port in it the kernel refuses, and the interface can be used no more.
        made.add(f"take {port} out of {name}", partial(kernel.interfaces.remove_port, name, port))
    for member in reversed(found.bridge.members if found.bridge else ()):
        # The kernel would leave them in promiscuous mode.
        made.add(
            f"take {member.name} out of {name}", partial(kernel.interfaces.remove_bridge_member, name, member.name)
        )
    made.add(f"destroy {name}", lambda: kernel.interfaces.destroy(name))


def _plan_creation(draft: Draft, cloners: list[str]) -> None:
    """A kernel without the kind's component is found out before anything is changed."""
    name, cloner = draft.name, cloner_of(draft.name)
    if cloner not in cloners:
        raise OptionError(
            "name",
            f"SIOCIFCREATE {name}: EINVAL (Invalid argument): the kernel cannot create interfaces of the kind "
            f"{cloner}, only {', '.join(cloners)}; "
            f"if there is a component {component_of_cloner(cloner)}, start the server with it",
            call="SIOCIFCREATE",
            object=name,
            errno="EINVAL",
        )
    draft.add(f"create {name}", lambda: draft.kernel.interfaces.create(name))


def _plan_linkstr(draft: Draft, text: str, found: str | None) -> None:
    """A link string can only be changed while the interface is down."""
    name, interfaces = draft.name, draft.kernel.interfaces
    if draft.is_up:
        draft.add_up(f"take {name} down to change its linkstr", False)
    if found is not None:
        draft.add(f"unset the linkstr of {name}", lambda: interfaces.unset_linkstr(name))
    draft.add_exchange(f"set the linkstr of {name} to {text}", lambda: interfaces.setting_linkstr(name, text))
    draft.is_up = False
    draft.after["linkstr"] = text


def _plan_mtu(draft: Draft, mtu: int) -> None:
    setting = partial(draft.kernel.interfaces.setting_mtu, draft.name, mtu)
    draft.add_exchange(f"set the mtu of {draft.name} to {mtu}", setting)
    draft.after["mtu"] = mtu


def _plan_up(draft: Draft, wanted: Wanted) -> None:
    """Last of all: up or down as asked for, else as it was before the changes above."""
    was_up = bool(draft.found and draft.found.flags & IFF.UP)
    kept = draft.is_up if draft.found is None else was_up or draft.is_up
    should_be_up = {"up": True, "down": False}.get(wanted.state, kept)
    if should_be_up is None:
        return
    if should_be_up != draft.is_up:
        draft.add_up(f"bring {draft.name} up" if should_be_up else f"take {draft.name} down", should_be_up)
    flags = [flag for flag in draft.after["flags"] if flag != IFF.UP.name]
    draft.after["flags"] = [str(IFF.UP.name), *flags] if should_be_up else flags
