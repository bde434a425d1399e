# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A folder of programs in the place of rumpctrl's utilities, and the real ones where RUMPCTRL_PATH names them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from .backends import rump_server

RUMPCTRL = os.environ.get("RUMPCTRL_PATH", "")

needs_rumpctrl = pytest.mark.skipif(
    not (rump_server() and RUMPCTRL and shutil.which("ifconfig", path=RUMPCTRL)),
    reason="RUMPCTRL_PATH does not name the folder of rumpctrl's utilities, or there is no rump_server for them",
)

# What a utility is for its caller: it has arguments, RUMP_SERVER, standard streams and an exit status.
_SCRIPTS = {
    "tell": 'echo "server=$RUMP_SERVER path=$PATH cookie=$RUMPCLIENT__EXECFD"; printf "[%s]\\n" "$@"',
    "upper": "while read -r line; do echo \"<$line>\"; done; printf 'end\\n\\n\\n'",
    "fail": "echo partly; echo 'fail: no such thing' >&2; exit 3",
    "die": "kill -9 $$",
    "stay": "echo begun; exec /bin/sleep 60",
}


def stand_ins(folder: Path) -> Path:
    """A folder with such programs, and with a file that is none."""
    made = folder / "utilities"
    made.mkdir()
    for name, script in _SCRIPTS.items():
        (made / name).write_text(f"#!/bin/sh\n{script}\n")
        (made / name).chmod(0o755)
    (made / "README").write_text("no program\n")
    return made
