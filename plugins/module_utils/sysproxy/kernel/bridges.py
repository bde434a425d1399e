# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bridges: Ethernets joined to one, as brconfig(8) knows them.

Sources: sys/net/if_bridge.c, if_bridgevar.h, bridge(4).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from ..netbsd import KernelError
from ..netbsd.constants import AF, BRDG
from .interface_ioctls import InterfaceIoctls, encoded_name

_LIST_MEMBERS: Final = 6  # BRDGGIFS of release 6 and 7, OBRDGGIFS since: all of them understand it
_MOST_MEMBERS: Final = 1024
_USEIPF: Final = 1


class IFBIF(IntFlag):
    """What a member does."""

    LEARNING = 0x1
    DISCOVER = 0x2
    STP = 0x4


STATES: Final = ("disabled", "listening", "learning", "forwarding", "blocking")
"""The states of a member in the spanning tree (BSTP_IFSTATE_*)."""


@dataclass(frozen=True)
class BridgeMember:
    """An Ethernet in a bridge. ``priority`` and ``path_cost`` are of the spanning tree; ``state`` is by number."""

    name: str
    flags: IFBIF
    priority: int
    path_cost: int
    state: int = 0

    @property
    def state_name(self) -> str:
        return STATES[self.state] if self.state < len(STATES) else str(self.state)


@dataclass(frozen=True)
class Bridge:
    """A bridge. Times are in seconds; ``filter`` is None where the kernel has no filter for bridges."""

    members: tuple[BridgeMember, ...]
    priority: int
    hello_time: int
    forward_delay: int
    max_age: int
    max_addresses: int
    timeout: int
    filter: bool | None


# By parameter: what asks for it, what sets it, and the member of struct ifbrparam that holds it.
_PARAMETERS: Final = {
    "priority": (BRDG.GPRI, BRDG.SPRI, "ifbrpu_int16"),
    "hello_time": (BRDG.GHT, BRDG.SHT, "ifbrpu_int8"),
    "forward_delay": (BRDG.GFD, BRDG.SFD, "ifbrpu_int8"),
    "max_age": (BRDG.GMA, BRDG.SMA, "ifbrpu_int8"),
    "max_addresses": (BRDG.GCACHE, BRDG.SCACHE, "ifbrpu_int32"),
    "timeout": (BRDG.GTO, BRDG.STO, "ifbrpu_int32"),
}


class BridgeIoctls(InterfaceIoctls):
    """Shaped by what brconfig(8) does."""

    def bridge(self, name: str) -> Bridge:
        """A bridge as the kernel has it."""
        parameters = {parameter: self._parameter(name, parameter) for parameter in _PARAMETERS}
        return Bridge(members=tuple(self.bridge_members(name)), filter=self._filter(name), **parameters)

    def bridge_members(self, name: str) -> list[BridgeMember]:
        """Those that a bridge joins, the newest first."""
        layout = self._base.abi.struct("ifbreq")
        size = self._list(name, 0, 0)
        if not size:
            return []
        room = bytearray(self._base.bounded(size, layout.size * _MOST_MEMBERS, f"BRDGGIFS {name}"))
        with self._base.session.lend(room) as address:
            filled = min(self._list(name, len(room), address), len(room))
        found = [layout.parse(room, at) for at in range(0, filled - filled % layout.size, layout.size)]
        return [
            BridgeMember(
                os.fsdecode(member.ifbr_ifsname),
                IFBIF(member.ifbr_ifsflags),
                member.ifbr_priority,
                member.ifbr_path_cost,
                member.ifbr_state,
            )
            for member in found
        ]

    def _list(self, name: str, size: int, address: int) -> int:
        """Bytes of the list of members; it is only given where they fit."""
        layout = self._base.abi.struct("ifbifconf")
        request = bytearray(layout.build(ifbic_len=size, ifbic_ifbicu={"ifbicu_buf": address}))
        self._drive("SIOCGDRVSPEC", name, _LIST_MEMBERS, request, name, "BRDGGIFS")
        return int(layout.parse(request).ifbic_len)

    def add_bridge_member(self, name: str, member: str) -> None:
        """Join an Ethernet, whose MTU is the bridge's.

        :raises KernelError: EBUSY, it is in another bridge; EINVAL, it has another MTU, or is no Ethernet.
        """
        self._member(name, BRDG.ADD, BridgeMember(member, IFBIF(0), 0, 0))

    def remove_bridge_member(self, name: str, member: str) -> None:
        self._member(name, BRDG.DEL, BridgeMember(member, IFBIF(0), 0, 0))

    def set_bridge_member(self, name: str, member: BridgeMember) -> None:
        """Change how a member takes part: its flags, its priority, its path cost."""
        for command in (BRDG.SIFFLGS, BRDG.SIFPRIO, BRDG.SIFCOST):
            self._member(name, command, member)

    def _member(self, name: str, command: BRDG, member: BridgeMember) -> None:
        request = self._base.abi.struct("ifbreq").build(
            ifbr_ifsname=encoded_name(member.name),
            ifbr_ifsflags=int(member.flags),
            ifbr_priority=member.priority,
            ifbr_path_cost=member.path_cost,
        )
        self._drive("SIOCSDRVSPEC", name, command, request, f"{name} {member.name}", f"BRDG{command.name}")

    def set_bridge_parameter(self, name: str, parameter: str, value: int) -> None:
        """Set one of priority, hello_time, forward_delay, max_age, max_addresses, timeout."""
        _get, command, member = _PARAMETERS[parameter]
        request = self._base.abi.struct("ifbrparam").build(ifbrp_ifbrpu={member: value})
        self._drive("SIOCSDRVSPEC", name, command, request, name, f"BRDG{command.name}")

    def _parameter(self, name: str, parameter: str) -> int:
        command, _set, member = _PARAMETERS[parameter]
        return int(self._get_parameter(name, command, member))

    def _get_parameter(self, name: str, command: BRDG, member: str) -> int:
        layout = self._base.abi.struct("ifbrparam")
        request = bytearray(layout.size)
        self._drive("SIOCGDRVSPEC", name, command, request, name, f"BRDG{command.name}")
        return int(layout.parse(request).ifbrp_ifbrpu[member])

    def _filter(self, name: str) -> bool | None:
        try:
            return bool(self._get_parameter(name, BRDG.GFILT, "ifbrpu_int32") & _USEIPF)
        except KernelError as error:
            if error.name == "EINVAL":
                return None
            raise

    def set_bridge_filter(self, name: str, enabled: bool) -> None:
        """Whether packets on the bridge go through the packet filter.

        :raises KernelError: EINVAL, the kernel was built without it.
        """
        request = self._base.abi.struct("ifbrparam").build(ifbrp_ifbrpu={"ifbrpu_int32": _USEIPF if enabled else 0})
        self._drive("SIOCSDRVSPEC", name, BRDG.SFILT, request, name, "BRDGSFILT")

    def _drive(self, ioctl: str, name: str, command: int, data: bytes | bytearray, subject: str, label: str) -> None:
        """A bridge's own command, whose argument stands in ``data``."""
        with self._base.session.lend(data) as address:
            request = self._base.abi.struct("ifdrv").build(
                ifd_name=encoded_name(name), ifd_cmd=int(command), ifd_len=len(data), ifd_data=address
            )
            self._ioctl(AF.INET, ioctl, bytearray(request), subject, label)
