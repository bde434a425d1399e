# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network interfaces: what ifconfig(8) asks of the kernel, by ioctl and by the routing sysctl.

Sources: netintro(4), if.h, route(4), and sys/net/rtsock.c for the interface list.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from ..exchanges import Exchange
from ..netbsd import KernelError, Layout
from ..netbsd.constants import AF, CTL, IFF, RTAX, RTM
from .bridges import BridgeIoctls
from .carp import CarpIoctls
from .interface_addresses import AddressIoctls
from .interface_ioctls import IPAddress, IPInterface, encoded_name
from .interface_kinds import KindIoctls
from .interface_link import LinkIoctls
from .routing_messages import Names, sockaddrs
from .wireless import WirelessIoctls

__all__ = ["COUNTERS", "IPAddress", "IPInterface", "Interface", "InterfaceAddress", "Interfaces"]

_IFLINKSTR_UNSET: Final = 2
_LONGEST_LINKSTR: Final = 4096  # bytes: shmif takes 1024 (MAXPATHLEN), virtif so many (RUMP_VIF_LINKSTRMAX)
COUNTERS: Final = (
    *("ipackets", "ierrors", "opackets", "oerrors", "collisions", "ibytes", "obytes", "imcasts", "omcasts"),
    *("iqdrops", "noproto"),
)
"""The counters of struct if_data (net/if.h), without their ``ifi_``."""
_HEAD: Final = (
    *("ifm_addrs", "ifm_flags", "ifm_index", "ifm_data.ifi_link_state", "ifm_data.ifi_mtu", "ifm_data.ifi_metric"),
    *(f"ifm_data.ifi_{name}" for name in COUNTERS),
)
"""What is read of an interface's message, in its order."""
_NAME: Final = re.compile(rb"[A-Za-z0-9_.-]{1,15}")
_INTERFACE_LIST: Final = 1 << 16  # bytes that are made room for at first


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


