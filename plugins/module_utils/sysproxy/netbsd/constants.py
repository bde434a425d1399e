# Copyright: (c) 2026, the rumpkernel.rump authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NetBSD's constants, a class for each C prefix: ``IFF.UP`` is IFF_UP of net/if.h.

The bits of a file's mode are those of Python's :mod:`stat` and not repeated here.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class AF(IntEnum):
    """Address families (sys/socket.h)."""

    LOCAL = 1
    INET = 2
    LINK = 18
    INET6 = 24
    ROUTE = 34


class SOCK(IntEnum):
    """Socket types, which are no bits, and the flags that may be added to them (sys/socket.h)."""

    STREAM = 0x1
    DGRAM = 0x2
    RAW = 0x3
    CLOEXEC = 0x10000000
    NONBLOCK = 0x20000000
    NOSIGPIPE = 0x40000000


class IFF(IntFlag):
    """Flags of an interface (net/if.h)."""

    UP = 0x1
    BROADCAST = 0x2
    DEBUG = 0x4
    LOOPBACK = 0x8
    POINTOPOINT = 0x10
    NOTRAILERS = 0x20
    RUNNING = 0x40
    NOARP = 0x80
    PROMISC = 0x100
    ALLMULTI = 0x200
    OACTIVE = 0x400
    SIMPLEX = 0x800
    LINK0 = 0x1000
    LINK1 = 0x2000
    LINK2 = 0x4000
    MULTICAST = 0x8000


class IFCAP(IntFlag):
    """What an interface's hardware may do itself (net/if.h)."""

    TSOv4 = 0x80
    CSUM_IPv4_Rx = 0x100
    CSUM_IPv4_Tx = 0x200
    CSUM_TCPv4_Rx = 0x400
    CSUM_TCPv4_Tx = 0x800
    CSUM_UDPv4_Rx = 0x1000
    CSUM_UDPv4_Tx = 0x2000
    CSUM_TCPv6_Rx = 0x4000
    CSUM_TCPv6_Tx = 0x8000
    CSUM_UDPv6_Rx = 0x10000
    CSUM_UDPv6_Tx = 0x20000
    TSOv6 = 0x40000
    LRO = 0x80000


class BRDG(IntEnum):
    """Commands to a bridge, as SIOCSDRVSPEC and SIOCGDRVSPEC carry them (net/if_bridgevar.h)."""

    ADD = 0
    DEL = 1
    SIFFLGS = 3
    SCACHE = 4
    GCACHE = 5
    STO = 9
    GTO = 10
    GPRI = 13
    SPRI = 14
    GHT = 15
    SHT = 16
    GFD = 17
    SFD = 18
    GMA = 19
    SMA = 20
    SIFPRIO = 21
    SIFCOST = 22
    GFILT = 23
    SFILT = 24


class IN_IFF(IntFlag):
    """States of an IPv4 address (netinet/in_var.h)."""

    TENTATIVE = 0x1
    DUPLICATED = 0x2
    DETACHED = 0x4
    TRYTENTATIVE = 0x8
    NOTREADY = TENTATIVE | DUPLICATED | TRYTENTATIVE


class IN6_IFF(IntFlag):
    """States of an IPv6 address (netinet6/in6_var.h)."""

    ANYCAST = 0x1
    TENTATIVE = 0x2
    DUPLICATED = 0x4
    NOTREADY = TENTATIVE | DUPLICATED
    DETACHED = 0x8
    DEPRECATED = 0x10
    NODAD = 0x20
    AUTOCONF = 0x40
    TEMPORARY = 0x80


class LINK_STATE(IntEnum):
    """States of a link (net/if.h)."""

    UNKNOWN = 0
    DOWN = 1
    UP = 2


class RTAX(IntEnum):
    """Positions of the addresses in a routing message (net/route.h)."""

    DST = 0
    GATEWAY = 1
    NETMASK = 2
    GENMASK = 3
    IFP = 4
    IFA = 5
    AUTHOR = 6
    BRD = 7
    TAG = 8
    MAX = 9


class RTM(IntEnum):
    """Types of routing messages up to release 7 (net/route.h); see routing_message_types."""

    ADD = 1
    DELETE = 2
    CHANGE = 3
    GET = 4
    VERSION = 4
    NEWADDR = 12
    DELADDR = 13
    IFINFO = 20
    CHGADDR = 21


