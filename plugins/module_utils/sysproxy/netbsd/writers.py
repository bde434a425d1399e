# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What puts values into the bytes of a structure, where they stand, and leaves all else zero.

construct builds each member of a structure, named or not, which takes ten times as long; and it is the same bytes.
A writer raises ValueError, TypeError or struct.error for a value that does not fit.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Writer: TypeAlias = Callable[[bytearray, int, Any], None]
"""Called with the bytes, where in them the member starts, and its value."""


def number(code: str) -> Writer:
    """An integer, as the struct module has it."""
    return struct.Struct(code).pack_into


def raw(size: int) -> Writer:
    """So many bytes."""

    def write(data: bytearray, start: int, value: Any) -> None:
        if len(value) != size:
            raise ValueError(f"{len(value)} bytes where {size} are to be")
        data[start : start + size] = value

    return write


def text(size: int) -> Writer:
    """A string with its NUL, in so many bytes."""

    def write(data: bytearray, start: int, value: Any) -> None:
        if len(value) >= size:
            raise ValueError(f"{len(value)} bytes and a NUL where {size} are room")
        data[start : start + len(value)] = value

    return write


def array(count: int, step: int, element: Writer) -> Writer:
    """So many elements, ``step`` bytes from one another."""

    def write(data: bytearray, start: int, value: Sequence[Any]) -> None:
        if len(value) != count:
            raise ValueError(f"{len(value)} elements where {count} are to be")
        for place, one in enumerate(value):
            element(data, start + place * step, one)

    return write


def structure(members: Mapping[str, tuple[int, Writer]]) -> Writer:
    """The members that a mapping names; ``members`` has each one's place and writer."""

    def write(data: bytearray, start: int, value: Mapping[str, Any]) -> None:
        for name, one in value.items():
            found = members.get(name)
            if found is None:
                raise ValueError(f"it has no member {name}")
            found[1](data, start + found[0], one)

    return write


def union(members: Mapping[str, Writer]) -> Writer:
    """The one member that a mapping names."""

    def write(data: bytearray, start: int, value: Mapping[str, Any]) -> None:
        ((name, one),) = value.items()
        if name not in members:
            raise ValueError(f"it has no member {name}")
        members[name](data, start, one)

    return write
