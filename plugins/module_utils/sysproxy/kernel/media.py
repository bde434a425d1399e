# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Media words and the names that ifconfig(8) has for them (sys/net/if_media.h).

A word says the type (Ethernet), the subtype (100baseTX), options (full-duplex), the instance, and for a wireless
interface the mode (11g). Release 9 has more Ethernets than the five bits of former subtypes can number: it has three
bits more in the place of options that there are none of, so that all words can be read alike. Names of those: release
10.99.
"""

from __future__ import annotations

from typing import Final

_TYPE: Final = 0xE0
_SUBTYPE: Final = 0x1F
_MORE_SUBTYPES: Final = 0xE000
_MORE_SHIFT: Final = 8
_MODE: Final = 0x000F0000
_OPTIONS: Final = 0x0FF01F00
FULL_DUPLEX: Final = 0x00100000
_ETHER, _TOKEN, _FDDI, _WIRELESS, _CARP = 0x20, 0x40, 0x60, 0x80, 0xC0
TYPES: Final = {_ETHER: "Ethernet", _TOKEN: "TokenRing", _FDDI: "FDDI", _WIRELESS: "IEEE802.11", _CARP: "CARP"}

# From number 32 on, in order; a dash where there is none.
_LATER_ETHERNETS: Final = """
    1000BASE-SGMII 5GBASE-KR 10GBASE-AOC 10GBASE-CR1 10GBASE-ER 10GBASE-KR 10GBASE-KX4 10GBASE-LX4 10GBASE-SFI
    10GBASE-ZR 20GBASE-KR2 25GBASE-AOC 25G-AUI 25GBASE-CR 25GBASE-ACC 25GBASE-CR-S 25GBASE-ER 25GBASE-KR
    25GBASE-KR-S 25GBASE-LR 25GBASE-SR 25GBASE-T 40GBASE-AOC 40GBASE-CR4 40GBASE-ER4 40GBASE-FR 40GBASE-KR4
    40GBASE-LR4 40GBASE-SR4 40GBASE-T 40G-XLPPI 50GAUI-1 50GAUI-2 50GBASE-CR 50GBASE-CR2 50GBASE-FR 50GBASE-KR
    50GBASE-KR2 50GLAUI-2 50GBASE-LR - 50GBASE-SR 50GBASE-SR2 56GBASE-R4 100GBASE-CR2 100GBASE-CR4
    100GBASE-CR10 100GBASE-DR 100GBASE-ER4 100GBASE-KP4 100GBASE-KR2 100GBASE-KR4 100GBASE-LR4 100GBASE-SR2
    100GBASE-SR4 100GBASE-SR10 200GBASE-CR2 200GBASE-CR4 200GBASE-DR4 200GBASE-FR4 200GBASE-KR2 200GBASE-KR4
    200GBASE-LR4 200GBASE-SR4 400GBASE-CR4 400GBASE-DR4 400GBASE-FR8 400GBASE-KR4 400GBASE-LR8 400GBASE-SR16
    100GBASE-ACC 100GBASE-AOC 100GBASE-FR 100GBASE-LR 200GBASE-ER4 400GBASE-ER8 400GBASE-FR4 400GBASE-LR4
    400GBASE-SR4.2 400GBASE-SR8
