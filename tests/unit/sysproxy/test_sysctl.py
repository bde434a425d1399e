# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""sysctl: real kernels' trees read as sysctl(8) printed them, values of every type, and answers that are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ProtocolError, RumpError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.sysctl import (
    SysctlNode,
    SysctlValueError,
    UnknownSysctl,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Errno, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import CTL, CTLFLAG, CTLTYPE
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    AMD64,
    I386,
    ILP32_BIG,
    LP64_BIG,
    Transcript,
    abi_name,
    transcript,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.scripted_server import Called, Serving, serving

every_abi = pytest.mark.parametrize("abi", [AMD64, I386, LP64_BIG, ILP32_BIG], ids=abi_name)
Mib = tuple[int, ...]


@dataclass
class Tree:
    """A sysctl tree as its kernel serves it: bytes by number, requests about nodes among them."""

    abi: Abi
    values: dict[Mib, bytes]
    asked: list[tuple[Mib, int, bytes]] = field(default_factory=list)
    """Number, room for the value and new value of each call."""

    def __call__(self, called: Called) -> int:
        abi = self.abi
        size = abi.word_size
        packed = called.read("name", 4 * called["namelen"])
        mib = tuple(abi.read_integer("int", packed[at:]) for at in range(0, len(packed), 4))
        room = abi.read_integer("size_t", called.read("oldlenp", size)) if called["oldlenp"] else 0
        new = called.read("newv", called["newlen"]) if called["newv"] else b""
        self.asked.append((mib, room, new))
        if mib[-1] in (CTL.QUERY, CTL.DESCRIBE):
            assert new[:4] == abi.integer("uint32", 0x01000000)
        elif new:
            self.values[mib] = new
        if mib not in self.values:
            return Errno.ENOENT
        if called["oldlenp"]:
            value = self.values[mib]
            if called["oldv"]:
                called.write("oldv", value[:room])
            called.write("oldlenp", abi.integer("size_t", len(value)))
            return Errno.ENOMEM if called["oldv"] and room < len(value) else 0
        return 0


def recorded(found: Transcript) -> Tree:
    """The part of a real kernel's tree that a utility read."""
    values = {}
    for call in found.calls("__sysctl"):
        arguments = found.arguments("__sysctl", call)
        if not call.error and arguments["oldv"] and call.copyouts:
            packed = call.copied_in(arguments["name"])
            mib = tuple(found.abi.read_integer("int", packed[at:]) for at in range(0, len(packed), 4))
            values[mib] = call.copied_out(arguments["oldv"])
    return Tree(found.abi, values)


def node(abi: Abi, number: int, name: str, kind: int, size: int = 0, flags: int = 0) -> bytes:
    """A struct sysctlnode."""
    return abi.struct("sysctlnode").build(
        sysctl_flags=0x01000000 | flags | kind, sysctl_num=number, sysctl_name=name.encode(), _sysctl_size=size
    )


TYPES: Final = {
    "int": (CTLTYPE.INT, 4, 0),
    "uint": (CTLTYPE.INT, 4, CTLFLAG.UNSIGNED),
    "quad": (CTLTYPE.QUAD, 8, 0),
    "uquad": (CTLTYPE.QUAD, 8, CTLFLAG.UNSIGNED),
    "string": (CTLTYPE.STRING, 0, 0),
    "bool": (CTLTYPE.BOOL, 1, 0),
    "struct": (CTLTYPE.STRUCT, 12, 0),
}


def made_up(abi: Abi, **values: bytes) -> Tree:
    """A tree with a node for each type, all of them in ``top``."""
    leaves = [
        node(abi, 10 + index, name, kind, size, CTLFLAG.READWRITE | flags)
        for index, (name, (kind, size, flags)) in enumerate(TYPES.items())
    ]
    return Tree(
        abi,
        {
            (CTL.QUERY,): node(abi, 1, "top", CTLTYPE.NODE, 96),
            (1, CTL.QUERY): b"".join(leaves),
            **{(1, 10 + index): values[name] for index, name in enumerate(TYPES) if name in values},
        },
    )


def served(tree: Tree, directory: Path) -> Any:
    return serving(directory, {"__sysctl": tree}, abi=tree.abi)


# Real kernels


