# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sysctl(7): a tree of named nodes, whose names, types and descriptions the kernel tells by query.

A node's name becomes its number one component at a time: each node of type NODE is asked for its
children (CTL_QUERY). Source: sysctl(3), sysctl(9), sys/sysctl.h.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..errors import RumpError
from ..netbsd import KernelError
from ..netbsd.constants import CTL, CTLFLAG, CTLTYPE, SYSCTL
from ..session import Request
from .base import Base

Mib = tuple[int, ...]
Value: TypeAlias = "int | str | bool | bytes"

_TYPE_MASK: Final = 0xF
_TYPES: Final = frozenset(CTLTYPE)
_SIZES: Final = {CTLTYPE.INT: 4, CTLTYPE.QUAD: 8, CTLTYPE.BOOL: 1}
_FLAGS_MASK: Final = 0x00FFFFF0
_FIRST_CHILDREN: Final = 64  # children that are made room for before the kernel says how many there are
_GROWTHS: Final = 4  # how often a value may have grown between its size and itself
_LARGEST_VALUE: Final = 1 << 24
_LARGEST_AT_ONCE: Final = 1 << 16  # what is larger is not asked for together with others
_DEEPEST: Final = 12  # CTL_MAXNAME


class UnknownSysctl(RumpError, KeyError):
    """No node has the name; ``component`` is the first of its components that does not exist."""

    def __init__(self, name: str, component: str, parent: str) -> None:
        self.name, self.component, self.parent = name, component, parent
        where = f"in {parent}" if parent else "at the top level"
        super().__init__(f"sysctl {name}: there is no node {component!r} {where} (ENOENT)")

    def __str__(self) -> str:
        return self.args[0]


class SysctlValueError(RumpError, ValueError):
    """A value does not fit its node's type, or the node has no value."""


@dataclass(frozen=True)
class SysctlNode:
    """One node: its dotted name, its number, its type, its flags and the size of its value in bytes."""

    name: str
    mib: Mib
    type: CTLTYPE
    flags: CTLFLAG
    size: int

    @property
    def writable(self) -> bool:
        return bool(self.flags & CTLFLAG.READWRITE)

    @property
    def type_name(self) -> str:
        """int, quad, string, bool, struct or node."""
        return self.type.name.lower()


