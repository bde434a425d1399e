# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles, through ansible-playbook."""

from __future__ import annotations

import contextlib
import grp
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.transport import parse_url
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, rump_server, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import (
    BIN,
    Run,
    inventory_of,
    play,
    run_ad_hoc,
    run_playbook,
)
from ansible_collections.rumpkernel.rump.tests.support.processes import group_ended


@pytest.mark.parametrize("backend", BACKENDS)
def test_rump_base(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    variables = {
        "rump_base_hostname": "web",
        "rump_base_sysctls": {"net.inet.ip.forwarding": 0, "net.inet.ip.ttl": 32},
        "rump_base_interfaces": [
            {"name": "shmif0", "linkstr": str(tmp_path / "bus"), "addresses": ["192.0.2.1/24"], "mtu": 1400}
        ],
        "rump_base_routes": [{"dest": "default", "gateway": "192.0.2.254"}],
        "rump_base_neighbours": [{"address": "192.0.2.9", "lladdr": "02:00:00:00:00:09"}],
        "rump_base_mounts": [{"path": "/data", "src": "tmpfs", "fstype": "tmpfs", "opts": "size=8m"}],
        "rump_base_files": [
            {"path": "/data/www", "mode": "0750"},
            {"path": "/data/link", "state": "link", "src": "www"},
        ],
        "rump_base_copies": [{"dest": "/data/www/copied", "content": "told\n", "mode": "0640"}],
        "rump_base_templates": [{"dest": "/data/www/templated", "src": str(tmp_path / "name.j2"), "mode": "0644"}],
    }
    play = [{"name": "Base", "hosts": "all", "gather_facts": False, "roles": ["rumpkernel.rump.rump_base"]}]
    (tmp_path / "name.j2").write_text("I am {{ rump_base_hostname }}\n")
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
            assert kernel.read_file("/data/www/copied") == b"told\n"
            assert kernel.read_file("/data/www/templated") == b"I am web\n"
            assert any(str(route.gateway) == "192.0.2.254" for route in kernel.routes.all())
        again = run_playbook(tmp_path, play, inventory)
        assert again.code == 0, again.output
        assert again.changed == []


def test_rump_base_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """Before it asks the kernel for anything: there is none here."""
    play = [{"name": "Base", "hosts": "all", "gather_facts": False, "roles": ["rumpkernel.rump.rump_base"]}]
    wrong = {"rump_base_hostname": "web", "rump_base_interfaces": [{"nam": "shmif0"}]}
    run = run_playbook(tmp_path, play, inventory_of({"k1": {"ansible_rump_server": "unix:///nowhere", **wrong}}))
    assert run.code == 2
    assert "missing required arguments: name found in interfaces" in run.results[-1].result["msg"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_rump_base_in_twelve_steps(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    """Made, changed and removed: foretold, done, and then nothing is foretold or done."""
    (tmp_path / "name.j2").write_text("I am {{ rump_base_hostname }}\n")
    interface = {"name": "shmif0", "linkstr": str(tmp_path / "bus")}
    made: dict[str, Any] = {
        "rump_base_hostname": "web",
        "rump_base_sysctls": {"net.inet.ip.ttl": 32},
        "rump_base_interfaces": [{**interface, "addresses": ["192.0.2.1/24"]}],
        "rump_base_routes": [{"dest": "default", "gateway": "192.0.2.254"}],
        "rump_base_mounts": [{"path": "/data", "src": "tmpfs", "fstype": "tmpfs"}],
        "rump_base_files": [{"path": "/www", "mode": "0750"}],
        "rump_base_copies": [{"dest": "/copied", "content": "told\n", "mode": "0640"}],
        "rump_base_templates": [{"dest": "/templated", "src": str(tmp_path / "name.j2"), "mode": "0644"}],
    }
    changed = {
        **made,
        "rump_base_hostname": "db",
        "rump_base_sysctls": {"net.inet.ip.ttl": 33},
        "rump_base_interfaces": [{**interface, "addresses": ["192.0.2.2/24"]}],
        "rump_base_network_purge": "addresses,routes",
        "rump_base_files": [{"path": "/www", "mode": "0755"}],
        "rump_base_copies": [{"dest": "/copied", "content": "other\n", "mode": "0640"}],
    }
    removed: dict[str, Any] = {
        "rump_base_interfaces": [{"name": "shmif0", "state": "absent"}],
        "rump_base_mounts": [{"path": "/data", "state": "unmounted"}],
        "rump_base_files": [{"path": path, "state": "absent"} for path in ("/www", "/copied", "/templated")],
    }
    look: list[dict[str, Any]] = [
        {"name": "Look at the name", "rumpkernel.rump.rump_sysctl_info": {"name": "kern.hostname"}},
        {"name": "Look at a sysctl", "rumpkernel.rump.rump_sysctl_info": {"name": "net.inet.ip.ttl"}},
        {"name": "Look at the network", "rumpkernel.rump.rump_net_info": {"gather_subset": ["interfaces", "routes"]}},
        {"name": "Look at the files", "rumpkernel.rump.rump_find": {"paths": "/", "file_type": "any"}},
    ]
    base = {"name": "Base", "hosts": "all", "gather_facts": False}
    plays = [{**base, "post_tasks": look}] + [
        {**base, "roles": ["rumpkernel.rump.rump_base"], "vars": variables, "check_mode": check, "post_tasks": look}
        for variables in (made, changed, removed)
        for check in (True, False, True, False)
    ]
    with running(backend, tmp_path) as server:
        record_property("backend", server.description)
        run = run_playbook(tmp_path, plays, inventory_of({"k1": {"ansible_rump_server": server.url}}), limit=500)
    assert run.code == 0, run.output
    assert "WARNING" not in run.output

    def settled(told: dict[str, Any]) -> Any:
        """Without what a network does by itself: counters, and the states of addresses."""
        if "interfaces" not in told:
            return told
        addresses = {name: interface["addresses"] for name, interface in told["interfaces"].items()}
        return addresses, [(route["dest"], route["gateway"]) for route in told["routes"]]

    seen: list[list[Any]] = [[]]
    changes: list[list[str]] = [[]]
    for result in run.results:
        if result.task.startswith("Look"):
            seen[-1].append(settled(result.result))
            if result.task == "Look at the files":
                seen.append([])
                changes.append([])
        elif result.changed:
            changes[-1].append(result.task.partition(" : ")[2])
    assert len(seen) == 14
    for first in (1, 5, 9):
        assert changes[first]
        assert changes[first] == changes[first + 1]
        assert changes[first + 2] == changes[first + 3] == []
        assert seen[first - 1] == seen[first]
        assert seen[first] != seen[first + 1]
        assert seen[first + 1] == seen[first + 2] == seen[first + 3]


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"rump_base_files": [{"path": "/www", "mod": "0755"}]}, "rump_base_files.mod"),
        ({"rump_base_mounts": [{"pth": "/data", "fstype": "tmpfs"}]}, "path found in rump_base_mounts"),
        ({"rump_base_copies": [{"dest": "/a", "contents": "b"}]}, "rump_base_copies.contents"),
        ({"rump_base_templates": [{"dest": "/a"}]}, "src found in rump_base_templates"),
    ],
)
def test_rump_base_names_what_is_wrong_first(variables: dict[str, Any], message: str, tmp_path: Path) -> None:
    play = [{"name": "Base", "hosts": "all", "gather_facts": False, "roles": ["rumpkernel.rump.rump_base"]}]
    # Whatever reaches for the kernel ends otherwise, since there is none.
    hosts = {"k1": {"ansible_rump_server": "unix:///nowhere", "rump_base_hostname": "web", **variables}}
    run = run_playbook(tmp_path, play, inventory_of(hosts))
    assert run.code == 2
    assert message in run.results[-1].result["msg"]


