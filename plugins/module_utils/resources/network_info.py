# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that can be read about a kernel's network, as structured data: what netstat(1) prints in all its ways."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.addresses import Address
from ..sysproxy.kernel.own_stack import SocketsUnreadable
from ..sysproxy.kernel.statistics import OpenSocket
from ..sysproxy.netbsd.constants import AF
from . import interface, neighbour, route
from .failures import OptionError
from .plan import Plan


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """A plan that changes nothing and tells what was asked for.

    What cannot be read is left out with a warning.

    :raises OptionError: ``gather_subset`` has a name that is none, or names what cannot be read.
    """
    subsets = parameters.get("gather_subset")
    made = Plan()
    found: dict[str, Any] = {}
    for subset in wanted(subsets):
        try:
            found[subset] = SUBSETS[subset](kernel)
        except SocketsUnreadable as error:
            if subset in (subsets or []):
                raise OptionError("gather_subset", f"{subset}: {error}") from None
            made.warnings.append(f"{subset} are left out: {error}")
    made.expected = found
    return made


def wanted(subsets: list[str] | None) -> list[str]:
    """The subsets asked for: ``all`` are all, ``!NAME`` takes one away, none at all is ``all``.

    :raises OptionError: a name is none.
    """
    chosen: set[str] = set()
    names = subsets or ["all"]
    for name in names:
        plain = name.removeprefix("!")
        if plain != "all" and plain not in SUBSETS:
            raise OptionError(
                "gather_subset", f"{name!r} is none of all, {', '.join(SUBSETS)}, or one with ! before it"
            )
    if names[0].startswith("!"):
        chosen.update(SUBSETS)
    for name in names:
        change = chosen.difference_update if name.startswith("!") else chosen.update
        change(SUBSETS if name.endswith("all") else [name.removeprefix("!")])
    return [name for name in SUBSETS if name in chosen]


def interfaces(kernel: Kernel) -> dict[str, Any]:
    """The interfaces by name, each with its counters."""
    listed = kernel.interfaces.all()
    all_of_them = interface.find_all(kernel, {found.name: found for found in listed})
    return {
        found.name: {
            **interface.describe(kernel, all_of_them[found.name]),
            "index": found.index,
            "statistics": found.counters,
        }
        for found in listed
    }


def routes(kernel: Kernel) -> list[dict[str, Any]]:
    return list(route.info(kernel, {}).expected["routes"])


def neighbours(kernel: Kernel) -> list[dict[str, Any]]:
    """Those of both families, as far as the kernel has these."""
    names = kernel.interfaces.names()
    found: list[dict[str, Any]] = []
    for family in (AF.INET, AF.INET6):
        with contextlib.suppress(KernelError):
            found += [neighbour.describe(entry) for entry in kernel.neighbours.all(family, names)]
    return found


def protocols(kernel: Kernel) -> dict[str, Any]:
    return kernel.statistics.counters()


def sockets(kernel: Kernel) -> list[dict[str, Any]]:
    return [_describe(found) for found in kernel.statistics.sockets()]


def _describe(found: OpenSocket) -> dict[str, Any]:
    return {**dataclasses.asdict(found), "local": _address(found.local), "remote": _address(found.remote)}


def _address(address: Address) -> dict[str, Any] | str | None:
    """An address and a port, or the path of a socket of AF_LOCAL."""
    if isinstance(address, str | bytes):
        return str(address) or None
    if address is None:
        return None
    return {"address": str(address[0]), "port": address[1]}


SUBSETS: Final[dict[str, Callable[[Kernel], Any]]] = {
    "interfaces": interfaces,
    "routes": routes,
    "neighbours": neighbours,
    "protocols": protocols,
    "sockets": sockets,
}
