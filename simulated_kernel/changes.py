# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which system call changed the kernel's state: the journal's ``changes``.

Whatever changes something that another client could see says so here; the call that runs in this
task is the one that did it. Descriptors, working directories and access times do not count.
"""

from __future__ import annotations

from contextvars import ContextVar


class ChangeRecord:
    """Whether one system call changed anything."""

    def __init__(self) -> None:
        self.changed = False


_current: ContextVar[ChangeRecord | None] = ContextVar("change_record", default=None)


def record_changes() -> ChangeRecord:
    """A record of the changes that the present task makes from now on."""
    record = ChangeRecord()
    _current.set(record)
    return record


def mark_change() -> None:
    """The kernel's state is changing now."""
    record = _current.get()
    if record is not None:
        record.changed = True
