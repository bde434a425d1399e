# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node of the sysctl tree."""

from __future__ import annotations

import bisect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..rooms import Abi

if TYPE_CHECKING:
    from .request import SysctlRequest

TYPES = {"node": 1, "int": 2, "string": 3, "quad": 4, "struct": 5, "bool": 6}
CTLFLAG_READWRITE = 0x70
CTLFLAG_PERMANENT = 0x200
CTLFLAG_IMMEDIATE = 0x800
CTLFLAG_ANYNUMBER = 0x4000
CTLFLAG_ALIAS = 0x10000
SYSCTL_VERSION = 0x01000000
# Stands for the addresses that the kernel shows in a struct sysctlnode; nobody may follow them.
SOME_ADDRESS = 0x15_0000_0000

Function = Callable[["SysctlRequest", "SysctlNode", list[int]], Awaitable[None]]


@dataclass(eq=False)
class SysctlNode:
    """One node. ``value`` is an int, a bool, text or bytes, according to ``type``."""

    number: int
    name: str
    type: str
    flags: int = 0
    version: int = 0
    size: int = 0
    """sysctl_size; 0 where a function decides."""
    slots: int = 0
    """How many children a node's table has room for."""
    value: Any = None
    error: str | None = None
    """The errno with which a value is refused that is not simulated."""
    zeros: int | None = None
    """A structure of so many zero bytes: counters of what never happens here."""
    alias: int | None = None
    """The number of the node that an alias (CTLFLAG_ALIAS) stands for."""
    bare: bool = False
    """A string that comes without its NUL."""
    has_function: bool = False
    """The kernel serves it with a function of its own, which shows in its description."""
    has_data: bool = False
    function: Function | None = None
    """Serves the requests in the place of the general code."""
    check: Callable[[Any], None] | None = None
    """Refuses a new value."""
    written: Callable[[Any], None] | None = None
    """Told of a new value."""
    compute: Callable[[], Any] | None = None
    """Gives the value of the moment."""
    children: list[SysctlNode] = field(default_factory=list)
    parent: SysctlNode | None = None
    twin: SysctlNode | None = None
    """A node that shows the same variable."""

    @property
    def is_node(self) -> bool:
        return self.type == "node"

    @property
    def writable(self) -> bool:
        return bool(self.flags & CTLFLAG_READWRITE)

    @property
    def any_number(self) -> bool:
        return bool(self.flags & CTLFLAG_ANYNUMBER)

    def child(self, number: int) -> SysctlNode | None:
        for node in self.children:
            if node.number == number:
                return node
        return None

    def named(self, name: str) -> SysctlNode:
        """The child of a name. :raises KeyError: there is none."""
        for node in self.children:
            if node.name == name:
                return node
        raise KeyError(name)

    def add(self, node: SysctlNode) -> SysctlNode:
        """Add a child, at its number's place."""
        node.parent = self
        bisect.insort(self.children, node, key=lambda child: child.number)
        self.slots = max(self.slots, 1 << (len(self.children) - 1).bit_length() if self.children else 0)
        return node

    # Values

    def current(self) -> Any:
        if self.compute is not None:
            return self.compute()
        return self.twin.current() if self.twin is not None else self.value

    def set(self, value: Any) -> None:
        if self.twin is not None:
            self.twin.set(value)
            return
        self.value = value
        if self.written is not None:
            self.written(value)

    def encode(self, abi: Abi) -> bytes:
        """The value's bytes."""
        if self.zeros is not None:
            return bytes(self.zeros)
        value = self.current()
        match self.type:
            case "int" | "quad":
                width = 64 if self.size == 8 else 32
                value = (value + (1 << width - 1)) % (1 << width) - (1 << width - 1)
                return abi.integer("int64" if width == 64 else "int32", value)
            case "bool":
                return bytes([bool(value)])
            case "string":
                text = value if isinstance(value, bytes) else value.encode()
                return text if self.bare else text + b"\0"
            case _:
                return value

    def decode(self, abi: Abi, raw: bytes) -> Any:
        """A value of this type from its bytes."""
        match self.type:
            case "int" | "quad":
                return abi.read_integer("int64" if self.size == 8 else "int32", raw)
            case "bool":
                return bool(raw[0])
            case "string":
                return raw.split(b"\0")[0]
            case _:
                return raw

    def describe(self, abi: Abi) -> bytes:
        """The struct sysctlnode that a query gives (sys/sysctl.h)."""
        if self.alias is not None:
            union = abi.integer("int32", self.alias) + bytes(12)
        elif self.is_node:
            union = abi.integers("uint32", self.slots, len(self.children)) + abi.integer("uint64", SOME_ADDRESS)
        elif self.flags & CTLFLAG_IMMEDIATE:
            raw = self.encode(abi)
            union = raw + bytes(16 - len(raw))
        else:
            union = abi.integer("pointer", SOME_ADDRESS & 0xFFFFFFFF if self.has_data else 0)
            union += bytes(16 - len(union))
        address = SOME_ADDRESS & (1 << 8 * abi.word_size) - 1
        return abi.struct("sysctlnode").build(
            sysctl_flags=SYSCTL_VERSION | self.flags | TYPES[self.type],
            sysctl_num=self.number,
            sysctl_name=self.name.encode(),
            sysctl_ver=self.version,
            sysctl_un=union,
            _sysctl_size=96 if self.is_node else self.size,
            _sysctl_func=address if self.has_function or self.function is not None else 0,
            _sysctl_parent=address,
        )

    def path(self) -> str:
        """The dotted name."""
        names: list[str] = []
        node: SysctlNode | None = self
        while node is not None and node.parent is not None:
            names.append(node.name)
            node = node.parent
        return ".".join(reversed(names))
