# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is below an interface's addresses: flags, metric, link-level address, media, capabilities, description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..sysproxy import Kernel
from ..sysproxy.kernel import media
from ..sysproxy.kernel.interface_link import DESCRIPTION_LIMIT, Capabilities, Media
from ..sysproxy.kernel.interfaces import Interface
from ..sysproxy.netbsd.constants import IFCAP, IFF
from ..sysproxy.netbsd.releases import name_of
from .failures import OptionError
from .interface_state import Draft, answers
from .internet import parse_link_address

FLAGS: Final = {"debug": IFF.DEBUG, "link0": IFF.LINK0, "link1": IFF.LINK1, "link2": IFF.LINK2}
"""The flags that options set. Option arp sets NOARP, the other way round."""

CAPABILITIES: Final = {
    "tso4": IFCAP.TSOv4,
    "ip4csum-rx": IFCAP.CSUM_IPv4_Rx,
    "ip4csum-tx": IFCAP.CSUM_IPv4_Tx,
    "tcp4csum-rx": IFCAP.CSUM_TCPv4_Rx,
    "tcp4csum-tx": IFCAP.CSUM_TCPv4_Tx,
    "udp4csum-rx": IFCAP.CSUM_UDPv4_Rx,
    "udp4csum-tx": IFCAP.CSUM_UDPv4_Tx,
    "tcp6csum-rx": IFCAP.CSUM_TCPv6_Rx,
    "tcp6csum-tx": IFCAP.CSUM_TCPv6_Tx,
    "udp6csum-rx": IFCAP.CSUM_UDPv6_Rx,
    "udp6csum-tx": IFCAP.CSUM_UDPv6_Tx,
    "tso6": IFCAP.TSOv6,
    "lro": IFCAP.LRO,
}
"""Capabilities by ifconfig(8)'s words."""
_BOTH: Final = {
    word: CAPABILITIES[f"{word}-rx"] | CAPABILITIES[f"{word}-tx"]
    for word in ("ip4csum", "tcp4csum", "udp4csum", "tcp6csum", "udp6csum")
}


@dataclass(frozen=True)
class WantedLink:
    """The options in their normal form. None stands for what is left as it is."""

    flags: dict[IFF, bool]
    metric: int | None = None
    lladdr: bytes | None = None
    media: str | None = None
    mediaopt: tuple[str, ...] | None = None
    mode: str | None = None
    capabilities: IFCAP | None = None
    description: str | None = None


_STATUS: Final = 0x3
"""IFM_AVALID and IFM_ACTIVE of a medium's status."""
_INCAPABLE: Final = Capabilities(IFCAP(0), IFCAP(0))


@dataclass(frozen=True)
class FoundLink:
    """What the kernel has."""

    media: Media | None = None
    capabilities: Capabilities = _INCAPABLE
    description: str = ""


def normalize(parameters: Mapping[str, Any]) -> WantedLink:
    """Check the options without a kernel.

    :raises OptionError: one is wrong.
    """
    flags = {flag: bool(parameters[name]) for name, flag in FLAGS.items() if parameters.get(name) is not None}
    if parameters.get("arp") is not None:
        flags[IFF.NOARP] = not parameters["arp"]
    metric = parameters.get("metric")
    if metric is not None and not 0 <= metric <= 0x7FFFFFFF:
        raise OptionError("metric", f"{metric} is no metric: give 0 to {0x7FFFFFFF}")
    description = parameters.get("description")
    if description is not None and ("\0" in description or len(description.encode()) > DESCRIPTION_LIMIT):
        raise OptionError("description", f"give a text of at most {DESCRIPTION_LIMIT} bytes")
    lladdr, mediaopt = parameters.get("lladdr"), parameters.get("mediaopt")
    return WantedLink(
        flags=flags,
        metric=metric,
        lladdr=None if lladdr is None else parse_link_address("lladdr", lladdr),
        media=parameters.get("media"),
        mediaopt=None if mediaopt is None else tuple(mediaopt),
        mode=parameters.get("mode"),
        capabilities=_capabilities(parameters.get("capabilities")),
        description=description,
    )


