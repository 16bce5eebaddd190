# IPv4 cases: each branch of RFC 1812's forwarding once by hand, then random ones of each kind.
import ipaddress

from . import packet4, topology
from .packet4 import DF, ICMP, MF, TCP, UDP, echo, ether, icmp, ipv4, tcp, udp

OWN = set(topology.ROUTER4) | {topology.SECOND4[1]}
CONNECTED = [ipaddress.ip_network(f"10.0.{p}.0/24") for p in range(topology.PORTS)] + [
    ipaddress.ip_network("172.16.0.0/24")]
KNOWN = {a for group in topology.neighbors4() for _, a, _ in group} | {
    str(n.broadcast_address) for n in CONNECTED}

# Destinations by what becomes of them.
TRANSIT = ["10.0.0.77", "10.0.1.77", "10.0.2.77", "10.0.1.78", "172.16.0.77", "192.0.2.9",
           "198.18.0.1", "198.18.255.254", "198.19.7.7", "198.18.5.1", "198.51.100.200"]
REFUSED = ["198.18.5.200", "198.18.6.6", "203.0.113.70", "203.0.113.130", "8.8.8.8",
           "223.255.255.9"]
SILENT = ["203.0.113.1"]
SPECIAL = ["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255", "224.0.0.1", "224.0.0.5",
           "239.1.2.3", "240.0.0.1", "255.255.255.254", "255.255.255.255", "10.0.0.255",
           "10.0.1.255", "10.0.0.0", "10.0.1.0", "169.254.1.1", "172.16.0.255"]
EVERYWHERE = TRANSIT + REFUSED + SILENT + sorted(OWN)
BROADCAST = "ff:ff:ff:ff:ff:ff"


def is_known(address):
    """Both routers need not ask for it, so that no answer waits for a time-out."""
    ip = ipaddress.ip_address(address)
    return address in OWN or address in KNOWN or not any(ip in n for n in CONNECTED)


def host(port):
    return f"10.0.{port}.{topology.HOST}"


def source(port, tag):
    """A sender behind a port, another one for each case: Linux counts the unreachables it sends
    to each (net.ipv4.route.error_burst), and soon says no more."""
    return f"10.{topology.SENDERS + port}.{tag >> 8}.{tag & 255}"


def frame(port, packet, dst=None, kind=packet4.TYPE):
    """A frame to the router from the host of a port."""
    return port, ether(dst or topology.router_mac(port), topology.mac(port, topology.HOST), packet,
                       kind)


def body(rng, src, dst, tag, size=None):
    """A protocol and a payload of it: nearly always UDP, TCP or an echo request."""
    size = rng.choice((0, 1, 8, 18, 64, 200, 560, 1200)) if size is None else size
    data = rng.randbytes(size)
    proto = rng.choice((UDP, UDP, TCP, ICMP, ICMP, rng.randrange(256)))
    if proto == UDP:
        return proto, udp(src, dst, rng.randrange(1 << 16), rng.randrange(1 << 16), data)
    if proto == TCP:
        return proto, tcp(src, dst, tag, rng.randrange(1 << 16), rng.getrandbits(32),
                          rng.getrandbits(32), rng.randrange(256), data)
    if proto == ICMP:
        return proto, echo(tag, rng.randrange(1 << 16), data)
    return proto, data.ljust(8, b"\0")


def valid(rng, tag, port=None, dst=None, size=None, **fields):
    """A packet as a host would send it: port and packet."""
    port = rng.randrange(topology.PORTS) if port is None else port
    dst = dst or rng.choice(EVERYWHERE)
    src = fields.pop("src", None) or source(port, tag)
    limit = topology.MTU[port] - 20 - 40 - 20
    proto, payload = body(rng, src, dst, tag, size if size is None else min(size, limit))
    payload = payload[:topology.MTU[port] - 20 - 40]
    values = {"proto": proto, "payload": payload, "ttl": rng.choice((2, 3, 64, 128, 255)),
              "tos": rng.randrange(256), "flags": rng.choice((0, 0, DF)), **fields}
    return port, ipv4(src, dst, ident=tag, **values)


