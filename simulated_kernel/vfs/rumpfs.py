# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The root file system of a rump kernel: rumpfs.

It has its own ways: every node is its own device (st_dev is st_ino), directories always have two
links and 512 bytes and list neither ``.`` nor ``..``, no time is ever updated, names cannot be moved
or linked. A host's files appear in its root under the keys given at the start (``--disk``).
Source: sys/rump/librump/rumpvfs/rumpfs.c.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator

from ..changes import mark_change
from ..clock import Clock
from ..errors import refuse
from ..storage import HostFile
from .filesystem import DEVICE_BLOCK, MNT_LOCAL, DirectoryEntry, FileSystem, Operation, Space
from .node import NO_DEVICE, Node
from .permissions import (
    EXECUTE,
    WRITE,
    Credentials,
    check_access,
    check_chflags,
    check_chmod,
    check_chown,
    check_chtimes,
)

DEFAULT_MODE = 0o755
MAX_PIECE = 1 << 24


class RumpFs(FileSystem):
    """rumpfs; only one is the root, others can be mounted. Node numbers are shared by all of a kernel."""

    type_name = "rumpfs"
    can_be_polled = False

    def __init__(self, clock: Clock, numbers: Iterator[int]) -> None:
        super().__init__(clock)
        self._number_source = numbers
        self.flags = MNT_LOCAL
        self.host_nodes: dict[bytes, Node] = {}
        """Nodes that stand for files of the host, by their path without its first slash."""
        self.root = self.new_root(DEFAULT_MODE)

    def next_number(self) -> int:
        return next(self._number_source)

    def next_component(self, directory: Node, path: bytes, operation: Operation) -> tuple[bytes, bytes, bool]:
        """A host file's key is one component, whatever slashes are in it."""
        if directory is self.root and path in self.host_nodes and operation in (Operation.LOOKUP, Operation.CREATE):
            return path, b"", False
        return super().next_component(directory, path, operation)

    def lookup(self, directory: Node, name: bytes, operation: Operation, last: bool, who: Credentials) -> Node | None:
        check_access(directory, EXECUTE, who)
        if last and self.read_only and operation in (Operation.DELETE, Operation.RENAME):
            raise refuse("EROFS")
        if name == b".":
            return directory
        if last and operation is Operation.RENAME:
            raise refuse("EOPNOTSUPP")
        if directory is self.root and name in self.host_nodes and operation in (Operation.LOOKUP, Operation.CREATE):
            return self.host_nodes[name]
        found = directory.parent if name == b".." else directory.entries.get(name)
        if found is None:
            if not last or operation is not Operation.CREATE:
                raise refuse("ENOENT")
            if self.read_only:
                raise refuse("EROFS")
            check_access(directory, WRITE, who)
            return None
        if last and operation is Operation.DELETE:
            check_access(directory, WRITE, who)
        return found

    def make(self, directory: Node, name: bytes, kind: int, mode: int, who: Credentials,
             rdev: int = NO_DEVICE, target: bytes = b"") -> Node:  # fmt: skip
        node = Node(self, kind, mode, self.next_number(), self.clock.now())
        node.rdev = rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else NO_DEVICE
        node.target = target
        if kind == stat.S_IFDIR:
            node.links, node.parent = 2, directory
        directory.entries[name] = node
        mark_change()
        return node

    def link(self, directory: Node, name: bytes, node: Node, who: Credentials) -> None:
        raise refuse("EOPNOTSUPP")

    def remove(self, directory: Node, name: bytes, node: Node) -> None:
        if node in self.host_nodes.values():
            raise refuse("EOPNOTSUPP")
        del directory.entries[name]
        mark_change()

    def remove_directory(self, directory: Node, name: bytes, node: Node) -> None:
        if node.entries:
            raise refuse("ENOTEMPTY")
        del directory.entries[name]
        node.parent = None
        mark_change()

    def directory_entries(self, node: Node, offset: int) -> Iterator[DirectoryEntry]:
        """The newest first."""
        entries = list(reversed(node.entries.items()))
        for index in range(offset, len(entries)):
            name, entry = entries[index]
            yield DirectoryEntry(entry.number, entry.dirent_type, name, index + 1)

    def directory_was_read(self, node: Node) -> None:
        """No time is updated."""

    def size_of(self, node: Node) -> int:
        if node.is_regular and isinstance(node.extra, HostFile):
            return node.extra.storage.size
        if node.is_regular or node.is_link:
            return super().size_of(node)
        return DEVICE_BLOCK

    def read(self, node: Node, offset: int, length: int) -> bytes:
        if isinstance(node.extra, HostFile):
            return node.extra.storage.read(offset, length)
        if offset > len(node.data):
            raise refuse("EINVAL")
        return super().read(node, offset, length)

    def store(self, node: Node, offset: int, data: bytes) -> None:
        if isinstance(node.extra, HostFile):
            node.extra.storage.write(offset, data)
            return
        super().store(node, offset, data)

    def resize(self, node: Node, size: int) -> None:
        if not isinstance(node.extra, HostFile):
            super().resize(node, size)

    def piece_size(self, node: Node, offset: int) -> int:
        """A host's file is read and written in one piece."""
        if isinstance(node.extra, HostFile):
            return MAX_PIECE
        return super().piece_size(node, offset)

    def blocks_of(self, node: Node) -> int:
        return 1

    def block_size_of(self, node: Node) -> int:
        return DEVICE_BLOCK

    def device_of(self, node: Node) -> int:
        return node.number

    def touch(self, node: Node, accessed: bool = False, modified: bool = False, changed: bool = False) -> None:
        """No time is updated."""

    def change_mode(self, node: Node, mode: int, who: Credentials) -> None:
        check_chmod(node, mode, who)
        node.mode = mode & 0o7777
        mark_change()

    def change_owner(self, node: Node, uid: int | None, gid: int | None, who: Credentials) -> None:
        uid = node.uid if uid is None else uid
        gid = node.gid if gid is None else gid
        check_chown(node, uid, gid, who)
        node.uid, node.gid = uid, gid
        mark_change()

    def change_flags(self, node: Node, flags: int, who: Credentials) -> None:
        check_chflags(node, who)
        node.flags = flags
        mark_change()

    def change_times(self, node: Node, atime: int | None, mtime: int | None, birthtime: int | None,
                     who: Credentials, only_now: bool) -> None:  # fmt: skip
        check_chtimes(node, who, only_now)
        if atime is not None:
            node.atime = atime
        if mtime is not None:
            node.mtime = mtime
        if birthtime is not None:
            node.birthtime = birthtime
        mark_change()

    def check_writable(self, node: Node) -> None:
        """File flags mean nothing here."""
        if self.read_only and (node.is_regular or node.is_directory or node.is_link):
            raise refuse("EROFS")

    def check_open(self, node: Node, writing: bool, appending: bool) -> None:
        """File flags mean nothing here."""

    def set_descriptor_flags(self, node: Node) -> None:
        """rump_vop_fcntl refuses every request of remote clients."""
        raise refuse("EINVAL")

    def truncate(self, node: Node, size: int) -> None:
        if not node.is_regular or isinstance(node.extra, HostFile) or size == len(node.data):
            return
        self.resize(node, size)
        mark_change()

    def space(self) -> Space:
        """Two blocks, "to keep df happy"."""
        return Space(DEVICE_BLOCK, DEVICE_BLOCK, DEVICE_BLOCK, blocks=2)
