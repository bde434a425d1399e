# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks whose limit strikes, or whose connection breaks, while they wait for a kernel: they tell that, and at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.tests.support.fleets import fleet
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook

FAULTS = {
    "stalled_write": "stall,call=pwrite,times=1",
    "stalled_read": "stall,call=pread,times=1",
    "cut": "cut,call=pwrite",
}
LIMIT = 2
LONG = 60  # seconds of a call's own limit


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[dict[str, dict[str, str]]]:
    """Kernels that misbehave, by the names of what they do."""
    with ExitStack() as stack:
        for name, fault in FAULTS.items():
            stack.enter_context(fleet(tmp_path, [f"unix://{tmp_path}/{name}"], "--fault", fault))
        yield {name: {"ansible_rump_server": f"unix://{tmp_path}/{name}"} for name in FAULTS}


def test_a_tasks_limit(hosts: dict[str, dict[str, str]], tmp_path: Path) -> None:
    """The next task has a session of its own."""
    content = tmp_path / "content"
    content.write_bytes(bytes(3 << 20))
    copy = {"rumpkernel.rump.rump_copy": {"src": str(content), "dest": "/file"}}
    fetch = {"rumpkernel.rump.rump_fetch": {"src": "/file", "dest": f"{tmp_path}/fetched/"}}
    limited = {"timeout": LIMIT, "ignore_errors": True}
    tasks = [
        {"name": "Write", **copy, **limited, "when": "inventory_hostname == 'stalled_write'"},
        {"name": "Prepare", **copy, "when": "inventory_hostname == 'stalled_read'"},
        {"name": "Read", **fetch, **limited, "when": "inventory_hostname == 'stalled_read'"},
        {"name": "Go on", "rumpkernel.rump.rump_stat": {"path": "/"}},
    ]
    inventory = inventory_of({name: about for name, about in hosts.items() if name != "cut"}, ansible_rump_timeout=LONG)
    started = time.monotonic()
    done = run_playbook(tmp_path, play(*tasks), inventory)
    took = time.monotonic() - started
    assert done.code == 0, done.output
    assert took < LONG / 2
    assert not (tmp_path / "fetched").is_file()
    for host, task in (("stalled_write", "Write"), ("stalled_read", "Read")):
        found = {one.task: one for one in done.of(host)}
        assert (found[task].status, found["Go on"].status) == ("failed", "ok")
        assert f"Timed out after {LIMIT} second(s)" in found[task].result["msg"]


def test_become_and_a_connection_that_breaks(hosts: dict[str, dict[str, str]], tmp_path: Path) -> None:
    task = {
        "rumpkernel.rump.rump_copy": {"content": "text", "dest": "/w/file"},
        "become": True,
        "become_user": "1001",
    }
    url = hosts["cut"]["ansible_rump_server"]
    first = {"rumpkernel.rump.rump_file": {"path": "/w", "state": "directory", "mode": "0777"}}
    done = run_playbook(tmp_path, play(first, task), inventory_of({"cut": hosts["cut"]}))
    assert [one.status for one in done.results] == ["ok", "unreachable"]
    assert f"{url}: the server went away" in done.results[1].result["msg"]
