# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an inventory's configuration says that kernels may be."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.candidates import (
    Candidate,
    Unreadable,
    distinct,
    in_folders,
    in_networks,
    launched,
    listed,
)
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.probing import question


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("unix:///run/rump/web.sock", "web"),
        ("unix://csock", "csock"),
        ("unix:///run/rump/a:b[1].x.sock", "a-b-1-.x"),
        ("tcp://192.0.2.7:12345", "192.0.2.7_12345"),
        ("tcp://web.example.org:1", "web.example.org_1"),
        ("tcp6://[2001:db8::1]:12345", "2001-db8--1_12345"),
        ("ssh://me@vmhost/run/rump/db.sock", "vmhost_db"),
        ("ssh://me@vmhost/tcp/10.0.0.5:12345", "vmhost_10.0.0.5_12345"),
    ],
)
def test_names_of_urls(url: str, name: str) -> None:
    assert [one.name for one in listed([{"url": url}])] == [name]


def test_listed() -> None:
    entry = {"url": "unix:///a", "name": "web", "groups": ["g"], "vars": {"x": 1}}
    assert list(listed([entry])) == [Candidate("web", "unix:///a", ("g",), {"x": 1})]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("unix:///a", "kernels[0]: give a mapping with url"),
        ({"name": "web"}, "kernels[0]: url: give the URL"),
        ({"url": "/run/csock"}, "kernels[0]: url: '/run/csock' is no URL of a rump kernel's server: give unix://"),
        ({"url": "unix:///a", "name": 3}, "kernels[0]: name: give a text, not 3"),
        ({"url": "unix:///a", "name": "all"}, "kernels[0]: name: all is a group of Ansible's own: give another name"),
        ({"url": "unix:///a", "groups": {"g": 1}}, "kernels[0]: groups: give a list"),
        ({"url": "unix:///a", "groups": [1]}, "kernels[0]: groups: give a list of texts"),
        ({"url": "unix:///a", "grups": ["g"]}, "kernels[0]: there is no grups: give url, name, groups, vars"),
        ({"url": "unix:///a", "vars": ["x"]}, "kernels[0]: vars: give a mapping"),
    ],
)
def test_listed_wrongly(entry: Any, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}"):
        list(listed([entry]))


NETWORKS: list[tuple[dict[str, Any], list[str]]] = [
    ({"addresses": ["192.0.2.7"], "ports": [12345]}, ["tcp://192.0.2.7:12345"]),
    ({"addresses": "192.0.2.7", "ports": "12345-12347"}, [f"tcp://192.0.2.7:{port}" for port in range(12345, 12348)]),
    ({"addresses": ["192.0.2.0/30"], "ports": [1]}, ["tcp://192.0.2.1:1", "tcp://192.0.2.2:1"]),
    ({"addresses": ["192.0.2.254-192.0.3.1"], "ports": [1]},
     [f"tcp://192.0.{end}:1" for end in ("2.254", "2.255", "3.0", "3.1")]),
    ({"addresses": ["k[08:10].example.org"], "ports": [1]}, [f"tcp://k{n}.example.org:1" for n in ("08", "09", "10")]),
    ({"addresses": ["2001:db8::7", "2001:db8::9-2001:db8::a"], "ports": [1]},
     [f"tcp6://[2001:db8::{end}]:1" for end in ("7", "9", "a")]),
    ({"addresses": ["a-b"], "ports": ["1", 3]}, ["tcp://a-b:1", "tcp://a-b:3"]),
    ({"addresses": [], "ports": [1]}, []),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "urls"), NETWORKS)
def test_networks(entry: dict[str, Any], urls: list[str]) -> None:
    found = list(in_networks([entry]))
    assert [one.url for one in found] == urls
    assert not any(one.expected for one in found)


