# The main job: IPv4 between two Linux hosts, whole and unharmed.
import ipaddress
import re
import socket

import pytest
from router import PATIENCE_S, running, wait_for
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether

# A neighbour on each side that Linux does not answer for: frames to it are only counted.
QUIET = {0: "10.0.0.77", 1: "10.0.1.77"}
QUIET_MAC = "02:00:00:00:00:77"
SMALL_MTU = 1000
CONFIG = f"""
set interfaces eth0 address 10.0.0.1/24
set interfaces eth1 address 10.0.1.1/24
set neighbors eth0 {QUIET[0]} {QUIET_MAC}
set neighbors eth1 {QUIET[1]} {QUIET_MAC}
"""


@pytest.fixture(scope="module")
def lab():
    with running(config=CONFIG) as lab:
        yield lab


@pytest.fixture
def small_mtu(lab):
    """The router's eth1 takes packets of 1000 bytes; h1 still believes in 1500."""
    lab.configure(f"set interfaces eth1 mtu {SMALL_MTU}")
    yield SMALL_MTU
    lab.configure("delete interfaces eth1 mtu")


def is_to(mac, kind):
    """A filter for IPv4 frames to a MAC that hold the given layer."""
    def wanted(frame):
        return Ether(frame).dst == mac and kind in Ether(frame)
    return wanted


def test_linux_ping(lab):
    assert "3 received" in lab.must(0, "ping", "-n", "-c", "3", "-i", "0.2", "-w", "60", "10.0.1.2")


def test_ping_between_hosts(lab):
    assert lab.ping(0, "10.0.1.2", count=10)
    assert lab.ping(1, "10.0.0.2", count=10)


@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.1.1"])
def test_ping_router(lab, address):
    assert lab.ping(0, address)
    assert lab.ping(1, address)


@pytest.mark.parametrize("size", [0, 1, 1000, 1472])
def test_ping_sizes(lab, size):
    assert lab.ping(0, "10.0.1.2", size=size)
    assert lab.ping(0, "10.0.0.1", size=size)


def test_fragments_pass(lab):
    """Linux cuts 8000 bytes into fragments; the router forwards each; Linux joins them."""
    assert lab.ping(0, "10.0.1.2", size=8000, fragment=True)


def test_ping_from_shell(lab):
    for address in ("10.0.0.2", "10.0.1.2"):
        reply = lab.cli(f"ping {address} count 3 wait 60")
        assert re.search(r"\b3\b.*\b3\b", reply.splitlines()[-1]), reply
        assert "error" not in reply


def test_traceroute_shows_router(lab):
    hops = lab.must(0, "traceroute", "-n", "-q", "1", "-w", "30", "10.0.1.2")
    assert re.search(r"^\s*1\s+10\.0\.0\.1\s", hops, re.MULTILINE), hops
    assert re.search(r"^\s*2\s+10\.0\.1\.2\s", hops, re.MULTILINE), hops


@pytest.mark.parametrize("source,destination", [(0, 1), (1, 0)])
def test_file_arrives_intact(lab, source, destination):
    sent, received = lab.carry_file(source, destination, 20_000_000)
    assert sent == received


def test_header_rewrite(lab):
    """TTL one less, checksum right, all else of the packet as sent; MACs of the next hop."""
    packet = IP(src="10.0.0.2", dst=QUIET[1], ttl=17, tos=0xB8, id=4711) / UDP(
        sport=1234, dport=5678) / bytes(range(100))
    with lab.wire(0) as h0, lab.wire(1) as h1:
        h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / packet)
        frame = h1.receive(is_to(QUIET_MAC, UDP))
    assert frame, "nothing arrived"
    assert Ether(frame).src == h1.router_mac
    got, expected = Ether(frame)[IP], IP(bytes(packet))
    expected.ttl -= 1
    del expected.chksum
    assert bytes(got) == bytes(IP(bytes(expected)))


def awkward_ids():
    """IPv4 ids that bring the header checksum, before or after the hop, to its ends."""
    packet = IP(src="10.0.0.2", dst=QUIET[1], ttl=64, id=0) / UDP(sport=1, dport=2)
    start = IP(bytes(packet)).chksum
    wanted = (0x0000, 0x0001, 0x00FF, 0x0100, 0xFEFE, 0xFEFF, 0xFF00, 0xFFFE, 0xFFFF)
    return [(start - w + extra) % 0x10000 for w in wanted for extra in (0, 1)]


def test_checksum_after_the_hop(lab):
    """The incremental update (RFC 1624) gives what computing anew gives, also where one's
    complement has two zeros: 0xffff is taken for 0 and never made."""
    with lab.wire(0) as h0, lab.wire(1) as h1:
        for number in awkward_ids() + list(range(0, 65536, 257)):
            packet = IP(bytes(IP(src="10.0.0.2", dst=QUIET[1], ttl=64, id=number)
                              / UDP(sport=1, dport=2)))
            if packet.chksum == 0:
                packet.chksum = 0xFFFF
            h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / packet)
            frame = h1.receive(is_to(QUIET_MAC, UDP))
            assert frame, f"id {number:#x}: not forwarded"
            packet.ttl -= 1
            del packet.chksum
            assert Ether(frame)[IP].chksum == IP(bytes(packet)).chksum, f"id {number:#x}"


