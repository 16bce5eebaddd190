# IPv6 cases: each branch of RFC 8200's forwarding once by hand, then random ones of each kind.
import ipaddress

from . import packet6, topology6
from .packet6 import (HOP_BY_HOP, ICMP6, OPTIONS, TCP, UDP, authentication, echo, ether, fragment,
                      icmp, ipv6, options, routing, tcp, udp)
from .topology6 import GATEWAY, HOST, PORTS, SMALL, net

LINK_ANYCAST = "fe80::"  # Linux has one, barewire has not
ANYCAST = {str(ipaddress.IPv6Address(f"fd00:0:0:{p}::")) for p in range(PORTS)} | {"fd00:0:0:16::"}
GLOBAL = set(topology6.ROUTER6) | {topology6.SECOND6[1]}
OWN = GLOBAL | {topology6.link_local(p) for p in range(PORTS)} | ANYCAST | {LINK_ANYCAST}
GROUPS = {"ff02::1", "ff02::2", "ff05::2"}
DELIVERED = OWN | GROUPS
CONNECTED = [ipaddress.ip_network(n) for n in
             [net(p, 0) + "/64" for p in range(PORTS)] + ["fd00:0:0:16::/64", "fe80::/10"]]
KNOWN = {a for _, a, _ in topology6.neighbors6()} | OWN

# Destinations by what becomes of them.
TRANSIT = [net(0, HOST), net(1, HOST), net(2, HOST), net(1, GATEWAY), f"fd00:0:0:16::{HOST}",
           "2001:db8:1::9", "2001:db8:2::1", "2001:db8:3:ffff::fe", "2001:db8:2:5::1",
           "2001:db8:2:6::7", "2001:db8:4::200", "2001:db8:6::1"]
REFUSED = ["2001:db8:2:5:8000::200", "2001:db8:2:6::6", "2001:db8:5:1::70", "2001:db8:5:2::1",
           "2001:4860::8888", "4000::9"]
SILENT = ["2001:db8:5::1"]
SPECIAL = ["::", "::1", "::2", "::7f00:1", "::ffff:10.0.0.77", "::ffff:0:10.0.0.77", "64:ff9b::1",
           "100::1", "fec0::1", "fc00::1", topology6.LINK_HOST, topology6.link_local(0),
           topology6.link_local(1), "ff00::1", "ff01::1", "ff01::2", "ff02::1", "ff02::2",
           "ff02::5", "ff02::1:ff00:1", "ff02::1:ff12:3456", "ff03::1", "ff05::1", "ff05::2",
           "ff08::1", "ff0e::1", "ff3e::8000:1", "ff1f::1", "ffff::1",
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]
EVERYWHERE = TRANSIT + REFUSED + SILENT + sorted(GLOBAL)


def is_known(address):
    """Both routers need not ask for it, so that no answer waits for a time-out."""
    ip = ipaddress.ip_address(address)
    return address in KNOWN or not any(ip in n for n in CONNECTED)


def host(port):
    return net(port, HOST)


def source(port, tag):
    """A sender behind a port, another one for each case."""
    return str(ipaddress.IPv6Address(f"2001:db8:{topology6.SENDERS + port:x}::{tag:x}"))


def frame(port, packet, dst=None, kind=packet6.TYPE):
    """A frame to the router from the host of a port."""
    return port, ether(dst or topology6.router_mac(port), topology6.mac(port, HOST), packet, kind)


def group_mac(address):
    return "33:33:" + packet6.address(address)[12:].hex(":")


def body(rng, src, dst, tag, size=None):
    """A protocol and a payload of it: nearly always UDP, TCP or an echo request."""
    size = rng.choice((0, 1, 8, 18, 64, 200, 560, 1100)) if size is None else size
    data = rng.randbytes(size)
    proto = rng.choice((UDP, UDP, TCP, ICMP6, ICMP6, rng.randrange(256)))
    if proto == UDP:
        return proto, udp(src, dst, rng.randrange(1 << 16), rng.randrange(1 << 16), data)
    if proto == TCP:
        return proto, tcp(src, dst, tag, rng.randrange(1 << 16), rng.getrandbits(32),
                          rng.getrandbits(32), rng.randrange(256), data)
    if proto == ICMP6:
        return proto, echo(src, dst, tag, rng.randrange(1 << 16), data)
    return proto, data.ljust(8, b"\0")


