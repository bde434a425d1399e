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

real_kernel = pytest.mark.skipif(not rump_server(), reason="no rump_server")


def assert_gone(folder: Path) -> None:
    """The kernel that the page starts, and stops at its end."""
    with pytest.raises(RumpError), connect(f"unix://{folder}/web.sock", connect_timeout=10):
        pass


@real_kernel
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


@pytest.mark.parametrize("server", [None, pytest.param(rump_server(), marks=real_kernel)])
def test_the_readme(server: str | None, tmp_path: Path) -> None:
    """Its own example, with both kernels that it names; the second run changes nothing."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("\n## Use it\n")[2].partition("\n## ")[0]
    (real,) = re.findall(r"^\$ (rump_server (?:.*\\\n)*.* &)$", section, re.MULTILINE)
    (simulated,) = re.findall(r"`(ansible-collection-rump/bin/rump-simulated .*?)`", section)
    section = section.replace(real, real.replace("rump_server", server, 1) if server else simulated)
    play = "$ ansible-playbook -i inventory.yml site.yml\n"
    assert play in section
    section = section.replace(play, f"{play}web : ok=3    changed=3 \n{play}web : ok=3    changed=0 \n")
    follow(section.replace("web : ", f"{'web':27}: "), tmp_path)
    assert_gone(tmp_path)


@pytest.mark.parametrize("page", ["README.md", "docs/start.md", "docs/molecule.md", "docs/scale.md"])
def test_what_is_installed_is_what_is_required(page: str) -> None:
    """In one way on all pages."""
    text = (ROOT / page).read_text(encoding="utf-8")
    (repository,) = re.findall(r"^\$ git clone (.*)$", text, re.MULTILINE)
    assert repository == yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"]
    assert repository.endswith(f"/{CHECKOUT}")
    (line,) = re.findall(r"^\$ pip install (.*)$", text, re.MULTILINE)
    core = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["requires_ansible"]
    required = [text for text in (ROOT / "requirements.txt").read_text().split("\n") if text and text[0] != "#"]
    version = re.sub(r"\.0$", "", core)
    assert line.startswith(" ".join(f"'{name}'" for name in [f"ansible-core{version}", *required]))
    assert re.findall(r"^\$ ansible-galaxy collection install (.*)$", text, re.MULTILINE) == [f"./{CHECKOUT}/"]
