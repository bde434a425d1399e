# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who and where a module's Python is: the kernel's name, users, process, clock, and an environment of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from time import struct_time
from types import ModuleType
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import CLOCK

_PATH: Final = "/sbin:/usr/sbin:/bin:/usr/bin:/usr/pkg/sbin:/usr/pkg/bin:/usr/local/sbin:/usr/local/bin"


class Identity:
    """The functions of ``os`` about the process and the system, by their names there."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def uname(self) -> os.uname_result:
        return self._kernel.uname()

    def getpid(self) -> int:
        return self._kernel.getpid()

    def getppid(self) -> int:
        return self._kernel.getppid()

    def getpgid(self, pid: int) -> int:
        return self._kernel.getpgid(pid)

    def getpgrp(self) -> int:
        return self._kernel.getpgrp()

    def getsid(self, pid: int, /) -> int:
        return self._kernel.getsid(pid)

    def setsid(self) -> None:
        self._kernel.setsid()

    def getlogin(self) -> str:
        return self._kernel.getlogin()

    def getuid(self) -> int:
        return self._kernel.getuid()

    def geteuid(self) -> int:
        return self._kernel.geteuid()

    def getgid(self) -> int:
        return self._kernel.getgid()

    def getegid(self) -> int:
        return self._kernel.getegid()

    def getgroups(self) -> list[int]:
        return self._kernel.getgroups()

    def setuid(self, uid: int, /) -> None:
        self._kernel.setuid(uid)

    def seteuid(self, euid: int, /) -> None:
        self._kernel.seteuid(euid)

    def setreuid(self, ruid: int, euid: int, /) -> None:
        self._kernel.setreuid(ruid, euid)

    def setgid(self, gid: int, /) -> None:
        self._kernel.setgid(gid)

    def setegid(self, egid: int, /) -> None:
        self._kernel.setegid(egid)

    def setregid(self, rgid: int, egid: int, /) -> None:
        self._kernel.setregid(rgid, egid)

    def setgroups(self, groups: Iterable[int], /) -> None:
        self._kernel.setgroups(groups)

    def umask(self, mask: int, /) -> int:
        return self._kernel.umask(mask)


def environment(home: str, user: str, given: Mapping[str, str]) -> dict[bytes, bytes]:
    """The environment of a module: that of a login in the kernel and the task's own, nothing of the controller's."""
    whole = {"HOME": home, "USER": user, "LOGNAME": user, "PATH": _PATH, "LANG": "C.UTF-8", "SHELL": "/bin/sh", **given}
    return {os.fsencode(name): os.fsencode(str(value)) for name, value in whole.items()}


def time_module(kernel: Kernel) -> ModuleType:
    """``time`` with the kernel's clock for what it is now; to measure and to wait, any clock will do."""
    module = ModuleType("time", time.__doc__)
    module.__dict__.update({name: value for name, value in vars(time).items() if not name.startswith("__")})
    module.__dict__.update(_KernelTime(kernel).functions())
    return module


class _KernelTime:
    """The kernel's clock is asked once; from then on it goes as the controller's does."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._ahead: int | None = None

    def functions(self) -> dict[str, Callable[..., Any]]:
        names = ("time", "time_ns", "clock_gettime", "clock_gettime_ns", "localtime", "gmtime", "ctime", "strftime")
        return {name: getattr(self, name) for name in (*names, "asctime", "clock_settime", "clock_settime_ns")}

    def time_ns(self) -> int:
        if self._ahead is None:
            try:
                self._ahead = round(self._kernel.clock_gettime() * 10**9) - time.time_ns()
            except KernelError:  # NetBSD 6's rump kernels do not tell
                self._ahead = 0
        return time.time_ns() + self._ahead

    def time(self) -> float:
        return self.time_ns() / 10**9

    def clock_gettime(self, clock: int, /) -> float:
        return self.time() if clock == time.CLOCK_REALTIME else time.clock_gettime(clock)

    def clock_gettime_ns(self, clock: int, /) -> int:
        return self.time_ns() if clock == time.CLOCK_REALTIME else time.clock_gettime_ns(clock)

    def clock_settime(self, clock: int, seconds: float, /) -> None:
        self._kernel.clock_settime(CLOCK.REALTIME, seconds)
        self._ahead = None

    def clock_settime_ns(self, clock: int, nanoseconds: int, /) -> None:
        self.clock_settime(clock, nanoseconds / 10**9)

    def localtime(self, seconds: float | None = None, /) -> struct_time:
        return time.localtime(self.time() if seconds is None else seconds)

    def gmtime(self, seconds: float | None = None, /) -> struct_time:
        return time.gmtime(self.time() if seconds is None else seconds)

    def ctime(self, seconds: float | None = None, /) -> str:
        return time.ctime(self.time() if seconds is None else seconds)

    def asctime(self, moment: Any = None, /) -> str:
        return time.asctime(self.localtime() if moment is None else moment)

    def strftime(self, form: str, moment: Any = None, /) -> str:
        return time.strftime(form, self.localtime() if moment is None else moment)