# ------------------------------------------------------------ random kinds

def flows(rng, tag):
    return frame(*valid(rng, tag))


def sources(rng, tag):
    """Answers take the way back: by other ports, to nowhere, to the one with the small MTU."""
    far = f"198.18.{rng.randrange(5)}.{rng.randrange(256)}", f"198.51.100.{rng.randrange(256)}"
    return frame(*valid(rng, tag, src=rng.choice(TRANSIT + REFUSED + SILENT + SPECIAL + [*far] * 8),
                        dst=rng.choice(TRANSIT + sorted(OWN)), ttl=rng.choice((1, 2, 64))))


def fields(rng, tag):
    """One to three header fields changed, all but the identification; mostly with a checksum
    that fits."""
    port, packet = valid(rng, tag)
    packet = bytearray(packet)
    for _ in range(rng.randint(1, 3)):
        where = rng.choice((0, 0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19))
        packet[where] = rng.choice((rng.randrange(256), packet[where] ^ 1 << rng.randrange(8)))
    return frame(port, packet4.with_check(packet) if rng.random() < 0.85 else bytes(packet))


def lengths(rng, tag):
    """The frame, the total length and the header length do not agree."""
    port, packet = valid(rng, tag, size=rng.choice((0, 20, 100)))
    packet = bytearray(packet)
    act = rng.randrange(4)
    if act == 0:
        packet = packet[:rng.randrange(len(packet))]
    elif act == 1:
        packet += rng.randbytes(rng.randint(1, 60))
    elif act == 2:
        packet[2:4] = max(0, len(packet) + rng.randint(-60, 60)).to_bytes(2, "big")
    else:
        packet[0] = 0x40 | rng.randrange(16)
    return frame(port, packet4.with_check(packet))


def hops(rng, tag):
    return frame(*valid(rng, tag, ttl=rng.choice((0, 1, 1, 2))))


SOUP = (b"\x00", b"\x01", b"\x01\x01", b"\x94\x04\x00\x00", b"\x82\x0b" + bytes(9),
        b"\x88\x04\x12\x34", b"\x07\x07\x04" + bytes(4), b"\x07\x07\x08" + bytes(4),
        b"\x44\x08\x05\x00" + bytes(4), b"\x44\x0c\x05\x01" + bytes(8),
        b"\x44\x08\x09\xf0" + bytes(4),
        b"\x83\x07\x04\x0a\x00\x01\x4d", b"\x89\x07\x08\x0a\x00\x01\x4d", b"\x1e\x06abcd",
        b"\x9e\x06abcd", b"\xcd\x04xy")


def option_soup(rng, tag):
    """Well-formed options in any order, at times with a byte changed."""
    soup = bytearray()
    while len(soup) < 40 and rng.random() < 0.7:
        soup += rng.choice(SOUP)
    soup = soup[:40] or bytearray(b"\x01")
    if rng.random() < 0.3:
        soup[rng.randrange(len(soup))] = rng.randrange(256)
    return frame(*valid(rng, tag, options=bytes(soup), ttl=rng.choice((1, 64, 64, 64))))


def option_noise(rng, tag):
    return frame(*valid(rng, tag, options=rng.randbytes(rng.randint(1, 40))))


def routes_of_packets(rng, tag):
    """Record route, timestamps: every length and pointer."""
    kind = rng.choice((7, 7, 68))
    length = rng.choice((3, 4, 7, 11, 12, 20, 39))
    data = bytearray([kind, length, rng.choice((0, 3, 4, 5, 8, 9, 12, length - 3, length + 1,
                                                length + 2)) & 255])
    data += bytes([rng.choice((0, 1, 3, 0xF0, 0xF1, 2))] if kind == 68 else b"")
    data = data.ljust(length, b"\x0b")[:40]
    return frame(*valid(rng, tag, options=bytes(data), size=rng.choice((0, 30, 700))))


