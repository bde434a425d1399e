# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file's mode, owner, flags and times."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from ..netbsd.constants import AT, SF, UF, UTIME
from .base import StrPath, id_or_unchanged, path_bytes
from .files import Files

# chflags(1): the first name of each flag is the one that is told.
_FLAG_NAMES: Final[dict[str, int]] = {
    "nodump": UF.NODUMP,
    "uchg": UF.IMMUTABLE,
    "uappnd": UF.APPEND,
    "opaque": UF.OPAQUE,
    "arch": SF.ARCHIVED,
    "schg": SF.IMMUTABLE,
    "sappnd": SF.APPEND,
    "snap": SF.SNAPSHOT,
    "log": SF.LOG,
    "snapinval": SF.SNAPINVAL,
}
_OTHER_NAMES: Final[dict[str, int]] = {
    "uchange": UF.IMMUTABLE,
    "uimmutable": UF.IMMUTABLE,
    "uappend": UF.APPEND,
    "archived": SF.ARCHIVED,
    "schange": SF.IMMUTABLE,
    "simmutable": SF.IMMUTABLE,
    "sappend": SF.APPEND,
    "snapshot": SF.SNAPSHOT,
}


class Attributes(Files):
    """Shaped like ``os``; NetBSD's flags are those of chflags(1)."""

    def chmod(self, path: StrPath, mode: int, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> None:
        if dir_fd is not None:
            self._at("fchmodat", dir_fd, path, mode, follow_symlinks=follow_symlinks)
        else:
            self.path_call("chmod" if follow_symlinks else "lchmod", path, mode)

    def fchmod(self, fd: int, mode: int) -> None:
        self.call("fchmod", fd, mode)

    def chown(
        self, path: StrPath, uid: int, gid: int, *, dir_fd: int | None = None, follow_symlinks: bool = True
    ) -> None:
        """-1 leaves an owner or group as it is."""
        if dir_fd is not None:
            self._at(
                "fchownat", dir_fd, path, id_or_unchanged(uid), id_or_unchanged(gid), follow_symlinks=follow_symlinks
            )
        else:
            self.path_call("chown" if follow_symlinks else "lchown", path, id_or_unchanged(uid), id_or_unchanged(gid))

    def fchown(self, fd: int, uid: int, gid: int) -> None:
        self.call("fchown", fd, id_or_unchanged(uid), id_or_unchanged(gid))

    def chflags(self, path: StrPath, flags: int, *, follow_symlinks: bool = True) -> None:
        """Set all of a file's flags, as :class:`UF` and :class:`SF` have them; see :func:`flags_of_names`.

        The flags in force are ``native_stat(path).st_flags``.

        :raises KernelError: EOPNOTSUPP where the file system has no flags.
        """
        self.path_call("chflags" if follow_symlinks else "lchflags", path, flags)

    def fchflags(self, fd: int, flags: int) -> None:
        self.call("fchflags", fd, flags)

    def utime(
        self,
        path: StrPath,
        times: tuple[float, float] | None = None,
        *,
        ns: tuple[int | None, int | None] | None = None,
        dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        """As ``os.utime``: access and modification time in seconds, or ``ns`` in nanoseconds, or now.

        In ``ns`` a None stands for a time that is left as it is. Release 6 has microseconds only, and no ``dir_fd``.
        """
        data = self.timespecs(times, ns)
        if dir_fd is None and not self.abi.has_syscall("utimensat"):
            self._utimes(path, data, follow_symlinks)
            return
        self._at("utimensat", AT.FDCWD if dir_fd is None else dir_fd, path, data, follow_symlinks=follow_symlinks)

    def _utimes(self, path: StrPath, timespecs: bytes, follow_symlinks: bool) -> None:
        """:meth:`utime` where there is no utimensat(2)."""
        layout, wanted = self.abi.struct("timespec"), self.abi.struct("timeval")
        moments = [layout.parse(timespecs, offset) for offset in (0, layout.size)]
        times: bytes | None = None
        if any(moment.tv_nsec != UTIME.NOW for moment in moments):
            found = self.native_stat(path, follow_symlinks=follow_symlinks)
            kept = found.st_atim, found.st_mtim
            chosen = [old if new.tv_nsec == UTIME.OMIT else new for new, old in zip(moments, kept, strict=True)]
            times = b"".join(wanted.build(tv_sec=time.tv_sec, tv_usec=time.tv_nsec // 1000) for time in chosen)
        self.path_call("__utimes50" if follow_symlinks else "__lutimes50", path, times)

    def futime(
        self,
        fd: int,
        times: tuple[float, float] | None = None,
        *,
        ns: tuple[int | None, int | None] | None = None,
    ) -> None:
        """:meth:`utime` of a descriptor."""
        self.call("futimens", fd, self.timespecs(times, ns))

    def _at(self, name: str, dir_fd: int, path: StrPath, *arguments: int | bytes, follow_symlinks: bool = True) -> None:
        flag = 0 if follow_symlinks else AT.SYMLINK_NOFOLLOW
        self.call(name, dir_fd, path_bytes(path), *arguments, flag, subject=os.fsdecode(path))

    def timespecs(
        self, times: tuple[float, float] | None = None, ns: tuple[int | None, int | None] | None = None
    ) -> bytes:
        """The two struct timespec of utimensat(2) and futimens(2), for :meth:`utime`'s arguments."""
        if times is not None:
            if ns is not None:
                raise ValueError("either times or ns, not both")
            ns = (round(times[0] * 10**9), round(times[1] * 10**9))
        moments: Iterable[int | UTIME | None] = ns if ns is not None else (UTIME.NOW, UTIME.NOW)
        return b"".join(self._timespec(moment) for moment in moments)

    def _timespec(self, moment: int | None) -> bytes:
        layout = self.abi.struct("timespec")
        if moment is None:
            return layout.build(tv_nsec=UTIME.OMIT)
        if isinstance(moment, UTIME):
            return layout.build(tv_nsec=moment)
        seconds, nanoseconds = divmod(moment, 10**9)
        return layout.build(tv_sec=seconds, tv_nsec=nanoseconds)


def names_of_flags(flags: int) -> list[str]:
    """The names that chflags(1) has for a file's flags, such as ``["nodump", "schg"]``; a bit without one as hex."""
    names = [name for name, bit in _FLAG_NAMES.items() if flags & bit]
    unknown = flags & ~sum(_FLAG_NAMES.values())
    return [*names, hex(unknown)] if unknown else names


def flags_of_names(names: Iterable[str]) -> int:
    """A file's flags by their names in chflags(1), long ones included.

    :raises ValueError: there is no such flag.
    """
    flags = 0
    for name in names:
        bit = _FLAG_NAMES.get(name, _OTHER_NAMES.get(name))
        if bit is None:
            raise ValueError(f"{name!r} is no file flag: those are {', '.join(_FLAG_NAMES)}")
        flags |= bit
    return flags
