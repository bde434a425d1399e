# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The route resource: what rump_route asks for against what the kernel has.

Three steps that stand alone, so that a plan of more than one route has its own use of them: :func:`read` finds what is
there, :func:`target` says what it should become, and :func:`changes` are what makes it so.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..sysproxy import Kernel, KernelError
from ..sysproxy.exchanges import Exchange
from ..sysproxy.kernel.routes import Route
from ..sysproxy.kernel.routing_messages import IPAddress, IPNetwork, Names, flag_names, neighbours_are_apart
from ..sysproxy.netbsd import Abi
from ..sysproxy.netbsd.constants import AF, RTF
from .failures import OptionError
from .internet import FAMILIES, no_interface, parse_address, parse_destination, parse_interface, require_family
from .plan import Change, Plan

FLAGS = {
    "reject": int(RTF.REJECT),
    "blackhole": int(RTF.BLACKHOLE),
    "static": int(RTF.STATIC),
    "proto1": int(RTF.PROTO1),
    "proto2": int(RTF.PROTO2),
    "cloning": int(RTF.CONNECTED),
}
"""The flags that can be asked for. ``cloning`` was there up to release 7, where the kernel also gives it by itself, so
that it is never taken away; its bit means something else since."""
_MANAGED = sum(bit for name, bit in FLAGS.items() if name != "cloning")
_UP, _GATEWAY, _HOST, _LOCAL = map(int, (RTF.UP, RTF.GATEWAY, RTF.HOST, RTF.LOCAL))  # quicker than an enum's
_EXPIRY_TOLERANCE = 2  # seconds: the kernel counts from its start, and tells by its clock of the day
_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


@dataclass(frozen=True)
class Wanted:
    """The options in their normal form. None stands for what is left as it is."""

    destination: IPNetwork
    scope: str = ""
    gateway: IPAddress | None = None
    interface: str | None = None
    flags: frozenset[str] | None = None
    mtu: int | None = None
    expire: int | None = None

    @property
    def key(self) -> tuple[IPNetwork, str]:
        """As :attr:`Route.key <..sysproxy.kernel.routes.Route.key>`."""
        return self.destination, self.scope

    @property
    def family(self) -> AF:
        return AF.INET if self.destination.version == 4 else AF.INET6


@dataclass(frozen=True)
class Table:
    """What is there: the routes by their destinations, and the interfaces' names."""

    routes: Mapping[tuple[IPNetwork, str], Route]
    names: Names

    def leading_to(self, address: IPAddress, but: tuple[IPNetwork, str] | None = None) -> Route | None:
        """The narrowest route that an address is in, that to ``but`` left out."""
        scope = getattr(address, "scope_id", None) or ""
        plain = ipaddress.ip_address(address.packed)
        fitting = (
            route for key, route in self.routes.items() if key != but and scope == route.scope and plain in key[0]
        )
        return max(fitting, key=lambda route: route.destination.prefixlen, default=None)


def normalize(parameters: Mapping[str, Any]) -> Wanted:
    """Check the options without a kernel.

    :raises OptionError: one is wrong.
    """
    interface = parameters.get("interface")
    if interface is not None:
        parse_interface("interface", interface)
    gateway = parameters.get("gateway")
    if gateway is not None:
        gateway = parse_address("gateway", gateway, interface)
    family = parameters.get("family")
    if family is None and gateway is not None:
        family = next(name for name, version in FAMILIES.items() if version == gateway.version)
    destination, scope = parse_destination("dest", parameters["dest"], parameters.get("family"), interface)
    if parameters["dest"] == "default":
        destination, scope = parse_destination("dest", "default", family)
    if gateway is not None and gateway.version != destination.version:
        raise OptionError("gateway", f"{gateway} is of IPv{gateway.version}, and {parameters['dest']} is not")
    flags = parameters.get("flags")
    if flags is not None and {"reject", "blackhole"} <= set(flags):
        raise OptionError("flags", "a route either rejects its packets or swallows them: give reject or blackhole")
    if flags is not None and gateway is None and interface is None and {"reject", "blackhole"} & set(flags):
        gateway = ipaddress.ip_address(_LOOPBACK[destination.version])  # the kernel wants one, and it gets no packets
    for option, most in (("mtu", 0xFFFFFFFF), ("expire", (1 << 63) - 1)):
        value = parameters.get(option)
        if value is not None and not 0 <= value <= most:
            raise OptionError(option, f"{value} is out of range: give 0 for none, or at most {most}")
    return Wanted(
        destination=destination,
        scope=scope,
        gateway=gateway,
        interface=interface,
        flags=None if flags is None else frozenset(flags),
        mtu=parameters.get("mtu"),
        expire=parameters.get("expire"),
    )


