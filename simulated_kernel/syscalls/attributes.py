# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of files, and changing it: stat, chmod, chown, chflags, times, access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..clock import NANOSECONDS
from ..errors import refuse
from ..vfs.node import Node
from ..vfs.permissions import check_access
from .paths import AT_SYMLINK_NOFOLLOW
from .registry import Call, syscall

UTIME_NOW, UTIME_OMIT = 0x3FFFFFFF, 0x3FFFFFFE
AT_EACCESS = 0x100
KEEP = 0xFFFFFFFF
S_ISUID, S_ISGID = 0o4000, 0o2000
TIME_MEMBERS = ("st_atim", "st_mtim", "st_ctim", "st_birthtim")


def build_stat(call: Call, attributes: Mapping[str, Any]) -> bytes:
    """A struct stat; the four times are nanoseconds under ``times``."""
    members = dict(attributes)
    for member, time in zip(TIME_MEMBERS, members.pop("times", ()), strict=False):
        seconds, rest = divmod(time, NANOSECONDS)
        members[member] = {"tv_sec": seconds, "tv_nsec": rest}
    return call.memory.abi.struct("stat").build(**members)


async def _stat(call: Call, node: Node, buffer: str) -> None:
    await call.memory.copyout(call[buffer], build_stat(call, call.kernel.attributes(node)))


@syscall("__stat50", component="rumpvfs")
async def stat(call: Call) -> None:
    await _stat(call, call.resolve(await call.path("path")).existing(), "ub")


@syscall("__lstat50", component="rumpvfs")
async def lstat(call: Call) -> None:
    await _stat(call, call.resolve(await call.path("path"), follow=False).existing(), "ub")


@syscall("fstatat", component="rumpvfs")
async def fstatat(call: Call) -> None:
    node = await _at_node(call)
    await _stat(call, node, "buf")


@syscall("__fstat50")
async def fstat(call: Call) -> None:
    attributes = call.file().attributes(call.kernel)
    await call.memory.copyout(call["sb"], build_stat(call, attributes))


async def _at_node(call: Call, flag: str = "flag") -> Node:
    path = await call.path("path")
    follow = not call[flag] & AT_SYMLINK_NOFOLLOW
    return call.resolve(path, call.start_of("fd"), follow=follow).existing()


async def _path_node(call: Call, follow: bool = True) -> Node:
    return call.resolve(await call.path("path"), follow=follow).existing()


# Access


def _access(call: Call, path: bytes, mode: int, real: bool, start: Node | None = None, follow: bool = True) -> None:
    from ..vfs.lookup import resolve

    call.kernel.tracing.path(call.process, path)
    view = call.process.view(real=real)
    node = resolve(view, path, start or call.process.directory, follow=follow).existing()
    if mode & 2:
        node.filesystem.check_writable(node)
    if mode:
        check_access(node, mode, view.who)


@syscall("access", component="rumpvfs")
async def access(call: Call) -> None:
    if call["flags"] & ~7:
        raise refuse("EINVAL")
    _access(call, await call.path("path"), call["flags"], real=True)


@syscall("faccessat", component="rumpvfs")
async def faccessat(call: Call) -> None:
    if call["amode"] & ~7:
        raise refuse("EINVAL")
    path = await call.path("path")
    follow = not call["flag"] & AT_SYMLINK_NOFOLLOW
    real = not call["flag"] & AT_EACCESS
    _access(call, path, call["amode"], real, call.start_of("fd"), follow)


@syscall("umask", component="rumpvfs")
async def umask(call: Call) -> int:
    before = call.process.umask
    call.process.umask = call["newmask"] & 0o7777
    return before


# Modes


def _chmod(call: Call, node: Node) -> None:
    node.filesystem.change_mode(node, call["mode"] & 0o7777, call.process.credentials)


@syscall("chmod", component="rumpvfs")
async def chmod(call: Call) -> None:
    _chmod(call, await _path_node(call))


@syscall("lchmod", component="rumpvfs")
async def lchmod(call: Call) -> None:
    _chmod(call, await _path_node(call, follow=False))


@syscall("fchmod", component="rumpvfs")
async def fchmod(call: Call) -> None:
    _chmod(call, call.file().node)


@syscall("fchmodat", component="rumpvfs")
async def fchmodat(call: Call) -> None:
    _chmod(call, await _at_node(call))


# Owners


def _chown(call: Call, node: Node, uid: int, gid: int, posix: bool = False) -> None:
    """NetBSD clears set-id bits of what changes; POSIX both, unless the caller is root."""
    mode = node.mode
    if posix:
        if not call.process.credentials.is_root:
            mode &= ~(S_ISUID | S_ISGID)
    else:
        if uid != KEEP:
            mode &= ~S_ISUID
        if gid != KEEP:
            mode &= ~S_ISGID
    who, filesystem = call.process.credentials, node.filesystem
    if uid != KEEP or gid != KEEP:
        filesystem.change_owner(node, None if uid == KEEP else uid, None if gid == KEEP else gid, who)
    if mode != node.mode:
        filesystem.change_mode(node, mode, who)


@syscall("chown", component="rumpvfs")
async def chown(call: Call) -> None:
    _chown(call, await _path_node(call), call["uid"], call["gid"])