@pytest.mark.parametrize("machine", ["amd64", "i386"])
@pytest.mark.parametrize(("prefix", "name"), [("20", "kern.hostname"), ("24", "net.inet.ip.forwarding")])
def test_a_real_value(machine: str, prefix: str, name: str, tmp_path: Path) -> None:
    found = transcript(machine, prefix)
    with served(recorded(found), tmp_path) as server:
        assert f"{name} = {server.kernel.sysctl.get(name)}\n" == found.stdout


@pytest.mark.parametrize("machine", ["amd64", "i386"])
def test_a_real_subtree(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "27")
    with served(recorded(found), tmp_path) as server:
        nodes = list(server.kernel.sysctl.walk("net.inet.tcp"))
        values = {each.name: server.kernel.sysctl.get(each) for each in nodes if each.type != CTLTYPE.STRUCT}
    printed = dict(line.split(" = ", 1) for line in found.stdout.splitlines())
    assert {name: str(value) for name, value in values.items() if name in printed} == printed
    assert list(printed) == [name for name in values if name in printed]  # in the kernel's order
    assert len(printed) > 50


@pytest.mark.parametrize("machine", ["amd64", "i386"])
def test_a_real_nodes_properties(machine: str, tmp_path: Path) -> None:
    with served(recorded(transcript(machine, "20")), tmp_path) as server:
        hostname = server.kernel.sysctl.node("kern.hostname")
        ostype = server.kernel.sysctl.node("kern.ostype")
        assert (hostname.mib, hostname.type_name, hostname.writable) == ((1, 10), "string", True)
        assert (ostype.mib, ostype.type_name, ostype.writable, ostype.size) == ((1, 1), "string", False, 7)


@pytest.mark.parametrize("machine", ["amd64", "i386"])
def test_real_descriptions(machine: str, tmp_path: Path) -> None:
    # These kernels have none, and say so with a string of one NUL.
    found = transcript(machine, "26")
    tree = recorded(found)
    with served(tree, tmp_path) as server:
        forwarding = server.kernel.sysctl.node("net.inet.ip.forwarding")
        assert server.kernel.sysctl.describe(forwarding) == ""
    (mib, _room, question) = tree.asked[-1]
    assert mib == (4, 2, 0, CTL.DESCRIBE)
    assert found.abi.struct("sysctlnode").parse(question).sysctl_num == forwarding.mib[-1]


@pytest.mark.parametrize("machine", ["amd64", "i386"])
def test_a_real_change(machine: str, tmp_path: Path) -> None:
    found = transcript(machine, "21")
    changes = [
        (
            call.copied_in(found.arguments("__sysctl", call)["name"]),
            call.copied_in(found.arguments("__sysctl", call)["newv"]),
        )
        for call in found.calls("__sysctl")
        if found.arguments("__sysctl", call)["newv"] and found.arguments("__sysctl", call)["newlen"] != 96
    ]
    tree = recorded(found)
    with served(tree, tmp_path) as server:
        server.kernel.sysctl.set("kern.hostname", "web01")
    mib, _room, new = tree.asked[-1]
    ((name, value),) = changes
    assert found.abi.integers("int", *mib) == name
    assert new.rstrip(b"\0") == value.rstrip(b"\0") == b"web01"


# Names


@every_abi
def test_names(abi: Abi, tmp_path: Path) -> None:
    with served(made_up(abi), tmp_path) as server:
        top = server.kernel.sysctl.node("top")
        assert (top.name, top.mib, top.type) == ("top", (1,), CTLTYPE.NODE)
        assert list(server.kernel.sysctl.children(top)) == list(TYPES)
        assert [each.name for each in server.kernel.sysctl.walk()] == [f"top.{name}" for name in TYPES]
        assert [each.name for each in server.kernel.sysctl.walk("top.int")] == ["top.int"]


def test_numbers_are_names_too(tmp_path: Path) -> None:
    with served(made_up(AMD64), tmp_path) as server:
        assert server.kernel.sysctl.node("top.11").name == "top.uint"
        assert server.kernel.sysctl.node("1.quad").name == "top.quad"


