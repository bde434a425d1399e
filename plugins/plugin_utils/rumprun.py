# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What starts a Rumprun unikernel: its configuration, the host's command, and where it serves sysproxy.

The configuration is read by the guest itself, with a tokenizer of its own that is not quite JSON's. What follows from
that is here and in :func:`configuration`; the facts are those of rumprun's ``lib/librumprun_base/config.c``,
``parseargs.c`` and ``lib/libbmk_core/jsmn.c`` at its last commit, and of buildrump.sh's ``brlib/libnetconfig``, which
sets up the network.

- Keys repeat: there is one ``env``, ``blk`` and ``net`` for each of these. The guest heeds their order.
- Every value is a string, numbers too. Escapes are checked and then left as they are, so that a quotation mark cannot
  be said, but in ``cmdline``, where the guest takes backslashes away.
- The guest begins at the first ``{`` of its command line, which begins with the path of the image.
- A second default route of a family is an error that ends the guest, but not where DHCP brings it: so an address with a
  gateway comes before those that DHCP gives.
"""

from __future__ import annotations

import hashlib
import ipaddress
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ansible.module_utils.parsing.convert_bool import boolean

Guest = Mapping[str, Any]

PORT: Final = 12345
MEMORY: Final = 64
PLATFORMS: Final = ("kvm", "qemu", "xen")
# In the guest's driver for Xen's disks.
XEN_DISKS: Final = 10
# The guest's buffer for its command line, and what a value in Xen's store may have, with its key.
COMMAND_LINE_LIMIT: Final = 4096
_OTHER_SOURCE: Final = "_RUMPRUN_ROOTFSCFG="
_SYSPROXY: Final = "RUMPRUN_SYSPROXY"
# Strings that the tokenizer takes as they are: a backslash only where it begins an escape.
_TAKEN: Final = re.compile(r'(?:[^"\\\0]|\\(?:["/\\bfnrt]|u[0-9A-Fa-f]{4}))*', re.DOTALL)
_MODES: Final = {"foreground": "", "background": "&", "pipe": "|"}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# Of one interface, not of a group of them.
_MAC: Final = re.compile(r"[0-9A-Fa-f][02468ACEace](?::[0-9A-Fa-f]{2}){5}")
# A domain is made paused, since its configuration goes below its number in the store, with a mark by which it is known
# again: no other domain is ever destroyed. The store takes values as they are (-R) instead of unescaping them. The
# process is the domain's console, and the domain goes with it, whichever ends first. What xl leaves behind to wait for
# the domain's end gets none of the descriptors that tell whether the process is there.
_XEN: Final = """\
name=$1 configuration=$2
shift 2
if number=$(xl domid "$name" 2>/dev/null); then
    if ! xenstore-read "/local/domain/$number/rumprun/launcher" >/dev/null 2>&1; then
        echo "there is a domain $name (number $number) that was not started as this guest; it is left alone" >&2
        exit 1
    fi
    xl destroy "$number" || exit
fi
number=
end() {
    trap '' TERM INT HUP
    [ -n "$number" ] || number=$(xl domid "$name" 2>/dev/null) || return
    xl destroy "$number" 2>/dev/null
}
trap 'exit 0' TERM INT HUP
trap end EXIT
(
    exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
    exec xl create -p /dev/null "$@"
) || exit
number=$(xl domid "$name") || exit
store=/local/domain/$number/rumprun
xenstore-write -R "$store/launcher" rumpkernel.rump "$store/cfg" "$configuration" || exit
xl unpause "$number" || exit
xl console "$number" &
wait $!
"""
# Destroys the domain if its process was killed with no chance to do it: while it is there, it locks the record.
_XEN_CLEAN: Final = """\
name=$1 record=$2
number=$(xl domid "$name" 2>/dev/null) || exit 0
xenstore-read "/local/domain/$number/rumprun/launcher" >/dev/null 2>&1 || exit 0
if [ -e "$record" ] && ! flock -n "$record" true; then exit 0; fi
xl destroy "$number" && echo "destroyed domain $number"
"""


class GuestError(ValueError):
    """The guest cannot be started as it is asked for; says which option is wrong."""


def configuration(guest: Guest) -> str:
    """The guest's configuration as it reads it, in one line where no string has more.

    Takes the keys ``platform``, ``hostname``, ``environment``, ``disks``, ``interfaces``, ``arguments``, ``programs``,
    ``sysproxy`` and ``port`` of a guest, as the role documents them.

    :raises GuestError: something cannot be said in the guest's language.
    """
    xen = _platform(guest) == "xen"
    pairs: list[tuple[str, Any]] = []
    hostname = guest.get("hostname") or guest.get("name")
    if hostname:
        pairs.append(("hostname", _string(hostname, "hostname")))
    environment = guest.get("environment") or {}
    if not isinstance(environment, Mapping):
        raise GuestError(f"environment: {environment!r} is no mapping of names to values")
    environment = dict(environment)
    if _has_sysproxy(guest):
        if _SYSPROXY in environment:
            raise GuestError(f"environment: {_SYSPROXY} follows from the option port")
        environment[_SYSPROXY] = f"tcp://0:{_port(guest)}"
    for name, value in environment.items():
        if not name or "=" in str(name):
            raise GuestError(f"environment: {name!r} is no name for a variable")
        pairs.append(("env", _string(f"{name}={value}", f"environment: {name}")))
    if xen:
        # Drivers of Xen's use it, and every image for Xen has it.
        pairs.append(("blk", _object({"source": "dev", "path": "virtual", "fstype": "kernfs", "mountpoint": "/kern"})))
    pairs += [("blk", _object(disk)) for disk in _disks(guest, xen)]
    pairs += [("net", _object(address)) for address in _addresses(guest, xen)]
    pairs.append(_programs(guest))
    # No comma after the last: the tokenizer would look before its first token.
    text = "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
    if _OTHER_SOURCE in text:
        raise GuestError(f"{_OTHER_SOURCE} makes the guest look for its configuration elsewhere, wherever it is")
    return text


def _platform(guest: Guest) -> str:
    platform = guest.get("platform") or "kvm"
    if platform not in PLATFORMS:
        raise GuestError(f"platform: {platform!r} is none of {', '.join(PLATFORMS)}")
    return str(platform)


def _has_sysproxy(guest: Guest) -> bool:
    value = guest.get("sysproxy")
    try:
        return value is None or bool(boolean(value))
    except TypeError:
        raise GuestError(f"sysproxy: {value!r} is neither true nor false") from None


def _whole_number(guest: Guest, option: str, default: int, limit: int) -> int:
    """An option's number, which is at least 1 and at most the limit."""
    value = guest.get(option)
    if value is None:
        return default
    try:
        number = int(str(value))
    except ValueError:
        number = 0
    if not 1 <= number <= limit:
        raise GuestError(f"{option}: {value!r} is no whole number from 1 to {limit}")
    return number


def _list(guest: Guest, option: str) -> Sequence[Any]:
    values = guest.get(option) or []
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise GuestError(f"{option}: {values!r} is no list")
    return values


def _mappings(guest: Guest, option: str) -> Sequence[Mapping[str, Any]]:
    members = _list(guest, option)
    for member in members:
        if not isinstance(member, Mapping):
            raise GuestError(f"{option}: {member!r} is no mapping of options")
    return members


def _path(value: Any, option: str) -> str:
    """A file of the host's. The programs that open it run in the root directory, and no shell expands it."""
    if value is None or not str(value).startswith("/"):
        raise GuestError(f"{option}: {value!r} does not begin with a /")
    return str(value)


def _string(value: Any, option: str) -> str:
    """A string that the guest gets as it is."""
    text = str(value)
    if not _TAKEN.fullmatch(text):
        raise GuestError(
            f"{option}: the guest cannot be given {text!r}: it has no way to say a quotation mark, or a backslash"
            ' but before one of "/\\bfnrtu'
        )
    return f'"{text}"'


def _object(members: Mapping[str, Any]) -> str:
    return "{" + ",".join(f'"{key}":{_string(value, key)}' for key, value in members.items()) + "}"


def _disks(guest: Guest, xen: bool) -> Iterable[dict[str, str]]:
    for index, disk in enumerate(_mappings(guest, "disks")):
        mountpoint = disk.get("mountpoint")
        if mountpoint is not None and not str(mountpoint).startswith("/"):
            raise GuestError(f"disks: mountpoint {mountpoint!r} does not begin with a /")
        where = {"source": "etfs", "path": disk_name(index)} if xen else {"source": "dev", "path": f"/dev/ld{index}a"}
        if mountpoint is not None:
            yield {**where, "fstype": "blk", "mountpoint": str(mountpoint)}
        elif xen:  # a device that the guest has only when told; virtio's are found
            yield where


def disk_name(index: int) -> str:
    """A disk's name on Xen."""
    if index >= XEN_DISKS:
        raise GuestError(f"disks: on Xen a guest has {XEN_DISKS} at most")
    return f"xvd{chr(ord('a') + index)}"


def _addresses(guest: Guest, xen: bool) -> list[dict[str, str]]:
    """One ``net`` for each family of each interface."""
    addresses = list(_addresses_as_given(guest, xen))
    for family, option in (("inet", "ipv4_gateway"), ("inet6", "ipv6_gateway")):
        if sum(address["type"] == family and "gw" in address for address in addresses) > 1:
            raise GuestError(f"interfaces: {option}: the guest ends with an error when it gets a second default route")
    addresses.sort(key=lambda address: "gw" not in address)
    made: set[str] = set()
    for place, address in enumerate(addresses):
        if xen and address["if"] not in made:
            # Made by the first that is about it; it would be an error to make it twice.
            addresses[place] = {"if": address["if"], "cloner": "true", **address}
            made.add(address["if"])
    return addresses


def _addresses_as_given(guest: Guest, xen: bool) -> Iterable[dict[str, str]]:
    for index, interface in enumerate(_mappings(guest, "interfaces")):
        name = interface_name(index, xen)
        for option, family, automatic in (("ipv4", "inet", "dhcp"), ("ipv6", "inet6", "auto")):
            value = interface.get(option)
            gateway = interface.get(f"{option}_gateway")
            if value is None:
                if gateway is not None:
                    raise GuestError(f"interfaces: {option}_gateway without {option}")
                continue
            common = {"if": name, "type": family}
            if value == automatic:
                if gateway is not None:
                    raise GuestError(f"interfaces: {option}_gateway goes with an address, not with {automatic}")
                yield {**common, "method": automatic}
                continue
            address = _interface_address(value, option, automatic)
            static = {"addr": str(address.ip), "mask": str(address.network.prefixlen)}
            if gateway is not None:
                static["gw"] = _gateway(gateway, option, address)
            yield {**common, "method": "static", **static}


def interface_name(index: int, xen: bool) -> str:
    """An interface's name in the guest."""
    return f"xenif{index}" if xen else f"vioif{index}"


def _interface_address(value: Any, option: str, automatic: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    version = 4 if option == "ipv4" else 6
    try:
        address = ipaddress.ip_interface(str(value))
    except ValueError:
        address = None
    if address is None or address.version != version or "/" not in str(value) or "%" in str(value):
        raise GuestError(f"interfaces: {option}: {value!r} is neither {automatic} nor an address with its length")
    if version == 6 and address.network.prefixlen % 8:
        raise GuestError(f"interfaces: {option}: {value!r}: the guest takes lengths that are multiples of 8")
    return address


def _gateway(value: Any, option: str, own: ipaddress.IPv4Interface | ipaddress.IPv6Interface) -> str:
    """The gateway of an interface with this address."""
    try:
        address = ipaddress.ip_address(str(value))
    except ValueError:
        address = None
    if address is None or address.version != own.version:
        raise GuestError(f"interfaces: {option}_gateway: {value!r} is no address of that family")
    if address.is_link_local and own.version == 6:
        raise GuestError(f"interfaces: {option}_gateway: the guest has no way to say on which link {value} is")
    if address not in own.network or address == own.ip:
        raise GuestError(f"interfaces: {option}_gateway: {value} is no other address of {own.network}")
    return str(address)


def _programs(guest: Guest) -> tuple[str, str]:
    """What is run: one program by its command line, or several, each with a list of arguments."""
    programs = _mappings(guest, "programs")
    arguments = [str(argument) for argument in _list(guest, "arguments")]
    if not programs:
        words = [guest.get("name") or "rumprun", *arguments]
        return "cmdline", f'"{" ".join(_word(str(word)) for word in words)}"'
    if arguments:
        raise GuestError("arguments, programs: only one of them")
    entries = []
    for program in programs:
        mode = program.get("mode", "foreground")
        if mode not in _MODES:
            raise GuestError(f"programs: mode {mode!r} is none of {', '.join(_MODES)}")
        if not program.get("name"):
            raise GuestError("programs: one has no name")
        given = ",".join(_string(argument, "programs: arguments") for argument in _list(program, "arguments"))
        # The guest reads the arguments of each, and ends when there are none to read.
        members = [f'"bin":{_string(program["name"], "programs: name")}', f'"argv":[{given}]']
        if _MODES[mode]:
            members.append(f'"runmode":"{_MODES[mode]}"')
        entries.append("{" + ",".join(members) + "}")
    if programs[-1].get("mode") == "pipe":
        raise GuestError("programs: there is none after the last that a pipe could lead to")
    return "rc_TESTING", f"[{','.join(entries)}]"


def _word(text: str) -> str:
    """A word of the command line, as the guest splits it.

    Backslashes hold inside apostrophes, too, where the guest would take a quotation mark for one of the outer kind.
    """
    if "'" in text or "\0" in text:
        raise GuestError(
            f"arguments: {text!r} has an apostrophe, which the guest's command line cannot say; programs can"
        )
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f"'{escaped}'" if not text or re.search(r"[ \n\t]", text) else escaped


def _port(guest: Guest) -> int:
    return _whole_number(guest, "port", PORT, (1 << 16) - 1)


def _memory(guest: Guest) -> int:
    """In MiB."""
    return _whole_number(guest, "memory", MEMORY, 1 << 20)


def _mac(guest: Guest, index: int, interface: Mapping[str, Any], host: str) -> str:
    given = interface.get("mac")
    if given is None:
        return mac_address(str(guest["name"]), index, host)
    # YAML takes one of digits alone for a number in base 60.
    if not isinstance(given, str) or not _MAC.fullmatch(given):
        raise GuestError(f'interfaces: mac: {given!r} is none, as "52:54:00:12:34:56" is, with the quotation marks')
    return given


def mac_address(name: str, index: int, host: str = "") -> str:
    """An interface's address when none is given: always the same, below the prefix that QEMU's are taken from. Guests
    of the same name on two hosts have two."""
    digest = hashlib.sha256(f"{host}/{name}/{index}".encode()).digest()
    return "52:54:00:" + ":".join(f"{octet:02x}" for octet in digest[:3])


def server_url(guest: Guest) -> str | None:
    """Where the guest's host reaches its sysproxy; None for a guest that has none.

    :raises GuestError: nothing tells the guest's address.
    """
    if not _has_sysproxy(guest):
        return None
    address = guest.get("address")
    if address is not None and not _is_ipv4(str(address)):
        raise GuestError(f"address: {address!r} is no IPv4 address")
    forward = forwarded(guest)
    if forward is not None:
        return f"tcp://{forward}"
    for interface in _mappings(guest, "interfaces"):
        if address is None and interface.get("ipv4") not in (None, "dhcp"):
            address = str(_interface_address(interface["ipv4"], "ipv4", "dhcp").ip)
    if address is None:
        raise GuestError(
            "interfaces, address: sysproxy needs an interface of backend user with IPv4, an IPv4 address that you give,"
            " or the option address, which tells the one that the guest will have"
        )
    return f"tcp://{address}:{_port(guest)}"


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_forwarded(interface: Mapping[str, Any]) -> bool:
    """Whether a port of the host's can lead to the guest over it."""
    return interface.get("backend") == "user" and interface.get("ipv4") is not None


def forwarded(guest: Guest) -> str | None:
    """ADDRESS:PORT of the host that leads to the guest's sysproxy; None for a guest that has none, or is reached at an
    address of its own.

    :raises GuestError: the option forward is none.
    """
    if not _has_sysproxy(guest) or not any(_is_forwarded(interface) for interface in _mappings(guest, "interfaces")):
        return None
    forward = str(guest.get("forward") or f"127.0.0.1:{_port(guest)}")
    address, _colon, port = forward.rpartition(":")
    if not _is_ipv4(address) or not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) >= 1 << 16:
        raise GuestError(f"forward: {forward!r} is no ADDRESS:PORT, as 127.0.0.1:12345 is")
    return forward


def command(guest: Guest, qemu: str = "qemu-system-x86_64", host: str = "") -> list[str]:
    """The command that runs the guest in the foreground, with its console on the standard output. ``host`` tells its
    MAC addresses from those of guests of the same name elsewhere.

    :raises GuestError: the guest is asked for what cannot be.
    """
    name = _name(guest)
    if guest.get("image") is None:
        raise GuestError(f"image: {name} has none")
    _path(guest["image"], "image")
    for disk in _mappings(guest, "disks"):
        _path(disk.get("path"), "disks: path")
    text = configuration(guest)
    if _platform(guest) == "xen":
        return _xen_command(guest, text, host)
    return _qemu_command(guest, text, qemu, host)


def clean_command(guest: Guest, record: str) -> list[str]:
    """The command that destroys what outlived the guest's process when that was killed, a domain of Xen's, and then
    says so; nothing for a guest whose process is all of it. ``record`` is the file that the process locks.

    :raises GuestError: its name cannot be.
    """
    name = _name(guest)
    return ["sh", "-c", _XEN_CLEAN, "rumprun-xen-clean", name, record] if _platform(guest) == "xen" else []


def _name(guest: Guest) -> str:
    name = str(guest.get("name") or "")
    if not _NAME.fullmatch(name):
        raise GuestError(f"name: {name!r} is not of letters, digits, dots, hyphens and underscores")
    if _platform(guest) == "xen" and name.isdigit():
        raise GuestError(f"name: {name!r} would be the number of another domain to Xen; it has something but digits")
    return name


def _qemu_command(guest: Guest, text: str, qemu: str, host: str) -> list[str]:
    image = str(guest["image"])
    if "{" in image or _OTHER_SOURCE in image:
        raise GuestError(f"image: the guest reads its configuration from the first brace, which is in {image!r}")
    if len(f"{image} {text}".encode()) >= COMMAND_LINE_LIMIT:
        raise GuestError(f"the image's path and the configuration have more than {COMMAND_LINE_LIMIT - 1} bytes")
    words = [qemu, "-name", _escape(guest["name"]), "-nodefaults", "-no-user-config", "-machine", "pc"]
    words += ["-accel", "kvm", "-cpu", "host"] if _platform(guest) == "kvm" else ["-accel", "tcg"]
    words += ["-m", str(_memory(guest))]
    # Without a display the guest's console is the serial line.
    words += ["-display", "none", "-serial", "stdio"]
    for disk in _mappings(guest, "disks"):
        words += ["-drive", f"if=virtio,format=raw,file={_escape(disk['path'])}"]
    forward = forwarded(guest)
    for index, interface in enumerate(_mappings(guest, "interfaces")):
        backend, forward = _backend(guest, index, interface, forward)
        words += ["-netdev", backend]
        mac = _mac(guest, index, interface, host)
        # No program to boot from the network has to be there.
        words += ["-device", f"virtio-net-pci,netdev=net{index},mac={mac},romfile="]
    words += [str(option) for option in _list(guest, "options")]
    return [*words, "-kernel", image, "-append", text]


def _backend(guest: Guest, index: int, interface: Mapping[str, Any], forward: str | None) -> tuple[str, str | None]:
    """What an interface is connected to, and the port that is still to be forwarded."""
    kind = interface.get("backend")
    parts = [f"{kind}", f"id=net{index}"]
    if kind == "user":
        own = ""
        if interface.get("ipv4") not in (None, "dhcp"):
            address = _interface_address(interface["ipv4"], "ipv4", "dhcp")
            own = str(address.ip)
            parts += _user_network(address, interface.get("ipv4_gateway"))
        if forward and _is_forwarded(interface):
            parts.append(f"hostfwd=tcp:{forward}-{own}:{_port(guest)}")
            forward = None
    elif kind == "tap":
        parts += [f"ifname={_escape(_device(interface))}", "script=no", "downscript=no"]
    elif kind == "bridge":
        parts.append(f"br={_escape(_device(interface))}")
    else:
        raise GuestError(f"interfaces: backend {kind!r} is none of user, tap, bridge")
    if interface.get("options"):
        parts.append(str(interface["options"]))
    return ",".join(parts), forward


def _user_network(address: ipaddress.IPv4Interface | ipaddress.IPv6Interface, gateway: Any) -> list[str]:
    """A network of QEMU's own with the guest's address, whose other addresses are not the guest's: QEMU's own are
    the second and the third if nothing is said, and the first that DHCP gives the fifteenth.

    :raises GuestError: it is too small.
    """
    taken = {str(address.ip), str(gateway)}
    # Of a network that is large, a few are enough to find two.
    free = [str(one) for one in itertools.islice(address.network.hosts(), 5) if str(one) not in taken]
    if gateway:
        free.insert(0, str(gateway))
    if len(free) < 2:
        raise GuestError(f"interfaces: ipv4: {address.network} has no room for QEMU's own two addresses")
    return [f"net={address.network}", f"host={free[0]}", f"dns={free[1]}", f"dhcpstart={address.ip}"]


def _device(interface: Mapping[str, Any]) -> str:
    device = str(interface.get("device") or "")
    if not device:
        raise GuestError(f"interfaces: backend {interface['backend']} wants the option device")
    # A comma would begin another option of Xen's.
    if re.search(r"[\s,/]", device):
        raise GuestError(f"interfaces: device: {device!r} is no name of a device, which has no blank, comma or slash")
    return device


def _escape(value: Any) -> str:
    """A value among QEMU's options, which commas separate."""
    return str(value).replace(",", ",,")


def _xen_command(guest: Guest, text: str, host: str) -> list[str]:
    key = "/local/domain/65535/rumprun/cfg"
    if len(f"{key} {text}".encode()) >= COMMAND_LINE_LIMIT:
        raise GuestError(f"the configuration has more than {COMMAND_LINE_LIMIT - len(key) - 2} bytes")
    vifs, disks = [], []
    interfaces = _mappings(guest, "interfaces")
    for index in _vif_order(guest):
        interface = interfaces[index]
        if interface.get("backend") != "bridge":
            raise GuestError("interfaces: on Xen the backend is bridge")
        parts = [f"mac={_mac(guest, index, interface, host)}", f"bridge={_device(interface)}"]
        vifs.append(",".join([*parts, *([str(interface["options"])] if interface.get("options") else [])]))
    for index, disk in enumerate(_mappings(guest, "disks")):
        disks.append(f"format=raw,vdev={disk_name(index)},access=rw,target={disk['path']}")
    values: dict[str, Any] = {
        "name": guest["name"],
        "kernel": guest["image"],
        "vcpus": 1,
        "memory": _memory(guest),
        "on_poweroff": "destroy",
        "on_crash": "destroy",
        "vif": vifs,
        "disk": disks,
    }
    settings = [f"{name}={_xl(value)}" for name, value in values.items() if value != []]
    settings += [str(option) for option in _list(guest, "options")]
    return ["sh", "-c", _XEN, "rumprun-xen", str(guest["name"]), text, *settings]


def _vif_order(guest: Guest) -> Iterable[int]:
    """The interfaces in the order in which the guest makes them, whatever their names, since each that it makes gets
    the next of the domain's vifs. Those without an address are made last, if ever."""
    interfaces = _mappings(guest, "interfaces")
    names = {interface_name(index, xen=True): index for index in range(len(interfaces))}
    made = [names[address["if"]] for address in _addresses(guest, xen=True)]
    return dict.fromkeys([*made, *names.values()])


def _xl(value: Any) -> str:
    """A value in the language of xl's configuration."""
    if isinstance(value, list):
        return f"[{','.join(_xl(member) for member in value)}]"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if re.search(r'["\\\n]', text):
        raise GuestError(f"Xen's configuration cannot be given {text!r}")
    return json.dumps(text, ensure_ascii=False)
