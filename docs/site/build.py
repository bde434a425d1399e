# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the documentation site: python docs/site/build.py. It is in .site/html then.

The pages are the repository's own, README.md, docs/*.md and others, in the folders where they are: so the links between
them hold on the site, too. antsibull-docs adds a page for each module, plugin and role. Every warning is an error, also
that of a page which is not in a table of contents.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / ".site"
SOURCE = SITE / "source"
COLLECTION = "rumpkernel.rump"
LINK = re.compile(r"\]\(([\w./-]+)\)")
REPOSITORY = yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"]


def copy_repository() -> None:
    """Copy the files of the checkout to where Sphinx reads them, but not the tests' data."""
    shutil.rmtree(SOURCE, ignore_errors=True)
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", ":!tests/data", ":!docs/site"]
    names = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (SOURCE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, SOURCE / name)
    shutil.copyfile(ROOT / "docs/site/index.md", SOURCE / "index.md")
    for page in SOURCE.rglob("*.md"):
        page.write_text(LINK.sub(partial(absolute, page), page.read_text("utf-8")), "utf-8")


def absolute(page: Path, link: re.Match[str]) -> str:
    """Have a page's link to a folder, which is no part of a site, lead to the repository."""
    path = page.parent / link[1]
    return f"]({REPOSITORY}/tree/main/{path.resolve().relative_to(SOURCE)})" if path.is_dir() else link[0]


def run(*command: str | Path) -> None:
    """Run a command of the Python environment that this one runs in, and end with it if it fails."""
    folders = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    environment = {
        **os.environ,
        "PATH": os.pathsep.join(folders),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
    }
    done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def main() -> None:
    """Build the site."""
    copy_repository()
    reference = SOURCE / "collection"
    # antsibull-docs insists on a folder of its own that no one else may write to.
    reference.mkdir(mode=0o755)
    run(
        *("antsibull-docs", "--config-file", "tests/antsibull.cfg", "collection"),
        *("--use-current", "--squash-hierarchy", "--fail-on-error", "--no-add-antsibull-docs-version"),
        *("--dest-dir", reference, COLLECTION),
    )
    run(
        *("sphinx-build", "-b", "html", "-W", "--keep-going", "--quiet", "--jobs", "auto"),
        *("-c", "docs/site", SOURCE, SITE / "html"),
    )
    print(f"the site: {SITE.relative_to(Path.cwd()) if SITE.is_relative_to(Path.cwd()) else SITE}/html/index.html")


if __name__ == "__main__":
    main()
