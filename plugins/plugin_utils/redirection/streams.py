# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``open`` in a module's Python, and what ``io`` has for it."""

from __future__ import annotations

import _io
import io
import os
from collections.abc import Callable
from typing import IO, Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.streams import (
    DEFAULT_BUFFER_SIZE,
    RawFile,
    buffered,
)

from .descriptors import STANDARD
from .errors import Refused

_OPENING: Final = {"r": 0, "w": os.O_CREAT | os.O_TRUNC, "x": os.O_CREAT | os.O_EXCL, "a": os.O_CREAT | os.O_APPEND}


class KernelFile(RawFile):
    """``io.FileIO`` for a module: unlike its base it tells its descriptor, and takes an ``opener``."""

    def __init__(
        self,
        kernel: Kernel,
        file: Any,
        mode: str = "r",
        closefd: bool = True,
        opener: Callable[[Any, int], int] | None = None,
    ) -> None:
        plain = mode.replace("b", "")
        self._descriptor, self._closefd, self.name = -1, False, file  # for close, if it comes to nothing here
        if isinstance(file, int):
            if file in STANDARD:
                raise Refused(f"FileIO({file})")
            super().__init__(kernel, file, plain, closefd)
        elif opener is None:
            super().__init__(kernel, os.fspath(file), plain, closefd)
        else:
            if not closefd:
                raise ValueError("Cannot use closefd=False with file name")
            letter = plain.replace("+", "")
            access = os.O_RDWR if "+" in plain else os.O_RDONLY if letter == "r" else os.O_WRONLY
            descriptor = opener(file, access | _OPENING[letter] | os.O_CLOEXEC)
            if descriptor < 0:
                raise ValueError(f"opener returned {descriptor}")
            super().__init__(kernel, descriptor, plain, True)
            self.name = file
        self.mode = plain.replace("+", "") + ("b+" if "+" in plain else "b")

    def fileno(self) -> int:
        return self.descriptor


class Streams:
    """``open``, ``FileIO`` and ``open_code``."""

    def __init__(self, kernel: Kernel) -> None:
        class FileIO(KernelFile):
            """io wants a class, and this one's objects are all of one kernel."""

            def __init__(
                self,
                file: Any,
                mode: str = "r",
                closefd: bool = True,
                opener: Callable[[Any, int], int] | None = None,
            ) -> None:
                try:
                    super().__init__(kernel, file, mode, closefd, opener)
                except KernelError as error:
                    error.filename = error.filename or file
                    raise

        FileIO.__module__ = "_io"
        self.FileIO = FileIO

    def open(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Callable[[Any, int], int] | None = None,
    ) -> IO[Any]:
        """As the built-in ``open``. Text without an encoding is UTF-8."""
        if isinstance(file, int) and file in STANDARD:
            return _io.open(file, mode, buffering, encoding, errors, newline, False)
        if not isinstance(mode, str):
            raise TypeError(f"open() argument 'mode' must be str, not {type(mode).__name__}")
        letters = set(mode)
        if len(letters) != len(mode) or letters - set("rwxabt+") or letters >= {"b", "t"}:
            raise ValueError(f"invalid mode: {mode!r}")
        if len(letters & set("rwxa")) != 1:
            raise ValueError("must have exactly one of create/read/write/append mode")
        binary = "b" in letters
        if binary and (encoding is not None or errors is not None or newline is not None):
            raise ValueError("binary mode doesn't take an encoding, errors or newline argument")
        if not binary and buffering == 0:
            raise ValueError("can't have unbuffered text I/O")
        raw = self.FileIO(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        try:
            if buffering == 0:
                return raw  # type: ignore[return-value] # as open(), which has many types
            stream = buffered(raw, DEFAULT_BUFFER_SIZE if buffering in (-1, 1) else buffering)
            if binary:
                return stream
            encoding = "utf-8" if encoding in (None, "locale") else encoding
            text = io.TextIOWrapper(stream, encoding, errors, newline, buffering == 1)
            text.mode = mode  # type: ignore[misc] # as io.open, which sets it
            return text
        except BaseException:
            raw.close()
            raise

    def open_code(self, path: str) -> IO[Any]:
        return self.open(path, "rb")
