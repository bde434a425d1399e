# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's clocks, in the shape of Python's ``time``."""

from __future__ import annotations

from ..netbsd.constants import CLOCK
from .base import Base


class Clocks(Base):
    """A rump kernel's clocks are its own: setting one leaves its host's alone."""

    def clock_gettime(self, clock: CLOCK = CLOCK.REALTIME) -> float:
        """Seconds; since 1970 for CLOCK.REALTIME, since the kernel's start for CLOCK.MONOTONIC."""
        return self.clock_gettime_ns(clock) / 10**9

    def clock_gettime_ns(self, clock: CLOCK = CLOCK.REALTIME) -> int:
        """The same in nanoseconds."""
        return self._moment("__clock_gettime50", clock)

    def clock_getres(self, clock: CLOCK = CLOCK.REALTIME) -> float:
        """The clock's step in seconds: 0.01 in most rump kernels."""
        return self._moment("__clock_getres50", clock) / 10**9

    def clock_settime(self, clock: CLOCK, time: float) -> None:
        """Set a clock, to seconds since 1970; only CLOCK.REALTIME can be set."""
        self.clock_settime_ns(clock, round(time * 10**9))

    def clock_settime_ns(self, clock: CLOCK, time: int) -> None:
        seconds, nanoseconds = divmod(time, 10**9)
        moment = self.abi.struct("timespec").build(tv_sec=seconds, tv_nsec=nanoseconds)
        self.call("__clock_settime50", clock, moment, subject=CLOCK(clock).name)

    def _moment(self, name: str, clock: CLOCK) -> int:
        layout = self.abi.struct("timespec")
        buffer = bytearray(layout.size)
        self.call(name, clock, buffer, subject=CLOCK(clock).name)
        found = layout.parse(buffer)
        return found.tv_sec * 10**9 + found.tv_nsec
