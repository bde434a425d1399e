# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who a process is: pids, users, groups, sessions (sys/kern/kern_prot.c)."""

from __future__ import annotations

from ..errors import refuse
from ..process import Process
from .registry import Call, syscall

KEEP = 0xFFFFFFFF
"""-1 as an uid_t: leave the id as it is."""
MAX_GROUPS = 16
INIT = 1
"""The first process, which is the parent of all clients."""


@syscall("getpid")
async def getpid(call: Call) -> tuple[int, int]:
    return call.process.pid, call.process.parent


@syscall("getppid")
async def getppid(call: Call) -> int:
    return call.process.parent


@syscall("getuid")
async def getuid(call: Call) -> tuple[int, int]:
    who = call.process.credentials
    return who.uid, who.euid


@syscall("geteuid")
async def geteuid(call: Call) -> int:
    return call.process.credentials.euid


@syscall("getgid")
async def getgid(call: Call) -> tuple[int, int]:
    who = call.process.credentials
    return who.gid, who.egid


@syscall("getegid")
async def getegid(call: Call) -> int:
    return call.process.credentials.egid


@syscall("issetugid")
async def issetugid(call: Call) -> int:
    return 0


def _may_become(call: Call, wanted: int, *allowed: int) -> None:
    if not call.process.credentials.is_root and wanted not in allowed:
        raise refuse("EPERM")


@syscall("setuid")
async def setuid(call: Call) -> None:
    who = call.process.credentials
    if call["uid"] != KEEP:
        _may_become(call, call["uid"], who.uid)
        who.uid = who.euid = call["uid"]


@syscall("seteuid")
async def seteuid(call: Call) -> None:
    who = call.process.credentials
    if call["euid"] != KEEP:
        _may_become(call, call["euid"], who.uid)
        who.euid = call["euid"]


@syscall("setgid")
async def setgid(call: Call) -> None:
    who = call.process.credentials
    if call["gid"] != KEEP:
        _may_become(call, call["gid"], who.gid)
        who.gid = who.egid = call["gid"]


@syscall("setegid")
async def setegid(call: Call) -> None:
    who = call.process.credentials
    if call["egid"] != KEEP:
        _may_become(call, call["egid"], who.gid)
        who.egid = call["egid"]


@syscall("setreuid")
async def setreuid(call: Call) -> None:
    who = call.process.credentials
    real = who.uid if call["ruid"] == KEEP else call["ruid"]
    effective = who.euid if call["euid"] == KEEP else call["euid"]
    _may_become(call, real, who.uid, who.euid)
    _may_become(call, effective, who.uid, who.euid)
    who.uid, who.euid = real, effective


@syscall("setregid")
async def setregid(call: Call) -> None:
    who = call.process.credentials
    real = who.gid if call["rgid"] == KEEP else call["rgid"]
    effective = who.egid if call["egid"] == KEEP else call["egid"]
    _may_become(call, real, who.gid, who.egid)
    _may_become(call, effective, who.gid, who.egid)
    who.gid, who.egid = real, effective


@syscall("getgroups")
async def getgroups(call: Call) -> int:
    groups = call.process.credentials.groups
    if call["gidsetsize"] == 0:
        return len(groups)
    if call["gidsetsize"] < len(groups):
        raise refuse("EINVAL")
    await call.memory.copyout(call["gidset"], call.memory.abi.integers("uint32", *groups))
    return len(groups)


@syscall("setgroups")
async def setgroups(call: Call) -> None:
    count = call["gidsetsize"]
    if not call.process.credentials.is_root:
        raise refuse("EPERM")
    if not 0 <= count <= MAX_GROUPS:
        raise refuse("EINVAL")
    raw = await call.memory.copyin(call["gidset"], 4 * count)
    abi = call.memory.abi
    call.process.credentials.groups = [abi.read_integer("uint32", raw[4 * index :]) for index in range(count)]


@syscall("getpgrp")
async def getpgrp(call: Call) -> int:
    return call.process.group


def _asked_process(call: Call) -> Process:
    """The process of a pid argument; 0 is the caller."""
    pid = call["pid"]
    process = call.process if pid == 0 else call.kernel.processes.get(pid)
    if process is None:
        raise refuse("ESRCH")
    return process


@syscall("getpgid")
async def getpgid(call: Call) -> int:
    return 0 if call["pid"] == INIT else _asked_process(call).group


@syscall("getsid")
async def getsid(call: Call) -> int:
    return 0 if call["pid"] == INIT else _asked_process(call).session


@syscall("setpgid")
async def setpgid(call: Call) -> None:
    process = _asked_process(call)
    if call["pgid"] < 0:
        raise refuse("EINVAL")
    process.group = call["pgid"] or process.pid


@syscall("setsid")
async def setsid(call: Call) -> int:
    process = call.process
    if process.group == process.pid:
        raise refuse("EPERM")
    process.session = process.group = process.pid
    return process.pid


@syscall("__getlogin")
async def getlogin(call: Call) -> None:
    name = call.process.login[:16]
    await call.memory.copyout(call["namebuf"], name.ljust(16, b"\0")[: min(call["namelen"], 16)])


@syscall("__setlogin")
async def setlogin(call: Call) -> None:
    if not call.process.credentials.is_root:
        raise refuse("EPERM")
    call.process.login = await call.memory.copyinstr(call["namebuf"], 17)
