# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Creates, configures and destroys network interfaces of a rump kernel."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_ifconfig
short_description: Manage network interfaces of a rump kernel
description:
  - Creates and destroys cloned interfaces, gives and takes addresses, sets the MTU, the flags, the link string, the
    media and what else an interface has, and brings interfaces up and down, as C(rumpctrl)'s C(ifconfig) does. For
    bridges it does what C(brconfig) does.
  - Only what is asked for is changed, and in the order that the kernel wants it in.
  - Promiscuous mode is shown among the flags and cannot be asked for. The kernel sets it by itself, for a bridge's
    members, an interface that a carp interface is on, and for as long as somebody listens to an interface by bpf(4).
    It ignores the flag when a client sets it (it is one of C(IFF_CANTCHANGE)).
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
        brings an interface up by itself when it gets an address, and a vlan that is put on an interface that is up.
      - V(absent) destroys it. The ports of an agr interface and the members of a bridge are taken out first.
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
      - Addresses with their prefixes, IPv4 or IPv6, that the interface is to have. Each is a text such as
        V(192.0.2.1/24), or a dictionary with C(address), such a text, and one or more of the following.
      - C(broadcast), the broadcast address of an IPv4 address. If it is not given, it follows from the prefix.
      - C(destination), the address of the far end, on a point-to-point interface such as a tunnel. With it, an IPv6
        address has the prefix 128.
      - C(valid_lifetime) and C(preferred_lifetime) of an IPv6 address, in seconds from when it is given, or
        V(infinite). The kernel forgets an address that is no longer valid, and starts no connections from one that is
        no longer preferred. They are given anew only when another lifetime is asked for.
      - An address that is there with another prefix or destination is removed and added again.
    type: list
    elements: raw
  purge_addresses:
    description:
      - Whether addresses that O(addresses) does not name are removed.
      - Link-local IPv6 addresses, which the kernel gives by itself, stay.
    type: bool
    default: false
  wait_for_dad:
    description:
      - Whether to wait until the kernel has made sure that no other host on the link has one of the interface's
        addresses (duplicate address detection). Until then they are tentative, and not used.
      - The task fails if another host has one. When it runs again, an address of O(addresses) that was found to be a
        duplicate is taken away and given again, so that the kernel looks once more.
      - Where it is not asked for, duplicates that are known already are a warning.
    type: bool
    default: false
  dad_timeout:
    description: How many seconds O(wait_for_dad) waits. NetBSD takes up to seven.
    type: float
    default: 15.0
  mtu:
    description: The largest packet in bytes.
    type: int
  metric:
    description: What the interface costs, for routing daemons that ask.
    type: int
  lladdr:
    description:
      - The link-level address, such as V(b2:a0:9f:82:6d:0e).
      - It is set before the interface comes up, since the IPv6 link-local address follows from it.
    type: str
  description:
    description:
      - A text of at most 63 bytes that says what the interface is for; an empty one takes it back.
      - Kernels before NetBSD 10 keep none.
    type: str
  arp:
    description: Whether ARP is used for finding IPv4 neighbours.
    type: bool
  debug:
    description: Whether the driver tells more in the kernel's messages.
    type: bool
  link0:
    description: A flag whose meaning is the driver's.
    type: bool
  link1:
    description: A flag whose meaning is the driver's.
    type: bool
  link2:
    description: A flag whose meaning is the driver's.
    type: bool
  media:
    description:
      - The medium, by the name that ifconfig(8) has for it, such as V(autoselect) or V(100baseTX).
      - It is chosen with the options of O(mediaopt) and the mode of O(mode), and no others.
    type: str
  mediaopt:
    description:
      - The medium's options, such as V(full-duplex).
      - Without O(media), these are the options of the medium that the interface has.
    type: list
    elements: str
  mode:
    description:
      - The mode of a wireless interface, such as V(11g), or V(autoselect).
      - Without O(media) and O(mediaopt), it is that of the medium that the interface has.
    type: str
  capabilities:
    description:
      - What the hardware is to do by itself, and nothing else of it; V([]) is nothing. The names are those of
        ifconfig(8), such as V(ip4csum-tx), V(tcp6csum) for both V(tcp6csum-rx) and V(tcp6csum-tx), or V(tso4).
      - Interfaces of rump kernels other than PCI devices are capable of none.
    type: list
    elements: str
  vlan:
    description: The tag of a vlan interface, 0 to 4095.
    type: int
  vlanif:
    description:
      - The Ethernet interface that a vlan interface is on; an empty text takes it off.
      - To change this or the tag the vlan is taken off its parent, which costs it its IPv6 addresses. They are
        given to it again.
    type: str
  tunnel:
    description:
      - The two ends of a gif interface's tunnel, IPv4 or IPv6. V({}) takes the tunnel away.
    type: dict
    suboptions:
      source:
        description: The address on this side.
        type: str
      destination:
        description: The address on the other side.
        type: str
  agr:
    description: What an agr interface makes one of (link aggregation).
    type: dict
    suboptions:
      ports:
        description:
          - The Ethernet interfaces that are its ports. One that joins must have no addresses, not even the
            link-local one which an interface gets when it comes up.
        type: list
        elements: str
        required: true
      purge:
        description: Whether other ports are taken out.
        type: bool
        default: false
  carp:
    description:
      - What a carp interface is, one whose addresses a group of hosts on a link shares. One of them, the master, has
        them at a time. What is not given stays as it is.
      - An interface in the network of one of its addresses, or O(carp.carpdev), must be there and be up.
      - Kernels such as that of release 7.99.34 refuse IPv6 addresses on carp interfaces (EADDRNOTAVAIL).
      - They crash when they are given the MTU of a carp interface that is up. It is taken down first, and brought up
        again.
    type: dict
    suboptions:
      vhid:
        description:
          - The number of the group, 1 to 255; a carp interface needs one. Its link-level address follows from it.
          - A group has one of these interfaces on each host.
        type: int
      advbase:
        description: Seconds between two advertisements of the master, 0 to 255. The kernel's default is 1.
        type: int
      advskew:
        description:
          - How many times 1/256 of a second are added to that, 0 to 254. The host that advertises most often becomes
            the master. The kernel's default is 0.
        type: int
      pass:
        description:
          - What all hosts of the group know, at most 20 bytes. Those that know another text are not heeded.
          - C(ifconfig) of NetBSD 7.99.34 leaves out the last character of the text that it is given. For a host that
            was set up by it, give the text without that.
          - It is not shown. It goes to the kernel unencrypted.
        type: str
        aliases: [password]
      carpdev:
        description:
          - The interface that it is on. If it is not given, the kernel takes one that is in the network of the first
            address. An empty text takes it off.
        type: str
      state:
        description:
          - Makes the host the master or a backup now. If another host of the group advertises more often, it takes over
            at once, and the next run of the task changes the state again.
          - If it is not given, the hosts agree by themselves, which takes three times the time between advertisements.
        type: str
        choices: [BACKUP, MASTER]
  wireless:
    description:
      - What network a wireless interface is to be in, and how. What is not given stays as it is.
      - These interfaces are not created; the kernel has one for each device that it has a driver for. Whether one is a
        station of a network (the default), makes one of its own (V(adhoc)), or is an access point (V(hostap)) is said
        by O(mediaopt).
      - While an interface is in a network, the kernel tells that network's name, station and channel, and not what was
        set. Asking for any of them then changes nothing.
    type: dict
    suboptions:
      ssid:
        description:
          - The network's name, at most 32 bytes, or these in hexadecimal after V(0x); an empty text is any network.
        type: str
        aliases: [nwid]
      nwkey:
        description:
          - The key of WEP, 5 or 13 characters, or 10 or 26 hexadecimal digits after V(0x); or four keys, some of which
            may be empty, and before them the number of the one to send with, as in C(2:abcde,0x0102030405,,).
          - An empty text takes the keys away. WPA is for wpa_supplicant(8).
          - It is not shown. It goes to the kernel unencrypted.
        type: str
      powersave:
        description: Whether the hardware may sleep.
        type: bool
      powersavesleep:
        description: For how many milliseconds it sleeps at most, 0 to 65535.
        type: int
      bssid:
        description: The link-level address of the station that it is to be connected to; an empty text is any.
        type: str
      channel:
        description: The channel; V(0) is any.
        type: int
        aliases: [chan]
  bridge:
    description: What a bridge interface joins, and how. Numbers that are not given stay as they are.
    type: dict
    suboptions:
      members:
        description:
          - The Ethernet interfaces that are its members. Each is a name, or a dictionary with C(name) and one or more
            of the following.
          - C(learn), whether the bridge learns where addresses are from what comes in, and C(discover), whether
            packets to unknown addresses go out there.
          - C(stp), whether it takes part in the spanning tree, and if so, C(priority) and C(path_cost), each from 0
            to 255.
          - A member has the bridge's MTU, and is in no other bridge.
        type: list
        elements: raw
      purge:
        description: Whether other members are taken out.
        type: bool
        default: false
      priority:
        description: The bridge's priority in the spanning tree, 0 to 65535.
        type: int
      hello_time:
        description: Seconds between messages of the spanning tree.
        type: int
      forward_delay:
        description: Seconds before a member forwards packets.
        type: int
      max_age:
        description: Seconds for which a message of the spanning tree is good.
        type: int
      max_addresses:
        description: How many addresses the bridge remembers.
        type: int
      timeout:
        description: Seconds after which it forgets one; V(0) is never.
        type: int
      filter:
        description: Whether packets go through the packet filter, in kernels that were built with that.
        type: bool
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