def fragments(rng, tag):
    """Parts of a datagram that never becomes whole."""
    offset = rng.choice((0, 1, 2, 185, 1000, 8100, 8189, 8190, 8191))
    size = rng.choice((0, 1, 7, 8, 16, 600, 1200))
    port = rng.randrange(topology.PORTS)
    dst = rng.choice([a for a in EVERYWHERE if a not in OWN])
    payload = rng.randbytes(min(size, topology.MTU[port] - 60))
    return frame(port, ipv4(
        source(port, tag), dst, payload, rng.choice((UDP, TCP, ICMP)), rng.choice((1, 64, 64, 64)),
        ident=tag, flags=rng.choice((0, MF, MF, MF | DF, DF, 4, 4 | MF)), offset=offset,
        options=rng.choice((b"", b"", b"\x94\4\0\0", b"\x1e\x04ab\x9e\x04cd"))))


def too_long(rng, tag):
    """Around the small MTU, with and without DF, with options in later fragments or not."""
    port = rng.randrange(2)
    size = rng.choice((550, 572, 573, 580, 581, 588, 600, 1160, 1161, 1300, 1400))
    options = rng.choice((b"", b"", b"\x94\x04\x00\x00", b"\x01\x1e\x06abcd\x9e\x05xyz",
                          b"\x9e\x0aabcdefgh"))
    dst = rng.choice(("10.0.2.77", "10.0.2.78", "198.51.100.4"))
    return frame(port, ipv4(source(port, tag), dst, rng.randbytes(size), rng.choice((UDP, 99)),
                            rng.choice((1, 2, 64)), ident=tag, options=options,
                            flags=rng.choice((0, 0, DF, MF)), offset=rng.choice((0, 0, 0, 50))))


def martians(rng, tag):
    return frame(*valid(rng, tag, dst=rng.choice(SPECIAL)))


def links(rng, tag):
    """The right packet in the wrong frame."""
    port, packet = valid(rng, tag, dst=rng.choice(EVERYWHERE + SPECIAL))
    dst, kind = topology.router_mac(port), packet4.TYPE
    act = rng.randrange(5)
    if act == 0:
        dst = rng.choice(("02:00:00:00:00:01", topology.router_mac((port + 1) % topology.PORTS)))
    elif act in (1, 2):
        dst = rng.choice((BROADCAST, "01:00:5e:00:00:05", "33:33:00:00:00:01"))
    else:
        kind = rng.choice((b"\x86\xdd", b"\x00\x2e", b"\x05\xff", b"\x88\x47", b"\x08\x01",
                           rng.randbytes(2)))
        if kind in (packet4.TYPE, b"\x08\x06", b"\x81\x00", b"\x88\xa8"):
            kind = b"\x08\x02"
    return frame(port, packet, dst, kind)


def inner(rng, src, dst):
    """What an ICMP error quotes."""
    return ipv4(src, dst, udp(src, dst, 7, 9, rng.randbytes(rng.choice((0, 0, 40)))),
                ttl=rng.randrange(256), ident=rng.randrange(1 << 16))


def errors_in_errors(rng, tag):
    """ICMP of all types, whole or short, about and through places that would be an error."""
    port = rng.randrange(topology.PORTS)
    dst = rng.choice(TRANSIT + REFUSED + REFUSED + SILENT)
    kind = rng.choice((0, 3, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 40, 42,
                       rng.randrange(256)))
    data = inner(rng, dst, source(port, tag))[:rng.choice((0, 4, 20, 28, 99))]
    message = icmp(kind, rng.choice((0, 1, 3, 4, rng.randrange(256))), rng.randbytes(4), data)
    size = rng.choice((0, 1, 4, 8, 999, 999, 999))
    return frame(port, ipv4(source(port, tag), dst, message[:size], ICMP,
                            rng.choice((1, 1, 64)), ident=tag))


