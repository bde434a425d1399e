# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories: what is in them, making and removing them, one and whole trees."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from ..netbsd import KernelError
from ..netbsd.constants import AT, DT, O
from .base import StrPath, path_bytes
from .files import Files

_DIRECTORY_BUFFER: Final = 1 << 16
_MOST_ENTRIES: Final = 1 << 26  # bytes, of which a name takes 32 or more
_ENTRY: Final = ("d_fileno", "d_reclen", "d_namlen", "d_type")


class DirEntry(NamedTuple):
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


class Directories(Files):
    """Shaped like ``os`` and, for trees, like ``shutil``."""

    def listdir(self, path: StrPath = ".") -> list[str]:
        return [entry.name for entry in self.scandir(path)]

    def scandir(self, path: StrPath = ".") -> Iterator[DirEntry]:
        """The entries of a directory, without ``.`` and ``..``, in the kernel's order.

        :raises ProtocolError: they take more than 64 MiB, some two million of them: they have no end.
        """
        with self._opened(path, O.RDONLY | O.DIRECTORY | O.NONBLOCK) as fd:
            buffer = bytearray(_DIRECTORY_BUFFER)
            arguments = fd, buffer, len(buffer)
            total = 0
            while count := self.filling_call(len(buffer), "__getdents30", *arguments, subject=os.fsdecode(path)):
                total += count
                if total > _MOST_ENTRIES:
                    raise self.broken(f"{os.fsdecode(path)} has more than {_MOST_ENTRIES} bytes of directory entries")
                yield from self._entries(memoryview(buffer)[:count], os.fsdecode(path))

    def _entries(self, data: memoryview, directory: str) -> Iterator[DirEntry]:
        layout = self.abi.struct("dirent_head")
        unpack, name_offset = layout.numbers(_ENTRY).unpack_from, layout.offset_of("d_type") + 1
        top = os.path.join(directory, "")
        position = 0
        while position < len(data):
            if len(data) - position < layout.size:
                raise self.broken(f"the entries of {directory} are cut off")
            inode, size, name_size, kind = unpack(data, position)
            if not name_offset + name_size <= size <= len(data) - position:
                raise self.broken(f"{directory} has an entry of {size} bytes, its name of {name_size}")
            name = bytes(data[position + name_offset : position + name_offset + name_size])
            if inode and name not in (b".", b".."):
                # Whoever joins names to paths relies on it.
                if not name or b"/" in name or b"\0" in name:
                    raise self.broken(f"{directory} has an entry with the name {os.fsdecode(name)!r}")
                text = os.fsdecode(name)
                path = top + text
                # Some file systems leave the type to stat, whose modes have the same numbers for it.
                yield DirEntry(text, path, inode, kind or self.lstat(path).st_mode >> 12)
            position += size

    def walk(
        self, top: StrPath, topdown: bool = True, *, onerror: Callable[[KernelError], object] | None = None
    ) -> Iterator[tuple[str, list[str], list[str]]]:
        """As ``os.walk``: links to directories are listed, not followed; a list of names may be changed on the way.

        Unlike in ``os.walk``, a directory that cannot be read is an error. Where there is ``onerror``, it is called
        with the error instead, and the directory is skipped.
        """
        name = os.fsdecode(top)
        directories: list[str] = []
        others: list[str] = []
        try:
            for entry in self.scandir(top):
                (directories if entry.is_dir() else others).append(entry.name)
        except KernelError as error:
            if onerror is None:
                raise
            onerror(error)
            return
        if topdown:
            yield name, directories, others
        for below in directories:
            yield from self.walk(os.path.join(name, below), topdown, onerror=onerror)
        if not topdown:
            yield name, directories, others

    def mkdir(self, path: StrPath, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        if dir_fd is not None:
            self.call("mkdirat", dir_fd, path_bytes(path), mode, subject=os.fsdecode(path))
        else:
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

    def rmdir(self, path: StrPath, *, dir_fd: int | None = None) -> None:
        if dir_fd is not None:
            self.call("unlinkat", dir_fd, path_bytes(path), AT.REMOVEDIR, subject=os.fsdecode(path), label="rmdir")
        else:
            self.path_call("rmdir", path)

    def removedirs(self, path: StrPath) -> None:
        """As ``os.removedirs``: the directory, and then those above it for as long as they are empty."""
        self.rmdir(path)
        parent = os.path.dirname(os.fsdecode(path).rstrip("/"))
        while parent.strip("/"):
            try:
                self.rmdir(parent)
            except KernelError:
                return
            parent = os.path.dirname(parent.rstrip("/"))
