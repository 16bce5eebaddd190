# IPv6 frames that are dropped, each for one reason; sent by h0 on eth0 of test_ipv6's lab.
import struct

from scapy.layers.inet import TCP, UDP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_Redirect,
                                ICMPv6MLQuery, ICMPv6MLQuery2, ICMPv6NDOptDstLLAddr,
                                ICMPv6NDOptSrcLLAddr, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment,
                                IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, RouterAlert)
from scapy.layers.l2 import Ether

US, HOST = "52:54:00:00:00:00", "52:54:00:00:01:00"  # the ends of h0's cable
ROUTER, NEAR, FAR = "fd00::1", "fd00::2", "fd00:0:0:1::2"
LINK_LOCAL_HOST = "fe80::1234"


def net(i, host):
    return f"fd00:0:0:{i:x}::{host}"


def eth(payload, dst=US, src=HOST, **fields):
    return Ether(dst=dst, src=src, **fields) / payload


def ip(dst=FAR, src=NEAR, **fields):
    return IPv6(dst=dst, src=src, **fields)


def udp(**fields):
    return ip(**fields) / UDP(sport=4000, dport=4001) / b"drop me, and count me"


def raw(data):
    return bytes(Ether(dst=US, src=HOST, type=0x86DD)) + data


def patched(packet, offset, data):
    """The packet's bytes with some written over."""
    b = bytearray(bytes(packet))
    b[offset:offset + len(data)] = data
    return bytes(b)


def solicit(hlim=255, target=ROUTER, src=NEAR, dst=ROUTER, option=True, **fields):
    message = ip(dst=dst, src=src, hlim=hlim) / ICMPv6ND_NS(tgt=target, **fields)
    return message / ICMPv6NDOptSrcLLAddr(lladdr=HOST) if option else message


def with_options(kind, length=4, dst=ROUTER, next_header=60):
    head = ip(dst=dst, nh=next_header)
    return head / (struct.pack("!BBBB4s", 17, 0, kind, length, bytes(4))
                   + bytes(UDP(sport=1, dport=2)))


def query(message, src=LINK_LOCAL_HOST, hlim=1, alert=0):
    head = ip(dst="ff02::1", src=src, hlim=hlim)
    return eth(head / IPv6ExtHdrHopByHop(options=[RouterAlert(value=alert)]) / message,
               dst="33:33:00:00:00:01")


