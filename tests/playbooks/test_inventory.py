# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin through ansible-inventory, on kernels of all kinds, and on servers that are none."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.inventory import rump as plugin
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, COMPONENTS, ROOT, running
from ansible_collections.rumpkernel.rump.tests.support.fleets import fleet
from ansible_collections.rumpkernel.rump.tests.support.playbooks import BIN, run_ad_hoc
from ansible_collections.rumpkernel.rump.tests.support.ports import free_port

PLUGIN = "rumpkernel.rump.rump"
SILENT = 40
"""Servers that take a connection and never answer, in the test of how long all of them take."""


@dataclass(frozen=True)
class Found:
    """What ansible-inventory made of a configuration."""

    code: int
    said: str
    seconds: float
    groups: dict[str, list[str]]
    variables: dict[str, dict[str, Any]]

    @property
    def hosts(self) -> set[str]:
        return set(self.variables)


def read_inventory(folder: Path, *arguments: str, **options: Any) -> Found:
    """``ansible-inventory --list`` with a configuration of the plugin's, in ``folder``."""
    return read_text(folder, yaml.safe_dump({"plugin": PLUGIN, **options}), *arguments)


def read_text(folder: Path, text: str, *arguments: str) -> Found:
    path = folder / "fleet.rump.yml"
    path.write_text(text)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "2000"}
    command = [str(BIN / "ansible-inventory"), "-i", str(path), "--list", *arguments]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=110, check=False
    )
    listing = json.loads(done.stdout or "{}", object_hook=lambda found: found.get("__ansible_unsafe", found))
    variables = listing.pop("_meta", {}).get("hostvars", {})
    groups = {name: sorted(group.get("hosts", [])) for name, group in listing.items()}
    assert "Traceback" not in done.stderr, done.stderr
    return Found(done.returncode, done.stderr, time.monotonic() - began, groups, variables)


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the sockets of two simulated kernels, and one that a third left behind."""
    folder = tmp_path_factory.mktemp("rump")
    leave_behind(folder / "gone.sock")
    with fleet(folder, [f"unix://{folder}/{name}.sock" for name in ("web", "db")]):
        yield folder


def leave_behind(path: Path) -> None:
    """A socket that nobody listens at."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize("backend", BACKENDS)
def test_all_sources(backend: str, sockets: Path, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    """A kernel of each backend among others: listed, launched, by its socket, and by its port."""
    state = tmp_path / "state"
    state.mkdir()
    launched = {
        "name": "launched",
        "url": f"unix://{sockets}/db.sock",
        "groups": ["state-of"],
        "vars": {"x": "{{ y }}"},
    }
    (state / "launched.json").write_text(json.dumps(launched))
    (state / "broken.json").write_text("{")
    here, nobody = free_port(), free_port()
    url = f"tcp://127.0.0.1:{here}"
    with running(backend, tmp_path, url=url) as server:
        record_property("backend", server.description)
        found = read_inventory(
            tmp_path,
            kernels=[{"url": f"unix://{tmp_path}/none", "name": "none"}],
            launched=["state", "nowhere"],
            sockets=[str(sockets), "nowhere", "nothing.*"],
            networks=[{"addresses": ["127.0.0.1"], "ports": [here, nobody], "groups": ["edge"], "vars": {"z": 1}}],
            components=True,
        )
        ad_hoc = run_ad_hoc(
            tmp_path, "-i", f"{tmp_path}/fleet.rump.yml", "edge", "-m", "rump_sysctl", "-a", "name=kern.ostype"
        )
    by_port = f"127.0.0.1_{here}"
    assert found.hosts == {"launched", "web", by_port}
    absent = f"none (unix://{tmp_path}/none: No such file or directory)"
    dead = f"gone (unix://{sockets}/gone.sock: Connection refused)"
    assert f"{state}/broken.json: " in found.said
    assert f"left out, since they do not answer: {absent}, {dead}" in found.said
    for text in ("launched: there is no folder ", "sockets: nothing is at "):
        assert f"{text}{tmp_path}/nowhere\n" in found.said
    assert f"sockets: nothing is at {tmp_path}/nothing.*\n" in found.said
    assert str(nobody) not in found.said
    assert found.groups["rump_kernels"] == sorted(found.hosts)
    assert found.groups["edge"] == [by_port]
    assert found.groups["state_of"] == ["launched"]
    assert found.groups["rump_release_7_99_34"] == found.groups["rump_machine_amd64"] == sorted(found.hosts)
    assert found.groups["rump_component_rumpfs_tmpfs"] == sorted(found.hosts)
    assert found.variables["launched"]["x"] == "{{ y }}"
    assert found.variables[by_port] == {
        "ansible_connection": "rumpkernel.rump.sysproxy",
        "ansible_rump_server": url,
        "rump_components": sorted({*COMPONENTS} - {"rumpdev"}),
        "rump_machine": "amd64",
        "rump_release": "7.99.34",
        "z": 1,
    }
    assert f"{by_port} | SUCCESS" in ad_hoc.stdout


def test_servers_that_do_not_answer(tmp_path: Path, sockets: Path) -> None:
    """Each has its reason, and all of them together take no longer than one."""
    silent = [f"silent{number:02}" for number in range(SILENT)]
    names = {"stalled": ("stall,frame=1",), "other": ("length,frame=1,value=7",), "cut": ("cut,frame=1",)}
    leave_behind(tmp_path / "dead.sock")
    with ExitStack() as stack:
        for name, faults in names.items():
            options = [option for fault in faults for option in ("--fault", fault)]
            stack.enter_context(fleet(tmp_path, [f"unix://{tmp_path}/{name}.sock"], *options))
        stack.enter_context(fleet(tmp_path, [f"unix://{tmp_path}/full.sock"], "--max-clients", "0"))
        for name in silent:
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(tmp_path / f"{name}.sock"))
            listener.listen()
        found = read_inventory(
            tmp_path,
            sockets=[str(tmp_path)],
            kernels=[{"name": "web", "url": f"unix://{sockets}/web.sock"}],
            dead="group",
            timeout=1.5,
        )
    assert found.groups["rump_dead"] == ["cut", "dead", "full", "other", *silent, "stalled"]
    assert found.groups["rump_kernels"] == ["web"]
    assert {name: found.variables[name]["rump_failure"] for name in found.groups["rump_dead"]} == {
        "cut": "the server hung up during the handshake",
        "dead": "Connection refused",
        "full": "the server hung up without a word: it has all the clients that it takes",
        "other": "the peer announced a frame of 7 bytes; 24 to 88 are possible here",
        **dict.fromkeys([*silent, "stalled"], "connected, and then no answer within 1.5 s"),
    }
    # A busy machine takes its time, too. One after another they would take twice as long at least.
    assert found.seconds < 1.5 * SILENT / 2


