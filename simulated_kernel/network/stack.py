# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network stack of one kernel: which interfaces there are, and what ioctls do to them.

Sources: sys/net/if.c (doifioctl, if_clone_create, if_clone_destroy), rtsock.c (sysctl_rtable).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import SyscallError, refuse
from ..rooms import Errno
from ..sysctl.node import SysctlNode
from . import link
from .addresses import AF_INET, AF_INET6, AF_LINK, InterfaceAddress
from .aggregate import Agr
from .bridge import Bridge
from .carp import Carp
from .discovery import Discovery
from .inet import Inet
from .inet6 import Inet6
from .interfaces import IFF_UP, NAME_SIZE, Interface, Loopback, NpfLog, Pppoe, Virtif
from .messages import IFAN_ARRIVAL, IFAN_DEPARTURE, interface_list
from .neighbours import NeighbourTable
from .notices import Notices
from .prefixes import Prefixes
from .route_messages import dumped
from .routes import RTF_LLDATA, RouteTable
from .shmif import Shmif
from .tap import Tap
from .tunnel import Gif
from .vlan import Vlan
from .wireless import Wireless

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from ..kernel import SimulatedKernel
    from ..sysctl.request import SysctlRequest

NET_RT_DUMP, NET_RT_FLAGS = 1, 2
MAX_UNIT = (1 << 31) - 1
DESCRIPTION_SIZE = 64
# What agr_ioctl_filter keeps from an agr interface's ports, of what the simulated kernel serves.
REFUSED_TO_PORTS = frozenset(
    ("SIOCAIFADDR", "SIOCAIFADDR_IN6", "SIOCALIFADDR", "SIOCDIFADDR", "SIOCDIFPHYADDR", "SIOCDLIFADDR", "SIOCSDRVSPEC",
     "SIOCSIFADDR", "SIOCSIFBRDADDR", "SIOCSIFDSTADDR", "SIOCSIFGENERIC", "SIOCSIFMEDIA", "SIOCSIFMETRIC",
     "SIOCSIFMTU", "SIOCSIFNETMASK", "SIOCSLIFPHYADDR")
)  # fmt: skip
# What doifioctl does for the superuser alone, beside the making and unmaking; others are for the drivers to say.
FOR_ROOT = frozenset(
    ("SIOCADDMULTI", "SIOCALIFADDR", "SIOCDELMULTI", "SIOCDIFPHYADDR", "SIOCDLIFADDR", "SIOCG80211", "SIOCS80211",
     "SIOCS80211BSSID", "SIOCS80211CHANNEL", "SIOCS80211NWID", "SIOCS80211NWKEY", "SIOCS80211POWER", "SIOCSDRVSPEC",
     "SIOCSIFADDRPREF", "SIOCSIFCAP", "SIOCSIFFLAGS", "SIOCSIFMEDIA", "SIOCSIFMETRIC", "SIOCSIFMTU", "SIOCSIFPHYADDR",
     "SIOCSIFPHYADDR_IN6", "SIOCSLIFPHYADDR", "SIOCSLINKSTR", "SIOCZIFDATA")
)  # fmt: skip
# In the order in which the kernel lists them.
CLONERS: dict[str, type[Interface]] = {
    driver.kind.cloner: driver for driver in (Virtif, NpfLog, Loopback, Shmif, Bridge, Gif, Tap, Agr, Pppoe, Vlan, Carp)
}


