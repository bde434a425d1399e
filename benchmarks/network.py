# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What rump_network takes for 20 interfaces, 100 addresses and 200 routes, beside rumpctrl's ifconfig and route.

Ours is the module itself, in a process that runs already, as in an Ansible worker: connecting, reading, planning,
changing and reading back. Theirs is a program for each change, one after another, as in a script. RUMPCTRL_PATH names
the folder of rumpctrl's utilities. Each round has a fresh kernel for each side.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect  # noqa: E402
from ansible_collections.rumpkernel.rump.plugins.modules import rump_network  # noqa: E402
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS, Server, running  # noqa: E402
from ansible_collections.rumpkernel.rump.tests.support.modules import run_module  # noqa: E402

ROUNDS = 5
INTERFACES, ADDRESSES, ROUTES = 20, 100, 200


def declared(folder: Path) -> dict[str, Any]:
    """Half of the addresses and routes are IPv4, half IPv6."""
    each = ADDRESSES // INTERFACES
    interfaces = []
    for number in range(INTERFACES):
        addresses = [f"10.{number}.{place}.1/24" for place in range(each - each // 2)]
        addresses += [f"2001:db8:{number:x}:{place}::1/64" for place in range(each // 2)]
        bus = str(folder / f"bus{number}")
        interfaces.append({"name": f"shmif{number}", "linkstr": bus, "addresses": addresses, "state": "up"})
    routes = []
    for number in range(ROUTES // 2):
        link = number % INTERFACES
        routes.append({"dest": f"172.16.{number}.0/24", "gateway": f"10.{link}.0.254"})
        routes.append({"dest": f"2001:db8:f{number:03x}::/48", "gateway": f"2001:db8:{link:x}:0::fe"})
    return {"interfaces": interfaces, "routes": routes}


def commands(wanted: dict[str, Any]) -> Iterator[list[str]]:
    """The same as rumpctrl's users write it."""
    for one in wanted["interfaces"]:
        yield ["ifconfig", one["name"], "create"]
        yield ["ifconfig", one["name"], "linkstr", one["linkstr"]]
        for address in one["addresses"]:
            family = "inet6" if ":" in address else "inet"
            yield ["ifconfig", one["name"], family, address, "alias"]
        yield ["ifconfig", one["name"], "up"]
    for way in wanted["routes"]:
        family = "-inet6" if ":" in way["dest"] else "-inet"
        yield ["route", "add", family, "-net", way["dest"], way["gateway"]]


def ours(server: Server, wanted: dict[str, Any]) -> dict[str, Any]:
    with connect(server.url) as kernel:
        return run_module(kernel, rump_network, **wanted)


def theirs(server: Server, wanted: dict[str, Any], utilities: str) -> None:
    environment = {**os.environ, "RUMP_SERVER": server.url}
    for name, *arguments in commands(wanted):
        command = [f"{utilities}/{name}", *arguments]
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


def held(server: Server) -> tuple[int, int, int]:
    """How many interfaces, addresses and routes the kernel has that were asked for."""
    with connect(server.url) as kernel:
        interfaces = [found for found in kernel.interfaces.all() if found.name != "lo0"]
        addresses = [one for found in interfaces for one in found.addresses if not one.interface.is_link_local]
        return (
            len(interfaces),
            len(addresses),
            len([way for way in kernel.routes.all() if way.gateway and way.flags & 0x2]),
        )


def seconds(work: Callable[..., object], *arguments: Any) -> float:
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def measure(backend: str, utilities: str) -> None:
    times: dict[str, list[float]] = {"first": [], "second": [], "theirs": []}
    for _round in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name, running(backend, Path(name)) as server:
            wanted = declared(Path(name))
            if not times["first"]:
                print(f"\n{server.description}")
            times["first"].append(seconds(ours, server, wanted))
            assert held(server) == (INTERFACES, ADDRESSES, ROUTES), held(server)
            times["second"].append(seconds(ours, server, wanted))
            again = ours(server, wanted)
            assert not again["changed"], again["changes"]
        if utilities and backend == "rump_server":
            with tempfile.TemporaryDirectory() as name, running(backend, Path(name)) as server:
                wanted = declared(Path(name))
                times["theirs"].append(seconds(theirs, server, wanted, utilities))
                assert held(server) == (INTERFACES, ADDRESSES, ROUTES), held(server)
    medians = {side: statistics.median(rounds) if rounds else None for side, rounds in times.items()}
    their_time = medians["theirs"]
    for what, side, held_to in (("made", "first", "0.25 or less"), ("made again: no change", "second", "")):
        our_time = medians[side] or 0.0
        shown = f"{their_time * 1000:8.0f} ms {our_time / their_time:5.2f}" if their_time else "          –     –"
        print(f"  {what:46} {our_time * 1000:8.0f} ms {shown}   {held_to}", flush=True)


def main() -> None:
    print(f"A network of {INTERFACES} interfaces, {ADDRESSES} addresses, {ROUTES} routes: rump_network's time,")
    print("rumpctrl's one by one, and what part of that ours is")
    for backend in BACKENDS:
        measure(backend, os.environ.get("RUMPCTRL_PATH", ""))


if __name__ == "__main__":
    main()
