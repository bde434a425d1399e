# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the network of a rump kernel the one that is declared."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rump_network
short_description: Declare the whole network of a rump kernel
description:
  - Interfaces, addresses, routes, neighbours and the sysctls of the network, declared at once. What the kernel has is
    read once, and all changes are planned together and made in an order in which each finds what it needs.
  - Interfaces come before the vlans and bridges that are made of them, addresses before the routes that go by them,
    and what is new before what is removed.
  - What is not declared stays as it is, unless O(purge) names its kind.
  - Of a kernel that is reached through its own network stack, such as a Rumprun unikernel, the connection of the task
    is found by its packets, with bpf(4), whatever is on the way there. A change that would cut this connection is
    refused before anything is changed, unless O(reconnect) or O(allow_disconnect) is given.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
extends_documentation_fragment:
  - rumpkernel.rump.rump
  - rumpkernel.rump.rump.changes
options:
  interfaces:
    description:
      - The interfaces, each with the options of M(rumpkernel.rump.rump_ifconfig).
      - They may be declared in any order.
    type: list
    elements: dict
    suboptions:
      name:
        description: The interface, such as V(shmif0).
        type: str
        required: true
        aliases: [interface]
      state:
        description:
          - V(present), V(up) and V(down) create the interface where it is missing.
          - V(up) and V(down) also bring it up or take it down. With V(present) it stays as it is, but the kernel brings
            an interface up by itself when it gets an address, and a vlan that is put on an interface that is up.
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
            V(infinite). The kernel forgets an address that is no longer valid, and starts no connections from one that
            is no longer preferred. They are given anew only when another lifetime is asked for.
          - An address that is there with another prefix or destination is removed and added again.
        type: list
        elements: raw
      purge_addresses:
        description:
          - Whether addresses that O(interfaces[].addresses) does not name are removed.
          - Link-local IPv6 addresses, which the kernel gives by itself, stay.
        type: bool
        default: false
      wait_for_dad:
        description:
          - Whether to wait until the kernel has made sure that no other host on the link has one of the interface's
            addresses (duplicate address detection). Until then they are tentative, and not used.
          - The task fails if another host has one. When it runs again, an address of O(interfaces[].addresses) that was
            found to be a duplicate is taken away and given again, so that the kernel looks once more.
          - Where it is not asked for, duplicates that are known already are a warning.
        type: bool
        default: false
      dad_timeout:
        description: How many seconds O(interfaces[].wait_for_dad) waits. NetBSD takes up to seven.
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
          - It is chosen with the options of O(interfaces[].mediaopt) and the mode of O(interfaces[].mode), and no
            others.
        type: str
      mediaopt:
        description:
          - The medium's options, such as V(full-duplex).
          - Without O(interfaces[].media), these are the options of the medium that the interface has.
        type: list
        elements: str
      mode:
        description:
          - The mode of a wireless interface, such as V(11g), or V(autoselect).
          - Without O(interfaces[].media) and O(interfaces[].mediaopt), it is that of the medium that the interface has.
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
          - What a carp interface is, one whose addresses a group of hosts on a link shares. One of them, the master,
            has them at a time. What is not given stays as it is.
          - An interface in the network of one of its addresses, or O(interfaces[].carp.carpdev), must be there and be
            up.
          - Kernels such as that of release 7.99.34 refuse IPv6 addresses on carp interfaces (EADDRNOTAVAIL).
          - They crash when they are given the MTU of a carp interface that is up. It is taken down first, and brought
            up again.
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
              - How many times 1/256 of a second are added to that, 0 to 254. The host that advertises most often
                becomes the master. The kernel's default is 0.
            type: int
          pass:
            description:
              - What all hosts of the group know, at most 20 bytes. Those that know another text are not heeded.
              - C(ifconfig) of NetBSD 7.99.34 leaves out the last character of the text that it is given. For a host
                that was set up by it, give the text without that.
              - It is not shown. It goes to the kernel unencrypted.
            type: str
            aliases: [password]
          carpdev:
            description:
              - The interface that it is on. If it is not given, the kernel takes one that is in the network of the
                first address. An empty text takes it off.
            type: str
          state:
            description:
              - Makes the host the master or a backup now. If another host of the group advertises more often, it takes
                over at once, and the next run of the task changes the state again.
              - If it is not given, the hosts agree by themselves, which takes three times the time between
                advertisements.
            type: str
            choices: [BACKUP, MASTER]
      wireless:
        description:
          - What network a wireless interface is to be in, and how. What is not given stays as it is.
          - These interfaces are not created; the kernel has one for each device that it has a driver for. Whether one
            is a station of a network (the default), makes one of its own (V(adhoc)), or is an access point (V(hostap))
            is said by O(interfaces[].mediaopt).
          - While an interface is in a network, the kernel tells that network's name, station and channel, and not what
            was set. Asking for any of them then changes nothing.
        type: dict
        suboptions:
          ssid:
            description:
              - The network's name, at most 32 bytes, or these in hexadecimal after V(0x); an empty text is any network.
            type: str
            aliases: [nwid]
          nwkey:
            description:
              - The key of WEP, 5 or 13 characters, or 10 or 26 hexadecimal digits after V(0x); or four keys, some of
                which may be empty, and before them the number of the one to send with, as in C(2:abcde,0x0102030405,,).
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
              - The Ethernet interfaces that are its members. Each is a name, or a dictionary with C(name) and one or
                more of the following.
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
  routes:
    description:
      - The routes, each with the options of M(rumpkernel.rump.rump_route).
      - A gateway may be on the network of an address that is declared here, or on the link that another route leads to.
    type: list
    elements: dict
    suboptions:
      dest:
        description:
          - Where the packets go to, a network such as V(192.0.2.0/24), an address, or V(default).
          - A link-local one names its interface, as in V(fe80::1%shmif0), or O(routes[].interface) does.
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
          - An interface has to be on a network with it, unless O(routes[].interface) names one. The task fails before
            it changes anything if none is.
        type: str
      interface:
        description:
          - The interface by which the packets leave. Without O(routes[].gateway), the destination is on the interface's
            own link.
        type: str
        aliases: [device]
      flags:
        description:
          - All of these flags that the route has; those that are not named it loses. A new route is V(static) if
            nothing is said.
          - V(reject) answers packets that they cannot be delivered, V(blackhole) drops them. Such a route needs neither
            O(routes[].gateway) nor O(routes[].interface).
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
            V(0) for never. The kernel notes it down for those who watch the table. Only with O(routes[].gateway).
        type: int
      state:
        description:
          - V(present) makes or changes the route.
          - V(absent) removes the route to O(routes[].dest), whatever else is said of it.
        type: str
        choices: [present, absent]
        default: present
  neighbours:
    description: The neighbours, each with the options of M(rumpkernel.rump.rump_neighbour).
    type: list
    elements: dict
    suboptions:
      address:
        description:
          - The neighbour's address, IPv4 or IPv6.
          - A link-local one names its interface, as in V(fe80::9%shmif0), or O(neighbours[].interface) does.
          - It has to be on the interface's link. The task fails before it changes anything if it is not.
        type: str
        required: true
      lladdr:
        description:
          - The neighbour's link-level address. A new one needs it, but for a proxy, for which the interface's own is
            taken.
        type: str
        aliases: [mac]
      interface:
        description:
          - The interface on whose link the neighbour is. Without it, the one that has a network with the address.
        type: str
        aliases: [device]
      permanent:
        description:
          - Whether the neighbour is known for good, or for as long as O(neighbours[].lifetime) says. A new one is
            permanent if nothing is said.
        type: bool
      lifetime:
        description:
          - Seconds for which a temporary neighbour is known, counted from when it becomes one.
        type: int
        default: 1200
      proxy:
        description:
          - Whether the kernel answers others' questions for the address itself, with O(neighbours[].lladdr).
          - Kernels of 7.99.28 up to release 8 do not tell reliably which IPv6 neighbours are proxies. Where they do
            not, a neighbour that is known otherwise as asked for is left as it is.
        type: bool
      state:
        description:
          - V(present) makes the neighbour known or changes what is known of it.
          - V(absent) forgets it.
        type: str
        choices: [present, absent]
        default: present
  sysctls:
    description:
      - Values of the kernel's sysctl nodes by their names, all of which begin with V(net.), such as
        V(net.inet.ip.forwarding).
    type: dict
  purge:
    description:
      - Kinds of things that are removed where they are not declared.
      - V(interfaces) are those that the kernel can create. V(lo0) stays.
      - V(addresses) are those of all interfaces but the loopback's. Link-local IPv6 addresses stay.
      - V(routes) are those that somebody made. What the kernel made by itself for its addresses, for redirects and for
        routers that advertise themselves stays.
      - V(neighbours) are those that are known for good. The others the kernel has learned, and forgets by itself.
    type: list
    elements: str
    choices: [interfaces, addresses, routes, neighbours]
    default: []
  allow_disconnect:
    description:
      - Make changes that cut the connection of the task, too. They are made last. What the kernel made of them it
        cannot tell any more; a warning says so.
    type: bool
    default: false
  reconnect:
    description:
      - The URL at which the kernel will answer, of the forms that O(server) has. What is new is made first; a new
        connection to this URL confirms it; then what the old connection used is changed and removed, over the new one.
      - If this very kernel does not answer at the URL in time, what was added is taken back over the old connection,
        and the task fails.
      - The tasks after it reach the host by the new connection's URL, until the end of the playbook. The inventory is
        not changed.
    type: str
  reconnect_timeout:
    description:
      - Seconds in which the kernel has to answer at O(reconnect). It may use a new address only when it has made sure
        that no other host has it, which takes NetBSD up to seven seconds.
    type: float
    default: 30.0
