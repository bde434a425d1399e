# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The play's connection to a rump kernel: a sysproxy session instead of a shell."""

from __future__ import annotations

DOCUMENTATION = r"""
name: sysproxy
short_description: Reach rump kernels over sysproxy
description:
  - Connects to the server of a rump kernel, such as a C(rump_server) or a Rumprun unikernel, over
    sysproxy, the remote system call protocol of NetBSD's rump kernels.
  - Nothing is installed in the kernel. The modules of this collection make its system calls from the
    controller, over one connection a task.
  - Modules of C(ansible.builtin) and of other collections that are written in Python run over this connection
    unmodified. They run on the controller, in a Python whose files, directories and system identity are the
    kernel's. What they reach for beyond that is refused, and not done on the controller.
  - A rump kernel has no shell and no programs. Modules that start some, such as M(ansible.builtin.command) or
    M(ansible.builtin.service), fail and say what to use instead. Tasks with C(async) are refused.
  - A session is root's. With C(become), a module runs as the user that is named, by the kernel's own user database
    or by number, whatever the method.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
options:
  server:
    description:
      - The URL of the rump kernel's server, C(unix://csock) for a socket relative to the working
        directory of Ansible, C(unix:///run/csock) for an absolute path, C(tcp://192.0.2.4:12345), or
        C(tcp6://[2001:db8::4]:12345).
      - What is not open to a network is reached through the OpenSSH client, with the user's own
        configuration of it, C(ssh://user@host/run/csock) for a socket in the file system of a host, and
        C(ssh://user@host:22/tcp/10.0.0.5:12345) for one that the host connects to.
      - Without it, it is C(tcp://ansible_host:ansible_port) where a port is set for the host, else what
        the environment variable E(RUMP_SERVER) says.
    type: string
    vars:
      - name: ansible_rump_server
  host:
    description: The address of a server on TCP, with O(port).
    type: string
    default: inventory_hostname
    vars:
      - name: inventory_hostname
      - name: ansible_host
  port:
    description: The TCP port of a server whose URL is not given.
    type: integer
    vars:
      - name: ansible_port
  default_server:
    description: The URL of the server for hosts that have neither O(server) nor O(port).
    type: string
    env:
      - name: RUMP_SERVER
  connect_timeout:
    description:
      - Seconds for the connection and the handshake. A server that has all the clients that it takes
        is tried again, with growing pauses, until then.
    type: float
    default: 10
    vars:
      - name: ansible_rump_connect_timeout
  call_timeout:
    description: Seconds that one system call may take.
    type: float
    default: 30
    vars:
      - name: ansible_rump_timeout
  module_timeout:
    description:
      - Seconds that a module may take that is none of this collection's. Each system call of it has the limit
        O(call_timeout) besides.
    type: float
    default: 3600
    vars:
      - name: ansible_rump_module_timeout
  ssh_args:
    description:
      - More arguments for C(ssh) where the server's URL is of that kind, split as a shell would. They go
        before the connection's own, so that their options have the last word.
    type: string
    env:
      - name: ANSIBLE_RUMP_SSH_ARGS
    vars:
      - name: ansible_rump_ssh_args
  rumpctrl_path:
    description:
      - The folder on the controller that rumpctrl's utilities are in, C(bin) of a rumpctrl that was built from
        U(https://github.com/rumpkernel/rumpctrl).
      - With it M(ansible.builtin.raw) and M(rumpkernel.rump.rump_command) run them, and nothing else. They reach
        servers by C(unix://) and C(tcp://) URLs.
    type: string
    env:
      - name: RUMPCTRL_PATH
    vars:
      - name: ansible_rumpctrl_path
  rumpctrl_timeout:
    description: Seconds that a utility may take that M(ansible.builtin.raw) runs.
    type: float
    default: 120
    vars:
      - name: ansible_rumpctrl_timeout
  word_size:
    description:
      - Bytes of a pointer in the kernel, for machines whose kernels come in several kinds (evbarm, evbmips
        and others) and for those that are not known. By default it follows from the machine.
    type: integer
    choices: [4, 8]
    vars:
      - name: ansible_rump_word_size
  byteorder:
    description: The byte order of the kernel, for the same machines. By default it follows from the machine.
    type: string
    choices: [little, big]
    vars:
      - name: ansible_rump_byteorder
  release:
    description: The NetBSD release that the kernel is made from, such as V(10.0), if it is not what the kernel says.
    type: string
    vars:
      - name: ansible_rump_release
"""

import os
import shlex
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ansible.errors import AnsibleError, AnsibleFileNotFound, AnsibleOptionsError
from ansible.plugins.connection import ConnectionBase
from ansible.utils.display import Display
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import (
    AbiHints,
    InvalidURL,
    Kernel,
    KernelError,
    MissingLibrary,
    RumpError,
    RumpWarning,
    connect,
)
from ansible_collections.rumpkernel.rump.plugins.plugin_utils import rumpctrl, words
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.failures import unreachable
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.modules import run_module
from ansible_collections.rumpkernel.rump.plugins.plugin_utils.redirection.errors import no_program

display = Display()

_CHUNK = 1 << 20


