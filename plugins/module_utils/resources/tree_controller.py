# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tree of files of the controller's."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Final

from .tree import SET_ID, TOP, Entry, Wish, levels

_CHUNK: Final = 1 << 20  # bytes


class ControllerTree:
    """The files below ``top``, a directory of the controller that may not be there yet.

    Reads as :class:`.tree.Tree`, and changes as :class:`.tree.Target`. All of it raises OSError.
    """

    atomic = True

    def __init__(self, top: str) -> None:
        self.top = top
        self.entries: dict[str, Entry] = {}
        self.names: dict[str, str] = {}
        """What a file is called here, where the tree has another name for it."""

    def path(self, name: str) -> str:
        return self.top if name == TOP else os.path.join(self.top, self.names.get(name, name))

    # Looking and reading

    def look(self, names: Sequence[str], follow: bool = False) -> dict[str, Entry]:
        entries = {}
        for name in names:
            path = self.path(name)
            try:
                found = os.stat(path, follow_symlinks=follow or name == TOP)
            except (FileNotFoundError, NotADirectoryError):
                if follow and os.path.islink(path):
                    raise
                continue
            target = os.readlink(path) if stat.S_ISLNK(found.st_mode) else ""
            entries[name] = Entry.from_stat(found, target, (os.major(found.st_rdev), os.minor(found.st_rdev)))
        self.entries.update(entries)
        return entries

    def listdir(self, name: str) -> list[str]:
        return os.listdir(self.path(name))

    def contents(self, names: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
        for name in names:
            with open(self.path(name), "rb") as stream:
                yield name, stream

    # Changing

    def is_mounted(self, name: str) -> bool:
        return os.path.ismount(self.path(name))

    def remove(self, names: Sequence[str]) -> Iterator[str]:
        directories = [name for name in names if self.entries[name].is_directory]
        for name in names:
            if not self.entries[name].is_directory:
                os.unlink(self.path(name))
                del self.entries[name]
                yield name
        for level in reversed(list(levels(directories))):
            for name in level:
                os.rmdir(self.path(name))
                del self.entries[name]
                yield name

    def make_top(self) -> None:
        os.makedirs(self.top, exist_ok=True)

    def make_directories(self, names: Sequence[str]) -> Iterator[str]:
        for name in names:
            os.mkdir(self.path(name), 0o700)
            yield name

    def make_links(self, targets: Mapping[str, str]) -> Iterator[str]:
        for name, target in targets.items():
            temporary = self._temporary(name)
            os.symlink(target, temporary)
            self._put_in_place(temporary, name)
            yield name

    def make_nodes(self, nodes: Mapping[str, Entry]) -> Iterator[str]:
        """Named pipes; the controller's devices are nobody else's business."""
        for name in nodes:
            os.mkfifo(self.path(name), 0o600)
            yield name

    def put_files(
        self, files: Iterable[tuple[str, IO[bytes], int]], wishes: Mapping[str, Wish]
    ) -> Iterator[tuple[str, int]]:
        for name, stream, _size in files:
            temporary, wish = self._temporary(name), wishes[name]
            former = self.entries.get(name)
            kept = former if former is not None and former.is_file else None
            try:
                with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as sink:
                    shutil.copyfileobj(stream, sink, _CHUNK)
                    size = sink.tell()
                    if wish.uid is not None or wish.gid is not None:
                        os.fchown(sink.fileno(), *(-1 if number is None else number for number in (wish.uid, wish.gid)))
                    # What comes has no right to the set-id bits that the file had.
                    mode = wish.mode if wish.mode is not None else kept.mode & ~SET_ID if kept else 0o644
                    os.fchmod(sink.fileno(), mode)
                if wish.mtime is not None:
                    os.utime(temporary, ns=(os.stat(temporary).st_atime_ns, wish.mtime))
                os.replace(temporary, self.path(name))
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)
                raise
            yield name, size

    def settle(self, wishes: Mapping[str, Wish], links: Iterable[str] = ()) -> None:
        without_mode = set(links)
        for name, wish in wishes.items():
            path = self.path(name)
            if wish.uid is not None or wish.gid is not None:
                os.lchown(path, *(-1 if number is None else number for number in (wish.uid, wish.gid)))
            if wish.mode is not None and name not in without_mode:
                os.chmod(path, wish.mode)
            if wish.mtime is not None:
                found = os.stat(path, follow_symlinks=name == TOP)
                os.utime(path, ns=(found.st_atime_ns, wish.mtime), follow_symlinks=name == TOP)

    def _put_in_place(self, temporary: str, name: str) -> None:
        try:
            os.replace(temporary, self.path(name))
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def _temporary(self, name: str) -> str:
        return os.path.join(os.path.dirname(self.path(name)), f".ansible_tmp{secrets.token_hex(6)}")
