# VLAN subinterfaces end to end: Linux hosts behind tags, a router on a stick, every fate counted.
import re
import socket
import tempfile
import threading
import time

import pytest
from labkit import hosts, transfer
from router import HOSTED, running, wait_for
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Raw
from switch import Switch, TagWire

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 vlan 10 address 10.10.0.1/24
set interfaces eth0 vlan 10 address fd00:10::1/64
set interfaces eth0 vlan 10 description "the first"
set interfaces eth0 vlan 20 address 10.20.0.1/24
set interfaces eth0 vlan 20 address fd00:20::1/64
set interfaces eth0 vlan 20 mtu 1400
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set queues eth0 class 5 dscp 46 priority
set queues eth0 class 3 pcp 6 weight 2
"""
VLANS = (10, 20)


def v4(vid, host=2):
    return f"10.{vid}.0.{host}"


def v6(vid, host=2):
    return f"fd00:{vid}::{host}"


class Frames(TagWire):
    """Frames as scapy has them."""

    def receive(self, wanted, timeout_s=10):
        end = time.monotonic() + timeout_s
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                frame = self.read()
            except socket.timeout:
                return None
            if frame and wanted(packet := Ether(frame)):
                return packet
        return None


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, config=CONFIG) as lab:
        yield lab


@pytest.fixture(scope="module")
def behind(lab):
    """The hosts of the two VLANs, by VID; and the way to them from h1."""
    switch = Switch(lab)
    try:
        for vid in VLANS:
            switch.add(vid, (f"{v4(vid)}/24", f"{v6(vid)}/64"), (v4(vid, 1), v6(vid, 1)),
                       1400 if vid == 20 else 1500)
        switch.start()
        lab.must(1, "ip", "-6", "address", "replace", "fd00:0:0:1::2/64", "dev", "p0")
        lab.must(1, "ip", "-6", "route", "replace", "default", "via", "fd00:0:0:1::1")
        for vid, host in switch.port.items():
            wait_for(f"VLAN {vid} to reach its router", lambda h=host, v=vid:
                     h.ping(v4(v, 1)) and h.ping(v6(v, 1)))
        yield switch.port
    finally:
        switch.close()


@pytest.fixture(scope="module")
def h0(lab):
    """Raw frames at the trunk."""
    with Frames(lab, 0) as wire:
        yield wire


@pytest.fixture(scope="module")
def h1(lab):
    with Frames(lab, 1) as wire:
        yield wire


def counters(lab, vid):
    shown = lab.interface(f"eth0.{vid}")
    return {way: shown[way] for way in ("rx", "tx")}


# ---------------------------------------------------------------- Linux hosts


def test_ping_router(behind):
    for vid, host in behind.items():
        assert host.ping(v4(vid, 1), count=3) and host.ping(v6(vid, 1), count=3)
        assert host.ping(v4(vid, 1), "-s", "1300")


def test_fragments_to_the_router(behind):
    """What is put together answers by the VLAN it came from, in fragments."""
    for vid, host in behind.items():
        assert host.ping(v4(vid, 1), "-s", "8000") and host.ping(v6(vid, 1), "-s", "8000")


def test_router_on_a_stick(behind):
    assert behind[10].ping(v4(20), count=3) and behind[20].ping(v4(10), count=3)
    assert behind[10].ping(v6(20), count=3) and behind[20].ping(v6(10), count=3)


def test_tagged_to_untagged_and_back(lab, behind):
    wait_for("an untagged host", lambda: behind[10].ping("10.0.1.2"))
    assert behind[10].ping("10.0.1.2", "-s", "1472", "-M", "do"), "a whole MTU and the tag"
    assert behind[20].ping("fd00:0:0:1::2")
    assert lab.ping(1, v4(10)) and lab.ping(1, v4(20))
    assert lab.run(1, "ping", "-6", "-c", "3", v6(10)).returncode == 0
    assert lab.ping(0, "10.0.0.1"), "the same port without a tag"


def carry(source, destination, address, size):
    """A random file by TCP between namespaces; digests of what was sent and what arrived."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with tempfile.NamedTemporaryFile() as sent, tempfile.NamedTemporaryFile() as received, \
            hosts.inside(destination, transfer.listen, address) as listener, \
            hosts.inside(source, socket.socket, family) as sender:
        with open("/dev/urandom", "rb") as f:
            sent.write(f.read(size))
        sent.flush()
        receiver = threading.Thread(target=transfer.receive, args=(listener, received.name))
        receiver.start()
        try:
            sender.settimeout(60)
            sender.connect((address, transfer.PORT))
            with open(sent.name, "rb") as f:
                sender.sendfile(f)
        finally:
            sender.close()
            receiver.join()
        return transfer.digest(sent.name), transfer.digest(received.name)