def test_link_padding_is_removed(lab):
    """A 28-byte packet in a 60-byte frame leaves without the padding."""
    packet = IP(src="10.0.0.2", dst=QUIET[1]) / UDP(sport=1, dport=2)
    with lab.wire(0) as h0, lab.wire(1) as h1:
        h0.send(bytes(Ether(src=h0.host_mac, dst=h0.router_mac) / packet) + b"\xAA" * 18)
        frame = h1.receive(is_to(QUIET_MAC, UDP))
    assert frame and len(frame) == 14 + 28


def test_fragmentation_needed(lab, small_mtu):
    """DF and too long: an ICMP error with the right MTU, quoting the packet (RFC 1191)."""
    packet = IP(src="10.0.0.2", dst="10.0.1.2", flags="DF", id=99) / UDP(
        sport=1111, dport=2222) / bytes(1200)
    with lab.wire(0) as h0:
        h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / packet)
        frame = h0.receive(is_to(h0.host_mac, ICMP))
    error = Ether(frame)[ICMP]
    assert (error.type, error.code, error.nexthopmtu) == (3, 4, small_mtu)
    assert Ether(frame)[IP].src == "10.0.0.1"
    quoted = bytes(error.payload)
    assert quoted[:28] == bytes(packet)[:28], "the quote is not the packet"


def test_path_mtu_discovery(lab, small_mtu):
    """Linux believes the error: the next packet is refused by h0 itself, with that MTU."""
    done = lab.run(0, "ping", "-n", "-c", "2", "-W", "2", "-M", "do", "-s", "1200", "10.0.1.2")
    assert done.returncode != 0
    assert re.search(rf"mtu\D*{small_mtu}", done.stdout + done.stderr), done.stdout + done.stderr
    lab.must(0, "ip", "route", "flush", "cache")


def test_fragments_by_router(lab, small_mtu):
    """Without DF the router cuts the packet, and h1 joins it to what was sent."""
    payload = bytes(i * 7 & 0xFF for i in range(1400))
    sink = lab.socket(1, socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
    with sink, lab.wire(0) as h0, lab.wire(1) as h1:
        sink.bind(("10.0.1.2", 2223))
        sink.settimeout(PATIENCE_S)
        packet = IP(src="10.0.0.2", dst="10.0.1.2", id=77) / UDP(sport=1111, dport=2223) / payload
        h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / packet)
        assert sink.recvfrom(4096) == (payload, ("10.0.0.2", 1111))
        fragments = [Ether(f)[IP] for f in iter(lambda: h1.receive(
            lambda f: IP in Ether(f) and Ether(f)[IP].id == 77, 1), None)]
    assert len(fragments) == 2 and all(f.len <= small_mtu for f in fragments)


@pytest.mark.parametrize("burst", [250, 10_000], ids=["paced", "at once"])
def test_every_frame_counted(lab, burst):
    """10,000 raw frames: what p0 sent, less what the tap dropped, is in the router's books."""
    good = Ether(dst="52:54:00:00:00:00", src="52:54:00:00:01:00") / IP(
        src="10.0.0.2", dst=QUIET[1]) / UDP(sport=9, dport=9) / bytes(64)
    stranger = Ether(dst="02:00:00:00:00:01", src="52:54:00:00:01:00") / good[IP]
    nowhere = Ether(dst="52:54:00:00:00:00", src="52:54:00:00:01:00") / IP(
        src="10.0.0.2", dst="127.0.0.1") / UDP()
    kinds = [bytes(f) for f in (good, good, stranger, good, nowhere)]
    with lab.wire(0) as h0, lab.wire(1) as h1:
        before, h1_before = lab.drops(), h1.counters()
        taken, tap_dropped = h0.send_all(kinds * 2000, burst)
        assert taken + tap_dropped == 10_000
        wait_for("router's counters",
                 lambda: lab.drops().received("eth0") - before.received("eth0") >= taken)
        wait_for("no packet in flight", lambda: lab.drops().in_flight("eth0") == 0)
        after = lab.drops()
        arrived = h1.counters()["received"] - h1_before["received"]

    def change(read):
        return read(after) - read(before)

    assert change(lambda d: d.received("eth0")) == taken
    dropped = {r: change(lambda d, r=r: d.count("eth0", r))
               for r in set(after.reasons("eth0"))}
    transmitted = change(lambda d: d.transmitted("eth0"))
    assert transmitted + sum(dropped.values()) == taken
    assert transmitted == arrived
    assert {r for r, n in dropped.items() if n} <= {"wrong-mac", "martian-destination", "voq-full"}
    assert after.balanced
    if tap_dropped == 0:
        assert dropped["wrong-mac"] == 2000 and dropped["martian-destination"] == 2000
        assert transmitted + dropped["voq-full"] == 6000


def test_many_destinations(lab):
    """A thousand addresses behind one gateway: each packet leaves once, to the gateway's MAC."""
    lab.configure(f"set routes 10.77.0.0/16 via {QUIET[1]}")
    first = ipaddress.ip_address("10.77.1.0")
    with lab.wire(0) as h0, lab.wire(1) as h1:
        for i in range(1000):
            h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / IP(
                src="10.0.0.2", dst=str(first + i)) / UDP(sport=7, dport=7))
        seen = set()
        while len(seen) < 1000:
            frame = h1.receive(is_to(QUIET_MAC, UDP))
            assert frame, f"{len(seen)} of 1000 arrived"
            assert Ether(frame)[IP].dst not in seen, "twice"
            seen.add(Ether(frame)[IP].dst)
    lab.configure("delete routes 10.77.0.0/16")
