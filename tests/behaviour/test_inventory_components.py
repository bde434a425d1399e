# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The components that a kernel shows, against those that it was started with, and what asking servers finds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.components import components
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import AbiHints, Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.probing import Finding, Question, ask_all
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, COMPONENTS, Server, running

# rumpdev alone brings nothing that a client could see.
SEEN = sorted({*COMPONENTS} - {"rumpdev"})


def test_all_that_show(kernel: Kernel) -> None:
    assert components(kernel) == SEEN


@pytest.mark.parametrize(
    "given", [[], ["rumpvfs"], ["rumpvfs", "rumpfs_tmpfs"], ["rumpnet"], ["rumpnet", "rumpnet_net", "rumpnet_netinet"]]
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_small_kernels(backend: str, given: list[str], tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    with running(backend, tmp_path, components=given) as server, connect(server.url) as kernel:
        record_property("backend", server.description)
        assert components(kernel) == sorted(given)


def test_questions(server: Server, tmp_path: Path) -> None:
    """Nothing is called in a kernel that is only asked whether it is there."""
    before = _calls(server)
    questions = [Question(url, AbiHints(), ()) for url in (server.url, f"unix://{tmp_path}/none", server.url)]
    with connect(server.url) as kernel:
        release = ".".join(map(str, kernel.abi.release))
        machine = kernel.abi.machine
    greeting = _calls(server) - before  # kernels of machines that come in several kinds are asked which one they are
    assert greeting <= 1
    findings, warnings = ask_all(questions, timeout=5, parallel=2, with_components=False)
    assert findings[0] == findings[2] == Finding("", release, machine)
    assert findings[1] == Finding("No such file or directory")
    assert warnings == []
    assert _calls(server) == before + 3 * greeting
    asked, _warnings = ask_all(questions[:1], timeout=5, parallel=2, with_components=True)
    assert asked[0].components == tuple(SEEN)
    assert Finding.from_dict(json.loads(json.dumps(asked[0].as_dict()))) == asked[0]


def _calls(server: Server) -> int:
    return len(server.journal.read_text().splitlines()) if server.journal else 0
