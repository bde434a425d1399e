# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small HTTP server that lives on a kernel's network stack, by a session of its own, with TLS if wanted."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import KernelError, connect
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.sockets import Socket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_Result = TypeVar("_Result")
_LIMIT = 20.0
_PAUSE = 0.2
_CHUNK = 1 << 14


@dataclass
class Site:
    """What is served: bodies by path. ``requests`` holds what came, head and body."""

    pages: dict[str, bytes]
    requests: list[bytes] = field(default_factory=list)
    port: int = 0


@contextlib.contextmanager
def serving(url: str, pages: dict[str, bytes], tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Serve ``pages`` at a port of 127.0.0.1 in the kernel at ``url``, for a block."""
    site, ended = Site(pages), threading.Event()
    with connect(url, timeout=_LIMIT) as kernel, kernel.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_PAUSE)
        address = listener.getsockname()
        assert isinstance(address, tuple)
        site.port = int(address[1])
        worker = threading.Thread(target=_serve, args=(listener, site, tls, ended), daemon=True)
        worker.start()
        try:
            yield site
        finally:
            ended.set()
            worker.join(_LIMIT)
            assert not worker.is_alive()


def _serve(listener: Socket, site: Site, tls: ssl.SSLContext | None, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            client, _address = listener.accept()
        except TimeoutError:
            continue
        client.settimeout(_LIMIT)
        with client, contextlib.suppress(ssl.SSLError, KernelError):
            _answer(_Encrypted(client, tls) if tls else client, site)


def _answer(client: Socket | _Encrypted, site: Site) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        data = client.recv(_CHUNK)
        if not data:
            return  # somebody only looks whether the port is open
        request += data
    head, _blank, body = request.partition(b"\r\n\r\n")
    lengths = [int(line.split(b":")[1]) for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    while len(body) < sum(lengths):
        body += client.recv(_CHUNK)
    site.requests.append(head + b"\r\n\r\n" + body)
    page = site.pages.get(head.split()[1].decode())
    status = b"200 OK" if page is not None else b"404 Not Found"
    page = page if page is not None else b"no such page"
    kind = b"application/json" if page.startswith(b"{") else b"text/plain"
    fields = b"Content-Type: %s\r\nContent-Length: %d\r\nConnection: close" % (kind, len(page))
    client.sendall(b"HTTP/1.1 %s\r\n%s\r\n\r\n%s" % (status, fields, page))


class _Encrypted:
    """The server's side of TLS, over a socket of the kernel's."""

    def __init__(self, plain: Socket, context: ssl.SSLContext) -> None:
        self._plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._until(self._tls.do_handshake)

    def recv(self, size: int) -> bytes:
        return self._until(lambda: self._tls.read(size))

    def sendall(self, data: bytes) -> None:
        self._until(lambda: self._tls.write(data))

    def _until(self, operation: Callable[[], _Result]) -> _Result:
        while True:
            with contextlib.suppress(ssl.SSLWantReadError):
                result = operation()
                self._plain.sendall(self._outgoing.read())
                return result
            self._plain.sendall(self._outgoing.read())
            data = self._plain.recv(_CHUNK)
            if not data:
                raise ssl.SSLEOFError("the client went away")
            self._incoming.write(data)


def certificate(folder: Path) -> tuple[ssl.SSLContext, bytes]:
    """A server's context with a fresh certificate for 127.0.0.1, and that certificate as PEM, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kernel")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    chain = folder / "chain.pem"
    chain.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + pem
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context, pem
