# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of a kernel as one resource: interfaces, routes, neighbours and sysctls, read once and planned together.

What each of them asks for is left to its own page; here is what lies between them: the order, what is planned
against what will be there by then (:mod:`.network_tables`), what is removed because nobody asked for it, and the
connection that the task itself comes by (:mod:`.network_connection`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ..sysproxy import Kernel
from ..sysproxy.kernel.interfaces import Interface, IPAddress, IPInterface
from ..sysproxy.kernel.neighbours import Neighbour
from ..sysproxy.kernel.routes import Route
from ..sysproxy.kernel.sysctl import UnknownSysctl
from ..sysproxy.netbsd.constants import AF, IFF, RTF
from . import interface, interface_addresses, neighbour, network_connection, network_sources, route, sysctl
from .failures import OptionError
from .internet import require_family
from .network_steps import NetworkPlan, Step, quietly
from .network_tables import ForetoldNames, ForetoldRoutes, foretell_interface, foretell_routes, is_made_up
from .network_wanted import Wanted, about, normalize, stands_on
from .plan import Change, Plan

_Result = TypeVar("_Result")
_FAMILIES = (AF.INET, AF.INET6)
_NANOSECONDS = 10**9
_DESTROYED_FIRST = {"bridge": 0, "carp": 0, "vlan": 1, "gif": 1, "agr": 2}
"""Kinds of interfaces that stand on others, in the order in which they go."""


@dataclass
class _Group:
    """What is planned for one interface.

    ``planned`` is how it will be when its changes are made, ``after`` when it has also lost the addresses that are
    ``leaving``, which goes last.
    """

    name: str
    before: dict[str, Any]
    planned: dict[str, Any]
    changes: list[Change]
    conditions: list[Callable[[], object]]
    leaving: dict[IPAddress, IPInterface] = field(default_factory=dict)

    @property
    def after(self) -> dict[str, Any]:
        if not self.leaving:
            return self.planned
        gone = {str(address) for address in self.leaving.values()}
        return {
            **self.planned,
            "addresses": [text for text in self.planned["addresses"] if text not in gone],
            "address_details": [one for one in self.planned["address_details"] if one["address"] not in gone],
        }

    @property
    def is_gone(self) -> bool:
        return bool(self.planned["state"] == "absent")


@dataclass
class _Entry:
    """What is planned for one route or neighbour: ``found`` becomes ``goal``, either of which may be None."""

    found: Any
    goal: Any
    changes: list[Change]


@dataclass
class _Draft:
    """The plan as far as it has come."""

    kernel: Kernel
    wanted: Wanted
    listed: dict[str, Interface]
    names: ForetoldNames
    made: NetworkPlan
    groups: dict[str, _Group]
    steps: list[Step] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def note(self, kind: str, name: str, before: Any, after: Any) -> None:
        """The two sides of the diff."""
        self.before.setdefault(kind, {})[name] = before
        self.after.setdefault(kind, {})[name] = after

    def settled(self, apply: Callable[[], _Result]) -> Callable[[], _Result]:
        """The doing of a change to routes or neighbours, with the interfaces' indices as they are by then."""

        def do() -> _Result:
            self.names.settle(self.kernel)
            return apply()

        return do


@dataclass(frozen=True)
class _Parts:
    """What is planned beside interfaces."""

    ways: dict[Any, _Entry]
    neighbours: list[_Entry]
    sources: list[Route]
    sysctls: dict[str, Plan]


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The changes that make the kernel's network the one that is declared."""
    wanted = normalize(parameters)
    listed = {found.name: found for found in kernel.interfaces.all()}
    names = ForetoldNames({found.index: found.name for found in listed.values()})
    made = NetworkPlan(kernel=kernel, time_limit=wanted.time_limit)
    if wanted.url is not None and wanted.url != kernel.url:
        made.url = wanted.url
    draft = _Draft(kernel, wanted, listed, names, made, _plan_interfaces(kernel, wanted, listed))
    names.expect(name for name, group in draft.groups.items() if name not in listed and not group.is_gone)
    coming = _coming(draft)
    routes = kernel.routes.all(None, names)
    before = ForetoldRoutes(names=names, routes={found.key: found for found in routes})
    table = foretell_routes(listed, coming, routes, names)
    ways = _plan_routes(draft, before, table)
    known = _plan_neighbours(draft, before, table, coming)
    sources = network_sources.stale_routes(before, table, listed, coming)
    sysctls = _plan_sysctls(kernel, wanted.sysctls)
    own = network_connection.find(kernel, listed.values())
    parts = _Parts(ways, known, sources, sysctls)
    _build(draft, parts, _Judge(own, before, table))
    _require_connection(draft, own)

    if draft.steps:
        made.arrange(draft.steps)
        made.still_fits = _asker(draft, parts, before, table)
        made.before, made.after = draft.before, draft.after
        made.report = lambda: _report(draft)
    made.foretell = lambda: _foretold(draft, parts)
    return made


def _foretold(draft: _Draft, parts: _Parts) -> dict[str, Any]:
    """The module's result as far as it can be foretold."""
    wanted, abi = draft.wanted, draft.kernel.abi
    told: dict[str, Any] = {
        "interfaces": [draft.groups[name].after for name in wanted.interfaces],
        "routes": [route.describe(abi, parts.ways[key].goal) for key in wanted.routes],
        "neighbours": [neighbour.describe(parts.neighbours[place].goal) for place in range(len(wanted.neighbours))],
        "sysctls": {name: part.expected["value"] for name, part in parts.sysctls.items()},
    }
    return told if wanted.url is None else {**told, "server": wanted.url}


def _build(draft: _Draft, parts: _Parts, judge: _Judge) -> None:
    """The steps in the order in which each finds what it needs."""
    ways, known = parts.ways.values(), parts.neighbours
    _add_sysctls(draft, parts.sysctls)  # first of all: some say what becomes of addresses that are added
    _add_interfaces(draft, judge)
    _add_routes(draft, judge, [way for way in ways if way.goal is not None and way.goal.gateway is None])
    _add_neighbours(draft, judge, [entry for entry in known if entry.goal is not None])
    _add_routes(draft, judge, [way for way in ways if way.goal is not None and way.goal.gateway is not None])
    _add_routes(draft, judge, [way for way in ways if way.goal is None])
    _add_neighbours(draft, judge, [entry for entry in known if entry.goal is None])
    _add_leaving(draft, judge)
    _add_sources(draft, parts.sources)
    _add_destroyed(draft, judge)


# Interfaces


def _plan_interfaces(kernel: Kernel, wanted: Wanted, listed: dict[str, Interface]) -> dict[str, _Group]:
    """Those that are declared, in their order, and then those that lose something because nobody asked for it."""
    groups: dict[str, _Group] = {}
    for name, asked in wanted.interfaces.items():
        found = listed.get(name)
        with about("interfaces", name):
            group = groups[name] = _plan_interface(kernel, replace(asked, purge=False), found)
        purged = asked.purge and asked.addresses is not None
        if found is not None and not group.is_gone and (purged or _is_purged(wanted, found)):
            group.leaving = _leaving(found, asked.addresses or {})
    undeclared = [found for name, found in listed.items() if name not in wanted.interfaces and name != "lo0"]
    cloners = kernel.interfaces.cloners() if undeclared and "interfaces" in wanted.purge else []
    for found in undeclared:
        if interface.cloner_of(found.name) in cloners:
            absent = interface.normalize({"name": found.name, "state": "absent"})
            groups[found.name] = _plan_interface(kernel, absent, found)
        elif _is_purged(wanted, found) and (leaving := _leaving(found, {})):
            as_it_is = interface.normalize({"name": found.name})
            groups[found.name] = _plan_interface(kernel, as_it_is, found)
            groups[found.name].leaving = leaving
    return groups


def _plan_interface(kernel: Kernel, asked: interface.Wanted, found: Interface | None) -> _Group:
    part = Plan()
    before, planned = interface.plan_interface(kernel, asked, found, part)
    return _Group(asked.name, before, planned, part.changes, part.conditions)


def _is_purged(wanted: Wanted, found: Interface) -> bool:
    return "addresses" in wanted.purge and not found.flags & IFF.LOOPBACK


def _leaving(found: Interface, kept: Mapping[IPAddress, object]) -> dict[IPAddress, IPInterface]:
    """The addresses that go. A link-local one the kernel gives to each interface of its own accord, and needs it."""
    held = {address.interface.ip: address.interface for address in found.addresses}
    return {
        ip: address for ip, address in held.items() if ip not in kept and not (ip.version == 6 and ip.is_link_local)
    }


def _coming(draft: _Draft) -> dict[str, Interface]:
    """The interfaces as they will be."""
    coming = dict(draft.listed)
    for name, group in draft.groups.items():
        made = foretell_interface(draft.listed.get(name), group.after)
        if made is None:
            coming.pop(name, None)
        else:
            coming[name] = made
    return coming


def _add_interfaces(draft: _Draft, judge: _Judge) -> None:
    declared = draft.wanted.interfaces
    new = {ip for asked in declared.values() for ip in asked.addresses or ()}
    for group in draft.groups.values():
        # What another interface is to have cannot be there twice, not even for a moment.
        for ip in [ip for ip in group.leaving if ip in new]:
            draft.steps.append(_loss(draft, judge, group, ip, group.leaving[ip]))
    for name, group in draft.groups.items():
        if group.changes or group.leaving:
            draft.note("interfaces", name, interface.steady(group.before), interface.steady(group.after))
        if group.is_gone or not group.changes:
            continue
        changes = list(group.changes)
        if stands_on(declared[name]) & declared.keys():
            # What it is made of is only there by then.
            changes[0] = Change(changes[0].text, _after(group.conditions, changes[0].apply))
        else:
            draft.made.conditions += group.conditions
        cuts = judge.interface(group)
        first = Step(changes[0].text, changes[0].apply, undo=_restorer(draft.kernel, group), cuts=cuts)
        draft.steps += [first, *(Step(change.text, change.apply, cuts=cuts) for change in changes[1:])]


def _after(conditions: list[Callable[[], object]], apply: Callable[[], object]) -> Callable[[], object]:
    def do() -> None:
        for condition in conditions:
            condition()
        apply()

    return do


def _loss(draft: _Draft, judge: _Judge, group: _Group, ip: IPAddress, address: IPInterface) -> Step:
    name, kernel = group.name, draft.kernel
    return Step(
        f"remove {address} from {name}",
        lambda: kernel.interfaces.remove_address(name, ip),
        cuts=judge.removal(name, address),
        adds=False,
    )


def _add_leaving(draft: _Draft, judge: _Judge) -> None:
    new = {ip for asked in draft.wanted.interfaces.values() for ip in asked.addresses or ()}
    for group in draft.groups.values():
        for ip, address in group.leaving.items():
            if ip not in new:
                draft.steps.append(_loss(draft, judge, group, ip, address))


def _add_destroyed(draft: _Draft, judge: _Judge) -> None:
    gone = [group for group in draft.groups.values() if group.is_gone and group.changes]
    for group in sorted(gone, key=lambda group: _DESTROYED_FIRST.get(interface.cloner_of(group.name), 3)):
        draft.made.conditions += group.conditions
        cuts = judge.interface(group)
        draft.steps += [Step(change.text, change.apply, cuts=cuts, adds=False) for change in group.changes]


def _restorer(kernel: Kernel, group: _Group) -> Callable[[], object]:
    """What makes an interface again what it was."""
    return lambda: _restore(kernel, group.name, group.before, group.planned)


def _restore(kernel: Kernel, name: str, before: dict[str, Any], planned: dict[str, Any]) -> None:
    found = kernel.interfaces.get(name)
    if before["state"] == "absent":
        options: dict[str, Any] = {"name": name, "state": "absent"}
    else:
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
    interface.plan_interface(kernel, interface.normalize(options), found, part)
    for change in part.changes:
        change.apply()


# Sysctls


def _plan_sysctls(kernel: Kernel, asked: Mapping[str, str]) -> dict[str, Plan]:
    found = {}
    for name, value in asked.items():
        try:
            with about("sysctls", name):
                found[name] = sysctl.plan(kernel, {"name": name, "value": value})
        except UnknownSysctl as error:
            raise OptionError("sysctls", str(error), call="sysctl", object=name, errno="ENOENT") from error
    return found


def _add_sysctls(draft: _Draft, sysctls: Mapping[str, Plan]) -> None:
    for name, part in sysctls.items():
        for change in part.changes:
            draft.note("sysctls", name, part.before[name], part.after[name])
            undo = _setter(draft.kernel, name, part.before[name])
            draft.steps.append(Step(change.text, change.apply, undo=undo))


def _setter(kernel: Kernel, name: str, value: Any) -> Callable[[], object]:
    return lambda: kernel.sysctl.set(name, value)


# Routes


def _plan_routes(draft: _Draft, before: ForetoldRoutes, table: ForetoldRoutes) -> dict[Any, _Entry]:
    """Those that are declared, and then those that nobody asked for; ``table`` comes to hold them.

    Routes by a gateway come after those on a link, which may lead to the gateway.
    """
    kernel, wanted = draft.kernel, draft.wanted
    entries: dict[Any, _Entry] = {}
    found_families: set[int] = {found.destination.version for found in before.routes.values()}
    for key, (asked, is_wanted) in sorted(wanted.routes.items(), key=lambda item: item[1][0].gateway is not None):
        found = table.routes.get(key)
        with about("routes", found or asked.destination):
            if not is_wanted:
                changes = [] if found is None else [route.removal(kernel, found, draft.names)]
                entries[key] = _Entry(found, None, changes)
                if found is not None:
                    table.remove(found)
                continue
            asked = _by_link(asked, table)
            goal = route.target(kernel.abi, asked, found, table)
            changes = route.changes(kernel, asked, found, table, goal)
        entries[key] = _Entry(found, goal, changes)
        table.add(goal)
        draft.made.conditions.append(_route_is_possible(kernel, asked, table, found_families))
    if "routes" in wanted.purge:
        for found in before.routes.values():
            if found.key not in wanted.routes and found.key in table.routes and _is_made_by_hand(found):
                entries[found.key] = _Entry(found, None, [route.removal(kernel, found, draft.names)])
                table.remove(found)
    return entries


def _by_link(asked: route.Wanted, table: ForetoldRoutes) -> route.Wanted:
    """With the interface, where the gateway is on a link that only another route leads to.

    By itself the kernel finds gateways on the networks of its addresses.
    """
    if asked.gateway is None or asked.interface is not None:
        return asked
    way = table.leading_to(asked.gateway, but=asked.key)
    if way is None or way.flags & RTF.GATEWAY or not way.flags & RTF.STATIC:
        return asked
    return replace(asked, interface=way.interface)


def _route_is_possible(
    kernel: Kernel, asked: route.Wanted, table: ForetoldRoutes, families: set[int]
) -> Callable[[], object]:
    def ask() -> None:
        with about("routes", asked.destination):
            route.requirements(asked, table)
            if asked.destination.version not in families:
                require_family(kernel, asked.family)

    return ask


def _is_made_by_hand(found: Route) -> bool:
    """Whether an administrator made it, and not the kernel for its own use, a redirect or a router's advertisement."""
    by_hand = RTF.STATIC | RTF.PROTO1 | RTF.PROTO2
    return bool(found.flags & by_hand) and not found.flags & (RTF.LOCAL | RTF.LLDATA | RTF.DYNAMIC)


def _add_routes(draft: _Draft, judge: _Judge, ways: list[_Entry]) -> None:
    kernel = draft.kernel
    for way in ways:
        if not way.changes:
            continue
        name = str(way.goal or way.found)
        draft.note("routes", name, route.describe(kernel.abi, way.found), route.describe(kernel.abi, way.goal))
        cuts = judge.route(way.found, way.goal)
        for change in way.changes:
            undo = _route_restorer(kernel, way.found, way.goal)
            apply = draft.settled(change.apply)
            request = None if change.request is None else draft.settled(change.request)
            draft.steps.append(Step(change.text, apply, request, undo, cuts, adds=way.goal is not None))


def _route_restorer(kernel: Kernel, found: Route | None, goal: Route | None) -> Callable[[], object]:
    """What makes a route again what it was."""

    def restore() -> None:
        if found is None:
            if goal is not None:
                quietly(lambda: kernel.routes.delete(goal))
            return
        former = route.Wanted(
            destination=found.destination,
            scope=found.scope,
            gateway=found.gateway,
            interface=None if found.gateway is not None else found.interface,
            flags=frozenset(name for name, bit in route.FLAGS.items() if name != "cloning" and found.flags & bit),
            mtu=found.metrics.get("mtu", 0),
        )
        table = route.read(kernel, former.family)
        for change in route.changes(kernel, former, table.routes.get(former.key), table):
            change.apply()

    return restore


# Neighbours


def _plan_neighbours(
    draft: _Draft, before: ForetoldRoutes, table: ForetoldRoutes, coming: Mapping[str, Interface]
) -> list[_Entry]:
    """Those that are declared, in their order, and then those that nobody asked for."""
    kernel, wanted = draft.kernel, draft.wanted
    purged = "neighbours" in wanted.purge
    if not wanted.neighbours and not purged:
        return []
    families = {family for family in _FAMILIES if purged} | {asked.family for asked, _is in wanted.neighbours.values()}
    known = [found for family in sorted(families) for found in kernel.neighbours.all(family, draft.names)]
    there = neighbour.Table(tuple(known), draft.listed, before)
    after = neighbour.Table(tuple(known), coming, table)
    entries: list[_Entry] = []
    for asked, is_wanted in wanted.neighbours.values():
        with about("neighbours", asked.address):
            found = there.find_all(asked.address, asked.interface)
            if not is_wanted:
                changes = [neighbour.removal(kernel, one, there) for one in found]
                entries.append(_Entry(found[0] if found else None, None, changes))
                continue
            former = found[0] if found else None
            now = kernel.clock_gettime_ns() // _NANOSECONDS if asked.permanent is False else 0
            goal = neighbour.target(asked, former, after, now)
            if is_made_up(goal.link_address):
                raise OptionError("lladdr", f"{goal.interface} is yet to be made: give the address to answer with")
            entries.append(_Entry(former, goal, neighbour.changes(kernel, asked, former, after, now)))
            if entries[-1].changes:
                draft.made.conditions.append(_neighbour_is_possible(asked, after))
    if purged:
        asked_for = {(entry.goal.address, entry.goal.interface) for entry in entries if entry.goal is not None}
        declared = {address for address, _interface in wanted.neighbours}
        for one in known:
            is_left = (one.address, one.interface) in asked_for or (
                one.address in declared and all(address != one.address for address, _name in asked_for)
            )
            if not is_left and one.is_permanent and one.interface in coming and not _is_of_itself(one, there):
                entries.append(_Entry(one, None, [neighbour.removal(kernel, one, there)]))
    return entries


def _is_of_itself(found: Neighbour, table: neighbour.Table) -> bool:
    """Whether it is an address of the interface itself, or one that it had: kernels keep these for a while."""
    link = table.interfaces.get(found.interface)
    own_link = link is not None and found.link_address == link.link_address
    return table.is_own(found) or (own_link and found.is_proxy is not True)


def _neighbour_is_possible(asked: neighbour.Wanted, table: neighbour.Table) -> Callable[[], object]:
    def ask() -> None:
        with about("neighbours", asked.address):
            neighbour.requirements(asked, table)

    return ask


def _add_neighbours(draft: _Draft, judge: _Judge, entries: list[_Entry]) -> None:
    for entry in entries:
        for change in entry.changes:
            one = entry.goal or entry.found
            name = f"{one.address} on {one.interface}" if one.interface else str(one.address)
            draft.note("neighbours", name, neighbour.describe(entry.found), neighbour.describe(entry.goal))
            undo = _neighbour_restorer(draft, entry.found, entry.goal)
            cuts = judge.neighbour(entry.found, entry.goal)
            apply = draft.settled(change.apply)
            draft.steps.append(Step(change.text, apply, undo=undo, cuts=cuts, adds=entry.goal is not None))


def _neighbour_restorer(draft: _Draft, found: Neighbour | None, goal: Neighbour | None) -> Callable[[], object]:
    """What makes known of a neighbour again what was."""
    neighbours = draft.kernel.neighbours

    def restore() -> None:
        if goal is not None:
            quietly(lambda: neighbours.remove(goal))
        if found is not None and found.link_address:
            neighbours.add(replace(found, is_proxy=bool(found.is_proxy)))

    return restore


# Routes whose packets would come from an address that is no more


def _add_sources(draft: _Draft, stale: list[Route]) -> None:
    for found in stale:
        draft.steps.append(
            Step(
                f"let the kernel choose the source of packets by the route {found} anew",
                draft.settled(network_sources.chooser(draft.kernel, found, draft.names)),
                adds=False,
            )
        )
        draft.note("sources", str(found), None if found.source is None else str(found.source), "the kernel's choice")


# The connection that the task comes by


class _Judge:
    """Says of each change why our own connection does not outlive it; nothing for most."""

    def __init__(
        self,
        own: network_connection.OwnConnection | None,
        before: ForetoldRoutes,
        table: ForetoldRoutes,
        with_routes: bool = True,
    ) -> None:
        self._own, self._before = own, before
        self._moved = network_connection.rerouted(own, before, table) if own and with_routes else None

    def interface(self, group: _Group) -> str:
        if self._own is None:
            return ""
        cut = network_connection.cut_by_interface(self._own, group.name, group.before, group.planned)
        if not cut and self._moved is not None and self._moved[1] is not None:
            coming = self._moved[1]
            is_new = coming.key not in self._before.routes
            if is_new and coming.gateway is None and coming.interface == group.name:
                return f"packets to {self._own.remote} would go to {coming}, the network of an address of {group.name}"
        return cut

    def removal(self, name: str, address: IPInterface) -> str:
        if self._own is None:
            return ""
        former = self._moved[0] if self._moved is not None else None
        if former is not None and former.destination == address.network and former.interface == name:
            return f"packets to {self._own.remote} go by {former}, which goes with {address}"
        return network_connection.cut_by_removal(self._own, name, address.ip)

    def route(self, found: Route | None, goal: Route | None) -> str:
        if self._own is None or self._moved is None:
            return ""
        keys = {way.key for way in self._moved if way is not None}
        if any(way is not None and way.key in keys for way in (found, goal)):
            return f"packets to {self._own.remote}, from where the connection comes, go by it"
        return ""

    def neighbour(self, found: Neighbour | None, goal: Neighbour | None) -> str:
        if self._own is None or found is None or goal is None:
            return ""
        return network_connection.cut_by_neighbour(self._own, self._before, found, goal.link_address)


def _require_connection(draft: _Draft, own: network_connection.OwnConnection | None) -> None:
    """Refuse what would end our own connection, unless there will be another, or it is said to be right.

    :raises OptionError: it is refused.
    """
    cutting = [step for step in draft.steps if step.cuts]
    if not cutting or draft.wanted.allow_disconnect or draft.made.url is not None:
        return
    step = cutting[0]
    raise OptionError(
        "allow_disconnect",
        f"to {step.text} would cut the connection by which this task reaches the kernel ({own}): {step.cuts}. "
        "Nothing was changed. Reach the kernel at another address for it, name the URL at which it will answer as "
        "reconnect, or set allow_disconnect",
        object=step.text,
    )


def _asker(draft: _Draft, parts: _Parts, before: ForetoldRoutes, table: ForetoldRoutes) -> Callable[[], None]:
    """What asks, over a new connection, whether that one outlives what is still to be done.

    Routes are left out: on their way back its packets go where those of the old connection went, until they do not.
    """

    def ask() -> None:
        own = network_connection.find(draft.kernel, draft.kernel.interfaces.all())
        again = replace(draft, made=NetworkPlan(), steps=[], before={}, after={})
        _build(again, parts, _Judge(own, before, table, with_routes=False))
        left = {change.text for change in draft.made.left}
        for step in again.steps:
            if step.cuts and step.text in left:
                raise OptionError(
                    "reconnect",
                    f"to {step.text} would cut the new connection, too ({own}): {step.cuts}. Name a URL that stays. "
                    "What had been added was taken back",
                )

    return ask


# What there is afterwards


def _report(draft: _Draft) -> dict[str, Any]:
    """All that was declared, as the kernel has it."""
    kernel, wanted = draft.kernel, draft.wanted
    for name, asked in wanted.interfaces.items():
        if asked.wait is not None and not draft.groups[name].is_gone:
            interface_addresses.wait(kernel, name, asked.wait)
    listed = {found.name: found for found in kernel.interfaces.all()}
    names = ForetoldNames({found.index: found.name for found in listed.values()})
    shown = {}
    shown["interfaces"] = [
        interface.describe(kernel, interface.find(kernel, name, listed.get(name))) for name in wanted.interfaces
    ]
    for one in shown["interfaces"]:
        for address in one.get("address_details", ()):
            if "duplicated" in address["state"]:
                draft.made.warnings.append(
                    f"{kernel.url}: another host on the link of {one['name']} has {address['address']}, "
                    "and the kernel does not use it"
                )
    routes = {found.key: found for found in kernel.routes.all(None, names)} if wanted.routes else {}
    shown["routes"] = [route.describe(kernel.abi, routes.get(key)) for key in wanted.routes]
    families = sorted({asked.family for asked, _is_wanted in wanted.neighbours.values()})
    known = [found for family in families for found in kernel.neighbours.all(family, names)]
    held = neighbour.Table(tuple(known), listed, ForetoldRoutes(names=names, routes={}))
    shown["neighbours"] = [
        neighbour.describe(held.find(asked.address, asked.interface)) for asked, _is in wanted.neighbours.values()
    ]
    result: dict[str, Any] = {**shown, "sysctls": {name: kernel.sysctl.get(name) for name in wanted.sysctls}}
    if wanted.url is not None:
        result["server"] = kernel.url
    return result
