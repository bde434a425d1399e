# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_template on a kernel, on tmpfs, FFS and the root file system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel
from ansible_collections.rumpkernel.rump.tests.support.actions import run_action
from ansible_collections.rumpkernel.rump.tests.support.filesystems import FOLDERS

# Templates, and options of rump_copy's: the same on every machine.
pytestmark = pytest.mark.one_abi

VARIABLES = {"name": "wörld", "hosts": ["a", "b"]}
TEMPLATE = (
    "# {{ template_destpath | basename }}\nhello {{ name }}\n{% for host in hosts %}\n- {{ host }}\n{% endfor %}\n"
)
TEXT = "# f\nhello wörld\n- a\n- b\n"

CASES: dict[str, tuple[str, dict[str, Any], bytes]] = {
    # the template, the options, the content
    "all of it": (TEMPLATE, {}, TEXT.encode()),
    "newlines": (TEMPLATE, {"newline_sequence": "\\r\\n"}, TEXT.replace("\n", "\r\n").encode()),
    "encoding": (TEMPLATE, {"output_encoding": "latin-1"}, TEXT.encode("latin-1")),
    "blocks left": ("{% if true %}\nx\n{% endif %}\n", {"trim_blocks": False}, b"\nx\n"),
    "blocks stripped": ("  {% if true %}\nx\n  {% endif %}\n", {"lstrip_blocks": True}, b"x\n"),
    "blocks not stripped": ("  {% if true %}\nx\n  {% endif %}\n", {}, b"  x\n  \n"),
    "other marks": (
        "[[ name ]] {{ name }} (% if true %)x(% endif %) (# no #)",
        {
            "variable_start_string": "[[",
            "variable_end_string": "]]",
            "block_start_string": "(%",
            "block_end_string": "%)",
            "comment_start_string": "(#",
            "comment_end_string": "#)",
        },
        "wörld {{ name }} x ".encode(),
    ),
    "include": ("{% include 'part.j2' %}!\n", {}, "part of wörld!\n".encode()),
    "nothing": ("", {}, b""),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "part.j2").write_text("part of {{ name }}")
    return tmp_path / "f.j2"


def template(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    return run_action(kernel, "rump_template", check_mode, variables=VARIABLES, **options)


@pytest.mark.parametrize("name", CASES)
def test_template(kernel_with_filesystems: Kernel, folder: str, source: Path, name: str) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    text, more, wanted = CASES[name]
    source.write_text(text)
    options: dict[str, Any] = {"src": str(source), "dest": path, "mode": "0640", **more}

    assert template(kernel, check_mode=True, **options)["changed"]
    assert kernel.listdir(folder) == []
    done = template(kernel, **options)
    assert done["changed"]
    assert done.items() >= {"dest": path, "mode": "0640", "size": len(wanted), "state": "file"}.items()
    assert done["atomic"] is not folder.startswith(FOLDERS["rumpfs"])
    assert done["src"] == str(source)
    assert kernel.read_file(path) == wanted
    for check_mode in (True, False):
        time = kernel.stat(path).st_ctime_ns
        assert not template(kernel, check_mode=check_mode, **options)["changed"]
        assert kernel.stat(path).st_ctime_ns == time
    assert kernel.listdir(folder) == ["f"]


@pytest.mark.parametrize("follow", [True, False])
def test_change(kernel_with_filesystems: Kernel, folder: str, source: Path, follow: bool) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    kernel.write_file(f"{folder}/target", b"old")
    kernel.symlink("target", path)
    source.write_text(TEMPLATE)
    options: dict[str, Any] = {"src": str(source), "dest": path, "follow": follow, "backup": True, "owner": "5"}

    assert template(kernel, check_mode=True, **options)["changed"]
    assert kernel.read_file(path) == b"old"
    done = template(kernel, **options)
    assert done["changed"]
    assert kernel.read_file(done["backup_file"]) == b"old"
    assert kernel.islink(path) is follow
    assert kernel.read_file(path).decode() == TEXT
    assert kernel.stat(path).st_uid == 5
    for check_mode in (True, False):
        assert not template(kernel, check_mode=check_mode, **options)["changed"]


def test_into_a_directory_and_mode_preserved(kernel_with_filesystems: Kernel, folder: str, source: Path) -> None:
    source.write_text("x")
    source.chmod(0o604)
    assert template(kernel_with_filesystems, src=str(source), dest=folder, mode="preserve")["changed"]
    assert kernel_with_filesystems.stat(f"{folder}/f.j2").st_mode & 0o7777 == 0o604
    assert not template(kernel_with_filesystems, src=str(source), dest=f"{folder}/", mode="preserve")["changed"]


def test_diff(kernel_with_filesystems: Kernel, folder: str, source: Path) -> None:
    source.write_text("hello {{ name }}\n")
    kernel_with_filesystems.write_file(f"{folder}/f", b"hello\n")
    (diff,) = template(kernel_with_filesystems, check_mode=True, diff=True, src=str(source), dest=f"{folder}/f")["diff"]
    assert (diff["before"], diff["after"]) == ("hello\n", "hello wörld\n")


def test_force_and_refusals(kernel_with_filesystems: Kernel, folder: str, source: Path) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    kernel.write_file(path, b"old")
    source.write_text("{{ name }}")
    assert not template(kernel, src=str(source), dest=path, force=False)["changed"]
    cases: tuple[tuple[dict[str, Any], str], ...] = (
        ({"src": str(source), "dest": path, "validate": "x %s"}, "runs no programs"),
        ({"src": f"{source}x", "dest": path}, "Could not find or access"),
        ({"src": str(source), "dest": path, "newline_sequence": "x"}, "newline_sequence needs to be one of"),
        ({"src": str(source), "dest": path, "state": "file"}, "Unsupported parameters"),
        ({"src": str(source)}, "src and dest are required"),
    )
    for options, said in cases:
        result = template(kernel, **options)
        assert result["failed"]
        assert said in result["msg"]
    assert kernel.read_file(path) == b"old"
    assert kernel.listdir(folder) == ["f"]


def test_local_connection(kernel_with_filesystems: Kernel, folder: str, source: Path) -> None:
    source.write_text("{{ name }}")
    options: dict[str, Any] = {"src": str(source), "dest": f"{folder}/f", "server": kernel_with_filesystems.url}
    assert run_action(None, "rump_template", variables=VARIABLES, **options)["changed"]
    assert kernel_with_filesystems.read_file(f"{folder}/f").decode() == "wörld"
