# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Raw sockets of IPv4 and IPv6, as far as an echo from an own address (sys/netinet/raw_ip.c, ip_icmp.c, icmp6.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ..errors import refuse
from ..network.addresses import AF_INET
from ..process import Process
from .buffers import Control, Record
from .internet import InternetSocket
from .ports import ANY, is_any
from .socket import SOCK_RAW

if TYPE_CHECKING:
    from ..kernel import SimulatedKernel

LIMIT = 8192
IPPROTO_ICMP, IPPROTO_IPV6, IPPROTO_ICMPV6 = 1, 41, 58
IPV6_RECVHOPLIMIT, IPV6_HOPLIMIT = 37, 47
ECHO, ECHO_REPLY = 8, 0
ECHO6, ECHO6_REPLY = 128, 129


class RawSocket(InternetSocket):
    """A raw socket."""

    atomic = True
    carries_addresses = True

    def __init__(self, kernel: SimulatedKernel, family: int, protocol: int, flags: int) -> None:
        super().__init__(kernel, family, SOCK_RAW, flags, (LIMIT, LIMIT))
        self.protocol = protocol

    def bind(self, address: bytes, process: object) -> None:
        wanted, _port = self.parse(address)
        self.paths.check_bindable(wanted)
        self.local_address = wanted

    def start_connecting(self, address: bytes, process: Process) -> None:
        self.remote_address, _port = self.parse(address)
        self.connected()

    def disconnect(self) -> None:
        self.is_connected = False
        self.remote_address = ANY[self.family]

    def transmit(
        self, data: bytes, address: bytes | None, control: list[Control], flags: int, process: Process | None
    ) -> None:
        if address is None:
            if not self.is_connected:
                raise refuse("ENOTCONN")
            destination = self.remote_address
        else:
            if self.is_connected:
                raise refuse("EISCONN")
            destination, _port = self.parse(address)
        if self.ip_options.header_included:
            if len(data) < 20 or len(data) != int.from_bytes(data[2:4], "big"):
                raise refuse("EINVAL")
            data = data[4 * (data[0] & 0xF) :]
        self.paths.check_route(destination)
        if self.paths.is_local(destination):
            self._echo(data, destination)

    def _echo(self, data: bytes, address: bytes) -> None:
        """An own address answers echo requests."""
        is_ipv4 = self.family == AF_INET
        request, reply = (ECHO, ECHO_REPLY) if is_ipv4 else (ECHO6, ECHO6_REPLY)
        expected = IPPROTO_ICMP if is_ipv4 else IPPROTO_ICMPV6
        if self.protocol not in (expected, 255) or len(data) < 8 or data[0] != request:
            return
        answer = bytes([reply, 0, 0, 0]) + data[4:]
        pseudo = b"" if is_ipv4 else address + address + struct.pack(">II", len(data), IPPROTO_ICMPV6)
        answer = answer[:2] + checksum(pseudo + answer) + answer[4:]
        if is_ipv4:
            answer = self._ip_header(address, len(answer)) + answer
        for socket in self.table:
            if isinstance(socket, RawSocket) and socket.family == self.family:
                socket.take_packet(answer, address, expected)

    def _ip_header(self, address: bytes, length: int) -> bytes:
        """The header of an answer from an address to itself; its length is the data's, as the machine writes it."""
        told = self.kernel.abi.integer("uint16", length)
        return b"\x45\0" + told + bytes(4) + struct.pack(">BBH", 255, IPPROTO_ICMP, 0) + address + address

    def _told(self) -> list[Control]:
        """What those who ask are told beside a packet: an answer's hop limit."""
        if self.family == AF_INET or not any(self.ip_options.get(IPPROTO_IPV6, IPV6_RECVHOPLIMIT)):
            return []
        return [Control(IPPROTO_IPV6, IPV6_HOPLIMIT, self.kernel.abi.integer("int", 64))]

    def take_packet(self, packet: bytes, source: bytes, protocol: int) -> None:
        wanted = self.protocol in (0, protocol)
        if not wanted or (not is_any(self.remote_address) and self.remote_address != source):
            return
        if not is_any(self.local_address) and self.local_address != source:
            return
        record = Record(bytearray(packet), self.name(source, 0), self._told())
        if self.received.fits(record):
            self.received.append_record(record)
            self.changed.ring()
        else:
            self.overflowed += 1


def checksum(data: bytes) -> bytes:
    """The Internet checksum (RFC 1071)."""
    padded = data + bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack(">H", ~total & 0xFFFF)