class RTF(IntFlag):
    """Flags of a route or a neighbour (net/route.h). Up to release 7, 0x100 is RTF_CLONING, 0x200 RTF_XRESOLVE,
    0x400 RTF_LLINFO and 0x2000 RTF_CLONED."""

    UP = 0x1
    GATEWAY = 0x2
    HOST = 0x4
    REJECT = 0x8
    DYNAMIC = 0x10
    MODIFIED = 0x20
    DONE = 0x40
    MASK = 0x80
    CONNECTED = 0x100
    LLDATA = 0x400
    STATIC = 0x800
    BLACKHOLE = 0x1000
    PROTO2 = 0x4000
    PROTO1 = 0x8000
    SRC = 0x10000
    ANNOUNCE = 0x20000
    LOCAL = 0x40000
    BROADCAST = 0x80000


class RTV(IntFlag):
    """Metrics that a routing message sets (net/route.h)."""

    MTU = 0x1
    HOPCOUNT = 0x2
    EXPIRE = 0x4
    RPIPE = 0x8
    SPIPE = 0x10
    SSTHRESH = 0x20
    RTT = 0x40
    RTTVAR = 0x80


class NET_RT(IntEnum):
    """What sysctl net.route is asked for (sys/socket.h); the interface list's number differs between releases."""

    DUMP = 1
    FLAGS = 2


class ND6_IFF(IntFlag):
    """IPv6 options of an interface (netinet6/nd6.h). Release 10 has neither ACCEPT_RTADV nor OVERRIDE_RTADV."""

    PERFORMNUD = 0x1
    ACCEPT_RTADV = 0x2
    PREFER_SOURCE = 0x4
    IFDISABLED = 0x8
    OVERRIDE_RTADV = 0x10
    AUTO_LINKLOCAL = 0x20


class MNT(IntFlag):
    """Flags of a mount point and of the mount and unmount calls (sys/fstypes.h)."""

    RDONLY = 0x1
    SYNCHRONOUS = 0x2
    NOEXEC = 0x4
    NOSUID = 0x8
    NODEV = 0x10
    UNION = 0x20
    ASYNC = 0x40
    EXRDONLY = 0x80
    EXPORTED = 0x100
    DEFEXPORTED = 0x200
    EXPORTANON = 0x400
    EXKERB = 0x800
    LOCAL = 0x1000
    QUOTA = 0x2000
    ROOTFS = 0x4000
    NOCOREDUMP = 0x8000
    UPDATE = 0x10000
    RELATIME = 0x20000
    RELOAD = 0x40000
    FORCE = 0x80000
    IGNORE = 0x100000
    GETARGS = 0x400000
    DISCARD = 0x800000
    EXTATTR = 0x1000000
    LOG = 0x2000000
    NOATIME = 0x4000000
    EXNORESPORT = 0x8000000
    EXPUBLIC = 0x10000000
    SYMPERM = 0x20000000
    NODEVMTIME = 0x40000000
    SOFTDEP = 0x80000000


class MNT_WAIT(IntEnum):
    """Whether getvfsstat and sync wait for fresh numbers (sys/fstypes.h)."""

    WAIT = 1
    NOWAIT = 2
    LAZY = 3


class OpenFlag(IntFlag):
    """Flags of open (fcntl.h)."""

    RDONLY = 0x0
    WRONLY = 0x1
    RDWR = 0x2
    NONBLOCK = 0x4
    APPEND = 0x8
    SHLOCK = 0x10
    EXLOCK = 0x20
    ASYNC = 0x40
    SYNC = 0x80
    NOFOLLOW = 0x100
    CREAT = 0x200
    TRUNC = 0x400
    EXCL = 0x800
    NOCTTY = 0x8000
    DSYNC = 0x10000
    RSYNC = 0x20000
    ALT_IO = 0x40000
    DIRECT = 0x80000
    DIRECTORY = 0x200000
    CLOEXEC = 0x400000
    SEARCH = 0x800000
    NOSIGPIPE = 0x1000000


# The prefix of fcntl.h, by which it is used. As a class's own name it is refused (pycodestyle's E742).
O = OpenFlag  # noqa: E741


class F(IntEnum):
    """Commands of fcntl (fcntl.h)."""

    DUPFD = 0
    GETFD = 1
    SETFD = 2
    GETFL = 3
    SETFL = 4
    CLOSEM = 10
    MAXFD = 11
    DUPFD_CLOEXEC = 12
    GETNOSIGPIPE = 13
    SETNOSIGPIPE = 14


class AT(IntEnum):
    """Arguments of the *at calls (fcntl.h)."""

    EACCESS = 0x100
    SYMLINK_NOFOLLOW = 0x200
    SYMLINK_FOLLOW = 0x400
    REMOVEDIR = 0x800
    FDCWD = -100


