# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which socket has which address and port, and where packets between them go.

Sources: sys/netinet/in_pcb.c, in.c (in_selectsrc), netinet6/in6_pcb.c, in6_src.c, netinet/portalgo.c.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..errors import refuse
from ..network.addresses import (
    AF_INET,
    AF_INET6,
    IN6_IFF_ANYCAST,
    IN6_IFF_DETACHED,
    IN6_IFF_DUPLICATED,
    IN6_IFF_TENTATIVE,
    IN_IFF_DETACHED,
    IN_IFF_DUPLICATED,
    IN_IFF_TENTATIVE,
    InterfaceAddress,
    masked,
)
from ..network.interfaces import IFF_BROADCAST
from ..network.routes import RTF_BLACKHOLE, RTF_HOST, RTF_REJECT

if TYPE_CHECKING:
    from ..kernel import SimulatedKernel
    from .internet import InternetSocket

SO_REUSE: Final = 0x4 | 0x200
SO_REUSEADDR, SO_REUSEPORT = 0x4, 0x200
FIRST_ANONYMOUS_PORT, LAST_ANONYMOUS_PORT = 49152, 65535
LOW_PORT_MINIMUM, LOW_PORT_MAXIMUM = 600, 1023
MAPPED: Final = bytes(10) + b"\xff\xff"
"""What an IPv4 address in IPv6's clothes begins with."""
ANY = {AF_INET: bytes(4), AF_INET6: bytes(16)}


def is_any(address: bytes) -> bool:
    return address in (bytes(4), bytes(16), MAPPED + bytes(4))


def is_mapped(address: bytes) -> bool:
    return len(address) == 16 and address.startswith(MAPPED)


def is_multicast(address: bytes) -> bool:
    return 224 <= address[0] < 240 if len(address) == 4 else address[0] == 0xFF


def plain(address: bytes) -> bytes:
    """An address without IPv6's clothes."""
    return address[12:] if is_mapped(address) else address


class PortTable:
    """The sockets of one protocol, TCP or UDP, over IPv4 and IPv6; the newest first."""

    def __init__(self, kernel: SimulatedKernel) -> None:
        self._kernel = kernel
        self._sockets: list[InternetSocket] = []
        self._last_port = 0
        self._last_low_port = 0

    def attach(self, socket: InternetSocket) -> None:
        self._sockets.insert(0, socket)

    def detach(self, socket: InternetSocket) -> None:
        if socket in self._sockets:
            self._sockets.remove(socket)

    def __iter__(self) -> Iterator[InternetSocket]:
        return iter(list(self._sockets))

    # Binding

    def on_port(self, family: int, address: bytes, port: int, wild: bool) -> InternetSocket | None:
        """The socket that has a port already (in_pcblookup_port): the one with the fewest wildcards."""
        best, fewest = None, 3
        for socket in self._sockets:
            if socket.family != family or socket.local_port != port or not socket.holds_port:
                continue
            wildcards = 0
            if not is_any(socket.remote_address):
                wildcards += 1
            if not is_any(socket.local_address):
                if is_any(address):
                    wildcards += 1
                elif socket.local_address != address:
                    continue
            elif not is_any(address):
                wildcards += 1
            if wildcards and not wild:
                continue
            if wildcards < fewest:
                best, fewest = socket, wildcards
                if not wildcards:
                    break
        return best

    def check_free(self, socket: InternetSocket, address: bytes, port: int) -> None:
        """EADDRINUSE for a port that a socket with other wishes has."""
        reuse = socket.options & SO_REUSEPORT
        if is_multicast(plain(address)) and socket.options & SO_REUSE:
            reuse = SO_REUSE
        wild = not socket.options & SO_REUSE
        for family, sought in self._aliases(socket.family, address):
            if socket.family == AF_INET6 and socket.connection_required and socket.is_listening and family == AF_INET6:
                wild = False
            other = self.on_port(family, sought, port, wild)
            if other is not None and not reuse & other.options:
                raise refuse("EADDRINUSE")

    @staticmethod
    def _aliases(family: int, address: bytes) -> list[tuple[int, bytes]]:
        """(family, address) under which a socket of the other family would have the same port."""
        if family == AF_INET:
            return [(AF_INET6, MAPPED + address), (AF_INET, address)]
        if is_mapped(address):
            return [(AF_INET, plain(address)), (AF_INET6, address)]
        return [(AF_INET6, address)]

    def free_port(self, socket: InternetSocket, low: bool = False) -> int:
        """A port for a socket that does not care which: the next lower one; EAGAIN if there is none."""
        first, last = (LOW_PORT_MINIMUM, LOW_PORT_MAXIMUM) if low else (FIRST_ANONYMOUS_PORT, LAST_ANONYMOUS_PORT)
        port = self._last_low_port if low else self._last_port
        for _attempt in range(last - first + 1):
            port = port - 1 if first < port <= last else last
            if self.on_port(socket.family, socket.local_address, port, wild=True) is None:
                if low:
                    self._last_low_port = port
                else:
                    self._last_port = port
                return port
        raise refuse("EAGAIN")

    # Finding the receiver

    def connection(self, local: tuple[bytes, int], remote: tuple[bytes, int]) -> InternetSocket | None:
        """The socket that is connected with exactly these ends. Addresses are without IPv6's clothes."""
        for socket in self._sockets:
            if (plain(socket.local_address), socket.local_port) != local:
                continue
            if (plain(socket.remote_address), socket.remote_port) == remote and not is_any(socket.remote_address):
                return socket
        return None

    def bound(self, local: tuple[bytes, int]) -> InternetSocket | None:
        """The socket that is bound to an address, or to any."""
        address, port = local
        family = AF_INET if len(address) == 4 else AF_INET6
        candidates = [socket for socket in self._sockets if socket.local_port == port and is_any(socket.remote_address)]
        own = [socket for socket in candidates if socket.family == family]
        others = [socket for socket in candidates if socket.family == AF_INET6 and socket.takes_mapped]
        for group in (own, others if family == AF_INET else []):
            for exact in (True, False):
                for socket in group:
                    matches = plain(socket.local_address) == address if exact else is_any(socket.local_address)
                    if matches and (exact or not is_mapped(socket.local_address) or family == AF_INET):
                        return socket
        return None


