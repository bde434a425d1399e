# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The neighbour resource: what rump_neighbour asks for against what the kernel has.

As with routes, the steps stand alone: :func:`read` finds what is there, :func:`target` says what it should become,
:func:`changes` and :func:`removal` are what makes it so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.interfaces import Interface
from ..sysproxy.kernel.neighbours import Neighbour
from ..sysproxy.kernel.routing_messages import IPAddress, Names
from ..sysproxy.netbsd.constants import AF, RTF
from . import route
from .failures import OptionError
from .internet import no_interface, parse_address, parse_interface, parse_link_address, require_family
from .plan import Change, Plan

FAMILIES = {"inet": AF.INET, "inet6": AF.INET6}
DEFAULT_LIFETIME = 20 * 60
"""Seconds that arp(8) and ndp(8) give to what is temporary."""
_NANOSECONDS = 10**9


@dataclass(frozen=True)
class Wanted:
    """The options in their normal form. None stands for what is left as it is."""

    address: IPAddress
    interface: str | None = None
    link_address: bytes | None = None
    permanent: bool | None = None
    proxy: bool | None = None
    lifetime: int = DEFAULT_LIFETIME

    @property
    def family(self) -> AF:
        return AF.INET if self.address.version == 4 else AF.INET6


@dataclass(frozen=True)
class Table:
    """What is there: the neighbours, the interfaces, and the routes that tell whose link an address is on."""

    neighbours: tuple[Neighbour, ...]
    interfaces: Mapping[str, Interface]
    routes: route.Table

    def find(self, address: IPAddress, interface: str | None) -> Neighbour | None:
        """The neighbour with an address, on the interface or, if that is None, on any."""
        return next(iter(self.find_all(address, interface)), None)

    def find_all(self, address: IPAddress, interface: str | None) -> list[Neighbour]:
        return [known for known in self.neighbours if known.address == address and interface in (None, known.interface)]

    def link_of(self, address: IPAddress) -> str | None:
        """The interface on whose link an address is."""
        way = self.routes.leading_to(address)
        return None if way is None or way.flags & (RTF.GATEWAY | RTF.LOCAL) else way.interface

    def is_own(self, neighbour: Neighbour) -> bool:
        """Whether it is the interface's own address, which stays as long as that does."""
        found = self.interfaces.get(neighbour.interface)
        packed = neighbour.address.packed
        return found is not None and any(own.interface.ip.packed == packed for own in found.addresses)


def normalize(parameters: Mapping[str, Any]) -> Wanted:
    """Check the options about one neighbour without a kernel.

    :raises OptionError: one is wrong.
    """
    interface, link_address = parameters.get("interface"), parameters.get("lladdr")
    if interface is not None:
        parse_interface("interface", interface)
    address = parse_address("address", parameters["address"], interface)
    if address.is_multicast or address.is_unspecified or address.is_loopback:
        raise OptionError("address", f"{address} is no neighbour's address")
    if parameters.get("family") not in (None, "inet" if address.version == 4 else "inet6"):
        raise OptionError("family", f"{address} is of IPv{address.version}")
    lifetime = parameters.get("lifetime")
    if lifetime is not None and not 1 <= lifetime <= 0x7FFFFFFF:
        raise OptionError("lifetime", f"{lifetime} is out of range: give at least 1 second")
    return Wanted(
        address=address,
        interface=interface or getattr(address, "scope_id", None),
        link_address=None if link_address is None else parse_link_address("lladdr", link_address),
        permanent=parameters.get("permanent"),
        proxy=parameters.get("proxy"),
        lifetime=lifetime or DEFAULT_LIFETIME,
    )


def read(kernel: Kernel, *families: AF) -> Table:
    """What is there.

    :raises KernelError: the kernel has no networking.
    """
    interfaces = {found.name: found for found in kernel.interfaces.all()}
    names = Names({found.index: found.name for found in interfaces.values()})
    routes = [found for family in families for found in kernel.routes.all(family, names)]
    known = [found for family in families for found in kernel.neighbours.all(family, names)]
    return Table(tuple(known), interfaces, route.Table({found.key: found for found in routes}, names))


