# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Advisory locks of files: those of flock(2), which an open file has, and those of fcntl(2), which a process has.

Both are of one kind and exclude each other (sys/kern/vfs_lockf.c).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

END = (1 << 63) - 1
"""The last byte that a lock can cover: a lock without a length goes to here."""


@dataclass(frozen=True)
class Lock:
    """A locked range, ``start`` to ``end`` inclusive."""

    owner: object
    """A process's pid, or the open file of a flock."""
    exclusive: bool
    start: int = 0
    end: int = END

    @property
    def pid(self) -> int:
        """l_pid: -1 for a flock's."""
        return self.owner if isinstance(self.owner, int) else -1

    def conflicts(self, other: Lock) -> bool:
        overlap = self.start <= other.end and other.start <= self.end
        return overlap and self.owner != other.owner and (self.exclusive or other.exclusive)


class LockList:
    """The locks of one node."""

    def __init__(self) -> None:
        self._locks: list[Lock] = []
        self._changed = asyncio.Event()

    def blocking(self, wanted: Lock) -> Lock | None:
        """The first lock that stands in the way."""
        return next((lock for lock in self._locks if lock.conflicts(wanted)), None)

    async def take(self, wanted: Lock, wait: bool) -> bool:
        """Take a lock in the place of the owner's own ones there; whether it was got."""
        while self.blocking(wanted) is not None:
            if not wait:
                return False
            self._changed.clear()
            await self._changed.wait()
        self._cut(wanted)
        self._locks.append(wanted)
        # A lock that became weaker may let others in.
        self._changed.set()
        return True

    def release(self, owner: object, start: int = 0, end: int = END) -> None:
        self._cut(Lock(owner, False, start, end))
        self._changed.set()

    def _cut(self, wanted: Lock) -> None:
        """Take a range out of the owner's locks."""
        kept: list[Lock] = []
        for lock in self._locks:
            if lock.owner != wanted.owner or lock.end < wanted.start or wanted.end < lock.start:
                kept.append(lock)
                continue
            if lock.start < wanted.start:
                kept.append(replace(lock, end=wanted.start - 1))
            if wanted.end < lock.end:
                kept.append(replace(lock, start=wanted.end + 1))
        self._locks = kept
