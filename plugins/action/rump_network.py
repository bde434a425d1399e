# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs rump_network in the Ansible worker."""

from __future__ import annotations

from ansible_collections.rumpkernel.rump.plugins.modules import rump_network
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.action import RumpAction


class ActionModule(RumpAction):
    module = rump_network.MODULE
