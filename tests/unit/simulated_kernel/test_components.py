# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The components that a simulated kernel is started with."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.simulated_kernel import cli, parse_components


def test_their_names_are_taken_as_rump_server_does() -> None:
    assert parse_components("-lrumpvfs, librumpnet") == {"rumpvfs", "rumpnet", "rumpkern_sysproxy"}


def test_one_that_is_not_known_ends_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a rump_server ends without the library."""
    socket = tmp_path / "csock"
    assert cli.main(["--components", "rumpvfs,rumpnet_nosuch", f"unix://{socket}"]) == 1
    said = capsys.readouterr()
    assert "rumpnet_nosuch: not known; there are " in said.err
    assert "ready" not in said.out
    assert not socket.exists()


def test_the_help_says_which_are_there_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "default: all but rumpdev_pci_if_iwn, " in said
    assert "rumpnet_vlan)" in said
