# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_sync, rump_unarchive and rump_archive through ansible-playbook: their examples, over both connections."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_sync
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook
from ansible_collections.rumpkernel.rump.tests.support.trees import snapshot_of_controller


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Server]:  # type: ignore[no-untyped-def]
    with running(request.param, tmp_path) as started:
        record_property("backend", started.description)
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The playbook's folder, with what the examples put into the kernel."""
    place = tmp_path / "playbook"
    for name, text in {
        "files/site/index.html": "hello",
        "files/site/drafts/d": "",
        "files/site/x.swp": "",
        "conf/app.conf": "conf",
    }.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return place


def examples(module: Any, folder: Path) -> list[dict[str, Any]]:
    """The tasks of a module's examples; what they write on the controller is in ``folder``."""
    return list(yaml.safe_load(module.EXAMPLES.replace(" /tmp/", f" {folder}/")))


PREPARE: dict[str, Any] = {
    "name": "Something to get",
    "rumpkernel.rump.rump_file": {"path": "/data/logs/of/today", "state": "directory"},
}
KEPT = {"access_time": "preserve", "modification_time": "preserve"}


def test_examples_over_the_connection(server: Server, folder: Path) -> None:
    tasks = [PREPARE, *examples(rump_sync, folder)]
    inventory = inventory_of({"k": {"ansible_rump_server": server.url}})
    foretold = run_playbook(folder, play(*tasks), inventory, "--check", "--diff")
    assert foretold.code == 0, foretold.output
    with connect(server.url) as kernel:
        assert not kernel.exists("/data")
    made = run_playbook(folder, play(*tasks), inventory, "--diff")
    assert made.code == 0, made.output
    assert len(made.changed) == len(tasks)
    again = run_playbook(folder, play(*tasks), inventory)
    assert again.code == 0, again.output
    assert not again.changed
    with connect(server.url) as kernel:
        assert kernel.listdir("/data/www") == ["index.html"]
        assert kernel.read_file("/etc/conf/app.conf") == b"conf"
        assert kernel.stat("/etc/conf/app.conf").st_uid == 0
    assert sorted(snapshot_of_controller(folder / "logs-of-web")) == [".", "of", "of/today"]


def test_with_connection_local(server: Server, folder: Path) -> None:
    """As a process of its own; paths are still the playbook's."""
    tasks = [
        {"rumpkernel.rump.rump_sync": {"server": server.url, "src": "site/", "dest": "/www"}},
        {"rumpkernel.rump.rump_sync": {"server": server.url, "mode": "pull", "src": "/www/", "dest": "back"}},
    ]
    inventory = inventory_of(
        {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
    )
    made = run_playbook(folder, play(*tasks), inventory)
    assert made.code == 0, made.output
    assert len(made.changed) == 2
    owned = os.geteuid() == 0
    assert snapshot_of_controller(folder / "back", owned) == snapshot_of_controller(folder / "files" / "site", owned)
    assert not run_playbook(folder, play(*tasks), inventory).changed


def test_a_source_that_is_nowhere(server: Server, folder: Path) -> None:
    inventory = inventory_of({"k": {"ansible_rump_server": server.url}})
    run = run_playbook(folder, play({"rumpkernel.rump.rump_sync": {"src": "nowhere/", "dest": "/x"}}), inventory)
    assert run.code == 2
    assert run.results[0].status == "failed"
    assert "nowhere" in run.results[0].result["msg"]
