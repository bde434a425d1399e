# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures of the behaviour suite: each test meets a fresh kernel of every backend there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.filesystems import FOLDERS, running_with_filesystems
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module

LIMIT = 60.0  # seconds for a call: a virtual machine may stand still for a while


@pytest.fixture(params=BACKENDS)
def server(request: pytest.FixtureRequest, tmp_path: Path, record_property) -> Iterator[Server]:  # type: ignore[no-untyped-def]
    """A fresh kernel."""
    with running(request.param, tmp_path) as started:
        record_property("backend", started.description)
        yield started


@pytest.fixture
def kernel(server: Server) -> Iterator[Kernel]:
    """A session with it."""
    with connect(server.url, timeout=LIMIT, connect_timeout=LIMIT) as connected:
        yield connected


@pytest.fixture(scope="module", params=BACKENDS)
def kernel_with_filesystems(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kernel]:
    """A session with a kernel that has a tmpfs and an FFS; one for all of a module's tests, for use with ``folder``."""
    folder = tmp_path_factory.mktemp("kernel")
    with (
        running_with_filesystems(request.param, folder) as server,
        connect(server.url, timeout=LIMIT, connect_timeout=LIMIT) as connected,
    ):
        yield connected


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest, kernel_with_filesystems: Kernel) -> Iterator[str]:
    """An empty directory of that kernel, on each kind of file system."""
    path = f"{FOLDERS[request.param]}/test"
    kernel_with_filesystems.mkdir(path, 0o755)
    yield path
    kernel_with_filesystems.rmtree(path)


@pytest.fixture(params=["rumpfs", "tmpfs"])
def place(request: pytest.FixtureRequest, kernel: Kernel) -> str:
    """/w on the root file system, or as a tmpfs."""
    kernel.mkdir("/w")
    if request.param == "tmpfs":
        run_module(kernel, rump_mount, path="/w", fstype="tmpfs", opts="size=8m")
    return str(request.param)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "one_abi: it is about what the controller does, and what it asks of a kernel other tests ask of every machine; "
        "left out of the stage abis, but not of every-abi",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What only a real kernel has is skipped on the simulated one, and the end of the run says so."""
    for item in items:
        parameters = getattr(item, "callspec", None)
        backends = [str(value) for value in parameters.params.values()] if parameters else []
        if any(backend.startswith("simulated") for backend in backends):
            for marker in item.iter_markers("real_only"):
                item.add_marker(pytest.mark.skip(reason=f"the simulated kernel has no {marker.args[0]}"))
