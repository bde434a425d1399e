# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs rump_unarchive in the Ansible worker; an archive of the controller's may be a vault's."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.rumpkernel.rump.plugins.modules import rump_unarchive
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.controller_paths import ControllerFilesAction


class ActionModule(ControllerFilesAction):
    module = rump_unarchive.MODULE

    _archive: str | None = None
    _read: str | None = None

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            result = super().run(tmp, task_vars)
        finally:
            if self._read is not None:
                self._loader.cleanup_tmp_file(self._read)  # what was decrypted
        if self._archive is not None and result.get("src") == self._read:
            result["src"] = self._archive
        return result

    def place(self, arguments: dict[str, Any]) -> None:
        src = arguments.get("src")
        if not src or "://" in str(src) or boolean(arguments.get("remote_src", False), strict=False):
            return
        decrypt = boolean(arguments.get("decrypt", True), strict=False)
        self._archive = self.found(src)
        self._read = arguments["src"] = self._loader.get_real_file(self._archive, decrypt=decrypt)
