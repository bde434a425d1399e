# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated kernel beside a real one: the same conversations, answer by answer."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.tests.support.backends import COMPONENTS, rump_server, running
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations import routes, socket_scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.catalogue import (
    CONVERSATIONS,
    EXTRA_COMPONENTS,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.rawclient import RawClient

LONG_MOMENT: Final = 0.1  # seconds


def answers(backend: str, folder: Path, conversation: str) -> tuple[str, list[tuple[str, Any]]]:
    """A fresh kernel's machine, and all that it says in a conversation."""
    folder.mkdir()
    components = [*COMPONENTS, *EXTRA_COMPONENTS.get(conversation, [])]
    with running(backend, folder, components=components) as server, RawClient(server.url) as client:
        scribe = Scribe(client)
        CONVERSATIONS[conversation](scribe)
        return client.abi.machine, scribe.lines


def differences(folder: Path, conversation: str) -> list[Any]:
    """What the two say differently. The folder's path has to be short, for the sockets in it."""
    folder.mkdir()
    machine, real = answers("rump_server", folder / "r", conversation)
    _machine, simulated = answers(f"simulated-{machine}", folder / "s", conversation)
    return [pair for pair in zip_longest(simulated, real) if pair[0] != pair[1]]


@pytest.mark.skipif(rump_server() is None, reason="there is no rump_server on PATH or in RUMP_SERVER_BIN")
@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_as_the_real_one(
    conversation: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property,  # type: ignore[no-untyped-def]
) -> None:
    record_property("backend", "rump_server beside the simulated kernel")
    found = differences(tmp_path / "1", conversation)
    if found:
        # On a busy machine packets may be on their way for longer than the moment that is left to them.
        for module in (routes, socket_scribe):
            monkeypatch.setattr(module, "MOMENT", LONG_MOMENT)
        found = differences(tmp_path / "2", conversation)
    assert found == []
