# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Descriptors: what Python's ``os`` does with open files, pipes and the like. Source: section 2 of the manual."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ..memory import Buffer
from ..netbsd.constants import LOCK, F, O, OpenFlag
from ..netbsd.kernel_error import kernel_error
from ..netbsd.layout import Layout
from .base import LARGEST_DESCRIPTOR, Base, StrPath, path_bytes

_SHARED_FLAGS: Final = "WRONLY RDWR APPEND CREAT EXCL TRUNC NONBLOCK NOFOLLOW DIRECTORY CLOEXEC SYNC DSYNC NOCTTY"
_HOST_FLAGS: Final = {
    getattr(os, f"O_{name}"): OpenFlag[name] for name in _SHARED_FLAGS.split() if hasattr(os, f"O_{name}")
}
_FD_CLOEXEC: Final = 1
_MOST_BUFFERS: Final = 1024  # IOV_MAX of sys/syslimits.h
_LARGEST_POSITION: Final = (1 << 63) - 1
_LARGEST_FLAGS: Final = 0x7FFFFFFF
_STAT: Final = (
    "st_dev",
    "st_mode",
    "st_ino",
    "st_nlink",
    "st_uid",
    "st_gid",
    "st_rdev",
    *(f"st_{name}.{part}" for name in ("atim", "mtim", "ctim") for part in ("tv_sec", "tv_nsec")),
    "st_size",
    "st_blocks",
    "st_blksize",
)