def test_constructed(sockets: Path, tmp_path: Path) -> None:
    found = read_inventory(
        tmp_path,
        sockets=[str(sockets / "*.sock")],
        compose={
            "major": "rump_release.split('.')[0] | int",
            "whole": "inventory_hostname ~ major",
            "bad": "nosuch",
            "none": 3,
        },
        groups={"old": "rump_release is version('8', '<')", "webs": "inventory_hostname == 'web'"},
        keyed_groups=[{"key": "rump_machine", "prefix": "arch", "parent_group": "archs"}],
    )
    assert found.hosts == {"web", "db"}
    assert found.variables["web"]["major"] == 7
    assert not {"bad", "none"} & found.variables["web"].keys()
    assert (found.groups["old"], found.groups["webs"], found.groups["arch_amd64"]) == (
        ["db", "web"],
        ["web"],
        ["db", "web"],
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"compose": {"bad": "nosuch"}, "strict": True}, "compose: bad of db: "),
        ({"launched": ["."], "strict": True}, "broken.json: "),
        ({"kernels": [{"name": "x"}]}, "kernels[0]: url: give the URL"),
        ({"dead": "bury"}, "'dead'"),
        ({"sockts": ["/run/rump"]}, "options: there is no sockts: give cache, cache_connection, "),
        ({"parallel": 0}, "parallel: give a number of 1 or more"),
    ],
)
def test_what_is_wrong(sockets: Path, tmp_path: Path, options: dict[str, Any], text: str) -> None:
    (tmp_path / "broken.json").write_text("{")
    found = read_inventory(tmp_path, sockets=[str(sockets)], **options)
    assert text in found.said
    assert found.hosts == set()


def test_cache(tmp_path: Path) -> None:
    """What was found stays while the cache knows all that is asked for."""
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    options: dict[str, Any] = {"kernels": [{"name": "web", "url": f"unix://{tmp_path}/web.sock"}], **cache}
    more = [*options["kernels"], {"name": "gone", "url": "unix:///nowhere/at/all"}]
    with fleet(tmp_path, [f"unix://{tmp_path}/web.sock"]):
        first = read_inventory(tmp_path, **options)
    assert first.hosts == {"web"}
    kept = read_inventory(tmp_path, **options, compose={"x": "1"})
    assert kept.variables["web"] == {**first.variables["web"], "x": 1}
    assert read_inventory(tmp_path, **{**options, "kernels": more}).hosts == set()
    with fleet(tmp_path, [f"unix://{tmp_path}/web.sock"]):
        assert read_inventory(tmp_path, **options).hosts == set()
        assert read_inventory(tmp_path, "--flush-cache", **options).hosts == {"web"}
        assert "rump_components" in read_inventory(tmp_path, **options, components=True).variables["web"]


