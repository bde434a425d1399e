# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sessions that come through the network stack of their own kernel: how they are known, and what must not be asked."""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import CallTimeout, ConnectError, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.own_stack import SocketsUnreadable
from ansible_collections.rumpkernel.rump.plugins.modules import rump_net_info
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, COMPONENTS, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.own_stack import OWN_BACKENDS, free_port, running_on_own_stack

WITH_BPF = [*COMPONENTS, "rumpdev_bpf"]


@pytest.mark.parametrize("components", [WITH_BPF, COMPONENTS], ids=["bpf", "no bpf"])
@pytest.mark.parametrize("backend", OWN_BACKENDS)
def test_a_session_over_the_kernels_own_stack(backend: str, components: list[str], tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        server, prefix, port = stack.enter_context(running_on_own_stack(backend, tmp_path, components))
        kernel = stack.enter_context(connect(server.url))
        assert kernel.session.endpoints is not None
        here, there = kernel.session.endpoints
        assert there == (f"{prefix}.1", port)
        assert kernel.own_stack.ends() == tuple((ipaddress.ip_address(host), number) for host, number in (there, here))
        assert kernel.own_stack.is_used()
        with pytest.raises(SocketsUnreadable, match="cannot be read over the kernel's own network stack"):
            kernel.statistics.sockets()
        found = run_module(kernel, rump_net_info)
        assert found.keys() >= {"interfaces", "routes", "neighbours", "protocols"}
        assert "sockets" not in found
        assert "sockets are left out" in found["warnings"][0]
        assert "sockets: " in refused(kernel, rump_net_info, gather_subset=["sockets"])["msg"]
        assert kernel.getpid()


@pytest.mark.parametrize("components", [WITH_BPF, COMPONENTS], ids=["bpf", "no bpf"])
@pytest.mark.parametrize("transport", ["unix", "tcp"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_session_with_a_server_on_its_hosts_network(
    backend: str,
    transport: str,
    components: list[str],
    tmp_path: Path,
    record_property,  # type: ignore[no-untyped-def]
) -> None:
    """Nor are sockets of the kernel's own taken for the server's."""
    url = f"tcp://127.0.0.1:{free_port('127.0.0.1')}" if transport == "tcp" else None
    with running(backend, tmp_path, url, components) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        assert kernel.own_stack.ends() is None
        kernel.interfaces.create("shmif0")
        kernel.interfaces.set_linkstr("shmif0", str(tmp_path / "bus"))
        kernel.interfaces.add_address("shmif0", ipaddress.ip_interface("10.0.0.1/24"))
        with kernel.create_server(("", 700)), kernel.create_server(("", 701)):
            assert kernel.own_stack.ends() is None
            assert not kernel.own_stack.is_used()
            listening = [found for found in kernel.statistics.sockets() if found.state == "LISTEN"]
            assert {found.local for found in listening} == {("0.0.0.0", 700), ("0.0.0.0", 701)}


@pytest.mark.parametrize("backend", OWN_BACKENDS)
def test_the_list_of_sockets_over_the_kernels_own_stack_is_the_kernels_end(backend: str, tmp_path: Path) -> None:
    """What is refused above is refused for a reason: nobody gets an answer any more."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_on_own_stack(backend, tmp_path))[0]
        kernel = stack.enter_context(connect(server.url, timeout=0.3))
        node = kernel.sysctl.node("net.inet.tcp.pcblist")
        size = kernel.abi.struct("kinfo_pcb").size
        with pytest.raises(CallTimeout):
            kernel.sysctl.read((*node.mib, 0, 0, size, 100), node.name, size * 100)
        with pytest.raises(ConnectError):
            connect(server.url, connect_timeout=0.3)


@pytest.mark.parametrize("backend", OWN_BACKENDS)
def test_a_kernel_that_halts_falls_silent(backend: str, tmp_path: Path) -> None:
    """Its machine goes on, and no connection ends."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running_on_own_stack(backend, tmp_path))[0]
        kernel = stack.enter_context(connect(server.url))
        kernel.halt()
        assert kernel.session.closed
        with pytest.raises(ConnectError):
            connect(server.url, connect_timeout=0.3)
        assert not server.ended()
