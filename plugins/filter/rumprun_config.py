# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the configuration that a Rumprun unikernel reads when it boots."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rumprun_config
short_description: The configuration of a Rumprun unikernel
version_added: 0.1.0
author:
  - rumpkernel.rump authors (@rumpkernel)
description:
  - Writes the text that a Rumprun unikernel is configured by, as its own parser reads it. It looks like JSON, but has
    the keys C(env), C(net) and C(blk) once for each variable, network and disk, and takes what is between quotation
    marks as it stands, with no escapes.
  - What cannot be said to the unikernel in this way is refused.
options:
  _input:
    description: The guest.
    type: dict
    required: true
    suboptions:
      program:
        description: The program's own name, the first of its arguments.
        type: str
        default: rumprun
      arguments:
        description: Its other arguments. None can have a single quotation mark.
        type: list
        elements: str
        default: []
      hostname:
        description: The kernel's name.
        type: str
      environment:
        description: Variables of the program's environment.
        type: dict
        default: {}
      networks:
        description: The interfaces, in their order. They are called C(vioif0) and so on unless they have a C(name).
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The interface.
            type: str
          inet:
            description: V(dhcp), or an IPv4 address with its prefix.
            type: str
          gateway:
            description: The default router of IPv4.
            type: str
          inet6:
            description: V(auto), or an IPv6 address with its prefix.
            type: str
          gateway6:
            description: The default router of IPv6.
            type: str
      disks:
        description: The disks, in their order. They are C(/dev/ld0a) and so on.
        type: list
        elements: dict
        default: []
        suboptions:
          mountpoint:
            description: Where it is mounted. Without it, it is not.
            type: str
"""

EXAMPLES = r"""
- name: Show a unikernel's configuration
  ansible.builtin.debug:
    msg: "{{ guest | rumpkernel.rump.rumprun_config }}"
  vars:
    guest:
      program: nginx
      arguments: [-c, /data/conf/nginx.conf]
      environment: {RUMPRUN_SYSPROXY: "tcp://0:12345"}
      networks:
        - {inet: 10.0.0.2/24, gateway: 10.0.0.1}
        - {inet: dhcp}
      disks:
        - {mountpoint: /data}
"""

RETURN = r"""
_value:
  description: The configuration, in one line.
  type: str
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

# What the parser takes between quotation marks: a backslash only before these.
_PLAIN = re.compile(r"(?:[^\"\\\x00-\x1f\x7f]|\\[\"/\\bfnrt]|\\u[0-9A-Fa-f]{4})*")
# Anywhere in the text, it makes the unikernel look for its configuration in a file.
_ELSEWHERE = "_RUMPRUN_ROOTFSCFG="


def rumprun_config(guest: Mapping[str, Any]) -> str:
    """The configuration's text.

    :raises AnsibleFilterError: the unikernel's parser cannot be told this.
    """
    if not isinstance(guest, Mapping):
        raise AnsibleFilterError(f"rumprun_config: a guest is a mapping, not {guest!r}")
    unknown = set(guest) - {"program", "arguments", "hostname", "environment", "networks", "disks"}
    if unknown:
        raise AnsibleFilterError(f"rumprun_config: a guest has no {', '.join(sorted(unknown))}")
    return "{" + ",".join(f"{_quoted(key, key)}:{value}" for key, value in _pairs(guest)) + "}"


def _pairs(guest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The keys with their values as they are written. Disks are mounted before the network is asked for addresses."""
    words = [guest.get("program") or "rumprun", *(guest.get("arguments") or [])]
    yield "cmdline", _quoted("arguments", " ".join(_word(str(word)) for word in words))
    if guest.get("hostname"):
        yield "hostname", _quoted("hostname", guest["hostname"])
    for name, value in (guest.get("environment") or {}).items():
        if not name or "=" in name:
            raise AnsibleFilterError(f"rumprun_config: environment: {name!r} is no name of a variable")
        yield "env", _quoted(f"environment: {name}", f"{name}={value}")
    for number, disk in enumerate(guest.get("disks") or []):
        if disk.get("mountpoint"):
            path, mountpoint = f"/dev/ld{number}a", disk["mountpoint"]
            yield "blk", _object(source="dev", path=path, fstype="blk", mountpoint=mountpoint)
    for number, network in enumerate(guest.get("networks") or []):
        name = network.get("name") or f"vioif{number}"
        for kind, automatic, gateway in (("inet", "dhcp", "gateway"), ("inet6", "auto", "gateway6")):
            if network.get(kind):
                yield "net", _network(name, kind, network[kind], automatic, network.get(gateway))


def _network(name: str, kind: str, address: str, automatic: str, gateway: str | None) -> str:
    if address == automatic:
        if gateway:
            raise AnsibleFilterError(f"rumprun_config: networks: {name}: {automatic} finds its own gateway")
        return _object(**{"if": name, "type": kind, "method": automatic})
    version = 4 if kind == "inet" else 6
    try:
        if "/" not in address:
            raise ValueError(f"{address} has no prefix")
        own = ipaddress.ip_interface(address)
        router = ipaddress.ip_address(gateway) if gateway else None
        if own.version != version or (router and router.version != version):
            raise ValueError(f"{address if own.version != version else gateway} is of the other family")
    except ValueError as error:
        raise AnsibleFilterError(f"rumprun_config: networks: {name}: {kind}: {error}") from None
    more = {"gw": str(router)} if router else {}
    static = {"method": "static", "addr": str(own.ip), "mask": str(own.network.prefixlen)}
    return _object(**{"if": name, "type": kind, **static, **more})


def _object(**pairs: str) -> str:
    return "{" + ",".join(f"{_quoted(key, key)}:{_quoted(key, value)}" for key, value in pairs.items()) + "}"


def _quoted(what: str, value: Any) -> str:
    text = str(value)
    if not _PLAIN.fullmatch(text) or _ELSEWHERE in text:
        raise AnsibleFilterError(
            f"rumprun_config: {what}: a unikernel's configuration cannot say {text!r}: it has no way to write "
            "quotation marks, some backslashes and control characters"
        )
    return f'"{text}"'


def _word(word: str) -> str:
    """A word as the unikernel's command line has it: a backslash takes what is special from a character."""
    if "'" in word:
        raise AnsibleFilterError(
            f"rumprun_config: arguments: a unikernel's command line cannot say {word!r}: it has no way to write a "
            "single quotation mark"
        )
    text = word.replace("\\", "\\\\").replace('"', '\\"')
    return f"'{text}'" if not text or re.search(r"\s", text) else text


class FilterModule:
    """The filters of this file."""

    def filters(self) -> dict[str, Any]:
        return {"rumprun_config": rumprun_config}
