# Neighbours: asked for, lost, found again; and what strangers say about them is not believed.
import pytest
from router import running, wait_for
from scapy.layers.inet import ICMP, IP, UDP, IPerror
from scapy.layers.l2 import ARP, Ether

BROADCAST = "ff:ff:ff:ff:ff:ff"


@pytest.fixture(scope="module")
def lab():
    with running(warm=False) as lab:
        yield lab


def neighbors(lab):
    """Address -> (state, MAC) as the router sees them."""
    return {n["address"]: (n["state"], n["mac"]) for n in lab.json("show neighbors")["neighbors"]}


def is_request_for(address):
    def wanted(frame):
        packet = Ether(frame)
        return ARP in packet and packet[ARP].op == 1 and packet[ARP].pdst == address
    return wanted


def is_unreachable(address):
    """A filter for ICMP unreachable about a packet to the address."""
    def wanted(frame):
        packet = Ether(frame)
        return ICMP in packet and packet[ICMP].type == 3 and IPerror in packet \
            and packet[IPerror].dst == address
    return wanted


def test_neighbor_is_learned(lab):
    """The very first packet is not lost: it waits for both neighbours."""
    assert lab.ping(0, "10.0.1.2", count=1)
    known = neighbors(lab)
    assert known["10.0.0.2"] == ("reachable", "52:54:00:00:01:00")
    assert known["10.0.1.2"] == ("reachable", "52:54:00:00:01:01")


def test_request_is_well_formed(lab):
    """RFC 826: broadcast, from the router's own address and MAC."""
    with lab.wire(0) as h0, lab.wire(1) as h1:
        h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / IP(src="10.0.0.2", dst="10.0.1.50")
                / UDP())
        frame = h1.receive(is_request_for("10.0.1.50"))
    request = Ether(frame)
    assert (request.dst, request.src) == (BROADCAST, h1.router_mac)
    assert (request[ARP].hwsrc, request[ARP].psrc) == (h1.router_mac, "10.0.1.1")


def test_reply_only_for_own_addresses(lab):
    with lab.wire(0) as h0:
        for address in ("10.0.0.99", "10.0.1.1", "10.0.0.1"):
            h0.send(Ether(dst=BROADCAST, src=h0.host_mac) / ARP(
                op=1, hwsrc=h0.host_mac, psrc="10.0.0.2", pdst=address))
        frame = h0.receive(lambda f: ARP in Ether(f) and Ether(f)[ARP].op == 2)
        assert Ether(frame)[ARP].psrc == "10.0.0.1", "answered for somebody else"
        assert Ether(frame)[ARP].hwsrc == h0.router_mac


def test_unreachable_comes_back(lab):
    """Nobody answers: after its tries the router tells the sender, host unreachable."""
    packet = IP(src="10.0.0.2", dst="10.0.1.60") / UDP(sport=5, dport=6) / b"anybody there?"
    with lab.wire(0) as h0:
        h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / packet)
        frame = h0.receive(is_unreachable("10.0.1.60"))
    assert frame, "no ICMP error"
    assert Ether(frame)[ICMP].code == 1, "not 'host unreachable'"
    assert neighbors(lab).get("10.0.1.60", ("failed",))[0] == "failed"


def test_neighbor_returns(lab):
    """A host stops answering ARP, is given up, and is reached again when it comes back."""
    lab.must(1, "ip", "link", "set", "p0", "arp", "off")
    lab.cli("clear neighbors")
    with lab.wire(0) as h0:
        h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / IP(src="10.0.0.2", dst="10.0.1.2")
                / UDP())
        assert h0.receive(is_unreachable("10.0.1.2"))
    assert not lab.ping(0, "10.0.1.2", count=1, wait_s=1)
    lab.must(1, "ip", "link", "set", "p0", "arp", "on")
    lab.wait_ping(0, "10.0.1.2")
    assert neighbors(lab)["10.0.1.2"][0] == "reachable"


def test_new_mac_is_learned(lab):
    """A host comes back with another MAC: its own announcement is enough."""
    lab.wait_ping(0, "10.0.1.2")
    lab.must(1, "ip", "link", "set", "p0", "address", "52:54:00:00:02:01")
    try:
        assert lab.ping(1, "10.0.1.1"), "the host's own traffic makes itself known"
        lab.wait_ping(0, "10.0.1.2")
        wait_for("the new MAC",
                 lambda: neighbors(lab)["10.0.1.2"][1] == "52:54:00:00:02:01")
    finally:
        lab.must(1, "ip", "link", "set", "p0", "address", "52:54:00:00:01:01")
        lab.must(1, "ping", "-c", "1", "10.0.1.1")


def test_strangers_make_no_entries(lab):
    """Replies nobody asked for, and requests between others, leave no trace."""
    with lab.wire(0) as h0:
        for i in range(100, 200):
            h0.send(Ether(dst=h0.router_mac, src=h0.host_mac) / ARP(
                op=2, hwsrc="02:00:00:00:00:99", psrc=f"10.0.0.{i}", pdst="10.0.0.1",
                hwdst=h0.router_mac))
            h0.send(Ether(dst=BROADCAST, src=h0.host_mac) / ARP(
                op=1, hwsrc="02:00:00:00:00:99", psrc=f"10.0.0.{i}", pdst="10.0.0.2"))
        assert lab.ping(0, "10.0.0.1")
    assert not [a for a in neighbors(lab) if a.startswith("10.0.0.") and a != "10.0.0.2"]


def test_static_neighbor(lab):
    lab.configure("set neighbors eth1 10.0.1.61 02:00:00:00:00:61")
    assert neighbors(lab)["10.0.1.61"] == ("static", "02:00:00:00:00:61")
    with lab.wire(0) as h0, lab.wire(1) as h1:
        h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / IP(src="10.0.0.2", dst="10.0.1.61")
                / UDP())
        assert h1.receive(lambda f: Ether(f).dst == "02:00:00:00:00:61")
    lab.cli("clear neighbors")
    assert "10.0.1.61" in neighbors(lab)
    lab.configure("delete neighbors eth1 10.0.1.61")
    assert "10.0.1.61" not in neighbors(lab)


def test_thousands_of_unknown_neighbors(lab):
    """A scan of unused addresses: the table does not overflow into trouble, traffic goes on."""
    lab.configure("set interfaces eth1 address 10.50.0.1/16")
    lab.cli("clear neighbors")
    with lab.wire(0) as h0:
        template = Ether(src=h0.host_mac, dst=h0.router_mac)
        for i in range(3000):
            address = f"10.50.{1 + i // 250}.{1 + i % 250}"
            h0.send(template / IP(src="10.0.0.2", dst=address) / UDP())
    lab.wait_ping(0, "10.0.1.2")
    assert lab.ping(0, "10.0.1.2", count=5)
    lab.check_books()
    lab.configure("delete interfaces eth1 address 10.50.0.1/16")
    wait_for("nothing held", lambda: lab.drops().in_flight("eth0") == 0)
