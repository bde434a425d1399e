# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running systemd: this machine's own program as process 1 of namespaces, with the superuser's rights only.

It has this machine's files, and folders of its own in place of /etc, /var/lib and /run, its own network and processes.
Of the machine's units it knows a few only, so that nothing of the machine's is started or set up a second time.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

PROGRAMS = [Path("/usr/lib/systemd/systemd"), Path("/lib/systemd/systemd")]
TOOLS = ("systemctl", "systemd-tmpfiles", "unshare", "nsenter", "setpriv", "mount")
# What services need, what ends systemd, and the journal.
UNITS = [
    *("sysinit.target", "basic.target", "network.target", "multi-user.target"),
    *("shutdown.target", "umount.target", "final.target", "exit.target", "systemd-exit.service"),
    *("systemd-journald.service", "systemd-journald.socket"),
]
# systemd's own does more, such as emptying /tmp.
TMPFILES = """
[Unit]
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
ExecStart=systemd-tmpfiles --create --prefix=/run/rump
"""
LIMIT = 20.0

# The first half makes a control group, which is all that is left of the machine's own, and clears it away.
OUTER = r"""
set -eu
top=$1
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup/rump-test-$$
mkdir "$group"
sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$group" \
    setpriv --pdeathsig KILL unshare --pid --fork --kill-child --cgroup --uts --ipc --net --mount --mount-proc \
    sh -c "$2" sh "$top" "$3" || :
find "$group" -depth -type d -exec rmdir {} +
"""
# The settings of the kernel that all namespaces share are not systemd's.
INNER = r"""
set -eu
top=$1
umount /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -o bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -o bind "$top/etc" /etc
mount -o bind "$top/lib" /var/lib
mount -t tmpfs -o mode=755 tmpfs /run
mkdir "$top/generators" 2>/dev/null || :
cd /
exec env -i container=rump-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    SYSTEMD_UNIT_PATH="/etc/systemd/system:$top/units" \
    SYSTEMD_GENERATOR_PATH="$top/generators" SYSTEMD_ENVIRONMENT_GENERATOR_PATH="$top/generators" \
    "$2" --system --unit=multi-user.target --log-target=journal
"""


class NoSystemd(Exception):
    """There can be none here; the text says why."""


class System:
    """systemd, once it is booted; what it is configured to outlives it in the folder ``top``.

    :raises NoSystemd: it lacks a program, a right, or something of the kernel's.
    """

    def __init__(self, top: Path) -> None:
        missing = [tool for tool in TOOLS if not shutil.which(tool)]
        if missing or not any(path.exists() for path in PROGRAMS):
            raise NoSystemd(f"there is no {missing[0] if missing else 'systemd'} on this machine")
        if os.geteuid() != 0:
            raise NoSystemd("only the superuser can run systemd in namespaces")
        self.top = top
        self._process: subprocess.Popen[bytes] | None = None
        self.under: list[str] = []
        shutil.copytree("/etc", top / "etc", symlinks=True)
        shutil.rmtree(top / "etc/systemd/system", ignore_errors=True)
        for folder in ("etc/systemd/system", "etc/tmpfiles.d", "lib", "units"):
            (top / folder).mkdir(parents=True, exist_ok=True)
        for unit in UNITS:
            for folder in ("/usr/lib/systemd/system", "/lib/systemd/system"):
                if Path(folder, unit).exists():
                    shutil.copy(Path(folder, unit), top / "units")
                    break
        (top / "units/sysinit.target.wants").mkdir()
        (top / "units/sysinit.target.wants/systemd-journald.service").symlink_to("../systemd-journald.service")
        (top / "units/sysinit.target.wants/systemd-tmpfiles-setup.service").symlink_to(
            "../systemd-tmpfiles-setup.service"
        )
        (top / "units/systemd-tmpfiles-setup.service").write_text(TMPFILES)
        (top / "etc/systemd/journald.conf").write_text("[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\n")

    def boot(self) -> None:
        """Start it, and wait until it is up. ``under`` is then the command that runs others in its namespaces."""
        program = next(str(path) for path in PROGRAMS if path.exists())
        log = self.top / "console"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                    "unshare",
                    "--mount",
                    "sh",
                    "-c",
                    OUTER,
                    "sh",
                    self.top,
                    INNER,
                    program,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + LIMIT
        while True:
            pid = self._first_process()
            self.under = ["nsenter", "--all", "--target", str(pid), "--"]
            if pid and self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                return
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.halt()
                raise NoSystemd(f"systemd does not come up in namespaces: {log.read_text(errors='replace').strip()}")
            time.sleep(0.02)

    def _first_process(self) -> int:
        """The process 1 of the namespaces as it is numbered here, or 0."""
        assert self._process is not None
        numbers = [self._process.pid]
        for _generation in ("unshare", "systemd"):
            numbers = [pid for parent in numbers for pid in _children(parent)]
        return numbers[0] if numbers and Path(f"/proc/{numbers[0]}/comm").read_text() == "systemd\n" else 0

    def run(self, *command: str | Path, limit: float = LIMIT) -> subprocess.CompletedProcess[str]:
        """Run a command beside the services."""
        return subprocess.run(
            [*self.under, *map(str, command)], capture_output=True, text=True, timeout=limit, check=False
        )

    def halt(self) -> None:
        """Have it stop its services and end."""
        if self._process is None:
            return
        if self._process.poll() is None and self._first_process():
            self.run("systemctl", "exit")
        try:
            self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        self._process = None


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
        except (OSError, ValueError):
            continue
    return found
