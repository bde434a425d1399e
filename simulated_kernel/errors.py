# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a part of the simulated kernel refuses a system call."""

from __future__ import annotations

from .rooms import Errno


class SyscallError(Exception):
    """A system call ends with an errno of NetBSD's (sys/errno.h)."""

    def __init__(self, errno: Errno) -> None:
        super().__init__(errno.name)
        self.errno = errno


def refuse(name: str) -> SyscallError:
    """The error for an errno's name: ``raise refuse("ENOENT")``."""
    return SyscallError(Errno[name])
