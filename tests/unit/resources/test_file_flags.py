# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File flags as the option gives them: the grammar of chflags(1)."""

from __future__ import annotations

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.failures import OptionError
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.file_flags import Flags, flags_text, unlocked

NODUMP, UCHG, UAPPND, ARCH, SCHG = 0x1, 0x2, 0x4, 0x10000, 0x20000


@pytest.mark.parametrize(
    ("words", "found", "wanted"),
    [
        ([], 0x5, 0x5),
        (["nodump"], 0, NODUMP),
        (["dump"], NODUMP | UCHG, UCHG),
        (["nonodump"], NODUMP, 0),
        (["nodump,uchg schg"], UAPPND, NODUMP | UCHG | SCHG | UAPPND),
        (["uimmutable", "uappend", "archived", "simmutable"], 0, UCHG | UAPPND | ARCH | SCHG),
        (["nouchange", "noarch"], UCHG | ARCH | SCHG, SCHG),
        (["uchg", "nouchg"], UCHG, 0),
        (["nouchg", "uchg"], 0, UCHG),
        (["0"], 0xFFFFFFFF, 0),
        (["200001"], UCHG, ARCH | NODUMP),
    ],
)
def test_what_is_asked_for(words: list[str], found: int, wanted: int) -> None:
    assert Flags.parse(words).of(found) == wanted


@pytest.mark.parametrize("word", ["shiny", "no", "nodum", "noouchg", "dumps", "1,nodump", "8", "0x2", "-1"])
def test_what_is_no_flag(word: str) -> None:
    with pytest.raises(OptionError, match=r"^flags: .* is no file flag"):
        Flags.parse([word])


def test_what_is_shown() -> None:
    assert flags_text(0) == "none"
    assert flags_text(SCHG | NODUMP) == "nodump,schg"
    assert unlocked(NODUMP | UCHG | UAPPND | SCHG | ARCH) == NODUMP | ARCH
