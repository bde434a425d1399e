# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""UDP (sys/netinet/udp_usrreq.c, netinet6/udp6_output.c, udp6_usrreq.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import refuse
from ..network.addresses import AF_INET
from ..process import Process
from .buffers import Control, Record
from .internet import InternetSocket
from .ports import ANY, plain
from .socket import SO_BROADCAST, SOCK_DGRAM

if TYPE_CHECKING:
    from ..kernel import SimulatedKernel

SEND_LIMIT, RECEIVE_LIMIT = 9216, 41600
LARGEST_PACKET = 65535
HEADERS = {4: 28, 16: 8}
"""Bytes of IP and UDP headers that count against the largest packet, by the size of addresses."""


class UdpSocket(InternetSocket):
    """A datagram socket."""

    atomic = True
    carries_addresses = True

    def __init__(self, kernel: SimulatedKernel, family: int, flags: int) -> None:
        protocol = "net.inet.udp" if family == AF_INET else "net.inet6.udp6"
        limits = (
            kernel.sysctl.value(f"{protocol}.sendspace", SEND_LIMIT),
            kernel.sysctl.value(f"{protocol}.recvspace", RECEIVE_LIMIT),
        )
        super().__init__(kernel, family, SOCK_DGRAM, flags, limits)

    def start_connecting(self, address: bytes, process: Process) -> None:
        self.connect_ends(address)
        self.connected()

    def disconnect(self) -> None:
        self.is_connected = False
        self.remote_address, self.remote_port = ANY[self.family], 0
        self.local_address = ANY[self.family]

    def transmit(
        self, data: bytes, address: bytes | None, control: list[Control], flags: int, process: Process | None
    ) -> None:
        if control and (self.family == AF_INET or control[0].level < 0):
            raise refuse("EINVAL")
        if address is None:
            if not self.is_connected:
                raise refuse("ENOTCONN")
            source, destination, port = self.local_address, self.remote_address, self.remote_port
        else:
            if self.is_connected:
                raise refuse("EISCONN")
            if self.family != AF_INET and address[1] == self.family:
                address = address.ljust(28, b"\0")[:28]
            elif self.family != AF_INET:
                raise refuse("EAFNOSUPPORT")
            source, destination, port = self.aim(address)
            self.bind_to_any()
        self._output(data, source, destination, port)

    def _output(self, data: bytes, source: bytes, destination: bytes, port: int) -> None:
        source, destination = plain(source), plain(destination)
        if len(data) + HEADERS[len(destination)] > LARGEST_PACKET:
            raise refuse("EMSGSIZE")
        if self.paths.is_local(destination):
            self._deliver(data, source, destination, port)
            return
        if len(destination) == 4 and self.paths.is_broadcast(destination):
            if not self.options & SO_BROADCAST:
                raise refuse("EACCES")
            return
        self.paths.check_route(destination)

    def _deliver(self, data: bytes, source: bytes, destination: bytes, port: int) -> None:
        """Give it to the socket there; that nobody is there is told to a connected sender only."""
        here, there = (source, self.local_port), (destination, port)
        receiver = self.table.connection(there, here) or self.table.bound(there)
        if receiver is None:
            if self.is_connected:
                self.fail("ECONNREFUSED")
            return
        record = Record(bytearray(data), receiver.name(source, self.local_port))
        if receiver.received.fits(record):
            receiver.received.append_record(record)
            receiver.changed.ring()
        else:
            receiver.overflowed += 1
