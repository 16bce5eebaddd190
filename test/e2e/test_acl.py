# Access lists end to end: what ports and VLANs let in and out, both families; counted, shown, replaced.
import threading
import time

import pytest
from router import running, wait_for
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import (ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6,
                                IPv6ExtHdrDestOpt, IPv6ExtHdrFragment)
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth0 acl in edge
set interfaces eth0 vlan 10 address 10.10.0.1/24
set interfaces eth0 vlan 10 acl in tag
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set interfaces eth2 address 10.0.2.1/24
set interfaces eth2 acl out exit
set neighbors eth1 fd00:0:0:1::2 52:54:00:00:01:01
set acl edge rule 10 permit proto tcp to-port 80
set acl edge rule 20 deny proto udp from-port 53 log
set acl edge rule 30 permit proto udp to 10.0.0.0/8 to-port 4000-4999
set acl edge rule 40 permit proto icmp icmp-type 8/0
set acl edge rule 50 permit proto udp to fd00:0:0:1::/64 to-port 5353
set acl edge rule 60 permit proto icmp6 icmp-type 128
set acl edge rule 70 permit proto 47
set acl exit rule 10 deny proto udp to 10.0.2.2/32 to-port 4001
set acl exit rule 20 permit
set acl tag rule 10 permit proto udp from 10.10.0.0/24
"""


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, config=CONFIG) as lab:
        yield lab


@pytest.fixture(scope="module")
def wires(lab):
    with lab.wire(0) as h0, lab.wire(1) as h1, lab.wire(2) as h2:
        yield h0, h1, h2


def v4(dst="10.0.1.2", src="10.0.0.2", **fields):
    return IP(src=src, dst=dst, **fields)


def v6(**fields):
    return IPv6(src="fd00::2", dst="fd00:0:0:1::2", **fields)


def ports(kind, to, source=1234):
    return kind(sport=source, dport=to)


# What it is, the packet (its payload comes), the host that gets it or None, the VLAN.
CASES = [
    ("TCP to 80", v4() / ports(TCP, 80), 1, None),
    ("TCP to 81", v4() / ports(TCP, 81), None, None),
    ("UDP to the first of a range", v4() / ports(UDP, 4000), 1, None),
    ("UDP to the last of a range", v4() / ports(UDP, 4999), 1, None),
    ("UDP beyond it", v4() / ports(UDP, 5000), None, None),
    ("UDP, denied by an earlier rule", v4() / ports(UDP, 4000, 53), None, None),
    ("echo request", v4() / ICMP(), 1, None),
    ("echo request, code 1", v4() / ICMP(code=1), None, None),
    ("timestamp", v4() / ICMP(type=13), None, None),
    ("GRE", v4(proto=47), 1, None),
    ("OSPF", v4(proto=89), None, None),
    ("options", v4(options=[IPOption_NOP()] * 4) / ports(UDP, 4000), 1, None),
    ("options, denied", v4(options=[IPOption_NOP()] * 4) / ports(UDP, 5000), None, None),
    ("first fragment", v4(flags="MF") / ports(UDP, 4000), 1, None),
    ("later fragment", v4(frag=8, proto=17), None, None),
    ("later fragment of GRE", v4(frag=8, proto=47), 1, None),
    ("TTL 1, denied", v4(ttl=1) / ports(UDP, 5000), None, None),
    ("out, denied", v4("10.0.2.2") / ports(UDP, 4001), None, None),
    ("out, permitted", v4("10.0.2.2") / ports(UDP, 4002), 2, None),
    ("out, to no neighbour", v4("10.0.2.2", ttl=1) / ports(UDP, 4001), None, None),
    ("IPv6 UDP", v6() / ports(UDP, 5353), 1, None),
    ("IPv6 UDP, denied", v6() / ports(UDP, 5354), None, None),
    ("IPv6 TCP to 80", v6() / ports(TCP, 80), 1, None),
    ("IPv6 echo request", v6() / ICMPv6EchoRequest(), 1, None),
    ("IPv6 behind a header", v6() / IPv6ExtHdrDestOpt() / ports(UDP, 5353), 1, None),
    ("IPv6 behind a header, denied", v6() / IPv6ExtHdrDestOpt() / ports(UDP, 5), None, None),
    ("IPv6 first fragment", v6() / IPv6ExtHdrFragment(m=1) / ports(UDP, 5353), 1, None),
    ("IPv6 later fragment", v6() / IPv6ExtHdrFragment(offset=9, nh=17), None, None),
    ("IPv6 discovery through us", v6(hlim=255) / ICMPv6ND_NS(tgt="fd00::1"), None, None),
    ("VLAN, permitted", v4(src="10.10.0.2") / ports(UDP, 9), 1, 10),
    ("VLAN, denied", v4() / ports(UDP, 4000), None, 10),
    ("VLAN, out", v4("10.0.2.2", "10.10.0.2") / ports(UDP, 4001), None, 10),
]


def mark(number):
    return b"marked%04d" % number * 4


def frame(wire, number, packet, vid):
    head = Ether(src=wire.host_mac, dst=wire.router_mac)
    packet = packet.copy() / Raw(mark(number))
    return head / Dot1Q(vlan=vid) / packet if vid else head / packet


def collect(wire, wanted):
    """The numbers among `wanted` of what has come."""
    found = set()

    def is_new(f):
        found.update(n for n in wanted if mark(n) in f)
        return found == wanted
    if wanted:
        wire.receive(is_new)
    wire.receive(lambda f: found.update(n for n in range(len(CASES)) if mark(n) in f), 0.3)
    return found


def test_cases(lab, wires):
    before = lab.drops()
    for w in wires:
        w.forget()
    for number, (_, packet, _, vid) in enumerate(CASES):
        wires[0].send(frame(wires[0], number, packet, vid))
    for host in (1, 2):
        want = {n for n, case in enumerate(CASES) if case[2] == host}
        got = collect(wires[host], want)
        assert got == want, [CASES[n][0] for n in got ^ want]
    denied = sum(case[2] is None for case in CASES)
    wait_for("the denied", lambda: lab.drops().count("eth0", "acl-denied")
             - before.count("eth0", "acl-denied") >= denied)
    now = lab.drops()
    assert now.count("eth0", "acl-denied") - before.count("eth0", "acl-denied") == denied
    assert now.balanced
    ours = bytes((10, 0, 0, 1))
    assert not wires[0].receive(lambda f: b"marked" in f and f[26:30] == ours, 0.2), "answered"


def rules(lab, name):
    return {row["rule"]: row for row in lab.json(f"show acl {name}")["acl"]}


def test_counters_and_log(lab, wires):
    lab.cli("clear counters")
    assert not any(row["packets"] for row in lab.json("show acl")["acl"])
    for _ in range(3):
        wires[0].send(frame(wires[0], 0, v4() / ports(UDP, 4000, 53), None))
    wait_for("three", lambda: rules(lab, "edge")[20]["packets"] == 3)
    shown = rules(lab, "edge")
    assert shown[20]["action"] == "deny" and shown[20]["bytes"] == 3 * (14 + 28 + 40)
    assert shown[None]["match"] == "no rule matches"
    wait_for("the log", lambda: "acl edge rule 20: deny in eth0, udp 10.0.0.2:53 > 10.0.1.2:4000"
             in lab.cli("show log"))
    assert lab.interface("eth0")["acl_in"] == "edge" and lab.interface("eth2")["acl_out"] == "exit"


def test_to_the_router(lab, wires):
    """Echo is permitted, other things are not; discovery needs no rule, nor do our own words."""
    h0 = wires[0]
    assert lab.ping(0, "10.0.0.1")
    h0.forget()
    h0.send(Ether(src=h0.host_mac, dst="33:33:ff:00:00:01")
            / IPv6(src="fd00::2", dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt="fd00::1")
            / ICMPv6NDOptSrcLLAddr(lladdr=h0.host_mac))
    assert h0.receive(lambda f: f[12:14] == b"\x86\xdd" and f[54] == 136), "no advertisement"
    before = lab.drops().count("eth0", "acl-denied")
    h0.send(frame(h0, 0, v4("10.0.0.1") / ports(UDP, 9), None))
    wait_for("one", lambda: lab.drops().count("eth0", "acl-denied") == before + 1)
    assert "3 received" in lab.cli("ping 10.0.2.2 count 3 wait 60")


def test_replaced_under_traffic(lab):
    """Lists change while pings go on: not one is lost."""
    result = []
    ping = threading.Thread(target=lambda: result.append(
        lab.run(0, "ping", "-q", "-i", "0.01", "-c", "600", "-W", "30", "10.0.1.2")))
    ping.start()
    commits = 0
    while ping.is_alive():
        lab.configure(f"set acl edge rule {1 + commits % 7} deny proto tcp to-port {commits}",
                      "set interfaces eth1 acl out exit" if commits % 2 else
                      "set acl exit rule 5 permit proto icmp")
        commits += 1
        time.sleep(0.05)
    ping.join()
    assert commits >= 3 and "600 received" in result[0].stdout, result[0].stdout
    lab.configure("rollback 1", "delete interfaces eth0 acl", "delete interfaces eth1 acl")


def test_refused_and_gone(lab):
    assert lab.ping(0, "10.0.1.2")
    lab.cli("delete acl exit")
    assert lab.error("commit").endswith("set interfaces eth2 acl out exit: there is no acl exit")
    lab.cli("discard")
    lab.configure("delete acl", "delete interfaces eth2 acl", "delete interfaces eth0 vlan 10 acl")
    assert lab.json("show acl") == {"acl": []}
    assert lab.ping(0, "10.0.2.2")
    wait_for("nothing in flight", lambda: lab.drops().in_flight("eth0") == 0)
    lab.check_books()
