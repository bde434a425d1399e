# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role rumprun: with a stand-in for QEMU and Xen, with QEMU where it is, with an image where there is one."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.transport import parse_url
from ansible_collections.rumpkernel.rump.tests.support.filesystems import FFS_IMAGE
from ansible_collections.rumpkernel.rump.tests.support.hypervisor_stand_in import (
    HALTS,
    command_lines,
    domains,
    install,
    make_domain,
    stored,
)
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Run, play, run_playbook
from ansible_collections.rumpkernel.rump.tests.support.ports import free_port
from ansible_collections.rumpkernel.rump.tests.support.processes import group_ended
from ansible_collections.rumpkernel.rump.tests.support.rumprun_guest import boot
from ansible_collections.rumpkernel.rump.tests.support.unikernels import QEMU, lacking

HERE = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


class Host:
    """A host with the role rumprun, below a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.top = folder / "host"
        self.programs = install(folder / "programs")
        self.image = folder / "image.bin"
        self.image.write_text("an image")
        self.variables: dict[str, Any] = {
            "rumprun_platform": "qemu",
            "rumprun_qemu": str(self.programs / "qemu"),
            "rumprun_run_directory": str(self.top / "run"),
            "rumprun_state_directory": str(self.top / "lib"),
            "rumprun_inventory_directory": str(folder / "kernels"),
        }

    def plays(self, *instances: dict[str, Any], hosts: str = "all", **more: Any) -> list[dict[str, Any]]:
        variables = {**self.variables, "rumprun_instances": list(instances), **more}
        return play(vars=variables, roles=["rumpkernel.rump.rumprun"], hosts=hosts)

    def run(self, plays: list[dict[str, Any]], *arguments: str, hosts: dict[str, Any] | None = None) -> Run:
        environment = {"PATH": f"{self.programs}:{os.environ['PATH']}"}
        inventory = {"all": {"hosts": hosts or {"vmhost": HERE}}}
        return run_playbook(self.folder, plays, inventory, *arguments, environment=environment)

    def converge(self, *instances: dict[str, Any], check: bool = False, **more: Any) -> Run:
        return self.run(self.plays(*instances, **more), *(["--check"] if check else []))

    def pid(self, name: str) -> int:
        return int(json.loads((self.top / f"run/{name}.process").read_text())["pid"])


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    try:
        yield made
    finally:
        for record in made.top.glob("run/*.process"):
            with contextlib.suppress(ValueError, ProcessLookupError):
                os.killpg(json.loads(record.read_text())["pid"], signal.SIGKILL)
        for domain in made.programs.glob("*.domain"):
            domain.unlink()


def guest(host: Host, name: str, **more: Any) -> dict[str, Any]:
    interfaces = [{"backend": "user", "ipv4": "dhcp"}, {"backend": "tap", "device": "tap0", "ipv4": "192.0.2.2/24"}]
    return {
        "name": name,
        "image": str(host.image),
        "forward": f"127.0.0.1:{free_port()}",
        "disks": [{"size": "64k", "mountpoint": "/data"}, {"size": "1m"}],
        "interfaces": interfaces,
        "arguments": ["-v", "two words"],
        **more,
    }


def test_a_guest_is_foretold_started_and_destroyed(host: Host) -> None:
    web = guest(host, "web", groups=["webservers"], vars={"color": "red"})
    url = f"tcp://{web['forward']}"

    foretold = host.converge(web, check=True)
    assert foretold.code == 0, foretold.output
    assert not host.top.exists()
    [lines] = [result.result for result in foretold.results if result.task.endswith("Show the command lines")]
    [shown] = [line["msg"] for line in lines["results"]]

    made = host.converge(web)
    assert made.code == 0, made.output
    [ran] = command_lines(host.programs)
    # It is what the dry run has shown.
    assert shlex.split(shown) == [str(host.programs / "qemu"), *ran[1:]]
    assert [ran[place + 1] for place, word in enumerate(ran) if word == "-drive"] == [
        f"if=virtio,format=raw,file={host.top}/lib/web/disk0.img",
        f"if=virtio,format=raw,file={host.top}/lib/web/disk1.img",
    ]
    assert (host.top / "lib/web/disk1.img").stat().st_size == 1 << 20
    assert "sysproxy listening" in (host.top / "lib/web/console.log").read_text()
    with connect(url) as kernel:
        assert kernel.sysctl.get("kern.hostname") == "web"
    assert json.loads((host.folder / "kernels/web.json").read_text()) == {
        "name": "web",
        "url": url,
        "groups": ["rump_kernels", "webservers"],
        "vars": {"color": "red"},
    }

    again = host.converge(web)
    assert again.code == 0, again.output
    assert again.changed == []

    pid = host.pid("web")
    gone = host.converge({"name": "web", "state": "absent"})
    assert gone.code == 0, gone.output
    assert group_ended(pid)
    assert list(host.top.rglob("*")) == []
    assert list((host.folder / "kernels").iterdir()) == []


def test_other_options_and_a_stop(host: Host) -> None:
    web = guest(host, "web")
    assert host.converge(web).code == 0
    pid = host.pid("web")
    web["environment"] = {"A": "b"}
    other = host.converge(web)
    assert [result.result["changes"] for result in other.changed] == [["stop web", "start web"]], other.output
    assert host.pid("web") != pid

    pid = host.pid("web")
    stopped = host.converge({**web, "state": "stopped"})
    assert [result.result["changes"] for result in stopped.changed] == [["stop web"]], stopped.output
    assert group_ended(pid)
    assert (host.top / "lib/web/disk0.img").exists()
    assert "sysproxy listening" in (host.top / "lib/web/console.log").read_text()


def test_a_guest_that_does_not_come_up_shows_its_console(host: Host) -> None:
    host.image.write_text(HALTS)
    run = host.converge(guest(host, "web"))
    assert run.code == 2
    message = next(result for result in run.results if result.status == "failed").result["msg"]
    assert "it halted; it said: rump kernel bare metal bootstrap / PANIC: as it was asked to / halted" in message


def test_a_guest_that_halted_is_started_anew(host: Host) -> None:
    """QEMU goes on when its guest has halted."""
    web = guest(host, "web")
    assert host.converge(web).code == 0
    pid = host.pid("web")
    with (host.top / "lib/web/console.log").open("a") as console:
        console.write("unmounting done\nhalted\n")
    again = host.converge(web)
    assert [result.result["changes"] for result in again.changed] == [["stop web", "start web"]], again.output
    assert host.pid("web") != pid
    assert host.converge(web).changed == []


def xen_guest(host: Host, **more: Any) -> dict[str, Any]:
    interfaces = [{"backend": "bridge", "device": "xenbr0", "ipv4": "dhcp"}]
    return guest(host, "db", platform="xen", port=free_port(), address="127.0.0.1", interfaces=interfaces, **more)


def hostname_of(db: dict[str, Any]) -> str:
    with connect(f"tcp://127.0.0.1:{db['port']}") as kernel:
        return kernel.sysctl.get("kern.hostname")


def answers(db: dict[str, Any]) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", db["port"]), timeout=5):
        return True
    return False


def until(met: Callable[[], bool]) -> bool:
    """Whether a condition is met within half a minute."""
    deadline = time.monotonic() + 30
    while not met() and time.monotonic() < deadline:
        time.sleep(0.05)
    return met()


def process_of(word: str, host: Host) -> int:
    """The number of the stand-in's process that does this."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().decode().split("\0")
            if str(host.programs) in words and word in words:
                return int(process.name)
    raise LookupError(word)


