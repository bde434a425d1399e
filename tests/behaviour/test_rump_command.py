# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_command on a kernel: with programs that stand in the place of rumpctrl's utilities, and with these."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_command
from ansible_collections.rumpkernel.rump.tests.support.backends import Server, running
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module
from ansible_collections.rumpkernel.rump.tests.support.utilities import RUMPCTRL, needs_rumpctrl, stand_ins

# Programs of the controller: the same on every machine.
pytestmark = pytest.mark.one_abi


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return stand_ins(tmp_path)


def command(kernel: Kernel, folder: Path | str | None, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_module(kernel, rump_command, check_mode, rumpctrl_path=str(folder), **options)


def test_a_command_has_its_arguments_the_server_and_no_other_programs(
    kernel: Kernel, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUMPCLIENT__EXECFD", "3,4")  # what librumpclient would take for its connection
    ran = command(kernel, folder, cmd="tell 'one word' $HOME \"*\" '|'")
    assert ran["stdout_lines"] == [
        f"server={kernel.url} path={folder} cookie=",
        *("[one word]", "[$HOME]", "[*]", "[|]"),
    ]
    assert ran["cmd"] == ["tell", "one word", "$HOME", "*", "|"]
    assert (ran["changed"], ran["rc"], ran["msg"], ran["stderr"]) == (True, 0, "", "")
    assert ran["changes"] == ["run tell 'one word' '$HOME' '*' '|'"]
    assert ran["start"] < ran["end"]
    assert ran["delta"].startswith("0:00:0")
    assert command(kernel, folder, argv=["tell", "one word"])["stdout_lines"][1:] == ["[one word]"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "end"),
        ({"strip_empty_ends": False}, "end\n\n\n"),
        ({"stdin": "first\nlast"}, "<first>\n<last>\nend"),
        ({"stdin": "first\nlast", "stdin_add_newline": False}, "<first>\nend"),
    ],
)
def test_standard_input_and_the_ends_of_the_output(
    kernel: Kernel, folder: Path, options: dict[str, Any], said: str
) -> None:
    assert command(kernel, folder, cmd="upper", **options)["stdout"] == said


def test_a_command_that_fails(kernel: Kernel, folder: Path) -> None:
    failed = command(kernel, folder, cmd="fail")
    assert (failed["failed"], failed["changed"], failed["rc"]) == (True, True, 3)
    assert failed["msg"] == "non-zero return code"
    assert (failed["stdout"], failed["stderr_lines"]) == ("partly", ["fail: no such thing"])
    assert command(kernel, folder, cmd="die")["rc"] == -9


def test_a_command_that_does_not_end(kernel: Kernel, folder: Path) -> None:
    begun = time.monotonic()
    ended = command(kernel, folder, cmd="stay", timeout=0.2)
    assert time.monotonic() - begun < 5
    assert (ended["failed"], ended["rc"], ended["stdout"]) == (True, -9, "begun")
    assert ended["msg"] == "stay did not end within 0.2 s, and was killed"


@pytest.mark.parametrize("pattern", ["/data/there", "/data/th*", "/da[t]a/there", "/*/there", "/data/", "/d*/"])
def test_creates_and_removes_look_into_the_kernel(kernel: Kernel, folder: Path, pattern: str) -> None:
    kernel.mkdir("/data")
    kernel.write_file("/data/there", b"")
    for check_mode, word in ((True, "Would"), (False, "Did")):
        spared = command(kernel, folder, check_mode, cmd="tell", creates=pattern)
        assert (spared["changed"], spared["rc"], spared["start"]) == (False, 0, None)
        assert spared["stdout"] == f"skipped, since {pattern} exists"
        assert spared["msg"] == f"{word} not run command since {pattern} exists"
        ran = command(kernel, folder, check_mode, cmd="tell", removes=pattern)
        assert ran["changed"]
        assert bool(ran["stdout"]) is not check_mode


@pytest.mark.parametrize(
    "pattern", ["/data/absent", "/data/ab*", "/absent/*", "/data/there/*", "/data/*den", "/etc/*/"]
)
def test_what_is_not_in_the_kernel(kernel: Kernel, folder: Path, pattern: str) -> None:
    """The controller has an /etc."""
    kernel.mkdir("/data")
    kernel.write_file("/data/there", b"")
    kernel.write_file("/data/.hidden", b"")
    for check_mode in (True, False):
        spared = command(kernel, folder, check_mode, cmd="tell", removes=pattern)
        assert not spared["changed"]
        assert spared["stdout"] == f"skipped, since {pattern} does not exist"
        assert command(kernel, folder, check_mode, cmd="tell", creates=pattern)["changed"]


