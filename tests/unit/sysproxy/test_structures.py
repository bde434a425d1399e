# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every member of every declared structure stands where a C compiler for NetBSD put it.

The table was computed by a compiler from NetBSD's headers, for three layouts. A member is built alone,
with a value whose bytes are 1, 2, 3 and so on, and nothing but its own bytes may come out of that:
so its place, its width and its byte order are all seen at once, and parsing gives the value back.
"""

from __future__ import annotations

from typing import Any, Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi, Layout
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.structures import STRUCTURES
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    ALL_ABIS,
    AMD64,
    abi_name,
    table,
    table_column,
)

# Structures that are parts of those in the table: name there, and the path of the part in it.
PARTS: Final = {
    "dirent_head": ("dirent", ""),
    "sysctldesc_head": ("sysctldesc", ""),
    "vndgeom": ("vnd_ioctl", "vnd_geom."),
}
SIZES_OF_PARTS: Final = {"dirent_head": 16, "sysctldesc_head": 12, "vndgeom": 16}

# Members that the declarations call otherwise, or that C has none for.
RENAMED: Final = {
    ("sysctlnode", "sysctl_un.scu_csize"): "sysctl_un.scu_child.suc_csize",
    ("sysctlnode", "_sysctl_size"): "_sysctl_size.__sysc_ustr.__sysc_sdatum",
    ("sysctlnode", "_sysctl_func"): "_sysctl_func.__sysc_ustr.__sysc_sdatum",
    ("sysctlnode", "_sysctl_parent"): "_sysctl_parent.__sysc_ustr.__sysc_sdatum",
    ("sysctlnode", "_sysctl_desc"): "_sysctl_desc.__sysc_ustr.__sysc_sdatum",
    ("sysctlnode", "sysctl_un.scu_raw"): "sysctl_un",
    ("in6_ifreq", "ifr_ifru.ifru_raw"): "ifr_ifru",
    ("ktr_header", "ktr_ts.tv_sec"): "_v._v2._ts.tv_sec",
    ("ktr_header", "ktr_ts.tv_nsec"): "_v._v2._ts.tv_nsec",
    ("ktr_header", "ktr_lid"): "_v._v2._lid",
    **{("sockaddr_dl", f"sdl_{part}"): f"sdl_addr.dl_{part}" for part in ("type", "nlen", "alen", "slen", "data")},
}
# C declares these as struct sockaddr, and fills them with a struct sockaddr_in.
CASTS: Final = {("ifaliasreq", name): "sockaddr_in" for name in ("ifra_addr", "ifra_dstaddr", "ifra_mask")}
IN_NO_TABLE: Final = {"ieee80211_nwkey_key"}  # C has no name for it; a test of its own lays it out
NAMED: Final = [name for name in STRUCTURES if name not in IN_NO_TABLE]
NO_MEMBERS_IN_C: Final = {"ifm_data_start", "ifm_end", "ifam_end", "rtm_rmx_start"}  # they only align what follows
ARRAYS_OF_STRUCTURES: Final = {"i_key"}


def members_in_table(name: str, abi: Abi) -> dict[str, tuple[int, int]]:
    """Offset and size of each member of structure ``name``."""
    c_name, part = PARTS.get(name, (name, ""))
    column = 3 + 2 * table_column(abi)
    rows = {
        row[1]: (int(row[column]), int(row[column + 1]))
        for row in table("structs")
        if row[0] == c_name and row[column] and "@bit" not in row[column + 1]
    }
    base = rows[part.removesuffix(".")][0] if part else 0
    found = {path.removeprefix(part): (at - base, size) for path, (at, size) in rows.items() if path.startswith(part)}
    for (structure, outer), cast in CASTS.items():
        if structure == name:
            inner = members_in_table(cast, abi)
            found |= {f"{outer}.{path}": (found[outer][0] + at, size) for path, (at, size) in inner.items()}
    for (structure, ours), theirs in RENAMED.items():
        if structure == name:
            found[ours] = found[theirs]
    if name == "ktr_header":
        # Two members in C, in the order that puts the type into the lower half of the word that they make up.
        (place, size), (_version_place, version_size) = found["ktr_type"], found["ktr_version"]
        found["ktr_kind"] = (place, size + version_size)
    return found


def size_in_table(name: str, abi: Abi) -> int:
    if name in SIZES_OF_PARTS:
        return SIZES_OF_PARTS[name]
    return next(int(row[1 + table_column(abi)]) for row in table("struct_sizes") if row[0] == name)


def leaves(layout: Layout) -> list[str]:
    """The members that hold no others."""
    outer = {path.rpartition(".")[0] for path in layout.offsets}
    return [path for path in layout.offsets if path not in outer | NO_MEMBERS_IN_C | ARRAYS_OF_STRUCTURES]


def member(parsed: Any, path: str) -> Any:
    for part in path.split("."):
        parsed = parsed[part]
    return parsed


def nested(path: str, value: Any) -> dict[str, Any]:
    """``{"a": {"b": value}}`` for ``a.b``."""
    for part in reversed(path.split(".")):
        value = {part: value}
    return value


def sample(zero: Any, size: int, byteorder: str) -> tuple[Any, bytes]:
    """A value for a member that is ``zero`` when its bytes are, and the bytes 1, 2, 3 … that it must give."""
    pattern = bytes(1 + index % 100 for index in range(size))
    if isinstance(zero, int):
        return int.from_bytes(pattern, byteorder), pattern  # type: ignore[arg-type]
    if isinstance(zero, list):
        width = size // len(zero)
        pieces = [pattern[at : at + width] for at in range(0, size, width)]
        return [int.from_bytes(piece, byteorder) for piece in pieces], pattern  # type: ignore[arg-type]
    if len(zero) == 0:  # a string, which ends with a NUL
        return pattern[:-1], pattern[:-1] + b"\0"
    return pattern, pattern


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
@pytest.mark.parametrize("name", NAMED)
def test_size(name: str, abi: Abi) -> None:
    assert abi.struct(name).size == size_in_table(name, abi)


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
@pytest.mark.parametrize("name", NAMED)
def test_each_member_has_its_place_its_width_and_its_byte_order(name: str, abi: Abi) -> None:
    layout = abi.struct(name)
    known = members_in_table(name, abi)
    zero = layout.parse(bytes(layout.size))
    assert leaves(layout)
    for path in leaves(layout):
        offset, size = known[path]
        if name == "sysctlnode" and path.startswith("_sysctl") and abi.word_size == 4 and abi.byteorder == "big":
            offset += 4  # the pointer-sized number is at the low-order end of its 64 bits
        value, expected = sample(member(zero, path), size, abi.byteorder)
        built = layout.build(**nested(path, value))
        assert built == bytes(offset) + expected + bytes(layout.size - offset - size), path
        assert member(layout.parse(built), path) == value, path
        if abi.byteorder == "little" or not path.startswith("_sysctl"):
            assert layout.offset_of(path) == offset, path


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
@pytest.mark.parametrize("name", NAMED)
def test_members_read_no_more_than_their_own_bytes(name: str, abi: Abi) -> None:
    layout = abi.struct(name)
    known = members_in_table(name, abi)
    content = bytes(1 + index % 127 for index in range(layout.size))
    parsed = layout.parse(content)
    for path in leaves(layout):
        value = member(parsed, path)
        if isinstance(value, int) and not path.startswith("_sysctl"):
            offset, size = known[path]
            assert value == int.from_bytes(content[offset : offset + size], abi.byteorder), path  # type: ignore[arg-type]


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
@pytest.mark.parametrize("name", NAMED)
def test_inner_structures_stand_where_c_has_them(name: str, abi: Abi) -> None:
    layout = abi.struct(name)
    known = members_in_table(name, abi)
    for path in set(layout.offsets) & set(known):
        assert layout.offset_of(path) == known[path][0], path


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
def test_the_keys_of_a_wireless_interface(abi: Abi) -> None:
    """net80211/ieee80211_ioctl.h: after the name and two integers, four times an int and a pointer."""
    layout, word = abi.struct("ieee80211_nwkey"), abi.word_size
    assert (layout.offset_of("i_key"), layout.size) == (24, 24 + 4 * 2 * word)
    keys = [{"i_keylen": number, "i_keydat": 0x1000 + number} for number in range(4)]
    built = layout.build(i_wepon=1, i_defkid=2, i_key=keys)
    numbers = [int.from_bytes(built[at : at + word], abi.byteorder) for at in range(24, layout.size, word)]  # type: ignore[arg-type]
    if word == 8 and abi.byteorder == "big":  # an int is in the first half
        numbers[::2] = [number >> 32 for number in numbers[::2]]
    assert numbers == [0, 0x1000, 1, 0x1001, 2, 0x1002, 3, 0x1003]
    found = layout.parse(built)
    assert [(key.i_keylen, key.i_keydat) for key in found.i_key] == [(number, 0x1000 + number) for number in range(4)]


def test_the_filesystem_list_of_release_10() -> None:
    layout = Abi(8, 8, "little", release=(10, 0)).struct("statvfs")
    assert layout.size == 3296
    assert {name: layout.offset_of(name) for name in ("f_spare", "f_fstypename", "f_mntonname")} == {
        "f_spare": 160,
        "f_fstypename": 192,
        "f_mntonname": 224,
    }
    assert layout.offset_of("f_mntfromname") == 1248
    assert layout.offset_of("f_mntfromlabel") == 2272


@pytest.mark.parametrize(("release", "size"), [((7, 0), 24), ((7, 99, 34), 24), ((8, 0), 32), ((10, 1), 32)])
def test_the_address_message_changed_with_release_8(release: tuple[int, ...], size: int) -> None:
    layout = Abi(8, 8, "little", release=release).struct("ifa_msghdr")
    assert layout.size == size
    if size == 32:
        places = {
            "ifam_index": 4,
            "ifam_flags": 8,
            "ifam_addrs": 12,
            "ifam_pid": 16,
            "ifam_addrflags": 20,
            "ifam_metric": 24,
        }
        assert {name: layout.offset_of(name) for name in places} == places


@pytest.mark.parametrize("name", ["if_msghdr", "rt_msghdr"])
def test_messages_have_their_64_bit_parts_at_multiples_of_8_on_every_machine(name: str) -> None:
    """net/if.h and net/route.h: __align64, where the 68000 family has 64-bit integers at multiples of 2."""
    layout = Abi(4, 2, "big", machine="atari").struct(name)
    part = {"if_msghdr": "ifm_data", "rt_msghdr": "rtm_rmx"}[name]
    assert layout.offset_of(part) == AMD64.struct(name).offset_of(part)
    assert layout.size % 8 == 0


def test_neighbour_discovery_of_release_10() -> None:
    """netinet6/nd6.h of 10: what router advertisements had is gone from struct nd_ifinfo."""
    layout = Abi(8, 8, "little", release=(10, 0)).struct("in6_ndireq")
    assert layout.size == 32
    assert {name: layout.offset_of(f"ndi.{name}") for name in ("chlim", "basereachable", "retrans", "flags")} == {
        "chlim": 16,
        "basereachable": 20,
        "retrans": 24,
        "flags": 28,
    }


def test_members_that_are_not_named_are_zero() -> None:
    assert AMD64.struct("stat").build() == bytes(152)


def test_unknown_members_are_refused() -> None:
    with pytest.raises(ValueError, match="has no member st_colour"):
        AMD64.struct("stat").build(st_colour=1)


@pytest.mark.parametrize("value", [1 << 32, -1, "1"])
def test_values_that_do_not_fit_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="struct stat"):
        AMD64.struct("stat").build(st_mode=value)


def test_names_that_are_too_long_are_refused() -> None:
    with pytest.raises(ValueError, match="struct ifreq"):
        AMD64.struct("ifreq").build(ifr_name=b"x" * 17)


def test_a_structure_that_is_cut_off_is_refused() -> None:
    layout = AMD64.struct("timespec")
    with pytest.raises(ValueError, match="needs 16 bytes, and 15 are there"):
        layout.parse(bytes(15))
    with pytest.raises(ValueError, match="needs 16 bytes, and 0 are there"):
        layout.parse(bytes(16), 16)


def test_parsing_starts_at_the_offset() -> None:
    layout = AMD64.struct("timespec")
    assert layout.parse(b"xxx" + layout.build(tv_sec=7), 3).tv_sec == 7


def test_a_string_ends_at_its_nul_or_at_its_members_end() -> None:
    layout = AMD64.struct("ifdrv")
    assert layout.parse(b"shmif0\0junk".ljust(layout.size, b"\0")).ifd_name == b"shmif0"
    assert layout.parse(b"n" * 16 + bytes(layout.size - 16)).ifd_name == b"n" * 16
