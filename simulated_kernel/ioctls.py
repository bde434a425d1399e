# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An ioctl on its way through the kernel: its code, its argument, its answer.

Source: sys/kern/sys_generic.c (sys_ioctl), sys/sys/ioccom.h.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import refuse
from .rooms import Abi
from .usermemory import UserMemory

if TYPE_CHECKING:
    from .process import Process

IOC_VOID, IOC_OUT, IOC_IN = 0x20000000, 0x40000000, 0x80000000
IOCPARM_MASK = 0x1FFF

# Requests that the collection does not make but other clients do; where the argument's size differs
# between the ABIs, each code is here.
MORE_NAMES = {
    0x20006601: "FIOCLEX",
    0x20006602: "FIONCLEX",
    0x4004667F: "FIONREAD",
    0x8004667E: "FIONBIO",
    0x8004667D: "FIOASYNC",
    0x402C7413: "TIOCGETA",
    0x40087468: "TIOCGWINSZ",
    0x8090690C: "SIOCSIFADDR",
    0x8090690E: "SIOCSIFDSTADDR",
    0x80906913: "SIOCSIFBRDADDR",
    0x80906916: "SIOCSIFNETMASK",
    0xC0906921: "SIOCGIFADDR",
    0xC0906922: "SIOCGIFDSTADDR",
    0xC0906923: "SIOCGIFBRDADDR",
    0xC0906925: "SIOCGIFNETMASK",
    0xC0106926: "SIOCGIFCONF",
    0xC0086926: "SIOCGIFCONF",
    0x80906931: "SIOCADDMULTI",
    0x80906932: "SIOCDELMULTI",
    0xC0906935: "SIOCSIFMEDIA",
    0xC0306936: "SIOCGIFMEDIA",
    0xC0286936: "SIOCGIFMEDIA",
    0xC0906977: "SIOCGIFDLT",
    0xC090698C: "SIOCGIFINDEX",
    0xC018698B: "SIOCGETHERCAP",
    0x41986465: "DIOCGDINFO",
    0x41946465: "DIOCGDINFO",
    0x40086484: "DIOCGMEDIASIZE",
}


@dataclass
class IoctlRequest:
    """One ioctl. ``data`` is the argument's bytes: what came in, and what will go out."""

    code: int
    pointer: int
    data: bytearray
    memory: UserMemory
    process: Process
    abi: Abi
    descriptor: Any = None
    """The descriptor on which it was made."""
    notes: dict[str, Any] = field(default_factory=dict)
    """What the journal should say about the argument."""

    @property
    def group(self) -> str:
        return chr(self.code >> 8 & 0xFF)

    @property
    def number(self) -> int:
        return self.code & 0xFF

    @property
    def name(self) -> str:
        """The macro's name, or the code in hexadecimal."""
        return ioctl_name(self.abi, self.code)

    def text(self, offset: int, size: int) -> bytes:
        """The NUL-terminated string in a field of the argument."""
        return bytes(self.data[offset : offset + size]).split(b"\0")[0]

    def refuse_all_but_root(self) -> None:
        """:raises SyscallError: EPERM, the process is another user's (kauth_authorize_network)."""
        if not self.process.credentials.is_root:
            raise refuse("EPERM")

    def struct(self, name: str) -> Any:
        """The argument as structure ``name``."""
        return self.abi.struct(name).parse(self.data)

    def put_struct(self, name: str, **members: Any) -> None:
        built = self.abi.struct(name).build(**members)
        self.data[: len(built)] = built

    def put_integer(self, kind: str, value: int, offset: int = 0) -> None:
        raw = self.abi.integer(kind, value)
        self.data[offset : offset + len(raw)] = raw

    def put_bytes(self, offset: int, raw: bytes) -> None:
        self.data[offset : offset + len(raw)] = raw


def parameter_size(code: int) -> int:
    """Bytes of an ioctl's argument."""
    return code >> 16 & IOCPARM_MASK


def ioctl_name(abi: Abi, code: int) -> str:
    name = abi.ioctl_name(code)
    if name is None:
        name = MORE_NAMES.get(code, f"{code:#x}")
    return name
