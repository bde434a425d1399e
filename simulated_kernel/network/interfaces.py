# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces: their kinds, their flags, and the ioctls that each kind's driver serves.

Sources: sys/net/if.c (ifioctl_common, ifpromisc), if_ethersubr.c (ether_ioctl), if_loop.c,
sys/rump/net/lib/libvirtif.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import SyscallError, refuse
from ..mbufs import Mbufs
from ..rooms import Errno
from .addresses import AF_INET, IN_IFF_TENTATIVE, IN_IFF_TRYTENTATIVE, RTF_CONNECTED, InterfaceAddress

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

IFF_UP, IFF_BROADCAST, IFF_LOOPBACK, IFF_POINTOPOINT, IFF_RUNNING = 0x1, 0x2, 0x8, 0x10, 0x40
IFF_PROMISC, IFF_SIMPLEX, IFF_MULTICAST = 0x100, 0x800, 0x8000
IFF_CANTCHANGE = 0x2 | 0x10 | 0x40 | 0x400 | 0x800 | 0x8000 | 0x200 | 0x100
IFT_OTHER, IFT_ETHER, IFT_LOOP, IFT_PPP, IFT_L2VLAN, IFT_BRIDGE, IFT_GIF, IFT_CARP = 1, 6, 24, 23, 135, 209, 240, 248
LINK_STATE_UNKNOWN, LINK_STATE_DOWN, LINK_STATE_UP = 0, 1, 2
ETHERNET_MINIMUM, ETHERNET_MTU, JUMBO_MTU = 46, 1500, 9000
LOOPBACK_MTU, LOOPBACK_MTU_LIMIT = 32768, 65536  # and what a packet holds without a cluster, each
ETHERNET_FLAGS = IFF_BROADCAST | IFF_SIMPLEX | IFF_MULTICAST
DLT_NULL, DLT_EN10MB, DLT_RAW = 0, 1, 12
NAME_SIZE = 16
NEIGHBOUR_CACHE_TYPES = frozenset({IFT_ETHER, IFT_CARP, IFT_GIF, IFT_PPP})


@dataclass(frozen=True)
class InterfaceKind:
    """What interfaces of one cloner have in common at their birth."""

    cloner: str
    component: str
    type: int
    flags: int
    mtu: int
    header_length: int = 0
    baudrate: int = 0
    prefix: bytes | None = None
    """The first bytes of a made-up hardware address; None for interfaces without one."""
    dlt: int = DLT_NULL


