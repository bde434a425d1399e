# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""uri, get_url and wait_for of ansible.builtin, unmodified, through the kernel's own network stack.

The server that they talk to lives on the kernel's lo0. Nothing listens at its port on the controller.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running
from ansible_collections.rumpkernel.rump.tests.support.http_server import certificate, serving
from ansible_collections.rumpkernel.rump.tests.support.playbooks import Run, inventory_of, play, run_playbook

BUILTIN = "ansible.builtin."
LARGE = bytes(range(256)) * 1200  # some 300 KiB: more than socket buffers and TLS records hold


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(request.param, tmp_path_factory.mktemp("shared")) as server:
        yield server


def task(name: str, module: str, **options: Any) -> dict[str, Any]:
    return {"name": name, BUILTIN + module: options, "ignore_errors": True}


def by_task(run: Run) -> dict[str, Any]:
    assert "Traceback" not in run.output, run.output
    return {result.task: result.result | {"status": result.status} for result in run.results}


def test_http(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    pages = {"/data": b'{"a": [1, 2]}', "/large": LARGE}
    with serving(shared.url, pages) as site:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", site.port)), "the controller has a server at this port"
        base = f"http://127.0.0.1:{site.port}"
        tasks = [
            task("read", "uri", url=f"{base}/data", return_content=True),
            task("by name", "uri", url=f"http://localhost:{site.port}/data"),
            task("send", "uri", url=f"{base}/data", method="POST", body={"b": 3}, body_format="json"),
            task("missing", "uri", url=f"{base}/nosuch"),
            task("unknown host", "uri", url="http://web.example/"),
            task("get", "get_url", url=f"{base}/large", dest="/tmp/large", mode="0640"),
            task("get again", "get_url", url=f"{base}/large", dest="/tmp/large", mode="0640"),
            task("wrong sum", "get_url", url=f"{base}/large", dest="/tmp/other", checksum=f"sha256:{'0' * 64}"),
            task("save", "uri", url=f"{base}/data", dest="/tmp/data", creates="/tmp/data"),
            task("save again", "uri", url=f"{base}/data", dest="/tmp/data", creates="/tmp/data"),
        ]
        run = run_playbook(tmp_path, play(*tasks), inventory_of({"k1": {"ansible_rump_server": shared.url}}))
        found = by_task(run)
    assert found["read"]["status"] == "ok", run.output
    assert found["read"]["json"] == {"a": [1, 2]}
    assert found["by name"]["status"] == "ok"
    assert any(request.startswith(b"POST /data") and request.endswith(b'{"b": 3}') for request in site.requests)
    assert "404" in found["missing"]["msg"]
    assert "the kernel knows no host 'web.example'" in found["unknown host"]["msg"]
    assert (found["get"]["changed"], found["get again"]["changed"]) == (True, False)
    assert found["get"]["checksum_src"] == hashlib.sha1(LARGE).hexdigest()
    assert "did not match" in found["wrong sum"]["msg"]
    with connect(shared.url) as kernel:
        assert kernel.read_file("/tmp/large") == LARGE
        assert kernel.stat("/tmp/large").st_mode & 0o777 == 0o640
        assert kernel.read_file("/tmp/data") == pages["/data"]
        assert not kernel.exists("/tmp/other")
    assert not Path("/tmp/large").exists()
    assert "skipped, since '/tmp/data' exists" in str(found["save again"])
    assert len([request for request in site.requests if request.startswith(b"GET /data")]) == 3


def test_https_trusts_what_the_kernel_trusts(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    context, pem = certificate(tmp_path)
    own, store = tmp_path / "own.pem", "/etc/openssl/certs/kernel.pem"
    own.write_bytes(pem)
    with serving(shared.url, {"/large": LARGE}, context) as site:
        url = f"https://127.0.0.1:{site.port}/large"
        tasks = [
            task("unknown", "uri", url=url),
            task("not looked at", "uri", url=url, validate_certs=False),
            # the path is one of the controller's, where that file is
            task("the controller's", "uri", url=url, ca_path=str(own)),
            {"name": "put it there", "rumpkernel.rump.rump_copy": {"src": str(own), "dest": "/own.pem"}},
            task("by its path", "uri", url=url, ca_path="/own.pem"),
            task("folder", "file", path="/etc/openssl/certs", state="directory"),
            task("trust it", "copy", src="/own.pem", dest=store, remote_src=True),
            task("by the kernel's store", "get_url", url=url, dest="/tmp/secure"),
        ]
        run = run_playbook(tmp_path, play(*tasks), inventory_of({"k1": {"ansible_rump_server": shared.url}}))
        found = by_task(run)
    assert "CERTIFICATE_VERIFY_FAILED" in found["unknown"]["msg"], run.output
    assert found["not looked at"]["status"] == "ok"
    assert found["the controller's"]["status"] == "failed"
    assert found["by its path"]["status"] == "ok", run.output
    assert found["by the kernel's store"]["status"] == "ok", run.output
    with connect(shared.url) as kernel:
        assert kernel.read_file("/tmp/secure") == LARGE
        kernel.unlink(store)


def test_wait_for(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    with connect(shared.url) as kernel:
        kernel.write_file("/tmp/log", b"starting\nready: port 80\n")
    with serving(shared.url, {}) as site, socket.create_server(("127.0.0.1", 0)) as controllers:
        elsewhere = controllers.getsockname()[1]
        tasks = [
            task("port", "wait_for", port=site.port, timeout=5),
            task("the controller's port", "wait_for", port=elsewhere, timeout=1, sleep=1, connect_timeout=1),
            task("stopped", "wait_for", port=elsewhere, state="stopped", timeout=2),
            task("file", "wait_for", path="/tmp/log", search_regex="ready: port (\\d+)", timeout=2),
            task("absent", "wait_for", path="/nosuch", state="absent", timeout=2),
            task("the controller's file", "wait_for", path=str(tmp_path), timeout=1),
        ]
        run = run_playbook(tmp_path, play(*tasks), inventory_of({"k1": {"ansible_rump_server": shared.url}}))
    found = by_task(run)
    outcomes = {name: result["status"] for name, result in found.items()}
    assert outcomes == {
        "port": "ok",
        "the controller's port": "failed",
        "stopped": "ok",
        "file": "ok",
        "absent": "ok",
        "the controller's file": "failed",
    }
    assert found["file"]["match_groups"] == ["80"]


def test_wait_for_connection(shared: Server, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", shared.description)
    inventory = inventory_of({"k1": {"ansible_rump_server": shared.url}})
    run = run_playbook(tmp_path, play(task("wait", "wait_for_connection", timeout=10)), inventory)
    assert by_task(run)["wait"]["status"] == "ok", run.output
