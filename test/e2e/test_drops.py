# Every drop reason that a frame on the wire can bring about: provoked, and counted exactly once.
import os
import re
import struct

import pytest
from labkit.place import TREE
from router import running, wait_for
from scapy.layers.inet import ICMP, IP, UDP, IPOption
from scapy.layers.l2 import ARP, Ether

US, HOST = "52:54:00:00:00:00", "52:54:00:00:01:00"  # the ends of h0's cable
OTHER = "02:00:00:00:00:01"
BROADCAST = "ff:ff:ff:ff:ff:ff"
FAR = "10.0.1.2"

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth1 address 10.0.1.1/24
set interfaces eth2 address 10.0.2.1/24
set interfaces eth2 mtu 600
set interfaces eth3 address 10.0.3.1/24
set interfaces eth3 disabled
set routes 203.0.113.0/26 blackhole
set routes 203.0.113.64/26 unreachable
set routes 203.0.113.128/26 prohibit
"""

# What cannot be provoked from the wire, exactly and at will, and where it is tested instead.
NOT_FROM_OUTSIDE = {
    "rx-error": "only a device that lies about lengths brings it: unit test with a device model",
    "voq-full": "needs an egress slower than the ingress; a tap takes all at once: unit test",
    "control-queue-full": "needs 512 packets before the control core looks: unit test",
}


def eth(payload, dst=US, src=HOST, **fields):
    return Ether(dst=dst, src=src, **fields) / payload


def ip(dst=FAR, src="10.0.0.2", **fields):
    return IP(dst=dst, src=src, **fields)


def udp(**fields):
    return ip(**fields) / UDP(sport=4000, dport=4001) / b"drop me, and count me"


def patched(packet, offset, data):
    """The packet's bytes with some written over; the IPv4 checksum is right for them."""
    raw = bytearray(bytes(packet))
    raw[offset:offset + len(data)] = data
    raw[10:12] = b"\0\0"
    header = bytes(raw[:max(20, (raw[0] & 15) * 4)])
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    raw[10:12] = struct.pack("!H", ~total & 0xFFFF)
    return bytes(raw)


def raw_ip(data, **fields):
    return bytes(Ether(dst=US, src=HOST, type=0x0800, **fields)) + data


def arp(**fields):
    values = {"op": 1, "hwsrc": HOST, "psrc": "10.0.0.2", "hwdst": "00:00:00:00:00:00",
              "pdst": "10.0.0.1", **fields}
    return eth(ARP(**values), dst=BROADCAST)


def bad_icmp_checksum():
    return ip(dst="10.0.0.1") / ICMP(type=8, id=1, seq=1, chksum=0x1234) / b"payload"


LSRR = IPOption(b"\x83\x07\x04\x0a\x00\x01\x02")
SSRR = IPOption(b"\x89\x07\x04\x0a\x00\x01\x02")
BAD_OPTION = IPOption(b"\x07\x28\x04\x00")  # record route of 40 bytes in a 24-byte header

