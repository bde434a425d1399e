# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration and the command lines of Rumprun guests: literally, and as a guest's own grammar reads them."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.rumpkernel.rump.plugins.filter.rumprun_config import FilterModule, rumprun_config
from ansible_collections.rumpkernel.rump.plugins.filter.rumprun_launch import rumprun_launch
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.rumprun import GuestError, configuration, mac_address
from ansible_collections.rumpkernel.rump.tests.support.rumprun_guest import Booted, Refused, boot, split

# Two interfaces and two disks.
WEB: dict[str, Any] = {
    "name": "web",
    "platform": "kvm",
    "image": "/srv/web,1.bin",
    "memory": 128,
    "environment": {"ONE": 1, "PATTERN": r"a\nb, c='d'"},
    "arguments": ["-p", "80", "/data dir", 'say "no"', "", "C:\\x"],
    "disks": [
        {"path": "/srv/a,b.img", "mountpoint": "/data"},
        {"path": "/srv/c.img", "mountpoint": "/etc/more"},
    ],
    "interfaces": [
        {"backend": "user", "ipv4": "dhcp"},
        {
            "backend": "bridge",
            "device": "br0",
            "mac": "52:54:00:00:00:02",
            "ipv4": "192.0.2.2/24",
            "ipv4_gateway": "192.0.2.1",
            "ipv6": "2001:db8::2/64",
        },
    ],
}


def test_configuration_for_qemu() -> None:
    text = rumprun_config(WEB)
    assert text == (
        '{"hostname":"web",'
        '"env":"ONE=1",'
        r'"env":"PATTERN=a\nb, c=' + "'d'" + '",'
        '"env":"RUMPRUN_SYSPROXY=tcp://0:12345",'
        '"blk":{"source":"dev","path":"/dev/ld0a","fstype":"blk","mountpoint":"/data"},'
        '"blk":{"source":"dev","path":"/dev/ld1a","fstype":"blk","mountpoint":"/etc/more"},'
        # DHCP may bring a default route, too, which the guest bears when it has one.
        '"net":{"if":"vioif1","type":"inet","method":"static","addr":"192.0.2.2","mask":"24","gw":"192.0.2.1"},'
        '"net":{"if":"vioif0","type":"inet","method":"dhcp"},'
        '"net":{"if":"vioif1","type":"inet6","method":"static","addr":"2001:db8::2","mask":"64"},'
        r""""cmdline":"web -p 80 '/data dir' 'say \"no\"' '' C:\\x"}"""
    )
    assert boot(f"/srv/web,1.bin {text}") == Booted(
        programs=[(["web", "-p", "80", "/data dir", 'say "no"', "", "C:\\x"], "")],
        environment={"ONE": "1", "PATTERN": r"a\nb, c='d'", "RUMPRUN_SYSPROXY": "tcp://0:12345"},
        hostname="web",
        disks=[
            {"source": "dev", "path": "/dev/ld0a", "fstype": "blk", "mountpoint": "/data"},
            {"source": "dev", "path": "/dev/ld1a", "fstype": "blk", "mountpoint": "/etc/more"},
        ],
        addresses=[
            {
                "if": "vioif1",
                "type": "inet",
                "method": "static",
                "addr": "192.0.2.2",
                "mask": "24",
                "gw": "192.0.2.1",
            },
            {"if": "vioif0", "type": "inet", "method": "dhcp"},
            {"if": "vioif1", "type": "inet6", "method": "static", "addr": "2001:db8::2", "mask": "64"},
        ],
    )


