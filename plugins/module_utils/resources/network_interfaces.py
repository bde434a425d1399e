# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interfaces of a network that is declared: what is planned for each, in what order, and how it is taken back."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.interfaces import Interface, IPAddress, IPInterface
from ..sysproxy.netbsd.constants import IFF
from . import interface, interface_kinds
from .network_draft import Draft, Group
from .network_judge import Judge
from .network_steps import Step
from .network_tables import foretell_interface
from .network_wanted import Wanted, about, stands_on
from .plan import Change, Plan

_DESTROYED_FIRST = {"bridge": 0, "carp": 0, "vlan": 1, "gif": 1, "agr": 2}
"""Kinds of interfaces that stand on others, in the order in which they go."""


def plan(kernel: Kernel, wanted: Wanted, listed: dict[str, Interface]) -> dict[str, Group]:
    """Those that are declared, in their order, and then those that lose something because nobody asked for it."""
    cloners = cache(kernel.interfaces.cloners)
    asked = {name: replace(one, purge=False) for name, one in wanted.interfaces.items()}
    for name, found in listed.items():
        if name in wanted.interfaces or name == "lo0":
            continue
        if "interfaces" in wanted.purge and interface.cloner_of(name) in cloners():
            asked[name] = interface.normalize({"name": name, "state": "absent"})
        elif _is_purged(wanted, found) and _leaving(found, {}):
            asked[name] = interface.normalize({"name": name})
    there = interface.find_all(kernel, {name: listed.get(name) for name in asked})
    groups: dict[str, Group] = {}
    for name, one in asked.items():
        part, declared = Plan(), wanted.interfaces.get(name)
        with about("interfaces", name):
            before, planned = interface.plan_interface(kernel, one, there[name], part, cloners)
        group = groups[name] = Group(name, before, planned, part.changes, part.conditions, there[name].kinds)
        if name in listed and not group.is_gone:
            purged = declared is not None and declared.purge and declared.addresses is not None
            if purged or _is_purged(wanted, listed[name]):
                group.leaving = _leaving(listed[name], one.addresses or {})
    return groups


def _is_purged(wanted: Wanted, found: Interface) -> bool:
    return "addresses" in wanted.purge and not found.flags & IFF.LOOPBACK


def _leaving(found: Interface, kept: Mapping[IPAddress, object]) -> dict[IPAddress, IPInterface]:
    """The addresses that go. A link-local one the kernel gives to each interface of its own accord, and needs it."""
    held = {address.interface.ip: address.interface for address in found.addresses}
    return {
        ip: address for ip, address in held.items() if ip not in kept and not (ip.version == 6 and ip.is_link_local)
    }


def coming(draft: Draft) -> dict[str, Interface]:
    """The interfaces as they will be."""
    coming = dict(draft.listed)
    for name, group in draft.groups.items():
        if name in coming and not group.changes and not group.leaving:
            continue
        made = foretell_interface(draft.listed.get(name), group.after)
        if made is None:
            coming.pop(name, None)
        else:
            coming[name] = made
    return coming


def add(draft: Draft, judge: Judge) -> None:
    """What is made and changed: interfaces that are new and made of nothing are there first, then each in turn.

    All else of an interface is one chain, which may be made beside those of others.
    """
    declared = draft.wanted.interfaces
    new = {ip for asked in declared.values() for ip in asked.addresses or ()}
    for group in draft.groups.values():
        # What another interface is to have cannot be there twice, not even for a moment.
        for ip in [ip for ip in group.leaving if ip in new]:
            draft.steps.append(_loss(draft, judge, group, ip, group.leaving[ip]))
    created: list[Step] = []
    rest: list[Step] = []
    chains = _chains(draft)
    for name, group in draft.groups.items():
        if group.changes or group.leaving:
            draft.note("interfaces", name, interface.steady(group.before), interface.steady(group.after))
        if group.is_gone or not group.changes:
            continue
        changes = list(group.changes)
        stands = bool(stands_on(declared[name]) & declared.keys())
        if stands:
            # What it is made of is only there by then.
            changes[0] = Change(changes[0].text, _after(group.conditions, changes[0].apply))
        else:
            draft.made.conditions += group.conditions
        cuts = judge.interface(group)
        steps = [Step(one.text, one.apply, one.exchange, cuts=cuts, chain=chains[name]) for one in changes]
        steps[0] = replace(steps[0], undo=_restorer(draft.kernel, group))
        if name not in draft.listed and not stands:
            created.append(steps.pop(0))
        rest += steps
    draft.steps += [*created, *rest]


