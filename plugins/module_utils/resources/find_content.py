# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of many files, for those who look into it: small ones side by side, large ones streamed."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.base import LARGEST_DESCRIPTOR, path_bytes
from ..sysproxy.netbsd.constants import O
from ..sysproxy.session import Request
from .file_facts import DigestSink, new_digest

_SMALL: Final = 1 << 16  # bytes of a file that is read at once
_BATCH: Final = 64  # files that are open at once


class Unreadable(Exception):
    """A file is not in the encoding that it is searched in, or there is no such encoding."""


def small_contents(kernel: Kernel, files: Iterable[tuple[str, int]]) -> Iterator[bytes | KernelError | None]:
    """The content of each file, given as path and size, in order; None for a large one, which is left to be streamed.

    A file that cannot be read gives the kernel's error.
    """
    todo = iter(files)
    while batch := list(islice(todo, _BATCH)):
        yield from _read(kernel, batch)


def _read(kernel: Kernel, batch: list[tuple[str, int]]) -> list[bytes | KernelError | None]:
    contents: list[bytes | KernelError | None] = [None] * len(batch)
    # One byte more than there should be tells whether the file grew.
    buffers = {number: bytearray(size + 1) for number, (_path, size) in enumerate(batch) if size <= _SMALL}
    opens = (Request("open", (path_bytes(batch[number][0]), O.RDONLY, 0), batch[number][0]) for number in buffers)
    descriptors: dict[int, int] = {}
    for number, result in zip(buffers, kernel.session.map(opens), strict=True):
        if isinstance(result, KernelError):
            contents[number] = result
        else:
            descriptors[number] = kernel.bounded(result[0], LARGEST_DESCRIPTOR, f"open {batch[number][0]}")
    reads = (
        Request("pread", (fd, buffers[number], len(buffers[number]), 0), batch[number][0])
        for number, fd in descriptors.items()
    )
    for number, result in zip(descriptors, kernel.session.map(reads), strict=True):
        if isinstance(result, KernelError):
            contents[number] = result
            continue
        about = f"pread {batch[number][0]}"
        count = kernel.came(kernel.bounded(result[0], len(buffers[number]), about), about)
        if count < len(buffers[number]):
            contents[number] = bytes(memoryview(buffers[number])[:count])
    for result in kernel.session.map(Request("close", (fd,)) for fd in descriptors.values()):
        if isinstance(result, KernelError):
            raise result
    return contents


def checksums(kernel: Kernel, files: list[tuple[str, int]], algorithm: str) -> Iterator[str | None]:
    """The checksum of each file, given as path and size, in hexadecimal digits; None for one that is gone meanwhile.

    :raises KernelError: a file cannot be read.
    """
    for (path, _size), content in zip(files, small_contents(kernel, files), strict=True):
        digest = new_digest(algorithm)
        try:
            if isinstance(content, KernelError):
                raise content
            if content is None:
                kernel.copy_out(path, DigestSink(digest))
            else:
                digest.update(content)
        except FileNotFoundError:
            yield None
        else:
            yield digest.hexdigest()


def matching(
    kernel: Kernel, files: list[tuple[str, int]], pattern: re.Pattern[str], encoding: str, whole: bool
) -> Iterator[bool]:
    """Whether a line of each file begins with ``pattern``, or with ``whole``, whether it is anywhere in the file.

    A file that cannot be read does not match.

    :raises Unreadable: a file's bytes do not fit the encoding, or nobody knows it.
    """
    for (path, _size), content in zip(files, small_contents(kernel, files), strict=True):
        try:
            if isinstance(content, KernelError):
                raise content
            raw = kernel.fopen(path, "rb") if content is None else io.BytesIO(content)
            with io.TextIOWrapper(raw, encoding=encoding) as text:
                yield _matches(text, pattern, whole)
        except KernelError:
            yield False
        except UnicodeDecodeError:
            about = f"Failed to read the file {path} due to an encoding error. current encoding: {encoding}"
            raise Unreadable(about) from None
        except LookupError as error:
            raise Unreadable(str(error)) from None


def _matches(text: IO[str], pattern: re.Pattern[str], whole: bool) -> bool:
    if whole:
        return pattern.search(text.read()) is not None
    return any(pattern.match(line) for line in text)
