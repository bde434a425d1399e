# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work on many files, or much of one, with many calls in flight: it costs one wait instead of many.

What depends on each other keeps its order: a directory is made before what is in it, and removed
after; the chunks of a file are put together as they lie in it. What does not is served side by side.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from typing import Final, Protocol

from ..netbsd import Errno, KernelError
from ..netbsd.constants import O
from ..netbsd.kernel_error import kernel_error
from ..session import Request
from .base import StrPath, path_bytes
from .directories import Directories

MOST_CONTENT: Final = 1 << 29
"""Bytes that a file read as a whole may have, if the caller says nothing else."""

_CHUNK: Final = 1 << 20
_CHUNKS: Final = 4  # of one file in flight: its writes wait for each other in the kernel, its reads do not
_FILES: Final = 8  # open at once


class Sink(Protocol):
    """What bytes are written to."""

    def write(self, data: memoryview, /) -> object: ...


class Many(Directories):
    """Shaped by what a tree of files needs."""

    def stat_many(
        self, paths: Iterable[StrPath], *, follow_symlinks: bool = True
    ) -> Iterator[tuple[str, os.stat_result | KernelError]]:
        """Each path with its stat, or the error that it gave, in the order of ``paths``."""
        layout = self.abi.struct("stat")
        name = "__stat50" if follow_symlinks else "__lstat50"
        started: deque[tuple[str, bytearray]] = deque()

        def requests() -> Iterator[Request]:
            for path in paths:
                text, buffer = os.fsdecode(path), bytearray(layout.size)
                started.append((text, buffer))
                yield Request(name, (path_bytes(path), buffer), text)

        for result in self.session.map(requests()):
            text, buffer = started.popleft()
            yield text, result if isinstance(result, KernelError) else self.stat_in(layout, buffer, text)

    def stat_tree(self, top: StrPath) -> Iterator[tuple[str, os.stat_result]]:
        """All that is below ``top`` with its lstat, parents first. What vanishes meanwhile is left out.

        :raises KernelError: something could not be read, and not because it vanished.
        """
        for path, found in self.stat_many(self._below(top), follow_symlinks=False):
            if isinstance(found, os.stat_result):
                yield path, found
            elif not isinstance(found, FileNotFoundError):
                raise found

    def _below(self, top: StrPath) -> Iterator[str]:
        """The paths below a directory, those of a directory's own first."""
        directories = []
        for entry in self.scandir(top):
            yield entry.path
            if entry.is_dir():
                directories.append(entry.path)
        for directory in directories:
            yield from self._below(directory)

    def read_file(self, path: StrPath, most: int = MOST_CONTENT) -> bytes:
        """The whole content of a file, its chunks in flight together.

        :raises KernelError: EFBIG, which no kernel says here: it has more than ``most`` bytes, or no end, as a device
            may have none. :meth:`copy_out` takes files of any size.
        """
        with self._opened(path, O.RDONLY) as fd:
            size = self.fstat(fd).st_size
            pieces: list[bytes | bytearray] = []
            if _CHUNK < size <= most:
                pieces += self._read_chunks(fd, size, os.fsdecode(path))
                self.lseek(fd, sum(map(len, pieces)), os.SEEK_SET)
            total = sum(map(len, pieces))
            while size <= most and (piece := self.read(fd, _CHUNK)):  # a small file, and what a large one grew by
                pieces.append(piece)
                total += len(piece)
                size = max(size, total)
            if size > most:
                raise kernel_error(Errno.EFBIG, "read", os.fsdecode(path))
            return b"".join(pieces)

    def _read_chunks(self, fd: int, size: int, subject: str) -> list[bytearray]:
        """The first ``size`` bytes of a file, or those up to a chunk that is not whole."""
        pieces: list[bytearray] = []

        def requests() -> Iterator[Request]:
            for offset in range(0, size, _CHUNK):
                pieces.append(bytearray(min(_CHUNK, size - offset)))
                yield Request("pread", (fd, pieces[-1], len(pieces[-1]), offset), subject)

        for number, result in enumerate(self.session.map(requests(), limit=_CHUNKS)):
            if isinstance(result, KernelError):
                raise result
            piece = pieces[number]
            count = self.came(self.bounded(result[0], len(piece), f"pread {subject}"), f"pread {subject}")
            if count < len(piece):
                return [*pieces[:number], piece[:count]]
        return pieces

    def copy_out(self, path: StrPath, sink: Sink) -> int:
        """Write the content of a file to ``sink``, such as an open file of the controller's; the number of bytes.

        However large the file, only some chunks of it are held at a time.
        """
        with self._opened(path, O.RDONLY) as fd:
            subject, total = os.fsdecode(path), 0
            spare = [bytearray(_CHUNK) for _chunk in range(_CHUNKS)]
            in_use: deque[bytearray] = deque()

            def requests() -> Iterator[Request]:
                offset = 0
                while True:
                    in_use.append(spare.pop())
                    yield Request("pread", (fd, in_use[-1], _CHUNK, offset), subject)
                    offset += _CHUNK

            for result in self.session.map(requests(), limit=_CHUNKS):
                if isinstance(result, KernelError):
                    raise result
                buffer = in_use.popleft()
                count = self.came(self.bounded(result[0], _CHUNK, f"pread {subject}"), f"pread {subject}")
                sink.write(memoryview(buffer)[:count])
                spare.append(buffer)
                total += count
                if count < _CHUNK:
                    break
            return total

    def write_file(self, path: StrPath, data: bytes, mode: int = 0o666) -> None:
        """Make ``data`` the whole content of a file, which is made when missing; its chunks are in flight together."""
        with self._opened(path, O.WRONLY | O.CREAT | O.TRUNC, mode) as fd:
            for error in self._write_chunks([(fd, data, os.fsdecode(path))], limit=_CHUNKS):
                raise error

    def write_files(self, contents: Mapping[str, bytes], mode: int = 0o666) -> None:
        """Make many files, or their content anew, several at once.

        :raises KernelError: of the first that could not be; others may have been.
        """
        names = list(contents)
        for start in range(0, len(names), _FILES):
            with ExitStack() as stack:
                batch = [
                    (stack.enter_context(self._opened(name, O.WRONLY | O.CREAT | O.TRUNC, mode)), contents[name], name)
                    for name in names[start : start + _FILES]
                ]
                for error in self._write_chunks(batch, limit=_FILES):
                    raise error

    def _write_chunks(self, files: list[tuple[int, bytes, str]], limit: int) -> Iterator[Exception]:
        """Write whole contents to open files, a chunk of each in turn; what went wrong."""
        views = [(fd, memoryview(data).toreadonly(), subject) for fd, data, subject in files]
        longest = max((len(view) for _fd, view, _subject in views), default=0)
        chunks = [
            (fd, view[offset : offset + _CHUNK], offset, subject)
            for offset in range(0, longest, _CHUNK)
            for fd, view, subject in views
            if offset < len(view)
        ]
        requests = (Request("pwrite", (fd, piece, len(piece), offset), name) for fd, piece, offset, name in chunks)
        for (fd, piece, offset, subject), result in zip(chunks, self.session.map(requests, limit), strict=True):
            if isinstance(result, KernelError):
                yield result
                continue
            count = self.bounded(result[0], len(piece), f"pwrite {subject}")
            while count < len(piece):  # a file system that is nearly full takes a part
                taken = self.pwrite(fd, piece[count:], offset + count)
                if not taken:
                    raise self.broken(f"pwrite {subject} took nothing of {len(piece) - count} bytes")
                count += taken

    def unlink_many(self, paths: Iterable[StrPath]) -> Iterator[tuple[str, KernelError | None]]:
        """Remove names, each with the error that it gave, or None."""
        names: deque[str] = deque()

        def requests() -> Iterator[Request]:
            for path in paths:
                names.append(os.fsdecode(path))
                yield Request("unlink", (path_bytes(path),), names[-1])

        for result in self.session.map(requests()):
            yield names.popleft(), result if isinstance(result, KernelError) else None

    def rmtree(self, path: StrPath) -> None:
        """Remove a directory and all below it, following no links; the files of a directory side by side.

        Other file systems are not spared, only their mount points.
        """
        entries = list(self.scandir(path))
        for entry in entries:
            if entry.is_dir():
                self.rmtree(entry.path)
        for _name, error in self.unlink_many(entry.path for entry in entries if not entry.is_dir()):
            if error is not None:
                raise error
        self.rmdir(path)