class Interface:
    """One interface. Subclasses are drivers: they serve their own ioctls and leave the rest to this class."""

    kind: InterfaceKind

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        self.stack = stack
        self.name = name
        self.index = index
        self.flags = self.kind.flags
        self.mtu = self.kind.mtu
        self.metric = 0
        self.link_state = LINK_STATE_UNKNOWN
        self.last_change = 0
        """Wall clock of the last change of state, in nanoseconds."""
        self.hardware_address = b""
        if self.kind.prefix is not None:
            self.hardware_address = self.kind.prefix + os.urandom(6 - len(self.kind.prefix))
        self.capabilities = self.enabled_capabilities = 0
        self.addresses: list[InterfaceAddress] = []
        """IPv4 and IPv6 addresses, oldest first."""
        self.link_comes_after = 0
        """How many of these are older than the link-level address, which a vlan's parent gives."""
        self.bridge: str | None = None
        self.aggregate: Interface | None = None
        """The agr interface whose port it is."""
        self.description = b""
        self.is_defunct = False
        """Its destruction failed half-way: all ioctls are refused."""
        self.factory_address = self.hardware_address
        self.link_addresses = [self.hardware_address] if self.hardware_address else []
        """All that it has been given, the factory's first."""
        self._listeners = 0

    # State

    @property
    def is_up(self) -> bool:
        return bool(self.flags & IFF_UP)

    @property
    def is_ready(self) -> bool:
        """Up and running."""
        return self.flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING

    @property
    def does_dad(self) -> bool:
        """Whether new addresses are checked for duplicates (if_do_dad)."""
        return not self.flags & IFF_LOOPBACK and self.is_ready

    @property
    def is_loopback(self) -> bool:
        return bool(self.flags & IFF_LOOPBACK)

    @property
    def is_point_to_point(self) -> bool:
        return bool(self.flags & IFF_POINTOPOINT)

    @property
    def caches_neighbours(self) -> bool:
        """Whether IPv6 neighbours have to be found (nd6_need_cache)."""
        return self.kind.type in NEIGHBOUR_CACHE_TYPES

    has_room_for_tags = False
    """Whether packets may be longer by a VLAN's tag (ETHERCAP_VLAN_MTU)."""

    resolves_addresses = False
    """Whether IPv4 neighbours have to be found by ARP."""

    def up(self) -> None:
        """if_up: the flag, and what the protocols do about it."""
        self.flags |= IFF_UP
        self.last_change = self.stack.kernel.clock.now()
        self.stack.device_changed(self)
        self.stack.notices.interface(self)
        self.stack.interface_up(self)

    def down(self) -> None:
        self.flags &= ~IFF_UP
        self.last_change = self.stack.kernel.clock.now()
        self.stack.device_changed(self)
        self.stack.notices.interface(self)
        self.stack.interface_down(self)

    def start(self) -> None:
        """if_init: bring the hardware up."""
        self.flags |= IFF_RUNNING

    def stop(self) -> None:
        """if_stop."""
        self.flags &= ~IFF_RUNNING

    def init_address(self, address: InterfaceAddress) -> None:
        """SIOCINITIFADDR: an address is coming; it brings the interface up."""
        self.flags |= IFF_UP

    def destroy(self) -> None:
        """Called before the interface is removed."""

    def other_removed(self, other: Interface) -> None:
        """Another interface was removed."""

    def device_changed(self, device: Interface) -> None:
        """An interface, which this one may be on, came up or went down."""

    def promiscuous(self, wanted: bool) -> None:
        """ifpromisc: the mode lasts as long as someone wants it."""
        self._listeners += 1 if wanted else -1
        self.flags = self.flags | IFF_PROMISC if self._listeners > 0 else self.flags & ~IFF_PROMISC

    # Ioctls

    async def ioctl(self, request: IoctlRequest) -> None:
        """The driver's part of an ioctl; ENOTTY leaves it to the protocol."""
        self.common_ioctl(request)

    def common_ioctl(self, request: IoctlRequest) -> None:
        """What every interface does (ifioctl_common)."""
        handler = _COMMON.get(request.name)
        if handler is None:
            raise refuse("ENOTTY")
        handler(self, request)

    def _get_flags(self, request: IoctlRequest) -> None:
        request.put_integer("uint16", self.flags & 0xFFFF, NAME_SIZE)

    def set_flags(self, request: IoctlRequest) -> None:
        wanted = request.abi.read_integer("uint16", request.data[NAME_SIZE:])
        request.notes["flags"] = hex(wanted)
        before = self.flags
        if self.is_up and not wanted & IFF_UP:
            self.down()
        if wanted & IFF_UP and not self.is_up:
            self.up()
        self.flags = (self.flags & IFF_CANTCHANGE) | (wanted & ~IFF_CANTCHANGE)
        if self.flags != before:
            mark_change()

    def _get_mtu(self, request: IoctlRequest) -> None:
        request.put_integer("int", self.mtu, NAME_SIZE)

    def wanted_mtu(self, request: IoctlRequest) -> int:
        wanted = request.abi.read_integer("int", request.data[NAME_SIZE:])
        request.notes["mtu"] = wanted
        return wanted

    def _set_mtu(self, request: IoctlRequest) -> None:
        """The drivers that know no better let ENETRESET through, which means that the MTU was set."""
        wanted = self.wanted_mtu(request)
        if wanted == self.mtu:
            return
        self.mtu = wanted
        mark_change()
        raise refuse("ENETRESET")

    def set_mtu_within(self, request: IoctlRequest, low: int, high: int) -> bool:
        """Set the MTU if it is between the limits; whether it changed."""
        wanted = self.wanted_mtu(request)
        if not low <= wanted <= high:
            raise refuse("EINVAL")
        if wanted == self.mtu:
            return False
        self.mtu = wanted
        mark_change()
        return True

    def _get_metric(self, request: IoctlRequest) -> None:
        request.put_integer("int", self.metric, NAME_SIZE)

    def _set_metric(self, request: IoctlRequest) -> None:
        wanted = request.abi.read_integer("int", request.data[NAME_SIZE:])
        request.notes["metric"] = wanted
        if wanted != self.metric:
            self.metric = wanted & 0xFFFFFFFFFFFFFFFF
            mark_change()

    def _get_dlt(self, request: IoctlRequest) -> None:
        request.put_integer("uint", self.kind.dlt, NAME_SIZE)

    def _get_index(self, request: IoctlRequest) -> None:
        request.put_integer("int", self.index, NAME_SIZE)

    def _get_data(self, request: IoctlRequest) -> None:
        from .messages import interface_data

        request.put_struct("ifdatareq", ifdr_name=self.name.encode(), ifdr_data=interface_data(self))

    def _zero_data(self, request: IoctlRequest) -> None:
        self._get_data(request)
        self.last_change = self.stack.kernel.clock.now()

    def _get_capabilities(self, request: IoctlRequest) -> None:
        layout = request.abi.struct("ifcapreq")
        request.put_integer("uint64", self.capabilities, layout.offset_of("ifcr_capabilities"))
        request.put_integer("uint64", self.enabled_capabilities, layout.offset_of("ifcr_capenable"))

    def _set_capabilities(self, request: IoctlRequest) -> None:
        wanted = request.struct("ifcapreq").ifcr_capenable
        if wanted & ~self.capabilities:
            raise refuse("EINVAL")
        if wanted != self.enabled_capabilities:
            self.enabled_capabilities = wanted
            mark_change()
            if self.is_up:
                raise refuse("ENETRESET")


