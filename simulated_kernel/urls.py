# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a server listens: ``unix://PATH`` and ``tcp://HOST:PORT``, as rump_server takes them."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Listener:
    """A place to listen at; ``path`` for a unix socket, ``host`` and ``port`` for TCP (0 picks a free one)."""

    path: str | None = None
    host: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        if self.path is not None:
            return f"unix://{self.path}"
        scheme, host = ("tcp6", f"[{self.host}]") if ":" in self.host else ("tcp", self.host)
        return f"{scheme}://{host}:{self.port}"


def parse_url(url: str) -> Listener:
    """:raises ValueError: the URL has none of the forms ``unix://PATH``, ``tcp://HOST:PORT``, ``tcp6://[HOST]:PORT``."""
    if url.startswith("unix://") and len(url) > len("unix://"):
        return Listener(path=url.removeprefix("unix://"))
    match = re.fullmatch(r"tcp://([^:/\[\]]+):(\d+)/?", url)
    match = match or re.fullmatch(r"tcp6://\[([0-9A-Fa-f:.]+)\]:(\d+)/?", url)
    if not match or int(match[2]) > 65535:
        raise ValueError(f"not a server's URL: {url!r} (unix://PATH or tcp://HOST:PORT)")
    return Listener(host=match[1], port=int(match[2]))
