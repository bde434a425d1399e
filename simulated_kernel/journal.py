# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: which system calls were served, for whom, with what result, and what they changed."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

LIMIT = 200_000
"""Entries kept in memory; the file keeps all."""


@dataclass
class JournalEntry:
    """One system call, written when it ends."""

    connection: int
    program: str
    pid: int
    call: str
    arguments: dict[str, Any] = field(default_factory=dict)
    """The call's arguments; paths, ioctl names and the like are readable."""
    error: str | None = None
    """The errno's name, or None."""
    result: int = 0
    changes: bool = False
    """Whether the call changed something that another client could see."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, default=_readable)


def _readable(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value)


class Journal:
    """The entries, newest last; also in a file if there is one."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: deque[JournalEntry] = deque(maxlen=LIMIT)
        self._file: TextIO | None = None
        if path is not None:
            self._file = path.open("a", encoding="utf-8", buffering=1)

    def __iter__(self) -> Iterator[JournalEntry]:
        return iter(list(self.entries))

    def __len__(self) -> int:
        return len(self.entries)

    def append(self, entry: JournalEntry) -> None:
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(entry.to_json() + "\n")

    def clear(self) -> None:
        """Forget what is in memory, so that a test can look at what comes next."""
        self.entries.clear()

    def calls(self, *names: str) -> list[JournalEntry]:
        """The entries of the calls of these names, or all."""
        return [entry for entry in self if not names or entry.call in names]

    def changes(self) -> list[JournalEntry]:
        """The entries of the calls that changed something."""
        return [entry for entry in self if entry.changes]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
