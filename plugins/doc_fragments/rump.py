# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of every module of the collection shares."""

from __future__ import annotations


class ModuleDocFragment:
    """``rumpkernel.rump.rump``: options, attributes and notes; ``rumpkernel.rump.rump.info`` for modules that read."""

    DOCUMENTATION = r"""
options:
  server:
    description:
      - The URL of the rump kernel's server, C(unix://csock) (relative), C(unix:///run/csock) or
        C(tcp://192.0.2.4:12345), for tasks that run over the connection V(local).
      - Falls back to the environment variable E(RUMP_SERVER).
      - Over the connection P(rumpkernel.rump.sysproxy#connection) the kernel is that of the host, and this
        option is left out.
    type: str
  connect_timeout:
    description:
      - Seconds for the connection to O(server) and the handshake.
      - Over the connection P(rumpkernel.rump.sysproxy#connection) the connection's own limits hold.
    type: float
    default: 10.0
  call_timeout:
    description:
      - Seconds that one system call may take over a connection to O(server).
    type: float
    default: 30.0
requirements:
  - construct (Python package) where the module runs, which is the controller
attributes:
  action_group:
    description: Use C(group/rumpkernel.rump.rump) in C(module_defaults) to set defaults for all modules.
    support: full
    membership:
      - rumpkernel.rump.rump
  platform:
    description: The kernels that the module works on.
    support: full
    platforms: NetBSD rump kernels, releases 6 to 10
seealso:
  - plugin: rumpkernel.rump.sysproxy
    plugin_type: connection
"""

    CHANGES = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and tell what it would change, with no call that changes the kernel.
    support: full
  diff_mode:
    description: Returns what is different before and after.
    support: full
  idempotent:
    description: Run again with the same options, it changes nothing.
    support: full
notes:
  - A task is the kernel's superuser; with C(become), it is C(become_user), by name or by number.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode; it changes nothing anyway.
    support: full
  diff_mode:
    description: Returns what is different before and after.
    support: N/A
    details: Changes nothing.
  idempotent:
    description: Run again with the same options, it changes nothing.
    support: full
"""
