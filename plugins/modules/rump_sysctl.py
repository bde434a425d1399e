# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads and sets one sysctl of a rump kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_sysctl
short_description: Read or set a sysctl of a rump kernel
description:
  - Makes a node of the kernel's sysctl tree hold a value, or reads it.
  - Like C(rumpctrl)'s C(sysctl), it asks the kernel for the node's type, so that any node can be set.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  name:
    description: The dotted name of the node, such as V(net.inet.ip.forwarding).
    type: str
    required: true
    aliases: [key]
  value:
    description:
      - The value that the node is to have. Left out, the node is only read.
      - A number (decimal, or C(0x) and hexadecimal) for a node of type int or quad, text for a string, true or
        false for a bool. C(true) and C(false) are also 1 and 0 for a node of type int.
    type: str
    aliases: [val]
notes:
  - Of M(ansible.posix.sysctl)'s options, C(sysctl_file), C(reload) and C(state) are left out, as no file is read when a
    rump kernel starts, and C(sysctl_set), as the value is always set. What is set is gone when the kernel halts.
    C(ignoreerrors) is left out, too, for which a task has C(ignore_errors).
seealso:
  - module: rumpkernel.rump.rump_sysctl_info
  - module: ansible.posix.sysctl
"""

EXAMPLES = r"""
- name: Forward packets
  rumpkernel.rump.rump_sysctl:
    name: net.inet.ip.forwarding
    value: 1

- name: Name the kernel
  rumpkernel.rump.rump_sysctl:
    name: kern.hostname
    value: "{{ inventory_hostname }}"

- name: Read how many CPUs it has
  rumpkernel.rump.rump_sysctl:
    name: hw.ncpu
  register: ncpu
"""

RETURN = r"""
name:
  description: The node's full name.
  type: str
  returned: success
  sample: net.inet.ip.forwarding
value:
  description: The node's value after the task; in check mode, the one that it would have.
  type: raw
  returned: success
  sample: 1
type:
  description: The node's type, V(int), V(quad), V(string) or V(bool).
  type: str
  returned: success
  sample: int
writable:
  description: Whether the node can be set at all.
  type: bool
  returned: success
changes:
  description: What was changed, or would be.
  type: list
  elements: str
  returned: changed
  sample: ["set net.inet.ip.forwarding to 1"]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import sysctl
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "name": {"type": "str", "required": True, "aliases": ["key"]},
        "value": {"type": "str", "aliases": ["val"]},
    },
    plan=sysctl.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
