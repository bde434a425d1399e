# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Failures in the user's terms: options that are wrong, and what a kernel lacks for a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..sysproxy import KernelError
from ..sysproxy.errors import printable
from ..sysproxy.kernel.sysctl import UnknownSysctl


class OptionError(Exception):
    """An option's value is wrong; the text says what would be right. Raised before any change.

    ``about`` is for the module's result: the ``call`` that would be refused, its ``object`` and ``errno``,
    where the kernel's answer is known without asking.
    """

    def __init__(self, option: str, text: str, **about: str) -> None:
        self.option = option
        self.about = about
        super().__init__(printable(f"{option}: {text}"))  # which may hold names of the kernel's


def not_there(option: str, path: str, error: KernelError) -> OptionError:
    """The error of a task whose option names a path that the kernel, by ``error``, does not have."""
    about = {"call": error.call, "object": error.subject, "errno": error.name}
    return OptionError(option, f"File not found: {path} (in the kernel)", **about)


class Unmet(Exception):
    """What the task demands of the kernel is not so, though all calls went well. ``facts`` are for the result."""

    def __init__(self, text: str, facts: Mapping[str, Any]) -> None:
        self.facts = facts
        super().__init__(printable(text))


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
# The file systems that there are components for (sys/rump/fs/lib), those first that are made without a disk.
_COMPONENT_OF_FSTYPE = {
    **{
        fstype: f"rumpfs_{fstype}"
        for fstype in (
            *("tmpfs", "kernfs", "fdesc", "ptyfs", "null", "umap", "union", "mfs", "ffs", "lfs", "ext2fs", "cd9660"),
            *("msdos", "ntfs", "hfs", "udf", "v7fs", "sysvbfs", "efs", "nilfs", "nfs", "smbfs"),
        )
    },
    "puffs": "rumpfs_syspuffs",
}
_COMPONENT_OF_SYSCTL = {
    "net": "rumpnet",
    "net.inet": "rumpnet_netinet",
    "net.inet6": "rumpnet_netinet6",
    "net.local": "rumpnet_local",
    "net.interfaces": "rumpnet_net",
    "net.route": "rumpnet_net",
    "vfs": "rumpvfs",
    "vfs.generic": "rumpvfs",
    "vfs.ffs": "rumpfs_ffs",
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


def component_of_cloner(cloner: str) -> str:
    """The component that has a kind of interface."""
    return _COMPONENT_OF_CLONER.get(cloner, f"rumpnet_{cloner}")


def advice(error: KernelError) -> str:
    """What to do about a refused call that a missing component, a file's flags or a path of the host's explain; empty
    where none does."""
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
    if error.call == "SIOCSLINKSTR" and error.name in ("ENOENT", "ENOTDIR"):
        return f"; linkstr: the server's host has no folder for {error.subject.partition(' ')[2]}"
    if error.call == "sysctl" and error.subject.startswith("net.route") and error.name == "ENOENT":
        component = "rumpnet_net"
    elif error.name not in _NO_COMPONENT:
        return ""
    elif error.call == "mount" and error.name == "ENODEV":
        fstype = error.subject.split(" ")[0]
        component = _COMPONENT_OF_FSTYPE.get(fstype)
        if component is None:
            known = ", ".join(_COMPONENT_OF_FSTYPE)
            return (
                f"; there is no file system {fstype!r} in this kernel: check the spelling (known are {known}), "
                f"or if there is a component rumpfs_{fstype}, start the server with it"
            )
    elif error.call == "socket":
        component = "rumpnet" if error.name == "ENOSYS" else _COMPONENT_OF_FAMILY.get(error.subject)
    elif error.name == "ENOSYS":
        component = "rumpvfs"
    return "" if component is None else _missing(component)


def advice_on_sysctl(error: UnknownSysctl) -> str:
    """What to do about a node that is not there, where a missing component explains it; else empty."""
    component = _COMPONENT_OF_SYSCTL.get(".".join(filter(None, (error.parent, error.component))))
    return "" if component is None else _missing(component)


def _missing(component: str) -> str:
    return f"; the kernel does not have it: start the server with the component {component} (rump_server -l{component})"
