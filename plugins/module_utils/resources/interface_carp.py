# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The carp interface that rump_ifconfig asks for: addresses that a group of hosts shares."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ..sysproxy import Kernel
from ..sysproxy.kernel.carp import KEY_SIZE, Carp, CarpState
from ..sysproxy.netbsd.constants import IFF
from .failures import OptionError
from .interface_state import Draft
from .internet import parse_interface

_NEW: Final = Carp(CarpState.INIT, "", -1, 1, 0)
"""What the kernel makes of a new one."""
ANOTHER: Final = "another"
"""What is said, in a diff, of a secret in the place of which another one comes."""
_RANGES: Final = {"vhid": (1, 255), "advbase": (0, 255), "advskew": (0, 254)}


@dataclass(frozen=True)
class WantedCarp:
    """The options in their normal form. None stands for what is left as it is."""

    vhid: int | None = None
    advbase: int | None = None
    advskew: int | None = None
    device: str | None = None
    """Empty: on none."""
    key: bytes | None = field(default=None, repr=False)
    state: CarpState | None = None


def normalize(parameters: Mapping[str, Any], cloner: str) -> WantedCarp | None:
    """Check the options without a kernel.

    :raises OptionError: one is wrong.
    """
    given = parameters.get("carp")
    if cloner == "carp" and parameters.get("lladdr") is not None:
        raise OptionError("lladdr", "that of a carp interface follows from its vhid")
    if given is None:
        return None
    if cloner != "carp":
        raise OptionError("carp", "it is for interfaces of the kind carp, such as carp0")
    for name, (low, high) in _RANGES.items():
        if given.get(name) is not None and not low <= given[name] <= high:
            raise OptionError("carp", f"{name} {given[name]} is out of range: give {low} to {high}")
    device, key = given.get("carpdev"), given.get("pass")
    if device:
        parse_interface("carp", device)
        if device.rstrip("0123456789") == "carp":
            raise OptionError("carp", f"carpdev {device} is a carp interface itself, and cannot have another one on it")
    if key is not None and len(os.fsencode(key)) > KEY_SIZE:
        raise OptionError("carp", f"pass has more than {KEY_SIZE} bytes")
    return WantedCarp(
        given.get("vhid"),
        given.get("advbase"),
        given.get("advskew"),
        device,
        None if key is None else os.fsencode(key).ljust(KEY_SIZE, b"\0"),
        CarpState[given["state"]] if given.get("state") else None,
    )


def describe(found: Carp) -> dict[str, Any]:
    """In the module's terms; the key that the hosts share is not shown."""
    return {
        "carp": {
            "state": found.state.name,
            "vhid": found.vhid if found.vhid > 0 else None,
            "advbase": found.advbase,
            "advskew": found.advskew,
            "carpdev": found.device or None,
            "has_pass": any(found.key),
        }
    }


def foretold() -> dict[str, Any]:
    """What can be said of one that is yet to be made."""
    return describe(_NEW)


def plan(draft: Draft, wanted: WantedCarp, found: Carp | None) -> None:
    """What is to be so before the addresses, which the kernel takes for the group."""
    base, name = found or _NEW, draft.name
    goal = Carp(
        CarpState.INIT,
        base.device if wanted.device is None else wanted.device,
        wanted.vhid or base.vhid,
        base.advbase if wanted.advbase is None else wanted.advbase,
        base.advskew if wanted.advskew is None else wanted.advskew,
        base.key if wanted.key is None else wanted.key,
    )
    if goal.vhid <= 0:
        raise OptionError("carp", f"{name} has no vhid: give the number of its group, 1 to 255")
    if not goal.advbase and not goal.advskew:
        raise OptionError("carp", "advbase and advskew are both 0, which the kernel does not heed")
    if goal == replace(base, state=CarpState.INIT):
        return
    changed = {
        f"vhid {goal.vhid}": goal.vhid != base.vhid,
        f"advbase {goal.advbase}": goal.advbase != base.advbase,
        f"advskew {goal.advskew}": goal.advskew != base.advskew,
        "pass": goal.key != base.key,
        f"carpdev {goal.device or 'none'}": goal.device != base.device,
    }
    # A vhid that is given, even the same one, would make a master a backup.
    request = replace(goal, vhid=goal.vhid if goal.vhid != base.vhid else 0)
    draft.require(lambda: _require_place(draft.kernel, name, goal))
    draft.add(
        f"set {', '.join(text for text, is_changed in changed.items() if is_changed)} of {name}",
        lambda: draft.kernel.interfaces.set_carp(name, request),
    )
    is_same_group = (goal.vhid, goal.device) == (base.vhid, base.device)
    draft.after |= describe(replace(goal, state=base.state if is_same_group else CarpState.INIT))
    if goal.key != base.key and any(goal.key) and any(base.key):
        draft.after["carp"]["pass"] = ANOTHER
    draft.after["lladdr"] = f"00:00:5e:00:01:{goal.vhid:02x}"
    if goal.device != base.device:
        # It goes down with its device, and one with addresses comes up with a new one.
        draft.is_up = False if draft.found is None or not goal.device else None


