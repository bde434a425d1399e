# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Misbehaviour on demand: what a broken, slow or hostile server does.

A fault is written as ``ACTION[,KEY=VALUE]…``:

``cut``             end the connection instead of sending a frame
``stall``           send nothing more, and keep the connection open
``length``          announce the length ``value`` in a frame's header instead of the true one
``garbage``         send ``value`` random bytes instead of a frame
``foreign-copyin``  before a call is served, ask for ``value`` (64) bytes at an address that is not the call's
``foreign-copyout`` before a call is served, write ``value`` (64) bytes to such an address
``delay``           wait ``seconds`` before each frame
``banner``          greet with ``text`` instead of the banner
``no-banner``       close a new connection at once, as a server does that has too many clients

and where it strikes: ``frame=N`` (the Nth frame that the server sends on a connection, from 1, the
banner not counted), ``call=NAME`` (while that system call is served; with ``frame=N`` the Nth frame
of it), ``nth=N`` (only that call of the connection's calls of the name), ``connection=N`` (only the
Nth connection, from 1), ``times=N`` (only so often in all). Without ``frame`` and ``call`` it is
the first frame.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

ACTIONS = frozenset(
    {"cut", "stall", "length", "garbage", "foreign-copyin", "foreign-copyout", "delay", "banner", "no-banner"}
)
FOREIGN_ADDRESS = 0x7EADBEE0
FOREIGN_LENGTH = 64


@dataclass(frozen=True)
class Fault:
    """One way to misbehave, see the module's text."""

    action: str
    frame: int | None = None
    call: str | None = None
    nth: int | None = None
    connection: int | None = None
    times: int | None = None
    value: int | None = None
    seconds: float = 0.0
    text: str = ""

    @classmethod
    def parse(cls, spec: str) -> Fault:
        """:raises ValueError: the specification cannot be understood."""
        action, *pairs = spec.split(",")
        if action not in ACTIONS:
            raise ValueError(f"no such fault: {action!r}; there are {', '.join(sorted(ACTIONS))}")
        values: dict[str, Any] = {}
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals or key not in cls.__dataclass_fields__ or key == "action":
                raise ValueError(f"fault {spec!r}: what is {pair!r}?")
            if key in ("call", "text"):
                values[key] = value
            elif key == "seconds":
                values[key] = float(value)
            else:
                values[key] = int(value, 0)
        return cls(action, **values)


@dataclass
class FramePlace:
    """Where a frame stands that is about to be sent."""

    frame: int
    """Its number on the connection, from 1."""
    call: str | None = None
    call_frame: int = 0
    """Its number among the frames of the call, from 1."""
    nth: int = 0
    """Which call of that name on the connection it is, from 1."""


@dataclass
class FaultPlan:
    """The faults of one kernel, and how often each has struck."""

    faults: tuple[Fault, ...]
    struck: dict[Fault, int] = field(default_factory=dict)

    def at_connection(self, connection: int) -> list[Fault]:
        """What happens to a new connection's greeting."""
        return [
            fault
            for fault in self.faults
            if fault.action in ("banner", "no-banner") and self._applies(fault, connection) and self._strike(fault)
        ]

    def at_frame(self, connection: int, place: FramePlace) -> list[Fault]:
        """What happens to a frame."""
        found = []
        for fault in self.faults:
            if fault.action in ("banner", "no-banner", "foreign-copyin", "foreign-copyout"):
                continue
            if self._applies(fault, connection) and _frame_matches(fault, place) and self._strike(fault):
                found.append(fault)
        return found

    def at_call(self, connection: int, call: str, nth: int) -> list[Fault]:
        """What happens before a system call is served."""
        return [
            fault
            for fault in self.faults
            if fault.action in ("foreign-copyin", "foreign-copyout")
            and self._applies(fault, connection)
            and fault.call in (None, call)
            and fault.nth in (None, nth)
            and self._strike(fault)
        ]

    @staticmethod
    def _applies(fault: Fault, connection: int) -> bool:
        return fault.connection in (None, connection)

    def _strike(self, fault: Fault) -> bool:
        count = self.struck.get(fault, 0)
        if fault.times is not None and count >= fault.times:
            return False
        self.struck[fault] = count + 1
        return True


def _frame_matches(fault: Fault, place: FramePlace) -> bool:
    if fault.action == "delay" and fault.frame is None and fault.call is None:
        return True
    if fault.call is not None:
        if fault.call != place.call or fault.nth not in (None, place.nth):
            return False
        return (fault.frame or 1) == place.call_frame or (fault.action == "delay" and fault.frame is None)
    return (fault.frame or 1) == place.frame


def with_length(frame: bytes, length: int, byteorder: str) -> bytes:
    """A frame whose header announces another length (the header's first eight bytes)."""
    return length.to_bytes(8, byteorder) + frame[8:]  # type: ignore[arg-type] # little or big


def garbage(length: int) -> bytes:
    """Bytes that are the same at every run."""
    return random.Random(length).randbytes(length)