@syscall("__posix_chown", component="rumpvfs")
async def posix_chown(call: Call) -> None:
    _chown(call, await _path_node(call), call["uid"], call["gid"], posix=True)


@syscall("lchown", component="rumpvfs")
async def lchown(call: Call) -> None:
    _chown(call, await _path_node(call, follow=False), call["uid"], call["gid"])


@syscall("__posix_lchown", component="rumpvfs")
async def posix_lchown(call: Call) -> None:
    _chown(call, await _path_node(call, follow=False), call["uid"], call["gid"], posix=True)


@syscall("fchown", component="rumpvfs")
async def fchown(call: Call) -> None:
    _chown(call, call.file().node, call["uid"], call["gid"])


@syscall("__posix_fchown", component="rumpvfs")
async def posix_fchown(call: Call) -> None:
    _chown(call, call.file().node, call["uid"], call["gid"], posix=True)


@syscall("fchownat", component="rumpvfs")
async def fchownat(call: Call) -> None:
    _chown(call, await _at_node(call), call["owner"], call["group"])


# Flags


def _chflags(call: Call, node: Node) -> None:
    node.filesystem.change_flags(node, call["flags"] & 0xFFFFFFFF, call.process.credentials)


@syscall("chflags", component="rumpvfs")
async def chflags(call: Call) -> None:
    _chflags(call, await _path_node(call))


@syscall("lchflags", component="rumpvfs")
async def lchflags(call: Call) -> None:
    _chflags(call, await _path_node(call, follow=False))


@syscall("fchflags", component="rumpvfs")
async def fchflags(call: Call) -> None:
    _chflags(call, call.file().node)


# Times


def _set_times(call: Call, node: Node, times: tuple[int | None, int | None], only_now: bool) -> None:
    """Nanoseconds, or None to leave a time; a birth after the last change would be odd, and is corrected."""
    atime, mtime = times
    birthtime = mtime if mtime is not None and mtime < node.birthtime else None
    node.filesystem.change_times(node, atime, mtime, birthtime, call.process.credentials, only_now)


async def _timespecs(call: Call) -> tuple[tuple[int | None, int | None], bool]:
    """(the two times of a timespec array, whether both are to be the present)."""
    now = call.kernel.clock.now()
    if not call["tptr"]:
        return (now, now), True
    layout = call.memory.abi.struct("timespec")
    raw = await call.memory.copyin(call["tptr"], 2 * layout.size)
    pair = [layout.parse(raw), layout.parse(raw, layout.size)]
    call.note("tptr", [(time.tv_sec, time.tv_nsec) for time in pair])
    values: list[int | None] = []
    for time in pair:
        if time.tv_nsec == UTIME_OMIT or time.tv_sec == -1:
            values.append(None)
        elif time.tv_nsec == UTIME_NOW:
            values.append(now)
        else:
            values.append(time.tv_sec * NANOSECONDS + time.tv_nsec)
    return (values[0], values[1]), all(time.tv_nsec == UTIME_NOW for time in pair)


async def _timevals(call: Call) -> tuple[tuple[int | None, int | None], bool]:
    now = call.kernel.clock.now()
    if not call["tptr"]:
        return (now, now), True
    layout = call.memory.abi.struct("timeval")
    raw = await call.memory.copyin(call["tptr"], 2 * layout.size)
    pair = [layout.parse(raw), layout.parse(raw, layout.size)]
    call.note("tptr", [(time.tv_sec, time.tv_usec * 1000) for time in pair])
    values = [time.tv_sec * NANOSECONDS + time.tv_usec * 1000 for time in pair]
    return (values[0], values[1]), False


@syscall("utimensat", component="rumpvfs")
async def utimensat(call: Call) -> None:
    times, only_now = await _timespecs(call)
    _set_times(call, await _at_node(call), times, only_now)


@syscall("futimens", component="rumpvfs")
async def futimens(call: Call) -> None:
    node = call.file().node
    times, only_now = await _timespecs(call)
    _set_times(call, node, times, only_now)


@syscall("__utimes50", component="rumpvfs")
async def utimes(call: Call) -> None:
    times, only_now = await _timevals(call)
    _set_times(call, await _path_node(call), times, only_now)


@syscall("__lutimes50", component="rumpvfs")
async def lutimes(call: Call) -> None:
    times, only_now = await _timevals(call)
    _set_times(call, await _path_node(call, follow=False), times, only_now)


@syscall("__futimes50", component="rumpvfs")
async def futimes(call: Call) -> None:
    node = call.file().node
    times, only_now = await _timevals(call)
    _set_times(call, node, times, only_now)


# Limits of files

PATHCONF = {1: 32767, 4: 255, 5: 1024, 6: 512, 7: 1, 8: 1, 10: 1, 11: 43, 12: 1024, 13: 1}
"""Answers by _PC_ number (sys/unistd.h): links, names, paths, pipes, chown, truncation, …"""


def _pathconf(call: Call) -> int:
    answer = PATHCONF.get(call["name"])
    if answer is None:
        raise refuse("EINVAL")
    return answer


@syscall("pathconf", component="rumpvfs")
async def pathconf(call: Call) -> int:
    await _path_node(call)
    return _pathconf(call)


@syscall("fpathconf", component="rumpvfs")
async def fpathconf(call: Call) -> int:
    _node = call.file().node
    return _pathconf(call)
