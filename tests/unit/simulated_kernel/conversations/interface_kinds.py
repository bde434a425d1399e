# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces made of others: vlans, bridges, aggregates; tunnels; link-level addresses and media."""

from __future__ import annotations

import ipaddress

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interface_scribe import (
    InterfaceScribe,
    alias,
    alias6,
    ifreq,
    interfaces,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interfaces import make_shmif
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe

EXTRA = ["rumpnet_vlan", "rumpnet_gif", "rumpnet_agr", "rumpnet_tap"]
"""Components beside the usual ones."""
UP, DOWN = 0x8843, 0x8842


class Hand(InterfaceScribe):
    """Asks what only these interfaces are asked."""

    def make(self, *names: str) -> None:
        for name in names:
            self.ask("SIOCIFCREATE", ifreq(self.scribe.client, name))

    def pointed(self, request: str, name: str, data: bytes | bytearray, label: str = "") -> None:
        """An ioctl whose ifr_data points to ``data``."""
        client = self.scribe.client
        pointer = client.lend(data)
        outcome = client.ioctl(self.inet, request, ifreq(client, name, "pointer", pointer))
        shown = bytes(data) if isinstance(data, bytearray) else None
        self.scribe.write(f"{request} {name} {label}", (outcome.error, shown))

    def vlan(self, name: str, tag: int, parent: str) -> None:
        request = self.scribe.client.abi.struct("vlanreq").build(vlr_parent=parent.encode(), vlr_tag=tag)
        self.pointed("SIOCSIFGENERIC", name, request, f"{tag} {parent}")
        self.pointed("SIOCGIFGENERIC", name, bytearray(18))
        self.flags(name)

    def agr(self, name: str, command: int, port: str, version: int = 2) -> None:
        client = self.scribe.client
        pointer = client.lend(port.encode())
        layout = client.abi.struct("agrreq")
        request = layout.build(ar_version=version, ar_cmd=command, ar_buf=pointer, ar_buflen=len(port))
        self.pointed("SIOCSIFGENERIC", name, request, f"{command} {port}")
        self.ports(name)

    def ports(self, name: str, room: int = 104) -> None:
        client = self.scribe.client
        ports = bytearray(room)
        request = client.abi.struct("agrreq").build(
            ar_version=2, ar_cmd=3, ar_buf=client.lend(ports), ar_buflen=len(ports)
        )
        outcome = client.ioctl(self.inet, "SIOCGIFGENERIC", ifreq(client, name, "pointer", client.lend(request)))
        self.scribe.write(f"ports of {name}", (outcome.error, bytes(ports)))

    def drive(self, name: str, request: str, command: int, data: bytearray, length: int | None = None) -> None:
        client = self.scribe.client
        layout = client.abi.struct("ifdrv")
        size = len(data) if length is None else length
        argument = bytearray(
            layout.build(ifd_name=name.encode(), ifd_cmd=command, ifd_len=size, ifd_data=client.lend(data))
        )
        outcome = client.ioctl(self.inet, request, argument)
        self.scribe.write(f"{request} {command}", (outcome.error, layout.parse(argument).ifd_len, bytes(data)))

    def member(self, name: str, command: int, member: str, **values: int) -> None:
        layout = self.scribe.client.abi.struct("ifbreq")
        data = bytearray(layout.build(ifbr_ifsname=member.encode(), **values))
        self.drive(name, "SIOCSDRVSPEC", command, data)

    def members(self, name: str) -> None:
        client = self.scribe.client
        for room in (0, 24, 240):
            list_of_them = bytearray(room)
            layout = client.abi.struct("ifbifconf")
            asked = bytearray(layout.build(ifbic_len=room, ifbic_ifbicu={"ifbicu_buf": client.lend(list_of_them)}))
            argument = bytearray(
                client.abi.struct("ifdrv").build(
                    ifd_name=name.encode(), ifd_cmd=6, ifd_len=len(asked), ifd_data=client.lend(asked)
                )
            )
            outcome = client.ioctl(self.inet, "SIOCGDRVSPEC", argument)
            self.scribe.write(f"members {room}", (outcome.error, layout.parse(asked).ifbic_len, bytes(list_of_them)))
            self.drive(name, "SIOCGDRVSPEC", 25, bytearray(room))


def hand_of(scribe: Scribe) -> Hand:
    plain = interfaces(scribe)
    return Hand(plain.scribe, plain.inet, plain.inet6)


def vlans(scribe: Scribe, bus: str) -> None:
    hand = hand_of(scribe)
    client = scribe.client
    make_shmif(hand, "shmif0", bus)
    hand.make("vlan0", "vlan1", "tap0", "vlan2")
    hand.all()
    hand.pointed("SIOCGIFGENERIC", "vlan0", bytearray(18))
    hand.pointed("SIOCGIFGENERIC", "shmif0", bytearray(18))
    hand.ask("SIOCSIFMTU", ifreq(client, "vlan0", "int", 1400))
    hand.ask("SIOCAIFADDR", alias("vlan0", "10.7.0.1", "255.255.255.0"))
    hand.vlan("vlan0", 7, "nosuch0")
    hand.vlan("vlan0", 4096, "shmif0")
    hand.vlan("vlan0", 7, "lo0")
    hand.vlan("vlan0", 7, "vlan1")
    hand.vlan("vlan0", 7, "shmif0")
    hand.vlan("vlan0", 8, "shmif0")
    hand.all()
    hand.vlan("vlan1", 9, "shmif0")
    hand.vlan("vlan2", 9, "tap0")
    for mtu in (1500, 1497, 1496, 1400, 42, 41):
        hand.ask("SIOCSIFMTU", ifreq(client, "vlan0", "int", mtu))
    hand.ask("SIOCSIFMTU", ifreq(client, "vlan0", "int", 1496))
    hand.ask("SIOCAIFADDR", alias("vlan0", "10.7.0.1", "255.255.255.0"))
    hand.ask("SIOCAIFADDR_IN6", alias6(client, "vlan0", "2001:db8:7::1"), six=True)
    hand.all()
    hand.vlan("vlan0", 0, "")
    hand.all()
    hand.set_flags("shmif0", UP)
    hand.vlan("vlan0", 9, "shmif0")
    hand.all()
    hand.ask("SIOCIFDESTROY", ifreq(client, "shmif0"))
    hand.all()
    hand.ask("SIOCIFDESTROY", ifreq(client, "vlan0"))
    hand.ask("SIOCIFDESTROY", ifreq(client, "vlan2"))
    hand.all()


def bridges(scribe: Scribe, bus: str) -> None:
    hand = hand_of(scribe)
    client = scribe.client
    for name in ("shmif0", "shmif1", "shmif2"):
        make_shmif(hand, name, f"{bus}{name}")
    hand.make("bridge0", "bridge1")
    hand.ask("SIOCSIFMTU", ifreq(client, "shmif2", "int", 1400))
    hand.members("bridge0")
    for name in ("nosuch0", "lo0", "shmif2", "bridge1", "shmif0", "shmif0", "shmif1"):
        hand.member("bridge0", 0, name)
    hand.member("bridge1", 0, "shmif0")
    hand.members("bridge0")
    hand.flags("shmif0")
    hand.member("bridge0", 3, "shmif0", ifbr_ifsflags=7)
    hand.member("bridge0", 21, "shmif0", ifbr_priority=100)
    hand.member("bridge0", 22, "shmif0", ifbr_path_cost=200)
    for command in (3, 21, 22, 1):
        hand.member("bridge0", command, "shmif2")
    hand.members("bridge0")
    hand.drive("bridge0", "SIOCGDRVSPEC", 2, bytearray(b"shmif1".ljust(24, b"\0")))
    hand.drive("bridge0", "SIOCGDRVSPEC", 2, bytearray(b"shmif2".ljust(24, b"\0")))
    for getter, setter in ((5, 4), (10, 9), (13, 14), (15, 16), (17, 18), (19, 20), (23, 24)):
        hand.drive("bridge0", "SIOCGDRVSPEC", getter, bytearray(4))
        hand.drive("bridge0", "SIOCSDRVSPEC", setter, bytearray(4))
        hand.drive("bridge0", "SIOCSDRVSPEC", setter, bytearray(b"\x07\1\0\0"))
        hand.drive("bridge0", "SIOCGDRVSPEC", getter, bytearray(4))
        hand.drive("bridge0", "SIOCSDRVSPEC", getter, bytearray(4))
        hand.drive("bridge0", "SIOCGDRVSPEC", setter, bytearray(4))
        hand.drive("bridge0", "SIOCGDRVSPEC", getter, bytearray(8))
    for command in (27, 99, 1 << 8 * client.abi.word_size - 24):
        hand.drive("bridge0", "SIOCGDRVSPEC", command, bytearray(24))
    hand.member("bridge0", 1, "shmif0")
    hand.flags("shmif0")
    hand.ask("SIOCIFDESTROY", ifreq(client, "shmif1"))
    hand.members("bridge0")
    hand.member("bridge0", 0, "shmif0")
    hand.ask("SIOCIFDESTROY", ifreq(client, "bridge0"))
    hand.flags("shmif0")
    hand.member("bridge1", 0, "shmif0")
    hand.member("bridge1", 1, "shmif0")
    hand.flags("shmif0")
    hand.all()


def _ends(hand: Hand, name: str, source: str, destination: str, length: int | None = None) -> bytearray:
    packed = []
    for text in (source, destination):
        address = ipaddress.ip_address(text)
        size, family, start = (16, 2, 4) if address.version == 4 else (28, 24, 8)
        packed.append((bytes([length or size, family]) + bytes(start - 2) + address.packed).ljust(128, b"\0"))
    layout = hand.scribe.client.abi.struct("if_laddrreq")
    return bytearray(layout.build(iflr_name=name.encode(), addr=packed[0], dstaddr=packed[1]))


def tunnels(scribe: Scribe) -> None:
    hand = hand_of(scribe)
    client = scribe.client
    hand.make("gif0", "gif1")
    none = bytearray(client.abi.struct("if_laddrreq").build(iflr_name=b"gif0"))
    hand.ask("SIOCGLIFPHYADDR", bytearray(none), shown=280)
    hand.ask("SIOCSLIFPHYADDR", bytearray(none))
    hand.ask("SIOCDIFPHYADDR", ifreq(client, "gif0"))
    hand.ask("SIOCSLIFPHYADDR", _ends(hand, "gif0", "192.0.2.1", "2001:db8::1"))
    hand.ask("SIOCSLIFPHYADDR", _ends(hand, "gif0", "192.0.2.1", "192.0.2.2", length=20))
    hand.ask("SIOCSLIFPHYADDR", _ends(hand, "lo0", "192.0.2.1", "192.0.2.2"))
    for ends in (("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")):
        hand.ask("SIOCSLIFPHYADDR", _ends(hand, "gif0", *ends))
        hand.flags("gif0")
        hand.ask("SIOCGLIFPHYADDR", bytearray(none), shown=280)
        hand.ask("SIOCSLIFPHYADDR", _ends(hand, "gif1", *ends))
    hand.ask("SIOCAIFADDR", alias("gif0", "10.0.0.1", "255.255.255.0", "10.0.0.2"))
    hand.flags("gif0")
    hand.ask("SIOCAIFADDR", alias("gif0", "10.0.0.1", "255.255.255.0", "10.0.0.3"))
    hand.ask("SIOCDIFPHYADDR", ifreq(client, "gif0"))
    hand.flags("gif0")
    hand.ask("SIOCGLIFPHYADDR", bytearray(none), shown=280)


def aggregates(scribe: Scribe, bus: str) -> None:
    hand = hand_of(scribe)
    client = scribe.client
    for name in ("shmif0", "shmif1", "shmif2"):
        make_shmif(hand, name, f"{bus}{name}")
    hand.make("agr0", "agr1", "gif0")
    hand.ports("agr0")
    hand.ask("SIOCAIFADDR", alias("agr0", "10.3.0.1", "255.255.255.0"))
    hand.set_flags("shmif2", UP)
    for command, port in ((1, "nosuch0"), (2, "shmif0"), (9, "shmif0"), (1, "gif0"), (1, "shmif2"), (1, "shmif0")):
        hand.agr("agr0", command, port)
    hand.agr("agr0", 1, "shmif1", version=1)
    hand.all()
    hand.ports("agr0", 4)
    for port in ("shmif0", "agr0", "shmif1"):
        hand.agr("agr1", 1, port)
    hand.agr("agr0", 2, "shmif1")
    hand.ask("SIOCAIFADDR", alias("shmif0", "10.3.0.1", "255.255.255.0"))
    hand.ask("SIOCSIFMTU", ifreq(client, "shmif0", "int", 1400))
    hand.ask("SIOCAIFADDR", alias("agr0", "10.3.0.1", "255.255.255.0"))
    hand.flags("agr0")
    hand.agr("agr1", 2, "shmif1")
    hand.agr("agr0", 1, "shmif1")
    hand.agr("agr0", 2, "shmif0")
    hand.agr("agr0", 2, "shmif1")
    hand.flags("agr0")
    hand.agr("agr1", 1, "shmif1")
    hand.ask("SIOCIFDESTROY", ifreq(client, "agr1"))
    hand.flags("agr1")
    hand.ask("SIOCIFDESTROY", ifreq(client, "agr1"))


def link_addresses(scribe: Scribe, bus: str) -> None:
    """Link-level addresses, media."""
    hand = hand_of(scribe)
    client = scribe.client
    link = scribe("__socket30", 18, 2, 0).value
    make_shmif(hand, "shmif0", bus)
    hand.make("tap0")

    def ask(request: str, name: str, address: str, flags: int = 0x4000, family: int = 18) -> None:
        raw = bytes.fromhex(address)
        sockaddr = (bytes([20, family, 0, 0, 0, 0, len(raw), 0]) + raw).ljust(128, b"\0")
        data = client.abi.struct("if_laddrreq").build(iflr_name=name.encode(), flags=flags, addr=sockaddr)
        outcome = client.ioctl(link, request, bytearray(data))
        scribe.write(f"{request} {name} {address}", outcome.error)

    for arguments in (("shmif0", "020000000001", 0), ("shmif0", "020000000001"), ("shmif0", "0200000001"),
                      ("shmif0", "020000000002"), ("lo0", "020000000001"), ("nosuch0", "020000000001")):  # fmt: skip
        ask("SIOCALIFADDR", *arguments)
    ask("SIOCALIFADDR", "shmif0", "020000000003", family=2)
    ask("SIOCDLIFADDR", "shmif0", "020000000002")
    ask("SIOCDLIFADDR", "shmif0", "020000000001")
    ask("SIOCDLIFADDR", "shmif0", "020000000001")
    outcome, raw, _told = client.sysctl([4, 34, 0, 0, 5, 2], 4096)
    scribe.write("the address in use", (outcome.error, bytes.fromhex("020000000002") in raw[:200]))
    for name in ("tap0", "shmif0", "lo0"):
        for room in (0, 3, 7, 20):
            words = bytearray(4 * room)
            layout = client.abi.struct("ifmediareq")
            data = bytearray(
                layout.build(ifm_name=name.encode(), ifm_count=room, ifm_ulist=client.lend(words) if room else 0)
            )
            outcome = client.ioctl(hand.inet, "SIOCGIFMEDIA", data)
            told = layout.parse(data)
            scribe.write(
                f"media of {name} {room}",
                (outcome.error, told.ifm_current, told.ifm_active, told.ifm_count, told.ifm_status, bytes(words)),
            )
        for word in (0x100026, 0x26, 0x27, 0x2006):
            hand.ask("SIOCSIFMEDIA", ifreq(client, name, "uint", word))
