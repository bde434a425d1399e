# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the processes of a group are gone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

_LIMIT = 10.0


def group_ended(group: int) -> bool:
    """Whether a process group ends within some seconds.

    A process that nobody has waited for yet (a zombie) has ended: who inherits it may take his time.
    """
    deadline = time.monotonic() + _LIMIT
    while time.monotonic() < deadline:
        if group not in _groups():
            return True
        time.sleep(0.05)
    return False


def _groups() -> Iterator[int]:
    """The process groups of all processes that run."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, group = stat.read_text().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state not in ("Z", "X"):
            yield int(group)