notes:
  - Interfaces and routes that have nothing to do with one another are changed at the same time. When the kernel refuses
    a change, those of others are made all the same; RV(changes) of the failure tells what was done, and the next
    run does the rest.
  - When an address goes, the kernel goes on to use it as the source of packets by the routes that were made with it.
    The task makes the kernel choose another one.
seealso:
  - module: rumpkernel.rump.rump_ifconfig
  - module: rumpkernel.rump.rump_route
  - module: rumpkernel.rump.rump_neighbour
  - module: rumpkernel.rump.rump_sysctl
  - module: rumpkernel.rump.rump_net_info
"""

EXAMPLES = r"""
- name: A router between two networks, and nothing else
  rumpkernel.rump.rump_network:
    interfaces:
      - name: shmif0
        linkstr: /tmp/bus0
        addresses: [192.0.2.1/24, 2001:db8:0:1::1/64]
        state: up
      - name: shmif1
        linkstr: /tmp/bus1
        addresses: [198.51.100.1/24, 2001:db8:0:2::1/64]
        state: up
    routes:
      - dest: default
        gateway: 192.0.2.254
    sysctls:
      net.inet.ip.forwarding: 1
      net.inet6.ip6.forwarding: 1
    purge: [interfaces, addresses, routes, neighbours]

