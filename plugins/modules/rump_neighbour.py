# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes link-level addresses of neighbours known to a rump kernel, and forgets them."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_neighbour
short_description: Manage neighbours (ARP and NDP entries) of a rump kernel
description:
  - Tells the kernel which link-level address a neighbour has, or forgets it, as C(rumpctrl)'s C(arp) does for IPv4 and
    its C(ndp) for IPv6.
  - What the task does not name of a neighbour that is known stays as it is.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  address:
    description:
      - The neighbour's address, IPv4 or IPv6. Needed for all but O(state=flushed).
      - A link-local one names its interface, as in V(fe80::9%shmif0), or O(interface) does.
      - It has to be on the interface's link. The task fails before it changes anything if it is not.
    type: str
  lladdr:
    description:
      - The neighbour's link-level address. A new one needs it, but for a proxy, for which the interface's own is taken.
    type: str
    aliases: [mac]
  interface:
    description:
      - The interface on whose link the neighbour is. Without it, the one that has a network with the address.
      - With O(state=absent) and O(state=flushed), all interfaces if it is not given.
    type: str
    aliases: [device]
  permanent:
    description:
      - Whether the neighbour is known for good, or for as long as O(lifetime) says. A new one is permanent if nothing
        is said.
      - With O(state=flushed), V(true) also forgets what is permanent.
    type: bool
  lifetime:
    description:
      - Seconds for which a temporary neighbour is known, counted from when it becomes one.
    type: int
    default: 1200
  proxy:
    description:
      - Whether the kernel answers others' questions for the address itself, with O(lladdr).
      - Kernels of 7.99.28 up to release 8 do not tell reliably which IPv6 neighbours are proxies. Where they do not, a
        neighbour that is known otherwise as asked for is left as it is.
    type: bool
  family:
    description: With O(state=flushed), forget the neighbours of this family only.
    type: str
    choices: [inet, inet6]
  state:
    description:
      - V(present) makes the neighbour known or changes what is known of it.
      - V(absent) forgets it.
      - V(flushed) forgets all that are not permanent.
    type: str
    choices: [present, absent, flushed]
    default: present
notes:
  - The interfaces' own addresses are in the kernel's lists too. They are neither changed nor forgotten.
seealso:
  - module: rumpkernel.rump.rump_ifconfig
  - module: rumpkernel.rump.rump_nd6
"""

EXAMPLES = r"""
- name: The router's address is known for good
  rumpkernel.rump.rump_neighbour:
    address: 192.0.2.254
    lladdr: b2:a0:9f:82:6d:0e

- name: The same for IPv6, by its link-local address
  rumpkernel.rump.rump_neighbour:
    address: fe80::254
    interface: shmif0
    lladdr: b2:a0:9f:82:6d:0e

- name: Answer for a host that is elsewhere
  rumpkernel.rump.rump_neighbour:
    address: 192.0.2.77
    proxy: true

- name: Forget a neighbour
  rumpkernel.rump.rump_neighbour:
    address: 192.0.2.254
    state: absent

- name: Forget all that was learned on an interface
  rumpkernel.rump.rump_neighbour:
    interface: shmif0
    state: flushed
"""

RETURN = r"""
neighbour:
  description: The neighbour after the task; in check mode, as far as it can be foretold.
  type: dict
  returned: when O(state) is V(present) or V(absent)
  contains:
    state:
      description: V(present) or V(absent); the other keys are there only for a present one.
      type: str
    address:
      description: Its address.
      type: str
      sample: 192.0.2.254
    interface:
      description: The interface on whose link it is.
      type: str
      sample: shmif0
    lladdr:
      description: Its link-level address, or null while the kernel asks for it.
      type: str
      sample: b2:a0:9f:82:6d:0e
    permanent:
      description: Whether it is known for good.
      type: bool
    expire:
      description: The time of day until which it is known, in seconds since 1970 as the kernel notes it, 0 for good.
      type: int
    proxy:
      description: Whether the kernel answers for it, or null where the kernel does not tell.
      type: bool
neighbours:
  description: Those that are still known, with the same keys.
  type: list
  elements: dict
  returned: when O(state=flushed)
changes:
  description: What was changed, or would be, in order.
  type: list
  elements: str
  returned: changed
  sample: ["add the neighbour 192.0.2.254 at b2:a0:9f:82:6d:0e on shmif0, a permanent one"]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import neighbour, network_options
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options=network_options.NEIGHBOUR,
    plan=neighbour.plan,
    constraints={"required_if": [("state", "present", ["address"]), ("state", "absent", ["address"])]},
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
