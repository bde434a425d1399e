# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of these tests go to the same process when they are run side by side (pytest -n auto --dist loadgroup)."""

from __future__ import annotations

import pytest

# What the tests of these share takes long to make. All others are handed out one by one, so that none waits at the end.
TOGETHER = ("test_file_tasks", "test_ssh", "test_unmodified_facts")


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.stem in TOGETHER:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