def test_xen(host: Host) -> None:
    # The last would be one more variable of the environment if the store undid escapes.
    arguments = ['say "no"', "C:\\x", "a\\nb", 'x","env":"MORE=1']
    db = xen_guest(host, arguments=arguments, environment={"PATTERN": r"a\nb"})
    made = host.converge(db)
    assert made.code == 0, made.output
    assert hostname_of(db) == "db"
    calls = command_lines(host.programs)
    store = "/local/domain/7/rumprun"
    configuration = calls[4][-1]
    assert [call[:3] if call[0] == "xl" else call for call in calls] == [
        # The first looks for a domain that was left behind.
        *(["xl", "domid", "db"], ["xl", "domid", "db"], ["xl", "create", "-p"], ["xl", "domid", "db"]),
        ["xenstore-write", "-R", f"{store}/launcher", "rumpkernel.rump", f"{store}/cfg", configuration],
        *(["xl", "unpause", "7"], ["xl", "console", "7"]),
    ]
    booted = boot(stored(host.programs, f"{store}/cfg").read_text())
    assert booted.programs == [(["db", *arguments], "")]
    assert booted.environment == {"PATTERN": r"a\nb", "RUMPRUN_SYSPROXY": f"tcp://0:{db['port']}"}
    assert "sysproxy listening" in (host.top / "lib/db/console.log").read_text()
    assert host.converge(db).changed == []

    gone = host.converge({**db, "state": "absent"})
    assert gone.code == 0, gone.output
    assert [call for call in command_lines(host.programs)[len(calls) :] if "destroy" in call] == [
        ["xl", "destroy", "7"]
    ]
    assert domains(host.programs) == {}
    assert until(lambda: not answers(db))
    assert list(host.top.rglob("*")) == []


