# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The nd6 resource: an interface's IPv6 options, and what routers advertised, against what the kernel has.

As with routes, the steps stand alone: :func:`read` finds what is there, :func:`target` says what it should become,
:func:`changes` are what makes it so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.nd6 import InterfaceOptions, Prefix, Router
from ..sysproxy.netbsd.constants import ND6_IFF
from .failures import OptionError
from .internet import no_interface, parse_interface
from .plan import Change, Plan

FLAGS = {
    "accept_rtadv": ND6_IFF.ACCEPT_RTADV,
    "override_rtadv": ND6_IFF.OVERRIDE_RTADV,
    "auto_linklocal": ND6_IFF.AUTO_LINKLOCAL,
    "ifdisabled": ND6_IFF.IFDISABLED,
    "nud": ND6_IFF.PERFORMNUD,
    "prefer_source": ND6_IFF.PREFER_SOURCE,
}
"""The options that are flags."""
OF_ROUTERS = ("accept_rtadv", "override_rtadv", "flush_routers", "flush_prefixes")
"""What only kernels have that hear router advertisements themselves."""
NUMBERS = {"base_reachable": 0xFFFFFFFF, "retransmit": 0xFFFFFFFF, "hop_limit": 255}
"""The options that are numbers, with their largest values."""


@dataclass(frozen=True)
class Wanted:
    """The options in their normal form. What is not named is left as it is."""

    interface: str
    flags: Mapping[str, bool] = field(default_factory=dict)
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Advertised:
    """What routers advertised; None where kernels of the release do not hear them."""

    routers: tuple[Router, ...] | None
    prefixes: tuple[Prefix, ...] | None


def normalize(parameters: Mapping[str, Any]) -> Wanted:
    """Check the options without a kernel.

    :raises OptionError: one is wrong.
    """
    for name, most in NUMBERS.items():
        value = parameters.get(name)
        if value is not None and not 1 <= value <= most:
            raise OptionError(name, f"{value} is out of range: give 1 to {most}")
    return Wanted(
        interface=parse_interface("interface", parameters["interface"]),
        flags={name: parameters[name] for name in FLAGS if parameters.get(name) is not None},
        numbers={name: parameters[name] for name in NUMBERS if parameters.get(name) is not None},
    )


def read(kernel: Kernel, interface: str) -> InterfaceOptions:
    """What the interface has.

    :raises KernelError: ENXIO, there is none of that name; EAFNOSUPPORT, the kernel has no IPv6.
    """
    return kernel.nd6.options(interface)


def target(wanted: Wanted, found: InterfaceOptions) -> InterfaceOptions:
    """The options as they should be, with what is not asked for as it is found."""
    flags = found.flags
    for name, value in wanted.flags.items():
        flags = flags | FLAGS[name] if value else flags & ~FLAGS[name]
    return replace(found, flags=ND6_IFF(flags), **wanted.numbers)


def changes(kernel: Kernel, wanted: Wanted, found: InterfaceOptions) -> list[Change]:
    """What makes the options that are found those that are wanted: one call, and so all of them or none.

    :raises OptionError: kernels of the release have no such option.
    """
    goal = target(wanted, found)
    refuse_missing(kernel, wanted.flags)
    told = [
        f"{'set' if goal.flags & flag else 'clear'} {name}"
        for name, flag in FLAGS.items()
        if (goal.flags ^ found.flags) & flag
    ]
    told += [
        f"{name} {getattr(found, name)} to {getattr(goal, name)}"
        for name in NUMBERS
        if getattr(goal, name) != getattr(found, name)
    ]
    if not told:
        return []
    text = f"change the IPv6 options of {wanted.interface}: {', '.join(told)}"
    return [Change(text, lambda: _set(kernel, wanted, goal))]