@pytest.mark.parametrize(
    ("name", "component", "where"),
    [
        ("nosuch", "nosuch", "at the top level"),
        ("nosuch.int", "nosuch", "at the top level"),
        ("top.nosuch", "nosuch", "in top"),
        ("top.in", "in", "in top"),
        ("top.int.more", "more", "in top.int"),
        ("top.99", "99", "in top"),
        ("top.", "", "in top"),
        ("", "", "at the top level"),
        (".top", "", "at the top level"),
        ("top.-1", "-1", "in top"),
        ("top.\N{SUPERSCRIPT TWO}", "\N{SUPERSCRIPT TWO}", "in top"),
    ],
)
def test_unknown_names(name: str, component: str, where: str, tmp_path: Path) -> None:
    with served(made_up(AMD64), tmp_path) as server, pytest.raises(UnknownSysctl) as caught:
        server.kernel.sysctl.node(name)
    assert str(caught.value) == f"sysctl {name}: there is no node {component!r} {where} (ENOENT)"
    assert caught.value.component == component
    assert isinstance(caught.value, RumpError)
    assert isinstance(caught.value, KeyError)


def test_nodes_are_asked_for_once(tmp_path: Path) -> None:
    tree = made_up(AMD64, int=bytes(4))
    with served(tree, tmp_path) as server:
        for _time in range(3):
            server.kernel.sysctl.get("top.int")
            list(server.kernel.sysctl.walk())
    assert [mib for mib, _room, _new in tree.asked].count((1, CTL.QUERY)) == 1


def test_more_children_than_there_was_room_for(tmp_path: Path) -> None:
    tree = Tree(
        AMD64,
        {(CTL.QUERY,): b"".join(node(AMD64, index, f"n{index}", CTLTYPE.INT, 4) for index in range(500))},
    )
    with served(tree, tmp_path) as server:
        assert server.kernel.sysctl.node("n499").mib == (499,)
    assert [room for _mib, room, _new in tree.asked] == [64 * 96, 500 * 96]


def test_a_node_whose_children_cannot_be_asked_for_is_left_out(tmp_path: Path) -> None:
    tree = made_up(AMD64)
    tree.values[CTL.QUERY,] += node(AMD64, 2, "secretive", CTLTYPE.NODE, 96)
    with served(tree, tmp_path) as server:
        assert {each.name.partition(".")[0] for each in server.kernel.sysctl.walk()} == {"top"}


# Values


VALUES: Final[list[tuple[str, Any, Callable[[Abi], bytes]]]] = [
    ("int", 5, lambda abi: abi.integer("int32", 5)),
    ("int", -5, lambda abi: abi.integer("int32", -5)),
    ("int", -(1 << 31), lambda abi: abi.integer("int32", -(1 << 31))),
    ("uint", (1 << 32) - 1, lambda abi: b"\xff" * 4),
    ("quad", -1, lambda abi: b"\xff" * 8),
    ("quad", 1 << 40, lambda abi: abi.integer("int64", 1 << 40)),
    ("uquad", (1 << 64) - 1, lambda abi: b"\xff" * 8),
    ("string", "web01", lambda abi: b"web01\0"),
    ("string", "", lambda abi: b"\0"),
    ("string", "\udcff", lambda abi: b"\xff\0"),
    ("bool", True, lambda abi: b"\1"),
    ("bool", False, lambda abi: b"\0"),
    ("struct", b"\0\1\2" * 4, lambda abi: b"\0\1\2" * 4),
]


@every_abi
@pytest.mark.parametrize(("kind", "value", "encoded"), VALUES)
def test_values(abi: Abi, kind: str, value: Any, encoded: Callable[[Abi], bytes], tmp_path: Path) -> None:
    tree = made_up(abi, **{kind: encoded(abi)})
    with served(tree, tmp_path) as server:
        found = server.kernel.sysctl.get(f"top.{kind}")
        assert found == value
        assert type(found) is type(value)
        server.kernel.sysctl.set(f"top.{kind}", value)
    assert tree.asked[-1][1:] == (0, encoded(abi))


def test_strings_end_at_their_nul(tmp_path: Path) -> None:
    for index, data in enumerate((b"abc\0junk", b"abc", b"abc\0\0")):
        directory = tmp_path / str(index)
        directory.mkdir()
        with served(made_up(AMD64, string=data), directory) as server:
            assert server.kernel.sysctl.get("top.string") == "abc"


def test_any_byte_but_zero_is_true(tmp_path: Path) -> None:
    with served(made_up(AMD64, bool=b"\x80"), tmp_path) as server:
        assert server.kernel.sysctl.get("top.bool") is True


