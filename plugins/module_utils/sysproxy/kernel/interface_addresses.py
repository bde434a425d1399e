# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of interfaces: their making, their going, their state and their lifetimes.

Sources: sys/netinet/in.c (in_control), sys/netinet6/in6.c (in6_control), in_var.h, in6_var.h.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from ..exchanges import Exchange
from ..netbsd.constants import AF, IN6_IFF, IN_IFF
from .interface_ioctls import InterfaceIoctls, IPAddress, IPInterface, encoded_name, sockaddr_in, sockaddr_in6

INFINITE: Final = 0xFFFFFFFF
"""The lifetime that does not end (ND6_INFINITE_LIFETIME)."""
LONGEST_LIFETIME: Final = INFINITE - 1
_FLAGS4: Final = ("ifr_ifru.ifru_addrflags",)
_FLAGS6: Final = ("ifr_ifru.ifru_flags6",)
_LIFETIMES: Final = ("ifr_ifru.ifru_lifetime.ia6t_vltime", "ifr_ifru.ifru_lifetime.ia6t_pltime")


@dataclass(frozen=True)
class AddressState:
    """How an address is doing, and the lifetimes that it was given: seconds, or :data:`INFINITE`."""

    flags: IN_IFF | IN6_IFF
    valid: int = INFINITE
    preferred: int = INFINITE

    @classmethod
    def none(cls, version: int) -> AddressState:
        """Nothing of note, for an address of that IP version."""
        return cls(IN_IFF(0) if version == 4 else IN6_IFF(0))

    @property
    def is_tentative(self) -> bool:
        """Whether the kernel is still listening for another host that has it."""
        if isinstance(self.flags, IN_IFF):
            return bool(self.flags & (IN_IFF.TENTATIVE | IN_IFF.TRYTENTATIVE))
        return bool(self.flags & IN6_IFF.TENTATIVE)

    @property
    def is_duplicated(self) -> bool:
        """Whether another host has it, so that the kernel does not use it."""
        return bool(self.flags & (IN_IFF if isinstance(self.flags, IN_IFF) else IN6_IFF).DUPLICATED)

    @property
    def names(self) -> list[str]:
        """The flags as ifconfig(8) prints them: ``tentative``, ``duplicated``, ``detached``, ``deprecated``."""
        return list(_names(type(self.flags), int(self.flags)))


@lru_cache(maxsize=256)
def _names(kind: type[IN_IFF] | type[IN6_IFF], flags: int) -> tuple[str, ...]:
    return tuple(str(flag.name).lower() for flag in kind if int(flag) & flags and flag != kind.NOTREADY)


