# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter rumprun_launch."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rumprun_launch
short_description: The command that runs a Rumprun unikernel
version_added: 0.1.0
author:
  - rumpkernel.rump authors (@rumpkernel)
description:
  - Makes the command line of QEMU, or the commands for Xen, that run a Rumprun unikernel in the foreground with its
    console on the standard output, and tells where it then serves sysproxy.
  - The role P(rumpkernel.rump.rumprun#role) uses it.
options:
  _input:
    description:
      - The guest, a mapping as in the option O(rumpkernel.rump.rumprun#role:main:rumprun_instances) of the role. Its
        disks have all a C(path).
      - Of a guest whose C(state) is V(absent), only C(name) and C(platform) are heeded, and nothing runs it.
    type: dict
    required: true
  qemu:
    description: The program of QEMU's, release 3.0 or later.
    type: str
    default: qemu-system-x86_64
  host:
    description: The host's name, by which guests of the same name on several hosts have different MAC addresses.
    type: str
    default: ""
  record:
    description: The file that the guest's process locks as long as it is there, by flock(2).
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show a guest's command line
  ansible.builtin.debug:
    msg: "{{ (guest | rumpkernel.rump.rumprun_launch).command | map('quote') | join(' ') }}"
  vars:
    guest:
      name: web
      platform: qemu
      image: /srv/images/web.bin
      interfaces:
        - backend: user
          ipv4: dhcp
"""

RETURN = r"""
_value:
  description: The command with what goes with it.
  type: dict
  contains:
    command:
      description: The program and its arguments.
      type: list
      elements: str
    forward:
      description: The address and port of the host that lead there, or null for a guest that has none such.
      type: str
    clean_command:
      description:
        - The command that destroys what outlived the guest's process when that was killed, a domain of Xen's, and then
          says so. Empty for a guest that is gone with its process.
      type: list
      elements: str
    url:
      description: The URL at which the host reaches the guest's sysproxy, or null for a guest that has none.
      type: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.rumprun import (
    GuestError,
    clean_command,
    command,
    forwarded,
    server_url,
)


def rumprun_launch(
    guest: Mapping[str, Any], qemu: str = "qemu-system-x86_64", host: str = "", record: str = ""
) -> dict[str, Any]:
    """See DOCUMENTATION."""
    try:
        launched: dict[str, Any] = {"command": [], "url": None, "forward": None}
        if guest.get("state") != "absent":
            launched = {"command": command(guest, qemu, host), "url": server_url(guest), "forward": forwarded(guest)}
        return {**launched, "clean_command": clean_command(guest, record)}
    except GuestError as error:
        raise AnsibleFilterError(f"rumprun_launch: {error}") from error


class FilterModule:
    """The filter by its name."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"rumprun_launch": rumprun_launch}
