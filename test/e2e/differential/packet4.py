# IPv4 packets as bytes: made field by field, right or wrong, and read again without trust.
import struct

ICMP, IGMP, TCP, UDP = 1, 2, 6, 17
DF, MF = 2, 1                       # of the three flag bits
ECHO_REPLY, UNREACHABLE, REDIRECT, ECHO, EXCEEDED, PARAMETER = 0, 3, 5, 8, 11, 12
ICMP_ERRORS = (UNREACHABLE, 4, REDIRECT, EXCEEDED, PARAMETER)
TYPE = b"\x08\x00"


def address(text):
    return bytes(int(part) for part in text.split("."))


def dotted(raw):
    return ".".join(map(str, raw))


def number(text):
    return int.from_bytes(address(text), "big")


def hardware(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ether(dst, src, payload, kind=TYPE):
    return hardware(dst) + hardware(src) + kind + payload


def pad_options(data):
    return data + b"\0" * (-len(data) % 4)


def ipv4(src, dst, payload=b"", proto=UDP, ttl=64, tos=0, ident=0, flags=0, offset=0,
         options=b"", **lies):
    """A packet. offset: in units of 8 bytes. lies: version, words (IHL), total, check."""
    options = pad_options(options)
    words = lies.get("words", 5 + len(options) // 4)
    total = lies.get("total", 20 + len(options) + len(payload))
    head = struct.pack("!BBHHHBBH4s4s", lies.get("version", 4) << 4 | words, tos, total, ident,
                       flags << 13 | offset, ttl, proto, 0, address(src), address(dst)) + options
    packet = head + payload
    return with_check(packet, lies.get("check"))


def with_check(packet, check=None):
    """The packet with the checksum its header needs, or another one."""
    packet = bytearray(packet)
    if len(packet) < 20:
        return bytes(packet)
    packet[10:12] = b"\0\0"
    size = max(20, (packet[0] & 15) * 4)
    right = checksum(bytes(packet[:size]).ljust(size, b"\0"))
    packet[10:12] = struct.pack("!H", right if check is None else check)
    return bytes(packet)


def pseudo(src, dst, proto, length):
    return address(src) + address(dst) + struct.pack("!BBH", 0, proto, length)


def udp(src, dst, sport, dport, data=b"", check=None):
    length = 8 + len(data)
    head = struct.pack("!HHHH", sport, dport, length, 0)
    right = checksum(pseudo(src, dst, UDP, length) + head + data) or 0xFFFF
    return head[:6] + struct.pack("!H", right if check is None else check) + data


def tcp(src, dst, sport, dport, seq=0, ack=0, bits=2, data=b"", check=None):
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 5 << 4, bits, 8192, 0, 0)
    right = checksum(pseudo(src, dst, TCP, len(head) + len(data)) + head + data)
    return head[:16] + struct.pack("!H", right if check is None else check) + head[18:] + data


def icmp(kind, code=0, rest=b"\0\0\0\0", data=b"", check=None):
    head = struct.pack("!BBH", kind, code, 0) + rest
    right = checksum(head + data) if check is None else check
    return head[:2] + struct.pack("!H", right) + rest + data


def echo(ident, sequence=1, data=b"", kind=ECHO, **more):
    return icmp(kind, 0, struct.pack("!HH", ident, sequence), data, **more)


class View:
    """A frame's IPv4 packet by its fields; ok says whether there is a whole header to read."""

    def __init__(self, frame):
        self.frame, self.dst_mac, self.src_mac, self.type = (
            frame, frame[:6], frame[6:12], frame[12:14])
        self.packet = ip = frame[14:]
        self.ok = self.type == TYPE and len(ip) >= 20 and ip[0] >> 4 == 4
        if not self.ok:
            return
        (_, self.tos, self.total, self.ident, fragment, self.ttl, self.proto, _, src,
         dst) = struct.unpack("!BBHHHBBH4s4s", ip[:20])
        self.size = (ip[0] & 15) * 4
        self.ok = 20 <= self.size <= len(ip) and self.size <= self.total <= len(ip)
        self.src, self.dst = dotted(src), dotted(dst)
        self.flags, self.offset = fragment >> 13, (fragment & 0x1FFF) * 8
        self.options = ip[20:self.size]
        self.payload = ip[self.size:self.total]
        self.trailer = ip[self.total:]
        self.check_ok = checksum(ip[:self.size]) == 0

    @property
    def fragment(self):
        return bool(self.offset or self.flags & MF)


def options_of(data):
    """Options one by one, as (number, bytes), up to the end or to one that is malformed."""
    at = 0
    while at < len(data) and data[at] != 0:
        length = 1 if data[at] == 1 else data[at + 1] if at + 1 < len(data) else 0
        if length < 1 or (data[at] != 1 and length < 2) or at + length > len(data):
            yield None, data[at:]
            return
        yield data[at], data[at:at + length]
        at += length