def test_configuration_for_xen() -> None:
    text = configuration({**WEB, "platform": "xen", "arguments": [], "environment": {}, "port": 2000})
    assert text == (
        '{"hostname":"web",'
        '"env":"RUMPRUN_SYSPROXY=tcp://0:2000",'
        '"blk":{"source":"dev","path":"virtual","fstype":"kernfs","mountpoint":"/kern"},'
        '"blk":{"source":"etfs","path":"xvda","fstype":"blk","mountpoint":"/data"},'
        '"blk":{"source":"etfs","path":"xvdb","fstype":"blk","mountpoint":"/etc/more"},'
        '"net":{"if":"xenif1","cloner":"true","type":"inet","method":"static",'
        '"addr":"192.0.2.2","mask":"24","gw":"192.0.2.1"},'
        '"net":{"if":"xenif0","cloner":"true","type":"inet","method":"dhcp"},'
        # The interface is made once.
        '"net":{"if":"xenif1","type":"inet6","method":"static","addr":"2001:db8::2","mask":"64"},'
        '"cmdline":"web"}'
    )
    assert [disk["path"] for disk in boot(text).disks] == ["virtual", "xvda", "xvdb"]


def test_disks_that_are_not_mounted() -> None:
    disks = [{"path": "/raw"}, {"path": "/data", "mountpoint": "/data"}]
    of_qemu, of_xen = (boot(configuration({"platform": name, "disks": disks})).disks for name in ("qemu", "xen"))
    assert of_qemu == [{"source": "dev", "path": "/dev/ld1a", "fstype": "blk", "mountpoint": "/data"}]
    assert of_xen[1:] == [
        {"source": "etfs", "path": "xvda"},
        {"source": "etfs", "path": "xvdb", "fstype": "blk", "mountpoint": "/data"},
    ]


def test_several_programs() -> None:
    guest = {
        "sysproxy": False,
        "programs": [
            {"name": "sort", "mode": "background", "arguments": ["it's"]},
            {"name": "cat", "mode": "pipe"},
            {"name": "wc", "arguments": ["-l"]},
        ],
    }
    text = configuration(guest)
    assert text == (
        '{"rc_TESTING":[{"bin":"sort","argv":["it' + "'" + 's"],"runmode":"&"},'
        '{"bin":"cat","argv":[],"runmode":"|"},{"bin":"wc","argv":["-l"]}]}'
    )
    assert boot(text).programs == [(["sort", "it's"], "&"), (["cat"], "|"), (["wc", "-l"], "")]


