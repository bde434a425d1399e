# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the routing table of a rump kernel, or which way packets take."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_route_info
short_description: Read the routing table of a rump kernel
description:
  - Reads all routes, or with O(dest) the one that packets to an address take.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.info
options:
  dest:
    description:
      - An address. The kernel itself is asked which route packets to it take.
      - A link-local one names its interface, as in V(fe80::1%shmif0).
    type: str
    aliases: [destination]
  family:
    description: Read the routes of this family only.
    type: str
    choices: [inet, inet6]
seealso:
  - module: rumpkernel.rump.rump_route
"""

EXAMPLES = r"""
- name: Read the table
  rumpkernel.rump.rump_route_info:
  register: table

- name: By which router do packets leave?
  rumpkernel.rump.rump_route_info:
    dest: 198.51.100.7
  register: way

- name: There has to be a default route
  ansible.builtin.assert:
    that: "'default' in table.routes | map(attribute='dest')"
"""

RETURN = r"""
routes:
  description: The routes in the kernel's order.
  type: list
  elements: dict
  returned: when O(dest) is not given
  contains:
    dest:
      description: The destination, V(default) for all of the family.
      type: str
      sample: 198.51.100.0/24
    family:
      description: V(inet) or V(inet6).
      type: str
    gateway:
      description: The gateway's address, or null for a destination on the interface's link.
      type: str
      sample: 192.0.2.253
    interface:
      description: The interface by which packets leave.
      type: str
      sample: shmif0
    flags:
      description: All flags that the kernel has for it.
      type: list
      elements: str
      sample: [up, gateway, static]
    mtu:
      description: The largest packet on this way, 0 for the interface's.
      type: int
    expire:
      description: The time of day at which it is no longer used, 0 for never.
      type: int
    source:
      description: The address that the kernel's own packets get on this way.
      type: str
      sample: 192.0.2.1
    uses:
      description: How often it was used.
      type: int
route:
  description: The route that packets to O(dest) take, with the same keys; null if there is none.
  type: dict
  returned: when O(dest) is given
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import route
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "dest": {"type": "str", "aliases": ["destination"]},
        "family": {"type": "str", "choices": ["inet", "inet6"]},
    },
    plan=route.info,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
