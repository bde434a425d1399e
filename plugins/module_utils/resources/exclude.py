# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which names of a tree are left out, by patterns as rsync(1) has them ("FILTER RULES", "PATTERN MATCHING RULES")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class _Rule:
    expression: re.Pattern[str]
    whole_path: bool
    only_directories: bool
    excludes: bool


class Exclusion:
    """A list of patterns; the first that a name fits decides, and what fits none is taken.

    A pattern is the name of a file or directory anywhere in the tree. With ``/`` inside it is the end of a path, with
    ``/`` in front a path from the tree's top, with ``/`` at the end directories only. ``*`` and ``?`` stand for
    anything but ``/``, ``**`` for anything, ``[a-z]`` for a class, ``dir/***`` for a directory with all in it.
    A pattern that begins with ``+`` and a blank takes what fits, one with ``-`` and a blank leaves it out as one
    without does.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._rules = [_rule(pattern) for pattern in patterns]

    def excludes(self, name: str, is_directory: bool) -> bool:
        """Whether ``name``, a path from the tree's top, is left out. What is below a directory that is, is too."""
        for rule in self._rules:
            if rule.only_directories and not is_directory:
                continue
            if rule.expression.fullmatch(name if rule.whole_path else name.rpartition("/")[2]):
                return rule.excludes
        return False

    def covers(self, name: str, is_directory: bool) -> bool:
        """Whether ``name`` or a directory above it is left out."""
        parts = name.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        return any(self.excludes(directory, True) for directory in above) or self.excludes(name, is_directory)


def _rule(pattern: str) -> _Rule:
    excludes = True
    if pattern[:2] in ("+ ", "- "):
        excludes, pattern = pattern[0] == "-", pattern[2:]
    with_content = pattern.endswith("/***")
    text = pattern.removesuffix("/***")
    only_directories = not with_content and text.endswith("/")
    text = text.removesuffix("/")
    anchored = text.startswith("/")
    whole_path = anchored or with_content or "/" in text or "**" in text
    expression = _expression(text.removeprefix("/"))
    if whole_path and not anchored:
        expression = f"(?:.*/)?{expression}"
    if with_content:
        expression += "(?:/.*)?"
    return _Rule(re.compile(expression, re.DOTALL), whole_path, only_directories, excludes)


def _expression(pattern: str) -> str:
    pieces = re.findall(r"\*\*+|\*|\?|\\.|\[[!^]?\]?[^\]]*\]|.", pattern, re.DOTALL)
    return "".join(map(_piece, pieces))


def _piece(piece: str) -> str:
    if piece.startswith("**"):
        return ".*"
    if piece == "*":
        return "[^/]*"
    if piece == "?":
        return "[^/]"
    if len(piece) > 1 and piece[0] == "[":
        inside = piece[1:-1]
        negated = inside[0] in "!^"
        members = inside[1:] if negated else inside
        escaped = re.sub(r"([\\\[\]^&~|])", r"\\\1", members)
        return f"[^/{escaped}]" if negated else f"[{escaped}]"
    return re.escape(piece[-1] if piece[0] == "\\" else piece)