class Interfaces(AddressIoctls, LinkIoctls, KindIoctls, BridgeIoctls, CarpIoctls, WirelessIoctls):
    """The kernel's network interfaces."""

    def all(self) -> list[Interface]:
        """All interfaces with their addresses, by index.

        :raises KernelError: the kernel has no networking.
        """
        mib = (CTL.NET, AF.ROUTE, 0, 0, self._base.abi.constant("NET_RT_IFLIST"), 0)
        return list(self._messages(self._sysctl.read(mib, "net.route.0.0.iflist", _INTERFACE_LIST)))

    def get(self, name: str) -> Interface | None:
        """The interface with that name, or None."""
        return next((found for found in self.all() if found.name == name), None)

    def _index(self, name: str) -> int:
        found = self.get(name)
        return found.index if found else 0

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
        self._base.converse(self._setting_flags(name, flags))

    def _setting_flags(self, name: str, flags: IFF) -> Exchange[None]:
        value = int(flags) & 0xFFFF
        yield from self._asking_ifreq("SIOCSIFFLAGS", name, ifru_flags=value - 0x10000 if value > 0x7FFF else value)

    def changing_flags(self, name: str, wanted: Mapping[IFF, bool]) -> Exchange[None]:
        """Set and clear some of an interface's flags, and leave the others."""
        union = yield from self._asking_ifreq("SIOCGIFFLAGS", name)
        flags = IFF(union.ifru_flags & 0xFFFF)
        for flag, is_set in wanted.items():
            flags = flags | flag if is_set else flags & ~flag
        yield from self._setting_flags(name, flags)

    def set_mtu(self, name: str, mtu: int) -> None:
        self._base.converse(self.setting_mtu(name, mtu))

    def setting_mtu(self, name: str, mtu: int) -> Exchange[None]:
        """What :meth:`set_mtu` does."""
        yield from self._asking_ifreq("SIOCSIFMTU", name, ifru_mtu=mtu)

    def set_metric(self, name: str, metric: int) -> None:
        """Set what routing daemons are told that the interface costs."""
        self._ifreq("SIOCSIFMETRIC", name, ifru_metric=metric)

    def linkstr(self, name: str) -> str | None:
        """The link string (the bus of a shmif interface), or None where there is none."""
        return self._base.converse(self.asking_linkstr(name))

    def asking_linkstr(self, name: str) -> Exchange[str | None]:
        """What :meth:`linkstr` asks."""
        text = bytearray(_LONGEST_LINKSTR)
        with self._base.session.lend(text) as address:
            request = self._base.abi.struct("ifdrv").build(
                ifd_name=encoded_name(name), ifd_len=len(text), ifd_data=address
            )
            try:
                yield self._asking(AF.INET, "SIOCGLINKSTR", bytearray(request), name)
            except KernelError as error:
                if error.name in ("ENOENT", "ENOTTY", "EINVAL", "EOPNOTSUPP"):
                    return None
                raise
        return os.fsdecode(bytes(text).split(b"\0")[0])

    def set_linkstr(self, name: str, text: str) -> None:
        """Set the link string, which the interface must not have yet, while it is down."""
        self._base.converse(self.setting_linkstr(name, text))

    def setting_linkstr(self, name: str, text: str) -> Exchange[None]:
        """What :meth:`set_linkstr` does."""
        data = os.fsencode(text) + b"\0"
        with self._base.session.lend(data) as address:
            request = self._base.abi.struct("ifdrv").build(
                ifd_name=encoded_name(name), ifd_len=len(data), ifd_data=address
            )
            yield self._asking(AF.INET, "SIOCSLINKSTR", bytearray(request), f"{name} {text}")

    def unset_linkstr(self, name: str) -> None:
        """Take the link string away, while the interface is down."""
        request = self._base.abi.struct("ifdrv").build(ifd_name=encoded_name(name), ifd_cmd=_IFLINKSTR_UNSET)
        self._ioctl(AF.INET, "SIOCSLINKSTR", bytearray(request), name)

    def _messages(self, data: bytes) -> Iterator[Interface]:
        """The interfaces in the routing messages RTM_IFINFO and, following each, RTM_NEWADDR."""
        abi = self._base.abi
        interface_head, address_head = abi.struct("if_msghdr"), abi.struct("ifa_msghdr")
        new_address = abi.constant("RTM_NEWADDR")
        current: Interface | None = None
        addresses: list[InterfaceAddress] = []
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
                    yield replace(current, addresses=tuple(addresses))
                current, addresses = self._interface(interface_head, message), []
            elif kind == new_address and current is not None:
                found = self._address(address_head, message, bool(current.flags & IFF.BROADCAST))
                if found is not None:
                    addresses.append(found)
        if current is not None:
            yield replace(current, addresses=tuple(addresses))

    def _interface(self, layout: Layout, message: bytes) -> Interface:
        present, flags, index, link_state, mtu, metric, *counters = layout.numbers(_HEAD).unpack_from(message)
        link = dict(sockaddrs(message[layout.size :], present)).get(RTAX.IFP, b"")
        sockaddr = self._base.abi.struct("sockaddr_dl")
        name_start = sockaddr.offset_of("sdl_data")
        name_length, length = sockaddr.numbers(("sdl_nlen", "sdl_alen")).unpack_from(link.ljust(sockaddr.size, b"\0"))
        name_end = name_start + name_length
        name = link[name_start:name_end]
        if not _NAME.fullmatch(name):
            # It becomes the scope of addresses, and part of messages.
            raise self._base.broken(f"an interface has the name {os.fsdecode(name)!r}")
        return Interface(
            name=name.decode(),
            index=index,
            flags=IFF(flags & 0xFFFF),
            mtu=mtu,
            metric=metric,
            link_state=link_state,
            link_address=link[name_end : name_end + length],
            counters=dict(zip(COUNTERS, counters, strict=True)),
        )

    def _address(self, layout: Layout, message: bytes, broadcasts: bool) -> InterfaceAddress | None:
        (present,) = layout.numbers(("ifam_addrs",)).unpack_from(message)
        found = dict(sockaddrs(message[layout.size :], present))
        address = _ip_address(found.get(RTAX.IFA, b""))
        if address is None:
            return None
        mask = found.get(RTAX.NETMASK, b"")
        start, width = (4, 4) if address.version == 4 else (8, 16)
        prefix = int.from_bytes(mask[start : start + width].ljust(width, b"\0"), "big").bit_count()
        far = _ip_address(found.get(RTAX.BRD, b""))
        # What the one message carries is the broadcast address of a link that has one, and else its far end.
        kind = ipaddress.IPv4Interface if address.version == 4 else ipaddress.IPv6Interface
        interface = kind((address.packed, prefix))
        broadcasts = broadcasts and address.version == 4
        return InterfaceAddress(
            interface, broadcast=far if broadcasts else None, destination=None if broadcasts else far
        )


def _ip_address(sockaddr: bytes) -> IPAddress | None:
    if len(sockaddr) >= 8 and sockaddr[1] == AF.INET:
        return ipaddress.IPv4Address(sockaddr[4:8])
    if len(sockaddr) >= 24 and sockaddr[1] == AF.INET6:
        packed = bytearray(sockaddr[8:24])
        if packed[0] == 0xFE and packed[1] & 0xC0 == 0x80:
            packed[2:4] = bytes(2)  # the kernel keeps a link-local address's scope inside it
        return ipaddress.IPv6Address(bytes(packed))
    return None
