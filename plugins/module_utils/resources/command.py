# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command module's resource: one of rumpctrl's utilities, with the meanings of ansible.builtin.command."""

from __future__ import annotations

import datetime
import fnmatch
import glob
import os
import shlex
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.common.text.converters import to_text

from ..sysproxy import Kernel
from . import utilities
from .failures import OptionError
from .plan import Plan


def plan(kernel: Kernel, parameters: Mapping[str, Any]) -> Plan:
    """Run ``cmd`` or ``argv``, unless ``creates`` is there or ``removes`` is not; both are paths of the kernel."""
    command = command_line(parameters)
    facts: dict[str, Any] = {
        "cmd": command,
        "rc": 0,
        "stdout": "",
        "stderr": "",
        "start": None,
        "end": None,
        "delta": None,
        "msg": "",
    }
    creates, removes = parameters.get("creates"), parameters.get("removes")
    if creates and matches(kernel, creates):
        return _not_run(facts, f"{creates} exists")
    if removes and not matches(kernel, removes):
        return _not_run(facts, f"{removes} does not exist")

    program = utilities.find(parameters.get("rumpctrl_path"), command[0])
    url = utilities.server_for_utilities(kernel.url)
    if parameters["timeout"] <= 0:
        raise OptionError("timeout", f"give seconds, more than 0, not {parameters['timeout']:g}")

    def run() -> None:
        begun = datetime.datetime.now()
        try:
            finished = utilities.run(program, command[1:], url, _stdin(parameters), parameters["timeout"])
            facts["msg"] = "non-zero return code" if finished.rc else ""
        except utilities.TimedOut as error:
            finished = error.finished
            facts["msg"] = str(error)
        ended = datetime.datetime.now()
        facts.update(rc=finished.rc, start=str(begun), end=str(ended), delta=str(ended - begun))
        for name, data in (("stdout", finished.stdout), ("stderr", finished.stderr)):
            text = to_text(data, errors="surrogate_then_replace")
            facts[name] = text.rstrip("\r\n") if parameters["strip_empty_ends"] else text
        if finished.rc:
            facts["failed"] = True

    foretold = {**facts, "msg": "Command would have run if not in check mode"}
    if creates is None and removes is None:
        # As ansible.builtin.command: what a command would change is not known.
        foretold |= {"skipped": True, "changed": False}
    made = Plan(expected=_with_lines(foretold), report=lambda: _with_lines(facts))
    made.add(f"run {shlex.join(command)}", run)
    return made


def command_line(parameters: Mapping[str, Any]) -> list[str]:
    """The utility's name and its arguments; quotes in ``cmd`` are a shell's, and nothing else in it is."""
    if parameters.get("argv") is not None:
        command, option = [str(argument) for argument in parameters["argv"]], "argv"
    else:
        option = "cmd"
        try:
            command = shlex.split(parameters["cmd"])
        except ValueError as error:
            raise OptionError("cmd", f"{parameters['cmd']!r}: {error}") from error
    if not command:
        raise OptionError(option, "give the name of a utility and its arguments")
    return command


def matches(kernel: Kernel, pattern: str) -> list[str]:
    """The kernel's paths that match a pattern, as :func:`glob.glob` gives those of the controller."""
    if not glob.has_magic(pattern):
        return [pattern] if kernel.lexists(pattern) else []
    head, tail = os.path.split(pattern)
    if not tail:
        return [os.path.join(folder, "") for folder in matches(kernel, head) if kernel.isdir(folder)]
    found = []
    for folder in [""] if head in ("", pattern) else matches(kernel, head):
        if not glob.has_magic(tail):
            path = os.path.join(folder, tail)
            found += [path] if kernel.lexists(path) else []
        elif kernel.isdir(folder or "."):
            names = [name for name in kernel.listdir(folder or ".") if tail[0] == "." or name[0] != "."]
            found += [os.path.join(folder, name) for name in sorted(fnmatch.filter(names, tail))]
    return found


def _stdin(parameters: Mapping[str, Any]) -> bytes | None:
    if parameters.get("stdin") is None:
        return None
    return (parameters["stdin"] + ("\n" if parameters["stdin_add_newline"] else "")).encode(errors="surrogateescape")


def _not_run(facts: Mapping[str, Any], why: str) -> Plan:
    def tell(mode: str) -> dict[str, Any]:
        return _with_lines({**facts, "stdout": f"skipped, since {why}", "msg": f"{mode} not run command since {why}"})

    return Plan(expected=tell("Would"), report=lambda: tell("Did"))


def _with_lines(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What Ansible adds to the results of modules that it runs as programs."""
    return {**facts, **{f"{name}_lines": facts[name].splitlines() for name in ("stdout", "stderr")}}
