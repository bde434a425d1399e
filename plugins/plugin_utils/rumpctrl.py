# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection's commands that are none of its own words: rumpctrl's utilities, for ``raw``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final

from ansible.errors import AnsibleError, AnsibleOptionsError
from ansible.plugins.action.reboot import ActionModule
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources import utilities
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.command import command_line
from ansible_collections.rumpkernel.rump.plugins.module_utils.resources.failures import OptionError

_SHELL: Final = "();<>|&"
_REBOOT: Final = (
    "a rump kernel does not restart itself, so that ansible.builtin.reboot has nothing to do in it: it is restarted by "
    "who started it, with state: restarted of the role rumpkernel.rump.rump_server or rumpkernel.rump.rumprun"
)


def run(
    url: str,
    options: Mapping[str, Any],
    cmd: str,
    in_data: bytes | None = None,
    reach: Callable[[], object] = lambda: None,
) -> tuple[int, bytes, bytes]:
    """Run a utility as :meth:`Connection.exec_command` does: its exit status, standard output and error.

    :param options: the connection's; ``rumpctrl_path`` names the folder of the utilities, ``rumpctrl_timeout``
        the seconds that one may take.
    :param cmd: the utility's name and arguments, split as a shell would.
    :param reach: called before the utility is run; raises what is wrong with the server.
    :raises AnsibleOptionsError: there are no utilities, or not this one, or they do not reach ``url``; or it is what
        ansible.builtin.reboot asks first.
    :raises AnsibleError: it did not end in time.
    """
    if cmd == ActionModule.DEFAULT_BOOT_TIME_COMMAND:
        raise AnsibleOptionsError(f"{url}: {_REBOOT}")
    try:
        words = command_line({"cmd": cmd})
        program = utilities.find(options.get("rumpctrl_path"), words[0])
        _refuse_shell(cmd)
        server = utilities.server_for_utilities(url)
        timeout = options.get("rumpctrl_timeout") or utilities.DEFAULT_TIMEOUT
        reach()
        finished = utilities.run(program, words[1:], server, in_data or None, timeout)
    except OptionError as error:
        raise AnsibleOptionsError(f"{url}: {error}") from None
    except utilities.TimedOut as error:
        raise AnsibleError(f"{url}: {error}; ansible_rumpctrl_timeout sets the limit") from None
    return finished.rc, finished.stdout, finished.stderr


def _refuse_shell(cmd: str) -> None:
    """:raises OptionError: an operator of a shell is in ``cmd``, outside of quotes."""
    lexer = shlex.shlex(cmd, posix=False, punctuation_chars=_SHELL)
    lexer.whitespace_split = True
    lexer.commenters = ""
    operators = [word for word in lexer if set(word) <= set(_SHELL)]
    if operators:
        raise OptionError(
            "cmd",
            f"{operators[0]!r} is for a shell, and there is none: quote it, if it is an argument, or run one "
            "utility a task and give its input and output by rumpkernel.rump.rump_command",
        )
