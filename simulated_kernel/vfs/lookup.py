# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a path to a node: NetBSD's namei (sys/kern/vfs_lookup.c), error for error."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import SyscallError, refuse
from ..rooms import Errno
from .filesystem import NAME_MAX, Operation
from .node import Node
from .permissions import Credentials

PATH_MAX = 1024
MAX_SYMLINKS = 32


@dataclass(frozen=True)
class View:
    """From where and as whom a process sees the tree."""

    root: Node
    """The process's root directory (chroot)."""
    system_root: Node
    who: Credentials


@dataclass(frozen=True)
class Found:
    """Where a path led: ``node`` is None when its last component may be created in ``parent``."""

    parent: Node
    name: bytes
    node: Node | None

    def existing(self) -> Node:
        """The node, or ENOENT."""
        if self.node is None:
            raise refuse("ENOENT")
        return self.node


def resolve(view: View, path: bytes, start: Node, operation: Operation = Operation.LOOKUP,
            follow: bool = True, for_directory: bool = False) -> Found:  # fmt: skip
    """Resolve ``path`` from ``start``, or from the process's root if it is absolute.

    :param follow: follow a symbolic link in the last component.
    :param for_directory: a directory will be created, so the path may end in slashes.
    """
    if not path:
        raise refuse("ENOENT")
    if len(path) >= PATH_MAX:
        raise refuse("ENAMETOOLONG")
    directory = view.root if path.startswith(b"/") else start
    rest = path.lstrip(b"/")
    links = 0
    if not rest:
        return _nameless(directory, operation)
    while True:
        name, rest, trailing = directory.filesystem.next_component(directory, rest, operation)
        last = not rest
        if len(name) > NAME_MAX:
            raise refuse("ENAMETOOLONG")
        parent, node = _step(view, directory, name, operation, last)
        if node is None:
            return _creatable(parent, name, trailing, for_directory)
        if node.is_link and (follow or not last or trailing):
            links += 1
            if links > MAX_SYMLINKS:
                raise refuse("ELOOP")
            rest = _expand(node.target, rest, trailing)
            directory = view.root if rest.startswith(b"/") else parent
            rest = rest.lstrip(b"/")
            if not rest:
                return _nameless(directory, operation)
            continue
        if not node.is_directory and (trailing or not last):
            raise refuse("ENOTDIR")
        if last:
            return Found(parent, name, node)
        directory = node


def _nameless(directory: Node, operation: Operation) -> Found:
    """The path was slashes only: nothing of that name can be made or removed."""
    if operation is Operation.CREATE:
        raise refuse("EEXIST")
    if operation is Operation.DELETE:
        raise refuse("EBUSY")
    return Found(directory, b"", directory)


def _expand(target: bytes, rest: bytes, trailing: bool) -> bytes:
    """The path that is left when a component is a link to ``target``."""
    if not target:
        raise refuse("ENOENT")
    expanded = target + (b"/" + rest if trailing or rest else b"")
    if len(expanded) >= PATH_MAX:
        raise refuse("ENAMETOOLONG")
    return expanded


def _step(view: View, directory: Node, name: bytes, operation: Operation, last: bool) -> tuple[Node, Node | None]:
    """One component: the directory in which it was found, and the node."""
    if directory.filesystem.dead:
        raise refuse("ENOENT")
    if not directory.is_directory:
        raise refuse("ENOTDIR")
    if name == b"..":
        if directory in (view.root, view.system_root):
            return directory, directory
        while directory.is_mount_root and directory.filesystem.covered is not None:
            directory = directory.filesystem.covered
            if directory in (view.root, view.system_root):
                return directory, directory
    node = directory.filesystem.lookup(directory, name, operation, last, view.who)
    while node is not None and node.mounted is not None:
        if last and operation is Operation.DELETE:
            raise refuse("EBUSY")
        node = node.mounted.root
    return directory, node


def _creatable(parent: Node, name: bytes, trailing: bool, for_directory: bool) -> Found:
    if trailing and not for_directory:
        raise refuse("ENOENT")
    if parent.filesystem.read_only:
        raise refuse("EROFS")
    return Found(parent, name, None)


def path_of(view: View, node: Node) -> bytes:
    """The absolute path of a directory below the process's root (sys___getcwd)."""
    names: list[bytes] = []
    if node.filesystem.dead:
        raise refuse("EBADF")
    while node is not view.root:
        while node.is_mount_root and node.filesystem.covered is not None:
            node = node.filesystem.covered
        if node is view.root or node is view.system_root:
            break
        parent = node.parent
        if parent is None:
            raise SyscallError(Errno.ENOENT)
        for name, entry in parent.entries.items():
            if entry is node:
                names.append(name)
                break
        else:
            raise SyscallError(Errno.ENOENT)
        node = parent
    return b"/" + b"/".join(reversed(names))
