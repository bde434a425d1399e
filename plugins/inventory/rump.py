# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rump kernels as hosts: those that are named, and those that are found."""

from __future__ import annotations

DOCUMENTATION = r"""
name: rump
short_description: Rump kernels that answer, as hosts
description:
  - Takes kernels from lists, from the files of launchers, from folders of sockets and from ranges of addresses and
    ports, asks them side by side for their banner and a handshake, and makes hosts of those that answer.
  - Hosts are reached over P(rumpkernel.rump.sysproxy#connection).
  - A host has the variables C(ansible_connection), C(ansible_rump_server), C(rump_release) such as V(7.99.34),
    C(rump_machine) such as V(amd64), and, where they are known, C(rump_components). It is in the groups
    C(rump_kernels), C(rump_release_7_99_34) and C(rump_machine_amd64), and in one such as
    C(rump_component_rumpfs_tmpfs) for each component.
  - What is said of a URL first counts, in the order O(kernels), O(launched), O(sockets), O(networks).
  - The configuration is a YAML file whose name ends with C(.yml) or C(.yaml).
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
requirements:
  - construct (Python package) on the controller
extends_documentation_fragment:
  - constructed
  - inventory_cache
options:
  plugin:
    description: Says that the file is this plugin's.
    type: str
    required: true
    choices: [rumpkernel.rump.rump]
  kernels:
    description:
      - Kernels by name. Templates in O(kernels[].url) are evaluated when the inventory is read.
    type: list
    elements: dict
    default: []
    suboptions:
      url:
        description: The server's URL, as O(rumpkernel.rump.sysproxy#connection:server).
        type: str
        required: true
      name:
        description: The host's name. By default it is made from O(kernels[].url).
        type: str
      groups:
        description: Groups that the host is in.
        type: list
        elements: str
        default: []
      vars:
        description:
          - The host's variables. C(rump_components), a list, makes groups.
          - C(ansible_rump_word_size), C(ansible_rump_byteorder), C(ansible_rump_release) and
            C(ansible_rump_ssh_args) hold for the question whether it answers, too.
        type: dict
        default: {}
  launched:
    description:
      - Folders with a file for each kernel, which whoever starts them keeps, such as the roles
        C(rump_server) and C(rumprun).
      - The page C(docs/inventory.md) of the collection has the format. One that cannot be taken is passed over with a
        warning, and is an error with O(strict=true).
      - Relative paths are those from the configuration's folder.
    type: list
    elements: str
    default: []
  sockets:
    description:
      - Folders, all of whose sockets are taken, and patterns such as V(/run/rump/*.sock).
      - A host's name is the socket's without its ending; where several have it, it is made from their paths.
      - Relative paths are those from the configuration's folder.
    type: list
    elements: str
    default: []
  networks:
    description:
      - Addresses and ports of TCP at which kernels may be. Every port of every address is tried, 65536 at most in all.
      - A host's name is the address and the port, V(192.0.2.7_12345).
    type: list
    elements: dict
    default: []
    suboptions:
      addresses:
        description:
          - Addresses V(192.0.2.7) and V(2001:db8::7), networks V(192.0.2.0/24), ranges V(192.0.2.7-192.0.2.19), and
            names, with Ansible's ranges in them if need be, V(edge[01:20].example.org).
        type: list
        elements: str
        required: true
      ports:
        description: Ports V(12345) and ranges of them V(13000-13009).
        type: list
        elements: str
        required: true
      groups:
        description: Groups that the hosts are in.
        type: list
        elements: str
        default: []
      vars:
        description: Variables of each of the hosts.
        type: dict
        default: {}
  dead:
    description:
      - What becomes of kernels that do not answer.
      - With V(leave_out) they are no hosts; those that are not of O(networks) are named in a warning.
      - With V(group) they are hosts in the group C(rump_dead) and in no other, with the reason in the variable
        C(rump_failure).
    type: str
    choices: [leave_out, group]
    default: leave_out
  components:
    description:
      - Whether each kernel is asked for its components as well, by some fifteen system calls that change nothing.
      - Components that leave no trace that a client could see are not found, such as C(rumpdev_rnd).
    type: bool
    default: false
  timeout:
    description:
      - Seconds in which a server has to answer. One that has all the clients that it takes is tried again until then.
      - Each of the calls that O(components) makes has this limit, too.
    type: float
    default: 3
  parallel:
    description: How many servers are asked at once.
    type: int
    default: 64
seealso:
  - plugin: rumpkernel.rump.sysproxy
    plugin_type: connection
"""

