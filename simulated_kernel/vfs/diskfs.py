# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems on disks: FFS, and ext2fs in its manner.

The tree of files is kept beside the disk's bytes and not in them: what the image holds is only
looked at for the superblock, which must be there. A mounted disk shows the files that were made on
it since this kernel started, and is empty at first; a new superblock (newfs) empties it again.
Sources: sys/ufs/ffs/ffs_vfsops.c, sys/ufs/ffs/fs.h, sys/ufs/ext2fs/ext2fs.h.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass, field

from ..clock import Clock
from ..errors import refuse
from ..storage import Storage
from .filesystem import MNT_LOCAL, FileSystem, Space
from .node import NO_DEVICE, Node
from .permissions import Credentials

SUPERBLOCK_PLACES = (65536, 8192, 0, 262144)
SUPERBLOCK_SIZE = 1376
UFS1_MAGIC, UFS2_MAGIC = 0x00011954, 0x19540119
EXT2_MAGIC = 0xEF53
ROOT_NUMBER = 2
DIRECT_BLOCKS = 12
DEFAULT_ROOT_MODE = 0o755


@dataclass(frozen=True)
class Geometry:
    """What a superblock says of its file system, sizes in fragments."""

    identity: bytes
    """Bytes that a new file system changes: the id and the sizes."""
    block_size: int
    fragment_size: int
    blocks: int
    free: int
    reserved_percent: int
    files: int
    free_files: int
    pointer_size: int = 4


def read_ffs(storage: Storage) -> Geometry:
    """The geometry of an FFS; EINVAL if there is none."""
    for place in SUPERBLOCK_PLACES:
        raw = storage.read(place, SUPERBLOCK_SIZE)
        if len(raw) < SUPERBLOCK_SIZE:
            continue
        for prefix in "<>":
            (magic,) = struct.unpack_from(f"{prefix}I", raw, 1372)
            if magic in (UFS1_MAGIC, UFS2_MAGIC) and (place == 65536) == (magic == UFS2_MAGIC):
                return _parse_ffs(raw, prefix, magic)
    raise refuse("EINVAL")


def _parse_ffs(raw: bytes, prefix: str, magic: int) -> Geometry:
    groups, block_size, fragment_size, per_block, reserved = struct.unpack_from(f"{prefix}5i", raw, 44)
    (inodes_per_group,) = struct.unpack_from(f"{prefix}i", raw, 184)
    _dirs, free_blocks, free_inodes, free_fragments = struct.unpack_from(f"{prefix}4q", raw, 1008)
    _size, data_size = struct.unpack_from(f"{prefix}2q", raw, 1080)
    if magic == UFS1_MAGIC and not data_size:
        (data_size,) = struct.unpack_from(f"{prefix}i", raw, 40)
        _dirs, free_blocks, free_inodes, free_fragments = struct.unpack_from(f"{prefix}4i", raw, 192)
    return Geometry(
        identity=raw[44:64] + raw[144:152] + raw[1080:1096],
        block_size=block_size,
        fragment_size=fragment_size,
        blocks=data_size,
        free=free_blocks * per_block + free_fragments,
        reserved_percent=reserved,
        files=groups * inodes_per_group - ROOT_NUMBER,
        free_files=free_inodes,
        pointer_size=8 if magic == UFS2_MAGIC else 4,
    )


def read_ext2(storage: Storage) -> Geometry:
    """The geometry of an ext2fs; EINVAL if there is none."""
    raw = storage.read(1024, 1024)
    if len(raw) < 1024 or struct.unpack_from("<H", raw, 56)[0] != EXT2_MAGIC:
        raise refuse("EINVAL")
    inodes, blocks, reserved, free_blocks, free_inodes, _first, size_shift = struct.unpack_from("<7I", raw)
    block_size = 1024 << size_shift
    return Geometry(
        identity=raw[104:120] + raw[:8],
        block_size=block_size,
        fragment_size=block_size,
        blocks=blocks,
        free=free_blocks,
        reserved_percent=reserved * 100 // blocks if blocks else 0,
        files=inodes,
        free_files=free_inodes,
    )


@dataclass
class Volume:
    """What is on a disk, mounted or not."""

    geometry: Geometry
    root: Node | None = None
    next_number: int = ROOT_NUMBER
    fragments_used: int = 0
    files_used: int = 0
    blocks: dict[int, set[int]] = field(default_factory=dict)
    """The blocks that files have, by inode number: where nothing was ever written there are none."""
    extra: dict[str, object] = field(default_factory=dict)


