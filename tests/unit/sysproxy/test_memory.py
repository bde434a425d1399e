# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address space that a call lends: what is lent can be reached, and not a byte beside it."""

from __future__ import annotations

import random

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import memory
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.errors import ForeignMemory, ProtocolError
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy.memory import AddressSpace


@pytest.fixture
def space() -> AddressSpace:
    return AddressSpace()


def refuses(space: AddressSpace, address: int, length: int) -> None:
    """Nothing of ``length`` bytes at ``address`` can be read or written, in any way."""
    with pytest.raises(ForeignMemory):
        space.copyin(address, length)
    with pytest.raises(ForeignMemory):
        space.copyout(address, b"x" * length)


def test_lent_bytes_can_be_read(space: AddressSpace) -> None:
    address = space.lend(b"content")
    assert bytes(space.copyin(address, 7)) == b"content"


@pytest.mark.parametrize(("offset", "length"), [(0, 0), (0, 3), (2, 3), (6, 1), (7, 0)])
def test_pieces_of_a_buffer_can_be_read(space: AddressSpace, offset: int, length: int) -> None:
    address = space.lend(b"content")
    assert bytes(space.copyin(address + offset, length)) == b"content"[offset : offset + length]


@pytest.mark.parametrize("make", [bytearray, lambda content: memoryview(bytearray(content))])
def test_lent_buffers_can_be_written(space: AddressSpace, make: type[bytearray]) -> None:
    buffer = make(b"content")
    address = space.lend(buffer)
    space.copyout(address + 3, b"XY")
    assert bytes(buffer) == b"conXYnt"
    assert bytes(space.copyin(address, 7)) == b"conXYnt"


def test_a_view_of_a_part_lends_no_more_than_the_part(space: AddressSpace) -> None:
    whole = bytearray(b"0123456789")
    address = space.lend(memoryview(whole)[3:6])
    space.copyout(address, b"abc")
    assert whole == b"012abc6789"
    refuses(space, address, 4)
    refuses(space, address - 1, 1)


def test_wider_items_are_lent_as_bytes(space: AddressSpace) -> None:
    address = space.lend(memoryview(bytearray(16)).cast("Q"))
    assert bytes(space.copyin(address, 16)) == bytes(16)
    refuses(space, address, 17)


@pytest.mark.parametrize("buffer", [b"content", memoryview(b"content"), memoryview(bytearray(b"content")).toreadonly()])
def test_read_only_buffers_cannot_be_written(space: AddressSpace, buffer: bytes | memoryview) -> None:
    address = space.lend(buffer)
    for length in (0, 1, 7):
        with pytest.raises(ForeignMemory, match="write"):
            space.copyout(address, b"x" * length)
    assert bytes(buffer) == b"content"


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 8), (1, 7), (6, 2), (7, 1), (8, 0), (-1, 1), (-1, 2), (-1, 9), (100, 1)]
)
def test_beside_a_buffer_is_nothing(space: AddressSpace, offset: int, length: int) -> None:
    buffer = bytearray(b"content")
    refuses(space, space.lend(buffer) + offset, length)
    assert buffer == b"content"


@pytest.mark.parametrize("address", [0, 1, 0xFFFF, 0xFFFFFFFF, 1 << 32, (1 << 64) - 1])
@pytest.mark.parametrize("length", [0, 1, 4096, (1 << 64) - 1])
def test_elsewhere_is_nothing(space: AddressSpace, address: int, length: int) -> None:
    space.lend(b"content")
    with pytest.raises(ForeignMemory, match="no business with"):
        space.copyin(address, length)
    with pytest.raises(ForeignMemory):
        space.copyinstr(address, length)


def test_a_length_that_wraps_around_is_no_way_back(space: AddressSpace) -> None:
    address = space.lend(b"content")
    with pytest.raises(ForeignMemory):
        space.copyin(address, (1 << 64) - 4)
    with pytest.raises(ForeignMemory):
        space.copyin(address + 4, (1 << 64) - 2)


def test_nothing_is_there_before_something_is_lent(space: AddressSpace) -> None:
    refuses(space, 0x10000, 1)
    assert space.largest == 0


def test_foreign_memory_is_a_breach_of_protocol(space: AddressSpace) -> None:
    with pytest.raises(ProtocolError, match=r"asked to read 16 bytes at 0x12345"):
        space.copyin(0x12345, 16)


# Strings


def test_strings_end_with_their_nul(space: AddressSpace) -> None:
    address = space.lend(b"/etc\0junk")
    assert space.copyinstr(address, 1024) == b"/etc\0"
    assert space.copyinstr(address + 1, 1024) == b"etc\0"
    assert space.copyinstr(address + 4, 1024) == b"\0"
    assert space.copyinstr(address, 5) == b"/etc\0"


@pytest.mark.parametrize("length", [0, 1, 4])
def test_long_strings_are_cut(space: AddressSpace, length: int) -> None:
    address = space.lend(b"/etc\0")
    assert space.copyinstr(address, length) == b"/etc"[:length]


def test_strings_never_reach_past_their_buffer(space: AddressSpace) -> None:
    address = space.lend(b"/etc")
    assert space.copyinstr(address, 4) == b"/etc"
    for length in (5, 1024, 1 << 40):
        with pytest.raises(ForeignMemory, match=f"read {length} bytes"):
            space.copyinstr(address, length)
    with pytest.raises(ForeignMemory):
        space.copyinstr(address - 1, 3)


# Several buffers


