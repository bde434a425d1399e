# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_file, rump_stat, rump_slurp and rump_find as a user runs them: their EXAMPLES, and as local processes."""

from __future__ import annotations

import hashlib
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_file, rump_find, rump_mount, rump_slurp, rump_stat
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Run, inventory_of, play, run_playbook

PREFIX = "rumpkernel.rump.rump_"
CONF = b"listen 80\n"
OLD = 1_000_000_000


def examples(module: Any) -> list[dict[str, Any]]:
    return list(yaml.safe_load(module.EXAMPLES))


def make_files(kernel: Kernel) -> None:
    """What the examples take for given."""
    run_module(kernel, rump_mount, path="/var", fstype="tmpfs")
    for path in ("/var/db", "/var/log", "/etc"):
        kernel.mkdir(path)
    kernel.write_file("/etc/motd", b"Welcome.\n")
    kernel.write_file("/etc/app.conf", CONF, 0o644)
    kernel.chmod("/etc/app.conf", 0o646)
    kernel.write_file("/var/log/app.log", b"")
    kernel.utime("/var/log/app.log", (OLD, OLD))
    kernel.write_file("/var/log/new.log", b"")


@pytest.mark.parametrize("backend", BACKENDS)
def test_examples(tmp_path: Path, record_property, backend: str) -> None:  # type: ignore[no-untyped-def]
    *of_files, remove = examples(rump_file)
    mend = {"name": "Mend", f"{PREFIX}file": {"path": "/etc/app.conf", "mode": "0644"}}
    tasks = [*examples(rump_slurp), *examples(rump_find), mend, *of_files, *examples(rump_stat), remove]
    with running(backend, tmp_path) as server, connect(server.url, timeout=20) as kernel:
        record_property("backend", server.description)
        make_files(kernel)
        inventory = inventory_of({"k1": {"ansible_rump_server": server.url}}, released=hashlib.sha256(CONF).hexdigest())
        run = run_playbook(tmp_path, play(*tasks), inventory)
        assert run.code == 0, run.output
        said = {result.task: result.result for result in run.results}
        assert "Welcome." in run.output
        assert [one["path"] for one in said["Find logs that are older than two days"]["files"]] == ["/var/log/app.log"]
        assert kernel.listdir("/var/log") == ["new.log"]
        assert [one["path"] for one in said["Find files that others may write"]["files"]] == ["/etc/app.conf"]
        assert said["Find out whether anything says so"]["matched"] == 1
        for name, kind, major in (("vnd1a", stat.S_ISBLK, "/dev/vnd0a"), ("rvnd1a", stat.S_ISCHR, "/dev/rvnd0a")):
            found, other = kernel.lstat(f"/dev/{name}"), kernel.lstat(major)
            assert kind(found.st_mode)
            assert found.st_rdev == other.st_rdev + 8
        assert said["Look at what a link leads to"]["stat"]["isdir"]
        assert kernel.listdir("/var/db") == ["current"]
        assert not any("diff" in result for result in said.values())


@pytest.mark.parametrize("backend", BACKENDS)
def test_as_local_processes(tmp_path: Path, record_property, backend: str) -> None:  # type: ignore[no-untyped-def]
    """The modules packed and started as any of Ansible's, with nothing but module_utils beside them."""
    tasks = [
        {"name": "Make a pipe", f"{PREFIX}file": {"path": "/etc/pipe", "state": "fifo", "flags": ["nodump"]}},
        {"name": "Stat", f"{PREFIX}stat": {"path": "/etc/motd", "checksum_algorithm": "sha256"}},
        {"name": "Slurp", f"{PREFIX}slurp": {"src": "/etc/motd"}},
        {"name": "Find", f"{PREFIX}find": {"paths": ["/etc", "/none"], "get_checksum": True, "contains": "W"}},
        {"name": "Refused", f"{PREFIX}slurp": {"src": "/none"}},
    ]
    with running(backend, tmp_path) as server, connect(server.url, timeout=20) as kernel:
        record_property("backend", server.description)
        make_files(kernel)
        over_connection = inventory_of({"k1": {"ansible_rump_server": server.url}})
        local = {"k1": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
        there = run_playbook(tmp_path, play(*tasks), {"all": {"hosts": local}}, environment={"RUMP_SERVER": server.url})
        here = run_playbook(tmp_path, play(*tasks), over_connection)
        assert [result.status for result in there.results] == ["ok"] * 4 + ["failed"], there.output
        for name in ("Stat", "Slurp", "Find"):
            assert facts(there, name) == facts(here, name)
        assert (there.results[0].changed, here.results[0].changed) == (True, False)
        assert stat.S_ISFIFO(kernel.lstat("/etc/pipe").st_mode)
        assert kernel.native_stat("/etc/pipe").st_flags == 1
        assert facts(there, "Find")["matched"] == 1
        assert all("'/none' is not a directory" in run.output for run in (there, here))
        for run in (there, here):
            refusal = run.results[-1].result
            assert refusal["errno"] == "ENOENT"
            assert "File not found: /none" in refusal["msg"]


def facts(run: Run, name: str) -> dict[str, Any]:
    """A task's result but for what Ansible adds, and what reading a file changes of it."""
    result = next(one.result for one in run.results if one.task == name)
    kept = {key: value for key, value in result.items() if key != "invocation" and not key.startswith("_ansible")}
    for found in (kept.get("stat", {}), *kept.get("files", [])):
        found.pop("atime", None)
    return kept
