# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways by which a task reaches a kernel: by its connection, as a local process, by short and full names."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_ad_hoc, run_playbook

MODULE = "rumpkernel.rump.rump_sysctl"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
READ = {"name": "Read", MODULE: {"name": "kern.ostype"}}


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Server]:  # type: ignore[no-untyped-def]
    with running(request.param, tmp_path) as started:
        record_property("backend", started.description)
        yield started


def local_inventory() -> dict[str, Any]:
    return {"all": {"hosts": {"here": LOCAL}}}


def connections(journal: Path) -> set[int]:
    return {json.loads(line)["connection"] for line in journal.read_text().splitlines()}


def test_a_loop_has_one_connection(tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running("simulated", tmp_path) as server:
        record_property("backend", server.description)
        assert server.journal is not None
        before = len(connections(server.journal))
        loop = {"name": "Read", MODULE: {"name": "{{ item }}"}, "loop": ["kern.ostype", "kern.hostname", "hw.ncpu"]}
        run = run_playbook(tmp_path, play(loop, READ), inventory_of({"k1": {"ansible_rump_server": server.url}}))
        assert run.code == 0, run.output
        assert len(run.results[0].result["results"]) == 3
        assert len(connections(server.journal)) - before == 2


def test_a_loop_over_delegates_reaches_each(tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with running("simulated", tmp_path / "a") as first, running("simulated", tmp_path / "b") as second:
        record_property("backend", first.description)
        hosts = {"a": {"ansible_rump_server": first.url}, "b": {"ansible_rump_server": second.url}}
        task = {
            "name": "Name",
            MODULE: {"name": "kern.hostname", "value": "{{ item }}"},
            "delegate_to": "{{ item }}",
            "loop": ["a", "b", "a"],
        }
        run = run_playbook(tmp_path, play(task, hosts="a"), inventory_of(hosts))
        assert run.code == 0, run.output
        items = run.results[0].result["results"]
        assert [(item["value"], item["changed"]) for item in items] == [("a", True), ("b", True), ("a", False)]


def test_the_server_of_the_environment_comes_last(server: Server, tmp_path: Path) -> None:
    hosts: dict[str, dict[str, Any]] = {"k1": {}, "k2": {"ansible_rump_server": "unix:///nowhere/at/all"}}
    run = run_playbook(tmp_path, play(READ), inventory_of(hosts), environment={"RUMP_SERVER": server.url})
    assert {result.host: result.status for result in run.results} == {"k1": "ok", "k2": "unreachable"}


def test_a_relative_socket(server: Server, tmp_path: Path) -> None:
    run = run_playbook(tmp_path, play(READ), inventory_of({"k1": {"ansible_rump_server": "unix://csock"}}))
    assert run.code == 0, run.output


def test_local_with_the_option_and_with_the_environment(server: Server, tmp_path: Path) -> None:
    tasks = [
        {"name": "Option", MODULE: {"name": "kern.ostype", "server": server.url}},
        {**READ, "environment": {"RUMP_SERVER": server.url}},
    ]
    run = run_playbook(tmp_path, play(*tasks), local_inventory())
    assert run.code == 0, run.output
    assert [result.result["value"] for result in run.results] == ["NetBSD", "NetBSD"]


def test_local_without_a_server(tmp_path: Path) -> None:
    run = run_playbook(tmp_path, play(READ), local_inventory())
    assert run.code == 2
    assert "server: give the URL" in run.results[0].result["msg"]


def test_local_with_a_dead_server(tmp_path: Path) -> None:
    task = {"name": "Read", MODULE: {"name": "kern.ostype", "server": f"unix://{tmp_path}/none"}}
    run = run_playbook(tmp_path, play(task), local_inventory())
    assert run.code == 2
    assert "No such file or directory" in run.results[0].result["msg"]
    assert "Traceback" not in run.output


def test_another_server_than_the_connections_is_refused(server: Server, tmp_path: Path) -> None:
    task = {"name": "Read", MODULE: {"name": "kern.ostype", "server": "unix:///tmp/other"}}
    run = run_playbook(tmp_path, play(task), inventory_of({"k1": {"ansible_rump_server": server.url}}))
    assert run.results[0].status == "failed"
    assert "server: " in run.results[0].result["msg"]
    assert server.url in run.results[0].result["msg"]


def test_defaults_for_the_group_of_modules(server: Server, tmp_path: Path) -> None:
    tasks = [READ, {"name": "Folder", "rumpkernel.rump.rump_file": {"path": "/dev", "state": "directory"}}]
    defaults = {"group/rumpkernel.rump.rump": {"server": server.url}}
    run = run_playbook(tmp_path, play(*tasks, module_defaults=defaults), local_inventory())
    assert run.code == 0, run.output


@pytest.mark.parametrize("name", ["rump_sysctl", MODULE])
def test_ad_hoc_by_short_and_full_name(server: Server, tmp_path: Path, name: str) -> None:
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(yaml.safe_dump(inventory_of({"k1": {"ansible_rump_server": server.url}})))
    finished = run_ad_hoc(tmp_path, "-i", str(inventory), "all", "-m", name, "-a", "name=kern.hostname")
    assert finished.returncode == 0, finished.stdout
    assert "k1 | SUCCESS" in finished.stdout
    assert '"name": "kern.hostname"' in finished.stdout


def test_what_needs_a_shell_says_what_to_use(server: Server, tmp_path: Path) -> None:
    task = {"name": "Shell", "ansible.builtin.shell": "ls"}
    run = run_playbook(tmp_path, play(task), inventory_of({"k1": {"ansible_rump_server": server.url}}))
    assert run.results[0].status == "failed"
    assert "no shell" in run.results[0].result["msg"]