def test_a_large_positive_value_fits_a_signed_node_by_its_bits(tmp_path: Path) -> None:
    tree = made_up(AMD64, int=bytes(4))
    with served(tree, tmp_path) as server:
        server.kernel.sysctl.set("top.int", 0xFFFFFFFF)
        assert server.kernel.sysctl.get("top.int") == -1


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("int", 1 << 32, "does not fit in 32 bits"),
        ("int", -(1 << 31) - 1, "does not fit in 32 bits"),
        ("uint", 1 << 32, "does not fit in 32 bits"),
        ("quad", 1 << 64, "does not fit in 64 bits"),
        ("quad", -(1 << 63) - 1, "does not fit in 64 bits"),
        ("int", "5", "is of type int"),
        ("int", True, "is of type int"),
        ("int", 5.0, "is of type int"),
        ("string", 5, "is of type string"),
        ("string", b"web01", "is of type string"),
        ("bool", 1, "is of type bool"),
        ("struct", "x", "is of type struct"),
    ],
)
def test_values_that_do_not_fit(kind: str, value: Any, message: str, tmp_path: Path) -> None:
    tree = made_up(AMD64)
    with served(tree, tmp_path) as server:
        node = server.kernel.sysctl.node(f"top.{kind}")
        asked = len(tree.asked)
        with pytest.raises(SysctlValueError, match=message) as caught:
            server.kernel.sysctl.set(node, value)
    assert len(tree.asked) == asked  # the kernel was not asked
    assert isinstance(caught.value, ValueError)


def test_a_subtree_is_no_value(tmp_path: Path) -> None:
    with served(made_up(AMD64), tmp_path) as server:
        with pytest.raises(SysctlValueError, match="top is a subtree"):
            server.kernel.sysctl.get("top")
        with pytest.raises(SysctlValueError, match="of type node"):
            server.kernel.sysctl.set("top", 1)


@pytest.mark.parametrize("error", [Errno.EPERM, Errno.EINVAL])
def test_refused_changes(error: Errno, tmp_path: Path) -> None:
    tree = made_up(AMD64)

    def sysctl(called: Called) -> int:
        return error if called["newlen"] == 4 else tree(called)

    with (
        serving(tmp_path, {"__sysctl": sysctl}) as server,
        pytest.raises(KernelError, match=rf"^sysctl -w top\.int: {error.name}"),
    ):
        server.kernel.sysctl.set("top.int", 5)


# Sizes


def test_a_value_larger_than_its_node_says(tmp_path: Path) -> None:
    tree = made_up(AMD64, string=b"x" * 100 + b"\0", struct=b"s" * 1000)
    with served(tree, tmp_path) as server:
        assert server.kernel.sysctl.get("top.string") == "x" * 100
        assert server.kernel.sysctl.get("top.struct") == b"s" * 1000
    assert [(mib, room) for mib, room, _new in tree.asked if mib[-1] > 0] == [
        ((1, 14), 0),
        ((1, 14), 101),
        ((1, 16), 12),
        ((1, 16), 1000),
    ]


def test_a_value_that_never_stops_growing(tmp_path: Path) -> None:
    tree = made_up(AMD64)

    def sysctl(called: Called) -> int:
        if called["newlen"]:
            return tree(called)
        room = AMD64.read_integer("size_t", called.read("oldlenp", 8))
        called.write("oldlenp", AMD64.integer("size_t", room + 1))
        return Errno.ENOMEM

    with serving(tmp_path, {"__sysctl": sysctl}) as server, pytest.raises(SysctlValueError, match="grows faster"):
        server.kernel.sysctl.get("top.struct")


def test_no_memory_in_the_kernel_is_not_taken_for_want_of_room(tmp_path: Path) -> None:
    tree = made_up(AMD64)

    def sysctl(called: Called) -> int:
        return tree(called) if called["newlen"] else Errno.ENOMEM

    with serving(tmp_path, {"__sysctl": sysctl}) as server, pytest.raises(KernelError, match="ENOMEM"):
        server.kernel.sysctl.get("top.struct")
    assert len(server.calls) == 4  # the last one asks how much there is


# Answers that no kernel gives


def breaks(server: Serving, ask: Callable[[], object], match: str) -> None:
    with pytest.raises(ProtocolError, match=match) as caught:
        ask()
    assert str(caught.value).startswith("unix://")
    assert server.kernel.session.closed


@pytest.mark.parametrize("kind", [0, 7, 8, 15])
def test_types_that_there_are_not(kind: int, tmp_path: Path) -> None:
    tree = Tree(AMD64, {(CTL.QUERY,): node(AMD64, 1, "odd", kind, 4)})
    with served(tree, tmp_path) as server:
        breaks(server, lambda: server.kernel.sysctl.node("odd"), f"odd is said to be of type {kind}")


