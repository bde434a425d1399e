# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of an interface: what rump_ifconfig asks for against what the kernel has."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..sysproxy import Kernel
from ..sysproxy.exchanges import Exchange
from ..sysproxy.kernel.interface_addresses import INFINITE, LONGEST_LIFETIME, AddressState
from ..sysproxy.kernel.interfaces import Interface, InterfaceAddress, IPAddress, IPInterface
from ..sysproxy.netbsd.constants import IFF
from .failures import OptionError, Unmet
from .interface_state import Draft, answers
from .internet import ip_address

_MEMBERS: Final = ("address", "broadcast", "destination", "valid_lifetime", "preferred_lifetime")
_PAUSES: Final = (0.01, 0.02, 0.05, 0.1)
"""Seconds between looks at addresses that the kernel listens for; the last one is repeated."""


@dataclass(frozen=True)
class WantedAddress:
    """An address that is asked for. None stands for what is left as it is, or to the kernel."""

    interface: IPInterface
    broadcast: IPAddress | None = None
    destination: IPAddress | None = None
    valid: int | None = None
    preferred: int | None = None


def normalize(entries: list[Any]) -> dict[IPAddress, WantedAddress]:
    """The option ``addresses``: texts, or dictionaries with more about an address.

    :raises OptionError: one is wrong.
    """
    wanted: dict[IPAddress, WantedAddress] = {}
    for entry in entries:
        address = _from_mapping(entry) if isinstance(entry, Mapping) else WantedAddress(_interface(str(entry)))
        ip = address.interface.ip
        former = wanted.setdefault(ip, address)
        if former.interface != address.interface:
            raise OptionError(
                "addresses", f"{ip} is asked for with two prefixes, {former.interface} and {address.interface}"
            )
        if former != address:
            raise OptionError("addresses", f"{ip} is asked for twice")
    return wanted


def _from_mapping(entry: Mapping[str, Any]) -> WantedAddress:
    unknown = [str(name) for name in entry if name not in _MEMBERS]
    if unknown:
        raise OptionError("addresses", f"{unknown[0]} is not known; an address has {', '.join(_MEMBERS)}")
    if entry.get("address") is None:
        raise OptionError("addresses", f"{dict(entry)} has no address")
    interface = _interface(str(entry["address"]))
    broadcast = _other(interface, "broadcast", entry.get("broadcast"))
    destination = _other(interface, "destination", entry.get("destination"))
    valid, preferred = (_lifetime(interface, name, entry.get(name)) for name in _MEMBERS[3:])
    if broadcast is not None and destination is not None:
        raise OptionError("addresses", f"{interface}: an address has a broadcast or a destination, not both")
    if broadcast is not None and interface.version == 6:
        raise OptionError("addresses", f"{interface}: an IPv6 address has no broadcast")
    if destination is not None and interface.version == 6 and interface.network.prefixlen != 128:
        raise OptionError("addresses", f"{interface}: an IPv6 address with a destination has the prefix 128")
    if preferred is not None and preferred > (INFINITE if valid is None else valid):
        raise OptionError("addresses", f"{interface}: preferred_lifetime is longer than valid_lifetime")
    return WantedAddress(interface, broadcast, destination, valid, preferred)


def _interface(text: str) -> IPInterface:
    form = "give ADDRESS/PREFIX, such as 192.0.2.1/24 or 2001:db8::1/64"
    host, slash, prefix = text.partition("/")
    if not slash:
        raise OptionError("addresses", f"{text} has no prefix: {form}")
    try:
        ip = ip_address(host)
    except ValueError:
        raise OptionError("addresses", f"{text}: {host!r} is no IP address: {form}") from None
    if not (prefix.isascii() and prefix.isdigit() and int(prefix) <= ip.max_prefixlen):
        raise OptionError("addresses", f"{text}: the prefix of an IPv{ip.version} address is 0 to {ip.max_prefixlen}")
    kind = ipaddress.IPv4Interface if ip.version == 4 else ipaddress.IPv6Interface
    return kind((ip.packed, int(prefix)))


def _other(interface: IPInterface, member: str, text: object) -> IPAddress | None:
    if text is None:
        return None
    try:
        address = ipaddress.ip_address(str(text))
    except ValueError:
        raise OptionError("addresses", f"{interface}: {member} {text} is no IP address") from None
    if address.version != interface.version:
        raise OptionError("addresses", f"{interface}: {member} {address} is of IPv{address.version}")
    return address


