# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems: their sizes and limits, and what is waiting to be written to them."""

from __future__ import annotations

import os
from typing import Any, Final

from ..netbsd.constants import MNT, MNT_WAIT, PC
from .base import Base, StrPath, path_bytes

_PATHCONF: Final = {f"PC_{name}": number for name, number in PC.__members__.items()}
_LARGEST: Final = 0x7FFFFFFF


class FileSystems(Base):
    """Shaped like ``os``."""

    def statvfs(self, path: StrPath) -> os.statvfs_result:
        """Of the file system that ``path`` is on. In ``f_flag`` ST_RDONLY is 1 and ST_NOSUID is 8, as in NetBSD."""
        layout = self.abi.struct("statvfs")
        buffer = bytearray(layout.size)
        self.call("statvfs1", path_bytes(path), buffer, MNT_WAIT.WAIT, subject=os.fsdecode(path), label="statvfs")
        return _statvfs_result(layout.parse(buffer))

    def fstatvfs(self, fd: int) -> os.statvfs_result:
        layout = self.abi.struct("statvfs")
        buffer = bytearray(layout.size)
        self.call("fstatvfs1", fd, buffer, MNT_WAIT.WAIT, label="fstatvfs")
        return _statvfs_result(layout.parse(buffer))

    def pathconf(self, path: StrPath, name: str | int) -> int:
        """A limit for a path: ``name`` is ``"PC_NAME_MAX"`` or the like, or a number of NetBSD's (:class:`PC`).

        :raises ValueError: NetBSD has no such name.
        :raises KernelError: EINVAL, the path has no such limit.
        """
        return self.number_call(
            _LARGEST, "pathconf", path_bytes(path), _variable(name), subject=f"{os.fsdecode(path)} {name}"
        )

    def fpathconf(self, fd: int, name: str | int) -> int:
        return self.number_call(_LARGEST, "fpathconf", fd, _variable(name), subject=f"{fd} {name}")

    def sync(self) -> None:
        """Start writing all that waits to be written, on every file system."""
        self.call("sync")


def _variable(name: str | int) -> int:
    if isinstance(name, int):
        return name
    if name not in _PATHCONF:
        raise ValueError(f"{name!r} is no limit of a path: those are {', '.join(_PATHCONF)}")
    return _PATHCONF[name]


def _statvfs_result(found: Any) -> os.statvfs_result:
    return os.statvfs_result(
        (
            found.f_bsize,
            found.f_frsize,
            found.f_blocks,
            found.f_bfree,
            found.f_bavail,
            found.f_files,
            found.f_ffree,
            found.f_favail,
            found.f_flag & int(MNT.RDONLY | MNT.NOSUID),
            found.f_namemax,
            found.f_fsid,
        )
    )
