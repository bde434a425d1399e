# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Constants have the values of NetBSD's headers."""

from __future__ import annotations

import inspect
from enum import EnumMeta
from typing import Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import constants
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import CTLFLAG, IFF, MNT, O
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import table

# By class, so that one with a second name has that as its prefix.
PREFIXES: Final = {
    value: name
    for name, value in vars(constants).items()
    if inspect.isclass(value) and isinstance(value, EnumMeta) and value.__module__ == constants.__name__
}
MEMBERS: Final = [
    (f"{prefix}_{member}", int(value))
    for kind, prefix in PREFIXES.items()
    for member, value in kind.__members__.items()
]
# Where the class's name and the member's do not make C's.
C_NAMES: Final = {
    "MNT_WAIT_WAIT": "MNT_WAIT",
    "MNT_WAIT_NOWAIT": "MNT_NOWAIT",
    "MNT_WAIT_LAZY": "MNT_LAZY",
    **{f"BRDG_{member}": f"BRDG{member}" for member in constants.BRDG.__members__},
    **{f"POLL_{member}": f"POLL{member}" for member in constants.POLL.__members__},
    **{f"PC_{member}": f"_PC_{member}" for member in constants.PC.__members__},
}


def test_there_are_constants_to_check() -> None:
    assert len(PREFIXES) > 20
    assert len(MEMBERS) > 150


@pytest.mark.parametrize(("name", "value"), MEMBERS, ids=[name for name, _value in MEMBERS])
def test_value(name: str, value: int) -> None:
    wanted = C_NAMES.get(name, name)
    (number,) = (int(row[1]) for row in table("constants") if row[0] == wanted)
    # The table has some flags of 32 bits as C's int shows them.
    assert value & 0xFFFFFFFF == number & 0xFFFFFFFF
    assert (value < 0) == ((number < 0 and name == "AT_FDCWD") or (name.startswith("CTL_") and number < 0))


@pytest.mark.parametrize("kind", [IFF, MNT, CTLFLAG, O])
def test_bits_without_a_name_survive(kind: EnumMeta) -> None:
    assert int(kind(0xFFFFFFFF)) == 0xFFFFFFFF
