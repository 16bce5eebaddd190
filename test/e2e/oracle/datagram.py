# IPv4 datagrams of a talk: made; as they leave a router put together, fields apart, and how wrong each checksum is.
import struct
from typing import NamedTuple

from differential.packet4 import (DF, ECHO, ECHO_REPLY, ICMP, ICMP_ERRORS, MF, TCP, UDP, View, dotted, ether,
                                  icmp, ipv4, pseudo, tcp, udp)
from differential.packet4 import echo as echo4

HEADER = 20
HOPS = 60  # left where they are sent
CUT = 800  # bytes of a fragment
ON_THE_WAY = ("10.0.0.254", "198.18.0.1")  # routers by cable, whose errors are about what they lead to
STRANGERS = (("198.51.100.10", "198.51.100.11"), ("10.0.0.10", "10.0.0.11"))  # by who speaks
# Type and code, the rest of the header, and whether the host itself says so.
ERRORS = (((3, 1), bytes(4), False), ((3, 3), bytes(4), True), ((3, 4), b"\0\0\x02\x40", False),
          ((11, 0), bytes(4), False), ((3, 13), bytes(4), False), ((12, 0), bytes(4), False))


# ---------------------------------------------------------------- made

def packet(src, dst, body, proto, ident, df=False):
    return ipv4(src, dst, body, proto=proto, ident=ident, ttl=HOPS, flags=DF if df else 0)


def cut(src, dst, body, proto, ident):
    return [ipv4(src, dst, body[at:at + CUT], proto=proto, ident=ident, ttl=HOPS, offset=at // 8,
                 flags=MF if at + CUT < len(body) else 0) for at in range(0, len(body), CUT)]


def echo(_src, _dst, ident, seq, data, asks):
    return echo4(ident, seq, data, kind=ECHO if asks else ECHO_REPLY)


def error(src, dst, kind, code, rest, quoted, ident):
    return packet(src, dst, icmp(kind, code, rest, quoted), ICMP, ident)


def source(quoted):
    return dotted(quoted[12:16])


def again(d):
    """A datagram as the one that has it sees it, for a quote."""
    return ipv4(d.src, d.dst, d.payload, proto=d.proto, ttl=d.ttl, tos=d.tos, ident=d.ident,
                flags=DF if d.df else 0)


# ---------------------------------------------------------------- read

def folded(data):
    """The ones' complement sum; 0xffff of what has a right checksum (0 is that as well)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total % 0xFFFF


class Datagram(NamedTuple):
    cable: int
    dst_mac: bytes
    src: str
    dst: str
    proto: int
    ttl: int
    tos: int
    ident: int
    df: bool
    payload: bytes
    header_ok: bool
    pieces: int


def together(came):
    """Datagrams of (cable, frame) in order of their first pieces; what is not whole, piece by piece."""
    pieces, order = {}, []
    for cable, frame in came:
        v = View(frame)
        if not v.ok:
            continue
        key = (cable, v.src, v.dst, v.proto, v.ident, v.dst_mac) if v.fragment else object()
        if key not in pieces:
            order.append(key)
        pieces.setdefault(key, []).append(v)
        pieces[key][0].cable = cable
    return [d for key in order for d in joined(pieces[key])]


def joined(views):
    cable = views[0].cable
    views = sorted(views, key=lambda v: v.offset)
    data, whole = b"", True
    for v in views:
        whole &= v.offset == len(data)
        data += v.payload
    whole &= not views[-1].flags & MF
    if not whole:
        return [datagram(cable, v, v.payload, 1) for v in views]
    return [datagram(cable, views[0], data, len(views), all(v.check_ok for v in views))]


def datagram(cable, v, payload, pieces, header_ok=None):
    return Datagram(cable, v.dst_mac, v.src, v.dst, v.proto, v.ttl, v.tos, v.ident,
                    bool(v.flags & 2), payload, v.check_ok if header_ok is None else header_ok,
                    pieces)


def is_error(proto, payload):
    return proto == ICMP and len(payload) >= 8 + 20 + 8 and payload[0] in ICMP_ERRORS


def ports_of(proto, payload):
    """Source and destination; the identifier of ICMP queries as both."""
    if proto in (TCP, UDP) and len(payload) >= 4:
        return struct.unpack_from("!HH", payload)
    if proto == ICMP and len(payload) >= 8 and payload[0] in (0, 8, 13, 14):
        ident, = struct.unpack_from("!H", payload, 4)
        return ident, ident
    return None


def check_error(src, dst, proto, payload):
    """By how much the transport's checksum is wrong; None: it has none; 'short'."""
    at = {TCP: 16, UDP: 6, ICMP: 2}.get(proto)
    if at is None:
        return None
    if len(payload) < at + 2:
        return "short"
    if proto == UDP and payload[6:8] == b"\0\0":
        return None
    head = b"" if proto == ICMP else pseudo(src, dst, proto, len(payload))
    return folded(head + payload)


def without_numbers(proto, payload):
    """The payload with its ports and its checksum as zeros: what no translation may change."""
    p = bytearray(payload)
    places = {TCP: ((0, 4), (16, 18)), UDP: ((0, 4), (6, 8)), ICMP: ((2, 4), (4, 6))}
    for first, end in places.get(proto, ()):
        if proto == ICMP and first == 4 and ports_of(proto, payload) is None:
            continue
        p[first:min(end, len(p))] = bytes(max(0, min(end, len(p)) - first))
    return bytes(p)


class Inner(NamedTuple):
    """The packet inside an ICMP error."""
    src: str
    dst: str
    proto: int
    ident: int
    head: bytes       # of the IP header what no translation changes
    header_error: int
    ports: tuple
    payload: bytes    # without numbers
    checksum: bytes   # of a transport whose all is not here, as it stands; else how wrong it is


def inner_of(payload):
    """Of an error; the quoted packet may be cut."""
    ip = payload[8:]
    size = (ip[0] & 15) * 4
    src, dst, proto = dotted(ip[12:16]), dotted(ip[16:20]), ip[9]
    body = ip[size:]
    total, ident = struct.unpack_from("!HH", ip, 2)
    whole = total - size == len(body)
    return Inner(src, dst, proto, ident, ip[:10], folded(ip[:size]), ports_of(proto, body),
                 without_numbers(proto, body),
                 check_error(src, dst, proto, body) if whole else "cut")


__all__ = ["ERRORS", "HEADER", "ON_THE_WAY", "STRANGERS", "again", "check_error", "cut", "echo", "error",
           "ether", "inner_of", "is_error", "packet", "ports_of", "source", "tcp", "together", "udp",
           "without_numbers"]
