# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPv6 options of interfaces, and the lists of prefixes and routers, as ndp(8) asks for them."""

from __future__ import annotations

from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interface_scribe import (
    alias6,
    ifreq,
    in6_ifreq,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.interfaces import make_shmif
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.routes import start
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe

NUD, ACCEPT, PREFER, DISABLED, OVERRIDE, AUTOMATIC = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
USUAL = NUD | ACCEPT | AUTOMATIC


def discovery(scribe: Scribe, bus: str) -> None:
    """Setting and reading options; what IPv6 does when it is turned off and on."""
    table = start(scribe)
    hand, client = table.hand, scribe.client
    layout, prefix = client.abi.struct("in6_ndireq"), client.abi.struct("in6_prefix")

    def ask(name: str, request: str = "SIOCGIFINFO_IN6", **members: int) -> None:
        data = bytearray(layout.build(ifname=name.encode(), ndi=members))
        outcome = client.ioctl(hand.inet6, request, data)
        found = layout.parse(data).ndi
        shown = {key: value for key, value in found.items() if key not in ("_io", "reachable")}  # by chance
        scribe.write(f"{request} {name} {members}", (outcome.error, shown if outcome.error == 0 else {}))

    def change(name: str, **members: int) -> None:
        ask(name, "SIOCSIFINFO_IN6", **members)
        ask(name)

    def lists() -> None:
        for number in (19, 20):
            outcome, raw, told = client.sysctl([4, 24, 58, number], 4096)
            expiry = range(prefix.offset_of("expire"), prefix.offset_of("expire") + 8)  # by chance, where there is one
            shown = bytes(0 if at % prefix.size in expiry else byte for at, byte in enumerate(raw))
            scribe.write(f"list {number}", (outcome.error, hand.plain(shown), told))
            outcome, raw, told = client.sysctl([4, 24, 58, number], 40)
            scribe.write(f"list {number} in too little room", (outcome.error, told))

    make_shmif(hand, "shmif0", bus)
    hand.ask("SIOCIFCREATE", ifreq(client, "bridge0"))
    hand.all()
    for name in ("lo0", "shmif0", "bridge0", "none0"):
        ask(name)
    lists()
    hand.ask("SIOCAIFADDR_IN6", alias6(client, "shmif0", "2001:db8::1"), True)
    hand.set_flags("bridge0", 0x8803)
    ask("bridge0")
    lists()
    change("shmif0", flags=USUAL | PREFER, chlim=32, basereachable=20000, retrans=500)
    change("shmif0", flags=NUD | OVERRIDE)
    change("shmif0", flags=USUAL, linkmtu=1279)
    change("shmif0", flags=USUAL, linkmtu=1501)
    change("shmif0", flags=USUAL, linkmtu=1400)
    change("shmif0", flags=USUAL | DISABLED)
    hand.all()
    change("shmif0", flags=USUAL)
    hand.all()
    hand.ask("SIOCSPFXFLUSH_IN6", in6_ifreq(client, "lo0", "::"), True)
    lists()
    hand.ask("SIOCSRTRFLUSH_IN6", in6_ifreq(client, "lo0", "::"), True)
    hand.ask("SIOCDIFADDR_IN6", in6_ifreq(client, "shmif0", "2001:db8::1"), True)
    lists()
    make_shmif(hand, "shmif1", bus)
    hand.all()
    ask("shmif1")
    hand.ask("SIOCIFDESTROY", ifreq(client, "shmif0"))
    lists()
