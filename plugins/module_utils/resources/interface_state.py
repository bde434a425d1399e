# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An interface as it is found, and on its way to what is wanted: what the parts of its plan share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..sysproxy import Kernel, KernelError
from ..sysproxy.exchanges import Exchange
from ..sysproxy.kernel.interfaces import Interface
from ..sysproxy.netbsd.constants import IFF
from .plan import Change, Plan

_T = TypeVar("_T")


def answers(kernel: Kernel, exchanges: Iterable[Exchange[_T]]) -> list[_T]:
    """What many questions, asked side by side, are answered with.

    :raises KernelError: one was refused.
    """
    found: list[_T] = []
    for outcome in kernel.side_by_side(exchanges):
        if isinstance(outcome, KernelError):
            raise outcome
        found.append(outcome)
    return found


@dataclass
class Draft:
    """A plan for one interface, as far as it has come.

    ``found`` is what the kernel has, None for an interface that is yet to be made; ``after`` what the module will
    report. The rest is what is known of the interface at the moment that the next change is made.
    """

    kernel: Kernel
    name: str
    found: Interface | None
    made: Plan
    after: dict[str, Any]
    is_up: bool | None = False
    """None: it will turn out when the changes so far are made."""
    mtu: int | None = None
    """None: likewise."""
    lost: set[Any] = field(default_factory=set)
    """Addresses that a change before takes away, and that are to be given again."""
    gone: set[Any] = field(default_factory=set)
    """Addresses that a change before takes away for good."""

    def add(self, text: str, apply: Callable[[], object]) -> None:
        self.made.add(text, apply)

    def add_exchange(self, text: str, exchange: Callable[[], Exchange[object]]) -> None:
        """Add what may be done beside changes of other interfaces."""
        self.made.changes.append(Change(text, lambda: self.kernel.converse(exchange()), exchange))

    def add_flags(self, text: str, wanted: dict[IFF, bool]) -> None:
        """Add that flags are set or cleared; the others are left as they are."""
        self.add_exchange(text, lambda: self.kernel.interfaces.changing_flags(self.name, wanted))

    def require(self, condition: Callable[[], object]) -> None:
        """Ask for something just before the first change."""
        self.made.conditions.append(condition)

    def add_up(self, text: str, up: bool) -> None:
        """Add that it is brought up or down."""
        self.add_flags(text, {IFF.UP: up})
