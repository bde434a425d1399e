# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all tests of the library share."""

from __future__ import annotations

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import session


@pytest.fixture(autouse=True)
def quick_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that do not end a cancelled call are given up sooner than in real life."""
    monkeypatch.setattr(session, "_CANCEL_LIMIT", 0.2)
