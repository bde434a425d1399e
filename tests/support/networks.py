# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernels with an interface on a bus, and rumpctrl's utilities as a second opinion on what they hold."""

from __future__ import annotations

import ipaddress
import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel

UTILITIES = os.environ.get("RUMPCTRL_PATH", "")
with_utilities = pytest.mark.skipif(
    not UTILITIES, reason="RUMPCTRL_PATH does not name the folder of rumpctrl's utilities"
)
LIMIT = 30.0


def without_duplicate_detection(kernel: Kernel) -> None:
    """Addresses are good at once, where the kernel would listen for a second first."""
    for name in ("net.inet.ip.dad_count", "net.inet6.ip6.dad_count"):
        kernel.sysctl.set(name, 0)


def attach(kernel: Kernel, bus: Path, *addresses: str, interface: str = "shmif0") -> None:
    """Make an interface on the bus, with these addresses."""
    without_duplicate_detection(kernel)
    kernel.interfaces.create(interface)
    kernel.interfaces.set_linkstr(interface, str(bus))
    for address in addresses:
        kernel.interfaces.add_address(interface, ipaddress.ip_interface(address))


def utility(url: str, *command: str) -> str:
    """What one of rumpctrl's utilities says of the kernel at ``url``."""
    name, *arguments = command
    done = subprocess.run(
        [f"{UTILITIES}/{name}", *arguments],
        env={"RUMP_SERVER": url, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def changing_calls(kernel: Kernel) -> int:
    """How many calls changed a simulated kernel so far, by its journal; 0 on a real one, which has none."""
    journal = Path(kernel.url.removeprefix("unix://")).with_name("journal.jsonl")
    if not journal.exists():
        return 0
    return sum(json.loads(line)["changes"] for line in journal.read_text().splitlines())
