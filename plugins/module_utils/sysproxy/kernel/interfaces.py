# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces: what ifconfig(8) asks of the kernel, by ioctl and by the routing sysctl.

Sources: netintro(4), if.h, route(4), and sys/net/rtsock.c for the interface list.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

from ..netbsd import KernelError, Layout
from ..netbsd.constants import AF, CTL, IFF, IN6_IFF, RTAX, RTM, SOCK
from .base import LARGEST_DESCRIPTOR, Base
from .routing_messages import Names
from .sysctl import Sysctl

IPInterface: TypeAlias = "ipaddress.IPv4Interface | ipaddress.IPv6Interface"
IPAddress: TypeAlias = "ipaddress.IPv4Address | ipaddress.IPv6Address"

_NAME_LIMIT: Final = 15  # IFNAMSIZ, less the NUL
_IFLINKSTR_QUERYLEN: Final = 1
_IFLINKSTR_UNSET: Final = 2
_ND6_INFINITE_LIFETIME: Final = 0xFFFFFFFF
COUNTERS: Final = (
    *("ipackets", "ierrors", "opackets", "oerrors", "collisions", "ibytes", "obytes", "imcasts", "omcasts"),
    *("iqdrops", "noproto"),
)
"""The counters of struct if_data (net/if.h), without their ``ifi_``."""
_INTERFACE_LIST: Final = 1 << 14  # bytes that are made room for at first


@dataclass(frozen=True)
class InterfaceAddress:
    """An address of an interface with its prefix, and the broadcast or far-end address it has."""

    interface: IPInterface
    broadcast: IPAddress | None = None
    destination: IPAddress | None = None

    @property
    def family(self) -> AF:
        return AF.INET if self.interface.version == 4 else AF.INET6


@dataclass(frozen=True)
class Interface:
    """An interface as the kernel has it. ``link_address`` is empty for one without (lo0)."""

    name: str
    index: int
    flags: IFF
    mtu: int
    metric: int
    link_state: int
    link_address: bytes = b""
    addresses: tuple[InterfaceAddress, ...] = field(default=())
    counters: dict[str, int] = field(default_factory=dict, compare=False)
    """What went through it, by :data:`COUNTERS`: packets, bytes and errors since it was made or they were zeroed."""


