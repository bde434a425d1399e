# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/start.md does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT
from ansible_collections.rumpkernel.rump.tests.support.pages import CHECKOUT, follow

PAGE = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")


def test_the_page(tmp_path: Path) -> None:
    follow(PAGE, tmp_path)
    # The tasks ran with what the page installed, not with the checkout.
    installed = tmp_path / ".ansible/collections/ansible_collections/rumpkernel/rump"
    assert (installed / "plugins/connection/sysproxy.py").is_file()


def test_what_is_installed_is_what_is_required() -> None:
    (repository,) = re.findall(r"^\$ git clone (.*)$", PAGE, re.MULTILINE)
    assert repository == yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"]
    assert repository.endswith(f"/{CHECKOUT}")
    (line,) = re.findall(r"^\$ pip install (.*)$", PAGE, re.MULTILINE)
    core = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"]
    required = [text for text in (ROOT / "requirements.txt").read_text().split("\n") if text and text[0] != "#"]
    version = re.sub(r"\.0$", "", core)
    assert line == " ".join(f"'{name}'" for name in [f"ansible-core{version}", *required])
