# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures in the user's terms: options that are wrong, and what a kernel lacks for a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..sysproxy import KernelError


class OptionError(Exception):
    """An option's value is wrong; the text says what would be right. Raised before any change.

    ``about`` is for the module's result: the ``call`` that would be refused, its ``object`` and ``errno``,
    where the kernel's answer is known without asking.
    """

    def __init__(self, option: str, text: str, **about: str) -> None:
        self.option = option
        self.about = about
        super().__init__(f"{option}: {text}")


class Unmet(Exception):
    """What the task demands of the kernel is not so, though all calls went well. ``facts`` are for the result."""

    def __init__(self, text: str, facts: Mapping[str, Any]) -> None:
        self.facts = facts
        super().__init__(text)


# The rump component that serves an interface's cloner, an address family, a file system: by habit
# the name with a prefix; these are the exceptions.
_COMPONENT_OF_FAMILY = {
    "AF_INET": "rumpnet_netinet",
    "AF_INET6": "rumpnet_netinet6",
    "AF_LOCAL": "rumpnet_local",
    "AF_LINK": "rumpnet_net",
    "AF_ROUTE": "rumpnet_net",
}
_COMPONENT_OF_CLONER = {
    "carp": "rumpnet_netinet",
    "npflog": "rumpnet_npf",
    # Devices, which come by themselves.
    **{driver: f"rumpdev_pci_if_{driver}" for driver in ("iwn", "pcn", "wm")},
    "vioif": "rumpdev_virtio_if_vioif",
}
_COMPONENT_OF_FSTYPE = {
    "mfs": "rumpfs_ffs",
    "null": "rumpfs_nullfs",
    "union": "rumpfs_union",
    "procfs": "rumpfs_kernfs",
}
# What a file's flags may forbid, even to the superuser, who is refused next to nothing else.
_CALLS_ON_FILES = frozenset(
    {
        *("open", "chmod", "lchmod", "chown", "lchown", "utimensat", "unlink", "rmdir"),
        *("rename", "link", "symlink", "mkdir", "mkfifo", "mknod", "truncate"),
    }
)
_ADDRESS_CALLS = ("SIOCAIFADDR", "SIOCAIFADDR_IN6")
_NO_COMPONENT = ("ENOSYS", "EOPNOTSUPP", "ENODEV", "EAFNOSUPPORT", "EPROTONOSUPPORT")


def component_of_fstype(fstype: str) -> str:
    """The component that has a file system."""
    return _COMPONENT_OF_FSTYPE.get(fstype, f"rumpfs_{fstype}")


def component_of_cloner(cloner: str) -> str:
    """The component that has a kind of interface."""
    return _COMPONENT_OF_CLONER.get(cloner, f"rumpnet_{cloner}")


def advice(error: KernelError) -> str:
    """What to do about a refused call that a missing component or a file's flags explain; empty where none does."""
    component = None
    if error.name == "EPERM" and error.call in _CALLS_ON_FILES:
        return (
            "; flags of the file or of its directory, such as uchg or schg, may forbid it: "
            "rump_stat shows them, and rump_file's option flags clears them"
        )
    if error.name == "EADDRNOTAVAIL" and error.call in _ADDRESS_CALLS and error.subject.startswith("carp"):
        return (
            "; a carp interface takes IPv4 addresses of a network that its carpdev, or if it has none another "
            "interface, has an address in, and others only once option carp names the carpdev; IPv6 addresses are "
            "refused by kernels such as that of release 7.99.34"
        )
    if error.call == "sysctl" and error.subject.startswith("net.route") and error.name == "ENOENT":
        component = "rumpnet_net"
    elif error.name not in _NO_COMPONENT:
        return ""
    elif error.call == "mount" and error.name == "ENODEV":
        component = component_of_fstype(error.subject.split(" ")[0])
    elif error.call == "socket":
        component = "rumpnet" if error.name == "ENOSYS" else _COMPONENT_OF_FAMILY.get(error.subject)
    elif error.name == "ENOSYS":
        component = "rumpvfs"
    if component is None:
        return ""
    return f"; the kernel does not have it: start the server with the component {component} (rump_server -l{component})"