def read(kernel: Kernel, family: AF | None = None) -> Table:
    """What is there.

    :raises KernelError: the kernel has no networking.
    """
    names = kernel.interfaces.names()
    return Table({route.key: route for route in kernel.routes.all(family, names)}, names)


def target(abi: Abi, wanted: Wanted, found: Route | None, table: Table) -> Route:
    """The route as it should be, with what is not asked for as it is found.

    :raises OptionError: the release does not have a flag, or a new route is given neither gateway nor interface.
    """
    if wanted.flags is not None and "cloning" in wanted.flags and neighbours_are_apart(abi):
        raise OptionError("flags", "this release has no cloning routes: neighbours are not among the routes any more")
    if found is None:
        return _new(abi, wanted, table)
    flags, gateway, interface = found.flags, found.gateway, found.interface
    if wanted.flags is not None:
        flags = flags & ~_MANAGED | _bits(wanted.flags)
    if wanted.gateway is not None:
        if wanted.gateway != gateway or not flags & _GATEWAY:
            interface = wanted.interface or _interface_of(wanted, table)
        gateway, flags = wanted.gateway, flags | _GATEWAY
    elif wanted.interface is not None and (flags & _GATEWAY or wanted.interface != interface):
        gateway, flags = None, flags & ~_GATEWAY
    _refuse_expiry(wanted, flags)
    return replace(
        found,
        flags=flags,
        gateway=gateway,
        interface=wanted.interface or interface,
        metrics={**found.metrics, **_metrics(wanted)},
        source=None,
    )


def changes(
    kernel: Kernel, wanted: Wanted, found: Route | None, table: Table, goal: Route | None = None
) -> list[Change]:
    """What makes the route that is found, or none, the one that is wanted. In place where the kernel can.

    ``goal`` is what :func:`target` said, where it was asked already.

    :raises OptionError: as :func:`target`, or the route is one that the kernel itself needs.
    """
    goal = goal or target(kernel.abi, wanted, found, table)
    names = table.names
    if found is None:
        made = replace(goal, metrics=_metrics(wanted), interface=wanted.interface or "")
        adding = partial(_adding, kernel, made, names)
        return [Change(f"add the route {_told(goal)}", partial(_add, kernel, made, names), adding)]
    differences = _differences(wanted, found, goal)
    if not differences:
        return []
    _refuse_own(found)
    told = f"route {found}: {', '.join(differences)}"
    made = replace(goal, metrics={**kept_metrics(found), **_metrics(wanted)})
    if made.gateway is not None:
        made = replace(made, interface=wanted.interface or "")
    if _fits_in_place(wanted, found, goal):
        return [Change(f"change the {told}", lambda: _change(kernel, made, names))]
    anew = replace(made, flags=goal.flags & (_own_flags() | _bits(wanted.flags or ())))
    return [Change(f"replace the {told}", lambda: _replace(kernel, found, anew, names))]


def removal(kernel: Kernel, found: Route, names: Names | None = None) -> Change:
    """What takes a route away.

    :raises OptionError: it is one that the kernel itself needs.
    """
    _refuse_own(found)
    return Change(f"remove the route {_told(found)}", lambda: kernel.routes.delete(found, names))


def requirements(wanted: Wanted, table: Table) -> None:
    """What has to be there before the route can be made, beside the kernel's own word on it.

    :raises OptionError: the interface does not exist, or no interface is on a network with the gateway.
    """
    inside = getattr(wanted.gateway, "scope_id", None)
    named = (wanted.interface, wanted.scope, inside)
    missing = next((name for name in named if name and not table.names.index(name)), None)
    about = {"call": "RTM_ADD", "object": _name_of(wanted)}
    if missing is not None:
        raise no_interface("interface", missing, **about)
    if wanted.gateway is None or wanted.interface is not None:
        return
    way = table.leading_to(wanted.gateway, but=wanted.key)
    if way is None or way.flags & _GATEWAY:
        raise _unreachable(wanted.gateway, about)