# (what, reason, frame): sent by h0 on eth0.
FRAMES = [
    ("ten bytes", "rx-runt", bytes(eth(b""))[:10]),
    ("thirteen bytes", "rx-runt", bytes(eth(b""))[:13]),
    ("one byte too long", "rx-oversize", eth(ip() / UDP() / bytes(1473))),
    ("1900 bytes", "rx-oversize", eth(ip() / UDP() / bytes(1900 - 42))),
    ("unicast to another station", "wrong-mac", eth(udp(), dst=OTHER)),
    ("link-layer multicast", "multicast", eth(udp(), dst="01:00:5e:00:00:05")),
    ("IPv6 multicast", "multicast", eth(b"\x60" + bytes(60), dst="33:33:00:00:00:01", type=0x86DD)),
    ("IPv4 multicast by unicast", "multicast", eth(udp(dst="224.0.0.5"))),
    ("IPv6", "unknown-ethertype", eth(b"\x60" + bytes(60), type=0x86DD)),
    ("an 802.3 length", "unknown-ethertype", eth(bytes(60), type=46)),
    ("an 802.1Q tag", "unknown-ethertype", eth(b"\0\5\x08\0" + bytes(60), type=0x8100)),
    ("unicast IPv4 in a broadcast", "l2-broadcast", eth(udp(), dst=BROADCAST)),
    ("no IPv4 header", "ip-truncated", raw_ip(b"")),
    ("19 bytes of header", "ip-truncated", raw_ip(bytes(udp())[:19])),
    ("options beyond the frame", "ip-truncated", raw_ip(patched(udp(), 0, b"\x4f")[:40])),
    ("version 6", "ip-version", raw_ip(patched(udp(), 0, b"\x65"))),
    ("version 0", "ip-version", raw_ip(bytes(46))),
    ("IHL 4", "ip-header-length", raw_ip(patched(udp(), 0, b"\x44"))),
    ("total beyond the frame", "ip-total-length", raw_ip(patched(udp(), 2, b"\x05\xdc"))),
    ("total below the header", "ip-total-length", raw_ip(patched(udp(), 2, b"\x00\x13"))),
    ("checksum off by one", "ip-checksum", eth(udp(chksum=1))),
    ("source 127.0.0.1", "martian-source", eth(udp(src="127.0.0.1"))),
    ("source multicast", "martian-source", eth(udp(src="224.0.0.1"))),
    ("source class E", "martian-source", eth(udp(src="240.0.0.1"))),
    ("source broadcast", "martian-source", eth(udp(src="255.255.255.255"))),
    ("source 0.0.0.0", "martian-source", eth(udp(src="0.0.0.0"))),
    ("destination 127.0.0.1", "martian-destination", eth(udp(dst="127.0.0.1"))),
    ("destination 0.0.0.0", "martian-destination", eth(udp(dst="0.0.0.0"))),
    ("destination class E", "martian-destination", eth(udp(dst="240.0.0.1"))),
    ("limited broadcast", "broadcast", eth(udp(dst="255.255.255.255"), dst=BROADCAST)),
    ("directed broadcast to a far network", "broadcast", eth(udp(dst="10.0.1.255"))),
    ("directed broadcast to the own network", "broadcast", eth(udp(dst="10.0.0.255"))),
    ("loose source route", "source-route", eth(ip(options=[LSRR]) / UDP())),
    ("strict source route", "source-route", eth(ip(options=[SSRR]) / UDP())),
    ("option longer than the header", "ip-options", eth(ip(options=[BAD_OPTION]) / UDP())),
    ("TTL 1", "ttl-exceeded", eth(udp(ttl=1))),
    ("TTL 0", "ttl-exceeded", eth(udp(ttl=0))),
    ("no route", "no-route", eth(udp(dst="198.51.100.1"))),
    ("blackhole", "blackhole", eth(udp(dst="203.0.113.1"))),
    ("unreachable", "unreachable", eth(udp(dst="203.0.113.65"))),
    ("prohibit", "prohibit", eth(udp(dst="203.0.113.129"))),
    ("DF beyond the egress MTU", "mtu-exceeded",
     eth(ip(dst="10.0.2.2", flags="DF") / UDP() / bytes(800))),
    ("ARP hardware length 5", "arp-malformed", arp(hwlen=5)),
    ("ARP protocol length 16", "arp-malformed", arp(plen=16)),
    ("ARP for Token Ring", "arp-malformed", arp(hwtype=6)),
    ("ARP cut short", "arp-malformed", bytes(arp())[:30]),
    ("ARP from a multicast MAC", "arp-malformed", arp(hwsrc="01:00:5e:00:00:01")),
    ("ICMP checksum wrong", "icmp-malformed", eth(bad_icmp_checksum())),
    ("ICMP of 4 bytes", "icmp-malformed", eth(ip(dst="10.0.0.1", proto=1) / b"\x08\0\xf7\xff")),
    ("fragment to the router", "local-fragment",
     eth(ip(dst="10.0.0.1", flags="MF", proto=17) / bytes(64))),
    ("later fragment to the router", "local-fragment",
     eth(ip(dst="10.0.1.1", frag=10, proto=17) / bytes(64))),
    ("UDP to the router", "local-no-protocol", eth(udp(dst="10.0.0.1"))),
    ("GRE to the router", "local-no-protocol", eth(ip(dst="10.0.0.1", proto=47) / bytes(40))),
]

