# Floods at the router's own addresses: the console answers, others are served, nothing forwarded is
# lost (control-plane policing, ICMP limits, a neighbour table that a scan cannot wash out).
import time

import pytest
from flood import Flood, udp_frame
from router import running, wait_for
from scapy.layers.inet import ICMP, IP, UDP, IPOption_NOP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether

CONFIG = "".join(f"""
set interfaces eth{i} address 10.0.{i}.1/24
set interfaces eth{i} address fd00:0:0:{i}::1/64
""" for i in range(3))
SECONDS = 1.0
RATE = 25000  # packets a second: more than is let through, no more than the emulator takes


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, cores=3, config=CONFIG) as lab:
        lab.warm6(3)
        yield lab


def frames(h0):
    """What a station can aim at the router, by name."""
    def eth(packet, dst=h0.router_mac):
        return bytes(Ether(dst=dst, src=h0.host_mac) / packet)
    four, six = IP(src="10.0.0.2", dst="10.0.0.1"), IPv6(src="fd00::2", dst="fd00::1")
    return {
        "echo": eth(four / ICMP(id=1) / bytes(30)),
        "echo, IPv6": eth(six / ICMPv6EchoRequest(id=1, data=bytes(30))),
        "UDP to a closed port": eth(four / UDP(dport=9) / bytes(30)),
        "TTL 1": eth(IP(src="10.0.0.2", dst="10.0.1.2", ttl=1) / UDP() / bytes(30)),
        "a neighbour that is not there":
            eth(IP(src="10.0.0.2", dst="10.0.1.77") / UDP() / bytes(30)),
        "options": eth(IP(src="10.0.0.2", dst="10.0.1.2", options=[IPOption_NOP()]) / UDP() / bytes(30)),
        "ARP": eth(ARP(op=1, hwsrc=h0.host_mac, psrc="10.0.0.2", pdst="10.0.0.1"),
                   "ff:ff:ff:ff:ff:ff"),
        "solicitations": eth(
            IPv6(src="fd00::2", dst="fd00::1", hlim=255) / ICMPv6ND_NS(tgt="fd00::1")
            / ICMPv6NDOptSrcLLAddr(lladdr=h0.host_mac)),
        # the last: what is kept of them is there for half a minute
        "first fragments": eth(IP(src="10.0.0.2", dst="10.0.0.1", flags="MF") / bytes(40)),
    }


NAMES = list(frames(type("Wire", (), {"router_mac": "02:00:00:00:00:00",
                                      "host_mac": "02:00:00:00:00:01"})))


def is_stream(frame):
    return frame[12:14] == b"\x08\0" and frame[23] == 17 and frame[34:36] == b"\x15\xb3"


@pytest.mark.parametrize("name", NAMES)
def test_flood(lab, h0, name):
    """While it lasts the shell answers, other hosts' echoes are answered, and of a stream between
    two of them nothing is lost; then neighbours that were forgotten are found again, also on the
    flooded link."""
    frame = frames(h0)[name]
    with lab.wire(1) as h1, lab.wire(2) as h2, Flood((h0, frame, RATE * len(frame))):
        h2.forget()
        stream = udp_frame(h1, 1, 2, 100, sport=5555)
        with Flood((h1, stream, 500 * len(stream))) as flood:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                assert "barewire" in lab.cli("show version")
                assert lab.ping(1, "10.0.1.1", count=2)
                assert lab.run(2, "ping", "-c1", "-W10", "fd00:0:0:2::1").returncode == 0
        sent, got = flood.sent(0) - flood.tap_dropped(), 0
        while got < sent and h2.receive(is_stream, 5):
            got += 1
        assert got == sent > 100
        lab.cli("clear neighbors")
        lab.wait_ping(2, "10.0.1.2")
        if name != "ARP":
            lab.wait_ping(2, "10.0.0.2")
    assert lab.drops().balanced
    wait_for("nothing in flight", lambda: name == "first fragments"
             or lab.drops().in_flight("eth0") == 0)


def test_policed_is_counted(lab, h0):
    """What is too much counts by kind in `show protocols`, and as a drop of its port."""
    def kinds():
        return lab.json("show protocols")["policed"]
    lab.configure("set forwarding control-plane echo rate 100")  # less than any machine brings
    before, drops = kinds(), lab.drops()
    h0.send_all([frames(h0)["echo"]] * 20000, burst=2000)
    h0.send_all([frames(h0)["ARP"]] * 5000, burst=2000)
    assert lab.ping(1, "10.0.1.1")
    after = kinds()
    grown = {k: after[k] - before[k] for k in after if after[k] != before[k]}
    assert set(grown) <= {"echo", "arp"} and grown["echo"] > 0
    now = lab.drops()
    assert now.count("eth0", "policed") - drops.count("eth0", "policed") == sum(grown.values())
    lab.configure("delete forwarding control-plane")


