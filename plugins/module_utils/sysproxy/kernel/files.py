# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files, directories and links: the part of Python's ``os`` that is about paths and descriptors."""

from __future__ import annotations

import contextlib
import os
import stat as stat_module
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ..netbsd import Errno, KernelError
from ..netbsd.constants import AT, DT, UTIME, O
from ..netbsd.kernel_error import kernel_error
from .base import LARGEST_DESCRIPTOR, StrPath, path_bytes, unsigned
from .processes import Processes

_DIRECTORY_BUFFER: Final = 1 << 16
_CHUNK: Final = 1 << 20
_MAX_LINKS: Final = 32  # MAXSYMLINKS of sys/param.h
_SHARED_FLAGS: Final = "WRONLY RDWR APPEND CREAT EXCL TRUNC NONBLOCK NOFOLLOW DIRECTORY CLOEXEC SYNC DSYNC NOCTTY"
_HOST_FLAGS: Final = {getattr(os, f"O_{name}"): O[name] for name in _SHARED_FLAGS.split() if hasattr(os, f"O_{name}")}


@dataclass(frozen=True)
class DirEntry:
    """A name in a directory: its inode number and its type, as :class:`~..netbsd.constants.DT`."""

    name: str
    path: str
    inode: int
    type: int

    def is_dir(self) -> bool:
        return self.type == DT.DIR

    def is_file(self) -> bool:
        return self.type == DT.REG

    def is_symlink(self) -> bool:
        return self.type == DT.LNK


