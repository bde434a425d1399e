# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads sysctls of a rump kernel: one, a subtree, or all."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_sysctl_info
short_description: Read sysctls of a rump kernel
description:
  - Reads one node of the kernel's sysctl tree, all nodes of a subtree, or all there are.
  - Nodes that answer only to an argument in their name, such as lists of sockets, are left out of subtrees.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.info
options:
  name:
    description: The dotted name of a node or a subtree. Left out, the whole tree is read.
    type: str
  details:
    description: Also return each node's type, whether it can be set, and the kernel's description of it.
    type: bool
    default: false
seealso:
  - module: rumpkernel.rump.rump_sysctl
"""

EXAMPLES = r"""
- name: Read one value
  rumpkernel.rump.rump_sysctl_info:
    name: kern.ostype
  register: ostype

- name: Read what IPv4 is set to, with descriptions
  rumpkernel.rump.rump_sysctl_info:
    name: net.inet.ip
    details: true
  register: ip

- name: Read all
  rumpkernel.rump.rump_sysctl_info:
  register: everything
"""

RETURN = r"""
sysctl:
  description: The values by the nodes' full names; a structure's bytes as hexadecimal digits.
  type: dict
  returned: success
  sample: {"kern.ostype": "NetBSD", "kern.osrelease": "7.99.34"}
nodes:
  description: The nodes in the kernel's order.
  type: list
  elements: dict
  returned: when O(details) is true
  contains:
    name:
      description: The node's full name.
      type: str
    value:
      description: Its value.
      type: raw
    type:
      description: V(int), V(quad), V(string), V(bool) or V(struct).
      type: str
    writable:
      description: Whether it can be set at all.
      type: bool
    description:
      description: The kernel's description; rump kernels are built without, and have it empty.
      type: str
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import sysctl
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={"name": {"type": "str"}, "details": {"type": "bool", "default": False}},
    plan=sysctl.info,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
