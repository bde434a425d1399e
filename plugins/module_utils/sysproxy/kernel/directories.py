# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directories: what is in them, making and removing them, one and whole trees."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..netbsd.constants import DT, O
from .base import StrPath
from .files import Files

_DIRECTORY_BUFFER: Final = 1 << 16


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


class Directories(Files):
    """Shaped like ``os`` and, for trees, like ``shutil``."""

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
