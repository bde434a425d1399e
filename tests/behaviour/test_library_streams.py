# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's files as Python's file objects, beside the controller's own: what ``open`` does, ``fopen`` does."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel

MODES = ["r", "r+", "w", "w+", "x", "x+", "a", "a+"]


def everything(stream: io.IOBase) -> list[object]:
    """What a stream of text says of itself, and what it does."""
    found: list[object] = [stream.readable(), stream.writable(), stream.seekable(), stream.tell()]
    for action in (
        lambda: stream.read(3),
        lambda: stream.write("XY"),
        lambda: stream.seek(2),
        stream.readline,
        lambda: stream.truncate(5),
        lambda: stream.seek(0, os.SEEK_END),
        lambda: stream.write("end\n"),
        stream.flush,
    ):
        try:
            found.append(action())
        except (OSError, ValueError) as error:
            found.append(type(error).__name__)
    stream.close()
    return [*found, stream.closed]


@pytest.mark.parametrize("there", [True, False], ids=["there", "missing"])
@pytest.mark.parametrize("mode", MODES)
def test_all_modes_do_what_they_do_on_the_controller(kernel: Kernel, tmp_path: Path, mode: str, there: bool) -> None:
    content = "first\nsecond\nthird\n"
    if there:
        (tmp_path / "file").write_text(content)
        kernel.write_file("/file", content.encode())
    results = []
    for opener, path in ((open, tmp_path / "file"), (kernel.fopen, "/file")):
        try:
            results.append(everything(opener(path, mode)))
        except OSError as error:
            results.append([error.errno])
    assert results[1] == results[0]
    assert kernel.exists("/file") == (tmp_path / "file").exists()
    if kernel.exists("/file"):
        assert kernel.read_file("/file") == (tmp_path / "file").read_bytes()


@pytest.mark.parametrize("buffering", [-1, 0, 1000])
def test_bytes_of_any_size(kernel: Kernel, buffering: int) -> None:
    content = os.urandom(300_000)
    with kernel.fopen("/file", "wb", buffering=buffering) as stream:
        for at in range(0, len(content), 7001):
            assert stream.write(content[at : at + 7001]) == len(content[at : at + 7001])
    with kernel.fopen("/file", "rb", buffering=buffering) as stream:
        assert stream.read() == content
        assert stream.seek(-5, os.SEEK_END) == len(content) - 5
        assert stream.read() == content[-5:]
        stream.seek(100)
        assert stream.read(50) == content[100:150]
        buffer = bytearray(10)
        assert stream.readinto(buffer) == 10
        assert buffer == content[150:160]
    assert kernel.stat("/file").st_size == len(content)


def test_text(kernel: Kernel) -> None:
    with kernel.fopen("/file", "w", newline="\r\n") as stream:
        print("Größe", 12, file=stream)
        stream.writelines(["zwei\n", "drei"])
    assert kernel.read_file("/file") == "Größe 12\r\nzwei\r\ndrei".encode()
    with kernel.fopen("/file") as stream:
        assert list(stream) == ["Größe 12\n", "zwei\n", "drei"]
        assert stream.mode == "r"
        assert stream.name == "/file"
        assert stream.encoding == "utf-8"
    with kernel.fopen("/file", encoding="latin-1", newline="") as stream:
        assert stream.readline() == "GrÃ¶Ã\x9fe 12\r\n"
    with kernel.fopen("/file", encoding="ascii", errors="replace") as stream:
        assert stream.readline() == "Gr\ufffd\ufffd\ufffd\ufffde 12\n"


def test_permissions_and_the_umask(kernel: Kernel) -> None:
    kernel.fopen("/plain", "w").close()
    kernel.fopen("/secret", "x", permissions=0o600).close()
    kernel.umask(0o077)
    kernel.fopen("/masked", "w").close()
    modes = [stat.S_IMODE(kernel.stat(path).st_mode) for path in ("/plain", "/secret", "/masked")]
    assert modes == [0o644, 0o600, 0o600]


