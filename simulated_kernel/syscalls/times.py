# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks and sleeping (sys/kern/kern_time.c)."""

from __future__ import annotations

import asyncio

from ..changes import mark_change
from ..clock import NANOSECONDS
from ..errors import refuse
from .registry import Call, syscall

CLOCK_REALTIME, CLOCK_MONOTONIC = 0, 3
RESOLUTION = 10_000_000
"""A tick: 10 ms."""


def _clock(call: Call, number: int) -> int:
    if number == CLOCK_REALTIME:
        return call.kernel.clock.now()
    if number == CLOCK_MONOTONIC:
        return call.kernel.clock.uptime()
    raise refuse("EINVAL")


def timespec(call: Call, nanoseconds: int) -> bytes:
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    return call.memory.abi.struct("timespec").build(tv_sec=seconds, tv_nsec=rest)


@syscall("__clock_gettime50")
async def clock_gettime(call: Call) -> None:
    await call.memory.copyout(call["tp"], timespec(call, _clock(call, call["clock_id"])))


@syscall("__clock_getres50")
async def clock_getres(call: Call) -> None:
    _clock(call, call["clock_id"])
    if call["tp"]:
        await call.memory.copyout(call["tp"], timespec(call, RESOLUTION))


@syscall("__clock_settime50")
async def clock_settime(call: Call) -> None:
    time = await call.memory.struct("timespec", call["tp"])
    if call["clock_id"] != CLOCK_REALTIME or not 0 <= time.tv_nsec < NANOSECONDS:
        raise refuse("EINVAL")
    _set_time(call, time.tv_sec * NANOSECONDS + time.tv_nsec)


def _set_time(call: Call, nanoseconds: int) -> None:
    if not call.process.credentials.is_root:
        raise refuse("EPERM")
    call.kernel.clock.set(nanoseconds)
    mark_change()


@syscall("__gettimeofday50")
async def gettimeofday(call: Call) -> None:
    now = call.kernel.clock.now()
    if call["tp"]:
        built = call.memory.abi.struct("timeval").build(tv_sec=now // NANOSECONDS, tv_usec=now % NANOSECONDS // 1000)
        await call.memory.copyout(call["tp"], built)
    if call["tzp"]:
        await call.memory.copyout(call["tzp"], bytes(8))


@syscall("__settimeofday50")
async def settimeofday(call: Call) -> None:
    if call["tv"]:
        time = await call.memory.struct("timeval", call["tv"])
        _set_time(call, time.tv_sec * NANOSECONDS + time.tv_usec * 1000)


@syscall("__nanosleep50")
async def nanosleep(call: Call) -> None:
    time = await call.memory.struct("timespec", call["rqtp"])
    if not 0 <= time.tv_nsec < NANOSECONDS:
        raise refuse("EINVAL")
    await asyncio.sleep(max(0, time.tv_sec + time.tv_nsec / NANOSECONDS))


@syscall("clock_nanosleep")
async def clock_nanosleep(call: Call) -> int:
    """The error is the result, and no errno."""
    time = await call.memory.struct("timespec", call["rqtp"])
    if call["clock_id"] not in (CLOCK_REALTIME, CLOCK_MONOTONIC) or not 0 <= time.tv_nsec < NANOSECONDS:
        return 22
    wanted = time.tv_sec * NANOSECONDS + time.tv_nsec
    if call["flags"] & 1:
        wanted -= _clock(call, call["clock_id"])
    await asyncio.sleep(max(0, wanted / NANOSECONDS))
    return 0