def target(wanted: Wanted, found: Neighbour | None, table: Table, now: int) -> Neighbour:
    """The neighbour as it should be, with what is not asked for as it is found. ``now`` is the kernel's clock's.

    :raises OptionError: nothing says which link-level address it has.
    """
    interface = wanted.interface or (found.interface if found else table.link_of(wanted.address)) or ""
    if found is not None and not found.link_address:
        found = None  # the kernel only asks for it
    link_address = wanted.link_address or (found.link_address if found else b"")
    if not link_address and wanted.proxy and interface in table.interfaces:
        link_address = table.interfaces[interface].link_address
    if not link_address and (interface or not wanted.proxy):
        raise OptionError("lladdr", f"{wanted.address} is not known yet: give its link-level address")
    permanent = wanted.permanent if wanted.permanent is not None else found is None or found.is_permanent
    expire = 0 if permanent else now + wanted.lifetime
    if found is not None and not permanent and found.expire:
        expire = found.expire
    proxy = wanted.proxy if wanted.proxy is not None else bool(found and found.is_proxy)
    return Neighbour(wanted.address, interface, link_address, expire, proxy)


def changes(kernel: Kernel, wanted: Wanted, found: Neighbour | None, table: Table, now: int) -> list[Change]:
    """What makes the neighbour that is found, or none, the one that is wanted.

    :raises OptionError: as :func:`target`, or the address is the interface's own.
    """
    goal, names = target(wanted, found, table, now), table.routes.names
    told = f"{goal.address} at {goal.link_address.hex(':')}" + (f" on {goal.interface}" if goal.interface else "")
    if found is None:
        kind = ("a permanent" if goal.is_permanent else "a temporary") + (" proxy" if goal.is_proxy else "")
        return [Change(f"add the neighbour {told}, {kind} one", lambda: _add(kernel, goal, names))]
    differences = _differences(found, goal)
    if not differences:
        return []
    _refuse_own(found, table)
    text = f"change the neighbour {found.address} on {found.interface}: {', '.join(differences)}"
    return [Change(text, lambda: _replace(kernel, found, goal, names))]


def removal(kernel: Kernel, found: Neighbour, table: Table) -> Change:
    """What forgets a neighbour.

    :raises OptionError: the address is the interface's own.
    """
    _refuse_own(found, table)
    return Change(
        f"remove the neighbour {found.address} on {found.interface}",
        lambda: kernel.neighbours.remove(found, table.routes.names),
    )


def requirements(wanted: Wanted, table: Table) -> None:
    """What has to be there before a neighbour can be made known. Some kernels do not survive to be asked without it.

    :raises OptionError: the interface does not exist or has no link-level addresses, or the address is not on its link.
    """
    about = {"call": "RTM_ADD", "object": str(wanted.address)}
    if wanted.interface is not None:
        interface = table.interfaces.get(wanted.interface)
        if interface is None:
            raise no_interface("interface", wanted.interface, **about)
        if not interface.link_address:
            raise OptionError("interface", f"{wanted.interface} has no link-level addresses, and so no neighbours")
    link = table.link_of(wanted.address)
    if link is None or wanted.interface not in (None, link):
        whose = wanted.interface or "any interface"
        text = (
            f"{wanted.address} is on no network of {whose} (ENETUNREACH): give the interface an address on it first, "
            "or a route to it"
        )
        raise OptionError("address", text, **about, errno="ENETUNREACH")