def valid(rng, tag, port=None, dst=None, size=None, **fields):
    """A packet as a host would send it: port and packet."""
    port = rng.randrange(PORTS) if port is None else port
    dst = dst or rng.choice(EVERYWHERE)
    src = fields.pop("src", None) or source(port, tag)
    proto, payload = body(rng, src, dst, tag, size)
    values = {"proto": proto, "payload": payload, "hops": rng.choice((2, 3, 64, 128, 255)),
              "tc": rng.randrange(256), **fields}
    if values["proto"] == ICMP6 and dst in DELIVERED:
        values["hops"] = min(values["hops"], 254)  # no neighbour discovery by chance
    return port, ipv6(src, dst, label=tag, **values)


# ------------------------------------------------------------ random kinds

def flows(rng, tag):
    return frame(*valid(rng, tag))


def sources(rng, tag):
    """Answers take the way back: by other ports, to nowhere."""
    far = f"2001:db8:2:{rng.randrange(5):x}::{rng.randrange(1, 256):x}", \
        f"2001:db8:4::{rng.randrange(1, 256):x}"
    return frame(*valid(rng, tag, src=rng.choice(TRANSIT + REFUSED + SILENT + SPECIAL + [*far] * 8),
                        dst=rng.choice(TRANSIT + sorted(OWN)), hops=rng.choice((1, 2, 64))))


def fields(rng, tag):
    """One to three bytes of the fixed header changed, all but the flow label."""
    port, packet = valid(rng, tag)
    packet = bytearray(packet)
    for _ in range(rng.randint(1, 3)):
        where = rng.choice((0, 0, 4, 5, 6, 6, 7, 7, *range(8, 40)))
        packet[where] = rng.choice((rng.randrange(256), packet[where] ^ 1 << rng.randrange(8)))
    if packet[7] == 255:
        packet[7] = 254
    return frame(port, bytes(packet))


def lengths(rng, tag):
    """The frame and the payload length do not agree."""
    port, packet = valid(rng, tag, size=rng.choice((0, 20, 100)))
    packet = bytearray(packet)
    act = rng.randrange(3)
    if act == 0:
        packet = packet[:rng.randrange(len(packet))]
    elif act == 1:
        packet += rng.randbytes(rng.randint(1, 60))
    else:
        packet[4:6] = max(0, len(packet) - 40 + rng.randint(-60, 60)).to_bytes(2, "big")
    return frame(port, bytes(packet))


def hops(rng, tag):
    return frame(*valid(rng, tag, hops=rng.choice((0, 1, 1, 2))))


SOUP = (b"\x00", b"\x00\x00", b"\x01\x00", b"\x01\x02\0\0", b"\x01\x04\0\0\0\0", b"\x05\x02\0\0",
        b"\x05\x02\0\x01", b"\x1e\x02ab", b"\x3e\x00", b"\x5e\x02ab", b"\x9e\x02ab", b"\xde\x02ab",
        b"\x26\x02\0\0", b"\x7e\x04abcd", b"\xbe\x00", b"\xfe\x01a")


def soup(rng):
    data = bytearray()
    while len(data) < 60 and rng.random() < 0.6:
        data += rng.choice(SOUP)
    if data and rng.random() < 0.2:
        data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data) or b"\x01\x04\0\0\0\0"


def option_soup(rng, tag):
    """Well-formed options in any order, at times with a byte changed; in either header."""
    kind = rng.choice((HOP_BY_HOP, HOP_BY_HOP, OPTIONS))
    return frame(*valid(rng, tag, headers=[options(kind, soup(rng))], size=rng.choice((0, 30)),
                        dst=rng.choice(EVERYWHERE + sorted(GLOBAL) * 3),
                        hops=rng.choice((1, 64, 64, 64))))


