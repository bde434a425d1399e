# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the parts of the façade share: the session, and how paths and numbers become arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final, TypeAlias, TypeVar

from ..errors import ProtocolError, printable
from ..exchanges import Exchange, converse, side_by_side
from ..netbsd import Abi, Errno
from ..netbsd.kernel_error import KernelError, kernel_error
from ..session import Argument, Session

_T = TypeVar("_T")
StrPath: TypeAlias = "str | bytes | os.PathLike[str]"
LARGEST_DESCRIPTOR: Final = 0x7FFFFFFF
_PATH_MAX: Final = 1024  # bytes of a path with its NUL (sys/syslimits.h)
UNCHANGED: Final = 0xFFFFFFFF
"""A uid, gid or the like of -1, as an unsigned 32-bit argument."""
HIGHEST_ID: Final = UNCHANGED - 1
"""The highest number of a user or group."""


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

    def converse(self, exchange: Exchange[_T]) -> _T:
        """Have an exchange: see :func:`~..exchanges.converse`."""
        return converse(self.session, exchange)

    def side_by_side(self, exchanges: Iterable[Exchange[_T]]) -> list[_T | KernelError]:
        """Have many exchanges at a time: see :func:`~..exchanges.side_by_side`."""
        return side_by_side(self.session, exchanges)

    def path_call(self, name: str, path: StrPath, *arguments: Argument) -> tuple[int, int]:
        """A call whose first argument is a path, which errors then name."""
        return self.session.call(name, path_bytes(path), *arguments, subject=os.fsdecode(path))

    def number_call(self, most: int, name: str, *arguments: Argument, subject: str = "") -> int:
        """A call that ends with a number from 0 to ``most``: so many bytes, a descriptor.

        :raises ProtocolError: it ended with another one, which no kernel's call does.
        """
        number, _second = self.session.call(name, *arguments, subject=subject)
        return self.bounded(number, most, f"{name} {subject}".strip())

    def filling_call(self, most: int, name: str, *arguments: Argument, subject: str = "") -> int:
        """A :meth:`number_call` that ends with how many bytes the kernel put into the call's buffers."""
        number = self.number_call(most, name, *arguments, subject=subject)
        return self.came(number, f"{name} {subject}".strip())

    def came(self, number: int, about: str) -> int:
        """``number``, the bytes that the call ``about`` had for us, if they came.

        What a server only claims is not taken for a result: its few bytes would fill our memory.

        :raises ProtocolError: they did not all come.
        """
        if number > self.session.written:
            raise self.broken(f"{about} ended with {number} bytes, and {self.session.written} came")
        return number

    def bounded(self, number: int, most: int, about: str) -> int:
        """``number``, with which the call ``about`` ended.

        :raises ProtocolError: it is not from 0 to ``most``.
        """
        if not 0 <= number <= most:
            raise self.broken(f"{about} ended with {number}, and 0 to {most} are possible")
        return number

    def broken(self, what: str) -> ProtocolError:
        """The error for what no kernel says, to be raised; the session is closed."""
        self.session.close()
        return ProtocolError(f"{self.session.url}: {printable(what)}")


def path_bytes(path: StrPath) -> bytes:
    """A path as the kernel reads it.

    :raises ValueError: it has a NUL inside.
    :raises KernelError: ENAMETOOLONG, as the kernel would say; not left to it, so that the tree of a
        server that makes directories up as it is asked has an end.
    """
    encoded = os.fsencode(path)
    if b"\0" in encoded:
        raise ValueError("a path cannot hold a NUL byte")
    if len(encoded) >= _PATH_MAX:
        raise kernel_error(Errno.ENAMETOOLONG, "path", os.fsdecode(path))
    return encoded + b"\0"


def id_or_unchanged(number: int) -> int:
    """A uid or gid as an argument: -1, which leaves it as it is, becomes unsigned.

    :raises ValueError: it is no user's or group's number.
    """
    return UNCHANGED if number == -1 else id_argument(number)


def id_argument(number: int) -> int:
    """A uid or gid as an argument that cannot be left out, as :data:`UNCHANGED` would do.

    :raises ValueError: it is no user's or group's number. In 32 bits 4294967296 would be 0, which is root.
    """
    if not 0 <= number <= HIGHEST_ID:
        raise ValueError(f"a user's or group's number is 0 to {HIGHEST_ID}, not {number}")
    return number
