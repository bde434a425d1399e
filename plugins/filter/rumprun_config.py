# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter rumprun_config."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rumprun_config
short_description: The configuration of a Rumprun unikernel
version_added: 0.1.0
author:
  - rumpkernel.rump authors (@rumpkernel)
description:
  - Makes the text by which a Rumprun unikernel is told its host name, environment, disks, interfaces and arguments.
  - It looks like JSON, and a guest reads it in a way of its own, where keys repeat and every value is a string. What
    the guest could not read, or would read otherwise, is an error.
  - The role P(rumpkernel.rump.rumprun#role) uses it. It is for other launchers as well.
options:
  _input:
    description:
      - The guest, a mapping as in the option O(rumpkernel.rump.rumprun#role:main:rumprun_instances) of the role.
      - Its keys C(platform), C(name), C(hostname), C(environment), C(disks), C(interfaces), C(arguments), C(programs),
        C(sysproxy) and C(port) are heeded, and none has to be there.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show what a guest with two interfaces is told
  ansible.builtin.debug:
    msg: "{{ guest | rumpkernel.rump.rumprun_config }}"
  vars:
    guest:
      name: web
      arguments: ["-p", "80", "/data dir"]
      disks:
        - mountpoint: /data
      interfaces:
        - ipv4: dhcp
        - ipv4: 192.0.2.2/24
          ipv6: 2001:db8::2/64
"""

RETURN = r"""
_value:
  description: The configuration, in one line unless a string has more.
  type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.rumprun import GuestError, configuration


def rumprun_config(guest: Mapping[str, Any]) -> str:
    """See DOCUMENTATION."""
    try:
        return configuration(guest)
    except GuestError as error:
        raise AnsibleFilterError(f"rumprun_config: {error}") from error


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rumprun_config": rumprun_config}
