# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated kernel beside a real one: the same conversations, answer by answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.tests.support.backends import COMPONENTS, rump_server, running
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.catalogue import (
    CONVERSATIONS,
    EXTRA_COMPONENTS,
)
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.conversations.scribe import Scribe
from ansible_collections.rumpkernel.rump.tests.unit.simulated_kernel.rawclient import RawClient


def answers(backend: str, folder: Path, conversation: str) -> list[tuple[str, Any]]:
    """All that a fresh kernel says in a conversation."""
    folder.mkdir()
    components = [*COMPONENTS, *EXTRA_COMPONENTS.get(conversation, [])]
    with running(backend, folder, components=components) as server, RawClient(server.url) as client:
        scribe = Scribe(client)
        CONVERSATIONS[conversation](scribe)
        return scribe.lines


@pytest.mark.skipif(rump_server() is None, reason="there is no rump_server on PATH or in RUMP_SERVER_BIN")
@pytest.mark.parametrize("conversation", CONVERSATIONS)
def test_as_the_real_one(conversation: str, tmp_path: Path, record_property) -> None:  # type: ignore[no-untyped-def]
    record_property("backend", "rump_server beside the simulated kernel")
    simulated = answers("simulated", tmp_path / "simulated", conversation)
    real = answers("rump_server", tmp_path / "real", conversation)
    assert len(simulated) == len(real)
    assert [pair for pair in zip(simulated, real, strict=True) if pair[0] != pair[1]] == []