class Descriptors(Base):
    """Calls on descriptors, which are the kernel's: small numbers from 3 on in a new session.

    0 to 2 are the server's console. A descriptor ends with :meth:`close` or with the session.
    """

    def open(self, path: StrPath, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        """A descriptor, as ``os.open``. ``flags`` are the controller's ``os.O_*``, or NetBSD's :class:`O`.

        O_DIRECT is dropped: on FFS it brings the kernel down.
        """
        subject = os.fsdecode(path)
        arguments = path_bytes(path), open_flags(flags), mode
        if dir_fd is None:
            return self.number_call(LARGEST_DESCRIPTOR, "open", *arguments, subject=subject)
        return self.number_call(LARGEST_DESCRIPTOR, "openat", dir_fd, *arguments, subject=subject)

    def close(self, fd: int) -> None:
        self.call("close", fd)

    @contextlib.contextmanager
    def _opened(self, path: StrPath, flags: int, mode: int = 0o777) -> Iterator[int]:
        """A descriptor for a block; closed with it, unless the session's end did that."""
        fd = self.open(path, flags, mode)
        try:
            yield fd
        finally:
            if not self.session.closed:
                self.close(fd)

    # Reading and writing

    def read(self, fd: int, length: int) -> bytes:
        """At most ``length`` bytes; none at the end of the file."""
        buffer = bytearray(length)
        count = self.readinto(fd, buffer)
        return bytes(memoryview(buffer)[:count])

    def readinto(self, fd: int, buffer: bytearray | memoryview) -> int:
        """Fill ``buffer`` as far as one read does; the number of bytes."""
        length = memoryview(buffer).nbytes
        return self.filling_call(length, "read", fd, buffer, length)

    def write(self, fd: int, data: Buffer) -> int:
        """The number of bytes that were written."""
        view = memoryview(data).toreadonly()
        return self.number_call(view.nbytes, "write", fd, view, view.nbytes)

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        buffer = bytearray(length)
        count = self.filling_call(length, "pread", fd, buffer, length, offset)
        return bytes(memoryview(buffer)[:count])

    def pwrite(self, fd: int, data: Buffer, offset: int) -> int:
        view = memoryview(data).toreadonly()
        return self.number_call(view.nbytes, "pwrite", fd, view, view.nbytes, offset)

    def readv(self, fd: int, buffers: Sequence[bytearray | memoryview]) -> int:
        """Fill buffers one after another by one call; the number of bytes."""
        return self._vectored("readv", fd, buffers)

    def writev(self, fd: int, buffers: Sequence[Buffer]) -> int:
        """Write buffers one after another by one call; the number of bytes."""
        return self._vectored("writev", fd, [memoryview(buffer).toreadonly() for buffer in buffers])

    def preadv(self, fd: int, buffers: Sequence[bytearray | memoryview], offset: int) -> int:
        return self._vectored("preadv", fd, buffers, offset)

    def pwritev(self, fd: int, buffers: Sequence[Buffer], offset: int) -> int:
        return self._vectored("pwritev", fd, [memoryview(buffer).toreadonly() for buffer in buffers], offset)

    def _vectored(self, name: str, fd: int, buffers: Sequence[Buffer], *offset: int) -> int:
        if len(buffers) > _MOST_BUFFERS:
            raise ValueError(f"{name} takes at most {_MOST_BUFFERS} buffers, not {len(buffers)}")
        with self.vector(buffers) as vector:
            most = sum(memoryview(buffer).nbytes for buffer in buffers)
            return self.number_call(most, name, fd, vector, len(buffers), *offset)

    @contextlib.contextmanager
    def vector(self, buffers: Sequence[Buffer]) -> Iterator[bytes]:
        """An array of struct iovec for ``buffers``, which are lent for as long as the block runs."""
        layout = self.abi.struct("iovec")
        with contextlib.ExitStack() as lendings:
            yield b"".join(
                layout.build(
                    iov_base=lendings.enter_context(self.session.lend(buffer)), iov_len=memoryview(buffer).nbytes
                )
                for buffer in buffers
            )

    def lseek(self, fd: int, position: int, whence: int) -> int:
        """The new position in bytes. ``whence``: ``os.SEEK_SET``, ``SEEK_CUR`` or ``SEEK_END``."""
        found = self.abi.value_of_registers(*self.call("lseek", fd, position, whence))
        return self.bounded(found, _LARGEST_POSITION, "lseek")

    def ftruncate(self, fd: int, length: int) -> None:
        self.call("ftruncate", fd, length)

    def posix_fallocate(self, fd: int, offset: int, length: int) -> None:
        """Make sure that there is room for a part of a file.

        :raises KernelError: EOPNOTSUPP from tmpfs, FFS and the root file system, which cannot.
        """
        number, _second = self.call("posix_fallocate", fd, offset, length)  # it gives its error as its result
        if number:
            raise kernel_error(number, "posix_fallocate", str(fd))

    def fsync(self, fd: int) -> None:
        self.call("fsync", fd)

    def fdatasync(self, fd: int) -> None:
        self.call("fdatasync", fd)

    def fstat(self, fd: int) -> os.stat_result:
        return self.stat_in(*self._fstat(fd), f"descriptor {fd}")

    def native_fstat(self, fd: int) -> Any:
        """The kernel's struct stat of a descriptor, with the members of sys/stat.h."""
        layout, buffer = self._fstat(fd)
        return layout.parse(buffer)

    def _fstat(self, fd: int) -> tuple[Layout, bytearray]:
        layout = self.abi.struct("stat")
        buffer = bytearray(layout.size)
        self.call("__fstat50", fd, buffer)
        return layout, buffer

    def stat_in(self, layout: Layout, data: Buffer, subject: str) -> os.stat_result:
        """Python's shape of the struct stat in ``data``, which is about ``subject``.

        :raises ProtocolError: it has a size that nothing has.
        """
        found = stat_result(layout, data)
        if found.st_size < 0:
            raise self.broken(f"{subject} has {found.st_size} bytes")
        return found

    # Descriptors themselves

    def dup(self, fd: int) -> int:
        return self.number_call(LARGEST_DESCRIPTOR, "dup", fd)

    def dup2(self, fd: int, fd2: int) -> int:
        """Make ``fd2`` a copy of ``fd``; ``fd2``, which is closed first if it is open."""
        self.call("dup2", fd, fd2)
        return fd2

    def pipe(self) -> tuple[int, int]:
        """The descriptors of a new pipe's ends: to read from, to write to."""
        ends = self.call("pipe")
        for end in ends:
            if not 0 <= end <= LARGEST_DESCRIPTOR:
                raise self.broken(f"pipe ended with the descriptor {end}")
        return ends

    def fcntl(self, fd: int, command: F, argument: int = 0) -> int:
        """fcntl(2) with a number for its argument; ``command`` is NetBSD's, as are the flags in the result.

        :raises ValueError: the command is none of :class:`F`.
        """
        return self.number_call(_LARGEST_FLAGS, "fcntl", fd, F(command), argument)

    def get_flags(self, fd: int) -> O:
        """How the descriptor was opened, with what may be changed since: APPEND, NONBLOCK and so on."""
        return O(self.fcntl(fd, F.GETFL))

    def set_flags(self, fd: int, flags: O) -> None:
        """Set those flags that can be changed: APPEND, NONBLOCK, ASYNC, SYNC and the like."""
        self.fcntl(fd, F.SETFL, flags)

    def get_blocking(self, fd: int) -> bool:
        return not self.get_flags(fd) & O.NONBLOCK

    def set_blocking(self, fd: int, blocking: bool) -> None:
        flags = self.get_flags(fd)
        self.set_flags(fd, flags & ~O.NONBLOCK if blocking else flags | O.NONBLOCK)

    def get_inheritable(self, fd: int) -> bool:
        """Whether the descriptor survives an exec of the session's process; unlike in ``os``, a new one does."""
        return not self.fcntl(fd, F.GETFD) & _FD_CLOEXEC

    def set_inheritable(self, fd: int, inheritable: bool) -> None:
        self.fcntl(fd, F.SETFD, 0 if inheritable else _FD_CLOEXEC)

    def flock(self, fd: int, operation: LOCK | int) -> None:
        """As ``fcntl.flock``. Without LOCK.NB it waits for as long as a call may take.

        :raises BlockingIOError: another process has the lock, and LOCK.NB was given.
        """
        self.call("flock", fd, operation)


def open_flags(flags: int) -> int:
    """NetBSD's flags for the controller's; those that are NetBSD's already stay."""
    if isinstance(flags, O):
        return flags & ~O.DIRECT
    native = 0
    for host, ours in _HOST_FLAGS.items():
        if flags & host == host:
            native |= ours
    return native


def stat_result(layout: Layout, data: Buffer) -> os.stat_result:
    """Python's shape of the struct stat in ``data``."""
    dev, mode, inode, links, uid, gid, rdev, *moments, size, blocks, block_size = layout.numbers(_STAT).unpack(data)
    seconds, nanoseconds = moments[::2], moments[1::2]
    atime, mtime, ctime = (whole * 10**9 + part for whole, part in zip(seconds, nanoseconds, strict=True))
    more: dict[str, int | float] = {
        "st_atime": atime / 10**9,
        "st_mtime": mtime / 10**9,
        "st_ctime": ctime / 10**9,
        "st_atime_ns": atime,
        "st_mtime_ns": mtime,
        "st_ctime_ns": ctime,
        "st_blksize": block_size,
        "st_blocks": blocks,
        "st_rdev": rdev,
    }
    return os.stat_result((mode, inode, dev, links, uid, gid, size, *seconds), more)
