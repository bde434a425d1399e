# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection that is cut at any byte while a large file is replaced: there is the old content or the new."""

from __future__ import annotations

import contextlib
import hashlib
import random
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, RumpError, connect
from ansible_collections.rumpkernel.rump.tests.support.actions import run_action
from ansible_collections.rumpkernel.rump.tests.support.backends import BACKENDS
from ansible_collections.rumpkernel.rump.tests.support.filesystems import FOLDERS, running_with_filesystems
from ansible_collections.rumpkernel.rump.tests.support.relay import Cutter, cutting

SIZE = 4 << 20  # bytes
CUTS = 100
LAST = 1200  # bytes at the end


# It takes a while, and what it is about knows nothing of word sizes: the matrix of simulated machines is spared it.
KERNELS = [backend for backend in BACKENDS if backend in ("simulated", "rump_server")]


@pytest.mark.skipif(not KERNELS, reason="a hundred cuts take long, and are made on amd64 alone")
@pytest.mark.parametrize("filesystem", ["tmpfs", "ffs"])
@pytest.mark.parametrize("backend", KERNELS or ["none"])
def test_old_or_new(backend: str, tmp_path: Path, filesystem: str) -> None:
    """A hundred cuts, all from one seed: some while the old content is compared, most while the new one is written,
    and some in the last bytes, where it takes the old one's place."""
    with running_with_filesystems(backend, tmp_path) as server, connect(server.url, timeout=20) as kernel:
        cut_replacements(kernel, tmp_path, FOLDERS[filesystem])


def cut_replacements(kernel: Kernel, tmp_path: Path, folder: str) -> None:
    chance = random.Random(20260212)
    versions = [chance.randbytes(SIZE) for _version in range(2)]
    sums = [hashlib.sha1(version).hexdigest() for version in versions]
    for number, version in enumerate(versions):
        (tmp_path / str(number)).write_bytes(version)
    seen = set()
    with cutting(kernel.url, tmp_path) as (url, cutter):
        kernel.write_file(f"{folder}/f", versions[1])
        length = whole_length(url, cutter, tmp_path / "0", f"{folder}/f")
        places = [chance.randrange(1, length - SIZE) for _cut in range(10)]
        places += [chance.randrange(length - SIZE, length) for _cut in range(CUTS - 30)]
        places += [length - chance.randrange(1, LAST) for _cut in range(20)]
        chance.shuffle(places)
        there = 0
        for place in places:
            cutter.limit = place
            new = 1 - there
            replace_cut(url, tmp_path / str(new), f"{folder}/f")
            found = hashlib.sha1(kernel.read_file(f"{folder}/f")).hexdigest()
            assert found in sums, f"cut after {place} of {length} bytes: neither the old content nor the new"
            seen.add("new" if found == sums[new] else "old")
            there = sums.index(found)
            left = [name for name in kernel.listdir(folder) if name != "f"]
            assert len(left) <= 1
            for name in left:  # a client that is gone cannot clean up
                assert name.startswith(".ansible_tmp")
                kernel.unlink(f"{folder}/{name}")
    assert seen == {"old", "new"}


def whole_length(url: str, cutter: Cutter, source: Path, dest: str) -> int:
    """The bytes that go to and fro when nothing is cut."""
    with connect(url) as kernel:
        assert run_action(kernel, "rump_copy", src=str(source), dest=dest)["changed"]
    return cutter.passed


def replace_cut(url: str, source: Path, dest: str) -> None:
    with contextlib.suppress(AnsibleConnectionFailure, RumpError), connect(url, timeout=20) as kernel:
        run_action(kernel, "rump_copy", src=str(source), dest=dest)
