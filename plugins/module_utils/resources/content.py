# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of files: made or replaced so that there is always the old one or the new.

The new content is written under a temporary name beside the target, gets its owner, mode and times there, and is then
renamed over the target. A file system that has no rename (the root file system, rumpfs) is written in place, which the
result tells. Many files are worked on side by side, a batch at a time, step by step; of what they hold only some
chunks are in the controller's memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.base import LARGEST_DESCRIPTOR, UNCHANGED, path_bytes
from ..sysproxy.netbsd import Errno
from ..sysproxy.netbsd.constants import SF, UF, UTIME, O
from ..sysproxy.netbsd.kernel_error import kernel_error
from ..sysproxy.session import Registers, Request
from .file_mode import NEW_FILE

Source: TypeAlias = "bytes | os.PathLike[str] | IO[bytes] | Callable[[], IO[bytes]]"
"""The new content: bytes, the path of a file of the controller's, an open file, which is read from where it is, or
what opens one when its turn comes."""

_CHUNK: Final = 1 << 20  # bytes
_CHUNKS: Final = 8  # in flight
_FILES: Final = 32  # at work side by side
_PRESIZED: Final = 32 << 10
"""Bytes from which on a file gets its size before its content. A write that a lost connection ends then has nothing to
cut off, for which FFS would wait for the disk; and a rump kernel that waits in the name of a client that is gone waits
for ever, with its locks held (docvwait of librump's locks.c). A file system that is full tells before all is sent."""
_NO_RENAME: Final = ("EOPNOTSUPP", "ENOSYS")
_LOCKED: Final = UF.IMMUTABLE | UF.APPEND | SF.IMMUTABLE | SF.APPEND


class ContentMismatch(Exception):
    """The source did not hold what it should; :attr:`found` is its SHA-1, in hex."""

    def __init__(self, path: str, expected: str, found: str) -> None:
        self.path, self.expected, self.found = path, expected, found
        super().__init__(f"the content for {path} has the checksum {found}, and {expected} was expected")


@dataclass(frozen=True)
class Content:
    """What a file is to hold, and its attributes; None leaves those of the file that is there, or of a new one.

    ``times``: of access and modification, nanoseconds since the epoch, None among them leaves a time. ``follow``: if
    ``path`` is a symbolic link, what it leads to is replaced, and not the link. ``backup``: keep the old file under
    another name. ``checksum``: the SHA-1 that ``source`` must have, in hex.
    """

    path: str
    source: Source
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    times: tuple[int | None, int | None] | None = None
    follow: bool = False
    backup: bool = False
    checksum: str | None = None


@dataclass(frozen=True)
class Replaced:
    """What became of a :class:`Content`. ``path`` is the file's, with links followed; ``size`` is in bytes;
    ``checksum`` is the SHA-1 of what was written, in hex."""

    path: str
    size: int
    checksum: str
    atomic: bool
    backup_file: str | None = None


def replace(kernel: Kernel, content: Content) -> Replaced:
    """Make or replace one file.

    :raises KernelError: the kernel refused; the old file is there unless it had to be written in place.
    :raises ContentMismatch: the source has not the checksum that it should have.
    :raises OSError: the source cannot be read.
    """
    ((_content, result),) = replace_many(kernel, [content])
    if isinstance(result, Exception):
        raise result
    return result


def replace_many(
    kernel: Kernel, contents: Iterable[Content]
) -> Iterator[tuple[Content, Replaced | KernelError | ContentMismatch]]:
    """Make or replace files, several at once, each with what became of it, in the order of ``contents``.

    One that could not be replaced does not keep the others from being so. No two may be of the same file.

    :raises OSError: a source cannot be read; the batch that it is in may not be done.
    """
    replacing = _Replacing(kernel)
    todo = iter(contents)
    while batch := list(islice(todo, _FILES)):
        for work in replacing.replace([_Work(content, content.path) for content in batch]):
            yield work.content, work.error or work.replaced()


def of_kernel(kernel: Kernel, path: str) -> Source:
    """The content of a file of the kernel's, opened when its turn comes."""
    return partial(kernel.fopen, path, "rb", 0)


