# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces made of other interfaces, and tunnels: vlan(4), agr(4), gif(4).

Sources: sys/net/if_vlan.c, sys/net/agr/if_agr.c, sys/net/if_gif.c.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import Final

from ..netbsd import KernelError
from ..netbsd.constants import AF
from .interface_ioctls import InterfaceIoctls, IPAddress, encoded_name, sockaddr_in, sockaddr_in6

_AGRREQ_VERSION: Final = 2
_AGR_ADDPORT: Final = 1
_AGR_REMPORT: Final = 2
_AGR_PORTLIST: Final = 3
_MOST_PORTS: Final = 64


@dataclass(frozen=True)
class Vlan:
    """The Ethernet that a vlan interface is on, and its tag there."""

    tag: int
    parent: str


@dataclass(frozen=True)
class Tunnel:
    """The ends of a tunnel, both of one address family."""

    source: IPAddress
    destination: IPAddress

    def __str__(self) -> str:
        return f"{self.source} --> {self.destination}"


class KindIoctls(InterfaceIoctls):
    """Shaped by what ifconfig's ``vlan``, ``vlanif``, ``agrport``, ``tunnel`` and ``deletetunnel`` do."""

    def vlan(self, name: str) -> Vlan | None:
        """Where a vlan interface is; None: it is on no parent."""
        layout = self._base.abi.struct("vlanreq")
        found = bytearray(layout.size)
        self._pointed("SIOCGIFGENERIC", name, found, name, label="SIOCGETVLAN")
        request = layout.parse(found)
        return Vlan(request.vlr_tag, os.fsdecode(request.vlr_parent)) if request.vlr_parent else None

    def set_vlan(self, name: str, tag: int, parent: str) -> None:
        """Put a vlan interface that is on no parent on one. It takes the parent's link address and MTU."""
        request = self._base.abi.struct("vlanreq").build(vlr_parent=encoded_name(parent), vlr_tag=tag)
        self._pointed("SIOCSIFGENERIC", name, request, f"{name} vlan {tag} vlanif {parent}", label="SIOCSETVLAN")

    def unset_vlan(self, name: str) -> None:
        """Take it off its parent: it goes down, and loses its IPv6 addresses."""
        request = self._base.abi.struct("vlanreq").build()
        self._pointed("SIOCSIFGENERIC", name, request, f"{name} -vlanif", label="SIOCSETVLAN")

    def ports(self, name: str) -> list[str]:
        """The interfaces that an agr interface joins, in the order in which they came."""
        layout = self._base.abi.struct("agrportinfo")
        room = bytearray(4 + layout.size * _MOST_PORTS)
        self._agr("SIOCGIFGENERIC", "SIOCGETAGR", name, _AGR_PORTLIST, room, name)
        count = self._base.bounded(self._base.abi.read_integer("int", room[:4]), _MOST_PORTS, f"SIOCGETAGR {name}")
        return [os.fsdecode(layout.parse(room, 4 + place * layout.size).api_ifname) for place in range(count)]

    def add_port(self, name: str, port: str) -> None:
        """Join an Ethernet that has no addresses to an agr interface."""
        subject = f"{name} agrport {port}"
        self._agr("SIOCSIFGENERIC", "SIOCSETAGR", name, _AGR_ADDPORT, encoded_name(port), subject)

    def remove_port(self, name: str, port: str) -> None:
        subject = f"{name} -agrport {port}"
        self._agr("SIOCSIFGENERIC", "SIOCSETAGR", name, _AGR_REMPORT, encoded_name(port), subject)

    def _agr(self, ioctl: str, label: str, name: str, command: int, data: bytes | bytearray, subject: str) -> None:
        with self._base.session.lend(data) as address:
            request = self._base.abi.struct("agrreq").build(
                ar_version=_AGRREQ_VERSION, ar_cmd=command, ar_buf=address, ar_buflen=len(data)
            )
            self._pointed(ioctl, name, bytearray(request), subject, label=label)

    def tunnel(self, name: str) -> Tunnel | None:
        """The ends of a tunnel, or None while it has none."""
        layout = self._base.abi.struct("if_laddrreq")
        request = bytearray(layout.build(iflr_name=encoded_name(name)))
        try:
            self._ioctl(AF.INET, "SIOCGLIFPHYADDR", request, name)
        except KernelError as error:
            if error.name == "EADDRNOTAVAIL":
                return None
            raise
        found = layout.parse(request)
        return Tunnel(self._end(found.addr, name), self._end(found.dstaddr, name))

    def _end(self, sockaddr: bytes, name: str) -> IPAddress:
        match sockaddr[1]:
            case AF.INET:
                return ipaddress.IPv4Address(sockaddr[4:8])
            case AF.INET6:
                return ipaddress.IPv6Address(sockaddr[8:24])
        raise self._base.broken(f"SIOCGLIFPHYADDR {name} gave an address of family {sockaddr[1]}")

    def set_tunnel(self, name: str, tunnel: Tunnel) -> None:
        """Give a tunnel its ends, in the place of those it has.

        :raises KernelError: EADDRNOTAVAIL, another tunnel has the same ends.
        """
        source, destination = map(self._sockaddr, (tunnel.source, tunnel.destination))
        request = self._base.abi.struct("if_laddrreq").build(
            iflr_name=encoded_name(name), addr=source.ljust(128, b"\0"), dstaddr=destination.ljust(128, b"\0")
        )
        self._ioctl(AF.INET, "SIOCSLIFPHYADDR", bytearray(request), f"{name} {tunnel}")

    def _sockaddr(self, address: IPAddress) -> bytes:
        if address.version == 4:
            return self._base.abi.struct("sockaddr_in").build(**sockaddr_in(address))
        return self._base.abi.struct("sockaddr_in6").build(**sockaddr_in6(address))

    def unset_tunnel(self, name: str) -> None:
        self._ifreq("SIOCDIFPHYADDR", name)
