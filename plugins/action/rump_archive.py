# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs rump_archive in the Ansible worker."""

from __future__ import annotations

from typing import Any

from ansible_collections.rumpkernel.rump.plugins.modules import rump_archive
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.controller_paths import ControllerFilesAction


class ActionModule(ControllerFilesAction):
    module = rump_archive.MODULE

    def place(self, arguments: dict[str, Any]) -> None:
        if arguments.get("dest"):
            arguments["dest"] = self.beside_playbook(arguments["dest"])