def copy_within(kernel: Kernel, source: str, path: str) -> Replaced:
    """Copy a file of the kernel's to a new name, with its owner, mode and times, as ``cp -p``."""
    found = kernel.stat(source)
    return replace(
        kernel,
        Content(
            path,
            of_kernel(kernel, source),
            mode=stat.S_IMODE(found.st_mode),
            uid=found.st_uid,
            gid=found.st_gid,
            times=(found.st_atime_ns, found.st_mtime_ns),
        ),
    )


def backup_name(path: str) -> str:
    """The name of a backup, formed as that of Ansible's modules."""
    return f"{path}.{os.getpid()}.{time.strftime('%Y-%m-%d@%H:%M:%S~', time.localtime())}"


@dataclass
class _Work:
    """A file on its way."""

    content: Content
    path: str
    found: Any = None  # the struct stat of what is there; None for nothing
    temporary: str = ""  # what is to be removed if it fails
    fd: int = -1
    size: int = 0
    presized: int = 0
    checksum: str = ""
    atomic: bool = True
    backup_file: str | None = None
    error: KernelError | ContentMismatch | None = None

    @property
    def folder(self) -> str:
        return os.path.dirname(self.path)

    @property
    def kept(self) -> Any:
        """The file whose attributes stay where no others are asked for."""
        return self.found if self.found is not None and stat.S_ISREG(self.found.st_mode) else None

    def replaced(self) -> Replaced:
        return Replaced(self.path, self.size, self.checksum, self.atomic, self.backup_file)


