# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module ``_ssl`` of a module's Python, below Python's own ``ssl``: OpenSSL works in memory, the kernel's sockets
carry the bytes.

Who is trusted is the kernel's matter: certificates are read from its files, by the paths that a module gives or
where NetBSD has them, and the controller's trust store is not read.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.util
import os
import weakref
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

from .errors import Refused

_CHUNK: Final = 1 << 16
_DEFAULTS: Final = ("SSL_CERT_FILE", "/etc/openssl/cert.pem", "SSL_CERT_DIR", "/etc/openssl/certs")
"""Where NetBSD's OpenSSL looks (mozilla-rootcerts(8), certctl(8)), in the shape of _ssl.get_default_verify_paths."""
_LARGEST_FILE: Final = 1 << 24


def ssl_module(read_file: Callable[[str], bytes], list_folder: Callable[[str], list[str]]) -> ModuleType:
    """``_ssl``, whose certificates come through two functions of the kernel's.

    :raises ImportError: Python has no OpenSSL.
    """
    spec = importlib.machinery.PathFinder.find_spec("_ssl") or importlib.machinery.BuiltinImporter.find_spec("_ssl")
    if spec is None or spec.loader is None:
        raise ImportError("this Python has no _ssl", name="_ssl")
    original = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(original)

    class Context(original._SSLContext):  # type: ignore[name-defined] # the class is known at run time alone
        """A context that reads no files by itself, and whose connections go over memory."""

        def _wrap_socket(
            self,
            sock: Any,
            server_side: bool,
            server_hostname: str | None = None,
            *,
            owner: Any = None,
            session: Any = None,
        ) -> Connection:
            return Connection(original, self, sock, server_side, server_hostname, owner, session)

        def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
            if cafile is None and capath is None and cadata is None:
                raise TypeError("cafile, capath and cadata cannot be all omitted")
            if cafile is not None:
                super().load_verify_locations(cadata=_text(read_file(os.fspath(cafile))))
            if capath is not None:
                self._load_folder(os.fspath(capath))
            if cadata is not None:
                super().load_verify_locations(cadata=cadata)

        def set_default_verify_paths(self) -> None:
            _name, file, _name, folder = _DEFAULTS
            with contextlib.suppress(OSError, original.SSLError):  # as OpenSSL, which takes what there is
                super().load_verify_locations(cadata=_text(read_file(file)))
            self._load_folder(folder)

        def _load_folder(self, folder: str) -> None:
            for data in _files(folder):
                try:
                    super().load_verify_locations(cadata=data)
                except original.SSLError:
                    continue

        def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
            raise Refused("a certificate of one's own", "is opened by OpenSSL itself, which is not redirected")

        def load_dh_params(self, path: Any) -> None:
            raise Refused("ssl.SSLContext.load_dh_params", "is opened by OpenSSL itself, which is not redirected")

    def _files(folder: str) -> Iterator[str]:
        try:
            names = sorted(list_folder(folder))
        except OSError:
            return
        for name in names:
            try:
                yield _text(read_file(os.path.join(folder, name)))
            except OSError:
                continue

    module = ModuleType("_ssl", original.__doc__)
    module.__dict__.update({name: value for name, value in vars(original).items() if not name.startswith("__")})
    module.__dict__.update(_SSLContext=Context, get_default_verify_paths=lambda: _DEFAULTS)
    return module


class Finder:
    """Of ``_ssl``, for ``sys.meta_path``: few modules need it, and OpenSSL takes a while to load."""

    def __init__(self, read_file: Callable[[str], bytes], list_folder: Callable[[str], list[str]]) -> None:
        self._make = lambda: ssl_module(read_file, list_folder)

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == "_ssl" else None  # type: ignore[arg-type] # no nominal loader

    def create_module(self, spec: object) -> ModuleType:
        return self._make()

    def exec_module(self, module: ModuleType) -> None:
        """It is complete."""


class Connection:
    """``_ssl._SSLSocket``: what ``ssl.SSLSocket`` stands on."""

    def __init__(
        self,
        original: Any,
        context: Any,
        sock: Any,
        server_side: bool,
        server_hostname: str | None,
        owner: Any,
        session: Any,
    ) -> None:
        self._original = original
        self._socket = weakref.ref(sock)
        # SSLSocket has methods of the same names, which come here.
        self._plain: Any = next(kind for kind in type(sock).__mro__ if kind.__module__ == "_socket")
        self._incoming = original.MemoryBIO()
        self._outgoing = original.MemoryBIO()
        self._tls = context._wrap_bio(
            self._incoming, self._outgoing, server_side, server_hostname, owner=owner, session=session
        )

    def do_handshake(self) -> None:
        self._drive(self._tls.do_handshake)

    def read(self, length: int, *buffer: Any) -> Any:
        return self._drive(self._tls.read, length, *buffer)

    def write(self, data: Any) -> int:
        return int(self._drive(self._tls.write, data))

    def shutdown(self) -> Any:
        self._drive(self._tls.shutdown)
        return self._socket()

    def __getattr__(self, name: str) -> Any:
        """Certificates, ciphers, versions: all that is no transport."""
        return getattr(self._tls, name)

    @property
    def session(self) -> Any:
        return self._tls.session

    @session.setter
    def session(self, session: Any) -> None:
        self._tls.session = session

    @property
    def context(self) -> Any:
        return self._tls.context

    @context.setter
    def context(self, context: Any) -> None:
        self._tls.context = context

    def _drive(self, operation: Callable[..., Any], *arguments: Any) -> Any:
        """What ``operation`` gives, once the other side's part of it has come."""
        while True:
            try:
                result = operation(*arguments)
            except self._original.SSLWantReadError:
                self._flush()
                self._fill()
            except self._original.SSLError:
                with contextlib.suppress(OSError):
                    self._flush()  # the alert that tells the other side why
                raise
            else:
                self._flush()
                return result

    def _fill(self) -> None:
        try:
            data = self._plain.recv(self._socket(), _CHUNK)
        except BlockingIOError:
            error = self._original.SSLWantReadError
            raise error(self._original.SSL_ERROR_WANT_READ, "The operation did not complete (read)") from None
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self) -> None:
        while data := self._outgoing.read(_CHUNK):
            self._plain.sendall(self._socket(), data)


def _text(data: bytes) -> str:
    """The PEM certificates in a file, whatever text is between them."""
    if len(data) > _LARGEST_FILE:
        raise OSError(27, "too large a file for certificates")  # EFBIG
    return data.decode("ascii", "ignore")
