# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lists by which a module's Python is made: nothing that they share leads to the controller's system."""

from __future__ import annotations

import importlib
import posix
import sys
import types
import warnings

import pytest
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection import imports
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection import posix as redirected
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection.errors import NoProgram, Refused

# Python's modules that act on the system, or hand on functions that do.
SYSTEM = {
    *("posix", "_io", "io", "os", "posixpath", "genericpath", "pathlib", "shutil", "tempfile", "glob", "fileinput"),
    *("subprocess", "_posixsubprocess", "socket", "_socket", "ssl", "_ssl", "select", "selectors", "fcntl", "mmap"),
    *("pwd", "grp", "resource", "termios", "syslog", "ctypes", "_ctypes", "sqlite3", "time", "platform", "logging"),
    *("multiprocessing", "asyncio", "tokenize", "linecache", "random", "zipfile", "tarfile", "inspect", "contextlib"),
}
# What of those is within reach, and why it does no harm.
WITHIN_REACH = {
    ("threading", "_os"): "register_at_fork alone",
    ("dataclasses", "inspect"): "signatures alone",
    ("dis", "io"): "StringIO alone",
    ("pprint", "_StringIO"): "a buffer",
    ("ast", "contextmanager"): "a decorator",
    ("statistics", "random"): "numbers",
    ("statistics", "_random"): "numbers",
    ("typing", "contextlib"): "classes of managers",
}


@pytest.mark.parametrize("name", sorted(imports._SHARED))
def test_what_is_shared_does_not_lead_to_the_system(name: str) -> None:
    try:
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            module = importlib.import_module(name)
    except ImportError:
        pytest.skip(f"Python {sys.version_info[0]}.{sys.version_info[1]} has no module {name}")
    if name.startswith(("importlib", "_frozen_importlib", "zipimport")):
        return  # Python's loaders, which read its installation; the guard sees to it that they read nothing else
    for attribute, value in vars(module).items():
        if attribute.startswith("__") or (name, attribute) in WITHIN_REACH:
            continue
        if isinstance(value, types.ModuleType):
            assert value.__name__ not in SYSTEM, attribute
        elif isinstance(value, types.BuiltinFunctionType | types.FunctionType):
            assert value.__module__ not in SYSTEM - {"time", "io", "_io"}, attribute
            assert value is not open, attribute


def test_every_function_of_posix_is_redirected_or_refused() -> None:
    """With no page at all, nothing is left but what is harmless."""
    module = redirected.posix_module([], {})
    for name, value in vars(posix).items():
        if name.startswith("__") or not callable(value) or isinstance(value, type):
            continue
        if name in redirected._NOT_NETBSDS:
            assert not hasattr(module, name)
        elif name in redirected._HARMLESS:
            assert getattr(module, name) is value
        elif name not in ("putenv", "unsetenv", "cpu_count"):
            with pytest.raises((Refused, NoProgram)):
                getattr(module, name)()


def test_no_extension_of_the_system_is_taken_as_it_is() -> None:
    assert not imports._EXTENSIONS & SYSTEM