class DT(IntEnum):
    """Types in a directory entry (sys/dirent.h)."""

    UNKNOWN = 0
    FIFO = 1
    CHR = 2
    DIR = 4
    BLK = 6
    REG = 8
    LNK = 10
    SOCK = 12
    WHT = 14


class UF(IntFlag):
    """File flags that the owner may set (sys/stat.h)."""

    NODUMP = 0x1
    IMMUTABLE = 0x2
    APPEND = 0x4
    OPAQUE = 0x8


class SF(IntFlag):
    """File flags that the superuser may set (sys/stat.h)."""

    ARCHIVED = 0x10000
    IMMUTABLE = 0x20000
    APPEND = 0x40000
    SNAPSHOT = 0x200000
    LOG = 0x400000
    SNAPINVAL = 0x800000


class UTIME(IntEnum):
    """Nanoseconds with a meaning of their own in utimensat (sys/stat.h)."""

    OMIT = 0x3FFFFFFE
    NOW = 0x3FFFFFFF


class CTL(IntEnum):
    """Top-level sysctl numbers and the numbers of requests about nodes (sys/sysctl.h)."""

    KERN = 1
    VM = 2
    VFS = 3
    NET = 4
    DEBUG = 5
    HW = 6
    MACHDEP = 7
    DDB = 9
    PROC = 10
    VENDOR = 11
    EMUL = 12
    SECURITY = 13
    EOL = -1
    QUERY = -2
    CREATE = -3
    CREATESYM = -4
    DESTROY = -5
    MMAP = -6
    DESCRIBE = -7


class CTLTYPE(IntEnum):
    """Types of a sysctl node, in the low four bits of its flags (sys/sysctl.h)."""

    NODE = 1
    INT = 2
    STRING = 3
    QUAD = 4
    STRUCT = 5
    BOOL = 6


class CTLFLAG(IntFlag):
    """Flags of a sysctl node (sys/sysctl.h)."""

    READONLY = 0x0
    READWRITE = 0x70
    ANYWRITE = 0x80
    PRIVATE = 0x100
    PERMANENT = 0x200
    OWNDATA = 0x400
    IMMEDIATE = 0x800
    HEX = 0x1000
    ROOT = 0x2000
    ANYNUMBER = 0x4000
    HIDDEN = 0x8000
    ALIAS = 0x10000
    MMAP = 0x20000
    OWNDESC = 0x40000
    UNSIGNED = 0x80000


class SYSCTL(IntEnum):
    """The version of struct sysctlnode, in the top byte of its flags (sys/sysctl.h)."""

    VERS_0 = 0
    VERS_1 = 0x1000000
    VERS_MASK = 0xFF000000


class VNDIOF(IntFlag):
    """Flags of a vnd unit (dev/vndvar.h)."""

    HASGEOM = 0x1
    READONLY = 0x2
    FORCE = 0x4


class SO(IntEnum):
    """Options of a socket at the level SOL.SOCKET (sys/socket.h)."""

    DEBUG = 0x1
    ACCEPTCONN = 0x2
    REUSEADDR = 0x4
    KEEPALIVE = 0x8
    DONTROUTE = 0x10
    BROADCAST = 0x20
    USELOOPBACK = 0x40
    LINGER = 0x80
    OOBINLINE = 0x100
    REUSEPORT = 0x200
    NOSIGPIPE = 0x800
    TIMESTAMP = 0x2000
    SNDBUF = 0x1001
    RCVBUF = 0x1002
    SNDLOWAT = 0x1003
    RCVLOWAT = 0x1004
    ERROR = 0x1007
    TYPE = 0x1008
    OVERFLOWED = 0x1009
    NOHEADER = 0x100A
    SNDTIMEO = 0x100B
    RCVTIMEO = 0x100C


class SOL(IntEnum):
    """The level of the options of sockets themselves (sys/socket.h)."""

    SOCKET = 0xFFFF


class IPPROTO(IntEnum):
    """Protocols, and levels of socket options (netinet/in.h)."""

    IP = 0
    ICMP = 1
    TCP = 6
    UDP = 17
    IPV6 = 41
    ICMPV6 = 58
    RAW = 255


class IP(IntEnum):
    """Options at the level IPPROTO.IP (netinet/in.h)."""

    OPTIONS = 1
    HDRINCL = 2
    TOS = 3
    TTL = 4
    RECVOPTS = 5
    RECVRETOPTS = 6
    RECVDSTADDR = 7
    RETOPTS = 8
    MULTICAST_IF = 9
    MULTICAST_TTL = 10
    MULTICAST_LOOP = 11
    ADD_MEMBERSHIP = 12
    DROP_MEMBERSHIP = 13
    PORTALGO = 18
    PORTRANGE = 19
    RECVIF = 20
    RECVTTL = 23
    MINTTL = 24
    PKTINFO = 25
    RECVPKTINFO = 26


