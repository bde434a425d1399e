# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_network on a kernel that is reached through the very network that it changes."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import ConnectError, Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import AF
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Session
from ansible_collections.rumpkernel.rump.plugins.modules import rump_neighbour, rump_network, rump_route
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.networks import without_duplicate_detection
from ansible_collections.rumpkernel.rump.tests.support.own_stack import OWN_BACKENDS, running_on_own_stack, url


@dataclass
class Place:
    """A kernel, our session with it over its own stack, and the first three numbers of its addresses there."""

    server: Server
    kernel: Kernel
    prefix: str
    port: int

    def at(self, number: int) -> str:
        return f"{self.prefix}.{number}"

    def url(self, number: int) -> str:
        return url(self.at(number), self.port)

    def network(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        return run_module(self.kernel, rump_network, check_mode, **options)

    def held(self) -> list[Any]:
        return [
            [(found.name, found.flags, found.mtu, found.addresses) for found in self.kernel.interfaces.all()],
            [(str(found), found.gateway, found.interface, found.flags) for found in self.kernel.routes.all()],
            self.kernel.neighbours.all(AF.INET),
            self.kernel.sysctl.get("net.inet.ip.forwarding"),
        ]

    def addresses(self, name: str = "shmif0") -> list[str]:
        found = self.kernel.interfaces.get(name)
        assert found is not None
        return [str(one.interface) for one in found.addresses if not one.interface.is_link_local]

    def changes(self) -> int:
        """How many calls changed the kernel, by its journal."""
        assert self.server.journal is not None
        return sum(json.loads(line)["changes"] for line in self.server.journal.read_text().splitlines())


@pytest.fixture(params=OWN_BACKENDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Place]:  # type: ignore[no-untyped-def]
    with running_on_own_stack(request.param, tmp_path) as (server, prefix, port), contextlib.ExitStack() as stack:
        kernel = stack.enter_context(connect(server.url, timeout=5))
        record_property("backend", server.description)
        without_duplicate_detection(kernel)
        yield Place(server, kernel, prefix, port)


CUTS: dict[str, tuple[dict[str, Any], str]] = {
    "its address is purged": (
        {"interfaces": [{"name": "shmif0", "addresses": ["10.0.0.1/24"]}], "purge": ["addresses"]},
        "the connection is to PREFIX.1, which shmif0 loses",
    ),
    "its address is not among the interface's": (
        {"interfaces": [{"name": "shmif0", "addresses": ["10.0.0.1/24"], "purge_addresses": True}]},
        "the connection is to PREFIX.1, which shmif0 loses",
    ),
    "nothing is declared": ({"purge": ["interfaces"]}, "the connection goes through shmif0, which is destroyed"),
    "no address is declared": ({"purge": ["addresses"]}, "the connection is to PREFIX.1, which shmif0 loses"),
    "its prefix is changed": (
        {"interfaces": [{"name": "shmif0", "addresses": ["PREFIX.1/16"]}]},
        "the connection is to PREFIX.1, which shmif0 loses",
    ),
    "the interface goes down": (
        {"interfaces": [{"name": "shmif0", "state": "down"}]},
        "the connection goes through shmif0, which is taken down",
    ),
    "the interface goes": (
        {"interfaces": [{"name": "shmif0", "state": "absent"}]},
        "the connection goes through shmif0, which is destroyed",
    ),
    "the interface is put on another bus": (
        {"interfaces": [{"name": "shmif0", "linkstr": "other"}]},
        "the connection goes through shmif0, whose linkstr is changed",
    ),
    "the interface has another link-level address": (
        {"interfaces": [{"name": "shmif0", "lladdr": "b2:a0:00:00:00:77"}]},
        "the connection goes through shmif0, whose lladdr is changed",
    ),
    "its address is to be another interface's": (
        {
            "interfaces": [
                {"name": "shmif1", "linkstr": "other", "addresses": ["PREFIX.1/24"]},
                {"name": "shmif0", "addresses": [], "purge_addresses": True},
            ]
        },
        "the connection is to PREFIX.1, which shmif0 loses",
    ),
}


def filled(value: Any, prefix: str) -> Any:
    return json.loads(json.dumps(value).replace("PREFIX", prefix))


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("case", CUTS)
def test_what_would_cut_the_connection_is_refused(place: Place, case: str, check_mode: bool) -> None:
    options, why = CUTS[case]
    # What does no harm is not made, either.
    options = {**filled(options, place.prefix), "sysctls": {"net.inet.ip.forwarding": 1}}
    before, changes = place.held(), place.changes()
    result = refused(place.kernel, rump_network, check_mode, **options)
    assert "allow_disconnect: " in result["msg"]
    assert why.replace("PREFIX", place.prefix) in result["msg"]
    assert "name the URL at which it will answer as reconnect" in result["msg"]
    assert not result["changed"]
    assert place.changes() == changes
    assert place.held() == before


def test_what_does_not_cut_it_is_made(place: Place) -> None:
    result = place.network(
        interfaces=[
            {"name": "shmif0", "addresses": [f"{place.at(1)}/24", "10.0.0.1/24"], "mtu": 1400},
            {"name": "shmif1", "linkstr": "other", "addresses": ["10.1.0.1/24"]},
        ],
        routes=[{"dest": "default", "gateway": "10.1.0.254"}],
        purge=["interfaces", "addresses", "routes", "neighbours"],
    )
    assert result["changed"]
    assert place.addresses() == [f"{place.at(1)}/24", "10.0.0.1/24"]
    assert place.network(interfaces=[{"name": "shmif1", "state": "absent"}])["changed"]
    assert place.network(interfaces=[{"name": "shmif0"}], purge=["interfaces"])["changed"] is False


@pytest.mark.parametrize(
    ("prefix", "why"),
    [(24, "the connection ended after the last step"), (32, "whether it was made is not known")],
    ids=["with a way for the answer", "with none"],
)
def test_a_disconnect_that_is_allowed(place: Place, prefix: int, why: str) -> None:
    """It comes last, and a warning says that nobody asked what became of it, or knows."""
    options: dict[str, Any] = {
        "interfaces": [{"name": "shmif0", "addresses": [f"{place.at(2)}/{prefix}"], "mtu": 1400}],
        "purge": ["addresses"],
        "allow_disconnect": True,
    }
    foretold = place.network(check_mode=True, **options)
    place.kernel.session.timeout = 0.5
    result = place.network(**options)
    assert result["changes"] == foretold["changes"]
    assert result["changes"][-1] == f"remove {place.at(1)}/24 from shmif0"
    assert why in result["warnings"][0]
    with connect(place.url(2)) as kernel:
        assert kernel.interfaces.get("shmif0").mtu == 1400  # type: ignore[union-attr]
        assert not run_module(kernel, rump_network, **options)["changed"]
    with pytest.raises(ConnectError):
        connect(place.url(1), connect_timeout=1)


def test_a_move(place: Place) -> None:
    """The kernel ends at its new address, and the session with it."""
    options: dict[str, Any] = {
        "interfaces": [{"name": "shmif0", "addresses": [f"{place.at(2)}/24"]}],
        "purge": ["addresses"],
        "reconnect": place.url(2),
        "reconnect_timeout": 10,
    }
    before = place.held()
    foretold = place.network(check_mode=True, **options)
    assert place.held() == before
    result = place.network(**options)
    assert result["changes"] == foretold["changes"]
    assert result["changes"] == [
        f"add {place.at(2)}/24 to shmif0",
        f"connect anew at {place.url(2)}",
        f"remove {place.at(1)}/24 from shmif0",
    ]
    assert result["server"] == place.kernel.url == place.url(2)
    assert place.addresses() == [f"{place.at(2)}/24"]
    assert place.kernel.session.endpoints[1] == (place.at(2), place.port)  # type: ignore[index]
    with pytest.raises(ConnectError):
        connect(place.url(1), connect_timeout=1)
    again = place.network(**options)
    assert not again["changed"]
    assert again["server"] == place.url(2)


def test_a_move_to_another_interface_and_back(place: Place) -> None:
    """Even the interface of the old connection may go."""
    result = place.network(
        interfaces=[
            {"name": "shmif1", "linkstr": "other", "addresses": [f"{place.at(2)}/24"]},
            {"name": "shmif0", "state": "absent"},
        ],
        reconnect=place.url(2),
    )
    assert result["changes"][-2:] == [f"connect anew at {place.url(2)}", "destroy shmif0"]
    assert place.kernel.interfaces.get("shmif0") is None
    back = place.network(
        interfaces=[{"name": "shmif0", "linkstr": "bus", "addresses": [f"{place.at(1)}/24"]}],
        purge=["interfaces"],
        reconnect=place.url(1),
    )
    assert back["server"] == place.url(1)
    assert [found.name for found in place.kernel.interfaces.all()] == ["lo0", "shmif0"]


def test_a_move_to_an_address_that_does_not_answer(place: Place) -> None:
    """The kernel ends as it was: interfaces, addresses, routes, neighbours and sysctls."""
    place.network(interfaces=[{"name": "shmif0", "addresses": ["10.5.0.1/24"]}])
    run_module(place.kernel, rump_route, dest="10.8.0.0/16", gateway=place.at(254), mtu=1400)
    run_module(place.kernel, rump_route, dest="10.7.0.0/16", gateway=place.at(254))
    run_module(place.kernel, rump_neighbour, address="10.5.0.9", lladdr="b2:a0:00:00:00:09")
    before = place.held()
    started = time.monotonic()
    result = refused(
        place.kernel,
        rump_network,
        interfaces=[
            {"name": "shmif0", "addresses": [f"{place.at(2)}/24", "10.5.0.1/24"], "mtu": 1400},
            {"name": "shmif1", "linkstr": "other", "addresses": ["10.1.0.1/24"]},
        ],
        routes=[
            {"dest": "10.9.0.0/16", "gateway": "10.1.0.254"},
            {"dest": "10.8.0.0/16", "gateway": place.at(253), "mtu": 1300},
            {"dest": "10.7.0.0/16", "state": "absent"},
        ],
        neighbours=[
            {"address": "10.5.0.9", "lladdr": "b2:a0:00:00:00:0a"},
            {"address": "10.5.0.10", "lladdr": "b2:a0:00:00:00:0b"},
        ],
        sysctls={"net.inet.ip.forwarding": 1},
        purge=["addresses"],
        reconnect=place.url(77),
        reconnect_timeout=0.6,
    )
    assert time.monotonic() - started < 5
    assert f"no answer of this kernel within 0.6 s: {place.url(77)}: Connection refused" in result["msg"]
    assert "taken back" in result["msg"]
    assert not result["changed"]
    assert place.held() == before
    assert place.kernel.url == place.url(1)


def test_a_move_to_another_kernel(place: Place, tmp_path: Path) -> None:
    """Whoever answers has to be this very kernel."""
    folder = tmp_path / "other"
    folder.mkdir()
    before = place.held()
    with running(place.server.backend, folder) as other:
        result = refused(
            place.kernel,
            rump_network,
            interfaces=[{"name": "shmif0", "addresses": [f"{place.at(2)}/24"]}],
            purge=["addresses"],
            reconnect=other.url,
            reconnect_timeout=3,
        )
        assert "no such prefork" in result["msg"]
        assert place.held() == before
        with connect(other.url) as kernel:
            assert kernel.interfaces.get("shmif0") is None


def test_a_move_that_would_cut_the_new_connection_too(place: Place) -> None:
    """The new URL is at an address that is to go as well."""
    place.network(interfaces=[{"name": "shmif0", "addresses": [f"{place.at(2)}/24"]}])
    before = place.held()
    result = refused(
        place.kernel,
        rump_network,
        interfaces=[{"name": "shmif0", "addresses": [f"{place.at(3)}/24"]}],
        purge=["addresses"],
        reconnect=place.url(2),
    )
    assert f"reconnect: to remove {place.at(2)}/24 from shmif0 would cut the new connection, too" in result["msg"]
    assert place.held() == before
    place.network(
        interfaces=[{"name": "shmif0", "addresses": [f"{place.at(3)}/24"]}], purge=["addresses"], reconnect=place.url(3)
    )
    assert place.addresses() == [f"{place.at(3)}/24"]


def test_a_refused_call_before_the_move_is_taken_back_too(place: Place) -> None:
    before = place.held()
    result = refused(
        place.kernel,
        rump_network,
        interfaces=[
            {"name": "shmif0", "addresses": [f"{place.at(2)}/24"]},
            {"name": "shmif1", "linkstr": "other", "mtu": 60000},
        ],
        purge=["addresses"],
        reconnect=place.url(2),
    )
    assert result["call"] == "SIOCSIFMTU"
    assert not result["changed"]
    assert place.held() == before


def through_translation(place: Place) -> Kernel:
    """A session whose far end the kernel sees at another address than ours is: bound to one of the network's."""
    stream = socket.create_connection((place.at(1), place.port), source_address=("127.7.0.1", 0))
    session = Session(stream, place.url(1), 5)
    session.greet(time.monotonic() + 5)
    return Kernel(session)


@contextlib.contextmanager
def forwarded(host: str, port: int) -> Iterator[int]:
    """A port of the host's that is forwarded, as QEMU forwards a guest's; a connection is served by two threads."""

    def pass_on(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = listener.accept()[0]
                far = socket.create_connection((host, port), source_address=("127.7.0.1", 0))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=pass_on, args=(source, sink), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_a_server_whose_port_is_forwarded(place: Place) -> None:
    """Neither end of the connection is what the kernel sees; a second connection shows which it is."""
    place.kernel.disconnect()
    with forwarded(place.at(1), place.port) as port, connect(url("127.0.0.1", port), timeout=5) as kernel:
        before, changes = kernel.interfaces.all(), place.changes()
        result = refused(kernel, rump_network, purge=["addresses"], interfaces=[{"name": "shmif1"}])
        assert f"({place.at(1)} on shmif0, from 127.7.0.1)" in result["msg"]
        assert kernel.interfaces.all() == before
        assert place.changes() == changes
        assert run_module(kernel, rump_network, interfaces=[{"name": "shmif1"}])["changed"]


def test_the_route_to_the_controller(place: Place) -> None:
    """It may not lead elsewhere, nor may its next hop be said to be elsewhere."""
    with through_translation(place) as kernel:
        run_module(kernel, rump_network, interfaces=[{"name": "shmif0", "addresses": ["10.5.0.1/24"]}])
        run_module(kernel, rump_route, dest="default", gateway="10.5.0.254")
        run_module(kernel, rump_neighbour, address="10.5.0.254", lladdr="b2:a0:00:00:00:09")
        before = place.held()
        for options in (
            {"routes": [{"dest": "default", "gateway": "10.5.0.253"}]},
            {"routes": [{"dest": "default", "state": "absent"}]},
            {"routes": [{"dest": "127.7.0.0/16", "flags": ["reject"]}]},
            {"purge": ["routes"]},
        ):
            result = refused(kernel, rump_network, **options)
            assert "packets to 127.7.0.1, from where the connection comes, go by it" in result["msg"]
        elsewhere: dict[str, Any] = {"neighbours": [{"address": "10.5.0.254", "lladdr": "b2:a0:00:00:00:0a"}]}
        assert "which is said to be elsewhere" in refused(kernel, rump_network, **elsewhere)["msg"]
        shadow: dict[str, Any] = {"interfaces": [{"name": "shmif1", "linkstr": "x", "addresses": ["127.7.0.9/24"]}]}
        assert "the network of an address of shmif1" in refused(kernel, rump_network, **shadow)["msg"]
        assert place.held() == before
        # Not on its way.
        assert run_module(kernel, rump_network, routes=[{"dest": "10.0.0.0/8", "gateway": "10.5.0.253"}])["changed"]
        assert run_module(kernel, rump_network, routes=[{"dest": "default", "gateway": "10.5.0.254"}], purge=["routes"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_server_on_its_hosts_network_is_not_the_kernels(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    """The kernel's lo0 has the address that we are connected to, and nothing to do with it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(backend, tmp_path, url=url("127.0.0.1", port)) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        assert kernel.session.endpoints is not None
        assert run_module(kernel, rump_network, interfaces=[{"name": "lo0", "state": "down"}])["changed"]
        assert kernel.getpid()


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_move_needs_no_network_of_the_kernels(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    """Another URL of the same server: the same socket by another path."""
    with running(backend, tmp_path) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        (tmp_path / "other").symlink_to(tmp_path / "csock")
        other = f"unix://{tmp_path}/other"
        result = run_module(kernel, rump_network, interfaces=[{"name": "shmif0"}], reconnect=other)
        assert result["changes"] == ["create shmif0", f"connect anew at {other}"]
        assert kernel.url == other
        failed = refused(
            kernel,
            rump_network,
            interfaces=[{"name": "shmif1"}],
            reconnect=f"unix://{tmp_path}/none",
            reconnect_timeout=0.2,
        )
        assert "No such file" in failed["msg"]
        assert kernel.interfaces.get("shmif1") is None
