# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pipes: bytes that one descriptor writes and another reads (sys/kern/sys_pipe.c)."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from .errors import refuse
from .files import FREAD, FWRITE, O_NONBLOCK, OpenFile
from .usermemory import UserIo
from .wakeup import Wakeup

if TYPE_CHECKING:
    from .kernel import SimulatedKernel

CAPACITY = 16384


class Pipe:
    """The bytes under way, and how many ends are open."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.readers = self.writers = 1
        self.changed = Wakeup()


class PipeEnd(OpenFile):
    """One end of a pipe."""

    def __init__(self, pipe: Pipe, flags: int) -> None:
        super().__init__(flags)
        self._pipe = pipe
        self.changed = pipe.changed

    async def read(self, io: UserIo, offset: int | None) -> None:
        pipe = self._pipe
        if offset is not None:
            raise refuse("ESPIPE")
        while not pipe.data:
            if not pipe.writers:
                return
            if self.flags & O_NONBLOCK:
                raise refuse("EAGAIN")
            await pipe.changed.wait()
        piece = bytes(pipe.data[: io.remaining])
        del pipe.data[: len(piece)]
        await io.put(piece)
        pipe.changed.ring()

    async def write(self, io: UserIo, offset: int | None) -> None:
        pipe = self._pipe
        if offset is not None:
            raise refuse("ESPIPE")
        while io.remaining:
            if not pipe.readers:
                raise refuse("EPIPE")
            room = CAPACITY - len(pipe.data)
            if not room:
                if self.flags & O_NONBLOCK:
                    if io.done:
                        return
                    raise refuse("EAGAIN")
                await pipe.changed.wait()
                continue
            pipe.data += await io.take(min(room, io.remaining))
            pipe.changed.ring()

    def attributes(self, kernel: SimulatedKernel) -> dict[str, object]:
        return {"st_mode": stat.S_IFIFO | 0o600, "st_size": len(self._pipe.data), "st_blksize": CAPACITY, "st_nlink": 1}

    def ready(self) -> tuple[bool, bool]:
        pipe = self._pipe
        return bool(pipe.data) or not pipe.writers, len(pipe.data) < CAPACITY or not pipe.readers

    def close(self) -> None:
        if self.flags & FREAD:
            self._pipe.readers -= 1
        else:
            self._pipe.writers -= 1
        self._pipe.changed.ring()


def make_pipe(flags: int) -> tuple[PipeEnd, PipeEnd]:
    """(the end that reads, the end that writes)."""
    pipe = Pipe()
    return PipeEnd(pipe, FREAD | flags), PipeEnd(pipe, FWRITE | flags)