@pytest.mark.parametrize("way", ["10 to 20", "20 to h1", "h1 to 10", "10 to 20, IPv6"])
def test_file(lab, behind, way):
    place = {"10": behind[10].name, "20": behind[20].name, "h1": lab.place.namespace(1)}
    address = {"10": v4(10), "20": v4(20), "h1": "10.0.1.2", "20, IPv6": v6(20)}
    source, _, destination = way.partition(" to ")
    sent, received = carry(place[source], place[destination.split(",")[0]], address[destination],
                           2 << 20)
    assert sent == received


def test_path_mtu(behind):
    """VLAN 20 carries 1400: who sends more with DF hears of it, from the VLAN it sent by."""
    done = behind[10].run("ping", "-c", "1", "-W", "10", "-M", "do", "-s", "1400", v4(20))
    assert done.returncode and re.search(rf"From {re.escape(v4(10, 1))} .*mtu = 1400",
                                         done.stdout), done.stdout
    assert behind[10].ping(v4(20), "-M", "dont", "-s", "1400"), "in fragments"
    assert "mtu 1400" in behind[10].must("ip", "route", "get", v4(20))
    behind[10].ping(v6(20), "-s", "1400")
    wait_for("IPv6 to have learnt the path's MTU",
             lambda: behind[10].ping(v6(20), "-s", "1400"))
    assert "mtu 1400" in behind[10].must("ip", "-6", "route", "get", v6(20))


def test_traceroute(behind):
    out = behind[10].must("traceroute", "-n", "-q", "1", "-w", "10", v4(20))
    assert re.search(rf"^ 1  {re.escape(v4(10, 1))} ", out, re.M), out


def test_counters(lab, behind):
    before = {vid: counters(lab, vid) for vid in VLANS}
    assert behind[10].ping(v4(20), count=5)
    for vid in VLANS:
        now = counters(lab, vid)
        for way in ("rx", "tx"):
            packets = now[way]["packets"] - before[vid][way]["packets"]
            octets = now[way]["bytes"] - before[vid][way]["bytes"]
            assert 5 <= packets <= 9, (vid, way)  # neighbours may be asked again
            assert octets >= 5 * (14 + 4 + 84)


def test_show(lab, behind):
    names = [i["name"] for i in lab.json("show interfaces")["interfaces"]]
    assert names == ["eth0", "eth1", "eth0.10", "eth0.20"]
    shown = lab.interface("eth0.20")
    assert (shown["vlan"], shown["mtu"], shown["state"]) == (20, 1400, "up")
    assert v4(20, 1) + "/24" in shown["address"]
    assert lab.interface("eth0.10")["description"] == "the first"
    if not HOSTED:
        assert lab.interface("eth0")["vlan filter"] == "device"  # QEMU's virtio-net has one
    assert lab.error("show interfaces eth0.30") == "error: no interface 'eth0.30'"
    assert "eth0.10" in {n["interface"] for n in lab.json("show neighbors")["neighbors"]}
    assert "eth0.20" in {r["interface"] for r in lab.json("show routes")["routes"]}


# ---------------------------------------------------------------- frames


def tagged(wire, vid, packet, pcp=0, **options):
    return Ether(src=wire.host_mac, dst=wire.router_mac) / Dot1Q(vlan=vid, prio=pcp, **options) \
        / packet


def udp(vid, dst, **options):
    return IP(src=v4(vid), dst=dst, **options) / UDP(sport=5, dport=9) / Raw(b"x" * 26)


