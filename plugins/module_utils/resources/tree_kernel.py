# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A tree of files in a kernel: looked at, read and changed with many calls in flight."""

from __future__ import annotations

import io
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import IO, Any, Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.base import LARGEST_DESCRIPTOR, UNCHANGED, path_bytes
from ..sysproxy.kernel.files import major, makedev, minor
from ..sysproxy.netbsd.constants import AT, O
from ..sysproxy.session import Registers, Request
from .content import Content, replace_many
from .small_files import Owners, SmallFile, make_small_files
from .tree import TOP, Entry, Wish, levels, parent

_SMALL: Final = 1 << 18  # bytes; what is larger is not held as a whole
_FILES: Final = 32  # open at once
_NO_RENAME: Final = ("EOPNOTSUPP", "ENOSYS")


class KernelTree:
    """The files below ``top``, a directory of the kernel that may not be there yet.

    Reads as :class:`.tree.Tree`, and changes as :class:`.tree.Target`.
    """

    def __init__(self, kernel: Kernel, top: str) -> None:
        self.kernel = kernel
        self.top = top
        self._base = os.path.join(top, "")
        self.entries: dict[str, Entry] = {}
        self.names: dict[str, str] = {}
        """What a file is called here, where the tree has another name for it."""
        self.atomic = True
        self._has_rename: dict[str, bool] = {}  # by directory
        self._owners: Owners = {}
        self._made: set[str] = set()  # directories, on the file system of the one that they are in

    def path(self, name: str) -> str:
        return self.top if name == TOP else f"{self._base}{self.names.get(name, name)}"

    # Looking and reading

    def look(self, names: Sequence[str], follow: bool = False) -> dict[str, Entry]:
        layout = self.kernel.abi.struct("stat")
        buffers = [bytearray(layout.size) for _name in names]
        requests = (
            # The top may be a link to a directory.
            self._call("__stat50" if follow or name == TOP else "__lstat50", name, buffer)
            for name, buffer in zip(names, buffers, strict=True)
        )
        found: dict[str, os.stat_result] = {}
        for name, buffer, result in zip(names, buffers, self.kernel.session.map(requests), strict=True):
            if not isinstance(result, KernelError):
                found[name] = self.kernel.stat_in(layout, buffer, self.path(name))
            elif result.name not in ("ENOENT", "ENOTDIR") or (follow and self.kernel.islink(self.path(name))):
                raise result
        entries = {}
        for name, status in found.items():
            target = self.kernel.readlink(self.path(name)) if stat.S_ISLNK(status.st_mode) else ""
            entries[name] = Entry.from_stat(status, target, (major(status.st_rdev), minor(status.st_rdev)))
        self.entries.update(entries)
        return entries

    def listdir(self, name: str) -> list[str]:
        return self.kernel.listdir(self.path(name))

    def contents(self, names: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
        small: list[str] = []
        for name in names:
            if self.entries[name].size <= _SMALL:
                small.append(name)
                if len(small) < _FILES:
                    continue
            yield from self._small(small)
            small = []
            if self.entries[name].size > _SMALL:
                with self.kernel.fopen(self.path(name), "rb", buffering=_SMALL) as stream:
                    yield name, stream
        yield from self._small(small)

    def _small(self, names: Sequence[str]) -> Iterator[tuple[str, IO[bytes]]]:
        """Files that one read each gets whole, all of them read before the first is given."""
        kernel = self.kernel
        data: list[bytes] = []
        descriptors: list[int] = []
        try:
            opens = [self._call("open", name, O.RDONLY, 0) for name in names]
            opened = list(kernel.session.map(opens))
            for request, result in zip(opens, opened, strict=True):
                if not isinstance(result, KernelError):
                    descriptors.append(kernel.bounded(result[0], LARGEST_DESCRIPTOR, f"open {request.subject}"))
            for result in opened:
                _registers(result)
            buffers = [bytearray(self.entries[name].size) for name in names]
            reads = [
                Request("pread", (fd, buffer, len(buffer), 0), request.subject)
                for fd, buffer, request in zip(descriptors, buffers, opens, strict=True)
            ]
            for request, buffer, result in zip(reads, buffers, kernel.session.map(reads), strict=True):
                about = f"pread {request.subject}"
                count = kernel.came(kernel.bounded(_registers(result)[0], len(buffer), about), about)
                data.append(bytes(memoryview(buffer)[:count]))
        finally:
            if not kernel.session.closed:
                for _closed in kernel.session.map([Request("close", (fd,)) for fd in descriptors]):
                    pass
        for name, content in zip(names, data, strict=True):
            yield name, io.BytesIO(content)

    # Changing

    def is_mounted(self, name: str) -> bool:
        """The root file system's st_dev says nothing of it, so that the list of mount points is asked."""
        return os.path.normpath(os.path.join(self._mounts[0], name)) in self._mounts[1]

    @cached_property
    def _mounts(self) -> tuple[str, set[str]]:
        """The top's real path, and the mount points."""
        return self.kernel.realpath(self.top), {mount.path for mount in self.kernel.mounts()}

    def remove(self, names: Sequence[str]) -> Iterator[str]:
        directories = [name for name in names if self.entries[name].is_directory]
        others = [name for name in names if not self.entries[name].is_directory]
        for name in self._each(others, lambda name: self._call("unlink", name)):
            del self.entries[name]
            yield name
        for level in reversed(list(levels(directories))):
            for name in self._each(level, lambda name: self._call("rmdir", name)):
                del self.entries[name]
                yield name

    def make_top(self) -> None:
        self.kernel.makedirs(self.top, exist_ok=True)

    def make_directories(self, names: Sequence[str]) -> Iterator[str]:
        for level in levels(names):
            for name in self._each(level, lambda name: self._call("mkdir", name, 0o700)):
                self._made.add(name)
                yield name

    def make_links(self, targets: Mapping[str, str]) -> Iterator[str]:
        def link(name: str) -> Request:
            path = self.path(name)
            return Request("symlink", (path_bytes(targets[name]), path_bytes(path)), path)

        yield from self._each([name for name in targets if name not in self.entries], link)
        for name in targets:
            if name in self.entries:
                self._replace_link(self.path(name), targets[name])
                yield name

    def _replace_link(self, path: str, target: str) -> None:
        temporary = os.path.join(os.path.dirname(path), f".ansible_tmp{secrets.token_hex(6)}")
        self.kernel.symlink(target, temporary)
        try:
            self.kernel.rename(temporary, path)
        except KernelError as error:
            self.kernel.unlink(temporary)
            if error.name not in _NO_RENAME:
                raise
            self.atomic = False
            self.kernel.unlink(path)
            self.kernel.symlink(target, path)

    def make_nodes(self, nodes: Mapping[str, Entry]) -> Iterator[str]:
        def node(name: str) -> Request:
            entry = nodes[name]
            if entry.is_device:
                return self._call("__mknod50", name, entry.kind | 0o600, makedev(*entry.device))
            return self._call("mkfifo", name, 0o600)

        yield from self._each(list(nodes), node)

    def put_files(
        self, files: Iterable[tuple[str, IO[bytes], int]], wishes: Mapping[str, Wish]
    ) -> Iterator[tuple[str, int]]:
        """The first file of a file system tells whether there is a rename. The others are made side by side, but for
        large ones, whose chunks are."""
        small: list[tuple[str, SmallFile]] = []
        others: list[tuple[str, Content]] = []
        for name, stream, size in files:
            has_rename = self._has_rename.get(self._folder(name))
            wish = wishes[name]
            if size > _SMALL or has_rename is None:
                yield from self._replace([(name, self._content(name, stream, wish))])
            elif has_rename and name not in self.entries:
                mode = 0o644 if wish.mode is None else wish.mode
                small.append((name, SmallFile(self.path(name), stream.read(), mode, wish.uid, wish.gid, wish.mtime)))
            else:
                others.append((name, self._content(name, stream.read(), wish)))
            if len(small) == _FILES:
                yield from self._make(small)
                small = []
            if len(others) == _FILES:
                yield from self._replace(others)
                others = []
        yield from self._make(small)
        yield from self._replace(others)

    def _content(self, name: str, source: bytes | IO[bytes], wish: Wish) -> Content:
        times = None if wish.mtime is None else (None, wish.mtime)
        return Content(self.path(name), source, mode=wish.mode, uid=wish.uid, gid=wish.gid, times=times)

    def _make(self, files: Sequence[tuple[str, SmallFile]]) -> Iterator[tuple[str, int]]:
        make_small_files(self.kernel, [file for _name, file in files], self._owners)
        for name, file in files:
            yield name, len(file.data)

    def _replace(self, contents: Sequence[tuple[str, Content]]) -> Iterator[tuple[str, int]]:
        refused = None
        results = replace_many(self.kernel, [content for _name, content in contents])
        for (name, _content), (_same, result) in zip(contents, results, strict=True):
            if isinstance(result, Exception):
                refused = refused or result
                continue
            self._has_rename[self._folder(name)] = result.atomic
            self.atomic = self.atomic and result.atomic
            yield name, result.size
        if refused is not None:
            raise refused

    def _folder(self, name: str) -> str:
        """The directory that a file is in, or the one that was there before it."""
        folder = parent(name) or TOP
        while folder in self._made:
            folder = parent(folder) or TOP
        return folder

    def settle(self, wishes: Mapping[str, Wish], links: Iterable[str] = ()) -> None:
        """Links have no mode. The owner goes first, as a change of it takes set-id bits away."""
        without_mode = set(links)

        def owner(name: str) -> Request | None:
            wish = wishes[name]
            if wish.uid is None and wish.gid is None:
                return None
            numbers = [UNCHANGED if number is None else number for number in (wish.uid, wish.gid)]
            return self._call("lchown", name, *numbers)

        def mode(name: str) -> Request | None:
            wish = wishes[name].mode
            return None if wish is None or name in without_mode else self._call("chmod", name, wish)

        def times(name: str) -> Request | None:
            wish = wishes[name].mtime
            if wish is None:
                return None
            path, data = self.path(name), self.kernel.timespecs(ns=(None, wish))
            # The top may be a link to a directory.
            flag = 0 if name == TOP else AT.SYMLINK_NOFOLLOW
            return Request("utimensat", (AT.FDCWD, path_bytes(path), data, flag), path)

        side_by_side = self.kernel.abi.has_syscall("utimensat")
        for step in (owner, mode, times) if side_by_side else (owner, mode):
            for _name in self._each(list(wishes), step):
                pass
        if not side_by_side:  # in release 6
            for name, wish in wishes.items():
                if wish.mtime is not None:
                    self.kernel.utime(self.path(name), ns=(None, wish.mtime), follow_symlinks=name == TOP)

    # Calls

    def _call(self, call: str, name: str, *arguments: Any) -> Request:
        path = self.path(name)
        return Request(call, (path_bytes(path), *arguments), path)

    def _each(self, names: Sequence[str], make: Callable[[str], Request | None]) -> Iterator[str]:
        """A call for each name, all in flight together; the names that were served.

        :raises KernelError: of the first that was refused.
        """
        asked = [(name, request) for name in names if (request := make(name)) is not None]
        results = self.kernel.session.map(request for _name, request in asked)
        for (name, _request), result in zip(asked, results, strict=True):
            _registers(result)
            yield name


def _registers(result: Registers | KernelError) -> Registers:
    if isinstance(result, KernelError):
        raise result
    return result