def describe(abi: Abi, found: Route | None) -> dict[str, Any]:
    """A route in the module's terms."""
    if found is None:
        return {"state": "absent"}
    return {
        "state": "present",
        "dest": _destination(found),
        "family": "inet" if found.destination.version == 4 else "inet6",
        "gateway": None if found.gateway is None else str(found.gateway),
        "interface": found.interface or None,
        "flags": flag_names(abi, found.flags),
        "mtu": found.metrics.get("mtu", 0),
        # On a link, it is the kernel's note of when it last looked.
        "expire": found.metrics.get("expire", 0) if found.flags & _GATEWAY else 0,
    }


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The changes that bring the route to what the options ask for."""
    wanted = normalize(parameters)
    table = read(kernel, wanted.family)
    found = table.routes.get(wanted.key)
    made = Plan(report=lambda: {"route": _report(kernel, wanted)})
    before = describe(kernel.abi, found)
    if parameters.get("state") == "absent":
        after = {"state": "absent"}
        if found is not None:
            made.changes.append(removal(kernel, found, table.names))
    else:
        made.changes.extend(changes(kernel, wanted, found, table))
        after = describe(kernel.abi, target(kernel.abi, wanted, found, table))
        if made.changes:
            if not table.routes:
                made.conditions.append(lambda: require_family(kernel, wanted.family))
            made.conditions.append(lambda: requirements(wanted, table))
    if made.changes:
        made.before, made.after = before, after
    made.expected = {"route": after if made.changes else before}
    return made


def info(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The table, or the route that packets to ``dest`` take."""
    family = {"inet": AF.INET, "inet6": AF.INET6}.get(parameters.get("family") or "")
    if parameters.get("dest") is None:
        return Plan(expected={"routes": [_details(kernel.abi, route) for route in kernel.routes.all(family)]})
    address = parse_address("dest", parameters["dest"])
    names = kernel.interfaces.names()
    scope = getattr(address, "scope_id", None)
    if scope and not names.index(scope):
        raise no_interface("dest", scope)
    found = kernel.routes.get(address, names)
    return Plan(expected={"route": None if found is None else _details(kernel.abi, found)})


def _report(kernel: Kernel, wanted: Wanted) -> dict[str, Any]:
    return describe(kernel.abi, read(kernel, wanted.family).routes.get(wanted.key))


def _details(abi: Abi, route: Route) -> dict[str, Any]:
    found = describe(abi, route)
    del found["state"]
    source = None if route.source is None else str(route.source)
    return {**found, "source": source, "uses": route.uses}


# What the route should be


def _new(abi: Abi, wanted: Wanted, table: Table) -> Route:
    if wanted.gateway is None and wanted.interface is None:
        raise OptionError(
            "gateway",
            f"there is no route {_name_of(wanted)} yet: give the gateway, or the interface on whose link it is",
        )
    flags = _UP | _bits(wanted.flags if wanted.flags is not None else {"static"})
    if wanted.gateway is not None:
        flags |= _GATEWAY
    if wanted.destination.prefixlen == wanted.destination.max_prefixlen:
        flags |= _HOST
    _refuse_expiry(wanted, flags)
    return Route(
        destination=wanted.destination,
        gateway=wanted.gateway,
        interface=wanted.interface or _interface_of(wanted, table),
        flags=flags,
        scope=wanted.scope,
        metrics=_metrics(wanted),
    )


def _refuse_expiry(wanted: Wanted, flags: int) -> None:
    if wanted.expire and not flags & _GATEWAY:
        raise OptionError("expire", "only a route by a gateway has it: on a link the kernel notes its own times")


def _interface_of(wanted: Wanted, table: Table) -> str:
    """The interface by which the gateway is reached, as far as it can be foretold."""
    way = table.leading_to(wanted.gateway, but=wanted.key) if wanted.gateway is not None else None
    return way.interface if way is not None else ""


def _bits(flags: Iterable[str]) -> int:
    return sum(FLAGS[name] for name in flags)


def _own_flags() -> int:
    """The flags that a route has of those who make it; all others the kernel gives by itself."""
    return _MANAGED | _UP | _GATEWAY | _HOST


def _metrics(wanted: Wanted) -> dict[str, int]:
    named = {"mtu": wanted.mtu, "expire": wanted.expire}
    return {name: value for name, value in named.items() if value is not None}


def kept_metrics(found: Route) -> dict[str, int]:
    """The metrics that a changed route is given again: a new gateway's route would give it its own (rt_setgate).

    The loopback's MTU and the expiry of a network on the link are not ours: the kernel gives them.
    """
    ours = [name for name in found.metrics if name != "expire" or found.flags & _GATEWAY]
    return {name: found.metrics[name] for name in ours if found.metrics[name] and not _is_loopback(found.interface)}


