# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible sends to be run: a module packed by AnsiballZ, unpacked in memory."""

from __future__ import annotations

import ast
import base64
import io
import zipfile
from dataclasses import dataclass
from typing import Any, Final

_CALL: Final = b'if __name__ == "__main__":\n    _ansiballz_main('


@dataclass(frozen=True)
class Payload:
    """A module with all that it imports of Ansible."""

    name: str
    """As the task has it."""
    module: str
    """The full name of its Python module, such as ``ansible.modules.stat``."""
    parameters: bytes
    """Its arguments, as JSON."""
    profile: str
    """How its result is serialized."""
    extensions: dict[str, Any]
    archive: zipfile.ZipFile

    def has(self, name: str) -> bool:
        """Whether a Python module comes with it, by its full name."""
        base = name.replace(".", "/")
        return not {f"{base}.py", f"{base}/__init__.py"}.isdisjoint(self.archive.namelist())


def unpack(data: bytes) -> Payload | None:
    """The payload that ansible-core's AnsiballZ made; None if it is none.

    ansible-core/lib/ansible/executor/module_common.py and _internal/_ansiballz/_wrapper.py.
    """
    start = data.rfind(_CALL)
    if start < 0:
        return None
    statement = ast.parse(
        data[start + len(_CALL.partition(b"\n")[0]) + 1 :].replace(b"    _ansiballz_main(", b"main(", 1)
    )
    expression = statement.body[0]
    if not isinstance(expression, ast.Expr) or not isinstance(expression.value, ast.Call):
        return None
    values = {
        keyword.arg: ast.literal_eval(keyword.value)
        for keyword in expression.value.keywords
        if keyword.arg not in ("date_time", "rlimit_nofile")  # no file is packed again, and no limit of ours is needed
    }
    return Payload(
        name=values["ansible_module"],
        module=values["module_fqn"],
        parameters=values["params"].encode(),
        profile=values["profile"],
        extensions=values["extensions"],
        archive=zipfile.ZipFile(io.BytesIO(base64.b64decode(values["zip_data"]))),
    )
