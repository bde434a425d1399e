# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs rump_sync in the Ansible worker."""

from __future__ import annotations

from typing import Any

from ansible_collections.rumpkernel.rump.plugins.modules import rump_sync
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.controller_paths import ControllerFilesAction


class ActionModule(ControllerFilesAction):
    module = rump_sync.MODULE

    def place(self, arguments: dict[str, Any]) -> None:
        if arguments.get("mode", "push") == "push" and arguments.get("src"):
            arguments["src"] = self.found(arguments["src"])
        elif arguments.get("dest"):
            arguments["dest"] = self.beside_playbook(arguments["dest"])
