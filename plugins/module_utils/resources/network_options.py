# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of an interface, a route and a neighbour. Each has a module, and rump_network has lists of them.

They are here, and not in the modules, since a module that is sent somewhere takes no other one along.
"""

from __future__ import annotations

from typing import Any, TypeAlias

Options: TypeAlias = dict[str, dict[str, Any]]

INTERFACE: Options = {
    "name": {"type": "str", "required": True, "aliases": ["interface"]},
    "state": {"type": "str", "choices": ["present", "absent", "up", "down"], "default": "present"},
    "linkstr": {"type": "str"},
    "addresses": {"type": "list", "elements": "raw"},
    "purge_addresses": {"type": "bool", "default": False},
    "wait_for_dad": {"type": "bool", "default": False},
    "dad_timeout": {"type": "float", "default": 15.0},
    "mtu": {"type": "int"},
    "metric": {"type": "int"},
    "lladdr": {"type": "str"},
    "description": {"type": "str"},
    "arp": {"type": "bool"},
    "debug": {"type": "bool"},
    "link0": {"type": "bool"},
    "link1": {"type": "bool"},
    "link2": {"type": "bool"},
    "media": {"type": "str"},
    "mediaopt": {"type": "list", "elements": "str"},
    "mode": {"type": "str"},
    "capabilities": {"type": "list", "elements": "str"},
    "vlan": {"type": "int"},
    "vlanif": {"type": "str"},
    "tunnel": {"type": "dict", "options": {"source": {"type": "str"}, "destination": {"type": "str"}}},
    "agr": {
        "type": "dict",
        "options": {
            "ports": {"type": "list", "elements": "str", "required": True},
            "purge": {"type": "bool", "default": False},
        },
    },
    "carp": {
        "type": "dict",
        "options": {
            "vhid": {"type": "int"},
            "advbase": {"type": "int"},
            "advskew": {"type": "int"},
            "pass": {"type": "str", "no_log": True, "aliases": ["password"]},
            "carpdev": {"type": "str"},
            "state": {"type": "str", "choices": ["BACKUP", "MASTER"]},
        },
    },
    "wireless": {
        "type": "dict",
        "options": {
            "ssid": {"type": "str", "aliases": ["nwid"]},
            "nwkey": {"type": "str", "no_log": True},
            "powersave": {"type": "bool"},
            "powersavesleep": {"type": "int"},
            "bssid": {"type": "str"},
            "channel": {"type": "int", "aliases": ["chan"]},
        },
    },
    "bridge": {
        "type": "dict",
        "options": {
            "members": {"type": "list", "elements": "raw"},
            "purge": {"type": "bool", "default": False},
            "priority": {"type": "int"},
            "hello_time": {"type": "int"},
            "forward_delay": {"type": "int"},
            "max_age": {"type": "int"},
            "max_addresses": {"type": "int"},
            "timeout": {"type": "int"},
            "filter": {"type": "bool"},
        },
    },
}
ROUTE: Options = {
    "dest": {"type": "str", "required": True, "aliases": ["destination"]},
    "family": {"type": "str", "choices": ["inet", "inet6"]},
    "gateway": {"type": "str"},
    "interface": {"type": "str", "aliases": ["device"]},
    "flags": {
        "type": "list",
        "elements": "str",
        "choices": ["reject", "blackhole", "static", "proto1", "proto2", "cloning"],
    },
    "mtu": {"type": "int"},
    "expire": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
NEIGHBOUR: Options = {
    "address": {"type": "str"},
    "lladdr": {"type": "str", "aliases": ["mac"]},
    "interface": {"type": "str", "aliases": ["device"]},
    "permanent": {"type": "bool"},
    "lifetime": {"type": "int", "default": 1200},
    "proxy": {"type": "bool"},
    "family": {"type": "str", "choices": ["inet", "inet6"]},
    "state": {"type": "str", "choices": ["present", "absent", "flushed"], "default": "present"},
}

DECLARED_NEIGHBOUR: Options = {
    **{name: spec for name, spec in NEIGHBOUR.items() if name != "family"},
    "address": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
"""Without what forgets many of them at once."""
