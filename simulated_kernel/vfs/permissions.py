# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what to a node: the rules of genfs(9) with the traditional superuser.

Source: sys/miscfs/genfs/genfs_vnops.c (genfs_can_*), sys/secmodel/suser.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field

from ..errors import refuse
from .node import Node

EXECUTE, WRITE, READ = 1, 2, 4


@dataclass
class Credentials:
    """A process's identity. Clients are root until they say otherwise."""

    uid: int = 0
    gid: int = 0
    euid: int = 0
    egid: int = 0
    groups: list[int] = field(default_factory=list)

    @property
    def is_root(self) -> bool:
        return self.euid == 0

    def in_group(self, gid: int) -> bool:
        return gid == self.egid or gid in self.groups

    def copy(self) -> Credentials:
        return Credentials(self.uid, self.gid, self.euid, self.egid, list(self.groups))


def check_access(node: Node, wanted: int, who: Credentials) -> None:
    """Refuse with EACCES unless ``who`` has the ``wanted`` bits (READ, WRITE, EXECUTE) on ``node``."""
    if who.is_root:
        if wanted & EXECUTE and not node.is_directory and not node.mode & 0o111:
            raise refuse("EACCES")
        return
    if who.euid == node.uid:
        granted = node.mode >> 6
    elif who.in_group(node.gid):
        granted = node.mode >> 3
    else:
        granted = node.mode
    if wanted & ~granted & 7:
        raise refuse("EACCES")


def check_chmod(node: Node, mode: int, who: Credentials) -> None:
    if who.is_root:
        return
    if who.euid != node.uid:
        raise refuse("EPERM")
    if not node.is_directory and mode & stat.S_ISVTX:
        raise refuse("EFTYPE")
    if mode & stat.S_ISGID and not who.in_group(node.gid):
        raise refuse("EPERM")


def check_chown(node: Node, uid: int, gid: int, who: Credentials) -> None:
    if who.is_root:
        return
    if who.euid != node.uid or uid != node.uid or (gid != node.gid and not who.in_group(gid)):
        raise refuse("EPERM")


def check_chtimes(node: Node, who: Credentials, only_now: bool) -> None:
    """``only_now``: both times are to be the present one, for which write access is enough."""
    if who.is_root or who.euid == node.uid:
        return
    if not only_now:
        raise refuse("EPERM")
    check_access(node, WRITE, who)


def check_chflags(node: Node, who: Credentials) -> None:
    if not who.is_root and who.euid != node.uid:
        raise refuse("EPERM")


def check_sticky(directory: Node, node: Node, who: Credentials) -> None:
    """In a directory with the sticky bit only the owners may remove and rename."""
    if directory.mode & stat.S_ISVTX and not who.is_root and who.euid not in (directory.uid, node.uid):
        raise refuse("EPERM")
