# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts' names in the kernel's network: numeric addresses, the kernel's /etc/hosts, localhost, the kernel's DNS.

The controller's resolver is not asked: what it knows are names of the controller's network.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket as host
from collections.abc import Iterator
from typing import Any, Final

from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel, KernelError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.kernel.interfaces import IPAddress

from .resolver import AAAA, A, NoAnswer, Resolver

_HOSTS: Final = "/etc/hosts"
_LARGEST_HOSTS: Final = 1 << 20
_LOCALHOST: Final = ("127.0.0.1", "::1")
_KINDS: Final = ((host.SOCK_STREAM, host.IPPROTO_TCP), (host.SOCK_DGRAM, host.IPPROTO_UDP))


class Names:
    """The functions of ``socket`` that turn names into addresses and back."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def gethostname(self) -> str:
        return str(self._kernel.sysctl.get("kern.hostname"))

    def getaddrinfo(
        self,
        host_name: str | bytes | None,
        port: str | bytes | int | None,
        family: int = 0,
        type: int = 0,  # noqa: A002
        proto: int = 0,
        flags: int = 0,
    ) -> list[tuple[host.AddressFamily, host.SocketKind, int, str, tuple[Any, ...]]]:
        """As ``socket.getaddrinfo``.

        :raises socket.gaierror: the kernel knows no such host, or the port is no number.
        """
        number = _port(port)
        found = []
        for address in self._addresses(_text(host_name), family, flags):
            place: tuple[Any, ...] = (str(address), number)
            its_family = host.AF_INET
            if address.version == 6:
                its_family = host.AF_INET6
                bare, _percent, zone = str(address).partition("%")
                place = (bare, number, 0, self._scope(zone))
            for kind, protocol in _KINDS:
                if type in (0, kind) and proto in (0, protocol):
                    found.append((host.AddressFamily(its_family), host.SocketKind(kind), protocol, "", place))
        if not found:
            raise host.gaierror(host.EAI_FAMILY, f"{host_name!r} has no address of this family or type")
        return found

    def gethostbyname(self, name: str) -> str:
        return str(self.getaddrinfo(name, 0, host.AF_INET)[0][4][0])

    def gethostbyname_ex(self, name: str) -> tuple[str, list[str], list[str]]:
        return name, [], [place[0] for *_rest, place in self.getaddrinfo(name, 0, host.AF_INET, host.SOCK_STREAM)]

    def gethostbyaddr(self, address: str) -> tuple[str, list[str], list[str]]:
        """:raises socket.herror: /etc/hosts of the kernel has no name for it."""
        wanted = {place[0] for *_rest, place in self.getaddrinfo(address, 0, 0, host.SOCK_STREAM)}
        for found, names in self._lines():
            if str(found) in wanted:
                return names[0], names[1:], [str(found)]
        raise host.herror(1, f"the kernel knows no name for {address}")

    def getnameinfo(self, place: tuple[Any, ...], flags: int) -> tuple[str, str]:
        with contextlib.suppress(host.herror):
            if not flags & host.NI_NUMERICHOST:
                return self.gethostbyaddr(place[0])[0], str(place[1])
        return str(place[0]), str(place[1])

    def if_nameindex(self) -> list[tuple[int, str]]:
        return [(found.index, found.name) for found in self._kernel.interfaces.all()]

    def if_nametoindex(self, name: str) -> int:
        return self._kernel.if_nametoindex(name)

    def if_indextoname(self, index: int) -> str:
        for known, name in self.if_nameindex():
            if known == index:
                return name
        raise OSError(6, "no interface has this index")  # ENXIO

    def _scope(self, zone: str) -> int:
        if not zone:
            return 0
        return int(zone) if zone.isdecimal() else self._kernel.if_nametoindex(zone)

    def _addresses(self, name: str | None, family: int, flags: int) -> list[IPAddress]:
        if not name:
            any_or_own = ("0.0.0.0", "::") if flags & host.AI_PASSIVE or name == "" else _LOCALHOST
            found = [ipaddress.ip_address(text) for text in any_or_own]
        elif (numeric := _numeric(name)) is not None:
            found = [numeric]
        else:
            found = [] if flags & host.AI_NUMERICHOST else self._by_name(name.rstrip(".").lower(), family)
            if not found:
                raise host.gaierror(
                    host.EAI_NONAME,
                    f"the kernel knows no host {name!r}: names are looked up in its own {_HOSTS}, and by the name "
                    "servers of its /etc/resolv.conf; give an address",
                )
        version = {int(host.AF_INET): 4, int(host.AF_INET6): 6}.get(int(family))
        return [address for address in found if version in (None, address.version)]

    def _by_name(self, name: str, family: int) -> list[IPAddress]:
        found = [address for address, names in self._lines() if name in map(str.lower, names)]
        if found:
            return found
        known = ("localhost", self.gethostname().lower())
        if name in known:
            return [ipaddress.ip_address(text) for text in _LOCALHOST]
        kinds = [A] if family in (0, host.AF_INET) else []
        kinds += [AAAA] if family == host.AF_INET6 or (family == 0 and self._has_ipv6()) else []
        try:
            return Resolver(self._kernel).addresses(name, kinds)
        except NoAnswer as error:
            raise host.gaierror(host.EAI_AGAIN, str(error)) from None

    def _has_ipv6(self) -> bool:
        """Whether an address that is reached over IPv6 would be of any use."""
        addresses = [address.interface for found in self._kernel.interfaces.all() for address in found.addresses]
        return any(one.version == 6 and not one.ip.is_loopback and not one.ip.is_link_local for one in addresses)

    def _lines(self) -> Iterator[tuple[IPAddress, list[str]]]:
        try:
            if self._kernel.stat(_HOSTS).st_size > _LARGEST_HOSTS:
                return
            text = self._kernel.read_file(_HOSTS).decode(errors="replace")
        except KernelError:
            return
        for line in text.splitlines():
            words = line.partition("#")[0].split()
            if len(words) > 1 and (address := _numeric(words[0])) is not None:
                yield address, words[1:]


def _text(name: str | bytes | None) -> str | None:
    return name.decode("idna") if isinstance(name, bytes) else name


def _numeric(text: str) -> IPAddress | None:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(text)
    return None


def _port(port: str | bytes | int | None) -> int:
    try:
        number = int(port or 0)
    except ValueError:
        raise host.gaierror(host.EAI_SERVICE, f"{port!r} is no port's number") from None
    if not 0 <= number <= 0xFFFF:
        raise OverflowError("a port is a number from 0 to 65535")
    return number
