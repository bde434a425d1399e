# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network of a kernel as one resource: interfaces, routes, neighbours and sysctls, read once and planned together.

What each of them asks for is left to its own page, and what lies between those of a kind to that kind's,
network_*.py. Here is the order: what is planned against what will be there by then (:mod:`.network_tables`), and what
is done before what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..sysproxy import Kernel
from . import (
    network_connection,
    network_interfaces,
    network_neighbours,
    network_routes,
    network_sources,
    network_sysctls,
)
from .failures import OptionError
from .network_draft import Draft, Parts
from .network_judge import Judge, require_connection
from .network_report import foretold, report
from .network_steps import NetworkPlan
from .network_tables import ForetoldNames, ForetoldRoutes, foretell_routes
from .network_wanted import normalize
from .plan import Plan


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The changes that make the kernel's network the one that is declared."""
    wanted = normalize(parameters)
    listed = {found.name: found for found in kernel.interfaces.all()}
    names = ForetoldNames({found.index: found.name for found in listed.values()})
    made = NetworkPlan(kernel=kernel, time_limit=wanted.time_limit)
    if wanted.url is not None and wanted.url != kernel.url:
        made.url = wanted.url
    draft = Draft(kernel, wanted, listed, names, made, network_interfaces.plan(kernel, wanted, listed))
    names.expect(name for name, group in draft.groups.items() if name not in listed and not group.is_gone)
    coming = network_interfaces.coming(draft)
    routes = kernel.routes.all(None, names)
    before = ForetoldRoutes(names=names, routes={found.key: found for found in routes})
    table = foretell_routes(listed, coming, routes, names)
    ways = network_routes.plan(draft, before, table)
    known = network_neighbours.plan(draft, before, table, coming)
    sources = network_sources.stale_routes(before, table, listed, coming)
    sysctls = network_sysctls.plan(kernel, wanted.sysctls)
    own = network_connection.find(kernel, listed.values())
    parts = Parts(ways, known, sources, sysctls)
    _build(draft, parts, Judge(own, before, table))
    require_connection(draft, own)

    if draft.steps:
        made.arrange(draft.steps)
        made.still_fits = _asker(draft, parts, before, table)
        made.before, made.after = draft.before, draft.after
        made.report = lambda: report(draft, parts)
    made.foretell = lambda: foretold(draft, parts)
    return made


def _build(draft: Draft, parts: Parts, judge: Judge) -> None:
    """The steps in the order in which each finds what it needs."""
    ways, known = parts.ways.values(), parts.neighbours
    network_sysctls.add(draft, parts.sysctls)  # first of all: some say what becomes of addresses that are added
    network_interfaces.add(draft, judge)
    network_routes.add(draft, judge, [way for way in ways if way.goal is not None and way.goal.gateway is None])
    network_neighbours.add(draft, judge, [entry for entry in known if entry.goal is not None])
    network_routes.add(draft, judge, [way for way in ways if way.goal is not None and way.goal.gateway is not None])
    network_routes.add(draft, judge, [way for way in ways if way.goal is None])
    network_neighbours.add(draft, judge, [entry for entry in known if entry.goal is None])
    network_interfaces.add_leaving(draft, judge)
    network_routes.add_sources(draft, parts.sources)
    network_interfaces.add_destroyed(draft, judge)


def _asker(draft: Draft, parts: Parts, before: ForetoldRoutes, table: ForetoldRoutes) -> Callable[[], None]:
    """What asks, over a new connection, whether that one outlives what is still to be done.

    Routes are left out: on their way back its packets go where those of the old connection went, until they do not.
    """

    def ask() -> None:
        own = network_connection.find(draft.kernel, draft.kernel.interfaces.all())
        again = replace(draft, made=NetworkPlan(), steps=[], before={}, after={})
        _build(again, parts, Judge(own, before, table, with_routes=False))
        left = {change.text for change in draft.made.left}
        for step in again.steps:
            if step.cuts and step.text in left:
                raise OptionError(
                    "reconnect",
                    f"to {step.text} would cut the new connection, too ({own}): {step.cuts}. Name a URL that stays. "
                    "What had been added was taken back",
                )

    return ask
