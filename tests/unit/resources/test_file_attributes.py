# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners, groups and times as options give them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.failures import OptionError
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.file_attributes import (
    Attributes,
    parse_time,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import UTIME
from ansible_collections.rumpkernel.rump.tests.support.users import users_of

FORMAT = "%Y%m%d%H%M.%S"


def test_groups_have_a_name_more() -> None:
    assert Attributes.parse({"group": "wheel", "owner": "root"}, "file", users_of()) == Attributes(uid=0, gid=0)
    with pytest.raises(OptionError, match=r"^owner: the kernel has no user 'wheel'"):
        Attributes.parse({"owner": "wheel"}, "file", users_of())


@pytest.mark.parametrize(
    ("value", "state", "moment"),
    [
        (None, "file", None),
        (None, "directory", None),
        (None, "touch", UTIME.NOW),
        ("preserve", "touch", None),
        ("now", "file", UTIME.NOW),
    ],
)
def test_times_by_word(value: str | None, state: str, moment: int | None) -> None:
    options = {"access_time": value, "access_time_format": FORMAT}
    assert parse_time("access_time", options, state) is moment


def test_time_by_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        options = {"modification_time": "200001020304.05", "modification_time_format": FORMAT}
        assert parse_time("modification_time", options, "file") == (946782245 - 7200) * 10**9
        options = {"modification_time": "2 Jan 2000", "modification_time_format": "%d %b %Y"}
        assert parse_time("modification_time", options, "touch") == (946771200 - 7200) * 10**9
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(("value", "pattern"), [("yesterday", FORMAT), ("2000", FORMAT), ("20", "%"), ("", FORMAT)])
def test_no_time(value: str, pattern: str) -> None:
    options: dict[str, Any] = {"access_time": value, "access_time_format": pattern}
    with pytest.raises(OptionError, match=r"^access_time: "):
        parse_time("access_time", options, "file")


def test_what_is_new_has_the_time_now_anyway() -> None:
    asked = Attributes(uid=3, access_time=UTIME.NOW, modification_time=5)
    assert asked.of_new() == Attributes(uid=3, modification_time=5)
