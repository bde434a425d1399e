# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``posix`` of a module's Python, on which its ``os`` is built.

What is in it is redirected to the kernel, or known to do nothing outside of the process. Everything else that the
controller's has is refused by name, and what NetBSD has not is not there at all, as on NetBSD.
"""

from __future__ import annotations

import posix
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final, NoReturn

from .errors import NoProgram
from .files import DirEntry, Files, naming
from .substitutes import names, refused

# Python's own types and pure functions, which neither read nor change anything of the system's.
_HARMLESS: Final = names(
    "error stat_result statvfs_result terminal_size times_result uname_result waitid_result sched_param fspath "
    "strerror urandom getrandom times _exit abort register_at_fork sched_yield _path_normpath _path_normpath_ex "
    "_path_isdevdrive _path_splitroot _path_splitroot_ex _inputhook _emscripten_debugger WCOREDUMP WEXITSTATUS "
    "WIFCONTINUED WIFEXITED WIFSIGNALED WIFSTOPPED WSTOPSIG WTERMSIG waitstatus_to_exitcode _is_inputhook_installed "
    "_create_environ"
)
# Linux's and others', which code asks for with hasattr before it uses them.
_NOT_NETBSDS: Final = names(
    "copy_file_range sendfile splice eventfd eventfd_read eventfd_write memfd_create pidfd_open posix_spawn "
    "posix_spawnp posix_fadvise getxattr setxattr listxattr removexattr sched_getaffinity sched_setaffinity setns "
    "unshare timerfd_create timerfd_settime timerfd_settime_ns timerfd_gettime timerfd_gettime_ns getresuid "
    "getresgid setresuid setresgid lockf grantpt unlockpt ptsname posix_openpt"
)
_OF_TWO_PATHS: Final = names("rename replace link symlink")
_STARTS_PROGRAMS: Final = names("fork forkpty execv execve system")
_HAS: Final = [
    *("HAVE_LSTAT", "HAVE_LCHOWN", "HAVE_LUTIMES", "HAVE_LCHMOD", "HAVE_LCHFLAGS"),
    *("HAVE_FCHDIR", "HAVE_FCHMOD", "HAVE_FCHOWN", "HAVE_FTRUNCATE", "HAVE_FUTIMENS", "HAVE_FUTIMES"),
    *("HAVE_FSTATVFS", "HAVE_FPATHCONF"),
]


def posix_module(pages: list[object], environment: Mapping[bytes, bytes], processors: int = 1) -> ModuleType:
    """``posix``, of the functions that the ``pages`` have as their methods."""
    module = ModuleType("posix", posix.__doc__)
    functions: dict[str, Any] = {
        "environ": dict(environment),
        "putenv": lambda name, value: None,  # os.environ itself holds it, and nothing is started that inherits it
        "unsetenv": lambda name: None,
        "DirEntry": DirEntry,
        "cpu_count": lambda: processors,
        "system": _no_program,
        "_have_functions": list(_HAS),
    }
    for page in pages:
        functions |= {name: getattr(page, name) for name in dir(page) if not name.startswith("_")}
        if isinstance(page, Files):
            paths = {name for name in dir(page) if not name.startswith("_")} | {"open"}
            functions |= {name: naming(functions[name], name in _OF_TWO_PATHS) for name in paths & functions.keys()}
    for name, value in vars(posix).items():
        if name in functions or name.startswith("__") or name in _NOT_NETBSDS or name == "_have_functions":
            continue
        if name in _HARMLESS or not callable(value):
            functions[name] = value
        elif name in _STARTS_PROGRAMS:
            functions[name] = _no_program
        else:
            functions[name] = refused(f"os.{name}")
    module.__dict__.update(functions)
    return module


def _no_program(program: object = "a process", *_arguments: object) -> NoReturn:
    raise NoProgram(program)


def processors_of(kernel: Any) -> int:
    """How many processors the kernel has; 1, if it does not tell."""
    try:
        return int(kernel.sysctl.get("hw.ncpu"))
    except (OSError, LookupError, ValueError):
        return 1
