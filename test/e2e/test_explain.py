# explain end to end: what it says of a frame is what the frame comes to; saying it changes nothing.
import pytest
from books import expect_drops
from router import running
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth1 address 10.0.1.1/24
set interfaces eth0 acl in guard
set acl guard rule 10 deny proto udp to-port 99
set acl guard rule 20 permit
set routes 203.0.113.0/24 blackhole
"""


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, config=CONFIG) as lab:
        yield lab


def frame(wire, port=4001, dst="10.0.1.2", payload=b"what would become of me", **fields):
    return bytes(Ether(dst=wire.router_mac, src=wire.host_mac)
                 / IP(src="10.0.0.2", dst=dst, **fields) / UDP(sport=4000, dport=port) / payload)


def explain(lab, raw):
    return lab.json("explain eth0 " + raw.hex())


def test_bytes_that_leave(lab):
    lab.warm(2)
    with lab.wire(0) as h0, lab.wire(1) as h1:
        for payload in (b"", b"short", bytes(1472)):
            raw = frame(h0, payload=payload)
            said = explain(lab, raw)
            assert (said["verdict"], said["by"]) == ("sent", "eth1"), said
            wanted = bytes.fromhex("".join(said["bytes"]))
            h0.send(raw)
            got = h1.receive(lambda f: f[12:14] == b"\x08\0" and f[26:34] == wanted[26:34])
            assert got is not None and got[:len(wanted)] == wanted


@pytest.mark.parametrize("reason,fields", [("blackhole", {"dst": "203.0.113.9"}),
                                           ("acl-denied", {"port": 99}),
                                           ("martian-destination", {"dst": "127.0.0.1"})])
def test_drops(lab, reason, fields):
    with lab.wire(0) as h0:
        raw = frame(h0, **fields)
        said = explain(lab, raw)
        assert (said["verdict"], said["reason"]) == ("dropped", reason), said
        expect_drops(lab, {reason: 1}, lambda: h0.send(raw))


def test_changes_nothing(lab):
    def state():
        drops = lab.drops()
        return (lab.json("show acl"),
                [drops.count("eth0", r) for r in ("acl-denied", "ttl-exceeded", "policed")])

    with lab.wire(0) as h0:
        unknown = frame(h0, dst="10.0.1.77")
        before = state()
        for _ in range(20):
            assert explain(lab, frame(h0))["verdict"] == "sent"
            assert explain(lab, frame(h0, port=99))["verdict"] == "dropped"
            assert explain(lab, frame(h0, ttl=1))["reason"] == "icmp: time exceeded"
            assert explain(lab, unknown)["neighbor"].startswith("unknown")
        assert state() == before
        assert "10.0.1.77" not in lab.cli("show neighbors")