def to_the_router(rng, tag):
    """Closed ports, unknown protocols, ICMP right and wrong."""
    port = rng.randrange(topology.PORTS)
    src, dst = rng.choice((source(port, tag), host(port), "198.18.0.9", "198.51.100.9",
                           "172.16.0.77", "8.8.4.4")), rng.choice(sorted(OWN))
    data = rng.randbytes(rng.choice((0, 1, 40, 500)))
    act = rng.randrange(8)
    wrong = rng.choice((None, None, None, 0, 0x1234))
    if act < 2:
        proto, payload = UDP, udp(src, dst, rng.randrange(1 << 16), rng.randrange(1 << 16), data,
                                  check=wrong)
        if rng.random() < 0.2:
            payload = payload[:rng.randrange(len(payload) + 1)]
    elif act < 4:
        proto, payload = TCP, tcp(src, dst, tag, rng.randrange(1 << 16), rng.getrandbits(32),
                                  rng.getrandbits(32), rng.choice((2, 16, 17, 18, 4, 20, 0, 1, 41)),
                                  data, check=wrong)
        if rng.random() < 0.2:
            payload = payload[:rng.randrange(len(payload) + 1)]
    elif act < 6:
        proto, payload = ICMP, echo(tag, rng.randrange(1 << 16), data, check=wrong)
    elif act == 6:
        kind = rng.choice((0, 3, 4, 5, 9, 10, 11, 12, 13, 14, 15, 17, 18, 30, 40, 42))
        rest = tag.to_bytes(2, "big") + rng.randbytes(2)
        proto, payload = ICMP, icmp(kind, rng.choice((0, 0, 1, 4)), rest,
                                    rng.choice((bytes(12), inner(rng, dst, src))))
    else:
        proto, payload = rng.randrange(256), data.ljust(20, b"\0")
    options = rng.choice((b"",) * 8 + (b"\x01\x94\x04\x00\x00", b"\x07\x04\x05\x00"))
    return frame(port, ipv4(src, dst, payload, proto, rng.choice((0, 1, 64)), ident=tag,
                            options=options))


def checksums(rng, tag):
    """Right, off by one, complemented, and one's complement's two zeros."""
    port, packet = valid(rng, tag)
    right = int.from_bytes(packet[10:12], "big")
    wrong = rng.choice(((right + 1) & 0xFFFF, right ^ 0xFFFF, 0, 0xFFFF, right ^ 1 << 8))
    return frame(port, packet4.with_check(packet, wrong))


KINDS = [("a valid flow", flows, 14), ("sources", sources, 8), ("header fields", fields, 16),
         ("lengths", lengths, 8), ("TTL", hops, 6), ("options", option_soup, 8),
         ("option noise", option_noise, 3), ("record route, timestamp", routes_of_packets, 5),
         ("fragments", fragments, 7), ("around the MTU", too_long, 7), ("martians", martians, 4),
         ("link layer", links, 4), ("errors in errors", errors_in_errors, 6),
         ("to the router", to_the_router, 8), ("checksums", checksums, 3)]


# ------------------------------------------------------------ once each

def single(dst, port=0, l2=None, kind=packet4.TYPE, extra=b"", **values):
    """A maker of one packet, given by its fields."""
    def make(_rng, tag):
        src = values.get("src") or source(port, tag)
        payload = values.get("payload", udp(src, dst, 4000, 4001, b"once"))
        given = {k: v for k, v in values.items() if k not in ("src", "payload")}
        if callable(payload):
            payload = payload(src, tag)
        return frame(port, ipv4(src, dst, payload, ident=tag, **given) + extra, l2, kind)
    return make


