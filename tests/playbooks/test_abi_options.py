# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user says of a kernel by host variables, and what Ansible says of kernels that are not known."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook

READ = {"name": "Read", "rumpkernel.rump.rump_sysctl": {"name": "kern.ostype"}}


@contextlib.contextmanager
def kernel(url: str, *options: str) -> Iterator[None]:
    command = [sys.executable, str(ROOT / "bin" / "rump-simulated"), *options, url]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith(b"ready"), "the simulated kernel does not start"
            yield
        finally:
            process.terminate()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"unix://{tmp_path}/csock"


def test_the_kind_of_an_ambiguous_machine(tmp_path: Path, url: str) -> None:
    server = {"ansible_rump_server": url}
    hosts: dict[str, dict[str, object]] = {
        "said": {**server, "ansible_rump_byteorder": "little", "ansible_rump_word_size": 4},
        "assumed": server,
        "impossible": {**server, "ansible_rump_word_size": 5},
        "odd": {**server, "ansible_rump_release": "current"},
    }
    with kernel(url, "--machine", "evbmips", "--byteorder", "little"):
        run = run_playbook(tmp_path, play(READ), inventory_of(hosts))
    assert {result.host: result.status for result in run.results} == {
        "said": "ok",
        "assumed": "unreachable",
        "impossible": "failed",
        "odd": "failed",
    }, run.output
    assert "ansible_rump_word_size, ansible_rump_byteorder" in run.of("assumed")[0].result["msg"]
    assert "such as 10.0" in run.of("odd")[0].result["msg"]


def test_a_machine_of_one_kind_said_to_be_of_another(tmp_path: Path, url: str) -> None:
    server = {"ansible_rump_server": url}
    hosts: dict[str, dict[str, object]] = {
        "word": {**server, "ansible_rump_word_size": 4},
        "order": {**server, "ansible_rump_byteorder": "big"},
    }
    stat = {"name": "Of others", "ansible.builtin.stat": {"path": "/"}}
    with kernel(url, "--machine", "amd64"):
        runs = [run_playbook(tmp_path, play(task), inventory_of(hosts)) for task in (READ, stat)]
    for run in runs:
        assert {result.host: result.status for result in run.results} == dict.fromkeys(hosts, "unreachable"), run.output
        for result in run.results:
            assert "-endian kernel was assumed, as was said" in result.result["msg"]
            assert "(ansible_rump_word_size, ansible_rump_byteorder)" in result.result["msg"]


def test_without_the_package_construct(tmp_path: Path, url: str) -> None:
    """It is said before anything is connected to: there is no server here."""
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "construct.py").write_text("raise ModuleNotFoundError('construct')\n")
    stat = {"name": "Of others", "ansible.builtin.stat": {"path": "/"}}
    for task in (READ, stat):
        run = run_playbook(
            tmp_path,
            play(task),
            inventory_of({"k1": {"ansible_rump_server": url}}),
            environment={"PYTHONPATH": str(tmp_path / "without")},
        )
        assert [result.status for result in run.results] == ["failed"], run.output
        said = run.results[0].result["msg"]
        assert f"the Python package construct is missing in {sys.executable}: pip install 'construct>=" in said


def test_an_unknown_release_is_warned_of_once(tmp_path: Path, url: str) -> None:
    hosts = {name: {"ansible_rump_server": url} for name in ("k1", "k2", "k3")}
    with kernel(url, "--release", "12.0"):
        run = run_playbook(tmp_path, play(READ, READ), inventory_of(hosts))
        quiet = run_playbook(tmp_path, play(READ), inventory_of(hosts, ansible_rump_release="10.0"))
    assert run.code == quiet.code == 0, run.output
    assert " ".join(run.output.split()).count("NetBSD 12.0 is not among the releases that are known") == 1
    assert "WARNING" not in quiet.output
