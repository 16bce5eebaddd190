# uRPF end to end: forged sources from real hosts' links, both families, ports and VLANs; all counted.
import pytest
from router import running, wait_for
from scapy.layers.inet import ICMP, IP, UDP, IPOption_NOP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6,
                                IPv6ExtHdrHopByHop, PadN)
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

# 203.0.113.0/24 comes back by eth2 only, 198.51.100.0/24 by eth0 and eth2, 192.0.2.0/24 through
# a gateway on eth2 that is none of its neighbours.
CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth0 vlan 10 address 10.10.0.1/24
set interfaces eth0 vlan 10 address fd00:10::1/64
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set interfaces eth2 address 10.0.2.1/24
set interfaces eth2 address fd00:0:0:2::1/64
set routes 192.0.2.0/24 via 203.0.113.7
set routes 198.18.0.0/15 blackhole
set routes 198.51.100.0/24 via 10.0.0.2
set routes 198.51.100.0/24 via 10.0.2.2
set routes 203.0.113.0/24 via 10.0.2.2
set routes 2001:db8::/32 via fd00:0:0:2::2
set routes 2001:db8:1::/48 via fd00::2
set routes 2001:db8:1::/48 via fd00:0:0:2::2
set routes 2001:db8:2::/48 prohibit
set neighbors eth0.10 10.10.0.2 02:00:00:00:00:10
"""
MODES = ("eth0 urpf strict", "eth0 vlan 10 urpf strict", "eth2 urpf loose")
FAR, FAR6 = "10.0.1.2", "fd00:0:0:1::2"
FORGED, FORGED6 = "203.0.113.5", "2001:db8:9::5"


def warm(lab):
    lab.must(1, "ip", "-6", "address", "replace", f"{FAR6}/64", "dev", "p0")
    lab.must(1, "ip", "-6", "route", "replace", "default", "via", "fd00:0:0:1::1")
    for host in range(3):
        lab.wait_ping(host, f"10.0.{host}.1")
    wait_for("h1 by IPv6", lambda: lab.run(
        1, "ping", "-6", "-c", "1", "-W", "2", "fd00:0:0:1::1").returncode == 0)


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, config=CONFIG) as lab:
        warm(lab)
        lab.configure(*(f"set interfaces {mode}" for mode in MODES))
        yield lab


@pytest.fixture(scope="module")
def wires(lab):
    with lab.wire(0) as h0, lab.wire(1) as h1, lab.wire(2) as h2:
        yield h0, h1, h2


def packet(src, dst=None, mark=1):
    if ":" in src:
        return IPv6(src=src, dst=dst or FAR6) / UDP(sport=4000, dport=mark) / Raw(b"u" * 20)
    return IP(src=src, dst=dst or FAR) / UDP(sport=4000, dport=mark) / Raw(b"u" * 20)


def frame(wire, payload, vid=None):
    head = Ether(src=wire.host_mac, dst=wire.router_mac)
    return head / Dot1Q(vlan=vid) / payload if vid else head / payload


_mark = 20000


def passes(lab, wires, port, src, vid=None):
    """One packet with this source: true if h1 gets it, false if it counts as urpf, once."""
    global _mark
    _mark += 1
    before = lab.drops()
    wires[port].send(frame(wires[port], packet(src, mark=_mark), vid))
    want = _mark.to_bytes(2, "big")

    def is_it(f):
        return f[12:14] in (b"\x08\x00", b"\x86\xdd") and b"u" * 20 in f \
            and want in f[34:60]
    eth = f"eth{port}"

    def lost():
        return lab.drops().count(eth, "urpf") - before.count(eth, "urpf")

    def fate():
        return wires[1].receive(is_it, 0.05) or lost()
    got = wait_for("its fate", fate)
    if isinstance(got, int):
        got = wires[1].receive(is_it, 0.2)
        assert lost() == 1 and not got, "counted twice, or passed as well"
    else:
        assert lost() == 0, "passed, and counted"
    return bool(got)


STRICT = [  # on eth0
    ("10.0.0.2", True), ("10.0.0.99", True), ("fd00::99", True),
    ("198.51.100.3", True), ("2001:db8:1::3", True),  # one of two next hops
    ("10.0.2.2", False), ("10.0.1.2", False), ("fd00:0:0:2::2", False),
    (FORGED, False), (FORGED6, False),  # another port's
    ("192.0.2.9", False),  # recursive, by eth2
    ("10.10.0.2", False), ("fd00:10::2", False),  # a VLAN's on the port
    ("9.9.9.9", False), ("2001:db9::1", False),  # no route
    ("198.18.0.1", False), ("2001:db8:2::1", False),  # blackhole, prohibit
    ("10.0.0.1", False), ("10.0.0.255", False), ("fd00::1", False),  # nobody's
]
LOOSE = [  # on eth2
    ("10.0.2.2", True), ("10.0.0.2", True), ("fd00::2", True), ("10.10.0.2", True),
    (FORGED, True), (FORGED6, True), ("198.51.100.3", True), ("192.0.2.9", True),
    ("9.9.9.9", False), ("2001:db9::1", False), ("198.18.0.1", False), ("2001:db8:2::1", False),
]


@pytest.mark.parametrize("src, good", STRICT)
def test_strict(lab, wires, src, good):
    assert passes(lab, wires, 0, src) == good


@pytest.mark.parametrize("src, good", LOOSE)
def test_loose(lab, wires, src, good):
    assert passes(lab, wires, 2, src) == good


@pytest.mark.parametrize("src, good", [
    ("10.10.0.2", True), ("fd00:10::7", True), ("10.0.0.2", False), ("fd00::2", False),
    (FORGED, False), ("9.9.9.9", False)])
def test_vlan(lab, wires, src, good):
    assert passes(lab, wires, 0, src, vid=10) == good


def ways(h0):
    """What the control core decides or answers, with a source that is not there."""
    far = {"src": FORGED, "dst": FAR}
    return {
        "options": IP(**far, options=[IPOption_NOP()] * 4) / UDP() / Raw(b"x" * 20),
        "TTL 1": IP(**far, ttl=1) / UDP() / Raw(b"x" * 20),
        "no route": IP(src=FORGED, dst="9.9.9.9") / UDP() / Raw(b"x" * 20),
        "unknown neighbour": IP(src=FORGED, dst="10.0.1.77") / UDP() / Raw(b"x" * 20),
        "echo to us": IP(src=FORGED, dst="10.0.0.1") / ICMP() / Raw(b"x" * 20),
        "hop-by-hop": IPv6(src=FORGED6, dst=FAR6) / IPv6ExtHdrHopByHop(
            options=[PadN(optdata=b"\0" * 4)]) / UDP() / Raw(b"x" * 20),
        "hop limit 1": IPv6(src=FORGED6, dst=FAR6, hlim=1) / UDP() / Raw(b"x" * 20),
        "echo6 to us": IPv6(src=FORGED6, dst="fd00::1") / ICMPv6EchoRequest(data=b"x" * 20),
    }


@pytest.mark.parametrize("way", list(ways(None)))
def test_on_every_way(lab, wires, way):
    h0, _, h2 = wires
    h2.forget()
    before = lab.drops()
    for _ in range(3):
        h0.send(frame(h0, ways(h0)[way]))
    wait_for("three of them", lambda: lab.drops().count("eth0", "urpf")
             - before.count("eth0", "urpf") >= 3)
    now = lab.drops()
    assert now.count("eth0", "urpf") - before.count("eth0", "urpf") == 3
    assert now.balanced
    assert not h2.receive(lambda f: b"x" * 20 in f, timeout_s=0.5), "something was answered"


def test_links_work(lab, wires):
    """Discovery, DAD and link-local traffic are no business of uRPF."""
    h0 = wires[0]
    before = lab.drops().count("eth0", "urpf")
    probe = Ether(src=h0.host_mac, dst="33:33:ff:00:00:55") \
        / IPv6(src="::", dst="ff02::1:ff00:55", hlim=255) / ICMPv6ND_NS(tgt="fd00::55")
    h0.send(probe)
    h0.send(Ether(src=h0.host_mac, dst="ff:ff:ff:ff:ff:ff")
            / ARP(op=1, hwsrc=h0.host_mac, psrc="0.0.0.0", pdst="10.0.0.1"))
    h0.send(Ether(src=h0.host_mac, dst="ff:ff:ff:ff:ff:ff")
            / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67))
    h0.send(frame(h0, IPv6(src="fe80::77", dst="fd00::1", hlim=255)
                  / ICMPv6ND_NS(tgt="fd00::1") / ICMPv6NDOptSrcLLAddr(lladdr=h0.host_mac)))
    h0.send(frame(h0, packet("fe80::77", dst=FAR6)))
    assert lab.ping(0, "10.0.0.1") and lab.ping(0, FAR) and lab.ping(2, FAR)
    wait_for("nothing in flight", lambda: lab.drops().in_flight("eth0") == 0)
    assert lab.drops().count("eth0", "urpf") == before


def test_flood_of_forged(lab, wires):
    """A thousand forged ones, every one counted; a host's own traffic goes on."""
    h0 = wires[0]
    before = lab.drops()
    forged = [frame(h0, packet(f"9.9.{i % 256}.{1 + i % 250}")) for i in range(1000)]
    _, dropped = h0.send_all(forged)
    taken = len(forged) - dropped  # the host may have sent frames of its own meanwhile
    assert lab.ping(0, FAR)
    wait_for("all of them", lambda: lab.drops().count("eth0", "urpf")
             - before.count("eth0", "urpf") >= taken)
    assert lab.drops().count("eth0", "urpf") - before.count("eth0", "urpf") == taken


