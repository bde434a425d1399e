# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs an action plugin on a kernel as Ansible's worker does, with no play around it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleActionSkip
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.action import TRANSPORT


def run_action(
    kernel: Kernel | None,
    name: str,
    check_mode: bool = False,
    *,
    diff: bool = False,
    no_log: bool = False,
    become_user: str | None = None,
    variables: Mapping[str, Any] | None = None,
    vault_secrets: list[tuple[str, Any]] | None = None,
    **options: Any,
) -> dict[str, Any]:
    """What the action ``name`` returns with ``options``; with no kernel it runs over the connection ``local``."""
    loader = DataLoader()
    if vault_secrets:
        loader.set_vault_secrets(vault_secrets)
    task = _Task()
    task.action = f"rumpkernel.rump.{name}"
    task.args, task.check_mode, task.diff, task.no_log = dict(options), check_mode, diff, no_log
    task_vars = {"inventory_hostname": "host", **(variables or {})}
    module = importlib.import_module(f"ansible_collections.rumpkernel.rump.plugins.action.{name}")
    action = module.ActionModule(
        task=task,
        connection=_Connection(kernel, become_user),
        play_context=PlayContext(),
        loader=loader,
        templar=Templar(loader, task_vars),
        shared_loader_obj=None,
    )
    action._load_name = task.action
    try:
        return action.run(task_vars=task_vars)
    except (AnsibleActionFail, AnsibleActionSkip) as error:
        return {"msg": str(error), **error.result}


class _Task(Task):
    """A task of no play."""

    def get_search_path(self) -> list[str]:
        return []


class _Connection(SimpleNamespace):
    def __init__(self, kernel: Kernel | None, become_user: str | None) -> None:
        become = become_user and SimpleNamespace(get_option=lambda _name: become_user)
        super().__init__(kernel=kernel, become=become, transport="local" if kernel is None else TRANSPORT)
        self._shell = SimpleNamespace(env_prefix=lambda **_environment: "", tmpdir=None)

    def close(self) -> None:
        """The session is the test's."""
