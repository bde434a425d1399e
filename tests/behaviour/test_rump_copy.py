# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""rump_copy on a kernel, on tmpfs, FFS and the root file system: twelve steps for each kind of copy."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import Kernel
from ansible_collections.rumpkernel.rump.tests.support.actions import run_action
from ansible_collections.rumpkernel.rump.tests.support.filesystems import FOLDERS

NEW = b"new content\n"
PAST = 10**9  # seconds


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The controller's files."""
    site = tmp_path / "site"
    (site / "sub" / "empty").mkdir(parents=True)
    (site / "a").write_bytes(NEW)
    (site / "sub" / "b").write_bytes(b"b")
    (site / "sub" / "b").chmod(0o751)
    (site / "link").symlink_to("a")
    (site / "to_directory").symlink_to("sub")
    return tmp_path


def copy(kernel: Kernel, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    result = run_action(kernel, "rump_copy", check_mode, **options)
    assert not result.get("failed"), result
    return result


def refused(kernel: Kernel, check_mode: bool = False, **options: Any) -> str:
    result = run_action(kernel, "rump_copy", check_mode, **options)
    assert result["failed"], result
    return str(result["msg"])


def snapshot(kernel: Kernel, top: str) -> dict[str, tuple[Any, ...]]:
    """All that is below ``top``, with what tells whether it was touched."""
    found = {}
    for path, status in kernel.stat_tree(top):
        content: Any = None
        if stat.S_ISREG(status.st_mode):
            content = kernel.read_file(path)
        elif stat.S_ISLNK(status.st_mode):
            content = kernel.readlink(path)
        found[path.removeprefix(f"{top}/")] = (oct(status.st_mode), status.st_uid, status.st_gid, content)
    return found


def is_atomic(folder: str) -> bool:
    return not folder.startswith(FOLDERS["rumpfs"])


def put(kernel: Kernel, path: str, data: bytes, mode: int = 0o644) -> None:
    kernel.write_file(path, data)
    kernel.chmod(path, mode)


File = tuple[str, int, int, Any]
NEW_FILE: File = ("0o100644", 0, 0, NEW)
TREE: dict[str, File] = {
    "a": NEW_FILE,
    "link": NEW_FILE,
    "sub": ("0o40755", 0, 0, None),
    "sub/b": ("0o100644", 0, 0, b"b"),
    "sub/empty": ("0o40755", 0, 0, None),
    "to_directory": ("0o40755", 0, 0, None),
    "to_directory/b": ("0o100644", 0, 0, b"b"),
    "to_directory/empty": ("0o40755", 0, 0, None),
}
LINKS = {
    **{path: facts for path, facts in TREE.items() if not path.startswith(("link", "to_directory"))},
    "link": ("0o120755", 0, 0, "a"),
    "to_directory": ("0o120755", 0, 0, "sub"),
}


def below(folder: str, tree: dict[str, File]) -> dict[str, File]:
    return {folder: ("0o40755", 0, 0, None), **{f"{folder}/{path}": facts for path, facts in tree.items()}}


def old(kernel: Kernel, folder: str) -> None:
    put(kernel, f"{folder}/f", b"old", 0o604)


def same(kernel: Kernel, folder: str) -> None:
    put(kernel, f"{folder}/f", NEW)


def linked(kernel: Kernel, folder: str) -> None:
    put(kernel, f"{folder}/target", b"old", 0o604)
    kernel.symlink("target", f"{folder}/f")


def directory(kernel: Kernel, folder: str) -> None:
    kernel.mkdir(f"{folder}/d", 0o755)


def tree(kernel: Kernel, folder: str) -> None:
    """A tree on the kernel, with times in the past."""
    kernel.makedirs(f"{folder}/from/sub")
    put(kernel, f"{folder}/from/a", NEW, 0o640)
    put(kernel, f"{folder}/from/sub/b", b"b", 0o4751)
    kernel.symlink("a", f"{folder}/from/link")
    for path in ("from/a", "from/sub/b", "from/sub"):
        kernel.utime(f"{folder}/{path}", (PAST, PAST))


def two_trees(kernel: Kernel, folder: str) -> None:
    tree(kernel, folder)
    kernel.makedirs(f"{folder}/to/sub")
    put(kernel, f"{folder}/to/a", b"other", 0o604)
    put(kernel, f"{folder}/to/own", b"own")


FROM: dict[str, File] = {
    "from": ("0o40755", 0, 0, None),
    "from/a": ("0o100640", 0, 0, NEW),
    "from/link": ("0o120755", 0, 0, "a"),
    "from/sub": ("0o40755", 0, 0, None),
    "from/sub/b": ("0o104751", 0, 0, b"b"),
}
MERGED: dict[str, File] = {
    "to": ("0o40755", 0, 0, None),
    "to/a": ("0o100640", 0, 0, NEW),
    "to/link": ("0o120755", 0, 0, "a"),
    "to/own": ("0o100644", 0, 0, b"own"),
    "to/sub": ("0o40755", 0, 0, None),
    "to/sub/b": ("0o104751", 0, 0, b"b"),
}
CASES: dict[str, tuple[Callable[..., None] | None, dict[str, Any], dict[str, File]]] = {
    # what is there, the options ({here} is the controller's folder, {there} the kernel's), what comes of it
    "make": (None, {"src": "{here}/site/a", "dest": "{there}/f"}, {"f": NEW_FILE}),
    "make, attributes": (
        None,
        {"src": "{here}/site/a", "dest": "{there}/f", "mode": "4750", "owner": "5", "group": "6"},
        {"f": ("0o104750", 5, 6, NEW)},
    ),
    "make, mode preserved": (
        None,
        {"src": "{here}/site/sub/b", "dest": "{there}/f", "mode": "preserve"},
        {"f": ("0o100751", 0, 0, b"b")},
    ),
    "make, content": (None, {"content": "text", "dest": "{there}/f"}, {"f": ("0o100644", 0, 0, b"text")}),
    "make, empty content": (None, {"content": "", "dest": "{there}/f"}, {"f": ("0o100644", 0, 0, b"")}),
    "make, JSON": (
        None,
        {"content": {"ä": [1, True]}, "dest": "{there}/f", "mode": "u=rw,go="},
        {"f": ("0o100600", 0, 0, json.dumps({"ä": [1, True]}).encode())},
    ),
    "make, into a directory": (
        directory,
        {"src": "{here}/site/a", "dest": "{there}/d"},
        {"d": ("0o40755", 0, 0, None), "d/a": NEW_FILE},
    ),
    "make, with directories": (
        None,
        {"src": "{here}/site/a", "dest": "{there}/x/y/", "directory_mode": "0711", "owner": "5"},
        {"x": ("0o40711", 5, 0, None), "x/y": ("0o40711", 5, 0, None), "x/y/a": ("0o100644", 5, 0, NEW)},
    ),
    "change": (old, {"src": "{here}/site/a", "dest": "{there}/f"}, {"f": ("0o100604", 0, 0, NEW)}),
    "change, symbolic mode": (
        old,
        {"src": "{here}/site/a", "dest": "{there}/f", "mode": "g+w,o="},
        {"f": ("0o100620", 0, 0, NEW)},
    ),
    "change, attributes alone": (
        same,
        {"src": "{here}/site/a", "dest": "{there}/f", "mode": "0600", "group": "7"},
        {"f": ("0o100600", 0, 7, NEW)},
    ),
    "change, a link": (
        linked,
        {"src": "{here}/site/a", "dest": "{there}/f"},
        {"f": NEW_FILE, "target": ("0o100604", 0, 0, b"old")},
    ),
    "change, a link's target": (
        linked,
        {"src": "{here}/site/a", "dest": "{there}/f", "follow": True},
        {"f": ("0o120755", 0, 0, "target"), "target": ("0o100604", 0, 0, NEW)},
    ),
    "a directory": (None, {"src": "{here}/site", "dest": "{there}/w"}, below("w", below("site", TREE))),
    "what is in a directory": (None, {"src": "{here}/site/", "dest": "{there}/w"}, below("w", TREE)),
    "what is in a directory, links": (
        None,
        {"src": "{here}/site/", "dest": "{there}/w", "local_follow": False},
        below("w", LINKS),
    ),
    "within": (tree, {"remote_src": True, "src": "{there}/from/a", "dest": "{there}/f"}, {**FROM, "f": NEW_FILE}),
    "within, mode preserved": (
        tree,
        {"remote_src": True, "src": "{there}/from/sub/b", "dest": "{there}/f", "mode": "preserve"},
        {**FROM, "f": ("0o104751", 0, 0, b"b")},
    ),
    "within, into a directory": (
        tree,
        {"remote_src": True, "src": "{there}/from/a", "dest": "{there}/from/sub"},
        {**FROM, "from/sub/a": NEW_FILE},
    ),
    "within, a directory": (
        tree,
        {"remote_src": True, "src": "{there}/from/", "dest": "{there}/to"},
        {**FROM, **{path.replace("from", "to"): facts for path, facts in FROM.items()}},
    ),
    "within, a directory, links followed": (
        tree,
        {"remote_src": True, "src": "{there}/from", "dest": "{there}/to", "local_follow": True, "owner": "5"},
        {
            **FROM,
            "to": ("0o40755", 5, 0, None),
            "to/from": ("0o40755", 5, 0, None),
            "to/from/a": ("0o100640", 5, 0, NEW),
            "to/from/link": ("0o100640", 5, 0, NEW),
            "to/from/sub": ("0o40755", 5, 0, None),
            "to/from/sub/b": ("0o104751", 5, 0, b"b"),
        },
    ),
    "within, merged": (
        two_trees,
        {"remote_src": True, "src": "{there}/from/", "dest": "{there}/to"},
        {**FROM, **MERGED},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_copy(kernel_with_filesystems: Kernel, folder: str, files: Path, name: str) -> None:
    kernel = kernel_with_filesystems
    prepare, options, wanted = CASES[name]
    if prepare:
        prepare(kernel, folder)
    options = {
        key: value.format(here=files, there=folder) if isinstance(value, str) else value
        for key, value in options.items()
    }
    before = snapshot(kernel, folder)

    assert copy(kernel, check_mode=True, **options)["changed"]
    assert snapshot(kernel, folder) == before

    done = copy(kernel, **options)
    assert done["changed"]
    assert done.get("atomic", is_atomic(folder)) is is_atomic(folder)
    assert snapshot(kernel, folder) == wanted

    for check_mode in (True, False):
        times = {path: status.st_ctime_ns for path, status in kernel.stat_tree(folder)}
        again = copy(kernel, check_mode=check_mode, **options)
        assert not again["changed"], again
        assert {path: status.st_ctime_ns for path, status in kernel.stat_tree(folder)} == times


def test_result(kernel_with_filesystems: Kernel, folder: str, files: Path) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    done = copy(kernel, src=f"{files}/site/a", dest=path, mode="0640", owner="5")
    about = {"dest": path, "mode": "0640", "uid": 5, "owner": "5", "gid": 0, "group": "wheel", "state": "file"}
    about |= {"size": len(NEW), "checksum": hashlib.sha1(NEW).hexdigest()}
    assert done.items() >= about.items()
    assert done["md5sum"] == hashlib.md5(NEW).hexdigest()
    assert done["src"] == f"{files}/site/a"
    assert done["atomic"] is is_atomic(folder)
    assert done["changes"] == [f"write the 12 bytes of {path}"]
    assert copy(kernel, src=f"{files}/site/a", dest=path).items() >= about.items()


def test_times_within(kernel_with_filesystems: Kernel, folder: str) -> None:
    """As ansible.builtin.copy: a file that is copied within keeps its time, and so do those of a whole directory."""
    kernel = kernel_with_filesystems
    tree(kernel, folder)
    copy(kernel, remote_src=True, src=f"{folder}/from/a", dest=f"{folder}/f")
    copy(kernel, remote_src=True, src=f"{folder}/from", dest=f"{folder}/to")
    for path in ("f", "to/from/a", "to/from/sub", "to/from/sub/b"):
        assert kernel.stat(f"{folder}/{path}").st_mtime == PAST, path


def test_force(kernel_with_filesystems: Kernel, folder: str, files: Path) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    old(kernel, folder)
    for more in ({"src": f"{files}/site/a"}, {"content": "x"}):
        for check_mode in (True, False):
            assert not copy(kernel, check_mode, dest=path, force=False, **more)["changed"]
            assert kernel.read_file(path) == b"old"
    put(kernel, f"{folder}/g", NEW)
    kept = copy(kernel, dest=path, force=False, remote_src=True, src=f"{folder}/g")
    assert (kept["changed"], kept["msg"]) == (False, "file already exists")
    assert copy(kernel, dest=f"{folder}/new", force=False, src=f"{files}/site/a")["changed"]
    assert kernel.read_file(f"{folder}/new") == NEW


def test_backup(kernel_with_filesystems: Kernel, folder: str, files: Path) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    old(kernel, folder)
    options: dict[str, Any] = {"src": f"{files}/site/a", "dest": path, "backup": True}
    assert "backup_file" not in copy(kernel, check_mode=True, **options)
    backup = copy(kernel, **options)["backup_file"]
    assert snapshot(kernel, folder) == {
        "f": ("0o100604", 0, 0, NEW),
        os.path.basename(backup): ("0o100604", 0, 0, b"old"),
    }
    assert "backup_file" not in copy(kernel, **options)
    assert len(kernel.listdir(folder)) == 2


@pytest.mark.one_abi
def test_checksum(kernel_with_filesystems: Kernel, folder: str, files: Path) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    options: dict[str, Any] = {"src": f"{files}/site/a", "dest": path}
    assert "does not match the expected checksum" in refused(kernel, checksum="0" * 40, **options)
    assert not kernel.exists(path)
    assert copy(kernel, checksum=hashlib.sha1(NEW).hexdigest(), **options)["changed"]


@pytest.mark.one_abi
@pytest.mark.parametrize("decrypt", [True, False])
def test_vault(kernel_with_filesystems: Kernel, folder: str, files: Path, decrypt: bool) -> None:
    secrets = [("default", VaultSecret(b"secret"))]
    encrypted = VaultLib(secrets).encrypt(NEW)
    (files / "vaulted").write_bytes(encrypted)
    options: dict[str, Any] = {
        "src": f"{files}/vaulted",
        "dest": f"{folder}/f",
        "decrypt": decrypt,
        "vault_secrets": secrets,
    }
    for changed in (True, False):
        assert copy(kernel_with_filesystems, **options)["changed"] is changed
    assert kernel_with_filesystems.read_file(f"{folder}/f") == (NEW if decrypt else encrypted)


@pytest.mark.one_abi
def test_diff(kernel_with_filesystems: Kernel, folder: str, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    old(kernel, folder)
    source = f"{files}/site/a"

    def diff(**more: Any) -> Any:
        return copy(kernel, check_mode=True, diff=True, **{"src": source, "dest": path, **more})["diff"]

    text = {"before_header": path, "before": "old", "after_header": source, "after": NEW.decode()}
    assert diff() == [text]
    assert diff(dest=f"{folder}/g") == [{"before": "", "after_header": source, "after": NEW.decode()}]
    hidden = " [[ Diff output has been hidden because 'no_log: true' was specified for this result ]]\n"
    assert diff(no_log=True) == [{**text, "before": "", "after": hidden}]
    put(kernel, path, b"a\0b")
    assert diff() == [{"dst_binary": 1, "after_header": source, "after": NEW.decode()}]
    put(kernel, path, b"x" * 2000)
    monkeypatch.setattr(constants, "MAX_FILE_SIZE_FOR_DIFF", 1000)
    assert diff() == [{"dst_larger": 1000, "after_header": source, "after": NEW.decode()}]
    put(kernel, path, NEW)
    assert diff(mode="0600") == {
        "before": {"path": path, "mode": "0644"},
        "after": {"path": path, "mode": "0600"},
    }


def test_secret_content_is_not_told(kernel_with_filesystems: Kernel, folder: str) -> None:
    done = copy(kernel_with_filesystems, content="swordfish", dest=f"{folder}/f")
    assert "swordfish" not in json.dumps(done)
    assert "src" not in done


def test_refusals(kernel_with_filesystems: Kernel, folder: str, files: Path) -> None:
    kernel, path = kernel_with_filesystems, f"{folder}/f"
    source = f"{files}/site/a"
    old(kernel, folder)
    directory(kernel, folder)
    before = snapshot(kernel, folder)
    assert "runs no programs" in refused(kernel, src=source, dest=path, validate="visudo -cf %s")
    assert "src (or content) is required" in refused(kernel, dest=path)
    assert "dest is required" in refused(kernel, src=source)
    assert "mutually exclusive" in refused(kernel, src=source, content="x", dest=path)
    assert "Could not find or access" in refused(kernel, src=f"{files}/nothing", dest=path)
    assert "not found" in refused(kernel, src="/nothing", dest=path, remote_src=True)
    assert refused(kernel, src=source, dest="/w\0b") == "host: dest: a path cannot hold a NUL byte"
    for remote_src in (True, False):
        said = refused(kernel, src="/a\0b", dest=path, remote_src=remote_src)
        assert said == "host: src: a path cannot hold a NUL byte"
    assert "can not use content with a dir as dest" in refused(kernel, content="x", dest=f"{folder}/d")
    assert "the kernel has no user 'www'" in refused(kernel, src=source, dest=path, owner="www")
    assert "mode: 'rwx' is no mode" in refused(kernel, src=source, dest=path, mode="rwx")
    assert "directory_mode: 'rwx' is no mode" in refused(kernel, src=source, dest=path, directory_mode="rwx")
    assert "copied into itself" in refused(kernel, src=folder, dest=f"{folder}/d", remote_src=True)
    assert "is no directory" in refused(kernel, src=f"{folder}/d", dest=path, remote_src=True)
    kernel.mkfifo(f"{folder}/fifo")
    assert "not a file" in refused(kernel, src=f"{folder}/fifo", dest=path, remote_src=True)
    kernel.unlink(f"{folder}/fifo")
    said = refused(kernel, src=source, dest=f"{folder}/none/f")
    assert f"Destination directory {folder}/none does not exist (rump_file with state: directory makes it)" in said
    assert copy(kernel, check_mode=True, src=source, dest=f"{folder}/none/f")["changed"]  # an earlier task may make it
    assert "Unsupported parameters" in refused(kernel, src=source, dest=path, seuser="x")
    assert snapshot(kernel, folder) == before


def test_a_large_file(kernel_with_filesystems: Kernel, tmp_path: Path) -> None:
    source, path = tmp_path / "large", f"{FOLDERS['tmpfs']}/large"
    source.write_bytes(os.urandom(3 * (1 << 20) + 5))
    for changed in (True, False):
        assert copy(kernel_with_filesystems, src=str(source), dest=path)["changed"] is changed
    assert kernel_with_filesystems.read_file(path) == source.read_bytes()


@pytest.mark.one_abi
def test_local_connection(
    kernel_with_filesystems: Kernel, folder: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no connection of the collection's it reaches the kernel that ``server`` names."""
    kernel, url = kernel_with_filesystems, kernel_with_filesystems.url
    options: dict[str, Any] = {"src": f"{files}/site/a", "dest": f"{folder}/f"}
    assert "server: give the URL" in run_action(None, "rump_copy", **options)["msg"]
    assert run_action(None, "rump_copy", server=url, **options)["changed"]
    assert kernel.read_file(f"{folder}/f") == NEW
    monkeypatch.setenv("RUMP_SERVER", url)
    assert not run_action(None, "rump_copy", **options)["changed"]
    gone = run_action(None, "rump_copy", server=f"unix://{files}/nobody", **options)
    assert gone["failed"]
    assert "nobody" in gone["msg"]
    assert "by its connection" in refused(kernel, server="unix:///another", **options)


@pytest.mark.one_abi
def test_a_tree_of_the_kernels_as_deep_as_paths_go(kernel_with_filesystems: Kernel, folder: str) -> None:
    """Deeper than a session has descriptors: made, and held against what is there."""
    kernel, below = kernel_with_filesystems, "/n" * 150
    kernel.makedirs(f"{folder}/from{below}")
    kernel.write_file(f"{folder}/from{below}/f", NEW)
    options = {"remote_src": True, "src": f"{folder}/from/", "dest": f"{folder}/to/"}
    assert copy(kernel, **options)["changed"]
    assert kernel.read_file(f"{folder}/to{below}/f") == NEW
    assert not copy(kernel, **options)["changed"]
    kernel.write_file(f"{folder}/from{below}/f", b"other")
    assert copy(kernel, **options)["changed"]
    assert kernel.read_file(f"{folder}/to{below}/f") == b"other"
