# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctls of a network that is declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..sysproxy import Kernel
from ..sysproxy.kernel.sysctl import UnknownSysctl
from . import sysctl
from .failures import OptionError
from .network_draft import Draft
from .network_steps import Step
from .network_wanted import about
from .plan import Plan


def plan(kernel: Kernel, asked: Mapping[str, str]) -> dict[str, Plan]:
    found = {}
    for name, value in asked.items():
        try:
            with about("sysctls", name):
                found[name] = sysctl.plan(kernel, {"name": name, "value": value})
        except UnknownSysctl as error:
            raise OptionError("sysctls", str(error), call="sysctl", object=name, errno="ENOENT") from error
    return found


def add(draft: Draft, sysctls: Mapping[str, Plan]) -> None:
    for name, part in sysctls.items():
        for change in part.changes:
            draft.note("sysctls", name, part.before[name], part.after[name])
            undo = _setter(draft.kernel, name, part.before[name])
            draft.steps.append(Step(change.text, change.apply, undo=undo))


def _setter(kernel: Kernel, name: str, value: Any) -> Callable[[], object]:
    return lambda: kernel.sysctl.set(name, value)
