# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``become`` for the collection's own modules: the session is the other user for as long as the module is at work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.users import Users
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError

from .redirection.users import identity


def other_user(connection: Any) -> str | None:
    """Whom the task becomes, if it is another than root, which every session is."""
    user = connection.become.get_option("become_user") if connection.become else None
    return None if user in (None, "root", "0") else str(user)


@contextmanager
def as_user(connection: Any, kernel: Kernel) -> Iterator[None]:
    """A block in which the session with ``kernel`` is the user that the task becomes, by the effective ids.

    :raises AnsibleActionFail: the kernel has no such user.
    :raises KernelError: it does not let the session become another.
    """
    user = other_user(connection)
    if user is None:
        yield
        return
    try:
        other = identity(Users(kernel), user)
    except LookupError as error:
        raise AnsibleActionFail(str(error)) from None
    group, groups = kernel.getegid(), kernel.getgroups()
    try:
        kernel.setgroups(other.groups)
        kernel.setegid(other.groups[0])
        kernel.seteuid(other.number)
        yield
    finally:
        if not kernel.session.closed:  # why it is, the error on its way tells
            try:
                kernel.seteuid(0)
                kernel.setegid(group)
                kernel.setgroups(groups)
            except KernelError:
                kernel.disconnect()  # whoever comes next is not to be that user
