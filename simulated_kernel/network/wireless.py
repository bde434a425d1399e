# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""iwnN: a wireless device, with no network in its reach (sys/net80211, ieee80211_ioctl.c and ieee80211.c).

It has the channels of 2.4 GHz in the modes 11b and 11g, and may be a station, an access point, or listen. An access
point, and one that makes a network of its own, is in that network as soon as it has a channel; looking for a free one
by itself takes the device longer than anybody waits here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..changes import mark_change
from ..errors import refuse
from .interfaces import (
    DLT_EN10MB,
    ETHERNET_FLAGS,
    ETHERNET_MTU,
    IFF_RUNNING,
    IFF_UP,
    IFT_ETHER,
    LINK_STATE_DOWN,
    Ethernet,
    InterfaceKind,
)
from .media import tell_media

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest
    from .stack import NetworkStack

INIT, SCAN, RUN = 0, 1, 4
WIRELESS = 0x80
ADHOC, HOSTAP, MONITOR = 0x100, 0x200, 0x400
ROLES = (0, ADHOC, HOSTAP, MONITOR)
"""A station, and the options of media for what else it can be."""
SUBTYPE, MODE = 0x1F, 0x70000
MODE_11B, MODE_11G = 0x20000, 0x30000
SLOWEST = 8
RATES_11B = (SLOWEST, 5, 6, 7)
RATES_11G = (SLOWEST, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17)
"""Subtypes: DS1, DS2, DS5 and DS11, and OFDM6 to OFDM54."""
MEDIA = tuple(
    WIRELESS | mode | rate | role
    for mode, rates in ((0, (0,)), (MODE_11B, (0, *RATES_11B)), (MODE_11G, (0, *RATES_11G)), (0, RATES_11G))
    for rate in rates
    for role in ROLES
)
AVAILABLE, ACTIVE = 0x1, 0x2
CHANNELS = range(1, 15)
ANY_CHANNEL = 0xFFFF
KEYS, SHORTEST_KEY, LONGEST_KEY = 4, 5, 32
NO_KEY = 0xFFFF
SSID_LIMIT = 32
MTU_LIMITS = (32, 2290)
LISTEN_INTERVAL = 100


