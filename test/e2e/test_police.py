# Policing of inputs end to end: rates and bursts of ports and VLANs, whatever comes in; all counted.
import time

import pytest
from flood import Flood, udp_frame
from router import running, wait_for
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth0 vlan 10 address 10.10.0.1/24
set interfaces eth0 vlan 20 address 10.20.0.1/24
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set interfaces eth2 address 10.0.2.1/24
set neighbors eth1 fd00:0:0:1::2 %s
"""
OFF = ("delete interfaces eth0 police", "delete interfaces eth0 vlan 10 police")
MARK = b"policed?" * 4


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, config=CONFIG % "02:00:00:00:01:02") as lab:
        yield lab


@pytest.fixture(scope="module")
def wires(lab):
    with lab.wire(0) as h0, lab.wire(1) as h1:
        lab.configure(f"set neighbors eth1 fd00:0:0:1::2 {h1.host_mac}")
        yield h0, h1


@pytest.fixture
def police(lab):
    """police(LIMIT, of=WHAT): that limit alone is in force, until the test is over."""
    def limit(words, of="eth0"):
        clear(lab)
        lab.configure(f"set interfaces {of} police {words}")
    yield limit
    clear(lab)


def clear(lab):
    shown = lab.cli("show configuration")
    lines = [line for line in OFF if line.replace("delete", "set") in shown]
    if lines:
        lab.configure(*lines)


def udp(dst="10.0.1.2", src="10.0.0.2", size=32):
    return IP(src=src, dst=dst) / UDP(sport=4000, dport=4001) / Raw((MARK * 50)[:size])


def frames(wire):
    head = Ether(src=wire.host_mac, dst=wire.router_mac)
    return {
        "IPv4": head / udp(),
        "IPv6": head / IPv6(src="fd00::9", dst="fd00:0:0:1::2") / UDP() / Raw(MARK),
        "a VLAN's": head / Dot1Q(vlan=10) / udp(src="10.10.0.2"),
        "ARP": Ether(src=wire.host_mac, dst="ff:ff:ff:ff:ff:ff")
        / ARP(op=1, hwsrc=wire.host_mac, psrc="10.0.0.2", pdst="10.0.0.1"),
        "echo to us": head / IP(src="10.0.0.2", dst="10.0.0.1") / ICMP() / Raw(MARK),
        "solicitation": Ether(src=wire.host_mac, dst="33:33:ff:00:00:01")
        / IPv6(src="fd00::9", dst="ff02::1:ff00:1", hlim=255)
        / ICMPv6ND_NS(tgt="fd00::1") / ICMPv6NDOptSrcLLAddr(lladdr=wire.host_mac),
        "another station's": Ether(src=wire.host_mac, dst="02:09:09:09:09:09") / udp(),
        "unknown": Ether(src=wire.host_mac, dst=wire.router_mac, type=0x9999) / Raw(MARK * 2),
    }


def settled(lab, before, taken):
    wait_for("all to be seen", lambda: lab.drops().received("eth0")
             - before.received("eth0") >= taken)
    wait_for("nothing in flight", lambda: lab.drops().in_flight("eth0") == 0)
    return lab.drops()


@pytest.mark.parametrize("kind", [
    "IPv4", "IPv6", "a VLAN's", "ARP", "echo to us", "solicitation", "another station's",
    "unknown"])
def test_whatever_comes_in(lab, wires, police, kind):
    """Of 300 the burst passes, and the rest has one reason, whatever else would become of it."""
    police("packets 1 burst 20")
    before, start = lab.drops(), time.monotonic()
    taken, _ = wires[0].send_all([bytes(frames(wires[0])[kind])] * 300)
    now = settled(lab, before, taken)
    lost = now.count("eth0", "input-policed") - before.count("eth0", "input-policed")
    assert taken - lost <= 20 + time.monotonic() - start + 2
    assert taken - lost >= 18  # the router's own links had some
    shown = lab.interface("eth0")["police"]
    assert shown["rate"] == "1 packets" and shown["burst_packets"] == 20
    assert now.balanced


@pytest.mark.parametrize("burst", [20000, 500000])
@pytest.mark.parametrize("of,tag", [("eth0", None), ("eth0 vlan 10", 10)])
def test_rate(lab, wires, police, of, tag, burst):
    """Five times as much as is allowed: what arrives is the rate, by the router's own clock. No more, the smaller the
    burst the closer; no less if the burst is a second's, so that nothing is forfeited while a busy machine pauses."""
    h0, h1 = wires
    frame = Ether(src=h0.host_mac, dst=h0.router_mac)
    frame = bytes(frame / Dot1Q(vlan=tag) / udp(src="10.10.0.2", size=950) if tag
                  else frame / udp(size=954))
    assert len(frame) == 996
    police(f"4mbit burst {burst // 1000}k", of=of)
    lab.cli("clear counters")
    time.sleep(0.2)
    h1.forget()
    begin, got = lab.json("show uptime")["us"], 0
    with Flood((h0, frame, 2500000)):
        end = time.monotonic() + 3
        while time.monotonic() < end:
            got += bool(h1.receive(lambda f: MARK in f, 0.5))
    wait_for("nothing in flight", lambda: lab.drops().in_flight("eth0") == 0)
    seconds = (lab.json("show uptime")["us"] - begin) / 1e6
    while h1.receive(lambda f: MARK in f, 0.5):
        got += 1
    assert got * len(frame) <= seconds * 500000 + burst + len(frame)
    if burst == 500000:
        assert got * len(frame) >= (3 * 500000 + burst) * 0.8
    shown = lab.interface(of.replace(" vlan ", "."))
    assert shown["police"]["dropped_packets"] >= got
    assert shown["police"]["dropped_bytes"] == shown["police"]["dropped_packets"] * len(frame)
    assert lab.drops().count("eth0", "input-policed") == shown["police"]["dropped_packets"]


