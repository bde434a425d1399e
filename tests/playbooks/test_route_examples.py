# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_route and its kin as a user runs them: their EXAMPLES, and as local processes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF, ND6_IFF, RTF
from ansible_collections.rumpkernel.rump.plugins.modules import rump_nd6, rump_neighbour, rump_route, rump_route_info
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.networks import attach
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook

PREFIX = "rumpkernel.rump.rump_"


def examples(module: Any) -> list[dict[str, Any]]:
    return list(yaml.safe_load(module.EXAMPLES))


def make_network(kernel: Kernel, folder: Path) -> None:
    """What the examples take for given."""
    attach(kernel, folder / "bus0", "192.0.2.1/24", "2001:db8::1/64")
    attach(kernel, folder / "bus1", interface="shmif1")


@pytest.mark.parametrize("backend", BACKENDS)
def test_examples(tmp_path: Path, record_property, backend: str) -> None:  # type: ignore[no-untyped-def]
    *routes, _remove_route = examples(rump_route)
    *neighbours, _forget, _flush = examples(rump_neighbour)
    lasting = [*routes, *neighbours, *examples(rump_nd6)]
    with running(backend, tmp_path) as server, connect(server.url, timeout=20) as kernel:
        record_property("backend", server.description)
        make_network(kernel, tmp_path)
        inventory = inventory_of({"k1": {"ansible_rump_server": server.url}})
        run = run_playbook(tmp_path, play(*lasting, *examples(rump_route_info)), inventory)
        assert run.code == 0, run.output
        said = {result.task: result.result for result in run.results}
        assert said["By which router do packets leave?"]["route"]["gateway"] == "192.0.2.253"
        held = {str(route): route for route in kernel.routes.all()}
        assert str(held["default"].gateway) == "192.0.2.254"
        assert str(held["default (IPv6)"].gateway) == "fe80::1%shmif0"
        assert held["198.51.100.0/24"].metrics["mtu"] == 1400
        assert held["203.0.113.0/24"].gateway is None
        assert held["10.0.0.0/8"].flags & RTF.REJECT
        known = {str(entry.address): entry for family in (AF.INET, AF.INET6) for entry in kernel.neighbours.all(family)}
        assert known["192.0.2.254"].link_address.hex(":") == "b2:a0:9f:82:6d:0e"
        assert known["fe80::254%shmif0"].is_permanent
        assert known["192.0.2.77"].is_proxy
        assert kernel.nd6.options("shmif1").flags & ND6_IFF.IFDISABLED
        again = run_playbook(tmp_path, play(*lasting), inventory)
        assert again.code == 0, again.output
        assert again.changed == []
        last = run_playbook(tmp_path, play(_remove_route, _forget, _flush), inventory)
        assert [result.changed for result in last.results] == [True, True, False]
        assert "198.51.100.0/24" not in {str(route) for route in kernel.routes.all()}


@pytest.mark.parametrize("backend", BACKENDS)
def test_as_local_processes(tmp_path: Path, record_property, backend: str) -> None:  # type: ignore[no-untyped-def]
    """The modules packed and started as any of Ansible's, with nothing but module_utils beside them."""
    tasks = [
        {"name": "Route", f"{PREFIX}route": {"dest": "10.9.0.0/16", "gateway": "192.0.2.9"}},
        {"name": "Neighbour", f"{PREFIX}neighbour": {"address": "192.0.2.9", "lladdr": "b2:a0:0:0:0:1"}},
        {"name": "Options", f"{PREFIX}nd6": {"interface": "shmif0", "prefer_source": True}},
        {"name": "Way", f"{PREFIX}route_info": {"dest": "10.9.1.1"}},
        {"name": "Refused", f"{PREFIX}route": {"dest": "10.8.0.0/16", "gateway": "10.8.0.1"}},
    ]
    with running(backend, tmp_path) as server, connect(server.url, timeout=20) as kernel:
        record_property("backend", server.description)
        make_network(kernel, tmp_path)
        local = {"k1": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
        run = run_playbook(tmp_path, play(*tasks), {"all": {"hosts": local}}, environment={"RUMP_SERVER": server.url})
        assert [result.status for result in run.results] == ["ok"] * 4 + ["failed"], run.output
        assert [result.changed for result in run.results] == [True, True, True, False, False]
        *_others, way, refused = (result.result for result in run.results)
        assert way["route"]["gateway"] == "192.0.2.9"
        assert refused["errno"] == "ENETUNREACH"
