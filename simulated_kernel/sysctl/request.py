# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A sysctl request's way through the tree, as sys/kern/kern_sysctl.c goes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..changes import mark_change
from ..errors import SyscallError, refuse
from ..rooms import Abi, Errno
from ..usermemory import UserMemory
from .node import CTLFLAG_ALIAS, SYSCTL_VERSION, SysctlNode

if TYPE_CHECKING:
    from ..kernel import SimulatedKernel
    from ..process import Process

CTL_QUERY, CTL_CREATE, CTL_CREATESYM, CTL_DESTROY, CTL_MMAP, CTL_DESCRIBE = -2, -3, -4, -5, -6, -7
NODE_SIZE = 96
MAX_DESCRIPTION = 1024


@dataclass
class SysctlRequest:
    """One __sysctl call: ``old`` and ``new`` are addresses in the client; ``old_length`` is set to what there was."""

    kernel: SimulatedKernel
    process: Process
    memory: UserMemory
    name: list[int]
    old: int
    old_length: int
    new: int
    new_length: int
    path: str = ""
    """The dotted name, for the journal."""
    _given: int = field(init=False)

    def __post_init__(self) -> None:
        self._given = self.old_length

    @property
    def abi(self) -> Abi:
        return self.memory.abi

    async def dispatch(self, root: SysctlNode) -> None:
        """Find the node and let it answer."""
        node, consumed, error = _locate(root, self.name)
        rest = self.name[consumed:]
        self.path = node.path() + "".join(f".{number}" for number in rest)
        if node.function is not None:
            await node.function(self, node, rest)
        elif error is None:
            await self.lookup(node, rest)
        elif error is Errno.ENOENT and len(rest) == 1 and rest[0] < 0:
            await self._ask_parent(node, rest[0])
        else:
            raise SyscallError(error)

    async def _ask_parent(self, node: SysctlNode, request: int) -> None:
        match request:
            case -2:
                await self.query(node)
            case -7:
                await self.describe(node)
            case -3 | -4 | -5:
                # Nodes can be made and removed in the real kernel; nobody does it here.
                raise refuse("EINVAL" if not self.new else "EPERM")
            case -6:
                raise refuse("EINVAL" if not self.new else "EOPNOTSUPP")
            case _:
                raise refuse("EOPNOTSUPP")

    # Queries

    async def _read_query(self, address: int, size: int) -> Any:
        """The struct sysctlnode that comes with a query (sysctl_cvt_in)."""
        if address == 0 or size < 4:
            raise refuse("EINVAL")
        flags = await self.memory.integer("uint32", address)
        if size != NODE_SIZE or flags & 0xFF000000 != SYSCTL_VERSION:
            raise refuse("EINVAL")
        return await self.memory.struct("sysctlnode", address)

    async def query(self, node: SysctlNode) -> None:
        """Describe the children, as many as there is room for."""
        if not node.is_node:
            raise refuse("ENOTDIR")
        asked = await self._read_query(self.new, self.new_length)
        version = asked.sysctl_ver
        if version and version != node.version:
            raise refuse("EINVAL")
        left, address = self.old_length, self.old
        for child in node.children:
            if address and left >= NODE_SIZE:
                await self.memory.copyout(address, child.describe(self.abi))
            if address:
                address += NODE_SIZE
            left -= min(left, NODE_SIZE)
        self.old_length = NODE_SIZE * len(node.children)

    async def describe(self, node: SysctlNode) -> None:
        """Give the descriptions: rump kernels are built without them, so all are empty."""
        if not node.is_node:
            raise refuse("ENOTDIR")
        only: int | None = None
        if self.new:
            asked = await self._read_query(self.new, self.new_length)
            if asked._sysctl_desc:
                raise refuse("EPERM")
            only = asked.sysctl_num
        left, address, total = self.old_length, self.old, 0
        for child in node.children:
            if only is not None and child.number != only:
                continue
            layout = self.abi.struct("sysctldesc_head")
            entry = layout.build(descr_num=child.number, descr_ver=child.version, descr_len=1) + bytes(4)
            if address and left >= len(entry):
                await self.memory.copyout(address, entry)
                left -= len(entry)
                address += len(entry)
            total += len(entry)
        if only is not None and total == 0:
            raise refuse("ENOENT")
        self.old_length = total

    # Values

    async def lookup(self, node: SysctlNode, rest: list[int]) -> None:
        """Read and write a value (sysctl_lookup)."""
        if node.is_node or rest:
            raise SyscallError(Errno[node.error or "EINVAL"])
        new = self.new if self.new_length else 0
        if new and not self.process.credentials.is_root:
            raise refuse("EPERM")
        if new and not node.writable:
            raise refuse("EPERM")
        if node.error:
            raise refuse(node.error)
        await self.give(node.encode(self.abi))
        if new:
            await self._store(node)

    async def give(self, raw: bytes) -> None:
        """Copy a value out, as much of it as there is room for; its length is told in any case."""
        if self.old:
            await self.memory.copyout(self.old, raw[: self.old_length])
        self.old_length = len(raw)

    async def _store(self, node: SysctlNode) -> None:
        if node.type == "string":
            raw = await self._new_string(node)
        else:
            if self.new_length != node.size:
                raise refuse("EINVAL")
            raw = await self.memory.copyin(self.new, self.new_length)
            if node.type == "bool" and raw[0] > 1:
                raise refuse("EINVAL")
        value = node.decode(self.abi, raw)
        if node.check is not None:
            node.check(value)
        before = node.current()
        node.set(value)
        if _as_bytes(before) != _as_bytes(value):
            mark_change()

    async def _new_string(self, node: SysctlNode) -> bytes:
        """A string may come without its NUL, if there is room for one."""
        if self.new_length > node.size:
            raise refuse("EINVAL")
        raw = await self.memory.copyin(self.new, self.new_length)
        if raw[-1:] != b"\0" and len(raw) == node.size:
            raise refuse("EINVAL")
        return raw

    async def read_only(self, raw: bytes) -> None:
        """For functions: give a value that nobody can write."""
        if self.new:
            raise refuse("EPERM")
        await self.give(raw)


def _as_bytes(value: object) -> object:
    """Text as bytes, to compare a string that came with one that was there at the start."""
    return value.encode() if isinstance(value, str) else value


def _locate(root: SysctlNode, name: list[int]) -> tuple[SysctlNode, int, Errno | None]:
    """(the deepest node found, how many numbers led there, why it went no further)."""
    node = root
    for index, number in enumerate(name):
        if not node.is_node:
            return node, index, Errno.ENOTDIR
        if not node.children:
            return node, index, Errno.ENOENT
        if node.children[0].any_number and number >= 0:
            node = node.children[0]
            continue
        found = node.child(number)
        if found is None:
            return node, index, Errno.ENOENT
        if found.flags & CTLFLAG_ALIAS and found.alias is not None:
            found = node.child(found.alias) or found
        node = found
    return node, len(name), None
