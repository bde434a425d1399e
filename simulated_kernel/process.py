# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client's process in the kernel: identity, directories, descriptors."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import refuse
from .files import OpenFile, drop
from .vfs.lookup import View
from .vfs.node import Node
from .vfs.permissions import Credentials

UMASK = 0o022
RLIM_INFINITY = 0x7FFFFFFFFFFFFFFF
# getrlimit(2) of a client, soft and hard, by resource number (sys/resource.h).
LIMITS = {
    0: (RLIM_INFINITY, RLIM_INFINITY),
    1: (RLIM_INFINITY, RLIM_INFINITY),
    2: (RLIM_INFINITY, RLIM_INFINITY),
    3: (0x400000, 0x8000000),
    4: (RLIM_INFINITY, RLIM_INFINITY),
    5: (RLIM_INFINITY, RLIM_INFINITY),
    6: (0xAAAAAAA, 0x20000000),
    7: (160, 532),
    8: (128, 1772),
    9: (RLIM_INFINITY, RLIM_INFINITY),
    10: (RLIM_INFINITY, RLIM_INFINITY),
    11: (160, 2048),
}
RLIMIT_NOFILE = 8


@dataclass
class Descriptor:
    """One entry of a descriptor table."""

    file: OpenFile
    close_on_exec: bool = False


class DescriptorTable:
    """A process's descriptors; processes made by a fork handshake share one."""

    def __init__(self) -> None:
        self._slots: dict[int, Descriptor] = {}
        self.references = 1
        self.limit = LIMITS[RLIMIT_NOFILE][0]

    def __contains__(self, number: int) -> bool:
        return number in self._slots

    def numbers(self) -> list[int]:
        return sorted(self._slots)

    def descriptor(self, number: int) -> Descriptor:
        try:
            return self._slots[number]
        except KeyError:
            raise refuse("EBADF") from None

    def file(self, number: int) -> OpenFile:
        return self.descriptor(number).file

    def lowest_free(self, minimum: int = 0) -> int:
        number = minimum
        while number in self._slots:
            number += 1
        if number >= self.limit:
            raise refuse("EMFILE")
        return number

    def allocate(self, file: OpenFile, close_on_exec: bool = False, minimum: int = 0) -> int:
        """Give ``file`` the lowest free descriptor."""
        number = self.lowest_free(minimum)
        self.place(number, file, close_on_exec)
        return number

    def place(self, number: int, file: OpenFile, close_on_exec: bool = False) -> None:
        """Make ``number`` stand for ``file``, closing what it stood for."""
        file.references += 1
        if number in self._slots:
            self.close(number)
        self._slots[number] = Descriptor(file, close_on_exec)

    def close(self, number: int) -> None:
        descriptor = self.descriptor(number)
        del self._slots[number]
        drop(descriptor.file)

    def close_on_exec(self) -> None:
        for number in [number for number, slot in self._slots.items() if slot.close_on_exec]:
            self.close(number)

    def copy(self) -> DescriptorTable:
        """A child's table: the same files under the same numbers."""
        table = DescriptorTable()
        for number, slot in self._slots.items():
            table.place(number, slot.file, slot.close_on_exec)
        return table

    def share(self) -> DescriptorTable:
        self.references += 1
        return self

    def release(self) -> None:
        """A process that used the table is gone."""
        self.references -= 1
        if self.references == 0:
            for number in self.numbers():
                self.close(number)


class Process:
    """One client, or what a prefork keeps for one that is to come."""

    def __init__(self, pid: int, parent: int, name: str, root: Node, descriptors: DescriptorTable) -> None:
        self.pid = pid
        self.parent = parent
        self.name = name
        self.credentials = Credentials()
        self.umask = UMASK
        self.descriptors = descriptors
        self.session = 0
        self.group = 0
        self.limits = dict(LIMITS)
        self.login = b""
        self.locked_nodes: set[Node] = set()
        """Nodes on which the process may have locks of fcntl(2)."""
        self.system_root = root
        self._root = root
        self._directory = root
        root.filesystem.hold(root)
        root.filesystem.hold(root)

    @property
    def root(self) -> Node:
        return self._root

    @root.setter
    def root(self, node: Node) -> None:
        node.filesystem.hold(node)
        self._root.filesystem.release(self._root)
        self._root = node

    @property
    def directory(self) -> Node:
        """The working directory."""
        return self._directory

    @directory.setter
    def directory(self, node: Node) -> None:
        node.filesystem.hold(node)
        self._directory.filesystem.release(self._directory)
        self._directory = node

    def view(self, real: bool = False) -> View:
        """How the process sees the tree; ``real``: with its real identity (access(2))."""
        who = self.credentials
        if real:
            who = Credentials(who.uid, who.gid, who.uid, who.gid, who.groups)
        return View(self._root, self.system_root, who)

    def child(self, pid: int, name: str, descriptors: DescriptorTable) -> Process:
        """A process forked from this one."""
        process = Process(pid, self.pid, name, self.system_root, descriptors)
        process.credentials = self.credentials.copy()
        process.umask = self.umask
        process.root = self._root
        process.directory = self._directory
        process.limits = dict(self.limits)
        process.session, process.group = self.session, self.group
        return process

    def exit(self) -> None:
        """Close everything."""
        for node in self.locked_nodes:
            node.locks.release(self.pid)
        self.descriptors.release()
        self._root.filesystem.release(self._root)
        self._directory.filesystem.release(self._directory)
