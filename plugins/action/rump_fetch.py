# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible.builtin.fetch's action on a rump kernel."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import fetch as builtin_fetch
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import SERVER_ARGUMENTS
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.file_action import BuiltinFileAction


class ActionModule(BuiltinFileAction, builtin_fetch.ActionModule):
    options = {
        "src": {"type": "str"},  # ansible-core asks for what it needs in its own words
        "dest": {"type": "str"},
        "flat": {"type": "bool", "default": False},
        "fail_on_missing": {"type": "bool", "default": True},
        "validate_checksum": {"type": "bool", "default": True},
        **SERVER_ARGUMENTS,
    }

    def work(self, parameters: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        result = super().work(parameters, task_vars)
        msg, src = result.get("msg"), str(parameters["src"])
        if msg and not msg.startswith(f"{self.host}: "):  # in words of ansible-core
            result["msg"] = f"{self.host}: {msg if src in msg else f'{src}: {msg}'}"
        result["invocation"] = {"module_args": parameters}
        return result
