# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules of a module's Python: a second set of them, built over the kernel instead of over the controller.

Nothing is patched function by function. What this process imported before, with the session's library, keeps the
controller's ``os`` and ``socket``, and is taken out of ``sys.modules``. What the module imports is then imported
anew, from the same files, and finds ``posix``, ``_io`` and the like to be those of :mod:`.posix` and its kin; so
``os.walk``, ``shutil``, ``pathlib``, ``tempfile`` and Ansible's own module_utils come out right by themselves. Only
modules that reach nothing outside of the process are shared, by the lists below. An extension module that is on none
of them is not imported: what it does could not be redirected.
"""

from __future__ import annotations

import _io
import builtins
import importlib.machinery
import importlib.util
import os
import posix
import sys
import types
from collections.abc import Mapping, Sequence
from importlib.abc import InspectLoader
from typing import Any, Final

from .payload import Payload
from .substitutes import names

# Written in C, and of no reach beyond the process.
_EXTENSIONS: Final = names(
    "_abc _ast _asyncio _bisect _blake2 _bz2 _codecs _codecs_cn _codecs_hk _codecs_iso2022 _codecs_jp _codecs_kr "
    "_codecs_tw _collections _contextvars _crypt _csv _datetime _decimal _elementtree _functools _hashlib _heapq "
    "_imp _interpchannels _json _locale _lsprof _lzma _md5 _multibytecodec _opcode _operator _pickle _queue _random "
    "_sha1 _sha2 _sha256 _sha3 _sha512 _signal _sre _stat _statistics _string _struct _suggestions _symtable "
    "_sysconfig _thread _tokenize _tracemalloc _types _typing _uuid _warnings _weakref _zoneinfo array atexit "
    "audioop binascii builtins cmath errno faulthandler gc itertools marshal math pyexpat sys unicodedata zlib "
    "markupsafe._speedups yaml._yaml _yaml"
)
# Written in Python, and the same; to share them saves their import for each task.
_SHARED: Final = names(
    "__future__ _collections_abc _compat_pickle _frozen_importlib _frozen_importlib_external _py_abc _sitebuiltins "
    "_weakrefset abc ast base64 bisect calendar codecs collections collections.abc contextvars copy copyreg csv "
    "dataclasses datetime decimal difflib dis encodings enum fractions functools hashlib heapq hmac importlib "
    "importlib._abc importlib._bootstrap importlib._bootstrap_external importlib.abc importlib.machinery "
    "importlib.util ipaddress json json.decoder json.encoder json.scanner keyword locale numbers opcode operator "
    "pprint queue quopri re re._casefix re._compiler re._constants re._parser reprlib signal sre_compile "
    "sre_constants sre_parse stat statistics string stringprep struct textwrap threading token types typing "
    "typing.io typing.re warnings weakref zipimport"
)
_ANSIBLE: Final = ("ansible", "ansible_collections")


class Importer:
    """The one finder of ``sys.meta_path``: the payload and Python's installation, less what cannot be redirected."""

    def __init__(self, payload: Payload | None, folder: str) -> None:
        """``folder``: where the controller's own ``ansible`` is."""
        self._payload = payload
        self._names = frozenset(payload.archive.namelist()) if payload else frozenset()
        self._folder = folder

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name.partition(".")[0] in _ANSIBLE:
            return self._packed(name)
        for finder in (
            importlib.machinery.BuiltinImporter,
            importlib.machinery.FrozenImporter,
            importlib.machinery.PathFinder,
        ):
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                _refuse_extension(name, spec)
                return spec
        return None

    def _packed(self, name: str) -> importlib.machinery.ModuleSpec | None:
        if self._payload is None:
            return None
        base = name.replace(".", "/")
        for entry, is_package in ((f"{base}/__init__.py", True), (f"{base}.py", False)):
            if entry in self._names:
                source = self._payload.archive.read(entry)
                origin = f"{self._folder}/{entry}"
                loader = PackedLoader(name, source, origin, is_package)
                spec = importlib.util.spec_from_loader(name, loader, origin=origin, is_package=is_package)
                if spec is not None:
                    spec.has_location = True
                    spec.submodule_search_locations = [f"{self._folder}/{base}"] if is_package else None
                return spec
        return None

    def invalidate_caches(self) -> None:
        """The payload does not change."""


class PackedLoader(InspectLoader):
    """Of a module in the payload. Where the controller has the same text, its compiled code is taken."""

    def __init__(self, name: str, source: bytes, origin: str, is_package: bool) -> None:
        self._name = name
        self._source = source
        self._origin = origin
        self._is_package = is_package

    def is_package(self, fullname: str) -> bool:
        return self._is_package

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self._source)

    def get_filename(self, fullname: str) -> str:
        return self._origin

    def get_code(self, fullname: str) -> types.CodeType | None:
        installed = importlib.machinery.SourceFileLoader(self._name, self._origin)
        try:
            if installed.get_data(self._origin) == self._source:
                return installed.get_code(self._name)
        except OSError:
            pass
        return self.source_to_code(self._source, self._origin)


