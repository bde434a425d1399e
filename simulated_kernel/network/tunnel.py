# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""gifN: a tunnel (sys/net/if_gif.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import refuse
from .addresses import AF_INET, AF_INET6, SOCKADDR_IN6_SIZE, SOCKADDR_IN_SIZE
from .interfaces import DLT_NULL, IFF_MULTICAST, IFF_POINTOPOINT, IFF_RUNNING, IFT_GIF, Interface, InterfaceKind

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

SIZES = {AF_INET: SOCKADDR_IN_SIZE, AF_INET6: SOCKADDR_IN6_SIZE}


class Gif(Interface):
    """A generic tunnel."""

    kind = InterfaceKind("gif", "rumpnet_gif", IFT_GIF, IFF_POINTOPOINT | IFF_MULTICAST, 1280, dlt=DLT_NULL)

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        super().__init__(stack, name, index)
        self.ends: tuple[bytes, bytes] | None = None
        """The source and the destination, as sockaddrs."""

    async def ioctl(self, request: IoctlRequest) -> None:
        match request.name:
            case "SIOCSIFMTU":
                self.set_mtu_within(request, 1280, 8192)
            case "SIOCSLIFPHYADDR":
                self._set_ends(request)
            case "SIOCGLIFPHYADDR":
                if self.ends is None:
                    raise refuse("EADDRNOTAVAIL")
                layout = request.abi.struct("if_laddrreq")
                for member, end in zip(("addr", "dstaddr"), self.ends, strict=True):
                    request.put_bytes(layout.offset_of(member), end)
            case "SIOCDIFPHYADDR":
                if self.ends is not None:
                    mark_change()
                self.ends = None
                self.flags &= ~IFF_RUNNING
            case _:
                self.common_ioctl(request)

    def _set_ends(self, request: IoctlRequest) -> None:
        asked = request.struct("if_laddrreq")
        source, destination = bytes(asked.addr), bytes(asked.dstaddr)
        if source[1] != destination[1]:
            raise refuse("EINVAL")
        size = SIZES.get(source[1])
        if size is None or not self.stack.has(source[1]):
            raise refuse("EAFNOSUPPORT")
        if (source[0], destination[0]) != (size, size):
            raise refuse("EINVAL")
        ends = (source[:size], destination[:size])
        if any(isinstance(other, Gif) and other is not self and other.ends == ends for other in self.stack.interfaces):
            raise refuse("EADDRNOTAVAIL")
        if ends != self.ends:
            mark_change()
        self.ends = ends
        self.flags |= IFF_RUNNING
