# IPv6 cases made by hand, one each.
from . import packet6, topology6
from .generate6 import (ANYCAST, GLOBAL, OWN, REFUSED, SILENT, SOUP, SPECIAL, TRANSIT, frame,
                        group_mac, inner, source)
from .packet6 import (AUTH, ESP, HOP_BY_HOP, ICMP6, NONE, OPTIONS, ROUTING, TCP, authentication,
                      echo, fragment, icmp, ipv6, options, routing, tcp, udp)
from .topology6 import GATEWAY, HOST, SMALL, net

ROUTER = topology6.ROUTER6[0]
FAR = net(1, HOST)
NOWHERE = "2001:4860::8888"


def single(dst, port=0, l2=None, kind=packet6.TYPE, extra=b"", src=None, payload=None, **values):
    """A maker of one packet, given by its fields. payload: bytes, or of (src, tag)."""
    def make(_rng, tag):
        sender = src or source(port, tag)
        data = udp(sender, dst, 4000, 4001, b"once") if payload is None else payload
        data = data(sender, tag) if callable(data) else data
        to = l2 or (group_mac(dst) if dst.startswith("ff") else None)
        return frame(port, ipv6(sender, dst, data, label=tag, **values) + extra, to, kind)
    return make


def request(dst):
    return lambda src, tag: echo(src, dst, tag)


def by_places():
    for dst in TRANSIT + REFUSED + SILENT + sorted(OWN) + SPECIAL:
        for hops in (1, 64) if dst in SPECIAL else (0, 1, 2, 64):
            yield f"hop limit {hops} to {dst}", single(dst, hops=hops)
    for dst in sorted(OWN) + SPECIAL:
        yield f"echo request to {dst}", single(dst, proto=ICMP6, payload=request(dst))
    for src in TRANSIT + REFUSED + SILENT + SPECIAL + sorted(GLOBAL):
        yield f"from {src}", single(FAR, src=src)
        yield f"from {src}, hop limit 1", single(FAR, src=src, hops=1)
        if src not in OWN:
            yield f"echo request from {src}", single(ROUTER, src=src, proto=ICMP6,
                                                     payload=request(ROUTER))


JUMBO = b"\xc2\x04\0\1\0\0"


def by_options():
    for option in SOUP + (JUMBO, b"\x05\x01\0", b"\x05\x03\0\0\0", b"\x01\x05\0\0\0\0\0",
                          b"\x01\x04\0\1\0\0", b"\x1e\x7f", b"\x9e", b"\x01\x06" + bytes(6) + b"\x01\x06" + bytes(6)):
        for dst in (FAR, ROUTER, NOWHERE, SILENT[0]):
            yield f"hop-by-hop option {option.hex()} to {dst}", single(
                dst, headers=[options(HOP_BY_HOP, option)])
        yield f"hop-by-hop option {option.hex()}, hop limit 1", single(
            FAR, headers=[options(HOP_BY_HOP, option)], hops=1)
        for dst in (FAR, ROUTER, "ff02::1"):
            yield f"destination option {option.hex()} to {dst}", single(
                dst, headers=[options(OPTIONS, option)])
    for action in (0x1E, 0x5E, 0x9E, 0xDE):
        yield f"hop-by-hop option {action:#x} to all nodes", single(
            "ff02::1", headers=[options(HOP_BY_HOP, bytes([action, 0]))])
        yield f"hop-by-hop option {action:#x} to others", single(
            "ff02::5", headers=[options(HOP_BY_HOP, bytes([action, 0]))])
    for length in (1, 5, 255):
        for kind in (HOP_BY_HOP, OPTIONS):
            for dst in (FAR, ROUTER):
                yield f"header {kind} of {length} units to {dst}", single(
                    dst, headers=[options(kind, b"", length)])


