# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of interfaces: their making, their going, their state and their lifetimes.

Sources: sys/netinet/in.c (in_control), sys/netinet6/in6.c (in6_control), in_var.h, in6_var.h.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..netbsd import KernelError
from ..netbsd.constants import AF, IN6_IFF, IN_IFF
from ..session import Request
from .interface_ioctls import InterfaceIoctls, IPAddress, IPInterface, encoded_name, sockaddr_in, sockaddr_in6

INFINITE: Final = 0xFFFFFFFF
"""The lifetime that does not end (ND6_INFINITE_LIFETIME)."""
LONGEST_LIFETIME: Final = INFINITE - 1


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
        kind = IN_IFF if isinstance(self.flags, IN_IFF) else IN6_IFF
        return [str(flag.name).lower() for flag in kind if flag & self.flags and flag != kind.NOTREADY]


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
        if address.version == 4:
            other = destination or broadcast
            request = self._base.abi.struct("ifaliasreq").build(
                ifra_name=encoded_name(name),
                ifra_addr=sockaddr_in(address.ip),
                ifra_mask=sockaddr_in(address.netmask),
                **({"ifra_dstaddr": sockaddr_in(other)} if other else {}),
            )
            self._ioctl(AF.INET, "SIOCAIFADDR", bytearray(request), f"{name} {address}")
            return
        request = self._base.abi.struct("in6_aliasreq").build(
            ifra_name=encoded_name(name),
            ifra_addr=self._scoped(name, address.ip),
            ifra_prefixmask=sockaddr_in6(address.netmask),
            ifra_lifetime={"ia6t_vltime": valid, "ia6t_pltime": preferred},
            **({"ifra_dstaddr": self._scoped(name, destination)} if destination else {}),
        )
        self._ioctl(AF.INET6, "SIOCAIFADDR_IN6", bytearray(request), f"{name} {address}")

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

    def address_flags4(self, name: str, address: ipaddress.IPv4Address) -> IN_IFF:
        """The state of an IPv4 address; none in kernels before 7.99.17, which do not look for duplicates."""
        if not self._base.abi.has_ioctl("SIOCGIFAFLAG_IN"):
            return IN_IFF(0)
        request = self._request4(name, address)
        self._ioctl(AF.INET, "SIOCGIFAFLAG_IN", request, f"{name} {address}")
        return IN_IFF(self._base.abi.struct("ifreq").parse(request).ifr_ifru.ifru_addrflags)

    def address_state(self, name: str, address: IPAddress, index: int = 0) -> AddressState:
        """The state of an address, and the lifetimes that it was given. ``index`` saves looking the interface's up."""
        if isinstance(address, ipaddress.IPv4Address):
            return AddressState(self.address_flags4(name, address))
        request = self._request6(name, address, index)
        self._ioctl(AF.INET6, "SIOCGIFALIFETIME_IN6", request, f"{name} {address}")
        lifetime = self._base.abi.struct("in6_ifreq").parse(request).ifr_ifru.ifru_lifetime
        return AddressState(self.address_flags6(name, address, index), lifetime.ia6t_vltime, lifetime.ia6t_pltime)

    def address_states(self, name: str, addresses: Sequence[IPAddress], index: int = 0) -> list[AddressState]:
        """The states of an interface's addresses, asked for side by side."""
        if not addresses:
            return []
        abi = self._base.abi
        four, six = abi.struct("ifreq"), abi.struct("in6_ifreq")
        questions: list[tuple[AF, str, bytearray, IPAddress]] = []
        for address in addresses:
            if isinstance(address, ipaddress.IPv4Address):
                if abi.has_ioctl("SIOCGIFAFLAG_IN"):
                    questions.append((AF.INET, "SIOCGIFAFLAG_IN", self._request4(name, address), address))
                continue
            index = index or self._index(name)
            for ioctl in ("SIOCGIFAFLAG_IN6", "SIOCGIFALIFETIME_IN6"):
                questions.append((AF.INET6, ioctl, self._request6(name, address, index), address))
        answers = self._base.session.map(
            Request("ioctl", (self._socket(family), abi.ioctl(ioctl), request), f"{name} {address}", ioctl)
            for family, ioctl, request, address in questions
        )
        states = {address: AddressState((IN_IFF if address.version == 4 else IN6_IFF)(0)) for address in addresses}
        for (_family, ioctl, request, address), answer in zip(questions, answers, strict=True):
            if isinstance(answer, KernelError):
                raise answer
            if ioctl == "SIOCGIFALIFETIME_IN6":
                lifetime = six.parse(request).ifr_ifru.ifru_lifetime
                states[address] = AddressState(states[address].flags, lifetime.ia6t_vltime, lifetime.ia6t_pltime)
            elif address.version == 4:
                states[address] = AddressState(IN_IFF(four.parse(request).ifr_ifru.ifru_addrflags))
            else:
                states[address] = AddressState(IN6_IFF(six.parse(request).ifr_ifru.ifru_flags6))
        return [states[address] for address in addresses]

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