def _refuse_extension(name: str, spec: importlib.machinery.ModuleSpec) -> None:
    """:raises ImportError: it is written in C, and what it would do on the controller is not known."""
    compiled = spec.loader is importlib.machinery.BuiltinImporter or isinstance(
        spec.loader, importlib.machinery.ExtensionFileLoader
    )
    if compiled and name not in _EXTENSIONS:
        raise ImportError(
            f"{name} is not written in Python, so that what it does cannot be redirected to the rump kernel", name=name
        )


def reading_folders(path: Sequence[str]) -> list[str]:
    """The folders of the controller that modules are imported from, with those of :func:`import_path`."""
    ansible = os.path.dirname(os.path.dirname(os.path.abspath(sys.modules["ansible"].__file__ or "/")))
    ours = os.path.dirname(os.path.abspath(__file__))
    folders = [*path, os.path.dirname(os.__file__), ansible, ours]
    return list(dict.fromkeys(os.path.abspath(folder) for folder in folders))


def replace_modules(
    replacements: Mapping[str, types.ModuleType], opener: Any, payload: Payload | None, path: Sequence[str]
) -> None:
    """Make this process's imports those of a module on the kernel, for good."""
    ansible = os.path.dirname(os.path.dirname(os.path.abspath(sys.modules["ansible"].__file__ or "/")))
    kept = {
        name: module
        for name, module in sys.modules.items()
        if name in _EXTENSIONS or name in _SHARED or name.startswith("encodings.")
    }
    _hide_sources()
    _keep_reading_python()
    _become(posix, replacements["posix"])
    sys.modules.clear()
    sys.modules.update(kept)
    sys.modules.update(replacements)
    sys.modules["posix"] = posix
    sys.modules["__main__"] = types.ModuleType("__main__")
    for name, module in kept.items():
        for attribute, value in list(vars(module).items()):
            child = f"{name}.{attribute}"
            if isinstance(value, types.ModuleType) and value.__name__ == child and child not in kept:
                delattr(module, attribute)  # a package must not lead to a submodule that is not shared
    sys.meta_path[:] = [Importer(payload, ansible)]
    sys.path[:] = path
    sys.path_hooks[:] = [hook for hook in sys.path_hooks if _is_pythons(hook)]
    sys.path_importer_cache.clear()
    sys.dont_write_bytecode = True
    builtins.open = opener


def _keep_reading_python() -> None:
    """Python's own loaders go on reading its installation. ``_io.open_code`` would look ``_io`` up in sys.modules."""
    streams, system = types.ModuleType("_io"), types.ModuleType("posix")
    streams.__dict__.update(vars(_io))
    system.__dict__.update(vars(posix))
    read = _io.open
    streams.open_code = lambda path: read(path, "rb")  # type: ignore[attr-defined] # of a module made here
    for loaders in ("importlib._bootstrap_external", "zipimport"):
        if loaders in sys.modules:
            sys.modules[loaders]._io = streams  # type: ignore[attr-defined] # a private name
            sys.modules[loaders]._os = system  # type: ignore[attr-defined] # a private name


def _become(module: types.ModuleType, other: types.ModuleType) -> None:
    """Give a module the contents of another one.

    From Python 3.13 on ``os.stat_result`` needs the module ``posix`` of ``sys.modules`` to be Python's own. The
    library's ``os`` took all that it has from it when it was imported.
    """
    for name in [name for name in vars(module) if not name.startswith("__")]:
        delattr(module, name)
    module.__dict__.update({name: value for name, value in vars(other).items() if not name.startswith("__")})


def _hide_sources() -> None:
    """The text of what runs below the module is not shown in its tracebacks: it would be read from the controller."""
    for name, module in sys.modules.items():
        if name.partition(".")[0] in _ANSIBLE and hasattr(module, "__loader__"):
            module.__loader__ = None
            if module.__spec__ is not None:
                module.__spec__.loader = None


def import_path() -> list[str]:
    """``sys.path`` without the folder of the program that runs, and what depends on the working directory."""
    program = os.path.dirname(os.path.abspath(sys.argv[0])) if sys.argv and sys.argv[0] else ""
    return [folder for folder in sys.path if os.path.isabs(folder) and os.path.abspath(folder) != program]


def _is_pythons(hook: Any) -> bool:
    return getattr(hook, "__module__", "") in (
        "zipimport",
        "_frozen_importlib_external",
        "importlib._bootstrap_external",
    )
