# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One simulated rump kernel: its state, and the way of a system call through it."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from .boot import populate_root
from .changes import record_changes
from .clock import Clock
from .devices import basic_devices
from .errors import SyscallError
from .faults import FaultPlan
from .files import ConsoleFile
from .journal import Journal, JournalEntry
from .modules import Modules
from .network.notices import CURRENT_PID
from .network.stack import NetworkStack
from .options import KernelOptions
from .process import DescriptorTable, Process
from .rooms import Errno
from .sockets.ports import Paths, PortTable
from .storage import VND_BLOCK_MAJOR, VND_CHARACTER_MAJOR, VndDriver, add_disks
from .syscalls import HANDLERS, Call
from .sysctl.tree import SysctlTree
from .tracing import Tracing
from .usermemory import UserMemory
from .vfs.filesystem import MNT_ROOTFS
from .vfs.mountable import TYPES
from .vfs.mounts import MountTable
from .vfs.node import Node
from .vfs.rumpfs import RumpFs

if TYPE_CHECKING:
    from .capture import Capture
    from .connection import Connection
    from .own_stack import OwnStack

LOG = logging.getLogger(__name__)
FIRST_NODE = 3
"""The number of the root directory: rumpfs counts from two."""


class SimulatedKernel:
    """A kernel that has just started, and whatever its clients make of it.

    It does no input and output of its own: connections call :meth:`serve_call`.
    """

    def __init__(self, options: KernelOptions | None = None) -> None:
        self.options = options or KernelOptions()
        self.abi = self.options.abi
        self.components = self.options.components
        self.clock = Clock()
        self.journal = Journal(self.options.journal)
        self.faults = FaultPlan(self.options.faults)
        self.console: list[bytes] = []
        """What clients wrote to descriptors 0 to 2."""
        self.failures: list[str] = []
        """System calls in which the simulation itself failed."""
        self.halted = False
        self.on_shutdown: Callable[[], None] = lambda: None
        self.own_stack: OwnStack | None = None
        """The server's sockets, where they are the kernel's own."""
        self.captures: list[Capture] = []
        """The open bpf devices."""
        self._node_numbers = count(FIRST_NODE)
        root = RumpFs(self.clock, self._node_numbers)
        self.mounts = MountTable(root, MNT_ROOTFS)
        self.root = root.root
        self.devices = basic_devices(self.components)
        vnd = VndDriver(self)
        if self.has("rumpdev_vnd"):
            self.devices.add(stat.S_IFBLK, VND_BLOCK_MAJOR, vnd)
            self.devices.add(stat.S_IFCHR, VND_CHARACTER_MAJOR, vnd)
        populate_root(self, root)
        add_disks(self, self.options.disks)
        self.network = NetworkStack(self)
        self.modules = Modules(self)
        self.tracing = Tracing(self)
        self.sysctl = SysctlTree(self)
        self.paths = Paths(self)
        self._port_tables: dict[int, PortTable] = {}
        self.processes: dict[int, Process] = {}
        self._pids = count(2)
        self._preforks: dict[bytes, Process] = {}

    def has(self, component: str) -> bool:
        """Whether a component is there; the base (rumpkern) always is."""
        return component == "rumpkern" or component in self.components

    def ports(self, kind: int) -> PortTable:
        """The sockets of a type (SOCK_STREAM, SOCK_DGRAM, SOCK_RAW) over IPv4 and IPv6."""
        return self._port_tables.setdefault(kind, PortTable(self))

    def new_rumpfs(self) -> RumpFs:
        """A further rumpfs, for mount(2)."""
        return RumpFs(self.clock, self._node_numbers)

    def filesystem_types(self) -> list[str]:
        """The types that mount(2) knows, as vfs.generic.fstypes lists them."""
        return [name for name, kind in TYPES.items() if self.has(kind.component) and not self.modules.is_disabled(name)]

    # Processes

    def new_process(self, name: str) -> Process:
        """The process of a client that came with a guest handshake: a child of process 1."""
        descriptors = DescriptorTable()
        console = ConsoleFile(self.console)
        for number in range(3):
            descriptors.place(number, console)
        return self._add(Process(next(self._pids), 1, name, self.root, descriptors))

    def _add(self, process: Process) -> Process:
        self.processes[process.pid] = process
        return process

    def process_exits(self, process: Process) -> None:
        if self.processes.pop(process.pid, None) is not None:
            self.tracing.forget(process.pid)
            process.exit()

    def prefork(self, process: Process) -> bytes:
        """Fork, and keep the child for the connection that brings the ticket."""
        ticket = os.urandom(16)
        child = process.child(next(self._pids), process.name, process.descriptors.copy())
        self._preforks[ticket] = self._add(child)
        return ticket

    def take_prefork(self, ticket: bytes, keep: bool) -> Process | None:
        """The process made from the one that waits under ``ticket``; None if there is none, or not to ``keep``."""
        waiting = self._preforks.pop(ticket, None)
        if waiting is None:
            return None
        process = None
        if keep:
            process = self._add(waiting.child(next(self._pids), waiting.name, waiting.descriptors.share()))
        self.process_exits(waiting)
        return process

    def cancel_prefork(self, ticket: bytes) -> None:
        """The parent is gone, and with it a ticket that nobody has used."""
        waiting = self._preforks.pop(ticket, None)
        if waiting is not None:
            self.process_exits(waiting)

    # System calls

    def call_name(self, number: int) -> str:
        return self.abi.syscall_name(number) or f"syscall-{number}"

    async def serve_call(self, connection: Connection, number: int, block: bytes) -> tuple[int, int, int]:
        """Serve one system call: (errno, first register, second register)."""
        process = connection.process
        assert process is not None
        name = self.call_name(number)
        call = Call(self, process, UserMemory(connection, self.abi), name, {})
        record = record_changes()
        CURRENT_PID.set(process.pid)
        error: Errno | None = None
        values = (0, 0)
        traced = self.tracing.is_traced(process)
        if traced:
            self.tracing.call_begins(process, number, block)
        try:
            values = await self._perform(call, block)
        except SyscallError as refused:
            error = refused.errno
        except Exception:
            # A fault of the simulation's own: a test should see it, and the client should not hang.
            LOG.exception("the simulated kernel failed in %s", name)
            self.failures.append(name)
            error = Errno.EIO
        if traced:
            self.tracing.call_ends(process, number, int(error or 0), values)
        entry = JournalEntry(connection.number, connection.program, process.pid, name)
        entry.arguments = {**call.args, **call.notes}
        entry.error = error.name if error is not None else None
        entry.result = values[0]
        entry.changes = record.changed
        self.journal.append(entry)
        return (int(error) if error is not None else 0), *values

    async def _perform(self, call: Call, block: bytes) -> tuple[int, int]:
        served = HANDLERS.get(call.name)
        if served is None or not self.has(served.component):
            raise SyscallError(Errno.ENOSYS)
        try:
            call.args = self.abi.decode_arguments(call.name, block)
        except ValueError:
            # The real kernel reads on behind a short block; what it would find there nobody knows.
            raise SyscallError(Errno.EFAULT) from None
        result = await served.handler(call)
        if isinstance(result, tuple):
            return result
        return result or 0, 0

    # Attributes

    def attributes(self, node: Node) -> dict[str, object]:
        """The members of struct stat of a node."""
        filesystem = node.filesystem
        if filesystem.dead:
            raise SyscallError(Errno.EBADF)
        return {
            "st_dev": filesystem.device_of(node),
            "st_mode": node.kind | node.mode,
            "st_ino": node.number,
            "st_nlink": node.links,
            "st_uid": node.uid,
            "st_gid": node.gid,
            "st_rdev": filesystem.rdev_of(node),
            "times": (node.atime, node.mtime, node.ctime, node.birthtime),
            "st_size": filesystem.size_of(node),
            "st_blocks": filesystem.blocks_of(node),
            "st_blksize": filesystem.block_size_of(node),
            "st_flags": node.flags,
            "st_gen": node.generation,
        }

    # The end

    def shut_down(self) -> None:
        """Reboot was called: the server ends."""
        self.halted = True
        self.on_shutdown()