def by_places():
    for ttl in (0, 1, 2, 64):
        for dst in TRANSIT + REFUSED + SILENT + sorted(OWN) + SPECIAL:
            yield f"TTL {ttl} to {dst}", single(dst, ttl=ttl)
    for src in TRANSIT + REFUSED + SILENT + SPECIAL + sorted(OWN):
        yield f"from {src}", single("10.0.1.77", src=src)
        yield f"from {src}, TTL 1", single("10.0.1.77", src=src, ttl=1)
        if src not in OWN:
            yield f"echo request from {src}", single(
                "10.0.0.1", src=src, proto=ICMP, payload=lambda _, tag: echo(tag))


def by_options():
    for option in SOUP + (b"\x07\x27\x04" + bytes(36), b"\x44\x28\x05\x01" + bytes(36),
                          b"\x07\x03\x04", b"\x07\x07\x03" + bytes(4), b"\x07\x07\x05" + bytes(4),
                          b"\x07\x00", b"\x07\x01", b"\x07\x29", b"\x01\x01\x94\x01",
                          b"\x94\x04\x00\x01", b"\x94\x03\x00", b"\x00\x01\x01\x01",
                          b"\x00\xaa\xbb\xcc", b"\x44\x04\x05\x00", b"\x44\x04\x05\xf1",
                          b"\x44\x05\x05\x00\x00", b"\x44\x0c\x05\x03\x0a\x00\x00\x01\0\0\0\0",
                          b"\x44\x0c\x05\x03\x0a\x00\x01\x63\0\0\0\0",
                          b"\x44\x0c\x05\x02" + bytes(8), b"\x44\x0c\x05\x03" + bytes(8),
                          b"\x89\x08\x08" + bytes(5) + b"\x07\x00",
                          b"\x07\x07\x04\0\0\0\0\x07\x07\x04\0\0\0\0", b"\x07\x0b\x05" + bytes(8),
                          b"\x83\x07\x04\x0a\0\1\x4d\x44\x08\x04" + bytes(5),
                          b"\x83\x07\x04\x0a\0\1\x63\x44\x08\x04" + bytes(5),
                          b"\x86\x05\xd4\xf7\x36", b"\x1e\x04ab\x9e\x04cd"):
        for dst in ("10.0.1.77", "10.0.1.1", "8.8.8.8", "203.0.113.1", "198.51.100.3"):
            yield f"option {option.hex()} to {dst}", single(dst, options=option)
        yield f"option {option.hex()} cut", single(
            "10.0.2.77", options=option, payload=bytes(range(250)) * 4)
        yield f"option {option.hex()} in an echo request", single(
            "10.0.0.1", options=option, proto=ICMP, payload=lambda _, tag: echo(tag))


def by_link():
    for dst in TRANSIT[:2] + REFUSED[:1] + ["10.0.0.1", "224.0.0.1", "255.255.255.255",
                                            "10.0.0.255"]:
        for l2 in ("02:00:00:00:00:01", BROADCAST, "01:00:5e:00:00:05"):
            yield f"{dst} in a frame to {l2}", single(dst, l2=l2)
            yield f"TTL 1 to {dst} in a frame to {l2}", single(dst, l2=l2, ttl=1)
    for kind in (b"\x86\xdd", b"\x00\x2e", b"\x88\x47"):
        yield f"type {kind.hex()}", single("10.0.1.77", kind=kind)
    for size in (1480, 1481, 1484, 1485, 1600):
        yield f"{size + 20} bytes", single("10.0.1.77", payload=bytes(size))


def by_lengths():
    for lie in (0, 19, 20, 21, 31, 33, 1000, 65535):
        yield f"total length {lie}", single("10.0.1.77", total=lie)
        yield f"total length {lie} to the router", single("10.0.0.1", total=lie)
    for extra in (1, 18, 400):
        yield f"{extra} bytes of padding", single("10.0.1.77", extra=b"\xaa" * extra)
        yield f"padding in an error's reach, {extra}", single("8.8.8.8", extra=b"\xaa" * extra)
    for words in range(16):
        yield f"header of {words} words", single("10.0.1.77", words=words)
    for version in (0, 3, 5, 6, 15):
        yield f"version {version}", single("10.0.1.77", version=version)
    for check in (0, 0xFFFF, 1):
        yield f"checksum {check:#x}", single("10.0.1.77", check=check)


