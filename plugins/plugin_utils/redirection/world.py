# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A module's Python: the pages of the redirection put together, and what is run in it."""

from __future__ import annotations

import _io
import fcntl
import mmap
import os
import select
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NoReturn

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.users import Users
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel

from . import facts, sockets, tls
from .descriptors import Descriptors
from .errors import NoProgram
from .files import Files
from .guard import seal
from .identity import Identity, environment, time_module
from .imports import import_path, reading_folders, replace_modules
from .payload import Payload
from .posix import posix_module, processors_of
from .streams import Streams
from .substitutes import substitute
from .users import identity, modules


@dataclass(frozen=True)
class Program:
    """What is to be run: a module in its payload, or the text of a Python program with its arguments."""

    payload: Payload | None
    script: str = ""
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    """The user to become, by name or number; root's session stays as it is without."""


def enter(kernel: Kernel, program: Program, note: Callable[[str], None], alarm: Callable[[str], None]) -> None:
    """Turn this process into a module's Python on the kernel. There is no way back.

    :param note: takes what the user should know.
    :param alarm: takes what the guard refused.
    :raises LookupError: the user to become is not known.
    """
    users = Users(kernel)
    home, name = _become(kernel, users, program.user)
    descriptors, streams = Descriptors(kernel), Streams(kernel)
    posix = posix_module(
        [descriptors, Files(kernel, descriptors, note), Identity(kernel)],
        environment(home, name, program.environment),
        processors_of(kernel),
    )
    opener = streams.open
    replacements = {
        "posix": posix,
        "_io": _io_module(streams, opener),
        "time": time_module(kernel),
        "fcntl": _fcntl_module(kernel),
        "select": substitute(select, error=OSError),
        "mmap": substitute(mmap, error=OSError),  # where a file cannot be mapped, it is read
        "_posixsubprocess": _subprocess_module(),
        **modules(users),
        **sockets.modules(kernel),
        "_multiprocessing": ModuleType("_multiprocessing"),  # for its pools of threads; it has no processes here
    }
    os.environ["TZ"] = "UTC0"  # a kernel has no time zone
    time.tzset()
    path = import_path()  # before the working directory, on which it depends, is another
    folders = reading_folders(path)
    os.chdir("/")  # whatever would be relative to it is none of the kernel's either
    replace_modules(replacements, opener, program.payload, path)
    sys.platform = f"netbsd{kernel.uname().release.partition('.')[0]}"
    sys.meta_path.insert(0, tls.Finder(kernel.read_file, kernel.listdir))
    seal(folders, alarm)
    if program.payload is not None:
        facts.adapt(kernel, program.payload.module, program.payload.has)


def run(program: Program) -> NoReturn:
    """Run it, in a process that :func:`enter` prepared.

    :raises SystemExit: as programs end.
    """
    payload = program.payload
    if payload is None:
        sys.argv = list(program.arguments)
        main = sys.modules["__main__"]
        exec(compile(program.script, sys.argv[0], "exec"), main.__dict__)  # pylint: disable=exec-used
        raise SystemExit(0)
    from ansible.module_utils._internal._ansiballz import _loader  # pylint: disable=import-outside-toplevel

    sys.argv = [payload.module]
    _loader.run_module(
        json_params=payload.parameters,
        profile=payload.profile,
        module_fqn=payload.module,
        modlib_path=f"ansible_{payload.name}_payload.zip",
        extensions=payload.extensions,
    )
    raise SystemExit(0)


def _become(kernel: Kernel, users: Users, user: str | None) -> tuple[str, str]:
    """Give the session to a user; the home directory and the name."""
    if user is None or user in ("root", "0"):
        known = [entry for entry in users.users if entry.pw_uid == 0]
        return (known[0].pw_dir, known[0].pw_name) if known else ("/root", "root")
    other = identity(users, user)
    kernel.setgroups(other.groups)
    kernel.setgid(other.groups[0])
    kernel.setuid(other.number)
    return other.home, other.name


def _io_module(streams: Streams, opener: Callable[..., Any]) -> ModuleType:
    module = ModuleType("_io", _io.__doc__)
    module.__dict__.update({name: value for name, value in vars(_io).items() if name not in ("__loader__", "__spec__")})
    module.__dict__.update(open=opener, open_code=streams.open_code, FileIO=streams.FileIO)
    return module


def _fcntl_module(kernel: Kernel) -> ModuleType:
    def flock(fd: Any, operation: int, /) -> None:
        kernel.flock(fd if isinstance(fd, int) else fd.fileno(), operation)

    return substitute(fcntl, flock=flock)


def _subprocess_module() -> ModuleType:
    def fork_exec(arguments: Any, *_rest: object) -> NoReturn:
        raise NoProgram(arguments[0] if arguments else "a program")

    module = ModuleType("_posixsubprocess")
    module.__dict__.update(fork_exec=fork_exec)
    return module