def test_check_mode_runs_nothing(server: Server, kernel: Kernel, folder: Path, tmp_path: Path) -> None:
    (folder / "mark").write_text(f"#!/bin/sh\n: > {tmp_path}/ran\n")
    (folder / "mark").chmod(0o755)
    skipped = command(kernel, folder, True, cmd="mark")
    assert (skipped["skipped"], skipped["changed"]) == (True, False)
    foretold = command(kernel, folder, True, cmd="mark", creates="/absent")
    assert (foretold["changed"], foretold["changes"]) == (True, ["run mark"])
    assert foretold["msg"] == "Command would have run if not in check mode"
    assert not (tmp_path / "ran").exists()
    if server.journal:
        assert [call for call in map(json.loads, server.journal.read_text().splitlines()) if call["changes"]] == []
    assert command(kernel, folder, cmd="mark", creates="/absent")["changes"] == foretold["changes"]
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("options", "texts"),
    [
        ({"cmd": "nosuch"}, ["cmd: there is no utility 'nosuch' in", "die, fail, stay, tell, upper"]),
        ({"cmd": "README"}, ["cmd: there is no utility 'README'"]),
        ({"cmd": "/bin/sh -c true"}, ["cmd: give the utility's name alone", "'/bin/sh'"]),
        ({"argv": ["../utilities/tell"]}, ["the utility's name alone"]),
        ({"cmd": ".."}, ["the utility's name alone"]),
        ({"cmd": "tell 'open"}, ["cmd: ", "No closing quotation"]),
        ({"cmd": ""}, ["cmd: give the name of a utility"]),
        ({"argv": []}, ["argv: give the name of a utility"]),
        ({"argv": ["tell", "nul\0"]}, ["cannot be run"]),
        ({"cmd": "tell", "timeout": 0}, ["timeout: give seconds"]),
        ({"cmd": "tell", "rumpctrl_path": "/nosuch/bin"}, ["rumpctrl_path: there is no folder /nosuch/bin"]),
        ({"cmd": "tell", "rumpctrl_path": ""}, ["rumpctrl_path: ", "ansible_rumpctrl_path", "RUMPCTRL_PATH", "build"]),
    ],
)
def test_refusals(
    kernel: Kernel, folder: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], texts: list[str]
) -> None:
    monkeypatch.delenv("RUMPCTRL_PATH", raising=False)
    message = refused(kernel, rump_command, **{"rumpctrl_path": str(folder), **options})["msg"]
    for text in texts:
        assert text in message


@needs_rumpctrl
def test_the_utilities_themselves(tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    """What NetBSD's programs do is what the façade sees."""
    with running("rump_server", tmp_path) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        assert command(kernel, RUMPCTRL, cmd="mkdir -p /data/www", creates="/data/www")["rc"] == 0
        assert kernel.isdir("/data/www")
        assert not command(kernel, RUMPCTRL, cmd="mkdir -p /data/www", creates="/data/www")["changed"]
        assert command(kernel, RUMPCTRL, cmd="dd of=/data/www/index", stdin="Hello", stdin_add_newline=False)["rc"] == 0
        assert kernel.read_file("/data/www/index") == b"Hello"
        assert command(kernel, RUMPCTRL, argv=["cat", "/data/www/index"])["stdout"] == "Hello"
        assert command(kernel, RUMPCTRL, cmd="sysctl -n kern.ostype")["stdout_lines"] == ["NetBSD"]
        failed = command(kernel, RUMPCTRL, cmd="ls /nosuch")
        assert (failed["failed"], failed["rc"]) == (True, 1)
        assert "/nosuch: No such file or directory" in failed["stderr"]
        assert command(kernel, RUMPCTRL, cmd="rm -r /data", removes="/data")["changed"]
        assert not kernel.exists("/data")
        assert not command(kernel, RUMPCTRL, cmd="rm -r /data", removes="/data")["changed"]


@needs_rumpctrl
def test_a_file_system_is_made_and_mounted(tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    """newfs on a disk that is a file of the kernel's host, as the module's EXAMPLES have it."""
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(4 << 20))
    disk = [f"key=/{name},hostpath={image},size={4 << 20}{kind}" for name, kind in (("dk", ""), ("rdk", ",type=chr"))]
    options = ("-d", disk[0], "-d", disk[1])
    with running("rump_server", tmp_path, options=options) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        assert command(kernel, RUMPCTRL, cmd="newfs /rdk")["rc"] == 0
        kernel.mkdir("/mnt")
        mounted = command(kernel, RUMPCTRL, cmd="mount -t ffs /dk /mnt")
        assert mounted["rc"] == 0, mounted
        assert [mount.fstype for mount in kernel.mounts() if mount.path == "/mnt"] == ["ffs"]
