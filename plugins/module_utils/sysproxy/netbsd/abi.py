# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ABI of one kernel: its data model, its release, and what follows from the two.

An :class:`Abi` answers for structures, argument blocks of system calls and codes of ioctls. It is
made from the server's banner; see machines.py for what a machine's name settles.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from functools import lru_cache

from ..errors import ForeignServer, UnknownMachine, printable
from ..frames import Wire
from .errno import Errno
from .ioctls import DIRECTIONS, IOCPARM_MASK, IOCPARM_SHIFT, IOCTLS, ioctls
from .kernel_error import kernel_error
from .layout import SCALARS, DataModel, Layout, layout, scalar
from .machines import MACHINES
from .releases import Release, constant, name_of, parse_release
from .syscalls import syscall, syscall_names, syscall_table

_BANNER = re.compile(r"RUMPSP-(\d+)\.(\d+)-([^-/]+)-([^/]+)/(\S+)")
PROTOCOL = (0, 4)


@dataclass(frozen=True)
class _Arguments:
    """A system call's argument block: a struct format, and its members' names in order."""

    number: int
    packer: struct.Struct
    names: tuple[str, ...]


@dataclass(frozen=True)
class AbiHints:
    """What a user says of a kernel, which goes before what its banner lets conclude; None says nothing.

    ``word_size`` is 4 or 8, ``byteorder`` little or big, ``int64_alignment`` the bytes at which a
    structure has 64-bit integers (2, 4 or 8), ``release`` such as ``10.0``.
    """

    word_size: int | None = None
    byteorder: str | None = None
    int64_alignment: int | None = None
    release: str | None = None

    def __post_init__(self) -> None:
        allowed = {"word_size": (4, 8), "byteorder": ("little", "big"), "int64_alignment": (2, 4, 8)}
        for name, values in allowed.items():
            value = getattr(self, name)
            if value is not None and value not in values:
                raise ValueError(f"a kernel's {name} is {' or '.join(map(str, values))}, not {value!r}")
        if self.release is not None and not re.match(r"\d", self.release):
            raise ValueError(f"a kernel's release is such as 10.0, not {self.release!r}")

    def data_model(self, machine: str) -> DataModel | None:
        """The data model of a machine's kernels, or None if neither the machine nor enough else is known."""
        known = MACHINES.get(machine)
        word_size = self.word_size or (known.word_size if known else None)
        byteorder = self.byteorder or (known.byteorder if known else None)
        if word_size is None or byteorder is None:
            return None
        usual = known.int64_alignment if known and known.word_size == word_size else 8
        return DataModel(word_size, self.int64_alignment or usual, byteorder)


