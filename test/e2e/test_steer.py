# Sessions over several workers: both directions meet, order, fragments in any order, floods, commits.
import time

import pytest
from flood import Flood, check_order, udp_frame
from router import running, wait_for
from scapy.layers.inet import IP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment, fragment6
from scapy.layers.l2 import Ether

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set interfaces eth1 acl in back
set neighbors eth1 fd00:0:0:1::2 52:54:00:00:01:01
set acl back rule 10 permit established
set acl back rule 20 permit proto icmp
set acl back rule 30 permit proto icmp6
"""
TRACKING = ("set interfaces eth1 acl in back",)
NOT_TRACKING = ("delete interfaces eth1 acl in", "delete acl back")
HELD = 512  # at most of one RX queue


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, cores=4, config=CONFIG) as lab:
        yield lab


@pytest.fixture
def wires(lab):
    with lab.wire(0) as h0, lab.wire(1) as h1:
        h0.forget()
        h1.forget()
        yield h0, h1


def held(lab):
    """Fragments that wait, and that the audit finds all of them."""
    shown = lab.json("show buffers")
    assert shown["audit"] == "ok", shown["audit"]
    return sum(pool["held"] for pool in shown["pools"])


def count(lab, reason):
    return lab.drops().count("eth0", reason)



def test_answers_meet_their_session(lab, wires):
    """200 flows, which several workers own; what answers them is established for its owner."""
    h0, h1 = wires
    for port in range(200):
        h0.send(udp_frame(h0, 0, 1, 80, sport=3000 + port))
    for _ in range(200):
        assert h1.receive(is_udp_range), "a packet is missing"
    for port in range(200):
        h1.send(udp_frame(h1, 1, 0, 80, sport=9, dport=3000 + port))
    seen = set()
    while len(seen) < 200:
        frame = h0.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == 17)
        assert frame, f"{200 - len(seen)} answers did not come"
        seen.add(int.from_bytes(frame[36:38], "big"))
    workers = {q["worker"] for q in lab.json("show queues eth1")["queues"]
               if q["from"] == "eth0" and q["packets"]}
    assert len(workers) == 3, workers
    # and what is no answer is refused, by whichever worker gets it
    before = lab.drops().count("eth1", "acl-denied")
    for port in range(50):
        h1.send(udp_frame(h1, 1, 0, 80, sport=10, dport=3000 + port))
    wait_for("50 refused", lambda: lab.drops().count("eth1", "acl-denied") - before == 50)


def is_udp_range(frame):
    return frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[34] in (11, 12)


def test_order(lab):
    check_order(lab, 0, 1)


def pieces(identity, sport, size=2800):
    packet = IP(src="10.0.0.2", dst="10.0.1.2", id=identity) / UDP(
        sport=sport, dport=7, chksum=0) / bytes(size)
    return fragment(packet, 800)


def pieces6(identity, size=2800):
    packet = IPv6(src="fd00::2", dst="fd00:0:0:1::2") / IPv6ExtHdrFragment(id=identity) / UDP(
        sport=identity & 0xFFFF, dport=7, chksum=1) / bytes(size)
    return fragment6(packet, 1280)


@pytest.mark.parametrize("make,kind", [(lambda n: pieces(n, 5000 + n), b"\x08\x00"),
                                       (pieces6, b"\x86\xdd")], ids=["IPv4", "IPv6"])
def test_fragments_wait_for_their_first(lab, wires, make, kind):
    h0, h1 = wires
    ether = Ether(dst=h0.router_mac, src=h0.host_mac)
    to_h1 = bytes(Ether(dst=h1.host_mac, src=h1.router_mac))[:12] + kind  # no report to a group
    for number in range(1, 30):
        first, *rest = make(number)
        # Nobody looks meanwhile: what waits does so for two seconds, and a busy machine may take them.
        *held_up, last = [bytes(ether / piece) for piece in (*rest, first)]
        for frame in held_up:
            h0.send(frame)
        time.sleep(0.02 * (number % 2))  # in one batch with their first, and in one before
        h0.send(last)
        came = [h1.receive(lambda f: f[:14] == to_h1) for _ in range(1 + len(rest))]
        wanted = [bytes(p) for p in [first, *rest]]
        at = 20 if kind == b"\x08\x00" else 40  # behind the header, which has another TTL now
        assert [f[14 + at:14 + len(p)] for f, p in zip(came, wanted)] == [p[at:] for p in wanted]
    assert held(lab) == 0


@pytest.mark.parametrize("address", ["10.0.1.2", "fd00:0:0:1::2"])
def test_large_pings(lab, address):
    if ":" in address:
        lab.must(1, "ip", "-6", "route", "replace", "default", "via", "fd00:0:0:1::1")
    assert lab.run(0, "ping", "-c", "5", "-W", "10", "-s", "8000", address).returncode == 0


def test_first_never_comes(lab, wires):
    h0, _ = wires
    before = count(lab, "fragment-timeout")
    for number in range(20):
        h0.send(Ether(dst=h0.router_mac, src=h0.host_mac) / pieces(900 + number, 77)[1])
    wait_for("20 to be given up", lambda: count(lab, "fragment-timeout") - before == 20)
    assert held(lab) == 0


def test_overlap(lab, wires):
    """What would be written over the first is dropped, and all that comes of the datagram then."""
    h0, _ = wires
    first, *rest = pieces(1000, 78)
    over = IP(src="10.0.0.2", dst="10.0.1.2", id=1000, proto=17, frag=2, flags="MF") / bytes(64)
    before = count(lab, "fragment-bad")
    for piece in (first, over, *rest):
        h0.send(Ether(dst=h0.router_mac, src=h0.host_mac) / piece)
    wait_for("them to be refused", lambda: count(lab, "fragment-bad") - before == 1 + len(rest))


def test_flood_of_fragments(lab, wires):
    """Later fragments of ever other datagrams: some are held, the rest dropped; others pass."""
    h0, _ = wires
    before = lab.drops()
    ether = Ether(dst=h0.router_mac, src=h0.host_mac)
    frames = [bytes(ether / IP(src="10.0.0.2", dst="10.0.1.2", proto=17, frag=100, flags="MF",
                               id=20000 + n) / bytes(64)) for n in range(3000)]
    taken, _ = h0.send_all(frames)
    assert held(lab) <= HELD
    lab.check_books()
    assert lab.ping(0, "10.0.1.2"), "the flood stops others"
    assert count(lab, "fragments-full") - before.count("eth0", "fragments-full") > 1000

    def dropped():
        now = lab.drops()
        return sum(now.count("eth0", r) - before.count("eth0", r)
                   for r in ("fragments-full", "fragment-timeout"))
    wait_for("all to be counted", lambda: dropped() == taken)
    assert count(lab, "fragment-timeout") > before.count("eth0", "fragment-timeout"), "none was held"
    assert held(lab) == 0


def test_tracking_comes_and_goes_under_load(lab):
    """Commits that turn it on and off lose nothing."""
    with lab.wire(0) as h0, lab.wire(1) as h1:
        before, lost = h1.counters()["received"], lab.drops().total()
        with Flood((h0, udp_frame(h0, 0, 1, 200), 100000),
                   (h0, udp_frame(h0, 0, 1, 300, sport=1001), 100000)) as flood:
            for turn in range(8):
                lab.configure(*(NOT_TRACKING if turn % 2 == 0 else (
                    "set acl back rule 10 permit established",
                    "set acl back rule 20 permit proto icmp",
                    "set acl back rule 30 permit proto icmp6", *TRACKING)))
                time.sleep(0.3)
                lab.check_books()
        taken = flood.sent(0) + flood.sent(1) - flood.streams[0].tap_dropped()
        wait_for("all frames", lambda: h1.counters()["received"] - before >= taken)
        assert lab.drops().total() == lost
