# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""become_user with the collection's own modules: they are that user in the kernel, and root again afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook

OTHER: dict[str, Any] = {"become": True, "become_user": "1001"}
TASKS: list[dict[str, Any]] = [
    {"rumpkernel.rump.rump_copy": {"dest": "/t/secret", "content": "s", "mode": "0600"}, "become": True},
    {"rumpkernel.rump.rump_slurp": {"src": "/t/secret"}, **OTHER, "ignore_errors": True},
    {"rumpkernel.rump.rump_copy": {"dest": "/t/secret", "content": "t"}, **OTHER, "ignore_errors": True},
    {"rumpkernel.rump.rump_file": {"path": "/t/{{ item }}", "state": "touch"}, "loop": ["a", "b"], **OTHER},
    {"rumpkernel.rump.rump_copy": {"dest": "/t/copied", "content": "c", "mode": "0600"}, **OTHER},
    {
        "rumpkernel.rump.rump_file": {"path": "/t/of_{{ item }}", "state": "touch"},
        "loop": ["1002", "0", "1003"],
        "become": True,
        "become_user": "{{ item }}",
    },
    {"rumpkernel.rump.rump_stat": {"path": "/t"}, "become": True, "become_user": "stranger", "ignore_errors": True},
    *(
        {**task, "become": True, "become_user": number, "ignore_errors": True}
        for number in ("4294967295", "4294967296")
        for task in (
            {"rumpkernel.rump.rump_slurp": {"src": "/t/secret"}},
            {"ansible.builtin.slurp": {"src": "/t/secret"}},
        )
    ),
    {"rumpkernel.rump.rump_command": {"argv": ["ls"]}, **OTHER, "ignore_errors": True},
    {"rumpkernel.rump.rump_slurp": {"src": "/t/secret"}},
]


@pytest.mark.parametrize("backend", BACKENDS)
def test_become_user(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running(backend, tmp_path) as server:
        record_property("backend", server.description)
        with connect(server.url, timeout=20) as kernel:
            run_module(kernel, rump_mount, path="/t", fstype="tmpfs")
            kernel.chmod("/t", 0o1777)
            done = run_playbook(tmp_path, play(*TASKS), inventory_of({"k1": {"ansible_rump_server": server.url}}))
            assert done.code == 0, done.output
            owners = {entry.name: kernel.stat(entry.path).st_uid for entry in kernel.scandir("/t")}
    assert owners == {"secret": 0, "a": 1001, "b": 1001, "copied": 1001, "of_1002": 1002, "of_0": 0, "of_1003": 1003}
    said = [result.result for result in done.results]
    statuses = " ".join(result.status for result in done.results)
    assert statuses == "ok failed failed ok ok ok failed failed failed failed failed failed ok"
    assert "File is not readable: /t/secret" in said[1]["msg"]
    assert said[1]["errno"] == "EACCES"
    assert "the kernel has no user 'stranger'" in said[6]["msg"]
    for result in said[7:11]:
        assert "become_user: a user's number is 0 to 4294967294, not 429496729" in result["msg"]
    assert "cannot become 1001" in said[11]["msg"]
    assert said[12]["content"] == "cw=="
