# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a real kernel told of carp and wireless interfaces that NetBSD's ifconfig had set up, byte for byte.

``carp0 vhid 7 advskew 100 pass secret carpdev shmif0`` and ``iwn0 ssid attic nwkey 2:… powersave powersavesleep 55
chan 6 bssid 00:11:22:33:44:55``. This ifconfig leaves out the password's last character.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import AMD64

NAME = "69776e30" + 12 * "00"


@pytest.mark.parametrize(
    ("structure", "told", "members"),
    [
        (
            "carpreq",
            "00000000 73686d69663000000000000000000000 07000000 64000000 01000000" + "7365637265" + 15 * "00",
            {
                "carpr_state": 0,
                "carpr_carpdev": b"shmif0",
                "carpr_vhid": 7,
                "carpr_advskew": 100,
                "carpr_advbase": 1,
                "carpr_key": b"secre".ljust(20, b"\0"),
            },
        ),
        ("ieee80211_nwid", "056174746963" + 27 * "00", {"i_len": 5, "i_nwid": b"attic".ljust(32, b"\0")}),
        ("ieee80211_power", f"{NAME} 01000000 37000000", {"i_name": b"iwn0", "i_enabled": 1, "i_maxsleep": 55}),
        ("ieee80211_bssid", f"{NAME} 001122334455", {"i_name": b"iwn0", "i_bssid": bytes.fromhex("001122334455")}),
        ("ieee80211chanreq", f"{NAME} 0600", {"i_name": b"iwn0", "i_channel": 6}),
        (
            "ieee80211_nwkey",
            f"{NAME} 01000000 02000000" + 64 * "00",
            {"i_name": b"iwn0", "i_wepon": 1, "i_defkid": 2},
        ),
    ],
)
def test_what_the_kernel_told(structure: str, told: str, members: dict[str, Any]) -> None:
    layout, raw = AMD64.struct(structure), bytes.fromhex(told)
    assert layout.size == len(raw)
    parsed = layout.parse(raw)
    assert {name: parsed[name] for name in members} == members
    assert layout.build(**members) == raw
