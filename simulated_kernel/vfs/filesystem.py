# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all file systems have in common: directories, attributes, permissions, space.

The behaviour here is the one that most of NetBSD's file systems share (tmpfs and FFS); a file
system of its own kind overrides what it does otherwise.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from ..changes import mark_change
from ..clock import Clock
from ..errors import SyscallError, refuse
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
    check_sticky,
)

MNT_RDONLY = 0x1
MNT_LOCAL = 0x1000
MNT_ROOTFS = 0x4000
IMMUTABLE = 0x2 | 0x20000
"""UF_IMMUTABLE | SF_IMMUTABLE (sys/stat.h)."""
APPEND = 0x4 | 0x40000
"""UF_APPEND | SF_APPEND."""
UF_SETTABLE = 0xFFFF
SF_SETTABLE = 0xFFFF0000
LINK_MAX = 32767
DEVICE_BLOCK = 512
"""Bytes of the unit of st_blocks (DEV_BSIZE)."""
NAME_MAX = 255
PAGE = 4096
END_COOKIE, FIRST_COOKIE = 2, 3
"""Offsets in a directory: 0 and 1 are ``.`` and ``..``, the end is 2 (tmpfs.h, TMPFS_DIRSEQ_)."""


class Operation(Enum):
    """What a path is resolved for (sys/namei.h)."""

    LOOKUP = 0
    CREATE = 1
    DELETE = 2
    RENAME = 3


@dataclass(frozen=True)
class DirectoryEntry:
    """An entry as readdir gives it; ``next_offset`` is the directory's offset behind it."""

    number: int
    kind: int
    name: bytes
    next_offset: int


@dataclass(frozen=True)
class Space:
    """A file system's numbers for statvfs(2), in fragments and nodes."""

    block_size: int
    fragment_size: int
    io_size: int
    blocks: int = 0
    free: int = 0
    reserved: int = 0
    files: int = 0
    free_files: int = 0


