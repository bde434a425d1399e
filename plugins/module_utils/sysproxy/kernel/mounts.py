# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mount points: mount(2), unmount(2) and the list of what is mounted."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Any, Final

from ..netbsd.constants import MNT, MNT_WAIT
from .base import Base, StrPath, path_bytes

_MOST_MOUNTS: Final = 1 << 12


@dataclass(frozen=True)
class MountPoint:
    """One entry of getvfsstat(2): sizes in bytes, ``flags`` as MNT_*."""

    path: str
    source: str
    fstype: str
    flags: MNT
    size: int
    free: int
    available: int
    files: int
    files_free: int


class Mounts(Base):
    """The kernel's mount points."""

    def mounts(self) -> list[MountPoint]:
        """All mount points, in the order in which they were mounted."""
        layout = self.abi.struct("statvfs")
        room = self.number_call(_MOST_MOUNTS, "getvfsstat", None, 0, MNT_WAIT.NOWAIT) + 8  # for those mounted meanwhile
        buffer = bytearray(layout.size * room)
        count = self.number_call(room, "getvfsstat", buffer, len(buffer), MNT_WAIT.WAIT)
        found = []
        for index in range(count):
            entry = layout.parse(buffer, index * layout.size)
            found.append(
                MountPoint(
                    path=os.fsdecode(entry.f_mntonname),
                    source=os.fsdecode(entry.f_mntfromname),
                    fstype=os.fsdecode(entry.f_fstypename),
                    flags=MNT(entry.f_flag & 0xFFFFFFFF),
                    size=entry.f_blocks * entry.f_frsize,
                    free=entry.f_bfree * entry.f_frsize,
                    available=entry.f_bavail * entry.f_frsize,
                    files=entry.f_files,
                    files_free=entry.f_ffree,
                )
            )
        return found

    def mount(
        self,
        fstype: str,
        path: StrPath,
        flags: int = 0,
        data: bytes | bytearray | None = None,
        *,
        source: StrPath = "",
    ) -> None:
        """mount(2): ``data`` is the file system's argument structure, None for one that has none.

        ``source`` is for errors: the device that ``data`` points to.
        """
        self.call(
            "__mount50",
            path_bytes(fstype),
            path_bytes(path),
            int(flags),
            data,
            len(data) if data is not None else 0,
            subject=" ".join(filter(None, (fstype, os.fsdecode(source), "on", os.fsdecode(path)))),
        )

    def mount_device(self, fstype: str, device: StrPath | None, path: StrPath, flags: int = 0) -> None:
        """mount(2) of a file system whose argument is its device (struct ufs_args).

        ``device`` is None for a change of what is mounted (MNT.UPDATE), which keeps its device.
        """
        with contextlib.ExitStack() as lendings:
            address = lendings.enter_context(self.session.lend(path_bytes(device))) if device is not None else 0
            self.mount(fstype, path, flags, self.abi.struct("ufs_args").build(fspec=address), source=device or "")

    def mount_arguments(self, fstype: str, path: StrPath, structure: str) -> Any:
        """The arguments in force of what is mounted at ``path``, as the file system's ``structure``.

        The structure is filled before the call with version 1, which tmpfs asks for (fs/tmpfs/tmpfs_args.h).
        """
        layout = self.abi.struct(structure)
        version = {"ta_version": 1} if "ta_version" in layout.offsets else {}
        data = bytearray(layout.build(**version))
        self.mount(fstype, path, MNT.GETARGS, data)
        return layout.parse(data)

    def unmount(self, path: StrPath, flags: int = 0) -> None:
        self.path_call("unmount", path, int(flags))