# Reasons with a test of their own below: they take more than one frame on eth0.
OTHERWISE = {"port-disabled", "neighbor-pending", "neighbor-failed", "link-down"}


@pytest.fixture(scope="module")
def lab():
    with running(ports=4, config=CONFIG) as lab:
        # Oversized frames must get past the sending host, and replies must not wait for ARP.
        lab.must(0, "ip", "link", "set", "p0", "mtu", "4000")
        assert lab.ping(0, "10.0.0.1") and lab.ping(1, "10.0.1.1") and lab.ping(2, "10.0.2.1")
        yield lab


@pytest.fixture(scope="module")
def h0(lab):
    with lab.wire(0) as wire:
        yield wire


def expect_drops(lab, expected, act, port="eth0"):
    """Runs act(); then the port's drops have grown by exactly `expected` and the rest by nothing."""
    before = lab.drops()
    act()

    def grown():
        now = lab.drops()
        return now if now.total() - before.total() >= sum(expected.values()) else None
    try:
        after = wait_for("the drops", grown)
    except AssertionError:
        after = lab.drops()  # say what was counted instead
    change = {(p, r): after.count(p, r) - before.count(p, r)
              for p in after.ports() for r in after.reasons(p)}
    assert {k: n for k, n in change.items() if n} == {(port, r): n for r, n in expected.items()}
    assert after.balanced


@pytest.mark.parametrize("reason,frame", [f[1:] for f in FRAMES],
                         ids=[f"{f[1]}: {f[0]}" for f in FRAMES])
def test_frame_is_counted_once(lab, h0, reason, frame):
    expect_drops(lab, {reason: 1}, lambda: h0.send(frame))


def test_disabled_port(lab):
    with lab.wire(3) as h3:
        expect_drops(lab, {"port-disabled": 1}, lambda: h3.send(
            Ether(dst=h3.router_mac, src=h3.host_mac) / ip(src="10.0.3.2") / UDP()), port="eth3")


def test_neighbor_that_never_answers(lab, h0):
    """One packet is held: a second one pushes the first out, the last falls when ARP gives up."""
    def act():
        h0.send(eth(udp(dst="10.0.1.99")))
        h0.send(eth(udp(dst="10.0.1.99")))
    expect_drops(lab, {"neighbor-pending": 1, "neighbor-failed": 1}, act)


def test_packet_held_when_link_goes(lab, h0):
    before = lab.drops()
    h0.send(eth(udp(dst="10.0.1.98")))
    wait_for("the held packet", lambda: lab.drops().in_flight("eth0") == 1)
    lab.link(1, False)
    wait_for("link-down", lambda: lab.drops().count("eth0", "link-down")
             - before.count("eth0", "link-down") == 1)
    lab.link(1, True)
    wait_for("ping after the link is back", lambda: lab.ping(0, FAR, count=1))
    after = lab.drops()
    assert after.count("eth0", "link-down") - before.count("eth0", "link-down") == 1


def test_every_reason_is_covered():
    """The table, the tests and the list of exceptions together are net/path/drop.h."""
    with open(os.path.join(TREE, "net/path/drop.h"), encoding="ascii") as f:
        reasons = set(re.findall(r'X\(\w+, "([a-z0-9-]+)"', f.read()))
    provoked = {reason for _, reason, _ in FRAMES} | OTHERWISE
    assert len(reasons) > 30
    assert provoked | NOT_FROM_OUTSIDE.keys() == reasons
    assert not provoked & NOT_FROM_OUTSIDE.keys()