def test_default_route_counts(lab, wires):
    lab.configure("set routes 0.0.0.0/0 via 10.0.0.2", "set routes ::/0 via fd00::2")
    assert passes(lab, wires, 0, "9.9.9.9") and passes(lab, wires, 0, "2001:db9::1")
    assert passes(lab, wires, 2, "9.9.9.9") and passes(lab, wires, 2, "2001:db9::1")
    assert not passes(lab, wires, 0, FORGED) and not passes(lab, wires, 2, "198.18.0.1")
    lab.configure("delete routes 0.0.0.0/0", "delete routes ::/0")
    assert not passes(lab, wires, 2, "9.9.9.9")


def test_shown_and_changed(lab, wires):
    assert lab.interface("eth0")["urpf"] == lab.interface("eth0.10")["urpf"] == "strict"
    assert lab.interface("eth2")["urpf"] == "loose" and "urpf" not in lab.interface("eth1")
    shown = lab.cli("show configuration").splitlines()
    assert all(f"set interfaces {mode}" in shown for mode in MODES)
    lab.configure("set interfaces eth0 urpf loose")
    assert passes(lab, wires, 0, FORGED) and not passes(lab, wires, 0, "9.9.9.9")
    lab.configure("delete interfaces eth0 urpf")
    assert passes(lab, wires, 0, "9.9.9.9")
    assert not passes(lab, wires, 0, FORGED, vid=10), "the VLAN's own stays"
    lab.configure("set interfaces eth0 urpf strict")
    assert not passes(lab, wires, 0, FORGED)


def test_books(lab):
    wait_for("nothing in flight", lambda: lab.drops().in_flight("eth0") == 0)
    lab.check_books()
