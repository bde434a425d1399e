# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extended attributes: the calls of Linux's shape, and extattrctl (sys/kern/vfs_xattr.c)."""

from __future__ import annotations

from functools import partial

from ..errors import SyscallError, refuse
from ..rooms import Errno
from ..vfs.node import Node
from .registry import Call, syscall

NAME_LIMIT = 256
XATTR_CREATE, XATTR_REPLACE = 1, 2
CMD_START, CMD_STOP = 1, 2
SYSTEM_PREFIXES = (b"system.", b"security.", b"trusted.")


async def _target(call: Call, kind: str) -> Node:
    """The node of a path, a link or a descriptor: ``kind`` is the call's first letter or nothing."""
    if kind == "f":
        return call.file().node
    return call.resolve(await call.path("path"), follow=kind != "l").existing()


async def _name(call: Call) -> bytes:
    name = await call.memory.copyinstr(call["name"], NAME_LIMIT)
    call.note("name", name)
    return name


def _attributes(node: Node, name: bytes = b"user.") -> dict[bytes, bytes]:
    """The node's attributes; ENOTSUP where the file system has none."""
    space = "system" if name.startswith(SYSTEM_PREFIXES) else "user"
    try:
        node.filesystem.check_extended_attributes(space)
    except SyscallError as error:
        raise refuse("ENOTSUP" if error.errno is Errno.EOPNOTSUPP else error.errno.name) from None
    return node.extended_attributes


async def _give(call: Call, address: str, value: bytes) -> int:
    """A value, cut to the room that there is, or its length."""
    if not call[address]:
        return len(value)
    value = value[: call["size"]]
    await call.memory.copyout(call[address], value)
    return len(value)


async def _get(call: Call, kind: str) -> int:
    name = await _name(call)
    found = _attributes(await _target(call, kind), name)
    if name not in found:
        raise refuse("ENODATA")
    return await _give(call, "value", found[name])


async def _set(call: Call, kind: str) -> None:
    name = await _name(call)
    node = await _target(call, kind)
    found = _attributes(node, name)
    flags = call["flags"]
    if flags & ~(XATTR_CREATE | XATTR_REPLACE):
        raise refuse("EINVAL")
    if flags & XATTR_CREATE and name in found:
        raise refuse("EEXIST")
    if flags & XATTR_REPLACE and name not in found:
        raise refuse("ENODATA")
    value = await call.memory.copyin(call["value"], call["size"])
    node.filesystem.refuse_if_read_only()
    if found.get(name) != value:
        node.filesystem.mark_attribute_change()
    found[name] = value


async def _list(call: Call, kind: str) -> int:
    found = _attributes(await _target(call, kind))
    return await _give(call, "list", b"".join(name + b"\0" for name in found))


async def _remove(call: Call, kind: str) -> None:
    name = await _name(call)
    node = await _target(call, kind)
    found = _attributes(node, name)
    if name not in found:
        raise refuse("ENODATA")
    node.filesystem.refuse_if_read_only()
    del found[name]
    node.filesystem.mark_attribute_change()


def _register() -> None:
    """Each call for paths, links and descriptors."""
    for base, function in (("getxattr", _get), ("setxattr", _set), ("listxattr", _list), ("removexattr", _remove)):
        for kind in ("", "l", "f"):
            syscall(f"{kind}{base}", component="rumpvfs")(partial(function, kind=kind))


_register()


@syscall("extattrctl", component="rumpvfs")
async def extattrctl(call: Call) -> None:
    node = call.resolve(await call.path("path")).existing()
    if call["cmd"] == CMD_START:
        node.filesystem.start_extended_attributes()
    elif call["cmd"] == CMD_STOP:
        node.filesystem.stop_extended_attributes()
    else:
        raise refuse("EOPNOTSUPP")
