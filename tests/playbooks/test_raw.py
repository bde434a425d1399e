# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible.builtin.raw and rump_command over the connection: rumpctrl's utilities, where the controller has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_ad_hoc, run_playbook
from ansible_collections.rumpkernel.rump.tests.support.utilities import RUMPCTRL, needs_rumpctrl, stand_ins


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(request.param, tmp_path_factory.mktemp("shared")) as server:
        yield server


def raw(line: str, **more: Any) -> dict[str, Any]:
    return {"name": line, "ansible.builtin.raw": line, "ignore_errors": True, **more}


def test_raw_runs_a_utility_and_nothing_else(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    folder = stand_ins(tmp_path)
    inventory = inventory_of(
        {"k1": {"ansible_rump_server": shared.url}}, ansible_rumpctrl_path=str(folder), ansible_rumpctrl_timeout=1
    )
    words = raw("tell one 'two words' '|'")
    refused = {
        "tell | upper": "'|' is for a shell",
        "tell && tell": "'&&' is for a shell",
        "tell > /etc/motd": "'>' is for a shell",
        "/bin/sh -c true": "the utility's name alone",
        "nosuch": "there is no utility 'nosuch'",
        "stay": "stay did not end within 1 s",
    }
    ssh = raw("tell", vars={"ansible_rump_server": "ssh://nobody@nowhere.invalid/run/csock"})
    run = run_playbook(tmp_path, play(words, raw("fail"), *map(raw, refused), ssh), inventory)
    said, failed, *others, unreached = run.results
    assert said.result["stdout_lines"] == [
        f"server={shared.url} path={folder} cookie=",
        *("[one]", "[two words]", "[|]"),
    ]
    assert (said.changed, said.result["rc"]) == (True, 0)
    assert (failed.status, failed.result["rc"], failed.result["stderr_lines"]) == (
        "failed",
        3,
        ["fail: no such thing"],
    )
    for result, (line, text) in zip(others, refused.items(), strict=True):
        assert (result.status, result.task) == ("failed", line)
        assert text in result.result["msg"]
        assert shared.url in result.result["msg"]
    assert (
        "do not reach ssh://nobody@nowhere.invalid/run/csock, only unix:// and tcp:// URLs" in unreached.result["msg"]
    )


def test_without_the_utilities_the_error_says_what_would_do(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    task = {"name": "Module", "rumpkernel.rump.rump_command": {"cmd": "ls"}, "ignore_errors": True}
    inventory = inventory_of({"k1": {"ansible_rump_server": shared.url}})
    run = run_playbook(tmp_path, play(raw("ls"), task), inventory, environment={"RUMPCTRL_PATH": ""})
    assert len(run.results) == 2
    for result in run.results:
        assert result.status == "failed"
        for text in ("'ls'", "https://github.com/rumpkernel/rumpctrl", "ansible_rumpctrl_path", "RUMPCTRL_PATH"):
            assert text in result.result["msg"]


def test_the_module_takes_the_folder_from_the_connection(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    folder = stand_ins(tmp_path)
    inventory = inventory_of({"k1": {"ansible_rump_server": shared.url}})
    module = "rumpkernel.rump.rump_command"
    of_variable = {
        "name": "Variable",
        module: {"cmd": "tell {{ item }}"},
        "loop": ["one", "two"],
        "vars": {"ansible_rumpctrl_path": str(folder)},
    }
    of_environment = {"name": "Environment", module: {"argv": ["upper"], "stdin": "a"}}
    local = {
        "name": "Local",
        "vars": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        module: {"cmd": "tell", "server": shared.url, "rumpctrl_path": str(folder)},
    }
    failing = {"name": "Failing", module: {"cmd": "fail"}}
    environment = {"RUMPCTRL_PATH": str(folder)}
    run = run_playbook(tmp_path, play(of_variable, of_environment, local, failing), inventory, environment=environment)
    assert len(run.results) == 4, run.output
    variable, environment_result, local_result, failed = run.results
    assert [item["stdout_lines"][1:] for item in variable.result["results"]] == [["[one]"], ["[two]"]]
    assert environment_result.result["stdout_lines"] == ["<a>", "end"]
    assert f"server={shared.url}" in local_result.result["stdout"]
    assert (failed.status, failed.result["rc"], failed.result["msg"]) == ("failed", 3, "non-zero return code")


def test_the_module_takes_a_command_in_free_form(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    folder = stand_ins(tmp_path)
    inventory = inventory_of({"k1": {"ansible_rump_server": shared.url}}, ansible_rumpctrl_path=str(folder))
    module = "rumpkernel.rump.rump_command"
    tasks = [
        {module: "tell -a 'two words' {{ 1 + 1 }}"},
        {module: "tell", "args": {"creates": "/dev"}},
        {module: "tell if=a", "ignore_errors": True},
        {module: "tell", "args": {"argv": ["tell"]}, "ignore_errors": True},
    ]
    run = run_playbook(tmp_path, play(*({"name": str(index), **task} for index, task in enumerate(tasks))), inventory)
    assert len(run.results) == len(tasks), run.output
    said, created, equals, twice = run.results
    assert said.result["stdout_lines"][1:] == ["[-a]", "[two words]", "[2]"]
    assert "/dev exists" in created.result["stdout"]
    assert equals.status == twice.status == "failed"
    assert "if: in free form, a word with an equals sign is an option of the task" in equals.result["msg"]
    assert "cmd: give the command once" in twice.result["msg"]
    line = ("-i", str(tmp_path / "hosts.yml"), "k1", "-m", module, "-a", "tell -a")
    (tmp_path / "hosts.yml").write_text(
        "all: {hosts: {k1: {ansible_connection: rumpkernel.rump.sysproxy, "
        f"ansible_rump_server: '{shared.url}', ansible_rumpctrl_path: '{folder}'}}}}}}\n"
    )
    done = run_ad_hoc(tmp_path, *line)
    assert "[-a]" in done.stdout, done.stdout


def test_no_server_makes_the_host_unreachable(tmp_path: Path) -> None:
    folder = stand_ins(tmp_path)
    inventory = inventory_of({"k1": {"ansible_rump_server": f"unix://{tmp_path}/none"}})
    run = run_playbook(tmp_path, play(raw("tell")), inventory, environment={"RUMPCTRL_PATH": str(folder)})
    assert (run.results[-1].status, run.code) == ("unreachable", 4)


@needs_rumpctrl
def test_newfs_and_others_from_the_command_line(tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running("rump_server", tmp_path) as server:
        record_property("backend", server.description)
        inventory = tmp_path / "hosts.yml"
        inventory.write_text(
            "all: {hosts: {k1: {ansible_connection: rumpkernel.rump.sysproxy, "
            f"ansible_rump_server: '{server.url}', ansible_rumpctrl_path: '{RUMPCTRL}'}}}}}}\n"
        )

        def ansible(line: str) -> str:
            done = run_ad_hoc(tmp_path, "-i", str(inventory), "k1", "-m", "raw", "-a", line)
            assert done.returncode == 0, done.stdout
            return done.stdout

        assert "rc=0" in ansible("dd if=/dev/zero of=/disk bs=65536 count=16")
        assert "super-block backups" in ansible("newfs -F -s 2048 /disk")
        assert "kern.ostype = NetBSD" in ansible("sysctl kern.ostype")
