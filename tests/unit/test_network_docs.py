# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rump_network says of its lists' entries is what the modules for single ones say."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig, rump_neighbour, rump_network, rump_route

OTHERWISE = {"neighbours": {"family", "address", "interface", "permanent", "state"}}
"""What is otherwise there, since entries of a list do not speak of many at once."""


def options(module: ModuleType) -> dict[str, Any]:
    return dict(yaml.safe_load(module.DOCUMENTATION)["options"])


def plain(value: Any, path: str) -> Any:
    """Options without what only the writing of it is: where they stand, and descriptions of one paragraph as texts."""
    if isinstance(value, dict):
        return {key: plain(part, path) for key, part in value.items()}
    if isinstance(value, list):
        parts = [plain(part, path) for part in value]
        return parts[0] if len(parts) == 1 else parts
    return re.sub(rf"O\({path}\[\]\.", "O(", value) if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("option", "module"), [("interfaces", rump_ifconfig), ("routes", rump_route), ("neighbours", rump_neighbour)]
)
def test_the_entries_have_the_modules_options(option: str, module: ModuleType) -> None:
    entries, single = options(rump_network)[option]["suboptions"], options(module)
    otherwise = OTHERWISE.get(option, set())
    assert entries.keys() | otherwise == single.keys() | otherwise
    for name in single.keys() - otherwise:
        assert plain(entries[name], option) == plain(single[name], option), name
