# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node of a file system: what NetBSD keeps in an inode, and its content."""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING, Any

from .content import Content
from .locks import LockList

if TYPE_CHECKING:
    from .filesystem import FileSystem

PERMISSIONS = 0o7777
NO_DEVICE = (1 << 64) - 1
"""st_rdev of a node that is no device (NODEV, VNOVAL)."""

_DIRENT_TYPE = {
    stat.S_IFIFO: 1,
    stat.S_IFCHR: 2,
    stat.S_IFDIR: 4,
    stat.S_IFBLK: 6,
    stat.S_IFREG: 8,
    stat.S_IFLNK: 10,
    stat.S_IFSOCK: 12,
}


def make_device(major: int, minor: int) -> int:
    """A dev_t (sys/types.h, makedev): the minor's upper bits stand above the major."""
    return (major << 8 & 0x000FFF00) | (minor << 12 & 0xFFF00000) | (minor & 0xFF)


def major_of(device: int) -> int:
    return (device & 0x000FFF00) >> 8


def minor_of(device: int) -> int:
    return (device & 0xFFF00000) >> 12 | (device & 0xFF)


class Node:
    """One file, directory, link or device. Times are nanoseconds since 1970."""

    def __init__(self, filesystem: FileSystem, kind: int, mode: int, number: int, now: int) -> None:
        self.filesystem = filesystem
        self.kind = kind
        """One of stat.S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK."""
        self.mode = mode & PERMISSIONS
        self.number = number
        self.uid = 0
        self.gid = 0
        self.links = 1
        self.flags = 0
        self.generation = 0
        self.rdev = NO_DEVICE
        self.atime = self.mtime = self.ctime = self.birthtime = now
        self.data = Content()
        """A regular file's content."""
        self.entries: dict[bytes, Node] = {}
        """A directory's entries in the order in which they were made, without ``.`` and ``..``."""
        self.cookies: dict[bytes, int] = {}
        """The offset in the directory at which each entry is found."""
        self.next_cookie = 0
        self.parent: Node | None = None
        """A directory's ``..``; None once it was removed."""
        self.target = b""
        """A symbolic link's."""
        self.mounted: FileSystem | None = None
        """The file system that covers this directory."""
        self.users = 0
        """Open descriptors, working directories and roots that hold the node."""
        self.extra: Any = None
        """What a driver or file system attaches: a socket bound here, the tree on an image, …"""
        self.extended_attributes: dict[bytes, bytes] = {}
        self._lock: asyncio.Lock | None = None
        self._locks: LockList | None = None

    @property
    def is_directory(self) -> bool:
        return self.kind == stat.S_IFDIR

    @property
    def is_regular(self) -> bool:
        return self.kind == stat.S_IFREG

    @property
    def is_link(self) -> bool:
        return self.kind == stat.S_IFLNK

    @property
    def is_device(self) -> bool:
        return self.kind in (stat.S_IFCHR, stat.S_IFBLK)

    @property
    def dirent_type(self) -> int:
        """The d_type of this node's directory entries (sys/dirent.h)."""
        return _DIRENT_TYPE[self.kind]

    @property
    def is_mount_root(self) -> bool:
        return self.filesystem.root is self

    @property
    def locks(self) -> LockList:
        """The advisory locks."""
        if self._locks is None:
            self._locks = LockList()
        return self._locks

    @property
    def lock(self) -> asyncio.Lock:
        """Held by whoever moves data, as a vnode's lock: writes to one file do not mix."""
        if self._lock is None:
            self._lock = asyncio.Lock()
        return self._lock
