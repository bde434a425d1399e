# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of docs/library.md do what they say, on every backend: a test for each section."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import connect
from ansible_collections.rumpkernel.rump.tests.support.backends import ROOT, Server

PAGE = ROOT / "docs" / "library.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
URL = "unix:///tmp/csock"


def sections() -> dict[str, str]:
    """The examples below each heading."""
    parts = re.split(r"^#+ (.*)\n", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found = {title: "".join(BLOCK.findall(text)) for title, text in zip(parts[::2], parts[1::2], strict=True)}
    return {title: examples for title, examples in found.items() if examples}


SECTIONS = sections()
FIRST = next(iter(SECTIONS))


@pytest.mark.parametrize("section", SECTIONS)
def test_examples(server: Server, section: str) -> None:
    # Each section starts with what the first one made, and with the imports of those before it.
    before = [FIRST, *list(SECTIONS)[1 : list(SECTIONS).index(section)]] if section != FIRST else []
    imports = re.findall(r"^>>> (?:from|import) .*\n", "".join(SECTIONS[title] for title in before), re.MULTILINE)
    with connect(server.url, timeout=20) as kernel:
        names: dict[str, object] = {"k": kernel}
        for line in imports:
            exec(line.removeprefix(">>> "), names)
        test = doctest.DocTestParser().get_doctest(
            SECTIONS[section].replace(URL, server.url), names, section, str(PAGE), 0
        )
        said: list[str] = []
        # The library's classes of errors are named after Python's, with more before the name.
        runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL | doctest.REPORT_NDIFF)
        result = runner.run(test, out=said.append)
        assert result.attempted > 0
        assert result.failed == 0, "".join(said)


def test_the_folder_does_alone(server: Server) -> None:
    program = f"from sysproxy import connect\nwith connect({server.url!r}) as k: print(k.getcwd())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "plugins" / "module_utils")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "/\n"), done.stderr
