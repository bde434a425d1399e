# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Media words: their numbers are if_media.h's, and their names lead back to them."""

from __future__ import annotations

from typing import Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel import media
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import table

ETHERNET, WIRELESS = 0x20, 0x80
IFM: Final = {row[0]: int(row[1]) for row in table("constants") if row[0].startswith("IFM_")}
ETHERNET_NAMES: Final = {
    "10_T": "10baseT",
    "10_2": "10base2",
    "10_5": "10base5",
    "100_TX": "100baseTX",
    "100_FX": "100baseFX",
    "100_T4": "100baseT4",
    "100_VG": "100baseVG",
    "100_T2": "100baseT2",
    "1000_SX": "1000baseSX",
    "10_STP": "10baseSTP",
    "10_FL": "10baseFL",
    "1000_LX": "1000baseLX",
    "1000_CX": "1000baseCX",
    "1000_T": "1000baseT",
    "HPNA_1": "HomePNA1",
    "10G_LR": "10GbaseLR",
    "10G_SR": "10GbaseSR",
    "10G_CX4": "10GbaseCX4",
    "2500_SX": "2500baseSX",
    "1000_BX10": "1000BASE-BX10",
    "10G_TWINAX": "10Gbase-Twinax",
    "10G_TWINAX_LONG": "10Gbase-Twinax-Long",
    "10G_LRM": "10Gbase-LRM",
    "10G_T": "10Gbase-T",
}
OPTIONS: Final = {
    "FDX": "full-duplex",
    "HDX": "half-duplex",
    "FLOW": "flowcontrol",
    "FLAG0": "flag0",
    "LOOP": "loopback",
    "ETH_MASTER": "master",
    "ETH_RXPAUSE": "rxpause",
    "ETH_TXPAUSE": "txpause",
}


@pytest.mark.parametrize("name", ETHERNET_NAMES)
def test_ethernet(name: str) -> None:
    word = IFM["IFM_ETHER"] | IFM[f"IFM_{name}"]
    assert media.subtype_name(word) == ETHERNET_NAMES[name]
    assert media.subtype(ETHERNET, ETHERNET_NAMES[name].lower()) == word
    assert media.type_name(word) == "Ethernet"


@pytest.mark.parametrize("name", OPTIONS)
def test_options(name: str) -> None:
    bit = IFM[f"IFM_{name}"]
    assert media.option_names(ETHERNET | bit) == [OPTIONS[name]]
    assert media.option(ETHERNET, OPTIONS[name]) == bit
    assert media.without_options(ETHERNET | 6 | bit) == ETHERNET | 6


@pytest.mark.parametrize(
    ("name", "shown"),
    [("FH1", "FH1"), ("DS1", "DS1"), ("DS11", "DS11"), ("OFDM6", "OFDM6"), ("OFDM54", "OFDM54"), ("OFDM72", "OFDM72"),
     ("OFDM27", "OFDM/27Mbps")],
)  # fmt: skip
def test_wireless(name: str, shown: str) -> None:
    word = WIRELESS | IFM[f"IFM_IEEE80211_{name}"]
    assert media.subtype_name(word) == shown
    assert media.subtype(WIRELESS, shown) == word


def test_names_of_all_types() -> None:
    assert media.subtype_name(ETHERNET) == media.subtype_name(WIRELESS) == "autoselect"
    assert media.subtype(ETHERNET, "auto") == ETHERNET
    assert media.subtype(ETHERNET, "none") == ETHERNET | IFM["IFM_NONE"]
    assert media.option(ETHERNET, "FDX") == IFM["IFM_FDX"]


@pytest.mark.parametrize(
    ("word", "name"),
    [
        (0x20 | 27, "1000BASE-KX"),
        (0x20 | 29, "2.5GBASE-T"),
        (0x20 | 31, "Other"),
        (0x2020, "1000BASE-SGMII"),
        (0x2025, "10GBASE-KR"),
        (0x2034, "25GBASE-SR"),
        (0x402B, "56GBASE-R4"),
        (0x602F, "400GBASE-SR8"),
    ],
)
def test_ethernets_of_release_9_and_later(word: int, name: str) -> None:
    """Their numbers have their upper three bits in 0xe000 (IFM_ETHER_SUBTYPE)."""
    assert media.subtype_name(word) == name
    assert media.subtype(ETHERNET, name) == word
    assert media.option_names(word) == []
    assert media.without_options(word | IFM["IFM_FDX"] | IFM["IFM_ETH_MASTER"]) == word


@pytest.mark.parametrize("name", ["11a", "11b", "11g", "11na", "11ng"])
def test_modes(name: str) -> None:
    word = WIRELESS | 10 | IFM[f"IFM_IEEE80211_{name.upper()}"]
    assert media.mode_name(word) == name
    assert media.subtype_name(word) == "OFDM6"
    assert media.in_mode(WIRELESS | 10, name) == word
    assert media.in_mode(word, "auto") == WIRELESS | 10
    assert media.mode_name(WIRELESS | 10) is None
    assert media.in_mode(ETHERNET, name) is None
    assert media.in_mode(word, "11x") is None


def test_what_has_no_name() -> None:
    assert media.subtype(ETHERNET, "OFDM6") is None
    assert media.option(ETHERNET, "adhoc") is None
    assert media.subtype_name(ETHERNET | 0x4008) == "72"
    assert media.subtype_name(WIRELESS | 31) == "31"
    assert media.type_name(0xE0) == "0xe0"
