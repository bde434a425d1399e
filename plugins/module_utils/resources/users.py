# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's users and groups, as ``pwd`` and ``grp`` have them.

They are read from the kernel's own /etc/master.passwd (or /etc/passwd) and /etc/group, in the form of passwd(5) and
group(5). Where it has none, as a rump kernel usually, there are root and wheel, whose numbers the kernel itself knows.
"""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.base import HIGHEST_ID
from .failures import OptionError

_USER_FILES: Final = {"/etc/master.passwd": 10, "/etc/passwd": 7}
"""Where users are, the better one first, and how many fields a line has."""

_GROUP_FILE: Final = "/etc/group"
_GROUP_FIELDS: Final = 4
_MOST_BYTES: Final = 1 << 20  # of one of these files, which are the kernel's and may be anything

# Made into pwd's and grp's types when they are asked for: kept until Python ends, these would make it complain.
_ROOT: Final = ("root", "*", 0, 0, "Charlie &", "/root", "/bin/sh")
_WHEEL: Final = ("wheel", "*", 0, ["root"])

# The names of 0 that mean it whatever is in the files.
_USERS: Final = {"root": 0}
_GROUPS: Final = {"root": 0, "wheel": 0}


class UnknownName(LookupError):
    """The kernel knows no user or group of a name. The text says where it was looked for, and what would do."""


class Users:
    """The users and groups of a kernel at one moment: what is read is kept, for as long as a task takes."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._unread: dict[str, str] = {}

    # As Python's modules tell

    @cached_property
    def users(self) -> list[pwd.struct_passwd]:
        for path, count in _USER_FILES.items():
            found = [_user(fields) for fields in self._lines(path, count) if _is_id(fields[3])]
            if found:
                return found
        return [pwd.struct_passwd(_ROOT)]

    @cached_property
    def groups(self) -> list[grp.struct_group]:
        found = [
            grp.struct_group((name, password, int(gid), [member for member in members.split(",") if member]))
            for name, password, gid, members in self._lines(_GROUP_FILE, _GROUP_FIELDS)
        ]
        return found or [grp.struct_group(_WHEEL)]

    def user(self, name: str) -> pwd.struct_passwd:
        """:raises KeyError: there is none of this name."""
        for user in self.users:
            if user.pw_name == name:
                return user
        raise KeyError(f"getpwnam(): name not found: {name!r}")

    def user_of_id(self, uid: int) -> pwd.struct_passwd:
        """:raises KeyError: there is none of this number."""
        try:
            return self._by_uid[uid]
        except KeyError:
            raise KeyError(f"getpwuid(): uid not found: {uid}") from None

    def group(self, name: str) -> grp.struct_group:
        """:raises KeyError: there is none of this name."""
        for group in self.groups:
            if group.gr_name == name:
                return group
        raise KeyError(f"getgrnam(): name not found: {name!r}")

    def group_of_id(self, gid: int) -> grp.struct_group:
        """:raises KeyError: there is none of this number."""
        try:
            return self._by_gid[gid]
        except KeyError:
            raise KeyError(f"getgrgid(): gid not found: {gid}") from None

    def groups_of(self, user: pwd.struct_passwd) -> list[int]:
        """The numbers of all groups that a user is in."""
        return [user.pw_gid, *(group.gr_gid for group in self.groups if user.pw_name in group.gr_mem)]

    # As options and results have them

    def uid(self, name: str) -> int:
        """The number of a user.

        :raises UnknownName: the kernel has none of this name.
        """
        try:
            return self.user(name).pw_uid
        except KeyError:
            if name in _USERS:
                return _USERS[name]
            raise self.unknown_user(name) from None

    def gid(self, name: str) -> int:
        """The number of a group.

        :raises UnknownName: the kernel has none of this name.
        """
        try:
            return self.group(name).gr_gid
        except KeyError:
            if name in _GROUPS:
                return _GROUPS[name]
            raise self._unknown("group", name, (_GROUP_FILE,)) from None

    def user_name(self, uid: int) -> str | None:
        """The name of a user, the first of several; None for a number that has none."""
        user = self._by_uid.get(uid)
        return None if user is None else user.pw_name

    def group_name(self, gid: int) -> str | None:
        """The name of a group, the first of several; None for a number that has none."""
        group = self._by_gid.get(gid)
        return None if group is None else group.gr_name

    @cached_property
    def _by_uid(self) -> dict[int, pwd.struct_passwd]:
        return {user.pw_uid: user for user in reversed(self.users)}

    @cached_property
    def _by_gid(self) -> dict[int, grp.struct_group]:
        return {group.gr_gid: group for group in reversed(self.groups)}

    def unknown_user(self, name: str) -> UnknownName:
        """The error that a user of this name is not there, to be raised."""
        return self._unknown("user", name, tuple(_USER_FILES))

    def _unknown(self, kind: str, name: str, paths: tuple[str, ...]) -> UnknownName:
        where = " or ".join(paths)
        unread = "".join(f" ({path} was not read: {self._unread[path]})" for path in paths if path in self._unread)
        return UnknownName(f"the kernel has no {kind} {name!r} in its {where}{unread}; a number will do")

    # The files

    @cached_property
    def _sizes(self) -> dict[str, int]:
        """Those of the files that are there, and can be read, with their bytes; all are asked for at once."""
        sizes = {}
        for path, found in self._kernel.stat_many([*_USER_FILES, _GROUP_FILE]):
            if isinstance(found, os.stat_result):
                if not stat.S_ISREG(found.st_mode):
                    self._unread[path] = "it is no file"  # a pipe would be waited for, many a device has no end
                elif found.st_size > _MOST_BYTES:
                    self._unread[path] = f"its {found.st_size} bytes are more than {_MOST_BYTES}"
                else:
                    sizes[path] = found.st_size
            elif found.name not in ("ENOENT", "ENOTDIR"):
                self._unread[path] = str(found)
        return sizes

    def _lines(self, path: str, count: int) -> Iterator[list[str]]:
        """The fields of each line that has ``count`` of them, a name first and a number third."""
        if path not in self._sizes:
            return
        try:
            descriptor = self._kernel.open(path, os.O_RDONLY)
            try:
                content = self._kernel.read(descriptor, self._sizes[path])
            finally:
                if not self._kernel.session.closed:
                    self._kernel.close(descriptor)
        except KernelError as error:
            self._unread[path] = str(error)
            return
        for line in content.decode("utf-8", "surrogateescape").splitlines():
            fields = line.split(":")
            if not line.startswith(("#", "+", "-")) and len(fields) == count and _is_id(fields[2]):
                yield fields


def parse_id(option: str, value: str, number_of: Callable[[str], int]) -> int:
    """The number of a user or group that is given by number or name; ``number_of`` is :meth:`Users.uid` or the like.

    :raises OptionError: the kernel does not know the name, or nobody can have the number.
    """
    try:
        number = int(value)
    except ValueError:
        try:
            return number_of(value)
        except UnknownName as error:
            raise OptionError(option, str(error)) from None
    if not 0 <= number <= HIGHEST_ID:
        raise OptionError(option, f"give a number from 0 to {HIGHEST_ID}, not {number}")
    return number


def _is_id(text: str) -> bool:
    return re.fullmatch("[0-9]{1,10}", text) is not None and int(text) <= HIGHEST_ID


def _user(fields: list[str]) -> pwd.struct_passwd:
    """Of a line of master.passwd, which has class, change and expire after the group, or of passwd."""
    name, password, uid, gid = fields[:4]
    gecos, home, shell = fields[-3:]
    return pwd.struct_passwd((name, password, int(uid), int(gid), gecos, home, shell))
