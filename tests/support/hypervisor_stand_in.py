# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for QEMU, xl, xenstore-read and xenstore-write, by the name that it is called by, where there is no Rumprun
image to boot.

It notes its command lines down, does with the guest's configuration what a guest does, and serves sysproxy as the
simulated kernel. ``install`` makes the programs; what they keep is in their folder.

A domain of Xen's is a process that has all descriptors that ``xl create`` had, as the process has that the real one
leaves behind to wait for the domain's end. The domain is there as long as its file of settings, whoever ends.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / ".collections"))
HALTS = "halts"
HYPERVISORS = ("qemu", "xl", "xenstore-read", "xenstore-write")
FIRST_DOMAIN = 7
PAUSE = 0.02


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


def domains(folder: Path) -> dict[int, str]:
    """The domains' numbers and names."""
    return {
        int(file.stem): json.loads(json.loads(file.read_text())["name"]) for file in sorted(folder.glob("*.domain"))
    }


def make_domain(folder: Path, *settings: str) -> int:
    """Make a paused domain of settings as xl takes them."""
    values = dict(setting.split("=", 1) for setting in settings)
    if json.loads(values["name"]) in domains(folder).values():
        sys.exit("there is a domain of this name")
    number = max([FIRST_DOMAIN - 1, *(int(file.stem) for file in folder.glob("*.console"))]) + 1
    with (folder / f"{number}.console").open("w") as console:
        (folder / f"{number}.domain").write_text(json.dumps(values))
        subprocess.Popen(
            [sys.executable, __file__, "domain", str(folder), str(number)],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            close_fds=False,
            start_new_session=True,
        )
    return number


def stored(folder: Path, key: str) -> Path:
    """The file of a value in Xen's store."""
    return folder / key.replace("/", "_")


def be_domain(folder: Path, number: int) -> None:
    """Be a domain until it is destroyed."""
    settings = folder / f"{number}.domain"

    def end_with_it() -> None:
        while settings.exists():
            time.sleep(PAUSE)
        os._exit(0)

    kernel = json.loads(json.loads(settings.read_text())["kernel"])
    threading.Thread(target=end_with_it, daemon=True).start()
    while not (folder / f"{number}.unpaused").exists():
        time.sleep(PAUSE)
    run_guest(kernel, stored(folder, f"/local/domain/{number}/rumprun/cfg").read_text(), None)
    settings.unlink(missing_ok=True)


def show_console(folder: Path, number: int) -> None:
    with (folder / f"{number}.console").open() as console:
        there = True
        while there:
            there = (folder / f"{number}.domain").exists()
            print(console.read(), end="", flush=True)
            time.sleep(PAUSE)


def xl(folder: Path, action: str, *arguments: str) -> None:
    """A domain is said by its number, or by a name that does not look like one."""
    if action == "create":
        make_domain(folder, *arguments[2:])
        return
    there = domains(folder)
    number = next((number for number, name in there.items() if name == arguments[0]), None)
    if action == "domid":
        if number is None:
            sys.exit(f"{arguments[0]} is an invalid domain identifier")
        print(number)
        return
    if arguments[0].isdigit():
        number = int(arguments[0])
    if number not in there:
        sys.exit(f"{arguments[0]} is an invalid domain identifier")
    if action == "destroy":
        for key in folder.glob(f"_local_domain_{number}_*"):
            key.unlink()
        (folder / f"{number}.domain").unlink()
    elif action == "unpause":
        (folder / f"{number}.unpaused").touch()
    elif action == "console":
        show_console(folder, number)


def xenstore_write(folder: Path, *arguments: str) -> None:
    """Pairs of a key and a value, in which escapes are undone unless there is a -R before them."""
    raw = arguments[0] == "-R"
    pairs = arguments[raw:]
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        stored(folder, key).write_text(value if raw else re.sub(r"\\(.)", unescaped, value))


def unescaped(escape: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "t": "\t"}.get(escape[1], escape[1])


def main() -> None:
    name, folder, *arguments = sys.argv[1:]
    if name in HYPERVISORS:
        with open(os.path.join(folder, "record.jsonl"), "a", encoding="utf-8") as record:
            record.write(json.dumps([name, *arguments]) + "\n")
    if name == "qemu":
        qemu(arguments)
    elif name == "xl":
        xl(Path(folder), *arguments)
    elif name == "domain":
        be_domain(Path(folder), int(arguments[0]))
    elif name == "xenstore-write":
        xenstore_write(Path(folder), *arguments)
    else:
        print(stored(Path(folder), arguments[0]).read_text())


if __name__ == "__main__":
    main()