- name: Go on when it is certain that no other host has these addresses
  rumpkernel.rump.rump_ifconfig:
    name: shmif0
    wait_for_dad: true

- name: Make these the only addresses
  rumpkernel.rump.rump_ifconfig:
    name: shmif0
    addresses: [192.0.2.2/24]
    purge_addresses: true

- name: An address that is good for an hour
  rumpkernel.rump.rump_ifconfig:
    name: shmif0
    addresses:
      - address: 2001:db8::7/64
        valid_lifetime: 3600
        preferred_lifetime: 1800

- name: Make packets smaller
  rumpkernel.rump.rump_ifconfig:
    name: shmif0
    mtu: 1400

- name: A VLAN on it
  rumpkernel.rump.rump_ifconfig:
    name: vlan7
    vlan: 7
    vlanif: shmif0
    addresses: [198.51.100.1/24]
    state: up

- name: Two more interfaces, for a bridge
  rumpkernel.rump.rump_ifconfig:
    name: "{{ item }}"
    linkstr: "/tmp/{{ item }}"
    state: up
  loop: [shmif1, shmif2]

- name: A bridge with a spanning tree
  rumpkernel.rump.rump_ifconfig:
    name: bridge0
    bridge:
      priority: 4096
      members:
        - shmif1
        - name: shmif2
          stp: true
          path_cost: 20
    state: up

