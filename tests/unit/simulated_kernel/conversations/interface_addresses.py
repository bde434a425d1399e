# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of interfaces."""

from __future__ import annotations

import ipaddress

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interface_scribe import (
    alias,
    alias6,
    ifreq,
    in6_ifreq,
    interfaces,
    messages,
    sin,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interfaces import make_shmif
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.rawclient import RawClient


def inet_addresses(scribe: Scribe, bus: str) -> None:
    hand = interfaces(scribe)
    client = scribe.client
    make_shmif(hand, "shmif0", bus)
    n = "shmif0"

    def look() -> None:
        hand.flags(n)
        for request in ("SIOCGIFADDR", 0xC0906923, 0xC0906925, 0xC0906922):
            hand.ask(request, ifreq(client, n), shown=32)
        hand.all()

    for request in ("SIOCGIFADDR", "SIOCDIFADDR", "SIOCGIFALIAS", "SIOCGIFAFLAG_IN"):
        hand.ask(request, alias(n, "1.2.3.4") if request == "SIOCGIFALIAS" else _named(client, n, "1.2.3.4"), shown=32)
    hand.ask("SIOCAIFADDR", alias(n, None))
    hand.ask("SIOCAIFADDR", alias("nosuch0", "1.2.3.4"))
    hand.ask("SIOCAIFADDR", alias(n, "1.2.3.4", "255.255.255.0"))
    look()
    for extra in (alias(n, "1.2.3.5", "255.255.255.0"), alias(n, "1.2.3.6", "255.255.255.255"),
                  alias(n, "10.1.2.3"), alias(n, "172.16.0.1"), alias(n, "192.168.7.7", None, "192.168.7.200"),
                  alias(n, "1.2.3.4", "255.255.0.0"), alias(n, "1.2.3.4"), alias(n, "9.9.9.9", "0.0.0.0"),
                  alias(n, None, "255.255.255.0")):  # fmt: skip
        hand.ask("SIOCAIFADDR", extra)
        hand.all()
    for address in ("1.2.3.4", "1.2.3.5", "1.2.3.6", "10.1.2.3", "5.5.5.5"):
        hand.ask("SIOCGIFALIAS", alias(n, address), shown=64)
    hand.ask("SIOCGIFALIAS", alias(n, None), shown=64)
    for address in ("1.2.3.4", "5.5.5.5", "1.2.3.5", None, None):
        hand.ask("SIOCDIFADDR", _named(client, n, address))
        look()
    hand.ask("SIOCDIFADDR", _named(client, n, "1.2.3.6"), six=True)
    hand.ask("SIOCDIFADDR", _named(client, "lo0", "127.0.0.1"))
    hand.ask("SIOCAIFADDR", alias("lo0", "127.0.0.1", "255.0.0.0"))
    hand.ask("SIOCAIFADDR", alias("lo0", "127.0.0.2", "255.0.0.0"))
    hand.ask(0x8090690C, bytearray(n.encode().ljust(16, b"\0") + sin("44.1.2.3")).ljust(144, b"\0"))
    look()
    hand.ask(0x80906916, bytearray(n.encode().ljust(16, b"\0") + sin("255.255.255.0")).ljust(144, b"\0"))
    look()
    hand.set_flags(n, 0x8802)
    look()
    hand.set_flags(n, 0x8803)
    hand.flags(n)


def _named(client: RawClient, name: str, address: str | None) -> bytearray:
    raw = name.encode().ljust(16, b"\0") + sin(address)
    return bytearray(raw.ljust(client.abi.struct("ifreq").size, b"\0"))


def inet6_addresses(scribe: Scribe, bus: str) -> None:
    hand = interfaces(scribe)
    client = scribe.client
    make_shmif(hand, "shmif0", bus)
    n, six = "shmif0", True
    hand.ask("SIOCDIFADDR_IN6", in6_ifreq(client, n, "2001:db8::1"), six)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, "2001:db8::1"), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", None), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 0), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64, flags=0x2), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64, lifetimes=(10, 20)), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64, lifetimes=(0, 0)), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 128, other="2001:db8::2"), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "::1", 128), six)
    hand.flags(n)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64), six)
    hand.flags(n)
    hand.all()
    for request in ("SIOCGIFNETMASK_IN6", "SIOCGIFALIFETIME_IN6", "SIOCGIFDSTADDR_IN6"):
        hand.ask(request, in6_ifreq(client, n, "2001:db8::1"), six, shown=44)
        hand.ask(request, in6_ifreq(client, n, "2001:db8::99"), six, shown=44)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 48), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", None), six)
    hand.ask("SIOCAIFADDR_IN6", alias6(client, n, "2001:db8::1", 64, lifetimes=(1000, 500)), six)
    for address, length, flags in (("2001:db8::2", 128, 0), ("2001:db8:1::3", 48, 0x1), ("fe80::5", 64, 0)):
        hand.ask("SIOCAIFADDR_IN6", alias6(client, n, address, length, flags), six)
        hand.all()
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, "2001:db8:1::3"), six, shown=20)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80::5"), six, shown=44)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80::5", 2), six, shown=44)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80::5", 1), six, shown=44)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80::5", 9), six, shown=44)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, n, "fe80:2::5"), six, shown=44)
    hand.ask("SIOCGIFFLAGS", ifreq(client, n), six, shown=18)
    hand.ask("SIOCGIFADDR", ifreq(client, n), six)
    hand.ask("SIOCGIFNETMASK_IN6", in6_ifreq(client, "lo0", "::1"), six, shown=44)
    hand.ask("SIOCGIFDSTADDR_IN6", in6_ifreq(client, "lo0", "::1"), six, shown=44)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, "lo0", "::1"), six, shown=20)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, "lo0", "fe80::1"), six, shown=20)
    hand.ask("SIOCDIFADDR_IN6", in6_ifreq(client, n, "2001:db8::2"), six)
    hand.ask("SIOCDIFADDR_IN6", in6_ifreq(client, n, "fe80::5"), six)
    hand.all()
    hand.set_flags(n, 0x8802)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, "2001:db8::1"), six, shown=20)
    hand.set_flags(n, 0x8803)
    hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, "2001:db8::1"), six, shown=20)
    hand.all()


