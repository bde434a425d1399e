# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of rump_network in their normal form: entries each in its own page's, and interfaces in order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..sysproxy import InvalidURL
from ..sysproxy.transport import parse_url
from . import interface, neighbour, route
from .failures import OptionError


@dataclass(frozen=True)
class Wanted:
    """The options in their normal form: each entry's own, and whether it is to be there at all."""

    interfaces: dict[str, interface.Wanted]
    routes: dict[Any, tuple[route.Wanted, bool]]
    neighbours: dict[Any, tuple[neighbour.Wanted, bool]]
    sysctls: dict[str, str]
    purge: frozenset[str]
    allow_disconnect: bool
    url: str | None
    time_limit: float


@contextlib.contextmanager
def about(option: str, entry: object) -> Iterator[None]:
    """Errors of an entry name it."""
    try:
        yield
    except OptionError as error:
        raise OptionError(option, f"{entry}: {error}", **error.about) from error


def normalize(parameters: Mapping[str, Any]) -> Wanted:
    """Check the options without a kernel.

    :raises OptionError: one is wrong.
    """
    interfaces: dict[str, interface.Wanted] = {}
    for entry in parameters.get("interfaces") or ():
        with about("interfaces", entry.get("name")):
            asked = interface.normalize(entry)
        if asked.name in interfaces:
            raise OptionError("interfaces", f"{asked.name} is declared twice")
        interfaces[asked.name] = asked
    routes: dict[Any, tuple[route.Wanted, bool]] = {}
    for entry in parameters.get("routes") or ():
        with about("routes", entry.get("dest")):
            way = route.normalize(entry)
        if way.key in routes:
            raise OptionError("routes", f"{entry['dest']} is declared twice")
        routes[way.key] = way, entry.get("state") != "absent"
    neighbours: dict[Any, tuple[neighbour.Wanted, bool]] = {}
    for entry in parameters.get("neighbours") or ():
        with about("neighbours", entry.get("address")):
            known = neighbour.normalize(entry)
        if (known.address, known.interface) in neighbours:
            raise OptionError("neighbours", f"{entry['address']} is declared twice")
        neighbours[known.address, known.interface] = known, entry.get("state") != "absent"
    sysctls = {str(name): str(value) for name, value in (parameters.get("sysctls") or {}).items()}
    for name in sysctls:
        if not name.startswith("net."):
            raise OptionError("sysctls", f"{name} is not of the network: only names that begin with net. are taken")
    url, limit = parameters.get("reconnect"), parameters.get("reconnect_timeout")
    if url is not None:
        try:
            parse_url(url)
        except InvalidURL as error:
            raise OptionError("reconnect", str(error)) from None
    if limit is not None and not 0 < limit <= 3600:
        raise OptionError("reconnect_timeout", f"{limit:g}: give up to 3600 seconds")
    return Wanted(
        interfaces=_in_order(interfaces),
        routes=routes,
        neighbours=neighbours,
        sysctls=sysctls,
        purge=frozenset(parameters.get("purge") or ()),
        allow_disconnect=bool(parameters.get("allow_disconnect")),
        url=url,
        time_limit=30.0 if limit is None else float(limit),
    )


def stands_on(asked: interface.Wanted) -> set[str]:
    """The interfaces that one is made of."""
    names = {asked.kinds.parent} if asked.kinds.parent else set()
    names.update(asked.kinds.ports or ())
    if asked.bridge is not None:
        names.update(member.name for member in asked.bridge.members or ())
    if asked.kinds.carp is not None and asked.kinds.carp.device:
        names.add(asked.kinds.carp.device)
    return {name for name in names if name}


def _in_order(interfaces: dict[str, interface.Wanted]) -> dict[str, interface.Wanted]:
    """Each interface after those that it is made of, and else as they are declared."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for name, asked in interfaces.items():
        sorter.add(name, *(other for other in stands_on(asked) if other in interfaces))
        if asked.cloner == "carp":  # the kernel looks for an interface in the network of its addresses
            sorter.add(name, *(other for other, one in interfaces.items() if one.cloner != "carp"))
    try:
        sorter.prepare()
    except CycleError as error:
        raise OptionError("interfaces", f"{', '.join(error.args[1])} are made of each other") from None
    ordered: dict[str, interface.Wanted] = {}
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=list(interfaces).index)
        ordered.update((name, interfaces[name]) for name in ready)
        sorter.done(*ready)
    return ordered