class IPV6(IntEnum):
    """Options at the level IPPROTO.IPV6 (netinet6/in6.h)."""

    UNICAST_HOPS = 4
    MULTICAST_IF = 9
    MULTICAST_HOPS = 10
    MULTICAST_LOOP = 11
    JOIN_GROUP = 12
    LEAVE_GROUP = 13
    PORTRANGE = 14
    CHECKSUM = 26
    RECVPKTINFO = 36
    RECVHOPLIMIT = 37
    RECVRTHDR = 38
    RECVHOPOPTS = 39
    RECVDSTOPTS = 40
    USE_MIN_MTU = 42
    RECVPATHMTU = 43
    PATHMTU = 44
    PKTINFO = 46
    HOPLIMIT = 47
    NEXTHOP = 48
    HOPOPTS = 49
    DSTOPTS = 50
    RTHDR = 51
    RECVTCLASS = 57
    TCLASS = 61
    DONTFRAG = 62


class MSG(IntFlag):
    """Flags of send and recv (sys/socket.h)."""

    OOB = 0x1
    PEEK = 0x2
    DONTROUTE = 0x4
    EOR = 0x8
    TRUNC = 0x10
    CTRUNC = 0x20
    WAITALL = 0x40
    DONTWAIT = 0x80
    BCAST = 0x100
    MCAST = 0x200
    NOSIGNAL = 0x400


class POLL(IntFlag):
    """Events of poll: POLLIN and so on (sys/poll.h)."""

    IN = 0x1
    PRI = 0x2
    OUT = 0x4
    ERR = 0x8
    HUP = 0x10
    NVAL = 0x20
    RDNORM = 0x40
    RDBAND = 0x80
    WRBAND = 0x100


class LOCK(IntFlag):
    """Operations of flock (fcntl.h)."""

    SH = 1
    EX = 2
    NB = 4
    UN = 8


class RLIMIT(IntEnum):
    """Resources that have limits (sys/resource.h)."""

    CPU = 0
    FSIZE = 1
    DATA = 2
    STACK = 3
    CORE = 4
    RSS = 5
    MEMLOCK = 6
    NPROC = 7
    NOFILE = 8
    SBSIZE = 9
    AS = 10
    NTHR = 11


class CLOCK(IntEnum):
    """Clocks (sys/time.h)."""

    REALTIME = 0
    MONOTONIC = 3


class PC(IntEnum):
    """Variables of a file or file system: _PC_LINK_MAX and so on (sys/unistd.h)."""

    LINK_MAX = 1
    MAX_CANON = 2
    MAX_INPUT = 3
    NAME_MAX = 4
    PATH_MAX = 5
    PIPE_BUF = 6
    CHOWN_RESTRICTED = 7
    NO_TRUNC = 8
    VDISABLE = 9
    SYNC_IO = 10
    FILESIZEBITS = 11
    SYMLINK_MAX = 12


class RB(IntFlag):
    """Flags of reboot (sys/reboot.h)."""

    NOSYNC = 0x4


class KTROP(IntEnum):
    """Operations of ktrace (sys/ktrace.h)."""

    SET = 0
    CLEAR = 1
    CLEARFILE = 2


class KTRFAC(IntFlag):
    """What ktrace records (sys/ktrace.h)."""

    SYSCALL = 0x2
    SYSRET = 0x4
    NAMEI = 0x8
    GENIO = 0x10
    PSIG = 0x20
    CSW = 0x40
    EMUL = 0x80
    USER = 0x100
    EXEC_ARG = 0x400
    EXEC_ENV = 0x800
    MIB = 0x4000
    EXEC_FD = 0x8000
    INHERIT = 0x40000000


class KTR(IntEnum):
    """Types of the records of ktrace (sys/ktrace.h)."""

    SYSCALL = 1
    SYSRET = 2
    NAMEI = 3
    GENIO = 4
    PSIG = 5
    CSW = 6
    EMUL = 7
    USER = 8
    EXEC_ARG = 10
    EXEC_ENV = 11
    SAUPCALL = 13
    MIB = 14
    EXEC_FD = 15


class EXTATTR_NAMESPACE(IntEnum):
    """Namespaces of extended attributes (sys/extattr.h)."""

    USER = 1
    SYSTEM = 2