def _chains(draft: Draft) -> dict[str, str]:
    """The chain of each interface. Those whose networks overlap have one: the kernel's route to a network is by the
    interface that is first on it."""
    chains = {name: name for name in draft.groups}

    def first(name: str) -> str:
        while chains[name] != name:
            name = chains[name]
        return name

    spans: list[tuple[int, int, int, str]] = []
    for name in chains:
        asked, found = draft.wanted.interfaces.get(name), draft.listed.get(name)
        networks = [held.interface.network for held in found.addresses] if found is not None else []
        for one in ((asked.addresses if asked is not None else None) or {}).values():
            networks.append(one.interface.network)
            if one.destination is not None:
                networks.append(ipaddress.ip_network(one.destination.packed))
        spans += [
            (network.version, int(network.network_address), int(network.broadcast_address), name)
            for network in networks
            if network.version == 4 or not network.is_link_local  # each link has its own
        ]
    spans.sort()
    version, end, former = 0, 0, ""
    for its_version, start, its_end, name in spans:
        if its_version == version and start <= end:
            chains[first(name)] = first(former)
            end = max(end, its_end)
        else:
            version, end, former = its_version, its_end, name
    return {name: first(name) for name in chains}


def _after(conditions: list[Callable[[], object]], apply: Callable[[], object]) -> Callable[[], object]:
    def do() -> None:
        for condition in conditions:
            condition()
        apply()

    return do


def _loss(draft: Draft, judge: Judge, group: Group, ip: IPAddress, address: IPInterface) -> Step:
    name, kernel = group.name, draft.kernel
    return Step(
        f"remove {address} from {name}",
        lambda: kernel.interfaces.remove_address(name, ip),
        cuts=judge.removal(name, address),
        adds=False,
    )


def add_leaving(draft: Draft, judge: Judge) -> None:
    new = {ip for asked in draft.wanted.interfaces.values() for ip in asked.addresses or ()}
    for group in draft.groups.values():
        for ip, address in group.leaving.items():
            if ip not in new:
                draft.steps.append(_loss(draft, judge, group, ip, address))


def add_destroyed(draft: Draft, judge: Judge) -> None:
    gone = [group for group in draft.groups.values() if group.is_gone and group.changes]
    for group in sorted(gone, key=lambda group: _DESTROYED_FIRST.get(interface.cloner_of(group.name), 3)):
        draft.made.conditions += group.conditions
        cuts = judge.interface(group)
        draft.steps += [Step(change.text, change.apply, cuts=cuts, adds=False) for change in group.changes]


def _restorer(kernel: Kernel, group: Group) -> Callable[[], object]:
    """What makes an interface again what it was."""
    return lambda: _restore(kernel, group)


def _restore(kernel: Kernel, group: Group) -> None:
    name, before, planned = group.name, group.before, group.planned
    if before["state"] == "absent":
        options: dict[str, Any] = {"name": name, "state": "absent"}
    else:
        interface_kinds.restore(kernel, name, group.kinds)
        details = before["address_details"]
        options = {
            "name": name,
            "state": "up" if "UP" in before["flags"] else "down",
            "addresses": [{key: value for key, value in one.items() if key != "state"} for one in details],
            "purge_addresses": True,
            "arp": "NOARP" not in before["flags"],
            **{flag: flag.upper() in before["flags"] for flag in ("debug", "link0", "link1", "link2")},
        }
        nothing = {"description": "", "vlanif": "", "tunnel": {}}
        for key in ("linkstr", "mtu", "metric", "lladdr", "description", "vlan", "vlanif", "tunnel"):
            if key == "lladdr" and group.kinds.carp is not None:
                continue
            former = nothing.get(key) if before.get(key) is None else before[key]
            if before.get(key) != planned.get(key) and former is not None:
                options[key] = former
        if "agr" in before:
            options["agr"] = {**before["agr"], "purge": True}
        if "bridge" in before:
            members = [
                {key: value for key, value in one.items() if key != "state"} for one in before["bridge"]["members"]
            ]
            options["bridge"] = {**before["bridge"], "members": members, "purge": True}
    part = Plan()
    there = interface.find(kernel, name, kernel.interfaces.get(name))
    interface.plan_interface(kernel, interface.normalize(options), there, part, kernel.interfaces.cloners)
    for change in part.changes:
        change.apply()
