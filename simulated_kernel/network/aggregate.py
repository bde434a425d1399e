# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""agrN: Ethernets made one (sys/net/agr/if_agr.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import refuse
from .addresses import InterfaceAddress
from .interfaces import (
    DLT_EN10MB,
    DLT_NULL,
    ETHERNET_FLAGS,
    ETHERNET_MTU,
    IFF_RUNNING,
    IFT_ETHER,
    IFT_OTHER,
    Ethernet,
    Interface,
    InterfaceKind,
)

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

VERSION = 2
ADDPORT, REMPORT, PORTLIST = 1, 2, 3


class Agr(Ethernet):
    """Without ports it has no type and no address."""

    kind = InterfaceKind("agr", "rumpnet_agr", IFT_OTHER, ETHERNET_FLAGS, 0)

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        super().__init__(stack, name, index)
        self.ports: list[Interface] = []

    def init_address(self, address: InterfaceAddress) -> None:
        if not self.ports:
            raise refuse("EINVAL")
        super().init_address(address)

    def destroy(self) -> None:
        """With ports in it the kernel refuses, but only when it can be used no more."""
        if self.ports:
            self.is_defunct = True
            raise refuse("EBUSY")

    async def ioctl(self, request: IoctlRequest) -> None:
        match request.name:
            case "SIOCSIFGENERIC" | "SIOCGIFGENERIC":
                if request.name == "SIOCSIFGENERIC":
                    request.refuse_all_but_root()
                await self._serve(request, request.name == "SIOCGIFGENERIC")
            case "SIOCSIFFLAGS":
                self.set_flags(request)
            case _:
                self.ether_ioctl(request)

    async def _serve(self, request: IoctlRequest, getting: bool) -> None:
        asked = await request.memory.struct("agrreq", request.struct("ifreq").ifr_ifru.ifru_data)
        if asked.ar_version != VERSION:
            raise refuse("EINVAL")
        if getting:
            if asked.ar_cmd != PORTLIST:
                raise refuse("EINVAL")
            await self._list(request, asked.ar_buf, asked.ar_buflen)
            return
        raw = await request.memory.copyin(asked.ar_buf, min(asked.ar_buflen, 15))
        name = raw.split(b"\0")[0].decode("utf-8", "replace")
        request.notes["port"] = name
        port = self.stack.find(name)
        if port is None:
            raise refuse("ENOENT")
        if asked.ar_cmd == ADDPORT:
            self._add(port)
        elif asked.ar_cmd == REMPORT:
            self._remove(port)
        else:
            raise refuse("EINVAL")
        mark_change()

    async def _list(self, request: IoctlRequest, buffer: int, room: int) -> None:
        """How many ports there are, and those for which there is room."""
        count, layout = request.abi.integer("int", len(self.ports)), request.abi.struct("agrportinfo")
        if room < len(count):
            raise refuse("E2BIG")
        await request.memory.copyout(buffer, count)
        for place, port in enumerate(self.ports):
            start = len(count) + place * layout.size
            if start + layout.size > room:
                raise refuse("E2BIG")
            await request.memory.copyout(buffer + start, layout.build(api_ifname=port.name.encode()))

    def _add(self, port: Interface) -> None:
        if port.aggregate is not None:
            raise refuse("EBUSY")
        if isinstance(port, Agr):
            raise refuse("EINVAL")
        if port.addresses:
            raise refuse("EBUSY")
        if not self.ports:
            if port.kind.type != IFT_ETHER:
                raise refuse("EPROTONOSUPPORT")
            self.kind = replace(self.kind, type=IFT_ETHER, header_length=14, baudrate=10_000_000, dlt=DLT_EN10MB)
            self.hardware_address, self.mtu = port.hardware_address, ETHERNET_MTU
        elif port.kind.type != self.kind.type:
            raise refuse("EINVAL")
        port.aggregate = self
        self.ports.append(port)
        self.flags |= IFF_RUNNING

    def _remove(self, port: Interface) -> None:
        if port.aggregate is None:
            raise refuse("ENOENT")
        if port.aggregate is not self:
            raise refuse("EINVAL")
        port.aggregate = None
        self.ports.remove(port)
        if not self.ports:
            self.kind = replace(self.kind, type=IFT_OTHER, dlt=DLT_NULL)
            self.hardware_address = b""