def test_rump_base_takes_the_options_of_the_modules(tmp_path: Path) -> None:
    """All of them, and hands each on."""
    role = ROOT / "roles/rump_base"
    specification = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    tasks = {
        next(iter(task.keys() - {"name", "loop", "loop_control", "when"})): task
        for task in yaml.safe_load((role / "tasks/main.yml").read_text())
    }
    for variable, module in (
        ("rump_base_mounts", "rumpkernel.rump.rump_mount"),
        ("rump_base_files", "rumpkernel.rump.rump_file"),
        ("rump_base_copies", "rumpkernel.rump.rump_copy"),
        ("rump_base_templates", "rumpkernel.rump.rump_template"),
    ):
        shown = subprocess.run(
            [BIN / "ansible-doc", "--json", "--type", "module", module],
            cwd=ROOT,
            capture_output=True,
            check=True,
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
        )
        options = json.loads(shown.stdout)[module]["doc"]["options"]
        own = {
            name: option
            for name, option in options.items()
            if name not in ("server", "connect_timeout", "call_timeout")
        }

        def form(option: dict[str, Any]) -> list[Any]:
            said = ((name, option.get(name)) for name in ("elements", "choices", "required"))
            return [option.get("type", "str"), *((name, value or None) for name, value in said)]

        entries = specification[variable]["options"]
        assert {name: form(option) for name, option in entries.items()} == {
            name: form(option) for name, option in own.items()
        }, variable
        assert tasks[module][module].keys() == own.keys()


