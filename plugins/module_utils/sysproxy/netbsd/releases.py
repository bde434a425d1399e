# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NetBSD's releases: how they are written, which are known, and the constants in which they differ.

What else differs stands with its kind: calls in syscalls.py, structures in structures.py, ioctls in
ioctls.py. A change is listed from the first release whose kernels are known to have it. Between two
releases (7.99.35 is on the way from 7 to 8) a kernel may have changed earlier: those of that time
still understand the former numbers (sys/compat), so the later bound is the safe one.
"""

from __future__ import annotations

import re
from functools import lru_cache

Release = tuple[int, ...]

OLDEST: Release = (6,)
"""The first release that is described here."""
NEWEST: Release = (10, 99)
"""The last one: 10 and the development towards 11, as of spring 2024."""

# Numbers of commands and messages by the first release that has them: sys/socket.h (NET_RT_*, whose
# former numbers got the O of "old"), net/route.h 1.82 (2013) to 1.114 (2017), sys/module.h (whose
# former MODCTL_STAT is in sys/compat/common/kern_mod_80.c, what release 8 had).
CONSTANTS: dict[str, dict[Release, int]] = {
    "NET_RT_IFLIST": {(0,): 5, (7, 99, 39): 6},
    "RTM_NEWADDR": {(0,): 0xC, (7, 99, 39): 0x16},
    "RTM_DELADDR": {(0,): 0xD, (7, 99, 39): 0x17},
    "RTM_CHGADDR": {(0,): 0x15, (7, 99, 39): 0x18},
    "MODCTL_STAT": {(0,): 2, (9,): 4},
}


def parse_release(text: str) -> Release:
    """The numbers in a release's name: ``7.99.34`` and ``9.3_STABLE`` are (7, 99, 34) and (9, 3)."""
    return tuple(int(number) for number in re.findall(r"\d+", text)) or (0,)


def name_of(release: Release) -> str:
    return ".".join(map(str, release))


def is_known(release: Release) -> bool:
    return release >= OLDEST and release[: len(NEWEST)] <= NEWEST


@lru_cache(maxsize=256)
def constant(release: Release, name: str) -> int:
    """A constant's value in a release.

    :raises KeyError: it is none of those that differ between releases.
    """
    values = CONSTANTS[name]
    return values[max(since for since in values if since <= release or since == (0,))]