_COMMON = {
    "SIOCGIFFLAGS": Interface._get_flags,
    "SIOCSIFFLAGS": Interface.set_flags,
    "SIOCGIFMTU": Interface._get_mtu,
    "SIOCSIFMTU": Interface._set_mtu,
    "SIOCGIFMETRIC": Interface._get_metric,
    "SIOCSIFMETRIC": Interface._set_metric,
    "SIOCGIFDLT": Interface._get_dlt,
    "SIOCGIFINDEX": Interface._get_index,
    "SIOCGIFDATA": Interface._get_data,
    "SIOCZIFDATA": Interface._zero_data,
    "SIOCGIFCAP": Interface._get_capabilities,
    "SIOCSIFCAP": Interface._set_capabilities,
}


class Loopback(Interface):
    """loN."""

    kind = InterfaceKind(
        "lo", "rumpnet_net", IFT_LOOP, IFF_LOOPBACK | IFF_MULTICAST | IFF_RUNNING, LOOPBACK_MTU, dlt=DLT_NULL
    )

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        super().__init__(stack, name, index)
        room = Mbufs.of(stack.kernel.abi).without_cluster
        self.mtu += room
        self._mtu_limit = LOOPBACK_MTU_LIMIT + room

    async def ioctl(self, request: IoctlRequest) -> None:
        if request.name == "SIOCSIFMTU":
            if not 0 <= self.wanted_mtu(request) <= self._mtu_limit:
                raise refuse("EINVAL")
            self.set_mtu_within(request, 0, self._mtu_limit)
            return
        self.common_ioctl(request)


class Ethernet(Interface):
    """What Ethernet drivers share (ether_ioctl)."""

    mtu_limit = ETHERNET_MTU
    resolves_addresses = True

    def init_address(self, address: InterfaceAddress) -> None:
        if not self.is_ready:
            self.flags |= IFF_UP
            self.start()
        if address.family == AF_INET:
            address.flags |= RTF_CONNECTED
            if address.state & IN_IFF_TRYTENTATIVE:
                address.is_probed = True
                address.state |= IN_IFF_TENTATIVE

    async def ioctl(self, request: IoctlRequest) -> None:
        self.ether_ioctl(request)

    def ether_ioctl(self, request: IoctlRequest) -> None:
        match request.name:
            case "SIOCSIFMTU":
                if self.set_mtu_within(request, ETHERNET_MINIMUM, self.mtu_limit) and self.is_up:
                    self.start()
            case "SIOCSIFFLAGS":
                self.set_flags(request)
                self._follow_flags()
            case "SIOCGETHERCAP":
                request.put_bytes(NAME_SIZE, bytes(8))
            case "SIOCADDMULTI" | "SIOCDELMULTI":
                return
            case _:
                try:
                    self.common_ioctl(request)
                except SyscallError as error:
                    if error.errno is not Errno.ENETRESET:
                        raise

    def _follow_flags(self) -> None:
        """Start or stop as the flags say."""
        state = self.flags & (IFF_UP | IFF_RUNNING)
        if state == IFF_RUNNING:
            self.stop()
        elif state & IFF_UP:
            self.start()


class Virtif(Ethernet):
    """virtN: packets of the host's network."""

    kind = InterfaceKind(
        "virt", "rumpnet_virtif", IFT_ETHER, ETHERNET_FLAGS, ETHERNET_MTU, 14, 10_000_000, b"\xb2\x0a", DLT_EN10MB
    )


class NpfLog(Interface):
    """npflogN: what npf logs."""

    kind = InterfaceKind("npflog", "rumpnet_npf", IFT_OTHER, 0, 0)

    def init_address(self, address: InterfaceAddress) -> None:
        raise refuse("ENOTTY")


class Pppoe(Interface):
    """pppoeN."""

    kind = InterfaceKind("pppoe", "rumpnet_pppoe", IFT_PPP, IFF_POINTOPOINT | IFF_SIMPLEX | IFF_MULTICAST, 1492, 20)

    async def ioctl(self, request: IoctlRequest) -> None:
        if request.name == "SIOCSIFMTU":
            self.set_mtu_within(request, 128, 1492)
            return
        self.common_ioctl(request)
        if request.name == "SIOCSIFFLAGS":
            self.flags = self.flags | IFF_RUNNING if self.is_up else self.flags & ~IFF_RUNNING
