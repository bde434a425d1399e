# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ansible-playbook and ansible as a user does, and reads back what each task returned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .backends import ROOT

BIN = Path(sys.executable).parent
TIME_LIMIT = 110


@dataclass(frozen=True)
class Result:
    """What one task returned on one host; ``status`` is ok, failed, unreachable or skipped."""

    host: str
    task: str
    status: str
    result: dict[str, Any]

    @property
    def changed(self) -> bool:
        return bool(self.result.get("changed"))


@dataclass(frozen=True)
class Run:
    """A finished ansible-playbook: its exit code, all that it said, and the results in order."""

    code: int
    output: str
    results: list[Result]

    def of(self, host: str) -> list[Result]:
        return [result for result in self.results if result.host == host]

    @property
    def changed(self) -> list[Result]:
        return [result for result in self.results if result.changed]


def inventory_of(hosts: Mapping[str, Mapping[str, Any]], **variables: Any) -> dict[str, Any]:
    """An inventory whose hosts are reached over sysproxy."""
    common = {"ansible_connection": "rumpkernel.rump.sysproxy", **variables}
    return {
        "all": {
            "children": {"rump_kernels": {"hosts": {name: dict(own) for name, own in hosts.items()}}},
            "vars": common,
        }
    }


def run_playbook(
    folder: Path,
    playbook: Path | list[dict[str, Any]],
    inventory: Mapping[str, Any],
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    under: Sequence[str] = (),
    limit: float = TIME_LIMIT,
) -> Run:
    """Run a playbook (a file, or plays) over an inventory. Files are left in ``folder``.

    ``under`` is a command, with its options, that ansible-playbook is run by. It may take ``limit`` seconds.
    """
    if not isinstance(playbook, Path):
        plays, playbook = playbook, folder / "playbook.yml"
        playbook.write_text(yaml.safe_dump(plays, sort_keys=False))
    hosts, record = folder / "inventory.yml", folder / "record.jsonl"
    hosts.write_text(yaml.safe_dump(dict(inventory)))
    record.unlink(missing_ok=True)
    finished = _ansible(
        folder,
        [*under, str(BIN / "ansible-playbook"), "-i", str(hosts), str(playbook), *arguments],
        {"RECORD_FILE": str(record), **(environment or {})},
        limit,
    )
    lines = record.read_text().splitlines() if record.exists() else []
    return Run(finished.returncode, finished.stdout, [Result(**json.loads(line)) for line in lines])


def play(*tasks: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """A playbook of one play over all hosts."""
    return [{"name": "Play", "hosts": "all", "gather_facts": False, **more, "tasks": list(tasks)}]


def run_ad_hoc(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """``ansible`` with arguments, from the repository's root."""
    return _ansible(
        ROOT, [str(BIN / "ansible"), *arguments], {"ANSIBLE_LOCAL_TEMP": str(folder), **(environment or {})}
    )


def _ansible(
    folder: Path, command: list[str], environment: Mapping[str, str], limit: float = TIME_LIMIT
) -> subprocess.CompletedProcess[str]:
    whole = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "RUMP_SERVER"))}
    whole |= {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "support" / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_NOCOLOR": "1",
        "RECORD_FILE": os.devnull,
        **environment,
    }
    return subprocess.run(
        command,
        cwd=folder,
        env=whole,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=limit,
        check=False,
    )
