# The flow cache end to end: hits, what they count and deny, what changes make of them, and what
# `show flows` tells.
import time

import pytest
from router import running, wait_for
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

RULES = 100
FLOWS = 300
SUSPECT_S = 8  # how long a difference is looked at before it counts, on a slow machine too
CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth0 acl in edge
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set interfaces eth1 acl out exit
set neighbors eth0 10.0.0.2 52:54:00:00:01:00
set neighbors eth1 10.0.1.2 52:54:00:00:01:01
set neighbors eth1 10.0.1.3 52:54:00:00:01:01
set neighbors eth1 fd00:0:0:1::9 52:54:00:00:01:01
set routes 20.0.0.0/8 via 10.0.1.2
set acl exit rule 10 deny proto udp to-port 1099
set acl exit rule 20 permit
set forwarding flow-table on
""" + "".join(f"set acl edge rule {10 * n} {'deny' if n % 10 == 0 else 'permit'} proto udp"
              f" to-port {1000 + n}\n" for n in range(1, RULES))
# Neighbours are given, since one that is learned is a route and ends what is kept; nobody answers.
# A rule for each of the ports 1001 to 1099, each tenth denies; the last one: for what remains.
CONFIG += f"set acl edge rule {10 * RULES} permit proto icmp\n"


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, config=CONFIG) as lab:
        yield lab


@pytest.fixture(scope="module")
def h0(lab):
    with lab.wire(0) as h0:
        yield h0


def port_of(n):
    return 1001 + n % RULES


def is_denied(n):
    """By the rules above: each tenth one, what no rule is about, and port 1099 on its way out."""
    port = port_of(n)
    return port % 10 == 0 or port >= 1099


def packets(h0, dst=("20.0.0.1", "fd00:0:0:1::9")):
    """One of each flow; every third is IPv6."""
    frames = []
    for n in range(FLOWS):
        ip = IPv6(src="fd00::2", dst=dst[1]) if n % 3 == 2 else IP(src="10.0.0.2", dst=dst[0])
        frames.append(bytes(Ether(src=h0.host_mac, dst=h0.router_mac) / ip
                            / UDP(sport=2000 + n, dport=port_of(n)) / b"of a flow"))
    return frames


DENIED = sum(is_denied(n) for n in range(FLOWS))


def lost(now):
    """Flows that met others in both of their places: which do, changes with each boot."""
    return now["refused"] + now["evicted"]


def flows(lab, *words):
    return lab.json(" ".join(("show flows",) + words))


def rules(lab):
    return [(row["acl"], row["rule"], row["packets"], row["bytes"])
            for row in lab.json("show acl")["acl"]]


def send(lab, h0, frames):
    """Sends them, and waits until all have ended; how many were denied."""
    before, denied = sums(lab), lab.drops().count("eth0", "acl-denied")
    h0.send_all(frames, burst=50)
    wait_for("all of them", lambda: sum(sums(lab)) - sum(before) >= len(frames))
    wait_for("nothing in flight", lambda: lab.drops().in_flight("eth0") == 0)
    return lab.drops().count("eth0", "acl-denied") - denied


def sums(lab):
    """Packets that lists let in and refused: counted with the cache and without it."""
    edge = [row for row in rules(lab) if row[0] == "edge"]
    return [row[2] for row in edge]


def test_hits(lab, h0):
    assert flows(lab)["because"] == "it is configured"
    lab.cli("clear flows", "clear counters")
    assert flows(lab)["flows"] == 0
    assert send(lab, h0, packets(h0)) == DENIED
    first = flows(lab)
    assert first["flow_table"] == "on" and first["hits"] == 0, first
    assert first["flows"] == FLOWS - lost(first) == first["matching"], first
    assert first["kept"] == FLOWS - first["refused"] and lost(first) < FLOWS / 50, first
    assert len(first["flows_found"]) == 20, "as many as are usual"
    assert send(lab, h0, packets(h0)) == DENIED, "denied flows are denied from the cache"
    now = flows(lab)
    assert now["hits"] + now["misses"] - first["misses"] == FLOWS, now
    assert now["hits"] >= FLOWS - 2 * lost(now) and lost(now) < FLOWS / 25, now
    with_cache = rules(lab)
    lab.configure("set forwarding flow-table off")
    lab.cli("clear counters")
    for _ in range(2):
        assert send(lab, h0, packets(h0)) == DENIED
    assert flows(lab)["flow_table"] == "off" and flows(lab)["hits"] == 0
    assert rules(lab) == with_cache
    assert sum(row[2] for row in with_cache if row[0] == "edge") == 2 * FLOWS
    lab.configure("set forwarding flow-table on")


def test_filters(lab, h0):
    chosen = (0, 2, 5, 9, 10, 98)  # so few that they do not meet
    few, sixes = len(chosen), sum(n % 3 == 2 for n in chosen)
    lab.cli("clear flows")
    frames = packets(h0)
    send(lab, h0, [frames[n] for n in chosen])
    for words, matching in [("proto udp", few), ("proto tcp", 0), ("port 1011", 1),
                            ("from fd00::/16", sixes), ("to 20.0.0.0/8", few - sixes),
                            ("from 10.0.0.2/32 port 2000", 1), ("to 30.0.0.0/8", 0)]:
        found = flows(lab, words, "count 1000")
        assert found["matching"] == matching == len(found["flows_found"]), words
        assert found["flows"] == few
    row, = flows(lab, "port 2000")["flows_found"]
    assert row["from"] == "10.0.0.2" and row["from_port"] == 2000 and row["to_port"] == 1001
    assert row["interface"] == "eth0" and row["next_hop"] == "10.0.1.2"
    row, = flows(lab, "port 2009")["flows_found"]
    assert row["to_port"] == 1010 and row["next_hop"] == "denied in"
    row, = flows(lab, "port 2098")["flows_found"]
    assert row["to_port"] == 1099 and row["next_hop"] == "denied out"
    text = lab.cli("show flows port 2000")
    assert "flow table: on\n" in text and "20.0.0.1" in text and "matching: 1\n" in text


def settle(lab, h0):
    """Differences count when nothing has changed for a while and a packet comes."""
    end = time.monotonic() + SUSPECT_S
    while time.monotonic() < end:
        send(lab, h0, packets(h0)[:10])
        time.sleep(0.2)


def test_shadow(lab, h0):
    """Each hit is decided again while routes, lists and next hops change: the same comes of it."""
    lab.configure("set forwarding flow-table on shadow 1")
    before = flows(lab)
    changes = [("set routes 20.0.0.0/24 via 10.0.1.3", "delete routes 20.0.0.0/24"),
               ("set acl edge rule 5 deny proto udp to-port 1001-1050", "delete acl edge rule 5"),
               ("delete interfaces eth1 acl", "set interfaces eth1 acl out exit"),
               ("set routes 20.0.0.0/16 blackhole", "delete routes 20.0.0.0/16")]
    frames = packets(h0)
    for there, back in changes:
        for line in (there, back):
            h0.send_all(frames[:100], burst=50)
            lab.configure(line)
            for _ in range(2):
                h0.send_all(frames, burst=50)
    settle(lab, h0)
    now = flows(lab)
    assert now["shadowed"] - before["shadowed"] >= 2 * len(changes) * FLOWS
    assert now["hits"] - before["hits"] >= now["shadowed"] - before["shadowed"]
    assert now["differed"] == before["differed"] == 0
    assert "decisions kept differ" not in lab.cli("show log")
    lab.cli("clear counters")
    assert send(lab, h0, frames) == DENIED
    lab.configure("set forwarding flow-table on")


def test_clear(lab, h0):
    send(lab, h0, packets(h0))
    assert flows(lab)["flows"] > FLOWS * 24 // 25
    lab.cli("clear flows")
    before = flows(lab)
    assert before["flows"] == 0
    send(lab, h0, packets(h0))
    now = flows(lab)
    assert now["hits"] == before["hits"]
    assert now["flows"] == FLOWS - (lost(now) - lost(before))


def test_auto(lab, h0):
    lab.configure("set forwarding flow-table auto")
    now = flows(lab)
    assert now["flow_table"] == "on" and now["because"] == f"auto: a list has {RULES} rules"
    lab.configure("delete interfaces eth0 acl", "delete interfaces eth1 acl")
    now = flows(lab)
    assert now["flow_table"] == "off" and now["because"].startswith("auto: no list is asked")
    lab.configure("rollback 1")
    lab.configure("set acl edge rule 1 permit established")
    assert "sessions" in flows(lab)["because"]
    lab.configure("delete acl edge rule 1")
    assert flows(lab)["flow_table"] == "on"
    assert send(lab, h0, packets(h0)) == DENIED
    lab.check_books()
