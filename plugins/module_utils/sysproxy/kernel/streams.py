# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's files as Python's file objects: ``fopen`` is to the kernel what ``open`` is to the controller.

A :class:`RawFile` does the calls; Python's own io classes give it buffers, text and all that comes with them, so
that whatever takes a file object (shutil.copyfileobj, tarfile, zipfile, json) takes these.
"""

from __future__ import annotations

import io
import os
import stat
from typing import IO, Any, Final

from ..netbsd import Errno
from ..netbsd.constants import O
from ..netbsd.kernel_error import kernel_error
from .base import StrPath
from .descriptors import Descriptors

DEFAULT_BUFFER_SIZE: Final = 1 << 16
"""Bytes: larger than Python's, as each filling is a call to another process or machine."""
_CHUNK: Final = 1 << 20
_FLAGS: Final = {"r": O.RDONLY, "w": O.CREAT | O.TRUNC, "x": O.CREAT | O.EXCL, "a": O.CREAT | O.APPEND}


class RawFile(io.RawIOBase):
    """An open descriptor of a kernel's as a raw stream.

    It has no ``fileno()``: who asks for that means one of the controller's. The kernel's is ``descriptor``.
    """

    def __init__(
        self, kernel: Descriptors, file: StrPath | int, mode: str, closefd: bool = True, permissions: int = 0o666
    ) -> None:
        """``mode`` as :meth:`Streams.fopen` has it, less ``b`` and ``t``; ``permissions`` are those of a new file."""
        self._descriptor = -1
        self._kernel = kernel
        self._updating = "+" in mode
        self._reading = self._updating or "r" in mode
        self._writing = self._updating or "r" not in mode
        self._appending = "a" in mode
        self._closefd = closefd
        # What was opened here blocks. A kernel that says it would is not to get io's own exceptions out of it.
        self._blocking = not isinstance(file, int)
        self.mode = mode
        self.name: Any = file
        if isinstance(file, int):
            self._descriptor = file
        else:
            if not closefd:
                raise ValueError("a path cannot be opened with closefd=False")
            access = O.RDWR if self._updating else O.WRONLY if self._writing else O.RDONLY
            self._descriptor = kernel.open(file, access | _FLAGS[mode.replace("+", "")], permissions)
        try:
            if stat.S_ISDIR(kernel.fstat(self._descriptor).st_mode):
                raise kernel_error(Errno.EISDIR, "open", str(file))
            if self._appending and self.seekable():
                self.seek(0, os.SEEK_END)
        except BaseException:
            self.close()
            raise

    @property
    def descriptor(self) -> int:
        """The kernel's descriptor.

        :raises ValueError: the file is closed.
        """
        self._check()
        return self._descriptor

    @property
    def closefd(self) -> bool:
        return self._closefd

    def readable(self) -> bool:
        self._check()
        return self._reading

    def writable(self) -> bool:
        self._check()
        return self._writing

    def seekable(self) -> bool:
        try:
            self._kernel.lseek(self.descriptor, 0, os.SEEK_CUR)
        except OSError as error:
            if getattr(error, "name", "") != "ESPIPE":
                raise
            return False
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._check(self._reading, "reading")
        try:
            return self._kernel.readinto(self._descriptor, memoryview(buffer).cast("B"))
        except BlockingIOError:
            if self._blocking:
                raise
            return None

    def readall(self) -> bytes | None:  # type: ignore[override] # None as io says
        self._check(self._reading, "reading")
        pieces: list[bytes] = []
        while True:
            try:
                piece = self._kernel.read(self._descriptor, _CHUNK)
            except BlockingIOError:
                if self._blocking:
                    raise
                return b"".join(pieces) if pieces else None
            if not piece:
                return b"".join(pieces)
            pieces.append(piece)

    def write(self, data: Any) -> int | None:
        self._check(self._writing, "writing")
        try:
            return self._kernel.write(self._descriptor, memoryview(data).cast("B"))
        except BlockingIOError:
            if self._blocking:
                raise
            return None

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        return self._kernel.lseek(self.descriptor, position, whence)

    def tell(self) -> int:
        return self.seek(0, os.SEEK_CUR)

    def truncate(self, size: int | None = None) -> int:
        self._check(self._writing, "writing")
        size = self.tell() if size is None else size
        self._kernel.ftruncate(self._descriptor, size)
        return size

    def close(self) -> None:
        """Close the descriptor; the end of the session did it already if that is over."""
        if self.closed:  # pylint: disable=using-constant-test
            return
        try:
            super().close()
        finally:
            if self._closefd and self._descriptor >= 0 and not self._kernel.session.closed:
                self._kernel.close(self._descriptor)

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"descriptor={self._descriptor}"  # pylint: disable=using-constant-test
        return f"<{type(self).__name__} name={self.name!r} mode={self.mode!r} {state}>"

    def _check(self, allowed: bool = True, what: str = "") -> None:
        if self.closed:  # pylint: disable=using-constant-test
            raise ValueError("I/O operation on closed file")
        if not allowed:
            raise io.UnsupportedOperation(f"not open for {what}")


class Streams(Descriptors):
    """Files and descriptors as Python's file objects."""

    def fopen(
        self,
        file: StrPath | int,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        *,
        permissions: int = 0o666,
    ) -> IO[Any]:
        """A file of the kernel's as ``open`` gives one of the controller's.

        Text is UTF-8 unless ``encoding`` says otherwise, whatever the controller's locale. ``file`` may be one of the
        kernel's descriptors. ``permissions`` are those of a file that is made, less the umask.

        :raises ValueError: the arguments contradict each other.
        :raises KernelError: the kernel refused.
        """
        raw_mode, binary = _parsed(mode)
        if binary and (encoding is not None or errors is not None or newline is not None):
            raise ValueError("a binary mode takes no encoding, errors or newline")
        if not binary and buffering == 0:
            raise ValueError("text cannot be unbuffered")
        raw = RawFile(self, file, raw_mode, closefd, permissions)
        try:
            if buffering == 0:
                return raw  # type: ignore[return-value] # as open(), which has many types
            stream = buffered(raw, DEFAULT_BUFFER_SIZE if buffering in (-1, 1) else buffering)
            if binary:
                return stream
            text = io.TextIOWrapper(stream, encoding or "utf-8", errors, newline, buffering == 1)
            text.mode = mode  # type: ignore[misc] # as io.open, which sets it
            return text
        except BaseException:
            raw.close()
            raise


def buffered(raw: io.RawIOBase, size: int) -> Any:
    """The buffer that fits what a raw stream can do, as ``open`` chooses it."""
    if raw.readable() and raw.writable():
        return io.BufferedRandom(raw, size) if raw.seekable() else io.BufferedRWPair(raw, raw, size)
    return io.BufferedReader(raw, size) if raw.readable() else io.BufferedWriter(raw, size)


def _parsed(mode: str) -> tuple[str, bool]:
    """The mode without ``b`` and ``t``, and whether it is binary."""
    letters = set(mode)
    if len(letters) != len(mode) or letters - set("rwxabt+"):
        raise ValueError(f"{mode!r} is no mode of a file")
    if len(letters & set("rwxa")) != 1:
        raise ValueError(f"{mode!r}: exactly one of r, w, x and a is needed")
    if letters >= {"b", "t"}:
        raise ValueError(f"{mode!r}: a file is binary or text, not both")
    return mode.replace("b", "").replace("t", ""), "b" in letters
