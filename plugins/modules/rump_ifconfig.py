# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creates, configures and destroys network interfaces of a rump kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_ifconfig
short_description: Manage network interfaces of a rump kernel
description:
  - Creates and destroys cloned interfaces, gives and takes addresses, sets the MTU and the link string, and brings
    interfaces up and down, as C(rumpctrl)'s C(ifconfig) does.
  - Only what is asked for is changed, and in the order that the kernel wants it in.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  name:
    description: The interface, such as V(shmif0).
    type: str
    required: true
    aliases: [interface]
  state:
    description:
      - V(present), V(up) and V(down) create the interface where it is missing.
      - V(up) and V(down) also bring it up or take it down. With V(present) it stays as it is, but the kernel
        brings an interface up by itself when it gets an address.
      - V(absent) destroys it.
    type: str
    choices: [present, absent, up, down]
    default: present
  linkstr:
    description:
      - The link string, which tells the interface what it is attached to. For a shmif interface it is the path of
        the bus, a file on the server's host that other kernels' shmif interfaces attach to as well.
      - To change it the interface is taken down for a moment.
    type: str
  addresses:
    description:
      - Addresses with their prefixes, IPv4 or IPv6, that the interface is to have.
      - An address that is there with another prefix is removed and added again.
    type: list
    elements: str
  purge_addresses:
    description:
      - Whether addresses that O(addresses) does not name are removed.
      - Link-local IPv6 addresses, which the kernel gives by itself, stay.
    type: bool
    default: false
  mtu:
    description: The largest packet in bytes.
    type: int
"""

EXAMPLES = r"""
- name: Attach the kernel to a bus, with two addresses
  rumpkernel.rump.rump_ifconfig:
    name: shmif0
    linkstr: /tmp/bus0
    addresses:
      - 192.0.2.1/24
      - 2001:db8::1/64
    state: up

- name: Make these the only addresses
  rumpkernel.rump.rump_ifconfig:
    name: shmif0
    addresses: [192.0.2.2/24]
    purge_addresses: true

- name: Make packets smaller
  rumpkernel.rump.rump_ifconfig:
    name: shmif0
    mtu: 1400

- name: Take the interface down
  rumpkernel.rump.rump_ifconfig:
    name: shmif0
    state: down

- name: Destroy it
  rumpkernel.rump.rump_ifconfig:
    name: shmif0
    state: absent
"""

RETURN = r"""
interface:
  description: The interface after the task; in check mode, as far as it can be foretold.
  type: dict
  returned: success
  contains:
    state:
      description: V(present) or V(absent); the other keys are there only for a present one.
      type: str
    name:
      description: The interface's name.
      type: str
    flags:
      description: Its flags by name.
      type: list
      elements: str
      sample: [UP, BROADCAST, RUNNING, SIMPLEX, MULTICAST]
    mtu:
      description: The largest packet in bytes.
      type: int
      sample: 1500
    lladdr:
      description: The link-level address, or null for an interface that has none.
      type: str
      sample: b2:a0:9f:82:6d:0e
    linkstr:
      description: The link string, or null where there is none.
      type: str
      sample: /tmp/bus0
    addresses:
      description: All addresses with their prefixes.
      type: list
      elements: str
      sample: [192.0.2.1/24, "fe80::b0a0:9fff:fe82:6d0e/64"]
changes:
  description: What was changed, or would be, in order.
  type: list
  elements: str
  returned: changed
  sample: [create shmif0, set the linkstr of shmif0 to /tmp/bus0, add 192.0.2.1/24 to shmif0]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import interface
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "name": {"type": "str", "required": True, "aliases": ["interface"]},
        "state": {"type": "str", "choices": ["present", "absent", "up", "down"], "default": "present"},
        "linkstr": {"type": "str"},
        "addresses": {"type": "list", "elements": "str"},
        "purge_addresses": {"type": "bool", "default": False},
        "mtu": {"type": "int"},
    },
    plan=interface.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
