# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks that stand on the pages run as they stand there, but for paths and hosts of the tests' own."""

from __future__ import annotations

import grp
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, rump_server, running
from ansible_collections.rumpkernel.rump.tests.support.pages import BLOCK, follow
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, run_playbook

HERE = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


def plays(page: str, paths: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """All plays of a page, in their order, with other paths in the place of its own."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for old, new in (paths or {}).items():
        assert old in text
        text = text.replace(old, new)
    blocks = [block for kind, block in BLOCK.findall(text) if kind == "yaml" and block.startswith("- hosts:")]
    return [one for block in blocks for one in yaml.safe_load(block)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_unmodified_modules(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running(backend, tmp_path) as server:
        record_property("backend", server.description)
        inventory = inventory_of({"web": {"ansible_rump_server": server.url}})
        done = run_playbook(tmp_path, plays("docs/unmodified_modules.md"), inventory)
        assert done.code == 0, done.output
        with connect(server.url) as kernel:
            assert kernel.read_file("/srv/motd") == b"hello\nwelcome\n"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", ["docs/roles.md", "roles/rump_server/README.md"])
@pytest.mark.parametrize("backend", BACKENDS[-1:])  # the real kernel where there is one
def test_roles(backend: str, page: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The kernel that the first play starts is one that the plays after it can configure."""
    top = tmp_path_factory.mktemp("p")  # not tmp_path, whose name is too long for sockets
    (top / "about.html.j2").write_text("about\n")
    base = plays("roles/rump_base/README.md", {"/tmp/bus0": f"{top}/run/buses/lan"})
    told = plays(page, {"/run/rump": f"{top}/run"}) if page.startswith("docs") else [*plays(page)[:1], *base]
    kinds = [one["roles"][0]["role"].rpartition(".")[2] for one in told]
    assert kinds == ["rump_server", "rump_base"]
    variables = {
        "rump_server_backend": backend.partition("-")[0],
        "rump_server_binary": rump_server() or "rump_server",
        "rump_server_run_directory": f"{top}/run",
        "rump_server_state_directory": f"{top}/lib",
        "rump_server_inventory_directory": f"{top}/kernels",
        "rump_server_group": grp.getgrgid(os.getgid()).gr_name,
    }
    inventory = {"all": {"children": {"vmhosts": {"hosts": {"vmhost": HERE}}}}}
    try:
        done = run_playbook(top, told, inventory, "-e", json.dumps(variables), limit=300)
        assert done.code == 0, done.output
        with connect(f"unix://{top}/run/web/socket") as kernel:
            assert kernel.sysctl.get("kern.hostname") == "web"
            assert kernel.read_file("/data/www/index.html") == b"<h1>It works</h1>\n"
    finally:
        end = json.dumps({**variables, "rump_server_state": "absent"})
        gone = run_playbook(top, told[:1], inventory, "-e", end, limit=300)
    assert gone.code == 0, gone.output
    assert not (top / "run").exists()


@pytest.mark.timeout(900)
def test_molecule(tmp_path_factory: pytest.TempPathFactory) -> None:
    """In a collection of one role, which names the kernel that it runs on."""
    top = tmp_path_factory.mktemp("m")  # not tmp_path, whose name is too long for sockets
    galaxy = {"namespace": "my", "name": "collection", "version": "1.0.0", "readme": "README.md", "authors": ["me"]}
    # The test's home is the collection's folder, and Molecule installs what is in that.
    (top / "galaxy.yml").write_text(yaml.safe_dump({**galaxy, "build_ignore": [".ansible", ".cache"]}))
    (top / "README.md").write_text("Mine.\n")
    tasks = top / "roles/my_role/tasks"
    tasks.mkdir(parents=True)
    name_it = {"name": "kern.hostname", "value": "{{ inventory_hostname }}"}
    (tasks / "main.yml").write_text(yaml.safe_dump([{"name": "Name it", "rumpkernel.rump.rump_sysctl": name_it}]))
    follow((ROOT / "docs/molecule.md").read_text(encoding="utf-8"), top, limit=800)
    assert not (top / ".cache/my_kernels/run").exists()
