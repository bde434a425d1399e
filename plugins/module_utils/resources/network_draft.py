# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a network as far as it has come, and what it says of each interface, route and neighbour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..sysproxy import Kernel
from ..sysproxy.kernel.interfaces import Interface, IPAddress, IPInterface
from ..sysproxy.kernel.routes import Route
from .interface_kinds import FoundKinds
from .network_steps import NetworkPlan, Step
from .network_tables import ForetoldNames
from .network_wanted import Wanted
from .plan import Change, Plan

_Result = TypeVar("_Result")


@dataclass
class Group:
    """What is planned for one interface.

    ``planned`` is how it will be when its changes are made, ``after`` when it has also lost the addresses that are
    ``leaving``, which goes last. ``kinds`` is what ``before`` does not show all of, since some of it is secret.
    """

    name: str
    before: dict[str, Any]
    planned: dict[str, Any]
    changes: list[Change]
    conditions: list[Callable[[], object]]
    kinds: FoundKinds = field(default_factory=FoundKinds)
    leaving: dict[IPAddress, IPInterface] = field(default_factory=dict)

    @property
    def after(self) -> dict[str, Any]:
        if not self.leaving:
            return self.planned
        gone = {str(address) for address in self.leaving.values()}
        return {
            **self.planned,
            "addresses": [text for text in self.planned["addresses"] if text not in gone],
            "address_details": [one for one in self.planned["address_details"] if one["address"] not in gone],
        }

    @property
    def is_gone(self) -> bool:
        return bool(self.planned["state"] == "absent")


@dataclass
class Entry:
    """What is planned for one route or neighbour: ``found`` becomes ``goal``, either of which may be None."""

    found: Any
    goal: Any
    changes: list[Change]


@dataclass
class Draft:
    """The plan as far as it has come."""

    kernel: Kernel
    wanted: Wanted
    listed: dict[str, Interface]
    names: ForetoldNames
    made: NetworkPlan
    groups: dict[str, Group]
    steps: list[Step] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def note(self, kind: str, name: str, before: Any, after: Any) -> None:
        """The two sides of the diff."""
        self.before.setdefault(kind, {})[name] = before
        self.after.setdefault(kind, {})[name] = after

    def settled(self, apply: Callable[[], _Result]) -> Callable[[], _Result]:
        """The doing of a change to routes or neighbours, with the interfaces' indices as they are by then."""

        def do() -> _Result:
            self.names.settle(self.kernel)
            return apply()

        return do


@dataclass(frozen=True)
class Parts:
    """What is planned beside interfaces."""

    ways: dict[Any, Entry]
    neighbours: list[Entry]
    sources: list[Route]
    sysctls: dict[str, Plan]
