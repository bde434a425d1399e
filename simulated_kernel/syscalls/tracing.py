# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules and traces (sys/kern/sys_module.c, kern_ktrace.c)."""

from __future__ import annotations

from enum import IntEnum

from ..changes import mark_change
from ..errors import refuse
from ..files import NodeFile
from ..process import Process
from ..vfs.node import Node
from .registry import Call, syscall

LOAD_FORCE = 1
PATH_MAX = 1024
NAME_MAX = 64
KTROP_SET, KTROP_CLEAR, KTROP_CLEARFILE = range(3)
OPERATIONS = (KTROP_SET, KTROP_CLEAR, KTROP_CLEARFILE, KTROP_CLEAR)
"""By the two bits that tell them; the kernel takes what it does not know for clearing."""
PERSISTENT = 0x80000000


class _Command(IntEnum):
    """modctl_cmd_t; MODCTL_STAT is of the release."""

    LOAD = 0
    UNLOAD = 1
    FORMER_STAT = 2
    EXISTS = 3


@syscall("modctl")
async def modctl(call: Call) -> None:
    match call["cmd"]:
        case _Command.LOAD:
            await _load(call)
        case _Command.UNLOAD:
            name = await call.memory.copyinstr(call["arg"], NAME_MAX)
            call.note("arg", name)
            call.kernel.modules.unload(name.decode("utf-8", "replace"))
            mark_change()
        case number if number == call.memory.abi.constant("MODCTL_STAT"):
            await _list(call)
        case _Command.FORMER_STAT:
            raise refuse("ENOSYS")  # there is no compat_80
        case _Command.EXISTS:
            if call["arg"] not in (0, 1):
                raise refuse("EINVAL")
        case _:
            raise refuse("EINVAL")


async def _load(call: Call) -> None:
    asked = await call.memory.struct("modctl_load_t", call["arg"])
    if bool(asked.ml_props) != bool(asked.ml_propslen):
        raise refuse("EINVAL")
    path = await call.memory.copyinstr(asked.ml_filename, PATH_MAX)
    call.note("arg", path)
    if b"/" in path:
        node = call.resolve(path).existing()
        if node.is_directory:
            raise refuse("EISDIR")
        raise refuse("EINVAL" if node.is_device else "ENOEXEC")
    call.kernel.modules.load(path.decode("utf-8", "replace"), bool(asked.ml_flags & LOAD_FORCE))
    mark_change()


async def _list(call: Call) -> None:
    abi, word = call.memory.abi, call.memory.abi.word_size
    raw = await call.memory.copyin(call["arg"], 2 * word)
    records = call.kernel.modules.records()
    room = abi.read_integer("size_t", raw[word:])
    await call.memory.copyout(abi.read_integer("pointer", raw), records[:room])
    await call.memory.copyout(call["arg"], raw[:word] + abi.integer("size_t", len(records)))


def _processes(call: Call) -> list[Process]:
    """The process that is to be traced; ESRCH. Process 0 is the kernel itself, which asks nothing."""
    pid = call["pid"]
    if pid < 0:
        found = [process for process in call.kernel.processes.values() if process.group == -pid]
    else:
        found = [process for process in call.kernel.processes.values() if process.pid == pid]
    if not found and pid:
        raise refuse("ESRCH")
    return found


def _trace(call: Call, operation: int, node: Node | None) -> None:
    facilities = call["facs"] & 0xFFFFFFFF & ~PERSISTENT
    if operation == KTROP_CLEARFILE and node is not None:
        call.kernel.tracing.stop_file(node)
        return
    if not facilities:
        raise refuse("EINVAL")
    processes = _processes(call)
    if node is None:
        call.kernel.tracing.stop(processes, facilities)
    else:
        call.kernel.tracing.start(node, processes, facilities)


@syscall("ktrace")
async def ktrace(call: Call) -> None:
    operation = OPERATIONS[call["ops"] & 3]
    node: Node | None = None
    if operation != KTROP_CLEAR:
        node = call.resolve(await call.path("fname")).existing()
        if node.is_directory:
            raise refuse("EISDIR")
        if not node.is_regular:
            raise refuse("EACCES")
        node.filesystem.check_writable(node)
    _trace(call, operation, node)


@syscall("fktrace")
async def fktrace(call: Call) -> None:
    file = call.file()
    if not isinstance(file, NodeFile) or not file.node.is_regular:
        raise refuse("EBADF")
    operation = OPERATIONS[call["ops"] & 3]
    _trace(call, operation, None if operation == KTROP_CLEAR else file.node)
