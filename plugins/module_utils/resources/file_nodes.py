# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pipes and devices: what a kernel's mkfifo and mknod make, and which number a device has.

A rump kernel has no sysctl kern.drivers, which NetBSD's own programs look a driver's numbers up in. What it has are
the nodes that it makes in /dev for its drivers as it starts: vnd0a, rvnd0a, null. A driver's number is read from them.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..sysproxy import Kernel
from ..sysproxy.kernel.files import major, makedev, minor
from .failures import OptionError

_TYPES: Final = {"fifo": stat.S_IFIFO, "char": stat.S_IFCHR, "block": stat.S_IFBLK}
_DEVICES: Final = ("char", "block")
_LARGEST_MAJOR: Final = 0xFFF  # makedev(3)
_LARGEST_MINOR: Final = 0xFFFFF
_DEVICE_FOLDER: Final = "/dev"


@dataclass(frozen=True)
class Node:
    """What is to be at a path: its state, its type in st_mode (0 for what is no node), and a device's number.

    Without a number, a device that is there keeps its own.
    """

    state: str
    type: int = 0
    device: int | None = None

    @classmethod
    def parse(cls, kernel: Kernel, parameters: Mapping[str, Any], state: str) -> Node:
        """From the options ``major``, ``minor`` and ``driver``.

        :raises OptionError: they do not fit the state, or the kernel has no such driver.
        """
        if state not in _DEVICES:
            for option in ("major", "minor", "driver"):
                if parameters.get(option) is not None:
                    raise OptionError(option, f"goes with the states 'char' and 'block', not with {state!r}")
            return cls(state, _TYPES.get(state, 0))
        unit, number, driver = (parameters.get(option) for option in ("minor", "major", "driver"))
        if unit is None and number is None and driver is None:
            return cls(state, _TYPES[state])
        if unit is None:
            raise OptionError("minor", "is required with 'major' and 'driver'")
        if number is not None:
            _check("major", number, _LARGEST_MAJOR)
        elif driver is not None:
            number = _major_of(kernel, driver, state)
        else:
            raise OptionError("major", "is required with 'minor', or else 'driver'")
        _check("minor", unit, _LARGEST_MINOR)
        return cls(state, _TYPES[state], makedev(number, unit))

    @property
    def text(self) -> str:
        if self.state == "fifo":
            return "pipe"
        kind = "character" if self.state == "char" else "block"
        return f"{kind} device {number_text(self.device or 0)}"

    @property
    def call(self) -> str:
        """The system call that makes it."""
        return "mkfifo" if self.state == "fifo" else "mknod"

    def is_at(self, found: os.stat_result) -> bool:
        """Whether a node of the same type is the same device."""
        return self.state not in _DEVICES or self.device in (None, found.st_rdev)

    def make(self, kernel: Kernel, path: str, mode: int) -> None:
        """Make it; ``mode`` are permission bits."""
        if self.state == "fifo":
            kernel.mkfifo(path, mode)
        else:
            kernel.mknod(path, self.type | mode, self.device or 0)


def number_text(device: int) -> str:
    """A device's number as ls shows it: ``14,8``."""
    return f"{major(device)},{minor(device)}"


def _check(option: str, number: int, most: int) -> None:
    if not 0 <= number <= most:
        raise OptionError(option, f"give a number from 0 to {most}, not {number}")


def _major_of(kernel: Kernel, driver: str, state: str) -> int:
    """The major number of a driver, from the kernel's own nodes for it.

    :raises OptionError: there are none.
    """
    # Units and partitions are numbers and letters after the driver's name, character devices of disks begin with r.
    pattern = re.compile(rf"{'r?' if state == 'char' else ''}{re.escape(driver)}(\d+[a-z]?)?")
    if kernel.isdir(_DEVICE_FOLDER):
        for entry in kernel.scandir(_DEVICE_FOLDER):
            if pattern.fullmatch(entry.name):
                found = kernel.lstat(entry.path)
                if stat.S_IFMT(found.st_mode) == _TYPES[state]:
                    return major(found.st_rdev)
    kind = "character" if state == "char" else "block"
    raise OptionError(
        "driver",
        f"the kernel has no {kind} device of a driver {driver!r} in {_DEVICE_FOLDER}: start the server with the "
        f"component that has it (such as rumpdev_{driver}), or give the number as major",
    )
