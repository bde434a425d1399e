# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ioctls of NetBSD that the collection uses, as data: direction, group, number, argument type.

Their codes are not typed in: they hold the argument's size, so each ABI computes its own
(sys/ioccom.h). The direction is the macro's: ``""`` for _IO, ``R``, ``W`` and ``WR``. The numbers are
those of 7.99.34; where releases differ, SINCE says so. Source: sys/sockio.h 1.31 (6.99.16) and 1.33,
netinet6/in6_var.h 1.65 (2014), 1.83 and that of release 10, net80211/ieee80211_ioctl.h 1.23, dev/vndvar.h.
"""

from __future__ import annotations

from .releases import Release

IOC_VOID = 0x20000000
IOC_OUT = 0x40000000
IOC_IN = 0x80000000
IOCPARM_MASK = 0x1FFF
IOCPARM_SHIFT = 16

DIRECTIONS: dict[str, int] = {"": IOC_VOID, "R": IOC_OUT, "W": IOC_IN, "WR": IOC_IN | IOC_OUT}

IOCTLS: dict[str, tuple[str, str, int, str]] = {
    "SIOCIFCREATE": ("W", "i", 122, "ifreq"),
    "SIOCIFDESTROY": ("W", "i", 121, "ifreq"),
    "SIOCIFGCLONERS": ("WR", "i", 120, "if_clonereq"),
    "SIOCGIFFLAGS": ("WR", "i", 17, "ifreq"),
    "SIOCSIFFLAGS": ("W", "i", 16, "ifreq"),
    "SIOCGIFMTU": ("WR", "i", 126, "ifreq"),
    "SIOCSIFMTU": ("W", "i", 127, "ifreq"),
    "SIOCGIFMETRIC": ("WR", "i", 23, "ifreq"),
    "SIOCSIFMETRIC": ("W", "i", 24, "ifreq"),
    "SIOCAIFADDR": ("W", "i", 26, "ifaliasreq"),
    "SIOCDIFADDR": ("W", "i", 25, "ifreq"),
    "SIOCGIFADDR": ("WR", "i", 33, "ifreq"),
    "SIOCGIFALIAS": ("WR", "i", 27, "ifaliasreq"),
    "SIOCGIFAFLAG_IN": ("WR", "i", 39, "ifreq"),
    "SIOCAIFADDR_IN6": ("W", "i", 107, "in6_aliasreq"),
    "SIOCDIFADDR_IN6": ("W", "i", 25, "in6_ifreq"),
    "SIOCGIFAFLAG_IN6": ("WR", "i", 73, "in6_ifreq"),
    "SIOCGIFNETMASK_IN6": ("WR", "i", 37, "in6_ifreq"),
    "SIOCGIFDSTADDR_IN6": ("WR", "i", 34, "in6_ifreq"),
    "SIOCGIFALIFETIME_IN6": ("WR", "i", 106, "in6_ifreq"),
    "SIOCGIFINFO_IN6": ("WR", "i", 108, "in6_ndireq"),
    "SIOCSIFINFO_IN6": ("WR", "i", 109, "in6_ndireq"),
    "SIOCSPFXFLUSH_IN6": ("WR", "i", 79, "in6_ifreq"),
    "SIOCSRTRFLUSH_IN6": ("WR", "i", 80, "in6_ifreq"),
    "SIOCGIFDATA": ("WR", "i", 133, "ifdatareq"),
    "SIOCZIFDATA": ("WR", "i", 134, "ifdatareq"),
    "SIOCGIFCAP": ("WR", "i", 118, "ifcapreq"),
    "SIOCSIFCAP": ("W", "i", 117, "ifcapreq"),
    "SIOCGLINKSTR": ("WR", "i", 135, "ifdrv"),
    "SIOCSLINKSTR": ("W", "i", 136, "ifdrv"),
    "SIOCSDRVSPEC": ("W", "i", 123, "ifdrv"),
    "SIOCGDRVSPEC": ("WR", "i", 123, "ifdrv"),
    "SIOCSIFMEDIA": ("WR", "i", 53, "ifreq"),
    "SIOCGIFMEDIA": ("WR", "i", 54, "ifmediareq"),
    "SIOCSIFDESCR": ("W", "i", 142, "ifreq"),
    "SIOCGIFDESCR": ("WR", "i", 143, "ifreq"),
    "SIOCALIFADDR": ("W", "i", 28, "if_laddrreq"),
    "SIOCDLIFADDR": ("W", "i", 30, "if_laddrreq"),
    "SIOCSIFGENERIC": ("W", "i", 57, "ifreq"),
    "SIOCGIFGENERIC": ("WR", "i", 58, "ifreq"),
    "SIOCDIFPHYADDR": ("W", "i", 73, "ifreq"),
    "SIOCSLIFPHYADDR": ("W", "i", 74, "if_laddrreq"),
    "SIOCGLIFPHYADDR": ("WR", "i", 75, "if_laddrreq"),
    "SIOCSVH": ("WR", "i", 130, "ifreq"),
    "SIOCGVH": ("WR", "i", 131, "ifreq"),
    "SIOCS80211NWID": ("WR", "i", 230, "ifreq"),
    "SIOCG80211NWID": ("WR", "i", 231, "ifreq"),
    "SIOCS80211NWKEY": ("W", "i", 232, "ieee80211_nwkey"),
    "SIOCG80211NWKEY": ("WR", "i", 233, "ieee80211_nwkey"),
    "SIOCS80211POWER": ("W", "i", 234, "ieee80211_power"),
    "SIOCG80211POWER": ("WR", "i", 235, "ieee80211_power"),
    "SIOCS80211CHANNEL": ("W", "i", 238, "ieee80211chanreq"),
    "SIOCG80211CHANNEL": ("WR", "i", 239, "ieee80211chanreq"),
    "SIOCS80211BSSID": ("W", "i", 240, "ieee80211_bssid"),
    "SIOCG80211BSSID": ("WR", "i", 241, "ieee80211_bssid"),
    "VNDIOCSET": ("WR", "F", 0, "vnd_ioctl"),
    "VNDIOCCLR": ("W", "F", 1, "vnd_ioctl"),
    "VNDIOCGET": ("WR", "F", 3, "vnd_user"),
}

# Ioctls that releases before these do not have.
SINCE: dict[Release, str] = {(7, 99, 17): "SIOCGIFAFLAG_IN", (10,): "SIOCSIFDESCR SIOCGIFDESCR"}

# Numbers that changed, by the first release that has them; where there is none, the ioctl went. Release 9 has
# more kinds of media than the former words held. Release 10 (9.99.66) left router advertisements to userland, and
# with them most of struct in6_ndireq.
CHANGED: dict[Release, dict[str, int | None]] = {
    (9,): {"SIOCSIFMEDIA": 55, "SIOCGIFMEDIA": 56},
    (9, 99, 66): {
        "SIOCGIFINFO_IN6": 113,
        "SIOCSIFINFO_IN6": 114,
        "SIOCSPFXFLUSH_IN6": None,
        "SIOCSRTRFLUSH_IN6": None,
    },
}


def ioctls(release: Release) -> dict[str, tuple[str, str, int, str]]:
    """The ioctls of a release, by name."""
    absent = " ".join(names for since, names in SINCE.items() if release < since).split()
    found = {name: what for name, what in IOCTLS.items() if name not in absent}
    for since, changed in CHANGED.items():
        if release < since:
            continue
        for name, number in changed.items():
            direction, group, _former, kind = found.pop(name)
            if number is not None:
                found[name] = (direction, group, number, kind)
    return found
