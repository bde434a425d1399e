# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The library's errors in Ansible's terms."""

from __future__ import annotations

from ansible.errors import AnsibleConnectionFailure


def unreachable(error: Exception | str) -> AnsibleConnectionFailure:
    """The failure of a task whose kernel is not reached, or no more.

    The library, which knows nothing of Ansible, may ask for the kernel's word size: the variables for it are added.
    """
    options = " (ansible_rump_word_size, ansible_rump_byteorder)" if "have to be given" in str(error) else ""
    return AnsibleConnectionFailure(f"{error}{options}")
