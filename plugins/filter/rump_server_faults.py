# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter rump_server_faults."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rump_server_faults
short_description: What is wrong in the variables of the role rump_server
version_added: 0.1.0
author:
  - rumpkernel.rump authors (@rumpkernel)
description:
  - Checks the form of all variables of the role P(rumpkernel.rump.rump_server#role), and whether its instances can be
    beside one another. The role uses it before it changes anything.
options:
  _input:
    description: The role's variables by their names without C(rump_server_).
    type: dict
    required: true
  hosts:
    description: Names that no kernel may have, those of the hosts of the play.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Check what the role was given
  ansible.builtin.assert:
    that: faults == []
    fail_msg: "{{ faults | join('; ') }}"
  vars:
    faults: "{{ rump_server_variables | rumpkernel.rump.rump_server_faults(ansible_play_hosts_all) }}"
"""

RETURN = r"""
_value:
  description: A text for each fault, with the variable, the instance and the option that it is about.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.rumpkernel.rump.plugins.plugin_utils.rump_server import faults


def rump_server_faults(variables: Mapping[str, Any], hosts: Sequence[str] = ()) -> list[str]:
    """See DOCUMENTATION."""
    return faults(variables, hosts)


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rump_server_faults": rump_server_faults}
