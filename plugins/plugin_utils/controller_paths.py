# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the controller's files are that a task names, as Ansible's own actions look for them."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.rumpkernel.rump.plugins.plugin_utils.action import TRANSPORT, RumpAction


class ControllerFilesAction(RumpAction):
    """An action whose module works on the controller's files: their paths are made absolute, by :meth:`place`.

    Over a connection to another host than the controller they are that host's, and stay as they are.
    """

    def place(self, arguments: dict[str, Any]) -> None:
        """Change the paths in the task's arguments."""
        raise NotImplementedError

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        if self._connection.transport in (TRANSPORT, "local", "ansible.builtin.local"):
            arguments = dict(self._task.args)
            self.place(arguments)
            self._task.args = arguments
        return super().run(tmp, task_vars)

    def found(self, path: str) -> str:
        """A file or directory that is there, searched for in ``files`` of the role and beside the playbook.

        :raises AnsibleError: it is in none of these places.
        """
        path = str(path)
        whole = self._find_needle("files", os.path.expanduser(path))
        return os.path.join(whole, "") if path.endswith("/") else whole

    def beside_playbook(self, path: str) -> str:
        """A path that need not be there, from the playbook's directory on."""
        path = str(path)
        whole = self._loader.path_dwim(path)
        return os.path.join(whole, "") if path.endswith("/") else str(whole)