def by_headers():
    for kind in (0, 1, 2, 3, 4, 5, 200):
        for left in (0, 1, 2, 255):
            for dst in (FAR, ROUTER):
                yield f"routing type {kind}, {left} left, to {dst}", single(
                    dst, headers=[routing(kind, left, bytes(4) + packet6.address(FAR))])
    for name, chain in {
            "atomic fragment": [fragment()],
            "atomic fragment, reserved bits": [fragment(reserved=255)],
            "authentication header": [authentication()],
            "two of a kind": [options(OPTIONS), options(OPTIONS)],
            "hop-by-hop second": [options(OPTIONS), options(HOP_BY_HOP)],
            "hop-by-hop twice": [options(HOP_BY_HOP), options(HOP_BY_HOP)],
            "all in order": [options(HOP_BY_HOP), options(OPTIONS), routing(0, 0), fragment(),
                             options(OPTIONS)],
            "twelve": [options(OPTIONS)] * 12}.items():
        for dst in (FAR, ROUTER, NOWHERE):
            yield f"{name} to {dst}", single(dst, headers=chain)
            yield f"{name}, an echo request to {dst}", single(
                dst, headers=chain, proto=ICMP6, payload=request(dst))
    for kind in (HOP_BY_HOP, OPTIONS, ROUTING, 44, AUTH, ESP, ICMP6, TCP, 17, NONE):
        for size in (0, 1, 7):
            yield f"{size} bytes of {kind} to {ROUTER}", single(ROUTER, proto=kind,
                                                                payload=bytes(size))
        yield f"1 byte of {kind} to {FAR}", single(FAR, proto=kind, payload=b"\0")


def by_ends():
    """Headers that end before what they announce."""
    for kind, data in ((OPTIONS, b""), (44, fragment(0, 1, 7)[1][1:]), (AUTH, b"\x02\0\0\0\0\0\0")):
        for dst in (FAR, NOWHERE):
            yield f"ICMPv6 that ends with header {kind}, to {dst}", single(
                dst, hops=1, proto=kind, payload=bytes([ICMP6]) + data)
    yield "two atomic fragment headers", single(ROUTER, headers=[fragment(), fragment()])


def by_ways_back():
    for dst in sorted(ANYCAST)[:2] + [ROUTER]:
        for src in ("2001:db8:2::9", "2001:db8:4::9", NOWHERE):
            yield f"echo request to {dst} from {src}", single(
                dst, src=src, proto=ICMP6, payload=request(dst))
    for src in ("::", topology6.LINK_HOST):
        yield f"back to the link, from {src}", single(net(0, GATEWAY), src=src)
    for dst in ("ff02::1", "ff02::2"):
        for l2 in ("ff:ff:ff:ff:ff:ff", topology6.router_mac(0)):
            yield f"echo request to {dst} in a frame to {l2}", single(
                dst, l2=l2, proto=ICMP6, payload=request(dst))


def by_link():
    for dst in TRANSIT[:2] + REFUSED[:1] + [ROUTER, "ff02::1", "ff02::2"]:
        for l2 in ("02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01",
                   topology6.router_mac(0)):
            yield f"{dst} in a frame to {l2}", single(dst, l2=l2)
            yield f"hop limit 1 to {dst} in a frame to {l2}", single(dst, l2=l2, hops=1)
    for dst in (FAR, "ff02::1"):
        yield f"an option to be told of, to {dst} in a frame to all", single(
            dst, l2="33:33:00:00:00:01", headers=[options(HOP_BY_HOP, b"\x9e\0")])
    for kind in (b"\x08\x00", b"\x00\x2e", b"\x88\x47"):
        yield f"type {kind.hex()}", single(FAR, kind=kind)
    for size in (1460, 1461, 1464, 1465, 1600):
        yield f"{size + 40} bytes", single(FAR, payload=bytes(size))


def by_lengths():
    for lie in (0, 1, 7, 11, 13, 1000, 65535):
        for dst in (FAR, ROUTER):
            yield f"payload length {lie} to {dst}", single(dst, length=lie)
    yield "payload length 0 and a jumbo option", single(
        FAR, length=0, headers=[options(HOP_BY_HOP, JUMBO)])
    for extra in (1, 18, 400):
        yield f"{extra} bytes of padding", single(FAR, extra=b"\xaa" * extra)
        yield f"padding in an error's reach, {extra}", single(NOWHERE, extra=b"\xaa" * extra)
    for version in (0, 4, 5, 7, 15):
        yield f"version {version}", single(FAR, version=version)
    for tc in (0, 1, 0xB8, 0xFF):
        for dst in (FAR, NOWHERE):
            yield f"traffic class {tc} to {dst}", single(dst, tc=tc)
        yield f"traffic class {tc} in an echo request", single(
            ROUTER, tc=tc, proto=ICMP6, payload=request(ROUTER))


