# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routes of a network that is declared: what is planned for each, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.routes import Route
from ..sysproxy.netbsd.constants import RTF
from . import network_sources, route
from .internet import require_family
from .network_draft import Draft, Entry
from .network_judge import Judge
from .network_steps import Step, quietly
from .network_tables import ForetoldRoutes
from .network_wanted import about


def plan(draft: Draft, before: ForetoldRoutes, table: ForetoldRoutes) -> dict[Any, Entry]:
    """Those that are declared, and then those that nobody asked for; ``table`` comes to hold them.

    Routes by a gateway come after those on a link, which may lead to the gateway.
    """
    kernel, wanted = draft.kernel, draft.wanted
    entries: dict[Any, Entry] = {}
    found_families: set[int] = {found.destination.version for found in before.routes.values()}
    for key, (asked, is_wanted) in sorted(wanted.routes.items(), key=lambda item: item[1][0].gateway is not None):
        found = table.routes.get(key)
        with about("routes", found or asked.destination):
            if not is_wanted:
                changes = [] if found is None else [route.removal(kernel, found, draft.names)]
                entries[key] = Entry(found, None, changes)
                if found is not None:
                    table.remove(found)
                continue
            asked = _by_link(asked, table)
            goal = route.target(kernel.abi, asked, found, table)
            changes = route.changes(kernel, asked, found, table, goal)
        entries[key] = Entry(found, goal, changes)
        table.add(goal)
        draft.made.conditions.append(_route_is_possible(kernel, asked, table, found_families))
    if "routes" in wanted.purge:
        for found in before.routes.values():
            if found.key not in wanted.routes and found.key in table.routes and _is_made_by_hand(found):
                entries[found.key] = Entry(found, None, [route.removal(kernel, found, draft.names)])
                table.remove(found)
    return entries


def _by_link(asked: route.Wanted, table: ForetoldRoutes) -> route.Wanted:
    """With the interface, where the gateway is on a link that only another route leads to.

    By itself the kernel finds gateways on the networks of its addresses.
    """
    if asked.gateway is None or asked.interface is not None:
        return asked
    way = table.leading_to(asked.gateway, but=asked.key)
    if way is None or way.is_by_gateway or not way.flags & RTF.STATIC:
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


def add(draft: Draft, judge: Judge, ways: list[Entry]) -> None:
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
            exchange = None if change.exchange is None else draft.settled(change.exchange)
            draft.steps.append(Step(change.text, apply, exchange, undo, cuts, adds=way.goal is not None))


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


def add_sources(draft: Draft, stale: list[Route]) -> None:
    for found in stale:
        draft.steps.append(
            Step(
                f"let the kernel choose the source of packets by the route {found} anew",
                draft.settled(network_sources.chooser(draft.kernel, found, draft.names)),
                adds=False,
            )
        )
        draft.note("sources", str(found), None if found.source is None else str(found.source), "the kernel's choice")