def _require_place(kernel: Kernel, name: str, goal: Carp) -> None:
    """What the kernel asks of the device and the group, and says less clearly."""
    if not goal.device:
        return
    about = {"call": "SIOCSVH", "object": f"{name} vhid {goal.vhid} carpdev {goal.device}"}
    there = {interface.name: interface for interface in kernel.interfaces.all()}
    if goal.device not in there:
        raise OptionError("carp", f"there is no interface {goal.device}: make it first", **about, errno="EINVAL")
    if not there[goal.device].flags & IFF.MULTICAST:
        raise OptionError(
            "carp", f"{goal.device} cannot send to many at once (MULTICAST)", **about, errno="EADDRNOTAVAIL"
        )
    for other in there:
        if other == name or other.rstrip("0123456789") != "carp":
            continue
        held = kernel.interfaces.carp(other)
        if (held.device, held.vhid) == (goal.device, goal.vhid):
            raise OptionError(
                "carp", f"{other} has the vhid {goal.vhid} on {goal.device} already", **about, errno="EINVAL"
            )


def plan_before_mtu(draft: Draft) -> None:
    """A kernel that is given the MTU of a carp interface that is up crashes: ether_ioctl calls its init, which is none.

    It is brought up again in the end.
    """
    if draft.is_up is False or draft.name.rstrip("0123456789") != "carp":
        return
    interfaces, name = draft.kernel.interfaces, draft.name
    draft.add(
        f"take {name} down to change its mtu", lambda: interfaces.set_flags(name, interfaces.flags(name) & ~IFF.UP)
    )
    if draft.is_up is None:
        draft.made.warnings.append(f"{name} comes down for its new mtu, and stays down unless state is up")
    draft.is_up = False


def plan_state(draft: Draft, wanted: WantedCarp | None, found: Carp | None) -> None:
    """Last of all: master or backup, which the interface is only when it runs.

    The group's other hosts may change it at once: the one that advertises most often is the master.
    """
    if wanted is None or wanted.state is None:
        return
    state, name, interfaces = wanted.state, draft.name, draft.kernel.interfaces
    expected = CarpState[draft.after["carp"]["state"]] if found else CarpState.INIT
    if expected == state:
        return
    if expected == CarpState.INIT and state == CarpState.BACKUP and draft.made.changes:
        # What the kernel makes of one that starts.
        draft.after["carp"] = {**draft.after["carp"], "state": state.name}
        return

    def change() -> None:
        held = interfaces.carp(name)
        if held.state == CarpState.INIT:
            raise OptionError(
                "carp",
                f"{name} does not run, and can be neither master nor backup: it needs an IPv4 address, "
                "to be up, and a carpdev that is up",
            )
        if held.state != state:
            interfaces.set_carp(name, replace(held, state=state, vhid=0))

    draft.add(f"make {name} the {'master' if state == CarpState.MASTER else 'backup'}", change)
    draft.after["carp"] = {**draft.after["carp"], "state": state.name}


def restore(kernel: Kernel, name: str, found: Carp) -> None:
    """Make it what it was, but for its state, which follows. One that had no vhid keeps that which it got."""
    held = kernel.interfaces.carp(name)
    vhid = found.vhid if found.vhid not in (held.vhid, -1) else 0
    if vhid or replace(held, state=found.state, vhid=found.vhid) != found:
        kernel.interfaces.set_carp(name, replace(found, state=CarpState.INIT, vhid=vhid))