# Each test runs several playbooks, which takes a while on a busy machine.
pytestmark = pytest.mark.timeout(1000)
LIMIT = 300.0
HERE = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
HOST = {"all": {"hosts": {"vmhost": HERE}}}
COMPONENTS = ["rumpvfs", "rumpdev", "rumpdev_disk", "rumpnet", "rumpnet_net", "rumpnet_netinet", "rumpnet_shmif"]


class Host:
    """A host with the role rump_server, below a folder of its own."""

    def __init__(self, backend: str, folder: Path) -> None:
        self.folder = folder
        self.top = folder / "host"
        self.top.mkdir()
        self.variables: dict[str, Any] = {
            "rump_server_backend": backend,
            "rump_server_binary": rump_server() or "rump_server",
            "rump_server_run_directory": str(self.top / "run"),
            "rump_server_state_directory": str(self.top / "lib"),
            "rump_server_inventory_directory": str(folder / "kernels"),
            "rump_server_components": COMPONENTS,
        }

    def converge(self, *instances: dict[str, Any], then: list[dict[str, Any]] | None = None, **more: Any) -> Run:
        arguments = more.pop("arguments", ())
        variables = {**self.variables, "rump_server_instances": list(instances), **more}
        plays = play(vars=variables, roles=["rumpkernel.rump.rump_server"])
        return run_playbook(self.folder, plays + (then or []), HOST, *arguments, limit=LIMIT)

    def url(self, name: str) -> str:
        return f"unix://{self.top}/run/{name}/socket"

    def pid(self, name: str) -> int:
        return int(json.loads((self.top / f"run/{name}.process").read_text())["pid"])


# The real kernel where there is one: the simulated one is met by Molecule's scenario.
@pytest.fixture(params=BACKENDS[-1:])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    # Not tmp_path: the test's name would make the sockets' paths too long.
    made = Host(request.param.partition("-")[0], tmp_path_factory.mktemp("h"))
    try:
        yield made
    finally:
        for record in made.top.glob("run/*.process"):
            with contextlib.suppress(ValueError, ProcessLookupError):
                os.killpg(json.loads(record.read_text())["pid"], signal.SIGKILL)


def is_there(url: str) -> bool:
    return os.path.exists(url.removeprefix("unix://"))