def test_a_domain_goes_when_its_console_ends(host: Host) -> None:
    db = xen_guest(host)
    assert host.converge(db).code == 0
    os.kill(process_of("console", host), signal.SIGTERM)
    # Its supervisor starts it anew.
    assert until(lambda: list(domains(host.programs)) == [8])
    # The next one would have found out first whose domain it is.
    assert "xenstore-read" not in [call[0] for call in command_lines(host.programs)]
    assert until(lambda: answers(db))
    assert host.converge(db).changed == []
    # A domain that ends by itself is not started anew, and what xl left behind does not count as its process.
    (host.programs / "8.domain").unlink()
    again = host.converge(db)
    assert [result.result["changes"] for result in again.changed] in (
        [["start db"]],
        [["stop db", "start db"]],  # the console was not yet at its end
    ), again.output
    assert list(domains(host.programs)) == [9]


@pytest.mark.parametrize("state", ["started", "stopped", "absent"])
def test_a_domain_whose_process_was_killed(host: Host, state: str) -> None:
    db = xen_guest(host)
    assert host.converge(db).code == 0
    os.killpg(host.pid("db"), signal.SIGKILL)
    assert domains(host.programs) == {7: "db"}
    assert answers(db)
    run = host.converge({**db, "state": state})
    assert run.code == 0, run.output
    assert run.changed, run.output
    assert list(domains(host.programs)) == ([8] if state == "started" else [])
    if state == "started":
        assert hostname_of(db) == "db"
    else:
        assert until(lambda: not answers(db))
        assert host.converge({**db, "state": state}).changed == []
        assert (host.top / "lib/db").exists() == (state == "stopped")


def test_domains_of_others_are_left_alone(host: Host) -> None:
    theirs = make_domain(host.programs, 'name="db"', 'kernel="/theirs"')
    db = xen_guest(host)
    run = host.converge(db, rumprun_timeout=6)
    assert run.code == 2
    message = next(result for result in run.results if result.status == "failed").result["msg"]
    assert "there is a domain db (number 7) that was not started as this guest; it is left alone" in message
    assert host.converge({**db, "state": "absent"}).code == 0
    assert domains(host.programs) == {theirs: "db"}


