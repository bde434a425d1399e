# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of mounted file systems (sys/kern/vfs_mount.c)."""

from __future__ import annotations

from collections.abc import Iterator

from ..changes import mark_change
from ..errors import refuse
from .filesystem import MNT_LOCAL, MNT_RDONLY, FileSystem, Space
from .node import Node
from .rumpfs import RumpFs

MNT_IGNORE = 0x100000
MNT_FORCE = 0x80000
MNT_RELOAD = 0x40000
BASIC_FLAGS = (
    0x40 | 0x800000 | 0x1000000 | 0x2000000 | 0x4000000 | 0x8000 | 0x10 | 0x40000000
    | 0x4 | 0x8 | 0x1 | 0x20000 | 0x80000000 | 0x20000000 | 0x2 | 0x20
)  # fmt: skip
"""MNT_BASIC_FLAGS of sys/fstypes.h: those that mount(2) may set."""
VISIBLE_FLAGS = BASIC_FLAGS | MNT_IGNORE | 0xFF80 | 0x8000000 | 0x10000000
"""MNT_VISFLAGMASK: those that statvfs(2) shows."""


def filesystem_type(name: str) -> int:
    """A number made of a file system's name, part of its identity (makefstype)."""
    value = 0
    for letter in name.encode():
        value = (value << 2 ^ letter) & 0xFFFFFFFF
    return value


class MountTable:
    """Every mounted file system, in the order of their mounting; the first is the root's."""

    def __init__(self, root: RumpFs, root_flags: int) -> None:
        self._mounted: list[FileSystem] = []
        self._mount_number = 0
        self.root = root
        root.mounted_on = b"/"
        root.mounted_from = b"rumpfs"
        root.flags |= root_flags
        self._add(root)
        root.cached = Space(0, 0, 512)

    def __iter__(self) -> Iterator[FileSystem]:
        return iter(list(self._mounted))

    def __len__(self) -> int:
        return len(self._mounted)

    def _add(self, filesystem: FileSystem) -> None:
        filesystem.fsid = filesystem.own_fsid() or self._new_fsid(filesystem.type_name)
        self._mounted.append(filesystem)

    def _new_fsid(self, type_name: str) -> tuple[int, int]:
        """As vfs_getnewfsid: a device number of the type's, and the type."""
        kind = filesystem_type(type_name)
        self._mount_number = self._mount_number or 1
        taken = {filesystem.fsid for filesystem in self._mounted}
        fsid = ((kind & 0xFF) << 8 | self._mount_number, kind)
        while fsid in taken:
            self._mount_number += 1
            fsid = (fsid[0] + 1, kind)
        return fsid

    def attach(self, filesystem: FileSystem, covered: Node, flags: int, mounted_on: bytes, owner: int) -> None:
        """Cover a directory."""
        if covered.mounted is not None:
            raise refuse("EBUSY")
        filesystem.flags |= flags & (BASIC_FLAGS | MNT_IGNORE)
        filesystem.mounted_on = mounted_on
        filesystem.owner = owner
        filesystem.covered = covered
        covered.mounted = filesystem
        covered.filesystem.users += 1
        self._add(filesystem)
        filesystem.cached = filesystem.space()
        mark_change()

    @staticmethod
    def set_flags(filesystem: FileSystem, flags: int) -> None:
        """mount -u: the flags are those of this call; read-only comes and goes with them."""
        before = filesystem.flags
        filesystem.flags = (before & ~BASIC_FLAGS) | (flags & BASIC_FLAGS)
        if filesystem.flags != before:
            mark_change()

    def detach(self, filesystem: FileSystem, force: bool) -> None:
        """Uncover the directory; refused with EBUSY while something below is in use."""
        filesystem.check_unmount(force)
        covered = filesystem.covered
        assert covered is not None
        filesystem.unmounted()
        covered.mounted = None
        covered.filesystem.users -= 1
        self._mounted.remove(filesystem)
        mark_change()


__all__ = ["BASIC_FLAGS", "MNT_FORCE", "MNT_LOCAL", "MNT_RDONLY", "VISIBLE_FLAGS", "MountTable", "filesystem_type"]
