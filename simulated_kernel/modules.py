# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel modules, which components bring along built in (sys/kern/kern_module.c, sys_module.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .errors import refuse

if TYPE_CHECKING:
    from .kernel import SimulatedKernel

MISC, VFS, DRIVER, SECMODEL = 1, 2, 3, 5
MUST_FORCE: Final = 1
DISABLED: Final = 0xFFFFFFFF
"""The reference count of a module that is disabled: -1."""


@dataclass
class Module:
    """A module. ``component`` is what brings it."""

    name: str
    kind: int
    component: str
    required: tuple[str, ...] = ()
    stays: str = ""
    """The error with which it refuses to be disabled, if it always does."""
    was_disabled: bool = False


def _modules() -> list[Module]:
    """In the order in which a kernel with everything lists them."""
    ciphers = ("blowfish", "des", "cast128", "camellia", "skipjack")
    return [
        Module("suser", SECMODEL, "rumpkern", stays="EPERM"),
        Module("ksem", MISC, "rumpkern"),
        Module("vnd", DRIVER, "rumpdev_vnd"),
        Module("cgd", DRIVER, "rumpdev_cgd", ("dk_subr",)),
        Module("raid", DRIVER, "rumpdev_raidframe", ("dk_subr",)),
        Module("dk_subr", MISC, "rumpdev_disk"),
        Module("swcrypto", DRIVER, "rumpdev_opencrypto", ("opencrypto", "zlib", *ciphers)),
        *(Module(name, MISC, "rumpkern_crypto") for name in ("skipjack", "camellia", "cast128", "des", "blowfish")),
        Module("zlib", MISC, "rumpdev_opencrypto"),
        Module("crypto", DRIVER, "rumpdev_opencrypto", ("opencrypto",)),
        Module("opencrypto", MISC, "rumpdev_opencrypto"),
        Module("bpf", DRIVER, "rumpdev_bpf", ("bpf_filter",), stays="EOPNOTSUPP"),
        Module("bpf_filter", MISC, "rumpdev_bpf"),
        Module("bpfjit", MISC, "rumpnet_bpfjit", ("sljit",), stays="EOPNOTSUPP"),
        Module("sljit", MISC, "rumpkern_sljit"),
        Module("if_virt_virt", DRIVER, "rumpnet_virtif"),
        *(
            Module(name, MISC, "rumpnet_npf", ("npf",))
            for name in ("npf_ext_rndblock", "npf_ext_normalize", "npf_ext_log", "npf_alg_icmp")
        ),
        Module("if_npflog", DRIVER, "rumpnet_npf"),
        Module("npf", DRIVER, "rumpnet_npf"),
        *(Module(name, VFS, f"rumpfs_{name}") for name in ("ptyfs", "tmpfs", "kernfs")),
        Module("mfs", VFS, "rumpfs_mfs", ("ffs",)),
        Module("ext2fs", VFS, "rumpfs_ext2fs", ("ffs",)),
        Module("ffs", VFS, "rumpfs_ffs", ("wapbl",)),
        Module("wapbl", VFS, "rumpfs_ffs"),
        *(Module(name, VFS, f"rumpfs_{name}") for name in ("msdos", "cd9660")),
        Module("null", VFS, "rumpfs_null", ("layerfs",)),
        Module("layerfs", MISC, "rumpvfs_layerfs"),
        *(Module(name, VFS, f"rumpfs_{name}") for name in ("fdesc", "union")),
    ]


class Modules:
    """The modules of one kernel."""

    def __init__(self, kernel: SimulatedKernel) -> None:
        self._kernel = kernel
        self._enabled = [module for module in _modules() if kernel.has(module.component)]
        self._disabled: list[Module] = []

    def _find(self, name: str) -> Module | None:
        return next((module for module in self._enabled if module.name == name), None)

    def is_disabled(self, name: str) -> bool:
        return any(module.name == name for module in self._disabled)

    def _references(self, module: Module) -> int:
        return sum(module.name in other.required for other in self._enabled)

    def records(self) -> bytes:
        """An array of modstat_t: those that are enabled, then the others. Since release 9 their number comes before
        them, and the names of what they require after them, at offsets from the start.
        """
        layout = self._kernel.abi.struct("modstat_t")
        modules = (*self._enabled, *self._disabled)
        if not self.strings_follow:
            return b"".join(
                layout.build(**self._members(module), ms_required=",".join(module.required).encode())
                for module in modules
            )
        count = self._kernel.abi.integer("int", len(modules))
        start, records, strings = len(count) + len(modules) * layout.size, b"", b""
        for module in modules:
            offset = start + len(strings) if module.required else 0
            records += layout.build(**self._members(module), ms_reqoffset=offset)
            strings += ",".join(module.required).encode() + b"\0" if module.required else b""
        return count + records + strings

    @property
    def strings_follow(self) -> bool:
        """Whether the list has its format of release 9."""
        return "ms_reqoffset" in self._kernel.abi.struct("modstat_t").offsets

    def _members(self, module: Module) -> dict[str, object]:
        return {
            "ms_name": module.name.encode(),
            "ms_class": module.kind,
            "ms_flags": MUST_FORCE if module.was_disabled and module in self._enabled else 0,
            "ms_refcnt": DISABLED if module in self._disabled else self._references(module),
        }

    def load(self, name: str, force: bool) -> None:
        """Enable a module that was disabled; nothing else can be loaded, for lack of files."""
        disabled = next((module for module in self._disabled if module.name == name), None)
        if disabled is None:
            raise refuse("ENOENT" if self._find(name) is None else "EEXIST")
        if not force:
            raise refuse("EPERM")
        self._disabled.remove(disabled)
        self._enabled.insert(0, disabled)

    def unload(self, name: str) -> None:
        """Disable a module; EBUSY while another one or a mount needs it."""
        module = self._find(name)
        if module is None:
            raise refuse("ENOENT")
        if self._references(module):
            raise refuse("EBUSY")
        if module.stays:
            raise refuse(module.stays)
        if module.kind == VFS and any(filesystem.type_name == name for filesystem in self._kernel.mounts):
            raise refuse("EBUSY")
        module.was_disabled = True
        self._enabled.remove(module)
        self._disabled.append(module)