def _lifetime(interface: IPInterface, member: str, value: object) -> int | None:
    if value is None:
        return None
    if interface.version == 4:
        raise OptionError("addresses", f"{interface}: only an IPv6 address has a {member}")
    if str(value).lower() in ("infinite", "infinity", "infty"):
        return INFINITE
    try:
        seconds = int(str(value))
    except ValueError:
        seconds = -1
    if not (0 if member == "preferred_lifetime" else 1) <= seconds <= LONGEST_LIFETIME:
        raise OptionError(
            "addresses", f"{interface}: {member} {value}: give seconds, up to {LONGEST_LIFETIME}, or infinite"
        )
    return seconds


@dataclass(frozen=True)
class FoundAddress:
    """An address that the interface has."""

    address: InterfaceAddress
    state: AddressState


def read(kernel: Kernel, found: Interface | None) -> dict[IPAddress, FoundAddress]:
    """The addresses of an interface with their states."""
    return {} if found is None else read_all(kernel, [found])[0]


def read_all(kernel: Kernel, found: Sequence[Interface]) -> list[dict[IPAddress, FoundAddress]]:
    """The addresses of each interface with their states, asked for side by side."""
    all_of_them = [(place, one, address) for place, one in enumerate(found) for address in one.addresses]
    states = answers(
        kernel,
        (kernel.interfaces.asking_state(one.name, held.interface.ip, one.index) for _place, one, held in all_of_them),
    )
    read: list[dict[IPAddress, FoundAddress]] = [{} for _one in found]
    for (place, _one, address), state in zip(all_of_them, states, strict=True):
        read[place][address.interface.ip] = FoundAddress(address, state)
    return read


def describe(found: dict[IPAddress, FoundAddress]) -> dict[str, Any]:
    """Addresses in the module's terms: as texts, and with all that there is to know."""
    return {
        "addresses": [str(address.address.interface) for address in found.values()],
        "address_details": [_detail(address) for address in found.values()],
    }


def _detail(found: FoundAddress) -> dict[str, Any]:
    address = found.address
    shown: dict[str, Any] = {"address": str(address.interface), "state": found.state.names}
    if address.broadcast is not None:
        shown["broadcast"] = str(address.broadcast)
    if address.destination is not None:
        shown["destination"] = str(address.destination)
    if address.interface.version == 6:
        shown["valid_lifetime"] = _seconds(found.state.valid)
        shown["preferred_lifetime"] = _seconds(found.state.preferred)
    return shown


def _seconds(lifetime: int) -> int | str:
    return "infinite" if lifetime == INFINITE else lifetime


def plan(
    draft: Draft,
    addresses: dict[IPAddress, WantedAddress],
    purge: bool,
    held: dict[IPAddress, FoundAddress],
    recheck: bool,
) -> None:
    """Add, change and remove addresses.

    ``recheck`` takes a duplicated address away and gives it again, so that the kernel looks once more.
    """
    after = dict(held)
    for ip, wanted in addresses.items():
        there = held.get(ip)
        if ip in draft.lost:
            there = None
        elif there is not None and recheck and there.state.is_duplicated:
            draft.add(f"remove {there.address.interface} from {draft.name}, which was duplicated", _remover(draft, ip))
            there = None
        elif there is not None and not _can_change(there, wanted):
            draft.add(f"remove {there.address.interface} from {draft.name}", _remover(draft, ip))
            there = None
        goal = _goal(wanted, there or held.get(ip))
        if there is None:
            draft.add_exchange(f"add {wanted.interface} to {draft.name}{_more(goal)}", _adder(draft, goal))
            # The kernel takes an address as a wish for the interface to be up.
            draft.is_up = True
        else:
            told = _difference(there, goal)
            if told:
                text = f"change {wanted.interface} of {draft.name}: {', '.join(told)}"
                draft.add_exchange(text, _adder(draft, goal))
        after[ip] = _foretold(goal, there)
    for ip, former in held.items():
        if ip in addresses:
            continue
        if not purge:
            if ip in draft.lost:
                goal = _goal(WantedAddress(former.address.interface), former)
                text = f"add {former.address.interface} to {draft.name} again{_more(goal)}"
                draft.add_exchange(text, _adder(draft, goal))
                draft.is_up = True
        # The kernel gives each interface a link-local address of its own accord, and needs it.
        elif not (ip.version == 6 and ip.is_link_local):
            del after[ip]
            if ip not in draft.lost:
                draft.add(f"remove {former.address.interface} from {draft.name}", _remover(draft, ip))
    draft.after |= describe(after)


def _can_change(there: FoundAddress, wanted: WantedAddress) -> bool:
    """Whether the kernel can make the one of the other; its prefix and its far end are what it is known by."""
    address = there.address
    if address.interface != wanted.interface:
        return False
    return wanted.destination is None or wanted.destination == address.destination


