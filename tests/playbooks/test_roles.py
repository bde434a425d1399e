# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles, through ansible-playbook."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, run_playbook


@pytest.mark.parametrize("backend", BACKENDS)
def test_rump_base(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    variables = {
        "rump_base_hostname": "web",
        "rump_base_sysctls": {"net.inet.ip.forwarding": 0, "net.inet.ip.ttl": 32},
        "rump_base_interfaces": [
            {"name": "shmif0", "linkstr": str(tmp_path / "bus"), "addresses": ["192.0.2.1/24"], "mtu": 1400}
        ],
        "rump_base_mounts": [{"path": "/data", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=8m"}],
        "rump_base_files": [
            {"path": "/data/www", "mode": "0750"},
            {"path": "/data/link", "state": "link", "src": "www"},
        ],
    }
    play = [{"name": "Base", "hosts": "all", "gather_facts": False, "roles": ["rumpkernel.rump.rump_base"]}]
    with running(backend, tmp_path) as server:
        record_property("backend", server.description)
        inventory = inventory_of({"k1": {"ansible_rump_server": server.url, **variables}})
        made = run_playbook(tmp_path, play, inventory)
        assert made.code == 0, made.output
        with connect(server.url) as kernel:
            assert kernel.sysctl.get("kern.hostname") == "web"
            assert (kernel.sysctl.get("net.inet.ip.forwarding"), kernel.sysctl.get("net.inet.ip.ttl")) == (0, 32)
            interface = kernel.interfaces.get("shmif0")
            assert interface is not None
            assert interface.mtu == 1400
            assert "192.0.2.1/24" in [str(address.interface) for address in interface.addresses]
            assert kernel.stat("/data/link/").st_mode & 0o7777 == 0o750
        again = run_playbook(tmp_path, play, inventory)
        assert again.code == 0, again.output
        assert again.changed == []


def test_rump_base_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    play = [{"name": "Base", "hosts": "all", "gather_facts": False, "roles": ["rumpkernel.rump.rump_base"]}]
    hosts = {"k1": {"ansible_rump_server": "unix:///nowhere", "rump_base_interfaces": [{"nam": "shmif0"}]}}
    run = run_playbook(tmp_path, play, inventory_of(hosts))
    assert run.code == 2
    assert "missing required arguments: name found in rump_base_interfaces" in run.results[0].result["msg"]
