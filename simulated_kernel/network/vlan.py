# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""vlanN: a tagged part of another Ethernet (sys/net/if_vlan.c)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import refuse
from .addresses import AF_INET6, InterfaceAddress
from .interfaces import (
    DLT_EN10MB,
    ETHERNET_FLAGS,
    ETHERNET_MINIMUM,
    IFF_RUNNING,
    IFF_UP,
    IFT_ETHER,
    IFT_L2VLAN,
    Ethernet,
    Interface,
    InterfaceKind,
)

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

ENCAPSULATION = 4
"""Bytes of a tag, by which packets are made smaller where the parent has no room for them."""
TAGS = 0xFFF


class Vlan(Ethernet):
    """Without a parent it can do little."""

    kind = InterfaceKind("vlan", "rumpnet_vlan", IFT_L2VLAN, ETHERNET_FLAGS, 0)

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        super().__init__(stack, name, index)
        self.parent: Interface | None = None
        self.tag = 0
        self._fudge = 0

    def init_address(self, address: InterfaceAddress) -> None:
        if self.parent is None:
            raise refuse("EINVAL")
        super().init_address(address)

    def destroy(self) -> None:
        self._leave()

    def other_removed(self, other: Interface) -> None:
        if self.parent is other:
            self._leave()

    async def ioctl(self, request: IoctlRequest) -> None:
        match request.name:
            case "SIOCSIFGENERIC":
                request.refuse_all_but_root()
                await self._configure(request)
            case "SIOCGIFGENERIC":
                parent = {"vlr_parent": self.parent.name.encode(), "vlr_tag": self.tag} if self.parent else {}
                pointer = request.struct("ifreq").ifr_ifru.ifru_data
                await request.memory.copyout(pointer, request.abi.struct("vlanreq").build(**parent))
            case "SIOCSIFMTU":
                if self.parent is None:
                    raise refuse("EINVAL")
                self.set_mtu_within(request, ETHERNET_MINIMUM - self._fudge, self.parent.mtu - self._fudge)
            case "SIOCSIFFLAGS":
                self.set_flags(request)
            case _:
                self.ether_ioctl(request)

    async def _configure(self, request: IoctlRequest) -> None:
        asked = await request.memory.struct("vlanreq", request.struct("ifreq").ifr_ifru.ifru_data)
        name = asked.vlr_parent.decode("utf-8", "replace")
        request.notes["parent"] = name
        if not name:
            if self.parent is not None:
                mark_change()
            self._leave()
            return
        if asked.vlr_tag > TAGS:
            raise refuse("EINVAL")
        parent = self.stack.find(name)
        if parent is None:
            raise refuse("ENOENT")
        self._join(parent)
        self.tag = asked.vlr_tag
        mark_change()

    def _join(self, parent: Interface) -> None:
        if self.parent is not None:
            raise refuse("EBUSY")
        if parent.kind.type != IFT_ETHER:
            raise refuse("EPROTONOSUPPORT")
        is_first = not any(isinstance(other, Vlan) and other.parent is parent for other in self.stack.interfaces)
        if is_first:
            # For others on the same interface the kernel leaves it as it was.
            self._fudge = 0 if parent.has_room_for_tags else ENCAPSULATION
        self.parent = parent
        self.kind = replace(self.kind, type=IFT_ETHER, header_length=18, baudrate=10_000_000, dlt=DLT_EN10MB)
        self.hardware_address = parent.hardware_address
        self.link_comes_after = len(self.addresses)
        self.mtu = parent.mtu - self._fudge
        self.flags = (parent.flags & (IFF_UP | ETHERNET_FLAGS)) | IFF_RUNNING

    def _leave(self) -> None:
        if self.parent is None:
            return
        self.parent = None
        self.kind = replace(self.kind, type=IFT_L2VLAN, dlt=0)
        self.hardware_address = b""
        self.mtu = 0
        self.stack.purge(self, AF_INET6)
        self.link_comes_after = len(self.addresses)
        self.down()
        self.flags &= ~(IFF_UP | IFF_RUNNING)
