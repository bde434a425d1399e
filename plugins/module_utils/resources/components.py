# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which rump components a kernel has, as far as it shows.

No call lists them. Each brings something along: a module, a kind of interface, an address family, the calls on files.
What brings nothing of that kind (rumpnet_config, rumpdev_rnd) is not seen.
"""

from __future__ import annotations

import contextlib
from typing import Final

from ..sysproxy import Kernel, KernelError
from ..sysproxy.kernel.modules import ModuleClass
from ..sysproxy.netbsd.constants import AF, SOCK

# The modules that tell of a component by another name than a file system's (sys/rump/*/lib/*/Makefile and the
# MODULE() lines of the sources these name).
_OF_MODULE: Final = {
    "bpf": "rumpdev_bpf",
    "bpfjit": "rumpnet_bpfjit",
    "cgd": "rumpdev_cgd",
    "dk_subr": "rumpdev_disk",
    "if_virt_virt": "rumpnet_virtif",
    "layerfs": "rumpvfs_layerfs",
    "npf": "rumpnet_npf",
    "opencrypto": "rumpdev_opencrypto",
    "raid": "rumpdev_raidframe",
    "skipjack": "rumpkern_crypto",
    "sljit": "rumpkern_sljit",
    "vnd": "rumpdev_vnd",
}
_NO_FILE_SYSTEM: Final = frozenset(["wapbl"])  # of the class of file systems, and a part of rumpvfs or rumpfs_ffs
_OF_CLONER: Final = {
    "agr": "rumpnet_agr",
    "bridge": "rumpnet_bridge",
    "gif": "rumpnet_gif",
    "lo": "rumpnet_net",
    "pppoe": "rumpnet_pppoe",
    "shmif": "rumpnet_shmif",
    "tap": "rumpnet_tap",
    "virt": "rumpnet_virtif",
    "vlan": "rumpnet_vlan",
}
_OF_FAMILY: Final = {AF.INET: "rumpnet_netinet", AF.INET6: "rumpnet_netinet6", AF.LOCAL: "rumpnet_local"}


def components(kernel: Kernel) -> list[str]:
    """The components that show, in alphabetical order; some fifteen system calls.

    :raises RumpError: the kernel went away.
    """
    found = _of_modules(kernel) | _of_network(kernel)
    with contextlib.suppress(KernelError):
        kernel.getcwd()
        found.add("rumpvfs")
    return sorted(found)


def _of_modules(kernel: Kernel) -> set[str]:
    found = set()
    with contextlib.suppress(KernelError):
        for module in kernel.modules.all():
            if module.kind == ModuleClass.VFS and module.name not in _NO_FILE_SYSTEM:
                found.add(f"rumpfs_{module.name}")
            if module.name in _OF_MODULE:
                found.add(_OF_MODULE[module.name])
    return found


def _of_network(kernel: Kernel) -> set[str]:
    found = set()
    for family, component in _OF_FAMILY.items():
        try:
            kernel.socket(family, SOCK.DGRAM).close()
        except KernelError as error:
            if error.name == "ENOSYS":
                return set()
        else:
            found.add(component)
    with contextlib.suppress(KernelError):
        found |= {_OF_CLONER[cloner] for cloner in kernel.interfaces.cloners() if cloner in _OF_CLONER}
    return found | {"rumpnet"}
