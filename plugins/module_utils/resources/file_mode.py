# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Permission bits as users write them: octal or symbolic, in ansible-core's own grammar."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final

from ansible.module_utils.basic import AnsibleModule

from .failures import OptionError

UMASK: Final = 0o022
"""The umask of a session in a rump kernel (CMASK of sys/param.h)."""

NEW_DIRECTORY: Final = stat.S_IFDIR | 0o777 & ~UMASK
NEW_FILE: Final = stat.S_IFREG | 0o666 & ~UMASK
_UNDER_UMASK: Final = frozenset("rwx")


class _SymbolicMode(AnsibleModule):
    """ansible-core's grammar of symbolic modes, with the kernel's umask instead of the controller's.

    The umask counts in clauses that name nobody (``+x``), and there for r, w and x alone.
    """

    @staticmethod
    def _get_octal_mode_from_symbolic_perms(
        path_stat: Any, user: str, perms: str, use_umask: bool, prev_mode: int | None = None
    ) -> int:
        bits_of = AnsibleModule._get_octal_mode_from_symbolic_perms
        if not use_umask:
            return bits_of(path_stat, user, perms, False, prev_mode)
        masked = "".join(letter for letter in perms if letter in _UNDER_UMASK)
        unmasked = "".join(letter for letter in perms if letter not in _UNDER_UMASK)
        under_umask = bits_of(path_stat, user, masked, False, prev_mode) & ~UMASK
        return under_umask | bits_of(path_stat, user, unmasked, False, prev_mode)


@dataclass(frozen=True)
class Mode:
    """Permission bits that are asked for: a number, or symbolic clauses that change what is there."""

    octal: int | None = None
    symbolic: str = ""

    @classmethod
    def parse(cls, value: Any, option: str = "mode") -> Mode:
        """What ``option`` means: a number as it is, a string of octal digits, or symbolic clauses.

        :raises OptionError: it is none of these, or has more than permission bits.
        """
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise _unreadable(option, value)
        if isinstance(value, int):
            return cls(octal=_permissions(option, value, value))
        try:
            octal = int(value, 8)
        except ValueError:
            pass
        else:
            return cls(octal=_permissions(option, octal, value))
        if not all(any(operator in clause for operator in "+-=") for clause in value.split(",")):
            raise _unreadable(option, value)
        mode = cls(symbolic=value)
        try:
            mode.of(NEW_FILE)
        except ValueError:
            raise _unreadable(option, value) from None
        return mode

    def of(self, found: int) -> int:
        """The bits to set on what has ``found`` as its st_mode."""
        if self.octal is not None:
            return self.octal
        return int(_SymbolicMode._symbolic_mode_to_octal(SimpleNamespace(st_mode=found), self.symbolic))


def mode_text(mode: int) -> str:
    """Permission bits as Ansible's modules return them: ``0644``."""
    return f"0{stat.S_IMODE(mode):03o}"


def _permissions(option: str, number: int, value: Any) -> int:
    if number < 0 or number != stat.S_IMODE(number):
        raise OptionError(option, f"{value!r} has more than permission bits: give 0 to 07777 (octal)")
    return number


def _unreadable(option: str, value: Any) -> OptionError:
    return OptionError(
        option,
        f"{value!r} is no mode: give octal digits in quotes such as '0644', or a symbolic mode such as u=rw,g+X,o-rwx",
    )
