# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One session of the fuzzer's: a client that does what an application does, and a server that means harm.

A session is known by its seed and its number, and is the same whenever it is run.
"""

from __future__ import annotations

import random
import resource
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import session as session_module
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.confirmation import confirm
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import RumpError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Session

from .actions import ACTIONS, NAMES, RARE, Play
from .audit import MARKER, TICKET, Audit, scatter
from .mutations import PROFILES
from .streams import Conversation, Literal, MemoryStream, Saying, SocketServer, Talk

MEMORY_LIMIT: Final = 100 << 20
WATCHDOG: Final = 10.0  # seconds that a session may take
SOCKETS_EVERY: Final = 50  # sessions: one is over real sockets
_PATIENCE: Final = 0.03  # seconds that a call over real sockets may take

_RELEASES: Final = ((6, 0), (7, 99, 34), (9, 0), (10, 0))
_MACHINES: Final = (
    *((8, 8, "little", "amd64"), (4, 4, "little", "i386"), (4, 8, "little", "hpcmips"), (8, 8, "big", "sparc64")),
    *((4, 8, "big", "sparc"), (4, 8, "little", "evbarm"), (4, 2, "big", "m68k"), (8, 8, "little", "amd64")),
)
ABIS: Final = tuple(
    Abi(word, alignment, order, release, machine)
    for word, alignment, order, machine in _MACHINES
    for release in _RELEASES
)


class Hang(BaseException):
    """A session did not come to its end."""


@dataclass
class Finding:
    """What was wrong with a session."""

    seed: int
    number: int
    what: str
    details: str = ""
    actions: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        name = f"session --seed {self.seed} --only {self.number}"
        return f"{name}: {self.what} (of {', '.join(self.actions)})\n{self.details}"


def prepare() -> list[Any]:
    """What a process does once: the marker all over its memory, and no warnings; the result is to be kept."""
    warnings.simplefilter("ignore")
    return scatter()


def peak() -> int:
    """The largest size of this process's memory so far."""
    status = Path("/proc/self/status")
    if status.exists():  # unlike getrusage, it does not count what the process was before it was this program
        with status.open(encoding="ascii") as lines:
            for line in lines:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _alarm(_signal: int, _frame: FrameType | None) -> None:
    raise Hang


class watched:
    """A block that ends in time: :class:`Hang` is raised in it otherwise."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._usable = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> None:
        if self._usable:
            signal.signal(signal.SIGALRM, _alarm)
            signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_exception: object) -> None:
        if self._usable:
            signal.setitimer(signal.ITIMER_REAL, 0)


Outcomes = list[tuple[str, str]]
"""Actions, each with the name of the library's error that it ended with; the greeting is one of them."""


@dataclass(frozen=True)
class Greeting:
    """What the client has to say at first: an ABI that it was given, the ticket of a prefork."""

    abi: Abi | None = None
    ticket: bytes | None = None


def play(
    stream: Any, audit: Audit, actions: Sequence[str], timeout: float, outcomes: Outcomes, greeting: Greeting
) -> list[str]:
    """Do ``actions`` over ``stream``; what was wrong."""
    session = Session(stream, "fuzz", timeout)
    audit.watch(session)
    wrong: list[str] = []
    with session:
        try:
            deadline = time.monotonic() + timeout
            session.greet(deadline, greeting.abi, greeting.ticket)
            confirm(session, greeting.abi, deadline)
        except RumpError as error:
            outcomes.append(("greeting", type(error).__name__))
            return wrong
        played = Play(session, MARKER)
        for action in actions:
            try:
                ACTIONS[action](played)
                outcomes.append((action, ""))
            except RumpError as error:
                outcomes.append((action, type(error).__name__))
            if session.closed:
                break
            if not session._waiting and audit.lent > len(session._memory._anonymous):
                wrong.append(f"after {action} there were still buffers lent")
                break
        if not played.intact():
            wrong.append("the server wrote beside the buffers")
    return wrong


