# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where kernels may be, by what an inventory's configuration says: names, URLs, groups and variables of hosts.

Nothing is connected to here. Errors are ValueErrors whose texts name the option and what would be right.
"""

from __future__ import annotations

import glob
import ipaddress
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Final

from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.inventory import detect_range, expand_hostname_range
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import InvalidURL
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.transport import (
    SshAddress,
    UnixAddress,
    parse_url,
)
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.probing import question

MOST: Final = 1 << 16
"""So many addresses and ports are looked at in all."""
_ENDINGS: Final = (".json", ".yml", ".yaml")
_PORTS: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_NOT_IN_NAMES: Final = re.compile(r"[^\w.@-]")  # a host's name stands in patterns, where these mean something


@dataclass(frozen=True)
class Candidate:
    """A kernel that may be there."""

    name: str
    url: str
    groups: tuple[str, ...] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    expected: bool = True
    """Whether somebody said that it is there, so that its absence is worth a word."""
    long_name: str = ""
    """The name where another host has ``name``; empty where a user gave it."""
    file: str = ""
    """The launcher's file that tells of it."""


class Unreadable(ValueError):
    """A launcher's file that cannot be taken; the others can."""


def listed(entries: object, option: str = "kernels") -> Iterator[Candidate]:
    """The kernels of the option ``kernels``: mappings with ``url`` and, as may be, ``name``, ``groups``, ``vars``."""
    for number, entry in enumerate(_list(entries, option)):
        where = f"{option}[{number}]"
        found = candidate(entry, where)
        check_keys(entry, ("url", "name", "groups", "vars"), where)
        yield found


