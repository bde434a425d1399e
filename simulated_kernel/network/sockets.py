# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets, as far as configuration needs them: ioctls, and the errors of connecting to nothing.

Sources: sys/kern/uipc_syscalls.c, sys_socket.c.
"""

from __future__ import annotations

import asyncio
import stat
from typing import TYPE_CHECKING

from ..errors import refuse
from ..files import FREAD, FWRITE, O_NONBLOCK, OpenFile
from ..usermemory import UserIo
from .addresses import AF_INET, AF_INET6, AF_LINK, AF_LOCAL, AF_ROUTE

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from ..kernel import SimulatedKernel

SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET = 1, 2, 3, 5
SOCK_TYPE_MASK = 0xF
SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_NOSIGPIPE = 0x10000000, 0x20000000, 0x40000000
# The address families: component, and the socket types with the protocols that they take (0 is the default).
FAMILIES: dict[int, tuple[str, dict[int, frozenset[int] | None]]] = {
    AF_LOCAL: (
        "rumpnet_local",
        {SOCK_STREAM: frozenset({0}), SOCK_DGRAM: frozenset({0}), SOCK_SEQPACKET: frozenset({0})},
    ),
    AF_INET: ("rumpnet_netinet", {SOCK_STREAM: frozenset({0, 6}), SOCK_DGRAM: frozenset({0, 17}), SOCK_RAW: None}),
    AF_INET6: ("rumpnet_netinet6", {SOCK_STREAM: frozenset({0, 6}), SOCK_DGRAM: frozenset({0, 17}), SOCK_RAW: None}),
    AF_LINK: ("rumpnet_net", {SOCK_DGRAM: frozenset({0})}),
    AF_ROUTE: ("rumpnet_net", {SOCK_RAW: None}),
}


class Socket(OpenFile):
    """A socket that carries no data of its own."""

    def __init__(self, kernel: SimulatedKernel, family: int, kind: int, flags: int) -> None:
        super().__init__(FREAD | FWRITE | flags)
        self.kernel = kernel
        self.family = family
        self.kind = kind
        self.options: dict[tuple[int, int], bytes] = {}
        """What setsockopt set, by (level, name)."""

    async def read(self, io: UserIo, offset: int | None) -> None:
        if offset is not None:
            raise refuse("ESPIPE")
        if self.kind == SOCK_STREAM:
            raise refuse("ENOTCONN")
        if self.flags & O_NONBLOCK:
            raise refuse("EAGAIN")
        await asyncio.get_running_loop().create_future()

    async def write(self, io: UserIo, offset: int | None) -> None:
        raise refuse("ESPIPE" if offset is not None else "ENOTCONN")

    async def ioctl(self, request: IoctlRequest) -> None:
        if request.name in ("FIONBIO", "FIOASYNC"):
            return
        if request.name == "FIONREAD":
            request.put_integer("int", 0)
            return
        if request.group == "i":
            await self.kernel.network.ioctl(request, self.family)
            return
        raise refuse("EOPNOTSUPP" if self.family in (AF_LOCAL, AF_ROUTE) else "ENOTTY")

    def shut_down(self, how: int) -> None:
        """shutdown(2): 0 no more reading, 1 no more writing, 2 both."""
        if self.kind == SOCK_STREAM:
            raise refuse("ENOTCONN")

    def attributes(self, kernel: SimulatedKernel) -> dict[str, object]:
        return {"st_mode": stat.S_IFSOCK}

    def ready(self) -> tuple[bool, bool]:
        return False, True


def make_socket(kernel: SimulatedKernel, family: int, kind: int, protocol: int, flags: int) -> Socket:
    """A new socket; refused as socreate refuses."""
    known = FAMILIES.get(family)
    if known is None or not kernel.has(known[0]):
        raise refuse("EAFNOSUPPORT")
    types = known[1]
    if kind not in types:
        raise refuse("EPROTONOSUPPORT" if protocol else "EPROTOTYPE" if kind in range(1, 6) else "EPROTONOSUPPORT")
    protocols = types[kind]
    if protocols is not None and protocol not in protocols:
        raise refuse("EPROTONOSUPPORT")
    if family == AF_ROUTE:
        from .routing_socket import RoutingSocket

        return RoutingSocket(kernel, family, kind, flags)
    return Socket(kernel, family, kind, flags)
