# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules in the place of those of Python's that are written in C, as far as a module's Python has them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from .errors import Refused


def substitute(original: ModuleType, **functions: Any) -> ModuleType:
    """A module with the numbers, texts and exceptions of ``original``, and of its functions only those given.

    All others are refused by name.
    """
    module = ModuleType(original.__name__, original.__doc__)
    for name, value in vars(original).items():
        if name.startswith("__"):
            continue
        if isinstance(value, (int, str, bytes, tuple, list, dict)) or _is_exception(value):
            setattr(module, name, value)
        elif callable(value):
            setattr(module, name, refused(f"{original.__name__}.{name}"))
    for name, function in functions.items():
        setattr(module, name, function)
    return module


def refused(name: str) -> Callable[..., NoReturn]:
    """A function that is not redirected."""

    def refuse(*_arguments: object, **_more: object) -> NoReturn:
        raise Refused(name)

    refuse.__name__ = name.rpartition(".")[2]
    return refuse


def _is_exception(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseException)


def names(text: str) -> frozenset[str]:
    """The words of a text: a long list of names that stays readable."""
    return frozenset(text.split())
