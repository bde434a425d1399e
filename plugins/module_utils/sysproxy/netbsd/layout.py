# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lays a declared structure out as a C compiler would, for one word size, alignment and byte order.

The result is a construct_ Struct with the padding made explicit, wrapped with its size, the
offsets of its members and what writes them.

.. _construct: https://construct.readthedocs.io
"""

from __future__ import annotations

import re
import struct
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ..errors import MissingLibrary
from . import writers
from .structures import STRUCTURES, Declaration, Release, Union

if TYPE_CHECKING:
    import construct

try:
    import construct
except ImportError:
    # The only place that imports construct. Ansible reads modules without it (for documentation and
    # for its sanity tests), so its absence is reported when a session is made.
    CONSTRUCT_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    CONSTRUCT_IMPORT_ERROR = None

_CONSTRUCT: Final = "construct>=2.10.70"  # as in requirements.txt


@dataclass(frozen=True)
class DataModel:
    """How a C compiler for the kernel's machine sees data."""

    word_size: int
    """Bytes of a long, a pointer and a size_t: 4 or 8."""
    int64_alignment: int
    """Alignment of a 64-bit integer in a structure: 4 on i386, 8 elsewhere."""
    byteorder: str
    """'little' or 'big'."""


# C types: (size, struct module's code of standard size); a size of 0 stands for the word's.
SCALARS: Final[dict[str, tuple[int, str]]] = {
    "int8": (1, "b"),
    "uint8": (1, "B"),
    "int16": (2, "h"),
    "uint16": (2, "H"),
    "int": (4, "l"),
    "int32": (4, "l"),
    "uint": (4, "L"),
    "uint32": (4, "L"),
    "int64": (8, "q"),
    "uint64": (8, "Q"),
    "long": (0, "q"),
    "ulong": (0, "Q"),
    "size_t": (0, "Q"),
    "pointer": (0, "Q"),
}
# Compiling a structure takes as long as parsing it so often, and makes it four times as fast.
_COMPILED_AFTER: Final = 100
_ARRAY = re.compile(r"(\w+)\[(\d+)\]")


def scalar(kind: str, word_size: int) -> tuple[int, str]:
    """Size in bytes and struct code of a C type's name."""
    size, code = SCALARS[kind]
    if size:
        return size, code
    return word_size, code if word_size == 8 else {"q": "l", "Q": "L"}[code]


class Layout:
    """One structure of one ABI."""

    def __init__(self, name: str, found: _Type, prefix: str) -> None:
        self.name = name
        self.size = found.size
        self.alignment = found.alignment
        self.offsets = found.offsets
        self.construct = found.construct
        self._codes = found.codes
        self._write = found.write
        self._prefix = prefix
        self._parse = found.construct.parse
        self._parsed = 0
        self._numbers: dict[tuple[str, ...], struct.Struct] = {}

    def parse(self, data: bytes | bytearray | memoryview, offset: int = 0) -> Any:
        """The structure at ``offset`` of ``data``: a construct Container with the C members' names.

        :raises ValueError: ``data`` ends before the structure does.
        """
        piece = bytes(data[offset : offset + self.size])
        if len(piece) < self.size:
            raise ValueError(f"struct {self.name} needs {self.size} bytes, and {len(piece)} are there")
        self._parsed += 1
        if self._parsed == _COMPILED_AFTER:
            self._parse = self.construct.compile().parse
        return self._parse(piece)

    def numbers(self, members: tuple[str, ...]) -> struct.Struct:
        """A packer of the structure that unpacks to the integers ``members``, named as for :meth:`offset_of` and in
        the structure's order: :meth:`parse` at a tenth of its price, for what is read by the thousand.
        """
        packer = self._numbers.get(members)
        if packer is None:
            code, position = self._prefix, 0
            for member in members:
                padding = self.offsets[member] - position
                code += f"{padding}x{self._codes[member]}"
                position += padding + struct.calcsize(f"={self._codes[member]}")
            packer = self._numbers[members] = struct.Struct(f"{code}{self.size - position}x")
        return packer

    def build(self, **members: Any) -> bytes:
        """The structure's bytes; members that are not named are zero.

        :raises ValueError: a member does not exist, or its value does not fit it.
        """
        data = bytearray(self.size)
        try:
            self._write(data, 0, members)
        except (ValueError, TypeError, struct.error) as error:
            raise ValueError(f"struct {self.name}: {error}") from error
        return bytes(data)

    def offset_of(self, member: str) -> int:
        """The byte at which ``member`` starts; a member of a member is ``outer.inner``."""
        return self.offsets[member]


@dataclass(frozen=True)
class _Type:
    """A type placed in no structure yet."""

    size: int
    alignment: int
    construct: Any
    offsets: Mapping[str, int]
    write: writers.Writer
    codes: Mapping[str, str] = field(default_factory=dict)
    """What the struct module calls its integers: by member, as in the offsets, or its own with the empty name."""