def candidate(entry: object, where: str, default_name: str = "") -> Candidate:
    """A kernel from ``{name, url, groups, vars}``; other keys are not looked at."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"{where}: give a mapping with url and, if you like, name, groups and vars, not {entry!r}")
    url, name = entry.get("url"), entry.get("name")
    groups, variables = entry.get("groups") or [], entry.get("vars") or {}
    if not isinstance(url, str):
        raise ValueError(f"{where}: url: give the URL of a rump kernel's server, such as unix:///run/csock")
    if name is not None and not (isinstance(name, str) and name):
        raise ValueError(f"{where}: name: give a text, not {name!r}")
    if name in ("all", "ungrouped"):
        raise ValueError(f"{where}: name: {name} is a group of Ansible's own: give another name")
    if not isinstance(variables, Mapping):
        raise ValueError(f"{where}: vars: give a mapping, not {variables!r}")
    if isinstance(variables.get("rump_components"), list):
        _texts(variables["rump_components"], f"{where}: vars: rump_components")
    try:
        short, long = _names(url)
    except InvalidURL as error:
        raise ValueError(f"{where}: url: {error}") from None
    given = name or default_name
    return Candidate(given or short, url, _texts(groups, f"{where}: groups"), variables, True, "" if given else long)


def check_keys(entry: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """:raises ValueError: the entry has a key that nobody knows, such as a misspelt one."""
    for key in entry:
        if key not in known:
            raise ValueError(f"{where}: there is no {key}: give {', '.join(known)}")


def launched(folder: str, loader: DataLoader) -> Iterator[Candidate | Unreadable]:
    """The kernels that launchers wrote into a folder, a file for each: docs/inventory.md has the format.

    What stands in the files is data: templates in it are not trusted. A folder that is not there holds none.
    """
    try:
        names = sorted(os.listdir(folder))
        owners = {0, os.geteuid(), os.stat(folder).st_uid}
    except FileNotFoundError:
        return
    except OSError as error:
        raise ValueError(f"launched: {folder}: {error.strerror or error}") from None
    for name in names:
        if not name.startswith(".") and name.endswith(_ENDINGS):
            path = os.path.join(folder, name)
            try:
                found = candidate(_read(path, owners, loader), path, os.path.splitext(name)[0])
                _check_hints(found)
            except FileNotFoundError:
                continue  # its kernel was removed just now
            except (AnsibleError, ValueError, OSError) as error:
                yield Unreadable(f"{error}" if path in str(error) else f"{path}: {error}")
            else:
                yield replace(found, file=path)


def _check_hints(found: Candidate) -> None:
    try:
        question(found.url, found.variables)
    except ValueError as error:
        raise ValueError(f"vars: {error}") from None


def _read(path: str, owners: set[int], loader: DataLoader) -> object:
    status = os.stat(path)
    if status.st_mode & stat.S_IWOTH:
        raise ValueError("others may write to it, and its variables decide what Ansible does: take that from its mode")
    if status.st_uid not in owners:
        raise ValueError(f"it is the file of user {status.st_uid}, who is not root, nor you, nor the folder's owner")
    return loader.load_from_file(path, cache="none")


def in_folders(patterns: Iterable[str]) -> Iterator[Candidate]:
    """The sockets that are in folders, or that patterns of glob fit."""
    for pattern in patterns:
        for path in sorted(glob.glob(os.path.join(pattern, "*") if os.path.isdir(pattern) else pattern)):
            try:
                is_socket = stat.S_ISSOCK(os.stat(path).st_mode)
            except OSError:
                continue
            if is_socket:
                yield candidate({"url": f"unix://{path}"}, f"sockets: {pattern}")


def in_networks(entries: object) -> Iterator[Candidate]:
    """Every port of every address that the option ``networks`` has."""
    room = MOST
    for number, entry in enumerate(_list(entries, "networks")):
        where = f"networks[{number}]"
        if not isinstance(entry, Mapping):
            raise ValueError(f"{where}: give a mapping with addresses and ports, not {entry!r}")
        check_keys(entry, ("addresses", "ports", "groups", "vars"), where)
        if entry.get("addresses") is None:
            raise ValueError(f"{where}: addresses: give addresses, networks, ranges and names, such as [192.0.2.0/24]")
        ports = [port for text in _list(entry.get("ports"), f"{where}: ports") for port in _ports(text, where)]
        if not ports:
            raise ValueError(f"{where}: ports: give numbers and ranges, such as [12345, 13000-13009]")
        addresses = _list(entry.get("addresses"), f"{where}: addresses")
        hosts = (host for address in addresses for host in _hosts(address, where))
        urls = [f"tcp6://[{host}]" if ":" in host else f"tcp://{host}" for host in islice(hosts, room + 1)]
        room -= len(urls) * len(ports)
        if room < 0:
            raise ValueError(f"{where}: more than {MOST} addresses and ports in all: give smaller ranges")
        for url in urls:
            for port in ports:
                found = candidate({**entry, "url": f"{url}:{port}"}, where)
                yield Candidate(found.name, found.url, found.groups, found.variables, expected=False)


def _ports(text: object, where: str) -> range:
    match = _PORTS.fullmatch(str(text))
    if match:
        first = int(match[1])
        last = int(match[2] or first)
        if 0 < first <= last < 65536:
            return range(first, last + 1)
    raise ValueError(f"{where}: ports: give numbers and ranges from 1 to 65535, such as 13000-13009, not {text!r}")


def _hosts(text: object, where: str) -> Iterator[str]:
    """``192.0.2.7``, ``192.0.2.0/24``, ``192.0.2.7-192.0.2.9``, ``web[01:20].example.org``, ``2001:db8::7``."""
    if not isinstance(text, str) or not text:
        raise ValueError(f"{where}: addresses: give texts, not {text!r}")
    first, dash, last = text.partition("-")
    try:
        if "/" in text:
            yield from map(str, ipaddress.ip_network(text, strict=False).hosts())
            return
        if dash and _is_address(first) and _is_address(last):
            yield from _between(first, last)
            return
        yield from expand_hostname_range(text) if detect_range(text) else [text]
    except (AnsibleError, ValueError, TypeError) as error:
        raise ValueError(f"{where}: addresses: {text}: {error}") from None


def _between(first: str, last: str) -> Iterator[str]:
    start, end = ipaddress.ip_address(first), ipaddress.ip_address(last)
    if start.version != end.version or int(start) > int(end):
        raise ValueError("the first address comes before the last")
    for number in range(int(start), int(end) + 1):
        yield str(type(start)(number))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def distinct(candidates: Iterable[Candidate]) -> list[Candidate | Unreadable]:
    """One host for each URL, the first, and one name for each host.

    Where a launcher's file has the name of another kernel, it is the one that cannot be taken.

    :raises ValueError: two kernels were given the same name, neither by a launcher.
    """
    by_url: dict[str, Candidate] = {}
    for one in candidates:
        by_url.setdefault(one.url, one)
    counts: dict[str, int] = {}
    for one in by_url.values():
        counts[one.name] = counts.get(one.name, 0) + 1
    found: dict[str, Candidate | Unreadable] = dict(by_url)
    taken: dict[str, str] = {}
    for one in sorted(by_url.values(), key=lambda one: bool(one.file)):
        name = one.long_name if counts[one.name] > 1 and one.long_name else one.name
        if name not in taken:
            taken[name] = one.url
            found[one.url] = replace(one, name=name, long_name="")
        elif one.file:
            found[one.url] = Unreadable(f"{one.file}: name: another kernel is called {name}, {taken[name]}")
        else:
            raise ValueError(f"two kernels are called {name}: {taken[name]} and {one.url}")
    return list(found.values())


def _names(url: str) -> tuple[str, str]:
    """A host's name from its server's URL, and a longer one that no other URL of its kind has.

    :raises InvalidURL: it is none.
    """
    address = parse_url(url)
    if isinstance(address, UnixAddress):
        stem = os.path.splitext(os.path.basename(address.path))[0]
        return _plain(stem), _plain(address.path.strip("/"))
    if isinstance(address, SshAddress):
        return _plain(f"{address.host}_{_names(str(address.target))[0]}"), _plain(url.partition("://")[2])
    name = _plain(f"{address.host}_{address.port}")
    return name, name


def _plain(text: str) -> str:
    return _NOT_IN_NAMES.sub("-", text)


def _texts(value: object, where: str) -> tuple[str, ...]:
    texts = tuple(_list(value, where))
    for text in texts:
        if not isinstance(text, str) or not text:
            raise ValueError(f"{where}: give a list of texts, not one with {text!r}")
    return texts


def _list(value: object, where: str) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, Mapping):
        raise ValueError(f"{where}: give a list, not {value!r}")
    return list(value) if isinstance(value, list | tuple) else [value]