"""
# By type, 0 for all of them; the subtypes by number, each with its names, of which the first is printed.
_SUBTYPES: Final[dict[int, dict[int, tuple[str, ...]]]] = {
    0: {0: ("autoselect", "auto"), 1: ("manual",), 2: ("none",)},
    _ETHER: {
        3: ("10baseT", "10baseT/UTP", "UTP", "10UTP", "10BASE-T"),
        4: ("10base2", "10base2/BNC", "BNC", "10BNC"),
        5: ("10base5", "10base5/AUI", "AUI", "10AUI"),
        6: ("100baseTX", "100TX", "100BASE-TX"),
        7: ("100baseFX", "100FX", "100BASE-FX"),
        8: ("100baseT4", "100T4", "100BASE-T4"),
        9: ("100baseVG", "100VG", "100VG-AnyLAN"),
        10: ("100baseT2", "100T2", "100BASE-T2"),
        11: ("1000baseSX", "1000SX", "1000BASE-SX"),
        12: ("10baseSTP", "STP", "10STP", "10BASE-STP"),
        13: ("10baseFL", "FL", "10FL", "10BASE-FL"),
        14: ("1000baseLX", "1000LX", "1000BASE-LX"),
        15: ("1000baseCX", "1000CX", "1000BASE-CX"),
        16: ("1000baseT", "1000T", "1000BASE-T"),
        17: ("HomePNA1", "HPNA1"),
        18: ("10GbaseLR", "10GLR", "10GBASE-LR"),
        19: ("10GbaseSR", "10GSR", "10GBASE-SR"),
        20: ("10GbaseCX4", "10GCX4", "10GBASE-CX4"),
        21: ("2500baseSX", "2500SX"),
        22: ("1000BASE-BX10",),
        23: ("10Gbase-Twinax",),
        24: ("10Gbase-Twinax-Long",),
        25: ("10Gbase-LRM",),
        26: ("10Gbase-T",),
        27: ("1000BASE-KX", "1000baseKX"),
        28: ("2500BASE-KX", "2500baseKX"),
        29: ("2.5GBASE-T", "2500baseT"),
        30: ("5GBASE-T", "5GbaseT"),
        31: ("Other",),
        **{number: (name,) for number, name in enumerate(_LATER_ETHERNETS.split(), 32) if name != "-"},
    },
    _TOKEN: {
        3: ("DB9/4Mbit", "4STP"),
        4: ("DB9/16Mbit", "16STP"),
        5: ("UTP/4Mbit", "4UTP"),
        6: ("UTP/16Mbit", "16UTP"),
    },
    _FDDI: {3: ("Single-mode", "SMF"), 4: ("Multi-mode", "MMF"), 5: ("UTP", "CDDI")},
    _WIRELESS: {
        **dict(enumerate((("FH1",), ("FH2",), ("DS2",), ("DS5",), ("DS11",), ("DS1",), ("DS22",)), 3)),
        **dict(enumerate((("OFDM6",), ("OFDM9",), ("OFDM12",), ("OFDM18",), ("OFDM24",), ("OFDM36",)), 10)),
        **dict(enumerate((("OFDM48",), ("OFDM54",), ("OFDM72",), ("DS/354Kbps",), ("DS/512Kbps",)), 16)),
        **dict(enumerate((("OFDM/3Mbps",), ("OFDM/4.5Mbps",), ("OFDM/27Mbps",), ("HT",), ("VHT",)), 21)),
    },
}
# By type, 0 for all of them; the options by bit.
_OPTION_NAMES: Final[dict[int, dict[int, tuple[str, ...]]]] = {
    0: {
        0x00100000: ("full-duplex", "fdx"),
        0x00200000: ("half-duplex", "hdx"),
        0x00400000: ("flowcontrol", "flow"),
        0x01000000: ("flag0",),
        0x02000000: ("flag1",),
        0x04000000: ("flag2",),
        0x08000000: ("loopback", "hw-loopback", "loop"),
    },
    _ETHER: {0x100: ("master",), 0x200: ("rxpause",), 0x400: ("txpause",)},
    _TOKEN: {0x200: ("EarlyTokenRelease", "ETR"), 0x400: ("SourceRouting", "SRCRT"), 0x800: ("AllRoutes", "ALLR")},
    _FDDI: {0x100: ("dual-attach", "das")},
    _WIRELESS: {
        0x100: ("adhoc",),
        0x200: ("hostap",),
        0x400: ("monitor",),
        0x800: ("turbo",),
        0x1000: ("ibss",),
        0x2000: ("wds",),
        0x4000: ("mesh",),
    },
}
MODES: Final = {
    "autoselect": 0,
    **{
        name: number << 16
        for number, name in enumerate(("11a", "11b", "11g", "fh", "11na", "11ng", "11ac", "11ac2"), 1)
    },
}
"""Modes of wireless interfaces, by name."""


def type_name(word: int) -> str:
    """The type of a medium, such as ``Ethernet``."""
    return TYPES.get(word & _TYPE, f"{word & _TYPE:#x}")


def subtype_name(word: int) -> str:
    """A medium's name, such as ``100baseTX``."""
    kind, number = word & _TYPE, word & _SUBTYPE
    if kind == _ETHER:
        number |= (word & _MORE_SUBTYPES) >> _MORE_SHIFT
    for group in (0, kind):
        if number in _SUBTYPES.get(group, {}):
            return _SUBTYPES[group][number][0]
    return str(number)


def option_names(word: int) -> list[str]:
    """A medium's options, such as ``full-duplex``."""
    kind = word & _TYPE
    known = _OPTION_NAMES[0] | _OPTION_NAMES.get(kind, {})
    return [names[0] for bit, names in known.items() if word & bit]


def subtype(kind: int, name: str) -> int | None:
    """The word of a medium by its name, of the type of the word ``kind``; None: there is none of that name."""
    for group in (0, kind & _TYPE):
        for number, names in _SUBTYPES.get(group, {}).items():
            if name.lower() in map(str.lower, names):
                return (kind & _TYPE) | (number & _SUBTYPE) | (number & ~_SUBTYPE) << _MORE_SHIFT
    return None


def option(kind: int, name: str) -> int | None:
    """The bit of an option by its name, for media of the type of the word ``kind``; None: there is none."""
    for bit, names in (_OPTION_NAMES[0] | _OPTION_NAMES.get(kind & _TYPE, {})).items():
        if name.lower() in map(str.lower, names):
            return bit
    return None


def without_options(word: int) -> int:
    """The same medium, in the same mode, with no options."""
    return word & ~(_OPTIONS if word & _TYPE == _ETHER else _OPTIONS | _MORE_SUBTYPES)


def is_wireless(word: int) -> bool:
    return word & _TYPE == _WIRELESS


def mode_name(word: int) -> str | None:
    """The mode of a wireless medium, such as ``11g``; None for media that have none, or choose it themselves."""
    if not is_wireless(word) or not word & _MODE:
        return None
    number = word & _MODE
    return next((name for name, bits in MODES.items() if bits == number), str(number >> 16))


def in_mode(word: int, mode: str) -> int | None:
    """The same medium in another mode, or None: there is none of that name."""
    bits = MODES.get("autoselect" if mode.lower() == "auto" else mode.lower())
    return None if bits is None or not is_wireless(word) else word & ~_MODE | bits