class AddressIoctls(InterfaceIoctls):
    """Shaped by what ifconfig's ``inet`` and ``inet6`` do."""

    def add_address(
        self,
        name: str,
        address: IPInterface,
        *,
        broadcast: IPAddress | None = None,
        destination: IPAddress | None = None,
        valid: int = INFINITE,
        preferred: int = INFINITE,
    ) -> None:
        """Add an address, or change what belongs to one that is there.

        The broadcast follows from the prefix, if none is given. ``destination`` is the far end of a point-to-point
        interface. The lifetimes, in seconds, are those of an IPv6 address.
        """
        lifetimes = {"valid": valid, "preferred": preferred}
        self._base.converse(
            self.adding_address(name, address, broadcast=broadcast, destination=destination, **lifetimes)
        )

    def adding_address(
        self,
        name: str,
        address: IPInterface,
        *,
        broadcast: IPAddress | None = None,
        destination: IPAddress | None = None,
        valid: int = INFINITE,
        preferred: int = INFINITE,
    ) -> Exchange[None]:
        """What :meth:`add_address` does."""
        if address.version == 4:
            other = destination or broadcast
            request = self._base.abi.struct("ifaliasreq").build(
                ifra_name=encoded_name(name),
                ifra_addr=sockaddr_in(address.ip),
                ifra_mask=sockaddr_in(address.netmask),
                **({"ifra_dstaddr": sockaddr_in(other)} if other else {}),
            )
            yield self._asking(AF.INET, "SIOCAIFADDR", bytearray(request), f"{name} {address}")
            return
        request = self._base.abi.struct("in6_aliasreq").build(
            ifra_name=encoded_name(name),
            ifra_addr=self._scoped(name, address.ip),
            ifra_prefixmask=sockaddr_in6(address.netmask),
            ifra_lifetime={"ia6t_vltime": valid, "ia6t_pltime": preferred},
            **({"ifra_dstaddr": self._scoped(name, destination)} if destination else {}),
        )
        yield self._asking(AF.INET6, "SIOCAIFADDR_IN6", bytearray(request), f"{name} {address}")

    def remove_address(self, name: str, address: IPAddress) -> None:
        if address.version == 4:
            self._ioctl(AF.INET, "SIOCDIFADDR", self._request4(name, address), f"{name} {address}")
            return
        self._ioctl(AF.INET6, "SIOCDIFADDR_IN6", self._request6(name, address), f"{name} {address}")

    def address_flags6(self, name: str, address: ipaddress.IPv6Address, index: int = 0) -> IN6_IFF:
        """The state of an IPv6 address: tentative, duplicated and so on."""
        request = self._request6(name, address, index)
        self._ioctl(AF.INET6, "SIOCGIFAFLAG_IN6", request, f"{name} {address}")
        return IN6_IFF(self._base.abi.struct("in6_ifreq").parse(request).ifr_ifru.ifru_flags6)

    def address_state(self, name: str, address: IPAddress, index: int = 0) -> AddressState:
        """The state of an address, and the lifetimes that it was given. ``index`` saves looking the interface's up."""
        return self._base.converse(self.asking_state(name, address, index))

    def asking_state(self, name: str, address: IPAddress, index: int = 0) -> Exchange[AddressState]:
        """What :meth:`address_state` asks."""
        abi, subject = self._base.abi, f"{name} {address}"
        if isinstance(address, ipaddress.IPv4Address):
            if not abi.has_ioctl("SIOCGIFAFLAG_IN"):
                return AddressState(IN_IFF(0))
            request = self._request4(name, address)
            yield self._asking(AF.INET, "SIOCGIFAFLAG_IN", request, subject)
            (flags,) = abi.struct("ifreq").numbers(_FLAGS4).unpack(request)
            return AddressState(IN_IFF(flags))
        request = self._request6(name, address, index)
        again = bytearray(request)
        yield self._asking(AF.INET6, "SIOCGIFALIFETIME_IN6", request, subject)
        valid, preferred = abi.struct("in6_ifreq").numbers(_LIFETIMES).unpack(request)
        yield self._asking(AF.INET6, "SIOCGIFAFLAG_IN6", again, subject)
        (flags,) = abi.struct("in6_ifreq").numbers(_FLAGS6).unpack(again)
        return AddressState(IN6_IFF(flags), valid, preferred)

    def _request4(self, name: str, address: IPAddress) -> bytearray:
        sockaddr = {"sa_len": 16, "sa_family": AF.INET, "sa_data": bytes(2) + address.packed + bytes(8)}
        layout = self._base.abi.struct("ifreq")
        return bytearray(layout.build(ifr_name=encoded_name(name), ifr_ifru={"ifru_addr": sockaddr}))

    def _request6(self, name: str, address: IPAddress, index: int = 0) -> bytearray:
        layout = self._base.abi.struct("in6_ifreq")
        return bytearray(
            layout.build(ifr_name=encoded_name(name), ifr_ifru={"ifru_addr": self._scoped(name, address, index)})
        )

    def _index(self, name: str) -> int:
        """The interface's index, or 0."""
        raise NotImplementedError

    def _scoped(self, name: str, address: IPAddress, index: int = 0) -> dict[str, Any]:
        sockaddr = sockaddr_in6(address)
        if address.is_link_local:
            sockaddr["sin6_scope_id"] = index or self._index(name)
        return sockaddr