BAD = {
    "no such VLAN": (lambda w: tagged(w, 30, udp(10, "10.0.1.2")), "vlan-unknown"),
    "VID 4095": (lambda w: tagged(w, 4095, udp(10, "10.0.1.2")), "vlan-unknown"),
    "broadcast in no VLAN": (lambda w: Ether(src=w.host_mac, dst="ff:ff:ff:ff:ff:ff")
                             / Dot1Q(vlan=31) / ARP(psrc="10.0.0.9", pdst="10.0.0.1"),
                             "vlan-unknown"),
    "QinQ": (lambda w: Ether(src=w.host_mac, dst=w.router_mac, type=0x88A8)
             / Dot1Q(vlan=10, type=0x8100) / Dot1Q(vlan=10) / udp(10, "10.0.1.2"),
             "vlan-stacked"),
    "802.1ad alone": (lambda w: Ether(src=w.host_mac, dst=w.router_mac, type=0x88A8)
                      / Dot1Q(vlan=10) / udp(10, "10.0.1.2"), "vlan-stacked"),
    "two tags": (lambda w: tagged(w, 10, Dot1Q(vlan=20) / udp(10, "10.0.1.2")), "vlan-stacked"),
    "cut in the tag": (lambda w: bytes(tagged(w, 10, b""))[:16], "vlan-truncated"),
    "another station's": (lambda w: Ether(src=w.host_mac, dst="52:54:00:99:99:99")
                          / Dot1Q(vlan=10) / udp(10, "10.0.1.2"), "wrong-mac"),
    "too long": (lambda w: tagged(w, 20, udp(20, "10.0.1.2") / Raw(b"x" * 1400)), "rx-oversize"),
    "IP cut off": (lambda w: bytes(tagged(w, 10, udp(10, "10.0.1.2")))[:30], "ip-truncated"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_frame_is_counted_once(lab, behind, h0, case):
    make, reason = BAD[case]
    before = lab.drops()
    for _ in range(3):
        h0.send(make(h0))
    wait_for(f"three {reason}", lambda: lab.drops().count("eth0", reason)
             - before.count("eth0", reason) >= 3)
    now = lab.drops()
    assert now.count("eth0", reason) - before.count("eth0", reason) == 3
    assert now.balanced


def test_priority_tag_is_the_ports_own(lab, h0):
    h0.forget()
    h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / Dot1Q(vlan=0, prio=5)
            / IP(src="10.0.0.2", dst="10.0.0.1") / ICMP(id=77) / Raw(b"y" * 30))
    got = h0.receive(lambda p: ICMP in p and p[ICMP].id == 77)
    assert got and Dot1Q not in got


@pytest.mark.parametrize("pcp, tos, leaves", [
    (0, 0, 0), (7, 0, 0), (3, 46 << 2, 5), (6, 0, 3), (6, 46 << 2, 3), (None, 46 << 2, 5)])
def test_priority_on_egress(behind, h0, h1, pcp, tos, leaves):
    """By the priority it came with, where eth0 has a class for that, else by DSCP."""
    payload = UDP(sport=4000 + leaves, dport=9) / Raw(b"z" * 26)
    if pcp is None:
        h1.send(Ether(src=h1.host_mac, dst=h1.router_mac)
                / IP(src="10.0.1.2", dst=v4(20), tos=tos) / payload)
    else:
        h0.send(tagged(h0, 10, IP(src=v4(10), dst=v4(20), tos=tos) / payload, pcp=pcp))
    got = h0.receive(lambda p: UDP in p and p[IP].dst == v4(20) and p[IP].ttl == 63)
    assert got, "nothing came"
    assert (got[Dot1Q].vlan, got[Dot1Q].prio) == (20, leaves)


def test_frame_that_leaves(behind, h0):
    """Tag, TTL and payload of a routed frame; one hop, to the byte."""
    payload = bytes(range(200))
    h0.forget()
    h0.send(tagged(h0, 10, IP(src=v4(10), dst=v4(20), ttl=9, id=4711) / UDP(sport=1, dport=9)
                   / Raw(payload)))
    got = h0.receive(lambda p: IP in p and p[IP].id == 4711 and p[IP].ttl == 8)
    assert got and got[Dot1Q].vlan == 20 and bytes(got[UDP].payload) == payload
    assert got.src == h0.router_mac
    seen = got[IP].chksum
    del got[IP].chksum
    assert IP(bytes(got[IP])).chksum == seen


def test_ipv6_hop(behind, h0):
    h0.forget()
    h0.send(tagged(h0, 10, IPv6(src=v6(10), dst=v6(20), hlim=9)
                   / ICMPv6EchoRequest(id=99, data=b"q" * 40)))
    asked = h0.receive(lambda p: ICMPv6EchoRequest in p and p[IPv6].hlim == 8)
    assert asked and asked[Dot1Q].vlan == 20
    answer = h0.receive(lambda p: ICMPv6EchoReply in p and p[ICMPv6EchoReply].id == 99
                        and p[IPv6].hlim == 63)
    assert answer and answer[Dot1Q].vlan == 10


# ---------------------------------------------------------------- configuration


def test_configuration_is_printed(lab):
    shown = lab.cli("show configuration").splitlines()
    for line in CONFIG.strip().splitlines():
        assert line in shown, line


@pytest.mark.parametrize("line, why", [
    ("set interfaces eth0 vlan 0 address 10.9.0.1/24", "is not a number from 1 to 4094"),
    ("set interfaces eth0 vlan 4095 address 10.9.0.1/24", "is not a number from 1 to 4094"),
    ("set interfaces eth0.10 address 10.9.0.1/24", "is not an interface name"),
    ("set queues eth0.10 shape 1mbit", "is not an interface name"),
    ("set queues eth0 class 1 pcp 8 weight 1", "is not a number from 0 to 7"),
])
def test_refused(lab, line, why):
    assert why in lab.error(line)


@pytest.mark.parametrize("line, why", [
    ("set interfaces eth0 vlan 11 address 10.10.0.9/24", "overlaps 10.10.0.1/24 on eth0.10"),
    ("set interfaces eth0 vlan 20 mtu 1501", "the MTU of eth0 is 1500"),
    ("set interfaces eth0 vlan 20 mtu 1000", "IPv6 needs an MTU of 1280"),
    ("set routes 10.99.0.0/16 via 10.10.0.9 dev eth0.20", "is on no network of eth0.20"),
])
def test_commit_refused(lab, line, why):
    lab.cli(line)
    assert why in lab.error("commit")
    lab.cli("discard")


def test_routes_and_neighbors_by_name(lab, behind):
    lab.configure("set routes 10.98.0.0/16 via 10.10.0.2 dev eth0.10",
                  "set routes fd00:98::/32 via fe80::9 dev eth0.10",
                  "set neighbors eth0.10 10.10.0.7 02:00:00:00:00:07")
    shown = {r["prefix"]: r["interface"] for r in lab.json("show routes")["routes"]}
    assert shown["10.98.0.0/16"] == shown["fd00:98::/32"] == "eth0.10"
    assert "10.10.0.7" in {n["address"] for n in lab.json("show neighbors")["neighbors"]}
    lab.configure("delete routes 10.98.0.0/16", "delete routes fd00:98::/32",
                  "delete neighbors eth0.10")


def test_changes_under_traffic(lab, behind):
    """Subinterfaces come and go; a flow between two others loses nothing."""
    wait_for("VLAN 20", lambda: behind[10].ping(v4(20)))
    result = {}
    flow = threading.Thread(target=lambda: result.update(done=behind[10].run(
        "ping", "-q", "-i", "0.01", "-c", "600", "-W", "10", v4(20))))
    flow.start()
    for vid in range(100, 112):
        lab.configure(f"set interfaces eth0 vlan {vid} address 10.{vid}.0.1/24")
        if vid % 2:
            lab.configure(f"delete interfaces eth0 vlan {vid - 1}",
                          f"delete interfaces eth0 vlan {vid}")
    flow.join()
    assert " 0% packet loss" in result["done"].stdout, result["done"].stdout
    lab.check_books()


def test_gone_and_back(lab, behind):
    lines = [line for line in CONFIG.splitlines() if " vlan 20 " in line]
    lab.configure("delete interfaces eth0 vlan 20")
    before = lab.drops().count("eth0", "vlan-unknown")
    assert not behind[20].ping(v4(20, 1), wait_s=1)
    assert lab.drops().count("eth0", "vlan-unknown") > before
    lab.configure(*lines)
    wait_for("VLAN 20 again", lambda: behind[20].ping(v4(20, 1)) and behind[20].ping(v6(10)))


def test_link(lab, behind):
    """It goes and comes with its port."""
    lab.link(0, False)
    assert lab.interface("eth0.10")["state"] == "down"
    assert "10.10.0.0/24" not in {r["prefix"] for r in lab.json("show routes")["routes"]}
    lab.link(0, True)
    wait_for("VLAN 10 again", lambda: behind[10].ping(v4(10, 1)) and behind[10].ping(v6(20)))


def test_books(lab):
    lab.check_books()
