# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which function serves which system call, and what it is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..usermemory import UserIo, UserMemory

if TYPE_CHECKING:
    from ..files import OpenFile
    from ..kernel import SimulatedKernel
    from ..process import Process
    from ..vfs.lookup import Found
    from ..vfs.node import Node

Result = int | tuple[int, int] | None
Handler = Callable[["Call"], Awaitable[Result]]


@dataclass
class Call:
    """One system call that is being served."""

    kernel: SimulatedKernel
    process: Process
    memory: UserMemory
    name: str
    args: dict[str, int]
    notes: dict[str, Any] = field(default_factory=dict)
    """Arguments as the journal should show them, in the place of their numbers."""

    def __getitem__(self, argument: str) -> int:
        return self.args[argument]

    def note(self, argument: str, value: Any) -> None:
        self.notes[argument] = value

    async def path(self, argument: str) -> bytes:
        """The path that the argument points to."""
        text = await self.memory.path(self.args[argument])
        self.notes[argument] = text
        return text

    def io(self, address: str = "buf", length: str = "nbyte") -> UserIo:
        """A transfer from or to the one buffer of a call; more than SSIZE_MAX bytes are EINVAL."""
        from ..errors import refuse

        size = self.args[length]
        if size >= 1 << (8 * self.kernel.abi.word_size - 1):
            raise refuse("EINVAL")
        return UserIo(self.memory, [(self.args[address], size)])

    def file(self, argument: str = "fd") -> OpenFile:
        """The open file of a descriptor argument."""
        return self.process.descriptors.file(self.args[argument])

    def start_of(self, argument: str) -> Node:
        """The directory from which an *at call's path starts."""
        descriptor = self.args[argument]
        if descriptor == AT_FDCWD:
            return self.process.directory
        return self.process.descriptors.file(descriptor).node

    def resolve(self, path: bytes, start: Node | None = None, **how: Any) -> Found:
        """Resolve a path as this process sees it; see :func:`..vfs.lookup.resolve`."""
        from ..vfs.lookup import resolve

        self.kernel.tracing.path(self.process, path)
        return resolve(self.process.view(), path, start or self.process.directory, **how)


AT_FDCWD = -100


@dataclass(frozen=True)
class Served:
    """A system call's function, and the rump component that brings it."""

    handler: Handler
    component: str


HANDLERS: dict[str, Served] = {}


def syscall(*names: str, component: str = "rumpkern") -> Callable[[Handler], Handler]:
    """Register a function for the system calls of these names (NetBSD's own, as ``__stat50``)."""

    def register(handler: Handler) -> Handler:
        for name in names:
            HANDLERS[name] = Served(handler, component)
        return handler

    return register
