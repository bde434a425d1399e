# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines that a banner can name: word size, alignment of 64-bit integers, byte order.

A banner names the kernel's machine (``uname -m``), which settles the data model for most ports. A
port whose kernels come in both byte orders or word sizes is named here with the more common one,
and marked, so that the handshake's confirmation and the user's override have the last word.
Source: sys/arch of NetBSD and its list of ports.
"""

from __future__ import annotations

from .layout import DataModel

_LP64_LITTLE = DataModel(8, 8, "little")
_LP64_BIG = DataModel(8, 8, "big")
_ILP32_LITTLE = DataModel(4, 8, "little")
_ILP32_BIG = DataModel(4, 8, "big")
_I386 = DataModel(4, 4, "little")

MACHINES: dict[str, DataModel] = {
    "amd64": _LP64_LITTLE,
    "x86_64": _LP64_LITTLE,
    "aarch64": _LP64_LITTLE,
    "alpha": _LP64_LITTLE,
    "ia64": _LP64_LITTLE,
    "riscv": _LP64_LITTLE,
    "evbarm64": _LP64_LITTLE,
    "sparc64": _LP64_BIG,
    "i386": _I386,
    "evbarm": _ILP32_LITTLE,
    "arm": _ILP32_LITTLE,
    "pmax": _ILP32_LITTLE,
    "evbmips": _ILP32_BIG,
    "evbppc": _ILP32_BIG,
    "macppc": _ILP32_BIG,
    "powerpc": _ILP32_BIG,
    "sparc": _ILP32_BIG,
    "hppa": _ILP32_BIG,
}

AMBIGUOUS: frozenset[str] = frozenset({"evbmips", "evbarm", "arm", "evbppc", "riscv"})