@pytest.mark.parametrize(
    ("instances", "message"),
    [
        ([{"name": "a", "environment": {"A": 'b"'}}], "environment: A: the guest cannot be given"),
        ([{"name": "a"}, {"name": "b"}], "no two guests serve sysproxy at the same address and port"),
        (
            [{"name": "a", "forward": "0.0.0.0:7"}, {"name": "b", "forward": "127.0.0.1:7"}],
            "no two guests serve sysproxy at the same address and port",
        ),
        ([{"name": "a", "forward": "999.0.0.1:7"}], "forward: '999.0.0.1:7' is no ADDRESS:PORT"),
        ([{"name": "a", "image": "/no/such/image"}], "/no/such/image"),
        ([{"name": "a", "image": "~/web.bin"}], "image: '~/web.bin' does not begin with a /"),
    ],
)
def test_refusals(host: Host, instances: list[dict[str, Any]], message: str) -> None:
    interfaces = [{"backend": "user", "ipv4": "dhcp"}]
    run = host.converge(*({"image": str(host.image), "interfaces": interfaces, **each} for each in instances))
    assert run.code == 2, run.output
    assert message in run.output
    assert not host.top.exists()


def test_guests_on_several_hosts(host: Host) -> None:
    """Two hosts that are both this machine, each with its folder of records."""
    hosts = {
        name: {**HERE, "run": f"{host.top}/{name}", "instances": [{**guest(host, "web"), "state": state}]}
        for name, state in (("vm1", "stopped"), ("vm2", "stopped"))
    }
    host.variables |= {"rumprun_run_directory": "{{ run }}/run", "rumprun_state_directory": "{{ run }}/lib"}
    plays = host.plays()
    plays[0]["vars"]["rumprun_instances"] = "{{ instances }}"
    both = host.run(plays, hosts=hosts)
    assert both.code == 2, both.output
    assert "web is on several" in both.output
    assert not host.top.exists()

    # It moves, and its file stays.
    file = host.folder / "kernels/web.json"
    hosts["vm2"]["instances"] = []
    assert host.run(plays, hosts=hosts).code == 0
    first = json.loads(file.read_text())["url"]
    hosts["vm2"]["instances"] = [guest(host, "web")]
    hosts["vm1"]["instances"] = [{"name": "web", "state": "absent"}]
    moved = host.run(plays, hosts=hosts)
    assert moved.code == 0, moved.output
    assert json.loads(file.read_text())["url"] not in (first, None)
    assert host.run(plays, hosts=hosts).changed == []
    hosts["vm2"]["instances"] = [{"name": "web", "state": "absent"}]
    assert host.run(plays, hosts=hosts).code == 0
    assert not file.exists()


def test_a_guest_that_serves_no_sysproxy_any_more(host: Host) -> None:
    """And options that come as texts from the command line."""
    web = guest(host, "web", state="stopped", sysproxy="{{ flag }}")
    file = host.folder / "kernels/web.json"
    assert host.run(host.plays(web), "-e", "flag=true").code == 0
    assert file.exists()
    off = host.run(host.plays(web), "-e", "flag=false")
    assert off.code == 0, off.output
    assert not file.exists()
    assert host.run(host.plays(web), "-e", "flag=false").changed == []


def test_a_dry_run_hands_over_what_runs(host: Host) -> None:
    web, new = guest(host, "web"), guest(host, "new")
    plays = [
        *host.plays(web, new, hosts="vmhost"),
        *play({"rumpkernel.rump.rump_sysctl_info": {"name": "kern.ostype"}}),
    ]
    plays[1]["hosts"] = "rump_kernels"
    nothing = host.run(plays, "--check")
    assert nothing.code == 0, nothing.output
    assert (nothing.of("web"), nothing.of("new")) == ([], [])
    assert host.converge(web).code == 0
    one = host.run(plays, "--check")
    assert one.code == 0, one.output
    assert ([result.status for result in one.of("web")], one.of("new")) == (["ok"], [])
    # With other options it would be started anew, and perhaps be elsewhere.
    web["environment"] = {"A": "b"}
    assert host.run(plays, "--check").of("web") == []
    # The same where the play says it, and not the command.
    plays[0]["check_mode"] = True
    foretold = host.run(plays)
    assert foretold.of("web") == []
    assert [result.status for result in foretold.results if result.task.endswith("Show the command lines")] == ["ok"]


