# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks whether an address answers, from a rump kernel's own network stack."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_ping
short_description: Ping an address from a rump kernel
description:
  - Sends ICMP echo requests from the kernel's own network stack, over IPv4 or IPv6, and tells what came back.
  - The options are those of M(ansible.netcommon.net_ping) where they mean the same.
  - The clocks of rump kernels go in steps of 10 ms, so the times are measured by the controller. What a system call
    that does nothing takes, between the controller and the kernel and back, is taken off.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.info
options:
  dest:
    description:
      - The address, IPv4 or IPv6. A rump kernel looks up no names.
      - A link-local IPv6 address takes the interface behind a percent sign, V(fe80::1%shmif0), or as O(interface).
    type: str
    required: true
    aliases: [host, address]
  count:
    description: How many packets are sent.
    type: int
    default: 5
  interval:
    description: Seconds between two packets.
    type: float
    default: 1.0
  timeout:
    description: Seconds that an answer may take. The module ends sooner when all packets were answered.
    type: float
    default: 2.0
  size:
    description: Bytes of data in a packet, without its headers.
    type: int
    default: 56
  source:
    description: The address of the kernel's that the packets come from. By default the kernel chooses.
    type: str
  interface:
    description: The interface whose link is meant by a link-local or multicast IPv6 address.
    type: str
  ttl:
    description: Through how many routers a packet may go (hop limit). By default that of the kernel.
    type: int
  state:
    description:
      - With V(present) the task fails when no packet at all is answered, with V(absent) when any is.
      - With V(any) it only reports.
      - For a limit between these, use C(failed_when) with RV(packet_loss).
    type: str
    choices: [present, absent, any]
    default: present
"""

EXAMPLES = r"""
- name: The gateway answers
  rumpkernel.rump.rump_ping:
    dest: 192.0.2.1

- name: Wait until it does
  rumpkernel.rump.rump_ping:
    dest: 192.0.2.1
    count: 1
    timeout: 1
  register: answer
  until: answer is succeeded
  retries: 10
  delay: 1

- name: Big packets arrive, nearly all of them
  rumpkernel.rump.rump_ping:
    dest: 2001:db8::1
    count: 20
    interval: 0.05
    size: 1400
    state: any
  register: answers
  failed_when: answers.packet_loss > 5

- name: This network is not reached
  rumpkernel.rump.rump_ping:
    dest: 203.0.113.1
    count: 2
    interval: 0.2
    timeout: 0.5
    state: absent
"""

RETURN = r"""
dest:
  description: The address.
  type: str
  returned: always
packets_tx:
  description: How many packets were sent.
  type: int
  returned: always
packets_rx:
  description: How many of them were answered.
  type: int
  returned: always
packet_loss:
  description: How many of them were not, in percent.
  type: float
  returned: always
  sample: 0.0
duplicates:
  description: How many answers came more than once.
  type: int
  returned: always
rtt:
  description: The times from request to answer in milliseconds, or null when there was no answer.
  type: dict
  returned: always
  contains:
    min:
      description: The least.
      type: float
    avg:
      description: Their mean.
      type: float
    max:
      description: The most.
      type: float
  sample: {min: 0.041, avg: 0.049, max: 0.063}
ttl:
  description: The time to live (hop limit) of the last answer, or null.
  type: int
  returned: always
  sample: 255
errors:
  description: What was said instead of an answer, by whom; by null, when the kernel itself could not send.
  type: list
  elements: dict
  returned: always
  contains:
    sequence:
      description: The number of the packet, from 0.
      type: int
    from:
      description: The address of the router or host that said it.
      type: str
    reason:
      description: What it said.
      type: str
  sample: [{sequence: 0, from: 192.0.2.1, reason: host unreachable}]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import ping
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "dest": {"type": "str", "required": True, "aliases": ["host", "address"]},
        "count": {"type": "int", "default": 5},
        "interval": {"type": "float", "default": 1.0},
        "timeout": {"type": "float", "default": 2.0},
        "size": {"type": "int", "default": 56},
        "source": {"type": "str"},
        "interface": {"type": "str"},
        "ttl": {"type": "int"},
        "state": {"type": "str", "choices": ["present", "absent", "any"], "default": "present"},
    },
    plan=ping.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
