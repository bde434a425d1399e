# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes, changes and removes routes of a rump kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_route
short_description: Manage routes of a rump kernel
description:
  - Makes, changes and removes a route to a network or a host, IPv4 or IPv6, as C(rumpctrl)'s C(route) does.
  - What the task does not name of a route that is there stays as it is. The route is changed in place where the kernel
    can do so, and packets find it all the time; else it is removed and made anew.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  dest:
    description:
      - Where the packets go to, a network such as V(192.0.2.0/24), an address, or V(default).
      - A link-local one names its interface, as in V(fe80::1%shmif0), or O(interface) does.
    type: str
    required: true
    aliases: [destination]
  family:
    description: Of which family V(default) is. Without it the gateway says so, and else it is V(inet).
    type: str
    choices: [inet, inet6]
  gateway:
    description:
      - The address of the router that takes the packets.
      - An interface has to be on a network with it, unless O(interface) names one. The task fails before it changes
        anything if none is.
    type: str
  interface:
    description:
      - The interface by which the packets leave. Without O(gateway), the destination is on the interface's own link.
    type: str
    aliases: [device]
  flags:
    description:
      - All of these flags that the route has; those that are not named it loses. A new route is V(static) if nothing
        is said.
      - V(reject) answers packets that they cannot be delivered, V(blackhole) drops them. Such a route needs neither
        O(gateway) nor O(interface).
      - V(cloning) is for releases up to 7, which make a route of its own for each neighbour.
    type: list
    elements: str
    choices: [reject, blackhole, static, proto1, proto2, cloning]
  mtu:
    description: The largest packet in bytes on this way; V(0) for the interface's.
    type: int
  expire:
    description:
      - The time of day at which the route is no longer to be used, in seconds since 1970, by the kernel's clock;
        V(0) for never. The kernel notes it down for those who watch the table. Only with O(gateway).
    type: int
  state:
    description:
      - V(present) makes or changes the route.
      - V(absent) removes the route to O(dest), whatever else is said of it.
    type: str
    choices: [present, absent]
    default: present
notes:
  - There is one route to each destination.
  - The routes to the kernel's own addresses come and go with those; they are neither changed nor removed here.
seealso:
  - module: rumpkernel.rump.rump_route_info
  - module: rumpkernel.rump.rump_ifconfig
"""

EXAMPLES = r"""
- name: Send everything to the router
  rumpkernel.rump.rump_route:
    dest: default
    gateway: 192.0.2.254

- name: A network behind another router, with a smaller MTU on the way
  rumpkernel.rump.rump_route:
    dest: 198.51.100.0/24
    gateway: 192.0.2.253
    mtu: 1400

- name: IPv6 by the router's link-local address
  rumpkernel.rump.rump_route:
    dest: default
    gateway: fe80::1
    interface: shmif0

- name: A network on the interface's own link
  rumpkernel.rump.rump_route:
    dest: 203.0.113.0/24
    interface: shmif0

- name: Answer that a network cannot be reached
  rumpkernel.rump.rump_route:
    dest: 10.0.0.0/8
    flags: [static, reject]

- name: Remove a route
  rumpkernel.rump.rump_route:
    dest: 198.51.100.0/24
    state: absent
"""

RETURN = r"""
route:
  description: The route after the task; in check mode, as far as it can be foretold.
  type: dict
  returned: success
  contains:
    state:
      description: V(present) or V(absent); the other keys are there only for a present one.
      type: str
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
changes:
  description: What was changed, or would be, in order.
  type: list
  elements: str
  returned: changed
  sample: [add the route 198.51.100.0/24 by 192.0.2.253]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import network_options, route
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options=network_options.ROUTE,
    plan=route.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
