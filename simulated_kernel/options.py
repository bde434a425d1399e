# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a simulated kernel is started with."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass, field
from pathlib import Path

from .faults import Fault
from .rooms import MACHINES, Abi

# What the kernel that the transcripts come from was made of.
DEFAULT_COMPONENTS = frozenset({
    "rumpvfs", "rumpvfs_fifofs", "rumpdev", "rumpdev_disk", "rumpdev_vnd", "rumpdev_cgd", "rumpdev_bpf",
    "rumpdev_rnd", "rumpdev_raidframe", "rumpdev_opencrypto", "rumpvfs_layerfs", "rumpfs_tmpfs",
    "rumpfs_kernfs", "rumpfs_ffs", "rumpfs_mfs", "rumpfs_msdos", "rumpfs_ext2fs", "rumpfs_cd9660", "rumpfs_fdesc",
    "rumpfs_union", "rumpfs_null", "rumpfs_ptyfs", "rumpkern_tty", "rumpkern_crypto", "rumpkern_sysproxy",
    "rumpnet", "rumpnet_net", "rumpnet_netinet", "rumpnet_netinet6", "rumpnet_local", "rumpnet_shmif",
    "rumpnet_virtif", "rumpnet_bridge", "rumpnet_gif", "rumpnet_tap", "rumpnet_agr", "rumpnet_npf",
})  # fmt: skip
MORE_COMPONENTS = frozenset({
    "rumpdev_pci_if_iwn", "rumpkern_sljit", "rumpnet_bpfjit", "rumpnet_config", "rumpnet_net80211", "rumpnet_pppoe",
    "rumpnet_vlan",
})  # fmt: skip
"""Those that a kernel is to be given by name."""
REQUIRED_COMPONENTS = frozenset({"rumpkern_sysproxy"})


@dataclass(frozen=True)
class Disk:
    """A host's file as a device or file of the kernel: rump_server's ``-d``."""

    key: str
    """The path in the kernel's root file system."""
    host_path: Path
    kind: str = "blk"
    """``blk``, ``chr`` or ``reg``."""
    offset: int = 0
    size: int | None = None
    """Bytes; None for the rest of the host's file (``size=host``)."""

    @classmethod
    def parse(cls, text: str) -> Disk:
        """``key=/path,hostpath=file[,size=N|host][,offset=N][,type=blk|chr|reg]``.

        :raises ValueError: the text has another form.
        """
        fields = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
        unknown = fields.keys() - {"key", "hostpath", "size", "offset", "type"}
        if unknown or not {"key", "hostpath"} <= fields.keys():
            raise ValueError(f"a disk is key=…,hostpath=…[,size=…][,offset=…][,type=…], not {text!r}")
        kind = fields.get("type", "blk")
        if kind not in ("blk", "chr", "reg"):
            raise ValueError(f"a disk's type is blk, chr or reg, not {kind!r}")
        size = fields.get("size", "host")
        return cls(
            key=fields["key"],
            host_path=Path(fields["hostpath"]),
            kind=kind,
            offset=parse_size(fields.get("offset", "0")),
            size=None if size == "host" else parse_size(size),
        )


def parse_size(text: str) -> int:
    """A number of bytes with an optional k, m or g behind it."""
    match = re.fullmatch(r"(\d+)([kmgKMG]?)", text)
    if not match:
        raise ValueError(f"not a size: {text!r}")
    return int(match[1]) << {"": 0, "k": 10, "m": 20, "g": 30}[match[2].lower()]


@dataclass(frozen=True)
class KernelOptions:
    """How a kernel is made, and how it misbehaves."""

    abi: Abi = field(default_factory=lambda: Abi(8, 8, "little"))
    hostname: str = field(default_factory=lambda: f"rump-{os.getpid():05d}.{platform.node() or 'simulated'}")
    components: frozenset[str] = DEFAULT_COMPONENTS
    disks: tuple[Disk, ...] = ()
    faults: tuple[Fault, ...] = ()
    max_clients: int = 255
    journal: Path | None = None
    """A file that gets one JSON line per system call."""
    cpus: int = 2
    own_stack: str | None = None
    """The interface through which clients reach the server, which then has the address of its URL."""
    dad_scale: float = 1.0
    """Multiplies the seconds that duplicate address detection takes; 0 ends it at once."""


def parse_components(text: str) -> frozenset[str]:
    """A comma list of rump components, with or without the ``-l`` or ``lib`` before their names.

    :raises ValueError: one is not known, which a rump_server would end on, for want of its library.
    """
    names = {re.sub(r"^(-l|lib)", "", name.strip()) for name in text.split(",") if name.strip()}
    known = DEFAULT_COMPONENTS | MORE_COMPONENTS
    if names - known:
        strange = ", ".join(sorted(names - known))
        raise ValueError(f"--components: {strange}: not known; there are {', '.join(sorted(known))}")
    return frozenset(names) | REQUIRED_COMPONENTS


def abi_for(machine: str, word_size: int | None = None, byteorder: str | None = None,
            int64_alignment: int | None = None, release: str = "7.99.34") -> Abi:  # fmt: skip
    """The ABI of a machine, or of any other when its word size and byte order are given.

    :raises ValueError: the machine is not known and too little is said about it.
    """
    model = MACHINES.get(machine)
    word = word_size or (model.word_size if model else None)
    order = byteorder or (model.byteorder if model else None)
    if word not in (4, 8) or order not in ("little", "big"):
        raise ValueError(f"machine {machine} is not known: give its word size (4 or 8) and byte order (little or big)")
    alignment = int64_alignment or (model.int64_alignment if model and word == model.word_size else 8)
    numbers = tuple(int(number) for number in re.findall(r"\d+", release))
    return Abi(word, alignment, order, numbers, machine)