- name: A tunnel
  rumpkernel.rump.rump_ifconfig:
    name: gif0
    tunnel:
      source: 192.0.2.2
      destination: 203.0.113.1
    addresses:
      - address: 10.0.0.1/30
        destination: 10.0.0.2
    state: up

- name: An address that several hosts share
  rumpkernel.rump.rump_ifconfig:
    name: carp0
    carp:
      vhid: 1
      advskew: 100
      pass: "{{ carp_password }}"
      carpdev: shmif0
    addresses: [192.0.2.99/24]
    state: up

- name: Into a wireless network
  rumpkernel.rump.rump_ifconfig:
    name: iwn0
    wireless:
      ssid: attic
      nwkey: "{{ attic_key }}"
      powersave: true
    state: up

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
    metric:
      description: What it costs.
      type: int
      sample: 0
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
    address_details:
      description: The same addresses, with what belongs to each.
      type: list
      elements: dict
      contains:
        address:
          description: The address with its prefix.
          type: str
          sample: 192.0.2.1/24
        state:
          description:
            - What the kernel says of it, such as V(tentative), V(duplicated), V(detached) (the interface is down) or
              V(deprecated). Empty for an address that is in use. Kernels before 7.99.17 say nothing of IPv4
              addresses.
          type: list
          elements: str
          sample: [tentative]
        broadcast:
          description: The broadcast address, for an IPv4 address on a link that has one.
          type: str
          sample: 192.0.2.255
        destination:
          description: The far end, where there is one.
          type: str
          sample: 10.0.0.2
        valid_lifetime:
          description: For how many seconds an IPv6 address was given, or V(infinite).
          type: raw
          sample: 3600
        preferred_lifetime:
          description: For how many seconds it was to be preferred, or V(infinite).
          type: raw
          sample: infinite
    description:
      description: What it is for; only where the kernel keeps that.
      type: str
      sample: uplink
    media:
      description: The medium that was chosen, and what else there is; only for an interface that has a choice.
      type: dict
      sample:
        type: Ethernet
        media: autoselect
        mediaopt: []
        active: 100baseTX
        active_options: [full-duplex]
        supported: [{media: autoselect, mediaopt: []}]
    carp:
      description:
        - What a carp interface is; C(vhid) and C(carpdev) are null where it has none.
        - A diff tells by C(pass), V(another), that the password is changed.
      type: dict
      sample: {state: MASTER, vhid: 1, advbase: 1, advskew: 0, carpdev: shmif0, has_pass: true}
    wireless:
      description:
        - What a wireless interface is set to, or while it is in a network, what that one has. C(bssid) and C(channel)
          are null for any.
        - A diff tells by C(nwkey), V(another), that the keys are changed.
      type: dict
      sample:
        ssid: attic
        has_nwkey: true
        powersave: false
        powersavesleep: 100
        bssid: "00:11:22:33:44:55"
        channel: 6
    capabilities:
      description: What its hardware can do by itself; only for an interface that can do something.
      type: list
      elements: str
      sample: [ip4csum-rx, ip4csum-tx]
    enabled_capabilities:
      description: What of that is enabled.
      type: list
      elements: str
      sample: [ip4csum-tx]
    vlan:
      description: The tag of a vlan interface, null while it is on no parent.
      type: int
      sample: 7
    vlanif:
      description: The parent of a vlan interface, null where it has none.
      type: str
      sample: shmif0
    tunnel:
      description: The ends of a gif interface's tunnel, null where it has none.
      type: dict
      sample: {source: 192.0.2.1, destination: 203.0.113.1}
    agr:
      description: The ports of an agr interface.
      type: dict
      sample: {ports: [shmif1, shmif2]}
    bridge:
      description: What a bridge joins, and its numbers; the filter only in kernels that have one for bridges.
      type: dict
      sample:
        priority: 32768
        hello_time: 2
        forward_delay: 15
        max_age: 20
        max_addresses: 100
        timeout: 1200
        members:
          - {name: shmif1, learn: true, discover: true, stp: false, priority: 128, path_cost: 55, state: disabled}
changes:
  description: What was changed, or would be, in order.
  type: list
  elements: str
  returned: changed
  sample: [create shmif0, set the linkstr of shmif0 to /tmp/bus0, add 192.0.2.1/24 to shmif0]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import interface, network_options
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options=network_options.INTERFACE,
    plan=interface.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
