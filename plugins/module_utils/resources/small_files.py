# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many small new files in as few calls as it takes, each step of all of them in flight together.

Like content.py, they are made under a temporary name and renamed, so that there is a whole file or none. What they
leave out of what that does is for files that are there already (nothing of them is to be kept), and the wait for the
disk: a kernel that ends before it wrote them loses them, as it does with those of tar(1).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.base import LARGEST_DESCRIPTOR, path_bytes
from ..sysproxy.netbsd.constants import O
from ..sysproxy.session import Registers, Request

_SPECIAL_BITS: Final = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX


@dataclass
class SmallFile:
    """A file to be made: its path, content and permission bits; the owners that it would have anyway for None;
    ``mtime`` in nanoseconds since the epoch, None for now."""

    path: str
    data: bytes
    mode: int
    uid: int | None = None
    gid: int | None = None
    mtime: int | None = None
    _fd: int = -1
    _temporary: str = ""


Owners = dict[str, tuple[int, int]]
"""By directory: the owner and group that the kernel gives to a new file there."""


def make_small_files(kernel: Kernel, files: Sequence[SmallFile], owners: Owners) -> None:
    """Make them, a few dozen at most, in a file system that has rename.

    :param owners: what is known already; more is added.
    :raises KernelError: of the first that could not be made; others may have been.
    """
    if not files:
        return
    former = kernel.umask(0)
    try:
        _Making(kernel, files, owners).run()
    finally:
        if not kernel.session.closed:
            kernel.umask(former)


class _Making:
    def __init__(self, kernel: Kernel, files: Sequence[SmallFile], owners: Owners) -> None:
        self.kernel = kernel
        self.files = files
        self.owners = owners

    def run(self) -> None:
        try:
            self._open()
            self._write()
            self._learn_owners()
            self._each(self._owner)
            self._each(self._special_bits)
            self._each(self._time)
            self._rename()
        finally:
            if not self.kernel.session.closed:
                self._clean()

    def _open(self) -> None:
        for file in self.files:
            file._temporary = os.path.join(os.path.dirname(file.path), f".ansible_tmp{secrets.token_hex(6)}")
        flags = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW
        requests = [
            Request("open", (path_bytes(file._temporary), flags, file.mode & ~_SPECIAL_BITS), file.path)
            for file in self.files
        ]
        refused = None
        for file, result in zip(self.files, self.kernel.session.map(requests), strict=True):
            if isinstance(result, KernelError):
                file._temporary = ""
                refused = refused or result
            else:
                file._fd = self.kernel.bounded(result[0], LARGEST_DESCRIPTOR, f"open {file.path}")
        if refused is not None:
            raise refused

    def _write(self) -> None:
        files = [file for file in self.files if file.data]
        requests = [Request("pwrite", (file._fd, file.data, len(file.data), 0), file.path) for file in files]
        for file, result in zip(files, self._results(requests), strict=True):
            count = self.kernel.bounded(result[0], len(file.data), f"pwrite {file.path}")
            while count < len(file.data):  # a file system that is nearly full takes a part
                taken = self.kernel.pwrite(file._fd, memoryview(file.data)[count:], count)
                if not taken:
                    raise self.kernel.broken(f"pwrite {file.path} took nothing of {len(file.data) - count} bytes")
                count += taken

    def _learn_owners(self) -> None:
        """One file of each directory tells what the others in it have."""
        layout = self.kernel.abi.struct("stat")
        asked: dict[str, tuple[SmallFile, bytearray]] = {}
        for file in self.files:
            folder = os.path.dirname(file.path)
            if folder not in self.owners and (file.uid is not None or file.gid is not None):
                asked.setdefault(folder, (file, bytearray(layout.size)))
        requests = [Request("__fstat50", (file._fd, buffer), file.path) for file, buffer in asked.values()]
        for (folder, (_file, buffer)), _result in zip(asked.items(), self._results(requests), strict=True):
            found = self.kernel.stat_in(layout, buffer, folder)
            self.owners[folder] = found.st_uid, found.st_gid

    def _owner(self, file: SmallFile) -> Request | None:
        if file.uid is None and file.gid is None:
            return None
        has = self.owners[os.path.dirname(file.path)]
        wanted = [has[index] if number is None else number for index, number in enumerate((file.uid, file.gid))]
        return None if has == tuple(wanted) else Request("fchown", (file._fd, *wanted), file.path)

    def _special_bits(self, file: SmallFile) -> Request | None:
        """open takes no sticky bit, and a change of the owner takes the others away."""
        return Request("fchmod", (file._fd, file.mode), file.path) if file.mode & _SPECIAL_BITS else None

    def _time(self, file: SmallFile) -> Request | None:
        if file.mtime is None:
            return None
        return Request("futimens", (file._fd, self.kernel.timespecs(ns=(None, file.mtime))), file.path)

    def _rename(self) -> None:
        requests = []
        for file in self.files:
            requests.append(Request("rename", (path_bytes(file._temporary), path_bytes(file.path)), file.path))
            requests.append(Request("close", (file._fd,), file.path))
            file._fd = -1
        results = self.kernel.session.map(requests)
        refused = None
        for file, renamed, closed in zip(self.files, results, results, strict=True):
            if not isinstance(renamed, KernelError):
                file._temporary = ""
            for result in (renamed, closed):
                if isinstance(result, KernelError):
                    refused = refused or result
        if refused is not None:
            raise refused

    def _each(self, make: Callable[[SmallFile], Request | None]) -> None:
        for _done in self._results([request for file in self.files if (request := make(file)) is not None]):
            pass

    def _results(self, requests: Sequence[Request]) -> Iterator[Registers]:
        for result in self.kernel.session.map(requests):
            if isinstance(result, KernelError):
                raise result
            yield result

    def _clean(self) -> None:
        """Remove what is left when something was refused."""
        for file in self.files:
            with contextlib.suppress(KernelError):
                if file._fd >= 0:
                    self.kernel.close(file._fd)
            with contextlib.suppress(KernelError):
                if file._temporary:
                    self.kernel.unlink(file._temporary)