# (what, reason, frame)
FRAMES6 = [
    ("header cut short", "ip-truncated", raw(bytes(udp())[:39])),
    ("version 4", "ip-version", raw(patched(udp(), 0, b"\x45"))),
    ("payload beyond the frame", "ip6-payload-length", raw(patched(udp(), 4, b"\x01\x00"))),
    ("a jumbogram", "ip6-payload-length",
     raw(patched(ip(nh=0) / bytes(16), 4, b"\0\0"))),
    ("source unspecified", "martian-source", eth(udp(src="::"))),
    ("source loopback", "martian-source", eth(udp(src="::1"))),
    ("source a group", "martian-source", eth(udp(src="ff02::1"))),
    ("source IPv4-mapped", "martian-source", eth(udp(src="::ffff:10.0.0.2"))),
    ("destination unspecified", "martian-destination", eth(udp(dst="::"))),
    ("destination loopback", "martian-destination", eth(udp(dst="::1"))),
    ("destination IPv4-mapped", "martian-destination", eth(udp(dst="::ffff:10.0.1.2"))),
    ("group of larger scope", "multicast", eth(udp(dst="ff05::1"), dst="33:33:00:00:00:01")),
    ("group of the interface", "multicast", eth(udp(dst="ff01::1"), dst="33:33:00:00:00:01")),
    ("multicast listener report", "multicast",
     eth(ip(dst="ff02::16", hlim=1) / bytes(8), dst="33:33:00:00:00:16")),
    ("somebody's solicited-node group", "multicast",
     eth(solicit(dst="ff02::1:ff12:3456", target="fd00::12:3456"), dst="33:33:ff:12:34:56")),
    ("unicast in multicast", "l2-broadcast", eth(udp(), dst="33:33:00:00:00:01")),
    ("unicast in broadcast", "l2-broadcast", eth(udp(), dst="ff:ff:ff:ff:ff:ff")),
    ("source link-local", "link-local", eth(udp(src=LINK_LOCAL_HOST))),
    ("destination link-local", "link-local", eth(udp(dst=LINK_LOCAL_HOST))),
    ("the far port's link-local address", "link-local",
     eth(ip(dst="fe80::5054:ff:fe00:1") / ICMPv6EchoRequest())),
    ("hop limit 1", "ttl-exceeded", eth(udp(hlim=1))),
    ("hop limit 0", "ttl-exceeded", eth(udp(hlim=0))),
    ("no route", "no-route", eth(udp(dst="2001:db8::1"))),
    ("blackhole", "blackhole", eth(udp(dst="2001:db8:1::1"))),
    ("unreachable", "unreachable", eth(udp(dst="2001:db8:2::1"))),
    ("prohibit", "prohibit", eth(udp(dst="2001:db8:3::1"))),
    ("beyond the egress MTU", "mtu-exceeded", eth(ip(dst=net(2, 2)) / UDP() / bytes(1233))),
    ("unknown option, discard", "ip6-options", eth(with_options(0x41))),
    ("unknown option, tell", "ip6-options", eth(with_options(0x81))),
    ("option beyond its header", "ip6-options", eth(with_options(1, 5))),
    ("unknown hop-by-hop option in transit", "ip6-options",
     eth(with_options(0xC1, dst=FAR, next_header=0))),
    ("routing header type 0", "ip6-routing",
     eth(ip(dst=ROUTER) / IPv6ExtHdrRouting(addresses=[FAR]) / UDP())),
    ("fragment of 63 bytes to the router", "fragment-bad",
     eth(ip(dst=ROUTER) / IPv6ExtHdrFragment(m=1, nh=17) / bytes(63))),
    ("fragment to the router that ends beyond 65,535", "fragment-bad",
     eth(ip(dst=ROUTER) / IPv6ExtHdrFragment(offset=8190, nh=17) / bytes(64))),
    ("first fragment without its headers", "fragment-bad",
     eth(ip(dst=ROUTER) / IPv6ExtHdrFragment(m=1, nh=6) / bytes(8))),
    ("ICMPv6 checksum", "icmp-malformed",
     eth(ip(dst=ROUTER) / ICMPv6EchoRequest(cksum=0x1234))),
    ("ICMPv6 of 4 bytes", "icmp-malformed", eth(ip(dst=ROUTER, nh=58) / b"\x80\0\0\0")),
    ("solicitation from beyond the link", "nd-malformed", eth(solicit(hlim=254))),
    ("solicitation of a group", "nd-malformed", eth(solicit(target="ff02::1"))),
    ("solicitation with a code", "nd-malformed", eth(solicit(code=1))),
    ("probe with an option", "nd-malformed",
     eth(solicit(src="::", dst="ff02::1:ff00:1"), dst="33:33:ff:00:00:01")),
    ("probe to one station", "nd-malformed",
     eth(solicit(src="::", dst="ff02::1", option=False), dst="33:33:00:00:00:01")),
    ("option of length 0", "nd-malformed",
     eth(ip(dst=ROUTER, hlim=255) / ICMPv6ND_NS(tgt=ROUTER)
         / ICMPv6NDOptSrcLLAddr(len=0, lladdr=HOST))),
    ("solicited advertisement to all", "nd-malformed",
     eth(ip(dst="ff02::1", hlim=255) / ICMPv6ND_NA(tgt=NEAR, S=1, O=1)
         / ICMPv6NDOptDstLLAddr(lladdr=HOST), dst="33:33:00:00:00:01")),
    ("redirect", "nd-redirect",
     eth(ip(dst=ROUTER, src=LINK_LOCAL_HOST, hlim=255) / ICMPv6ND_Redirect(tgt=LINK_LOCAL_HOST, dst=FAR))),
    ("redirect from beyond the link", "nd-malformed",
     eth(ip(dst=ROUTER, src=LINK_LOCAL_HOST, hlim=64) / ICMPv6ND_Redirect(tgt=LINK_LOCAL_HOST, dst=FAR))),
    ("listener query from beyond the link", "mld-malformed", query(ICMPv6MLQuery2(), hlim=2)),
    ("listener query without a link-local source", "mld-malformed",
     query(ICMPv6MLQuery2(), src=NEAR)),
    ("listener query with another's alert", "mld-malformed", query(ICMPv6MLQuery(), alert=1)),
    ("listener query without an alert", "mld-malformed",
     eth(ip(dst="ff02::1", src=LINK_LOCAL_HOST, hlim=1) / ICMPv6MLQuery(),
         dst="33:33:00:00:00:01")),
    ("listener query about what is no group", "mld-malformed", query(ICMPv6MLQuery(mladdr=NEAR))),
    ("listener query with fewer sources than it says", "mld-malformed",
     query(ICMPv6MLQuery2(mladdr="ff02::2", sources_number=2, sources=[NEAR]))),
    ("UDP to the router", "local-no-protocol", eth(udp(dst=ROUTER))),
    ("TCP to the router", "local-no-protocol", eth(ip(dst=ROUTER) / TCP(dport=22))),
    ("no such protocol", "local-no-protocol", eth(ip(dst=ROUTER, nh=99) / bytes(16))),
    ("hop-by-hop header not first", "ip6-options",
     eth(ip(dst=ROUTER) / IPv6ExtHdrDestOpt() / IPv6ExtHdrHopByHop() / UDP())),
]

# Reasons with a test of their own in test_ipv6.py.
OTHERWISE6 = {"tentative-address"}
