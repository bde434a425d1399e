# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that several modules of files have, as argument specifications. doc_fragments/files.py documents them."""

from __future__ import annotations

from typing import Any

OWNER: dict[str, dict[str, Any]] = {
    "owner": {"type": "str"},
    "group": {"type": "str"},
}
"""Whose a file is."""

WRITTEN: dict[str, dict[str, Any]] = {
    "backup": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": True},
    "mode": {"type": "raw"},
    "follow": {"type": "bool", "default": False},
    "validate": {"type": "str"},
    "unsafe_writes": {"type": "bool", "default": False},
}
"""How a file with a content takes its place."""

CHECKSUM: dict[str, dict[str, Any]] = {
    "checksum_algorithm": {
        "type": "str",
        "choices": ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"],
        "default": "sha1",
        "aliases": ["checksum", "checksum_algo"],
    },
}
