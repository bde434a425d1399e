# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rump_sync takes for a thousand small files, beside rumpctrl's pax with the same files.

pax reads a tar archive from its standard input, since its own file descriptors are the kernel's; it gives the files
their owners, modes and times (-p e), as rump_sync does. Both sides take turns on one kernel, each into a new
directory of a tmpfs, and the medians are compared: wall time first, and then the CPU time of client and server
together, which a busy machine changes less. (They work at the same time with calls in flight, and in turns without.)
A program's start is in pax's figures, and not in ours. RUMPCTRL_PATH names the folder of rumpctrl's utilities.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, connect  # noqa: E402
from ansible_collections.rumpkernel.rump.plugins.modules import rump_mount, rump_sync  # noqa: E402
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running  # noqa: E402
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module  # noqa: E402

ROUNDS = 7
DIRECTORIES = 20
FILES = 50  # in each
SIZE = 1000  # bytes and a few more
HELD_TO = 0.5


def make_files(folder: Path) -> tuple[Path, Path]:
    """The files, and a tar archive of them."""
    tree = folder / "tree"
    for directory in range(DIRECTORIES):
        below = tree / f"d{directory}"
        below.mkdir(parents=True)
        for number in range(FILES):
            (below / f"f{number}").write_bytes(os.urandom(SIZE + number))
    archive = folder / "tree.tar"
    with tarfile.open(archive, "w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(tree.rglob("*")):
            tar.add(path, path.relative_to(tree), recursive=False)
    return tree, archive


def cpu_of(server: Server) -> float:
    """Seconds that a server has used: utime and stime of proc_pid_stat(5)."""
    members = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(members[11]) + int(members[12])) / os.sysconf("SC_CLK_TCK")


def times(work: Callable[[], Any], server: Server) -> tuple[float, float]:
    """Seconds, and those of the CPUs by this process, its children and the server."""

    def used() -> float:
        both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return sum(one.ru_utime + one.ru_stime for one in both) + cpu_of(server)

    before, started = used(), time.perf_counter()
    work()
    return time.perf_counter() - started, used() - before


def clear(kernel: Kernel, path: str) -> None:
    if kernel.exists(path):
        kernel.rmtree(path)
    kernel.mkdir(path)


def row(what: str, ours: list[tuple[float, float]], theirs: list[tuple[float, float]], held_to: str) -> None:
    for index, kind in enumerate(("wall", "CPU")):
        our_time = statistics.median(one[index] for one in ours)
        shown = "          –     –"
        if theirs:
            their_time = statistics.median(one[index] for one in theirs)
            shown = f"{their_time * 1000:8.0f} ms {our_time / their_time:5.2f}"
        print(
            f"  {f'{what}, {kind}':46} {our_time * 1000:8.0f} ms {shown}   {held_to if not index else ''}", flush=True
        )


def measure(server: Server, kernel: Kernel, folder: Path) -> None:
    tree, archive = make_files(folder)
    utilities = os.environ.get("RUMPCTRL_PATH", "")
    pax = shutil.which("pax", path=utilities) if utilities and server.backend == "rump_server" else None
    if pax is None:
        why = "of the simulated kernel's" if server.backend != "rump_server" else "since RUMPCTRL_PATH names no pax"
        print(f"  there is no figure of pax's, {why}")

    def sync(dest: str = "/bench/ours", **options: Any) -> dict[str, Any]:
        return run_module(kernel, rump_sync, src=f"{tree}/", dest=dest, **options)

    def unpack() -> None:
        assert pax is not None
        with archive.open("rb") as source:
            subprocess.run(
                [pax, "-r", "-p", "e", "-s", ",^,bench/theirs/,"],
                env={**os.environ, "RUMP_SERVER": server.url},
                stdin=source,
                stderr=subprocess.DEVNULL,
                check=True,
            )

    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    again: list[tuple[float, float]] = []
    for _round in range(ROUNDS):
        clear(kernel, "/bench/ours")
        ours.append(times(sync, server))
        again.append(times(sync, server))
        if pax:
            clear(kernel, "/bench/theirs")
            theirs.append(times(unpack, server))
    if pax:
        result = sync("/bench/theirs", check_mode=True, delete=True, checksum=True)
        assert not result["created"] + result["deleted"], f"pax made something else: {result}"[:500]
    assert not sync(checksum=True, delete=True)["changed"]
    row(f"{DIRECTORIES * FILES} files", ours, theirs, f"{HELD_TO} or less")
    row("the same again, unchanged", again, [], "")


def main() -> None:
    print("rump_sync's speed: ours, rumpctrl's pax, and ours as a part of that")
    for backend in BACKENDS:
        with (
            tempfile.TemporaryDirectory() as name,
            running(backend, Path(name)) as server,
            connect(server.url, timeout=60) as kernel,
        ):
            run_module(kernel, rump_mount, path="/bench", src="tmpfs", fstype="tmpfs", state="mounted")
            print(f"\n{server.description}")
            measure(server, kernel, Path(name))


if __name__ == "__main__":
    main()
