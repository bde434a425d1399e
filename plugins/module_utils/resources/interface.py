# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The interface resource: what rump_ifconfig asks for against what the kernel has."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.interfaces import Interface, IPAddress, IPInterface
from ..sysproxy.netbsd.constants import IFF
from .failures import OptionError, component_of_cloner
from .plan import Plan

_NAME = re.compile(r"([A-Za-z][A-Za-z0-9_]*?)(\d+)")


@dataclass(frozen=True)
class Wanted:
    """The options in their normal form. None stands for what is left as it is."""

    name: str
    cloner: str
    state: str
    linkstr: str | None
    mtu: int | None
    addresses: dict[IPAddress, IPInterface] | None
    purge: bool


def normalize(parameters: Mapping[str, Any]) -> Wanted:
    """Check the options without a kernel.

    :raises OptionError: one is wrong.
    """
    name = str(parameters["name"])
    match = _NAME.fullmatch(name)
    if not match or len(name) > 15:
        raise OptionError(
            "name", f"{name!r} is no interface's name: give a kind and a unit of at most 15 characters, such as shmif0"
        )
    mtu = parameters.get("mtu")
    if mtu is not None and not 1 <= mtu <= 65535:
        raise OptionError("mtu", f"{mtu} is no MTU: give 1 to 65535 bytes")
    linkstr = parameters.get("linkstr")
    if linkstr is not None and (not linkstr or "\0" in linkstr):
        raise OptionError("linkstr", "give a text, such as the path of the bus file of a shmif interface")
    return Wanted(
        name=name,
        cloner=match[1],
        state=parameters.get("state") or "present",
        linkstr=linkstr,
        mtu=mtu,
        addresses=None if parameters.get("addresses") is None else _addresses(parameters["addresses"]),
        purge=bool(parameters.get("purge_addresses")),
    )


def _addresses(texts: list[str]) -> dict[IPAddress, IPInterface]:
    wanted: dict[IPAddress, IPInterface] = {}
    for text in texts:
        address = _address(str(text))
        if wanted.setdefault(address.ip, address) != address:
            raise OptionError(
                "addresses", f"{address.ip} is asked for with two prefixes, {wanted[address.ip]} and {text}"
            )
    return wanted


def _address(text: str) -> IPInterface:
    form = "give ADDRESS/PREFIX, such as 192.0.2.1/24 or 2001:db8::1/64"
    host, slash, prefix = text.partition("/")
    if not slash:
        raise OptionError("addresses", f"{text} has no prefix: {form}")
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        raise OptionError("addresses", f"{text}: {host!r} is no IP address: {form}") from None
    if not (prefix.isascii() and prefix.isdigit() and int(prefix) <= ip.max_prefixlen):
        raise OptionError("addresses", f"{text}: the prefix of an IPv{ip.version} address is 0 to {ip.max_prefixlen}")
    return ipaddress.ip_interface(f"{ip}/{int(prefix)}")


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """The changes that bring the interface to what the options ask for."""
    wanted = normalize(parameters)
    found = kernel.interfaces.get(wanted.name)
    if wanted.state == "absent":
        return _plan_absent(kernel, wanted.name, found)
    made = Plan()
    if found is None:
        _plan_creation(kernel, wanted, made)
    linkstr = kernel.interfaces.linkstr(wanted.name) if found else None
    before = describe(found, linkstr)
    after = dict(before) if found else _foretold(wanted.name)
    is_up = bool(found and found.flags & IFF.UP)
    if wanted.linkstr is not None and wanted.linkstr != linkstr:
        is_up = _plan_linkstr(kernel, wanted.name, wanted.linkstr, linkstr, is_up, made)
        after["linkstr"] = wanted.linkstr
    if wanted.mtu is not None and (found is None or wanted.mtu != found.mtu):
        _plan_mtu(kernel, wanted.name, wanted.mtu, made)
        after["mtu"] = wanted.mtu
    if wanted.addresses is not None:
        is_up |= _plan_addresses(kernel, wanted, wanted.addresses, found, made, after)
    _plan_flags(kernel, wanted, found, is_up, made, after)
    made.before, made.after = (before, after) if made.changes else ({}, {})
    made.expected = {"interface": after}
    made.report = lambda: {"interface": read(kernel, wanted.name)}
    return made


def read(kernel: Kernel, name: str) -> dict[str, Any]:
    """The interface as the kernel has it, in the module's terms."""
    found = kernel.interfaces.get(name)
    return describe(found, kernel.interfaces.linkstr(name) if found else None)


def describe(found: Interface | None, linkstr: str | None) -> dict[str, Any]:
    """An interface in the module's terms."""
    if found is None:
        return {"state": "absent"}
    return {
        "state": "present",
        "name": found.name,
        "flags": [flag.name for flag in IFF if found.flags & flag],
        "mtu": found.mtu,
        "lladdr": found.link_address.hex(":") or None,
        "linkstr": linkstr,
        "addresses": [str(address.interface) for address in found.addresses],
    }


