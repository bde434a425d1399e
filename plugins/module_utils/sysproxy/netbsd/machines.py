# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines that a banner can name: word size, alignment of 64-bit integers, byte order.

A banner names the kernel's machine (``uname -m``), which settles the data model for most ports. A
port whose kernels come in several is listed with all of them, the most common first: that one is
taken, confirmed after the handshake, and the user's word goes before it.

Sources: the table of MACHINE and MACHINE_ARCH in NetBSD's build.sh, releases 6 to 9 (since 9 the
64-bit ARM port's MACHINE is evbarm too), and each port's include/endian_machdep.h. 64-bit integers
have the alignment that the compiler gives them: 8 bytes, and 4 on i386, SuperH and the VAX, 2 on the
68000 family, where that goes for 32-bit integers too.
"""

from __future__ import annotations

from .layout import DataModel

_LP64_LITTLE = DataModel(8, 8, "little")
_LP64_BIG = DataModel(8, 8, "big")
_ILP32_LITTLE = DataModel(4, 8, "little")
_ILP32_BIG = DataModel(4, 8, "big")
_I386 = DataModel(4, 4, "little")
_SH3_LITTLE = DataModel(4, 4, "little")
_SH3_BIG = DataModel(4, 4, "big")
_M68K = DataModel(4, 2, "big")

# Machines by the data models that their kernels have.
_PORTS: tuple[tuple[str, tuple[DataModel, ...]], ...] = (
    # x86_64 and arm are architectures, which a rump kernel that is built for one by name may give.
    ("amd64 x86_64 alpha ia64", (_LP64_LITTLE,)),
    ("aarch64 evbarm64", (_LP64_LITTLE, _LP64_BIG)),
    ("riscv riscv64", (_LP64_LITTLE, _ILP32_LITTLE)),
    ("sparc64", (_LP64_BIG,)),
    ("i386", (_I386,)),
    ("vax", (_I386,)),
    ("evbarm", (_ILP32_LITTLE, _LP64_LITTLE, _ILP32_BIG, _LP64_BIG)),
    ("arm", (_ILP32_LITTLE, _ILP32_BIG)),
    ("acorn26 acorn32 cats epoc32 hpcarm iyonix netwinder shark zaurus", (_ILP32_LITTLE,)),
    ("evbmips mips", (_ILP32_BIG, _ILP32_LITTLE, _LP64_BIG, _LP64_LITTLE)),
    ("sbmips", (_ILP32_BIG, _ILP32_LITTLE, _LP64_BIG, _LP64_LITTLE)),
    ("algor arc cobalt pmax", (_ILP32_LITTLE, _LP64_LITTLE)),
    ("sgimips", (_ILP32_BIG, _LP64_BIG)),
    ("emips ews4800mips mipsco newsmips", (_ILP32_BIG,)),
    ("hpcmips playstation2", (_ILP32_LITTLE,)),
    ("evbppc macppc ofppc powerpc", (_ILP32_BIG, _LP64_BIG)),
    ("amigappc bebox ibmnws mvmeppc prep rs6000 sandpoint", (_ILP32_BIG,)),
    ("hppa hp700 lm32 milkymist or1k sparc", (_ILP32_BIG,)),
    ("evbsh3", (_SH3_LITTLE, _SH3_BIG)),
    ("dreamcast hpcsh landisk", (_SH3_LITTLE,)),
    ("mmeye", (_SH3_BIG,)),
    (
        "amiga atari cesfic evbcf hp300 luna68k m68k mac68k mvme68k news68k next68k sun2 sun3 virt68k x68k",
        (_M68K,),
    ),
)
DATA_MODELS: dict[str, tuple[DataModel, ...]] = {name: models for names, models in _PORTS for name in names.split()}

MACHINES: dict[str, DataModel] = {name: models[0] for name, models in DATA_MODELS.items()}
"""The data model that is taken for a machine if nothing else is known."""

AMBIGUOUS: frozenset[str] = frozenset(name for name, models in DATA_MODELS.items() if len(models) > 1)
"""The machines whose kernels come in several data models."""


def describe(model: DataModel) -> str:
    """A data model in words: ``32-bit little-endian``."""
    return f"{model.word_size * 8}-bit {model.byteorder}-endian"
