# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role rump_server refuses before it does anything."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.filter.rump_server_faults import rump_server_faults
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT

DEFAULTS = {
    name.removeprefix("rump_server_"): value
    for name, value in yaml.safe_load((ROOT / "roles/rump_server/defaults/main.yml").read_text()).items()
}
KERNEL: dict[str, Any] = {
    "name": "k1",
    "components": ["rumpvfs"],
    "memory": "64m",
    "cpus": 2,
    "disks": [
        {"key": "/disk", "size": "16m"},
        {"key": "/second", "path": "/dev/sdb", "type": "blk"},
        {"key": "/third", "path": '/srv/a $x%n "b.img', "size": 1048576},
    ],
    "url": "tcp://127.0.0.1:12345",
    "reached_at": "ssh://admin@[2001:db8::7]/tcp/127.0.0.1:12345",
    "options": ["-v"],
    "environment": {"TEXT": '100% of "it" \\ $HOME', "NUMBER": 1},
    "groups": [],
    "vars": {"site": "north"},
}


def faults(*instances: Any, **variables: Any) -> list[str]:
    return rump_server_faults({**DEFAULTS, "instances": list(instances), **variables}, ["vmhost", "localhost"])


def test_what_is_right() -> None:
    gone = {**KERNEL, "name": "old", "state": "absent"}
    second = {"name": "k2", "memory": 67108864, "cpus": "2", "url": "tcp://192.0.2.1:12345"}
    third = {"name": "a.socket", "components": [], "url": "unix:///run/it/socket"}
    assert faults(KERNEL, gone, second, third, {"name": "k4"}, user="rump", group="operators") == []
    assert faults(timeout="30", socket_mode="600") == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        *(({"socket_mode": mode}, "rump_server_socket_mode") for mode in ("999", "1777", "rw-rw----", 660, 432, "66")),
        *(({"timeout": timeout}, "rump_server_timeout") for timeout in (0, -1, "soon", True)),
        *(({f"{name}_directory": "run/rump"}, f"rump_server_{name}_directory") for name in ("run", "state", "unit")),
        ({"tmpfiles_directory": "/etc/\nd"}, "rump_server_tmpfiles_directory"),
        ({"components": "rumpvfs,rumpnet"}, "rump_server_components"),
        ({"groups": "rump_kernels"}, "rump_server_groups"),
        ({"binary": ""}, "rump_server_binary"),
        ({"user": "daemon root"}, "rump_server_user"),
        ({"group": 1}, "rump_server_group"),
        ({"instances": {"name": "k1"}}, "rump_server_instances: give a list"),
    ],
)
def test_variables(variables: dict[str, Any], message: str) -> None:
    (fault,) = faults(**variables)
    assert fault.startswith(message)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("name", name) for name in ("../k1", "", "buses", "a.process", "vmhost", "localhost", 1, None, True, "a\n")),
        *(("components", value) for value in ("rumpvfs,rumpnet", [1], [""], ["a\nb"])),
        *(("memory", value) for value in ("lots", "64M", "-1", "1.5g", 0, True)),
        *(("cpus", value) for value in (0, -1, "many", True)),
        *(("options", value) for value in ("--release 9.0", ["a\nExecStart=/bin/true"])),
        *(("environment", value) for value in ({"A": "x\nUser=root"}, {"A=B": "x"}, {"A": []}, "A=B")),
        *(("groups", value) for value in ("web", [1])),
        ("vars", []),
        *(("url", f"tcp://{rest}") for rest in ("127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1", "a b:1", ":1")),
        *(("url", url) for url in ("http://foo", "unix://relative", "ssh://host/run/socket", "unix:///a\nb", 1, "")),
        ("url", "unix:///" + "k" * 103),
        ("reached_at", "http://foo"),
        ("disks", {"key": "/disk"}),
    ],
)
def test_options_of_an_instance(option: str, value: Any) -> None:
    (fault,) = faults({**KERNEL, option: value})
    assert fault.startswith(f"rump_server_instances: {value if option == 'name' else 'k1'}: {option}: ")


@pytest.mark.parametrize(
    ("disk", "message"),
    [
        ({"key": "/d,size=3", "size": "1m"}, "disks: /d,size=3: key: "),
        ({"key": "disk", "size": "1m"}, "disks: disk: key: "),
        ({"key": "/", "size": "1m"}, "disks: /: key: "),
        ({"key": "/disk", "path": "a.img"}, "disks: /disk: path: "),
        ({"key": "/disk", "path": "/a,b.img"}, "disks: /disk: path: "),
        ({"key": "/disk", "size": "16x"}, "disks: /disk: size: '16x'"),
        ({"key": "/disk", "size": 0}, "disks: /disk: size: "),
        ({"size": "1m"}, "disks: entry 1 "),
        ("/disk", "disks: entry 1 "),
    ],
)
def test_options_of_a_disk(disk: Any, message: str) -> None:
    (fault,) = faults({"name": "k1", "disks": [disk]})
    assert fault.startswith(f"rump_server_instances: k1: {message}")


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        *(
            ({"url": f"tcp://{first}:12345"}, {"url": f"tcp://{second}:12345"}, "k2: url: k1 serves there already")
            for first, second in (("0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0"), ("0", "0"), ("localhost", "127.0.0.1"))
        ),
        ({"url": "tcp6://[::]:12345"}, {"url": "tcp6://[::1]:12345/"}, "k2: url: k1 serves there already"),
        ({"url": "unix:///run/rump//k2/socket"}, {}, "k2: url: k1 serves there already"),
        (
            {"disks": [{"key": "/x/disk"}, {"key": "/y/disk"}]},
            {},
            "k1: disks: /y/disk: path: /var/lib/rump/k1/disk.img is a disk of k1 already",
        ),
        (
            {"disks": [{"key": "/disk", "path": "/srv/one"}]},
            {"disks": [{"key": "/disk", "path": "/srv//one"}]},
            "k2: disks: /disk: path: /srv/one is a disk of k1 already",
        ),
        ({"disks": [{"key": "/d", "path": "/a"}, {"key": "/d", "path": "/b"}]}, {}, "k1: disks: /d: two disks have"),
    ],
)
def test_what_does_not_go_together(first: dict[str, Any], second: dict[str, Any], message: str) -> None:
    (fault,) = faults({"name": "k1", **first}, {"name": "k2", **second})
    assert fault.startswith(f"rump_server_instances: {message}")
    assert faults({"name": "k1", **first, "state": "absent"}, {"name": "k2", **second, "state": "absent"}) == []


def test_names_are_unique() -> None:
    assert faults({"name": "k1"}, {"name": "k1"}) == ["rump_server_instances: k1: name: names are unique"] * 2