class FileSystem:
    """One mounted file system."""

    type_name = ""
    """f_fstypename: the name that mount(2) takes."""
    entry_size: int | None = None
    """The size of all directory entries, where it does not depend on their names."""
    can_be_polled = True
    """Whether its files and directories serve poll(2)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.flags = MNT_LOCAL
        self.mounted_on = b""
        self.mounted_from = b""
        self.fsid = (0, 0)
        self.owner = 0
        self.covered: Node | None = None
        self.cached = Space(0, 0, 0)
        """The numbers of the last statvfs(2) that asked for fresh ones."""
        self.users = 0
        """Uses of its nodes by descriptors, processes and file systems mounted below."""
        self.dead = False
        """It was unmounted by force while nodes were in use."""
        self.can_become_read_only = True
        """Whether mount -u may make it read-only (IMNT_CAN_RWTORO)."""
        self.root: Node
        self._numbers = 1

    # Nodes

    @property
    def read_only(self) -> bool:
        return bool(self.flags & MNT_RDONLY)

    def next_number(self) -> int:
        """A number for a new node."""
        self._numbers += 1
        return self._numbers

    def new_root(self, mode: int, uid: int = 0, gid: int = 0) -> Node:
        node = Node(self, stat.S_IFDIR, mode, self.next_number(), self.clock.now())
        node.uid, node.gid, node.links, node.parent = uid, gid, 2, node
        return node

    def refuse_if_read_only(self) -> None:
        if self.read_only:
            raise refuse("EROFS")

    def link_length_limit(self) -> int:
        return 1024

    # Directories

    def next_component(self, directory: Node, path: bytes, operation: Operation) -> tuple[bytes, bytes, bool]:
        """(first component, what follows its slashes, whether slashes follow it)."""
        name, slash, rest = path.partition(b"/")
        return name, rest.lstrip(b"/"), bool(slash)

    def lookup(self, directory: Node, name: bytes, operation: Operation, last: bool, who: Credentials) -> Node | None:
        """The entry ``name``; None if there is none and ``operation`` may make one."""
        check_access(directory, EXECUTE, who)
        if last and self.read_only and operation in (Operation.DELETE, Operation.RENAME):
            raise refuse("EROFS")
        if directory.links == 0:
            raise refuse("ENOENT")
        if name == b"..":
            if last and operation is Operation.RENAME:
                raise refuse("EINVAL")
            if directory.parent is None:
                raise refuse("ENOENT")
            return directory.parent
        if name == b".":
            if last and operation is Operation.RENAME:
                raise refuse("EISDIR")
            return directory
        found = directory.entries.get(name)
        if found is None:
            if last and operation in (Operation.CREATE, Operation.RENAME):
                check_access(directory, WRITE, who)
                return None
            raise refuse("ENOENT")
        if last and operation in (Operation.DELETE, Operation.RENAME):
            check_access(directory, WRITE, who)
            check_sticky(directory, found, who)
        return found

    def make(self, directory: Node, name: bytes, kind: int, mode: int, who: Credentials,
             rdev: int = NO_DEVICE, target: bytes = b"") -> Node:  # fmt: skip
        """A new entry ``name`` of ``kind`` (stat.S_IF…) in ``directory``."""
        if directory.links == 0:
            raise refuse("ENOENT")
        if kind == stat.S_IFDIR and directory.links >= LINK_MAX:
            raise refuse("EMLINK")
        self.refuse_if_read_only()
        self.reserve_entry(name)
        try:
            self.reserve_node(target)
        except SyscallError:
            self.release_entry(name)
            raise
        node = Node(self, kind, mode, self.next_number(), self.clock.now())
        node.uid, node.gid = who.euid, directory.gid
        node.target = target
        if kind in (stat.S_IFCHR, stat.S_IFBLK):
            node.rdev = rdev
        node.links = 0
        if kind == stat.S_IFDIR:
            node.links = 1
        self._attach(directory, name, node)
        return node

    def _attach(self, directory: Node, name: bytes, node: Node) -> None:
        if not directory.entries:
            directory.next_cookie = FIRST_COOKIE
        directory.cookies[name] = directory.next_cookie
        directory.next_cookie += 1
        directory.entries[name] = node
        node.links += 1
        if node.is_directory:
            node.parent = directory
            directory.links += 1
        self.touch(directory, modified=True)
        mark_change()

    def _detach(self, directory: Node, name: bytes) -> Node:
        node = directory.entries.pop(name)
        del directory.cookies[name]
        self.release_entry(name)
        node.links -= 1
        if node.is_directory:
            node.parent = None
            directory.links -= 1
        self.touch(directory, modified=True)
        mark_change()
        return node

    def link(self, directory: Node, name: bytes, node: Node, who: Credentials) -> None:
        """A second name for ``node``, which is no directory."""
        if node.links >= LINK_MAX:
            raise refuse("EMLINK")
        if node.flags & (IMMUTABLE | APPEND):
            raise refuse("EPERM")
        self.reserve_entry(name)
        self._attach(directory, name, node)
        self.touch(node, changed=True)

    def remove(self, directory: Node, name: bytes, node: Node) -> None:
        """Remove the entry of anything but a directory."""
        if node.flags & (IMMUTABLE | APPEND) or directory.flags & APPEND:
            raise refuse("EPERM")
        self._detach(directory, name)
        if node.links:
            self.touch(node, changed=True)
        self.forget_if_unused(node)

    def remove_directory(self, directory: Node, name: bytes, node: Node) -> None:
        if node.entries:
            raise refuse("ENOTEMPTY")
        if directory.flags & APPEND or node.flags & (IMMUTABLE | APPEND):
            raise refuse("EPERM")
        node.links -= 1
        self._detach(directory, name)
        self.forget_if_unused(node)

    def rename(self, source: Node, source_name: bytes, node: Node,
               target: Node, target_name: bytes, replaced: Node | None) -> None:  # fmt: skip
        """Move ``node`` from ``source`` to ``target``, in the place of ``replaced`` if that is there."""
        if replaced is node:
            # Two names of one file: the old one goes (genfs_sane_rename; POSIX would keep both).
            if (source, source_name) != (target, target_name):
                self.remove(source, source_name, node)
            return
        if node.flags & (IMMUTABLE | APPEND) or source.flags & APPEND:
            raise refuse("EPERM")
        if replaced is not None:
            self._make_room(node, target, target_name, replaced)
        else:
            self.reserve_entry(target_name)
        if source is target:
            self._rename_in_place(source, source_name, target_name)
        else:
            self._detach(source, source_name)
            self._attach(target, target_name, node)
        self.touch(node, changed=True)

    def _rename_in_place(self, directory: Node, old: bytes, new: bytes) -> None:
        """Within a directory an entry keeps its place."""
        entries, cookies = dict(directory.entries), dict(directory.cookies)
        directory.entries.clear()
        directory.cookies.clear()
        for name, node in entries.items():
            shown = new if name == old else name
            directory.entries[shown] = node
            directory.cookies[shown] = cookies[name]
        self.release_entry(old)
        self.touch(directory, modified=True)
        mark_change()

    def _make_room(self, node: Node, target: Node, name: bytes, replaced: Node) -> None:
        if replaced.flags & (IMMUTABLE | APPEND) or target.flags & APPEND:
            raise refuse("EPERM")
        if node.is_directory:
            if not replaced.is_directory:
                raise refuse("ENOTDIR")
            self.remove_directory(target, name, replaced)
        else:
            if replaced.is_directory:
                raise refuse("EISDIR")
            self.remove(target, name, replaced)
        self.reserve_entry(name)

    def directory_entries(self, node: Node, offset: int) -> Iterator[DirectoryEntry]:
        """The entries from ``offset`` on, ``.`` and ``..`` first.

        Offsets are cookies that stay with an entry, so that what is removed meanwhile makes nobody skip others.
        """
        if not node.links or offset == END_COOKIE:
            return
        following = [*node.cookies.values(), END_COOKIE]
        if offset == 0:
            yield DirectoryEntry(node.number, node.dirent_type, b".", 1)
        if offset <= 1:
            parent = node.parent or node
            yield DirectoryEntry(parent.number, parent.dirent_type, b"..", following[0])
            offset = following[0]
        if offset == END_COOKIE:
            return
        if offset not in following:
            raise refuse("EINVAL")
        for index, (name, cookie) in enumerate(list(node.cookies.items())):
            if cookie >= offset or index >= following.index(offset):
                entry = node.entries[name]
                yield DirectoryEntry(entry.number, entry.dirent_type, name, following[index + 1])

    def directory_was_read(self, node: Node) -> None:
        self.touch(node, accessed=True)

    # Attributes

    def size_of(self, node: Node) -> int:
        """st_size."""
        if node.is_directory:
            return DEVICE_BLOCK
        if node.is_link:
            return len(node.target)
        return len(node.data)

    def blocks_of(self, node: Node) -> int:
        """st_blocks, in units of 512 bytes."""
        return -(-self.size_of(node) // DEVICE_BLOCK)

    def block_size_of(self, node: Node) -> int:
        """st_blksize."""
        return 4096

    def rdev_of(self, node: Node) -> int:
        """st_rdev."""
        return node.rdev if node.is_device else NO_DEVICE

    def device_of(self, node: Node) -> int:
        """st_dev."""
        return self.fsid[0]

    def touch(self, node: Node, accessed: bool = False, modified: bool = False, changed: bool = False) -> None:
        """Set the times that an operation sets; modifying changes the status too."""
        now = self.clock.now()
        if accessed:
            node.atime = now
        if modified:
            node.mtime = node.ctime = now
        if changed:
            node.ctime = now

    def change_mode(self, node: Node, mode: int, who: Credentials) -> None:
        self.refuse_if_read_only()
        self._refuse_if_immutable(node)
        check_chmod(node, mode, who)
        node.mode = mode & 0o7777
        self.touch(node, changed=True)
        mark_change()

    def change_owner(self, node: Node, uid: int | None, gid: int | None, who: Credentials) -> None:
        """None leaves the owner or the group as it is."""
        self.refuse_if_read_only()
        self._refuse_if_immutable(node)
        uid = node.uid if uid is None else uid
        gid = node.gid if gid is None else gid
        check_chown(node, uid, gid, who)
        node.uid, node.gid = uid, gid
        self.touch(node, changed=True)
        mark_change()

    def change_flags(self, node: Node, flags: int, who: Credentials) -> None:
        self.refuse_if_read_only()
        check_chflags(node, who)
        if (flags ^ node.flags) & SF_SETTABLE:
            node.flags = flags
        else:
            node.flags = node.flags & SF_SETTABLE | flags & UF_SETTABLE
        self.touch(node, changed=True)
        mark_change()

    def change_times(self, node: Node, atime: int | None, mtime: int | None, birthtime: int | None,
                     who: Credentials, only_now: bool) -> None:  # fmt: skip
        """None leaves a time as it is."""
        self.refuse_if_read_only()
        self._refuse_if_immutable(node)
        check_chtimes(node, who, only_now)
        if atime is not None:
            node.atime = atime
        if mtime is not None:
            node.mtime = mtime
        if birthtime is not None:
            node.birthtime = birthtime
        mark_change()

    def _refuse_if_immutable(self, node: Node) -> None:
        if node.flags & (IMMUTABLE | APPEND):
            raise refuse("EPERM")

    def check_open(self, node: Node, writing: bool, appending: bool) -> None:
        """The file system's own say in an open."""
        if node.flags & APPEND and writing and not appending:
            raise refuse("EPERM")

    def set_descriptor_flags(self, node: Node) -> None:
        """F_SETFL on an open file: most file systems have nothing to say."""

    def check_writable(self, node: Node) -> None:
        """A file that is to be written: not on a read-only file system, not immutable."""
        if self.read_only and (node.is_regular or node.is_directory or node.is_link):
            raise refuse("EROFS")
        if node.flags & IMMUTABLE:
            raise refuse("EPERM")

    # Content of regular files

    def piece_size(self, node: Node, offset: int) -> int:
        """How many bytes one copy moves at ``offset``: to the end of a page (ubc_uiomove)."""
        return PAGE - offset % PAGE

    def read(self, node: Node, offset: int, length: int) -> bytes:
        return node.data.read(offset, length)

    def was_read(self, node: Node) -> None:
        self.touch(node, accessed=True)

    def resize(self, node: Node, size: int) -> None:
        """Set a regular file's size; what is new is zeros. Times stay."""
        node.data.resize(size)

    def truncate(self, node: Node, size: int) -> None:
        """ftruncate and O_TRUNC on anything but a directory."""
        if not node.is_regular:
            if node.is_directory:
                raise refuse("EISDIR")
            if node.is_link:
                raise refuse("EOPNOTSUPP")
            return
        self.refuse_if_read_only()
        self._refuse_if_immutable(node)
        if size < 0:
            raise refuse("EINVAL")
        if size == self.size_of(node):
            return
        self.resize(node, size)
        self.touch(node, modified=True)
        mark_change()

    def make_room(self, node: Node, offset: int, length: int) -> None:
        """Let a regular file have room for bytes that are about to be stored, and hold them."""
        if offset + length > self.size_of(node):
            self.resize(node, offset + length)

    def store(self, node: Node, offset: int, data: bytes) -> None:
        """Overwrite a part of a regular file, which was resized to hold it."""
        node.data.write(offset, data)
        mark_change()

    def was_written(self, node: Node, by_root: bool) -> None:
        self.touch(node, modified=True)

    # Extended attributes

    def check_extended_attributes(self, space: str) -> None:
        """Refuse where there are none, or none of the name space (``user`` or ``system``)."""
        raise refuse("EOPNOTSUPP")

    def start_extended_attributes(self) -> None:
        raise refuse("EOPNOTSUPP")

    def stop_extended_attributes(self) -> None:
        raise refuse("EOPNOTSUPP")

    def mark_attribute_change(self) -> None:
        mark_change()

    # Space

    def reserve_entry(self, name: bytes) -> None:
        """Take the space of a directory entry, or refuse with ENOSPC."""

    def release_entry(self, name: bytes) -> None:
        """Give a directory entry's space back."""

    def reserve_node(self, target: bytes = b"") -> None:
        """Take the space of a node (and a link's target), or refuse with ENOSPC."""

    def forget_if_unused(self, node: Node) -> None:
        """Give a node's space back when neither a name nor a descriptor holds it."""

    def space(self) -> Space:
        return Space(DEVICE_BLOCK, DEVICE_BLOCK, DEVICE_BLOCK)

    # Life

    def own_fsid(self) -> tuple[int, int] | None:
        """The identity that the file system brings along; None to be given one."""
        return None

    def hold(self, node: Node) -> None:
        """Somebody uses ``node``."""
        node.users += 1
        self.users += 1

    def release(self, node: Node) -> None:
        node.users -= 1
        self.users -= 1
        if not node.users and not node.links and not self.dead:
            self.forget_if_unused(node)

    def check_unmount(self, force: bool) -> None:
        """Refuse with EBUSY while somebody uses a node."""
        if self.users and not force:
            raise refuse("EBUSY")

    def unmounted(self) -> None:
        """Called when the file system is gone."""
        self.dead = True
