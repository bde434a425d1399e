# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""carpN: addresses that a group of hosts shares (sys/netinet/ip_carp.c).

There are no other hosts here: a backup that has an IPv4 address becomes the master as soon as it would have heard of
one. That is worked out when somebody asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..changes import mark_change
from ..clock import NANOSECONDS
from ..errors import refuse
from .addresses import AF_INET, RTF_CONNECTED, InterfaceAddress, masked, sockaddr_in
from .interfaces import (
    ETHERNET_FLAGS,
    ETHERNET_MTU,
    IFF_MULTICAST,
    IFF_RUNNING,
    IFF_UP,
    IFT_CARP,
    LINK_STATE_DOWN,
    LINK_STATE_UNKNOWN,
    LINK_STATE_UP,
    Ethernet,
    Interface,
    InterfaceKind,
)
from .messages import own_link_sockaddr
from .routes import RTF_HOST, RTF_UP, Route

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

INIT, BACKUP, MASTER = 0, 1, 2
LINK_STATES = {INIT: LINK_STATE_UNKNOWN, BACKUP: LINK_STATE_DOWN, MASTER: LINK_STATE_UP}
MOST_VHID, MOST_ADVSKEW, MOST_ADVBASE = 255, 254, 255
ADVERTISEMENTS_MISSED = 3


