# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follows a page of docs/ as a reader does: writes its files, and has a shell run its commands in their order.

Blocks that are marked ``yaml`` are files if their first line is a comment that names one. Those marked ``console`` have
commands behind ``$``, and what these print below them: lines as they begin, in their order, with ``...`` for others.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from .backends import ROOT
from .playbooks import BIN

BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"# (\S+)\n")
CHECKOUT = "ansible-collection-rump"
TIME_LIMIT = 100
# What there is already where the tests run, and would need the network.
DONE_BEFORE = ("git clone ", "python3 -m venv ", "pip install ")


def follow(page: str, folder: Path, limit: float = TIME_LIMIT) -> None:
    """Follow a page in a folder, which takes the place of ``/tmp`` too; AssertionError for what is not as it says.

    The commands have ``limit`` seconds in all.
    """
    page = page.replace("/tmp/", f"{folder}/")
    (folder / CHECKOUT).symlink_to(ROOT)
    script, expected = ["set -m"], []
    for kind, text in BLOCK.findall(page):
        if kind == "yaml":
            if name := FILE.match(text):
                path = folder / name[1]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            continue
        for command, output in _commands(text):
            if command.startswith(DONE_BEFORE):
                continue
            # A marker with the exit code after each command.
            script.append(f'{command}\necho "@@@ $?"')
            # What a reader does not notice: that a kernel takes a moment to start.
            sockets = re.findall(r"unix://(\S+)", command) if command.endswith("&") else []
            script += [f"for _ in $(seq 100); do [ -S {path} ] && break; sleep 0.1; done" for path in sockets]
            expected.append((command, output))
    said = _shell("\n".join(script), folder, limit)
    parts = re.split(r"^@@@ (\d+)\n", said, flags=re.MULTILINE)
    assert len(parts) == 2 * len(expected) + 1, said
    for (command, lines), printed, code in zip(expected, parts[::2], parts[1::2], strict=False):
        assert code == "0", f"{command}\n{printed}"
        assert _contains(printed, lines), f"{command}\n{printed}"


def _commands(text: str) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines that it prints."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.startswith("> "):
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", [])
        else:
            found[-1][1].append(line)
    return found


def _contains(output: str, expected: list[str]) -> bool:
    lines = iter(output.splitlines())
    wanted = [line.rstrip() for line in expected if line != "..."]
    return all(any(line.startswith(want) for line in lines) for want in wanted)


def _shell(script: str, folder: Path, limit: float) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "RUMP_"))}
    environment |= {"PATH": f"{BIN}:{environment['PATH']}", "HOME": str(folder), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit,
        check=False,
    )
    return done.stdout