def _foretold(name: str) -> dict[str, Any]:
    """What can be said of an interface that is yet to be made."""
    return {
        "state": "present",
        "name": name,
        "flags": [],
        "mtu": None,
        "lladdr": None,
        "linkstr": None,
        "addresses": [],
    }


def _plan_absent(kernel: Kernel, name: str, found: Interface | None) -> Plan:
    absent = {"interface": {"state": "absent"}}
    made = Plan(expected=absent)
    if found is not None:
        if name == "lo0":
            # Some releases refuse this only after they have taken the interface apart.
            raise OptionError(
                "state", "lo0 cannot be destroyed (EPERM)", call="SIOCIFDESTROY", object=name, errno="EPERM"
            )
        made.before = describe(found, kernel.interfaces.linkstr(name))
        made.after = {"state": "absent"}
        made.add(f"destroy {name}", lambda: kernel.interfaces.destroy(name))
    return made


def _plan_creation(kernel: Kernel, wanted: Wanted, made: Plan) -> None:
    """A kernel without the kind's component is found out before anything is changed."""
    cloners = kernel.interfaces.cloners()
    if wanted.cloner not in cloners:
        raise OptionError(
            "name",
            f"SIOCIFCREATE {wanted.name}: EINVAL (Invalid argument): the kernel cannot create interfaces of the kind "
            f"{wanted.cloner}, only {', '.join(cloners)}; "
            f"if there is a component {component_of_cloner(wanted.cloner)}, start the server with it",
            call="SIOCIFCREATE",
            object=wanted.name,
            errno="EINVAL",
        )
    made.add(f"create {wanted.name}", lambda: kernel.interfaces.create(wanted.name))


def _plan_linkstr(kernel: Kernel, name: str, text: str, found: str | None, is_up: bool, made: Plan) -> bool:
    """A link string can only be changed while the interface is down; False: it is down afterwards."""
    if is_up:
        made.add(f"take {name} down to change its linkstr", lambda: _set_up(kernel, name, False))
    if found is not None:
        made.add(f"unset the linkstr of {name}", lambda: kernel.interfaces.unset_linkstr(name))
    made.add(f"set the linkstr of {name} to {text}", lambda: kernel.interfaces.set_linkstr(name, text))
    return False


def _plan_mtu(kernel: Kernel, name: str, mtu: int, made: Plan) -> None:
    made.add(f"set the mtu of {name} to {mtu}", lambda: kernel.interfaces.set_mtu(name, mtu))


def _plan_addresses(
    kernel: Kernel,
    wanted: Wanted,
    addresses: dict[IPAddress, IPInterface],
    found: Interface | None,
    made: Plan,
    after: dict[str, Any],
) -> bool:
    """True when an address is added, which the kernel takes as a wish for the interface to be up."""
    present = {address.interface.ip: address.interface for address in found.addresses} if found else {}
    name, added = wanted.name, False
    for ip, address in addresses.items():
        if present.get(ip) == address:
            continue
        if ip in present:
            made.add(f"remove {present[ip]} from {name}", _remover(kernel, name, ip))
        made.add(f"add {address} to {name}", _adder(kernel, name, address))
        added = True
    kept = list(present)
    if wanted.purge:
        for ip, address in present.items():
            # The kernel gives each interface a link-local address of its own accord, and needs it.
            if ip not in addresses and not (ip.version == 6 and ip.is_link_local):
                made.add(f"remove {address} from {name}", _remover(kernel, name, ip))
                kept.remove(ip)
    result = {ip: present[ip] for ip in kept} | addresses
    after["addresses"] = [str(address) for address in result.values()]
    return added


def _remover(kernel: Kernel, name: str, ip: IPAddress) -> Any:
    return lambda: kernel.interfaces.remove_address(name, ip)


def _adder(kernel: Kernel, name: str, address: IPInterface) -> Any:
    return lambda: kernel.interfaces.add_address(name, address)


def _plan_flags(
    kernel: Kernel, wanted: Wanted, found: Interface | None, is_up: bool, made: Plan, after: dict[str, Any]
) -> None:
    """Last of all: up or down as asked for, else as it was before the changes above."""
    name = wanted.name
    was_up = bool(found and found.flags & IFF.UP)
    should_be_up = {"up": True, "down": False}.get(wanted.state, was_up or is_up)
    if should_be_up != is_up:
        made.add(
            f"bring {name} up" if should_be_up else f"take {name} down", lambda: _set_up(kernel, name, should_be_up)
        )
    flags = [flag for flag in after["flags"] if flag != IFF.UP.name]
    after["flags"] = [str(IFF.UP.name), *flags] if should_be_up else flags


def _set_up(kernel: Kernel, name: str, up: bool) -> None:
    flags = kernel.interfaces.flags(name)
    kernel.interfaces.set_flags(name, flags | IFF.UP if up else flags & ~IFF.UP)
