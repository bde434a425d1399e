# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""System calls have the numbers and the argument blocks that NetBSD's own tables give them."""

from __future__ import annotations

from typing import Final

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd import Abi
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.netbsd.syscalls import syscall_table
from ansible_collections.rumpkernel.rump.tests.unit.sysproxy.netbsd_data import (
    ALL_ABIS,
    AMD64,
    I386,
    ILP32_BIG,
    LP64_BIG,
    abi_name,
    table,
    table_column,
    transcript,
    transcript_names,
)

CALLS: Final = sorted(syscall_table((7, 99, 34)))


def row_of(name: str, number: int) -> tuple[str, ...]:
    # Some old calls share their names with later ones.
    return next(row for row in table("syscalls") if (row[0], row[1]) == (str(number), name))


def places(name: str, abi: Abi) -> tuple[int, dict[str, tuple[int, int]]]:
    """The block's length, and each argument's offset and width, as the table has them."""
    row = row_of(name, abi.syscall_number(name))
    column = 7 + 2 * table_column(abi)
    arguments = {}
    for text in row[column + 1].split():
        argument, _at, place = text.partition("@")
        offset, _colon, width = place.partition(":")
        arguments[argument] = int(offset), int(width)
    arguments.pop("PAD", None)
    return int(row[column]), arguments


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
def test_there_are_calls_to_check(abi: Abi) -> None:
    assert len(CALLS) > 150
    assert all(abi.has_syscall(name) for name in CALLS)
    assert not abi.has_syscall("fork")
    with pytest.raises(KeyError):
        abi.syscall_number("fork")


@pytest.mark.parametrize("name", CALLS)
def test_number(name: str) -> None:
    number = AMD64.syscall_number(name)
    assert row_of(name, number)
    assert AMD64.syscall_name(number) == name


def test_numbers_without_a_call_have_no_name() -> None:
    assert AMD64.syscall_name(0) is None
    assert AMD64.syscall_name(1 << 31) is None


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
@pytest.mark.parametrize("name", CALLS)
def test_each_argument_alone_fills_its_own_place(name: str, abi: Abi) -> None:
    size, arguments = places(name, abi)
    names = list(arguments)
    empty = abi.encode_arguments(name, *[0] * len(names))
    assert empty == bytes(size)
    assert list(abi.decode_arguments(name, empty)) == names
    for index, argument in enumerate(names):
        offset, width = arguments[argument]
        pattern = bytes(range(1, width + 1))
        value = int.from_bytes(pattern, abi.byteorder)  # type: ignore[arg-type]
        if abi.byteorder == "big":
            # The table's offsets are the slots'; a narrow argument is at its slot's high end.
            offset += max(abi.word_size, width) - width
        block = abi.encode_arguments(name, *(value if index == other else 0 for other in range(len(names))))
        assert block == bytes(offset) + pattern + bytes(size - offset - width), argument
        assert abi.decode_arguments(name, block)[argument] == value


@pytest.mark.parametrize("abi", ALL_ABIS, ids=abi_name)
def test_int_arguments_are_signed(abi: Abi) -> None:
    block = abi.encode_arguments("lseek", -1, -2, 2)
    assert abi.decode_arguments("lseek", block) == {"fd": -1, "offset": -2, "whence": 2}


def test_narrow_arguments_on_big_endian_literally() -> None:
    assert LP64_BIG.encode_arguments("close", 3).hex() == "0000000000000003"
    assert AMD64.encode_arguments("close", 3).hex() == "0300000000000000"
    assert ILP32_BIG.encode_arguments("lseek", 3, 5, 1).hex() == "000000030000000000000000000000050000000100000000"
    assert I386.encode_arguments("lseek", 3, 5, 1).hex() == "0300000000000000050000000000000001000000"


@pytest.mark.parametrize("arguments", [(1 << 31,), (-(1 << 31) - 1,), (), (1, 2)])
def test_arguments_that_do_not_fit_are_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="close"):
        AMD64.encode_arguments("close", *arguments)


def test_a_block_may_be_longer_and_not_shorter() -> None:
    assert AMD64.decode_arguments("close", bytes([7]) + bytes(23)) == {"fd": 7}
    with pytest.raises(ValueError, match="close takes 8 bytes of arguments, not 7"):
        AMD64.decode_arguments("close", bytes(7))


@pytest.mark.parametrize(
    ("release", "number"), [((6, 1), 356), ((7, 99, 34), 356), ((8, 2), 356), ((9, 99, 1), 483), ((10, 0), 483)]
)
def test_the_filesystem_lists_number_changed_after_release_9(release: tuple[int, ...], number: int) -> None:
    abi = Abi(8, 8, "little", release=release)
    assert abi.syscall_number("getvfsstat") == number
    assert abi.syscall_name(number) == "getvfsstat"


@pytest.mark.parametrize(("machine", "prefix"), transcript_names())
def test_real_clients_blocks_have_the_same_lengths(machine: str, prefix: str) -> None:
    found = transcript(machine, prefix)
    known = 0
    for call in found.calls():
        name = found.abi.syscall_name(call.number)
        if name is not None:
            known += 1
            decoded = found.abi.decode_arguments(name, call.block)
            assert len(call.block) == places(name, found.abi)[0]
            again = found.abi.encode_arguments(name, *decoded.values())
            assert found.abi.decode_arguments(name, again) == decoded
    assert known or not found.calls()


@pytest.mark.parametrize(
    ("abi", "registers", "value"),
    [
        (AMD64, (1 << 40, 9), 1 << 40),
        (AMD64, (-1, 0), -1),
        (I386, (5, 0), 5),
        (I386, (5, 1), (1 << 32) + 5),
        (I386, (-1, 0), 0xFFFFFFFF),
        (I386, (-1, -1), -1),
        (ILP32_BIG, (0, 5), 5),
        (ILP32_BIG, (1, 5), (1 << 32) + 5),
        (ILP32_BIG, (0, -1), 0xFFFFFFFF),
    ],
)
def test_a_64_bit_result_spans_both_registers_of_a_32_bit_machine(
    abi: Abi, registers: tuple[int, int], value: int
) -> None:
    assert abi.value_of_registers(*registers) == value