class Paths:
    """What is an own address, and which of them a packet to somewhere starts from."""

    def __init__(self, kernel: SimulatedKernel) -> None:
        self._kernel = kernel

    def _addresses(self, family: int) -> Iterator[InterfaceAddress]:
        for interface in self._kernel.network.interfaces:
            for address in interface.addresses:
                if address.family == family:
                    yield address

    def own(self, address: bytes) -> InterfaceAddress | None:
        """The interface address with these bits."""
        family = AF_INET if len(address) == 4 else AF_INET6
        return next((own for own in self._addresses(family) if own.address == address), None)

    def is_broadcast(self, address: bytes) -> bool:
        return any(
            own.broadcast == address
            for interface in self._kernel.network.interfaces
            if interface.flags & IFF_BROADCAST
            for own in interface.addresses
            if own.family == AF_INET
        )

    def check_bindable(self, address: bytes) -> None:
        """EADDRNOTAVAIL for an address that is nobody's here, or not ready."""
        if is_any(address) or is_multicast(address):
            return
        own, uptime = self.own(address), self._kernel.clock.uptime()
        if own is None:
            if len(address) == 4 and self.is_broadcast(address):
                return
            raise refuse("EADDRNOTAVAIL")
        unready = IN_IFF_TENTATIVE | IN_IFF_DUPLICATED | IN_IFF_DETACHED
        if len(address) == 16:
            unready = IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED | IN6_IFF_DETACHED | IN6_IFF_ANYCAST
        if own.state_at(uptime) & unready:
            raise refuse("EADDRNOTAVAIL")

    def source_for(self, destination: bytes) -> bytes:
        """The own address for packets to a destination; EADDRNOTAVAIL, EHOSTUNREACH, ENETUNREACH."""
        return self._source4(destination) if len(destination) == 4 else self._source6(destination)

    def _source4(self, destination: bytes) -> bytes:
        route = self._kernel.network.routes.match(AF_INET, destination)
        if route is not None and not route.interface.is_loopback and route.address is not None:
            return route.address.address
        own = self.own(destination) or self._on_network(destination)
        if own is None:
            outside = (
                own
                for interface in self._kernel.network.interfaces
                if not interface.is_loopback
                for own in interface.addresses
                if own.family == AF_INET
            )
            own = next(outside, None)
        if own is None:
            raise refuse("EADDRNOTAVAIL")
        return own.address

    def _on_network(self, destination: bytes) -> InterfaceAddress | None:
        """The own address of the narrowest network in which a destination is."""
        fitting = [
            own for own in self._addresses(AF_INET) if masked(own.address, own.mask) == masked(destination, own.mask)
        ]
        return max(fitting, key=lambda own: own.mask, default=None)

    def _source6(self, destination: bytes) -> bytes:
        route = self._kernel.network.routes.match(AF_INET6, destination)
        if route is None:
            raise refuse("EHOSTUNREACH")
        if route.flags & (RTF_REJECT | RTF_BLACKHOLE):
            raise refuse("EHOSTUNREACH" if route.flags & RTF_HOST else "ENETUNREACH")
        if route.address is not None and route.address.address == destination:
            return destination
        uptime = self._kernel.clock.uptime()
        unusable = IN6_IFF_TENTATIVE | IN6_IFF_DUPLICATED | IN6_IFF_DETACHED | IN6_IFF_ANYCAST
        usable = [
            own
            for interface in self._kernel.network.interfaces
            for own in interface.addresses
            if own.family == AF_INET6 and not own.state_at(uptime) & unusable
        ]
        if not usable:
            raise refuse("EADDRNOTAVAIL")
        return max(usable, key=lambda own: _common_bits(own.address, destination)).address

    def check_route(self, destination: bytes) -> None:
        """What sending says of a way that is none."""
        family = AF_INET if len(destination) == 4 else AF_INET6
        route = self._kernel.network.routes.match(family, destination)
        if route is None:
            raise refuse("EHOSTUNREACH")
        if route.flags & RTF_REJECT:
            raise refuse("EHOSTUNREACH" if route.flags & RTF_HOST or family == AF_INET else "ENETUNREACH")

    def is_local(self, destination: bytes) -> bool:
        """Whether a packet to there comes back into this kernel, and is taken."""
        own = self.own(destination)
        if own is None:
            return False
        family = AF_INET if len(destination) == 4 else AF_INET6
        route = self._kernel.network.routes.match(family, destination)
        return route is not None and route.interface.is_loopback


def _common_bits(one: bytes, other: bytes) -> int:
    return 8 * len(one) - (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_length()
