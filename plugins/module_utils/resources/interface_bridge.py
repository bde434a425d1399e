# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bridges: the members and the spanning tree that rump_ifconfig asks for against what the kernel has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from ..sysproxy import Kernel
from ..sysproxy.kernel.bridges import IFBIF, Bridge, BridgeMember
from ..sysproxy.kernel.interfaces import Interface
from .failures import OptionError
from .interface_state import Draft
from .internet import parse_interface

PARAMETERS: Final = {
    "priority": (0, 0xFFFF),
    "hello_time": (1, 255),
    "forward_delay": (1, 255),
    "max_age": (1, 255),
    "max_addresses": (0, 0xFFFFFFFF),
    "timeout": (0, 0xFFFFFFFF),
}
"""A bridge's numbers, with the least and the most."""
_FLAGS: Final = {"learn": IFBIF.LEARNING, "discover": IFBIF.DISCOVER, "stp": IFBIF.STP}
_NUMBERS: Final = {"priority": 255, "path_cost": 255}
_NEW: Final = BridgeMember("", IFBIF.LEARNING | IFBIF.DISCOVER, 128, 55)
"""How a member starts out."""
_MTU: Final = 1500


@dataclass(frozen=True)
class WantedMember:
    """A member that is asked for, with what is to be otherwise than it starts out or is found."""

    name: str
    flags: dict[IFBIF, bool]
    numbers: dict[str, int]

    def of(self, member: BridgeMember) -> BridgeMember:
        flags = member.flags
        for flag, is_set in self.flags.items():
            flags = flags | flag if is_set else flags & ~flag
        return replace(member, name=self.name, flags=flags, **self.numbers)


@dataclass(frozen=True)
class WantedBridge:
    """The option ``bridge`` in its normal form. None stands for what is left as it is."""

    members: tuple[WantedMember, ...] | None
    purge: bool
    parameters: dict[str, int]
    filter: bool | None


def normalize(given: Mapping[str, Any] | None, cloner: str) -> WantedBridge | None:
    """Check the option without a kernel.

    :raises OptionError: it is wrong.
    """
    if given is None:
        return None
    if cloner != "bridge":
        raise OptionError("bridge", "it is for interfaces of the kind bridge, such as bridge0")
    for name, (least, most) in PARAMETERS.items():
        value = given.get(name)
        if value is not None and not least <= value <= most:
            raise OptionError("bridge", f"{name} {value} is out of range: give {least} to {most}")
    members = given.get("members")
    found: dict[str, WantedMember] = {}
    for entry in members or ():
        member = _member(entry)
        if found.setdefault(member.name, member) != member:
            raise OptionError("bridge", f"{member.name} is asked for twice")
    return WantedBridge(
        members=None if members is None else tuple(found.values()),
        purge=bool(given.get("purge")),
        parameters={name: given[name] for name in PARAMETERS if given.get(name) is not None},
        filter=given.get("filter"),
    )


def _member(entry: Any) -> WantedMember:
    if not isinstance(entry, Mapping):
        return WantedMember(parse_interface("bridge", str(entry)), {}, {})
    known = ("name", *_FLAGS, *_NUMBERS)
    unknown = [str(name) for name in entry if name not in known]
    if unknown:
        raise OptionError("bridge", f"{unknown[0]} is not known; a member has {', '.join(known)}")
    name = parse_interface("bridge", str(entry.get("name", "")))
    flags, numbers = {}, {}
    for option, flag in _FLAGS.items():
        if entry.get(option) is not None:
            flags[flag] = _boolean(name, option, entry[option])
    for option, most in _NUMBERS.items():
        value = entry.get(option)
        if value is None:
            continue
        if not str(value).isdecimal() or int(str(value)) > most:
            raise OptionError("bridge", f"{name}: {option} {value} is out of range: give 0 to {most}")
        numbers[option] = int(str(value))
    return WantedMember(name, flags, numbers)


