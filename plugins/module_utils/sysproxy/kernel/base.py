# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the parts of the façade share: the session, and how paths and numbers become arguments."""

from __future__ import annotations

import os
from typing import Final

from ..netbsd import Abi
from ..session import Argument, Session

StrPath = str | bytes | os.PathLike[str]
UNCHANGED: Final = 0xFFFFFFFF
"""A uid, gid or the like of -1, as an unsigned 32-bit argument."""


class Base:
    """A session with the calls' conveniences."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def abi(self) -> Abi:
        return self.session.abi

    def call(self, name: str, *arguments: Argument, subject: str = "", label: str = "") -> tuple[int, int]:
        """A raw system call; see :meth:`.session.Session.call`."""
        return self.session.call(name, *arguments, subject=subject, label=label)

    def path_call(self, name: str, path: StrPath, *arguments: Argument) -> tuple[int, int]:
        """A call whose first argument is a path, which errors then name."""
        return self.session.call(name, path_bytes(path), *arguments, subject=os.fsdecode(path))


def path_bytes(path: StrPath) -> bytes:
    """A path as the kernel reads it.

    :raises ValueError: it has a NUL inside.
    """
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError("a path cannot hold a NUL byte")
    return encoded + b"\0"


def unsigned(number: int) -> int:
    """A uid or gid as an argument: -1, which leaves it as it is, becomes unsigned."""
    return number & UNCHANGED