def _capabilities(words: list[str] | None) -> IFCAP | None:
    if words is None:
        return None
    wanted = IFCAP(0)
    for word in words:
        plain = word.lower().replace("_", "-")
        if plain not in CAPABILITIES and plain not in _BOTH:
            known = ", ".join(sorted((*CAPABILITIES, *_BOTH)))
            raise OptionError("capabilities", f"{word!r} is none of {known}")
        wanted |= CAPABILITIES[plain] if plain in CAPABILITIES else _BOTH[plain]
    return wanted


def read_all(kernel: Kernel, found: Sequence[Interface]) -> list[FoundLink]:
    """What each interface has, asked for side by side."""
    interfaces = kernel.interfaces
    media = answers(kernel, (interfaces.asking_media(one.name) for one in found))
    capabilities = answers(kernel, (interfaces.asking_capabilities(one.name) for one in found))
    if interfaces.has_descriptions:
        descriptions = answers(kernel, (interfaces.asking_description(one.name) for one in found))
    else:
        descriptions = [""] * len(found)
    return list(map(FoundLink, media, capabilities, descriptions))


def describe(kernel: Kernel, link: FoundLink) -> dict[str, Any]:
    """In the module's terms: ``media`` is there for an interface that has a choice of them."""
    shown: dict[str, Any] = {}
    if link.capabilities.able:
        shown["capabilities"] = _words(link.capabilities.able)
        shown["enabled_capabilities"] = _words(link.capabilities.enabled)
    if kernel.interfaces.has_descriptions:
        shown["description"] = link.description
    if link.media is not None:
        shown["media"] = {
            "type": media.type_name(link.media.current),
            **_medium(link.media.current),
            "active": media.subtype_name(link.media.active),
            "active_options": media.option_names(link.media.active),
            "supported": [_medium(word) for word in link.media.supported],
        }
    return shown


def is_active(link: FoundLink) -> bool:
    """Whether the interface is known to be in a network."""
    return link.media is not None and link.media.status & _STATUS == _STATUS


def _medium(word: int) -> dict[str, Any]:
    medium: dict[str, Any] = {"media": media.subtype_name(word), "mediaopt": media.option_names(word)}
    return {**medium, "mode": media.mode_name(word)} if media.is_wireless(word) else medium


def _words(capabilities: IFCAP) -> list[str]:
    return [word for word, bit in CAPABILITIES.items() if bit & capabilities]


def plan(draft: Draft, wanted: WantedLink, found: FoundLink) -> None:
    """What is to be so before the interface gets addresses and comes up."""
    interfaces, name, there = draft.kernel.interfaces, draft.name, draft.found
    _plan_flags(draft, wanted.flags)
    if wanted.metric is not None and wanted.metric != (there.metric if there else 0):
        metric = wanted.metric
        draft.add(f"set the metric of {name} to {metric}", lambda: interfaces.set_metric(name, metric))
        draft.after["metric"] = metric
    if wanted.lladdr is not None and wanted.lladdr != (there.link_address if there else None):
        _plan_link_address(draft, wanted.lladdr)
    if wanted.media is not None or wanted.mediaopt is not None or wanted.mode is not None:
        _plan_media(draft, wanted, found.media)
    if wanted.capabilities is not None:
        _plan_capabilities(draft, wanted.capabilities, found.capabilities)
    if wanted.description is not None:
        _plan_description(draft, wanted.description, found.description)


def _plan_flags(draft: Draft, wanted: dict[IFF, bool]) -> None:
    before = draft.found.flags if draft.found else IFF(0)
    changed = {flag: is_set for flag, is_set in wanted.items() if bool(before & flag) != is_set}
    if not changed:
        return
    told = ", ".join(
        f"{'' if is_set != (flag == IFF.NOARP) else '-'}{'arp' if flag == IFF.NOARP else str(flag.name).lower()}"
        for flag, is_set in changed.items()
    )
    draft.add_flags(f"set flags of {draft.name}: {told}", changed)
    after = before
    for flag, is_set in changed.items():
        after = after | flag if is_set else after & ~flag
    draft.after["flags"] = [str(flag.name) for flag in IFF if after & flag]


