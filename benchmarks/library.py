# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the library does in a second, beside rumpctrl's C programs where these are found.

Each figure is a ratio of what was measured in this one run, medians of several rounds in which the two
sides take turns: the best of them is the luck of the scheduler's, which may or may not have client and
server on one CPU. RUMPCTRL_PATH names the folder of rumpctrl's utilities (dd, ls); RUMPCLIENT_GETPID
a C program on librumpclient that makes as many getpid calls as its argument says.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect  # noqa: E402
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.session import Request  # noqa: E402
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount  # noqa: E402
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running  # noqa: E402
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module  # noqa: E402

ROUNDS = 7
CALLS = 20_000
MEBIBYTE = 1 << 20
SIZE = 64 * MEBIBYTE
FILES = 10_000


class Bench:
    """One kernel, our session with it, and the C programs there are."""

    def __init__(self, server: Server, kernel: Kernel) -> None:
        self.server = server
        self.kernel = kernel
        self.utilities = os.environ.get("RUMPCTRL_PATH", "")

    def utility(self, *command: str, stdin: Path | None = None) -> Callable[[], object] | None:
        """A run of one of rumpctrl's utilities, or None where it is not found."""
        program = shutil.which(command[0], path=self.utilities) if self.utilities else None
        if program is None or self.server.backend != "rump_server":
            return None

        def run() -> None:
            with stdin.open("rb") if stdin else contextlib.nullcontext(subprocess.DEVNULL) as source:
                subprocess.run(
                    [program, *command[1:]],
                    env={**os.environ, "RUMP_SERVER": self.server.url},
                    stdin=source,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    check=True,
                )

        return run

    def compare(self, what: str, ours: Callable[[], object], theirs: Callable[[], object] | None, held_to: str) -> None:
        """Print how many times as fast we are."""
        both = [(seconds(ours), seconds(theirs) if theirs else 0.0) for _round in range(ROUNDS)]
        our_time, their_time = (statistics.median(times) for times in zip(*both, strict=True))
        shown = f"{their_time * 1000:8.0f} ms {their_time / our_time:5.2f}" if theirs else "          –     –"
        print(f"  {what:46} {our_time * 1000:8.0f} ms {shown}   {held_to}", flush=True)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextlib.contextmanager
def pinned(server: Server) -> Iterator[None]:
    """Client and server on one CPU."""
    everywhere = os.sched_getaffinity(0)

    def keep_to(processors: set[int]) -> None:
        """All threads there are now: the server's come and go."""
        for thread in (0, *(int(name) for name in os.listdir(f"/proc/{server.pid}/task"))):
            os.sched_setaffinity(thread, processors)

    keep_to({min(everywhere)})
    try:
        yield
    finally:
        keep_to(everywhere)


def calls(bench: Bench) -> None:
    """getpid, one after another and many in flight."""
    kernel = bench.kernel
    program = os.environ.get("RUMPCLIENT_GETPID")
    theirs = None
    if program and bench.server.backend == "rump_server":
        environment = {**os.environ, "RUMP_SERVER": bench.server.url}

        def theirs() -> None:
            subprocess.run([program, str(CALLS)], env=environment, stdout=subprocess.DEVNULL, check=True)

    def one_by_one() -> None:
        for _call in range(CALLS):
            kernel.getpid()

    def in_flight() -> None:
        for _result in kernel.session.map((Request("getpid") for _call in range(CALLS)), limit=32):
            pass

    with pinned(bench.server):
        bench.compare(f"{CALLS} getpid, one CPU", one_by_one, theirs, "0.7 or more")
    bench.compare(f"{CALLS} getpid", one_by_one, theirs, "")
    bench.compare(f"{CALLS} getpid, 32 in flight", in_flight, theirs, "3 or more")


def content(bench: Bench, folder: Path) -> None:
    """64 MiB in and out of tmpfs."""
    kernel = bench.kernel
    data = os.urandom(SIZE)
    source = folder / "data"
    source.write_bytes(data)
    dd = bench.utility("dd", "of=/bench/dd", "bs=1m", stdin=source)
    bench.compare("64 MiB into one file", lambda: kernel.write_file("/bench/one", data), dd, "0.8 or more")
    back = bench.utility("dd", "if=/bench/one", "bs=1m")
    with open(os.devnull, "wb") as nothing:
        bench.compare("64 MiB out of one file", lambda: kernel.copy_out("/bench/one", nothing), back, "0.8 or more")
    part = folder / "part"
    part.write_bytes(data[: SIZE // 8])
    parts = {f"/bench/part{number}": data[: SIZE // 8] for number in range(8)}
    runs = [bench.utility("dd", f"of=/bench/dd{number}", "bs=1m", stdin=part) for number in range(8)]
    theirs = None if None in runs else lambda: [run() for run in runs if run]
    bench.compare("eight files of 8 MiB at once", lambda: kernel.write_files(parts), theirs, "1.5 or more")
    for name in kernel.listdir("/bench"):
        kernel.unlink(f"/bench/{name}")


def tree(bench: Bench) -> None:
    """The stats of ten thousand files."""
    kernel = bench.kernel
    for number in range(100):
        kernel.mkdir(f"/bench/{number}")
    names = [f"/bench/{number % 100}/{number}" for number in range(FILES)]
    made = kernel.session.map(Request("__mknod50", (name.encode() + b"\0", 0o100644, 0)) for name in names)
    assert all(result == (0, 0) for result in made)
    ls = bench.utility("ls", "-lR", "/bench")
    bench.compare(f"stat of {FILES} files", lambda: list(kernel.stat_tree("/bench")), ls, "2 or more")
    kernel.rmtree("/bench/0")


def main() -> None:
    print("The library's speed: ours, rumpctrl's, and how many times as fast ours is")
    for backend in BACKENDS:
        with (
            tempfile.TemporaryDirectory() as name,
            running(backend, Path(name)) as server,
            connect(server.url, timeout=300) as kernel,
        ):
            run_module(kernel, rump_mount, path="/bench", src="tmpfs", fstype="tmpfs", state="mounted")
            bench = Bench(server, kernel)
            print(f"\n{server.description}")
            calls(bench)
            content(bench, Path(name))
            tree(bench)


if __name__ == "__main__":
    main()