def option_noise(rng, tag):
    noise = rng.randbytes(rng.choice((1, 6, 6, 14, 30)))
    return frame(*valid(rng, tag, headers=[options(rng.choice((HOP_BY_HOP, OPTIONS)), noise)],
                        dst=rng.choice(TRANSIT + sorted(GLOBAL) * 2), size=8))


def chain(rng):
    """Extension headers in any order."""
    made = []
    while len(made) < 5 and rng.random() < 0.7:
        made.append(rng.choice((
            lambda: options(OPTIONS, rng.choice(SOUP)), lambda: options(OPTIONS),
            lambda: options(HOP_BY_HOP), lambda: routing(rng.choice((0, 1, 2, 4, 5, 200)),
                                                         rng.choice((0, 0, 1, 3))),
            lambda: fragment(), lambda: authentication()))())
    return made


def chains(rng, tag):
    port, packet = valid(rng, tag, headers=chain(rng), size=rng.choice((0, 8, 40)),
                         dst=rng.choice(EVERYWHERE + sorted(GLOBAL) * 4),
                         hops=rng.choice((1, 64, 64)))
    if rng.random() < 0.2:
        cut = rng.randint(40, len(packet))
        packet = packet[:4] + (cut - 40).to_bytes(2, "big") + packet[6:cut]
    return frame(port, packet)


def fragments(rng, tag):
    """Parts of a datagram that never becomes whole; in transit."""
    port = rng.randrange(PORTS)
    part = fragment(rng.choice((0, 1, 2, 185, 1000, 8191)), rng.randrange(2), rng.getrandbits(32))
    before = rng.choice(([], [], [options(OPTIONS)], [routing(0, 1, bytes(20))],
                         [options(HOP_BY_HOP)]))
    return frame(port, ipv6(source(port, tag), rng.choice(TRANSIT + REFUSED + SILENT),
                            rng.randbytes(rng.choice((0, 1, 8, 64, 1100))),
                            rng.choice((UDP, TCP, ICMP6)), rng.choice((1, 64, 64)), label=tag,
                            headers=[*before, part]))


def too_long(rng, tag):
    """Around the small MTU."""
    port = rng.randrange(2)
    size = rng.choice((1232, 1239, 1240, 1241, 1248, 1300, 1459, 1460, 1461))
    dst = rng.choice((net(SMALL, HOST), net(SMALL, GATEWAY), "2001:db8:4::4", net(1 - port, HOST)))
    headers = rng.choice(([], [], [options(OPTIONS)], [fragment(3, 1, 7)], [options(HOP_BY_HOP)]))
    return frame(port, ipv6(source(port, tag), dst, rng.randbytes(size), rng.choice((UDP, 99)),
                            rng.choice((1, 2, 64)), label=tag, headers=headers))


def specials(rng, tag):
    dst = rng.choice(SPECIAL)
    port, packet = valid(rng, tag, dst=dst)
    l2 = group_mac(dst) if dst.startswith("ff") and rng.random() < 0.8 else None
    return frame(port, packet, l2)


def links(rng, tag):
    """The right packet in the wrong frame."""
    port, packet = valid(rng, tag, dst=rng.choice(EVERYWHERE + SPECIAL))
    dst, kind = topology6.router_mac(port), packet6.TYPE
    act = rng.randrange(5)
    if act == 0:
        dst = rng.choice(("02:00:00:00:00:01", topology6.router_mac((port + 1) % PORTS)))
    elif act in (1, 2):
        dst = rng.choice(("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:05", "33:33:00:00:00:01"))
    else:
        kind = rng.choice((b"\x08\x00", b"\x00\x2e", b"\x05\xff", b"\x88\x47", b"\x86\xde",
                           rng.randbytes(2)))
        if kind in (packet6.TYPE, b"\x08\x06", b"\x81\x00", b"\x88\xa8", b"\x88\xcc"):
            kind = b"\x08\x02"
    return frame(port, packet, dst, kind)


