# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""passwd(5) and group(5) as a kernel may have them, well made or not, and owners as options give them."""

from __future__ import annotations

import pytest
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.failures import OptionError
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.users import UnknownName, parse_id
from ansible_collections.rumpkernel.rump.tests.support.users import GROUP, MASTER, PASSWD, users_of

ROOT_AND_WWW = b"root:*:0:0:Charlie &:/root:/bin/sh\nwww:*:24:25:Web:/var/www:/sbin/nologin\n"


def test_without_files_there_are_root_and_wheel() -> None:
    users = users_of()
    assert (users.uid("root"), users.gid("root"), users.gid("wheel")) == (0, 0, 0)
    assert (users.user_name(0), users.group_name(0)) == ("root", "wheel")
    assert (users.user_name(24), users.group_name(25)) == (None, None)
    with pytest.raises(UnknownName, match=r"no user 'wheel' in its /etc/master\.passwd or /etc/passwd; a number"):
        users.uid("wheel")
    with pytest.raises(UnknownName, match="no group 'www' in its /etc/group; a number will do"):
        users.gid("www")


def test_names_and_numbers() -> None:
    users = users_of({PASSWD: ROOT_AND_WWW, GROUP: b"wheel:*:0:root\nwww:*:25:\nlogs:*:30:www,root\n"})
    assert (users.uid("www"), users.gid("logs"), users.user_name(24), users.group_name(30)) == (24, 30, "www", "logs")
    assert users.groups_of(users.user("www")) == [25, 30]


def test_master_passwd_goes_first() -> None:
    users = users_of({PASSWD: ROOT_AND_WWW, MASTER: b"www:$2a$secret:80:81:class:0:0:Web:/srv:/bin/sh\n"})
    user = users.user("www")
    assert (user.pw_uid, user.pw_gid, user.pw_gecos, user.pw_dir, user.pw_shell) == (80, 81, "Web", "/srv", "/bin/sh")
    # That file says nothing of root, and the kernel does.
    assert (users.uid("root"), users.user_name(0)) == (0, None)


def test_the_first_of_two_counts() -> None:
    twins = b"toor:*:0:0::/:\nroot:*:0:0::/:\nwww:*:5:5::/:\nwww:*:6:6::/:\n"
    users = users_of({PASSWD: twins, GROUP: b"a:*:7:\nb:*:7:\n"})
    assert (users.user_name(0), users.uid("www"), users.group_name(7)) == ("toor", 5, "a")


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b":", b"#bad:*:9:9::/:", b"+bad:*:9:9::/:", b"bad:*:9:9::/", b"bad:*:9:9::/::", b"bad:*:-9:9::/:"),
        *(b"bad:*::9::/:", b"bad:*:9:nine::/:", b"bad:*:4294967295:9::/:", b"bad:*:" + b"9" * 5000 + b":9::/:"),
        *("bad:*:²:9::/:".encode(), "bad:*:٣:9::/:".encode(), b"bad:*:9\x00:9::/:"),
    ],
)
def test_lines_that_are_none(line: bytes) -> None:
    users = users_of({PASSWD: line + b"\n" + ROOT_AND_WWW})
    assert [user.pw_name for user in users.users] == ["root", "www"]


def test_bytes_that_are_no_text() -> None:
    name = b"w\xff\xfew".decode("utf-8", "surrogateescape")
    assert users_of({PASSWD: b"w\xff\xfew:*:9:9::/:\n"}).uid(name) == 9


def test_a_file_that_is_too_large_is_not_read() -> None:
    users = users_of({PASSWD: ROOT_AND_WWW * 20000})
    with pytest.raises(UnknownName, match=r"\(/etc/passwd was not read: its \d+ bytes are more than 1048576\)"):
        users.uid("www")
    assert users.uid("root") == 0


@pytest.mark.parametrize(
    ("value", "number"), [("0", 0), ("1000", 1000), ("root", 0), ("www", 24), ("4294967294", 4294967294)]
)
def test_ids(value: str, number: int) -> None:
    assert parse_id("owner", value, users_of({PASSWD: ROOT_AND_WWW}).uid) == number


@pytest.mark.parametrize("value", ["-1", "4294967295", "bob", "", "wheel", "1.5"])
def test_no_ids(value: str) -> None:
    with pytest.raises(OptionError, match=r"^owner: .*number"):
        parse_id("owner", value, users_of().uid)
