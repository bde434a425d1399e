# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The small language between the collection's shell plugin and its connection, in the place of a shell's.

Ansible asks a shell plugin for the command of each small thing it needs done on a host, and gives that to the
connection. Ours are a word with its arguments, as JSON, which nothing has to be quoted for and nothing could
misunderstand. :func:`encode` and :func:`decode` are its two ends; :func:`carry_out` does what the words say.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import posixpath
from collections.abc import Callable, Mapping
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.failures import OptionError
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.file_mode import Mode
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.users import Users, parse_id
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError

_MARK: Final = "rumpkernel.rump "

Answer = tuple[int, bytes, bytes]


@dataclasses.dataclass(frozen=True)
class Command:
    """One word. ``user`` is whom the task becomes, ``environment`` the task's own."""

    word: str
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    user: str | None = None


def encode(command: Command) -> str:
    return _MARK + json.dumps(dataclasses.asdict(command), sort_keys=True)


def decode(text: str) -> Command | None:
    """The command of a text; None for one that is none of ours, such as what ``raw`` is given."""
    if not text.startswith(_MARK + "{"):
        return None
    try:
        return Command(**json.loads(text.removeprefix(_MARK)))
    except (ValueError, TypeError):
        return None


def with_user(command: Command, user: str | None) -> Command:
    """The command, as ``user``."""
    return dataclasses.replace(command, user=user)


def carry_out(kernel: Kernel, command: Command) -> Answer:
    """Do what a word says; the exit status, standard output and error that a shell's command would have.

    :raises RumpError: the session with the kernel broke.
    """
    try:
        return _WORDS[command.word](kernel, **command.arguments)
    except (KernelError, OptionError, LookupError) as error:
        return 1, b"", str(error).encode()


def _mkdtemp(kernel: Kernel, *, name: str, folder: str, mode: int) -> Answer:
    """A new folder ``name`` below ``folder``, which is made as well."""
    above = posixpath.normpath(_expanded(kernel, folder))
    path = posixpath.join(above, name)
    kernel.makedirs(above, exist_ok=True)
    kernel.mkdir(path, mode)
    kernel.chmod(path, mode)  # the umask might have taken some of it
    return _said(f"{name}={path}\n")


def _expand(kernel: Kernel, *, path: str) -> Answer:
    """``~`` and ``~name`` as the home directory; what is not known stays as it is, as in a shell."""
    return _said(f"{_expanded(kernel, path)}\n")


def _pwd(kernel: Kernel) -> Answer:
    return _said(f"{kernel.getcwd()}\n")


def _exists(kernel: Kernel, *, path: str) -> Answer:
    return (0 if kernel.exists(path) else 1), b"", b""


def _remove(kernel: Kernel, *, path: str, recurse: bool) -> Answer:
    if not kernel.lexists(path):
        return _said("")
    if kernel.isdir(path) and not kernel.islink(path):
        if not recurse:
            return 1, b"", f"{path} is a directory".encode()
        kernel.rmtree(path)
    else:
        kernel.unlink(path)
    return _said("")


def _chmod(kernel: Kernel, *, paths: list[str], mode: str) -> Answer:
    wanted = Mode.parse(mode)
    for path in paths:
        kernel.chmod(path, wanted.of(kernel.stat(path).st_mode))
    return _said("")


def _chown(kernel: Kernel, *, paths: list[str], user: str) -> Answer:
    uid = parse_id("user", user, Users(kernel).uid)
    for path in paths:
        kernel.chown(path, uid, -1)
    return _said("")


def _chgrp(kernel: Kernel, *, paths: list[str], group: str) -> Answer:
    gid = parse_id("group", group, Users(kernel).gid)
    for path in paths:
        kernel.chown(path, -1, gid)
    return _said("")


def _setfacl(_kernel: Kernel, **_arguments: Any) -> Answer:
    """Ansible goes on with chown."""
    return 1, b"", b"NetBSD's file systems have no such access control lists"


def _checksum(kernel: Kernel, *, path: str) -> Answer:
    """The SHA-1 of a file, or what ShellModule.checksum has for one that there is not (1) or a directory (3)."""
    if not kernel.exists(path):
        return _said(f"1  {path}\n")
    if kernel.isdir(path):
        return _said(f"3  {path}\n")
    digest = hashlib.sha1(usedforsecurity=False)
    with kernel.fopen(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return _said(f"{digest.hexdigest()}  {path}\n")


_WORDS: Final[dict[str, Callable[..., Answer]]] = {
    "mkdtemp": _mkdtemp,
    "expand": _expand,
    "pwd": _pwd,
    "exists": _exists,
    "remove": _remove,
    "chmod": _chmod,
    "chown": _chown,
    "chgrp": _chgrp,
    "setfacl": _setfacl,
    "checksum": _checksum,
}


def _said(text: str) -> Answer:
    return 0, os.fsencode(text), b""


def _expanded(kernel: Kernel, path: str) -> str:
    name, slash, rest = path.partition("/")
    if not name.startswith("~"):
        return path
    users = Users(kernel)
    try:
        home = (users.user(name[1:]) if name != "~" else users.user_of_id(kernel.geteuid())).pw_dir
    except KeyError:
        return path
    return home.rstrip("/") + slash + rest or "/"
