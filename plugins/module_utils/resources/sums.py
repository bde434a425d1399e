# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checksums of contents, as Ansible's modules return them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import IO, Any, Final

from ..sysproxy import Kernel

_CHUNK: Final = 1 << 20  # bytes


@dataclass(frozen=True)
class Sums:
    """A content's SHA-1 and MD5, in hex, and its size in bytes. There is no MD5 where Python may not make one."""

    sha1: str
    md5: str | None
    size: int


@dataclass
class _Summing:
    """A file that only sums up what is written to it."""

    sha1: Any = field(default_factory=hashlib.sha1)
    md5: Any = None
    size: int = 0

    def __post_init__(self) -> None:
        try:
            self.md5 = hashlib.md5()
        except ValueError:  # a controller in FIPS mode
            self.md5 = None

    def write(self, data: Any) -> int:
        self.sha1.update(data)
        if self.md5 is not None:
            self.md5.update(data)
        self.size += len(data)
        return len(data)

    @property
    def sums(self) -> Sums:
        return Sums(self.sha1.hexdigest(), None if self.md5 is None else self.md5.hexdigest(), self.size)


def sums_of(stream: IO[bytes]) -> Sums:
    """The sums of the rest of an open file."""
    summing = _Summing()
    while chunk := stream.read(_CHUNK):
        summing.write(chunk)
    return summing.sums


def sums_of_kernel(kernel: Kernel, path: str) -> Sums:
    """The sums of a file of the kernel's, of which only some chunks are held at a time."""
    summing = _Summing()
    kernel.copy_out(path, summing)
    return summing.sums
