# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rump_network returns: the network that was declared, as the kernel has it or as it is foretold."""

from __future__ import annotations

from typing import Any

from ..sysproxy.netbsd.constants import RTF
from . import interface, interface_addresses, neighbour, route
from .network_draft import Draft, Parts
from .network_tables import ForetoldNames, ForetoldRoutes


def foretold(draft: Draft, parts: Parts) -> dict[str, Any]:
    """The module's result as far as it can be foretold."""
    wanted, abi = draft.wanted, draft.kernel.abi
    told: dict[str, Any] = {
        "interfaces": [draft.groups[name].after for name in wanted.interfaces],
        "routes": [route.describe(abi, parts.ways[key].goal) for key in wanted.routes],
        "neighbours": [neighbour.describe(parts.neighbours[place].goal) for place in range(len(wanted.neighbours))],
        "sysctls": {name: part.expected["value"] for name, part in parts.sysctls.items()},
    }
    return told if wanted.url is None else {**told, "server": wanted.url}


def report(draft: Draft, parts: Parts) -> dict[str, Any]:
    """All that was declared, as the kernel has it."""
    kernel, wanted = draft.kernel, draft.wanted
    for name, asked in wanted.interfaces.items():
        if asked.wait is not None and not draft.groups[name].is_gone:
            interface_addresses.wait(kernel, name, asked.wait)
    listed = {one.name: one for one in kernel.interfaces.all()}
    names = ForetoldNames({one.index: one.name for one in listed.values()})
    shown = {}
    found = interface.find_all(kernel, {name: listed.get(name) for name in wanted.interfaces})
    shown["interfaces"] = [interface.describe(kernel, one) for one in found.values()]
    for one in shown["interfaces"]:
        for address in one.get("address_details", ()):
            if "duplicated" in address["state"]:
                draft.made.warnings.append(
                    f"{kernel.url}: another host on the link of {one['name']} has {address['address']}, "
                    "and the kernel does not use it"
                )
    held_routes = kernel.routes.all(None, names, _telling_flags(parts)) if wanted.routes else []
    routes = {one.key: one for one in held_routes}
    shown["routes"] = [route.describe(kernel.abi, routes.get(key)) for key in wanted.routes]
    families = sorted({asked.family for asked, _is_wanted in wanted.neighbours.values()})
    known = [one for family in families for one in kernel.neighbours.all(family, names)]
    held = neighbour.Table(tuple(known), listed, ForetoldRoutes(names=names, routes={}))
    shown["neighbours"] = [
        neighbour.describe(held.find(asked.address, asked.interface)) for asked, _is in wanted.neighbours.values()
    ]
    result: dict[str, Any] = {**shown, "sysctls": {name: kernel.sysctl.get(name) for name in wanted.sysctls}}
    if wanted.url is not None:
        result["server"] = kernel.url
    return result


def _telling_flags(parts: Parts) -> int:
    """Flags of which each declared route has one, so that the others need not be read: the kernel makes most routes of
    a table by itself. 0: there are no such flags."""
    made_by_hand = int(RTF.GATEWAY | RTF.STATIC)
    all_have_one = all(way.goal is not None and way.goal.flags & made_by_hand for way in parts.ways.values())
    return made_by_hand if all_have_one else 0
