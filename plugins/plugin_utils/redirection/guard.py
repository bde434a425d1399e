# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The safety net below the redirection: from :func:`seal` on, this process does nothing to the controller.

Python tells audit hooks (PEP 578) of what it is about to do. Here all is refused but what happens inside of the
interpreter, and reading Python's own installation, from which modules are imported. The library's session was made
before; to talk over it needs nothing that is audited.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from .descriptors import STANDARD
from .errors import ControllerTouched
from .substitutes import names

# Events of the interpreter's own, and those that Python code raises above calls that are redirected.
_INSIDE: Final = names("import exec compile eval glob.glob glob.glob/2 os.walk os.fwalk subprocess.Popen")
_INSIDE_PREFIXES: Final = (
    *(
        "marshal.",
        "object.",
        "sys.",
        "gc.",
        "code.",
        "function.",
        "array.",
        "builtins.",
        "pickle.",
        "time.",
        "_thread.",
    ),
    *("cpython.PyInterpreterState_", "shutil.", "tempfile.", "pathlib.", "urllib.", "http.", "ftplib.", "smtplib."),
    *("poplib.", "imaplib.", "nntplib.", "telnetlib.", "email."),
)


def seal(folders: Sequence[str], note: Callable[[str], None]) -> None:
    """Refuse, for good, whatever would act on the controller.

    :param folders: absolute paths of what may be read: Python's installation.
    :param note: takes what was refused.
    """
    allowed = tuple(folder.rstrip("/") + "/" for folder in folders)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _INSIDE or event.startswith(_INSIDE_PREFIXES):
            return
        if event == "open" and (arguments[0] in STANDARD or (_reads(arguments) and _below(allowed, arguments[0]))):
            return
        if event == "os.listdir" and _below(allowed, arguments[0]):
            return
        what = f"{event}{_shown(arguments)}"
        note(what)
        raise ControllerTouched(
            f"{what} would have happened on the controller and was refused: the redirection to the rump kernel does "
            "not cover it"
        )

    sys.addaudithook(hook)


def _reads(arguments: tuple[Any, ...]) -> bool:
    """Whether an ``open`` only reads. Its arguments are the path, the mode (or None) and the flags."""
    _path, _mode, flags = arguments
    return isinstance(flags, int) and flags & os.O_ACCMODE == os.O_RDONLY and not flags & (os.O_CREAT | os.O_TRUNC)


def _below(allowed: tuple[str, ...], path: object) -> bool:
    if not isinstance(path, (str, bytes)):
        return False
    text = os.fsdecode(path)
    return "/../" not in text and (text + "/").startswith(allowed)


def _shown(arguments: tuple[Any, ...]) -> str:
    text = ", ".join(repr(argument)[:80] for argument in arguments)
    return f"({text[:200]})"