def test_a_guest_of_another_host_is_reached_over_ssh(tmp_path: Path) -> None:
    user = {"image": "/a", "interfaces": [{"backend": "user", "ipv4": "dhcp"}]}
    instances = [
        {"name": "loopback-{{ inventory_hostname }}", **user},
        {"name": "everywhere-{{ inventory_hostname }}", "forward": "0.0.0.0:7", **user},
        {"name": "told-{{ inventory_hostname }}", "forward": "127.0.0.1:8", "reached_at": "tcp://10.0.0.1:1", **user},
        {"name": "none", "sysproxy": False, **user},
    ]
    tasks = play(
        {"ansible.builtin.include_role": {"name": "rumpkernel.rump.rumprun", "tasks_from": "resolve"}},
        {"ansible.builtin.debug": {"msg": "{{ rumprun_guests | map(attribute='url') | list }}"}},
        vars={"rumprun_instances": instances},
    )
    far = {"ansible_host": "192.0.2.7", "ansible_user": "admin"}
    hosts = {
        "far": far,
        "far6": {**far, "ansible_host": "2001:db8::7", "ansible_port": 2222},
        "near": HERE,
        "nearer": {**HERE, "ansible_connection": "ansible.builtin.local"},
    }
    run = run_playbook(tmp_path, tasks, {"all": {"hosts": hosts}})
    urls = {result.host: result.result["msg"] for result in run.results if "msg" in result.result}
    here = ["tcp://127.0.0.1:12345", "tcp://127.0.0.1:7", "tcp://10.0.0.1:1", ""]
    assert urls == {
        "far": ["ssh://admin@192.0.2.7/tcp/127.0.0.1:12345", "tcp://192.0.2.7:7", "tcp://10.0.0.1:1", ""],
        "far6": [
            "ssh://admin@[2001:db8::7]:2222/tcp/127.0.0.1:12345",
            # All addresses of IPv4: not the one that the host is known by.
            "ssh://admin@[2001:db8::7]:2222/tcp/127.0.0.1:7",
            "tcp://10.0.0.1:1",
            "",
        ],
        "near": here,
        "nearer": here,
    }, run.output
    assert [str(parse_url(url)) for host in hosts for url in urls[host] if url] == [
        url for host in hosts for url in urls[host] if url
    ]


def echoing_image() -> bytes:
    """A multiboot kernel for QEMU that writes its command line to the serial line, and no more."""
    base, magic, flags = 0x100000, 0x1BADB002, 0x10000
    code = bytes.fromhex(
        "8b7310"  # mov esi, [ebx + 16]: the command line
        "66baf803"  # mov dx, 0x3f8: the serial line
        "ac84c07403"  # lodsb; test al, al; jz over the next two
        "eeebf8"  # out dx, al; jmp back to lodsb
        "b00aee"  # a line feed
        "f4ebfd"  # hlt; jmp back
    )
    end = base + 32 + len(code)
    return struct.pack("<8I", magic, flags, -(magic + flags) % (1 << 32), base, base, end, end, base + 32) + code


def test_qemu_hands_the_configuration_to_the_guest(host: Host) -> None:
    """QEMU takes the command line, and the guest gets its configuration byte by byte: commas, quotes, backslashes."""
    if not shutil.which(QEMU):
        pytest.skip(f"there is no {QEMU}, which boots a small kernel of the test's")
    host.image.write_bytes(echoing_image())
    told = guest(host, "web", arguments=["a,b,,c", 'say "no"', "", "C:\\x"], environment={"A": "b,c d"})
    # A second network of QEMU's own: a tap device would need rights.
    told["interfaces"][1] = {"backend": "user", "ipv4": "10.9.0.2/24"}
    run = host.converge(told, rumprun_qemu=QEMU, rumprun_timeout=6)
    assert run.code == 2
    failed = next(result for result in run.results if result.status == "failed").result
    assert "not within 6 s" in failed["msg"], run.output
    image, _blank, text = failed["log"][0].partition(" ")
    assert image == str(host.image)
    assert '"env":"A=b,c d"' in text
    assert r"""cmdline":"web a,b,,c 'say \"no\"' '' C:\\x"}""" in text
    assert len(failed["log"]) == 1
    gone = host.converge({"name": "web", "state": "absent"})
    assert gone.code == 0, gone.output