def describe(found: Neighbour | None) -> dict[str, Any]:
    """A neighbour in the module's terms."""
    if found is None:
        return {"state": "absent"}
    return {
        "state": "present",
        "address": str(found.address),
        "interface": found.interface or None,
        "lladdr": found.link_address.hex(":") or None,
        "permanent": found.is_permanent,
        "expire": found.expire,
        "proxy": found.is_proxy,
    }


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The changes that bring a neighbour, or all of them, to what the options ask for."""
    if parameters.get("state") == "flushed":
        return _plan_flush(kernel, parameters)
    wanted = normalize(parameters)
    table = read(kernel, wanted.family)
    if parameters.get("state") == "absent":
        return _plan_absence(kernel, wanted, table)
    found = table.find(wanted.address, wanted.interface)
    now = kernel.clock_gettime_ns() // _NANOSECONDS if wanted.permanent is False else 0
    made = Plan(report=lambda: {"neighbour": describe(_find(kernel, wanted))})
    made.changes.extend(changes(kernel, wanted, found, table, now))
    before = after = describe(found)
    if made.changes:
        if not table.routes.routes:
            made.conditions.append(lambda: require_family(kernel, wanted.family))
        made.conditions.append(lambda: requirements(wanted, table))
        after = describe(target(wanted, found, table, now))
        made.before, made.after = before, after
    made.expected = {"neighbour": after}
    return made


def _plan_absence(kernel: Kernel, wanted: Wanted, table: Table) -> Plan:
    found = table.find_all(wanted.address, wanted.interface)
    made = Plan(expected={"neighbour": {"state": "absent"}})
    made.changes.extend(removal(kernel, known, table) for known in found)
    if found:
        made.before, made.after = describe(found[0]), {"state": "absent"}
    return made


def _plan_flush(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    interface, family = parameters.get("interface"), parameters.get("family")
    if interface is not None:
        parse_interface("interface", interface)
    families = [FAMILIES[family]] if family else list(FAMILIES.values())
    table = read(kernel, *families)
    if interface is not None and interface not in table.interfaces:
        raise no_interface("interface", interface, object=interface)
    concerned = [known for known in table.neighbours if interface in (None, known.interface)]
    made = Plan(report=lambda: _left(kernel, families, interface))
    gone = [
        known
        for known in concerned
        if not table.is_own(known) and (parameters.get("permanent") or not known.is_permanent)
    ]
    made.changes.extend(removal(kernel, known, table) for known in gone)
    left = [known for known in concerned if known not in gone]
    if gone:
        made.before = {"neighbours": [describe(known) for known in concerned]}
        made.after = {"neighbours": [describe(known) for known in left]}
    made.expected = {"neighbours": [describe(known) for known in left]}
    return made


def _left(kernel: Kernel, families: list[AF], interface: str | None) -> dict[str, Any]:
    names = kernel.interfaces.names()
    known = (found for family in families for found in kernel.neighbours.all(family, names))
    return {"neighbours": [describe(found) for found in known if interface in (None, found.interface)]}


def _find(kernel: Kernel, wanted: Wanted) -> Neighbour | None:
    known = kernel.neighbours.all(wanted.family)
    return Table(tuple(known), {}, route.Table({}, Names({}))).find(wanted.address, wanted.interface)


def _differences(found: Neighbour, goal: Neighbour) -> list[str]:
    told = []
    if found.link_address != goal.link_address:
        told.append(f"lladdr {found.link_address.hex(':') or 'none'} to {goal.link_address.hex(':')}")
    if found.is_permanent != goal.is_permanent:
        told.append("permanent" if goal.is_permanent else "temporary")
    if found.is_proxy is not None and found.is_proxy != goal.is_proxy:
        told.append("proxy" if goal.is_proxy else "no proxy")
    return told


def _refuse_own(found: Neighbour, table: Table) -> None:
    if table.is_own(found):
        raise OptionError("address", f"{found.address} is an address of {found.interface} itself, and no neighbour's")


def _add(kernel: Kernel, goal: Neighbour, names: Names) -> None:
    try:
        kernel.neighbours.add(goal, names)
    except FileExistsError:
        # Learned or made by others since, or a temporary one of a release that has neighbours among its routes.
        kernel.neighbours.remove(goal, names)
        kernel.neighbours.add(goal, names)


def _replace(kernel: Kernel, found: Neighbour, goal: Neighbour, names: Names) -> None:
    """Remove and add. One that was learned has the kernel's timer on it, which would end the new one early.

    Only what becomes permanent takes the new values on, unless it is to cease to be a proxy.
    """
    if found.is_permanent or not goal.is_permanent or (found.is_proxy and not goal.is_proxy):
        kernel.neighbours.remove(found, names)
    try:
        _add(kernel, goal, names)
    except KernelError:
        with contextlib.suppress(KernelError):
            kernel.neighbours.add(replace(found, is_proxy=bool(found.is_proxy)), names)
        raise
