# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Routes: those that addresses bring, those that messages make, and what routing sockets hear."""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass
from typing import Any, Final

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interface_scribe import (
    InterfaceScribe,
    alias,
    alias6,
    ifreq,
    in6_ifreq,
    interfaces,
    sin,
    sin6,
    sockaddrs,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interfaces import make_shmif
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe

RTM_ADD, RTM_DELETE, RTM_CHANGE, RTM_GET, RTM_LOCK = 1, 2, 3, 4, 8
RTF_UP, RTF_GATEWAY, RTF_HOST, RTF_REJECT, RTF_STATIC, RTF_BLACKHOLE = 1, 2, 4, 8, 0x800, 0x1000
DST, GATEWAY, NETMASK, IFP, IFA, BRD, TAG = 0, 1, 2, 4, 5, 7, 8
HEADER: Final = 120
O_NONBLOCK: Final = 4
MOMENT: Final = 0.02


@dataclass
class RouteScribe:
    """Asks and changes routes over a routing socket."""

    hand: InterfaceScribe
    socket: int

    @property
    def scribe(self) -> Scribe:
        return self.hand.scribe

    def table(self, family: int = 0, what: int = 1, argument: int = 0) -> None:
        """The routes, without what time made of them."""
        client = self.scribe.client
        outcome, raw, told = client.sysctl([4, 34, 0, family, what, argument], 16384)
        self.scribe.write(f"routes {family} {what} {argument}", (outcome.error, told))
        self.show(raw)

    def show(self, raw: bytes) -> None:
        offset = 0
        client = self.scribe.client
        while offset < len(raw):
            length = client.abi.read_integer("uint16", raw[offset:])
            if length < 8 or offset + length > len(raw):
                self.scribe.write("no message", raw[offset:])
                return
            self.scribe.write("message", self._message(raw[offset : offset + length]))
            offset += length

    def _message(self, raw: bytes) -> Any:
        """A message's numbers and addresses; processes, uses and times left out."""
        abi, kind = self.scribe.client.abi, raw[3]
        if kind in (0x10, 0x14):
            return kind, len(raw), raw[4:32] if kind == 0x10 else raw[4:16]
        if kind in (0xC, 0xD, 0x16, 0x17):
            layout = abi.struct("ifa_msghdr")
            head = layout.parse(raw)
            numbers = (head.ifam_addrs, head.ifam_flags, head.ifam_metric, head.ifam_index)
            start = -(-layout.size // 8) * 8
            return (kind, len(raw), numbers, *map(self._plain, sockaddrs(raw[start:], head.ifam_addrs)))
        index = abi.read_integer("uint16", raw[4:])
        words = [abi.read_integer("int32", raw[8 + 4 * place :]) for place in range(7)]
        flags, bits, _pid, sequence, error, _use, inits = words
        metrics = [abi.read_integer("int64", raw[40 + 8 * place :]) for place in range(10)]
        metrics[8] = bool(metrics[8])
        if kind == RTM_GET and not sequence:
            # The kernel leaves these as it found them in memory when it lists all routes.
            inits = metrics[0] = metrics[9] = 0
        addresses = map(self._plain, sockaddrs(raw[HEADER:], bits)) if len(raw) > HEADER else ()
        return (kind, len(raw), index, hex(flags), hex(bits), sequence, error, inits, metrics, *addresses)

    def _plain(self, raw: bytes) -> str:
        return self.hand.plain(raw).hex() if not self.hand.random else repr(self.hand.plain(raw))

    def ask(self, kind: int, addresses: dict[int, bytes], flags: int = RTF_UP, **more: Any) -> None:
        """Write a message and read what comes back."""
        client = self.scribe.client
        raw = build(client.abi, kind, addresses, flags, **more)
        outcome = client.call("write", self.socket, raw, len(raw))
        shown = {place: address.hex() for place, address in addresses.items()}
        self.scribe.write(f"route {kind} {shown} {flags:#x} {more}", outcome.error or outcome.value)
        self.hear()

    def hear(self) -> None:
        """All messages that wait; the kernel hands them over a moment after the call."""
        client = self.scribe.client
        time.sleep(MOMENT)
        while True:
            buffer = bytearray(2048)
            outcome = client.call("read", self.socket, buffer, len(buffer))
            if not outcome or not outcome.value:
                self.scribe.write("no more", (outcome.error, outcome.value))
                return
            self.show(bytes(buffer[: outcome.value]))


def build(abi: Any, kind: int, addresses: dict[int, bytes], flags: int = RTF_UP, seq: int = 7, inits: int = 0,
          metrics: dict[int, int] | None = None, version: int = 4, cut: int = 0, length: int | None = None,
          bits: int | None = None) -> bytes:  # fmt: skip
    """A struct rt_msghdr with sockaddrs."""
    packed = b"".join(
        addresses[place].ljust(max(8, -(-len(addresses[place]) // 8) * 8), b"\0") for place in sorted(addresses)
    )
    if bits is None:
        bits = sum(1 << place for place in addresses)
    size = HEADER + len(packed) - cut
    head = abi.integer("uint16", size if length is None else length) + bytes([version, kind]) + bytes(4)
    head += b"".join(abi.integer("uint32", number) for number in (flags, bits, 0, seq, 0, 0, inits))
    values = [(metrics or {}).get(place, 0) for place in range(10)]
    head = head.ljust(40, b"\0") + b"".join(abi.integer("uint64", value) for value in values)
    return (head + packed)[:size]


def mask4(length: int) -> bytes:
    """A netmask as route(8) makes them: cut after its last byte that is not zero."""
    bits = ((1 << 32) - (1 << 32 - length)).to_bytes(4, "big").rstrip(b"\0")
    return bytes([4 + len(bits)]) + bytes(3) + bits if bits else bytes(8)


def mask6(client: Any, length: int) -> bytes:
    return sin6(client, str(ipaddress.IPv6Address((1 << 128) - (1 << 128 - length))))


def start(scribe: Scribe) -> RouteScribe:
    """No duplicates are looked for: what is told once that is over would come at any time."""
    for name in ([4, 2, 0, 25], [4, 24, 41, 16]):
        scribe.client.sysctl(name, None, scribe.client.abi.integer("int", 0))
    hand = interfaces(scribe)
    number = scribe("__socket30", 34, 3 | 0x20000000, 0).value
    return RouteScribe(hand, number)


def routes_of_addresses(scribe: Scribe, bus: str) -> None:
    """The table after each change of addresses."""
    table = start(scribe)
    hand, client = table.hand, scribe.client
    table.table()
    make_shmif(hand, "shmif0", bus)
    make_shmif(hand, "shmif1", bus)
    hand.all()
    table.hear()

    def step(request: str | int, data: bytearray, six: bool = False) -> None:
        hand.ask(request, data, six)
        table.hear()
        table.table()

    step("SIOCAIFADDR", alias("shmif0", "10.0.0.1", "255.255.255.0"))
    step("SIOCAIFADDR", alias("shmif0", "10.0.0.2", "255.255.255.0"))
    step("SIOCAIFADDR", alias("shmif1", "10.0.0.3", "255.255.255.0"))
    step("SIOCAIFADDR", alias("shmif1", "10.0.0.3", "255.255.0.0"))
    step("SIOCAIFADDR", alias("shmif0", "192.168.7.9", "255.255.255.255"))
    step("SIOCAIFADDR", alias("shmif0", "172.16.3.4"))
    step("SIOCAIFADDR", alias("lo0", "10.9.9.9", "255.0.0.0"))
    step("SIOCAIFADDR_IN6", alias6(client, "shmif0", "2001:db8::1"), True)
    step("SIOCAIFADDR_IN6", alias6(client, "shmif0", "2001:db8::2"), True)
    step("SIOCAIFADDR_IN6", alias6(client, "shmif1", "2001:db8::3"), True)
    step("SIOCAIFADDR_IN6", alias6(client, "shmif0", "2001:db8:1::1", 128), True)
    step("SIOCAIFADDR_IN6", alias6(client, "shmif0", "2001:db8::1"), True)
    step("SIOCAIFADDR_IN6", alias6(client, "lo0", "2001:db8:2::1", 64), True)
    step("SIOCSIFFLAGS", ifreq(client, "shmif0", "uint16", 0x8802))
    step("SIOCSIFFLAGS", ifreq(client, "shmif0", "uint16", 0x8803))
    step("SIOCDIFADDR", alias("shmif0", "10.0.0.1"))
    step("SIOCDIFADDR", alias("shmif0", "10.0.0.2"))
    step(0x8090690C, alias("shmif0", "10.2.0.1"))
    step(0x80906916, alias("shmif0", "255.255.0.0"))
    step("SIOCDIFADDR_IN6", in6_ifreq(client, "shmif0", "2001:db8::1"), True)
    step("SIOCDIFADDR_IN6", in6_ifreq(client, "shmif0", "2001:db8::2"), True)
    step("SIOCDIFADDR_IN6", in6_ifreq(client, "lo0", "2001:db8:2::1"), True)
    step("SIOCDIFADDR", alias("lo0", "10.9.9.9"))
    table.table(2)
    table.table(24)
    table.table(18)
    table.table(0, 2, 0x100)
    table.table(0, 2, 0x400)
    step("SIOCIFDESTROY", ifreq(client, "shmif0"))
    step("SIOCIFDESTROY", ifreq(client, "shmif1"))


def neighbours(scribe: Scribe, bus: str) -> None:
    """Link-level addresses, as arp(8) sets and shows them."""
    table = start(scribe)
    hand, client = table.hand, scribe.client
    make_shmif(hand, "shmif0", bus)
    hand.ask("SIOCAIFADDR", alias("shmif0", "10.0.0.1", "255.255.255.0"))
    hand.all()
    table.hear()
    index = client.abi.integer("uint16", 2)
    link = bytes([20, 18]) + index + bytes([6, 0, 6, 0]) + b"\2\0\0\0\0\1" + bytes(6)
    anywhere = link[:2] + bytes(2) + link[4:]

    def look() -> None:
        for family in (0, 2):
            outcome, raw, _told = client.sysctl([4, 34, 0, family, 2, 0x400], 16384)
            found = []
            while raw:
                length = client.abi.read_integer("uint16", raw)
                found.append([hand.plain(part) for part in sockaddrs(raw[HEADER:length], 3)])
                raw = raw[length:]
            scribe.write(f"neighbours {family}", (outcome.error, sorted(found)))

    look()
    for flags in (RTF_HOST | RTF_STATIC | 0x400, RTF_HOST | RTF_STATIC):
        table.ask(RTM_ADD, {DST: sin("10.0.0.9"), GATEWAY: link}, flags)
    table.ask(RTM_ADD, {DST: sin("10.0.0.8"), GATEWAY: anywhere}, RTF_HOST | RTF_STATIC)
    table.ask(RTM_ADD, {DST: sin("10.0.0.1"), GATEWAY: link}, RTF_HOST | RTF_STATIC)
    table.ask(RTM_ADD, {DST: sin("10.77.0.8"), GATEWAY: anywhere}, RTF_HOST | RTF_STATIC)
    table.ask(RTM_ADD, {DST: sin("10.0.0.7"), GATEWAY: link[:2] + b"\x63\0" + link[4:]}, RTF_HOST | RTF_STATIC)
    look()
    for address in ("10.0.0.9", "10.0.0.1", "10.0.0.66"):
        table.ask(RTM_GET, {DST: sin(address)}, 0)
        table.ask(RTM_GET, {DST: sin(address)}, RTF_UP | 0x400)
    for address in ("10.0.0.9", "10.0.0.9", "10.0.0.44"):
        table.ask(RTM_DELETE, {DST: sin(address), GATEWAY: link}, RTF_HOST | 0x400)
    look()


def routes_by_messages(scribe: Scribe, bus: str) -> None:
    """Adding, changing, finding and removing routes."""
    table = start(scribe)
    hand, client = table.hand, scribe.client
    make_shmif(hand, "shmif0", bus)
    hand.ask("SIOCAIFADDR", alias("shmif0", "10.0.0.1", "255.255.255.0"))
    hand.ask("SIOCAIFADDR_IN6", alias6(client, "shmif0", "2001:db8::1"), True)
    hand.all()
    table.hear()
    gateway, static = sin("10.0.0.254"), RTF_UP | RTF_GATEWAY | RTF_STATIC
    net = {DST: sin("10.9.0.0"), GATEWAY: gateway, NETMASK: mask4(16)}
    table.ask(RTM_ADD, net, static)
    table.ask(RTM_ADD, net, static)
    table.ask(RTM_ADD, {DST: sin("0.0.0.0"), GATEWAY: gateway, NETMASK: mask4(0)}, static)
    table.ask(RTM_ADD, {DST: sin("10.8.1.1"), GATEWAY: gateway}, static | RTF_HOST)
    table.ask(RTM_ADD, {DST: sin("10.9.1.77"), GATEWAY: gateway, NETMASK: mask4(24)}, static)
    table.ask(RTM_ADD, {DST: sin("10.7.0.0"), GATEWAY: sin("192.0.2.1"), NETMASK: mask4(16)}, static)
    table.ask(RTM_ADD, {DST: sin("10.6.0.0"), GATEWAY: sin("10.0.0.1"), NETMASK: mask4(16)}, RTF_UP | RTF_STATIC)
    table.ask(RTM_ADD, {DST: sin("10.5.0.0"), GATEWAY: sin("127.0.0.1"), NETMASK: mask4(16)}, static | RTF_REJECT)
    table.ask(RTM_ADD, {DST: sin("10.4.0.0"), GATEWAY: sin("127.0.0.1"), NETMASK: mask4(16)}, static | RTF_BLACKHOLE)
    table.ask(RTM_ADD, {**net, DST: sin("10.3.0.0")}, static, inits=1, metrics={1: 1400})
    table.ask(RTM_ADD, {**net, DST: sin("10.2.0.0"), IFA: sin("10.0.0.1")}, static)
    table.ask(RTM_ADD, {DST: sin("10.1.0.0"), NETMASK: mask4(16)}, static)
    table.ask(RTM_ADD, {GATEWAY: gateway}, static)
    table.table()
    six = {DST: sin6(client, "2001:db8:9::"), GATEWAY: sin6(client, "2001:db8::fe"), NETMASK: mask6(client, 48)}
    table.ask(RTM_ADD, six, static)
    table.ask(RTM_ADD, six, static)
    table.ask(RTM_ADD, {**six, DST: sin6(client, "::"), NETMASK: mask6(client, 0)}, static)
    for address in ("10.9.3.3", "10.9.1.2", "10.8.1.1", "127.0.0.1", "10.0.0.1", "10.0.0.77", "8.8.8.8", "10.5.1.1"):
        table.ask(RTM_GET, {DST: sin(address)}, RTF_UP | RTF_GATEWAY | RTF_HOST)
        table.ask(RTM_GET, {DST: sin(address)}, RTF_UP | RTF_GATEWAY | RTF_HOST, bits=0x31)
    for address in ("2001:db8:9::1", "::1", "2001:db8::1", "2001:db8::99", "2600::1"):
        table.ask(RTM_GET, {DST: sin6(client, address)}, RTF_UP | RTF_GATEWAY | RTF_HOST)
    table.ask(RTM_GET, {DST: sin("10.9.0.0"), NETMASK: mask4(16)}, RTF_UP)
    table.ask(RTM_GET, {DST: sin("10.9.0.0"), NETMASK: mask4(20)}, RTF_UP)
    table.ask(RTM_GET, {DST: sin("10.0.0.9")}, 0)
    table.ask(RTM_CHANGE, {**net, GATEWAY: sin("10.0.0.253")}, static)
    table.ask(RTM_CHANGE, {DST: sin("10.9.0.0"), GATEWAY: sin("10.0.0.253")}, static)
    table.ask(RTM_CHANGE, {**net, DST: sin("10.99.0.0")}, static)
    table.ask(RTM_CHANGE, {**net, GATEWAY: sin("192.0.2.77")}, static, inits=1, metrics={1: 1300})
    table.ask(RTM_CHANGE, {DST: sin("10.8.1.1"), GATEWAY: sin("10.0.0.253")}, static | RTF_HOST)
    table.ask(RTM_LOCK, net, static, inits=1, metrics={0: 1})
    table.table()
    table.ask(RTM_DELETE, {DST: sin("10.9.1.0"), NETMASK: mask4(24)}, static)
    table.ask(RTM_DELETE, {DST: sin("10.9.1.0"), NETMASK: mask4(24)}, static)
    table.ask(RTM_DELETE, net, static)
    table.ask(RTM_DELETE, {DST: sin("10.8.1.1")}, RTF_UP | RTF_HOST)
    table.ask(RTM_DELETE, {DST: sin("0.0.0.0"), NETMASK: mask4(0)}, static)
    table.ask(RTM_DELETE, {DST: sin6(client, "2001:db8:9::"), NETMASK: mask6(client, 48)}, static)
    table.ask(RTM_DELETE, {DST: sin("10.0.0.0"), NETMASK: mask4(24)}, RTF_UP)
    table.ask(RTM_DELETE, {DST: sin("10.0.0.1")}, RTF_UP | RTF_HOST)
    table.table()
    hand.all()
    for more in ({"version": 3}, {"length": 5}, {"cut": 8}, {"bits": 0x1FF}, {"bits": 0}, {"cut": 144}):
        table.ask(RTM_ADD, net, static, **more)
    for kind in (0, 5, 9, 0xC, 0x14, 200):
        table.ask(kind, net, static)
    table.ask(RTM_ADD, {DST: b"\x10\x63" + bytes(14), GATEWAY: gateway}, static)
    table.ask(RTM_ADD, {DST: b"\x10\x12" + bytes(14), GATEWAY: gateway}, static)
    scribe("setsockopt", table.socket, 0xFFFF, 0x40, client.abi.integer("int", 0), 4)
    table.ask(RTM_ADD, net, static)
    table.ask(RTM_ADD, net, static)
    listener = scribe("__socket30", 34, 3 | 0x20000000, 2).value
    table.ask(RTM_DELETE, net, static)
    RouteScribe(hand, listener).hear()
    scribe("write", table.socket, b"", 0)
    scribe("write", table.socket, b"abc", 3)
