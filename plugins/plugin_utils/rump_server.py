# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong in the variables of the role rump_server, told before anything is changed.

Ansible checks a role's variables and does not convert them: a text passes for a list. What is made of them are command
lines, units and paths, so that each has to have its form here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ansible.module_utils.common.text.formatters import human_to_bytes

from ..module_utils.sysproxy.errors import InvalidURL
from ..module_utils.sysproxy.transport import Tcp6Address, TcpAddress, UnixAddress, parse_url

SOCKET_PATH_LIMIT: Final = 103  # sun_path of NetBSD, less its NUL
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
ACCOUNT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
EVERYWHERE: Final = ("0", "0.0.0.0", "::")
LOOPBACK: Final = {"localhost": "127.0.0.1"}
# The folders that the role makes paths of, and systemd its own.
DIRECTORIES: Final = ("run", "state", "unit", "tmpfiles")


def faults(variables: Mapping[str, Any], hosts: Sequence[str] = ()) -> list[str]:
    """What is wrong, each text with the variable or instance and option that it is about.

    :param variables: the role's variables by their names without ``rump_server_``.
    :param hosts: names that kernels may not have, those of the hosts that they run on.
    """
    found = [f"rump_server_{fault}" for fault in _of_role(variables)]
    instances = variables["instances"]
    if not _is_list(instances):
        return [*found, "rump_server_instances: give a list"]
    texts = [instance.get("name") for instance in instances if isinstance(instance, Mapping)]
    for number, instance in enumerate(instances, 1):
        if not isinstance(instance, Mapping):
            found.append(f"rump_server_instances: entry {number} is no mapping")
            continue
        name = instance.get("name")
        about = f"rump_server_instances: {name}"
        if not isinstance(name, str):
            found.append(f"{about}: name: give a text, quoted where YAML takes it for something else")
            continue
        found += [f"{about}: {fault}" for fault in _of_name(name, texts, hosts)]
        found += [f"{about}: {fault}" for fault in _of_instance(instance)]
    if not found:
        present = [instance for instance in instances if _state(instance, variables) != "absent"]
        found = [f"rump_server_instances: {fault}" for fault in _together(present, variables)]
    return found


def _of_role(variables: Mapping[str, Any]) -> Iterator[str]:
    mode = variables["socket_mode"]
    if not isinstance(mode, str) or not re.fullmatch("0?[0-7]{3}", mode):
        yield f'socket_mode: {mode} is no mode: give it in quotes and octal, as "0660"'
    if not _is_number(variables["timeout"], 1):
        yield f"timeout: {variables['timeout']}: give a number of seconds that is greater than 0"
    for name in DIRECTORIES:
        if not _is_path(variables[f"{name}_directory"]):
            yield f"{name}_directory: {variables[f'{name}_directory']!r}: give an absolute path"
    if not _is_text(variables["binary"]):
        yield "binary: give the program's name or its path"
    for name in ("user", "group"):
        value = variables.get(name)
        if value is not None and not (isinstance(value, str) and ACCOUNT.fullmatch(value)):
            yield f"{name}: {value!r}: give the name of a {name} of the host"
    for name in ("components", "groups"):
        if not _is_list(variables[name], _is_text):
            yield f"{name}: {variables[name]!r}: give a list of texts"


def _of_name(name: str, names: Sequence[Any], hosts: Sequence[str]) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield "name: names are of letters, digits, dots, hyphens and underscores, and begin with a letter or digit"
    if names.count(name) > 1:
        yield "name: names are unique"
    if name == "buses" or name.endswith(".process"):
        yield "name: buses and names that end in .process are files of the role's own"
    if name in hosts:
        yield "name: that is the name of a host of the play; the kernel would take its place in the inventory"


def _of_instance(instance: Mapping[str, Any]) -> Iterator[str]:
    for name, fits, wanted in OPTIONS:
        if name in instance and not fits(instance[name]):
            yield f"{name}: {instance[name]!r}: {wanted}"
    if _is_list(instance.get("disks", [])):
        for number, disk in enumerate(instance.get("disks", []), 1):
            if not isinstance(disk, Mapping) or "key" not in disk:
                yield f"disks: entry {number} is no mapping with a key"
                continue
            for name, fits, wanted in DISK_OPTIONS:
                if name in disk and not fits(disk[name]):
                    yield f"disks: {disk['key']}: {name}: {disk[name]!r}: {wanted}"


