# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads all there is to know about a rump kernel's network."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_net_info
short_description: Read the state of a rump kernel's network
description:
  - Returns interfaces, routes, neighbours, the counters of the protocols, and the sockets that are open in the kernel,
    which are those of all its clients; what C(netstat) prints with C(-i), C(-r), C(-s) and C(-a).
  - A kernel that is reached through its own network stack, such as a Rumprun unikernel, does not survive that its list
    of sockets is read. It is left out there with a warning, and is an error when O(gather_subset) names it.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.info
options:
  gather_subset:
    description:
      - What is read, V(all), V(interfaces), V(routes), V(neighbours), V(protocols), V(sockets).
      - A name with V(!) before it is left out.
    type: list
    elements: str
    default: [all]
"""

EXAMPLES = r"""
- name: Read it all
  rumpkernel.rump.rump_net_info:
  register: network

- name: Who listens on TCP
  rumpkernel.rump.rump_net_info:
    gather_subset: [sockets]
  register: network

- name: Show their ports
  ansible.builtin.debug:
    msg: "{{ network.sockets | selectattr('state', 'equalto', 'LISTEN') | map(attribute='local.port') | list }}"

- name: No packet came with a wrong checksum
  rumpkernel.rump.rump_net_info:
    gather_subset: [protocols]
  register: network
  failed_when: network.protocols.ip.badsum > 0
"""

RETURN = r"""
interfaces:
  description: The interfaces by name, with what RV(rumpkernel.rump.rump_ifconfig#module:interface) has.
  type: dict
  returned: when gathered
  contains:
    index:
      description: The interface's number.
      type: int
    statistics:
      description: Its counters, packets and bytes in and out, errors and drops.
      type: dict
      sample: {ipackets: 12, ierrors: 0, opackets: 14, oerrors: 0, ibytes: 1008, obytes: 1210}
routes:
  description: The routing table, as RV(rumpkernel.rump.rump_route_info#module:routes).
  type: list
  elements: dict
  returned: when gathered
neighbours:
  description: The tables of ARP and of neighbour discovery, as RV(rumpkernel.rump.rump_neighbour#module:neighbour).
  type: list
  elements: dict
  returned: when gathered
protocols:
  description:
    - The counters of each protocol that the kernel has, V(ip), V(icmp), V(igmp), V(tcp), V(udp), V(arp), V(carp),
      V(ip6), V(icmp6), V(udp6), V(raw6), V(pim6) and V(route), by the names that NetBSD's headers give them.
    - Counters by message type (V(in), V(out)) or by protocol (V(next_header)) have only those that are not 0.
  type: dict
  returned: when gathered
  sample: {udp: {ipackets: 3, noport: 0, opackets: 3}}
sockets:
  description: The sockets that are open.
  type: list
  elements: dict
  returned: when gathered
  contains:
    protocol:
      description: V(tcp), V(udp), V(raw), V(tcp6), V(udp6), V(raw6), or V(local) with the type behind it.
      type: str
    local:
      description: Its own address and port; the path for V(local), or null.
      type: raw
      sample: {address: 0.0.0.0, port: 80}
    remote:
      description: The other side's, or null for one that is not connected.
      type: raw
    state:
      description: The state of a TCP connection, or null.
      type: str
      sample: LISTEN
    receive_queue:
      description: Bytes that came and wait to be read.
      type: int
    send_queue:
      description: Bytes that were written and are not acknowledged yet.
      type: int
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import network_info
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={"gather_subset": {"type": "list", "elements": "str", "default": ["all"]}},
    plan=network_info.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