def _plan_link_address(draft: Draft, address: bytes) -> None:
    if draft.found is not None and not draft.found.link_address:
        raise OptionError("lladdr", f"{draft.name} has no link-level address")
    text = address.hex(":")
    draft.add(
        f"set the link-level address of {draft.name} to {text}",
        lambda: draft.kernel.interfaces.set_link_address(draft.name, address),
    )
    draft.after["lladdr"] = text


def _plan_media(draft: Draft, wanted: WantedLink, found: Media | None) -> None:
    def choose() -> None:
        """For an interface that is just made."""
        word = _word(draft.name, wanted, draft.kernel.interfaces.media(draft.name))
        draft.kernel.interfaces.set_media(draft.name, word)

    text = " ".join(
        [
            *([wanted.media] if wanted.media else []),
            *(["in mode", wanted.mode] if wanted.mode else []),
            *(["with", ", ".join(wanted.mediaopt)] if wanted.mediaopt else []),
        ]
    )
    if draft.found is not None:
        word = _word(draft.name, wanted, found)
        if found is not None and word == found.current:
            return
        draft.after["media"] = {**draft.after.get("media", {}), **_medium(word)}
    draft.add(f"set the media of {draft.name} to {text or 'no options'}", choose)


def _word(name: str, wanted: WantedLink, found: Media | None) -> int:
    """The media word that is asked for.

    :raises OptionError: the interface does not have it.
    """
    option = next(name for name in ("media", "mediaopt", "mode") if getattr(wanted, name) is not None)
    if found is None:
        raise OptionError(option, f"{name} has no choice of media")
    kind = found.current
    word: int | None = kind
    if wanted.media is not None:
        word = media.subtype(kind, wanted.media)
    elif wanted.mediaopt is not None:
        word = media.without_options(kind)
    if word is not None and wanted.mode is not None:
        word = media.in_mode(word, wanted.mode)
    if word is not None and wanted.mediaopt is not None:
        for text in wanted.mediaopt:
            bit = media.option(kind, text)
            if bit is None:
                raise OptionError("mediaopt", f"{text!r} is no option of {media.type_name(kind)} media")
            word |= bit
    elif word is not None and word not in found.supported and word | media.FULL_DUPLEX in found.supported:
        word |= media.FULL_DUPLEX  # the fastest ones have no other
    if word is None or word not in found.supported:
        able = "; ".join(
            " ".join([media.subtype_name(word), *filter(None, [media.mode_name(word)]), *media.option_names(word)])
            for word in sorted(found.supported)
        )
        raise OptionError(option, f"{name} does not have it; it has {able}")
    return word


def _plan_capabilities(draft: Draft, wanted: IFCAP, found: Capabilities) -> None:
    if draft.found is not None and wanted & ~found.able:
        able = f"only of {', '.join(_words(found.able))}" if found.able else "of none"
        raise OptionError(
            "capabilities", f"{draft.name} is not capable of {', '.join(_words(wanted & ~found.able))}, {able}"
        )
    if wanted != found.enabled:
        draft.add(
            f"enable capabilities of {draft.name}: {', '.join(_words(wanted)) or 'none'}",
            lambda: draft.kernel.interfaces.set_capabilities(draft.name, wanted),
        )
        draft.after["enabled_capabilities"] = _words(wanted)


def _plan_description(draft: Draft, wanted: str, found: str) -> None:
    if not draft.kernel.interfaces.has_descriptions:
        release = name_of(draft.kernel.abi.release)
        raise OptionError(
            "description", f"kernels of release {release} have no descriptions of interfaces; those of 10 do"
        )
    if wanted != found:
        draft.add(
            f"describe {draft.name} as {wanted!r}" if wanted else f"take the description of {draft.name} back",
            lambda: draft.kernel.interfaces.set_description(draft.name, wanted),
        )
        draft.after["description"] = wanted