# What differs


def _differences(wanted: Wanted, found: Route, goal: Route) -> list[str]:
    told = []
    if (goal.gateway, goal.flags & _GATEWAY) != (found.gateway, found.flags & _GATEWAY):
        told.append(f"gateway {found.gateway or 'none'} to {goal.gateway or 'none'}")
    if wanted.interface is not None and wanted.interface != found.interface:
        told.append(f"interface {found.interface} to {wanted.interface}")
    changed = (goal.flags ^ found.flags) & ~_GATEWAY
    told += [f"{'set' if goal.flags & bit else 'clear'} {name}" for name, bit in FLAGS.items() if changed & bit]
    if wanted.mtu is not None and wanted.mtu != found.metrics["mtu"]:
        told.append(f"mtu {found.metrics['mtu']} to {wanted.mtu}")
    if (
        wanted.expire is not None
        and goal.flags & _GATEWAY
        and abs(wanted.expire - found.metrics["expire"]) > _EXPIRY_TOLERANCE
    ):
        told.append(f"expire {found.metrics['expire']} to {wanted.expire}")
    return told


def _fits_in_place(wanted: Wanted, found: Route, goal: Route) -> bool:
    """Whether RTM_CHANGE does all of it. It leaves RTF_GATEWAY as it is, and a link's route on its link; a route
    through the loopback has the MTU of that, which its change sets again."""
    if (goal.flags ^ found.flags) & _GATEWAY:
        return False
    if not goal.flags & _GATEWAY and wanted.interface not in (None, found.interface):
        return False
    loops = _is_loopback(found.interface) or (wanted.gateway is not None and wanted.gateway.is_loopback)
    return not (loops and (goal.gateway != found.gateway or wanted.interface or wanted.mtu is not None))


def _is_loopback(interface: str) -> bool:
    return interface.startswith("lo") and interface[2:].isdigit()


def _refuse_own(found: Route) -> None:
    if found.flags & _LOCAL:
        raise OptionError(
            "dest", f"{found} is an address of the kernel's own: its route comes and goes with the address"
        )


# How it is done


def _add(kernel: Kernel, route: Route, names: Names) -> None:
    with _told_by_gateway(kernel, route):
        kernel.routes.add(route, names)


def _adding(kernel: Kernel, route: Route, names: Names) -> Exchange[None]:
    """:func:`_add` as an exchange, with the kernel's refusals in its own terms."""
    yield kernel.routes.adding(route, names)


def _change(kernel: Kernel, route: Route, names: Names) -> None:
    with _told_by_gateway(kernel, route):
        kernel.routes.change(route, names)


def _replace(kernel: Kernel, found: Route, route: Route, names: Names) -> None:
    """Remove and add; the former route comes back if the new one is refused."""
    kernel.routes.delete(found, names)
    try:
        _add(kernel, route, names)
    except (KernelError, OptionError):
        former = replace(found, flags=found.flags & _own_flags())
        with contextlib.suppress(KernelError):
            kernel.routes.add(former, names)
        raise


@contextlib.contextmanager
def _told_by_gateway(kernel: Kernel, route: Route) -> Iterator[None]:
    """The kernel's refusals in the user's terms."""
    try:
        yield
    except KernelError as error:
        about = {"call": error.call, "object": error.subject}
        if error.name == "ENETUNREACH":
            raise _unreachable(route.gateway or route.interface, about) from error
        if error.name == "ESRCH" and error.call == "RTM_ADD":
            require_family(kernel, AF.INET if route.destination.version == 4 else AF.INET6)
        raise


def _unreachable(gateway: object, about: Mapping[str, str]) -> OptionError:
    text = (
        f"{about['call']} {about['object']}: ENETUNREACH (Network is unreachable): no interface is on a network with "
        f"{gateway}: give one an address there first, or name the interface"
    )
    return OptionError("gateway", text, **about, errno="ENETUNREACH")


def _destination(route: Route) -> str:
    return "default" if not route.destination.prefixlen else str(route)


def _name_of(wanted: Wanted) -> str:
    is_host = wanted.destination.prefixlen == wanted.destination.max_prefixlen
    return str(Route(wanted.destination, scope=wanted.scope, flags=_HOST if is_host else 0))


def _told(route: Route) -> str:
    if route.gateway is not None:
        return f"{route} by {route.gateway}"
    return f"{route} on {route.interface}" if route.interface else str(route)
