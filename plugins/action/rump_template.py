# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible.builtin.template's action on a rump kernel: it makes a file on the controller, and rump_copy takes it on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ansible.plugins.action import template as builtin_template
from ansible_collections.rumpkernel.rump.plugins.action import rump_copy
from ansible_collections.rumpkernel.rump.plugins.module_utils.file_options import OWNER, WRITTEN
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import SERVER_ARGUMENTS
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.file_action import BuiltinFileAction


class ActionModule(BuiltinFileAction, builtin_template.ActionModule):
    options = {
        "src": {"type": "str"},  # ansible-core asks for what it needs in its own words
        "dest": {"type": "str"},
        **OWNER,
        **WRITTEN,
        "newline_sequence": {"type": "str", "default": "\n"},
        "block_start_string": {"type": "str", "default": "{%"},
        "block_end_string": {"type": "str", "default": "%}"},
        "variable_start_string": {"type": "str", "default": "{{"},
        "variable_end_string": {"type": "str", "default": "}}"},
        "comment_start_string": {"type": "str"},
        "comment_end_string": {"type": "str"},
        "trim_blocks": {"type": "bool", "default": True},
        "lstrip_blocks": {"type": "bool", "default": False},
        "output_encoding": {"type": "str", "default": "utf-8"},
        **SERVER_ARGUMENTS,
    }

    def work(self, parameters: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        self._shared_loader_obj = SimpleNamespace(action_loader=SimpleNamespace(get=self._copy_action))
        result = super().work(parameters, task_vars)
        if "src" in result:
            result["src"] = self._template  # and not the temporary file, which is gone
        return result

    def _find_needle(self, dirname: str, needle: str) -> str:
        self._template = str(super()._find_needle(dirname, needle))
        return self._template

    def _copy_action(self, _name: str, **arguments: Any) -> _Copying:
        """What ansible.builtin.template gets where it asks for the action ``ansible.legacy.copy``."""
        action = rump_copy.ActionModule(**arguments)
        action.kernel, action.host = self.kernel, self.host
        return _Copying(action)


class _Copying:
    """A copy over a connection that is there."""

    def __init__(self, action: rump_copy.ActionModule) -> None:
        self._action = action

    def run(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        _validation, parameters = self._action.validate_argument_spec(self._action.options)
        return self._action.work(parameters, task_vars)
