# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kernfs: some facts about the kernel as files (sys/miscfs/kernfs)."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from ..changes import mark_change
from ..clock import NANOSECONDS
from ..errors import SyscallError, refuse
from .filesystem import FileSystem, Operation, Space
from .node import NO_DEVICE, Node
from .permissions import Credentials

if TYPE_CHECKING:
    from ..kernel import SimulatedKernel

READ_MODE, WRITE_MODE, DIRECTORY_MODE = 0o444, 0o644, 0o555
# The files, in the order of the kernel's table.
NAMES = ("boottime", "copyright", "hostname", "hz", "loadavg", "msgbuf", "pagesize", "physmem", "time", "version")
COPYRIGHT = "Copyright (c) The NetBSD Foundation, Inc.  All rights reserved.\n"
WRITABLE = frozenset({"hostname"})


class KernFs(FileSystem):
    """A mounted kernfs; nothing can be made or removed in it."""

    type_name = "kernfs"
    entry_size = 32

    def __init__(self, kernel: SimulatedKernel) -> None:
        super().__init__(kernel.clock)
        self._kernel = kernel
        self.can_become_read_only = False
        self.root = self.new_root(DIRECTORY_MODE)
        for name in NAMES:
            mode = WRITE_MODE if name in WRITABLE else READ_MODE
            node = Node(self, stat.S_IFREG, mode, self.next_number(), self.clock.now())
            node.extra, node.links = name, 0
            self._attach(self.root, name.encode(), node)

    def _text(self, node: Node) -> bytes:
        kernel, name = self._kernel, node.extra
        now = kernel.clock.now()
        boot = kernel.clock.boot_time // NANOSECONDS  # 64 bits, of which the first 32 are shown (KFSint)
        texts = {
            "boottime": lambda: f"{boot if kernel.abi.byteorder == 'little' else boot >> 32}\n",
            "copyright": lambda: COPYRIGHT,
            "hostname": lambda: _text(kernel.sysctl.value("kern.hostname", "")) + "\n",
            "hz": lambda: "100\n",
            "loadavg": lambda: "0 0 0 2048\n",
            "msgbuf": lambda: "",
            "pagesize": lambda: f"{kernel.sysctl.value('hw.pagesize', 4096)}\n",
            "physmem": lambda: f"{kernel.sysctl.value('hw.physmem', 0) // 4096}\n",
            "time": lambda: f"{now // NANOSECONDS} {now % NANOSECONDS // 1000}\n",
            "version": lambda: _text(kernel.sysctl.value("kern.version", "")),
        }
        return texts[name]().encode()

    def lookup(self, directory: Node, name: bytes, operation: Operation, last: bool, who: Credentials) -> Node | None:
        if last and operation in (Operation.DELETE, Operation.RENAME):
            raise refuse("EROFS")
        try:
            return super().lookup(directory, name, Operation.LOOKUP, last, who)
        except SyscallError:
            # Whatever the last component is wanted for, nothing can be made here.
            raise refuse("ENOENT" if operation is Operation.LOOKUP else "EROFS") from None

    def make(self, directory: Node, name: bytes, kind: int, mode: int, who: Credentials,
             rdev: int = NO_DEVICE, target: bytes = b"") -> Node:  # fmt: skip
        raise refuse("EROFS")

    def size_of(self, node: Node) -> int:
        return 512 if node.is_directory else len(self._text(node))

    def blocks_of(self, node: Node) -> int:
        return 1 if node.is_directory else 0

    def block_size_of(self, node: Node) -> int:
        return 512

    def rdev_of(self, node: Node) -> int:
        return 0

    def read(self, node: Node, offset: int, length: int) -> bytes:
        return self._text(node)[offset : offset + length]

    def resize(self, node: Node, size: int) -> None:
        """Sizes are what the kernel says."""

    def truncate(self, node: Node, size: int) -> None:
        """Opening with O_TRUNC is allowed and does nothing."""

    def store(self, node: Node, offset: int, data: bytes) -> None:
        if node.extra not in WRITABLE:
            raise refuse("EOPNOTSUPP")
        hostname = self._kernel.sysctl.find("kern.hostname")
        assert hostname is not None
        hostname.set(data.rstrip(b"\n"))
        mark_change()

    def change_mode(self, node: Node, mode: int, who: Credentials) -> None:
        """Accepted and ignored (kernfs_setattr)."""

    def change_owner(self, node: Node, uid: int | None, gid: int | None, who: Credentials) -> None:
        """Accepted and ignored."""

    def space(self) -> Space:
        return Space(512, 512, 512, blocks=2)


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
