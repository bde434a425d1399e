# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs rump_command in the Ansible worker, with the utilities that the connection knows of."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible_collections.rumpkernel.rump.plugins.modules import rump_command
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.action import TRANSPORT, RumpAction
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.becoming import other_user


class ActionModule(RumpAction):
    module = rump_command.MODULE
    supports_raw_params = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        user = other_user(self._connection) if self._connection.transport == TRANSPORT else None
        if user is not None:
            raise AnsibleActionFail(
                f"become_user: rumpctrl's utilities are root in the kernel, and cannot become {user}"
            )
        self._task.args = _with_free_form(self._task.args)
        if self._connection.transport == TRANSPORT and not self._task.args.get("rumpctrl_path"):
            folder = self._connection.get_option("rumpctrl_path")
            if folder:
                self._task.args = {**self._task.args, "rumpctrl_path": folder}
        return super().run(tmp, task_vars)


def _with_free_form(arguments: dict[str, Any]) -> dict[str, Any]:
    """The task's options, with a command in free form as ``cmd``.

    :raises AnsibleActionFail: it is given twice, or a word of it was taken for an option.
    """
    arguments = dict(arguments)
    line = arguments.pop("_raw_params", None)
    if line is None:
        return arguments
    if arguments.get("cmd") is not None or arguments.get("argv") is not None:
        raise AnsibleActionFail("cmd: give the command once: in free form, or by cmd, or by argv")
    # Ansible tells options in a line apart only for modules of its own.
    strange = sorted(arguments.keys() - rump_command.MODULE.argument_spec.keys())
    if strange:
        raise AnsibleActionFail(
            f"{strange[0]}: in free form, a word with an equals sign is an option of the task, and there is no such "
            "option: give the command by cmd or argv"
        )
    return {**arguments, "cmd": line}
