# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sockets there are (socreate of sys/kern/uipc_socket.c, and the domains' tables of protocols)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import refuse
from ..network.addresses import AF_INET, AF_INET6, AF_LINK, AF_LOCAL, AF_ROUTE
from ..process import Process
from .buffers import Control
from .local import LocalSocket
from .raw import RawSocket
from .routing import RoutingSocket
from .socket import SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM, Socket
from .tcp import TcpSocket
from .udp import UdpSocket

if TYPE_CHECKING:
    from ..kernel import SimulatedKernel

IPPROTO_TCP, IPPROTO_UDP = 6, 17
# The address families: component, and the socket types with the protocols that they take; None for all.
FAMILIES: Final[dict[int, tuple[str, dict[int, frozenset[int] | None]]]] = {
    AF_LOCAL: (
        "rumpnet_local",
        {SOCK_STREAM: frozenset({0}), SOCK_DGRAM: frozenset({0}), SOCK_SEQPACKET: frozenset({0})},
    ),
    AF_INET: (
        "rumpnet_netinet",
        {SOCK_STREAM: frozenset({0, IPPROTO_TCP}), SOCK_DGRAM: frozenset({0, IPPROTO_UDP}), SOCK_RAW: None},
    ),
    AF_INET6: (
        "rumpnet_netinet6",
        {SOCK_STREAM: frozenset({0, IPPROTO_TCP}), SOCK_DGRAM: frozenset({0, IPPROTO_UDP}), SOCK_RAW: None},
    ),
    AF_LINK: ("rumpnet_net", {SOCK_DGRAM: frozenset({0})}),
    AF_ROUTE: ("rumpnet_net", {SOCK_RAW: None}),
}


class LinkSocket(Socket):
    """A socket for ioctls on interfaces, which carries nothing."""

    atomic = True
    carries_addresses = True

    def __init__(self, kernel: SimulatedKernel, flags: int) -> None:
        super().__init__(kernel, AF_LINK, SOCK_DGRAM, flags, 0, 0)
        self.received.low_mark = 0

    def transmit(
        self, data: bytes, address: bytes | None, control: list[Control], flags: int, process: Process | None
    ) -> None:
        raise refuse("EOPNOTSUPP")


def make_socket(kernel: SimulatedKernel, family: int, kind: int, protocol: int, flags: int) -> Socket:
    """A new socket; refused as socreate refuses."""
    known = FAMILIES.get(family)
    if known is None or not kernel.has(known[0]):
        raise refuse("EAFNOSUPPORT")
    types = known[1]
    if kind not in types:
        raise refuse("EPROTOTYPE" if kind and not protocol else "EPROTONOSUPPORT")
    protocols = types[kind]
    if protocols is not None and protocol not in protocols:
        raise refuse("EPROTONOSUPPORT")
    if family == AF_ROUTE:
        return RoutingSocket(kernel, protocol, flags)
    if family == AF_LOCAL:
        return LocalSocket(kernel, kind, flags)
    if family == AF_LINK:
        return LinkSocket(kernel, flags)
    if kind == SOCK_RAW:
        return RawSocket(kernel, family, protocol, flags)
    return (TcpSocket if kind == SOCK_STREAM else UdpSocket)(kernel, family, flags)
