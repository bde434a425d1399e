# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Owners by name in a play, which gives the kernel its users first; our modules and Ansible's own say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.playbooks import inventory_of, play, run_playbook

PASSWD = "root:*:0:0:Charlie &:/root:/bin/sh\nwww:*:24:25:Web:/var/www:/sbin/nologin\n"
WWW = {"owner": "www", "group": "web"}
TASKS: list[dict[str, Any]] = [
    {"rumpkernel.rump.rump_file": {"path": "/srv", "state": "directory"}},
    # An item's users are there for the next one.
    {
        "rumpkernel.rump.rump_copy": {
            "dest": "{{ item.dest }}",
            "content": "{{ item.text }}",
            "owner": "{{ item.owner }}",
        },
        "loop": [
            {"dest": "/etc/passwd", "text": PASSWD, "owner": "root"},
            {"dest": "/etc/group", "text": "wheel:*:0:root\nweb:*:25:\n", "owner": "www"},
        ],
    },
    {
        "ansible.builtin.include_role": {"name": "rumpkernel.rump.rump_base"},
        "vars": {
            "rump_base_files": [{"path": "/srv/site", **WWW}],
            "rump_base_copies": [{"dest": "/srv/site/index", "content": "hello", **WWW}],
        },
    },
    {"rumpkernel.rump.rump_stat": {"path": "/srv/site/index"}},
    {"ansible.builtin.stat": {"path": "/srv/site/index"}},
    {"ansible.builtin.file": {"path": "/srv/site/index", **WWW}},
    {"rumpkernel.rump.rump_file": {"path": "/srv/site/index", "owner": "stranger"}, "ignore_errors": True},
]


@pytest.mark.parametrize("backend", BACKENDS)
def test_owners_by_name(backend: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running(backend, tmp_path) as server:
        record_property("backend", server.description)
        with connect(server.url, timeout=20) as kernel:
            kernel.mkdir("/etc")
            done = run_playbook(tmp_path, play(*TASKS), inventory_of({"k1": {"ansible_rump_server": server.url}}))
            assert done.code == 0, done.output
            found = [kernel.stat(path) for path in ("/etc/group", "/srv/site", "/srv/site/index")]
    assert [(status.st_uid, status.st_gid) for status in found] == [(24, 0), (24, 25), (24, 25)]
    ours, theirs, file, refused = done.results[-4:]
    for said in (ours, theirs):
        assert (said.result["stat"]["pw_name"], said.result["stat"]["gr_name"]) == ("www", "web")
    assert not file.changed
    assert refused.status == "failed"
    assert "owner: the kernel has no user 'stranger' in its /etc/master.passwd or /etc/passwd" in refused.result["msg"]
