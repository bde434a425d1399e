# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wireless interfaces: which network they are to be in, and how.

Sources: sys/net80211/ieee80211_ioctl.h, ieee80211_ioctl.c (ieee80211_ioctl), ifconfig(8)'s ieee80211.c.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any, Final

from ..netbsd import KernelError
from ..netbsd.constants import AF
from .interface_ioctls import InterfaceIoctls, encoded_name

SSID_LIMIT: Final = 32
"""Bytes of a network's name: IEEE80211_NWID_LEN."""
KEYS: Final = 4
"""Keys of WEP that an interface knows: IEEE80211_WEP_NKID."""
KEY_LIMIT: Final = 16
"""Bytes of a key: IEEE80211_KEYBUF_SIZE. The kernel takes twice as many, and overwrites other things with them."""
_KEY_ROOM: Final = 32
"""Bytes of a key that the kernel may tell of: with IEEE80211_MICBUF_SIZE more."""
ANY_CHANNEL: Final = 0xFFFF
_WEP: Final = 1


@dataclass(frozen=True)
class NetworkKeys:
    """The keys of WEP, by number less one, empty for none; ``transmit``, from 1, is the one that is sent with."""

    keys: tuple[bytes, ...]
    transmit: int = 1


@dataclass(frozen=True)
class Wireless:
    """A wireless interface. While it is in a network, ssid, bssid and channel are that network's, whatever was set."""

    ssid: bytes
    """The network; empty: any."""
    keys: NetworkKeys | None = field(repr=False)
    """None: packets are not encrypted, or not by WEP."""
    powersave: bool
    sleep: int
    """Milliseconds for which it sleeps at most."""
    bssid: bytes | None
    """The station that it is or is to be connected to; None: any."""
    channel: int | None
    """None: any."""


class WirelessIoctls(InterfaceIoctls):
    """Shaped by what ifconfig's ``ssid``, ``nwkey``, ``powersave``, ``bssid`` and ``chan`` do."""

    def wireless(self, name: str) -> Wireless | None:
        """What a wireless interface is set to; None: it is no wireless one."""
        abi = self._base.abi
        layout = abi.struct("ieee80211_nwid")
        try:
            self._pointed("SIOCG80211NWID", name, found := bytearray(layout.size), name, label="SIOCG80211NWID")
        except KernelError as error:
            if error.name in ("ENOTTY", "EINVAL", "EOPNOTSUPP", "ENODEV"):
                return None
            raise
        nwid = layout.parse(found)
        length = self._base.bounded(nwid.i_len, SSID_LIMIT, f"SIOCG80211NWID {name}")
        power = self._wireless("SIOCG80211POWER", "ieee80211_power", name)
        bssid = bytes(self._wireless("SIOCG80211BSSID", "ieee80211_bssid", name).i_bssid)
        channel = self._wireless("SIOCG80211CHANNEL", "ieee80211chanreq", name).i_channel
        return Wireless(
            ssid=bytes(nwid.i_nwid)[:length],
            keys=self._keys(name),
            powersave=bool(power.i_enabled),
            sleep=power.i_maxsleep,
            bssid=bssid if any(bssid) else None,
            channel=None if channel == ANY_CHANNEL else channel,
        )

    def _wireless(self, ioctl: str, structure: str, name: str, **members: Any) -> Any:
        """An ioctl whose argument begins with the interface's name: the argument afterwards."""
        layout = self._base.abi.struct(structure)
        request = bytearray(layout.build(i_name=encoded_name(name), **members))
        self._ioctl(AF.INET, ioctl, request, name)
        return layout.parse(request)

    def _keys(self, name: str) -> NetworkKeys | None:
        rooms = [bytearray(_KEY_ROOM) for _number in range(KEYS)]
        with contextlib.ExitStack() as stack:
            pointers = [stack.enter_context(self._base.session.lend(room)) for room in rooms]
            asked = [{"i_keylen": _KEY_ROOM, "i_keydat": pointer} for pointer in pointers]
            found = self._wireless("SIOCG80211NWKEY", "ieee80211_nwkey", name, i_key=asked)
        if not found.i_wepon:
            return None
        # A length below 0 is for a key that the hardware keeps to itself.
        lengths = [min(max(key.i_keylen, 0), _KEY_ROOM) for key in found.i_key]
        keys = (bytes(room[:length]) for room, length in zip(rooms, lengths, strict=True))
        return NetworkKeys(tuple(keys), found.i_defkid)

    def set_ssid(self, name: str, ssid: bytes) -> None:
        """Say which network the interface is to be in, or is to make; empty: any."""
        if len(ssid) > SSID_LIMIT:
            raise ValueError(f"a network's name has at most {SSID_LIMIT} bytes")
        request = self._base.abi.struct("ieee80211_nwid").build(i_len=len(ssid), i_nwid=ssid.ljust(SSID_LIMIT, b"\0"))
        self._pointed("SIOCS80211NWID", name, request, name, label="SIOCS80211NWID")

    def set_network_keys(self, name: str, wanted: NetworkKeys | None) -> None:
        """Encrypt with these keys; None: encrypt no more, and forget them.

        :raises KernelError: EINVAL, a key's length is none that the interface takes, or the one to send with is
            missing.
        """
        keys = wanted.keys if wanted else ()
        if any(len(key) > KEY_LIMIT for key in keys):
            raise ValueError(f"a key has at most {KEY_LIMIT} bytes")
        with contextlib.ExitStack() as stack:
            given: list[dict[str, int]] = []
            for number in range(KEYS):
                key = keys[number] if number < len(keys) else b""
                pointer = stack.enter_context(self._base.session.lend(key)) if key else 0
                given.append({"i_keylen": len(key), "i_keydat": pointer})
            self._wireless(
                "SIOCS80211NWKEY",
                "ieee80211_nwkey",
                name,
                i_wepon=_WEP if wanted else 0,
                i_defkid=wanted.transmit if wanted else 1,
                i_key=given,
            )

    def set_powersave(self, name: str, powersave: bool, sleep: int) -> None:
        """Let the hardware sleep, for ``sleep`` milliseconds at most.

        :raises KernelError: EINVAL, it cannot.
        """
        self._wireless("SIOCS80211POWER", "ieee80211_power", name, i_enabled=int(powersave), i_maxsleep=sleep)

    def set_bssid(self, name: str, bssid: bytes | None) -> None:
        """Say which station of the network the interface is to be connected to; None: any."""
        self._wireless("SIOCS80211BSSID", "ieee80211_bssid", name, i_bssid=bssid or bytes(6))

    def set_channel(self, name: str, channel: int | None) -> None:
        """Say which channel the interface is to use; None: any.

        :raises KernelError: EINVAL, the hardware does not have it.
        """
        number = ANY_CHANNEL if channel is None else channel
        self._wireless("SIOCS80211CHANNEL", "ieee80211chanreq", name, i_channel=number)
