# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/scale.md does what it says: ansible-runner's workers run a shard of the fleet each, and reach all kernels."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT
from ansible_collections.rumpkernel.rump.tests.support.pages import follow

PAGE = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")


def test_the_page(tmp_path: Path) -> None:
    follow(PAGE, tmp_path)
    reached: dict[str, set[str]] = {}
    for shard in (tmp_path / "fleet/artifacts").iterdir():
        assert (shard / "rc").read_text() == "0"
        events = [json.loads(path.read_text()) for path in (shard / "job_events").glob("*.json")]
        reached[shard.name] = {
            event["event_data"]["host"]
            for event in events
            if event["event"] == "runner_on_ok" and event["event_data"]["res"]["changed"]
        }
    assert reached.keys() == {"shard_0", "shard_1"}
    assert all(reached.values())
    assert not reached["shard_0"] & reached["shard_1"]
    assert set.union(*reached.values()) == {"k0", "k1", "k2", "k3"}
