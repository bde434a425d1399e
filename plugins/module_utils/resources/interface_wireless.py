# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rump_ifconfig asks of a wireless interface: its network, and the keys to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..sysproxy import Kernel
from ..sysproxy.kernel.interfaces import Interface
from ..sysproxy.kernel.wireless import KEYS, SSID_LIMIT, NetworkKeys, Wireless
from .failures import OptionError
from .interface_carp import ANOTHER
from .interface_state import Draft
from .internet import parse_link_address

_KEY_SIZES: Final = (5, 13, 16)
_MOST_MILLISECONDS: Final = 65535
_LAST_CHANNEL: Final = 255
_PSEUDO: Final = frozenset(
    ("agr", "bridge", "carp", "faith", "gif", "gre", "ipsec", "l2tp", "lagg", "lo", "mpls", "npflog", "pflog", "pfsync",
     "ppp", "pppoe", "shmif", "sl", "srt", "stf", "strip", "tap", "tun", "vether", "virt", "vlan", "wg")
)  # fmt: skip
"""Kinds of interfaces that are no devices, and so not wireless."""


@dataclass(frozen=True)
class WantedWireless:
    """The options in their normal form. None stands for what is left as it is."""

    ssid: bytes | None = None
    """Empty: any."""
    keys: NetworkKeys | None = field(default=None, repr=False)
    no_keys: bool = False
    powersave: bool | None = None
    sleep: int | None = None
    bssid: bytes | None = None
    """Empty: any."""
    channel: int | None = None
    """0: any."""


def normalize(given: Mapping[str, Any] | None) -> WantedWireless | None:
    """Check the option without a kernel.

    :raises OptionError: something in it is wrong.
    """
    if given is None:
        return None
    sleep, channel, bssid = given.get("powersavesleep"), given.get("channel"), given.get("bssid")
    if sleep is not None and not 0 <= sleep <= _MOST_MILLISECONDS:
        raise OptionError("wireless", f"powersavesleep {sleep} is out of range: give 0 to {_MOST_MILLISECONDS} ms")
    if channel is not None and not 0 <= channel <= _LAST_CHANNEL:
        raise OptionError("wireless", f"channel {channel} is out of range: give 1 to {_LAST_CHANNEL}, or 0 for any")
    ssid = None if given.get("ssid") is None else _bytes("ssid", given["ssid"])
    if ssid is not None and len(ssid) > SSID_LIMIT:
        raise OptionError("wireless", f"ssid has {len(ssid)} bytes, and at most {SSID_LIMIT} are possible")
    nwkey = given.get("nwkey")
    return WantedWireless(
        ssid=ssid,
        keys=_keys(nwkey) if nwkey else None,
        no_keys=nwkey == "",
        powersave=given.get("powersave"),
        sleep=sleep,
        bssid=None if bssid is None else (parse_link_address("wireless", bssid) if bssid else b""),
        channel=channel,
    )


def _bytes(name: str, text: str) -> bytes:
    """A text, or bytes in hexadecimal after ``0x``, as ifconfig(8) takes them."""
    if not text.lower().startswith("0x"):
        return text.encode("utf-8", "surrogateescape")
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        # It may be secret.
        raise OptionError("wireless", f"{name} begins with 0x, and no hexadecimal digits in pairs follow") from None


def _keys(text: str) -> NetworkKeys:
    """A key, or ``N:KEY,KEY,KEY,KEY`` with the number of the one that is sent with."""
    several = re.fullmatch(r"([1-9]):(.*)", text, re.DOTALL)
    texts = several[2].split(",") if several else [text]
    transmit = int(several[1]) if several else 1
    keys = tuple(_bytes("nwkey", one) for one in texts)
    if len(keys) > KEYS or (several and len(keys) < KEYS) or transmit > KEYS:
        raise OptionError("wireless", f"nwkey is a key, or N:KEY,KEY,KEY,KEY with the number N, 1 to {KEYS}, of one")
    if any(key and len(key) not in _KEY_SIZES for key in keys):
        raise OptionError("wireless", "a key of nwkey has 5 or 13 characters, or 10 or 26 hexadecimal digits after 0x")
    if not keys[transmit - 1]:
        raise OptionError("wireless", f"nwkey has no key number {transmit}, which is to be sent with")
    return NetworkKeys(keys + (b"",) * (KEYS - len(keys)), transmit)


