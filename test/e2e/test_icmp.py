# What the router says about packets it cannot forward, and when it must be silent (RFC 1812 4.3).
import pytest
from router import running
from scapy.layers.inet import ICMP, IP, UDP, IPerror
from scapy.layers.l2 import Ether

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth1 address 10.0.1.1/24
set routes 203.0.113.0/26 blackhole
set routes 203.0.113.64/26 unreachable
set routes 203.0.113.128/26 prohibit
"""
BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture(scope="module")
def lab():
    with running(config=CONFIG) as lab:
        yield lab


def to_router(h0, packet, dst=None):
    return Ether(src=h0.host_mac, dst=dst or h0.router_mac) / packet


def ip(dst, **fields):
    return IP(src="10.0.0.2", dst=dst, **fields)


def icmp_from_router(frame):
    packet = Ether(frame)
    return ICMP in packet and packet[IP].src == "10.0.0.1"


ANSWERED = [
    ("TTL 1", ip("10.0.1.2", ttl=1) / UDP() / b"x", 11, 0),
    ("no route", ip("198.51.100.1") / UDP() / b"x", 3, 0),
    ("unreachable", ip("203.0.113.65") / UDP() / b"x", 3, 1),
    ("prohibit", ip("203.0.113.129") / UDP() / b"x", 3, 13),
    ("UDP to the router", ip("10.0.0.1") / UDP(dport=9) / b"x", 3, 3),
    ("GRE to the router", ip("10.0.0.1", proto=47) / b"xxxxxxxx", 3, 2),
    ("first fragment, no route", ip("198.51.100.1", flags="MF") / UDP() / bytes(16), 3, 0),
    ("echo request, no route", ip("198.51.100.1") / ICMP(), 3, 0),
]


@pytest.mark.parametrize("packet,kind,code", [a[1:] for a in ANSWERED],
                         ids=[a[0] for a in ANSWERED])
def test_error_is_sent(h0, packet, kind, code):
    """To the sender, from the interface it came in by, quoting header and 8 bytes."""
    h0.forget()
    h0.send(to_router(h0, packet))
    frame = h0.receive(icmp_from_router)
    assert frame, "no answer"
    answer = Ether(frame)
    assert (answer[IP].dst, answer[ICMP].type, answer[ICMP].code) == ("10.0.0.2", kind, code)
    assert bytes(answer[ICMP].payload)[:28] == bytes(packet)[:28]
    checked = IP(bytes(answer[IP]))
    del checked.chksum, checked[ICMP].chksum
    assert bytes(checked) == bytes(answer[IP])[:answer[IP].len], "a checksum is wrong"


def error_about(packet):
    return ip("198.51.100.1") / ICMP(type=3, code=1) / IPerror(bytes(packet)[:28])


SILENT = [
    ("blackhole", ip("203.0.113.1") / UDP() / b"x", None),
    ("an ICMP error", error_about(ip("10.0.0.2") / UDP()), None),
    ("TTL 1 of an ICMP error",
     ip("10.0.1.2", ttl=1) / ICMP(type=11) / IPerror(bytes(ip("10.0.0.2") / UDP())), None),
    ("a later fragment", ip("198.51.100.1", frag=100) / bytes(64), None),
    ("a link-layer broadcast", ip("198.51.100.1") / UDP(), BROADCAST),
    ("a multicast destination", ip("224.0.0.9", ttl=1) / UDP(), None),
    ("a source that is no host", IP(src="0.0.0.0", dst="198.51.100.1") / UDP(), None),
    ("a source that is a broadcast", IP(src="10.0.0.255", dst="198.51.100.1") / UDP(), None),
    ("echo to a broadcast", ip("10.0.0.255") / ICMP(), BROADCAST),
    ("echo with a wrong checksum", ip("10.0.0.1") / ICMP(chksum=1), None),
    ("an echo reply nobody asked for", ip("10.0.0.1") / ICMP(type=0), None),
    ("a redirect", ip("10.0.0.1") / ICMP(type=5, gw="10.0.0.99") / bytes(28), None),
]


@pytest.mark.parametrize("packet,dst", [s[1:] for s in SILENT], ids=[s[0] for s in SILENT])
def test_nothing_is_said(h0, packet, dst):
    """Echoes behind it are the first that is answered: what is said about it came before."""
    h0.forget()
    h0.send(to_router(h0, packet, dst))
    for last in (1, 2):  # the control core takes them in order; two turns to be sure
        h0.send(to_router(h0, ip("10.0.0.1") / ICMP(type=8, id=7, seq=last) / b"after it"))
        frame = h0.receive(icmp_from_router)
        assert frame and Ether(frame)[ICMP].type == 0 and Ether(frame)[ICMP].seq == last, \
            Ether(frame).summary()


def test_echo_payload_comes_back(h0):
    for size in (0, 1, 1471, 1472):
        payload = bytes(i * 11 & 0xFF for i in range(size))
        h0.send(to_router(h0, ip("10.0.1.1") / ICMP(id=1, seq=size & 0xFFFF) / payload))
        frame = h0.receive(lambda f: ICMP in Ether(f) and Ether(f)[IP].src == "10.0.1.1")
        assert frame and bytes(Ether(frame)[ICMP].payload)[:size] == payload


def test_errors_are_limited(lab, h0):
    """Thousands of unroutable packets: all are counted, few are answered (RFC 1812 4.3.2.8)."""
    frames = [bytes(to_router(h0, ip("198.51.100.9") / UDP() / b"x"))] * 4000
    before = lab.drops().count("eth0", "no-route")
    h0.forget()
    taken, _ = h0.send_all(frames)
    assert lab.ping(0, "10.0.1.2")
    counted = lab.drops().count("eth0", "no-route") - before
    assert counted == taken
    answers = 0
    while h0.receive(lambda f: icmp_from_router(f) and Ether(f)[ICMP].type == 3, 0.5):
        answers += 1
    assert 0 < answers < taken
