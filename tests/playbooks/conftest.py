# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of these tests go to the same process when they are run side by side (pytest -n auto), and which go first.

xdist's own way to say that, its marks for --dist loadgroup, has no effect with pytest 9.2, whose tests keep their names
elsewhere than xdist 3.8 puts them.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

# What the tests of these share takes long to make. All others are handed out one by one, so that none waits at the end.
TOGETHER = ("test_file_tasks", "test_ssh", "test_unmodified_facts")

# The longest tests go first: what is left for the end is short, so that all processes end together.
FIRST = ("test_file_tasks", "test_roles_systemd", "test_fleet", "test_pages", "test_roles")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.index(item.path.stem) if item.path.stem in FIRST else len(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class ByWhatIsShared(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return file if PurePosixPath(file).stem in TOGETHER else nodeid

    return ByWhatIsShared(config, log)
