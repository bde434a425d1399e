# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a kernel is of the kind that its banner lets one assume.

A banner names the machine, which for most ports settles word size and byte order: then nothing has
to be asked. Where a port's kernels come in several kinds, one system call is made after the
handshake, sysctl hw.byteorder. It comes through only if word size and byte order are right.
"""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Final

from .errors import AbiMismatch, RumpError
from .netbsd import Abi
from .netbsd.constants import CTL
from .netbsd.machines import AMBIGUOUS, describe
from .netbsd.releases import NEWEST, OLDEST, is_known, name_of
from .notices import UnknownRelease

if TYPE_CHECKING:
    from .netbsd import AbiHints
    from .session import Session

_HW_BYTEORDER: Final = (CTL.HW, 4)
_BYTE_ORDERS: Final = {1234: "little", 4321: "big"}


def doubt(abi: Abi, given: bool) -> str:
    """What may be wrong if a server with that ABI does not answer as one does.

    :param given: the user said what kind of kernel it is, and not its banner.
    """
    source = "as was said" if given else "from its banner"
    several = f" (kernels of {abi.machine} come in several kinds)" if abi.machine in AMBIGUOUS else ""
    return (
        f"; a {describe(abi.data_model)} kernel was assumed, {source}{several}: if it is another, its word size and "
        "byte order have to be given"
    )


def confirm(session: Session, given: Abi | AbiHints | None, deadline: float) -> None:
    """Ask a kernel whose machine leaves a choice, unless ``given`` is a whole ABI; close the session if it is another.

    :raises AbiMismatch: it is of another kind than was assumed.
    """
    abi = session.abi
    if not is_known(abi.release):
        warnings.warn(
            f"NetBSD {name_of(abi.release)} is not among the releases that are known, {name_of(OLDEST)} to "
            f"{name_of(NEWEST)}: the nearest one is assumed",
            UnknownRelease,
            stacklevel=4,
        )
    if isinstance(given, Abi) or abi.machine not in AMBIGUOUS:
        return
    value, length = bytearray(4), bytearray(abi.integer("size_t", 4))
    mib = abi.integers("int", *_HW_BYTEORDER)
    try:
        limit = max(deadline - time.monotonic(), 0.001)
        session.call("__sysctl", mib, 2, value, length, None, 0, label="sysctl", subject="hw.byteorder", timeout=limit)
        found = _BYTE_ORDERS.get(abi.read_integer("int", value))
    except RumpError as error:
        session.close()
        told = str(error).removeprefix(f"{session.url}: ").removesuffix(session.doubt())
        raise AbiMismatch(f"{session.url}: the kernel does not answer as expected ({told})", session.doubt()) from None
    if found != abi.byteorder:
        session.close()
        raise AbiMismatch(f"{session.url}: the kernel says that it is {found}-endian", session.doubt())
