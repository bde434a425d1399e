# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Link-level addresses of interfaces, asked for on a socket of AF_LINK (sys/net/link_proto.c, link_control)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import refuse
from .addresses import AF_LINK
from .interfaces import IFF_RUNNING, Interface

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest

IFLR_ACTIVE = 0x4000


def control(request: IoctlRequest, interface: Interface) -> None:
    """An ioctl on a socket of AF_LINK that the driver left to the protocol."""
    if request.name not in ("SIOCALIFADDR", "SIOCDLIFADDR"):
        raise refuse("ENOTTY")
    asked = request.struct("if_laddrreq")
    raw = bytes(asked.addr)
    if raw[1] != AF_LINK or raw[6] != len(interface.hardware_address):
        raise refuse("EINVAL")
    address = raw[8 + raw[5] : 8 + raw[5] + raw[6]]
    request.notes["address"] = address.hex(":")
    known = interface.link_addresses
    if request.name == "SIOCDLIFADDR":
        if address not in known:
            raise refuse("EADDRNOTAVAIL")
        if address in (interface.hardware_address, interface.factory_address):
            raise refuse("EBUSY")
        known.remove(address)
        mark_change()
        return
    if address not in known:
        known.append(address)
        mark_change()
    if asked.flags & IFLR_ACTIVE and address != interface.hardware_address:
        interface.hardware_address = address
        mark_change()
        if interface.flags & IFF_RUNNING:
            interface.start()