class Sysctl:
    """The kernel's sysctl tree."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._queried: dict[Mib, list[bytes]] = {}

    def node(self, name: str | Mib) -> SysctlNode:
        """The node with a dotted name; a component may also be a number, as in ``vfs.generic.1``, and all of them
        are in a number such as ``(1, 10)``.

        :raises UnknownSysctl: a component does not exist.
        """
        name = name if isinstance(name, str) else ".".join(map(str, name))
        found = SysctlNode("", (), CTLTYPE.NODE, CTLFLAG(0), 0)
        for component in name.split("."):
            child = self._child(found, component) if found.type == CTLTYPE.NODE else None
            if child is None:
                raise UnknownSysctl(name, component, found.name)
            found = child
        return found

    def children(self, node: SysctlNode) -> dict[str, SysctlNode]:
        """The children of a node of type NODE, by the last component of their names."""
        children = (self._parse(node, record) for record in self._records(node))
        return {child.name.rpartition(".")[2]: child for child in children}

    def get(self, node: SysctlNode | str | Mib) -> Value:
        """A value: an int (quads too), str or bool by the node's type; bytes for a struct.

        The node is given as such, by its name or by its number. What no query tells of (``kern.proc`` and below) is
        to be had by :meth:`read`.

        :raises SysctlValueError: the node is of type NODE and has no value.
        """
        node = node if isinstance(node, SysctlNode) else self.node(node)
        if node.type == CTLTYPE.NODE:
            raise SysctlValueError(f"sysctl {node.name} is a subtree, not a value")
        return self._decode(node, self.read(node.mib, node.name, node.size))

    def values(self, nodes: Sequence[SysctlNode]) -> Iterator[Value | KernelError]:
        """The values of many nodes, or the errors that they gave, in order; many are asked for at once."""
        abi = self._base.abi
        buffers: list[tuple[bytearray, bytearray]] = []

        def requests() -> Iterator[Request]:
            for node in nodes:
                size = min(node.size, _LARGEST_AT_ONCE)
                value, length = bytearray(size), bytearray(abi.integer("size_t", size))
                buffers.append((value, length))
                number = abi.integers("int", *node.mib)
                arguments = (number, len(node.mib), value if size else None, length, None, 0)
                yield Request("__sysctl", arguments, node.name, "sysctl")

        for node, result in zip(nodes, self._base.session.map(requests()), strict=True):
            value, length = buffers.pop(0)
            needed = abi.read_integer("size_t", length)
            if isinstance(result, KernelError) and result.name != "ENOMEM":
                yield result
            elif isinstance(result, KernelError) or needed > len(value):
                yield self._get_or_error(node)  # its size says nothing, or it grew
            else:
                self._base.came(needed, f"sysctl {node.name}")
                yield self._decode(node, bytes(value[:needed]))

    def _get_or_error(self, node: SysctlNode) -> Value | KernelError:
        try:
            return self.get(node)
        except KernelError as error:
            return error

    def set(self, node: SysctlNode | str | Mib, value: Value) -> None:
        """Write a value, of the type that :meth:`get` gives.

        :raises SysctlValueError: the value does not fit the node.
        :raises PermissionError: the node cannot be written to.
        """
        node = node if isinstance(node, SysctlNode) else self.node(node)
        data = self._encode(node, value)
        mib = self._base.abi.integers("int", *node.mib)
        self._base.call(
            "__sysctl", mib, len(node.mib), None, None, data, len(data), label="sysctl", subject=f"-w {node.name}"
        )

    def describe(self, node: SysctlNode | str | Mib) -> str:
        """The kernel's description of a node; often empty."""
        node = node if isinstance(node, SysctlNode) else self.node(node)
        parent, number = node.mib[:-1], node.mib[-1]
        question = self._base.abi.struct("sysctlnode").build(sysctl_flags=SYSCTL.VERS_1, sysctl_num=number)
        data = self.read((*parent, CTL.DESCRIBE), node.name, 1024, question)
        head = self._base.abi.struct("sysctldesc_head")
        if len(data) < head.size:
            return ""
        length = head.parse(data).descr_len
        return os.fsdecode(data[head.size : head.size + length].rstrip(b"\0"))

    def walk(self, name: str = "") -> Iterator[SysctlNode]:
        """The nodes with values at and below ``name``, in the kernel's order."""
        top = self.node(name) if name else SysctlNode("", (), CTLTYPE.NODE, CTLFLAG(0), 0)
        yield from self._walk(top)

    def _walk(self, node: SysctlNode) -> Iterator[SysctlNode]:
        if node.type != CTLTYPE.NODE:
            yield node
            return
        try:
            children = self.children(node)
        except KernelError:
            return  # a node whose children only its own function knows (kern.proc)
        for child in children.values():
            yield from self._walk(child)

    def read(self, mib: Mib, name: str, size: int, question: bytes | None = None) -> bytes:
        """The raw value at ``mib``; ``size`` bytes are made room for, and more if the kernel has more.

        ``question`` is what a query about nodes takes as its new value.
        """
        abi = self._base.abi
        number = abi.integers("int", *mib)
        for _try in range(_GROWTHS):
            if size > _LARGEST_VALUE:
                raise self._base.broken(f"sysctl {name} is said to have {size} bytes")
            value = bytearray(size)
            length = bytearray(abi.integer("size_t", size))
            try:
                self._base.call(
                    "__sysctl",
                    number,
                    len(mib),
                    value if size else None,
                    length,
                    question,
                    len(question) if question else 0,
                    label="sysctl",
                    subject=name,
                )
            except KernelError as error:
                if error.name != "ENOMEM":
                    raise
                needed = abi.read_integer("size_t", length)
                if needed <= size and not question:
                    # Lists of routes and interfaces tell how much was given, and only without a place what there is.
                    length = bytearray(abi.integer("size_t", 0))
                    self._base.call("__sysctl", number, len(mib), None, length, None, 0, label="sysctl", subject=name)
                    needed = abi.read_integer("size_t", length)
                if needed <= size:
                    raise
                size = needed
                continue
            needed = abi.read_integer("size_t", length)
            if needed <= size:
                return bytes(memoryview(value)[: self._base.came(needed, f"sysctl {name}")])
            size = needed
        raise SysctlValueError(f"sysctl {name}: its value grows faster than it can be read")

    def _records(self, node: SysctlNode) -> list[bytes]:
        """The children of a node as the kernel tells them, a struct sysctlnode each; asked once."""
        if node.mib not in self._queried:
            layout = self._base.abi.struct("sysctlnode")
            question = layout.build(sysctl_flags=SYSCTL.VERS_1)
            if len(node.mib) >= _DEEPEST:
                raise self._base.broken(f"sysctl {node.name} is said to have children, deeper than numbers can be")
            data = self.read((*node.mib, CTL.QUERY), node.name or "(root)", layout.size * _FIRST_CHILDREN, question)
            if len(data) % layout.size:
                raise self._base.broken(f"the children of sysctl {node.name or '(root)'} are cut off")
            self._queried[node.mib] = [data[at : at + layout.size] for at in range(0, len(data), layout.size)]
        return self._queried[node.mib]

    def _child(self, node: SysctlNode, component: str) -> SysctlNode | None:
        """The child with that name, or that number. Only the one that is found is taken apart: it saves time."""
        start = self._base.abi.struct("sysctlnode").offset_of("sysctl_name")
        name = os.fsencode(component) + b"\0"
        for record in self._records(node):
            if record.startswith(name, start):
                return self._parse(node, record)
        if component.isascii() and component.isdigit():
            return next((child for child in self.children(node).values() if child.mib[-1] == int(component)), None)
        return None

    def _parse(self, parent: SysctlNode, record: bytes) -> SysctlNode:
        found = self._base.abi.struct("sysctlnode").parse(record)
        label = os.fsdecode(found.sysctl_name)
        name = f"{parent.name}.{label}" if parent.name else label
        kind = found.sysctl_flags & _TYPE_MASK
        if kind not in _TYPES:
            raise self._base.broken(f"sysctl {name} is said to be of type {kind}, which there is not")
        return SysctlNode(
            name=name,
            mib=(*parent.mib, found.sysctl_num),
            type=CTLTYPE(kind),
            flags=CTLFLAG(found.sysctl_flags & _FLAGS_MASK),
            size=found._sysctl_size,
        )

    def _decode(self, node: SysctlNode, data: bytes) -> Value:
        if len(data) < _SIZES.get(node.type, 0):
            raise self._base.broken(f"sysctl {node.name} of type {node.type_name} has {len(data)} bytes")
        match node.type:
            case CTLTYPE.STRING:
                return os.fsdecode(data.split(b"\0")[0])
            case CTLTYPE.BOOL:
                return data[:1] != b"\0"
            case CTLTYPE.INT | CTLTYPE.QUAD:
                return self._base.abi.read_integer(self._integer_type(node), data)
            case _:
                return data

    def _encode(self, node: SysctlNode, value: Value) -> bytes:
        match node.type:
            case CTLTYPE.STRING if isinstance(value, str):
                return os.fsencode(value) + b"\0"
            case CTLTYPE.BOOL if isinstance(value, bool):
                return bytes([value])
            case CTLTYPE.INT | CTLTYPE.QUAD if isinstance(value, int) and not isinstance(value, bool):
                bits = 32 if node.type == CTLTYPE.INT else 64
                if -(1 << bits - 1) <= value < 1 << bits:
                    return self._base.abi.integer(self._integer_type(node), value)
                raise SysctlValueError(f"sysctl {node.name}: {value} does not fit in {bits} bits")
            case CTLTYPE.STRUCT if isinstance(value, bytes):
                return value
        raise SysctlValueError(f"sysctl {node.name} is of type {node.type_name}: {value!r} is no value for it")

    @staticmethod
    def _integer_type(node: SysctlNode) -> str:
        sign = "u" if node.flags & CTLFLAG.UNSIGNED else ""
        return f"{sign}int32" if node.type == CTLTYPE.INT else f"{sign}int64"
