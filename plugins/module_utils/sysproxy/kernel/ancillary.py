# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages with ancillary data: struct msghdr and the chain of struct cmsghdr behind it.

The alignment in the chain is the machine's, which the kernel tells as sysctl hw.alignbytes. Sources: recvmsg(2),
CMSG_DATA(3), sys/socket.h.
"""

from __future__ import annotations

import contextlib
import socket as host_socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..memory import Buffer
from ..netbsd.constants import MSG, SOL

if TYPE_CHECKING:
    from . import Kernel


class Ancillary:
    """How one kernel has its messages."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._head = kernel.abi.struct("cmsghdr")

    @contextlib.contextmanager
    def message(
        self, buffers: Sequence[Buffer], control: Buffer, name: Buffer
    ) -> Iterator[tuple[bytearray, Callable[[], Any]]]:
        """A struct msghdr for as long as the block runs, and what gives its members after a call.

        The lengths in it are those of the buffers at most, whatever the kernel says.
        """
        layout = self._kernel.abi.struct("msghdr")
        with contextlib.ExitStack() as lendings:
            vector = lendings.enter_context(self._kernel.vector(buffers))
            lend = self._kernel.session.lend
            address_of = {
                member: lendings.enter_context(lend(buffer)) if len(buffer) else 0
                for member, buffer in (("msg_name", name), ("msg_iov", vector), ("msg_control", control))
            }
            message = bytearray(
                layout.build(**address_of, msg_namelen=len(name), msg_iovlen=len(buffers), msg_controllen=len(control))
            )

            def parsed() -> Any:
                found = layout.parse(message)
                found.msg_namelen = min(found.msg_namelen, len(name))
                found.msg_controllen = min(found.msg_controllen, len(control))
                return found

            yield message, parsed

    def pack(self, ancillary: Iterable[tuple[int, int, Buffer]]) -> bytes:
        """The chain for (level, type, data) triples."""
        chain = b""
        for level, kind, data in ancillary:
            level = SOL.SOCKET if level == host_socket.SOL_SOCKET else level
            start = self._aligned(self._head.size)
            head = self._head.build(cmsg_len=start + len(data), cmsg_level=level, cmsg_type=kind)
            entry = head.ljust(start, b"\0") + bytes(data)
            chain += entry.ljust(self._aligned(len(entry)), b"\0")
        return chain

    def unpack(self, chain: bytes) -> list[tuple[int, int, bytes]]:
        """The triples in a chain; its end may be cut off, as MSG_CTRUNC tells."""
        found = []
        position = 0
        start = self._aligned(self._head.size) if chain else 0
        while position + start <= len(chain) and chain:
            head = self._head.parse(chain, position)
            if head.cmsg_len < start:
                raise self._kernel.broken(f"the ancillary data has an entry of {head.cmsg_len} bytes")
            level = host_socket.SOL_SOCKET if head.cmsg_level == SOL.SOCKET else head.cmsg_level
            found.append((level, head.cmsg_type, chain[position + start : position + head.cmsg_len]))
            position += self._aligned(head.cmsg_len)
        return found

    def _aligned(self, size: int) -> int:
        mask = self._kernel.alignbytes
        return size + mask & ~mask


def host_flags(flags: int) -> int:
    """The flags of a received message as Python's ``socket.MSG_*``; those that it has no name for are left out."""
    names = ("OOB", "EOR", "TRUNC", "CTRUNC")
    return sum(getattr(host_socket, f"MSG_{name}", 0) for name in names if flags & MSG[name])