def test_networks_with_groups_and_variables() -> None:
    [found] = in_networks([{"addresses": ["a"], "ports": [1], "groups": ["g"], "vars": {"x": 1}}])
    assert (found.groups, found.variables) == (("g",), {"x": 1})


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ([], "networks[0]: give a mapping"),
        ({"address": ["a"], "ports": [1]}, "networks[0]: there is no address: give addresses, ports, groups, vars"),
        ({"addresses": ["a"], "ports": [1], "name": "x"}, "networks[0]: there is no name: give addresses, ports"),
        ({"ports": [1]}, "networks[0]: addresses: give addresses, networks, ranges and names"),
        ({"addresses": None, "ports": [1]}, "networks[0]: addresses: give addresses, networks, ranges and names"),
        ({"addresses": ["192.0.2.7"]}, "networks[0]: ports: give numbers and ranges"),
        ({"addresses": ["192.0.2.7"], "ports": ["80-70"]}, "networks[0]: ports: give numbers and ranges from 1"),
        ({"addresses": ["192.0.2.7"], "ports": [65536]}, "networks[0]: ports: give numbers and ranges from 1"),
        ({"addresses": ["10.0.0.0/33"], "ports": [1]}, "networks[0]: addresses: 10.0.0.0/33: "),
        ({"addresses": ["10.0.0.2-10.0.0.1"], "ports": [1]}, "networks[0]: addresses: 10.0.0.2-10.0.0.1: "),
        ({"addresses": ["k[1-3]"], "ports": [1]}, "networks[0]: addresses: k[1-3]: "),
        ({"addresses": ["a b:c"], "ports": [1]}, "networks[0]: url: "),
        ({"addresses": [3], "ports": [1]}, "networks[0]: addresses: give texts"),
        ({"addresses": ["10.0.0.0/8"], "ports": [1]}, "networks[0]: more than 65536"),
        ({"addresses": ["2001:db8::/32"], "ports": [1]}, "networks[0]: more than 65536"),
        ({"addresses": ["10.0.0.0/24"], "ports": ["1-65535"]}, "networks[0]: more than 65536"),
    ],
)
def test_networks_wrongly(entry: Any, text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}"):
        list(in_networks([entry]))


def test_folders_and_patterns(tmp_path: Path) -> None:
    for name in ("b.sock", "a.sock", "c"):
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / name))
    (tmp_path / "file.sock").write_text("no socket")
    (tmp_path / "gone.sock").symlink_to(tmp_path / "nowhere")
    assert [one.name for one in in_folders([str(tmp_path)])] == ["a", "b", "c"]
    assert [one.url for one in in_folders([f"{tmp_path}/*.sock"])] == [f"unix://{tmp_path}/{n}.sock" for n in "ab"]
    assert list(in_folders([f"{tmp_path}/none", f"{tmp_path}/*.none"])) == []


def read(folder: Path) -> tuple[list[Candidate], list[str]]:
    found = list(launched(str(folder), DataLoader()))
    good = [one for one in found if isinstance(one, Candidate)]
    return good, [str(one) for one in found if isinstance(one, Unreadable)]


def test_files_of_launchers(tmp_path: Path) -> None:
    entry = {"name": "web", "url": "unix:///a", "groups": ["g"], "vars": {"x": "{{ y }}"}, "pid": 17}
    (tmp_path / "1.json").write_text(json.dumps(entry))
    (tmp_path / "db.yml").write_text("url: unix:///b\n")
    (tmp_path / ".new.json").write_text("{")
    (tmp_path / "README").write_text("{")
    good, bad = read(tmp_path)
    assert good == [
        Candidate("web", "unix:///a", ("g",), {"x": "{{ y }}"}, file=f"{tmp_path}/1.json"),
        Candidate("db", "unix:///b", file=f"{tmp_path}/db.yml"),
    ]
    assert bad == []
    assert read(tmp_path / "none") == ([], [])


