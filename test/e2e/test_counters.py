# Packets by next hop, end to end: what hosts send is what is counted, for each route.
import pytest
from router import running, wait_for
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Raw

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set interfaces eth2 address 10.0.2.1/24
set routes 198.18.0.0/15 blackhole
set routes 198.51.100.0/24 via 10.0.1.2
set routes 198.51.100.0/24 via 10.0.2.2
set routes 203.0.113.0/24 via 10.0.1.77
set routes 2001:db8::/32 via fd00:0:0:1::77
set neighbors eth1 10.0.1.77 02:00:00:00:00:77
set neighbors eth1 fd00:0:0:1::77 02:00:00:00:00:77
"""


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, config=CONFIG) as lab:
        for host in range(3):
            lab.wait_ping(host, f"10.0.{host}.1")
        yield lab


def routes(lab, prefix):
    return [r for r in lab.json(f"show routes {prefix}")["routes"] if r["prefix"] == prefix]


def frames(h0, dst, n, size=100):
    head = Ether(src=h0.host_mac, dst=h0.router_mac)
    ip = IPv6(src="fd00::2", dst=dst) if ":" in dst else IP(src="10.0.0.2", dst=dst)
    return [head / ip / UDP(sport=5000 + i, dport=9) / Raw(bytes(size)) for i in range(n)]


def send(lab, h0, dst, n):
    before = lab.drops().received("eth0")
    taken, _ = h0.send_all(frames(h0, dst, n))
    wait_for("all of it", lambda: lab.drops().received("eth0") - before >= taken
             and lab.drops().in_flight("eth0") == 0)
    return taken


def test_off(lab):
    assert all("packets" not in r for r in lab.json("show routes")["routes"])
    assert all("packets" not in n for n in lab.json("show next-hops")["next_hops"])
    lab.configure("set forwarding counters next-hop")


@pytest.mark.parametrize("prefix, dst, header", [
    ("203.0.113.0/24", "203.0.113.9", 20), ("2001:db8::/32", "2001:db8::9", 40),
    ("198.18.0.0/15", "198.18.0.1", 20)])
def test_route(lab, h0, prefix, dst, header):
    before = routes(lab, prefix)[0]
    taken = send(lab, h0, dst, 200)
    after = routes(lab, prefix)[0]
    assert after["packets"] - before["packets"] == taken
    assert after["bytes"] - before["bytes"] == taken * (14 + header + 8 + 100)


def test_members(lab, h0):
    """What each of two next hops counts is what its port has sent."""
    before = routes(lab, "198.51.100.0/24")
    sent = [lab.interface(f"eth{i}")["tx"]["packets"] for i in (1, 2)]
    taken = send(lab, h0, "198.51.100.9", 400)
    after = routes(lab, "198.51.100.0/24")
    grown = {a["interface"]: a["packets"] - b["packets"] for a, b in zip(after, before)}
    assert sum(grown.values()) >= taken and min(grown.values()) > taken / 4
    for i in (1, 2):
        left = lab.interface(f"eth{i}")["tx"]["packets"] - sent[i - 1]
        assert abs(left - grown[f"eth{i}"]) < 30, "but for a few of the hosts' and our own"


def test_next_hops(lab, h0):
    taken = send(lab, h0, "203.0.113.9", 50)
    lab.cli("clear counters")
    taken = send(lab, h0, "203.0.113.9", 70)
    shown = {n["next_hop"]: n for n in lab.json("show next-hops")["next_hops"]}
    assert shown["10.0.1.77"] == {"next_hop": "10.0.1.77", "interface": "eth1",
                                  "state": "resolved", "packets": taken, "bytes": taken * 142}
    assert shown["blackhole"]["packets"] == 0
    lab.configure("delete forwarding counters")
    assert all("packets" not in r for r in lab.json("show routes")["routes"])
    lab.check_books()
