# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits, reboot and the rest."""

from __future__ import annotations

from ..changes import mark_change
from ..errors import refuse
from .registry import Call, syscall

RLIM_NLIMITS = 12


def _limit(call: Call, raw: bytes) -> tuple[int, int]:
    abi = call.memory.abi
    return abi.read_integer("int64", raw), abi.read_integer("int64", raw[8:])


@syscall("getrlimit")
async def getrlimit(call: Call) -> None:
    if not 0 <= call["which"] < RLIM_NLIMITS:
        raise refuse("EINVAL")
    await call.memory.copyout(call["rlp"], call.memory.abi.integers("int64", *call.process.limits[call["which"]]))


@syscall("setrlimit")
async def setrlimit(call: Call) -> None:
    which = call["which"]
    soft, hard = _limit(call, await call.memory.copyin(call["rlp"], 16))
    if not 0 <= which < RLIM_NLIMITS or soft > hard:
        raise refuse("EINVAL")
    if hard > call.process.limits[which][1] and not call.process.credentials.is_root:
        raise refuse("EPERM")
    call.process.limits[which] = (soft, hard)
    if which == 8:
        call.process.descriptors.limit = soft


@syscall("sync", component="rumpvfs")
async def sync(call: Call) -> None:
    return None


@syscall("reboot")
async def reboot(call: Call) -> None:
    """The kernel ends: the call is answered, then every connection closes."""
    if not call.process.credentials.is_root:
        raise refuse("EPERM")
    call.kernel.halted = True
    mark_change()
