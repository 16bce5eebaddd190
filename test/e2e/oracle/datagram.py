# IPv4 datagrams as they leave a router: fragments put together, fields apart, and how wrong each checksum is.
import struct
from typing import NamedTuple

from differential.packet4 import ICMP, ICMP_ERRORS, MF, TCP, UDP, View, dotted, pseudo


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
