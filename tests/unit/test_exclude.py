# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Patterns of names that are left out, by the rules of rsync(1)."""

from __future__ import annotations

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.exclude import Exclusion


@pytest.mark.parametrize(
    ("pattern", "taken", "left_out"),
    [
        ("*.o", ["a", "o", "a.o/b", "a.oo"], ["a.o", "b/c.o", ".o"]),
        ("/foo", ["a/foo", "foobar"], ["foo", "foo/"]),
        ("foo", ["foobar", "a/barfoo"], ["foo", "a/foo", "a/foo/"]),
        ("foo/", ["foo", "a/foo"], ["foo/", "a/foo/"]),
        ("a/b", ["b", "a/c/b", "xa/b"], ["a/b", "z/a/b"]),
        ("/a/*", ["a/", "a/b/c", "x/a/b"], ["a/b"]),
        ("/a/**", ["a/", "x/a/b"], ["a/b", "a/b/c"]),
        ("a/**/z", ["a/z"], ["a/b/z", "x/a/b/c/z"]),
        ("/a/***", ["b"], ["a/", "a/b", "a/b/c"]),
        ("a?c", ["ac", "a/c"], ["abc"]),
        ("[a-c]x", ["dx"], ["ax", "y/cx"]),
        ("[!a-c]x", ["ax"], ["dx"]),
        ("[]x]y", ["zy"], ["]y", "xy"]),
        (r"\*", ["a"], ["*"]),
        ("a.b", ["axb"], ["a.b"]),
        ("- a", ["b"], ["a"]),
    ],
)
def test_patterns(pattern: str, taken: list[str], left_out: list[str]) -> None:
    exclusion = Exclusion([pattern])
    assert [name for name in taken if exclusion.excludes(name.rstrip("/"), name.endswith("/"))] == []
    assert [name for name in left_out if not exclusion.excludes(name.rstrip("/"), name.endswith("/"))] == []


def test_the_first_that_fits_decides() -> None:
    exclusion = Exclusion(["+ keep.o", "*.o"])
    assert not exclusion.excludes("a/keep.o", False)
    assert exclusion.excludes("a/other.o", False)


def test_what_is_below_a_directory_that_is_left_out() -> None:
    exclusion = Exclusion(["/cache/"])
    assert exclusion.covers("cache/a/b", False)
    assert not exclusion.covers("a/cache/b", False)
