# Datagrams to the router in fragments, IPv4 and IPv6: what is put together, refused, and given up.
import time

import pytest
from frames6 import HOST, NEAR, ROUTER, US
from router import running, wait_for
from scapy.layers.inet import ICMP, IP, UDP, fragment
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ParamProblem, IPv6, IPv6ExtHdrFragment,
                                fragment6)
from scapy.layers.l2 import Ether

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set interfaces eth1 mtu 1280
"""
TIME_S = 30  # of an IPv4 datagram; test/unit has IPv6's


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, cores=3, config=CONFIG) as lab:
        lab.warm6(2)
        yield lab


@pytest.fixture(scope="module", autouse=True)
def doomed(lab):
    """Fragments on eth1 whose others never come, sent before all else: see the last test."""
    with lab.wire(1) as h1:
        for packet, piece in ((701, 0), (702, 1)):
            whole = IP(src="10.0.1.2", dst="10.0.1.1", id=packet) / ICMP() / bytes(400)
            h1.send(Ether(dst=h1.router_mac, src=h1.host_mac) / fragment(whole, 80)[piece])
        wait_for("two fragments", lambda: lab.drops().in_flight("eth1") == 2)
        yield h1, time.monotonic()


def ping(lab, host, address, size, count=1):
    return lab.run(host, "ping", "-c", str(count), "-W", "10", "-s", str(size), address)


def eth(packet):
    return Ether(dst=US, src=HOST) / packet


def counted(lab, what):
    return lab.json("show protocols")["reassembly"][what]


@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.1.1", "fd00::1", "fd00:0:0:1::1"])
@pytest.mark.parametrize("size", [1473, 2000, 8000, 65000])
def test_large_ping(lab, address, size):
    """Linux cuts the request and puts the reply together; so do we."""
    done = ping(lab, 0, address, size, count=3)
    assert done.returncode == 0, done.stdout


def test_largest_ping(lab):
    assert ping(lab, 0, "10.0.0.1", 65507).returncode == 0
    assert ping(lab, 0, "fd00::1", 65527).returncode == 0


def test_replies_over_a_small_link(lab):
    """eth1's MTU is 1280: the reply leaves in fragments of that."""
    lab.must(1, "ip", "link", "set", "p0", "mtu", "1280")
    for address in ("10.0.1.1", "fd00:0:0:1::1"):
        assert ping(lab, 1, address, 8000, count=2).returncode == 0


def pieces4(identity, size=400, step=80):
    packet = IP(src="10.0.0.2", dst="10.0.0.1", id=identity) / ICMP(id=identity) / bytes(size)
    return fragment(packet, fragsize=step)


def pieces6(identity, size=2000):
    packet = IPv6(src=NEAR, dst=ROUTER) / IPv6ExtHdrFragment(id=identity) / ICMPv6EchoRequest(
        id=identity & 0xFFFF, data=bytes(size))
    return fragment6(packet, 1280)


def echo4(identity):
    return lambda f: f[12:14] == b"\x08\0" and ICMP in Ether(f) and Ether(f)[ICMP].type == 0 \
        and Ether(f)[ICMP].id == identity


def test_backwards_and_twice(lab, h0):
    """The order does not matter, nor do copies: each counts as one."""
    before, drops = counted(lab, "datagrams"), lab.drops()
    h0.forget()
    for piece in reversed(pieces4(401)[1:]):
        h0.send(eth(piece))
        h0.send(eth(piece))
    h0.send(eth(pieces4(401)[0]))
    assert h0.receive(echo4(401))
    assert counted(lab, "datagrams") == before + 1
    copies = lab.drops().count("eth0", "fragment-duplicate") - drops.count(
        "eth0", "fragment-duplicate")
    assert copies == len(pieces4(401)) - 1


def overlapping4(identity):
    """The second one reaches 8 bytes back into the first."""
    pieces = pieces4(identity, 160)
    pieces[1].frag -= 1
    return pieces


def overlapping6(identity):
    pieces = pieces6(identity)
    pieces[1][IPv6ExtHdrFragment].offset -= 1
    return pieces


@pytest.mark.parametrize("pieces", [overlapping4(501), overlapping6(502)], ids=["IPv4", "IPv6"])
def test_overlap_is_refused(lab, h0, pieces):
    """RFC 5722: all of it, and in silence."""
    before, refused = lab.drops(), counted(lab, "refused")
    h0.forget()
    for piece in pieces:
        h0.send(eth(piece))
    wait_for("the fragments", lambda: lab.drops().count("eth0", "fragment-bad")
             - before.count("eth0", "fragment-bad") == len(pieces))
    assert counted(lab, "refused") == refused + 1
    assert lab.ping(0, "10.0.0.1")
    assert not h0.receive(lambda f: f[12:14] == b"\x08\0" and f[34] not in (0, 8), 0.2)


def test_what_is_said_about_bad_fragments(h0):
    """RFC 8200 4.5: a parameter problem names the field."""
    ip = IPv6(src=NEAR, dst=ROUTER)
    cases = [(ip / IPv6ExtHdrFragment(m=1, nh=17, id=1) / UDP() / bytes(5), 0, 4),
             (ip / IPv6ExtHdrFragment(m=1, nh=17, id=2, offset=8191) / bytes(16), 0, 42),
             (ip / IPv6ExtHdrFragment(m=1, nh=6, id=3) / bytes(8), 3, 0)]
    for packet, code, pointer in cases:
        h0.forget()
        h0.send(eth(packet))
        answer = h0.receive(lambda f: ICMPv6ParamProblem in Ether(f))
        assert answer
        problem = Ether(answer)[ICMPv6ParamProblem]
        assert (problem.code, problem.ptr) == (code, pointer)


def test_one_station_does_not_take_all(lab, h0):
    """A flood of first fragments of ever new datagrams: another host's are put together."""
    first = pieces4(1)[0]
    evicted = counted(lab, "evicted")
    flood = []
    for i in range(2000):
        first.id = 1000 + i
        first.src = f"10.0.0.{3 + i % 200}"
        del first.chksum
        flood.append(bytes(eth(first)))
    with lab.wire(1) as h1:
        packet = IP(src="10.0.1.2", dst="10.0.1.1", id=9) / ICMP(id=909) / bytes(200)
        pieces = [Ether(dst=h1.router_mac, src=h1.host_mac) / p for p in fragment(packet, 80)]
        for piece in pieces[:-1]:
            h1.send(piece)
        h0.send_all(flood)
        wait_for("the flood", lambda: counted(lab, "evicted") > evicted)
        assert counted(lab, "held") <= 512
        h1.forget()
        h1.send(pieces[-1])
        assert h1.receive(echo4(909))
    assert ping(lab, 0, "10.0.0.1", 8000).returncode == 0
    assert lab.drops().balanced


def test_time_is_up(lab, doomed):
    """What lacks its last fragment: time exceeded, if the first is there; all buffers come back."""
    h1, started = doomed
    frame = h1.receive(lambda f: ICMP in Ether(f) and Ether(f)[ICMP].type == 11)
    assert frame and time.monotonic() - started > TIME_S - 1
    assert Ether(frame)[ICMP].code == 1 and Ether(frame)[ICMP].payload.id == 701
    wait_for("the end of both",
             lambda: lab.drops().count("eth1", "fragment-timeout") == 2)
    after = lab.drops()
    assert after.in_flight("eth1") == 0 and after.balanced
