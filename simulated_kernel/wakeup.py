# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for something to change (condvar(9) and selrecord(9), as far as either is needed)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Wakeup:
    """Wakes all who wait for it. It may be rung where nothing runs that could wait."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    async def wait(self, seconds: float | None = None) -> bool:
        """Whether it rang in time."""
        return await wait_for_any([self], seconds)


async def wait_for_any(wakeups: Iterable[Wakeup], seconds: float | None = None) -> bool:
    """Wait until one of several rings; whether one did in time."""
    future = asyncio.get_running_loop().create_future()
    known = list(wakeups)
    for wakeup in known:
        wakeup._waiters.add(future)
    try:
        await asyncio.wait_for(future, seconds)
    except TimeoutError:
        return False
    finally:
        for wakeup in known:
            wakeup._waiters.discard(future)
    return True
