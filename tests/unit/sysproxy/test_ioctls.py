# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The codes of ioctls are those that NetBSD's headers compute, for every size of their arguments."""

from __future__ import annotations

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.ioctls import IOCTLS
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    ALL_ABIS,
    AMD64,
    I386,
    abi_name,
    table,
    table_column,
    transcript,
)


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
@pytest.mark.parametrize("name", [name for name in IOCTLS if AMD64.has_ioctl(name)])
def test_code(name: str, abi: Abi) -> None:
    row = next(row for row in table("ioctls") if row[0] == name)
    assert abi.ioctl(name) == int(row[1 + table_column(abi)], 16)
    assert abi.ioctl_name(abi.ioctl(name)) == name


def test_codes_of_later_releases() -> None:
    """sys/sys/sockio.h of 2022; SIOCSIFMEDIA and SIOCGIFMEDIA got other numbers in 2019."""
    later = Abi(8, 8, "little", (10, 0))
    assert (later.ioctl("SIOCSIFDESCR"), later.ioctl("SIOCGIFDESCR")) == (0x8090698E, 0xC090698F)
    assert (later.ioctl("SIOCSIFMEDIA"), later.ioctl("SIOCGIFMEDIA")) == (0xC0906937, 0xC0306938)


def test_codes_differ_with_their_arguments_sizes() -> None:
    assert AMD64.ioctl("VNDIOCSET") != I386.ioctl("VNDIOCSET")
    assert AMD64.ioctl("SIOCGIFFLAGS") == I386.ioctl("SIOCGIFFLAGS")


def test_unknown_ioctls() -> None:
    assert AMD64.ioctl_name(0) is None
    assert AMD64.ioctl_name(I386.ioctl("VNDIOCSET")) is None
    with pytest.raises(KeyError):
        AMD64.ioctl("SIOCNOSUCH")


@pytest.mark.parametrize("machine", ["amd64", "i386"])
@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("02", ["SIOCIFCREATE"]),
        ("03", ["SIOCSLINKSTR"]),
        ("04", ["SIOCGIFFLAGS", "SIOCGIFADDR", "SIOCAIFADDR"]),
        ("07", ["SIOCGIFFLAGS", "SIOCAIFADDR_IN6"]),
        ("08", ["SIOCSIFMTU"]),
        ("10", ["SIOCGIFFLAGS", "SIOCSIFFLAGS"]),
        ("11", ["SIOCGIFFLAGS", "SIOCDIFADDR"]),
        ("14", ["SIOCIFGCLONERS"]),
        ("72", ["VNDIOCSET"]),
    ],
)
def test_real_clients_codes_are_known(machine: str, prefix: str, names: list[str]) -> None:
    found = transcript(machine, prefix)
    codes = [found.arguments("ioctl", call)["com"] for call in found.calls("ioctl")]
    used = [name for name in map(found.abi.ioctl_name, codes) if name is not None]
    assert list(dict.fromkeys(used)) == names
