# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interfaces: their making, their state, shmif and the others."""

from __future__ import annotations

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interface_scribe import (
    InterfaceScribe,
    alias,
    ifreq,
    interfaces,
    linkstr,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe


def sockets(scribe: Scribe) -> None:
    for family in (0, 1, 2, 18, 24, 34, 16, 99, -1):
        for kind in (1, 2, 3, 5, 0):
            scribe("__socket30", family, kind, 0)
    scribe("__socket30", 2, 2, 6)
    scribe("__socket30", 2, 1, 17)
    scribe("__socket30", 2, 3, 1)
    scribe("__socket30", 2, 2 | 0x10000000, 0)
    layout = scribe.client.abi.struct("stat")
    number = scribe("__socket30", 2, 2, 0).value
    scribe.fstat(number)
    scribe("ioctl", number, 0x8004667E, scribe.client.abi.integer("int", 1))
    scribe("read", number, bytearray(1), 1)
    scribe("pread", number, bytearray(1), 1, 0)
    scribe("lseek", number, 0, 0)
    scribe("ftruncate", number, 0)
    scribe("fchmod", number, 0)
    scribe("ioctl", number, 0x402C7413, bytearray(44))
    scribe("ioctl", number, 0x8004667E, scribe.client.abi.integer("int", 1))
    scribe("ioctl", number, 0x4004667F, bytearray(4))
    scribe("ioctl", 99, 0x4004667F, bytearray(4))
    scribe("ioctl", 1, 0x402C7413, bytearray(44))
    scribe("ioctl", 1, 0x4004667F, bytearray(4))
    scribe("fchdir", number)
    scribe("__fstat50", number, None)
    scribe("__fstat50", 99, bytearray(layout.size))
    un = bytes([16, 1]) + b"/var/run/log\0"
    local = scribe("__socket30", 1, 2, 0).value
    scribe("connect", local, un, len(un))
    scribe("ioctl", local, scribe.client.abi.ioctl("SIOCGIFFLAGS"), ifreq(scribe.client, "lo0"))
    scribe("ioctl", local, scribe.client.abi.ioctl("SIOCGIFADDR"), ifreq(scribe.client, "lo0"))
    route = scribe("__socket30", 34, 3, 0).value
    scribe("ioctl", route, scribe.client.abi.ioctl("SIOCGIFADDR"), ifreq(scribe.client, "lo0"))
    scribe("shutdown", route, 0)
    scribe("shutdown", number, 2)


def cloning(scribe: Scribe) -> None:
    """Making and removing interfaces."""
    hand = interfaces(scribe)
    client = scribe.client
    hand.all()
    for name in ("shmif0", "shmif0", "shmif", "shmif01", "shmif1x", "0", "", "x0", "shmif10", "lo0", "lo1", "bridge0",
                 "abcdefghijklmnop", "shmif99999999999"):  # fmt: skip
        hand.ask("SIOCIFCREATE", ifreq(client, name))
    hand.all()
    for name in ("shmif0", "lo0", "bridge0", "lo1", "nosuch"):
        data = bytearray(client.abi.struct("ifreq").size)
        data[: len(name)] = name.encode()
        for request in ("SIOCGIFFLAGS", "SIOCGIFMTU", "SIOCGIFMETRIC", "SIOCGIFADDR"):
            hand.ask(request, bytearray(data), shown=32)
    for name in ("shmif0", "shmif0", "lo0", "lo1", "bridge0", "nosuch0", "shmif9", "shmif", ""):
        hand.ask("SIOCIFDESTROY", ifreq(client, name))
    hand.ask("SIOCIFCREATE", ifreq(client, "shmif0"))
    hand.all()


def shmif(scribe: Scribe, bus: str) -> None:
    """A shmif's life: its bus, up and down, its MTU."""
    hand = interfaces(scribe)
    client = scribe.client
    hand.ask("SIOCIFCREATE", ifreq(client, "shmif0"))

    def bus_call(request: str, command: int, length: int, text: bytes | bytearray | None) -> None:
        pointer = client.lend(text) if text is not None else 0
        data = linkstr(client, "shmif0", command, length, pointer)
        outcome = client.ioctl(hand.inet, request, data)
        answer = client.abi.struct("ifdrv").parse(data)
        shown = bytes(text) if isinstance(text, bytearray) else None
        scribe.write(f"{request} {command} {length}", (outcome.error, answer.ifd_len, shown))

    bus_call("SIOCGLINKSTR", 0, 100, bytearray(100))
    bus_call("SIOCGLINKSTR", 1, 0, None)
    hand.set_flags("shmif0", 0x8803)
    hand.ask("SIOCAIFADDR", alias("shmif0", "10.0.0.1", "255.255.255.0"))
    hand.flags("shmif0")
    hand.set_flags("shmif0", 0x8802)
    hand.ask("SIOCGIFADDR", ifreq(client, "shmif0"), shown=32)
    bus_call("SIOCSLINKSTR", 0, 0, b"")
    bus_call("SIOCSLINKSTR", 0, 2000, bus.encode() + b"\0")
    bus_call("SIOCSLINKSTR", 7, 9, bus.encode() + b"\0")
    bus_call("SIOCSLINKSTR", 0, 5, None)
    bus_call("SIOCSLINKSTR", 0, 3, bus.encode() + b"\0")
    bus_call("SIOCSLINKSTR", 2, 0, None)
    bus_call("SIOCSLINKSTR", 0, 30, b"/nonexistent/directory/bus\0")
    bus_call("SIOCSLINKSTR", 0, 5, b"/tmp\0")
    bus_call("SIOCSLINKSTR", 0, len(bus) + 1, bus.encode() + b"\0")
    bus_call("SIOCSLINKSTR", 0, len(bus) + 1, bus.encode() + b"\0")
    bus_call("SIOCGLINKSTR", 1, 0, None)
    bus_call("SIOCGLINKSTR", 0, 100, bytearray(100))
    bus_call("SIOCGLINKSTR", 5, 100, bytearray(100))
    for mtu in (1500, 1400, 45, 46, 1501, 0, -1, 1280):
        hand.ask("SIOCSIFMTU", ifreq(client, "shmif0", "int", mtu))
        hand.ask("SIOCGIFMTU", ifreq(client, "shmif0"), shown=20)
    hand.ask("SIOCSIFMETRIC", ifreq(client, "shmif0", "int", 5))
    hand.ask("SIOCGIFMETRIC", ifreq(client, "shmif0"), shown=20)
    hand.set_flags("shmif0", 0x8803)
    bus_call("SIOCSLINKSTR", 2, 0, None)
    bus_call("SIOCSLINKSTR", 0, len(bus) + 1, bus.encode() + b"\0")
    hand.all()
    hand.set_flags("shmif0", 0x8843 | 0x1000 | 0x4)
    hand.set_flags("shmif0", 0x8843)
    hand.ask("SIOCSIFMTU", ifreq(client, "shmif0", "int", 1300))
    hand.flags("shmif0")
    hand.set_flags("shmif0", 0)
    hand.all()
    bus_call("SIOCSLINKSTR", 2, 0, None)
    bus_call("SIOCGLINKSTR", 1, 0, None)
    hand.ask("SIOCIFDESTROY", ifreq(client, "shmif0"))
    bus_call("SIOCGLINKSTR", 1, 0, None)


def make_shmif(hand: InterfaceScribe, name: str, bus: str) -> None:
    client = hand.scribe.client
    hand.ask("SIOCIFCREATE", ifreq(client, name))
    pointer = client.lend(bus.encode() + b"\0")
    hand.ask("SIOCSLINKSTR", linkstr(client, name, 0, len(bus) + 1, pointer))


def other_interfaces(scribe: Scribe) -> None:
    hand = interfaces(scribe)
    client = scribe.client
    for name in ("bridge0", "lo1"):
        hand.ask("SIOCIFCREATE", ifreq(client, name))
        hand.flags(name)
        for mtu in (0, 68, 1280, 1500, 9000, 66392, 66393, -1):
            hand.ask("SIOCSIFMTU", ifreq(client, name, "int", mtu))
        hand.ask("SIOCSIFMTU", ifreq(client, name, "int", 1500))
        hand.set_flags(name, 0x8049 if name == "lo1" else 0x1)
        hand.ask("SIOCAIFADDR", alias(name, "77.0.0.1", "255.0.0.0"))
        hand.all()
        hand.set_flags(name, 0)
        hand.flags(name)
    capabilities = bytearray(client.abi.struct("ifcapreq").size)
    capabilities[:3] = b"lo0"
    hand.ask("SIOCGIFCAP", capabilities, shown=32)
    capabilities[24] = 1
    hand.ask("SIOCSIFCAP", capabilities)
