# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's users and groups, as ``pwd`` and ``grp`` have them.

They are read from the kernel's own /etc/master.passwd (or /etc/passwd) and /etc/group. Where it has none, as a rump
kernel usually, there are root and wheel, whose numbers the kernel itself knows.
"""

from __future__ import annotations

import grp
import pwd
from collections.abc import Callable, Iterator
from functools import cached_property
from types import ModuleType
from typing import Any, Final, NamedTuple

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError

# Made into pwd's and grp's types when they are asked for: kept until Python ends, these would make it complain.
_ROOT: Final = ("root", "*", 0, 0, "Charlie &", "/root", "/bin/sh")
_WHEEL: Final = ("wheel", "*", 0, ["root"])


_MOST_GROUPS: Final = 16


class Identity(NamedTuple):
    """A user as one that a session can be: the first of the groups is the user's own."""

    number: int
    groups: list[int]
    home: str
    name: str


class Users:
    """What ``pwd`` and ``grp`` tell."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    @cached_property
    def users(self) -> list[pwd.struct_passwd]:
        for path, count in (("/etc/master.passwd", 10), ("/etc/passwd", 7)):
            found = [_user(fields) for fields in self._lines(path, count)]
            if found:
                return found
        return [pwd.struct_passwd(_ROOT)]

    @cached_property
    def groups(self) -> list[grp.struct_group]:
        found = [
            grp.struct_group((name, password, int(gid), [member for member in members.split(",") if member]))
            for name, password, gid, members in self._lines("/etc/group", 4)
        ]
        return found or [grp.struct_group(_WHEEL)]

    def _lines(self, path: str, count: int) -> Iterator[list[str]]:
        try:
            text = self._kernel.read_file(path).decode("utf-8", "surrogateescape")
        except KernelError:
            return
        for line in text.splitlines():
            fields = line.split(":")
            if not line.startswith(("#", "+", "-")) and len(fields) == count and fields[2].isdigit():
                yield fields

    def user(self, name: str) -> pwd.struct_passwd:
        """:raises KeyError: there is none of this name."""
        return _first(self.users, lambda user: user.pw_name == name, f"getpwnam(): name not found: {name!r}")

    def user_of_id(self, uid: int) -> pwd.struct_passwd:
        """:raises KeyError: there is none of this number."""
        return _first(self.users, lambda user: user.pw_uid == uid, f"getpwuid(): uid not found: {uid}")

    def group(self, name: str) -> grp.struct_group:
        """:raises KeyError: there is none of this name."""
        return _first(self.groups, lambda group: group.gr_name == name, f"getgrnam(): name not found: {name!r}")

    def group_of_id(self, gid: int) -> grp.struct_group:
        """:raises KeyError: there is none of this number."""
        return _first(self.groups, lambda group: group.gr_gid == gid, f"getgrgid(): gid not found: {gid}")

    def groups_of(self, user: pwd.struct_passwd) -> list[int]:
        """The numbers of all groups that a user is in."""
        return [user.pw_gid, *(group.gr_gid for group in self.groups if user.pw_name in group.gr_mem)]

    def identity(self, user: str) -> Identity:
        """Who a task becomes as ``user``, a name or a number.

        :raises LookupError: the kernel does not know the name.
        """
        try:
            entry = self.user_of_id(int(user)) if user.isdigit() else self.user(user)
        except KeyError:
            if user.isdigit():
                return Identity(int(user), [int(user)], "/", user)
            raise LookupError(
                f"become_user: the kernel has no user {user!r} in its /etc/master.passwd or /etc/passwd; "
                "a number will do"
            ) from None
        return Identity(entry.pw_uid, self.groups_of(entry)[:_MOST_GROUPS], entry.pw_dir, entry.pw_name)

    def modules(self) -> dict[str, ModuleType]:
        users, groups = ModuleType("pwd", pwd.__doc__), ModuleType("grp", grp.__doc__)
        users.__dict__.update(
            struct_passwd=pwd.struct_passwd,
            getpwnam=self.user,
            getpwuid=self.user_of_id,
            getpwall=lambda: list(self.users),
        )
        groups.__dict__.update(
            struct_group=grp.struct_group,
            getgrnam=self.group,
            getgrgid=self.group_of_id,
            getgrall=lambda: list(self.groups),
        )
        return {"pwd": users, "grp": groups}


def _first(entries: list[Any], wanted: Callable[[Any], bool], missing: str) -> Any:
    for entry in entries:
        if wanted(entry):
            return entry
    raise KeyError(missing)


def _user(fields: list[str]) -> pwd.struct_passwd:
    """Of a line of master.passwd, which has class, change and expire after the group, or of passwd."""
    name, password, uid, gid = fields[:4]
    gecos, home, shell = fields[-3:]
    return pwd.struct_passwd((name, password, int(uid), int(gid) if gid.isdigit() else 0, gecos, home, shell))
