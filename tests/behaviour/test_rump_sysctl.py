# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_sysctl and rump_sysctl_info on a kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.rump_module import ModuleFailure
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_sysctl, rump_sysctl_info
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module


def sysctl(kernel: Kernel, name: str, value: Any = None, check_mode: bool = False) -> dict[str, Any]:
    return run_module(kernel, rump_sysctl, check_mode, name=name, **({} if value is None else {"value": value}))


@pytest.mark.parametrize(
    ("name", "kind", "value", "held"),
    [
        ("kern.hostname", "string", "web01", "web01"),
        ("net.inet.ip.forwarding", "int", "0", 0),
        ("net.inet.ip.forwarding", "int", "false", 0),
        ("net.inet.ip.ttl", "int", "0x20", 32),
        ("vfs.sync.delay", "quad", "45", 45),
        ("vfs.generic.magiclinks", "int", "yes", 1),
    ],
)
def test_set_check_run_run_again(kernel: Kernel, name: str, kind: str, value: str, held: Any) -> None:
    node = kernel.sysctl.node(name)
    if node.type_name != kind:
        pytest.fail(f"{name} is of type {node.type_name} in this kernel")
    before = kernel.sysctl.get(name)
    assert before != held
    foretold = sysctl(kernel, name, value, check_mode=True)
    assert (foretold["changed"], foretold["value"]) == (True, held)
    assert kernel.sysctl.get(name) == before
    made = sysctl(kernel, name, value)
    assert made["changed"]
    assert made["value"] == held
    assert made["type"] == kind
    assert made["diff"] == {"before": {name: before}, "after": {name: held}}
    assert made["changes"] == foretold["changes"]
    assert kernel.sysctl.read(node.mib, name, 256).startswith(encode(kernel, kind, held))
    again = sysctl(kernel, name, value)
    assert not again["changed"]
    assert again["value"] == held


def encode(kernel: Kernel, kind: str, value: Any) -> bytes:
    if kind == "string":
        return value.encode() + b"\0"
    return kernel.abi.integer("int32" if kind == "int" else "int64", value)


def test_bool(kernel: Kernel) -> None:
    nodes = [node for node in kernel.sysctl.walk() if node.type_name == "bool" and node.writable]
    assert nodes, "no kernel is without a bool that can be set"
    name, found = nodes[0].name, kernel.sysctl.get(nodes[0])
    assert sysctl(kernel, name, str(not found).lower())["value"] is not found
    assert kernel.sysctl.get(name) is not found
    with pytest.raises(ModuleFailure, match=r"value: .* is a bool: give true or false"):
        sysctl(kernel, name, "maybe")


def test_only_read(kernel: Kernel) -> None:
    read = sysctl(kernel, "kern.ostype")
    assert not read["changed"]
    assert (read["value"], read["writable"]) == ("NetBSD", False)
    assert not sysctl(kernel, "kern.ostype", "NetBSD")["changed"]


@pytest.mark.parametrize(
    ("name", "component", "where"),
    [
        ("nosuch.node", "nosuch", "at the top level"),
        ("kern.nosuch.node", "nosuch", "in kern"),
        ("kern.hostname.more", "more", "in kern.hostname"),
        ("net.inet.ip.nosuch", "nosuch", "in net.inet.ip"),
    ],
)
@pytest.mark.parametrize("module", [rump_sysctl, rump_sysctl_info])
def test_unknown_nodes_name_the_first_component_that_does_not_exist(
    kernel: Kernel, module: Any, name: str, component: str, where: str
) -> None:
    with pytest.raises(ModuleFailure) as failure:
        run_module(kernel, module, name=name)
    result = failure.value.result
    assert f"there is no node '{component}' {where}" in result["msg"]
    assert (result["errno"], result["call"], result["object"]) == ("ENOENT", "sysctl", name)
    assert kernel.url in result["msg"]


def test_read_only_nodes_are_refused_before_the_kernel_does(kernel: Kernel) -> None:
    with pytest.raises(ModuleFailure) as failure:
        sysctl(kernel, "kern.ostype", "Plan9")
    result = failure.value.result
    assert (result["errno"], result["call"], result["object"]) == ("EPERM", "sysctl", "kern.ostype")
    assert "read-only" in result["msg"]


def test_the_kernel_refuses_read_only_nodes_too(kernel: Kernel) -> None:
    with pytest.raises(PermissionError, match=r"sysctl -w kern\.ostype: EPERM"):
        kernel.sysctl.set("kern.ostype", "Plan9")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("net.inet.ip.forwarding", "many", "give a number"),
        ("net.inet.ip.forwarding", str(2**40), "-2147483648 to 2147483647"),
        ("net.inet.ip", "1", "is a subtree"),
        ("kern.clockrate", "1", "is a structure"),
        ("kern.hostname", "a\0b", "value: kern.hostname is a string: it ends at a NUL byte"),
    ],
)
def test_bad_values(kernel: Kernel, name: str, value: str, text: str) -> None:
    before = kernel.sysctl.get("kern.hostname")
    with pytest.raises(ModuleFailure, match=text):
        sysctl(kernel, name, value)
    assert kernel.sysctl.get("kern.hostname") == before


def test_a_value_that_the_kernel_refuses(kernel: Kernel) -> None:
    with pytest.raises(ModuleFailure) as failure:
        sysctl(kernel, "net.inet.ip.lowportmin", "99999")
    assert failure.value.result["errno"] == "EINVAL"
    assert "sysctl -w net.inet.ip.lowportmin: EINVAL" in failure.value.result["msg"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_kernel_without_networking_names_the_component(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running(backend, tmp_path, components=["rumpvfs", "rumpnet"]) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        for name, component in (("net.inet.ip.ttl", "rumpnet_netinet"), ("net.inet6.ip6.hlim", "rumpnet_netinet6")):
            for module in (rump_sysctl, rump_sysctl_info):
                with pytest.raises(ModuleFailure) as failure:
                    run_module(kernel, module, name=name)
                assert f"(rump_server -l{component})" in failure.value.result["msg"]
        with pytest.raises(ModuleFailure) as failure:
            sysctl(kernel, "kern.nosuch")
        assert "component" not in failure.value.result["msg"]


def test_info_of_one_a_subtree_and_all(kernel: Kernel) -> None:
    one = run_module(kernel, rump_sysctl_info, name="kern.ostype")
    assert one["sysctl"] == {"kern.ostype": "NetBSD"}
    assert not one["changed"]
    subtree = run_module(kernel, rump_sysctl_info, name="net.inet.ip", details=True)
    assert all(name.startswith("net.inet.ip.") for name in subtree["sysctl"])
    described = {node["name"]: node for node in subtree["nodes"]}
    # rump kernels are built without the texts of their sysctls
    assert described["net.inet.ip.forwarding"]["description"] == ""
    assert described["net.inet.ip.forwarding"]["type"] == "int"
    everything = run_module(kernel, rump_sysctl_info)
    assert set(subtree["sysctl"]) < set(everything["sysctl"])
    assert everything["sysctl"]["kern.ostype"] == "NetBSD"
    assert len(everything["sysctl"]) > 200


def test_info_of_a_node_that_cannot_be_read_alone(kernel: Kernel) -> None:
    with pytest.raises(ModuleFailure) as failure:
        run_module(kernel, rump_sysctl_info, name="net.inet.tcp.pcblist")
    assert failure.value.result["errno"] == "EINVAL"
