# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a banner says of the kernel behind it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import (
    ProtocolError,
    RumpError,
    UnknownMachine,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.frames import Wire
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, AbiHints
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.machines import (
    AMBIGUOUS,
    DATA_MODELS,
    MACHINES,
)
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    AMD64,
    I386,
    ILP32_BIG,
    transcript,
    transcript_names,
)


def test_a_64_bit_kernel() -> None:
    abi = Abi.from_banner("RUMPSP-0.4-NetBSD-7.99.34/amd64")
    assert (abi.word_size, abi.int64_alignment, abi.byteorder) == (8, 8, "little")
    assert (abi.ostype, abi.release, abi.machine) == ("NetBSD", (7, 99, 34), "amd64")
    assert abi == AMD64
    assert abi.wire == Wire("little", 8)
    assert abi.prefix == "<"


def test_a_32_bit_kernel() -> None:
    abi = Abi.from_banner("RUMPSP-0.4-NetBSD-7.99.34/i386")
    assert (abi.word_size, abi.int64_alignment, abi.byteorder) == (4, 4, "little")
    assert abi == I386


def test_a_big_endian_kernel() -> None:
    abi = Abi.from_banner("RUMPSP-0.4-NetBSD-7.99.34/sparc")
    assert abi == ILP32_BIG
    assert abi.wire == Wire("big", 4)
    assert abi.prefix == ">"


@pytest.mark.parametrize("machine", MACHINES)
def test_every_known_machine_goes_there_and_back(machine: str) -> None:
    banner = f"RUMPSP-0.4-NetBSD-9.3/{machine}"
    abi = Abi.from_banner(banner)
    assert abi.banner == banner
    assert Abi.from_banner(abi.banner + "\n") == abi
    assert (abi.word_size, abi.int64_alignment, abi.byteorder) == (
        MACHINES[machine].word_size,
        MACHINES[machine].int64_alignment,
        MACHINES[machine].byteorder,
    )


def test_machines_that_come_in_several_kinds_have_a_default() -> None:
    assert set(MACHINES) >= AMBIGUOUS


@pytest.mark.parametrize(("machine", "prefix"), transcript_names())
def test_the_banners_of_real_kernels(machine: str, prefix: str) -> None:
    found = transcript(machine, prefix)
    for banner in found.banners.values():
        assert Abi.from_banner(banner) == found.abi
        assert found.abi.banner + "\n" == banner


@pytest.mark.parametrize(
    ("text", "release"),
    [("10.0", (10, 0)), ("10.99.7", (10, 99, 7)), ("9.0_STABLE", (9, 0)), ("8.0_RC2", (8, 0, 2)), ("current", (0,))],
)
def test_releases(text: str, release: tuple[int, ...]) -> None:
    abi = Abi.from_banner(f"RUMPSP-0.4-NetBSD-{text}/amd64")
    assert abi.release == release
    assert abi.struct("statvfs").size == (3296 if release >= (9, 99) else 2256)


def test_a_later_minor_version_of_the_protocol_is_spoken() -> None:
    assert Abi.from_banner("RUMPSP-0.5-NetBSD-11.0/amd64").release == (11, 0)


@pytest.mark.parametrize(
    "banner",
    [
        "",
        "SSH-2.0-OpenSSH_9.2",
        "HTTP/1.1 400 Bad Request",
        "RUMPSP-0.4",
        "RUMPSP-0.4-NetBSD-7.99.34",
        "RUMPSP-x.4-NetBSD-7.99.34/amd64",
        "RUMPSP-0.4-NetBSD-7.99.34/amd64 more",
        "rumpsp-0.4-NetBSD-7.99.34/amd64",
        " RUMPSP-0.4-NetBSD-7.99.34/amd64",
    ],
)
def test_other_greetings(banner: str) -> None:
    with pytest.raises(ProtocolError, match="not a sysproxy server"):
        Abi.from_banner(banner)


@pytest.mark.parametrize("version", ["0.3", "1.4", "2.0"])
def test_other_versions(version: str) -> None:
    with pytest.raises(ProtocolError, match=f"speaks sysproxy {version}; 0.4 is spoken here"):
        Abi.from_banner(f"RUMPSP-{version}-NetBSD-7.99.34/amd64")


def test_unknown_machines() -> None:
    with pytest.raises(UnknownMachine, match="NetBSD/pdp11"):
        Abi.from_banner("RUMPSP-0.4-NetBSD-7.99.34/pdp11")
    assert issubclass(UnknownMachine, RumpError)


