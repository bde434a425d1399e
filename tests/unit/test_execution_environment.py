# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-builder takes the execution environment's definition, and finds what the collection needs.

RUMP_CONTAINER_ENGINE in the environment (podman, docker) has the image built as well, which needs the network.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, ROOT, running

BIN = Path(sys.executable).parent
DEFINITION = "execution-environment.yml"


def run(*command: str | Path, limit: float = 100) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def definition(tmp_path: Path) -> Path:
    """The definition beside a collection that was built as its comment says."""
    run(BIN / "ansible-galaxy", "collection", "build", "--output-path", tmp_path / ".site", ".")
    return Path(shutil.copy(ROOT / DEFINITION, tmp_path))


def test_the_definition_is_accepted(definition: Path, tmp_path: Path) -> None:
    context = tmp_path / "context"
    run(BIN / "ansible-builder", "create", "--file", definition, "--context", context)
    (collection,) = yaml.safe_load((context / "_build/requirements.yml").read_text())["collections"]
    assert (context / "_build" / collection["name"]).is_file()
    core = "ansible-core>=2.19"
    assert (
        core.removeprefix("ansible-core") in yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"]
    )
    assert core in next(context.glob("*ile")).read_text()


def test_the_needs_of_the_collection_are_found() -> None:
    found = yaml.safe_load(run(BIN / "ansible-builder", "introspect", ".collections"))
    required = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line[0] != "#"]
    assert [line.partition("#")[0].strip() for line in found["python"]] == required
    assert any(line.startswith("openssh-client") for line in found["system"])


@pytest.mark.timeout(1800)
@pytest.mark.skipif("RUMP_CONTAINER_ENGINE" not in os.environ, reason="RUMP_CONTAINER_ENGINE names no container engine")
def test_the_image_is_built(definition: Path, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    engine = os.environ["RUMP_CONTAINER_ENGINE"]
    build = ["build", "--container-runtime", engine, "--tag", "rump-ee-test", "--context", tmp_path / "context"]
    run(BIN / "ansible-builder", *build, "--file", definition, limit=1700)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with running(BACKENDS[-1], tmp_path, f"tcp://127.0.0.1:{port}") as server:
        record_property("backend", f"{server.description} from a container")
        variables = {"ansible_connection": "rumpkernel.rump.sysproxy", "ansible_rump_server": server.url}
        task = ["-m", "rumpkernel.rump.rump_sysctl", "-a", "name=kern.hostname value=inside"]
        image = [engine, "run", "--rm", "--network", "host", "rump-ee-test"]
        answer = run(*image, "ansible", "all", "-i", "k1,", "-e", json.dumps(variables), *task)
        assert "k1 | CHANGED" in answer
        with connect(server.url) as kernel:
            assert kernel.sysctl.get("kern.hostname") == "inside"