def _goal(wanted: WantedAddress, there: FoundAddress | None) -> WantedAddress:
    """What is asked for, completed from what is there."""
    valid, preferred = wanted.valid, wanted.preferred
    broadcast, destination = wanted.broadcast, wanted.destination
    if there is not None:
        if wanted.interface == there.address.interface:
            broadcast = broadcast or there.address.broadcast
            destination = destination or there.address.destination
        if valid is None:
            valid = there.state.valid if preferred is None else max(there.state.valid, preferred)
        if preferred is None:
            preferred = min(there.state.preferred, valid)
    valid = INFINITE if valid is None else valid
    return WantedAddress(wanted.interface, broadcast, destination, valid, valid if preferred is None else preferred)


def _difference(there: FoundAddress, goal: WantedAddress) -> list[str]:
    told = []
    if goal.broadcast is not None and goal.broadcast != there.address.broadcast:
        told.append(f"broadcast {there.address.broadcast} to {goal.broadcast}")
    if goal.interface.version == 6:
        for name, before, wanted in (
            ("valid_lifetime", there.state.valid, goal.valid),
            ("preferred_lifetime", there.state.preferred, goal.preferred),
        ):
            if wanted is not None and before != wanted:
                told.append(f"{name} {_seconds(before)} to {_seconds(wanted)}")
    return told


def _more(goal: WantedAddress) -> str:
    """What a change says of an address beside its prefix."""
    told = []
    if goal.destination is not None:
        told.append(f"destination {goal.destination}")
    if goal.interface.version == 4 and goal.broadcast not in (None, goal.interface.network.broadcast_address):
        told.append(f"broadcast {goal.broadcast}")
    for name, lifetime in (("valid_lifetime", goal.valid), ("preferred_lifetime", goal.preferred)):
        if goal.interface.version == 6 and lifetime not in (None, INFINITE):
            told.append(f"{name} {lifetime}")
    return f" ({', '.join(told)})" if told else ""


def _foretold(goal: WantedAddress, there: FoundAddress | None) -> FoundAddress:
    flags = there.state.flags if there else AddressState.none(goal.interface.version).flags
    broadcast = goal.broadcast
    if goal.interface.version == 4 and broadcast is None and goal.destination is None:
        broadcast = goal.interface.network.broadcast_address
    valid, preferred = goal.valid, goal.preferred
    return FoundAddress(
        InterfaceAddress(goal.interface, broadcast, goal.destination),
        AddressState(flags, INFINITE if valid is None else valid, INFINITE if preferred is None else preferred),
    )


def _remover(draft: Draft, ip: IPAddress) -> Any:
    return lambda: draft.kernel.interfaces.remove_address(draft.name, ip)


def _adder(draft: Draft, goal: WantedAddress) -> Callable[[], Exchange[None]]:
    return lambda: draft.kernel.interfaces.adding_address(
        draft.name,
        goal.interface,
        broadcast=goal.broadcast,
        destination=goal.destination,
        valid=INFINITE if goal.valid is None else goal.valid,
        preferred=INFINITE if goal.preferred is None else goal.preferred,
    )


def wait(kernel: Kernel, name: str, seconds: float) -> dict[IPAddress, FoundAddress]:
    """Wait until the kernel has made sure that no other host has the interface's addresses; what they then are.

    Addresses of an interface that is down, or has no link, stay as they are: no one can be asked.

    :raises Unmet: another host has one of them, or the time is over.
    """
    deadline = time.monotonic() + seconds
    pauses = iter(_PAUSES)
    while True:
        found = kernel.interfaces.get(name)
        held = read(kernel, found)
        facts = {"interface": {"name": name, **describe(held)}}
        duplicated = [str(address.address.interface) for address in held.values() if address.state.is_duplicated]
        if duplicated:
            raise Unmet(
                f"another host on the link has {', '.join(duplicated)}: {name} does not use what is duplicated. "
                "Give it another address, or take that one from the other host and run this again",
                facts,
            )
        waiting = [str(address.address.interface) for address in held.values() if address.state.is_tentative]
        if not waiting or found is None or not found.flags & IFF.UP or not found.flags & IFF.RUNNING:
            return held
        if time.monotonic() >= deadline:
            raise Unmet(
                f"after {seconds:g} seconds the kernel is still looking whether another host has {', '.join(waiting)}: "
                "raise dad_timeout",
                facts,
            )
        time.sleep(min(next(pauses, _PAUSES[-1]), max(0.0, deadline - time.monotonic())))
