# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's own code in a module's Python, where it asks programs or files that a rump kernel has not.

``AnsibleModule.run_command`` and ``get_bin_path`` know the programs of :mod:`.programs`. The facts of NetBSD hosts
come from Ansible's collectors for NetBSD; of these, the mounts are read from the kernel and not from an /etc/fstab,
and processors and memory from its sysctls and not from a /proc. It has no sysctl of when it was booted, but a clock.
"""

from __future__ import annotations

import importlib
import shlex
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import mount_options
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.constants import CLOCK

from . import programs
from .errors import no_program

_BASIC: Final = "ansible.module_utils.basic"
_HARDWARE: Final = "ansible.module_utils.facts.hardware.netbsd"
_CHROOT: Final = "ansible.module_utils.facts.system.chroot"
_TIMEOUT: Final = "ansible.module_utils.facts.timeout"
_SETUP: Final = "ansible.modules.setup"
_NOT_FOUND: Final = 127  # as a shell says of a program that is not there


def adapt(kernel: Kernel, module: str, has: Callable[[str], bool]) -> None:
    """Adapt what is imported of Ansible for ``module``, a full name such as ``ansible.modules.setup``.

    :param has: whether the module comes with another one, by its full name.
    """
    if has(_BASIC):
        _programs(kernel, importlib.import_module(_BASIC).AnsibleModule, tolerant=module == _SETUP)
    if has(_TIMEOUT):
        importlib.import_module(_TIMEOUT).mp = SimpleNamespace(ThreadPool=_InThisThread)  # type: ignore[attr-defined] # put in its place
    if module == _SETUP and has(_CHROOT):
        # The collector goes by the number of the root's inode, which is 2 on FFS alone. A session is in no chroot.
        importlib.import_module(_CHROOT).is_chroot = lambda _module=None: False  # type: ignore[attr-defined] # put in its place
    if module == _SETUP and has(_HARDWARE):
        _hardware(kernel, importlib.import_module(_HARDWARE))
        bits = f"{kernel.abi.word_size * 8}bit"
        importlib.import_module("platform").architecture = lambda *_arguments, **_more: (bits, "ELF")  # type: ignore[attr-defined] # so, too


def _programs(kernel: Kernel, ansible_module: Any, tolerant: bool) -> None:
    """``tolerant``: a program that is not there is told as a shell would, as the facts are used to; else it is an
    error that says what to use instead."""
    subprocess: Any = importlib.import_module("subprocess")
    output = subprocess.check_output
    start, find = ansible_module.run_command, ansible_module.get_bin_path

    def run_command(self: Any, args: Any, check_rc: bool = False, *rest: Any, **options: Any) -> tuple[int, Any, Any]:
        words = _words(args)
        answer = None if options.get("use_unsafe_shell") else programs.run(kernel, words)
        if answer is None and tolerant:
            answer = programs.Answer(_NOT_FOUND, "", f"{words[0] if words else args}: not found\n")
        if answer is None:
            result: tuple[int, Any, Any] = start(self, args, check_rc, *rest, **options)
            return result
        if check_rc and answer.rc:
            self.fail_json(
                cmd=args, rc=answer.rc, stdout=answer.stdout, stderr=answer.stderr, msg=answer.stderr.strip()
            )
        if options.get("encoding", "utf-8") is None:
            return answer.rc, answer.stdout.encode(), answer.stderr.encode()
        return answer.rc, answer.stdout, answer.stderr

    def get_bin_path(self: Any, arg: str, required: bool = False, opt_dirs: Any = None) -> str | None:
        found: str | None = programs.path_of(arg) or find(self, arg, False, opt_dirs)
        if required and found is None:
            self.fail_json(msg=no_program(arg))
        return found

    def check_output(args: Any, *rest: Any, **options: Any) -> Any:
        answer = None if options.get("shell") else programs.run(kernel, _words(args))
        if answer is None:
            return output(args, *rest, **options)
        if answer.rc:
            raise subprocess.CalledProcessError(answer.rc, args, answer.stdout, answer.stderr)
        return answer.stdout if options.get("text") or options.get("encoding") else answer.stdout.encode()

    subprocess.check_output = check_output
    ansible_module.run_command = run_command
    ansible_module.get_bin_path = get_bin_path


class _InThisThread:
    """``multiprocessing.pool.ThreadPool``, as Ansible's time limits for facts need it: what is called, here and now.

    A session is one thread's, and its calls have limits of their own.
    """

    def __init__(self, processes: int) -> None:
        self._call: Callable[[], Any] = lambda: None

    def apply_async(self, function: Callable[..., Any], arguments: Any = (), options: Any = None) -> _InThisThread:
        self._call = lambda: function(*arguments, **(options or {}))
        return self

    def get(self, timeout: float | None = None) -> Any:
        return self._call()

    def close(self) -> None:
        """There are no others to come."""

    terminate = close


def _words(args: Any) -> list[str]:
    if isinstance(args, (str, bytes)):
        try:
            return shlex.split(args if isinstance(args, str) else args.decode("utf-8", "surrogateescape"))
        except ValueError:
            return []
    return [word.decode("utf-8", "surrogateescape") if isinstance(word, bytes) else str(word) for word in args]


def _hardware(kernel: Kernel, netbsd: Any) -> None:
    read = netbsd.get_file_content

    def get_file_content(path: str, *rest: Any, **options: Any) -> Any:
        return fstab(kernel) if path == "/etc/fstab" else read(path, *rest, **options)

    netbsd.get_file_content = get_file_content
    netbsd.NetBSDHardware.get_cpu_facts = lambda _self: processors(kernel)
    netbsd.NetBSDHardware.get_memory_facts = lambda _self: memory(kernel)
    netbsd.NetBSDHardware.get_uptime_facts = lambda _self: uptime(kernel)


def fstab(kernel: Kernel) -> str:
    """What is mounted in the kernel, as an fstab(5)."""
    lines = []
    for mount in kernel.mounts():
        fields = [mount.source, mount.path, mount.fstype, ",".join(mount_options.names(mount.flags)), "0", "0"]
        lines.append(" ".join(field.replace(" ", "\\040") or "none" for field in fields))
    return "\n".join(lines)


def processors(kernel: Kernel) -> dict[str, Any]:
    """Ansible's facts of the kernel's processors."""
    known = _sysctls(kernel, ("hw.model", "hw.ncpu"))
    if len(known) < 2:
        return {}
    model, count = known["hw.model"], int(known["hw.ncpu"])
    return {"processor": [model] * count, "processor_count": count, "processor_cores": "NA"}


def memory(kernel: Kernel) -> dict[str, Any]:
    """Ansible's facts of the kernel's memory; what is free of it a rump kernel does not tell."""
    known = _sysctls(kernel, ("hw.physmem64",))
    return {"memtotal_mb": int(known["hw.physmem64"]) >> 20} if known else {}


def uptime(kernel: Kernel) -> dict[str, Any]:
    """Ansible's fact of how long the kernel runs: its monotonic clock starts with it (clock_gettime(2))."""
    return {"uptime_seconds": int(kernel.clock_gettime(CLOCK.MONOTONIC))}


def _sysctls(kernel: Kernel, names: Sequence[str]) -> dict[str, Any]:
    found = {}
    for name in names:
        try:
            found[name] = kernel.sysctl.get(name)
        except (OSError, LookupError):
            continue
    return found
