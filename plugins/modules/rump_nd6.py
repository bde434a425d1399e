# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets IPv6 options of a rump kernel's interface, and tells which routers and prefixes it heard of."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_nd6
short_description: Manage IPv6 options of a rump kernel's interface
description:
  - Sets what IPv6 neighbour discovery does on an interface, and returns it with the default routers and prefixes that
    the kernel knows of, as C(rumpctrl)'s C(ndp -i), C(ndp -r) and C(ndp -p) do.
  - Options that are not named stay as they are. All that differ are set with one call.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  interface:
    description: The interface, such as V(shmif0).
    type: str
    required: true
    aliases: [name, device]
  accept_rtadv:
    description:
      - Whether router advertisements that come in here are heard, if the sysctl C(net.inet6.ip6.accept_rtadv) is set
        or O(override_rtadv) is.
      - Not in release 10, which leaves them to C(dhcpcd).
    type: bool
  override_rtadv:
    description:
      - Whether O(accept_rtadv) alone decides, and not the sysctl C(net.inet6.ip6.accept_rtadv).
      - Not in release 10.
    type: bool
  auto_linklocal:
    description:
      - Whether the interface gets a link-local address by itself. When this is set, it gets one at once if it is up and
        has none.
    type: bool
  ifdisabled:
    description:
      - Whether IPv6 is off on the interface.
      - The kernel turns it off by itself when the interface's link-local address is a duplicate.
    type: bool
    aliases: [disabled]
  nud:
    description: Whether it is found out from time to time if neighbours are still there.
    type: bool
  prefer_source:
    description: Whether addresses of this interface are preferred as sources.
    type: bool
  base_reachable:
    description: Milliseconds for which a neighbour is taken as reachable after it answered, on average.
    type: int
  retransmit:
    description: Milliseconds between two questions for a neighbour.
    type: int
    aliases: [retrans]
  hop_limit:
    description: The hop limit of packets that leave here, 1 to 255.
    type: int
    aliases: [curhlim]
  flush_routers:
    description:
      - Forget all default routers that advertised themselves, on all interfaces.
      - Not in release 10.
    type: bool
    default: false
  flush_prefixes:
    description:
      - Forget all prefixes that routers advertised, with the addresses that the kernel made from them, on all
        interfaces.
      - Not in release 10.
    type: bool
    default: false
seealso:
  - module: rumpkernel.rump.rump_ifconfig
  - module: rumpkernel.rump.rump_neighbour
"""

EXAMPLES = r"""
- name: Hear router advertisements here, whatever holds elsewhere
  rumpkernel.rump.rump_nd6:
    interface: shmif0
    accept_rtadv: true
    override_rtadv: true

- name: No IPv6 on this interface
  rumpkernel.rump.rump_nd6:
    interface: shmif1
    ifdisabled: true
    auto_linklocal: false

- name: Which routers are there?
  rumpkernel.rump.rump_nd6:
    interface: shmif0
  register: discovery

- name: Forget what routers said
  rumpkernel.rump.rump_nd6:
    interface: shmif0
    flush_routers: true
    flush_prefixes: true
"""

RETURN = r"""
nd6:
  description: The interface's IPv6 options after the task; in check mode, as far as they can be foretold.
  type: dict
  returned: success
  contains:
    interface:
      description: The interface.
      type: str
      sample: shmif0
    accept_rtadv:
      description: Whether router advertisements are heard; never in release 10.
      type: bool
    override_rtadv:
      description: Whether that is so whatever the sysctl says; never in release 10.
      type: bool
    auto_linklocal:
      description: Whether the interface gets a link-local address by itself.
      type: bool
    ifdisabled:
      description: Whether IPv6 is off.
      type: bool
    nud:
      description: Whether it is found out if neighbours are still there.
      type: bool
    prefer_source:
      description: Whether its addresses are preferred as sources.
      type: bool
    base_reachable:
      description: Milliseconds for which a neighbour is taken as reachable, on average.
      type: int
      sample: 30000
    retransmit:
      description: Milliseconds between two questions for a neighbour.
      type: int
      sample: 1000
    hop_limit:
      description: The hop limit of packets that leave here.
      type: int
      sample: 64
routers:
  description: The default routers that advertised themselves, on all interfaces.
  type: list
  elements: dict
  returned: where the release has them, up to 9
  contains:
    address:
      description: Its link-local address.
      type: str
      sample: fe80::b0a0:9fff:fe82:6d0e%shmif0
    interface:
      description: Where it is.
      type: str
    managed:
      description: Whether it said that addresses are to be had by DHCP.
      type: bool
    other:
      description: Whether it said that other things are to be had by DHCP.
      type: bool
    preference:
      description: V(high), V(medium) or V(low).
      type: str
    lifetime:
      description: Seconds for which it said to be one.
      type: int
    expire:
      description: The time of day until which it is one.
      type: int
prefixes:
  description: The prefixes that are known, those that addresses brought among them, on all interfaces.
  type: list
  elements: dict
  returned: where the release has them, up to 9
  contains:
    prefix:
      description: The prefix.
      type: str
      sample: 2001:db8::/64
    interface:
      description: On whose link it is.
      type: str
    on_link:
      description: Whether the route to it leads to this link.
      type: bool
    detached:
      description: Whether no router that advertises it is reachable, while one of another prefix is.
      type: bool
    valid:
      description: Seconds for which it was said to be valid, or null for ever.
      type: int
    preferred:
      description: Seconds for which it was said to be preferred, or null for ever.
      type: int
    expire:
      description: The time until which it is known as the kernel counts it, 0 for ever.
      type: int
    routers:
      description: The routers that advertise it.
      type: list
      elements: str
changes:
  description: What was changed, or would be, in order.
  type: list
  elements: str
  returned: changed
  sample: ["change the IPv6 options of shmif0: set ifdisabled"]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import nd6
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "interface": {"type": "str", "required": True, "aliases": ["name", "device"]},
        "accept_rtadv": {"type": "bool"},
        "override_rtadv": {"type": "bool"},
        "auto_linklocal": {"type": "bool"},
        "ifdisabled": {"type": "bool", "aliases": ["disabled"]},
        "nud": {"type": "bool"},
        "prefer_source": {"type": "bool"},
        "base_reachable": {"type": "int"},
        "retransmit": {"type": "int", "aliases": ["retrans"]},
        "hop_limit": {"type": "int", "aliases": ["curhlim"]},
        "flush_routers": {"type": "bool", "default": False},
        "flush_prefixes": {"type": "bool", "default": False},
    },
    plan=nd6.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