EXAMPLES = r"""
# The kernels of a machine, by their sockets. Whatever they are called, they are hosts.
plugin: rumpkernel.rump.rump
sockets: [/run/rump]

---
# Some by name, some in a network; those that do not answer are in the group rump_dead.
plugin: rumpkernel.rump.rump
kernels:
  - name: router
    url: tcp://192.0.2.7:12345
    groups: [routers]
    vars:
      site: north
  - name: db
    url: ssh://admin@vmhost.example.org/run/rump/db.sock
networks:
  - addresses: [192.0.2.16/29, "10.0.0.[1:20]"]
    ports: [12345, 13000-13009]
    groups: [edge]
dead: group
timeout: 1

---
# Those that the roles rump_server and rumprun started, and groups of them by what they are made of.
plugin: rumpkernel.rump.rump
launched: [/var/lib/rump/kernels]
components: true
compose:
  release_major: rump_release.split('.')[0]
groups:
  with_disks: "'rumpdev_disk' in rump_components"
keyed_groups:
  - key: release_major
    prefix: netbsd
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /tmp/rump_inventory
cache_timeout: 300
"""

import glob
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.inventory.host import Host
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import MissingLibrary
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.candidates import (
    Candidate,
    Unreadable,
    check_keys,
    distinct,
    in_folders,
    in_networks,
    launched,
    listed,
)
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.probing import (
    HINTS,
    Finding,
    Question,
    ask_all,
    question,
)

