# Rows of README.md's table for IPv6 that no other test covers: a frame or two each, against the router.
import struct

import pytest
from differential import packet6
from frames6 import FAR, HOST, NEAR, ROUTER, US, eth, ip, net
from router import running
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (ICMPv6DestUnreach, ICMPv6EchoReply, ICMPv6EchoRequest,
                                ICMPv6MLReport, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr,
                                ICMPv6PacketTooBig, ICMPv6ParamProblem, ICMPv6TimeExceeded, IPv6,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, RouterAlert)
from scapy.layers.l2 import Ether

GROUP = "ff02::1:ff00:1"  # the solicited-node group of ROUTER
GROUP_MAC = "33:33:ff:00:00:01"
CONFIG = "".join(f"set interfaces eth{i} address fd00:0:0:{i}::1/64\n" for i in range(3)) + \
    "set interfaces eth2 mtu 1280\n"


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, config=CONFIG, warm=False) as lab:
        lab.warm6(3)
        lab.must(0, "ping", "-6", "-c", "1", FAR)
        yield lab


def is_ipv6(frame):
    return frame[12:14] == b"\x86\xdd"


def answer(wire, frame, layer, wait_s=60):
    """The first IPv6 packet with this layer that comes back, or None."""
    wire.forget()
    wire.send(frame)
    got = wire.receive(lambda f: is_ipv6(f) and layer in Ether(f), wait_s)
    return got and Ether(got)[IPv6]


def forwarded(lab, wire, packet, port=1):
    """How a UDP packet leaves by another port."""
    with lab.wire(port) as there:
        there.forget()
        wire.send(eth(packet))
        got = there.receive(lambda f: is_ipv6(f) and f[14 + 8:14 + 24] == bytes(packet)[8:24])
    return got[14:]


def solicit(options=b"", reserved=0):
    message = ip(dst=GROUP, hlim=255) / ICMPv6ND_NS(tgt=ROUTER, res=reserved) / \
        ICMPv6NDOptSrcLLAddr(lladdr=HOST)
    if options:
        # Options follow as bytes: scapy would know better.
        raw = bytearray(bytes(message) + options)
        raw[4:6] = struct.pack("!H", len(raw) - 40)
        body = packet6.filled(NEAR, GROUP, packet6.ICMP6, bytes(raw[40:]), 2, None)
        return Ether(dst=GROUP_MAC, src=HOST, type=0x86DD) / (bytes(raw[:40]) + body)
    return Ether(dst=GROUP_MAC, src=HOST) / message


def test_unknown_options_are_ignored(h0):
    """RFC 4861 4.1-4.6: options not known, and reserved fields, are passed over."""
    assert answer(h0, solicit(reserved=0xFFFFFFFF), ICMPv6ND_NA)
    got = answer(h0, solicit(options=b"\xfa\x02" + bytes(14)), ICMPv6ND_NA)
    assert got and got.tgt == ROUTER


def test_traffic_class_and_label_pass(lab, h0):
    """RFC 8200 6, 7; RFC 6437 3: a router changes neither."""
    for tc, label in ((0, 0), (0xB8, 0xFFFFF), (0xFF, 0x12345)):
        out = forwarded(lab, h0, ip(tc=tc, fl=label) / UDP(dport=9) / b"label")
        assert (int.from_bytes(out[:4], "big") & 0xFFFFFFF) == tc << 20 | label


def test_headers_in_transit_are_not_looked_at(lab, h0):
    """RFC 8200 4: but for hop-by-hop options, extension headers are the destination's; also unknown
    ones, and those that end too early."""
    for packet in (ip() / IPv6ExtHdrDestOpt(options=[]) / UDP(dport=9),
                   ip(nh=254) / bytes(20), ip(nh=60) / b"\x11\xff\x01", ip(nh=43) / b"\x11\0\0\x03",
                   ip(nh=44) / b"\x11\0\0\x01abcd", ip(nh=59) / b"more"):
        out = forwarded(lab, h0, packet)
        assert out[40:] == bytes(packet)[40:] and out[7] == 63


def test_router_alert_passes(lab, h0):
    """RFC 2711, RFC 8200 4.3: what the router does not listen for goes on."""
    packet = ip() / IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)]) / UDP(dport=9) / b"alert"
    assert forwarded(lab, h0, packet)[40:] == bytes(packet)[40:]


def test_exactly_1280(lab, h0):
    """RFC 8200 5: every link takes 1,280 bytes; one more is told, with the MTU, also for a group's or
    an error's sake not less."""
    fits = ip(dst=net(2, 2)) / UDP(dport=9) / bytes(1232)
    assert len(forwarded(lab, h0, fits, port=2)) == 1280
    got = answer(h0, eth(ip(dst=net(2, 2)) / UDP(dport=9) / bytes(1233)), ICMPv6PacketTooBig)
    assert got.mtu == 1280 and len(bytes(got)) == 1280 and got.code == 0