def _boolean(name: str, option: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in ("yes", "true", "on", "1"):
        return True
    if str(value).lower() in ("no", "false", "off", "0"):
        return False
    raise OptionError("bridge", f"{name}: {option} is true or false, not {value!r}")


def read(kernel: Kernel, found: Interface | None, cloner: str) -> Bridge | None:
    """The bridge as the kernel has it; None for what is none, or is yet to be made."""
    return kernel.interfaces.bridge(found.name) if found is not None and cloner == "bridge" else None


def describe(bridge: Bridge | None) -> dict[str, Any]:
    """A bridge in the module's terms."""
    if bridge is None:
        return {}
    shown: dict[str, Any] = {name: getattr(bridge, name) for name in PARAMETERS}
    if bridge.filter is not None:
        shown["filter"] = bridge.filter
    # The kernel gives the newest first.
    shown["members"] = [_described(member) for member in reversed(bridge.members)]
    return {"bridge": shown}


def _described(member: BridgeMember) -> dict[str, Any]:
    return {
        "name": member.name,
        **{option: bool(member.flags & flag) for option, flag in _FLAGS.items()},
        **{option: getattr(member, option) for option in _NUMBERS},
        "state": member.state_name,
    }


def plan(draft: Draft, wanted: WantedBridge, found: Bridge | None) -> None:
    """Parameters, those that leave, those that come, and how they take part."""
    interfaces, name = draft.kernel.interfaces, draft.name
    for parameter, value in wanted.parameters.items():
        if found is None or getattr(found, parameter) != value:
            draft.add(
                f"set {parameter} of {name} to {value}",
                partial(interfaces.set_bridge_parameter, name, parameter, value),
            )
    if wanted.filter is not None and wanted.filter != bool(found and found.filter):
        _plan_filter(draft, wanted.filter, found)
    before = {member.name: member for member in reversed(found.members)} if found else {}
    after = dict(before)
    if wanted.members is not None:
        asked = {member.name: member for member in wanted.members}
        for leaving in before if wanted.purge else ():
            if leaving not in asked:
                draft.add(
                    f"take {leaving} out of {name}",
                    partial(interfaces.remove_bridge_member, name, leaving),
                )
                del after[leaving]
        for member in wanted.members:
            after[member.name] = _plan_member(draft, member, before.get(member.name))
        coming = [member for member in asked if member not in before]
        if coming:
            mtu = draft.after.get("mtu") or _MTU
            draft.require(lambda: _require_members(draft.kernel, name, coming, mtu))
    shown: dict[str, Any] = dict(describe(found).get("bridge", {}))
    shown |= wanted.parameters
    if wanted.filter is not None and (found is None or found.filter is not None):
        shown["filter"] = wanted.filter
    shown["members"] = [_described(member) for member in after.values()]
    draft.after["bridge"] = shown


def _plan_filter(draft: Draft, wanted: bool, found: Bridge | None) -> None:
    if found is not None and found.filter is None:
        raise OptionError("bridge", "filter: the kernel was built without the filter for bridges (BRIDGE_IPF)")
    draft.add(
        f"{'send' if wanted else 'do not send'} the packets on {draft.name} through the packet filter",
        lambda: draft.kernel.interfaces.set_bridge_filter(draft.name, wanted),
    )


def _plan_member(draft: Draft, wanted: WantedMember, found: BridgeMember | None) -> BridgeMember:
    interfaces, name = draft.kernel.interfaces, draft.name
    if found is None:
        draft.add(f"join {wanted.name} to {name}", lambda: interfaces.add_bridge_member(name, wanted.name))
    before = found or _NEW
    goal = wanted.of(before)
    told = [
        f"{'' if goal.flags & flag else '-'}{option}"
        for option, flag in _FLAGS.items()
        if (goal.flags ^ before.flags) & flag
    ]
    told += [
        f"{option} {getattr(goal, option)}" for option in _NUMBERS if getattr(goal, option) != getattr(before, option)
    ]
    if told:
        draft.add(
            f"set {', '.join(told)} for {wanted.name} in {name}", lambda: interfaces.set_bridge_member(name, goal)
        )
    return goal


def _require_members(kernel: Kernel, name: str, members: list[str], mtu: int) -> None:
    """What the kernel asks of a member, and says less clearly: that it exists, is in no other bridge, has its MTU."""
    there = {interface.name: interface for interface in kernel.interfaces.all()}
    for member in members:
        about = {"call": "BRDGADD", "object": f"{name} {member}"}
        if member not in there:
            raise OptionError("bridge", f"there is no interface {member}: make it first", **about, errno="ENOENT")
        bridges = [other for other in there if other.startswith("bridge") and other != name]
        for other in bridges:
            if any(one.name == member for one in kernel.interfaces.bridge_members(other)):
                raise OptionError(
                    "bridge", f"{member} is a member of {other}: take it out there first", **about, errno="EBUSY"
                )
        if there[member].mtu != mtu:
            raise OptionError(
                "bridge",
                f"{member} has the mtu {there[member].mtu}, and {name} {mtu}: give both the same",
                **about,
                errno="EINVAL",
            )
        if not there[member].link_address:
            raise OptionError("bridge", f"{member} is no Ethernet: a bridge joins only these", **about, errno="EINVAL")
