# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The grammar of modes: ansible-core's, under the kernel's umask."""

from __future__ import annotations

import os
import stat
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.failures import OptionError
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.file_mode import UMASK, Mode, mode_text

FILE = stat.S_IFREG | 0o640
PROGRAM = stat.S_IFREG | 0o4711
DIRECTORY = stat.S_IFDIR | 0o1700
SYMBOLIC = [
    "u=rwx,g=rx,o=",
    "u+x",
    "a+X",
    "g+X,o+X",
    "+x",
    "+rwx",
    "=rw",
    "+rwxst",
    "-w",
    "u=g,o=u",
    "g=u-w",
    "ug+s,o+t",
    "u-s,o-t",
    "u=rw-x+X,g=r-x+X,o=r-x+X",
    "=",
]


@pytest.mark.parametrize("found", [FILE, PROGRAM, DIRECTORY])
@pytest.mark.parametrize("text", SYMBOLIC)
def test_symbolic_is_what_ansible_makes_of_it_under_the_kernels_umask(text: str, found: int) -> None:
    former = os.umask(UMASK)
    try:
        wanted = AnsibleModule._symbolic_mode_to_octal(SimpleNamespace(st_mode=found), text)
    finally:
        os.umask(former)
    assert Mode.parse(text).of(found) == wanted


@pytest.mark.parametrize("umask", [0, 0o077])
def test_the_controllers_umask_does_not_count(umask: int) -> None:
    former = os.umask(umask)
    try:
        assert Mode.parse("+rwx").of(FILE) == 0o755
        assert Mode.parse("a+rwx").of(FILE) == 0o777
        assert os.umask(umask) == umask
    finally:
        os.umask(former)


@pytest.mark.parametrize(
    ("value", "bits"),
    [("0644", 0o644), ("644", 0o644), ("1777", 0o1777), ("0o600", 0o600), (0o644, 0o644), (0, 0), ("07777", 0o7777)],
)
def test_octal(value: Any, bits: int) -> None:
    assert Mode.parse(value).of(FILE) == bits


@pytest.mark.parametrize(
    "value",
    ["", "rwx", "u", "u=rw,g", "u=rwz", "x+r", "9", "0888", "u=rw,,g=r", True, 1.5, None, ["0644"], 0o100644, "100644"],
)
def test_no_mode(value: Any) -> None:
    with pytest.raises(OptionError, match=r"^mode: "):
        Mode.parse(value)


def test_mode_text() -> None:
    assert [mode_text(mode) for mode in (0, 0o7, 0o644, stat.S_IFDIR | 0o1777)] == ["0000", "0007", "0644", "01777"]