class _Replacing:
    """The steps, each for a whole batch. What failed in one is left out of the next."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._has_rename: dict[str, bool] = {}  # by folder

    def replace(self, works: list[_Work]) -> list[_Work]:
        try:
            for work in works:
                if work.content.follow:
                    self._guarded(work, self._follow)
            self._look(works)
            self._open_beside(works)
            self._probe(works)
            for work in works:
                if work.error is None and work.content.backup and work.found is not None:
                    self._guarded(work, self._back_up)
                if work.error is None and not work.atomic:
                    self._guarded(work, self._open_in_place)
            self._write(works)
            self._settle(works)
            self._close(works)
            self._rename(works)
        finally:
            if not self.kernel.session.closed:
                self._clean(works)
        return works

    # The steps

    def _follow(self, work: _Work) -> None:
        work.path = self.kernel.realpath(work.path)

    def _look(self, works: list[_Work]) -> None:
        """What is there."""
        layout = self.kernel.abi.struct("stat")
        buffers = {id(work): bytearray(layout.size) for work in works}

        def look(work: _Work) -> Request:
            return Request("__lstat50", (path_bytes(work.path), buffers[id(work)]), work.path)

        for work, result in self._each(works, look, refusals=True):
            if not isinstance(result, KernelError):
                work.found = layout.parse(buffers[id(work)])
                if stat.S_ISDIR(work.found.st_mode):
                    work.error = kernel_error(Errno.EISDIR, "open", work.path)
            elif result.name != "ENOENT":
                work.error = result

    def _open_beside(self, works: list[_Work]) -> None:
        def create(work: _Work) -> Request | None:
            if not self._has_rename.get(work.folder, True):
                work.atomic = False
                return None
            work.temporary = os.path.join(work.folder, f".ansible_tmp{secrets.token_hex(6)}")
            flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW
            return Request("open", (path_bytes(work.temporary), flags, 0o600), work.path)

        for work, result in self._each(works, create):
            work.fd = self.kernel.bounded(result[0], LARGEST_DESCRIPTOR, f"open {work.path}")
        for work in works:
            if work.fd < 0:
                work.temporary = ""

    def _probe(self, works: list[_Work]) -> None:
        """Find out whether there is a rename before anything is sent: a temporary file gets another name."""
        asked: dict[str, _Work] = {}
        for work in works:
            if work.error is None and work.atomic and work.folder not in self._has_rename:
                asked.setdefault(work.folder, work)
        for folder, work in asked.items():
            other = f"{work.temporary}0"
            try:
                self.kernel.rename(work.temporary, other)
            except KernelError as error:
                if error.name not in _NO_RENAME:
                    work.error = error
                    continue
                self._has_rename[folder] = False
            else:
                self._has_rename[folder] = True
                work.temporary = other
        for work in works:
            work.atomic = work.atomic and self._has_rename.get(work.folder, True)

    def _back_up(self, work: _Work) -> None:
        """Keep the old file: by another name for it, or by a copy where that is not to be had."""
        name = backup_name(work.path)
        if work.atomic and stat.S_ISREG(work.found.st_mode) and work.found.st_nlink == 1:
            with contextlib.suppress(KernelError):
                self.kernel.link(work.path, name)
                work.backup_file = name
                return
        if self.kernel.exists(work.path):
            copy_within(self.kernel, work.path, name)
            work.backup_file = name

    def _open_in_place(self, work: _Work) -> None:
        """There is no rename: the file itself is written, after the temporary one made room."""
        self._discard(work)
        if work.kept is None and work.found is not None:
            self.kernel.unlink(work.path)
        flags = O.WRONLY | (O.TRUNC if work.kept is not None else O.CREAT | O.EXCL)
        work.fd = self.kernel.open(work.path, flags, 0o600)
        if work.kept is None:
            work.temporary = work.path

    def _write(self, works: list[_Work]) -> None:
        """All the contents, a chunk of each in turn."""
        pending: list[tuple[_Work, bytes, int]] = []
        with contextlib.ExitStack() as stack:
            reading = [_Reading(work, stack) for work in works if work.error is None]
            for turn in reading:
                self._guarded(turn.work, turn.open)
            for _done in self._each(works, self._presize):
                pass

            def requests() -> Iterator[Request]:
                while reading:
                    for turn in list(reading):
                        work, offset = turn.work, turn.work.size
                        chunk = turn.next_chunk()
                        if not chunk:
                            reading.remove(turn)
                            continue
                        pending.append((work, chunk, offset))
                        yield Request("pwrite", (work.fd, chunk, len(chunk), offset), work.path)

            for result in self.kernel.session.map(requests(), _CHUNKS):
                work, chunk, offset = pending.pop(0)
                if isinstance(result, KernelError):
                    work.error = work.error or result
                elif work.error is None:
                    self._guarded(work, partial(self._write_rest, chunk=chunk, offset=offset, result=result))
        for work in works:
            expected = work.content.checksum
            if work.error is None and expected is not None and work.checksum != expected:
                work.error = ContentMismatch(work.path, expected, work.checksum)

    def _presize(self, work: _Work) -> Request | None:
        if work.presized < _PRESIZED:
            work.presized = 0
            return None
        return Request("ftruncate", (work.fd, work.presized), work.path)

    def _write_rest(self, work: _Work, chunk: bytes, offset: int, result: Registers) -> None:
        count = self.kernel.bounded(result[0], len(chunk), f"pwrite {work.path}")
        while count < len(chunk):  # a file system that is nearly full takes a part
            taken = self.kernel.pwrite(work.fd, memoryview(chunk)[count:], offset + count)
            if not taken:
                raise self.kernel.broken(f"pwrite {work.path} took nothing of {len(chunk) - count} bytes")
            count += taken

    def _settle(self, works: list[_Work]) -> None:
        """Owner, mode, flags and times, and all of it on the disk; the size as it should be."""

        def owner(work: _Work) -> Request | None:
            content, kept = work.content, work.kept
            uid = content.uid if content.uid is not None else kept.st_uid if kept else None
            gid = content.gid if content.gid is not None else kept.st_gid if kept else None
            if (uid is None and gid is None) or (work.kept and not work.atomic and content.uid is content.gid is None):
                return None
            numbers = [UNCHANGED if number is None else number for number in (uid, gid)]
            return Request("fchown", (work.fd, *numbers), work.path)

        def mode(work: _Work) -> Request:
            kept = work.kept.st_mode if work.kept else NEW_FILE
            bits = stat.S_IMODE(kept) if work.content.mode is None else work.content.mode
            return Request("fchmod", (work.fd, bits), work.path)

        def flags(work: _Work) -> Request | None:
            kept = work.kept.st_flags & ~_LOCKED if work.kept and work.atomic else 0
            return Request("fchflags", (work.fd, kept), work.path) if kept else None

        def times(work: _Work) -> Request | None:
            wanted = work.content.times
            if wanted is None:
                if work.atomic:
                    return None
                wanted = UTIME.NOW, UTIME.NOW  # rumpfs does not note the time of a write
            return Request("futimens", (work.fd, self.kernel.timespecs(ns=wanted)), work.path)

        def sync(work: _Work) -> Request:
            return Request("fsync", (work.fd,), work.path)

        def trim(work: _Work) -> Request | None:
            return Request("ftruncate", (work.fd, work.size), work.path) if work.presized > work.size else None

        for step in (trim, owner, mode, flags, times, sync):
            for _done in self._each(works, step):
                pass
        self._measure(works)

    def _measure(self, works: list[_Work]) -> None:
        layout = self.kernel.abi.struct("stat")
        buffers = {id(work): bytearray(layout.size) for work in works}
        for work, _result in self._each(works, lambda work: Request("__fstat50", (work.fd, buffers[id(work)]))):
            size = layout.parse(buffers[id(work)]).st_size
            if size != work.size:
                raise self.kernel.broken(f"{work.path} has {size} bytes after {work.size} were written to it")

    def _close(self, works: list[_Work]) -> None:
        def close(work: _Work) -> Request:
            fd, work.fd = work.fd, -1
            return Request("close", (fd,), work.path)

        for _done in self._each(works, close):
            pass

    def _rename(self, works: list[_Work]) -> None:
        def rename(work: _Work) -> Request | None:
            if not work.atomic:
                return None
            names = path_bytes(work.temporary), path_bytes(work.path)
            return Request("rename", names, work.path)

        for _done in self._each(works, rename):
            pass
        for work in works:
            if work.error is None:
                work.temporary = ""

    def _clean(self, works: list[_Work]) -> None:
        """Remove what is left of those that failed."""
        for work in works:
            with contextlib.suppress(KernelError):
                self._discard(work)

    def _discard(self, work: _Work) -> None:
        fd, work.fd = work.fd, -1
        temporary, work.temporary = work.temporary, ""
        if fd >= 0:
            self.kernel.close(fd)
        if temporary:
            self.kernel.unlink(temporary)

    # Side by side

    def _each(
        self, works: list[_Work], make: Callable[[_Work], Request | None], refusals: bool = False
    ) -> Iterator[tuple[_Work, Any]]:
        """A call for each that has not failed, with its result; a refusal is the file's error, or with ``refusals``
        a result like others."""
        asked: list[_Work] = []

        def requests() -> Iterator[Request]:
            for work in works:
                request = None
                if work.error is None:
                    try:
                        request = make(work)
                    except KernelError as error:  # a path that is too long
                        work.error = error
                if request is not None:
                    asked.append(work)
                    yield request

        for result in self.kernel.session.map(requests()):
            work = asked.pop(0)
            if isinstance(result, KernelError) and not refusals:
                work.error = result
            else:
                yield work, result

    def _guarded(self, work: _Work, step: Callable[[_Work], object]) -> None:
        try:
            step(work)
        except KernelError as error:
            work.error = error


class _Reading:
    """The source of a file on its way, read piece by piece; what has to be opened for that is closed with ``stack``."""

    def __init__(self, work: _Work, stack: contextlib.ExitStack) -> None:
        self.work = work
        self._stack = stack
        self._stream: IO[bytes] = io.BytesIO()
        self._digest = hashlib.sha1()  # as Ansible's modules

    def open(self, work: _Work) -> None:
        """Open it, and tell ``work`` the size that it seems to have."""
        source = work.content.source
        if isinstance(source, bytes):
            self._stream = io.BytesIO(source)
        elif isinstance(source, os.PathLike):
            self._stream = self._stack.enter_context(Path(source).open("rb"))  # noqa: SIM115 - the stack closes it
        elif callable(source):
            self._stream = self._stack.enter_context(source())
        else:
            self._stream = source
        if self._stream.seekable():
            start = self._stream.tell()
            work.presized = self._stream.seek(0, os.SEEK_END) - start
            self._stream.seek(start)

    def next_chunk(self) -> bytes:
        """The next piece; none at the end, and of a source that failed, which may be a file of the kernel's."""
        if self.work.error is not None:
            return b""
        try:
            chunk = self._stream.read(_CHUNK)
        except KernelError as error:
            self.work.error = error
            return b""
        self._digest.update(chunk)
        self.work.size += len(chunk)
        if not chunk:
            self.work.checksum = self._digest.hexdigest()
        return chunk