class Connection(ConnectionBase):
    """One session with a rump kernel, kept for a task and its loop."""

    transport = "rumpkernel.rump.sysproxy"
    has_pipelining = True
    always_pipeline_modules = True
    allow_executable = False  # there is no shell to give a command to
    default_user = "root"  # a session is root's
    _shell_type = "rumpkernel.rump.sysproxy"

    _kernel: Kernel | None = None

    @property
    def url(self) -> str:
        """The server's URL, by the order of precedence that the documentation gives."""
        if self.get_option("server"):
            return str(self.get_option("server"))
        if self.get_option("port"):
            return f"tcp://{self.get_option('host')}:{self.get_option('port')}"
        if self.get_option("default_server"):
            return str(self.get_option("default_server"))
        raise AnsibleOptionsError(
            "no server is known for this rump kernel: set ansible_rump_server to its URL, or ansible_host and "
            "ansible_port, or RUMP_SERVER in the environment"
        )

    @property
    def kernel(self) -> Kernel:
        """The kernel, connected to. A loop's items may have different servers (delegate_to)."""
        kernel = self._kernel
        if kernel is None or kernel.session.closed or kernel.url != self.url:
            self.close()
            kernel = self._open()
        return kernel

    def _connect(self) -> Connection:
        self._open()
        return self

    def _open(self) -> Kernel:
        try:
            kernel = self._kernel = self._connector()(display.warning)  # shown once in a run
        except (InvalidURL, MissingLibrary) as error:
            raise AnsibleOptionsError(str(error)) from None  # Ansible adds the causes' texts, which ours holds
        except RumpError as error:
            raise unreachable(error) from None
        self._connected = True
        return kernel

    def _connector(self) -> Callable[[Callable[[str], None]], Kernel]:
        """What makes a session, by the options; it gives warnings to what it is called with.

        :raises AnsibleOptionsError: one of the options is wrong.
        """
        try:
            hints = AbiHints(
                word_size=self.get_option("word_size"),
                byteorder=self.get_option("byteorder"),
                release=self.get_option("release"),
            )
            ssh_args = shlex.split(self.get_option("ssh_args") or "")
        except ValueError as error:
            raise AnsibleOptionsError(str(error)) from None
        url, timeout, connect_timeout = self.url, self.get_option("call_timeout"), self.get_option("connect_timeout")

        def open_kernel(note: Callable[[str], None]) -> Kernel:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", RumpWarning)
                kernel = connect(url, timeout=timeout, connect_timeout=connect_timeout, abi=hints, ssh_args=ssh_args)
            for warning in caught:
                note(str(warning.message))
            return kernel

        return open_kernel

    @contextmanager
    def _session(self) -> Iterator[Kernel]:
        """The kernel for a block, whose errors become Ansible's."""
        try:
            yield self.kernel
        except KernelError as error:
            raise AnsibleError(f"{self.url}: {error}") from None
        except RumpError as error:
            self.close()
            raise unreachable(error) from None

    # What Ansible asks of a connection

    def update_vars(self, variables: dict[str, Any]) -> None:
        """Modules run in the controller's own Python: there is none to be discovered."""
        super().update_vars(variables)
        for one in (variables, *(variables.get("ansible_delegated_vars") or {}).values()):
            one.setdefault("ansible_python_interpreter", sys.executable)

    def is_pipelining_enabled(self, wrap_async: bool = False) -> bool:
        if wrap_async:
            raise AnsibleError(
                "async: a rump kernel runs no programs, so that no task could go on in it by itself; leave async out"
            )
        return super().is_pipelining_enabled(wrap_async)

    def set_become_plugin(self, plugin: Any) -> None:
        """Whatever the method would be: the module's session is given to the user."""
        super().set_become_plugin(plugin)
        if plugin is not None:
            plugin.build_become_command = self._as_user

    def _as_user(self, cmd: str, _shell: object) -> str:
        user = self.become.get_option("become_user") if self.become else None
        command = words.decode(cmd)
        if command is None:
            if user in (None, "root", "0"):
                return cmd
            raise AnsibleError(f"become_user: rumpctrl's utilities are root in the kernel, and cannot become {user}")
        return words.encode(words.with_user(command, user))

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """A word of the shell plugin's, a module, or one of rumpctrl's utilities where the controller has them."""
        command = words.decode(cmd)
        if command is None:
            if self._shell.tmpdir and self._shell.tmpdir in cmd:
                raise AnsibleError(f"{self.url}: {no_program('script')}")  # a file that was put there for it
            options = {name: self.get_option(name) for name in ("rumpctrl_path", "rumpctrl_timeout")}
            return rumpctrl.run(self.url, options, cmd, in_data, reach=lambda: self.kernel)
        if command.word != "module":
            with self._session() as kernel:
                return words.carry_out(kernel, command)
        limit = self.get_option("module_timeout")
        return run_module(self.url, self._connector(), command, self._read, in_data, limit)

    def _read(self, path: str) -> bytes:
        with self._session() as kernel:
            return kernel.read_file(path)

    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the controller's into the kernel, a piece at a time."""
        if not os.path.exists(in_path):
            raise AnsibleFileNotFound(f"file or module does not exist: {in_path}")
        with (
            self._session() as kernel,
            open(in_path, "rb") as source,
            kernel.fopen(out_path, "wb", permissions=0o600) as sink,
        ):
            shutil.copyfileobj(source, sink, _CHUNK)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file of the kernel's to the controller, a piece at a time."""
        with self._session() as kernel, open(out_path, "wb") as sink:
            kernel.copy_out(in_path, sink)

    def reset(self) -> None:
        """The next task connects: from meta tasks, an error of one host's would end the run for all."""
        self.close()

    def close(self) -> None:
        if self._kernel is not None:
            self._kernel.disconnect()
            self._kernel = None
        self._connected = False
