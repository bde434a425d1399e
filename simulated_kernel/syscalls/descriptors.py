# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Descriptors: close, dup, fcntl, poll, pipes (sys/kern/sys_descrip.c, sys_select.c, sys_pipe.c)."""

from __future__ import annotations

import asyncio

from ..errors import refuse
from ..files import FREAD, FWRITE, OpenFile
from ..pipe import make_pipe
from ..rooms import Errno
from ..wakeup import wait_for_any
from .locks import record_lock
from .registry import Call, syscall

F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETOWN, F_SETOWN = range(7)
F_GETLK, F_SETLK, F_SETLKW, F_CLOSEM, F_MAXFD, F_DUPFD_CLOEXEC, F_GETNOSIGPIPE, F_SETNOSIGPIPE = range(7, 15)
FD_CLOEXEC = 1
O_NOSIGPIPE = 0x1000000
O_CLOEXEC = 0x400000
O_NONBLOCK = 0x4
# What F_SETFL may change: O_NONBLOCK, O_APPEND, O_ASYNC, the O_SYNC family, O_ALT_IO, O_DIRECT, O_NOSIGPIPE.
SETTABLE_FLAGS = 0x4 | 0x8 | 0x40 | 0x80 | 0x10000 | 0x20000 | 0x40000 | 0x80000 | O_NOSIGPIPE
POLLIN, POLLPRI, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
POLLRDNORM, POLLRDBAND, POLLWRBAND = 0x40, 0x80, 0x100
READ_EVENTS, WRITE_EVENTS, URGENT_EVENTS = POLLIN | POLLRDNORM, POLLOUT, POLLPRI | POLLRDBAND


@syscall("close")
async def close(call: Call) -> None:
    """Closing any descriptor of a file ends the process's own locks of it, as POSIX has it."""
    file = call.file()
    if file.seekable and file.node in call.process.locked_nodes:
        file.node.locks.release(call.process.pid)
    call.process.descriptors.close(call["fd"])


@syscall("dup")
async def dup(call: Call) -> int:
    table = call.process.descriptors
    return table.allocate(table.file(call["fd"]))


async def _dup_to(call: Call, source: int, target: int, close_on_exec: bool) -> int:
    table = call.process.descriptors
    file = table.file(source)
    if not 0 <= target < table.limit:
        raise refuse("EBADF")
    if source != target:
        table.place(target, file, close_on_exec)
    return target


@syscall("dup2")
async def dup2(call: Call) -> int:
    return await _dup_to(call, call["from"], call["to"], False)


@syscall("dup3")
async def dup3(call: Call) -> int:
    return await _dup_to(call, call["from"], call["to"], bool(call["flags"] & O_CLOEXEC))


def _own_flags(file: OpenFile) -> int:
    """OFLAGS: FREAD and FWRITE as the access mode of open."""
    return (file.flags & ~(FREAD | FWRITE)) | ((file.flags & (FREAD | FWRITE)) - 1)


@syscall("fcntl")
async def fcntl(call: Call) -> int:
    table, command, argument = call.process.descriptors, call["cmd"], call["arg"]
    number = call["fd"]
    if command in (F_CLOSEM, F_MAXFD):
        return _whole_table(call, command)
    descriptor = table.descriptor(number)
    file = descriptor.file
    match command:
        case 0 | 12:
            if argument >= table.limit:
                raise refuse("EINVAL")
            return table.allocate(file, command == F_DUPFD_CLOEXEC, argument)
        case 1:
            return FD_CLOEXEC if descriptor.close_on_exec else 0
        case 2:
            descriptor.close_on_exec = bool(argument & FD_CLOEXEC)
            return 0
        case 3:
            return _own_flags(file)
        case 4:
            file.set_flags_allowed()
            file.flags = (file.flags & ~SETTABLE_FLAGS) | (argument & SETTABLE_FLAGS)
            return 0
        case 13:
            return int(bool(file.flags & O_NOSIGPIPE))
        case 14:
            file.flags = file.flags | O_NOSIGPIPE if argument else file.flags & ~O_NOSIGPIPE
            return 0
        case 7 | 8 | 9:
            return await record_lock(call, file)
        case _:
            raise refuse("EINVAL")


def _whole_table(call: Call, command: int) -> int:
    table = call.process.descriptors
    numbers = table.numbers()
    if command == F_MAXFD:
        return numbers[-1] if numbers else -1
    if call["fd"] < 0:
        raise refuse("EBADF")
    for number in numbers:
        if number >= call["fd"]:
            table.close(number)
    return 0


@syscall("pipe")
async def pipe(call: Call) -> tuple[int, int]:
    reader, writer = make_pipe(0)
    table = call.process.descriptors
    return table.allocate(reader), table.allocate(writer)


@syscall("pipe2")
async def pipe2(call: Call) -> None:
    flags = call["flags"]
    if flags & ~(O_CLOEXEC | O_NONBLOCK | O_NOSIGPIPE):
        raise refuse("EINVAL")
    table = call.process.descriptors
    numbers = [table.allocate(end, bool(flags & O_CLOEXEC)) for end in make_pipe(flags & O_NONBLOCK)]
    await call.memory.copyout(call["fildes"], call.memory.abi.integers("int", *numbers))


@syscall("poll")
async def poll(call: Call) -> int:
    """The timeout is in milliseconds; a negative one waits for ever."""
    timeout = call["timeout"]
    deadline = None if timeout < 0 else asyncio.get_running_loop().time() + timeout / 1000
    return await _poll(call, deadline)


@syscall("__pollts50")
async def pollts(call: Call) -> int:
    deadline = None
    if call["ts"]:
        limit = await call.memory.struct("timespec", call["ts"])
        deadline = asyncio.get_running_loop().time() + limit.tv_sec + limit.tv_nsec / 1e9
    return await _poll(call, deadline)


async def _poll(call: Call, deadline: float | None) -> int:
    count = call["nfds"]
    if count > call.process.descriptors.limit + 1000:
        raise refuse("EINVAL")
    abi = call.memory.abi
    raw = await call.memory.copyin(call["fds"], 8 * count)
    wanted = [
        (abi.read_integer("int", raw[8 * index :]), abi.read_integer("int16", raw[8 * index + 4 :]))
        for index in range(count)
    ]
    while True:
        ready = [_events(call, descriptor, events) for descriptor, events in wanted]
        now = asyncio.get_running_loop().time()
        if any(ready) or (deadline is not None and now >= deadline):
            break
        files = [call.process.descriptors.file(number) for number, _events in wanted if number >= 0]
        await wait_for_any([file.changed for file in files], None if deadline is None else deadline - now)
    answer = b"".join(
        abi.integer("int", descriptor) + abi.integers("int16", events, found)
        for (descriptor, events), found in zip(wanted, ready, strict=True)
    )
    await call.memory.copyout(call["fds"], answer)
    return sum(1 for found in ready if found)


def _events(call: Call, descriptor: int, events: int) -> int:
    if descriptor < 0:
        return 0
    if descriptor not in call.process.descriptors:
        return POLLNVAL
    file = call.process.descriptors.file(descriptor)
    if not file.can_be_polled:
        return Errno.EOPNOTSUPP  # an error where events are told (vn_poll of VOP_POLL)
    readable, writable = file.ready()
    found = (events & READ_EVENTS if readable else 0) | (events & WRITE_EVENTS if writable else 0)
    return found | (events & URGENT_EVENTS if file.has_urgent else 0)
