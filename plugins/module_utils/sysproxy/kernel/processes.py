# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The session's own process: identity, credentials, limits, working directory, root, umask."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final

from ..netbsd.constants import RLIMIT
from .base import Base, StrPath, id_argument, id_or_unchanged, path_bytes

RLIM_INFINITY: Final = 0x7FFFFFFFFFFFFFFF
"""A limit that is none (sys/resource.h)."""
_MOST_GROUPS: Final = 16  # NGROUPS_MAX of sys/syslimits.h
_LOGIN_SIZE: Final = 17  # MAXLOGNAME of sys/param.h


class Processes(Base):
    """What ``os`` says of the process that the session is in the kernel, and ``resource`` of its limits.

    All of it is the session's alone, and ends with it. A new session is root's, at ``/``.
    """

    def getpid(self) -> int:
        return self.call("getpid")[0]

    def getppid(self) -> int:
        return self.call("getppid")[0]

    def getpgid(self, pid: int) -> int:
        """The process group of a process; 0 stands for the session's own."""
        return self.call("getpgid", pid)[0]

    def getpgrp(self) -> int:
        return self.call("getpgrp")[0]

    def getsid(self, pid: int) -> int:
        return self.call("getsid", pid)[0]

    def setsid(self) -> None:
        self.call("setsid")

    # Credentials

    def getuid(self) -> int:
        return self.call("getuid")[0] & 0xFFFFFFFF

    def geteuid(self) -> int:
        return self.call("geteuid")[0] & 0xFFFFFFFF

    def getgid(self) -> int:
        return self.call("getgid")[0] & 0xFFFFFFFF

    def getegid(self) -> int:
        return self.call("getegid")[0] & 0xFFFFFFFF

    def setuid(self, uid: int) -> None:
        """Become another user for good; :meth:`seteuid` for a while."""
        self.call("setuid", id_argument(uid))

    def seteuid(self, euid: int) -> None:
        self.call("seteuid", id_argument(euid))

    def setreuid(self, ruid: int, euid: int) -> None:
        """-1 leaves an id as it is."""
        self.call("setreuid", id_or_unchanged(ruid), id_or_unchanged(euid))

    def setgid(self, gid: int) -> None:
        self.call("setgid", id_argument(gid))

    def setegid(self, egid: int) -> None:
        self.call("setegid", id_argument(egid))

    def setregid(self, rgid: int, egid: int) -> None:
        self.call("setregid", id_or_unchanged(rgid), id_or_unchanged(egid))

    def getgroups(self) -> list[int]:
        """The supplementary groups."""
        buffer = bytearray(self.abi.integers("uint32", *[0] * _MOST_GROUPS))
        count = self.number_call(_MOST_GROUPS, "getgroups", _MOST_GROUPS, buffer)
        return [self.abi.read_integer("uint32", buffer[at : at + 4]) for at in range(0, 4 * count, 4)]

    def setgroups(self, groups: Iterable[int]) -> None:
        """Set the supplementary groups, 16 at most."""
        wanted = [id_argument(group) for group in groups]
        self.call("setgroups", len(wanted), self.abi.integers("uint32", *wanted))

    def getlogin(self) -> str:
        """The login name, which is empty in a session that did not set one."""
        buffer = bytearray(_LOGIN_SIZE)
        self.call("__getlogin", buffer, len(buffer))
        return os.fsdecode(bytes(buffer).split(b"\0")[0])

    def setlogin(self, name: str) -> None:
        """The login name of the session's process; of all sessions, as they share their process group."""
        self.call("__setlogin", path_bytes(name))

    # Limits

    def getrlimit(self, resource: RLIMIT) -> tuple[int, int]:
        """The soft and the hard limit; :data:`RLIM_INFINITY` where there is none. As ``resource.getrlimit``, with
        NetBSD's numbers for the resources."""
        layout = self.abi.struct("rlimit")
        buffer = bytearray(layout.size)
        self.call("getrlimit", resource, buffer, subject=_resource(resource))
        found = layout.parse(buffer)
        return found.rlim_cur, found.rlim_max

    def setrlimit(self, resource: RLIMIT, limits: Sequence[int]) -> None:
        """Set the soft and the hard limit."""
        soft, hard = limits
        data = self.abi.struct("rlimit").build(rlim_cur=soft, rlim_max=hard)
        self.call("setrlimit", resource, data, subject=_resource(resource))

    # Where relative paths start, and the rest

    def umask(self, mask: int) -> int:
        """The former umask."""
        return self.call("umask", mask)[0]

    def chdir(self, path: StrPath) -> None:
        self.path_call("chdir", path)

    def fchdir(self, fd: int) -> None:
        self.call("fchdir", fd)

    def chroot(self, path: StrPath) -> None:
        """Make ``path`` the session's root. There is no way back but a new session."""
        self.path_call("chroot", path)

    def getcwd(self) -> str:
        buffer = bytearray(1024)
        self.call("__getcwd", buffer, len(buffer))
        return os.fsdecode(bytes(buffer).split(b"\0")[0])


def _resource(resource: int) -> str:
    return resource.name if isinstance(resource, RLIMIT) else str(resource)