def test_others_do_not_notice(lab, wires, police):
    """A policed flood: other ports, other VLANs, and the untagged frames of the port."""
    h0, _ = wires
    head = Ether(src=h0.host_mac, dst=h0.router_mac)
    lab.configure(f"set neighbors eth0.20 10.20.0.2 {h0.host_mac}")
    police("8kbit burst 1500", of="eth0 vlan 10")
    before = lab.drops()
    taken, _ = h0.send_all([bytes(head / Dot1Q(vlan=10) / udp(src="10.10.0.2"))] * 1000)
    assert lab.ping(0, "10.0.1.2") and lab.ping(2, "10.0.1.2")
    h0.forget()
    h0.send(head / Dot1Q(vlan=20) / IP(src="10.20.0.2", dst="10.20.0.1") / ICMP() / Raw(MARK))
    assert h0.receive(lambda f: MARK in f)
    now = settled(lab, before, taken)
    assert now.count("eth0", "input-policed") - before.count("eth0", "input-policed") > 900
    assert lab.interface("eth0.10")["rx"]["packets"] >= taken
    assert "police" not in lab.interface("eth0.20") and "police" not in lab.interface("eth1")


def test_vlan_and_port(lab, wires, police):
    """What passes its VLAN's bucket is in the port's as well; what does not takes nothing from it."""
    h0, _ = wires
    head = Ether(src=h0.host_mac, dst=h0.router_mac)
    police("packets 1 burst 200")
    lab.configure("set interfaces eth0 vlan 10 police packets 1 burst 50")
    lab.cli("clear counters")
    before = lab.drops()
    ten, _ = h0.send_all([bytes(head / Dot1Q(vlan=10) / udp(src="10.10.0.2"))] * 500)
    settled(lab, before, ten)
    twenty, _ = h0.send_all([bytes(head / Dot1Q(vlan=20) / udp(src="10.20.0.2"))] * 500)
    now = settled(lab, before, ten + twenty)
    mine = lab.interface("eth0.10")["police"]["dropped_packets"]
    ports = lab.interface("eth0")["police"]["dropped_packets"]
    assert 440 <= mine <= 450
    assert twenty - 150 - 10 <= ports <= twenty - 140
    assert now.count("eth0", "input-policed") == mine + ports


def test_changed_and_undone(lab, wires, police):
    """Printed, loaded, rolled back; a flood passes whole when it is off."""
    h0, _ = wires
    police("8kbit burst 1500")
    saved = lab.cli("save")
    assert "set interfaces eth0 police 8kbit burst 1500" in saved.splitlines()
    clear(lab)
    before = lab.drops()
    taken, _ = h0.send_all([bytes(frames(h0)["IPv4"])] * 300)
    now = settled(lab, before, taken)
    assert now.count("eth0", "input-policed") == before.count("eth0", "input-policed")
    assert lab.interface("eth0").get("police", {"rate": "none"})["rate"] == "none"
    lab.cli("rollback 1", "commit")
    assert lab.cli("save").splitlines()[1:] == saved.splitlines()[1:]
    taken, _ = h0.send_all([bytes(frames(h0)["IPv4"])] * 300)
    after = settled(lab, now, taken)
    assert after.count("eth0", "input-policed") - now.count("eth0", "input-policed") > taken - 60
    lab.configure("set interfaces eth0 police packets 100000")
    assert "police packets 100000" in lab.cli("show configuration")
    assert "police 8kbit" not in lab.cli("show configuration")
    assert lab.ping(0, "10.0.1.2", count=20)


def test_hosts_own_traffic(lab, police):
    """TCP finds the rate: a file through a policed port arrives, and no faster."""
    police("20mbit")
    size = 5000000
    start = time.monotonic()
    sent, got = lab.carry_file(0, 1, size)
    assert sent == got
    assert time.monotonic() - start > size * 8 / 20e6 * 0.8 - 0.2


def test_books(lab):
    wait_for("nothing in flight", lambda: lab.drops().in_flight("eth0") == 0)
    lab.check_books()
