# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""__sysctl: the tree's front door (sys/kern/kern_sysctl.c)."""

from __future__ import annotations

from ..errors import SyscallError, refuse
from ..sysctl.request import SysctlRequest
from .registry import Call, syscall

MAX_NAME = 12


@syscall("__sysctl")
async def sysctl(call: Call) -> None:
    abi, memory = call.memory.abi, call.memory
    length = await memory.integer("size_t", call["oldlenp"]) if call["oldlenp"] else 0
    count = call["namelen"]
    if not 1 <= count <= MAX_NAME:
        raise refuse("EINVAL")
    raw = await memory.copyin(call["name"], 4 * count)
    name = [abi.read_integer("int", raw[4 * index :]) for index in range(count)]
    request = SysctlRequest(call.kernel, call.process, memory, name, call["oldv"], length, call["newv"], call["newlen"])
    failure: SyscallError | None = None
    try:
        await request.dispatch(call.kernel.sysctl.root)
    except SyscallError as error:
        failure = error
    call.note("name", {"mib": name, "path": request.path})
    if call["oldlenp"]:
        await memory.put_integer("size_t", call["oldlenp"], request.old_length)
    if failure is not None:
        raise failure
    if call["oldv"] and length < request.old_length:
        raise refuse("ENOMEM")