def read_advertised(kernel: Kernel) -> Advertised:
    """What routers advertised, on all interfaces."""
    if not kernel.nd6.hears_routers:
        return Advertised(None, None)
    names = kernel.interfaces.names()
    return Advertised(tuple(kernel.nd6.routers(names)), tuple(kernel.nd6.prefixes(names)))


def refuse_missing(kernel: Kernel, named: Any) -> None:
    """Nothing about router advertisements is to be had of a kernel that does not hear them.

    :raises OptionError: an option of these is named.
    """
    missing = [] if kernel.nd6.hears_routers else [name for name in OF_ROUTERS if name in named]
    if missing:
        raise OptionError(missing[0], "kernels of this release leave router advertisements to dhcpcd(8)")


def describe(options: InterfaceOptions, interface: str) -> dict[str, Any]:
    """An interface's IPv6 options in the module's terms."""
    shown: dict[str, Any] = {"interface": interface}
    shown |= {name: bool(options.flags & flag) for name, flag in FLAGS.items()}
    shown |= {name: getattr(options, name) for name in NUMBERS}
    return shown


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The changes that bring the interface's IPv6 options to what is asked for."""
    wanted = normalize(parameters)
    flushes = [name for name in ("flush_routers", "flush_prefixes") if parameters.get(name)]
    refuse_missing(kernel, flushes)
    try:
        found = read(kernel, wanted.interface)
    except KernelError as error:
        if error.name != "ENXIO":
            raise
        raise no_interface("interface", wanted.interface, call=error.call, object=error.subject) from error
    advertised = read_advertised(kernel)
    made = Plan(report=lambda: _report(kernel, wanted.interface))
    made.changes.extend(changes(kernel, wanted, found))
    goal = target(wanted, found)
    before, after = describe(found, wanted.interface), describe(goal, wanted.interface)
    if made.changes:
        made.before, made.after = before, after
    routers, prefixes = advertised.routers or (), advertised.prefixes or ()
    learned = [known for known in prefixes if known.routers]
    if "flush_routers" in flushes and routers:
        made.add("forget the default routers that advertised themselves", kernel.nd6.flush_routers)
        advertised = replace(advertised, routers=())
    if "flush_prefixes" in flushes and learned:
        made.add("forget the prefixes that routers advertised", kernel.nd6.flush_prefixes)
        advertised = replace(advertised, prefixes=tuple(known for known in prefixes if not known.routers))
    made.expected = {"nd6": after, **_lists(advertised)}
    return made


def _report(kernel: Kernel, interface: str) -> dict[str, Any]:
    return {"nd6": describe(read(kernel, interface), interface), **_lists(read_advertised(kernel))}


def _lists(advertised: Advertised) -> dict[str, Any]:
    if advertised.routers is None or advertised.prefixes is None:
        return {}
    return {
        "routers": [
            {
                "address": str(router.address),
                "interface": router.interface,
                "managed": router.is_managed,
                "other": router.is_other,
                "preference": router.preference,
                "lifetime": router.lifetime,
                "expire": router.expire,
            }
            for router in advertised.routers
        ],
        "prefixes": [
            {
                "prefix": str(prefix.prefix),
                "interface": prefix.interface,
                "on_link": prefix.is_on_link,
                "detached": prefix.is_detached,
                "valid": prefix.valid,
                "preferred": prefix.preferred,
                "expire": prefix.expire,
                "routers": [str(router) for router in prefix.routers],
            }
            for prefix in advertised.prefixes
        ],
    }


def _set(kernel: Kernel, wanted: Wanted, goal: InterfaceOptions) -> None:
    kernel.nd6.set_options(wanted.interface, goal)
    made = kernel.nd6.options(wanted.interface)
    if wanted.flags.get("ifdisabled") is False and made.flags & ND6_IFF.IFDISABLED:
        # The one thing that the kernel does not do and does not say (RFC 4862, section 5.4.5).
        raise OptionError(
            "ifdisabled", f"{wanted.interface} has a duplicated link-local address: IPv6 stays off until it has another"
        )
