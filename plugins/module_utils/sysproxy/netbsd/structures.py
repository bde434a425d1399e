# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The structures of NetBSD's kernel interface, as data: each once, for every word size and byte order.

A structure is a tuple of (member, type). A type is a C type of fixed or of the ABI's own width
(:data:`~.layout.SCALARS`), ``char[N]`` for a string that ends at its NUL, ``bytes[N]`` for raw
bytes, ``TYPE[N]`` for an array, the name of another structure, or a :class:`Union`. Where the
releases differ, a name has several declarations, each with the first release that has it.

Sources: the headers named beside each group, NetBSD 7.99.34; those of 6.99.16 (net/if.h,
netinet6/in6_var.h, sys/stat.h, fs/tmpfs/tmpfs_args.h) have the same; statvfs and ifa_msghdr
of later releases from their own trees, where the rest of net/if.h and netinet6/in6_var.h
is as here up to release 10.
"""

from __future__ import annotations

from dataclasses import dataclass

from .releases import Release


@dataclass(frozen=True)
class Union:
    """A C union: its first member is the one that is built when none is named."""

    members: tuple[tuple[str, str], ...]


Member = tuple[str, "str | Union"]
Declaration = tuple[Member, ...]

_SOCKADDR_IN6: Declaration = (
    ("sin6_len", "uint8"),
    ("sin6_family", "uint8"),
    ("sin6_port", "bytes[2]"),
    ("sin6_flowinfo", "bytes[4]"),
    ("sin6_addr", "bytes[16]"),
    ("sin6_scope_id", "uint32"),
)


def _statvfs(spare: Member, tail: Declaration) -> Declaration:
    """struct statvfs, whose middle and end changed with release 10 (sys/statvfs.h)."""
    return (
        ("f_flag", "ulong"),
        ("f_bsize", "ulong"),
        ("f_frsize", "ulong"),
        ("f_iosize", "ulong"),
        ("f_blocks", "uint64"),
        ("f_bfree", "uint64"),
        ("f_bavail", "uint64"),
        ("f_bresvd", "uint64"),
        ("f_files", "uint64"),
        ("f_ffree", "uint64"),
        ("f_favail", "uint64"),
        ("f_fresvd", "uint64"),
        ("f_syncreads", "uint64"),
        ("f_syncwrites", "uint64"),
        ("f_asyncreads", "uint64"),
        ("f_asyncwrites", "uint64"),
        ("f_fsidx", "int32[2]"),
        ("f_fsid", "ulong"),
        ("f_namemax", "ulong"),
        ("f_owner", "uint32"),
        spare,
        *tail,
    )


STRUCTURES: dict[str, Declaration | dict[Release, Declaration]] = {
    # sys/time.h
    "timespec": (("tv_sec", "int64"), ("tv_nsec", "long")),
    "timeval": (("tv_sec", "int64"), ("tv_usec", "int")),
    # sys/stat.h
    "stat": (
        ("st_dev", "uint64"),
        ("st_mode", "uint32"),
        ("st_ino", "uint64"),
        ("st_nlink", "uint32"),
        ("st_uid", "uint32"),
        ("st_gid", "uint32"),
        ("st_rdev", "uint64"),
        ("st_atim", "timespec"),
        ("st_mtim", "timespec"),
        ("st_ctim", "timespec"),
        ("st_birthtim", "timespec"),
        ("st_size", "int64"),
        ("st_blocks", "int64"),
        ("st_blksize", "int32"),
        ("st_flags", "uint32"),
        ("st_gen", "uint32"),
        ("st_spare", "uint32[2]"),
    ),
    # sys/dirent.h: the name follows, d_namlen bytes and a NUL; d_reclen is a multiple of 8.
    "dirent_head": (("d_fileno", "uint64"), ("d_reclen", "uint16"), ("d_namlen", "uint16"), ("d_type", "uint8")),
    # sys/statvfs.h
    "statvfs": {
        (0,): _statvfs(
            ("f_spare", "uint32[4]"),
            (("f_fstypename", "char[32]"), ("f_mntonname", "char[1024]"), ("f_mntfromname", "char[1024]")),
        ),
        (9, 99): _statvfs(
            ("f_spare", "uint64[4]"),
            (
                ("f_fstypename", "char[32]"),
                ("f_mntonname", "char[1024]"),
                ("f_mntfromname", "char[1024]"),
                ("f_mntfromlabel", "char[1024]"),
            ),
        ),
    },
    # sys/socket.h, netinet/in.h, netinet6/in6.h, net/if_dl.h
    "sockaddr": (("sa_len", "uint8"), ("sa_family", "uint8"), ("sa_data", "bytes[14]")),
    "sockaddr_in": (
        ("sin_len", "uint8"),
        ("sin_family", "uint8"),
        ("sin_port", "bytes[2]"),
        ("sin_addr", "bytes[4]"),
        ("sin_zero", "bytes[8]"),
    ),
    "sockaddr_in6": _SOCKADDR_IN6,
    "sockaddr_storage": (
        ("ss_len", "uint8"),
        ("ss_family", "uint8"),
        ("__ss_pad1", "bytes[6]"),
        ("__ss_align", "int64"),
        ("__ss_pad2", "bytes[112]"),
    ),
    "sockaddr_dl": (
        ("sdl_len", "uint8"),
        ("sdl_family", "uint8"),
        ("sdl_index", "uint16"),
        ("sdl_type", "uint8"),
        ("sdl_nlen", "uint8"),
        ("sdl_alen", "uint8"),
        ("sdl_slen", "uint8"),
        ("sdl_data", "bytes[12]"),
    ),
    # net/if.h
    "ifreq": (
        ("ifr_name", "char[16]"),
        (
            "ifr_ifru",
            Union(
                (
                    ("ifru_space", "sockaddr_storage"),
                    ("ifru_addr", "sockaddr"),
                    ("ifru_flags", "int16"),
                    ("ifru_addrflags", "int"),
                    ("ifru_metric", "int"),
                    ("ifru_mtu", "int"),
                    ("ifru_value", "uint"),
                    ("ifru_data", "pointer"),
                )
            ),
        ),
    ),
    "ifaliasreq": (
        ("ifra_name", "char[16]"),
        ("ifra_addr", "sockaddr_in"),
        ("ifra_dstaddr", "sockaddr_in"),
        ("ifra_mask", "sockaddr_in"),
    ),
    "if_clonereq": (("ifcr_total", "int"), ("ifcr_count", "int"), ("ifcr_buffer", "pointer")),
    "ifdrv": (("ifd_name", "char[16]"), ("ifd_cmd", "ulong"), ("ifd_len", "size_t"), ("ifd_data", "pointer")),
    "if_data": (
        ("ifi_type", "uint8"),
        ("ifi_addrlen", "uint8"),
        ("ifi_hdrlen", "uint8"),
        ("ifi_link_state", "int"),
        ("ifi_mtu", "uint64"),
        ("ifi_metric", "uint64"),
        ("ifi_baudrate", "uint64"),
        ("ifi_ipackets", "uint64"),
        ("ifi_ierrors", "uint64"),
        ("ifi_opackets", "uint64"),
        ("ifi_oerrors", "uint64"),
        ("ifi_collisions", "uint64"),
        ("ifi_ibytes", "uint64"),
        ("ifi_obytes", "uint64"),
        ("ifi_imcasts", "uint64"),
        ("ifi_omcasts", "uint64"),
        ("ifi_iqdrops", "uint64"),
        ("ifi_noproto", "uint64"),
        ("ifi_lastchange", "timespec"),
    ),
    # sys/socketvar.h
    "kinfo_pcb": (
        ("ki_pcbaddr", "uint64"),
        ("ki_ppcbaddr", "uint64"),
        ("ki_sockaddr", "uint64"),
        ("ki_family", "uint32"),
        ("ki_type", "uint32"),
        ("ki_protocol", "uint32"),
        ("ki_pflags", "uint32"),
        ("ki_sostate", "uint32"),
        ("ki_prstate", "uint32"),
        ("ki_tstate", "int32"),
        ("ki_tflags", "uint32"),
        ("ki_rcvq", "uint64"),
        ("ki_sndq", "uint64"),
        ("ki_s", "bytes[264]"),
        ("ki_d", "bytes[264]"),
        ("ki_inode", "uint64"),
        ("ki_vnode", "uint64"),
        ("ki_conn", "uint64"),
        ("ki_refs", "uint64"),
        ("ki_nextref", "uint64"),
    ),
    "ifdatareq": (("ifdr_name", "char[16]"), ("ifdr_data", "if_data")),
    "ifcapreq": (("ifcr_name", "char[16]"), ("ifcr_capabilities", "uint64"), ("ifcr_capenable", "uint64")),
    # The addresses are of any family: struct sockaddr_storage.
    "if_laddrreq": (
        ("iflr_name", "char[16]"),
        ("flags", "uint"),
        ("prefixlen", "uint"),
        ("addr", "bytes[128]"),
        ("dstaddr", "bytes[128]"),
    ),
    "ifmediareq": (
        ("ifm_name", "char[16]"),
        ("ifm_current", "int"),
        ("ifm_mask", "int"),
        ("ifm_status", "int"),
        ("ifm_active", "int"),
        ("ifm_count", "int"),
        ("ifm_ulist", "pointer"),
    ),
    # netinet/ip_carp.h: what ifr_data points to
    "carpreq": (
        ("carpr_state", "int"),
        ("carpr_carpdev", "char[16]"),
        ("carpr_vhid", "int"),
        ("carpr_advskew", "int"),
        ("carpr_advbase", "int"),
        ("carpr_key", "bytes[20]"),
    ),
    # net80211/ieee80211_ioctl.h; ieee80211_nwid is what ifr_data points to
    "ieee80211_nwid": (("i_len", "uint8"), ("i_nwid", "bytes[32]")),
    "ieee80211_nwkey_key": (("i_keylen", "int"), ("i_keydat", "pointer")),
    "ieee80211_nwkey": (
        ("i_name", "char[16]"),
        ("i_wepon", "int"),
        ("i_defkid", "int"),
        ("i_key", "ieee80211_nwkey_key[4]"),
    ),
    "ieee80211_power": (("i_name", "char[16]"), ("i_enabled", "int"), ("i_maxsleep", "int")),
    "ieee80211chanreq": (("i_name", "char[16]"), ("i_channel", "uint16")),
    "ieee80211_bssid": (("i_name", "char[16]"), ("i_bssid", "bytes[6]")),
    # net/if_vlanvar.h, net/agr/if_agrioctl.h: what ifr_data points to
    "vlanreq": (("vlr_parent", "char[16]"), ("vlr_tag", "uint16")),
    "agrreq": (("ar_version", "int"), ("ar_cmd", "int"), ("ar_buf", "pointer"), ("ar_buflen", "size_t")),
    "agrportinfo": (("api_ifname", "char[16]"), ("api_flags", "int")),
    # net/if_bridgevar.h: what ifd_data points to
    "ifbreq": (
        ("ifbr_ifsname", "char[16]"),
        ("ifbr_ifsflags", "uint32"),
        ("ifbr_state", "uint8"),
        ("ifbr_priority", "uint8"),
        ("ifbr_path_cost", "uint8"),
        ("ifbr_portno", "uint8"),
    ),
    "ifbifconf": (("ifbic_len", "uint32"), ("ifbic_ifbicu", Union((("ifbicu_buf", "pointer"),)))),
    "ifbrparam": (
        (
            "ifbrp_ifbrpu",
            Union((("ifbrpu_int32", "uint32"), ("ifbrpu_int16", "uint16"), ("ifbrpu_int8", "uint8"))),
        ),
    ),
    # netinet6/in6_var.h
    "in6_addrlifetime": (
        ("ia6t_expire", "int64"),
        ("ia6t_preferred", "int64"),
        ("ia6t_vltime", "uint32"),
        ("ia6t_pltime", "uint32"),
    ),
    "in6_aliasreq": (
        ("ifra_name", "char[16]"),
        ("ifra_addr", "sockaddr_in6"),
        ("ifra_dstaddr", "sockaddr_in6"),
        ("ifra_prefixmask", "sockaddr_in6"),
        ("ifra_flags", "int"),
        ("ifra_lifetime", "in6_addrlifetime"),
    ),
    "in6_ifreq": (
        ("ifr_name", "char[16]"),
        (
            "ifr_ifru",
            Union(
                (
                    ("ifru_raw", "bytes[272]"),
                    ("ifru_addr", "sockaddr_in6"),
                    ("ifru_flags", "int16"),
                    ("ifru_flags6", "int"),
                    ("ifru_lifetime", "in6_addrlifetime"),
                )
            ),
        ),
    ),
    # net/if.h and net/route.h: the messages of sysctl net.route's interface list. Both end at a
    # 64-bit boundary on every ABI.
    "if_msghdr": (
        ("ifm_msglen", "uint16"),
        ("ifm_version", "uint8"),
        ("ifm_type", "uint8"),
        ("ifm_addrs", "int"),
        ("ifm_flags", "int"),
        ("ifm_index", "uint16"),
        ("ifm_data_start", "align64"),
        ("ifm_data", "if_data"),
        ("ifm_end", "align64"),
    ),
    "ifa_msghdr": {
        (0,): (
            ("ifam_msglen", "uint16"),
            ("ifam_version", "uint8"),
            ("ifam_type", "uint8"),
            ("ifam_addrs", "int"),
            ("ifam_flags", "int"),
            ("ifam_metric", "int"),
            ("ifam_index", "uint16"),
            ("ifam_end", "align64"),
        ),
        (7, 99, 39): (
            ("ifam_msglen", "uint16"),
            ("ifam_version", "uint8"),
            ("ifam_type", "uint8"),
            ("ifam_index", "uint16"),
            ("ifam_flags", "int"),
            ("ifam_addrs", "int"),
            ("ifam_pid", "int"),
            ("ifam_addrflags", "int"),
            ("ifam_metric", "int"),
            ("ifam_end", "align64"),
        ),
    },
    # net/route.h: the head of a message about a route or a neighbour, with a struct rt_metrics at a 64-bit boundary.
    "rt_metrics": (
        ("rmx_locks", "uint64"),
        ("rmx_mtu", "uint64"),
        ("rmx_hopcount", "uint64"),
        ("rmx_recvpipe", "uint64"),
        ("rmx_sendpipe", "uint64"),
        ("rmx_ssthresh", "uint64"),
        ("rmx_rtt", "uint64"),
        ("rmx_rttvar", "uint64"),
        ("rmx_expire", "int64"),
        ("rmx_pksent", "int64"),
    ),
    "rt_msghdr": (
        ("rtm_msglen", "uint16"),
        ("rtm_version", "uint8"),
        ("rtm_type", "uint8"),
        ("rtm_index", "uint16"),
        ("rtm_flags", "int"),
        ("rtm_addrs", "int"),
        ("rtm_pid", "int"),
        ("rtm_seq", "int"),
        ("rtm_errno", "int"),
        ("rtm_use", "int"),
        ("rtm_inits", "int"),
        ("rtm_rmx_start", "align64"),
        ("rtm_rmx", "rt_metrics"),
    ),
    # netinet6/nd6.h
    "nd_ifinfo": {
        (0,): (
            ("linkmtu", "uint32"),
            ("maxmtu", "uint32"),
            ("basereachable", "uint32"),
            ("reachable", "uint32"),
            ("retrans", "uint32"),
            ("flags", "uint32"),
            ("recalctm", "int"),
            ("chlim", "uint8"),
            ("initialized", "uint8"),
            ("randomseed0", "bytes[8]"),
            ("randomseed1", "bytes[8]"),
            ("randomid", "bytes[8]"),
        ),
        (9, 99, 66): (("chlim", "uint8"), ("basereachable", "uint32"), ("retrans", "uint32"), ("flags", "uint32")),
    },
    "in6_ndireq": (("ifname", "char[16]"), ("ndi", "nd_ifinfo")),
    "in6_defrouter": (
        ("rtaddr", "sockaddr_in6"),
        ("flags", "uint8"),
        ("rtlifetime", "uint16"),
        ("expire", "ulong"),
        ("if_index", "uint16"),
    ),
    # The routers that advertise the prefix follow, a sockaddr_in6 each. raflags are C's bit fields.
    "in6_prefix": (
        ("prefix", "sockaddr_in6"),
        ("raflags", "uint32"),
        ("prefixlen", "uint8"),
        ("origin", "uint8"),
        ("vltime", "uint32"),
        ("pltime", "uint32"),
        ("expire", "int64"),
        ("flags", "uint32"),
        ("refcnt", "int"),
        ("if_index", "uint16"),
        ("advrtrs", "uint16"),
    ),
    # sys/sysctl.h: the same 96 bytes on every ABI, each pointer in a union of 8 bytes.
    "sysctlnode": (
        ("sysctl_flags", "uint32"),
        ("sysctl_num", "int32"),
        ("sysctl_name", "char[32]"),
        ("sysctl_ver", "uint32"),
        ("__rsvd", "uint32"),
        ("sysctl_un", "bytes[16]"),  # immediate values and kernel pointers; values are read by number
        ("_sysctl_size", "upad_size_t"),
        ("_sysctl_func", "upad_size_t"),
        ("_sysctl_parent", "upad_size_t"),
        ("_sysctl_desc", "upad_size_t"),
    ),
    # The string follows at once; the next one starts at a multiple of 4.
    "sysctldesc_head": (("descr_num", "int32"), ("descr_ver", "uint32"), ("descr_len", "uint32")),
    # The arguments of mount(2): fs/tmpfs/tmpfs_args.h, ufs/ufs/ufsmount.h
    "tmpfs_args": (
        ("ta_version", "int"),
        ("ta_nodes_max", "uint64"),
        ("ta_size_max", "int64"),
        ("ta_root_uid", "uint32"),
        ("ta_root_gid", "uint32"),
        ("ta_root_mode", "uint32"),
    ),
    "ufs_args": (("fspec", "pointer"),),
    # dev/vndvar.h
    "vndgeom": (
        ("vng_secsize", "uint32"),
        ("vng_nsectors", "uint32"),
        ("vng_ntracks", "uint32"),
        ("vng_ncylinders", "uint32"),
    ),
    "vnd_ioctl": (
        ("vnd_file", "pointer"),
        ("vnd_flags", "int"),
        ("vnd_geom", "vndgeom"),
        ("vnd_osize", "uint"),
        ("vnd_size", "uint64"),
    ),
    "vnd_user": (("vnu_unit", "int"), ("vnu_dev", "uint64"), ("vnu_ino", "uint64")),
    # sys/uio.h, sys/poll.h, sys/resource.h
    "iovec": (("iov_base", "pointer"), ("iov_len", "size_t")),
    "pollfd": (("fd", "int"), ("events", "int16"), ("revents", "int16")),
    "rlimit": (("rlim_cur", "uint64"), ("rlim_max", "uint64")),
    # sys/socket.h, sys/un.h
    "msghdr": (
        ("msg_name", "pointer"),
        ("msg_namelen", "uint32"),
        ("msg_iov", "pointer"),
        ("msg_iovlen", "int"),
        ("msg_control", "pointer"),
        ("msg_controllen", "uint32"),
        ("msg_flags", "int"),
    ),
    "cmsghdr": (("cmsg_len", "uint32"), ("cmsg_level", "int"), ("cmsg_type", "int")),
    "sockaddr_un": (("sun_len", "uint8"), ("sun_family", "uint8"), ("sun_path", "char[104]")),
    # sys/ktrace.h: the head of a record of version 2. Its second word is the version, 16 bits higher, and the type:
    # they are members of their own there, declared in the order that makes this so in both byte orders.
    "ktr_header": (
        ("ktr_len", "int"),
        ("ktr_kind", "uint32"),
        ("ktr_pid", "int"),
        ("ktr_comm", "char[17]"),
        ("ktr_ts", "timespec"),
        ("ktr_lid", "int"),
    ),
    # sys/module.h: the list of modules, whose strings follow at offsets since release 9
    "modctl_load_t": (
        ("ml_filename", "pointer"),
        ("ml_flags", "int"),
        ("ml_props", "pointer"),
        ("ml_propslen", "size_t"),
    ),
    "modstat_t": {
        (0,): (
            ("ms_name", "char[32]"),
            ("ms_required", "char[320]"),
            ("ms_addr", "uint64"),
            ("ms_source", "uint32"),
            ("ms_class", "uint32"),
            ("ms_size", "uint"),
            ("ms_refcnt", "uint"),
            ("ms_flags", "uint"),
            ("ms_reserved", "uint[3]"),
        ),
        (9,): (
            ("ms_name", "char[32]"),
            ("ms_addr", "uint64"),
            ("ms_source", "uint32"),
            ("ms_class", "uint32"),
            ("ms_size", "uint"),
            ("ms_refcnt", "uint"),
            ("ms_flags", "uint"),
            ("ms_reqoffset", "uint"),
        ),
    },
}