def test_rates_are_configured(lab, h0):
    """A class cut down to a few a second: the burst passes; another class and other ports do not
    notice; undone, all is answered again."""
    def echo():
        shown = lab.json("show control-plane")["control_plane"]
        return next(row for row in shown if row["class"] == "echo")
    assert (echo()["rate"], echo()["set"]) == (10000, False)
    lab.configure("set forwarding control-plane echo rate 2")
    lab.cli("clear counters")
    begin, frame = time.monotonic(), frames(h0)["echo"]
    taken, _ = h0.send_all([frame] * 400)
    wait_for("all to be seen", lambda: echo()["handed_up"] + echo()["policed"] >= taken)
    seconds = time.monotonic() - begin
    now = echo()
    assert (now["rate"], now["set"]) == (2, True)
    # each lane has a burst and a rate of its own; a flow stays in one
    assert now["burst"] <= now["handed_up"] <= now["burst"] + 2 * seconds + 2
    assert now["handed_up"] + now["policed"] == taken
    assert lab.drops().count("eth0", "policed") == now["policed"]
    assert lab.ping(1, "10.0.1.1") and lab.ping(0, "10.0.1.2")
    assert "set forwarding control-plane echo rate 2" in lab.cli("save")
    lab.configure("delete forwarding control-plane")
    assert lab.ping(0, "10.0.0.1", count=20)
    assert (echo()["rate"], echo()["set"]) == (10000, False)


def test_errors_to_others(lab, h0):
    """A destination that is flooded with errors does not silence those to another on its link."""
    suppressed = lab.json("show protocols")["icmp"]["suppressed_destination"]
    mac = {"dst": h0.router_mac, "src": h0.host_mac}
    frame = frames(h0)["TTL 1"]
    other = bytes(Ether(**mac) / IP(src="10.0.0.3", dst="10.0.1.2", ttl=1) / UDP() / b"other")
    # an answer to 10.0.0.3 must not wait for ARP
    lab.configure(f"set neighbors eth0 10.0.0.3 {h0.host_mac}")

    def answered(f):
        return f[12:14] == b"\x08\0" and f[23] == 1 and f[34] == 11 and f[30:34] == b"\x0a\0\0\3"
    h0.forget()
    for _ in range(20):
        for _ in range(60):
            h0.send(frame)
        h0.send(other)
        assert h0.receive(answered)
        time.sleep(0.02)  # 3,000 a second: more than one destination gets, less than is policed
    assert lab.json("show protocols")["icmp"]["suppressed_destination"] > suppressed


def test_invented_neighbors(lab, h0):
    """Thousands of solicitations from invented sources, each with a MAC: a neighbour that has
    answered the router stays known, and its traffic loses nothing."""
    assert lab.run(0, "ping", "-c2", "-W10", "fd00:0:0:2::2").returncode == 0
    lab.cli("ping fd00:0:0:2::2 count 1 wait 60", "ping fd00::2 count 1 wait 60")
    known = "fd00:0:0:2::2"
    lab.cli("clear neighbors")
    wait_for("an answer", lambda: lab.run(0, "ping", "-c1", "-W10", known).returncode == 0)
    invented = [bytes(Ether(dst=h0.router_mac, src=h0.host_mac)
                      / IPv6(src=f"fd00::bad:{i:x}", dst="fd00::1", hlim=255)
                      / ICMPv6ND_NS(tgt="fd00::1")
                      / ICMPv6NDOptSrcLLAddr(lladdr=h0.host_mac)) for i in range(3000)]

    def states():
        return {n["address"]: n["state"] for n in lab.json("show neighbors")["neighbors"]}

    def many_learned():  # the control plane's rate decides how many of a round come through
        h0.send_all(invented, burst=50)
        return sum(a.startswith("fd00::bad:") for a in states()) > 500
    wait_for("500 of them", many_learned)
    assert states()[known] in ("reachable", "stale", "delay", "probe")
    assert lab.run(0, "ping", "-c2", "-W10", known).returncode == 0
    lab.cli("clear neighbors")