@pytest.mark.parametrize(
    ("kind", "value", "little", "big"),
    [
        ("int", -2, "feffffff", "fffffffe"),
        ("uint32", 0x01020304, "04030201", "01020304"),
        ("uint16", 0x0102, "0201", "0102"),
        ("int64", -2, "feffffffffffffff", "fffffffffffffffe"),
    ],
)
def test_lone_integers(kind: str, value: int, little: str, big: str) -> None:
    for abi, expected in ((AMD64, little), (ILP32_BIG, big)):
        assert abi.integer(kind, value).hex() == expected
        assert abi.read_integer(kind, bytes.fromhex(expected) + b"more") == value


def test_the_words_integers() -> None:
    assert AMD64.integer("size_t", 5).hex() == "0500000000000000"
    assert I386.integer("size_t", 5).hex() == "05000000"
    assert ILP32_BIG.integers("size_t", 1, 2).hex() == "0000000100000002"
    assert AMD64.read_integer("ulong", b"\xff" * 8) == (1 << 64) - 1
    assert AMD64.read_integer("long", b"\xff" * 8) == -1


def test_what_a_user_says_goes_before_the_banner() -> None:
    banner = "RUMPSP-0.4-NetBSD-7.99.34/evbmips"
    abi = Abi.from_banner(banner, AbiHints(byteorder="little"))
    assert (abi.word_size, abi.int64_alignment, abi.byteorder, abi.release) == (4, 8, "little", (7, 99, 34))
    abi = Abi.from_banner(banner, AbiHints(word_size=8, release="10.0_STABLE"))
    assert (abi.word_size, abi.int64_alignment, abi.byteorder, abi.release) == (8, 8, "big", (10, 0))
    assert Abi.from_banner(banner, AbiHints(int64_alignment=4)).int64_alignment == 4
    assert Abi.from_banner(banner, AbiHints()) == Abi.from_banner(banner)
    assert Abi.from_banner("what it says does not matter", AMD64) == AMD64


def test_an_unknown_machine_needs_word_size_and_byte_order() -> None:
    banner = "RUMPSP-0.4-NetBSD-7.99.34/pdp11"
    abi = Abi.from_banner(banner, AbiHints(word_size=4, byteorder="little"))
    assert (abi.word_size, abi.int64_alignment, abi.byteorder, abi.machine) == (4, 8, "little", "pdp11")
    for hints in (AbiHints(word_size=4), AbiHints(byteorder="big"), AbiHints(release="10.0")):
        with pytest.raises(UnknownMachine, match="have to be given"):
            Abi.from_banner(banner, hints)


def test_the_alignment_follows_the_word_size_that_is_given() -> None:
    assert Abi.from_banner("RUMPSP-0.4-NetBSD-9.0/i386", AbiHints(byteorder="little")).int64_alignment == 4
    assert Abi.from_banner("RUMPSP-0.4-NetBSD-9.0/i386", AbiHints(word_size=8)).int64_alignment == 8


@pytest.mark.parametrize(
    ("hints", "said"),
    [
        ({"word_size": 2}, "word_size is 4 or 8, not 2"),
        ({"byteorder": "middle"}, "byteorder is little or big, not 'middle'"),
        ({"int64_alignment": 3}, "int64_alignment is 2 or 4 or 8, not 3"),
        ({"release": "current"}, "release is such as 10.0, not 'current'"),
    ],
)
def test_hints_that_cannot_be(hints: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AbiHints(**hints)


# MACHINE and MACHINE_ARCH of NetBSD's build.sh at 7.99.34; little-endian MIPS, SuperH and ARM end with el, or do not
# end with eb.
@pytest.mark.parametrize(
    ("machine", "models"),
    [
        ("amd64", {(8, "little")}),
        ("i386", {(4, "little")}),
        ("sparc64", {(8, "big")}),
        ("evbarm", {(4, "little"), (4, "big"), (8, "little"), (8, "big")}),
        ("evbarm64", {(8, "little"), (8, "big")}),
        ("evbmips", {(4, "little"), (4, "big"), (8, "little"), (8, "big")}),
        ("evbppc", {(4, "big"), (8, "big")}),
        ("pmax", {(4, "little"), (8, "little")}),
        ("sgimips", {(4, "big"), (8, "big")}),
        ("evbsh3", {(4, "little"), (4, "big")}),
        ("landisk", {(4, "little")}),
        ("mac68k", {(4, "big")}),
        ("vax", {(4, "little")}),
        ("riscv", {(8, "little"), (4, "little")}),
    ],
)
def test_the_data_models_of_machines(machine: str, models: set[tuple[int, str]]) -> None:
    assert {(model.word_size, model.byteorder) for model in DATA_MODELS[machine]} == models
    assert (machine in AMBIGUOUS) == (len(models) > 1)
