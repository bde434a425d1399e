# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: a kernel per URL, in the foreground, until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .faults import Fault
from .kernel import SimulatedKernel
from .options import DEFAULT_COMPONENTS, MORE_COMPONENTS, Disk, KernelOptions, abi_for, parse_components
from .server import Server


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rump-simulated",
        description="Serve simulated rump kernels over sysproxy, one per URL, in the foreground.",
    )
    parser.add_argument("urls", nargs="+", metavar="URL", help="unix://PATH or tcp://HOST:PORT")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="write a JSON line per system call")
    parser.add_argument("--hostname", help="kern.hostname at the start")
    parser.add_argument("--machine", default="amd64", help="the machine in the banner (amd64, i386, evbarm, …)")
    parser.add_argument("--word-size", type=int, choices=(4, 8), help="bytes of a pointer, if not the machine's")
    parser.add_argument("--byteorder", choices=("little", "big"), help="if not the machine's")
    parser.add_argument("--int64-alignment", type=int, choices=(4, 8), help="of a 64-bit integer, if not the machine's")
    parser.add_argument("--release", default="7.99.34", help="the release in the banner")
    parser.add_argument(
        "--components",
        metavar="LIST",
        help=f"rump components that are there, comma-separated (default: all but {', '.join(sorted(MORE_COMPONENTS))})",
    )
    parser.add_argument(
        "-d",
        "--disk",
        type=Disk.parse,
        action="append",
        default=[],
        metavar="SPEC",
        help="a host's file: key=PATH,hostpath=FILE[,size=N|host][,offset=N][,type=blk|chr|reg]",
    )
    parser.add_argument(
        "--fault",
        type=Fault.parse,
        action="append",
        default=[],
        metavar="SPEC",
        help="misbehave: ACTION[,KEY=VALUE]…, see simulated_kernel/faults.py",
    )
    parser.add_argument(
        "--own-stack",
        metavar="INTERFACE",
        help="be reached through the kernel's own network: this interface has the address of the URL, tcp://127.…:PORT",
    )
    parser.add_argument("--max-clients", type=int, default=255)
    parser.add_argument(
        "--dad-scale",
        type=float,
        default=1.0,
        metavar="FACTOR",
        help="multiplies the time of duplicate address detection; 0 ends it at once",
    )
    return parser


def _options(arguments: argparse.Namespace) -> KernelOptions:
    options = KernelOptions(
        abi=abi_for(
            arguments.machine,
            arguments.word_size,
            arguments.byteorder,
            arguments.int64_alignment,
            arguments.release,
        ),
        components=DEFAULT_COMPONENTS if arguments.components is None else parse_components(arguments.components),
        disks=tuple(arguments.disk),
        faults=tuple(arguments.fault),
        max_clients=arguments.max_clients,
        journal=arguments.journal,
        dad_scale=arguments.dad_scale,
        own_stack=arguments.own_stack,
    )
    return replace(options, hostname=arguments.hostname) if arguments.hostname else options


async def _run(urls: Sequence[str], options: KernelOptions) -> None:
    loop = asyncio.get_running_loop()
    interrupted = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, interrupted.set)
    servers: list[Server] = []
    try:
        for url in urls:
            server = Server(SimulatedKernel(options), url)
            await server.start()
            servers.append(server)
            print(f"ready {server.url}", flush=True)
        ends = [asyncio.create_task(server.stopped.wait()) for server in servers]
        stop = asyncio.create_task(interrupted.wait())
        while ends and not stop.done():
            await asyncio.wait({stop, *ends}, return_when=asyncio.FIRST_COMPLETED)
            ends = [end for end in ends if not end.done()]
        for task in (stop, *ends):
            task.cancel()
    finally:
        for server in servers:
            if not server.stopped.is_set():
                await server.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT, or until every kernel was halted by a client."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    try:
        asyncio.run(_run(parsed.urls, _options(parsed)))
    except (ValueError, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    return 0
