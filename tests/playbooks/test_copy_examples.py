# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_copy, rump_template and rump_fetch as a user runs them: their EXAMPLES beside a playbook's files.

They are run for real, again, and in check mode; over the collection's connection on three file systems, over local on
one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_copy, rump_fetch, rump_template
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS
from ansible_collections.rumpkernel.rump.tests.support.filesystems import FOLDERS, running_with_filesystems
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook

PREFIX = "rumpkernel.rump.rump_"
CONF = "listen 80\n"
HIDDEN = "swordfish\n"


def examples(root: str, folder: Path) -> list[dict[str, Any]]:
    """The EXAMPLES as they are, but for where the files are."""
    tasks: list[dict[str, Any]] = []
    for module in (rump_copy, rump_template, rump_fetch):
        tasks += yaml.safe_load(module.EXAMPLES)
    for task in tasks:
        (options,) = (value for key, value in task.items() if key.startswith(PREFIX))
        fetches = f"{PREFIX}fetch" in task
        for name in {"src", "dest", "path"} & options.keys():
            path = options[name]
            if path.startswith("/tmp/"):
                options[name] = f"{folder}{path[4:]}"
            elif (path.startswith("/") and (name != "src") is not fetches) or options.get("remote_src"):
                options[name] = f"{root}{path}"
        if fetches and options["dest"] == "logs":
            options["dest"] = f"{folder}/logs"
    return tasks


def make_files(folder: Path) -> None:
    """What the examples take for given, and a file that is encrypted."""
    for name, text in (
        ("files/app.conf", CONF),
        ("files/www/index.html", "<p>"),
        ("files/www/sub/x", "x"),
        ("templates/listen.conf.j2", "listen {{ listen_port }}\n"),
        ("templates/menu.j2", "{{ kept }} [% listen_port %]\n"),
        ("files/secret", VaultLib([("default", VaultSecret(b"word"))]).encrypt(HIDDEN).decode()),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "files/www/index.html").chmod(0o604)
    (folder / "password").write_text("word\n")


def prepare(kernel: Kernel, root: str) -> None:
    kernel.makedirs(f"{root}/var/log")
    kernel.write_file(f"{root}/var/log/app.log", b"a line\n")


@pytest.mark.parametrize("local", [False, True], ids=["sysproxy", "local"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_examples(tmp_path: Path, backend: str, local: bool) -> None:
    make_files(tmp_path)
    with running_with_filesystems(backend, tmp_path) as server, connect(server.url, timeout=20) as kernel:
        plays, inventory = [], inventory_of({"web": {"ansible_rump_server": server.url}}, listen_port=80)
        options: dict[str, Any] = {"connection": "local", "environment": {"RUMP_SERVER": server.url}} if local else {}
        places = {"tmpfs": FOLDERS["tmpfs"]} if local else FOLDERS
        for filesystem, top in places.items():
            root = f"{top}/root"
            prepare(kernel, root)
            tasks = examples(root, tmp_path / filesystem)
            secret = {"src": "secret", "dest": f"{root}/etc/secret", "mode": "0600"}
            tasks.append({"name": "A secret", f"{PREFIX}copy": secret})
            plays += play(*tasks, **options)
        arguments = ("--diff", "--vault-password-file", str(tmp_path / "password"))

        # What one task makes the next one reads, so that check mode comes after the real run, and before a change.
        run = run_playbook(tmp_path, plays, inventory, *arguments)
        assert run.code == 0, run.output
        assert all(result.changed for result in run.results if result.status == "ok"), run.output
        for filesystem, top in places.items():
            check(kernel, f"{top}/root", tmp_path / filesystem)
        told = [
            result.result["atomic"] for result in run.results if result.status == "ok" and "atomic" in result.result
        ]
        one = len(told) // len(places)
        assert told == [filesystem != "rumpfs" for filesystem in places for _task in range(one)]

        again = run_playbook(tmp_path, plays, inventory, *arguments)
        assert again.code == 0, again.output
        assert again.changed == []

        (tmp_path / "templates/listen.conf.j2").write_text("listen on {{ listen_port }}\n")
        checked = run_playbook(tmp_path, plays, inventory, "--check", *arguments)
        assert checked.code == 0, checked.output
        assert {result.task for result in checked.changed} == {
            "Configure the application from a template of the role",
        }
        assert "+listen on 80" in checked.output
        for filesystem, top in places.items():
            check(kernel, f"{top}/root", tmp_path / filesystem)


def check(kernel: Kernel, root: str, local: Path) -> None:
    """What the examples leave, on the kernel and on the controller."""
    for name in ("etc/app.conf", "app/listen.conf"):
        assert kernel.read_file(f"{root}/{name}") == CONF.encode()
        status = kernel.stat(f"{root}/{name}")
        assert (status.st_mode & 0o7777, status.st_uid) == (0o640, 100)
    assert kernel.read_file(f"{root}/etc/hosts") == b"192.0.2.1 router\n"
    assert kernel.stat(f"{root}/var/www/index.html").st_mode & 0o7777 == 0o604
    assert kernel.stat(f"{root}/var/www/sub").st_mode & 0o7777 == 0o755
    assert kernel.read_file(f"{root}/var/www/sub/x") == b"x"
    assert kernel.read_file(f"{root}/app/menu.txt") == b"{{ kept }} 80\r\n"
    assert kernel.read_file(f"{root}/etc/secret") == HIDDEN.encode()
    assert (local / "logs" / "web" / root[1:] / "var/log/app.log").read_bytes() == b"a line\n"
    assert (local / "app.conf").read_text() == CONF
