# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors as a user of ansible-playbook meets them: each names host, object, call and errno, and none hangs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Result, Run, inventory_of, play, run_playbook
from ansible_collections.rumpkernel.rump.tests.support.relay import relaying

PREFIX = "rumpkernel.rump.rump_"


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One kernel for all errors that leave it as it is."""
    with running(request.param, tmp_path_factory.mktemp("shared")) as server:
        yield server


def one_result(run: Run) -> Result:
    assert "Traceback" not in run.output, run.output
    assert len(run.results) == 1, run.output
    return run.results[0]


CASES: dict[str, tuple[dict[str, Any], dict[str, str], list[str]]] = {
    "an interface that cannot be created": (
        {"ifconfig": {"name": "nosuch0"}},
        {"call": "SIOCIFCREATE", "object": "nosuch0", "errno": "EINVAL"},
        ["name: ", "rumpnet_nosuch"],
    ),
    "an address with a bad prefix": (
        {"ifconfig": {"name": "lo0", "addresses": ["1.2.3.4/33"]}},
        {},
        ["addresses: 1.2.3.4/33", "0 to 32"],
    ),
    "an unknown sysctl": (
        {"sysctl": {"name": "kern.nosuch.node", "value": 1}},
        {"call": "sysctl", "object": "kern.nosuch.node", "errno": "ENOENT"},
        ["no node 'nosuch' in kern"],
    ),
    "a read-only sysctl": (
        {"sysctl": {"name": "kern.ostype", "value": "Plan9"}},
        {"call": "sysctl", "object": "kern.ostype", "errno": "EPERM"},
        ["read-only"],
    ),
    "a mount of an unknown fstype": (
        {"mount": {"path": "/nofs", "src": "nofs", "fstype": "nofs", "state": "mounted"}},
        {"call": "mount", "errno": "ENODEV"},
        ["/nofs", "rumpfs_nofs"],
    ),
    "a path whose parent is missing": (
        {"file": {"path": "/nosuch/file", "state": "touch"}},
        {"errno": "ENOENT"},
        ["/nosuch/file"],
    ),
    "permission bits that do not parse": (
        {"file": {"path": "/tmp", "state": "directory", "mode": "u=rwq"}},
        {},
        ["mode", "u=rwq"],
    ),
}


def test_refusals(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    tasks = [
        {"name": case, **{f"{PREFIX}{module}": options for module, options in task.items()}, "ignore_errors": True}
        for case, (task, _about, _texts) in CASES.items()
    ]
    tasks[-1]["ignore_errors"] = False
    run = run_playbook(tmp_path, play(*tasks), inventory_of({"k1": {"ansible_rump_server": shared.url}}))
    assert "Traceback" not in run.output, run.output
    assert run.code == 2
    assert {result.task: result.status for result in run.results} == dict.fromkeys(CASES, "failed"), run.output
    for result in run.results:
        _task, about, texts = CASES[result.task]
        message = result.result["msg"]
        assert message.startswith("k1: "), result.task
        for text in (shared.url, *texts, *about.values()):
            assert text in message, result.task
        assert {key: result.result.get(key) for key in about} == about, result.task


SYSCTL = {"name": "Read", f"{PREFIX}sysctl": {"name": "kern.ostype"}}


def test_no_server_makes_the_host_unreachable(tmp_path: Path) -> None:
    run = run_playbook(tmp_path, play(SYSCTL), inventory_of({"k1": {"ansible_rump_server": f"unix://{tmp_path}/none"}}))
    result = one_result(run)
    assert result.status == "unreachable"
    assert run.code == 4
    assert f"unix://{tmp_path}/none: No such file or directory" in result.result["msg"]


def test_a_closed_port_makes_the_host_unreachable(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        run = run_playbook(
            tmp_path, play(SYSCTL), inventory_of({"k1": {"ansible_host": "127.0.0.1", "ansible_port": port}})
        )
    result = one_result(run)
    assert result.status == "unreachable"
    assert f"tcp://127.0.0.1:{port}: Connection refused" in result.result["msg"]


def test_a_server_that_says_nothing_makes_the_host_unreachable(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        hosts = {"k1": {"ansible_host": "127.0.0.1", "ansible_port": silent.getsockname()[1]}}
        run = run_playbook(tmp_path, play(SYSCTL), inventory_of(hosts, ansible_rump_connect_timeout=1))
    result = one_result(run)
    assert result.status == "unreachable"
    assert "no answer within 1 s" in result.result["msg"]


@pytest.mark.parametrize("url", ["http://x", "csock", "tcp://1.2.3.4", "tcp://1.2.3.4:port", "unix://", "unix:/tmp/x"])
def test_a_wrong_url_names_the_right_forms(tmp_path: Path, url: str) -> None:
    run = run_playbook(tmp_path, play(SYSCTL), inventory_of({"k1": {"ansible_rump_server": url}}))
    result = one_result(run)
    assert result.status == "failed"
    for form in ("unix://csock", "unix:///absolute/csock", "tcp://1.2.3.4:12345", url):
        assert form in result.result["msg"]


def test_no_url_at_all(tmp_path: Path) -> None:
    result = one_result(run_playbook(tmp_path, play(SYSCTL), inventory_of({"k1": {}})))
    assert result.status == "failed"
    for way in ("ansible_rump_server", "ansible_port", "RUMP_SERVER"):
        assert way in result.result["msg"]


def test_something_that_is_no_sysproxy_server(tmp_path: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve() -> None:
            connection, _address = listener.accept()
            connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            connection.close()

        threading.Thread(target=serve, daemon=True).start()
        hosts = {"k1": {"ansible_host": "127.0.0.1", "ansible_port": listener.getsockname()[1]}}
        result = one_result(run_playbook(tmp_path, play(SYSCTL), inventory_of(hosts)))
    assert result.status == "unreachable"
    assert "not a sysproxy server" in result.result["msg"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_server_killed_in_mid_task(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    """The kernel dies after the task has connected and made its first calls."""
    with running(backend, tmp_path) as server, relaying(server.url, tmp_path, 400, server.kill) as (url, relay):
        record_property("backend", server.description)
        tasks = [
            {"name": "Read", f"{PREFIX}sysctl": {"name": "net.inet.ip.ttl"}},
            {"name": "Read on", f"{PREFIX}sysctl": {"name": "kern.ostype"}},
        ]
        run = run_playbook(tmp_path, play(*tasks), inventory_of({"k1": {"ansible_rump_server": url}}))
    result = one_result(run)
    assert relay.passed >= 400
    assert (result.status, result.task, run.code) == ("unreachable", "Read", 4)
    assert f"k1: {url}: the server went away" in result.result["msg"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kernel_that_is_gone_for_the_next_item_of_a_loop(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running(backend, tmp_path) as server, relaying(server.url, tmp_path, 1500, server.kill) as (url, _relay):
        record_property("backend", server.description)
        task = {"name": "Read", f"{PREFIX}sysctl": {"name": "{{ item }}"}, "loop": ["kern.hostname"] * 40}
        run = run_playbook(
            tmp_path, play(task), inventory_of({"k1": {"ansible_rump_server": url}}, ansible_rump_connect_timeout=0.1)
        )
    assert "Traceback" not in run.output
    assert (run.results[-1].status, run.code) == ("unreachable", 4)
    assert url in run.output
