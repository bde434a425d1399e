# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""poll(2) in the shape of Python's ``select.poll``."""

from __future__ import annotations

import time
from typing import Final, Protocol

from ..netbsd.constants import POLL
from .base import LARGEST_DESCRIPTOR, Base

_LONGEST_WAIT: Final = 5.0  # seconds that one call waits, so that none comes near the session's limit
_MOST_DESCRIPTORS: Final = 1000


class HasDescriptor(Protocol):
    """A socket of the kernel's, or whatever else knows its descriptor."""

    def fileno(self) -> int: ...


class Poll:
    """Waits for descriptors of the kernel's. Made by :meth:`Polling.poll`."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._wanted: dict[int, int] = {}

    def register(self, fd: int | HasDescriptor, eventmask: int = POLL.IN | POLL.PRI | POLL.OUT) -> None:
        """Wait for a descriptor too, or for other events of it. ``select.POLLIN`` and so on are the same numbers."""
        number = _descriptor(fd)
        if number not in self._wanted and len(self._wanted) >= _MOST_DESCRIPTORS:
            raise ValueError(f"{_MOST_DESCRIPTORS} descriptors at most can be waited for")
        self._wanted[number] = int(eventmask)

    def modify(self, fd: int | HasDescriptor, eventmask: int) -> None:
        """:raises KeyError: the descriptor is not registered."""
        self._wanted[_known(fd, self._wanted)] = int(eventmask)

    def unregister(self, fd: int | HasDescriptor) -> None:
        """:raises KeyError: the descriptor is not registered."""
        del self._wanted[_known(fd, self._wanted)]

    def poll(self, timeout: float | None = None) -> list[tuple[int, POLL]]:
        """The descriptors that have events, with these, once there are some or ``timeout`` milliseconds are over.

        None, or a negative number, waits for ever. A wait that is longer than a call may take is several calls.
        """
        deadline = None if timeout is None or timeout < 0 else time.monotonic() + timeout / 1000
        longest = min(_LONGEST_WAIT, self._base.session.timeout / 2)
        while True:
            wait = longest if deadline is None else min(longest, max(0.0, deadline - time.monotonic()))
            if found := self._once(wait):
                return found
            if deadline is not None and time.monotonic() >= deadline:
                return []

    def _once(self, seconds: float) -> list[tuple[int, POLL]]:
        layout = self._base.abi.struct("pollfd")
        wanted = b"".join(layout.build(fd=fd, events=events) for fd, events in self._wanted.items())
        buffer = bytearray(wanted)
        count = len(self._wanted)
        # Rounded up, so that what is left of a wait does not become many calls that wait for nothing.
        ready = self._base.number_call(count, "poll", buffer or None, count, int(seconds * 1000 + 0.999))
        if not ready:
            return []
        entries = (layout.parse(buffer, at) for at in range(0, len(buffer), layout.size))
        found = [
            (fd, POLL(entry.revents & 0xFFFF)) for fd, entry in zip(self._wanted, entries, strict=True) if entry.revents
        ]
        if not found:
            raise self._base.broken(f"poll ended with {ready}, and no descriptor has an event")
        return found


class Polling(Base):
    """Waiting for descriptors."""

    def poll(self) -> Poll:
        """A new object to register descriptors with, as ``select.poll()`` makes one."""
        return Poll(self)


def _descriptor(fd: int | HasDescriptor) -> int:
    number = fd if isinstance(fd, int) else fd.fileno()
    if not 0 <= number <= LARGEST_DESCRIPTOR:
        raise ValueError(f"{number} is no descriptor")
    return number


def _known(fd: int | HasDescriptor, wanted: dict[int, int]) -> int:
    number = _descriptor(fd)
    if number not in wanted:
        raise KeyError(number)
    return number