def by_size():
    for size in (571, 572, 573, 580, 588, 1140, 1161, 1480):
        for flags in (0, DF, MF, 4, DF | MF):
            yield f"{size + 20} bytes, flags {flags}", single(
                "10.0.2.77", payload=bytes(i & 255 for i in range(size)), flags=flags)
    for offset in (1, 4000, 8120, 8191):
        yield f"to be cut at offset {offset}", single(
            "10.0.2.77", payload=bytes(1000), flags=MF, offset=offset)
        yield f"to be cut at offset {offset}, with options", single(
            "10.0.2.77", payload=bytes(1000), offset=offset // 2, options=b"\x1e\x04ab\x9e\x04cd")
        yield f"small at offset {offset}", single("10.0.1.77", offset=offset, flags=MF)
        yield f"refused at offset {offset}", single("8.8.8.8", offset=offset)
    yield "an answer that must be cut", single("10.0.0.1", src="198.51.100.7", proto=ICMP,
                                               payload=lambda _, tag: echo(tag, 1, bytes(1200)))


def by_protocol():
    for proto in range(256):
        yield f"protocol {proto} to the router", single("10.0.0.1", proto=proto,
                                                        payload=bytes(20))
    for kind in range(0, 44):
        for dst in ("10.0.0.1", "8.8.8.8"):
            yield f"ICMP type {kind} to {dst}", single(
                dst, proto=ICMP, payload=lambda src, tag, kind=kind: icmp(
                    kind, 0, tag.to_bytes(2, "big") + b"\0\1", ipv4("10.0.0.1", src, bytes(8))))
    for bits in (0, 1, 2, 4, 16, 17, 18, 20):
        for data in (b"", b"data"):
            yield f"TCP flags {bits}", single(
                "10.0.0.1", proto=TCP, payload=lambda src, tag, b=bits, d=data: tcp(
                    src, "10.0.0.1", tag, 80, 100, 200, b, d))
    for what, lie in (("zero", 0), ("wrong", 0x1234)):
        yield f"UDP checksum {what}", single("10.0.0.1", payload=lambda src, tag, c=lie: udp(
            src, "10.0.0.1", 1, 2, b"x", check=c))
        yield f"TCP checksum {what}", single("10.0.0.1", proto=TCP, payload=lambda src, tag, c=lie:
                                             tcp(src, "10.0.0.1", tag, 80, check=c))
        yield f"ICMP checksum {what}", single("10.0.0.1", proto=ICMP, payload=lambda _, tag, c=lie:
                                              echo(tag, check=c))
    for length in (0, 7, 9, 500):
        yield f"UDP length {length}", single("10.0.0.1", payload=lambda src, tag, n=length: (
            udp(src, "10.0.0.1", 1, 2, b"x", check=0)[:4] + n.to_bytes(2, "big") + b"\0\0x"))


def unanswered():
    """Neighbours without a MAC: the packet waits until ARP gives up, then is refused."""
    for n in range(6):
        dst = f"10.0.1.{topology.SILENT + n}"
        yield f"a neighbour that never answers, {dst}", single(dst, ttl=2 + n)
    yield "a fragment to a neighbour that never answers", single(
        f"10.0.1.{topology.SILENT + 6}", offset=5)
    yield "an answer to a neighbour that never answers", single(
        "8.8.8.8", src=f"10.0.0.{topology.SILENT}")


def singles():
    for group in (unanswered, by_places, by_options, by_link, by_lengths, by_size, by_protocol):
        for what, make in group():
            yield what, make
