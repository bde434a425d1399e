# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's modules over the sysproxy connection: what is asked of it, run in a Python on the kernel, and told.

docs/unmodified_modules.md has how and why.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from ansible.errors import AnsibleError, AnsibleOptionsError
from ansible.utils.display import Display
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel

from .failures import unreachable
from .redirection.errors import module_needs_programs
from .redirection.payload import Payload, unpack
from .redirection.runner import Finished, Note, TookTooLong, run
from .redirection.substitutes import names
from .redirection.world import Program
from .words import Answer, Command

display = Display()

# Modules that are there to start programs, or to manage what only programs make: each would find that out by itself,
# late, and in words of its own.
_FOR_PROGRAMS: Final = names(
    "apt apt_key apt_repository command cron deb822_repository debconf dnf dnf5 dpkg_selections expect git group "
    "hostname iptables package pip reboot rpm_key service subversion systemd systemd_service sysvinit unarchive user "
    "yum yum_repository"
)
# ansible/plugins/action/package.py; whoever gathers that fact calls the module by another name.
_QUESTION_OF_PACKAGE: Final = ("ansible.legacy.setup", "ansible_pkg_mgr", "!all")
_BUILTIN: Final = ("ansible.modules.", "ansible.legacy.")


def run_module(
    url: str,
    open_kernel: Callable[[Note], Kernel],
    command: Command,
    read: Callable[[str], bytes],
    in_data: bytes | None,
    limit: float,
) -> Answer:
    """Run the module that ``command`` and ``in_data`` are; what it said.

    :param open_kernel: makes a session, in another process, and says what there is to tell of that.
    :param read: gives the content of a file in the kernel, where Ansible may have put the module.
    :param limit: seconds that the module may take.
    :raises AnsibleConnectionFailure: there is no session, or it ended.
    :raises AnsibleError: the module cannot be run, or took too long.
    """
    program = _program(url, command, read, in_data)
    name = _for_programs(program.payload) if program.payload else None
    if name is not None:
        refusal = module_needs_programs(name)
        return 1, json.dumps({"failed": True, "msg": f"{url}: {refusal}"}).encode(), b""
    try:
        finished = run(open_kernel, program, limit)
    except TookTooLong as error:
        raise AnsibleError(f"{url}: {error}; ansible_rump_module_timeout sets the limit") from None
    _tell(url, finished)
    return finished.rc, finished.stdout, finished.stderr


def _program(url: str, command: Command, read: Callable[[str], bytes], in_data: bytes | None) -> Program:
    path, file = command.arguments.get("path"), command.arguments.get("file")
    text = in_data or (read(path) if path else b"")
    payload = unpack(text)
    if payload is not None:
        return Program(payload, environment=command.environment, user=command.user)
    if "python" not in command.arguments.get("interpreter", ""):
        raise AnsibleError(
            f"{url}: {path or 'this module'} is not written in Python, and there is nothing in a rump kernel that "
            "could run it"
        )
    arguments = (path or "-", *([file] if file else []))
    return Program(None, text.decode(), arguments, command.environment, command.user)


def _for_programs(payload: Payload) -> str | None:
    """The name of the module, if it is there for programs; of the action ``package``, where it asks what to use."""
    prefix, _dot, name = payload.module.rpartition(".")
    if f"{prefix}." not in _BUILTIN:
        return None
    if name == "setup":
        arguments = json.loads(payload.parameters)["ANSIBLE_MODULE_ARGS"]
        asked = arguments.get("_ansible_module_name"), arguments.get("filter"), arguments.get("gather_subset")
        return "package" if asked == _QUESTION_OF_PACKAGE else None
    return name if name in _FOR_PROGRAMS else None


def _tell(url: str, finished: Finished) -> None:
    for note in finished.notes:
        display.warning(f"{url}: {note}")
    for alarm in finished.alarms:
        display.warning(f"{url}: the module was kept from this on the controller: {alarm}")
    if finished.refused is not None:
        raise AnsibleOptionsError(finished.refused)
    if finished.lost is not None:
        raise unreachable(finished.lost)
