# IPv6 datagrams of a talk: made, put together as they leave a router, and fields apart; as datagram.py.
import struct

from differential.packet4 import ICMP, TCP, UDP
from differential.packet6 import (ECHO, ECHO_REPLY, EXCEEDED, ICMP6, PARAMETER, TOO_BIG, UNREACHABLE, View,
                                  ether, fragment, ipv6, pseudo, text)
from differential.packet6 import echo as echo6
from differential.packet6 import icmp, tcp, udp
from oracle.datagram import CUT, HOPS, Datagram, Inner, folded

HEADER = 40
ON_THE_WAY = ("fd00:0:0:a::254", "2001:db8:63::1")
STRANGERS = (("2001:db8:64::10", "2001:db8:64::11"), ("fd00:0:0:a::10", "fd00:0:0:a::11"))
# Type and code, the rest of the header, and whether the host itself says so; RFC 4443 3.
ERRORS = (((UNREACHABLE, 3), bytes(4), False), ((UNREACHABLE, 4), bytes(4), True),
          ((TOO_BIG, 0), b"\0\0\x05\0", False), ((EXCEEDED, 0), bytes(4), False),
          ((UNREACHABLE, 1), bytes(4), False), ((PARAMETER, 0), b"\0\0\0\6", False))
PLACES = {TCP: ((0, 4), (16, 18)), UDP: ((0, 4), (6, 8)), ICMP6: ((2, 4), (4, 6))}
CHECK_AT = {TCP: 16, UDP: 6, ICMP6: 2}


# ---------------------------------------------------------------- made

def packet(src, dst, body, proto, ident, **more):
    """Its number is the flow label: no router changes it (RFC 6437 3)."""
    more.pop("df", None)
    return ipv6(src, dst, body, proto=ICMP6 if proto == ICMP else proto, hops=HOPS, label=ident, **more)


def cut(src, dst, body, proto, ident):
    return [packet(src, dst, body[at:at + CUT], proto, ident,
                   headers=[fragment(at // 8, at + CUT < len(body), ident)])
            for at in range(0, len(body), CUT)]


def echo(src, dst, ident, seq, data, asks):
    return echo6(src, dst, ident, seq, data, kind=ECHO if asks else ECHO_REPLY)


def error(src, dst, kind, code, rest, quoted, ident):
    return packet(src, dst, icmp(src, dst, kind, code, rest, quoted), ICMP6, ident)


def source(quoted):
    return text(quoted[8:24])


def again(d):
    """A datagram as the one that has it sees it, for a quote."""
    return ipv6(d.src, d.dst, d.payload, proto=d.proto, hops=d.ttl, tc=d.tos, label=d.ident)


# ---------------------------------------------------------------- read

def together(came):
    """As of IPv4."""
    pieces, order = {}, []
    for cable, frame in came:
        v = View(frame)
        if not v.ok or v.broken:
            continue
        v.cable, v.place = cable, (0, 0)
        if v.part:
            word, ident = struct.unpack_from("!HI", v.headers[-1][1], 2)
            v.place = word & 0xFFF8, word & 1
        key = (cable, v.src, v.dst, ident, v.dst_mac) if v.part else object()
        if key not in pieces:
            order.append(key)
        pieces.setdefault(key, []).append(v)
    return [d for key in order for d in joined(pieces[key])]


def joined(views):
    views = sorted(views, key=lambda v: v.place)
    data, whole = b"", True
    for v in views:
        whole &= v.place[0] == len(data)
        data += v.message
    if not whole or views[-1].place[1]:
        return [datagram(v, v.message, 1) for v in views]
    return [datagram(views[0], data, len(views))]


def datagram(v, payload, pieces):
    return Datagram(v.cable, v.dst_mac, v.src, v.dst, v.proto, v.hops, v.tc, v.label, False, payload,
                    True, pieces)


def is_error(proto, payload):
    return proto == ICMP6 and len(payload) >= 8 + 40 + 8 and payload[0] < 128


def ports_of(proto, payload):
    if proto in (TCP, UDP) and len(payload) >= 4:
        return struct.unpack_from("!HH", payload)
    if proto == ICMP6 and len(payload) >= 8 and payload[0] in (ECHO, ECHO_REPLY):
        ident, = struct.unpack_from("!H", payload, 4)
        return ident, ident
    return None


def check_error(src, dst, proto, payload):
    """By how much the transport's checksum is wrong; None: it has none; 'short'."""
    at = CHECK_AT.get(proto)
    if at is None:
        return None
    if len(payload) < at + 2:
        return "short"
    if proto == UDP and payload[6:8] == b"\0\0":
        return None
    return folded(pseudo(src, dst, proto, len(payload)) + payload)


def without_numbers(proto, payload):
    p = bytearray(payload)
    for first, end in PLACES.get(proto, ()):
        p[first:min(end, len(p))] = bytes(max(0, min(end, len(p)) - first))
    return bytes(p)


def inner_of(payload):
    """Of an error; the quoted packet may be cut, and has no extension headers."""
    ip = payload[8:]
    src, dst, proto = text(ip[8:24]), text(ip[24:40]), ip[6]
    body = ip[HEADER:]
    word, length = struct.unpack_from("!IH", ip)
    return Inner(src, dst, proto, word & 0xFFFFF, ip[:8], 0, ports_of(proto, body),
                 without_numbers(proto, body),
                 check_error(src, dst, proto, body) if length == len(body) else "cut")


__all__ = ["ERRORS", "HEADER", "ICMP6", "ON_THE_WAY", "STRANGERS", "again", "check_error", "cut",
           "echo", "error", "ether", "inner_of", "is_error", "packet", "ports_of", "source", "tcp",
           "together", "udp", "without_numbers"]