def test_two_writers_that_append(kernel: Kernel) -> None:
    with kernel.fopen("/log", "ab", buffering=0) as first, kernel.fopen("/log", "ab", buffering=0) as second:
        for turn in range(3):
            first.write(b"first %d\n" % turn)
            second.write(b"second %d\n" % turn)
    assert kernel.read_file("/log").count(b"\n") == 6


def test_descriptors(kernel: Kernel) -> None:
    reader, writer = kernel.pipe()
    with kernel.fopen(writer, "w") as stream:
        stream.write("through a pipe")
        assert not stream.seekable()
    with kernel.fopen(reader, "rb", closefd=False) as stream:
        assert stream.read() == b"through a pipe"
        assert stream.raw.descriptor == reader
    kernel.fstat(reader)
    with pytest.raises(OSError, match="EBADF"):
        kernel.fstat(writer)
    with pytest.raises(ValueError, match="closefd"):
        kernel.fopen("/file", "w", closefd=False)


def test_a_pipe_that_does_not_wait(kernel: Kernel) -> None:
    reader, writer = kernel.pipe()
    kernel.set_blocking(reader, False)
    with kernel.fopen(reader, "rb", buffering=0) as stream:
        assert stream.read(10) is None
        assert stream.readall() is None
        kernel.write(writer, b"some")
        assert stream.read(10) == b"some"


def test_what_is_no_file(kernel: Kernel) -> None:
    with pytest.raises(IsADirectoryError):
        kernel.fopen("/dev")
    with pytest.raises(FileNotFoundError):
        kernel.fopen("/missing")
    for mode in ("rw", "", "b", "rbt", "rr", "z"):
        with pytest.raises(ValueError, match=r"mode|needed|both"):
            kernel.fopen("/file", mode)
    with pytest.raises(ValueError, match="encoding"):
        kernel.fopen("/file", "wb", encoding="utf-8")
    with pytest.raises(ValueError, match="unbuffered"):
        kernel.fopen("/file", "w", buffering=0)
    assert not kernel.exists("/file")


def test_a_closed_file(kernel: Kernel) -> None:
    stream = kernel.fopen("/file", "wb", buffering=0)
    with pytest.raises(io.UnsupportedOperation):
        stream.fileno()
    with pytest.raises(io.UnsupportedOperation):
        stream.read(1)
    assert not stream.isatty()
    stream.close()
    stream.close()
    with pytest.raises(ValueError, match="closed"):
        stream.write(b"x")
    assert "closed" in repr(stream)


def test_a_file_outlives_its_session_quietly(kernel: Kernel) -> None:
    stream = kernel.fopen("/file", "wb", buffering=0)
    kernel.disconnect()
    stream.close()
    assert stream.closed


def test_modules_of_python_take_them(kernel: Kernel, tmp_path: Path) -> None:
    with kernel.fopen("/data.json", "w") as stream:
        json.dump({"a": [1, 2, None]}, stream)
    with kernel.fopen("/data.json") as stream:
        assert json.load(stream) == {"a": [1, 2, None]}
    source = tmp_path / "source"
    source.write_bytes(os.urandom(200_000))
    with source.open("rb") as here, kernel.fopen("/copy", "wb") as there:
        shutil.copyfileobj(here, there)
    assert kernel.read_file("/copy") == source.read_bytes()
    with kernel.fopen("/archive.tar.gz", "wb") as stream, tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.add(source, "inside/source")
    with kernel.fopen("/archive.tar.gz", "rb") as stream, tarfile.open(fileobj=stream) as archive:
        assert archive.getnames() == ["inside/source"]
        member = archive.extractfile("inside/source")
        assert member is not None
        assert member.read() == source.read_bytes()
    with kernel.fopen("/archive.zip", "w+b") as stream:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("one", "1")
        with zipfile.ZipFile(stream, "a") as packed:
            packed.writestr("two", "2")
        with zipfile.ZipFile(stream) as packed:
            assert (packed.testzip(), packed.namelist(), packed.read("two")) == (None, ["one", "two"], b"2")
