# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible.builtin.copy's action on a rump kernel."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import copy as builtin_copy
from ansible_collections.rumpkernel.rump.plugins.modules import rump_copy
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.file_action import BuiltinFileAction


class ActionModule(BuiltinFileAction, builtin_copy.ActionModule):
    # ansible-core asks for what it needs in its own words.
    options = {name: {**option, "required": False} for name, option in rump_copy.MODULE.argument_spec.items()}

    def work(self, parameters: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        result = super().work(parameters, task_vars)
        if parameters.get("content") is not None:
            result.pop("src", None)  # a temporary file, which is gone
        for key in ("changes", "warnings"):
            told = [line for one in self._told for line in one.get(key, ())]
            if told:
                result[key] = told
        atomic = [one["atomic"] for one in self._told if "atomic" in one]
        if atomic:
            result["atomic"] = all(atomic)
        return result

    def _remove_tempfile_if_content_defined(self, content: Any, content_tempfile: str | None) -> None:
        # ansible-core removes it once it is sent, and again where it fails.
        if content_tempfile is not None:
            super()._remove_tempfile_if_content_defined(content, content_tempfile)