class NetworkStack:
    """Interfaces, protocols and routes."""

    def __init__(self, kernel: SimulatedKernel) -> None:
        self.kernel = kernel
        self.interfaces: list[Interface] = []
        self.notices = Notices(self)
        self.routes = RouteTable(self)
        self.prefixes = Prefixes(self)
        self.neighbours = NeighbourTable(self)
        self.discovery = Discovery(self)
        self.inet = Inet(self)
        self.inet6 = Inet6(self)
        self._next_index = 1
        if kernel.has("rumpnet_net"):
            self._make_loopback()
            if kernel.has(Wireless.kind.component) and kernel.has("rumpnet_net80211"):
                self._attach(Wireless, "iwn0")

    def has(self, family: int) -> bool:
        """Whether an address family is there."""
        components = {AF_INET: "rumpnet_netinet", AF_INET6: "rumpnet_netinet6", AF_LINK: "rumpnet_net"}
        return self.kernel.has(components[family])

    @property
    def loopback(self) -> Interface:
        """lo0."""
        return self.interfaces[0]

    def find(self, name: str) -> Interface | None:
        return next((interface for interface in self.interfaces if interface.name == name), None)

    def _make_loopback(self) -> None:
        """lo0 as the start leaves it: up, with ::1, fe80::1 and 127.0.0.1."""
        loopback = self._attach(Loopback, "lo0")
        loopback.flags |= IFF_UP
        loopback.last_change = self.kernel.clock.boot_time
        if self.has(AF_INET6):
            self.inet6.interface_up(loopback)
        if self.has(AF_INET):
            self._add_loopback_address(loopback)

    def _add_loopback_address(self, loopback: Interface) -> None:
        address = InterfaceAddress(AF_INET, b"\x7f\0\0\1", b"\xff\0\0\0", mask_family=AF_INET, mask_length=5)
        address.broadcast, address.broadcast_length = address.address, 16
        address.initialised = True
        self.routes.add_local(loopback, address)
        loopback.addresses.append(address)

    def _attach(self, driver: type[Interface], name: str) -> Interface:
        interface = driver(self, name, self._take_index())
        self.interfaces.append(interface)
        self.discovery.attach(interface)
        return interface

    def _take_index(self) -> int:
        """The last index that was given out if it is free again, or the next free one."""
        taken = {interface.index for interface in self.interfaces}
        while self._next_index in taken:
            self._next_index += 1
        return self._next_index

    def device_changed(self, device: Interface) -> None:
        """Tell what may be on an interface that it came up or went down."""
        for interface in self.interfaces:
            interface.device_changed(device)

    # Protocols' reactions

    def interface_up(self, interface: Interface) -> None:
        if self.has(AF_INET6):
            self.inet6.interface_up(interface)
        if self.has(AF_INET):
            self.inet.interface_up(interface)

    def interface_down(self, interface: Interface) -> None:
        if self.has(AF_INET6):
            self.inet6.interface_down(interface)
        if self.has(AF_INET):
            self.inet.interface_down(interface)

    # Ioctls

    async def ioctl(self, request: IoctlRequest, family: int) -> None:
        """An ioctl of group ``i`` on a socket of ``family``."""
        match request.name:
            case "SIOCIFCREATE":
                request.refuse_all_but_root()
                self._create(self._asked_name(request))
            case "SIOCIFDESTROY":
                request.refuse_all_but_root()
                self._destroy(self._asked_name(request))
            case "SIOCIFGCLONERS":
                await self._list_cloners(request)
            case "SIOCGIFCONF":
                await self._list_addresses(request)
            case _:
                await self._interface_ioctl(request, family)

    @staticmethod
    def _asked_name(request: IoctlRequest) -> str:
        name = request.text(0, NAME_SIZE).decode("utf-8", "replace")
        request.notes["interface"] = name
        return name

    async def _interface_ioctl(self, request: IoctlRequest, family: int) -> None:
        interface = self.find(self._asked_name(request))
        if interface is None or interface.is_defunct:
            raise refuse("ENXIO")
        if request.name in FOR_ROOT:
            request.refuse_all_but_root()
        if interface.aggregate is not None and request.name in REFUSED_TO_PORTS:
            raise refuse("EBUSY")
        if request.name in ("SIOCSIFDESCR", "SIOCGIFDESCR"):
            await _describe(request, interface)
            return
        was_up = interface.is_up
        try:
            try:
                await interface.ioctl(request)
            except SyscallError as error:
                if error.errno is not Errno.ENOTTY:
                    raise
                self._protocol_ioctl(request, interface, family)
        finally:
            # Whatever brought the interface up, the protocols hear of it now that it runs.
            if not was_up and interface.is_up:
                interface.up()
                mark_change()

    def _protocol_ioctl(self, request: IoctlRequest, interface: Interface, family: int) -> None:
        if family == AF_INET:
            self.inet.control(request, interface)
        elif family == AF_INET6:
            self.inet6.control(request, interface)
        elif family == AF_LINK:
            link.control(request, interface)
        else:
            raise refuse("EOPNOTSUPP")

    # Cloning

    def cloners(self) -> list[str]:
        """The kinds that can be created, in the kernel's order."""
        return [name for name, driver in CLONERS.items() if self.kernel.has(driver.kind.component)]

    def _cloner(self, name: str) -> type[Interface]:
        """The driver for a name such as ``shmif0``; EINVAL if there is none (if_clone_lookup)."""
        match = re.fullmatch(r"([^0-9]+)(\d+)", name)
        if not match or len(name) > NAME_SIZE or match[1] not in self.cloners():
            raise refuse("EINVAL")
        unit = 0
        for digit in match[2]:
            if unit >= MAX_UNIT // 10:
                raise refuse("EINVAL")
            unit = unit * 10 + int(digit)
        return CLONERS[match[1]]

    @staticmethod
    def _unit(name: str) -> int:
        return int(re.sub(r"^[^0-9]+", "", name))

    def _create(self, name: str) -> None:
        driver = self._cloner(name)
        if self.find(name) is not None:
            raise refuse("EEXIST")
        # The name is made anew from the unit's number: lo00 makes another lo0.
        interface = self._attach(driver, f"{driver.kind.cloner}{self._unit(name)}")
        self.kernel.sysctl.interface_attached(interface.name)
        self.notices.announce(interface, IFAN_ARRIVAL)
        mark_change()

    def make(self, name: str) -> Interface:
        """An interface that the kernel has from its start on; EINVAL if it cannot have it."""
        self._create(name)
        return self.interfaces[-1]

    def _destroy(self, name: str) -> None:
        driver = self._cloner(name)
        interface = self.find(name)
        if interface is None:
            raise refuse("ENXIO")
        if driver is Loopback and interface.index == 1:
            raise refuse("EPERM")
        if driver is Virtif and interface.is_up:
            raise refuse("EBUSY")
        interface.destroy()
        interface.down()
        while interface.addresses:
            self.purge(interface, interface.addresses[0].family)
        self.prefixes.interface_removed(interface)
        self.interfaces.remove(interface)
        for other in self.interfaces:
            other.other_removed(interface)
        self.routes.interface_removed(interface)
        self.neighbours.interface_removed(interface)
        self.discovery.detach(interface)
        self.notices.announce(interface, IFAN_DEPARTURE)
        self.kernel.sysctl.interface_detached(interface.name)
        mark_change()

    def purge(self, interface: Interface, family: int) -> None:
        """Take away all addresses of one family, and before them the prefixes."""
        if family == AF_INET6:
            self.prefixes.interface_removed(interface)
        protocol = self.inet if family == AF_INET else self.inet6
        for address in [address for address in interface.addresses if address.family == family]:
            protocol.remove(interface, address)

    async def _list_cloners(self, request: IoctlRequest) -> None:
        argument, names = request.struct("if_clonereq"), self.cloners()
        request.put_integer("int", len(names))
        if not argument.ifcr_buffer:
            return
        if argument.ifcr_count < 0:
            raise refuse("EINVAL")
        for place, name in enumerate(names[: argument.ifcr_count]):
            raw = name.encode().ljust(NAME_SIZE, b"\0")
            await request.memory.copyout(argument.ifcr_buffer + place * NAME_SIZE, raw)

    async def _list_addresses(self, request: IoctlRequest) -> None:
        """SIOCGIFCONF: a struct ifreq for each address, or the room that they need."""
        from .messages import own_link_sockaddr

        abi, size = request.abi, request.abi.struct("ifreq").size
        room, buffer = abi.read_integer("int", request.data), abi.read_integer("pointer", request.data[abi.word_size :])
        records = [
            (interface.name.encode().ljust(NAME_SIZE, b"\0") + raw).ljust(size, b"\0")
            for interface in self.interfaces
            for raw in (own_link_sockaddr(abi, interface), *(address.sockaddr(abi) for address in interface.addresses))
        ]
        if not buffer:
            request.put_integer("int", size * len(records))
            return
        fitting = records[: max(0, room) // size]
        for place, record in enumerate(fitting):
            await request.memory.copyout(buffer + place * size, record)
        request.put_integer("int", size * len(fitting))

    # sysctl net.route.rtable

    async def serve_rtable(self, request: SysctlRequest, node: SysctlNode, rest: list[int]) -> None:
        """net.route.rtable.FAMILY.WHAT.ARGUMENT (sysctl_rtable)."""
        if rest == [-2]:
            await request.query(node)
            return
        if request.new:
            raise refuse("EPERM")
        if len(rest) != 3:
            raise refuse("EINVAL")
        family, what, argument = rest
        if what == request.abi.constant("NET_RT_IFLIST"):
            uptime = self.kernel.clock.uptime()
            messages = interface_list(request.abi, self.interfaces, family & 0xFF, argument, uptime)
        elif what in (NET_RT_DUMP, NET_RT_FLAGS):
            if what == NET_RT_FLAGS and not family & 0xFF and (not argument or argument & RTF_LLDATA):
                request.old_length = 0
                raise refuse("EINVAL")
            messages = self._routes(family & 0xFF, what, argument)
        else:
            request.old_length = 0
            raise refuse("EINVAL")
        await _give_messages(request, messages)

    def _routes(self, family: int, what: int, argument: int) -> list[bytes]:
        """NET_RT_DUMP gives all routes, NET_RT_FLAGS those with some flags, or the neighbours."""
        if what == NET_RT_FLAGS and (argument == 0 or argument & RTF_LLDATA):
            return self.neighbours.dump(family)
        return [
            dumped(self.kernel.abi, route, self.kernel.clock)
            for route in self.routes.walk(family)
            if what == NET_RT_DUMP or route.flags & argument
        ]


async def _describe(request: IoctlRequest, interface: Interface) -> None:
    """SIOCSIFDESCR and SIOCGIFDESCR, of release 10: ifr_buflen and ifr_buf."""
    layout = request.abi.struct("ifbifconf")  # the same two members
    asked = layout.parse(request.data, NAME_SIZE)
    room, buffer = asked.ifbic_len, asked.ifbic_ifbicu.ifbicu_buf
    if request.name == "SIOCGIFDESCR":
        if not interface.description:
            raise refuse("ENOMSG")
        if room < DESCRIPTION_SIZE:
            raise refuse("EINVAL")
        await request.memory.copyout(buffer, interface.description.ljust(DESCRIPTION_SIZE, b"\0"))
        return
    if room > DESCRIPTION_SIZE:
        raise refuse("ENAMETOOLONG")
    text = b""
    if room and buffer:
        text = (await request.memory.copyin(buffer, DESCRIPTION_SIZE - 1)).split(b"\0")[0]
    if text != interface.description:
        interface.description = text
        mark_change()


async def _give_messages(request: SysctlRequest, messages: list[bytes]) -> None:
    """As many whole messages as fit, or an estimate of the room that they need, a tenth more than now."""
    needed = sum(map(len, messages))
    if not request.old:
        request.old_length = 11 * needed // 10
        return
    room, address, given = request.old_length, request.old, 0
    total = 0
    for message in messages:
        total += len(message)
        if total > room:
            break
        await request.memory.copyout(address, message)
        address += len(message)
        given += len(message)
    request.old_length = given
    if given < needed:
        raise refuse("ENOMEM")
