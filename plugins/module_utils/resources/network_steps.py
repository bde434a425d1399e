# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plan whose changes may end the connection that they are made over, or move it to another address."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from ..sysproxy import Kernel, KernelError, RumpError
from ..sysproxy.exchanges import Exchange
from .failures import OptionError, Unmet
from .plan import Change, Plan


@dataclass(frozen=True)
class Step(Change):
    """A change that can be taken back. ``cuts`` says why our own connection does not outlive it, or nothing.

    ``adds`` is for what makes room for a new connection: such steps come before the old one ends. Of the steps that
    may be made beside others, those that name the same ``chain`` are made in their order.
    """

    undo: Callable[[], object] = field(default=lambda: None)
    cuts: str = ""
    adds: bool = True
    chain: str = ""


@dataclass
class NetworkPlan(Plan):
    """Steps, and what is known of the way to the kernel.

    With ``url`` all steps that add something are made, the kernel is connected to anew at that URL, and over the new
    connection the others are made. If none answers there within ``time_limit`` seconds, what was made is taken back.
    """

    kernel: Kernel | None = None
    url: str | None = None
    time_limit: float = 0.0
    still_fits: Callable[[], object] = field(default=lambda: None)
    """Asked over the new connection before the old one is given up: raises if the rest would end that one, too."""

    foretell: Callable[[], Mapping[str, Any]] = field(default=dict)
    """What :attr:`expected` is to be, asked when it is needed."""
    made: list[Change] = field(default_factory=list)
    """The changes of :attr:`done`, in the order in which they were made."""

    @property
    def left(self) -> list[Change]:
        """Those that are yet to be made."""
        made = set(map(id, self.made))
        return [change for change in self.changes if id(change) not in made]

    def _note(self, change: Change) -> None:
        self.made.append(change)
        self.done.append(change.text)

    def arrange(self, steps: list[Step]) -> None:
        """Put the steps in their final order: those that end a connection as late as can be."""
        if self.url is None:
            early = [step for step in steps if not step.cuts]
            self.changes = [*early, *(step for step in steps if step.cuts)]
            return
        before = [step for step in steps if step.adds and not step.cuts]
        after = [step for step in steps if not step.adds or step.cuts]
        self.changes = [*before, Step(f"connect anew at {self.url}", self._connect_anew), *after]

    def result(self, check_mode: bool) -> dict[str, Any]:
        if check_mode or self.report is None:
            return self._foretold(check_mode)
        try:
            return super().result(check_mode)
        except KernelError:
            raise
        except RumpError as error:
            # A kernel still answers the call that takes its own address away, and none after it.
            if self.url is not None or not any(isinstance(change, Step) and change.cuts for change in self.made):
                raise
            self.warnings.append(
                f"the connection ended after the last step ({error}); the result is what was planned, and not read"
            )
            if self.kernel is not None:
                self.kernel.session.close()
            return self._foretold(True)

    def _foretold(self, check_mode: bool) -> dict[str, Any]:
        self.expected = self.foretell()
        return super().result(check_mode)

    def execute(self) -> None:
        for condition in self.conditions:
            condition()
        if self.url is None:
            self._make(self.changes)
            return
        place = next(place for place, change in enumerate(self.changes) if change.text.startswith("connect anew"))
        try:
            self._make(self.changes[: place + 1])
        except (KernelError, OptionError, Unmet):
            self._take_back()
            raise
        self._make(self.changes[place + 1 :])

    def _make(self, changes: list[Change]) -> None:
        for together, several in groupby(changes, key=_may_be_made_beside_others):
            if together:
                self._make_side_by_side(list(several))
            else:
                self._make_one_by_one(list(several))

    def _make_side_by_side(self, changes: list[Change]) -> None:
        """Those of one chain in their order. One that is refused is made once more by itself, and so is what follows
        it in its chain: it may have come before what it needs."""
        if self.kernel is None:
            raise RuntimeError("exchanges are had with a kernel")
        chains: dict[str | int, list[Change]] = {}
        for change in changes:
            chain = change.chain if isinstance(change, Step) else ""
            chains.setdefault(chain or id(change), []).append(change)
        made: set[int] = set()
        try:
            self.kernel.side_by_side(_made_in_order(chain, made) for chain in chains.values())
        finally:
            for change in changes:
                if id(change) in made:
                    self._note(change)
        self._make_one_by_one([change for change in changes if id(change) not in made])

    def _make_one_by_one(self, changes: list[Change]) -> None:
        for change in changes:
            try:
                change.apply()
            except KernelError:
                raise
            except RumpError as error:
                if not isinstance(change, Step) or not change.cuts or self.url is not None:
                    raise
                self._lost(change, error)
                return
            self._note(change)

    def _lost(self, change: Step, error: RumpError) -> None:
        """The connection ended as it was allowed to: what the kernel made of the step, it cannot tell any more."""
        self._note(change)
        missing = [left.text for left in self.left]
        text = f"the connection ended with the step to {change.text} ({error}); whether it was made is not known"
        self.warnings.append(text + (f". Not made any more: {'; '.join(missing)}" if missing else ""))
        self.report = None
        if self.kernel is not None:
            self.kernel.session.close()

    def _connect_anew(self) -> None:
        if self.kernel is None or self.url is None:
            raise RuntimeError("a plan that moves its connection knows its kernel")
        former = self.kernel.url
        try:
            self.kernel.move(self.url, self.time_limit, self.still_fits)
        except KernelError:
            raise
        except RumpError as error:
            if self.kernel.session.closed:
                raise  # the old connection, which all else is done over
            raise Unmet(
                f"reconnect: no answer of this kernel within {self.time_limit:g} s: {error}. What had been added was "
                f"taken back over {former}, so that the kernel is as it was",
                {},
            ) from error

    def _take_back(self) -> None:
        """In reverse order, as far as the kernel lets us; what cannot be taken back stays listed as done."""
        left = []
        for change in reversed(self.made):
            try:
                if isinstance(change, Step):
                    change.undo()
            except (KernelError, OptionError):
                left.append(change.text)
        self.done = list(reversed(left))


def _may_be_made_beside_others(change: Change) -> bool:
    return change.exchange is not None and not (isinstance(change, Step) and change.cuts)


def _made_in_order(changes: list[Change], made: set[int]) -> Exchange[None]:
    """The changes as one exchange, which notes those that it has made."""
    for change in changes:
        if change.exchange is not None:
            yield from change.exchange()
        made.add(id(change))


def quietly(action: Callable[[], object]) -> None:
    """Do what may have been done already."""
    with contextlib.suppress(KernelError):
        action()
