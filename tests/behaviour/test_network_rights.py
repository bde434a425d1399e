# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What another user than root may do to a kernel's network: look at it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.modules import rump_ifconfig, rump_nd6, rump_route
from ansible_collections.rumpkernel.rump.tests.support.modules import refused, run_module

Call = Callable[[Kernel, str], Any]


@pytest.fixture
def others(kernel: Kernel, tmp_path: Path) -> Kernel:
    """A kernel with a network, whose session is another user's."""
    addresses = ["10.0.0.1/24", "2001:db8::1/64"]
    run_module(kernel, rump_ifconfig, name="shmif0", linkstr=str(tmp_path / "bus"), addresses=addresses, state="up")
    run_module(kernel, rump_ifconfig, name="shmif1")
    run_module(kernel, rump_route, dest="10.9.0.0/16", gateway="10.0.0.254")
    kernel.seteuid(1000)
    return kernel


@pytest.mark.parametrize(
    ("module", "options", "call", "errno"),
    [
        (rump_ifconfig, {"name": "shmif5"}, "SIOCIFCREATE", "EPERM"),
        (rump_ifconfig, {"name": "shmif1", "state": "absent"}, "SIOCIFDESTROY", "EPERM"),
        (rump_ifconfig, {"name": "shmif0", "state": "down"}, "SIOCSIFFLAGS", "EPERM"),
        (rump_ifconfig, {"name": "shmif0", "mtu": 1300}, "SIOCSIFMTU", "EPERM"),
        (rump_ifconfig, {"name": "shmif0", "metric": 3}, "SIOCSIFMETRIC", "EPERM"),
        (rump_ifconfig, {"name": "shmif1", "linkstr": "{folder}/other"}, "SIOCSLINKSTR", "EPERM"),
        (rump_ifconfig, {"name": "shmif0", "addresses": ["10.0.0.2/24"]}, "SIOCAIFADDR", "EPERM"),
        (rump_ifconfig, {"name": "shmif0", "addresses": ["2001:db8::2/64"]}, "SIOCAIFADDR_IN6", "EPERM"),
        (rump_ifconfig, {"name": "shmif0", "lladdr": "02:00:00:00:00:01"}, "SIOCALIFADDR", "EPERM"),
        (rump_nd6, {"interface": "shmif0", "nud": False}, "SIOCSIFINFO_IN6", "EPERM"),
        (rump_route, {"dest": "10.8.0.0/16", "gateway": "10.0.0.254"}, "RTM_ADD", "EACCES"),
        (rump_route, {"dest": "10.9.0.0/16", "state": "absent"}, "RTM_DELETE", "EACCES"),
    ],
)
def test_others_change_nothing(
    others: Kernel, tmp_path: Path, module: Any, options: dict[str, Any], call: str, errno: str
) -> None:
    before = others.interfaces.all(), [str(route) for route in others.routes.all()]
    filled = {key: value.format(folder=tmp_path) if isinstance(value, str) else value for key, value in options.items()}
    result = refused(others, module, **filled)
    assert (result["call"], result["errno"]) == (call, errno)
    assert not result["changed"]
    assert [one.name for one in others.interfaces.all()] == [one.name for one in before[0]]
    for now, then in zip(others.interfaces.all(), before[0], strict=True):
        assert (now.flags, now.mtu, now.metric, now.addresses) == (then.flags, then.mtu, then.metric, then.addresses)
    assert [str(route) for route in others.routes.all()] == before[1]


def test_an_interface_that_is_not_there_comes_first(others: Kernel) -> None:
    with pytest.raises(KernelError, match="ENXIO"):
        others.interfaces.set_mtu("shmif7", 1300)
    for change in (others.interfaces.create, others.interfaces.destroy):
        with pytest.raises(KernelError, match="EPERM"):
            change("nosuch7")


def test_others_see_the_network(others: Kernel) -> None:
    assert [one.name for one in others.interfaces.all()] == ["lo0", "shmif0", "shmif1"]
    assert others.routes.get(ipaddress.ip_address("10.9.0.1")) is not None
    assert run_module(others, rump_nd6, interface="shmif0")["nd6"]["nud"]