class DiskFs(FileSystem):
    """A mounted disk."""

    def __init__(self, clock: Clock, type_name: str, storage: Storage, device: int) -> None:
        super().__init__(clock)
        self.type_name = type_name
        self.storage = storage
        self.device = device
        self.flags = MNT_LOCAL
        self.can_become_read_only = False
        self._attributes_started = False
        geometry = read_ffs(storage) if type_name == "ffs" else read_ext2(storage)
        volume = storage.volumes.get(type_name)
        if not isinstance(volume, Volume) or volume.geometry != geometry:
            volume = Volume(geometry)
            storage.volumes[type_name] = volume
        self.volume = volume
        if volume.root is None:
            volume.root = self.new_root(DEFAULT_ROOT_MODE)
            volume.root.atime = volume.root.mtime = volume.root.ctime = volume.root.birthtime = 0
        self.root = volume.root
        _move_tree(self.root, self)

    def next_number(self) -> int:
        number = self.volume.next_number
        self.volume.next_number = number + 1
        return number

    def own_fsid(self) -> tuple[int, int] | None:
        from .mounts import filesystem_type

        return self.device, filesystem_type(self.type_name)

    def device_of(self, node: Node) -> int:
        return self.device

    # Extended attributes: FFS only, once they were started, in the directories that were made for them

    def check_extended_attributes(self, space: str) -> None:
        if not self._attributes_started:
            raise refuse("EOPNOTSUPP")
        folder = self.root.entries.get(b".attribute")
        if folder is None or space.encode() not in folder.entries:
            raise refuse("ENODATA")

    def start_extended_attributes(self) -> None:
        if self.type_name != "ffs":
            raise refuse("EOPNOTSUPP")
        if b".attribute" not in self.root.entries:
            raise refuse("ENOENT")
        if self._attributes_started:
            raise refuse("EBUSY")
        self._attributes_started = True

    def stop_extended_attributes(self) -> None:
        if not self._attributes_started:
            raise refuse("EOPNOTSUPP")
        self._attributes_started = False

    # Space

    def _fragments(self, size: int, blocks: set[int]) -> int:
        """How many fragments a file of ``size`` bytes takes that has ``blocks``, indirect ones included."""
        geometry = self.volume.geometry
        block, fragment = geometry.block_size, geometry.fragment_size
        taken = (len(blocks) + self._indirect(blocks)) * (block // fragment)
        last = (size - 1) // block
        if last < DIRECT_BLOCKS and last in blocks:  # the end of a small file has only the fragments that it needs
            taken -= ((last + 1) * block - size) // fragment
        return taken

    def _indirect(self, blocks: set[int]) -> int:
        """How many blocks of pointers lead to ``blocks``: to a table of pointers, a table of tables and so on."""
        pointers = self.volume.geometry.block_size // self.volume.geometry.pointer_size
        count, first, span = 0, DIRECT_BLOCKS, 1
        for depth in (1, 2, 3):
            span *= pointers
            below = {block - first for block in blocks if first <= block < first + span}
            for level in range(1, depth + 1):
                count += len({block // pointers**level for block in below})
            first += span
        return count

    def _set_blocks(self, node: Node, size: int, blocks: set[int]) -> None:
        """Take and free what lies between what a file has and what it is to have, or refuse with ENOSPC."""
        self._take(self._fragments(size, blocks) - self._used_by(node))
        self.volume.blocks[node.number] = blocks

    def _blocks(self, node: Node) -> set[int]:
        return self.volume.blocks.get(node.number, set())

    def _used_by(self, node: Node) -> int:
        return self._fragments(len(node.data), self._blocks(node))

    def make_room(self, node: Node, offset: int, length: int) -> None:
        block = self.volume.geometry.block_size
        size = max(len(node.data), offset + length)
        self._set_blocks(
            node, size, self._blocks(node) | set(range(offset // block, (offset + length - 1) // block + 1))
        )
        super().resize(node, size)

    def _take(self, fragments: int) -> None:
        """Take fragments, of the reserve too: that is the superuser's right, and clients are root."""
        volume = self.volume
        if volume.fragments_used + fragments > volume.geometry.free:
            raise refuse("ENOSPC")
        volume.fragments_used += fragments

    def reserve_node(self, target: bytes = b"") -> None:
        if self.volume.files_used >= self.volume.geometry.free_files:
            raise refuse("ENOSPC")
        self.volume.files_used += 1

    def make(self, directory: Node, name: bytes, kind: int, mode: int, who: Credentials,
             rdev: int = NO_DEVICE, target: bytes = b"") -> Node:  # fmt: skip
        node = super().make(directory, name, kind, mode, who, rdev, target)
        if node.is_directory:
            self._take(1)
        return node

    def forget_if_unused(self, node: Node) -> None:
        if node.links or node.users:
            return
        self.volume.files_used -= 1
        self.volume.fragments_used -= 1 if node.is_directory else self._used_by(node)
        self.volume.blocks.pop(node.number, None)
        node.data.clear()
        node.users = -1

    def resize(self, node: Node, size: int) -> None:
        """A file has the block that its end is in, unless it was cut off at that block's end (ffs_truncate)."""
        block = self.volume.geometry.block_size
        blocks = {number for number in self._blocks(node) if number * block < size}
        if size > len(node.data) or size % block:
            blocks.add((size - 1) // block)
        self._set_blocks(node, size, blocks)
        super().resize(node, size)

    def space(self) -> Space:
        geometry, volume = self.volume.geometry, self.volume
        return Space(
            geometry.block_size,
            geometry.fragment_size,
            geometry.block_size,
            geometry.blocks,
            geometry.free - volume.fragments_used,
            geometry.blocks * geometry.reserved_percent // 100,
            geometry.files,
            geometry.free_files - volume.files_used,
        )

    def blocks_of(self, node: Node) -> int:
        fragment = self.volume.geometry.fragment_size
        if node.is_directory:
            return fragment // 512
        if node.is_regular:
            return self._used_by(node) * fragment // 512
        return 0

    def block_size_of(self, node: Node) -> int:
        if node.kind == stat.S_IFCHR:
            return 65536
        return 2048 if node.kind == stat.S_IFBLK else self.volume.geometry.block_size

    def unmounted(self) -> None:
        super().unmounted()
        self.storage.mounted_device = None


def _move_tree(node: Node, filesystem: FileSystem) -> None:
    """Make the nodes of an earlier mount those of this one."""
    node.filesystem = filesystem
    node.users = max(0, node.users)
    node.mounted = None
    for child in node.entries.values():
        if child is not node:
            _move_tree(child, filesystem)