def _together(present: Sequence[Mapping[str, Any]], variables: Mapping[str, Any]) -> Iterator[str]:
    """What fits by itself, and not beside the others."""
    places: dict[str, list[tuple[str, Any]]] = {}
    files: dict[str, str] = {}
    for instance in present:
        name = instance["name"]
        keys: set[str] = set()
        for disk in instance.get("disks", []):
            own = f"{variables['state_directory']}/{name}/{disk['key'].rstrip('/').rpartition('/')[2]}.img"
            path = re.sub("/+", "/", disk.get("path", own))
            if disk["key"] in keys:
                yield f"{name}: disks: {disk['key']}: two disks have this key"
            elif path in files:
                yield f"{name}: disks: {disk['key']}: path: {path} is a disk of {files[path]} already"
            keys.add(disk["key"])
            files[path] = name
        url = instance.get("url", f"unix://{variables['run_directory']}/{name}/socket")
        if url.startswith("unix://") and len(url.encode()) > len("unix://") + SOCKET_PATH_LIMIT:
            yield f"{name}: url: the path of a socket has no more than {SOCKET_PATH_LIMIT} bytes: {url}"
            continue
        address = parse_url(url)
        if isinstance(address, UnixAddress):
            places.setdefault(re.sub("/+", "/", address.path), []).append((name, ""))
        elif isinstance(address, (TcpAddress, Tcp6Address)):
            host = LOOPBACK.get(address.host, address.host)
            kind = type(address).__name__
            places.setdefault(f"{kind} {address.port}", []).append((name, "" if host in EVERYWHERE else host))
    for entries in places.values():
        for number, (name, host) in enumerate(entries):
            for earlier, other in entries[:number]:
                if host == other or not host or not other:
                    yield f"{name}: url: {earlier} serves there already"


def _state(instance: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
    return str(instance.get("state", variables["state"]))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != "" and not CONTROL.search(value)


def _is_path(value: Any) -> bool:
    return _is_text(value) and value.startswith("/")


def _is_list(value: Any, fits: Callable[[Any], bool] = lambda _value: True) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and all(map(fits, value))


def _is_number(value: Any, least: int) -> bool:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_environment(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str)
        and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)
        and isinstance(text, (str, int, float))
        and not CONTROL.search(str(text))
        for name, text in value.items()
    )


def _is_size(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and human_to_bytes(str(value)) > 0
    except ValueError:
        return False


def _is_memory(value: Any) -> bool:
    return not isinstance(value, bool) and re.fullmatch("[1-9][0-9]*[kmg]?", str(value)) is not None


def _is_drive(value: Any) -> bool:
    """A path that rump_server's -d takes, where a comma ends it."""
    return _is_path(value) and "," not in value and value.rstrip("/") != ""


def _is_url(value: Any) -> bool:
    if not _is_text(value):
        return False
    try:
        parse_url(value)
    except InvalidURL:
        return False
    return True


def _is_served(value: Any) -> bool:
    """Whether a server takes that URL. A socket's is absolute, since servers do not run in the task's folder."""
    return _is_url(value) and re.match(r"unix:///|tcp6?://\S+$", value) is not None


# The options of an instance and of a disk: what each has to be, and how that is said.
OPTIONS: Final[tuple[tuple[str, Callable[[Any], bool], str], ...]] = (
    ("components", lambda value: _is_list(value, _is_text), "give a list of texts"),
    ("memory", _is_memory, "give a number of bytes, which may end in k, m or g, as 64m"),
    ("cpus", lambda value: _is_number(value, 1), "give a number from 1"),
    ("disks", _is_list, "give a list"),
    ("url", _is_served, "give unix:///PATH, tcp://ADDRESS:PORT or tcp6://[ADDRESS]:PORT"),
    ("reached_at", _is_url, "give the URL of a rump kernel's server"),
    ("options", lambda value: _is_list(value, _is_text), "give a list of texts"),
    ("environment", _is_environment, "give names of variables with values that have no newlines or control characters"),
    ("groups", lambda value: _is_list(value, _is_text), "give a list of texts"),
    ("vars", lambda value: isinstance(value, Mapping), "give a mapping"),
)
DISK_OPTIONS: Final[tuple[tuple[str, Callable[[Any], bool], str], ...]] = (
    ("key", _is_drive, "give an absolute path without a comma"),
    ("path", _is_drive, "give an absolute path without a comma"),
    ("size", _is_size, "give a number of bytes, as 16m"),
)