def test_buffers_are_apart(space: AddressSpace) -> None:
    buffers = [bytearray(b"%d" % index * (index + 1)) for index in range(20)]
    addresses = [space.lend(buffer) for buffer in buffers]
    for address, buffer in zip(addresses, buffers, strict=True):
        assert space.copyin(address, len(buffer)) == buffer
        refuses(space, address, len(buffer) + 1)
        # An overrun by up to a page meets nothing.
        for offset in (0, 1, 100, 4095):
            refuses(space, address + len(buffer) + offset, 1)


def test_addresses_are_aligned_and_fit_a_32_bit_kernel(space: AddressSpace) -> None:
    for size in (0, 1, 7, 15, 16, 17, 4096, 100000):
        address = space.lend(bytes(size))
        assert address % 16 == 0
        assert 0 < address <= address + size < 1 << 32


def test_the_same_buffer_can_be_lent_twice(space: AddressSpace) -> None:
    buffer = bytearray(4)
    first, second = space.lend(buffer), space.lend(buffer)
    assert first != second
    space.copyout(first, b"abcd")
    space.take_back(first)
    assert space.copyin(second, 4) == b"abcd"
    refuses(space, first, 1)


def test_what_was_taken_back_is_gone(space: AddressSpace) -> None:
    kept, gone = space.lend(b"kept"), space.lend(b"gone")
    space.take_back(gone)
    refuses(space, gone, 1)
    assert bytes(space.copyin(kept, 4)) == b"kept"
    with pytest.raises(KeyError):
        space.take_back(gone)


def test_addresses_are_used_again_when_nothing_is_lent(space: AddressSpace) -> None:
    first = space.lend(b"one")
    space.take_back(first)
    assert space.lend(b"two") == first


def test_addresses_are_not_used_again_at_once_while_something_is_lent(space: AddressSpace) -> None:
    space.lend(b"kept")
    gone = space.lend(b"gone")
    space.take_back(gone)
    assert space.lend(b"next") != gone
    refuses(space, gone, 1)


def test_the_largest_buffer(space: AddressSpace) -> None:
    small = space.lend(bytes(10))
    assert space.largest == 10
    large = space.lend(bytes(1000))
    assert space.largest == 1000
    space.take_back(large)
    space.take_back(small)
    assert space.largest == 0
    space.lend(bytes(10))
    assert space.largest == 10


# The end of the address space


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, space: AddressSpace) -> AddressSpace:
    """Room for four buffers of a page with their guards."""
    monkeypatch.setattr(memory, "_TOP", 0x10000 + 4 * 0x2000)
    return space


def test_gaps_are_found_when_the_top_is_reached(small: AddressSpace) -> None:
    addresses = [small.lend(bytes([index]) * 0x1000) for index in range(4)]
    small.take_back(addresses[1])
    assert small.lend(b"x" * 0x1000) == addresses[1]
    for index, address in enumerate(addresses):
        assert bytes(small.copyin(address, 0x1000)) == (b"x" if index == 1 else bytes([index])) * 0x1000


def test_a_gap_at_the_start_is_found(small: AddressSpace) -> None:
    addresses = [small.lend(bytes(0x1000)) for _buffer in range(4)]
    small.take_back(addresses[0])
    assert small.lend(bytes(0x1000)) == addresses[0]


def test_a_gap_at_the_end_is_found(small: AddressSpace) -> None:
    addresses = [small.lend(bytes(0x1000)) for _buffer in range(4)]
    small.take_back(addresses[3])
    assert small.lend(bytes(0x1000)) == addresses[3]


def test_after_a_gap_the_next_buffer_overlaps_nothing(small: AddressSpace) -> None:
    addresses = [small.lend(bytes(0x1000)) for _buffer in range(4)]
    small.take_back(addresses[0])
    small.take_back(addresses[2])
    assert small.lend(bytes(0x1000)) == addresses[0]
    assert small.lend(bytes(0x1000)) == addresses[2]


def test_no_room_is_an_error(small: AddressSpace) -> None:
    addresses = [small.lend(bytes(0x1000)) for _buffer in range(4)]
    with pytest.raises(MemoryError, match="no room for a buffer"):
        small.lend(b"x")
    small.take_back(addresses[1])
    with pytest.raises(MemoryError):
        small.lend(bytes(0x1001))
    assert small.lend(bytes(0x1000)) == addresses[1]


def test_a_buffer_larger_than_everything(small: AddressSpace) -> None:
    with pytest.raises(MemoryError):
        small.lend(bytes(0x8000))


def test_lending_and_taking_back_at_random_never_overlaps(small: AddressSpace) -> None:
    chance = random.Random(1)
    lent: dict[int, int] = {}
    for _time in range(3000):
        if lent and chance.random() < 0.5:
            address = chance.choice(list(lent))
            small.take_back(address)
            del lent[address]
        else:
            size = chance.randrange(0x400)
            try:
                address = small.lend(bytes(size))
            except MemoryError:
                continue
            lent[address] = size
        ends = 0
        for address, size in sorted(lent.items()):
            assert address >= ends
            assert address % 16 == 0
            ends = address + size + 0x1000
        assert ends <= 0x10000 + 4 * 0x2000


def test_taking_back_tells_how_much_was_written(space: AddressSpace) -> None:
    first, second = space.lend(bytearray(10)), space.lend(bytearray(10))
    space.copyout(second + 2, b"ab")
    space.copyout(second + 4, b"cde")
    assert space.take_back(first) == 0
    assert space.take_back(second) == 5
    assert space.take_back(space.lend(bytearray(10))) == 0


def test_there_are_not_many_pieces_of_anonymous_memory(space: AddressSpace) -> None:
    """Each is small for the server to ask for, and larger to keep."""
    given = [space.lend_anonymous(1) for _time in range(1000)]
    assert sum(map(bool, given)) == 256