class Interfaces:
    """The kernel's network interfaces."""

    def __init__(self, base: Base, sysctl: Sysctl) -> None:
        self._base = base
        self._sysctl = sysctl
        self._sockets: dict[AF, int] = {}

    def all(self) -> list[Interface]:
        """All interfaces with their addresses, by index.

        :raises KernelError: the kernel has no networking.
        """
        mib = (CTL.NET, AF.ROUTE, 0, 0, self._base.abi.constant("NET_RT_IFLIST"), 0)
        return list(self._messages(self._sysctl.read(mib, "net.route.0.0.iflist", _INTERFACE_LIST)))

    def get(self, name: str) -> Interface | None:
        """The interface with that name, or None."""
        return next((found for found in self.all() if found.name == name), None)

    def names(self) -> Names:
        """The interfaces' names by index, as messages about routes need them."""
        return Names({found.index: found.name for found in self.all()})

    def cloners(self) -> list[str]:
        """The kinds of interfaces that can be created, such as ``shmif``."""
        layout = self._base.abi.struct("if_clonereq")
        room = 64
        with self._base.session.lend(names := bytearray(room * 16)) as address:
            request = bytearray(layout.build(ifcr_count=room, ifcr_buffer=address))
            self._ioctl(AF.INET, "SIOCIFGCLONERS", request, "")
        count = min(layout.parse(request).ifcr_total, room)
        return [os.fsdecode(bytes(names[at : at + 16]).split(b"\0")[0]) for at in range(0, count * 16, 16)]

    def create(self, name: str) -> None:
        """Create an interface of a cloner, such as ``shmif0``."""
        self._ifreq("SIOCIFCREATE", name)

    def destroy(self, name: str) -> None:
        self._ifreq("SIOCIFDESTROY", name)

    def flags(self, name: str) -> IFF:
        return IFF(self._ifreq("SIOCGIFFLAGS", name).ifru_flags & 0xFFFF)

    def set_flags(self, name: str, flags: IFF) -> None:
        """Set all of an interface's flags; those that only the kernel changes are left as they are."""
        value = int(flags) & 0xFFFF
        self._ifreq("SIOCSIFFLAGS", name, ifru_flags=value - 0x10000 if value > 0x7FFF else value)

    def set_mtu(self, name: str, mtu: int) -> None:
        self._ifreq("SIOCSIFMTU", name, ifru_mtu=mtu)

    def linkstr(self, name: str) -> str | None:
        """The link string (the bus of a shmif interface), or None where there is none."""
        layout = self._base.abi.struct("ifdrv")
        request = bytearray(layout.build(ifd_name=_name(name), ifd_cmd=_IFLINKSTR_QUERYLEN))
        try:
            self._ioctl(AF.INET, "SIOCGLINKSTR", request, name)
            text = bytearray(min(layout.parse(request).ifd_len, 4096))
            with self._base.session.lend(text) as address:
                again = bytearray(layout.build(ifd_name=_name(name), ifd_len=len(text), ifd_data=address))
                self._ioctl(AF.INET, "SIOCGLINKSTR", again, name)
        except KernelError as error:
            if error.name in ("ENOENT", "ENOTTY", "EINVAL", "EOPNOTSUPP"):
                return None
            raise
        return os.fsdecode(bytes(text).split(b"\0")[0])

    def set_linkstr(self, name: str, text: str) -> None:
        """Set the link string, which the interface must not have yet, while it is down."""
        data = os.fsencode(text) + b"\0"
        with self._base.session.lend(data) as address:
            request = self._base.abi.struct("ifdrv").build(ifd_name=_name(name), ifd_len=len(data), ifd_data=address)
            self._ioctl(AF.INET, "SIOCSLINKSTR", bytearray(request), name)

    def unset_linkstr(self, name: str) -> None:
        """Take the link string away, while the interface is down."""
        request = self._base.abi.struct("ifdrv").build(ifd_name=_name(name), ifd_cmd=_IFLINKSTR_UNSET)
        self._ioctl(AF.INET, "SIOCSLINKSTR", bytearray(request), name)

    def add_address(self, name: str, address: IPInterface) -> None:
        """Add an address, or change the prefix of one that is there. The broadcast follows from the prefix."""
        if address.version == 4:
            layout = self._base.abi.struct("ifaliasreq")
            request = layout.build(
                ifra_name=_name(name),
                ifra_addr=_sockaddr_in(address.ip),
                ifra_mask=_sockaddr_in(address.netmask),
            )
            self._ioctl(AF.INET, "SIOCAIFADDR", bytearray(request), f"{name} {address}")
            return
        layout = self._base.abi.struct("in6_aliasreq")
        request = layout.build(
            ifra_name=_name(name),
            ifra_addr=_sockaddr_in6(address.ip),
            ifra_prefixmask=_sockaddr_in6(address.netmask),
            ifra_lifetime={"ia6t_vltime": _ND6_INFINITE_LIFETIME, "ia6t_pltime": _ND6_INFINITE_LIFETIME},
        )
        self._ioctl(AF.INET6, "SIOCAIFADDR_IN6", bytearray(request), f"{name} {address}")

    def remove_address(self, name: str, address: IPAddress) -> None:
        if address.version == 4:
            layout = self._base.abi.struct("ifreq")
            sockaddr = {"sa_len": 16, "sa_family": AF.INET, "sa_data": bytes(2) + address.packed + bytes(8)}
            request = layout.build(ifr_name=_name(name), ifr_ifru={"ifru_addr": sockaddr})
            self._ioctl(AF.INET, "SIOCDIFADDR", bytearray(request), f"{name} {address}")
            return
        layout = self._base.abi.struct("in6_ifreq")
        request = layout.build(ifr_name=_name(name), ifr_ifru={"ifru_addr": self._scoped(name, address)})
        self._ioctl(AF.INET6, "SIOCDIFADDR_IN6", bytearray(request), f"{name} {address}")

    def address_flags6(self, name: str, address: ipaddress.IPv6Address) -> IN6_IFF:
        """The state of an IPv6 address: tentative, duplicated and so on."""
        layout = self._base.abi.struct("in6_ifreq")
        request = bytearray(layout.build(ifr_name=_name(name), ifr_ifru={"ifru_addr": self._scoped(name, address)}))
        self._ioctl(AF.INET6, "SIOCGIFAFLAG_IN6", request, f"{name} {address}")
        return IN6_IFF(layout.parse(request).ifr_ifru.ifru_flags6)

    def _scoped(self, name: str, address: IPAddress) -> dict[str, Any]:
        sockaddr = _sockaddr_in6(address)
        if address.is_link_local:
            found = self.get(name)
            sockaddr["sin6_scope_id"] = found.index if found else 0
        return sockaddr

    def _ifreq(self, ioctl: str, name: str, **value: int) -> Any:
        """An ioctl on a struct ifreq: what its union holds afterwards."""
        layout = self._base.abi.struct("ifreq")
        union = {"ifr_ifru": value} if value else {}
        request = bytearray(layout.build(ifr_name=_name(name), **union))
        self._ioctl(AF.INET, ioctl, request, name)
        return layout.parse(request).ifr_ifru

    def _ioctl(self, family: AF, name: str, request: bytearray, subject: str) -> None:
        code = self._base.abi.ioctl(name)
        self._base.call("ioctl", self._socket(family), code, request, label=name, subject=subject)

    def _socket(self, family: AF) -> int:
        """A datagram socket to hang ioctls on, kept for the session."""
        if family not in self._sockets:
            self._sockets[family] = self._base.number_call(
                LARGEST_DESCRIPTOR, "__socket30", family, SOCK.DGRAM, 0, subject=f"AF_{family.name}"
            )
        return self._sockets[family]

    def _messages(self, data: bytes) -> Iterator[Interface]:
        """The interfaces in the routing messages RTM_IFINFO and, following each, RTM_NEWADDR."""
        abi = self._base.abi
        interface_head, address_head = abi.struct("if_msghdr"), abi.struct("ifa_msghdr")
        new_address = abi.constant("RTM_NEWADDR")
        current: Interface | None = None
        position = 0
        shortest = {int(RTM.IFINFO): interface_head.size, new_address: address_head.size}
        while position < len(data):
            head = data[position : position + 4].ljust(4, b"\0")
            length, kind = abi.read_integer("uint16", head), head[3]
            if not shortest.get(kind, 4) <= length <= len(data) - position:
                raise self._base.broken(f"the interface list is cut off: it has a message of {length} bytes")
            message = data[position : position + length]
            position += length
            if kind == RTM.IFINFO:
                if current is not None:
                    yield current
                current = self._interface(interface_head, message)
            elif kind == new_address and current is not None:
                found = self._address(address_head, message)
                if found is not None:
                    current = replace(current, addresses=(*current.addresses, found))
        if current is not None:
            yield current

    def _interface(self, layout: Layout, message: bytes) -> Interface:
        head = layout.parse(message)
        link = dict(_sockaddrs(message[layout.size :], head.ifm_addrs)).get(RTAX.IFP, b"")
        sockaddr = self._base.abi.struct("sockaddr_dl")
        name_start = sockaddr.offset_of("sdl_data")
        found = sockaddr.parse(link.ljust(sockaddr.size, b"\0"))
        name_end = name_start + found.sdl_nlen
        return Interface(
            name=os.fsdecode(link[name_start:name_end]),
            index=head.ifm_index,
            flags=IFF(head.ifm_flags & 0xFFFF),
            mtu=head.ifm_data.ifi_mtu,
            metric=head.ifm_data.ifi_metric,
            link_state=head.ifm_data.ifi_link_state,
            link_address=link[name_end : name_end + found.sdl_alen],
            counters={name: head.ifm_data[f"ifi_{name}"] for name in COUNTERS},
        )

    def _address(self, layout: Layout, message: bytes) -> InterfaceAddress | None:
        head = layout.parse(message)
        sockaddrs = dict(_sockaddrs(message[layout.size :], head.ifam_addrs))
        address = _ip_address(sockaddrs.get(RTAX.IFA, b""))
        if address is None:
            return None
        mask = sockaddrs.get(RTAX.NETMASK, b"")
        start, width = (4, 4) if address.version == 4 else (8, 16)
        prefix = int.from_bytes(mask[start : start + width].ljust(width, b"\0"), "big").bit_count()
        far = _ip_address(sockaddrs.get(RTAX.BRD, b""))
        # A broadcast is the last address of its own network; the far end of a point-to-point link is not.
        interface = ipaddress.ip_interface(f"{address}/{prefix}")
        broadcasts = address.version == 4 and far is not None and far in interface.network and far != address
        return InterfaceAddress(
            interface, broadcast=far if broadcasts else None, destination=None if broadcasts else far
        )

    def close(self) -> None:
        """Close the sockets that the ioctls hung on."""
        for fd in self._sockets.values():
            with contextlib.suppress(KernelError):
                self._base.call("close", fd)
        self._sockets.clear()


