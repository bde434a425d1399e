# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible asks of a shell, for a host that has none: words that the connection sysproxy carries out."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sysproxy
short_description: The words that the sysproxy connection does instead of a shell
description:
  - A rump kernel has no shell. What Ansible needs of one (to make a temporary directory, to find a home, to
    change modes, to remove), the connection P(rumpkernel.rump.sysproxy#connection) does by system calls. This
    plugin is the language in which it is told; the connection chooses it by itself.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
options:
  remote_tmp:
    description: The directory in the kernel that temporary directories are made in. It is made when it is missing.
    type: string
    default: /tmp
    vars:
      - name: ansible_remote_tmp
  system_tmpdirs:
    description: Directories in the kernel that all users may write to, for tasks that become another user than root.
    type: list
    elements: string
    default: [/tmp]
    vars:
      - name: ansible_system_tmpdirs
  admin_users:
    description: Users to become with all the rights that the session has, which is root's.
    type: list
    elements: string
    default: [root, toor, "0"]
    vars:
      - name: ansible_admin_users
  common_remote_group:
    description: A group that temporary files are given to, where neither access control lists nor owners can be set.
    type: string
    vars:
      - name: ansible_common_remote_group
  world_readable_temp:
    description: Whether temporary files may be made readable for all users, if there is no other way.
    type: boolean
    default: false
    vars:
      - name: ansible_shell_allow_world_readable_temp
  async_dir:
    description: Not used, as tasks over this connection are not run asynchronously.
    type: string
    default: /tmp/.ansible_async
    vars:
      - name: ansible_async_dir
"""

import json
import shlex
from collections.abc import Iterable
from typing import Any

from ansible.plugins.shell import ShellBase
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.words import Command, encode


class ShellModule(ShellBase):
    """The commands are those of :mod:`..plugin_utils.words`."""

    COMPATIBLE_SHELLS: frozenset[str] = frozenset()
    SHELL_FAMILY = "sysproxy"

    # For what joins commands by itself: it is refused as one that is for a shell.
    _SHELL_AND = "&&"

    def chmod(self, paths: Iterable[str], mode: str) -> str:
        return _word("chmod", paths=list(paths), mode=mode)

    def chown(self, paths: Iterable[str], user: str) -> str:
        return _word("chown", paths=list(paths), user=str(user))

    def chgrp(self, paths: Iterable[str], group: str) -> str:
        return _word("chgrp", paths=list(paths), group=str(group))

    def set_user_facl(self, paths: Iterable[str], user: str, mode: str) -> str:
        return _word("setfacl", paths=list(paths), user=str(user), mode=mode)

    def remove(self, path: str, recurse: bool = False) -> str:
        return _word("remove", path=path, recurse=recurse)

    def exists(self, path: str) -> str:
        return _word("exists", path=path)

    def mkdtemp(
        self, basefile: str | None = None, system: bool = False, mode: int = 0o700, tmpdir: str | None = None
    ) -> str:
        folder = tmpdir or self.get_option("remote_tmp")
        if system and folder.rstrip("/") not in self.get_option("system_tmpdirs"):
            folder = self.get_option("system_tmpdirs")[0]
        return _word("mkdtemp", name=basefile or self._generate_temp_dir_name(), folder=folder, mode=mode)

    def expand_user(self, user_home_path: str, username: str = "") -> str:
        return _word("expand", path=user_home_path + (username if user_home_path == "~" else ""))

    def pwd(self) -> str:
        return _word("pwd")

    def checksum(self, path: str, python_interp: str) -> str:
        return _word("checksum", path=path)

    def env_prefix(self, **kwargs: Any) -> str:
        return json.dumps({name: str(value) for name, value in kwargs.items()}) if kwargs else ""

    def build_module_command(self, env_string: str, shebang: str | None, cmd: str, arg_path: str | None = None) -> str:
        arguments = {"interpreter": (shebang or "").removeprefix("#!").strip(), "path": cmd.strip(), "file": arg_path}
        return encode(Command("module", arguments, json.loads(env_string) if env_string.strip() else {}))

    def join(self, cmd_parts: Iterable[str]) -> str:
        return shlex.join(cmd_parts)


def _word(word: str, **arguments: Any) -> str:
    return encode(Command(word, {key: _plain(value) for key, value in arguments.items()}))


def _plain(value: Any) -> Any:
    """Without the tags that Ansible's strings carry."""
    if isinstance(value, list):
        return [str(entry) for entry in value]
    return value if isinstance(value, (bool, int)) or value is None else str(value)