_PLAIN: Final = Greeting()


def check(
    stream: Any,
    audit: Audit,
    actions: Sequence[str],
    timeout: float,
    outcomes: Outcomes | None = None,
    greeting: Greeting = _PLAIN,
) -> tuple[str, str]:
    """What was wrong with a session, and its details; empty if nothing was."""
    outcomes = [] if outcomes is None else outcomes
    try:
        with watched(WATCHDOG):
            wrong = play(stream, audit, actions, timeout, outcomes, greeting)
    except Hang:
        return "it hung", traceback.format_exc()
    except Exception as error:
        return f"{type(error).__name__}: {error}", traceback.format_exc()
    if audit.failure is not None:
        wrong.append(str(audit.failure))
    return "; ".join(wrong), ""


def run_session(
    seed: int, number: int, *, record: dict[str, Any] | None = None, outcomes: Outcomes | None = None
) -> Finding | None:
    """Run a session; what was found, if anything. ``record`` gets what a file of the corpus has."""
    chance = random.Random(seed << 40 | number)
    abi = chance.choice(ABIS)
    profile = chance.choice(PROFILES)
    actions = [chance.choice(NAMES) for _time in range(chance.choice((1, 1, 2, 4)))]
    if RARE.intersection(actions) and chance.random() < 0.9:
        actions = ["stat" if action in RARE else action for action in actions]
    parts = chance if chance.random() < 0.1 else None
    greeting = _PLAIN
    if chance.random() < 0.05:
        greeting = Greeting(chance.choice((None, None, *ABIS)), chance.choice((None, TICKET)))
    talk: Talk = Conversation(abi, profile, chance)
    audit = Audit()
    if number % SOCKETS_EVERY == SOCKETS_EVERY - 1:
        return _over_sockets(seed, number, talk, audit, actions, chance)
    stream = MemoryStream(talk, audit.sent, parts)
    stream.recording = record is not None
    outcomes = [] if outcomes is None else outcomes
    what, details = check(stream, audit, actions, 10.0, outcomes, greeting)
    if record is not None:
        sayings = [None if said is None else said.hex() for said in stream.sayings]
        record |= {"about": what, "actions": actions, "outcomes": outcomes, "sayings": sayings}
    return Finding(seed, number, f"[{profile.name}] {what}", details, actions) if what else None


def run_literal(content: dict[str, Any]) -> tuple[str, Outcomes]:
    """Run what a file of the corpus has: what was wrong, and the outcomes.

    Its ``sayings`` are what the server says each time that it is listened to: hexadecimal digits, or a pair of them
    and how often they come in a row, or null for a silence.
    """
    sayings: list[Saying] = []
    for said in content["sayings"]:
        match said:
            case None:
                sayings.append(None)
            case str():
                sayings.append(bytes.fromhex(said))
            case digits, times:
                sayings.append(bytes.fromhex(digits) * times)
    audit, outcomes = Audit(), Outcomes()
    what, details = check(MemoryStream(Literal(sayings), audit.sent), audit, content["actions"], 10.0, outcomes)
    return f"{what}\n{details}".strip(), outcomes


def _over_sockets(
    seed: int, number: int, talk: Talk, audit: Audit, actions: Sequence[str], chance: random.Random
) -> Finding | None:
    """The same with a server in a thread, which may be slow or stall."""
    limit = session_module._CANCEL_LIMIT
    session_module._CANCEL_LIMIT = _PATIENCE  # type: ignore[misc]
    server = SocketServer(talk, audit.sent, chance)
    try:
        what, details = check(server.client, audit, actions, _PATIENCE)
    finally:
        session_module._CANCEL_LIMIT = limit  # type: ignore[misc]
        server.client.close()
        server.join(5)
    if server.is_alive():
        what = f"{what}; the server waits for ever"
    return Finding(seed, number, f"[sockets] {what}", details, list(actions)) if what else None