def _name(name: str) -> bytes:
    encoded = os.fsencode(name)
    if not 0 < len(encoded) <= _NAME_LIMIT:
        raise ValueError(f"{name!r} is no interface's name: it has 1 to {_NAME_LIMIT} characters")
    return encoded


def _sockaddr_in(address: IPAddress) -> dict[str, Any]:
    return {"sin_len": 16, "sin_family": AF.INET, "sin_addr": address.packed}


def _sockaddr_in6(address: IPAddress) -> dict[str, Any]:
    return {"sin6_len": 28, "sin6_family": AF.INET6, "sin6_addr": address.packed}


def _sockaddrs(data: bytes, present: int) -> Iterator[tuple[RTAX, bytes]]:
    """The socket addresses after a routing message's head; ``present`` has a bit for each (RTA_*).

    Each takes its length rounded up to 8 bytes, and 8 if its length is none (RT_ROUNDUP).
    """
    position = 0
    for place in RTAX:
        if place != RTAX.MAX and present & (1 << place) and position < len(data):
            length = data[position]
            yield place, data[position : position + length]
            position += max(length + -length % 8, 8)


def _ip_address(sockaddr: bytes) -> IPAddress | None:
    if len(sockaddr) >= 8 and sockaddr[1] == AF.INET:
        return ipaddress.IPv4Address(sockaddr[4:8])
    if len(sockaddr) >= 24 and sockaddr[1] == AF.INET6:
        packed = bytearray(sockaddr[8:24])
        if packed[0] == 0xFE and packed[1] & 0xC0 == 0x80:
            packed[2:4] = bytes(2)  # the kernel keeps a link-local address's scope inside it
        return ipaddress.IPv6Address(bytes(packed))
    return None
