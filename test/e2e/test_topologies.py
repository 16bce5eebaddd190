# More ports, more cores, several labs at once, and a neighbour whose cable is pulled.
import itertools

import pytest
from router import running
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether


def test_two_labs_with_one_and_three_cores():
    """Both have the same addresses; each forwards its own traffic and neither sees the other's."""
    with running(cores=1) as one, running(cores=3) as three:
        assert one.ping(0, "10.0.1.2", count=5)
        assert three.ping(1, "10.0.0.2", count=5)
        for lab in (one, three):
            sent, received = lab.carry_file(0, 1, 5_000_000)
            assert sent == received
        one.link(1, False)
        assert not one.ping(0, "10.0.1.2", count=1, wait_s=1)
        assert three.ping(0, "10.0.1.2"), "the other lab's cable was pulled"
        assert len(one.json("show cores")["cores"]) == 1
        assert len(three.json("show cores")["cores"]) == 3


@pytest.fixture(scope="module")
def four():
    with running(ports=4, cores=3) as lab:
        yield lab


def test_all_to_all(four):
    for source, destination in itertools.permutations(range(4), 2):
        assert four.ping(source, f"10.0.{destination}.2"), f"h{source} -> h{destination}"


def test_files_cross_each_other(four):
    for source, destination in ((0, 3), (3, 1), (2, 0)):
        sent, received = four.carry_file(source, destination, 2_000_000)
        assert sent == received, f"h{source} -> h{destination}"


def test_pulled_cable(four):
    """The network behind the cable is gone, the others stay; plugged in again, all is as before."""
    assert four.ping(0, "10.0.1.2")
    four.link(1, False)
    assert not four.ping(0, "10.0.1.2", count=1, wait_s=1)
    assert four.ping(0, "10.0.2.2")
    assert "10.0.1.0/24" not in four.cli("show routes")
    four.link(1, True)
    four.wait_ping(0, "10.0.1.2")
    assert "10.0.1.0/24" in four.cli("show routes")


def test_announced_when_link_returns(four):
    """Gratuitous ARP at link up: hosts learn where the router is (RFC 5227 3)."""
    with four.wire(2) as h2:
        four.link(2, False)
        h2.forget()
        four.link(2, True)
        frame = h2.receive(lambda f: f[12:14] == b"\x08\x06" and f[:6] == b"\xff" * 6)
    assert frame and frame[28:32] == frame[38:42] == bytes([10, 0, 2, 1])
    four.wait_ping(2, "10.0.0.2")


def test_host_side_down(four):
    """The host switches its interface off; the router goes on and finds it again."""
    four.must(3, "ip", "link", "set", "p0", "down")
    assert not four.ping(0, "10.0.3.2", count=1, wait_s=1)
    assert four.ping(0, "10.0.2.2")
    four.must(3, "ip", "link", "set", "p0", "up")
    four.must(3, "ip", "route", "replace", "default", "via", "10.0.3.1")
    four.wait_ping(0, "10.0.3.2")


def test_traffic_while_cable_moves(four):
    """Frames keep coming while a link goes up and down; every one has a fate."""
    with four.wire(0) as h0:
        frame = bytes(Ether(src=h0.host_mac, dst=h0.router_mac)
                      / IP(src="10.0.0.2", dst="10.0.1.2") / UDP(sport=9, dport=9) / bytes(400))
        for i in range(12):
            four.link(1, i % 2 == 1)
            for _ in range(300):
                h0.send(frame)
    four.wait_ping(0, "10.0.1.2")
    four.check_books()
