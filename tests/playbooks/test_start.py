# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/start.md does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import RumpError, connect
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT, rump_server
from ansible_collections.rumpkernel.rump.tests.support.pages import CHECKOUT, follow

PAGE = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")


def assert_gone(folder: Path) -> None:
    """The kernel that the page starts, and stops at its end."""
    with pytest.raises(RumpError), connect(f"unix://{folder}/web.sock", connect_timeout=10):
        pass


@pytest.mark.skipif(not rump_server(), reason="no rump_server")
def test_the_page_with_a_real_kernel(tmp_path: Path) -> None:
    """It says which command takes the place of the simulated kernel's."""
    (simulated,) = re.findall(r"^\$ .*/bin/rump-simulated .*$", PAGE, re.MULTILINE)
    (arguments,) = re.findall(r"^    rump_server (.* &)$", PAGE.replace("\\\n", ""), re.MULTILINE)
    follow(PAGE.replace(simulated, f"$ {rump_server()} {arguments}"), tmp_path)
    assert_gone(tmp_path)


def test_the_page(tmp_path: Path) -> None:
    follow(PAGE, tmp_path)
    assert_gone(tmp_path)
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
