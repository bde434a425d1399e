# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client against servers that mean harm: some of the fuzzer's sessions, and those that once found something.

A file of tests/data/fuzz has what a server said, byte for byte, and how the client's actions have to end.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tracemalloc
from typing import Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.memory import AddressSpace
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Session
from ansible_collections.rumpkernel.rump.tests.fuzz import fuzzer
from ansible_collections.rumpkernel.rump.tests.fuzz.audit import MARKER
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import DATA

SESSIONS: Final = 8000
CORPUS: Final = sorted((DATA / "fuzz").glob("*.json"))
LIMIT: Final = 24 << 20
RUN: Final = DATA.parent / "fuzz/run.py"


def test_sessions_with_hostile_servers() -> None:
    """In processes of their own, whose memory is measured."""
    command = [sys.executable, str(RUN), "--sessions", str(SESSIONS), "--seed", "20260101"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = re.search(r"(\d+) sessions in .* at most ([\d.]+) MiB, 0 findings", ended.stdout)
    assert told is not None, ended.stdout
    assert int(told[1]) == SESSIONS
    assert float(told[2]) < fuzzer.MEMORY_LIMIT >> 20


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
def test_what_once_found_something(file: object) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    tracemalloc.start()
    try:
        wrong, outcomes = fuzzer.run_literal(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not wrong
    assert [list(outcome) for outcome in outcomes] == content["outcomes"]
    assert peak < LIMIT


# Whether the fuzzer would find anything: faults that are put into the client.


def found(limit: int = 3000) -> str:
    """What is found first in some sessions."""
    for number in range(limit):
        finding = fuzzer.run_session(7, number)
        if finding is not None:
            return finding.what
    return ""


def test_memory_that_is_not_lent_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copyin that goes beyond the buffer."""

    def copyin(self: AddressSpace, address: int, length: int) -> bytes:
        view, offset = self._find(address, 0, "read")
        return bytes(view[offset : offset + length]).ljust(length, b"?")

    monkeypatch.setattr(AddressSpace, "copyin", copyin)
    assert "was answered with" in found()


def test_the_marker_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def flush(self: Session, *arguments: object) -> None:
        self._outgoing += MARKER
        real(self, *arguments)  # type: ignore[arg-type]

    real = Session._flush
    monkeypatch.setattr(Session, "_flush", flush)
    assert "the marker was sent" in found()


def test_other_exceptions_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def to_fail(self: Session, error: object) -> None:
        raise KeyError("of no use")

    monkeypatch.setattr(Session, "_foreign", to_fail)
    assert "KeyError" in found()


def test_what_is_written_beside_a_buffer_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def copyout(self: AddressSpace, address: int, data: bytes) -> None:
        view, _offset = self._find(address, 0, "write")
        whole = view.obj
        if isinstance(whole, bytearray) and len(whole) > len(view):
            whole[-1:] = b"!"
        elif not view.readonly:
            real(self, address, data)

    real = AddressSpace.copyout
    monkeypatch.setattr(AddressSpace, "copyout", copyout)
    assert "beside the buffers" in found()


def test_buffers_that_stay_lent_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "_take_back", lambda self, lent: 0)
    assert "still buffers lent" in found()


def test_a_hang_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(self: Session, *_arguments: object) -> None:
        while True:
            pass

    monkeypatch.setattr(Session, "wait", wait)
    monkeypatch.setattr(fuzzer, "WATCHDOG", 0.2)
    assert "it hung" in found()


def test_a_session_is_the_same_each_time() -> None:
    for number in range(0, 2000, 40):
        first: dict[str, object] = {}
        second: dict[str, object] = {}
        fuzzer.run_session(3, number, record=first)
        fuzzer.run_session(3, number, record=second)
        assert first == second
