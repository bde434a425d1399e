# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a Rumprun guest makes of its configuration: its grammar with its quirks, and nothing of JSON's beyond them.

The tokenizer knows strings, words that are none (which the guest's keys all refuse), objects and lists. A token has a
size: an object's or a list's is the number of what is in it, and a key's that of what follows its colon. Escapes are
checked and kept. The reader goes through the tokens in a row and hands those after a key to what knows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

STRING = re.compile(r'"((?:[^"\\\0]|\\(?:["/\\bfnrt]|u[0-9A-Fa-f]{4}))*)"', re.DOTALL)
WORD = re.compile(r"[!-+\--9;-\\^-|~]+")
BUFFER = 4096


class Refused(Exception):
    """The guest ends with an error."""


@dataclass
class Token:
    kind: str
    text: str = ""
    size: int = 0
    open: bool = False


@dataclass
class Booted:
    """What the guest has set up when its programs begin."""

    programs: list[tuple[list[str], str]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    hostname: str | None = None
    disks: list[dict[str, str]] = field(default_factory=list)
    addresses: list[dict[str, str]] = field(default_factory=list)


def boot(command_line: str) -> Booted:
    """What a guest does that gets this command line, or this value of Xen's.

    :raises Refused: it does not come up.
    """
    if len(command_line.encode()) >= BUFFER:
        raise Refused("command line too long")
    if "_RUMPRUN_ROOTFSCFG=" in command_line:
        raise Refused("looks for a root file system")
    _image, brace, after = command_line.partition("{")
    if not brace:
        return Booted(programs=[(["rumprun"], "")])
    return Reader(tokenize(brace + after)).read()


def tokenize(text: str) -> list[Token]:
    tokens: list[Token] = []
    parent = -1
    place = 0

    def innermost() -> int:
        return max((number for number, token in enumerate(tokens) if token.open), default=-1)

    def add(token: Token) -> None:
        tokens.append(token)
        if parent != -1:
            tokens[parent].size += 1

    while place < len(text) and text[place] != "\0":
        character = text[place]
        if character in "{[":
            add(Token(character, open=True))
            parent = len(tokens) - 1
        elif character in "}]":
            number = innermost()
            if number == -1 or tokens[number].kind != {"}": "{", "]": "["}[character]:
                raise Refused("brackets")
            tokens[number].open = False
            parent = innermost()
        elif character == ":":
            parent = len(tokens) - 1
        elif character == ",":
            if parent == -1:
                raise Refused("a comma outside of everything: reads before the first token")
            if tokens[parent].kind not in "{[":
                parent = innermost()
        elif character == '"':
            found = STRING.match(text, place)
            if not found:
                raise Refused("a string that is none")
            add(Token("string", found[1]))
            place = found.end() - 1
        elif character not in " \t\r\n":
            found = WORD.match(text, place)
            if not found:
                raise Refused("a character that begins nothing")
            add(Token("word", found[0]))
            place = found.end() - 1
        place += 1
    if any(token.open for token in tokens):
        raise Refused("ends in the middle")
    return tokens


class Reader:
    """Goes through the tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.place = 0
        self.made = Booted()
        self.interfaces: set[str] = set()

    def read(self) -> Booted:
        known: dict[str, Callable[[], None]] = {
            "cmdline": self.cmdline,
            "rc_TESTING": self.rc,
            "env": self.env,
            "hostname": self.hostname,
            "blk": self.blk,
            "net": self.net,
        }
        while self.place < len(self.tokens):
            if self.tokens[self.place].kind == "{":
                self.place += 1
                continue
            key = self.take("string")
            # A beginning of the key's name is taken for the name.
            handler = next((known[name] for name in known if name.startswith(key.text)), None)
            if handler is None:
                raise Refused(f"no match for key {key.text}")
            handler()
        if not self.made.programs:
            raise Refused("no bins")
        if self.made.programs[-1][1] == "|":
            raise Refused("last bin may not output to pipe")
        return self.made

    def take(self, kind: str, size: int | None = None) -> Token:
        if self.place == len(self.tokens):
            raise Refused("reads after the last token")
        token = self.tokens[self.place]
        self.place += 1
        if token.kind != kind:
            raise Refused(f"unexpected type for token {token.text}")
        if size is not None and token.size != size:
            raise Refused(f"unexpected size for token {token.text}")
        return token

    def pairs(self, *keys: str) -> dict[str, str]:
        """A mapping of strings to strings; the last of a repeated key counts."""
        members = {}
        for _member in range(self.take("{").size):
            key = self.take("string", 1).text
            name = next((known for known in keys if known.startswith(key)), None)
            if name is None:
                raise Refused(f"unexpected key {key}")
            members[name] = self.take("string", 0).text
        return members

    def cmdline(self) -> None:
        self.made.programs.append((split(self.take("string").text), ""))

    def rc(self) -> None:
        for _program in range(self.take("[").size):
            members: dict[str, Any] = {}
            for _member in range(self.take("{").size):
                key = self.take("string").text
                if key == "argv":
                    members[key] = [self.take("string").text for _argument in range(self.take("[").size)]
                elif key in ("bin", "runmode"):
                    members[key] = self.take("string", 0).text
                else:
                    raise Refused(f"unexpected key {key}")
            if "bin" not in members or "argv" not in members or members.get("runmode", "&") not in ("&", "|"):
                raise Refused("rc")
            self.made.programs.append(([members["bin"], *members["argv"]], members.get("runmode", "")))

    def env(self) -> None:
        name, equals, value = self.take("string").text.partition("=")
        if not equals:
            raise Refused("putenv")
        self.made.environment[name] = value

    def hostname(self) -> None:
        self.made.hostname = self.take("string").text

    def blk(self) -> None:
        disk = self.pairs("source", "path", "fstype", "mountpoint")
        if not {"source", "path"} <= disk.keys() or disk["source"] not in ("dev", "vnd", "etfs"):
            raise Refused("blk cfg missing vital data")
        if "mountpoint" in disk and disk.get("fstype") not in ("blk", "kernfs"):
            raise Refused("unknown fstype")
        self.made.disks.append(disk)

    def net(self) -> None:
        net = self.pairs("if", "cloner", "type", "method", "addr", "mask", "gw")
        if not {"if", "type", "method"} <= net.keys() or net["type"] not in ("inet", "inet6"):
            raise Refused("net cfg missing vital data")
        if "cloner" in net:
            if net["if"] in self.interfaces:
                raise Refused(f"ifcreate {net['if']} failed")
            self.interfaces.add(net["if"])
        static = net["method"] == "static" and {"addr", "mask"} <= net.keys() and net["mask"].isdigit()
        if not static and net["method"] != {"inet": "dhcp", "inet6": "auto"}[net["type"]]:
            raise Refused("net cfg")
        self.made.addresses.append(net)


def split(text: str) -> list[str]:
    """The words of a command line. A backslash takes the next character out of the language, in quotes too; a quote of
    the other kind within quotes takes their place."""
    words: list[list[str]] = []
    quote: str | None = None  # None outside of words, "" in a word that is not in quotes
    place = 0
    while place < len(text):
        plain = character = text[place]
        place += 1
        if character == "\\":
            if place == len(text):
                break
            plain = text[place]
            place += 1
        if character in " \n\t":
            if quote == "":
                quote = None
            if quote is None:
                continue
        if quote is None:
            words.append([])
            quote = ""
        if quote and character == quote:
            quote = ""
        elif character in "'\"":
            quote = character
        else:
            words[-1].append(plain)
    return ["".join(word) for word in words]