def test_rump_server(host: Host, record_property) -> None:  # type: ignore[no-untyped-def]
    group = grp.getgrgid(os.getgroups()[-1] if os.geteuid() else 1).gr_name
    instances = [
        {"name": "k1", "disks": [{"key": "/disk", "size": "1m"}], "memory": "64m", "cpus": 1},
        {"name": "k2", "groups": ["web"], "vars": {"color": "red"}},
    ]

    # The kernels are in the inventory of the plays that follow.
    base = {
        "name": "Base",
        "hosts": "rump_kernels",
        "gather_facts": False,
        "roles": ["rumpkernel.rump.rump_base"],
        "vars": {"rump_base_hostname": "{{ inventory_hostname }}-{{ color | default('white') }}"},
    }
    # In check mode they are not, as long as they do not run.
    foretold = host.converge(*instances, rump_server_group=group, arguments=("--check",), then=[base])
    assert foretold.code == 0, foretold.output
    assert list(host.top.iterdir()) == []
    assert {result.host for result in foretold.results} == {"vmhost"}

    made = host.converge(*instances, rump_server_group=group, then=[base])
    assert made.code == 0, made.output
    names = {}
    for name in ("k1", "k2"):
        with connect(host.url(name)) as kernel:
            banner = kernel.session.banner.removeprefix("RUMPSP-0.4-").strip()
            record_property("backend", f"{host.variables['rump_server_backend']} {banner} over unix")
            names[name] = kernel.sysctl.get("kern.hostname")
            assert kernel.exists("/disk") == (name == "k1")
    assert names == {"k1": "k1-white", "k2": "k2-red"}
    socket, folder = Path(f"{host.top}/run/k1/socket").stat(), Path(f"{host.top}/run/k1").stat()
    assert (socket.st_mode & 0o777, folder.st_mode & 0o777) == (0o660, 0o750)
    assert grp.getgrgid(socket.st_gid).gr_name == grp.getgrgid(folder.st_gid).gr_name == group
    assert (host.top / "lib/k1/disk.img").stat().st_size == 1 << 20
    told = json.loads((host.folder / "kernels/k2.json").read_text())
    assert told == {
        "name": "k2",
        "url": host.url("k2"),
        "groups": ["rump_kernels", "web"],
        "vars": {"rump_components": COMPONENTS, "color": "red"},
    }

    # The inventory plugin finds them by what the role has written.
    fleet = host.folder / "fleet.rump.yml"
    fleet.write_text(json.dumps({"plugin": "rumpkernel.rump.rump", "launched": [str(host.folder / "kernels")]}))
    answer = run_ad_hoc(
        host.folder, "-i", str(fleet), "web", "-m", "rumpkernel.rump.rump_sysctl_info", "-a", "name=kern.hostname"
    )
    assert '"kern.hostname": "k2-red"' in answer.stdout, answer.stdout

    before = {name: host.pid(name) for name in ("k1", "k2")}
    again = host.converge(*instances, rump_server_group=group, then=[base])
    assert again.code == 0, again.output
    assert again.changed == []

    checked = host.converge(*instances, rump_server_group=group, then=[base], arguments=("--check",))
    assert (checked.code, checked.changed) == (0, []), checked.output
    assert {result.host for result in checked.results} == {"vmhost", "k1", "k2"}

    # Other options start that kernel anew, and no other.
    instances[0]["environment"] = {"SOMETHING": "other"}
    other = host.converge(*instances, rump_server_group=group)
    assert [result.result["changes"] for result in other.changed] == [["stop k1", "start k1"]], other.output
    assert host.pid("k1") != before["k1"]
    assert host.pid("k2") == before["k2"]

    # What is removed leaves nothing.
    gone = host.converge(*({**instance, "state": "absent"} for instance in instances))
    assert gone.code == 0, gone.output
    assert gone.changed
    assert list(host.top.iterdir()) == []
    assert list((host.folder / "kernels").iterdir()) == []
    for pid in before.values():
        assert group_ended(pid)
    again = host.converge(*({**instance, "state": "absent"} for instance in instances))
    assert again.changed == []


