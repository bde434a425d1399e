# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_network as a user runs it: its EXAMPLES, as a local process, and a kernel that a play moves and goes on with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_network
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, COMPONENTS, running
from ansible_collections.rumpkernel.rump.tests.support.own_stack import OWN_BACKENDS, running_on_own_stack, url
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook

NETWORK = "rumpkernel.rump.rump_network"
HOSTNAME = {"name": "Who is it?", "rumpkernel.rump.rump_sysctl": {"name": "kern.hostname"}}


def examples(folder: Path) -> list[dict[str, Any]]:
    """With their buses in a folder of the test's."""
    return list(yaml.safe_load(rump_network.EXAMPLES.replace("/tmp/", f"{folder}/")))


@pytest.mark.parametrize("backend", BACKENDS)
def test_examples(tmp_path: Path, record_property, backend: str) -> None:  # type: ignore[no-untyped-def]
    router, vlan, _move = examples(tmp_path)
    with (
        running(backend, tmp_path, components=[*COMPONENTS, "rumpnet_vlan"]) as server,
        connect(server.url, timeout=20) as kernel,
    ):
        record_property("backend", server.description)
        inventory = inventory_of({"k1": {"ansible_rump_server": server.url}})
        run = run_playbook(tmp_path, play(router, vlan, vlan, router, router), inventory, "--diff")
        assert run.code == 0, run.output
        assert [result.changed for result in run.results] == [True, True, False, True, False]
        assert "create shmif1" in run.results[0].result["changes"]
        assert {"destroy bridge0", "destroy vlan7", "destroy shmif2"} <= set(run.results[3].result["changes"])
        assert [found.name for found in kernel.interfaces.all()] == ["lo0", "shmif0", "shmif1"]
        assert kernel.sysctl.get("net.inet6.ip6.forwarding") == 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_as_a_local_process(tmp_path: Path, record_property, backend: str) -> None:  # type: ignore[no-untyped-def]
    router = examples(tmp_path)[0]
    with running(backend, tmp_path) as server:
        record_property("backend", server.description)
        local = {"k1": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
        run = run_playbook(
            tmp_path, play(router, router), {"all": {"hosts": local}}, environment={"RUMP_SERVER": server.url}
        )
        assert [(result.status, result.changed) for result in run.results] == [("ok", True), ("ok", False)], run.output


@pytest.mark.parametrize("backend", OWN_BACKENDS)
def test_a_play_moves_a_kernel_and_goes_on(tmp_path: Path, record_property, backend: str) -> None:  # type: ignore[no-untyped-def]
    """The tasks after the move reach the kernel at its new address; a move to nowhere leaves it at its own."""
    with running_on_own_stack(backend, tmp_path) as (server, prefix, port):
        record_property("backend", server.description)

        def move(number: int, name: str) -> dict[str, Any]:
            interface = {"name": "shmif0", "addresses": [f"{prefix}.{number}/24"]}
            options = {"interfaces": [interface], "purge": ["addresses"], "reconnect_timeout": 5}
            return {"name": name, NETWORK: {**options, "reconnect": url(f"{prefix}.{number}", port)}}

        cut = {"name": "Cut", NETWORK: {"purge": ["addresses"]}, "ignore_errors": True}
        nowhere = move(3, "Nowhere")
        nowhere[NETWORK] |= {"reconnect": url(f"{prefix}.77", port), "reconnect_timeout": 0.3}
        prompt = {"name": "Prompt", NETWORK: {"sysctls": {"net.inet.ip.dad_count": 0}}}
        tasks = [
            cut,
            prompt,
            {**nowhere, "ignore_errors": True},
            {**move(2, "Foretold"), "check_mode": True},
            HOSTNAME,
            move(2, "Move"),
            HOSTNAME,
            move(2, "Again"),
            move(4, "On"),
            HOSTNAME,
        ]
        # An address and a port in the inventory: what the task says goes before them.
        hosts = {"k1": {"ansible_host": f"{prefix}.1", "ansible_port": port}}
        run = run_playbook(tmp_path, play(*tasks), inventory_of(hosts))
        assert run.code == 0, run.output
        states = [(result.task, result.status, result.changed) for result in run.results]
        assert states == [
            ("Cut", "failed", False),
            ("Prompt", "ok", True),
            ("Nowhere", "failed", False),
            ("Foretold", "ok", True),
            ("Who is it?", "ok", False),
            ("Move", "ok", True),
            ("Who is it?", "ok", False),
            ("Again", "ok", False),
            ("On", "ok", True),
            ("Who is it?", "ok", False),
        ]
        assert "allow_disconnect" in run.results[0].result["msg"]
        assert "taken back" in run.results[2].result["msg"]
        assert run.results[5].result["server"] == url(f"{prefix}.2", port)
        assert server.journal is not None
        journal = [json.loads(line) for line in server.journal.read_text().splitlines()]
        assert [entry for entry in journal if entry["changes"]]
        with connect(url(f"{prefix}.4", port)) as kernel:
            found = kernel.interfaces.get("shmif0")
            assert found is not None
            assert [str(one.interface) for one in found.addresses if one.interface.version == 4] == [f"{prefix}.4/24"]