NETWORK = "rumpkernel.rump.rump_network"
TAP = "ip tuntap add tap0 mode tap && ip address add 10.7.0.1/24 dev tap0 && ip link set tap0 up && ip link set lo up"


@pytest.fixture
def real(host: Host, record_property) -> Host:  # type: ignore[no-untyped-def]
    """A host whose guests are real ones."""
    if reason := lacking():
        pytest.skip(reason)
    host.variables["rumprun_qemu"] = QEMU
    host.image = Path(os.environ["RUMPRUN_IMAGE"])
    record_property("backend", f"rumprun under QEMU, {host.image.name}")
    return host


def with_guest(host: Host, instance: dict[str, Any], *tasks: dict[str, Any], under: tuple[str, ...] = ()) -> Run:
    """Bring a real guest up, and then the tasks on it."""
    roles = {"vars": {**host.variables, "rumprun_instances": [instance]}, "roles": ["rumpkernel.rump.rumprun"]}
    plays = [*play(**roles), *play(*tasks)]
    plays[0]["hosts"], plays[1]["hosts"] = "vmhost", instance["name"]
    return run_playbook(host.folder, plays, {"all": {"hosts": {"vmhost": HERE}}}, under=under)


def test_a_real_guest_with_two_interfaces_and_two_disks(real: Host) -> None:
    disk = real.folder / "disk.img"
    disk.write_bytes(gzip.decompress(FFS_IMAGE.read_bytes()))
    interfaces = [
        {"backend": "user", "ipv4": "dhcp", "options": "restrict=on"},
        {"backend": "user", "ipv4": "10.9.0.2/24", "ipv4_gateway": "10.9.0.1", "ipv6": "2001:db8::2/64"},
    ]
    disks = [{"path": str(disk), "mountpoint": "/data"}, {"size": "1m"}]
    arguments = ["-v", "two words", 'say "no"', "", "C:\\x"]
    web = guest(
        real, "web", disks=disks, interfaces=interfaces, arguments=arguments, environment={"A": "b,c d"}, memory=96
    )
    tasks = [
        {"name": "Name", "rumpkernel.rump.rump_sysctl": {"name": "kern.domainname", "value": "example.net"}},
        {"name": "Network", "rumpkernel.rump.rump_net_info": {}},
        {"name": "Copy", "rumpkernel.rump.rump_copy": {"content": "hello\n", "dest": "/tmp/a", "mode": "0640"}},
        {"name": "Write", "rumpkernel.rump.rump_copy": {"content": "kept\n", "dest": "/data/a"}},
        {"name": "Raw", "rumpkernel.rump.rump_stat": {"path": "/dev/rld1d"}},
        {"name": "Unmount", "rumpkernel.rump.rump_mount": {"path": "/data", "state": "unmounted"}},
        {
            "name": "Cut",
            NETWORK: {"interfaces": [{"name": "vioif0", "addresses": ["10.0.2.99/24"]}], "purge": ["addresses"]},
            "ignore_errors": True,
        },
        {"name": "Other", NETWORK: {"interfaces": [{"name": "vioif1", "addresses": ["10.9.0.4/24"]}]}},
    ]
    run = with_guest(real, web, *tasks)
    assert run.code == 0, run.output
    console = (real.top / "lib/web/console.log").read_text()
    if "argv[" in console:  # a program that shows what it was given
        assert [
            text for place, text in enumerate(["web", *arguments]) if f"argv[{place}]=<{text}>" not in console
        ] == []
        assert "env <A=b,c d>" in console
    assert {result.task: (result.status, result.changed) for result in run.of("web")} == {
        **dict.fromkeys(("Name", "Copy", "Write", "Unmount", "Other"), ("ok", True)),
        **dict.fromkeys(("Network", "Raw"), ("ok", False)),
        "Cut": ("failed", False),
    }, run.output
    results = {result.task: result.result for result in run.of("web")}
    found = results["Network"]
    addresses = {name: found["interfaces"][name]["addresses"] for name in ("vioif0", "vioif1")}
    assert "10.0.2.15/24" in addresses["vioif0"]
    assert {"10.9.0.2/24", "2001:db8::2/64"} <= set(addresses["vioif1"])
    assert "sockets are left out" in " ".join(run.output.split())
    assert [way["gateway"] for way in found["routes"] if way["dest"] == "default"] == ["10.9.0.1"]
    assert "(10.0.2.15 on vioif0, from 10.0.2.2)" in results["Cut"]["msg"]
    assert results["Raw"]["stat"]["ischr"]

    assert real.converge(web).changed == []
    with connect(f"tcp://{web['forward']}") as kernel:
        assert kernel.sysctl.get("kern.hostname") == "web"
        assert {mounted.path for mounted in kernel.mounts()} == {"/", "/tmp"}
        kernel.halt()
    again = real.converge(web)
    assert [result.result["changes"] for result in again.changed] == [["stop web", "start web"]], again.output
    with connect(f"tcp://{web['forward']}") as kernel:
        assert kernel.read_file("/data/a") == b"kept\n"
    pid = real.pid("web")
    assert real.converge({"name": "web", "state": "absent"}).code == 0
    assert group_ended(pid)


