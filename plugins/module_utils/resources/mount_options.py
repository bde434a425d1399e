# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mount options by their names in mount(8): flags that all file systems know, and the arguments of tmpfs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..sysproxy.netbsd.constants import MNT
from .failures import OptionError
from .users import Users, parse_id

# include/mntopts.h: options that set a flag; with "no" before it, an option clears it.
_SETS: Final = {
    "async": MNT.ASYNC,
    "discard": MNT.DISCARD,
    "extattr": MNT.EXTATTR,
    "hidden": MNT.IGNORE,
    "log": MNT.LOG,
    "rdonly": MNT.RDONLY,
    "relatime": MNT.RELATIME,
    "ro": MNT.RDONLY,
    "softdep": MNT.SOFTDEP,
    "symperm": MNT.SYMPERM,
    "sync": MNT.SYNCHRONOUS,
    "union": MNT.UNION,
}
# Options that clear a flag; with "no" before it, an option sets it.
_CLEARS: Final = {
    "atime": MNT.NOATIME,
    "coredump": MNT.NOCOREDUMP,
    "dev": MNT.NODEV,
    "devmtime": MNT.NODEVMTIME,
    "exec": MNT.NOEXEC,
    "rw": MNT.RDONLY,
    "suid": MNT.NOSUID,
}
NAMES: Final[dict[MNT, str]] = {
    **{flag: name for name, flag in _SETS.items() if name != "rdonly"},
    **{flag: f"no{name}" for name, flag in _CLEARS.items() if name != "rw"},
}
"""Every flag that can be asked for, by the name of the option that sets it."""

UNSEEN: Final = MNT.RELATIME
"""Flags that the kernel does not show (sys/fstypes.h, MNT_VISFLAGMASK)."""

SEEN: Final = MNT(sum(NAMES)) & ~UNSEEN
"""Flags that can be asked for and read back."""

_OPERATIONS: Final = {
    "force": "use the option force of this module",
    "getargs": "the module returns the arguments that are in force",
    "reload": "it is nothing that lasts",
    "update": "use state: mounted with the options that are wanted",
}
TMPFS_OPTIONS: Final = ("size", "nodes", "mode", "uid", "gid")
# mount_tmpfs(8) has letters for them, which an fstab gives as -s=8m.
_TMPFS_LETTERS: Final = {"-s": "size", "-n": "nodes", "-m": "mode", "-u": "uid", "-g": "gid"}
_UNITS: Final = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_PAGE: Final = 4096


@dataclass(frozen=True)
class MountOptions:
    """What is asked for: all flags that are to be set, and arguments of the file system (``size`` in bytes)."""

    flags: MNT
    arguments: dict[str, int]


def parse(fstype: str, options: Sequence[str], users: Users) -> MountOptions:
    """Options by name, the last one of a contradiction counting, as in mount(8).

    :raises OptionError: an option has no meaning for the file system.
    """
    flags = MNT(0)
    arguments: dict[str, int] = {}
    for option in (name.strip() for name in options):
        name, equals, value = option.partition("=")
        if equals and fstype == "tmpfs":
            name = _TMPFS_LETTERS.get(name, name)
            arguments[name] = _tmpfs_argument(name, value, users)
        elif equals:
            known = f"{', '.join(TMPFS_OPTIONS)} of tmpfs"
            raise OptionError("opts", f"{option!r} means nothing to {fstype}: options with a value are {known}")
        elif option not in ("", "defaults"):
            flag, sets = _flag(option)
            flags = flags | flag if sets else flags & ~flag
    return MountOptions(flags, arguments)


def names(flags: MNT) -> list[str]:
    """The options that give these flags: ``ro`` or ``rw``, then all others."""
    return ["ro" if flags & MNT.RDONLY else "rw"] + [
        name for flag, name in NAMES.items() if flags & flag and flag != MNT.RDONLY
    ]


def _flag(option: str) -> tuple[MNT, bool]:
    if option in _SETS:
        return _SETS[option], True
    if option in _CLEARS:
        return _CLEARS[option], False
    positive = option.removeprefix("no")
    if positive != option and positive in _SETS:
        return _SETS[positive], False
    if positive != option and positive in _CLEARS:
        return _CLEARS[positive], True
    if option in _OPERATIONS:
        raise OptionError("opts", f"{option!r} is not an option of a mount point: {_OPERATIONS[option]}")
    if option in TMPFS_OPTIONS:
        raise OptionError("opts", f"{option!r} needs a value, as in {option}=NUMBER")
    known = ", ".join(sorted({"defaults", *_SETS, *_CLEARS, *(f"no{name}" for name in _CLEARS if name != "rw")}))
    raise OptionError("opts", f"{option!r} is unknown; known are {known}, and for tmpfs {', '.join(TMPFS_OPTIONS)}")


def _tmpfs_argument(name: str, value: str, users: Users) -> int:
    if name == "size":
        return parse_size(value)
    if name in ("uid", "gid"):
        return parse_id(f"opts: {name}", value, users.uid if name == "uid" else users.gid)
    if name not in TMPFS_OPTIONS:
        raise OptionError("opts", f"tmpfs has no option {name!r}; those with a value are {', '.join(TMPFS_OPTIONS)}")
    try:
        number = int(value, 8 if name == "mode" else 10)
    except ValueError:
        kind = "octal digits" if name == "mode" else "a number"
        raise OptionError("opts", f"{name}: give {kind}, not {value!r}") from None
    lowest, highest = {"nodes": (4, 0x7FFFFFFF), "mode": (0, 0o7777)}[name]
    if not lowest <= number <= highest:
        limits = f"{lowest:o} to {highest:o}" if name == "mode" else f"{lowest} to {highest}"
        raise OptionError("opts", f"{name}: give {limits}, not {value}")
    return number


def parse_size(text: str) -> int:
    """A size in bytes: a number, with k, m, g or t for powers of 1024; 0 is no limit.

    :raises OptionError: it is none, or less than a page, which the kernel would take for no limit.
    """
    match = re.fullmatch(r"(\d+)([kmgt]?)b?", text.lower())
    if not match:
        more = ", not a part of the memory" if text.endswith("%") else ""
        raise OptionError("opts", f"size: give bytes, or a number with k, m, g or t{more}, not {text!r}")
    size = int(match[1]) << _UNITS[match[2]]
    if 0 < size < _PAGE or size >= 1 << 63:
        raise OptionError("opts", f"size: give at least a page, {_PAGE} bytes, or 0 for no limit, not {text!r}")
    return size
