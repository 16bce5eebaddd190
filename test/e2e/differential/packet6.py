# IPv6 packets as bytes: made field by field, right or wrong, and read again without trust.
import ipaddress
import struct

from .packet4 import TCP, UDP, checksum, hardware

HOP_BY_HOP, ROUTING, FRAGMENT, ESP, AUTH, ICMP6, NONE, OPTIONS = 0, 43, 44, 50, 51, 58, 59, 60
UNREACHABLE, TOO_BIG, EXCEEDED, PARAMETER = 1, 2, 3, 4
ECHO, ECHO_REPLY, ND_FIRST, REDIRECT = 128, 129, 133, 137
MLD = (130, 131, 132, 143)
INFORMATIONAL = 128  # types from here on are no errors
TYPE = b"\x86\xdd"


def address(text):
    return ipaddress.IPv6Address(text).packed


def text(raw):
    return str(ipaddress.IPv6Address(raw))


def ether(dst, src, payload, kind=TYPE):
    return hardware(dst) + hardware(src) + kind + payload


def ipv6(src, dst, payload=b"", proto=UDP, hops=64, tc=0, label=0, headers=(), **lies):
    """A packet. headers: extension headers, as (type, bytes) whose first byte is written here.
    lies: version, length (of the payload)."""
    body = b""
    following = proto
    for kind, data in reversed(headers):
        body = bytes([following]) + data[1:] + body
        following = kind
    body += payload
    word = lies.get("version", 6) << 28 | tc << 20 | label
    return struct.pack("!IHBB", word, lies.get("length", len(body)), following, hops) + \
        address(src) + address(dst) + body


def pad_options(data, unit=8):
    """Options and the padding that a header of whole units needs; 2 bytes stand before them."""
    room = -(len(data) + 2) % unit
    return data + (b"" if room == 0 else b"\0" if room == 1 else
                   bytes([1, room - 2]) + bytes(room - 2))


def options(kind, data=b"", length=None):
    """A hop-by-hop or destination options header. length: a lie about it, in units of 8 bytes."""
    data = pad_options(data)
    size = (len(data) + 2) // 8 - 1 if length is None else length
    return kind, bytes([0, size]) + data


def routing(kind, left, data=b"\0\0\0\0"):
    data += bytes(-(len(data) + 4) % 8)
    return ROUTING, bytes([0, (len(data) + 4) // 8 - 1, kind, left]) + data


def fragment(offset=0, more=0, ident=0, reserved=0):
    """offset: in units of 8 bytes."""
    return FRAGMENT, struct.pack("!BBHI", 0, reserved, offset << 3 | more, ident)


def authentication(words=4):
    return AUTH, bytes([0, words - 2]) + bytes(4 * words - 2)


def pseudo(src, dst, proto, length):
    return address(src) + address(dst) + struct.pack("!IHBB", length, 0, 0, proto)


def filled(src, dst, proto, message, at, check):
    """The message with its checksum written at `at`: the right one, unless `check` says another."""
    message = message[:at] + b"\0\0" + message[at + 2:]
    right = checksum(pseudo(src, dst, proto, len(message)) + message)
    right = right or 0xFFFF if proto == UDP else right
    return message[:at] + struct.pack("!H", right if check is None else check) + message[at + 2:]


def udp(src, dst, sport, dport, data=b"", check=None):
    return filled(src, dst, UDP, struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data, 6,
                  check)


def tcp(src, dst, sport, dport, seq=0, ack=0, bits=2, data=b"", check=None):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, bits, 8192, 0, 0)
    return filled(src, dst, TCP, head + data, 16, check)


def icmp(src, dst, kind, code=0, rest=b"\0\0\0\0", data=b"", check=None):
    return filled(src, dst, ICMP6, struct.pack("!BBH", kind, code, 0) + rest + data, 2, check)


def echo(src, dst, ident, sequence=1, data=b"", kind=ECHO, **more):
    return icmp(src, dst, kind, 0, struct.pack("!HH", ident, sequence), data, **more)


def sound(view, proto, message):
    """The checksum in a whole message is right."""
    return checksum(pseudo(view.src, view.dst, proto, len(message)) + message) == 0


class View:
    """A frame's IPv6 packet by its fields; ok says whether there is a whole header to read."""

    def __init__(self, frame):
        self.frame, self.dst_mac, self.src_mac, self.type = (
            frame, frame[:6], frame[6:12], frame[12:14])
        self.packet = ip = frame[14:]
        self.ok = self.type == TYPE and len(ip) >= 40 and ip[0] >> 4 == 6
        if not self.ok:
            return
        word, self.length, self.next, self.hops = struct.unpack("!IHBB", ip[:8])
        self.ok = self.length + 40 <= len(ip)
        self.tc, self.label = word >> 20 & 255, word & 0xFFFFF
        self.src, self.dst = text(ip[8:24]), text(ip[24:40])
        self.payload = ip[40:40 + self.length]
        self.trailer = ip[40 + self.length:]
        self.headers = []  # (type, bytes), as far as they are whole
        self.walk()

    def walk(self):
        """proto, message: what follows the extension headers; broken: they are not all there. part:
        of a fragmented packet; later: not the first part."""
        self.proto, data, self.broken = self.next, self.payload, False
        self.part = self.later = False
        while self.proto in (HOP_BY_HOP, ROUTING, FRAGMENT, AUTH, OPTIONS) and not self.part:
            if len(data) < 8:
                self.broken = True
                break
            size = 8 if self.proto == FRAGMENT else (data[1] + 2) * 4 if self.proto == AUTH \
                else (data[1] + 1) * 8
            if size > len(data):
                self.broken = True
                break
            self.headers.append((self.proto, data[:size]))
            if self.proto == FRAGMENT:
                where = int.from_bytes(data[2:4], "big")
                self.part, self.later = bool(where & 0xFFF9), bool(where & 0xFFF8)
            self.proto, data = data[0], data[size:]
        self.message = data

    @property
    def first_hop_by_hop(self):
        return self.next == HOP_BY_HOP


def options_of(header):
    """Options of an extension header one by one, as (type, data), up to one that is malformed:
    (None, rest)."""
    at = 2
    while at < len(header):
        if header[at] == 0:
            yield 0, b""
            at += 1
            continue
        if at + 2 > len(header) or at + 2 + header[at + 1] > len(header):
            yield None, header[at:]
            return
        yield header[at], header[at + 2:at + 2 + header[at + 1]]
        at += 2 + header[at + 1]


