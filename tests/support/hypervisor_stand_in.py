# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for QEMU, xl and xenstore-write, by the name that it is called by, where there is no Rumprun image to boot.

It notes its command lines down, does with the guest's configuration what a guest does, and serves sysproxy as the
simulated kernel. ``install`` makes the programs; what they keep is in their folder.
"""

from __future__ import annotations

import itertools
import json
import os
import shlex
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".collections"))
HALTS = "halts"
HYPERVISORS = ("qemu", "xl", "xenstore-write")


def install(folder: Path) -> Path:
    """Make the programs in a folder."""
    folder.mkdir()
    for name in HYPERVISORS:
        program = folder / name
        words = [sys.executable, __file__, name, str(folder)]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        program.chmod(0o755)
    return folder


def command_lines(folder: Path) -> list[list[str]]:
    """What was called so far."""
    record = folder / "record.jsonl"
    return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []


def run_guest(image: str, command_line: str, address: str | None) -> None:
    """Be the guest."""
    print("rump kernel bare metal bootstrap", flush=True)
    if HALTS in Path(image).read_text():
        print("PANIC: as it was asked to\nhalted", flush=True)
        time.sleep(300)
    from ansible_collections.rumpkernel.rump.simulated_kernel.cli import main
    from ansible_collections.rumpkernel.rump.tests.support.rumprun_guest import boot

    booted = boot(command_line)
    port = booted.environment["RUMPRUN_SYSPROXY"].rpartition(":")[2]
    url = f"tcp://{address or f'127.0.0.1:{port}'}"
    print(f"sysproxy listening at: {url}", flush=True)
    main(["--hostname", booted.hostname or "rumpkern", url])


def qemu(arguments: list[str]) -> None:
    values = dict(itertools.pairwise(arguments))
    forwards = [word.partition("hostfwd=tcp:")[2] for word in arguments if "hostfwd=tcp:" in word]
    address = forwards[0].partition("-")[0] if forwards else None
    run_guest(values["-kernel"], f"{values['-kernel']} {values['-append']}", address)


def xl(folder: Path, action: str, *arguments: str) -> None:
    """A domain is a file with its settings, and one with its configuration."""
    if action == "create":
        settings = dict(setting.split("=", 1) for setting in arguments[2:])
        (folder / f"{json.loads(settings['name'])}.domain").write_text(json.dumps(settings))
        return
    domain = folder / f"{arguments[0]}.domain"
    if action == "destroy":
        domain.unlink()
    elif action == "domid":
        print(7 if domain.exists() else sys.exit(1))
    elif action == "console":
        settings = json.loads(domain.read_text())
        run_guest(json.loads(settings["kernel"]), (folder / "_local_domain_7_rumprun_cfg").read_text(), None)


def main() -> None:
    name, folder, *arguments = sys.argv[1:]
    with open(os.path.join(folder, "record.jsonl"), "a", encoding="utf-8") as record:
        record.write(json.dumps([name, *arguments]) + "\n")
    if name == "qemu":
        qemu(arguments)
    elif name == "xl":
        xl(Path(folder), *arguments)
    else:
        (Path(folder) / arguments[0].replace("/", "_")).write_text(arguments[1])


if __name__ == "__main__":
    main()
