# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel as a whole: its name, its sysctl tree, ioctls, and its end."""

from __future__ import annotations

import contextlib
import os
import time
from functools import cached_property
from typing import Final

from ..errors import CallTimeout, ConnectionLost
from ..netbsd.constants import RB
from ..netbsd.ioctls import IOC_IN, IOC_OUT, IOC_VOID, IOCPARM_MASK, IOCPARM_SHIFT
from .base import Base
from .sysctl import Sysctl

_UNAME: Final = ("kern.ostype", "kern.hostname", "kern.osrelease", "kern.version", "hw.machine")
_HALT_PAUSE: Final = 0.01
_SILENCE: Final = 2.0  # seconds
_ALIGNMENTS: Final = (0, 1, 3, 7, 15)


class System(Base):
    """What ``os`` and ``fcntl`` say of the system, and the way to end it."""

    @cached_property
    def sysctl(self) -> Sysctl:
        return Sysctl(self)

    def uname(self) -> os.uname_result:
        """As ``os.uname``; read from sysctl, as uname(3) does."""
        return os.uname_result([str(self.sysctl.get(name)).replace("\n", " ").strip() for name in _UNAME])

    @cached_property
    def alignbytes(self) -> int:
        """The mask of the machine's coarsest alignment (sysctl hw.alignbytes): 7 for 8 bytes."""
        mask = self.sysctl.get("hw.alignbytes")
        if mask not in _ALIGNMENTS:
            raise self.broken(f"sysctl hw.alignbytes is said to be {mask!r}")
        return int(mask)

    def ioctl(self, fd: int, request: str | int, argument: int | bytes | bytearray = 0) -> int | bytes:
        """ioctl(2) in the shape of ``fcntl.ioctl``. ``request`` is a name that is known, or a code of the kernel's.

        A ``bytearray`` is the request's structure and holds afterwards what the kernel wrote; the result is the
        call's number. ``bytes`` are copied, and the result is what the kernel made of them. A number goes to
        requests that have no structure.

        :raises KeyError: no ioctl of that name is known.
        :raises ValueError: the argument is not as large as the request's structure is.
        """
        code = self.abi.ioctl(request) if isinstance(request, str) else request
        name = request if isinstance(request, str) else self.abi.ioctl_name(code) or f"ioctl {code:#x}"
        size = code >> IOCPARM_SHIFT & IOCPARM_MASK
        if isinstance(argument, int):
            if size and code & (IOC_IN | IOC_OUT):
                raise ValueError(f"{name} takes a structure of {size} bytes, not a number")
            return self._ioctl(fd, code, argument, name)
        if len(argument) < size or not size or code & (IOC_IN | IOC_OUT | IOC_VOID) == IOC_VOID:
            raise ValueError(f"{name} takes a structure of {size} bytes, not one of {len(argument)}")
        if isinstance(argument, bytearray):
            return self._ioctl(fd, code, argument, name)
        buffer = bytearray(argument)
        self._ioctl(fd, code, buffer, name)
        return bytes(buffer)

    def _ioctl(self, fd: int, code: int, argument: int | bytearray, name: str) -> int:
        return self.call("ioctl", fd, code, argument, label=name, subject=str(fd))[0]

    def halt(self, *, sync: bool = True) -> None:
        """End the kernel: it writes what waits to be written, unmounts, and goes; its socket's file goes with it.

        The session ends with it. ``sync=False`` leaves out the writing. A rump kernel cannot start itself again, so
        there is no other reboot.

        :raises KernelError: EPERM, the session's user is not root.
        :raises CallTimeout: it did not end within the session's time limit.
        """
        deadline = time.monotonic() + self.session.timeout
        with contextlib.suppress(ConnectionLost):
            self.call("reboot", 0 if sync else RB.NOSYNC, None)
            # It answers before it goes: gone it is when nothing answers.
            while time.monotonic() < deadline:
                if not self._answers():
                    break
                time.sleep(_HALT_PAUSE)
            else:
                raise CallTimeout(f"{self.session.url}: the kernel took the call to halt, and goes on")
        self.session.close()

    def _answers(self) -> bool:
        """Whether a kernel says something that may have halted: over its own network stack it only falls silent.

        :raises ConnectionLost: its server went away.
        """
        try:
            self.session.call("getpid", subject="of the kernel that is to halt", timeout=_SILENCE)
        except CallTimeout:
            return False
        return True
