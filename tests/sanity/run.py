# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ansible-test's sanity tests on a copy of this checkout: python tests/sanity/run.py [options for ansible-test].

Two things stand between a plain checkout and ansible-test:

- It wants to be started inside a folder called ansible_collections/NAMESPACE/NAME, and a symbolic link does not do.
  So the files are copied.
- It makes a virtual environment for each of its tests, with a get-pip.py that it downloads from a site of its own, and
  hides the environment's variables from the pip in there. Python brings a pip along, so a script that calls ensurepip
  is laid where ansible-test keeps that download, and taken away again at the end. The script also hands pip its
  settings (PIP_…) on. What the tests need still comes from the package index that pip is set up for.

The tests' results are left in tests/output/junit. Exits with 1 when a test failed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests/output/junit"
PYTHON_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

GET_PIP = """\
# Laid here for a test run of the collection rumpkernel.rump in the place of get-pip.py.
import pathlib
import subprocess
import sys

pathlib.Path(sys.prefix, "pip.conf").write_text({pip_conf!r})
subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
"""


def pip_conf() -> str:
    """Return pip's settings from the environment as a configuration file, and have pip say nothing but errors."""
    settings = {"quiet": "2"}
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            settings[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return "\n".join(["[global]", *(f"{name} = {value}" for name, value in settings.items()), ""])


@contextlib.contextmanager
def get_pip_without_download() -> Iterator[None]:
    """Keep a get-pip script in ansible-test's cache for the time of the run, in front of one that is there already."""
    from ansible_test._internal.python_requirements import get_venv_packages

    pip_version = get_venv_packages(SimpleNamespace(version=PYTHON_VERSION))["pip"]
    script = Path.home() / ".ansible/test/cache" / f"get_pip_{pip_version.replace('.', '_')}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    before = script.read_bytes() if script.exists() else None
    script.write_text(GET_PIP.format(pip_conf=pip_conf()))
    try:
        yield
    finally:
        if before is None:
            script.unlink()
        else:
            script.write_bytes(before)
        Path(importlib.util.cache_from_source(str(script))).unlink(missing_ok=True)


def copy_checkout(destination: Path) -> None:
    """Copy the files that git has, or would have after `git add`, but the link that leads back to the top."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in sorted(set(os.fsdecode(listed.stdout).split("\0")) - {""}):
        source = ROOT / name
        if name.startswith(".collections/") or not os.path.lexists(source):
            continue
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="rump-") as folder, get_pip_without_download():
        copy = Path(folder) / "ansible_collections/rumpkernel/rump"
        copy_checkout(copy)
        command = ["ansible-test", "sanity", "--local", "--python", PYTHON_VERSION, "--junit", "--color", "no"]
        done = subprocess.run([*command, *sys.argv[1:]], cwd=copy, check=False)
        RESULTS.mkdir(parents=True, exist_ok=True)
        for result in (copy / "tests/output/junit").glob("*.xml"):
            shutil.copy2(result, RESULTS)
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
