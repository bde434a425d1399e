# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP ports of this machine for servers that have to be told theirs."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from typing import Final

# Below the ports that operating systems hand out by themselves: one of those could be somebody's own in the moment
# between its choice and its use. Each process begins at another place, since several choose at once.
_FIRST: Final = 20000
_LAST: Final = 32000
_START: Final = _FIRST + os.getpid() * 997 % (_LAST - _FIRST)
_CANDIDATES: Final = itertools.cycle((*range(_START, _LAST), *range(_FIRST, _START)))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, and that is not told again soon."""
    while True:
        port = next(_CANDIDATES)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