CONNECTION = "rumpkernel.rump.sysproxy"
ALIVE = "rump_kernels"
DEAD = "rump_dead"
_NAMED = 10  # so many kernels that do not answer are named in a warning


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Where kernels may be (candidates), which answer (probing), and what Ansible makes of those (here)."""

    NAME = "rumpkernel.rump.rump"

    def verify_file(self, path: str) -> bool:
        return path.endswith((".yml", ".yaml")) and super().verify_file(path)

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache)
        config = self._read_config_data(path)
        for option, least in (("timeout", 0.001), ("parallel", 1)):
            if self.get_option(option) < least:
                raise AnsibleParserError(f"{path}: {option}: give a number of {least} or more")
        try:
            check_keys(config, sorted(self.option_definitions), "options")
            folder = os.path.dirname(os.path.abspath(path))
            candidates = list(self._readable(distinct(self._candidates(folder))))
            findings = self._findings(candidates, path, cache)
        except (ValueError, MissingLibrary) as error:
            raise AnsibleParserError(f"{path}: {error}") from None
        for candidate in candidates:
            self._add(candidate, findings[candidate.url])
        if self.get_option("dead") == "leave_out":
            self._tell_of_dead(candidates, findings)

    # Where kernels may be

    def _candidates(self, folder: str) -> Iterator[Candidate]:
        yield from listed([self._evaluated(entry) for entry in self.get_option("kernels")])
        for name in self._paths("launched", folder):
            if not os.path.lexists(name):
                self.display.warning(f"launched: there is no folder {name}")
            yield from self._readable(launched(name, self.loader))
        patterns = self._paths("sockets", folder)
        for pattern in patterns:
            if not (os.path.lexists(pattern) or glob.glob(pattern)):
                self.display.warning(f"sockets: nothing is at {pattern}")
        yield from in_folders(patterns)
        yield from in_networks([self._evaluated(entry) for entry in self.get_option("networks")])

    def _readable(self, found: Iterable[Candidate | Unreadable]) -> Iterator[Candidate]:
        for one in found:
            if isinstance(one, Candidate):
                yield one
            elif self.get_option("strict"):
                raise one
            else:
                self.display.warning(f"launched: {one}")

    def _evaluated(self, entry: Any) -> Any:
        """An entry with its templates evaluated, but for its variables, which are the play's business."""
        self.templar.available_variables = self._vars
        if not isinstance(entry, dict):
            return self.templar.template(entry)
        return {key: value if key == "vars" else self.templar.template(value) for key, value in entry.items()}

    def _paths(self, option: str, folder: str) -> list[str]:
        paths = [self._evaluated(path) for path in self.get_option(option)]
        return [os.path.normpath(os.path.join(folder, os.path.expanduser(str(path)))) for path in paths]

    # Which of them answer

    def _findings(self, candidates: list[Candidate], path: str, read_cache: bool) -> dict[str, Finding]:
        """By URL: from the cache if it knows them all, else from the servers."""
        key = self.get_cache_key(path)
        use_cache = self.get_option("cache")
        questions = [self._question(candidate) for candidate in candidates]
        if use_cache and read_cache:
            kept = self._kept(key, questions)
            if all(asked.url in kept for asked in questions):
                return kept
        answers, warnings = ask_all(
            questions,
            timeout=self.get_option("timeout"),
            parallel=self.get_option("parallel"),
            with_components=self.get_option("components"),
        )
        for warning in warnings:
            self.display.warning(warning)
        if use_cache:
            self._cache[key] = {
                asked.url: {"circumstances": asked.circumstances, **answer.as_dict()}
                for asked, answer in zip(questions, answers, strict=True)
            }
        return {asked.url: answer for asked, answer in zip(questions, answers, strict=True)}

    def _question(self, candidate: Candidate) -> Question:
        hints = {name: value for name, value in candidate.variables.items() if name in HINTS}
        try:
            return question(candidate.url, self._evaluated(hints))
        except ValueError as error:
            raise ValueError(f"vars of {candidate.name}: {error}") from None

    def _kept(self, key: str, questions: list[Question]) -> dict[str, Finding]:
        """What the cache has of the answers to these questions, and no more than is asked for now."""
        try:
            entries = self._cache[key]
        except KeyError:
            return {}
        kept = {}
        wanted = self.get_option("components")
        for asked in questions:
            try:
                entry = entries[asked.url]
                finding = Finding.from_dict(entry)
                as_now = entry["circumstances"] == asked.circumstances
            except (KeyError, TypeError):  # nothing, or what another version kept
                continue
            if as_now and not (wanted and finding.alive and finding.components is None):
                kept[asked.url] = finding if wanted else replace(finding, components=None)
        return kept

    # What Ansible makes of them

    def _add(self, candidate: Candidate, finding: Finding) -> None:
        if not finding.alive and self.get_option("dead") == "leave_out":
            return
        host = self.inventory.get_host(self.inventory.add_host(candidate.name))
        variables = {"ansible_connection": CONNECTION, "ansible_rump_server": candidate.url, **candidate.variables}
        if not finding.alive:
            self._set(host, {**variables, "rump_failure": finding.failure})
            self._join(host, [DEAD])
            return
        variables |= {"rump_release": finding.release, "rump_machine": finding.machine}
        if finding.components is not None:
            said = variables.get("rump_components")
            variables["rump_components"] = sorted({*finding.components, *(said if isinstance(said, list) else ())})
        self._set(host, variables)
        self._join(host, [ALIVE, *candidate.groups])
        self._join(host, [f"rump_release_{finding.release}", f"rump_machine_{finding.machine}"])
        known = variables.get("rump_components")
        self._join(host, [f"rump_component_{name}" for name in known] if isinstance(known, list) else [])
        self._construct(host)

    # A host may be called as a group is. The inventory's own set_variable and add_child would then mean the group.

    def _set(self, host: Host, variables: dict[str, Any]) -> None:
        for name, value in variables.items():
            host.set_variable(name, value)

    def _join(self, host: Host, groups: list[str]) -> None:
        for group in groups:
            self.inventory.add_host(host.name, group=self.inventory.add_group(self._sanitize_group_name(group)))

    def _construct(self, host: Host) -> None:
        strict = self.get_option("strict")
        variables = host.get_vars()
        for name, expression in self.get_option("compose").items():
            with self._tolerant(f"compose: {name} of {host.name}"):
                host.set_variable(name, self._compose(expression, variables))
        variables = host.get_vars()
        self.templar.available_variables = variables
        for group, condition in self.get_option("groups").items():
            with self._tolerant(f"groups: {group} for {host.name}"):
                self._join(host, [group] if self.templar.evaluate_conditional(condition) else [])
        keyed = self.get_option("keyed_groups")
        self._add_host_to_keyed_groups(keyed, variables, host.name, strict, fetch_hostvars=False)

    @contextmanager
    def _tolerant(self, what: str) -> Iterator[None]:
        """For an expression, which may fail unless the option ``strict`` says otherwise."""
        try:
            yield
        except (AnsibleError, TypeError) as error:  # the latter for what is no text
            if self.get_option("strict"):
                raise AnsibleParserError(f"{what}: {error}") from error

    def _tell_of_dead(self, candidates: list[Candidate], findings: dict[str, Finding]) -> None:
        dead = [one for one in candidates if not findings[one.url].alive]
        for one in dead:
            self.display.vv(f"{one.url}: {findings[one.url].failure}")
        expected = [f"{one.name} ({one.url}: {findings[one.url].failure})" for one in dead if one.expected]
        if expected:
            more = f", and {len(expected) - _NAMED} more" if len(expected) > _NAMED else ""
            self.display.warning(
                f"left out, since they do not answer: {', '.join(expected[:_NAMED])}{more}; "
                "with dead=group they would be hosts in the group rump_dead"
            )
