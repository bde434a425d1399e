# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths: what they lead to, their names and links."""

from __future__ import annotations

import os
import stat as stat_module
from typing import Any, Final

from ..netbsd import Errno, KernelError
from ..netbsd.constants import AT
from ..netbsd.kernel_error import kernel_error
from ..netbsd.layout import Layout
from .base import StrPath, path_bytes
from .descriptors import Descriptors
from .processes import Processes

_MAX_LINKS: Final = 32  # MAXSYMLINKS of sys/param.h


class Files(Descriptors, Processes):
    """Shaped like ``os``. A path that is not absolute starts at the session's working directory."""

    # What a path is

    def stat(self, path: StrPath, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        """As ``os.stat``. What only NetBSD has (flags, generation, birth) is in :meth:`native_stat`."""
        return self.stat_in(*self._stat(path, dir_fd, follow_symlinks), os.fsdecode(path))

    def lstat(self, path: StrPath, *, dir_fd: int | None = None) -> os.stat_result:
        return self.stat(path, dir_fd=dir_fd, follow_symlinks=False)

    def native_stat(self, path: StrPath, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> Any:
        """The kernel's struct stat, with the members of sys/stat.h."""
        layout, buffer = self._stat(path, dir_fd, follow_symlinks)
        return layout.parse(buffer)

    def _stat(self, path: StrPath, dir_fd: int | None, follow_symlinks: bool) -> tuple[Layout, bytearray]:
        layout = self.abi.struct("stat")
        buffer = bytearray(layout.size)
        if dir_fd is not None:
            flag = 0 if follow_symlinks else AT.SYMLINK_NOFOLLOW
            self.call("fstatat", dir_fd, path_bytes(path), buffer, flag, subject=os.fsdecode(path))
        else:
            self.path_call("__stat50" if follow_symlinks else "__lstat50", path, buffer)
        return layout, buffer

    def exists(self, path: StrPath) -> bool:
        """Whether a stat of the path succeeds; False for a link that leads nowhere or round, and below a file."""
        return self._stat_or_none(path) is not None

    def isdir(self, path: StrPath) -> bool:
        found = self._stat_or_none(path)
        return found is not None and stat_module.S_ISDIR(found.st_mode)

    def isfile(self, path: StrPath) -> bool:
        found = self._stat_or_none(path)
        return found is not None and stat_module.S_ISREG(found.st_mode)

    def islink(self, path: StrPath) -> bool:
        found = self._stat_or_none(path, follow_symlinks=False)
        return found is not None and stat_module.S_ISLNK(found.st_mode)

    def lexists(self, path: StrPath) -> bool:
        """As :meth:`exists`; a link exists wherever it leads."""
        return self._stat_or_none(path, follow_symlinks=False) is not None

    def _stat_or_none(self, path: StrPath, *, follow_symlinks: bool = True) -> os.stat_result | None:
        try:
            return self.stat(path, follow_symlinks=follow_symlinks)
        except KernelError as error:
            if error.name in ("ENOENT", "ENOTDIR", "ELOOP"):
                return None
            raise

    def access(self, path: StrPath, mode: int, *, dir_fd: int | None = None) -> bool:
        """Whether the real user may: ``mode`` is ``os.F_OK`` or of ``os.R_OK``, ``W_OK`` and ``X_OK``."""
        try:
            if dir_fd is not None:
                self.call("faccessat", dir_fd, path_bytes(path), mode, 0, subject=os.fsdecode(path))
            else:
                self.path_call("access", path, mode)
        except KernelError:
            return False
        return True

    def readlink(self, path: StrPath, *, dir_fd: int | None = None) -> str:
        buffer = bytearray(1024)
        arguments = path_bytes(path), buffer, len(buffer)
        subject = os.fsdecode(path)
        if dir_fd is not None:
            count = self.number_call(len(buffer), "readlinkat", dir_fd, *arguments, subject=subject)
        else:
            count = self.number_call(len(buffer), "readlink", *arguments, subject=subject)
        target = bytes(buffer[:count])
        if b"\0" in target:
            raise self.broken(f"readlink {subject} ended with a path that holds a NUL byte")
        return os.fsdecode(target)

    def realpath(self, path: StrPath) -> str:
        """As ``os.path.realpath``: absolute, with no link in it; what does not exist stays as it is named.

        :raises KernelError: ELOOP, if the links go round.
        """
        text = os.path.join("/" if os.path.isabs(os.fsdecode(path)) else self.getcwd(), os.fsdecode(path))
        pending = text.split("/")[::-1]
        resolved, links = "/", 0
        while pending:
            name = pending.pop()
            if name in ("", "."):
                continue
            if name == "..":
                resolved = os.path.dirname(resolved)
                continue
            candidate = os.path.join(resolved, name)
            try:
                target = self.readlink(candidate)
            except KernelError as error:
                if error.name not in ("EINVAL", "ENOENT", "ENOTDIR"):
                    raise
                resolved = candidate  # not a link, or not there
                continue
            links += 1
            if links > _MAX_LINKS:
                raise kernel_error(Errno.ELOOP, "readlink", text)
            if target.startswith("/"):
                resolved = "/"
            pending.extend(target.split("/")[::-1])
        return resolved

    # Names

    def unlink(self, path: StrPath, *, dir_fd: int | None = None) -> None:
        if dir_fd is not None:
            self.call("unlinkat", dir_fd, path_bytes(path), 0, subject=os.fsdecode(path))
        else:
            self.path_call("unlink", path)

    remove = unlink

    def rename(
        self, source: StrPath, destination: StrPath, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        """As ``os.rename``: what was at ``destination`` is replaced at once.

        :raises KernelError: EOPNOTSUPP on the root file system, which cannot rename.
        """
        if src_dir_fd is None and dst_dir_fd is None:
            self._two_paths("rename", source, destination)
        else:
            sides = _directory(src_dir_fd), path_bytes(source), _directory(dst_dir_fd), path_bytes(destination)
            self.call("renameat", *sides, subject=_arrow(source, destination))

    replace = rename

    def link(
        self,
        source: StrPath,
        destination: StrPath,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        """A hard link ``destination`` to ``source``, or to what ``source`` points to if it is a symbolic link.

        Release 6 has no links to symbolic links, and no descriptors of directories.
        """
        plain = src_dir_fd is None and dst_dir_fd is None
        if plain and not follow_symlinks and not self.abi.has_syscall("linkat"):
            follow_symlinks = not self.islink(source)
        if plain and follow_symlinks:
            self._two_paths("link", source, destination)
            return
        sides = _directory(src_dir_fd), path_bytes(source), _directory(dst_dir_fd), path_bytes(destination)
        flag = AT.SYMLINK_FOLLOW if follow_symlinks else 0
        self.call("linkat", *sides, flag, subject=_arrow(source, destination), label="link")

    def symlink(self, source: StrPath, destination: StrPath, *, dir_fd: int | None = None) -> None:
        """A symbolic link ``destination`` that holds ``source``."""
        if dir_fd is not None:
            sides = path_bytes(source), dir_fd, path_bytes(destination)
            self.call("symlinkat", *sides, subject=_arrow(source, destination))
        else:
            self._two_paths("symlink", source, destination)

    def mkfifo(self, path: StrPath, mode: int = 0o666, *, dir_fd: int | None = None) -> None:
        """A named pipe. To open it, the kernel needs the component rumpvfs_fifofs."""
        if dir_fd is not None:
            self.call("mkfifoat", dir_fd, path_bytes(path), mode, subject=os.fsdecode(path))
        else:
            self.path_call("mkfifo", path, mode)

    def mknod(self, path: StrPath, mode: int = 0o600, device: int = 0, *, dir_fd: int | None = None) -> None:
        """A device or a regular file, by the type in ``mode``; ``device`` is a number of :func:`makedev`."""
        if dir_fd is not None:
            self.call("mknodat", dir_fd, path_bytes(path), mode, device, subject=os.fsdecode(path))
        else:
            self.path_call("__mknod50", path, mode, device)

    def truncate(self, path: StrPath, length: int) -> None:
        self.path_call("truncate", path, length)

    def _two_paths(self, name: str, source: StrPath, destination: StrPath) -> None:
        self.call(name, path_bytes(source), path_bytes(destination), subject=_arrow(source, destination))


def makedev(major: int, minor: int) -> int:
    """A device's number as NetBSD has it, which differs from the controller's (sys/types.h)."""
    return major << 8 & 0xFFF00 | minor << 12 & 0xFFF00000 | minor & 0xFF


def major(device: int) -> int:
    return device >> 8 & 0xFFF


def minor(device: int) -> int:
    return device >> 12 & 0xFFF00 | device & 0xFF


def _directory(dir_fd: int | None) -> int:
    return AT.FDCWD if dir_fd is None else dir_fd


def _arrow(source: StrPath, destination: StrPath) -> str:
    return f"{os.fsdecode(source)} -> {os.fsdecode(destination)}"