def inner(rng, src, dst):
    """What an ICMPv6 error quotes."""
    return ipv6(src, dst, udp(src, dst, 7, 9, rng.randbytes(rng.choice((0, 0, 40)))),
                hops=rng.randrange(256), label=rng.randrange(1 << 20))


def errors_in_errors(rng, tag):
    """ICMPv6 of all types, whole or short, also behind extension headers, about and through places
    that would be an error."""
    port = rng.randrange(PORTS)
    src, dst = source(port, tag), rng.choice(TRANSIT + REFUSED + REFUSED + SILENT)
    kind = rng.choice((1, 1, 2, 3, 4, 5, 100, 127, 128, 129, 130, 133, 135, 137, 143, 200, 255,
                       rng.randrange(256)))
    message = icmp(src, dst, kind, rng.choice((0, 1, 3, 4, rng.randrange(256))), rng.randbytes(4),
                   inner(rng, dst, src)[:rng.choice((0, 8, 40, 48, 99))])
    size = rng.choice((0, 1, 4, 8, 999, 999, 999))
    headers = rng.choice(([], [], [], [options(OPTIONS)], [fragment(0, 1, 7)], [fragment(5, 1, 7)],
                          [routing(0, 0)], [authentication()], [options(HOP_BY_HOP)]))
    return frame(port, ipv6(src, dst, message[:size], ICMP6, rng.choice((1, 1, 64)), label=tag,
                            headers=headers))


def to_the_router(rng, tag):
    """Closed ports, unknown protocols, ICMPv6 right and wrong."""
    port = rng.randrange(PORTS)
    src = rng.choice((source(port, tag), host(port), "2001:db8:2::9", "2001:db8:4::9",
                      f"fd00:0:0:16::{HOST}", "2001:4860::1", topology6.LINK_HOST))
    dst = rng.choice(sorted(GLOBAL) * 2 + sorted(ANYCAST) + [topology6.link_local(port)])
    data = rng.randbytes(rng.choice((0, 1, 40, 500)))
    act = rng.randrange(8)
    wrong = rng.choice((None, None, None, 0, 0x1234))
    if act < 2:
        proto, payload = UDP, udp(src, dst, rng.randrange(1 << 16), rng.randrange(1 << 16), data,
                                  check=wrong)
    elif act < 4:
        proto, payload = TCP, tcp(src, dst, tag, rng.randrange(1 << 16), rng.getrandbits(32),
                                  rng.getrandbits(32), rng.choice((2, 16, 17, 18, 4, 20, 0, 1, 41)),
                                  data, check=wrong)
    elif act < 6:
        proto, payload = ICMP6, echo(src, dst, tag, rng.randrange(1 << 16), data, check=wrong)
    elif act == 6:
        kind = rng.choice((1, 2, 3, 4, 5, 100, 127, 129, 133, 134, 135, 136, 137, 138, 139, 144,
                           160, 200, 255))
        proto, payload = ICMP6, icmp(src, dst, kind, rng.choice((0, 0, 1, 4)),
                                     tag.to_bytes(2, "big") + b"\0\1",
                                     rng.choice((bytes(12), inner(rng, dst, src))))
    else:
        proto, payload = rng.randrange(256), data.ljust(20, b"\0")
    if act < 4 and rng.random() < 0.2:
        payload = payload[:rng.randrange(len(payload) + 1)]
    headers = rng.choice(([],) * 6 + ([options(OPTIONS)], [routing(0, 0)], [fragment()]))
    return frame(port, ipv6(src, dst, payload, proto, rng.choice((0, 1, 64)), label=tag,
                            tc=rng.randrange(256), headers=headers))


KINDS = [("a valid flow", flows, 14), ("sources", sources, 8), ("header fields", fields, 14),
         ("lengths", lengths, 7), ("hop limit", hops, 6), ("options", option_soup, 10),
         ("option noise", option_noise, 4), ("chains of headers", chains, 10),
         ("fragments", fragments, 6), ("around the MTU", too_long, 7),
         ("special addresses", specials, 7), ("link layer", links, 4),
         ("errors in errors", errors_in_errors, 8), ("to the router", to_the_router, 12)]
