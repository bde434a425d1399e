# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listing directories, the working directory, the root directory."""

from __future__ import annotations

from ..errors import refuse
from ..files import FREAD
from ..vfs.filesystem import DirectoryEntry
from ..vfs.lookup import path_of
from ..vfs.node import Node
from ..vfs.permissions import EXECUTE, check_access
from .registry import Call, syscall

MAX_BUFFER = 65536
"""What one getdents gives at most (MAXBSIZE)."""


@syscall("__getdents30", component="rumpvfs")
async def getdents(call: Call) -> int:
    """Entries as many as fit; the file's position is the file system's own cookie."""
    file = call.file()
    node = file.node
    if not file.flags & FREAD:
        raise refuse("EBADF")
    if not node.is_directory:
        raise refuse("EINVAL")
    left, address = min(call["count"], MAX_BUFFER), call["buf"]
    async with node.lock:
        for entry in node.filesystem.directory_entries(node, file.offset):
            raw = _dirent(call, entry, node.filesystem.entry_size)
            if len(raw) > left:
                break
            await call.memory.copyout(address, raw)
            address += len(raw)
            left -= len(raw)
            file.offset = entry.next_offset
    node.filesystem.directory_was_read(node)
    return address - call["buf"]


def _dirent(call: Call, entry: DirectoryEntry, size: int | None) -> bytes:
    """A struct dirent: the head, the name with its NUL, up to a multiple of eight bytes, or of a fixed size."""
    head = call.memory.abi.struct("dirent_head")
    start = head.offset_of("d_type") + 1
    length = size or -(-(start + len(entry.name) + 1) // 8) * 8
    built = head.build(d_fileno=entry.number, d_reclen=length, d_namlen=len(entry.name), d_type=entry.kind)
    return (built[:start] + entry.name).ljust(length, b"\0")


def _enter(call: Call, node: Node) -> Node:
    if not node.is_directory:
        raise refuse("ENOTDIR")
    check_access(node, EXECUTE, call.process.credentials)
    return node


@syscall("chdir", component="rumpvfs")
async def chdir(call: Call) -> None:
    node = call.resolve(await call.path("path")).existing()
    call.process.directory = _enter(call, node)


@syscall("fchdir", component="rumpvfs")
async def fchdir(call: Call) -> None:
    node = _enter(call, call.file().node)
    while node.mounted is not None:
        node = node.mounted.root
    if call.process.root is not call.kernel.root and not _is_under(call, node):
        raise refuse("EPERM")
    call.process.directory = node


def _is_under(call: Call, node: Node) -> bool:
    """Whether a directory is below the process's root."""
    root = call.process.root
    current: Node | None = node
    while current is not None:
        if current is root:
            return True
        if current.is_mount_root:
            if current.filesystem.covered is None:
                return False
            current = current.filesystem.covered
            continue
        current = current.parent
    return False


def _change_root(call: Call, node: Node) -> None:
    if not call.process.credentials.is_root:
        raise refuse("EPERM")
    call.process.root = _enter(call, node)
    if not _is_under(call, call.process.directory):
        call.process.directory = node


@syscall("chroot", component="rumpvfs")
async def chroot(call: Call) -> None:
    _change_root(call, call.resolve(await call.path("path")).existing())


@syscall("fchroot", component="rumpvfs")
async def fchroot(call: Call) -> None:
    _change_root(call, call.file().node)


@syscall("__getcwd", component="rumpvfs")
async def getcwd(call: Call) -> int:
    """The path with its NUL; the result is its length."""
    if call["length"] < 2:
        raise refuse("ERANGE")
    path = path_of(call.process.view(), call.process.directory) + b"\0"
    if len(path) > min(call["length"], 4096):
        raise refuse("ERANGE")
    await call.memory.copyout(call["bufp"], path)
    return len(path)