@pytest.mark.parametrize(
    ("guest", "message"),
    [
        ({"environment": {"A": 'say "no"'}}, "environment: A: the guest cannot be given"),
        ({"environment": {"A": "C:\\x"}}, "before one of"),
        ({"environment": {"A": "ends in \\"}}, "before one of"),
        ({"environment": {"A=B": "1"}}, "no name for a variable"),
        ({"environment": {"RUMPRUN_SYSPROXY": "tcp://0:1"}}, "follows from the option port"),
        ({"hostname": 'a"b'}, "hostname: the guest cannot be given"),
        ({"arguments": ["it's"]}, "programs can"),
        ({"arguments": ["a"], "programs": [{"name": "a"}]}, "only one of them"),
        ({"programs": [{"name": "a", "mode": "pipe"}]}, "none after the last"),
        ({"arguments": ["_RUMPRUN_ROOTFSCFG=/x"]}, "elsewhere"),
        ({"disks": [{"mountpoint": "data"}]}, "does not begin with a /"),
        ({"interfaces": [{"ipv4": "192.0.2.1"}]}, "neither dhcp nor an address with its length"),
        ({"interfaces": [{"ipv6": "192.0.2.1/24"}]}, "neither auto nor an address with its length"),
        ({"interfaces": [{"ipv4": "dhcp", "ipv4_gateway": "192.0.2.1"}]}, "not with dhcp"),
        ({"interfaces": [{"ipv4_gateway": "192.0.2.1"}]}, "ipv4_gateway without ipv4"),
        ({"interfaces": [{"ipv4": "192.0.2.1/24", "ipv4_gateway": "::1"}]}, "no address of that family"),
        ({"interfaces": [{"ipv6": "2001:db8::2/60"}]}, "the guest takes lengths that are multiples of 8"),
        ({"interfaces": [{"ipv6": "2001:db8::2/64", "ipv6_gateway": "fe80::1"}]}, "on which link fe80::1 is"),
        (
            {
                "interfaces": [
                    {"ipv4": "192.0.2.2/24", "ipv4_gateway": "192.0.2.1"},
                    {"ipv4": "198.51.100.2/24", "ipv4_gateway": "198.51.100.1"},
                ]
            },
            "ipv4_gateway: the guest ends with an error when it gets a second default route",
        ),
        (
            {"interfaces": [{"ipv4": "192.0.2.2/24", "ipv4_gateway": "198.51.100.1"}]},
            "ipv4_gateway: 198.51.100.1 is no other address of 192.0.2.0/24",
        ),
        (
            {"interfaces": [{"ipv4": "192.0.2.2/24", "ipv4_gateway": "192.0.2.2"}]},
            "ipv4_gateway: 192.0.2.2 is no other address",
        ),
        (
            {"interfaces": [{"ipv6": "2001:db8::2/64", "ipv6_gateway": "2001:db8:1::1"}]},
            "ipv6_gateway: 2001:db8:1::1 is no other address of 2001:db8::/64",
        ),
        ({"interfaces": [{"ipv6": "fe80::1%eth0/64"}]}, "neither auto nor an address with its length"),
        ({"port": 70000}, "port: 70000 is no whole number from 1 to 65535"),
        ({"port": 0}, "port: 0 is no whole number"),
        ({"port": "http"}, "port: 'http' is no whole number"),
        ({"platform": "xenn"}, "platform: 'xenn' is none of kvm, qemu, xen"),
        ({"sysproxy": "perhaps"}, "sysproxy: 'perhaps' is neither true nor false"),
        ({"environment": ["A=b"]}, "environment: ['A=b'] is no mapping"),
        ({"disks": ["/data.img"]}, "disks: '/data.img' is no mapping of options"),
        ({"disks": "/data.img"}, "disks: '/data.img' is no list"),
        ({"interfaces": ["br0"]}, "interfaces: 'br0' is no mapping of options"),
        ({"arguments": "-v"}, "arguments: '-v' is no list"),
        ({"programs": ["sort"]}, "programs: 'sort' is no mapping of options"),
        ({"programs": [{"arguments": ["-v"]}]}, "programs: one has no name"),
        ({"platform": "xen", "disks": [{}] * 11}, "disks: on Xen a guest has 10 at most"),
    ],
)
def test_what_the_guest_could_not_read_is_an_error(guest: dict[str, Any], message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        rumprun_config(guest)


def test_texts_that_mean_other_types() -> None:
    """As variables of the command line's come."""
    guest = {**WEB, "sysproxy": "false", "memory": "96", "port": "99"}
    assert "RUMPRUN_SYSPROXY" not in boot(configuration(guest)).environment
    launched = rumprun_launch(guest)
    assert (launched["url"], launched["forward"]) == (None, None)
    assert launched["command"][launched["command"].index("-m") + 1] == "96"
    assert boot(configuration({**guest, "sysproxy": "yes"})).environment["RUMPRUN_SYSPROXY"] == "tcp://0:99"


def test_ten_disks_on_xen() -> None:
    disks = boot(configuration({"platform": "xen", "disks": [{}] * 10})).disks
    assert [disk["path"] for disk in disks[1:]] == [f"xvd{letter}" for letter in "abcdefghij"]


def test_the_guest_gets_what_was_meant() -> None:
    """Whatever text: either the guest gets just that, or it is an error."""
    chance = random.Random(6)
    alphabet = [
        "a",
        "b",
        "0",
        " ",
        "\n",
        "\t",
        "'",
        '"',
        "\\",
        "\\u00e9",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "=",
        "é",
        "\x01",
    ]
    heard = 0
    for _round in range(3000):
        arguments, value = (
            ["".join(chance.choices(alphabet, k=chance.randrange(5))) for _argument in range(3)],
            "".join(chance.choices(alphabet, k=chance.randrange(8))),
        )
        for guest in ({"arguments": arguments}, {"environment": {"X": value}, "hostname": f"h{value}"}):
            try:
                text = configuration(guest)
            except GuestError:
                assert any(character in str(guest) for character in "'\"\\")
                continue
            booted = boot(text)
            heard += 1
            if "arguments" in guest:
                assert booted.programs == [(["rumprun", *arguments], "")]
            else:
                assert (booted.environment["X"], booted.hostname) == (value, f"h{value}")
    assert heard > 1000


@pytest.mark.parametrize(
    "text",
    [
        '{"cmdline":"a"},',  # as the upstream launcher ends it
        '{"net":{"if":"vioif0" "type":"inet","method":"dhcp"},"cmdline":"a"}',
        '{"net":{"if":"vioif0","type":"inet","method":"static","addr":"192.0.2.1","mask":24},"cmdline":"a"}',
        '{"net":{"if":"a","cloner":"","type":"inet","method":"dhcp"},"net":{"if":"a","cloner":"","type":"inet6","method":"auto"}}',
        '{"env":["A=1"],"cmdline":"a"}',
        '{"env":"A=1"}',
        '{"cmdline":"a"',
        '{"cmdline":"a]}',
        r'{"env":"A=\x","cmdline":"a"}',
        '{"blk":{"source":"dev","path":"/dev/ld0a","mountpoint":"/a"},"cmdline":"a"}',
        '{"command":"a"}',
        '{"cmdline":"' + "a" * 4096 + '"}',
    ],
)
def test_the_grammar_refuses(text: str) -> None:
    with pytest.raises(Refused):
        boot(text)


def test_the_grammar_takes_what_json_does_not() -> None:
    assert boot('x {"cmdline":"a",,"env":"A=1",}').environment == {"A": "1"}
    assert boot("nothing").programs == [(["rumprun"], "")]
    assert split(r"a\\b 'c d' e\"f ''") == ["a\\b", "c d", 'e"f', ""]
    # A quotation mark takes the apostrophe's place, and the second apostrophe that of the mark.
    assert split("""'a " b' c\"""") == ["a  b c"]


def test_command_of_qemu() -> None:
    launched = rumprun_launch(WEB)
    assert launched["url"] == "tcp://127.0.0.1:12345"
    assert launched["command"] == [
        *("qemu-system-x86_64", "-name", "web", "-nodefaults", "-no-user-config", "-machine", "pc"),
        *("-accel", "kvm", "-cpu", "host", "-m", "128", "-display", "none", "-serial", "stdio"),
        *("-drive", "if=virtio,format=raw,file=/srv/a,,b.img"),
        *("-drive", "if=virtio,format=raw,file=/srv/c.img"),
        *("-netdev", "user,id=net0,hostfwd=tcp:127.0.0.1:12345-:12345"),
        *("-device", f"virtio-net-pci,netdev=net0,mac={mac_address('web', 0)},romfile="),
        *("-netdev", "bridge,id=net1,br=br0"),
        *("-device", "virtio-net-pci,netdev=net1,mac=52:54:00:00:00:02,romfile="),
        *("-kernel", "/srv/web,1.bin", "-append", configuration(WEB)),
    ]


def test_other_networks() -> None:
    def launch(*interfaces: dict[str, Any], **more: Any) -> tuple[list[str], str | None]:
        guest = {"name": "a", "platform": "qemu", "image": "/a", "interfaces": list(interfaces), **more}
        launched = rumprun_launch(guest, qemu="/opt/qemu")
        command = launched["command"]
        return [command[place + 1] for place, word in enumerate(command) if word == "-netdev"], launched["url"]

    own = {"backend": "user", "ipv4": "10.1.0.5/24", "ipv4_gateway": "10.1.0.1"}
    assert launch({"backend": "user"}, own, {"backend": "user", "ipv4": "dhcp"}, port=99, forward="0.0.0.0:7") == (
        [
            "user,id=net0",
            (
                "user,id=net1,net=10.1.0.0/24,host=10.1.0.1,dns=10.1.0.2,dhcpstart=10.1.0.5,"
                "hostfwd=tcp:0.0.0.0:7-10.1.0.5:99"
            ),
            "user,id=net2",
        ],
        "tcp://0.0.0.0:7",
    )
    # QEMU's own addresses are none of the guest's.
    assert launch({"backend": "user", "ipv4": "10.1.0.2/24"})[0] == [
        (
            "user,id=net0,net=10.1.0.0/24,host=10.1.0.1,dns=10.1.0.3,dhcpstart=10.1.0.2,"
            "hostfwd=tcp:127.0.0.1:12345-10.1.0.2:12345"
        )
    ]
    tap = {"backend": "tap", "device": "tap0", "ipv4": "10.1.0.5/24", "options": "vhost=on"}
    assert launch(tap) == (
        ["tap,id=net0,ifname=tap0,script=no,downscript=no,vhost=on"],
        "tcp://10.1.0.5:12345",
    )
    assert launch({**tap, "ipv4": "dhcp"}, address="10.1.0.77")[1] == "tcp://10.1.0.77:12345"
    assert launch(sysproxy=False) == ([], None)


def test_command_for_xen() -> None:
    guest = {
        "name": "db",
        "platform": "xen",
        "image": "/srv/db.bin",
        "disks": [{"path": "/srv/a.img", "mountpoint": "/data"}, {"path": "/srv/b.img"}],
        "interfaces": [
            {"backend": "bridge", "device": "xenbr0", "mac": "00:16:3e:00:00:01", "ipv4": "192.0.2.2/24"},
            {"backend": "bridge", "device": "xenbr1", "mac": "00:16:3e:00:00:02", "ipv4": "dhcp"},
        ],
    }
    launched = rumprun_launch(guest, record="/run/db.process")
    assert launched["clean_command"][3:] == ["rumprun-xen-clean", "db", "/run/db.process"]
    assert rumprun_launch({"name": "db", "platform": "xen", "state": "absent"}, record="/run/db.process") == {
        **launched,
        "command": [],
        "url": None,
    }
    assert launched["url"] == "tcp://192.0.2.2:12345"
    assert launched["command"][:2] == ["sh", "-c"]
    assert launched["command"][3:] == [
        *("rumprun-xen", "db", configuration(guest), 'name="db"', 'kernel="/srv/db.bin"', "vcpus=1", "memory=64"),
        *('on_poweroff="destroy"', 'on_crash="destroy"'),
        'vif=["mac=00:16:3e:00:00:01,bridge=xenbr0","mac=00:16:3e:00:00:02,bridge=xenbr1"]',
        'disk=["format=raw,vdev=xvda,access=rw,target=/srv/a.img","format=raw,vdev=xvdb,access=rw,target=/srv/b.img"]',
    ]


def test_an_interface_on_xen_has_its_own_bridge() -> None:
    """A guest takes the domain's vifs in turn when it makes its interfaces, and does not look at their numbers."""
    given = [
        {"device": "br0", "ipv4": "dhcp"},
        {"device": "br1"},
        {"device": "br2", "ipv6": "2001:db8::2/64"},
        {"device": "br3", "ipv4": "192.0.2.2/24", "ipv4_gateway": "192.0.2.1"},
    ]
    interfaces = [{"backend": "bridge", "mac": f"00:16:3e:00:00:0{index}", **each} for index, each in enumerate(given)]
    guest = {"name": "db", "platform": "xen", "image": "/srv/db.bin", "interfaces": interfaces}
    _sh, _option, _script, _name, _guest, text, *settings = rumprun_launch(guest)["command"]
    [vifs] = [json.loads(setting.removeprefix("vif=")) for setting in settings if setting.startswith("vif=")]
    made = [address["if"] for address in boot(text).addresses if "cloner" in address]
    assert made == ["xenif3", "xenif0", "xenif2"]
    assert dict(zip(made, vifs, strict=False)) == {
        f"xenif{index}": f"mac=00:16:3e:00:00:0{index},bridge=br{index}" for index in (0, 2, 3)
    }
    assert vifs[3:] == ["mac=00:16:3e:00:00:01,bridge=br1"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"name": "../a"}, "name: '../a'"),
        ({"platform": "xen", "name": "12"}, "name: '12' would be the number of another domain to Xen"),
        ({"image": None}, "image: web has none"),
        ({"image": "/a{b"}, "from the first brace"),
        ({"arguments": ["a" * 4096]}, "more than 4095 bytes"),
        ({"platform": "xen", "arguments": ["a" * 4096]}, "the configuration has more than"),
        ({"interfaces": [{"backend": "vde"}]}, "none of user, tap, bridge"),
        ({"interfaces": [{"backend": "tap", "ipv4": "10.0.0.1/8"}]}, "backend tap wants the option device"),
        ({"interfaces": [{"backend": "bridge", "device": "br0", "ipv4": "dhcp"}]}, "interfaces, address: sysproxy"),
        ({"interfaces": []}, "interfaces, address: sysproxy"),
        ({"platform": "xen"}, "on Xen the backend is bridge"),
        ({"forward": "localhost"}, "no ADDRESS:PORT"),
        ({"forward": "127.0.0.1:70000"}, "forward: '127.0.0.1:70000' is no ADDRESS:PORT"),
        ({"forward": "127.0.0.1:0"}, "forward: '127.0.0.1:0' is no ADDRESS:PORT"),
        ({"forward": "999.0.0.1:7"}, "forward: '999.0.0.1:7' is no ADDRESS:PORT"),
        ({"address": "2001:db8::2"}, "address: '2001:db8::2' is no IPv4 address"),
        ({"image": "~/web.bin"}, "image: '~/web.bin' does not begin with a /"),
        ({"disks": [{"path": "a.img"}]}, "disks: path: 'a.img' does not begin with a /"),
        ({"disks": [{}]}, "disks: path: None does not begin with a /"),
        ({"memory": -5}, "memory: -5 is no whole number from 1"),
        ({"memory": "lots"}, "memory: 'lots' is no whole number"),
        ({"interfaces": [{"backend": "user", "ipv4": "dhcp", "mac": 41135085296}]}, "interfaces: mac: 41135085296"),
        ({"interfaces": [{"backend": "user", "ipv4": "dhcp", "mac": "01:00:00:00:00:01"}]}, "interfaces: mac: '01:"),
        (
            {"interfaces": [{"backend": "user", "ipv4": "dhcp", "mac": "52:54:00:00:00:01,bootindex=1"}]},
            "interfaces: mac: '52:54:00:00:00:01,bootindex=1'",
        ),
        (
            {
                "platform": "xen",
                "interfaces": [{"backend": "bridge", "device": "br0,script=/evil", "ipv4": "192.0.2.2/24"}],
            },
            "interfaces: device: 'br0,script=/evil'",
        ),
        ({"options": "-s"}, "options: '-s' is no list"),
        ({"interfaces": [{"backend": "user", "ipv4": "10.1.0.1/30"}]}, "no room for QEMU's own two addresses"),
    ],
)
def test_what_cannot_be_launched(more: dict[str, Any], message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(message)):
        rumprun_launch({**WEB, **more})


def test_guests_of_the_same_name_on_two_hosts_have_two_addresses() -> None:
    commands = [rumprun_launch(WEB, host=host)["command"] for host in ("vm1", "vm1", "vm2")]
    assert commands[0] == commands[1]
    differences = [pair for pair in zip(commands[0], commands[2], strict=True) if len(set(pair)) == 2]
    assert [word.startswith("virtio-net-pci,netdev=net0,mac=52:54:00:") for word in differences[0]] == [True, True]
    assert len(differences) == 1


def test_the_filters_have_their_names() -> None:
    assert FilterModule().filters() == {"rumprun_config": rumprun_config}
