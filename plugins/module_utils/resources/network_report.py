# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rump_network returns: the network that was declared, as the kernel has it or as it is foretold."""

from __future__ import annotations

from typing import Any

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


def report(draft: Draft) -> dict[str, Any]:
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
