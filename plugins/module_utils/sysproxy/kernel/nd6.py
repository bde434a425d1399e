# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 options of interfaces, and what routers advertised: what ndp(8) -i, -r, -p, -R and -P ask of the kernel.

Up to release 9 the kernel hears router advertisements by itself. Release 10 left them to dhcpcd(8): it has neither
the lists of routers and prefixes nor the options about them.

Sources: ndp(8), sys/netinet6/nd6.h and nd6.c of 7.99.34 and of release 10.
"""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..netbsd import Layout
from ..netbsd.constants import AF, CTL, ND6_IFF, SOCK
from .base import LARGEST_DESCRIPTOR
from .routing_messages import IPNetwork, Names

if TYPE_CHECKING:
    from .network import Network

INFINITE: Final = 0xFFFFFFFF
"""A lifetime without end."""
_IPPROTO_ICMPV6: Final = 58
_ROUTERS: Final = (CTL.NET, AF.INET6, _IPPROTO_ICMPV6, 19)  # ICMPV6CTL_ND6_DRLIST
_PREFIXES: Final = (CTL.NET, AF.INET6, _IPPROTO_ICMPV6, 20)  # ICMPV6CTL_ND6_PRLIST
_LIST_SIZE: Final = 1 << 12  # bytes that are made room for at first
_MANAGED, _OTHER, _PREFERENCE = 0x80, 0x40, 0x18
_PREFERENCES: Final = {0x08: "high", 0x18: "low"}
_ON_LINK, _DETACHED = 0x1, 0x2
_SOCKADDR_SIZE: Final = 28


@dataclass(frozen=True)
class InterfaceOptions:
    """The IPv6 options of an interface. Times are in milliseconds; ``reachable``, in seconds, and ``link_mtu`` are
    None where the release does not tell them."""

    flags: ND6_IFF
    base_reachable: int
    retransmit: int
    hop_limit: int
    reachable: int | None = None
    link_mtu: int | None = None


@dataclass(frozen=True)
class Router:
    """A router that advertised itself. ``expire`` is the time of day in seconds, 0 for never."""

    address: ipaddress.IPv6Address
    interface: str
    is_managed: bool
    is_other: bool
    preference: str
    lifetime: int
    expire: int


@dataclass(frozen=True)
class Prefix:
    """A prefix that is known for an interface's link, and the routers that advertise it; none for one that an
    address brought. Lifetimes are in seconds, None without end."""

    prefix: IPNetwork
    interface: str
    is_on_link: bool
    is_detached: bool
    valid: int | None
    preferred: int | None
    expire: int
    references: int
    routers: tuple[ipaddress.IPv6Address, ...]


class NeighbourDiscovery:
    """The kernel's IPv6 neighbour discovery, apart from the neighbours themselves."""

    def __init__(self, kernel: Network) -> None:
        self._kernel = kernel

    @property
    def hears_routers(self) -> bool:
        """Whether kernels of the release hear router advertisements."""
        return self._kernel.abi.has_ioctl("SIOCSRTRFLUSH_IN6")

    def options(self, interface: str) -> InterfaceOptions:
        """The options of an interface.

        :raises KernelError: ENXIO, there is none of that name; EAFNOSUPPORT, the kernel has no IPv6.
        """
        return self._parse(self._ioctl("SIOCGIFINFO_IN6", self._layout.build(ifname=os.fsencode(interface)), interface))

    def set_options(self, interface: str, options: InterfaceOptions) -> None:
        """Give an interface these flags, times and this hop limit; a time or a limit of 0 stays as it is."""
        # What the kernel does not set from here is left 0, which it takes as not said.
        ndi: dict[str, Any] = {
            "flags": int(options.flags),
            "basereachable": options.base_reachable,
            "retrans": options.retransmit,
            "chlim": options.hop_limit,
        }
        self._ioctl("SIOCSIFINFO_IN6", self._layout.build(ifname=os.fsencode(interface), ndi=ndi), interface)

    def routers(self, names: Names | None = None) -> list[Router]:
        """The routers that advertised themselves as default ones.

        :raises KernelError: the kernel has no such list.
        """
        layout = self._kernel.abi.struct("in6_defrouter")
        data = self._kernel.sysctl.read(_ROUTERS, "net.inet6.icmp6.nd6_drlist", _LIST_SIZE)
        if not data:
            return []
        names = names or self._kernel.interfaces.names()
        found = (layout.parse(data, at) for at in range(0, len(data) - layout.size + 1, layout.size))
        return [
            Router(
                address=_scoped(router.rtaddr, names.name(router.if_index)),
                interface=names.name(router.if_index),
                is_managed=bool(router.flags & _MANAGED),
                is_other=bool(router.flags & _OTHER),
                preference=_PREFERENCES.get(router.flags & _PREFERENCE, "medium"),
                lifetime=router.rtlifetime,
                expire=router.expire,
            )
            for router in found
        ]

    def prefixes(self, names: Names | None = None) -> list[Prefix]:
        """The prefixes that are known, those that addresses brought among them.

        :raises KernelError: the kernel has no such list.
        """
        abi = self._kernel.abi
        layout, sockaddr = abi.struct("in6_prefix"), abi.struct("sockaddr_in6")
        data = self._kernel.sysctl.read(_PREFIXES, "net.inet6.icmp6.nd6_prlist", _LIST_SIZE)
        if not data:
            return []
        names = names or self._kernel.interfaces.names()
        found: list[Prefix] = []
        position = 0
        while position + layout.size <= len(data):
            head = layout.parse(data, position)
            position += layout.size
            end = position + head.advrtrs * _SOCKADDR_SIZE
            if head.prefixlen > 128 or end > len(data):
                raise self._kernel.broken("the kernel's list of IPv6 prefixes is cut off")
            name = names.name(head.if_index)
            routers = (sockaddr.parse(data, at) for at in range(position, end, _SOCKADDR_SIZE))
            position = end
            found.append(
                Prefix(
                    prefix=ipaddress.IPv6Network((head.prefix.sin6_addr, head.prefixlen), strict=False),
                    interface=name,
                    is_on_link=bool(head.flags & _ON_LINK),
                    is_detached=bool(head.flags & _DETACHED),
                    valid=None if head.vltime == INFINITE else head.vltime,
                    preferred=None if head.pltime == INFINITE else head.pltime,
                    expire=head.expire,
                    references=head.refcnt,
                    routers=tuple(_scoped(router, name) for router in routers),
                )
            )
        return found

    def flush_routers(self) -> None:
        """Forget all default routers that advertised themselves, and the routes by them."""
        self._flush("SIOCSRTRFLUSH_IN6")

    def flush_prefixes(self) -> None:
        """Forget all prefixes but link-local ones, and the addresses that the kernel made from them."""
        self._flush("SIOCSPFXFLUSH_IN6")
        # The kernel has also taken the routes to the networks of its other addresses away. It brings back what is
        # missing whenever an address is given, even one that is there: the loopback's stays as it is.
        loopback = self._kernel.interfaces.get("lo0")
        for address in loopback.addresses if loopback else ():
            if address.interface.is_link_local:
                self._kernel.interfaces.add_address("lo0", address.interface)

    @property
    def _layout(self) -> Layout:
        return self._kernel.abi.struct("in6_ndireq")

    def _parse(self, request: bytearray) -> InterfaceOptions:
        found = self._layout.parse(request).ndi
        return InterfaceOptions(
            flags=ND6_IFF(found.flags),
            base_reachable=found.basereachable,
            retransmit=found.retrans,
            hop_limit=found.chlim,
            reachable=found.get("reachable"),
            link_mtu=found.get("linkmtu"),
        )

    def _flush(self, name: str) -> None:
        # The interface says nothing here, but there has to be one (ndp.c).
        self._ioctl(name, self._kernel.abi.struct("in6_ifreq").build(ifr_name=b"lo0"), "")

    def _ioctl(self, name: str, argument: bytes, subject: str) -> bytearray:
        code, request = self._kernel.abi.ioctl(name), bytearray(argument)
        fd = self._kernel.number_call(
            LARGEST_DESCRIPTOR, "__socket30", AF.INET6, SOCK.DGRAM, 0, subject=f"AF_{AF.INET6.name}"
        )
        try:
            self._kernel.call("ioctl", fd, code, request, label=name, subject=subject)
        finally:
            if not self._kernel.session.closed:
                self._kernel.call("close", fd)
        return request


def _scoped(sockaddr: Any, interface: str) -> ipaddress.IPv6Address:
    address = ipaddress.IPv6Address(bytes(sockaddr.sin6_addr))
    if not address.is_link_local:
        return address
    # Most releases take the scope out of the address here, and some leave it in.
    packed = address.packed[:2] + bytes(2) + address.packed[4:]
    plain = ipaddress.IPv6Address(packed)
    return ipaddress.IPv6Address(f"{plain}%{interface}") if interface else plain