def test_rump_server_stops_restarts_and_keeps_running(host: Host) -> None:
    disk = {"name": "k1", "disks": [{"key": "/disk", "size": "64k"}]}
    assert host.converge(disk).code == 0
    image = host.top / "lib/k1/disk.img"
    image.write_bytes(b"kept".ljust(1 << 16))

    # A kernel that dies is started again by its supervisor.
    children = Path(f"/proc/{host.pid('k1')}/task/{host.pid('k1')}/children")
    if children.exists():
        os.kill(int(children.read_text().split()[0]), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(Exception), connect(host.url("k1")) as kernel:
                kernel.sysctl.get("kern.hostname")
                break
            assert time.monotonic() < deadline
            time.sleep(0.1)

    pid = host.pid("k1")
    assert host.converge({**disk, "state": "restarted"}).changed
    assert host.pid("k1") != pid
    stopped = host.converge({**disk, "state": "stopped"})
    assert stopped.changed, stopped.output
    assert image.read_bytes().startswith(b"kept")
    assert group_ended(host.pid("k1"))
    assert host.converge({**disk, "state": "stopped"}).changed == []
    assert host.converge({**disk, "state": "absent"}).code == 0
    assert list(host.top.iterdir()) == []


def test_rump_server_says_why_a_kernel_does_not_come_up(host: Host) -> None:
    run = host.converge({"name": "k1", "options": ["--no-such-option"]})
    assert run.code == 2
    message = next(result for result in run.results if result.status == "failed").result["msg"]
    assert "k1.process: no answer at unix://" in message
    assert "it ended" in message
    assert "usage" in message.lower() or "option" in message.lower()


def test_rump_server_without_files(host: Host) -> None:
    """A kernel that has no file systems, and a play that says how its hosts are reached."""
    made = host.converge({"name": "k1", "components": []}, ansible_connection="local")
    assert made.code == 0, made.output
    with connect(host.url("k1")) as kernel:
        assert kernel.sysctl.get("kern.ostype") == "NetBSD"
    assert host.converge({"name": "k1", "components": []}, ansible_connection="local").changed == []


@pytest.mark.parametrize(
    ("instances", "variables", "message"),
    [
        ([{"name": "../k1"}], {}, "rump_server_instances: ../k1: name: names are of letters"),
        ([{"name": "k" * 120}], {}, "103 bytes"),
        ([{"nam": "k1"}], {}, "missing required arguments: name found in rump_server_instances"),
        ([{"name": "vmhost"}], {}, "rump_server_instances: vmhost: name: that is the name of a host of the play"),
        ([{"name": "k1", "memory": "lots"}, {"name": "k2", "cpus": -1}], {}, "k2: cpus: -1: give a number from 1"),
        ([{"name": "k1", "components": "rumpvfs,rumpnet"}], {}, "k1: components: 'rumpvfs,rumpnet': give a list"),
        ([{"name": "k1", "url": "http://foo"}], {}, "k1: url: 'http://foo': give unix:///PATH"),
        ([{"name": "k1"}], {"rump_server_socket_mode": 660}, "rump_server_socket_mode: 660 is no mode"),
        ([{"name": "k1"}], {"rump_server_timeout": 0}, "rump_server_timeout: 0"),
        ([{"name": "k1", "disks": [{"key": "/disk"}]}], {}, "k1: there is no "),
        ([{"name": "k1", "url": "unix:///nowhere/socket"}], {}, "k1: there is no /nowhere on the host"),
    ],
)
def test_rump_server_refuses(
    instances: list[dict[str, Any]], variables: dict[str, Any], message: str, tmp_path: Path
) -> None:
    run = Host("simulated", tmp_path).converge(*instances, **variables)
    assert run.code == 2
    assert message in run.results[-1].result["msg"]
    assert list((tmp_path / "host").iterdir()) == []


def test_rump_server_on_two_hosts(tmp_path: Path) -> None:
    """The inventory has one kernel of a name. One that is to go may be so on all hosts."""
    made = Host("simulated", tmp_path)
    hosts = {"all": {"hosts": {name: {**HERE, "state": state} for name, state in (("a", "started"), ("b", "{{ b }}"))}}}
    plays = play(
        {"ansible.builtin.include_role": {"name": "rumpkernel.rump.rump_server", "tasks_from": "resolve"}},
        vars={**made.variables, "rump_server_instances": [{"name": "web", "state": "{{ state }}"}]},
    )
    refused = run_playbook(tmp_path, plays, hosts, "-e", "b=started")
    assert refused.code == 2
    assert "rump_server_instances: web: names are unique among all hosts" in refused.results[-1].result["msg"]
    taken = run_playbook(tmp_path, plays, hosts, "-e", "b=absent")
    assert taken.code == 0, taken.output


def test_rump_server_on_another_host_is_reached_over_ssh(tmp_path: Path) -> None:
    hosts = {
        "far": {"ansible_host": "192.0.2.7", "ansible_user": "admin"},
        "sixth": {"ansible_host": "2001:db8::7", "ansible_port": 22},
        "near": HERE,
        "full": {**HERE, "ansible_connection": "ansible.builtin.local"},
    }
    # The names differ, since the kernels are hosts of one inventory.
    instances = [
        {"name": "socket-{{ inventory_hostname }}"},
        {"name": "everywhere-{{ inventory_hostname }}", "url": "tcp://0:12345"},
        {"name": "loopback-{{ inventory_hostname }}", "url": "tcp://127.0.0.1:12346/"},
        {"name": "told-{{ inventory_hostname }}", "reached_at": "tcp://10.0.0.1:1"},
        {"name": "all6-{{ inventory_hostname }}", "url": "tcp6://[::]:12347"},
    ]
    tasks = play(
        {"ansible.builtin.include_role": {"name": "rumpkernel.rump.rump_server", "tasks_from": "resolve"}},
        {"ansible.builtin.debug": {"msg": "{{ rump_server_kernels | map(attribute='url') | list }}"}},
        vars={"rump_server_instances": instances},
    )
    run = run_playbook(tmp_path, tasks, {"all": {"hosts": hosts}})
    urls = {result.host: result.result["msg"] for result in run.results if "msg" in result.result}

    def here(name: str) -> list[str]:
        return [
            f"unix:///run/rump/socket-{name}/socket",
            "tcp://127.0.0.1:12345",
            "tcp://127.0.0.1:12346/",
            "tcp://10.0.0.1:1",
            "tcp6://[::1]:12347",
        ]

    assert all(parse_url(url) for told in urls.values() for url in told)
    assert urls == {
        "far": [
            "ssh://admin@192.0.2.7/run/rump/socket-far/socket",
            "tcp://192.0.2.7:12345",
            "ssh://admin@192.0.2.7/tcp/127.0.0.1:12346",
            "tcp://10.0.0.1:1",
            "tcp6://192.0.2.7:12347",
        ],
        "sixth": [
            "ssh://[2001:db8::7]:22/run/rump/socket-sixth/socket",
            "ssh://[2001:db8::7]:22/tcp/127.0.0.1:12345",
            "ssh://[2001:db8::7]:22/tcp/127.0.0.1:12346",
            "tcp://10.0.0.1:1",
            "tcp6://[2001:db8::7]:12347",
        ],
        "near": here("near"),
        "full": here("full"),
    }, run.output


def test_rump_server_writes_units_that_systemd_takes(tmp_path: Path) -> None:
    """Rendered here, and held to systemd's own check where that is; no systemd starts them in this test."""
    instances = [
        {"name": "plain", "disks": [{"key": "/disk", "size": "1m"}], "environment": {"TEXT": "100% of it"}},
        {"name": "tap", "components": ["rumpnet", "rumpnet_virtif", "rumpkern_sljit"], "url": "tcp://0:12345"},
        {
            "name": "elsewhere",
            "disks": [{"key": "/device", "path": "/dev/null"}, {"key": "/image", "path": "/srv/an image"}],
            "url": "unix:///tmp/socket",
        },
    ]
    template = {"src": str(ROOT / "roles/rump_server/templates/unit.service.j2"), "mode": "0644"}
    tasks = play(
        {
            "ansible.builtin.include_role": {
                "name": "rumpkernel.rump.rump_server",
                "tasks_from": "resolve",
                "public": True,
            }
        },
        {
            "ansible.builtin.template": {**template, "dest": f"{tmp_path}/rump-{{{{ item.name }}}}.service"},
            "loop": "{{ rump_server_kernels }}",
        },
        {
            "ansible.builtin.template": {
                **template,
                "src": str(ROOT / "roles/rump_server/templates/tmpfiles.conf.j2"),
                "dest": f"{tmp_path}/tmpfiles.conf",
            },
            "vars": {
                "item": "{{ rump_server_kernels[0] }}",
                "rump_server_run_directory": "/run/a b%c",
                "rump_server_group": "operators",
            },
        },
        {
            "ansible.builtin.template": {**template, "dest": f"{tmp_path}/in-tmp.service"},
            "vars": {"item": "{{ rump_server_kernels[0] | combine({'command': ['/tmp/program', '-s']}) }}"},
        },
        vars={
            "rump_server_instances": instances,
            "rump_server_binary": shutil.which("true"),
            "rump_server_user": "daemon",
        },
    )
    run = run_playbook(tmp_path, tasks, HOST)
    assert run.code == 0, run.output
    names = ("plain", "tap", "elsewhere")
    plain, tap, elsewhere = ((tmp_path / f"rump-{name}.service").read_text() for name in names)
    assert "-d key=/disk,hostpath=/var/lib/rump/plain/disk.img,size=1048576 unix:///run/rump/plain/socket\n" in plain
    assert 'Environment="TEXT=100%% of it"\n' in plain
    assert "\nMemoryDenyWriteExecute=true\n" in plain
    assert "\nPrivateDevices=true\n" in plain
    assert "\nDeviceAllow=/dev/net/tun rw\n" in tap
    assert "MemoryDenyWriteExecute" not in tap
    assert '\nReadWritePaths=/run/rump/elsewhere /run/rump/buses /tmp "/srv/an image"\n' in elsewhere
    assert "\nDevicePolicy=closed\nDeviceAllow=/dev/null rw\n" in elsewhere
    assert "PrivateDevices" not in elsewhere
    # Its own /tmp would not have the socket that others are to reach, or the program.
    assert ("PrivateTmp=true" in plain, "PrivateTmp" in elsewhere) == (True, False)
    assert "PrivateTmp" not in (tmp_path / "in-tmp.service").read_text()
    assert 'd "/run/a b%%c/buses" 2750 daemon operators -\n' in (tmp_path / "tmpfiles.conf").read_text()
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("there is no systemd-analyze, which checks the units of rump_server")
    for name in names:
        unit = str(tmp_path / f"rump-{name}.service")
        done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_argument_specs_name_every_default() -> None:
    """The defaults that ansible-doc tells are those that hold."""
    for role in (ROOT / "roles").iterdir():
        specification = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]
        told = {name: option["default"] for name, option in specification["options"].items() if "default" in option}
        assert told == yaml.safe_load((role / "defaults/main.yml").read_text()), role.name
