# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module of Ansible's is told when it reaches for something that a rump kernel has not."""

from __future__ import annotations

import errno
import os
from typing import Final

_INSTEAD: Final = {
    "ifconfig": "rumpkernel.rump.rump_ifconfig",
    "sysctl": "rumpkernel.rump.rump_sysctl",
    "mount": "rumpkernel.rump.rump_mount",
    "umount": "rumpkernel.rump.rump_mount",
}
_RUMPCTRL: Final = (
    "rumpkernel.rump.rump_command (or raw) runs rumpctrl's utilities, where the controller has them, and the "
    "collection's own modules (rump_file, rump_copy, rump_ifconfig, rump_mount, rump_sysctl, …) need no program"
)


class Refused(OSError):
    """A function of the system's that is not redirected: it is not done at all, and not on the controller.

    As from a kernel that does not serve the call, its errno is ENOSYS.
    """

    def __init__(self, what: str, why: str = "is not redirected to the rump kernel") -> None:
        super().__init__(errno.ENOSYS, f"{what} {why}, and nothing of the kind is done on the controller")

    def __str__(self) -> str:
        return str(self.strerror)


class NoProgram(FileNotFoundError):
    """A program was to be started: there are none in a rump kernel."""

    def __init__(self, program: object) -> None:
        name = os.fsdecode(program) if isinstance(program, (str, bytes, os.PathLike)) else str(program)
        super().__init__(errno.ENOENT, no_program(name))

    def __str__(self) -> str:
        return str(self.strerror)


class ControllerTouched(RuntimeError):
    """The guard's refusal of something that was about to happen on the controller.

    The redirection has a hole there, or the module goes past Python's own ways on purpose.
    """


def no_program(name: str) -> str:
    """Why ``name`` cannot be started, and what there is instead."""
    module = _INSTEAD.get(os.path.basename(name))
    better = f"use {module}; " if module else ""
    return f"{name!r} cannot be started, as a rump kernel has no programs and no shell: {better}{_RUMPCTRL}"


_INSTEAD_OF_MODULES: Final = {
    "hostname": "rumpkernel.rump.rump_sysctl (name: kern.hostname)",
    "unarchive": "rumpkernel.rump.rump_unarchive",
}


def module_needs_programs(name: str) -> str:
    """Why the module ``name`` is not run, and what there is instead."""
    better = f"use {_INSTEAD_OF_MODULES[name]}; " if name in _INSTEAD_OF_MODULES else ""
    return (
        f"this module starts programs on its host, and a rump kernel has no programs and no shell: {better}{_RUMPCTRL}"
    )
