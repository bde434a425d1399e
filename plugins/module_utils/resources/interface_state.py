# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An interface as it is found, and on its way to what is wanted: what the parts of its plan share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.interfaces import Interface
from ..sysproxy.netbsd.constants import IFF
from .plan import Plan


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

    def require(self, condition: Callable[[], object]) -> None:
        """Ask for something just before the first change."""
        self.made.conditions.append(condition)

    def set_up(self, up: bool) -> None:
        """Bring it up or down, leaving the other flags."""
        self.set_flags({IFF.UP: up})

    def set_flags(self, wanted: dict[IFF, bool]) -> None:
        flags = self.kernel.interfaces.flags(self.name)
        for flag, is_set in wanted.items():
            flags = flags | flag if is_set else flags & ~flag
        self.kernel.interfaces.set_flags(self.name, flags)
