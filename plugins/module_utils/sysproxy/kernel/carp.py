# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses that several hosts share, one of them at a time: carp(4).

Sources: sys/netinet/ip_carp.h, ip_carp.c (carp_ioctl), ifconfig(8)'s carp.c.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from .interface_ioctls import InterfaceIoctls, encoded_name

KEY_SIZE: Final = 20
"""Bytes of the key that the hosts of a group share: CARP_KEY_LEN."""


class CarpState(IntEnum):
    """Whether the host has the group's addresses now (CARP_STATES)."""

    INIT = 0
    BACKUP = 1
    MASTER = 2


@dataclass(frozen=True)
class Carp:
    """What a carp interface is, as struct carpreq has it."""

    state: CarpState
    device: str
    """The interface that it is on; empty: none."""
    vhid: int
    """The group's number, 1 to 255; -1: none yet."""
    advbase: int
    """Seconds between two advertisements."""
    advskew: int
    """1/256 seconds more: the host with the least advertises most often, and is the master."""
    key: bytes = field(default=bytes(KEY_SIZE), repr=False)


class CarpIoctls(InterfaceIoctls):
    """Shaped by what ifconfig's ``vhid``, ``advbase``, ``advskew``, ``carpdev``, ``pass`` and ``state`` do."""

    def carp(self, name: str) -> Carp:
        """A carp interface as the kernel has it."""
        layout = self._base.abi.struct("carpreq")
        found = bytearray(layout.size)
        self._pointed("SIOCGVH", name, found, name, label="SIOCGVH")
        request = layout.parse(found)
        state = request.carpr_state
        if state not in CarpState.__members__.values():
            raise self._base.broken(f"SIOCGVH {name} gave the state {state}")
        return Carp(
            CarpState(state),
            os.fsdecode(request.carpr_carpdev),
            request.carpr_vhid,
            request.carpr_advbase,
            request.carpr_advskew,
            bytes(request.carpr_key),
        )

    def set_carp(self, name: str, wanted: Carp) -> None:
        """Set all of it. A vhid of 0 leaves the group's number; any other one, also the same, makes the interface
        start anew as a backup. The state only matters where there is one, and so is not INIT. Where advbase and
        advskew are both 0, they stay as they are.

        :raises KernelError: EINVAL, there is no such device, or another carp interface there has the vhid;
            EADDRNOTAVAIL, the device cannot send to many.
        """
        request = self._base.abi.struct("carpreq").build(
            carpr_state=wanted.state,
            carpr_carpdev=encoded_name(wanted.device) if wanted.device else b"",
            carpr_vhid=wanted.vhid,
            carpr_advskew=wanted.advskew,
            carpr_advbase=wanted.advbase,
            carpr_key=wanted.key.ljust(KEY_SIZE, b"\0"),
        )
        told = f" vhid {wanted.vhid}" if wanted.vhid > 0 else ""
        subject = f"{name}{told}{f' carpdev {wanted.device}' if wanted.device else ''}"
        self._pointed("SIOCSVH", name, request, subject, label="SIOCSVH")
