# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing down what a kernel says of its interfaces, without what chance made."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Final

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.rawclient import RawClient

IFREQ_NAME: Final = 16


def ifreq(client: RawClient, name: str, kind: str = "int", value: int = 0) -> bytearray:
    raw = name.encode().ljust(IFREQ_NAME, b"\0") + client.abi.integer(kind, value)
    return bytearray(raw.ljust(client.abi.struct("ifreq").size, b"\0"))


def sin(address: str | None) -> bytes:
    if address is None:
        return bytes(16)
    return bytes([16, 2, 0, 0]) + ipaddress.IPv4Address(address).packed + bytes(8)


def sin6(client: RawClient, address: str | None, scope: int = 0) -> bytes:
    if address is None:
        return bytes(28)
    return bytes([28, 24]) + bytes(6) + ipaddress.IPv6Address(address).packed + client.abi.integer("uint32", scope)


def alias(name: str, address: str | None, mask: str | None = None, other: str | None = None) -> bytearray:
    return bytearray(name.encode().ljust(16, b"\0") + sin(address) + sin(other) + sin(mask))


def alias6(client: RawClient, name: str, address: str, length: int | None = 64, flags: int = 0,
           lifetimes: tuple[int, int] = (0xFFFFFFFF, 0xFFFFFFFF), other: str | None = None) -> bytearray:  # fmt: skip
    mask = None if length is None else str(ipaddress.IPv6Address((1 << 128) - (1 << 128 - length)))
    lifetime = client.abi.struct("in6_addrlifetime").build(ia6t_vltime=lifetimes[0], ia6t_pltime=lifetimes[1])
    raw = name.encode().ljust(16, b"\0") + sin6(client, address) + sin6(client, other) + sin6(client, mask)
    raw += client.abi.integer("int", flags)
    size = client.abi.struct("in6_aliasreq").size
    return bytearray(raw.ljust(size - len(lifetime), b"\0") + lifetime)


def in6_ifreq(client: RawClient, name: str, address: str, scope: int = 0) -> bytearray:
    raw = name.encode().ljust(16, b"\0") + sin6(client, address, scope)
    return bytearray(raw.ljust(client.abi.struct("in6_ifreq").size, b"\0"))


def linkstr(client: RawClient, name: str, command: int, length: int, pointer: int) -> bytearray:
    layout = client.abi.struct("ifdrv")
    return bytearray(layout.build(ifd_name=name.encode(), ifd_cmd=command, ifd_len=length, ifd_data=pointer))


@dataclass
class InterfaceScribe:
    """Asks and changes interfaces over one socket of each family."""

    scribe: Scribe
    inet: int
    inet6: int
    random: dict[bytes, bytes] = field(default_factory=dict)
    """Hardware addresses that the kernel made up, and the same bytes without chance."""

    def ask(self, request: str | int, data: bytearray | None, six: bool = False, shown: int | None = None) -> None:
        outcome = self.scribe.client.ioctl(self.inet6 if six else self.inet, request, data)
        name = bytes(data[:16]).rstrip(b"\0") if data else b""
        label = f"{request if isinstance(request, str) else hex(request)} {name!r}"
        answer = bytes(data[16:shown]) if data is not None and shown else b""
        self.scribe.write(label, (outcome.error, self.plain(answer)))

    def flags(self, name: str) -> None:
        self.ask("SIOCGIFFLAGS", ifreq(self.scribe.client, name), shown=18)

    def set_flags(self, name: str, flags: int) -> None:
        self.ask("SIOCSIFFLAGS", ifreq(self.scribe.client, name, "uint16", flags))
        self.flags(name)

    def plain(self, raw: bytes) -> bytes:
        for known, shown in self.random.items():
            raw = raw.replace(known, shown)
        return raw

    def all(self) -> None:
        """The interface list, with what chance made taken out of it."""
        client = self.scribe.client
        outcome, raw, told = client.sysctl([4, 34, 0, 0, 5, 0], 16384)
        self.scribe.write("interface list", (outcome.error, told))
        for message in messages(client, raw):
            self._learn(message)
            shown = tuple(self.plain(part) if isinstance(part, bytes) else part for part in message)
            self.scribe.write("message", shown)

    def _learn(self, message: tuple[Any, ...]) -> None:
        """Remember the hardware address in a link-layer sockaddr, and the addresses made of it."""
        for part in message:
            if isinstance(part, bytes) and len(part) > 8 and part[1] == 18 and part[6] == 6:
                hardware = part[8 + part[5] : 14 + part[5]]
                self.random.setdefault(hardware, b"HWADDR")
                made = bytes([hardware[0] ^ 2]) + hardware[1:3] + b"\xff\xfe" + hardware[3:]
                self.random.setdefault(made, b"HWIDENTI")


def messages(client: RawClient, raw: bytes) -> list[tuple[Any, ...]]:
    """Each message of an interface list: type, numbers, sockaddrs; without times and padding."""
    offset, found = 0, []
    while offset < len(raw):
        length = client.abi.read_integer("uint16", raw[offset:])
        body = raw[offset : offset + length]
        if body[3] == 0x14:
            layout = client.abi.struct("if_msghdr")
            head = layout.parse(body)
            numbers = (
                head.ifm_addrs, head.ifm_flags, head.ifm_index, head.ifm_data.ifi_type, head.ifm_data.ifi_addrlen,
                head.ifm_data.ifi_hdrlen, head.ifm_data.ifi_link_state, head.ifm_data.ifi_mtu,
                head.ifm_data.ifi_metric, head.ifm_data.ifi_baudrate,
            )  # fmt: skip
            bits = head.ifm_addrs
        else:
            layout = client.abi.struct("ifa_msghdr")
            head = layout.parse(body)
            numbers = (head.ifam_addrs, head.ifam_flags, head.ifam_metric, head.ifam_index)
            bits = head.ifam_addrs
        found.append((body[3], length, numbers, *sockaddrs(body[-(-layout.size // 8) * 8 :], bits)))
        offset += length
    return found


def sockaddrs(raw: bytes, bits: int) -> list[bytes]:
    found, offset = [], 0
    for position in range(9):
        if bits >> position & 1 and offset < len(raw):
            length = raw[offset]
            found.append(raw[offset : offset + max(length, 1)])
            offset += max(8, -(-length // 8) * 8)
    return found


def interfaces(scribe: Scribe) -> InterfaceScribe:
    inet = scribe("__socket30", 2, 2, 0).value
    inet6 = scribe("__socket30", 24, 2, 0).value
    return InterfaceScribe(scribe, inet, inet6)
