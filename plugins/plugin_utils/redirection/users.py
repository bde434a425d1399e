# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules ``pwd`` and ``grp`` of a Python on the kernel, and who a task becomes there."""

from __future__ import annotations

import grp
import pwd
from types import ModuleType
from typing import Final, NamedTuple

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.users import UnknownName, Users
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.base import HIGHEST_ID

_MOST_GROUPS: Final = 16
_MOST_DIGITS: Final = len(str(HIGHEST_ID))


class Identity(NamedTuple):
    """A user as one that a session can be: the first of the groups is the user's own."""

    number: int
    groups: list[int]
    home: str
    name: str


def identity(users: Users, user: str) -> Identity:
    """Who a task becomes as ``user``, a name or a number.

    :raises UnknownName: the kernel does not know the name, or nobody can have the number.
    """
    by_number = user.isdecimal()
    if by_number and (len(user) > _MOST_DIGITS or int(user) > HIGHEST_ID):
        raise UnknownName(f"become_user: a user's number is 0 to {HIGHEST_ID}, not {user}")
    try:
        entry = users.user_of_id(int(user)) if by_number else users.user(user)
    except KeyError:
        if by_number:
            return Identity(int(user), [int(user)], "/", user)
        raise UnknownName(f"become_user: {users.unknown_user(user)}") from None
    return Identity(entry.pw_uid, users.groups_of(entry)[:_MOST_GROUPS], entry.pw_dir, entry.pw_name)


def modules(users: Users) -> dict[str, ModuleType]:
    """The modules by name."""
    passwd, group = ModuleType("pwd", pwd.__doc__), ModuleType("grp", grp.__doc__)
    passwd.__dict__.update(
        struct_passwd=pwd.struct_passwd,
        getpwnam=users.user,
        getpwuid=users.user_of_id,
        getpwall=lambda: list(users.users),
    )
    group.__dict__.update(
        struct_group=grp.struct_group,
        getgrnam=users.group,
        getgrgid=users.group_of_id,
        getgrall=lambda: list(users.groups),
    )
    return {"pwd": passwd, "grp": group}
