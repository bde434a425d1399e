# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module in a child of this process, whose Python is on the kernel, and takes what it says.

The worker has all that is needed imported already, so a fork of it is at work at once. The child makes a session of
its own, and always ends by ``os._exit``.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import io
import json
import os
import selectors
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn, TypeAlias

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import (
    InvalidURL,
    Kernel,
    KernelError,
    MissingLibrary,
    RumpError,
)

from . import world
from .world import Program

_CHUNK: Final = 1 << 16

Note: TypeAlias = Callable[[str], None]
"""Takes a text for the user."""


@dataclass
class Finished:
    """What became of a module: its exit status and output, and what there is to tell beside."""

    rc: int
    stdout: bytes
    stderr: bytes
    notes: list[str] = field(default_factory=list)
    """For the user."""
    lost: str | None = None
    """Why there is no session with the kernel, or none any more."""
    refused: str | None = None
    """Why the module was not run."""
    alarms: list[str] = field(default_factory=list)
    """What the guard kept from happening on the controller."""


class TookTooLong(Exception):
    """The module did not end within its limit."""


def run(open_kernel: Callable[[Note], Kernel], program: Program, limit: float) -> Finished:
    """Run ``program`` on the kernel that ``open_kernel`` makes a session with.

    :param limit: seconds it may take.
    :raises TookTooLong: it took longer, and was ended.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    ours, theirs = zip(*(os.pipe() for _stream in range(3)), strict=True)
    their_life, our_life = os.pipe()
    child = os.fork()
    if not child:
        for end in (*ours, our_life):
            os.close(end)
        _child(open_kernel, program, theirs, their_life)
    for end in (*theirs, their_life):
        os.close(end)
    status = None
    try:
        output, errors, report = _gather(ours, time.monotonic() + limit)
        status = os.waitpid(child, 0)[1]
    except TimeoutError:
        raise TookTooLong(f"the module did not end within {limit:g} s") from None
    finally:
        if status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        for end in (*ours, our_life):
            os.close(end)
    told: dict[str, Any] = json.loads(report) if report else {}
    return Finished(os.waitstatus_to_exitcode(status), output, errors, **told)


def _gather(ends: tuple[int, ...], deadline: float) -> list[bytes]:
    """All that comes out of pipes, until they are closed.

    :raises TimeoutError: they are not by ``deadline``.
    """
    pieces: dict[int, list[bytes]] = {end: [] for end in ends}
    with selectors.DefaultSelector() as selector:
        for end in ends:
            selector.register(end, selectors.EVENT_READ)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for key, _events in selector.select(left):
                piece = os.read(key.fd, _CHUNK)
                if piece:
                    pieces[key.fd].append(piece)
                else:
                    selector.unregister(key.fd)
    return [b"".join(pieces[end]) for end in ends]


def _child(open_kernel: Callable[[Note], Kernel], program: Program, ends: tuple[int, ...], life: int) -> NoReturn:
    """The child's life."""
    out, err, report = ends
    code = 1
    told: dict[str, Any] = {"notes": [], "alarms": []}
    # All that is used after the world was entered is bound here: imports and os are the module's from then on.
    exit_now, write, dumps, flush_all = os._exit, os.write, json.dumps, _flush
    try:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        _end_with(life)
        sys.excepthook, sys.unraisablehook = sys.__excepthook__, sys.__unraisablehook__
        atexit._clear()  # the worker's, which would remove the run's temporary files
        _standard_streams(out, err)
        code = _run(open_kernel, program, told)
    except BaseException as error:  # pylint: disable=broad-exception-caught
        with contextlib.suppress(BaseException):
            _print_exception(error)
    finally:
        with contextlib.suppress(BaseException):
            flush_all()
        with contextlib.suppress(BaseException):
            data = dumps(told).encode()
            while data:
                data = data[write(report, data) :]
        exit_now(code)
    raise AssertionError


def _run(open_kernel: Callable[[Note], Kernel], program: Program, told: dict[str, Any]) -> int:
    try:
        kernel = open_kernel(_into(told["notes"]))
    except (InvalidURL, MissingLibrary) as error:
        told["refused"] = str(error)
        return 1
    except RumpError as error:
        told["lost"] = str(error)
        return 1
    _watch(kernel, told)
    try:
        world.enter(kernel, program, _into(told["notes"]), _into(told["alarms"]))
    except LookupError as error:
        told["refused"] = str(error)
        return 1
    code: object = 1
    try:
        try:
            world.run(program)
        except SystemExit as ended:
            code = ended.code
        except BaseException as error:  # pylint: disable=broad-exception-caught
            _print_exception(error)
        atexit._run_exitfuncs()
    finally:
        if kernel.session.closed:
            told.setdefault("lost", f"{kernel.url}: the session with the kernel ended")
        else:
            told.pop("lost", None)  # a call's time limit, or the like, after which there was another session to use
    if isinstance(code, str):
        print(code, file=sys.stderr)
    return code if isinstance(code, int) else int(code is not None)


def _watch(kernel: Kernel, told: dict[str, Any]) -> None:
    """Remember how the session ends: the module that meets the error may well not tell it."""
    session = kernel.session
    for name in ("submit", "wait"):
        original = getattr(session, name)

        def watched(*arguments: Any, _original: Callable[..., Any] = original, **more: Any) -> Any:
            try:
                return _original(*arguments, **more)
            except KernelError:
                raise
            except RumpError as error:
                told.setdefault("lost", str(error))
                raise

        setattr(session, name, watched)


def _into(texts: list[str]) -> Note:
    def note(text: str) -> None:
        if text not in texts:
            texts.append(text)

    return note


def _end_with(life: int) -> None:
    """End this process when the other end of the pipe ``life`` is closed, as the worker's end does, however it ends."""
    with contextlib.suppress(OSError):  # systems have it for pipes, or the module's own limits have to do
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(life, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)


def _standard_streams(out: int, err: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for end, number in ((nothing, 0), (out, 1), (err, 2)):
        os.dup2(end, number)
        os.close(end)
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")  # type: ignore[misc] # Final in its stub
    for name, number in (("stdout", 1), ("stderr", 2)):
        raw = io.FileIO(number, "w", closefd=False)
        stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", errors="surrogateescape")
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _print_exception(error: BaseException) -> None:
    # Those whose files are where sys.modules is now. pylint: disable=import-outside-toplevel
    import linecache
    import traceback

    try:
        text = traceback.format_exception(error)
    except TypeError:  # Ansible's loader of collections has bytes for a source
        linecache.clearcache()
        linecache.lazycache = lambda filename, module_globals: False
        text = traceback.format_exception(error)
    sys.stderr.writelines(text)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
