# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_sync, rump_unarchive and rump_archive through ansible-playbook: their examples, over both connections."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_archive, rump_sync, rump_unarchive
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import BIN, inventory_of, play, run_playbook
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
    with tarfile.open(place / "site.tar.gz", "w:gz") as tar:
        tar.add(place / "files" / "site" / "index.html", "page.html")
    with zipfile.ZipFile(place / "release.zip", "w") as archive:
        archive.writestr("conf/app.json", "{}")
        archive.writestr("other", "")
    return place


def examples(module: Any, folder: Path) -> list[dict[str, Any]]:
    """The tasks of a module's examples; what they write on the controller is in ``folder``."""
    return list(yaml.safe_load(module.EXAMPLES.replace(" /tmp/", f" {folder}/")))


PREPARE: list[dict[str, Any]] = [
    {
        "name": "Directories to work in",
        "rumpkernel.rump.rump_file": {"path": path, "state": "directory"},
    }
    for path in ("/data/logs/of/today", "/data/app", "/data/site")
] + [
    {
        "name": "An archive of the kernel's",
        "rumpkernel.rump.rump_sync": {"src": "release.zip", "dest": "/data/", "owner": False, "group": False},
    }
]


def test_examples_over_the_connection(server: Server, folder: Path) -> None:
    tasks = [
        *PREPARE,
        *(task for module in (rump_sync, rump_unarchive, rump_archive) for task in examples(module, folder)),
    ]
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
        assert kernel.listdir("/data/site") == ["page.html"]
        assert kernel.listdir("/data/app") == ["conf"]
    assert sorted(snapshot_of_controller(folder / "logs-of-web")) == [".", "of", "of/today"]
    with zipfile.ZipFile(folder / "state.zip") as archive:
        assert archive.namelist() == ["site/", "app/conf/app.json", "site/page.html"]
    with tarfile.open(folder / "logs.tar.gz") as tar:
        assert tar.getnames() == ["logs", "logs/of", "logs/of/today"]


def test_with_connection_local(server: Server, folder: Path) -> None:
    """As a process of its own; paths are still the playbook's."""
    tasks: list[dict[str, Any]] = [
        {"rumpkernel.rump.rump_sync": {"server": server.url, "src": "site/", "dest": "/www"}},
        {"rumpkernel.rump.rump_sync": {"server": server.url, "mode": "pull", "src": "/www/", "dest": "back"}},
        {"rumpkernel.rump.rump_unarchive": {"server": server.url, "src": "site.tar.gz", "dest": "/www"}},
        {"rumpkernel.rump.rump_archive": {"server": server.url, "path": "/www", "dest": "www.tar"}},
    ]
    inventory = inventory_of(
        {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
    )
    made = run_playbook(folder, play(*tasks), inventory)
    assert made.code == 0, made.output
    assert len(made.changed) == len(tasks)
    owned = os.geteuid() == 0
    assert snapshot_of_controller(folder / "back", owned) == snapshot_of_controller(folder / "files" / "site", owned)
    with tarfile.open(folder / "www.tar") as tar:
        assert "www/page.html" in tar.getnames()


def test_an_archive_of_a_vault(server: Server, folder: Path) -> None:
    secret = folder / "secret"
    secret.write_text("a password")
    subprocess.run(
        [BIN / "ansible-vault", "encrypt", "--vault-password-file", secret, folder / "site.tar.gz"],
        check=True,
        capture_output=True,
    )
    task = {"rumpkernel.rump.rump_unarchive": {"src": "site.tar.gz", "dest": "/"}}
    inventory = inventory_of({"k": {"ansible_rump_server": server.url}})
    run = run_playbook(folder, play(task), inventory, "--vault-password-file", str(secret))
    assert run.code == 0, run.output
    assert run.results[0].result["src"] == str(folder / "site.tar.gz")
    with connect(server.url) as kernel:
        assert kernel.read_file("/page.html") == b"hello"


def test_a_source_that_is_nowhere(server: Server, folder: Path) -> None:
    inventory = inventory_of({"k": {"ansible_rump_server": server.url}})
    run = run_playbook(folder, play({"rumpkernel.rump.rump_sync": {"src": "nowhere/", "dest": "/x"}}), inventory)
    assert run.code == 2
    assert run.results[0].status == "failed"
    assert "nowhere" in run.results[0].result["msg"]
