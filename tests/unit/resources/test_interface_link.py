# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Capabilities by name, and what is planned for an interface that has some."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import interface_link
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.failures import OptionError
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.interface_link import FoundLink
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.interface_state import Draft
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.plan import Plan
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.interface_link import Capabilities, Media
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.interfaces import Interface
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import IFCAP, IFF

ABLE = IFCAP.CSUM_IPv4_Rx | IFCAP.CSUM_IPv4_Tx | IFCAP.TSOv4


def planned(words: list[str], enabled: IFCAP) -> tuple[Draft, list[Any]]:
    """The plan for an interface that has some capabilities, and what the kernel was asked for as it was carried out."""
    asked: list[Any] = []
    kernel: Any = SimpleNamespace(
        interfaces=SimpleNamespace(set_capabilities=lambda *arguments: asked.append(arguments), has_descriptions=False)
    )
    found = Interface("wm0", 2, IFF(0x8843), 1500, 0, 2, bytes(6))
    draft = Draft(kernel, "wm0", found, Plan(), {})
    wanted = interface_link.normalize({"capabilities": words})
    interface_link.plan(draft, wanted, FoundLink(capabilities=Capabilities(ABLE, enabled)))
    draft.made.execute()
    return draft, asked


def test_enabling_and_disabling() -> None:
    draft, asked = planned(["ip4csum"], IFCAP.TSOv4)
    assert draft.made.done == ["enable capabilities of wm0: ip4csum-rx, ip4csum-tx"]
    assert asked == [("wm0", IFCAP.CSUM_IPv4_Rx | IFCAP.CSUM_IPv4_Tx)]
    assert draft.after["enabled_capabilities"] == ["ip4csum-rx", "ip4csum-tx"]
    draft, asked = planned([], IFCAP.TSOv4)
    assert draft.made.done == ["enable capabilities of wm0: none"]
    assert asked == [("wm0", IFCAP(0))]


@pytest.mark.parametrize("words", [["IP4CSUM_Tx", "tso4"], ["ip4csum-tx", "TSO4", "tso4"]])
def test_nothing_to_do(words: list[str]) -> None:
    draft, asked = planned(words, IFCAP.CSUM_IPv4_Tx | IFCAP.TSOv4)
    assert (draft.made.done, asked) == ([], [])


def test_what_it_is_not_capable_of() -> None:
    with pytest.raises(OptionError, match="wm0 is not capable of tso6, only of tso4, ip4csum-rx, ip4csum-tx"):
        planned(["tso6", "tso4"], IFCAP(0))


def test_names_that_there_are_not() -> None:
    with pytest.raises(OptionError, match="capabilities: 'ip5csum' is none of ip4csum, ip4csum-rx, "):
        interface_link.normalize({"capabilities": ["ip5csum"]})


AUTOSELECT, FULL_DUPLEX, FAST = 0x20, 0x100000, 0x2034
"""Words of media: 0x2034 is the 25GBASE-SR of release 9, whose number is 52."""


def chosen(**options: Any) -> int:
    """The word that an interface with fast media is told."""
    asked: list[int] = []
    kernel: Any = SimpleNamespace(
        interfaces=SimpleNamespace(set_media=lambda _name, word: asked.append(word), has_descriptions=False)
    )
    supported = (AUTOSELECT, FAST | FULL_DUPLEX)
    found = Media(AUTOSELECT, AUTOSELECT, 3, supported)
    kernel.interfaces.media = lambda _name: found
    draft = Draft(kernel, "mcx0", Interface("mcx0", 2, IFF(0x8843), 1500, 0, 2, bytes(6)), Plan(), {})
    interface_link.plan(draft, interface_link.normalize(options), FoundLink(media=found))
    draft.made.execute()
    return asked[0]


def test_media_of_release_9() -> None:
    """Drivers have the fastest ones as full-duplex, which the name alone means, too."""
    assert chosen(media="25gbase-sr") == chosen(media="25GBASE-SR", mediaopt=["fdx"]) == FAST | FULL_DUPLEX
    with pytest.raises(OptionError, match="media: mcx0 does not have it; it has autoselect; 25GBASE-SR full-duplex"):
        chosen(media="40GBASE-SR4")
    with pytest.raises(OptionError, match="mode: mcx0 does not have it"):
        chosen(mode="11g")