class Wireless(Ethernet):
    """A wireless interface. The kernel has it from its start on, and cannot make another one."""

    kind = InterfaceKind(
        "iwn", "rumpdev_pci_if_iwn", IFT_ETHER, ETHERNET_FLAGS, ETHERNET_MTU, 14, 54_000_000, b"\xb2\x11", DLT_EN10MB
    )

    def __init__(self, stack: NetworkStack, name: str, index: int) -> None:
        super().__init__(stack, name, index)
        self.state = INIT
        self.ssid = b""
        self.bssid = bytes(6)
        self.channel: int | None = None
        self.own_channel = CHANNELS[0]
        """The one of a network that it makes itself."""
        self.keys = [b""] * KEYS
        self.sends_with = NO_KEY
        self.encrypts = False
        self.saves_power = False
        self.sleep = LISTEN_INTERVAL
        self.medium = WIRELESS

    # State

    @property
    def role(self) -> int:
        return self.medium & (ADHOC | HOSTAP | MONITOR)

    def _enter(self, state: int) -> None:
        before, self.state = self.state, state
        if state != RUN and before == RUN and not self.role:
            # What is a station now leaves its network, also one that it was no station of.
            self.link_state = LINK_STATE_DOWN
            self.stack.interface_down(self)

    def start(self) -> None:
        super().start()
        self._enter(INIT)
        finds_itself = self.role == MONITOR or (self.role and self.channel is not None)
        self._enter(RUN if finds_itself else SCAN)

    def stop(self) -> None:
        self._enter(INIT)
        super().stop()

    def _changed(self) -> None:
        """ENETRESET, which starts it anew."""
        mark_change()
        if self.flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING:
            self.start()

    # Ioctls

    async def ioctl(self, request: IoctlRequest) -> None:
        match request.name:
            case "SIOCS80211NWID":
                await self._set_ssid(request)
            case "SIOCG80211NWID":
                ssid = b"" if self.role == MONITOR and self.state == RUN else self.ssid
                told = request.abi.struct("ieee80211_nwid").build(i_len=len(ssid), i_nwid=ssid.ljust(SSID_LIMIT, b"\0"))
                await request.memory.copyout(request.struct("ifreq").ifr_ifru.ifru_data, told)
            case "SIOCS80211NWKEY":
                await self._set_keys(request)
            case "SIOCG80211NWKEY":
                await self._tell_keys(request)
            case "SIOCS80211POWER":
                asked = request.struct("ieee80211_power")
                before = (self.saves_power, self.sleep)
                self.saves_power, self.sleep = bool(asked.i_enabled), asked.i_maxsleep & 0xFFFF
                if (self.saves_power, self.sleep) != before:
                    self._changed()
            case "SIOCG80211POWER":
                request.put_struct(
                    "ieee80211_power",
                    i_name=self.name.encode(),
                    i_enabled=int(self.saves_power),
                    i_maxsleep=self.sleep,
                )
            case "SIOCS80211BSSID":
                before_bssid, self.bssid = self.bssid, bytes(request.struct("ieee80211_bssid").i_bssid)
                if self.bssid != before_bssid:
                    self._changed()
            case "SIOCG80211BSSID":
                request.put_struct("ieee80211_bssid", i_name=self.name.encode(), i_bssid=self._told_bssid())
            case "SIOCS80211CHANNEL":
                self._set_channel(request)
            case "SIOCG80211CHANNEL":
                in_own = self.role or self.state == RUN
                told_channel = self.own_channel if in_own else self.channel
                request.put_struct(
                    "ieee80211chanreq",
                    i_name=self.name.encode(),
                    i_channel=ANY_CHANNEL if told_channel is None else told_channel,
                )
            case "SIOCGIFMEDIA":
                status = AVAILABLE | (ACTIVE if self.state == RUN else 0)
                active = self._active_medium()
                await tell_media(request, MEDIA, current=self.medium, active=active, status=status)
            case "SIOCSIFMEDIA":
                wanted = request.struct("ifreq").ifr_ifru.ifru_value
                request.notes["media"] = hex(wanted)
                if wanted not in MEDIA:
                    raise refuse("EINVAL")
                if wanted != self.medium:
                    self.medium = wanted
                    self._changed()
            case "SIOCSIFMTU":
                self.set_mtu_within(request, *MTU_LIMITS)
            case _:
                self.ether_ioctl(request)

    async def _set_ssid(self, request: IoctlRequest) -> None:
        asked = await request.memory.struct("ieee80211_nwid", request.struct("ifreq").ifr_ifru.ifru_data)
        if asked.i_len > SSID_LIMIT:
            raise refuse("EINVAL")
        before, self.ssid = self.ssid, bytes(asked.i_nwid)[: asked.i_len]
        if self.ssid != before:
            self._changed()

    async def _set_keys(self, request: IoctlRequest) -> None:
        asked = request.struct("ieee80211_nwkey")
        number = asked.i_defkid - 1
        if not 0 <= number < KEYS:
            raise refuse("EINVAL")
        length = asked.i_key[number].i_keylen
        if asked.i_wepon and (length == 0 or (length == -1 and not self.keys[number])):
            raise refuse("EINVAL")
        lengths = [key.i_keylen for key in asked.i_key]
        if any(0 < length < SHORTEST_KEY or length > LONGEST_KEY for length in lengths):
            raise refuse("EINVAL")
        before = (self.keys, self.sends_with, self.encrypts)
        self.keys = [
            await request.memory.copyin(key.i_keydat, key.i_keylen) if key.i_keylen > 0 else b"" for key in asked.i_key
        ]
        self.sends_with, self.encrypts = number, bool(asked.i_wepon)
        if (self.keys, self.sends_with, self.encrypts) != before:
            self._changed()

    async def _tell_keys(self, request: IoctlRequest) -> None:
        asked = request.struct("ieee80211_nwkey")
        told = []
        for key, wanted in zip(self.keys, asked.i_key, strict=True):
            length = wanted.i_keylen
            if wanted.i_keydat:
                length = len(key)
                await request.memory.copyout(wanted.i_keydat, key)
            told.append({"i_keylen": length, "i_keydat": wanted.i_keydat})
        request.put_struct(
            "ieee80211_nwkey",
            i_name=self.name.encode(),
            i_wepon=int(self.encrypts),
            i_defkid=self.sends_with + 1,
            i_key=told,
        )

    def _told_bssid(self) -> bytes:
        if self.role == HOSTAP:
            return self.hardware_address
        if self.state == RUN and not any(self.bssid) and self.role == ADHOC:
            return bytes([self.hardware_address[0] | 2]) + self.hardware_address[1:]
        return self.bssid

    def _set_channel(self, request: IoctlRequest) -> None:
        wanted = request.struct("ieee80211chanreq").i_channel
        request.notes["channel"] = wanted
        if wanted != ANY_CHANNEL and wanted not in CHANNELS:
            raise refuse("EINVAL")
        before, own_before = self.channel, self.own_channel
        self.channel = None if wanted == ANY_CHANNEL else wanted
        self.own_channel = self.channel or self.own_channel
        if self.own_channel != own_before or (self.channel != before and self.state != RUN):
            self._changed()
        elif self.channel != before:
            mark_change()

    def _active_medium(self) -> int:
        """What it uses where the choice is left to it (ieee80211_media_status)."""
        word = self.medium
        if not self.role and self.state != INIT and not word & SUBTYPE:
            return word | SLOWEST
        if self.role in (ADHOC, HOSTAP) and self.state == RUN and not word & MODE:
            return word | MODE_11B
        return word