def duplicate_detection(scribe: Scribe, bus: str) -> None:
    """When addresses are tentative, whatever brings the interface up."""
    hand = interfaces(scribe)
    client = scribe.client
    for index, first in enumerate(("flags", "inet", "inet6")):
        n = f"shmif{index}"
        make_shmif(hand, n, f"{bus}{index}")
        if first == "flags":
            hand.set_flags(n, 0x8803)
        elif first == "inet":
            hand.ask("SIOCAIFADDR", alias(n, f"10.{index}.0.1", "255.255.255.0"))
        else:
            hand.ask("SIOCAIFADDR_IN6", alias6(client, n, f"2001:db8:{index}::1"), True)
        hand.ask("SIOCAIFADDR", alias(n, f"10.{index}.0.2", "255.255.255.0"))
        hand.ask("SIOCAIFADDR_IN6", alias6(client, n, f"2001:db8:{index}::2"), True)
        hand.ask("SIOCGIFAFLAG_IN", _named(client, n, f"10.{index}.0.1"), shown=20)
        hand.ask("SIOCGIFAFLAG_IN", _named(client, n, f"10.{index}.0.2"), shown=20)
        hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, f"2001:db8:{index}::1"), True, shown=20)
        hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, f"2001:db8:{index}::2"), True, shown=20)
        local = _link_local(client, index + 2)
        scribe.write(f"{n} has a link-local address", local is not None)
        if local is not None:
            hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, local), True, shown=20)
        hand.set_flags(n, 0x8802)
        hand.ask("SIOCGIFAFLAG_IN", _named(client, n, f"10.{index}.0.2"), shown=20)
        hand.set_flags(n, 0x8803)
        hand.ask("SIOCGIFAFLAG_IN", _named(client, n, f"10.{index}.0.2"), shown=20)
        hand.ask("SIOCGIFAFLAG_IN6", in6_ifreq(client, n, f"2001:db8:{index}::2"), True, shown=20)
    hand.all()


def _link_local(client: RawClient, index: int) -> str | None:
    _outcome, raw, _told = client.sysctl([4, 34, 0, 24, 5, index], 8192)
    for message in messages(client, raw):
        for part in message:
            if isinstance(part, bytes) and len(part) == 28 and part[1] == 24 and part[8:10] == b"\xfe\x80":
                return str(ipaddress.IPv6Address(part[8:10] + bytes(2) + part[12:24]))
    return None