def read(kernel: Kernel, found: Interface, kind: str) -> Wireless | None:
    """What a wireless interface is set to, None for others. ``kind`` is its name without the number."""
    return None if kind in _PSEUDO else kernel.interfaces.wireless(found.name)


def describe(found: Wireless) -> dict[str, Any]:
    """In the module's terms; keys are not shown."""
    return {
        "wireless": {
            "ssid": _text(found.ssid),
            "has_nwkey": found.keys is not None,
            "powersave": found.powersave,
            "powersavesleep": found.sleep,
            "bssid": found.bssid.hex(":") if found.bssid else None,
            "channel": found.channel,
        }
    }


def _text(ssid: bytes) -> str:
    """As it would be given."""
    try:
        text = ssid.decode()
    except UnicodeDecodeError:
        return f"0x{ssid.hex()}"
    return text if text.isprintable() and not text.lower().startswith("0x") else f"0x{ssid.hex()}"


def plan(draft: Draft, wanted: WantedWireless, found: Wireless | None, in_network: bool) -> None:
    """What a wireless interface is to be set to.

    An interface that is in a network tells of that one, so that it cannot be seen whether any other would do, too;
    it is left alone then.
    """
    interfaces, name = draft.kernel.interfaces, draft.name
    if found is None:
        raise OptionError(
            "wireless", f"{name} is no wireless interface", call="SIOCG80211NWID", object=name, errno="ENOTTY"
        )
    after = dict(draft.after["wireless"])
    if wanted.keys is not None and wanted.keys != found.keys:
        keys = wanted.keys
        draft.add(f"set the nwkey of {name}", lambda: interfaces.set_network_keys(name, keys))
        after["has_nwkey"] = True
        if found.keys is not None:
            after["nwkey"] = ANOTHER
    elif wanted.no_keys and found.keys is not None:
        draft.add(f"take the nwkey of {name} away", lambda: interfaces.set_network_keys(name, None))
        after["has_nwkey"] = False
    if wanted.bssid is not None and wanted.bssid != (found.bssid or b"") and (wanted.bssid or not in_network):
        bssid = wanted.bssid or None
        # A host that makes a network of its own shows its own address.
        is_own = draft.found is not None and bssid is None and found.bssid == draft.found.link_address
        if not is_own:
            after["bssid"] = bssid.hex(":") if bssid else None
            draft.add(
                f"set the bssid of {name} to {after['bssid'] or 'any'}", lambda: interfaces.set_bssid(name, bssid)
            )
    if wanted.channel is not None and wanted.channel != (found.channel or 0) and (wanted.channel or not in_network):
        channel = wanted.channel or None
        draft.add(f"set the channel of {name} to {channel or 'any'}", lambda: interfaces.set_channel(name, channel))
        after["channel"] = channel
    if wanted.ssid is not None and wanted.ssid != found.ssid and (wanted.ssid or not in_network):
        ssid = wanted.ssid
        draft.add(f"set the ssid of {name} to {_text(ssid) or 'any'}", lambda: interfaces.set_ssid(name, ssid))
        after["ssid"] = _text(ssid)
    powersave = found.powersave if wanted.powersave is None else wanted.powersave
    sleep = found.sleep if wanted.sleep is None else wanted.sleep
    if (powersave, sleep) != (found.powersave, found.sleep):
        draft.add(
            f"set {'' if powersave else '-'}powersave, powersavesleep {sleep} of {name}",
            lambda: interfaces.set_powersave(name, powersave, sleep),
        )
        after |= {"powersave": powersave, "powersavesleep": sleep}
    draft.after["wireless"] = after


def restore(kernel: Kernel, name: str, found: Wireless) -> None:
    """Set it to what it was."""
    interfaces = kernel.interfaces
    held = interfaces.wireless(name) or found
    if held.keys != found.keys:
        interfaces.set_network_keys(name, found.keys)
    if held.bssid != found.bssid:
        interfaces.set_bssid(name, found.bssid)
    if held.channel != found.channel:
        interfaces.set_channel(name, found.channel)
    if held.ssid != found.ssid:
        interfaces.set_ssid(name, found.ssid)
    if (held.powersave, held.sleep) != (found.powersave, found.sleep):
        interfaces.set_powersave(name, found.powersave, found.sleep)