def test_cache_of_other_questions(tmp_path: Path) -> None:
    """What was found counts for the question that it answers: a kernel of a machine that is not known, then helped."""
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    url = f"unix://{tmp_path}/odd.sock"
    words = {"ansible_rump_word_size": 8, "ansible_rump_byteorder": "little"}

    def read(variables: dict[str, Any], **options: Any) -> Found:
        return read_inventory(tmp_path, kernels=[{"name": "odd", "url": url, "vars": variables}], **cache, **options)

    with fleet(tmp_path, [url], "--machine", "quantum", "--word-size", "8", "--byteorder", "little"):
        unknown = read({})
        assert unknown.hosts == set()
        assert "have to be given" in unknown.said
        assert read(words).variables["odd"]["rump_release"] == "7.99.34"
        other = read({**words, "ansible_rump_release": 10.0}, components=True)
    # From here on the cache alone knows it.
    assert other.variables["odd"]["rump_release"] == "10.0"
    assert other.groups["rump_release_10_0"] == ["odd"]
    assert "rump_component_rumpvfs" in other.groups
    without = read({**words, "ansible_rump_release": "10.0"})
    assert without.hosts == {"odd"}
    assert "rump_components" not in without.variables["odd"]
    assert not [name for name in without.groups if name.startswith("rump_component_")]
    assert read({**words, "ansible_rump_release": "10.0"}, components=True).groups == other.groups
    assert read({**words, "ansible_rump_release": "9.0"}).hosts == set()


def test_examples(sockets: Path, tmp_path: Path) -> None:
    """Those of the plugin's documentation, with other paths and addresses."""
    router = free_port()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "a.json").write_text(json.dumps({"url": f"unix://{sockets}/web.sock"}))
    text = plugin.EXAMPLES
    for old, new in {
        "tcp://192.0.2.7:12345": f"tcp://127.0.0.1:{router}",
        "ssh://admin@vmhost.example.org/run/rump/": f"unix://{sockets}/",
        "192.0.2.16/29": "127.0.0.0/29",
        "10.0.0.[1:20]": "127.0.0.[10:12]",
        "/var/lib/rump/kernels": "state",
        "/run/rump": str(sockets),
        "/tmp/rump_inventory": str(tmp_path / "cache"),
    }.items():
        assert old in text
        text = text.replace(old, new)
    with fleet(tmp_path, [f"tcp://127.0.0.1:{router}"]):
        by_socket, by_name, made_of = (read_text(tmp_path, one) for one in text.split("---\n"))
    assert by_socket.groups["rump_kernels"] == ["db", "web"]
    assert by_name.groups["rump_kernels"] == ["db", "router"]
    assert by_name.groups["routers"] == ["router"]
    assert len(by_name.groups["rump_dead"]) == 9 * 11
    assert made_of.groups["netbsd_7"] == made_of.groups["with_disks"] == ["a"]


def test_hosts_that_are_called_as_groups_are(sockets: Path, tmp_path: Path) -> None:
    """Groups, variables and expressions mean the host, whether there is a group of its name, and in whatever order."""
    url = f"unix://{sockets}/web.sock"
    found = read_inventory(
        tmp_path,
        kernels=[
            {"name": "a", "url": url, "groups": ["edge"]},
            {"name": "edge", "url": f"unix://{sockets}/db.sock", "groups": ["webservers", "edge"], "vars": {"site": 7}},
        ],
        compose={"twice": "site * 2"},
        groups={"big": "site | default(0) > 1"},
    )
    assert found.code == 0, found.said
    assert found.groups["webservers"] == found.groups["big"] == ["edge"]
    assert found.groups["edge"] == ["a", "edge"]
    assert (found.variables["edge"]["site"], found.variables["edge"]["twice"]) == (7, 14)
    assert found.variables["a"]["ansible_rump_server"] == url
    assert not {"site", "twice"} & found.variables["a"].keys()


def test_launchers_files_that_cannot_be_taken(sockets: Path, tmp_path: Path) -> None:
    """They are named in warnings, and take no other kernel along; with strict they are errors."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "good.json").write_text(json.dumps({"url": f"unix://{sockets}/db.sock"}))
    bad = {"url": f"unix://{tmp_path}/x", "vars": {"ansible_rump_word_size": "x"}}
    (state / "bad.json").write_text(json.dumps(bad))
    (state / "twice.json").write_text(json.dumps({"name": "web", "url": f"unix://{tmp_path}/y"}))
    options = {"kernels": [{"name": "web", "url": f"unix://{sockets}/web.sock"}], "launched": ["state"]}
    found = read_inventory(tmp_path, **options)
    assert found.hosts == {"web", "good"}
    assert f"launched: {state}/bad.json: vars: ansible_rump_word_size: a kernel's word_size is 4 or 8" in found.said
    assert f"launched: {state}/twice.json: name: another kernel is called web" in found.said
    (state / "bad.json").unlink()
    strict = read_inventory(tmp_path, **options, strict=True)
    assert strict.hosts == set()
    assert f"{state}/twice.json: name: another kernel is called web" in strict.said
