# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file's bytes, which cost memory only where something was written."""

from __future__ import annotations

BLOCK = 65536


class Content:
    """Sparse bytes: blocks of 64 KiB that were written to, zeros everywhere else."""

    def __init__(self) -> None:
        self._blocks: dict[int, bytearray] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes; fewer at the end."""
        end = min(offset + length, self._size)
        pieces = []
        while offset < end:
            number, start = divmod(offset, BLOCK)
            size = min(BLOCK - start, end - offset)
            block = self._blocks.get(number)
            pieces.append(bytes(size) if block is None else bytes(block[start : start + size]))
            offset += size
        return b"".join(pieces)

    def write(self, offset: int, data: bytes) -> None:
        """Overwrite bytes; the content grows if they go beyond its end."""
        self._size = max(self._size, offset + len(data))
        done = 0
        while done < len(data):
            number, start = divmod(offset + done, BLOCK)
            piece = data[done : done + BLOCK - start]
            block = self._blocks.get(number)
            if block is None:
                block = self._blocks[number] = bytearray(BLOCK)
            block[start : start + len(piece)] = piece
            done += len(piece)

    def resize(self, size: int) -> None:
        """Cut off, or add zeros."""
        if size < self._size:
            last, start = divmod(size, BLOCK)
            for number in [number for number in self._blocks if number > last or (number == last and not start)]:
                del self._blocks[number]
            if last in self._blocks:
                self._blocks[last][start:] = bytes(BLOCK - start)
        self._size = size

    def clear(self) -> None:
        self.resize(0)
