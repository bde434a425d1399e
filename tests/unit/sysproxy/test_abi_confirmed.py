# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels whose machine comes in several kinds: assumed, asked, and said to be another."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import (
    AbiHints,
    AbiMismatch,
    ConnectError,
    RumpError,
    UnknownMachine,
    connect,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.notices import UnknownRelease
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT


@contextlib.contextmanager
def kernel(folder: Path, options: list[str]) -> Iterator[str]:
    """The URL of a simulated kernel that nobody has talked to yet."""
    url = f"unix://{folder}/csock"
    command = [sys.executable, str(ROOT / "bin" / "rump-simulated"), "--journal", str(folder / "journal.jsonl")]
    with subprocess.Popen([*command, *options, url], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith(b"ready"), "the simulated kernel does not start"
            yield url
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("options", "hints", "kind"),
    [
        (["--machine", "evbmips"], None, (4, "big")),
        (["--machine", "evbmips", "--byteorder", "little"], AbiHints(byteorder="little"), (4, "little")),
        (["--machine", "evbmips", "--word-size", "8"], AbiHints(word_size=8), (8, "big")),
        (["--machine", "evbarm", "--word-size", "8"], AbiHints(word_size=8), (8, "little")),
        (
            ["--machine", "pdp11", "--word-size", "4", "--byteorder", "big"],
            AbiHints(word_size=4, byteorder="big"),
            (4, "big"),
        ),
    ],
)
def test_what_is_right_is_confirmed(
    options: list[str], hints: AbiHints | None, kind: tuple[int, str], tmp_path: Path
) -> None:
    with kernel(tmp_path, options) as url, connect(url, abi=hints, connect_timeout=10) as found:
        assert (found.abi.word_size, found.abi.byteorder) == kind
        assert [mount.path for mount in found.mounts()] == ["/"]
        assert "lo0" in [interface.name for interface in found.interfaces.all()]


@pytest.mark.parametrize(
    ("options", "hints", "error"),
    [
        (["--machine", "evbmips", "--byteorder", "little"], None, ConnectError),
        (["--machine", "evbmips", "--word-size", "8"], None, AbiMismatch),
        (["--machine", "evbarm", "--word-size", "8"], None, AbiMismatch),
        (["--machine", "evbmips"], AbiHints(word_size=8), AbiMismatch),
        (["--machine", "evbmips"], AbiHints(byteorder="little"), ConnectError),
        (["--machine", "pdp11", "--word-size", "4", "--byteorder", "big"], None, UnknownMachine),
    ],
)
def test_what_is_wrong_is_told(
    options: list[str], hints: AbiHints | None, error: type[Exception], tmp_path: Path
) -> None:
    with kernel(tmp_path, options) as url, pytest.raises(error, match=r"word size and byte order .*have to be given"):
        connect(url, abi=hints, connect_timeout=10)


@pytest.mark.parametrize(
    ("options", "hints", "source"),
    [
        (["--machine", "amd64"], AbiHints(word_size=4), "32-bit little-endian kernel was assumed, as was said"),
        (["--machine", "amd64"], AbiHints(byteorder="big"), "64-bit big-endian kernel was assumed, as was said"),
        (["--machine", "amd64", "--word-size", "4"], None, "64-bit little-endian kernel was assumed, from its banner"),
        (["--machine", "i386", "--word-size", "8"], None, "32-bit little-endian kernel was assumed, from its banner"),
        (["--machine", "sparc64", "--byteorder", "little"], None, "64-bit big-endian kernel was assumed, from its"),
    ],
)
def test_any_machine_may_be_another_than_assumed(
    options: list[str], hints: AbiHints | None, source: str, tmp_path: Path
) -> None:
    with kernel(tmp_path, options) as url:
        with pytest.raises(RumpError, match=f"{source}.* word size and byte order have to be given") as caught:
            connect(url, abi=hints, connect_timeout=10, timeout=10).stat("/")
        assert str(caught.value).startswith(f"{url}: ")
        assert str(caught.value).count("have to be given") == 1


@pytest.mark.parametrize(("machine", "calls"), [("amd64", 1), ("i386", 1), ("sparc64", 1), ("evbmips", 2)])
def test_only_where_there_is_a_choice_a_call_is_made(machine: str, calls: int, tmp_path: Path) -> None:
    with kernel(tmp_path, ["--machine", machine]) as url:
        before = journal(tmp_path)
        with connect(url, connect_timeout=10) as found:
            found.getpid()
        assert len(journal(tmp_path)) - len(before) == calls


@pytest.mark.parametrize(
    ("release", "hints", "warned"),
    [("10.0", None, False), ("6.1", None, False), ("12.0", None, True), ("12.0", AbiHints(release="10.0"), False)],
)
def test_releases_that_are_not_known(release: str, hints: AbiHints | None, warned: bool, tmp_path: Path) -> None:
    with kernel(tmp_path, ["--release", release]) as url, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with connect(url, abi=hints, connect_timeout=10) as found:
            assert [mount.path for mount in found.mounts()] == ["/"]
    assert [warning.category for warning in caught] == [UnknownRelease] * warned
    assert all("NetBSD 12.0 is not among the releases that are known" in str(warning.message) for warning in caught)


def journal(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