@dataclass(frozen=True)
class Abi:
    """What must be known of a kernel to make its system calls.

    ``release`` is a tuple of the numbers in the banner, such as ``(7, 99, 34)``.
    """

    word_size: int
    int64_alignment: int
    byteorder: str
    release: Release = (7, 99, 34)
    machine: str = "amd64"
    ostype: str = "NetBSD"
    _model: DataModel = field(init=False, repr=False, compare=False)
    # What was looked up before, by name alone: the caches below hash the data model and the release each time.
    _blocks: dict[str, _Arguments] = field(default_factory=dict, init=False, repr=False, compare=False)
    _layouts: dict[str, Layout] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_model", DataModel(self.word_size, self.int64_alignment, self.byteorder))

    @classmethod
    def from_banner(cls, banner: str, given: Abi | AbiHints | None = None) -> Abi:
        """The ABI of the server that sent ``banner``, as ``RUMPSP-0.4-NetBSD-7.99.34/amd64``.

        ``given`` goes before what the banner says; a whole :class:`Abi` is taken as it is.

        :raises ForeignServer: it is no banner of a protocol that is spoken here.
        :raises UnknownMachine: its machine's data model is not known, and not given either.
        """
        if isinstance(given, Abi):
            return given
        hints = given or AbiHints()
        match = _BANNER.fullmatch(banner.rstrip("\n"))
        if not match:
            raise ForeignServer(f"not a sysproxy server: it greets with {banner!r}")
        major, minor, ostype, osrelease, machine = match.groups()
        if int(major) != PROTOCOL[0] or int(minor) < PROTOCOL[1]:
            raise ForeignServer(
                f"the server speaks sysproxy {major}.{minor}; {PROTOCOL[0]}.{PROTOCOL[1]} is spoken here"
            )
        model = hints.data_model(machine)
        if model is None:
            name = printable(f"{ostype}/{machine}")
            raise UnknownMachine(f"the word size and byte order of {name} are not known: they have to be given")
        release = parse_release(hints.release or osrelease)
        return cls(model.word_size, model.int64_alignment, model.byteorder, release, machine, ostype)

    @property
    def banner(self) -> str:
        """The greeting of such a server, without its newline."""
        return f"RUMPSP-{PROTOCOL[0]}.{PROTOCOL[1]}-{self.ostype}-{name_of(self.release)}/{self.machine}"

    @property
    def data_model(self) -> DataModel:
        return self._model

    @property
    def wire(self) -> Wire:
        return Wire(self.byteorder, self.word_size)

    @property
    def prefix(self) -> str:
        """The struct module's character for the byte order."""
        return "<" if self.byteorder == "little" else ">"

    def struct(self, name: str) -> Layout:
        """The layout of a kernel structure; see structures.py for the names."""
        found = self._layouts.get(name)
        if found is None:
            found = self._layouts[name] = layout(name, self._model, self.release)
        return found

    def _arguments(self, name: str) -> _Arguments:
        found = self._blocks.get(name)
        if found is None:
            found = self._blocks[name] = _arguments(self._model, self.release, name)
        return found

    def integer(self, kind: str, value: int) -> bytes:
        """A lone C integer, as a system call expects it behind a pointer."""
        size, _code = scalar(kind, self.word_size)
        return value.to_bytes(size, self.byteorder, signed=value < 0)  # type: ignore[arg-type] # little or big

    def integers(self, kind: str, *values: int) -> bytes:
        """An array of C integers."""
        return b"".join(self.integer(kind, value) for value in values)

    def read_integer(self, kind: str, data: bytes | bytearray | memoryview) -> int:
        """The C integer at the start of ``data``."""
        size, code = scalar(kind, self.word_size)
        return int.from_bytes(data[:size], self.byteorder, signed=code.islower())  # type: ignore[arg-type] # little or big

    def syscall_number(self, name: str) -> int:
        """A call's number.

        :raises KernelError: ENOSYS: other releases serve the call, and this one does not.
        :raises KeyError: no release serves such a call.
        """
        return self._arguments(name).number

    def syscall_name(self, number: int) -> str | None:
        return syscall_names(self.release).get(number)

    def has_syscall(self, name: str) -> bool:
        return name in syscall_table(self.release)

    def encode_arguments(self, name: str, *values: int) -> bytes:
        """The argument block of call ``name``: its arguments in order, the table's pads left out.

        :raises ValueError: an argument does not fit its C type, or there are not as many as the call takes.
        """
        return self.encode_call(name, *values)[1]

    def encode_call(self, name: str, *values: int) -> tuple[int, bytes]:
        """:meth:`syscall_number` and :meth:`encode_arguments` in one."""
        arguments = self._blocks.get(name) or self._arguments(name)
        try:
            return arguments.number, arguments.packer.pack(*values)
        except struct.error as error:
            raise ValueError(f"{name}{values}: {error}") from None

    def decode_arguments(self, name: str, block: bytes) -> dict[str, int]:
        """The arguments in ``block`` by name, which may be longer than the block needs to be.

        :raises ValueError: the block is too short.
        """
        arguments = self._arguments(name)
        if len(block) < arguments.packer.size:
            raise ValueError(f"{name} takes {arguments.packer.size} bytes of arguments, not {len(block)}")
        return dict(zip(arguments.names, arguments.packer.unpack_from(block), strict=True))

    def ioctl(self, name: str) -> int:
        """The code of an ioctl (sys/ioccom.h, _IOC).

        :raises KernelError: ENOTTY, as the kernel would say: this release has no such ioctl.
        :raises KeyError: no release has it.
        """
        code = _ioctl_codes(self._model, self.release).get(name)
        if code is None:
            if name in IOCTLS:
                raise kernel_error(Errno.ENOTTY, name, f"in release {name_of(self.release)}")
            raise KeyError(name)
        return code

    def has_ioctl(self, name: str) -> bool:
        return name in _ioctl_codes(self._model, self.release)

    def constant(self, name: str) -> int:
        """A constant that differs between releases, by its name in C: see releases.py.

        :raises KeyError: it is none of those.
        """
        return constant(self.release, name)

    def ioctl_name(self, code: int) -> str | None:
        return _ioctl_names(self._model, self.release).get(code)

    def value_of_registers(self, value0: int, value1: int) -> int:
        """The 64-bit result of a call such as lseek, which spans both registers on a 32-bit machine."""
        if self.word_size == 8:
            return value0
        pair = struct.pack(f"{self.prefix}ii", value0, value1)
        return struct.unpack(f"{self.prefix}q", pair)[0]


@lru_cache(maxsize=2048)  # bounded, as are all caches by release: servers make releases up
def _arguments(model: DataModel, release: Release, name: str) -> _Arguments:
    return _block(model, *syscall(release, name))


def _block(model: DataModel, number: int, arguments: tuple[tuple[str, str], ...]) -> _Arguments:
    """Each argument in a slot of at least a register; a narrow one at the slot's low-order end."""
    code, position, alignment, names = "", 0, 1, []
    for name, kind in arguments:
        size, letter = scalar(kind, model.word_size)
        slot = max(size, model.word_size)
        slot_alignment = min(slot, model.int64_alignment)
        alignment = max(alignment, slot_alignment)
        padding = -position % slot_alignment
        code += f"{padding}x" if padding else ""
        position += padding + slot
        if name == "pad":
            code += f"{slot}x"
            continue
        names.append(name)
        filling = f"{slot - size}x" if slot > size else ""
        code += letter + filling if model.byteorder == "little" else filling + letter
    padding = -position % alignment
    code += f"{padding}x" if padding else ""
    return _Arguments(number, struct.Struct(("<" if model.byteorder == "little" else ">") + code), tuple(names))


@lru_cache(maxsize=32)
def _ioctl_codes(model: DataModel, release: Release) -> dict[str, int]:
    codes = {}
    for name, (direction, group, number, kind) in ioctls(release).items():
        if kind in SCALARS:
            size = scalar(kind, model.word_size)[0]
        else:
            size = layout(kind, model, release).size if kind else 0
        codes[name] = DIRECTIONS[direction] | (size & IOCPARM_MASK) << IOCPARM_SHIFT | ord(group) << 8 | number
    return codes


@lru_cache(maxsize=32)
def _ioctl_names(model: DataModel, release: Release) -> dict[int, str]:
    return {code: name for name, code in _ioctl_codes(model, release).items()}
