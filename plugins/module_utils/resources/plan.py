# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan and its execution: every module reads the kernel, lists the changes, and only then makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..sysproxy.errors import printable
from ..sysproxy.exchanges import Exchange


@dataclass(frozen=True)
class Change:
    """One step: what it does, in words that continue "would", and the doing.

    ``exchange`` is the doing as an exchange with the kernel, if that may be had beside others.
    """

    text: str
    apply: Callable[[], object]
    exchange: Callable[[], Exchange[object]] | None = None


@dataclass
class Plan:
    """What a module is about to do.

    ``before`` and ``after`` are the diff's two sides. ``expected`` is the module's own result if all
    goes as planned, which check mode returns; ``report`` reads it from the kernel after the changes.
    ``conditions`` raise what would stand in the way. They are asked before the first change is made,
    and not in check mode, where an earlier task may only have said that it would meet them.
    """

    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    conditions: list[Callable[[], object]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    expected: Mapping[str, Any] = field(default_factory=dict)
    report: Callable[[], Mapping[str, Any]] | None = None
    warnings: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def add(self, text: str, apply: Callable[[], object]) -> None:
        self.changes.append(Change(text, apply))

    def execute(self) -> None:
        """Make the changes in order; :attr:`done` tells how far it came when one of them raises."""
        for condition in self.conditions:
            condition()
        for change in self.changes:
            change.apply()
            self.done.append(change.text)

    def result(self, check_mode: bool) -> dict[str, Any]:
        """The module's result, in Ansible's terms."""
        facts = self.expected if check_mode or self.report is None else self.report()
        result: dict[str, Any] = {"changed": bool(self.changes), **facts}
        if self.changes:
            result["changes"] = [change.text for change in self.changes]
        if self.before or self.after:
            result["diff"] = {"before": dict(self.before), "after": dict(self.after)}
        if self.warnings:
            result["warnings"] = [printable(text) for text in self.warnings]
        return result
