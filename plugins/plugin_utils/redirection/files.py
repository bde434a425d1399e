# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths in a module's Python are the kernel's: the functions of ``os`` that take one.

They have the shapes of Python's own: bytes in, bytes out; a descriptor where ``os`` takes one in a path's place.
"""

from __future__ import annotations

import functools
import os
import stat as stat_module
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, Self, TypeVar

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import files as native
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.directories import DirEntry as Found

from .descriptors import Descriptors

_Text = TypeVar("_Text", str, bytes)
_CANNOT_RENAME: Final = "EOPNOTSUPP"


class Files:
    """The functions of ``os`` on paths, by their names there."""

    def __init__(self, kernel: Kernel, descriptors: Descriptors, note: Callable[[str], None]) -> None:
        """``note`` takes what the user should know of how a function was done."""
        self._kernel = kernel
        self._descriptors = descriptors
        self._note = note

    # What a path is

    def stat(self, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        if isinstance(path, int):
            return self._descriptors.fstat(path)
        return self._kernel.stat(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    def lstat(self, path: Any, *, dir_fd: int | None = None) -> os.stat_result:
        return self._kernel.lstat(path, dir_fd=dir_fd)

    def statvfs(self, path: Any) -> os.statvfs_result:
        return self._descriptors.fstatvfs(path) if isinstance(path, int) else self._kernel.statvfs(path)

    def access(
        self,
        path: Any,
        mode: int,
        *,
        dir_fd: int | None = None,
        effective_ids: bool = False,
        follow_symlinks: bool = True,
    ) -> bool:
        """The session's real and effective user are one."""
        if not follow_symlinks:
            raise NotImplementedError("access: follow_symlinks unavailable on this platform")
        return self._kernel.access(path, mode, dir_fd=dir_fd)

    def readlink(self, path: Any, *, dir_fd: int | None = None) -> str | bytes:
        return like(path, self._kernel.readlink(path, dir_fd=dir_fd))

    def pathconf(self, path: Any, name: str | int) -> int:
        return self._kernel.fpathconf(path, name) if isinstance(path, int) else self._kernel.pathconf(path, name)

    def fpathconf(self, fd: int, name: str | int) -> int:
        return self._kernel.fpathconf(fd, name)

    # Directories

    def listdir(self, path: Any = None) -> list[Any]:
        where = "." if path is None else path
        return [like(where, name) for name in self._kernel.listdir(where)]

    def scandir(self, path: Any = None) -> ScanDir:
        return ScanDir(self._kernel, "." if path is None else path)

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        self._kernel.mkdir(path, mode, dir_fd=dir_fd)

    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._kernel.rmdir(path, dir_fd=dir_fd)

    def chdir(self, path: Any) -> None:
        if isinstance(path, int):
            self._descriptors.fchdir(path)
        else:
            self._kernel.chdir(path)

    def chroot(self, path: Any) -> None:
        self._kernel.chroot(path)

    def getcwd(self) -> str:
        return self._kernel.getcwd()

    def getcwdb(self) -> bytes:
        return os.fsencode(self._kernel.getcwd())

    # Names

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._kernel.unlink(path, dir_fd=dir_fd)

    remove = unlink

    def rename(self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        """Where the file system has no rename, as the root file system, a file's content and attributes move.

        Without it next to no module could change a file there.
        """
        try:
            self._kernel.rename(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        except KernelError as error:
            if error.name != _CANNOT_RENAME or src_dir_fd is not None or dst_dir_fd is not None:
                raise
            if not self._moved(src, dst):
                raise

    replace = rename

    def _moved(self, src: Any, dst: Any) -> bool:
        """Whether the file or link ``src`` could be moved to ``dst`` with no rename."""
        found = self._kernel.lstat(src)
        there = self._kernel.lexists(dst)
        if there and stat_module.S_ISDIR(self._kernel.lstat(dst).st_mode):
            return False
        if stat_module.S_ISLNK(found.st_mode):
            target = self._kernel.readlink(src)
            if there:
                self._kernel.unlink(dst)
            self._kernel.symlink(target, dst)
        elif stat_module.S_ISREG(found.st_mode):
            if there and not stat_module.S_ISREG(self._kernel.lstat(dst).st_mode):
                self._kernel.unlink(dst)  # else its content would go through a link or into a device
            self._kernel.write_file(dst, self._kernel.read_file(src), mode=0o600)
            self._kernel.chown(dst, found.st_uid, found.st_gid)
            self._kernel.chmod(dst, stat_module.S_IMODE(found.st_mode))
            self._kernel.utime(dst, ns=(found.st_atime_ns, found.st_mtime_ns))
            self._note(
                "a file system without rename, such as the kernel's root file system, holds files that were changed: "
                "their content was written over, not replaced at once"
            )
        else:
            return False
        self._kernel.unlink(src)
        return True

    def link(
        self,
        src: Any,
        dst: Any,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        self._kernel.link(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=follow_symlinks)

    def symlink(self, src: Any, dst: Any, target_is_directory: bool = False, *, dir_fd: int | None = None) -> None:
        self._kernel.symlink(src, dst, dir_fd=dir_fd)

    def mkfifo(self, path: Any, mode: int = 0o666, *, dir_fd: int | None = None) -> None:
        self._kernel.mkfifo(path, mode, dir_fd=dir_fd)

    def mknod(self, path: Any, mode: int = 0o600, device: int = 0, *, dir_fd: int | None = None) -> None:
        self._kernel.mknod(path, mode, device, dir_fd=dir_fd)

    def truncate(self, path: Any, length: int) -> None:
        if isinstance(path, int):
            self._descriptors.ftruncate(path, length)
        else:
            self._kernel.truncate(path, length)

    # Attributes

    def chmod(self, path: Any, mode: int, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> None:
        if isinstance(path, int):
            self._descriptors.fchmod(path, mode)
        else:
            self._kernel.chmod(path, mode, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    def lchmod(self, path: Any, mode: int) -> None:
        self._kernel.chmod(path, mode, follow_symlinks=False)

    def chown(self, path: Any, uid: int, gid: int, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> None:
        if isinstance(path, int):
            self._descriptors.fchown(path, uid, gid)
        else:
            self._kernel.chown(path, uid, gid, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    def lchown(self, path: Any, uid: int, gid: int) -> None:
        self._kernel.chown(path, uid, gid, follow_symlinks=False)

    def chflags(self, path: Any, flags: int, follow_symlinks: bool = True) -> None:
        self._kernel.chflags(path, flags, follow_symlinks=follow_symlinks)

    def lchflags(self, path: Any, flags: int) -> None:
        self._kernel.chflags(path, flags, follow_symlinks=False)

    def utime(
        self,
        path: Any,
        times: tuple[float, float] | None = None,
        *,
        ns: tuple[int, int] | None = None,
        dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        if isinstance(path, int):
            self._kernel.futime(path, times, ns=ns)
        else:
            self._kernel.utime(path, times, ns=ns, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    # Devices' numbers are NetBSD's

    def makedev(self, major: int, minor: int, /) -> int:
        return native.makedev(major, minor)

    def major(self, device: int, /) -> int:
        return native.major(device)

    def minor(self, device: int, /) -> int:
        return native.minor(device)

    def sync(self) -> None:
        self._kernel.sync()


class DirEntry(Generic[_Text]):
    """As ``os.DirEntry``."""

    def __init__(self, kernel: Kernel, found: Found, name: _Text, path: _Text) -> None:
        self._kernel = kernel
        self._found = found
        self.name: _Text = name
        self.path: _Text = path

    def inode(self) -> int:
        return self._found.inode

    def is_symlink(self) -> bool:
        return self._found.is_symlink()

    def is_junction(self) -> bool:
        return False

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        if follow_symlinks and self._found.is_symlink():
            return self._kernel.isdir(self.path)
        return self._found.is_dir()

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        if follow_symlinks and self._found.is_symlink():
            return self._kernel.isfile(self.path)
        return self._found.is_file()

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return self._kernel.stat(self.path, follow_symlinks=follow_symlinks)

    def __fspath__(self) -> _Text:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"


class ScanDir(Iterator[Any]):
    """What ``os.scandir`` gives: an iterator, to be closed if it is not gone through to its end."""

    def __init__(self, kernel: Kernel, path: Any) -> None:
        self._kernel = kernel
        self._path = os.fspath(path)
        # The directory is read here, as os.scandir raises what is wrong with it at once.
        self._entries: Iterator[Found] = iter(list(kernel.scandir(path)))

    def __next__(self) -> DirEntry[Any]:
        found = next(self._entries)
        name = like(self._path, found.name)
        return DirEntry(self._kernel, found, name, os.path.join(self._path, name))

    def close(self) -> None:
        self._entries = iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()


def naming(function: Callable[..., Any], of_two: bool = False) -> Callable[..., Any]:
    """``function``, whose errors name its first argument as Python's do: as ``filename``, and as it was given."""

    @functools.wraps(function)
    def named(*arguments: Any, **more: Any) -> Any:
        try:
            return function(*arguments, **more)
        except KernelError as error:
            if error.filename is None and arguments:
                error.filename = arguments[0]
                if of_two and len(arguments) > 1:
                    error.filename2 = arguments[1]
            raise

    return named


def like(path: Any, text: str) -> Any:
    """``text`` as bytes, if ``path`` is bytes."""
    return os.fsencode(text) if isinstance(os.fspath(path), bytes) else text
