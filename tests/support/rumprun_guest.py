# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a configuration by the rules of a Rumprun unikernel's own parser.

The rules are those of rumprun's lib/libbmk_core/jsmn.c, lib/librumprun_base/config.c and parseargs.c: what is before
the first brace is skipped, keys may come again, all values are strings or objects of strings, nothing between quotation
marks is unescaped, and a word of the command line may be quoted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# jsmn outside its strict mode: commas and colons are separators, and an unquoted value is a token too.
_TOKEN = re.compile(
    r"(?P<space>[\t\r\n :,]+)|(?P<bracket>[{}\[\]])"
    r"|\"(?P<string>(?:[^\"\\\0]|\\[\"/\\bfrnt]|\\u[0-9A-Fa-f]{4})*)\""
    r"|(?P<primitive>[^\t\r\n ,\]}:\"\x00-\x1f\x7f-\U0010ffff]+)"
)
NET = {"if", "cloner", "type", "method", "addr", "mask", "gw"}
BLK = {"source", "path", "fstype", "mountpoint"}


@dataclass
class Configuration:
    """What a unikernel has understood."""

    arguments: list[str] = field(default_factory=list)
    hostname: str = ""
    environment: list[str] = field(default_factory=list)
    networks: list[dict[str, str]] = field(default_factory=list)
    disks: list[dict[str, str]] = field(default_factory=list)


def understand(command_line: str) -> Configuration:
    """What the command line configures.

    :raises ValueError: the unikernel would refuse it.
    """
    found = Configuration()
    tokens = _tokens(command_line[command_line.index("{") :])
    if tokens[0] != "{" or tokens[-1] != "}":
        raise ValueError("not one object")
    tokens = tokens[1:-1]
    while tokens:
        key = _string(tokens.pop(0))
        if key in ("cmdline", "hostname", "env"):
            text = _string(tokens.pop(0))
            if key == "cmdline":
                found.arguments = parse_arguments(text)
            elif key == "hostname":
                found.hostname = text
            else:
                found.environment.append(text)
        elif key in ("net", "blk"):
            end = tokens.index("}")
            if tokens[0] != "{" or end % 2 == 0:
                raise ValueError(f"{key}: not pairs: {tokens}")
            words = [_string(token) for token in tokens[1:end]]
            del tokens[: end + 1]
            pairs = dict(zip(words[::2], words[1::2], strict=True))
            if set(pairs) - (NET if key == "net" else BLK):
                raise ValueError(f"unexpected key in {key}: {pairs}")
            if key == "net":
                found.networks.append(_network(pairs))
            else:
                found.disks.append(_disk(pairs))
        else:
            raise ValueError(f"no match for key {key}")
    if not found.arguments:
        raise ValueError("no bins")
    return found


def _tokens(text: str) -> list[str]:
    """Brackets as they are, strings behind a quotation mark, as they are between theirs."""
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise ValueError(f"json parse failed at {text[at:]!r}")
        at = match.end()
        if match["primitive"] is not None:
            tokens.append("?" + match["primitive"])
        elif match["bracket"]:
            tokens.append(match["bracket"])
        elif match["string"] is not None:
            tokens.append('"' + match["string"])
    return tokens


def _string(token: str) -> str:
    if not token.startswith('"'):
        raise ValueError(f"unexpected type for token {token}")
    return token[1:]


def _network(pairs: dict[str, str]) -> dict[str, str]:
    if not {"if", "type", "method"} <= pairs.keys():
        raise ValueError("net cfg missing vital data, not configuring")
    automatic = {"inet": "dhcp", "inet6": "auto"}.get(pairs["type"])
    if automatic is None:
        raise ValueError(f"network type {pairs['type']} not supported")
    if pairs["method"] != automatic and (pairs["method"] != "static" or not {"addr", "mask"} <= pairs.keys()):
        raise ValueError("static net cfg missing addr or mask")
    return pairs


def _disk(pairs: dict[str, str]) -> dict[str, str]:
    if not {"source", "path"} <= pairs.keys():
        raise ValueError("blk cfg missing vital data")
    if pairs["source"] not in ("dev", "vnd", "etfs"):
        raise ValueError("unsupported blk source")
    if "mountpoint" in pairs and pairs.get("fstype") not in ("blk", "kernfs"):
        raise ValueError("no fstype for mountpoint")
    return pairs


def parse_arguments(text: str) -> list[str]:
    """The words of a command line, as rumprun_parseargs() finds them."""
    words: list[str] = []
    quote: str | None = None  # None outside a word, "" in one, else the mark that it is in
    characters = iter(text)
    for actual in characters:
        taken = next(characters, "") if actual == "\\" else actual
        if not taken:
            break
        if actual in " \n\t":
            if quote == "":
                quote = None
            if quote is None:
                continue
        if quote is None:
            words.append("")
            quote = ""
        if quote and actual == quote:
            quote = ""
            continue
        if actual in "'\"":
            quote = actual
            continue
        words[-1] += taken
    return words