def by_size():
    for size in (1239, 1240, 1241, 1300, 1460):
        yield f"{size + 40} bytes", single(net(SMALL, HOST), payload=bytes(size))
        yield f"{size + 40} bytes, hop limit 1", single(net(SMALL, HOST), payload=bytes(size),
                                                        hops=1)
        yield f"{size + 40} bytes to nowhere", single(NOWHERE, payload=bytes(size))
        yield f"ICMPv6 error of {size + 40} bytes", single(
            net(SMALL, HOST), proto=ICMP6,
            payload=lambda s, t, n=size: icmp(s, net(SMALL, HOST), 1, data=bytes(n - 8)))
    for offset in (0, 1, 8191):
        for dst in (FAR, NOWHERE, net(SMALL, HOST)):
            yield f"fragment at {offset} to {dst}", single(
                dst, headers=[fragment(offset, 1, 77)], payload=bytes(1240))


def by_protocol():
    for proto in (*range(0, 64), 88, 89, 94, 98, 103, 108, 112, 115, 124, 132, 135, 136, 137, 138,
                  139, 140, 142, 143, 200, 253, 254, 255):
        if proto not in (HOP_BY_HOP, ROUTING, 44, AUTH, OPTIONS):
            yield f"protocol {proto} to the router", single(ROUTER, proto=proto, payload=bytes(20))
    for kind in (0, 1, 2, 3, 4, 5, 100, 101, 127, 128, 129, *range(130, 162), 200, 201, 255):
        for dst in (ROUTER, NOWHERE):
            yield f"ICMPv6 type {kind} to {dst}", single(
                dst, proto=ICMP6, payload=lambda src, tag, k=kind, d=dst: icmp(
                    src, d, k, 0, tag.to_bytes(2, "big") + b"\0\1", ipv6(d, src, bytes(8))))
    for dst in (ROUTER, sorted(ANYCAST)[0], topology6.link_local(0)):
        for bits in (0, 1, 2, 4, 16, 17, 18, 20):
            yield f"TCP flags {bits} to {dst}", single(
                dst, proto=TCP, tc=0xBB, payload=lambda src, tag, b=bits, d=dst: tcp(
                    src, d, tag, 80, 100, 200, b, b"data" if b & 1 else b""))
    for what, lie in (("zero", 0), ("wrong", 0x1234)):
        yield f"UDP checksum {what}", single(ROUTER, payload=lambda src, tag, c=lie: udp(
            src, ROUTER, 1, 2, b"x", check=c))
        yield f"TCP checksum {what}", single(ROUTER, proto=TCP, payload=lambda src, tag, c=lie: tcp(
            src, ROUTER, tag, 80, check=c))
        yield f"ICMPv6 checksum {what}", single(
            ROUTER, proto=ICMP6, payload=lambda src, tag, c=lie: echo(src, ROUTER, tag, check=c))
    for length in (0, 7, 9, 500):
        yield f"UDP length {length}", single(ROUTER, payload=lambda src, tag, n=length: (
            packet6.filled(src, ROUTER, 17, b"\0\1\0\2" + n.to_bytes(2, "big") + b"\0\0x", 6, None)))


def unanswered():
    """Neighbours without a MAC: the packet waits until it is given up, then is refused."""
    for n in range(6):
        dst = net(1, 200 + n)
        yield f"a neighbour that never answers, {dst}", single(dst, hops=2 + n)
    yield "a fragment to a neighbour that never answers", single(
        net(1, 210), headers=[fragment(5, 1, 7)])
    yield "an answer to a neighbour that never answers", single(NOWHERE, src=net(0, 200))


def errors():
    """ICMPv6 errors, quoting all kinds of packets, through places that would be an error."""
    for dst in (NOWHERE, FAR):
        for headers in ([], [options(OPTIONS)], [options(HOP_BY_HOP)], [authentication()],
                        [fragment(0, 1, 7)], [fragment(5, 1, 7)], [routing(0, 0)]):
            for kind in (1, 137, 128):
                def make(rng, tag, d=dst, h=headers, k=kind):
                    src = source(0, tag)
                    return frame(0, ipv6(src, d, icmp(src, d, k, data=inner(rng, d, src)), ICMP6, 1,
                                         label=tag, headers=h))
                yield f"ICMPv6 {kind} behind {[h[0] for h in headers]} to {dst}, hop limit 1", make


def singles():
    for group in (unanswered, by_places, by_options, by_headers, by_ends, by_ways_back, by_link, by_lengths, by_size,
                  by_protocol, errors):
        for what, make in group():
            yield what, make