def require_construct() -> None:
    """:raises MissingLibrary: construct is not installed."""
    if CONSTRUCT_IMPORT_ERROR is not None:
        raise MissingLibrary(f"the Python package construct is missing in {sys.executable}: pip install '{_CONSTRUCT}'")


@lru_cache(maxsize=512)
def layout(name: str, model: DataModel, release: Release) -> Layout:
    """The layout of structure ``name`` in a data model, as ``release`` declares it.

    :raises MissingLibrary: construct is not installed.
    :raises KeyError: no structure has that name.
    """
    require_construct()
    return Layout(name, _structure(name, model, release), "<" if model.byteorder == "little" else ">")


def declaration(name: str, release: Release) -> Declaration:
    """The members of structure ``name`` in ``release``."""
    declared = STRUCTURES[name]
    if isinstance(declared, dict):
        return declared[max(since for since in declared if since <= release or since == (0,))]
    return declared


def _structure(name: str, model: DataModel, release: Release) -> _Type:
    fields: list[Any] = []
    offsets: dict[str, int] = {}
    codes: dict[str, str] = {}
    placed: dict[str, tuple[int, writers.Writer]] = {}
    position, alignment = 0, 1
    for member, kind in declaration(name, release):
        found = _union(kind, model, release) if isinstance(kind, Union) else _type(kind, model, release)
        padding = -position % found.alignment
        if padding:
            fields.append(construct.Padding(padding))
        position += padding
        offsets[member] = position
        offsets.update({f"{member}.{inner}": position + offset for inner, offset in found.offsets.items()})
        codes.update({f"{member}.{inner}" if inner else member: code for inner, code in found.codes.items()})
        if found.size:
            fields.append(member / found.construct)
            placed[member] = position, found.write
        position += found.size
        alignment = max(alignment, found.alignment)
    padding = -position % alignment
    if padding:
        fields.append(construct.Padding(padding))
    size = position + padding
    return _Type(size, alignment, construct.Struct(*fields), offsets, writers.structure(placed), codes)


def _union(union: Union, model: DataModel, release: Release) -> _Type:
    types = {member: _type(kind, model, release) for member, kind in union.members}
    alignment = max(found.alignment for found in types.values())
    size = max(found.size for found in types.values())
    size += -size % alignment
    raw = "raw" / construct.Bytes(size)
    members = [member / construct.Padded(size, found.construct) for member, found in types.items()]
    offsets = {
        path: offset
        for member, found in types.items()
        for path, offset in [(member, 0), *((f"{member}.{inner}", at) for inner, at in found.offsets.items())]
    }
    codes = {
        f"{member}.{inner}" if inner else member: code
        for member, found in types.items()
        for inner, code in found.codes.items()
    }
    written = {"raw": writers.raw(size), **{member: found.write for member, found in types.items()}}
    return _Type(size, alignment, construct.Union("raw", *members, raw), offsets, writers.union(written), codes)


def _type(kind: str, model: DataModel, release: Release) -> _Type:
    prefix = "<" if model.byteorder == "little" else ">"
    if kind in SCALARS:
        size, code = scalar(kind, model.word_size)
        alignment = min(size, model.int64_alignment)
        return _Type(
            size, alignment, construct.FormatField(prefix, code), {}, writers.number(prefix + code), {"": code}
        )
    if kind == "align64":
        return _Type(0, 8, None, {}, writers.raw(0))
    if kind == "upad_size_t":
        return _padded_size(model, prefix)
    array = _ARRAY.fullmatch(kind)
    if not array:
        return _structure(kind, model, release)
    count = int(array[2])
    if array[1] == "bytes":
        return _Type(count, 1, construct.Bytes(count), {}, writers.raw(count))
    if array[1] == "char":
        text = construct.FixedSized(count, construct.NullTerminated(construct.GreedyBytes, require=False))
        return _Type(count, 1, text, {}, writers.text(count))
    element = _type(array[1], model, release)
    return _Type(
        element.size * count,
        element.alignment,
        construct.Array(count, element.construct),
        {},
        writers.array(count, element.size, element.write),
    )


def _padded_size(model: DataModel, prefix: str) -> _Type:
    """A size_t in the union of 64 bits that sys/sysctl.h wraps it in (__sysc_upad).

    On a 32-bit big-endian machine the number stands in the second half.
    """
    code = prefix + scalar("size_t", model.word_size)[1]
    word = construct.FormatField(prefix, code[-1])
    if model.word_size == 8:
        return _Type(8, model.int64_alignment, word, {}, writers.number(code))
    halves = (construct.Padding(4), word) if model.byteorder == "big" else (word, construct.Padding(4))
    number = construct.FocusedSeq("number", *("number" / half if half is word else half for half in halves))
    code = f"{prefix}4x{code[-1]}" if model.byteorder == "big" else code
    return _Type(8, model.int64_alignment, number, {}, writers.number(code))
