# Every drop reason that a frame on the wire can bring about: provoked, and counted exactly once.
import os
import re
import socket
import struct

import pytest
from books import expect_drops
from frames6 import FRAMES6, OTHERWISE6
from labkit.place import TREE
from router import HOSTED, running, wait_for
from scapy.layers.inet import ICMP, IP, UDP
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
set interfaces eth4 address 10.0.4.1/24
set neighbors eth4 10.0.4.2 02:00:00:00:00:42
set routes 203.0.113.0/26 blackhole
set routes 203.0.113.64/26 unreachable
set routes 203.0.113.128/26 prohibit
"""

# What no frame can provoke, and where it is tested instead.
NOT_FROM_OUTSIDE = {
    "rx-error": "only a device that lies about lengths brings it: unit tests with a device model",
    "control-queue-full": "what is let through to it fits: unit tests with a control core that stands "
                          "still",
    "spread-full": "only a worker that is held up brings it: unit tests without its turns",
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
    header = bytes(raw[:max(20, (raw[0] & 15) * 4)]).ljust(60, b"\0")
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


def options(data):
    """UDP in a packet with these IPv4 options (a multiple of four bytes)."""
    packet = ip(proto=17) / (data + bytes(UDP(sport=4000, dport=4001)))
    return raw_ip(patched(packet, 0, bytes([0x45 + len(data) // 4])))

# (what, reason, frame): sent by h0 on eth0.
FRAMES = [
    ("one byte too long", "rx-oversize", eth(ip() / UDP() / bytes(1473))),
    ("1900 bytes", "rx-oversize", eth(ip() / UDP() / bytes(1900 - 42))),
    ("unicast to another station", "wrong-mac", eth(udp(), dst=OTHER)),
    ("link-layer multicast", "multicast", eth(udp(), dst="01:00:5e:00:00:05")),
    ("IPv4 multicast by unicast", "multicast", eth(udp(dst="224.0.0.5"))),
    ("MPLS", "unknown-ethertype", eth(bytes(60), type=0x8847)),
    ("an 802.3 length", "unknown-ethertype", eth(bytes(60), type=46)),
    ("an 802.1Q tag", "vlan-unknown", eth(b"\0\5\x08\0" + bytes(60), type=0x8100)),
    ("a tag in a tag", "vlan-stacked", eth(b"\0\5\x81\0" + bytes(60), type=0x8100)),
    ("an 802.1ad tag", "vlan-stacked", eth(b"\0\5\x08\0" + bytes(60), type=0x88a8)),
    ("half a tag", "vlan-truncated", eth(b"\0\5", type=0x8100)),
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
    ("loose source route", "source-route", options(b"\x83\7\4\x0a\0\1\2\0")),
    ("strict source route", "source-route", options(b"\x89\7\4\x0a\0\1\2\0")),
    ("option beyond the header", "ip-options", options(b"\7\x28\4\0")),
    ("option of length 0", "ip-options", options(b"\7\0\4\0")),
    ("option of length 1", "ip-options", options(b"\1\1\x94\1")),
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
    ("fragment of 63 bytes to the router", "fragment-bad",
     eth(ip(dst="10.0.0.1", flags="MF", proto=17) / bytes(63))),
    ("fragment to the router that ends beyond 65,535", "fragment-bad",
     eth(ip(dst="10.0.1.1", frag=8190, proto=17) / bytes(64))),
    ("UDP to the router", "local-no-protocol", eth(udp(dst="10.0.0.1"))),
    ("GRE to the router", "local-no-protocol", eth(ip(dst="10.0.0.1", proto=47) / bytes(40))),
]

# Reasons with a test of their own below: they take more than one frame on eth0, or another cable.
OTHERWISE = {"rx-runt", "port-disabled", "neighbor-pending", "neighbor-failed", "link-down",
             "voq-full", "policed",
             # test_reassembly.py
             "fragment-timeout", "fragment-evicted", "fragment-duplicate",
             "fragments-full",  # test_steer.py
             "lldp-malformed",  # test_lldp.py
             "urpf",  # test_urpf.py
             "acl-denied",  # test_acl.py
             "nat-no-port", "nat-no-session",  # test_nat.py
             "session-limit", "session-state", "session-table-full",  # test_track.py
             "input-policed"}  # test_police.py


class Cable:
    """eth4 ends in a datagram socket of ours: frames of any length, taken off when we say so."""

    def __init__(self, folder):
        self.ours, self.qemus = f"{folder}/ours", f"{folder}/qemus"
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.ours)
        self.qemu = f"-netdev dgram,id=cable,local.type=unix,local.path={self.qemus}," \
            f"remote.type=unix,remote.path={self.ours} " \
            "-device virtio-net-pci,netdev=cable,mac=52:54:00:00:00:04,disable-legacy=on,romfile="

    def send(self, frame):
        self.socket.sendto(bytes(frame), self.qemus)

    def take_all(self, wanted):
        """Takes frames off until no more come; returns how many of them are wanted(frame)."""
        self.socket.settimeout(1)
        frames = 0
        try:
            while True:
                frames += wanted(self.socket.recv(65536))
        except socket.timeout:
            return frames


def need_cable():
    if HOSTED:
        pytest.skip("the cable is QEMU's")


@pytest.fixture(scope="module")
def cable(tmp_path_factory):
    cable = Cable(tmp_path_factory.mktemp("cable"))
    with cable.socket:
        yield cable


@pytest.fixture(scope="module")
def lab(cable):
    fifth = {"process": "--port mem:1"} if HOSTED else {"qemu": cable.qemu}
    with running(ports=4, cores=3, config=CONFIG, warm=False, **fifth) as lab:
        lab.warm(3)  # h3's port is disabled
        lab.must(0, "ip", "link", "set", "p0", "mtu", "3000")  # oversized frames must get out
        yield lab


@pytest.mark.parametrize("reason,frame", [f[1:] for f in FRAMES],
                         ids=[f"{f[1]}: {f[0]}" for f in FRAMES])
def test_frame_is_counted_once(lab, h0, reason, frame):
    if HOSTED and len(frame) > 1518:
        pytest.skip("the far end of a veth pair does not take it")
    expect_drops(lab, {reason: 1}, lambda: h0.send(frame))


def test_disabled_port(lab):
    with lab.wire(3) as h3:
        expect_drops(lab, {"port-disabled": 1}, lambda: h3.send(
            Ether(dst=h3.router_mac, src=h3.host_mac) / ip(src="10.0.3.2") / UDP()), port="eth3")


@pytest.mark.parametrize("length", [1, 10, 13])
def test_runt(lab, cable, length):
    """Linux refuses to send so little; the cable does not."""
    need_cable()
    frame = bytes(Ether(dst="52:54:00:00:00:04", src=HOST, type=0x0800))[:length]
    expect_drops(lab, {"rx-runt": 1}, lambda: cable.send(frame), port="eth4")


def test_congested_output(lab, cable, h0):
    """Nobody takes frames off eth4: its queue fills, then drops; other outputs do not notice."""
    need_cable()
    frame = eth(udp(dst="10.0.4.2"))
    cable.take_all(lambda f: False)
    before, queued_before = lab.drops(), queue_drops(lab, "eth0", "eth4")
    taken, _ = h0.send_all([bytes(frame)] * 3000)
    wait_for("all to be seen",
             lambda: lab.drops().received("eth0") - before.received("eth0") >= taken)
    now = lab.drops()
    lost = now.count("eth0", "voq-full") - before.count("eth0", "voq-full")
    assert lost > 0 and now.in_flight("eth0") > 1000
    assert queue_drops(lab, "eth0", "eth4") - queued_before == lost
    assert lab.ping(0, FAR, count=5), "a congested output holds up another"
    arrived = cable.take_all(lambda f: f[:6] == bytes.fromhex("020000000042"))
    assert arrived + lost == taken
    wait_for("nothing in flight", lambda: lab.drops().in_flight("eth0") == 0)
    assert lab.drops().count("eth0", "voq-full") - before.count("eth0", "voq-full") == lost


def queue_drops(lab, source, output):
    return next(q["drops"] for q in lab.json(f"show queues {output}")["queues"]
                if q["from"] == source)


def test_flood_of_echo_requests(lab, h0):
    """More than the control core takes: each request is delivered once or counted once."""
    lab.configure("set forwarding control-plane echo rate 100")  # less than any machine brings
    request = bytes(eth(ip(dst="10.0.0.1") / ICMP(id=77, seq=1) / bytes(32)))
    reason, before, lost, taken = "policed", lab.drops(), 0, 0

    def received():
        return lab.drops().received("eth0") - before.received("eth0")
    for _ in range(20):
        taken += h0.send_all([request] * 5000, burst=5000)[0]
        wait_for("all to be seen", lambda: received() >= taken)
        wait_for("nothing in flight", lambda: lab.drops().in_flight("eth0") == 0)
        after = lab.drops()
        lost = after.count("eth0", reason) - before.count("eth0", reason)
        if lost:
            break
    assert lost, "all of it came through"
    delivered = after.delivered("eth0") - before.delivered("eth0")
    assert delivered + lost == taken == received()
    assert after.balanced
    lab.configure("delete forwarding control-plane")


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
    lab.wait_ping(0, FAR)
    after = lab.drops()
    assert after.count("eth0", "link-down") - before.count("eth0", "link-down") == 1


def test_clear_counters(lab, h0):
    """All counters restart at zero, and the books still balance."""
    assert lab.drops().total() > 0
    lab.cli("clear counters")
    assert lab.drops().total() == 0 and lab.drops().balanced
    assert lab.interface("eth0")["rx"]["packets"] == 0
    expect_drops(lab, {"wrong-mac": 1}, lambda: h0.send(eth(udp(), dst=OTHER)))
    assert lab.drops().total() == 1
    assert lab.interface("eth0")["dropped"]["wrong-mac"] == 1


def test_every_reason_is_covered():
    """The table, the tests and the list of exceptions together are net/path/drop.h."""
    with open(os.path.join(TREE, "net/path/drop.h"), encoding="ascii") as f:
        reasons = set(re.findall(r'X\(\w+, "([a-z0-9-]+)"', f.read()))
    provoked = {reason for _, reason, _ in FRAMES + FRAMES6} | OTHERWISE | OTHERWISE6
    assert len(reasons) > 30
    assert provoked | NOT_FROM_OUTSIDE.keys() == reasons
    assert not provoked & NOT_FROM_OUTSIDE.keys()
