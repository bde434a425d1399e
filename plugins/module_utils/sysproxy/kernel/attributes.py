# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file's mode, owner, flags and times."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ..netbsd.constants import AT, UTIME
from .base import Base, StrPath, path_bytes, unsigned


class Attributes(Base):
    """Shaped like ``os``; NetBSD's flags are those of chflags(1)."""

    def chmod(self, path: StrPath, mode: int, *, follow_symlinks: bool = True) -> None:
        self.path_call("chmod" if follow_symlinks else "lchmod", path, mode)

    def chown(self, path: StrPath, uid: int, gid: int, *, follow_symlinks: bool = True) -> None:
        """-1 leaves an owner or group as it is."""
        self.path_call("chown" if follow_symlinks else "lchown", path, unsigned(uid), unsigned(gid))

    def utime(
        self,
        path: StrPath,
        times: tuple[float, float] | None = None,
        *,
        ns: tuple[int, int] | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        """As ``os.utime``: access and modification time in seconds, or ``ns`` in nanoseconds, or now.

        In ``ns`` a None stands for a time that is left as it is.
        """
        if times is not None:
            ns = (round(times[0] * 10**9), round(times[1] * 10**9))
        moments: Iterable[int | UTIME | None] = ns if ns is not None else (UTIME.NOW, UTIME.NOW)
        data = b"".join(self._timespec(moment) for moment in moments)
        flag = 0 if follow_symlinks else AT.SYMLINK_NOFOLLOW
        self.call("utimensat", AT.FDCWD, path_bytes(path), data, flag, subject=os.fsdecode(path))

    def _timespec(self, moment: int | None) -> bytes:
        layout = self.abi.struct("timespec")
        if moment is None:
            return layout.build(tv_nsec=UTIME.OMIT)
        if isinstance(moment, UTIME):
            return layout.build(tv_nsec=moment)
        seconds, nanoseconds = divmod(moment, 10**9)
        return layout.build(tv_sec=seconds, tv_nsec=nanoseconds)
