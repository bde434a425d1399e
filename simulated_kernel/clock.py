# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's clocks: the wall clock, which a client may set, and the time since boot."""

from __future__ import annotations

import time

NANOSECONDS = 1_000_000_000


class Clock:
    """Times in nanoseconds, as integers."""

    def __init__(self) -> None:
        self._offset = 0
        self._booted = time.monotonic_ns()
        self.boot_time = self.now()

    def now(self) -> int:
        """The wall clock: nanoseconds since 1970."""
        return time.time_ns() + self._offset

    def set(self, nanoseconds: int) -> None:
        """Set the wall clock (clock_settime)."""
        self._offset = nanoseconds - time.time_ns()

    def uptime(self) -> int:
        """Nanoseconds since the kernel started, which no one can set."""
        return time.monotonic_ns() - self._booted
