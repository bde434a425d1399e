# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an interface tells of its media (sys/net/if_media.c, ifmedia_ioctl)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import refuse

if TYPE_CHECKING:
    from ..ioctls import IoctlRequest


async def tell_media(
    request: IoctlRequest, media: Sequence[int], *, current: int, active: int, status: int = 0
) -> None:
    """Answer SIOCGIFMEDIA: the medium that was chosen, the one in use, and as many of all as there is room for."""
    asked = request.struct("ifmediareq")
    if asked.ifm_count < 0:
        raise refuse("EINVAL")
    told = min(asked.ifm_count, len(media))
    raw = b"".join(request.abi.integer("int", word) for word in media[:told])
    await request.memory.copyout(asked.ifm_ulist, raw)
    request.put_struct(
        "ifmediareq",
        ifm_name=asked.ifm_name,
        ifm_current=current,
        ifm_status=status,
        ifm_active=active,
        ifm_count=len(media),
        ifm_ulist=asked.ifm_ulist,
    )
    if asked.ifm_count and told < len(media):
        raise refuse("E2BIG")
