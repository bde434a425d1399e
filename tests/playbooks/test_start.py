# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/start.md does what it says: a shell runs its commands in their order, and they print what the page shows."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import yaml
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT
from ansible_collections.rumpkernel.rump.tests.support.playbooks import BIN

PAGE = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(console|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIME_LIMIT = 100
# What there is already where the tests run, and would need the network.
DONE_BEFORE = ("git clone ", "python3 -m venv ", "pip install ")


def commands(text: str) -> list[tuple[str, list[str]]]:
    """The commands of a console block, each with the lines that it prints."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def contains(output: str, expected: list[str]) -> bool:
    """Whether the output has the expected lines, in their order; ``...`` stands for any others, as may follow them."""
    lines = iter(output.splitlines())
    wanted = [line.rstrip() for line in expected if line != "..."]
    return all(any(line.startswith(want) for line in lines) for want in wanted)


def test_the_page(tmp_path: Path) -> None:
    page = PAGE.replace("/tmp/", f"{tmp_path}/")
    (tmp_path / "ansible-collection-rump").symlink_to(ROOT)
    script, expected = ["set -m"], []
    for kind, text in BLOCK.findall(page):
        if kind == "yaml":
            path = text.partition("\n")[0].removeprefix("# ")
            (tmp_path / path).write_text(text, encoding="utf-8")
            continue
        for command, output in commands(text):
            if command.startswith(DONE_BEFORE):
                continue
            # A marker with the exit code after each; the first answers of a kernel take a moment.
            script.append(f'{command}\necho "@@@ $?"')
            if command.endswith("&"):
                script.append(f"for _ in $(seq 100); do [ -S {tmp_path}/web.sock ] && break; sleep 0.1; done")
            expected.append((command, output))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "RUMP_"))}
    environment |= {
        "PATH": f"{BIN}:{environment['PATH']}",
        "HOME": str(tmp_path),
        "ANSIBLE_NOCOLOR": "1",
    }
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )
    outputs = re.split(r"^@@@ (\d+)\n", done.stdout, flags=re.MULTILINE)
    assert len(outputs) == 2 * len(expected) + 1, done.stdout
    for (command, lines), output, code in zip(expected, outputs[::2], outputs[1::2], strict=False):
        assert code == "0", f"{command}\n{output}"
        assert contains(output, lines), f"{command}\n{output}"
    installed = tmp_path / ".ansible/collections/ansible_collections/rumpkernel/rump"
    assert (installed / "plugins/connection/sysproxy.py").is_file()


def test_what_is_installed_is_what_is_required() -> None:
    (repository,) = re.findall(r"^\$ git clone (.*)$", PAGE, re.MULTILINE)
    assert repository == yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"]
    (line,) = re.findall(r"^\$ pip install (.*)$", PAGE, re.MULTILINE)
    core = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"]
    required = [text for text in (ROOT / "requirements.txt").read_text().split("\n") if text and text[0] != "#"]
    version = re.sub(r"\.0$", "", core)
    assert line == " ".join(f"'{name}'" for name in [f"ansible-core{version}", *required])
