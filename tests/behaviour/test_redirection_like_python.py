# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Python's functions on files, in a module's Python on a kernel and in an ordinary one on this machine.

Each function of tests/support/file_functions.py runs in an empty directory, here and in a tmpfs of the kernel's, and
has to give the same: results, and errors by their class and errno.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.tests.support import file_functions
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, running
from ansible_collections.rumpkernel.rump.tests.support.redirected import run_here, run_redirected

PROGRAM = Path(file_functions.__file__).read_text()
FUNCTIONS = [name for name in vars(file_functions) if name.startswith("do_")]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("here")
    return dict(json.loads(run_here(PROGRAM, os.path.realpath(folder))))


@pytest.fixture(scope="module", params=BACKENDS)
def answers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, dict[str, str]]]:
    with running(request.param, tmp_path_factory.mktemp("kernel")) as server:
        with connect(server.url) as kernel:
            kernel.mkdir("/mnt")
            arguments = kernel.abi.struct("tmpfs_args").build(ta_version=1, ta_size_max=1 << 24, ta_root_mode=0o755)
            kernel.mount("tmpfs", "/mnt", 0, arguments)
        finished = run_redirected(server.url, PROGRAM, "/mnt")
        assert (finished.rc, finished.stderr, finished.alarms) == (0, b"", [])
        yield server.description, json.loads(finished.stdout)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_as_here(
    name: str,
    answers: tuple[str, dict[str, str]],
    expected: dict[str, str],
    record_property,  # type: ignore[no-untyped-def]
) -> None:
    description, found = answers
    record_property("backend", description)
    assert found[name] == expected[name]
    assert not expected[name].startswith("raised")


def test_nothing_is_left_here(tmp_path: Path, answers: tuple[str, dict[str, str]]) -> None:
    assert not Path("/mnt/0").exists()
