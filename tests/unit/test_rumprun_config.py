# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the filter writes is what a unikernel's parser reads."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.rumpkernel.rump.plugins.filter.rumprun_config import rumprun_config
from ansible_collections.rumpkernel.rump.tests.support.rumprun_guest import parse_arguments, understand


def test_two_networks_and_two_disks() -> None:
    guest = {
        "program": "nginx",
        "arguments": ["-c", "/data/nginx.conf"],
        "hostname": "web",
        "environment": {"RUMPRUN_SYSPROXY": "tcp://0:12345", "LIST": "a,b,,c", "NUMBER": 7},
        "disks": [{}, {"mountpoint": "/data"}, {"mountpoint": "/logs"}],
        "networks": [
            {"inet": "10.0.0.2/24", "gateway": "10.0.0.1", "inet6": "2001:db8::2/64", "gateway6": "2001:db8::1"},
            {"inet": "dhcp", "inet6": "auto"},
            {"name": "shmif0"},
        ],
    }
    found = understand(f"/images/nginx.bin {rumprun_config(guest)}")
    assert found.arguments == ["nginx", "-c", "/data/nginx.conf"]
    assert found.hostname == "web"
    assert found.environment == ["RUMPRUN_SYSPROXY=tcp://0:12345", "LIST=a,b,,c", "NUMBER=7"]
    assert found.disks == [
        {"source": "dev", "path": "/dev/ld1a", "fstype": "blk", "mountpoint": "/data"},
        {"source": "dev", "path": "/dev/ld2a", "fstype": "blk", "mountpoint": "/logs"},
    ]
    static = {"method": "static"}
    assert found.networks == [
        {"if": "vioif0", "type": "inet", **static, "addr": "10.0.0.2", "mask": "24", "gw": "10.0.0.1"},
        {"if": "vioif0", "type": "inet6", **static, "addr": "2001:db8::2", "mask": "64", "gw": "2001:db8::1"},
        {"if": "vioif1", "type": "inet", "method": "dhcp"},
        {"if": "vioif1", "type": "inet6", "method": "auto"},
    ]


@pytest.mark.parametrize(
    "arguments",
    [["a b", "", "c"], ['say "it"'], ["\\", "a\\b", "\\n"], ["{}", "[],:"], ["tab\u00a0", "ä"], ["-x", "y=z,w"]],
)
def test_arguments_arrive(arguments: list[str]) -> None:
    assert understand(rumprun_config({"arguments": arguments})).arguments == ["rumprun", *arguments]


@pytest.mark.parametrize("value", ["", "a b", "it's", "a\\nb", '\\"', "{", "ä", "C:\\\\"])
def test_variables_arrive(value: str) -> None:
    assert understand(rumprun_config({"environment": {"NAME": value}})).environment == [f"NAME={value}"]


@pytest.mark.parametrize(
    ("guest", "message"),
    [
        ({"arguments": ["it's"]}, "arguments: .* cannot say"),
        ({"arguments": ["a\nb"]}, "arguments: .* cannot say"),
        ({"environment": {"A": 'say "it"'}}, "environment: A: .* cannot say"),
        ({"environment": {"A": "C:\\dir"}}, "environment: A: .* cannot say"),
        ({"environment": {"A": "ends in \\"}}, "environment: A: .* cannot say"),
        ({"environment": {"A=B": "c"}}, "no name of a variable"),
        ({"environment": {"A": "_RUMPRUN_ROOTFSCFG=/x"}}, "environment: A: .* cannot say"),
        ({"networks": [{"inet": "10.0.0.2"}]}, "vioif0: inet: 10.0.0.2 has no prefix"),
        ({"networks": [{"inet": "2001:db8::1/64"}]}, "vioif0: inet: .* other family"),
        ({"networks": [{"inet": "10.0.0.2/24", "gateway": "2001:db8::1"}]}, "2001:db8::1 is of the other family"),
        ({"networks": [{"inet": "dhcp", "gateway": "10.0.0.1"}]}, "dhcp finds its own gateway"),
        ({"memory": 64}, "a guest has no memory"),
        ("text", "a guest is a mapping"),
    ],
)
def test_what_cannot_be_said_is_refused(guest: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        rumprun_config(guest)


def test_the_parser_of_the_tests_reads_what_upstream_writes() -> None:
    """The text of rumprun's own launcher, with its commas at the ends."""
    net = '\t"net" : {, \n\t\t"if":\t\t"vioif0", \n"type":\t"inet", \n"method":\t"dhcp", \n}, \n'
    found = understand('{ , \n\t"env": "A=b", \n' + net + '"cmdline": "app -x \'a b\'", \n}, \n')
    assert (found.environment, found.arguments) == (["A=b"], ["app", "-x", "a b"])
    assert found.networks == [{"if": "vioif0", "type": "inet", "method": "dhcp"}]


def test_words_of_a_command_line() -> None:
    assert parse_arguments(r"""a\ b 'c d' "e f" g\\h \"i '' j""") == ["a b", "c d", "e f", "g\\h", '"i', "", "j"]
