# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What unmodified modules are told where they ask programs: the kernel's state in NetBSD's words."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.routes import Route
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import IFF, RTF
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection import facts, programs
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection.names import Names
from ansible_collections.rumpkernel.rump.tests.support.backends import running
from ansible_collections.rumpkernel.rump.tests.support.utilities import RUMPCTRL, needs_rumpctrl


def configured(kernel: Kernel, folder: Path) -> None:
    """An interface with addresses of both families, and a default route."""
    kernel.interfaces.create("shmif0")
    kernel.interfaces.set_linkstr("shmif0", str(folder / "bus"))
    kernel.interfaces.add_address("shmif0", ipaddress.ip_interface("10.0.0.1/24"))
    kernel.interfaces.add_address("shmif0", ipaddress.ip_interface("10.0.0.2/24"))
    kernel.interfaces.add_address("shmif0", ipaddress.ip_interface("2001:db8::1/64"))
    kernel.interfaces.set_flags("shmif0", kernel.interfaces.flags("shmif0") | IFF.UP)
    everywhere = ipaddress.ip_network("0.0.0.0/0")
    gateway = ipaddress.ip_address("10.0.0.254")
    kernel.routes.add(Route(everywhere, gateway, flags=int(RTF.UP | RTF.GATEWAY | RTF.STATIC)))


def said(kernel: Kernel, *arguments: str) -> list[str]:
    answer = programs.run(kernel, arguments)
    assert answer is not None
    assert (answer.rc, answer.stderr) == (0, "")
    return answer.stdout.splitlines()


def test_what_they_say(kernel: Kernel, tmp_path: Path) -> None:
    configured(kernel, tmp_path)
    lines = said(kernel, "/sbin/ifconfig", "-a")
    at = next(number for number, line in enumerate(lines) if line.startswith("shmif0: flags=0x8843<UP,BROADCAST,"))
    assert lines[at].endswith(" mtu 1500")
    link = kernel.interfaces.get("shmif0").link_address.hex(":")  # type: ignore[union-attr]
    assert lines[at + 1 : at + 3] == [f"\taddress: {link}", f"\tether {link}"]
    assert "\tinet 10.0.0.1 netmask 0xffffff00 broadcast 10.0.0.255" in lines
    assert "\tinet alias 10.0.0.2 netmask 0xffffff00 broadcast 10.0.0.255" in lines
    assert "\tinet6 2001:db8::1 prefixlen 64" in lines
    assert "\tinet6 fe80::1%lo0 prefixlen 64 scopeid 0x1" in lines
    told = dict(line.strip().split(": ") for line in said(kernel, "route", "-n", "get", "default"))
    assert (told["gateway"], told["interface"]) == ("10.0.0.254", "shmif0")
    assert said(kernel, "sysctl", "kern.ostype") == ["kern.ostype = NetBSD"]
    assert said(kernel, "/sbin/sysctl", "-n", "hw.ncpu", "kern.ostype")[1] == "NetBSD"
    kernel.mkdir("/a b")
    kernel.mount("tmpfs", "/a b", 0, kernel.abi.struct("tmpfs_args").build(ta_version=1, ta_size_max=1 << 20))
    assert said(kernel, "mount")[-1] == "tmpfs on /a b type tmpfs (local)"
    assert facts.fstab(kernel).splitlines()[-1].startswith("tmpfs /a\\040b tmpfs rw")


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("route -n get -inet6 default", "route: writing to routing socket: not in table"),
        ("sysctl -n machdep.dmi.system-product", "sysctl: second level name 'dmi' in 'machdep.dmi.system-product' is"),
        ("sysctl -w kern.hostname=x", "a rump kernel has no programs, and only 'sysctl [-n] NAME' is answered"),
        ("ifconfig lo0 destroy", "rumpkernel.rump.rump_ifconfig"),
        ("mount -t tmpfs tmpfs /mnt", "only 'mount' is answered"),
    ],
)
def test_what_they_do_not_say(kernel: Kernel, command: str, text: str) -> None:
    answer = programs.run(kernel, command.split())
    assert answer is not None
    assert (answer.rc, answer.stdout) == (1, "")
    assert text in answer.stderr


def test_what_is_none_of_them(kernel: Kernel) -> None:
    for command in ("ls", "/bin/ifconfig", "/tmp/sysctl", "./mount"):
        assert programs.run(kernel, [command]) is None
        assert programs.path_of(command) is None
    assert programs.path_of("route") == "/sbin/route"
    assert programs.run(kernel, []) is None


@needs_rumpctrl
def test_they_say_what_netbsds_own_programs_say(tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    def rumpctrl(*command: str) -> list[str]:
        environment = {**os.environ, "RUMP_SERVER": server.url}
        done = subprocess.run(
            [f"{RUMPCTRL}/{command[0]}", *command[1:]], env=environment, capture_output=True, text=True, check=False
        )
        return done.stdout.splitlines()

    with running("rump_server", tmp_path) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        configured(kernel, tmp_path)
        # Left out are link strings and states of addresses, which nobody asks for, and added is a line of other BSDs.
        theirs = [line.replace(" tentative", "") for line in rumpctrl("ifconfig", "-a") if "linkstr" not in line]
        ours = [line for line in said(kernel, "ifconfig", "-a") if "\tether" not in line]
        assert sorted(ours) == sorted(theirs)
        route = rumpctrl("route", "-n", "get", "default")
        assert [line for line in said(kernel, "route", "-n", "get", "default") if line not in route] == []
        names = ["kern.hostname", "hw.ncpu", "net.inet.ip.ttl"]
        assert said(kernel, "sysctl", *names) == rumpctrl("sysctl", *names)
        assert set(rumpctrl("sysctl", "net.inet.icmp")) <= set(said(kernel, "sysctl", "net.inet.icmp"))
        assert said(kernel, "sysctl", "-n", "kern.version") == rumpctrl("sysctl", "-n", "kern.version")
        assert said(kernel, "mount") == rumpctrl("mount")


def test_names(kernel: Kernel) -> None:
    kernel.sysctl.set("kern.hostname", "web01")
    names = Names(kernel)
    assert names.gethostname() == "web01"
    assert names.gethostbyname("localhost") == names.gethostbyname("web01") == "127.0.0.1"
    assert [place for *_kind, place in names.getaddrinfo("10.0.0.5", "80", 0, socket.SOCK_STREAM)] == [("10.0.0.5", 80)]
    assert names.getaddrinfo("fe80::1%lo0", 80, 0, socket.SOCK_DGRAM) == [
        (socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_UDP, "", ("fe80::1", 80, 0, kernel.if_nametoindex("lo0")))
    ]
    for name in (socket.gethostname(), "nosuch.example"):  # the controller knows the first of them
        with pytest.raises(socket.gaierror, match="the kernel knows no host"):
            names.getaddrinfo(name, 80)
    kernel.mkdir("/etc")
    kernel.write_file("/etc/hosts", b"# mine\n10.0.0.7\tdb.example db\n2001:db8::7 db\n")
    assert names.gethostbyname("DB.example") == "10.0.0.7"
    assert {place[0] for *_kind, place in names.getaddrinfo("db", 1)} == {"10.0.0.7", "2001:db8::7"}
    assert names.gethostbyaddr("10.0.0.7") == ("db.example", ["db"], ["10.0.0.7"])
    assert names.getnameinfo(("10.0.0.8", 80), 0) == ("10.0.0.8", "80")
    with pytest.raises(socket.gaierror, match="is no port's number"):
        names.getaddrinfo("10.0.0.5", "http")
    assert dict(names.if_nameindex())[names.if_nametoindex("lo0")] == "lo0"
