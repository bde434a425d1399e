# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Descriptors in a module's Python: 0 to 2 are its own standard streams, all others are the kernel's.

The kernel hands out none below 3, as its own console has those; so there is nothing to translate, and no
number that could mean a file of the controller's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel

from .errors import Refused

STANDARD: Final = (0, 1, 2)


class Descriptors:
    """The functions of ``os`` on descriptors, by their names there."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        return self._kernel.open(path, flags, mode, dir_fd=dir_fd)

    def close(self, fd: int) -> None:
        if fd not in STANDARD:  # the result goes out by those
            self._kernel.close(_number(fd))

    def closerange(self, low: int, high: int) -> None:
        for fd in range(max(low, len(STANDARD)), min(high, 1 << 10)):
            try:
                self._kernel.close(fd)
            except OSError:
                continue

    def read(self, fd: int, length: int) -> bytes:
        return self._of(fd, os.read, self._kernel.read)(fd, length)

    def write(self, fd: int, data: Any) -> int:
        return self._of(fd, os.write, self._kernel.write)(fd, data)

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        return self._kernel.pread(_kernels(fd), length, offset)

    def pwrite(self, fd: int, data: Any, offset: int) -> int:
        return self._kernel.pwrite(_kernels(fd), data, offset)

    def readv(self, fd: int, buffers: Any) -> int:
        return self._kernel.readv(_kernels(fd), buffers)

    def writev(self, fd: int, buffers: Any) -> int:
        return self._of(fd, os.writev, self._kernel.writev)(fd, buffers)

    def preadv(self, fd: int, buffers: Any, offset: int, flags: int = 0) -> int:
        return self._kernel.preadv(_kernels(fd), buffers, offset)

    def pwritev(self, fd: int, buffers: Any, offset: int, flags: int = 0) -> int:
        return self._kernel.pwritev(_kernels(fd), buffers, offset)

    def lseek(self, fd: int, position: int, whence: int) -> int:
        return self._of(fd, os.lseek, self._kernel.lseek)(fd, position, whence)

    def ftruncate(self, fd: int, length: int) -> None:
        self._kernel.ftruncate(_kernels(fd), length)

    def fsync(self, fd: int) -> None:
        if fd not in STANDARD:
            self._kernel.fsync(_number(fd))

    fdatasync = fsync

    def posix_fallocate(self, fd: int, offset: int, length: int) -> None:
        self._kernel.posix_fallocate(_kernels(fd), offset, length)

    def fstat(self, fd: int) -> os.stat_result:
        return self._of(fd, os.fstat, self._kernel.fstat)(fd)

    def fstatvfs(self, fd: int) -> os.statvfs_result:
        return self._kernel.fstatvfs(_kernels(fd))

    def fchmod(self, fd: int, mode: int) -> None:
        self._kernel.fchmod(_kernels(fd), mode)

    def fchown(self, fd: int, uid: int, gid: int) -> None:
        self._kernel.fchown(_kernels(fd), uid, gid)

    def fchdir(self, fd: int) -> None:
        self._kernel.fchdir(_kernels(fd))

    def dup(self, fd: int, /) -> int:
        return self._kernel.dup(_kernels(fd))

    def dup2(self, fd: int, fd2: int, inheritable: bool = True) -> int:
        return self._kernel.dup2(_kernels(fd), _kernels(fd2))

    def pipe(self) -> tuple[int, int]:
        return self._kernel.pipe()

    def pipe2(self, flags: int, /) -> tuple[int, int]:
        ends = self._kernel.pipe()
        if flags & os.O_NONBLOCK:
            for end in ends:
                self._kernel.set_blocking(end, False)
        return ends

    def isatty(self, fd: int, /) -> bool:
        return False

    def ttyname(self, fd: int, /) -> str:
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))

    def get_terminal_size(self, fd: int = 1, /) -> os.terminal_size:
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))

    def device_encoding(self, fd: int) -> str | None:
        return None

    def get_blocking(self, fd: int, /) -> bool:
        return fd in STANDARD or self._kernel.get_blocking(_number(fd))

    def set_blocking(self, fd: int, blocking: bool, /) -> None:
        self._kernel.set_blocking(_kernels(fd), blocking)

    def get_inheritable(self, fd: int, /) -> bool:
        return fd in STANDARD

    def set_inheritable(self, fd: int, inheritable: bool, /) -> None:
        """Nothing is ever started that could inherit one."""

    def _of(self, fd: int, standard: Callable[..., Any], kernels: Callable[..., Any]) -> Callable[..., Any]:
        return standard if _number(fd) in STANDARD else kernels


def _number(fd: Any) -> int:
    if not isinstance(fd, int) or fd < 0:
        if isinstance(fd, int):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        raise TypeError(f"an integer is required (got type {type(fd).__name__})")
    return int(fd)


def _kernels(fd: Any) -> int:
    if _number(fd) in STANDARD:
        raise Refused(f"that call on the standard stream {fd}")
    return int(fd)