class Carp(Ethernet):
    """A member of a group, on another interface."""

    kind = InterfaceKind("carp", "rumpnet_netinet", IFT_CARP, ETHERNET_FLAGS, ETHERNET_MTU, 14)
    resolves_addresses = False

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        self._state = INIT
        self._master_at: int | None = None
        super().__init__(stack, name, index)
        self.device: Interface | None = None
        self.vhid, self.advbase, self.advskew, self.key = -1, 1, 0, bytes(20)
        self.given = 0
        """IPv4 addresses that it was ever given; the kernel does not count those that are taken away."""
        self.is_suppressed = False
        self._set_link_address()

    # State

    @property
    def state(self) -> int:
        if (
            self._state == BACKUP
            and self._master_at is not None
            and self.stack.kernel.clock.uptime() >= self._master_at
        ):
            self._become_master()
        return self._state

    @property
    def link_state(self) -> int:
        """What a protocol sees of the state (carp_set_state)."""
        return LINK_STATES[self.state]

    @link_state.setter
    def link_state(self, value: int) -> None:
        """It follows from the state."""

    def _set_state(self, state: int) -> None:
        if self._state != state:
            self._state = state
            self.stack.notices.interface(self)

    def _become_master(self) -> None:
        self._master_at = None
        self._set_state(MASTER)
        self._set_routes(add=True)

    def _run(self) -> None:
        """carp_setrun: run if all that it takes is there."""
        self._master_at = None
        if self.device is None:
            self.flags &= ~IFF_RUNNING
            self._set_state(INIT)
            return
        if not (self.is_up and self.vhid > 0 and self.given and not self.is_suppressed):
            self.flags &= ~IFF_RUNNING
            self._set_routes(add=False)
            return
        self.flags |= IFF_RUNNING
        if self._state == INIT:
            self._set_state(BACKUP)
            self._set_routes(add=False)
        if self._state == BACKUP:
            wait = ADVERTISEMENTS_MISSED * self.advbase * NANOSECONDS + self.advskew * NANOSECONDS // 256
            self._master_at = self.stack.kernel.clock.uptime() + wait

    def _restart(self) -> None:
        self._set_state(INIT)
        self._run()

    # The interface that it is on

    def _others_on(self, device: Interface) -> list[Carp]:
        return [
            other
            for other in self.stack.interfaces
            if isinstance(other, Carp) and other is not self and other.device is device
        ]

    def _attach(self, device: Interface | None) -> None:
        """carp_set_ifp."""
        if device is self.device:
            return
        if device is None:
            self._detach()
            self.flags &= ~(IFF_UP | IFF_RUNNING)
            return
        if not device.flags & IFF_MULTICAST:
            raise refuse("EADDRNOTAVAIL")
        if isinstance(device, Carp):
            raise refuse("EINVAL")
        others = self._others_on(device)
        if any(other.vhid == self.vhid for other in others):
            raise refuse("EINVAL")
        if not others:
            device.promiscuous(True)
        self._detach()
        self.device = device
        if self.given:
            self.flags |= IFF_UP
        self._set_link_address()
        self.device_changed(device)

    def _detach(self) -> None:
        """carpdetach."""
        if self.device is None:
            return
        self.is_suppressed = False
        self._set_state(INIT)
        self.flags &= ~IFF_UP
        self._run()
        if not self._others_on(self.device):
            self.device.promiscuous(False)
        self.device = None

    def device_changed(self, device: Interface) -> None:
        """carp_carpdev_state: another interface came up or went down."""
        if device is not self.device:
            return
        self.is_suppressed = not device.is_up
        if self.is_suppressed:
            self.flags &= ~IFF_RUNNING
        self._restart()

    def other_removed(self, other: Interface) -> None:
        if other is self.device:
            self._detach()

    def destroy(self) -> None:
        self._detach()

    def _set_link_address(self) -> None:
        self.hardware_address = self.factory_address = bytes((0, 0, 0x5E, 0, 1, self.vhid & 0xFF))
        self.link_addresses = [self.hardware_address]

    # Addresses

    def init_address(self, address: InterfaceAddress) -> None:
        """carp_set_addr, carp_set_addr6."""
        self.flags |= IFF_UP
        neighbour = self._in_network_of(address)
        if neighbour is not None and self.device not in (None, neighbour):
            raise refuse("EADDRNOTAVAIL")
        self._attach(self.device or neighbour)
        if self.device is None or address.family != AF_INET:
            # IPv6 addresses fail when the group is to be joined, on an interface with no link-local one.
            raise refuse("EADDRNOTAVAIL")
        self.given += 1
        self.flags |= IFF_UP
        self._restart()

    def _in_network_of(self, address: InterfaceAddress) -> Interface | None:
        for interface in self.stack.interfaces:
            if isinstance(interface, Carp) or not interface.flags & IFF_MULTICAST:
                continue
            for own in interface.addresses:
                if own.family == address.family and masked(own.address, own.mask) == masked(address.address, own.mask):
                    return interface
        return None

    def _set_routes(self, add: bool) -> None:
        """carp_setroute: only the master has routes to its addresses."""
        routes = self.stack.routes
        masters = [other for other in self._others_on(self.device) if other.state == MASTER] if self.device else []
        for address in [address for address in self.addresses if address.family == AF_INET]:
            if any(own.address == address.address for other in masters for own in other.addresses):
                continue
            found = routes.match(AF_INET, address.address)
            if found is not None and found.mask is None:
                routes.drop(found)
                found = routes.match(AF_INET, address.address)
            if not add:
                continue
            key = sockaddr_in(address.address)
            if found is not None and found.interface is not self and found.flags & RTF_CONNECTED:
                routes.add(Route(key, None, key, RTF_UP | RTF_HOST, self, address))
            elif found is None or found.interface is self:
                if found is not None:
                    routes.drop(found)
                network = sockaddr_in(masked(address.address, address.mask))
                gateway = own_link_sockaddr(self.stack.kernel.abi, self)
                routes.add(Route(network, address.mask, gateway, RTF_UP | RTF_CONNECTED, self, address))

    # Ioctls

    async def ioctl(self, request: IoctlRequest) -> None:
        match request.name:
            case "SIOCSVH":
                request.refuse_all_but_root()
                await self._configure(request)
            case "SIOCGVH":
                told = request.abi.struct("carpreq").build(
                    carpr_state=self.state,
                    carpr_carpdev=self.device.name.encode() if self.device else b"",
                    carpr_vhid=self.vhid,
                    carpr_advskew=self.advskew,
                    carpr_advbase=self.advbase,
                    carpr_key=self.key if request.process.credentials.is_root else b"",
                )
                await request.memory.copyout(request.struct("ifreq").ifr_ifru.ifru_data, told)
            case "SIOCSIFFLAGS":
                self.set_flags(request)
                if self.state != INIT and not self.is_up:
                    self._restart()
                elif self._state == INIT and self.is_up:
                    self._run()
            case _:
                self.ether_ioctl(request)

    async def _configure(self, request: IoctlRequest) -> None:
        asked = await request.memory.struct("carpreq", request.struct("ifreq").ifr_ifru.ifru_data)
        name = asked.carpr_carpdev.decode("utf-8", "replace")
        request.notes |= {"vhid": asked.carpr_vhid, "carpdev": name}
        device = self.stack.find(name) if name else None
        if name and device is None:
            raise refuse("EINVAL")
        before = self._settings()
        try:
            self._attach(device)
            self._set(asked)
        finally:
            if self._settings() != before:
                mark_change()

    def _settings(self) -> tuple[Any, ...]:
        return self.device, self.vhid, self.advbase, self.advskew, self.key, self._state

    def _set(self, asked: Any) -> None:
        if self.state != INIT and asked.carpr_state != self._state:
            if asked.carpr_state == BACKUP:
                self._set_state(BACKUP)
                self._run()
                self._set_routes(add=False)
            elif asked.carpr_state == MASTER:
                self._become_master()
        if asked.carpr_vhid > 0:
            others = self._others_on(self.device) if self.device else []
            if asked.carpr_vhid > MOST_VHID or any(other.vhid == asked.carpr_vhid for other in others):
                raise refuse("EINVAL")
            self.vhid = asked.carpr_vhid
            self._set_link_address()
            self._set_state(INIT)
        if asked.carpr_advbase > 0 or asked.carpr_advskew > 0:
            if asked.carpr_advskew > MOST_ADVSKEW or asked.carpr_advbase > MOST_ADVBASE:
                raise refuse("EINVAL")
            self.advbase, self.advskew = asked.carpr_advbase, asked.carpr_advskew
        self.key = bytes(asked.carpr_key)
        self._run()
