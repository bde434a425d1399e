# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File flags as users write them: the grammar of NetBSD's chflags(1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..sysproxy.kernel.attributes import flags_of_names, names_of_flags
from ..sysproxy.netbsd.constants import SF, UF
from .failures import OptionError

_LOCKS: Final = UF.IMMUTABLE | UF.APPEND | SF.IMMUTABLE | SF.APPEND
_ALL: Final = 0xFFFFFFFF


@dataclass(frozen=True)
class Flags:
    """Flags to set and to clear; what is in neither stays as it is. Both are bits of st_flags."""

    on: int = 0
    off: int = 0

    @classmethod
    def parse(cls, words: Iterable[str]) -> Flags:
        """From the option ``flags``, as chflags(1) reads it (string_to_flags of stat_flags.c).

        Names set a flag, and with ``no`` before them clear it, of two that disagree the later counts; ``dump`` clears
        ``nodump``. An octal number, which stands alone, is all the flags.

        :raises OptionError: there is no such flag.
        """
        names = [name for word in words for name in re.split(r"[\t ,]", word) if name]
        if len(names) == 1 and re.fullmatch("[0-7]+", names[0]):
            bits = int(names[0], 8)
            if bits > _ALL:
                raise OptionError("flags", f"{names[0]} has more than 32 bits")
            return cls(bits, _ALL & ~bits)
        on = off = 0
        for name in names:
            bit, clears = _flag(name)
            on, off = (on & ~bit, off | bit) if clears else (on | bit, off & ~bit)
        return cls(on, off)

    def of(self, found: int) -> int:
        """The flags to set on what has ``found``."""
        return found & ~self.off | self.on


def _flag(name: str) -> tuple[int, bool]:
    """A flag's bit, and whether the name clears it."""
    clears = name == "dump" or (name.startswith("no") and name != "nodump")
    known = "nodump" if name == "dump" else name.removeprefix("no") if clears else name
    try:
        return flags_of_names([known]), clears
    except ValueError as error:
        text = f"{error}; 'no' before a name clears the flag, and 'dump' clears 'nodump'"
        raise OptionError("flags", text) from None


def flags_text(flags: int) -> str:
    """The names of flags as ``ls -lo`` shows them; ``none`` without any."""
    return ",".join(names_of_flags(flags)) or "none"


def unlocked(flags: int) -> int:
    """Those of ``flags`` that do not keep a file from being changed."""
    return flags & ~_LOCKS
