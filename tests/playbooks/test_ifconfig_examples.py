# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_ifconfig as a user runs it: its EXAMPLES, twice, and as a local process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.interface_kinds import Vlan
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.interfaces import KINDS, WIRELESS
from ansible_collections.rumpkernel.rump.tests.support.networks import without_duplicate_detection
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook

SECRETS = {"carp_password": "secret", "attic_key": "abcde"}


def examples(folder: Path) -> list[dict[str, Any]]:
    """The EXAMPLES, with their buses in a folder."""
    return list(yaml.safe_load(rump_ifconfig.EXAMPLES.replace("/tmp/", f"{folder}/")))


def components(backend: str) -> list[str]:
    """With a wireless device where there can be one."""
    return KINDS if backend == "rump_server" else list(dict.fromkeys((*KINDS, *WIRELESS)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_examples(tmp_path: Path, record_property, backend: str) -> None:  # type: ignore[no-untyped-def]
    first, wait, *lasting, down, destroy = examples(tmp_path)
    with running(backend, tmp_path, components=components(backend)) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        without_duplicate_detection(kernel)
        inventory = inventory_of({"k1": {"ansible_rump_server": server.url, **SECRETS}})
        if kernel.interfaces.get("iwn0") is None:
            lasting = [task for task in lasting if "wireless" not in task["name"]]
        run = run_playbook(tmp_path, play(first, wait, *lasting), inventory)
        assert run.code == 0, run.output
        assert "secret" not in run.output
        assert kernel.interfaces.carp("carp0").key == b"secret".ljust(20, b"\0")
        assert kernel.interfaces.vlan("vlan7") == Vlan(7, "shmif0")
        assert {member.name for member in kernel.interfaces.bridge_members("bridge0")} == {"shmif1", "shmif2"}
        assert str(kernel.interfaces.tunnel("gif0")) == "192.0.2.2 --> 203.0.113.1"
        found = kernel.interfaces.get("shmif0")
        assert found is not None
        assert found.mtu == 1400
        assert {str(address.interface) for address in found.addresses if not address.interface.is_link_local} == {
            "192.0.2.2/24",
            "2001:db8::7/64",
        }
        again = run_playbook(
            tmp_path, play(*[task for task in lasting if "only addresses" not in task["name"]]), inventory
        )
        assert again.code == 0, again.output
        assert again.changed == []
        last = run_playbook(tmp_path, play(down, destroy), inventory)
        assert [result.changed for result in last.results] == [True, True]
        assert kernel.interfaces.get("shmif0") is None


@pytest.mark.parametrize("backend", BACKENDS)
def test_as_a_local_process(tmp_path: Path, record_property, backend: str) -> None:  # type: ignore[no-untyped-def]
    """The module packed and started as any of Ansible's, with nothing but module_utils beside it."""
    name = "rumpkernel.rump.rump_ifconfig"
    tasks = [
        {"name": "Ethernet", name: {"name": "shmif0", "linkstr": f"{tmp_path}/bus", "addresses": ["10.0.0.1/24"]}},
        {"name": "Bridge", name: {"name": "bridge0", "bridge": {"members": [{"name": "shmif0", "stp": True}]}}},
        {"name": "Refused", name: {"name": "bridge1", "bridge": {"members": ["shmif0"]}}},
    ]
    with running(backend, tmp_path) as server, connect(server.url, timeout=20) as kernel:
        record_property("backend", server.description)
        local = {"k1": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
        run = run_playbook(tmp_path, play(*tasks), {"all": {"hosts": local}}, environment={"RUMP_SERVER": server.url})
        assert [result.status for result in run.results] == ["ok", "ok", "failed"], run.output
        assert run.results[2].result["errno"] == "EBUSY"
        assert [member.name for member in kernel.interfaces.bridge_members("bridge0")] == ["shmif0"]
