# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file system in memory with limits of bytes and nodes: tmpfs.

It counts its bytes as the kernel does, structure by structure, because statvfs(2) and ENOSPC show
it. Source: sys/fs/tmpfs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from ..changes import mark_change
from ..clock import Clock
from ..errors import refuse
from .filesystem import FileSystem, Space
from .node import Node

PAGE = 4096
UNLIMITED = (1 << 64) - 1
MAX_NODES = (1 << 31) - 1
NAME_QUANTUM = 32
# What a kernel of 512 MiB has left for file systems, in pages.
MEMORY_PAGES = 131_072


@dataclass(frozen=True)
class StructureSizes:
    """Bytes of a struct tmpfs_node and a struct tmpfs_dirent, which depend on the ABI."""

    node: int
    entry: int


SIZES = {(8, 8): StructureSizes(216, 48), (4, 4): StructureSizes(140, 24), (4, 8): StructureSizes(168, 24)}
"""By (word size, alignment of a 64-bit integer)."""


def round_to_page(size: int) -> int:
    return -(-size // PAGE) * PAGE


class TmpFs(FileSystem):
    """One tmpfs mount."""

    type_name = "tmpfs"

    def __init__(self, clock: Clock, sizes: StructureSizes, size_limit: int, node_limit: int,
                 mode: int, uid: int, gid: int) -> None:  # fmt: skip
        super().__init__(clock)
        self._sizes = sizes
        # Node numbers are addresses divided by the node's size: large, falling, never reused soon.
        self._addresses = count(0x96ACC261A0 if sizes.node == 216 else 0x1A6A17C, -1)
        self.size_limit = UNLIMITED if size_limit < PAGE else size_limit
        self.node_limit = min(node_limit if node_limit > 3 else 3 + self.size_limit // 1024, MAX_NODES)
        self.bytes_used = 0
        self.nodes_used = 0
        self.reserve_node()
        self.root = self.new_root(mode, uid, gid)

    def update(self, size_limit: int, node_limit: int, mode: int, uid: int, gid: int) -> None:
        """mount -u: new limits, and the root's attributes."""
        if node_limit > 3 and min(node_limit, MAX_NODES) < self.nodes_used:
            raise refuse("EBUSY")
        if size_limit >= PAGE:
            if round_to_page(self.bytes_used) >= size_limit:
                raise refuse("EBUSY")
            self.size_limit = size_limit
        if node_limit > 3:
            self.node_limit = min(node_limit, MAX_NODES)
        self.root.mode, self.root.uid, self.root.gid = mode, uid, gid
        mark_change()

    def next_number(self) -> int:
        return next(self._addresses)

    # Space

    def _bytes_limit(self) -> int:
        return min(self.size_limit, round_to_page(self.bytes_used) + MEMORY_PAGES * PAGE)

    def _reserve(self, size: int) -> None:
        if self.bytes_used + size >= self._bytes_limit():
            raise refuse("ENOSPC")
        self.bytes_used += size

    def _entry_size(self, name: bytes) -> int:
        return self._sizes.entry + -(-len(name) // NAME_QUANTUM) * NAME_QUANTUM

    def _target_size(self, target: bytes) -> int:
        return -(-len(target) // NAME_QUANTUM) * NAME_QUANTUM

    def reserve_entry(self, name: bytes) -> None:
        self._reserve(self._entry_size(name))

    def release_entry(self, name: bytes) -> None:
        self.bytes_used -= self._entry_size(name)

    def reserve_node(self, target: bytes = b"") -> None:
        if self.nodes_used + 1 >= self.node_limit:
            raise refuse("ENOSPC")
        self._reserve(self._sizes.node + self._target_size(target))
        self.nodes_used += 1

    def forget_if_unused(self, node: Node) -> None:
        if node.links or node.users:
            return
        self.nodes_used -= 1
        self.bytes_used -= self._sizes.node + self._target_size(node.target) + round_to_page(len(node.data))
        node.data.clear()
        node.target = b""
        node.users = -1

    def space(self) -> Space:
        free = (self._bytes_limit() - self.bytes_used) // PAGE
        free_nodes = min(self.node_limit - self.nodes_used, free * PAGE // self._sizes.node)
        blocks = self._bytes_limit() // PAGE
        return Space(PAGE, PAGE, PAGE, blocks, free, 0, self.nodes_used + free_nodes, free_nodes)

    # Files

    def size_of(self, node: Node) -> int:
        if node.is_directory:
            return len(node.entries) * self._sizes.entry
        return super().size_of(node)

    def blocks_of(self, node: Node) -> int:
        return round_to_page(self.size_of(node)) // 512

    def resize(self, node: Node, size: int) -> None:
        pages = round_to_page(size) - round_to_page(len(node.data))
        if pages > 0:
            self._reserve(pages)
        else:
            self.bytes_used += pages
        super().resize(node, size)
