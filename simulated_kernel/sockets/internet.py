# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets of IPv4 and IPv6: their addresses and their options.

Sources: sys/netinet/in_pcb.c, ip_output.c (ip_ctloutput), netinet6/in6_pcb.c, ip6_output.c (ip6_ctloutput).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import SyscallError, refuse
from ..network.addresses import AF_INET, AF_INET6, embed_scope, needs_scope, sockaddr_in, sockaddr_in6
from ..network.interfaces import IFF_BROADCAST
from .internet_options import InternetOptions
from .ports import ANY, MAPPED, Paths, PortTable, is_any, is_mapped, is_multicast, plain
from .socket import SOCK_STREAM, Socket

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from ..kernel import SimulatedKernel


class InternetSocket(Socket):
    """A socket with addresses and ports. Addresses are 4 or 16 bytes, link-local ones with their scope inside."""

    def __init__(self, kernel: SimulatedKernel, family: int, kind: int, flags: int, limits: tuple[int, int]) -> None:
        super().__init__(kernel, family, kind, flags, *limits)
        self.local_address = self.remote_address = ANY[family]
        self.local_port = self.remote_port = 0
        self.ip_options = InternetOptions(kernel, family, kind)
        self.table: PortTable = kernel.ports(kind)
        self.paths: Paths = kernel.paths
        self.holds_port = True
        """Whether nobody else may have its port: an accepted connection does not keep the listener's."""
        self.is_attached = True
        """Whether there is a control block behind it: TCP takes it away when a connection ends."""
        self.table.attach(self)

    @property
    def takes_mapped(self) -> bool:
        """Whether an IPv6 socket talks IPv4 too."""
        return self.family == AF_INET6 and not self.ip_options.only_v6

    # Addresses

    def parse(self, raw: bytes) -> tuple[bytes, int]:
        """(address, port) of a sockaddr of the socket's family; EINVAL for another size."""
        if len(raw) != (16 if self.family == AF_INET else 28):
            raise refuse("EINVAL")
        if raw[1] != self.family:
            raise refuse("EAFNOSUPPORT")
        port = int.from_bytes(raw[2:4], "big")
        if self.family == AF_INET:
            return raw[4:8], port
        return self._with_scope(raw[8:24], self.kernel.abi.read_integer("uint32", raw[24:28])), port

    def _with_scope(self, address: bytes, scope: int) -> bytes:
        """Put the scope into a link-local address (sa6_embedscope)."""
        if not scope or not needs_scope(address):
            return address
        if not any(interface.index == scope for interface in self.kernel.network.interfaces):
            raise refuse("ENXIO")
        return embed_scope(address, scope)

    def name(self, address: bytes, port: int) -> bytes:
        """A sockaddr of the socket's family."""
        encoded = port.to_bytes(2, "big")
        if self.family == AF_INET:
            raw = bytearray(sockaddr_in(address))
        else:
            scope = 0
            if len(address) == 4:
                address = MAPPED + address
            if needs_scope(address):
                scope, address = int.from_bytes(address[2:4], "big"), address[:2] + bytes(2) + address[4:]
            raw = bytearray(sockaddr_in6(self.kernel.abi, address, scope))
        raw[2:4] = encoded
        return bytes(raw)

    def _check_attached(self) -> None:
        if not self.is_attached:
            raise refuse("EINVAL")

    def own_name(self) -> bytes:
        self._check_attached()
        return self.name(self.local_address, self.local_port)

    def peer_name(self) -> bytes:
        self._check_attached()
        return self.name(self.remote_address, self.remote_port)

    # Binding and connecting

    def bind(self, address: bytes, process: object) -> None:
        self._check_attached()
        if address[1] != self.family:
            raise refuse("EAFNOSUPPORT")
        if self.local_port or not is_any(self.local_address):
            raise refuse("EINVAL")
        wanted, port = self.parse(address)
        if is_mapped(wanted) and not self.takes_mapped:
            raise refuse("EINVAL")
        self.paths.check_bindable(plain(wanted))
        self.bind_to(wanted, port)

    def bind_to(self, address: bytes, port: int) -> None:
        """Take an address and a port, or any port."""
        before, self.local_address = self.local_address, address
        try:
            if port:
                self.table.check_free(self, address, port)
            else:
                port = self.table.free_port(self, self.ip_options.low_port)
        except SyscallError:
            self.local_address = before
            raise
        self.local_port = port

    def bind_to_any(self) -> None:
        """Give a socket that is about to be used a port, if it has none."""
        if not self.local_port:
            self.bind_to(self.local_address, 0)

    def aim(self, raw: bytes) -> tuple[bytes, bytes, int]:
        """(own address, destination, port) for a connection or a datagram (in_pcbconnect, in6_pcbconnect)."""
        destination, port = self.parse(raw)
        if not port or (is_multicast(plain(destination)) and self.kind == SOCK_STREAM):
            raise refuse("EADDRNOTAVAIL")
        mapped = is_mapped(destination)
        if mapped and not self.takes_mapped:
            raise refuse("EINVAL")
        if not is_any(self.local_address) and is_mapped(self.local_address) != mapped:
            raise refuse("EINVAL")
        if self.family == AF_INET and is_any(destination):
            destination = self._first_address() or destination
        elif destination == b"\xff" * 4:
            destination = self._first_broadcast() or destination
        if not is_any(self.local_address):
            return self.local_address, destination, port
        source = self.paths.source_for(plain(destination))
        return (MAPPED + source if mapped else source), destination, port

    def _first_address(self) -> bytes | None:
        """What connecting to nowhere connects to."""
        for interface in self.kernel.network.interfaces:
            for address in interface.addresses:
                if address.family == AF_INET:
                    return address.address
        return None

    def _first_broadcast(self) -> bytes | None:
        """What connecting to everywhere connects to."""
        for interface in self.kernel.network.interfaces:
            for address in interface.addresses:
                if address.family == AF_INET and interface.flags & IFF_BROADCAST:
                    return address.broadcast
        return None

    def connect_ends(self, raw: bytes) -> None:
        """Fix both ends; EADDRINUSE if they are taken."""
        source, destination, port = self.aim(raw)
        self.bind_to_any()
        if self.table.connection((plain(source), self.local_port), (plain(destination), port)) is not None:
            raise refuse("EADDRINUSE")
        self.local_address = source
        self.remote_address, self.remote_port = destination, port

    def detach(self) -> None:
        self.is_attached = False
        self.table.detach(self)

    # Options

    def get_option(self, level: int, name: int) -> bytes:
        return self.ip_options.get(level, name)

    def set_option(self, level: int, name: int, value: bytes) -> None:
        self.ip_options.set(level, name, value, bound=self.local_port != 0)

    def protocol_ioctl(self, request: IoctlRequest) -> None:
        raise refuse("ENOTTY")