def of_vars(**variables: Any) -> str:
    return json.dumps({"url": "unix:///b", "vars": variables})


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ""),
        ("{", ""),
        ("[]", "give a mapping"),
        ("{}", "url: give the URL"),
        ('{"url": "x"}', "url: 'x' is no URL"),
        ('{"url": "unix:///\\ud800"}', ""),
        ("a: b: c", ""),
        ("\0", ""),
        (of_vars(ansible_rump_word_size="x"), "ansible_rump_word_size: a kernel's word_size is 4 or 8, not 'x'"),
        (of_vars(ansible_rump_word_size=[8]), "ansible_rump_word_size: "),
        (of_vars(ansible_rump_byteorder="{{ x }}"), "ansible_rump_byteorder: "),
        (of_vars(ansible_rump_release={}), "ansible_rump_release: "),
        (of_vars(ansible_rump_ssh_args="-F '"), "ansible_rump_ssh_args: "),
        (of_vars(rump_components=["rumpvfs", {}]), "vars: rump_components: give a list of texts"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, content: str, text: str) -> None:
    (tmp_path / "good.json").write_text('{"url": "unix:///a"}')
    (tmp_path / "bad.json").write_text(content)
    good, bad = read(tmp_path)
    assert [one.name for one in good] == ["good"]
    assert len(bad) == 1
    assert f"{tmp_path}/bad.json" in bad[0]
    assert text in bad[0]


def test_files_that_others_may_write_to(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"url": "unix:///a"}')
    path.chmod(0o666)
    good, [bad] = read(tmp_path)
    assert good == []
    assert "others may write to it" in bad
    if os.geteuid() == 0:
        path.chmod(0o644)
        os.chown(path, 12345, 12345)
        assert "the file of user 12345" in read(tmp_path)[1][0]
        os.chown(tmp_path, 12345, 12345)
        assert [one.name for one in read(tmp_path)[0]] == ["a"]


def test_one_host_for_each_url() -> None:
    first, second = Candidate("web", "unix:///a", ("g",)), Candidate("a", "unix:///a", long_name="a")
    assert distinct([first, second]) == [first]


def test_names_that_several_have() -> None:
    urls = ["unix:///one/web.sock", "unix:///two/web.sock", "unix:///two/db.sock"]
    assert names(distinct(listed([{"url": url} for url in urls]))) == ["one-web.sock", "two-web.sock", "db"]
    named = [{"url": "unix:///x", "name": "web"}, {"url": urls[0]}]
    assert names(distinct(listed(named))) == ["web", "one-web.sock"]


def names(found: list[Candidate | Unreadable]) -> list[str]:
    return [one.name if isinstance(one, Candidate) else str(one) for one in found]


def test_a_name_that_was_given_twice() -> None:
    with pytest.raises(ValueError, match="two kernels are called web: unix:///a and unix:///b"):
        distinct(listed([{"url": f"unix:///{path}", "name": "web"} for path in "ab"]))


def test_a_name_that_a_launcher_gave_again() -> None:
    """Its files give way, to each other too: they are not the user's."""
    files = [Candidate("web", f"unix:///{path}", file=f"/f/{path}.json") for path in "ab"]
    assert names(distinct(files)) == ["web", "/f/b.json: name: another kernel is called web, unix:///a"]
    sockets = [Candidate("x", f"unix:///{path}/x", long_name=f"{path}-x") for path in "cd"]
    assert names(distinct([Candidate("c-x", "unix:///a", file="/f/a.json"), *sockets])) == [
        "/f/a.json: name: another kernel is called c-x, unix:///c/x",
        "c-x",
        "d-x",
    ]


def test_questions() -> None:
    asked = question("unix:///a", {"ansible_rump_word_size": "4", "ansible_rump_byteorder": "big", "other": 1})
    assert (asked.hints.word_size, asked.hints.byteorder, asked.hints.release) == (4, "big", None)
    assert question("ssh://h/a", {"ansible_rump_ssh_args": "-F 'a b'"}).ssh_args == ("-F", "a b")
    with pytest.raises(ValueError, match=r"^ansible_rump_word_size: a kernel's word_size is 4 or 8, not '5'$"):
        question("unix:///a", {"ansible_rump_word_size": 5})