def test_types_that_there_are_not_in_a_walk(tmp_path: Path) -> None:
    tree = Tree(AMD64, {(CTL.QUERY,): node(AMD64, 1, "odd", 0, 4)})
    with served(tree, tmp_path) as server:
        breaks(server, lambda: list(server.kernel.sysctl.walk()), "odd is said to be of type 0")


@pytest.mark.parametrize("size", [1, 95, 97, 200])
def test_nodes_that_are_cut_off(size: int, tmp_path: Path) -> None:
    tree = Tree(AMD64, {(CTL.QUERY,): bytes(size)})
    with served(tree, tmp_path) as server:
        breaks(server, lambda: server.kernel.sysctl.node("x"), r"the children of sysctl \(root\) are cut off")


def test_no_nodes_at_all(tmp_path: Path) -> None:
    with served(Tree(AMD64, {(CTL.QUERY,): b""}), tmp_path) as server:
        assert list(server.kernel.sysctl.walk()) == []


@every_abi
@pytest.mark.parametrize(
    ("kind", "data"),
    [("int", b""), ("int", bytes(3)), ("uint", bytes(1)), ("quad", bytes(4)), ("uquad", bytes(7)), ("bool", b"")],
)
def test_values_shorter_than_their_type(abi: Abi, kind: str, data: bytes, tmp_path: Path) -> None:
    with served(made_up(abi, **{kind: data}), tmp_path) as server:
        breaks(server, lambda: server.kernel.sysctl.get(f"top.{kind}"), f"has {len(data)} bytes")


@every_abi
@pytest.mark.parametrize("error", [0, Errno.ENOMEM])
@pytest.mark.parametrize("size", [(1 << 24) + 1, 1 << 31, (1 << 32) - 1])
def test_sizes_that_no_value_has(abi: Abi, error: int, size: int, tmp_path: Path) -> None:
    tree = made_up(abi)

    def sysctl(called: Called) -> int:
        if called["newlen"]:
            return tree(called)
        called.write("oldlenp", abi.integer("size_t", size))
        return error

    with serving(tmp_path, {"__sysctl": sysctl}, abi=abi) as server:
        breaks(server, lambda: server.kernel.sysctl.get("top.struct"), f"is said to have {size} bytes")


@pytest.mark.parametrize("size", [1 << 40, 1 << 63, (1 << 64) - 1])
def test_sizes_that_nothing_has(size: int, tmp_path: Path) -> None:
    tree = Tree(AMD64, {(CTL.QUERY,): node(AMD64, 1, "huge", CTLTYPE.STRUCT, size)})
    with served(tree, tmp_path) as server:
        breaks(server, lambda: server.kernel.sysctl.get("huge"), f"is said to have {size} bytes")
    assert len(server.calls) == 1  # it was not even asked for


def test_a_tree_without_an_end_has_one(tmp_path: Path) -> None:
    def sysctl(called: Called) -> int:
        data = node(AMD64, 1, "n", CTLTYPE.NODE, 96)
        called.write("oldv", data)
        called.write("oldlenp", AMD64.integer("size_t", len(data)))
        return 0

    with serving(tmp_path, {"__sysctl": sysctl}) as server:
        breaks(server, lambda: list(server.kernel.sysctl.walk()), "deeper than numbers can be")
    assert len(server.calls) == 12


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\1\0\0\0", ""),
        (b"\1\0\0\0\0\0\0\0\6\0\0\0hello\0", "hello"),
        (b"\1\0\0\0\0\0\0\0\6\0\0\0hello\0\0\0" + bytes(12), "hello"),
        (b"\1\0\0\0\0\0\0\0\xff\xff\xff\xffhello\0", "hello"),
        (b"\1\0\0\0\0\0\0\0\0\0\0\0hello\0", ""),
    ],
)
def test_descriptions(data: bytes, text: str, tmp_path: Path) -> None:
    tree = made_up(AMD64)
    tree.values[1, CTL.DESCRIBE] = data
    with served(tree, tmp_path) as server:
        assert server.kernel.sysctl.describe(server.kernel.sysctl.node("top.int")) == text


def test_type_names() -> None:
    names = [SysctlNode("", (), kind, CTLFLAG(0), 0).type_name for kind in CTLTYPE]
    assert names == ["node", "int", "string", "quad", "struct", "bool"]
