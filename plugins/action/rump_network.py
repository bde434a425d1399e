# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs rump_network in the Ansible worker, and has the tasks after it reach a kernel that moved."""

from __future__ import annotations

from typing import Any

from ansible_collections.rumpkernel.rump.plugins.modules import rump_network
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.action import TRANSPORT, RumpAction


class ActionModule(RumpAction):
    module = rump_network.MODULE

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        server = result.get("server")
        if not server or self._connection.transport != TRANSPORT or self._task.check_mode:
            return result
        if server != self._connection.url:
            # For what this task still does, in a loop; and as a fact, which goes before the inventory's variables.
            self._connection.set_option("server", server)
            result["ansible_facts"] = {"ansible_rump_server": server}
        return result
