# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks many servers at once whether a kernel answers, and which: a banner and a handshake, with a limit on each."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.components import components
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import (
    AbiHints,
    ConnectError,
    MissingLibrary,
    RumpError,
    RumpWarning,
    connect,
)
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.releases import name_of

_ABI: Final = {f"ansible_rump_{hint}": hint for hint in ("word_size", "byteorder", "release")}
_SSH_ARGS: Final = "ansible_rump_ssh_args"
HINTS: Final = (*_ABI, _SSH_ARGS)
"""The variables of the connection plugin that say how to reach a kernel, beside its URL."""


@dataclass(frozen=True)
class Finding:
    """What a server said, in JSON's types, since it is kept in caches."""

    failure: str = ""
    """Why no kernel answers; empty when one does."""
    release: str = ""
    machine: str = ""
    components: tuple[str, ...] | None = None
    """None when nobody asked."""

    @property
    def alive(self) -> bool:
        return not self.failure

    def as_dict(self) -> dict[str, Any]:
        known = None if self.components is None else list(self.components)
        return {"failure": self.failure, "release": self.release, "machine": self.machine, "components": known}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Finding:
        """:raises KeyError: it was kept by another version."""
        known = kept["components"]
        return cls(
            str(kept["failure"]),
            str(kept["release"]),
            str(kept["machine"]),
            None if known is None else tuple(map(str, known)),
        )


@dataclass(frozen=True)
class Question:
    """A server's URL, and what is known of its kernel beforehand."""

    url: str
    hints: AbiHints
    ssh_args: tuple[str, ...]

    @property
    def circumstances(self) -> list[Any]:
        """What the answer depends on beside the URL, in JSON's types."""
        return [self.hints.word_size, self.hints.byteorder, self.hints.release, *self.ssh_args]


def question(url: str, variables: Mapping[str, Any]) -> Question:
    """``variables``: the host's, of which those in :data:`HINTS` are heeded.

    :raises ValueError: one of them is wrong; the text begins with its name.
    """
    hints: dict[str, Any] = {}
    name = ""
    try:
        for name, hint in _ABI.items():
            if variables.get(name) is not None:
                value = str(variables[name])
                hints[hint] = {"4": 4, "8": 8}.get(value, value) if hint == "word_size" else value
                AbiHints(**hints)
        name = _SSH_ARGS
        return Question(url, AbiHints(**hints), tuple(shlex.split(str(variables.get(name) or ""))))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def ask_all(
    questions: Sequence[Question], *, timeout: float, parallel: int, with_components: bool
) -> tuple[list[Finding], list[str]]:
    """The findings, in the questions' order, and warnings, each once.

    :param timeout: seconds for each server.
    :param parallel: so many servers are asked at once.
    """
    if not questions:
        return [], []
    with warnings.catch_warnings(record=True) as caught:  # which holds for all threads
        warnings.simplefilter("always", RumpWarning)
        with ThreadPoolExecutor(min(parallel, len(questions))) as threads:
            findings = list(threads.map(lambda asked: ask(asked, timeout, with_components), questions))
    return findings, list(dict.fromkeys(str(one.message) for one in caught if issubclass(one.category, RumpWarning)))


def ask(asked: Question, timeout: float, with_components: bool) -> Finding:
    """One server's finding, after no more than ``timeout`` seconds; with components, each call has that limit too.

    :raises MissingLibrary: the controller cannot ask anybody.
    """
    try:
        with connect(
            asked.url, timeout=timeout, connect_timeout=timeout, abi=asked.hints, ssh_args=asked.ssh_args
        ) as kernel:
            release, machine = name_of(kernel.abi.release), kernel.abi.machine
            if not with_components:
                return Finding("", release, machine)
            return Finding("", release, machine, tuple(components(kernel)))
    except MissingLibrary:
        raise
    except RumpError as error:
        told = error.brief if isinstance(error, ConnectError) else str(error)
        return Finding(told.removeprefix(f"{asked.url}: "))