- name: A bridge of two links, and a vlan on one of them
  rumpkernel.rump.rump_network:
    interfaces:
      - name: bridge0
        bridge:
          members: [shmif1, shmif2]
        state: up
      - name: vlan7
        vlan: 7
        vlanif: shmif2
        addresses: [203.0.113.1/24]
      - name: shmif2
        linkstr: /tmp/bus2
        state: up

- name: Move a unikernel to another address
  rumpkernel.rump.rump_network:
    interfaces:
      - name: vioif0
        addresses: [10.0.0.7/24]
    purge: [addresses]
    reconnect: tcp://10.0.0.7:12345
"""

RETURN = r"""
interfaces:
  description:
    - The interfaces that were declared, after the task, as M(rumpkernel.rump.rump_ifconfig) returns them; in check
      mode, as far as it can be foretold.
  type: list
  elements: dict
  returned: success
routes:
  description: The routes that were declared, as M(rumpkernel.rump.rump_route) returns them.
  type: list
  elements: dict
  returned: success
neighbours:
  description: The neighbours that were declared, as M(rumpkernel.rump.rump_neighbour) returns them.
  type: list
  elements: dict
  returned: success
sysctls:
  description: The values of the sysctl nodes that were declared.
  type: dict
  returned: success
  sample: {net.inet.ip.forwarding: 1}
server:
  description: The URL at which the kernel answers.
  type: str
  returned: when O(reconnect) is given
changes:
  description: What was changed, or would be, in order.
  type: list
  elements: str
  returned: changed
  sample: [create shmif0, set the linkstr of shmif0 to /tmp/bus0, add 192.0.2.1/24 to shmif0]
"""

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import network, network_options
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import RumpModule

MODULE = RumpModule(
    options={
        "interfaces": {"type": "list", "elements": "dict", "options": network_options.INTERFACE},
        "routes": {"type": "list", "elements": "dict", "options": network_options.ROUTE},
        "neighbours": {"type": "list", "elements": "dict", "options": network_options.DECLARED_NEIGHBOUR},
        "sysctls": {"type": "dict"},
        "purge": {
            "type": "list",
            "elements": "str",
            "choices": ["interfaces", "addresses", "routes", "neighbours"],
            "default": [],
        },
        "allow_disconnect": {"type": "bool", "default": False},
        "reconnect": {"type": "str"},
        "reconnect_timeout": {"type": "float", "default": 30.0},
    },
    plan=network.plan,
)


def main() -> None:
    MODULE.main()


if __name__ == "__main__":
    main()