@pytest.mark.parametrize("mtu", [0, 68, 1279, 1280])
def test_too_big_for_the_router_changes_nothing(lab, h0, mtu):
    """RFC 8201 4: about a packet longer than any that was sent nothing is believed, and below 1,280
    never; what the router forwards does not depend on what it is told."""
    inner = bytes(IPv6(src=ROUTER, dst=NEAR) / ICMPv6EchoReply(id=1, data=bytes(1450)))[:1232]
    h0.send(eth(ip(dst=ROUTER) / ICMPv6PacketTooBig(mtu=mtu) / inner))
    got = answer(h0, eth(ip(dst=ROUTER) / ICMPv6EchoRequest(id=2, data=bytes(1400))),
                 ICMPv6EchoReply)
    assert got and len(bytes(got)) == 1448
    assert len(forwarded(lab, h0, ip() / UDP(dport=9) / bytes(1452))) == 1500


@pytest.mark.parametrize("packet,layer", [
    (ip(hlim=1) / UDP(dport=9) / b"once", ICMPv6TimeExceeded),
    (ip(dst="2001:db8::1") / UDP(dport=9) / b"once", ICMPv6DestUnreach),
    (ip(dst=ROUTER) / UDP(dport=9) / b"once", ICMPv6DestUnreach),
    (ip(dst=ROUTER, nh=200) / b"once", ICMPv6ParamProblem)],
    ids=["hop limit", "no route", "port", "next header"])
def test_form_of_errors(h0, packet, layer):
    """RFC 4443 2.1-2.4: unused fields are zero, the checksum is right, the source is unicast and the
    router's, the whole packet is quoted, and the hop limit is not the packet's."""
    got = answer(h0, eth(packet), layer)
    body = bytes(got)[40:]
    assert got.src == ROUTER and got.dst == NEAR and got.hlim == 64
    assert packet6.checksum(packet6.pseudo(ROUTER, NEAR, packet6.ICMP6, len(body)) + body) == 0
    assert body[8:] == bytes(packet)
    assert layer is ICMPv6ParamProblem or body[4:8] == bytes(4)


def test_no_error_about_a_group(h0):
    """RFC 4443 2.4 (e.3), (e.4): nothing, but for what is parameter problem 2 or too big."""
    to_all = Ether(dst="33:33:00:00:00:01", src=HOST)
    assert not answer(h0, to_all / ip(dst="ff02::1") / UDP(dport=9), ICMPv6DestUnreach, 1)
    unknown = IPv6(src=NEAR, dst="ff02::1", nh=60) / (b"\x3b\x00\xbe\x04" + bytes(4))
    got = answer(h0, to_all / unknown, ICMPv6ParamProblem)
    assert got.code == 2 and got.ptr == 42 and got.src == ROUTER
    alone = IPv6(src=NEAR, dst="ff02::1", nh=60) / (b"\x3b\x00\xfe\x04" + bytes(4))
    assert not answer(h0, to_all / alone, ICMPv6ParamProblem, 1)


@pytest.mark.parametrize("dst,expected", [
    (ROUTER, ROUTER), (net(1, 1), net(1, 1)), ("ff02::1", ROUTER), ("ff02::2", ROUTER),
    ("ff05::2", ROUTER), ("fd00::", ROUTER)])
def test_source_of_replies(h0, dst, expected):
    """RFC 4443 4.2, RFC 4291 2.8: the address asked, if it is a single interface's."""
    l2 = "33:33:00:00:00:" + dst[-1].zfill(2) if dst.startswith("ff") else US
    got = answer(h0, Ether(dst=l2, src=HOST) / ip(dst=dst) / ICMPv6EchoRequest(id=9, data=b"abc"),
                 ICMPv6EchoReply)
    assert got.src == expected and got.id == 9 and bytes(got)[48:] == b"abc"


def test_no_host_beyond_the_link_is_heard(h0):
    """RFC 4861 7.1.1: a solicitation that has passed a router is none, whatever its options."""
    far = Ether(dst=US, src=HOST) / ip(dst=ROUTER, hlim=254) / ICMPv6ND_NS(tgt=ROUTER) / \
        ICMPv6NDOptSrcLLAddr(lladdr=HOST)
    assert not answer(h0, far, ICMPv6ND_NA, 1)


def test_listener_reports_do_not_pass(lab, h0):
    """RFC 4291 2.7: what is to a group of the link stays on it."""
    with lab.wire(1) as h1:
        h1.forget()
        h0.send(Ether(dst="33:33:00:00:00:16", src=HOST) / ip(dst="ff02::16", hlim=9)
                / IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLReport(mladdr="ff02::99"))
        h0.send(eth(ip() / UDP(dport=9) / b"after"))
        got = h1.receive(lambda f: is_ipv6(f) and (f.endswith(b"after") or f[38:40] == b"\xff\x02"))
    assert got.endswith(b"after")


def test_books(lab):
    lab.check_books()
