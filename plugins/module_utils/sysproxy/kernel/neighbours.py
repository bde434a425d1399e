# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The link-level addresses of neighbours: what arp(8) and ndp(8) ask of the kernel, IPv4's and IPv6's alike.

Up to release 7 neighbours are routes, cloned from that of their network, with RTF_LLINFO; from 7.99.28 on they are in
tables of their own, and RTF_LLDATA, the same bit, says that a message is about them. The messages are otherwise alike,
and made here so that both kinds of kernels take them.

Sources: arp(8), ndp(8), sys/net/rtsock.c, if_llatbl.c (lla_rt_output), sys/netinet/if_arp.c of release 7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..netbsd.constants import AF, CTL, NET_RT, RTAX, RTF, RTM
from .routes import parsed
from .routing_messages import (
    IPAddress,
    Message,
    Names,
    family_of,
    neighbours_are_apart,
    pack_address,
    pack_link,
    unpack_address,
    unpack_link,
)

if TYPE_CHECKING:
    from .network import Network

_TABLE_SIZE: Final = 1 << 12  # bytes that are made room for at first
_OTHER, _SIN_PROXY = 14, 1  # where struct sockaddr_inarp has sin_other, and its bit for a proxy


@dataclass(frozen=True)
class Neighbour:
    """An address on an interface's link, and the link-level address that it has there, empty while it is sought.

    ``expire`` is the time of day until which it is known, in seconds by the kernel's clock; 0 is for good. A proxy is
    an address for which the kernel answers with that link-level address; None: the kernel does not let know.
    """

    address: IPAddress
    interface: str
    link_address: bytes = b""
    expire: int = 0
    is_proxy: bool | None = False

    @property
    def is_permanent(self) -> bool:
        return not self.expire and bool(self.link_address)

    @property
    def family(self) -> AF:
        return AF.INET if self.address.version == 4 else AF.INET6


class Neighbours:
    """The kernel's ARP table and its neighbour cache."""

    def __init__(self, kernel: Network) -> None:
        self._kernel = kernel

    def all(self, family: AF, names: Names | None = None) -> list[Neighbour]:
        """The neighbours of one family. Interfaces' own addresses are among them, permanently.

        :raises KernelError: the kernel has no networking.
        """
        mib = (CTL.NET, AF.ROUTE, 0, family, NET_RT.FLAGS, RTF.LLDATA)
        data = self._kernel.sysctl.read(mib, "net.route.0.flags", _TABLE_SIZE)
        if not data:
            return []
        names = names or self._kernel.interfaces.names()
        messages = list(parsed(self._kernel, data))
        found = map(self._neighbour, messages, [names] * len(messages), self._proxies(messages))
        return [neighbour for neighbour in found if neighbour is not None]

    def add(self, neighbour: Neighbour, names: Names | None = None) -> None:
        """Make a neighbour known, or one that is not permanent known otherwise.

        Its interface has to have an address of the family, with a network that the neighbour is in: some kernels do
        not survive one without.

        :raises KernelError: EEXIST, there is a permanent one; ENXIO, there is no such interface.
        """
        flags = RTF.HOST | RTF.STATIC | RTF.LLDATA | (RTF.ANNOUNCE if neighbour.is_proxy else 0)
        metrics = {"expire": neighbour.expire}
        self._tell(RTM.ADD, neighbour, flags, metrics, names)

    def remove(self, neighbour: Neighbour, names: Names | None = None) -> None:
        """Forget a neighbour that :meth:`all` told of.

        :raises KernelError: ENOENT or ESRCH, there is none.
        """
        self._tell(RTM.DELETE, neighbour, RTF.HOST | RTF.STATIC | RTF.LLDATA, {}, names)

    def _tell(self, kind: RTM, neighbour: Neighbour, flags: int, metrics: dict[str, int], names: Names | None) -> None:
        abi, names = self._kernel.abi, names or self._kernel.interfaces.names()
        index = names.index(neighbour.interface) or self._kernel.if_nametoindex(neighbour.interface)
        destination = pack_address(abi, neighbour.address, index)
        if neighbour.is_proxy and neighbour.address.version == 4 and not neighbours_are_apart(abi):
            # There a proxy's route is one to another address, and found by the kernel as such only.
            destination = destination[:_OTHER] + abi.integer("uint16", _SIN_PROXY)
        addresses: dict[int, bytes] = {
            RTAX.DST: destination,
            RTAX.GATEWAY: pack_link(abi, index, neighbour.link_address),
        }
        message = Message(kind, flags=int(flags), metrics=metrics, addresses=addresses)
        self._kernel.routing_socket.tell(message, f"{neighbour.address} {neighbour.interface}")

    def _proxies(self, messages: list[Message]) -> Iterator[bool | None]:
        """Which of the messages are about proxies.

        From 7.99.28 to 8 the kernel adds each neighbour's flags to those of the one before, and to whatever was in
        its memory before the first. A flag that is not there never is wrong, and neither is one that was not there
        just before. IPv4's addresses say it themselves (SIN_PROXY).
        """
        abi, before = self._kernel.abi, True
        for message in messages:
            announced = bool(message.flags & RTF.ANNOUNCE)
            address = message.addresses.get(RTAX.DST, b"")
            if not (7, 99, 28) <= abi.release < (8,):
                yield announced
            elif family_of(address) == AF.INET:
                yield bool(abi.read_integer("uint16", address[_OTHER:].ljust(2, b"\0")) & _SIN_PROXY)
            else:
                yield None if announced and before else announced
            before = announced

    def _neighbour(self, message: Message, names: Names, is_proxy: bool | None) -> Neighbour | None:
        address = unpack_address(message.addresses.get(RTAX.DST, b""), names)
        link = unpack_link(self._kernel.abi, message.addresses.get(RTAX.GATEWAY, b""))
        if address is None or link is None or address.is_multicast:
            return None
        index, link_address = link
        return Neighbour(address, names.name(index), link_address, message.metrics["expire"], is_proxy)
