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
  - A rump kernel has no shell and no Python, so modules of other collections do not run over this
    connection; M(ansible.builtin.copy) and others that only move files neither.
author:
  - rumpkernel.rump authors (@rumpkernel)
version_added: 0.1.0
options:
  server:
    description:
      - The URL of the rump kernel's server, C(unix://csock) for a socket relative to the working
        directory of Ansible, C(unix:///run/csock) for an absolute path, or C(tcp://192.0.2.4:12345).
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
"""

from ansible.errors import AnsibleConnectionFailure, AnsibleError, AnsibleOptionsError
from ansible.plugins.connection import ConnectionBase
from ansible_collections.rumpkernel.rump.plugins.module_utils.sysproxy import (
    InvalidURL,
    Kernel,
    MissingLibrary,
    RumpError,
    connect,
)

_NO_SHELL = (
    "a rump kernel has no shell and no programs: use the modules of the collection rumpkernel.rump "
    "(rump_file, rump_sysctl, rump_ifconfig, rump_mount, …)"
)


class Connection(ConnectionBase):
    """One session with a rump kernel, kept for a task and its loop."""

    transport = "rumpkernel.rump.sysproxy"
    has_pipelining = False

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
        if self._kernel is not None and (self._kernel.session.closed or self._kernel.url != self.url):
            self.close()
        if self._kernel is None:
            self._connect()
        assert self._kernel is not None
        return self._kernel

    def _connect(self) -> Connection:
        try:
            self._kernel = connect(
                self.url,
                timeout=self.get_option("call_timeout"),
                connect_timeout=self.get_option("connect_timeout"),
            )
        except (InvalidURL, MissingLibrary) as error:
            raise AnsibleOptionsError(str(error)) from None  # Ansible adds the causes' texts, which ours holds
        except RumpError as error:
            raise AnsibleConnectionFailure(str(error)) from None
        self._connected = True
        return self

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        raise AnsibleError(_NO_SHELL)

    def put_file(self, in_path: str, out_path: str) -> None:
        raise AnsibleError(_NO_SHELL)

    def fetch_file(self, in_path: str, out_path: str) -> None:
        raise AnsibleError(_NO_SHELL)

    def reset(self) -> None:
        self.close()
        self._connect()

    def close(self) -> None:
        if self._kernel is not None:
            self._kernel.disconnect()
            self._kernel = None
        self._connected = False