def test_a_real_guest_is_moved(real: Host) -> None:
    """In a network namespace of the test's, where it is reached at its own address."""
    under = ("unshare", "--map-root-user", "--net", "sh", "-c", f'{TAP} && exec "$@"', "sh")
    if not shutil.which("unshare") or subprocess.run([*under, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace with a tap device can be made here, in which a unikernel is moved")
    web = guest(real, "web", disks=[], interfaces=[{"backend": "tap", "device": "tap0", "ipv4": "10.7.0.2/24"}])

    def move(number: int, name: str, **more: Any) -> dict[str, Any]:
        interface = {"name": "vioif0", "addresses": [f"10.7.0.{number}/24"]}
        return {"name": name, NETWORK: {"interfaces": [interface], "purge": ["addresses"], **more}}

    here = {"name": "Here", "rumpkernel.rump.rump_net_info": {"gather_subset": ["interfaces"]}}
    nowhere = move(3, "Nowhere", reconnect="tcp://10.7.0.77:12345", reconnect_timeout=2)
    tasks = [
        {**move(3, "Cut"), "ignore_errors": True},
        {**nowhere, "ignore_errors": True},
        {**here, "name": "As it was"},
        move(3, "Move", reconnect="tcp://10.7.0.3:12345"),
        here,
        move(3, "Again", reconnect="tcp://10.7.0.3:12345"),
        {**move(4, "Disconnect", allow_disconnect=True), "vars": {"ansible_rump_timeout": 2}},
        {"name": "Go on", "ansible.builtin.set_fact": {"ansible_rump_server": "tcp://10.7.0.4:12345"}},
        {**here, "name": "There"},
    ]
    run = with_guest(real, web, *tasks, under=under)
    assert run.code == 0, run.output
    results = {result.task: result.result for result in run.of("web")}
    found = [results[name]["interfaces"]["vioif0"]["addresses"] for name in ("As it was", "Here", "There")]
    assert [one for addresses in found for one in addresses if one.startswith("10.")] == [
        *("10.7.0.2/24", "10.7.0.3/24", "10.7.0.4/24"),
    ]
    assert "(10.7.0.2 on vioif0, from 10.7.0.1)" in results["Cut"]["msg"]
    assert "taken back" in results["Nowhere"]["msg"]
    assert results["Move"]["server"] == "tcp://10.7.0.3:12345"
    assert not results["Again"]["changed"]
    assert "the connection ended after the last step" in " ".join(run.output.split())


def test_a_real_guest_that_does_not_come_up_shows_its_console(real: Host) -> None:
    interfaces = [{"backend": "user", "ipv4": "dhcp"}]
    run = real.converge(guest(real, "web", disks=[{"size": "1m", "mountpoint": "/data"}], interfaces=interfaces))
    assert run.code == 2
    message = next(result for result in run.results if result.status == "failed").result["msg"]
    assert "it halted" in message
    assert "/data" in message