class Files(Processes):
    """Shaped like ``os``. A path that is not absolute starts at the session's working directory."""

    # Descriptors

    def open(self, path: StrPath, flags: int, mode: int = 0o777) -> int:
        """A descriptor, as ``os.open``. ``flags`` are the controller's ``os.O_*``, or NetBSD's :class:`O`."""
        arguments = path_bytes(path), _open_flags(flags), mode
        return self.number_call(LARGEST_DESCRIPTOR, "open", *arguments, subject=os.fsdecode(path))

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

    def read(self, fd: int, length: int) -> bytes:
        """At most ``length`` bytes; none at the end of the file."""
        buffer = bytearray(length)
        count = self.number_call(length, "read", fd, buffer, length)
        return bytes(memoryview(buffer)[:count])

    def write(self, fd: int, data: bytes | bytearray | memoryview) -> int:
        """The number of bytes that were written."""
        return self.number_call(len(data), "write", fd, memoryview(data).toreadonly(), len(data))

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        buffer = bytearray(length)
        count = self.number_call(length, "pread", fd, buffer, length, offset)
        return bytes(memoryview(buffer)[:count])

    def pwrite(self, fd: int, data: bytes | bytearray | memoryview, offset: int) -> int:
        return self.number_call(len(data), "pwrite", fd, memoryview(data).toreadonly(), len(data), offset)

    def lseek(self, fd: int, position: int, whence: int) -> int:
        return self.abi.value_of_registers(*self.call("lseek", fd, position, whence))

    def ftruncate(self, fd: int, length: int) -> None:
        self.call("ftruncate", fd, length)

    def fsync(self, fd: int) -> None:
        self.call("fsync", fd)

    def read_file(self, path: StrPath) -> bytes:
        """The whole content of a file."""
        with self._opened(path, O.RDONLY) as fd:
            pieces = []
            while piece := self.read(fd, _CHUNK):
                pieces.append(piece)
            return b"".join(pieces)

    def write_file(self, path: StrPath, data: bytes, mode: int = 0o666) -> None:
        """Make ``data`` the whole content of a file, which is made when missing."""
        with self._opened(path, O.WRONLY | O.CREAT | O.TRUNC, mode) as fd:
            view = memoryview(data)
            while view:
                count = self.write(fd, view[:_CHUNK])
                if not count:
                    raise self.broken(f"write {os.fsdecode(path)} took nothing of {len(view)} bytes")
                view = view[count:]

    # What a path is

    def stat(self, path: StrPath, *, follow_symlinks: bool = True) -> os.stat_result:
        """As ``os.stat``. What only NetBSD has (flags, generation, birth) is in :meth:`native_stat`."""
        return _stat_result(self.native_stat(path, follow_symlinks=follow_symlinks))

    def lstat(self, path: StrPath) -> os.stat_result:
        return self.stat(path, follow_symlinks=False)

    def fstat(self, fd: int) -> os.stat_result:
        layout = self.abi.struct("stat")
        buffer = bytearray(layout.size)
        self.call("__fstat50", fd, buffer)
        return _stat_result(layout.parse(buffer))

    def native_stat(self, path: StrPath, *, follow_symlinks: bool = True) -> Any:
        """The kernel's struct stat, with the members of sys/stat.h."""
        layout = self.abi.struct("stat")
        buffer = bytearray(layout.size)
        self.path_call("__stat50" if follow_symlinks else "__lstat50", path, buffer)
        return layout.parse(buffer)

    def exists(self, path: StrPath) -> bool:
        """Whether a stat of the path succeeds; False for a link that leads nowhere or round, and below a file."""
        return self._stat_or_none(path) is not None

    def isdir(self, path: StrPath) -> bool:
        found = self._stat_or_none(path)
        return found is not None and stat_module.S_ISDIR(found.st_mode)

    def _stat_or_none(self, path: StrPath) -> os.stat_result | None:
        try:
            return self.stat(path)
        except KernelError as error:
            if error.name in ("ENOENT", "ENOTDIR", "ELOOP"):
                return None
            raise

    def access(self, path: StrPath, mode: int) -> bool:
        try:
            self.path_call("access", path, mode)
        except KernelError:
            return False
        return True

    def readlink(self, path: StrPath) -> str:
        buffer = bytearray(1024)
        arguments = path_bytes(path), buffer, len(buffer)
        count = self.number_call(len(buffer), "readlink", *arguments, subject=os.fsdecode(path))
        return os.fsdecode(bytes(buffer[:count]))

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

    # Directories

    def listdir(self, path: StrPath = ".") -> list[str]:
        return [entry.name for entry in self.scandir(path)]

    def scandir(self, path: StrPath = ".") -> Iterator[DirEntry]:
        """The entries of a directory, without ``.`` and ``..``, in the kernel's order."""
        with self._opened(path, O.RDONLY | O.DIRECTORY | O.NONBLOCK) as fd:
            buffer = bytearray(_DIRECTORY_BUFFER)
            arguments = fd, buffer, len(buffer)
            while count := self.number_call(len(buffer), "__getdents30", *arguments, subject=os.fsdecode(path)):
                yield from self._entries(memoryview(buffer)[:count], os.fsdecode(path))

    def _entries(self, data: memoryview, directory: str) -> Iterator[DirEntry]:
        layout = self.abi.struct("dirent_head")
        name_offset = layout.offset_of("d_type") + 1
        position = 0
        while position < len(data):
            if len(data) - position < layout.size:
                raise self.broken(f"the entries of {directory} are cut off")
            head = layout.parse(data, position)
            if not name_offset + head.d_namlen <= head.d_reclen <= len(data) - position:
                raise self.broken(f"{directory} has an entry of {head.d_reclen} bytes, its name of {head.d_namlen}")
            name = bytes(data[position + name_offset : position + name_offset + head.d_namlen])
            if head.d_fileno and name not in (b".", b".."):
                # Whoever joins names to paths relies on it.
                if not name or b"/" in name or b"\0" in name:
                    raise self.broken(f"{directory} has an entry with the name {os.fsdecode(name)!r}")
                text = os.fsdecode(name)
                yield DirEntry(text, os.path.join(directory, text), head.d_fileno, head.d_type)
            position += head.d_reclen

    def walk(self, top: StrPath) -> Iterator[tuple[str, list[str], list[str]]]:
        """As ``os.walk(top, topdown=True)``: links to directories are listed, not followed."""
        directories: list[str] = []
        others: list[str] = []
        for entry in self.scandir(top):
            (directories if entry.is_dir() else others).append(entry.name)
        yield os.fsdecode(top), directories, others
        for name in directories:
            yield from self.walk(os.path.join(os.fsdecode(top), name))

    def mkdir(self, path: StrPath, mode: int = 0o777) -> None:
        self.path_call("mkdir", path, mode)

    def makedirs(self, path: StrPath, mode: int = 0o777, exist_ok: bool = False) -> None:
        """As ``os.makedirs``: parents get the default mode."""
        text = os.fsdecode(path)
        parent = os.path.dirname(text.rstrip("/"))
        if parent and not self.exists(parent):
            self.makedirs(parent, exist_ok=True)
        try:
            self.mkdir(path, mode)
        except FileExistsError:
            if not exist_ok or not self.isdir(path):
                raise

    def rmdir(self, path: StrPath) -> None:
        self.path_call("rmdir", path)

    def rmtree(self, path: StrPath) -> None:
        """Remove a directory and all below it, following no links. Other file systems are not spared."""
        for entry in list(self.scandir(path)):
            if entry.is_dir():
                self.rmtree(entry.path)
            else:
                self.unlink(entry.path)
        self.rmdir(path)

    # Names

    def unlink(self, path: StrPath) -> None:
        self.path_call("unlink", path)

    remove = unlink

    def rename(self, source: StrPath, destination: StrPath) -> None:
        self._two_paths("rename", source, destination)

    replace = rename

    def link(self, source: StrPath, destination: StrPath, *, follow_symlinks: bool = True) -> None:
        """A hard link ``destination`` to ``source``, or to what ``source`` points to if it is a symbolic link."""
        if follow_symlinks:
            self._two_paths("link", source, destination)
            return
        subject = f"{os.fsdecode(source)} -> {os.fsdecode(destination)}"
        sides = AT.FDCWD, path_bytes(source), AT.FDCWD, path_bytes(destination)
        self.call("linkat", *sides, 0, subject=subject, label="link")

    def symlink(self, source: StrPath, destination: StrPath) -> None:
        """A symbolic link ``destination`` that holds ``source``."""
        self._two_paths("symlink", source, destination)

    def _two_paths(self, name: str, source: StrPath, destination: StrPath) -> None:
        subject = f"{os.fsdecode(source)} -> {os.fsdecode(destination)}"
        self.call(name, path_bytes(source), path_bytes(destination), subject=subject)

    # Attributes

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


def _open_flags(flags: int) -> int:
    """NetBSD's flags for the controller's; those that are NetBSD's already stay. O_DIRECT is dropped:
    on FFS it brings the kernel down."""
    if isinstance(flags, O):
        return flags & ~O.DIRECT
    native = 0
    for host, ours in _HOST_FLAGS.items():
        if flags & host == host:
            native |= ours
    return native


def _stat_result(found: Any) -> os.stat_result:
    times = {
        name: moment.tv_sec * 10**9 + moment.tv_nsec
        for name, moment in (("atime", found.st_atim), ("mtime", found.st_mtim), ("ctime", found.st_ctim))
    }
    sequence = (
        found.st_mode,
        found.st_ino,
        found.st_dev,
        found.st_nlink,
        found.st_uid,
        found.st_gid,
        found.st_size,
        *(moment // 10**9 for moment in times.values()),
    )
    more: dict[str, int | float] = {f"st_{name}_ns": moment for name, moment in times.items()}
    more |= {f"st_{name}": moment / 10**9 for name, moment in times.items()}
    more |= {"st_blksize": found.st_blksize, "st_blocks": found.st_blocks, "st_rdev": found.st_rdev}
    return os.stat_result(sequence, more)
