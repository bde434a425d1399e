# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""tapN: an Ethernet that a program serves, with a choice of media (sys/net/if_tap.c, if_media.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import refuse
from .interfaces import DLT_EN10MB, ETHERNET_FLAGS, ETHERNET_MTU, IFT_ETHER, JUMBO_MTU, Ethernet, InterfaceKind
from .media import tell_media

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

FULL_DUPLEX = 0x100000
AUTOSELECT = 0x20
MEDIA = (0x30, 0x30 | FULL_DUPLEX, 0x26, 0x26 | FULL_DUPLEX, 0x23, 0x23 | FULL_DUPLEX, AUTOSELECT)
"""Newest first: 1000baseT, 100baseTX and 10baseT of Ethernet, with and without, and autoselect."""


class Tap(Ethernet):
    """An Ethernet whose packets a program sees."""

    mtu_limit = JUMBO_MTU
    has_room_for_tags = True
    kind = InterfaceKind(
        "tap", "rumpnet_tap", IFT_ETHER, ETHERNET_FLAGS, ETHERNET_MTU, 14, 10_000_000, b"\xf2\x0b\xa4", DLT_EN10MB
    )

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        super().__init__(stack, name, index)
        self.medium = AUTOSELECT

    async def ioctl(self, request: IoctlRequest) -> None:
        match request.name:
            case "SIOCGIFMEDIA":
                await tell_media(request, MEDIA, current=self.medium, active=self.medium)
            case "SIOCSIFMEDIA":
                wanted = request.struct("ifreq").ifr_ifru.ifru_value
                request.notes["media"] = hex(wanted)
                if wanted not in MEDIA:
                    raise refuse("EINVAL")
                if wanted != self.medium:
                    self.medium = wanted
                    mark_change()
            case _:
                self.ether_ioctl(request)
