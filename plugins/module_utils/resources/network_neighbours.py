# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The neighbours of a network that is declared: what is planned for each, and how it is taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ..sysproxy.kernel.interfaces import Interface
from ..sysproxy.kernel.neighbours import Neighbour
from ..sysproxy.netbsd.constants import AF
from . import neighbour
from .failures import OptionError
from .network_draft import Draft, Entry
from .network_judge import Judge
from .network_steps import Step, quietly
from .network_tables import ForetoldRoutes, is_made_up
from .network_wanted import about

_FAMILIES = (AF.INET, AF.INET6)
_NANOSECONDS = 10**9


def plan(draft: Draft, before: ForetoldRoutes, table: ForetoldRoutes, coming: Mapping[str, Interface]) -> list[Entry]:
    """Those that are declared, in their order, and then those that nobody asked for."""
    kernel, wanted = draft.kernel, draft.wanted
    purged = "neighbours" in wanted.purge
    if not wanted.neighbours and not purged:
        return []
    families = {family for family in _FAMILIES if purged} | {asked.family for asked, _is in wanted.neighbours.values()}
    known = [found for family in sorted(families) for found in kernel.neighbours.all(family, draft.names)]
    there = neighbour.Table(tuple(known), draft.listed, before)
    after = neighbour.Table(tuple(known), coming, table)
    entries: list[Entry] = []
    for asked, is_wanted in wanted.neighbours.values():
        with about("neighbours", asked.address):
            found = there.find_all(asked.address, asked.interface)
            if not is_wanted:
                changes = [neighbour.removal(kernel, one, there) for one in found]
                entries.append(Entry(found[0] if found else None, None, changes))
                continue
            former = found[0] if found else None
            now = kernel.clock_gettime_ns() // _NANOSECONDS if asked.permanent is False else 0
            goal = neighbour.target(asked, former, after, now)
            if is_made_up(goal.link_address):
                raise OptionError("lladdr", f"{goal.interface} is yet to be made: give the address to answer with")
            entries.append(Entry(former, goal, neighbour.changes(kernel, asked, former, after, now)))
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
                entries.append(Entry(one, None, [neighbour.removal(kernel, one, there)]))
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


def add(draft: Draft, judge: Judge, entries: list[Entry]) -> None:
    for entry in entries:
        for change in entry.changes:
            one = entry.goal or entry.found
            name = f"{one.address} on {one.interface}" if one.interface else str(one.address)
            draft.note("neighbours", name, neighbour.describe(entry.found), neighbour.describe(entry.goal))
            undo = _neighbour_restorer(draft, entry.found, entry.goal)
            cuts = judge.neighbour(entry.found, entry.goal)
            apply = draft.settled(change.apply)
            draft.steps.append(Step(change.text, apply, undo=undo, cuts=cuts, adds=entry.goal is not None))


def _neighbour_restorer(draft: Draft, found: Neighbour | None, goal: Neighbour | None) -> Callable[[], object]:
    """What makes known of a neighbour again what was."""
    neighbours = draft.kernel.neighbours

    def restore() -> None:
        if goal is not None:
            quietly(lambda: neighbours.remove(goal))
        if found is not None and found.link_address:
            neighbours.add(replace(found, is_proxy=bool(found.is_proxy)))

    return restore
