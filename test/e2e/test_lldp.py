# LLDP, both directions: frames of scapy's, and Debian's lldpd on a host; and which martians pass.
import json
import os
import shutil
import subprocess
import tempfile

import pytest
from labkit import hosts
from router import LAB, running, wait_for
from scapy.contrib.lldp import (LLDPDUChassisID, LLDPDUEndOfLLDPDU, LLDPDUManagementAddress,
                                LLDPDUPortDescription, LLDPDUPortID, LLDPDUSystemCapabilities,
                                LLDPDUSystemDescription, LLDPDUSystemName, LLDPDUTimeToLive)
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

CONFIG = """
set system hostname edge1
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 description "to the core"
set interfaces eth1 address 10.0.1.1/24
set routes 240.0.0.0/4 via 10.0.1.2
set protocols lldp
"""
GROUP, TYPE = "01:80:c2:00:00:0e", b"\x88\xcc"


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, cores=2, config=CONFIG) as lab:
        yield lab


def neighbors(lab, interface="eth0"):
    return [n for n in lab.json("show lldp neighbors")["lldp_neighbors"]
            if n["interface"] == interface]


def pdu(h0, ttl=120, chassis="02:00:00:00:00:77", *rest):
    packet = Ether(dst=GROUP, src=h0.host_mac) / LLDPDUChassisID(subtype=4, id=chassis) \
        / LLDPDUPortID(subtype=5, id=b"ge-0/0/7") / LLDPDUTimeToLive(ttl=ttl)
    for part in rest:
        packet /= part
    return bytes(packet / LLDPDUEndOfLLDPDU())


def toggle(lab):
    """Off and on again: a goodbye, and a frame without a wait."""
    lab.configure("delete protocols lldp")
    lab.configure("set protocols lldp")


def test_what_we_say(lab, h0):
    h0.forget()
    toggle(lab)
    # Behind one whose time had come, perhaps.
    goodbye = Ether(h0.receive(lambda f: f[12:14] == TYPE and Ether(f)[LLDPDUTimeToLive].ttl == 0))
    assert goodbye.dst == GROUP
    said = Ether(h0.receive(lambda f: f[12:14] == TYPE))
    assert said.src == h0.router_mac
    assert said[LLDPDUChassisID].id == h0.router_mac
    assert said[LLDPDUPortID].id == b"eth0"
    assert said[LLDPDUTimeToLive].ttl == 120
    assert said[LLDPDUSystemName].system_name == b"edge1"
    assert said[LLDPDUSystemDescription].description.startswith(b"barewire ")
    assert said[LLDPDUPortDescription].description == b"to the core"
    assert said[LLDPDUSystemCapabilities].router_available
    assert said[LLDPDUSystemCapabilities].router_enabled
    assert said[LLDPDUManagementAddress].management_address == bytes([10, 0, 0, 1])
    assert LLDPDUEndOfLLDPDU in said


def test_what_we_hear(lab, h0):
    h0.send(pdu(h0, 120, "02:00:00:00:00:77",
                LLDPDUSystemName(system_name=b"spine\x1b[2J"),
                LLDPDUSystemCapabilities(mac_bridge_available=1, mac_bridge_enabled=1,
                                         router_available=1, router_enabled=1),
                LLDPDUManagementAddress(management_address_subtype=1,
                                        management_address=bytes([192, 0, 2, 9]))))
    wait_for("the neighbour", lambda: neighbors(lab))
    seen = neighbors(lab)[0]
    assert seen["system"] == "spine?[2J" and seen["port"] == "ge-0/0/7"
    assert seen["chassis"] == "02:00:00:00:00:77" and seen["capabilities"] == "BR"
    assert seen["address"] == "192.0.2.9" and 100 < seen["ttl_s"] <= 120
    assert "spine" in lab.cli("show lldp neighbors")
    h0.send(pdu(h0, 0))
    wait_for("its goodbye", lambda: not neighbors(lab))


def test_ageing(lab, h0):
    def aged():
        return lab.json("show protocols")["lldp"]["aged"]
    before = aged()
    h0.send(pdu(h0, 2))  # known for so short a time that nobody may see it
    wait_for("its end", lambda: aged() == before + 1)
    assert not neighbors(lab)


def test_flood_of_neighbors(lab, h0):
    """The first ones stay; another port has its own room."""
    h0.send(pdu(h0, 120, "02:00:00:00:00:01"))
    wait_for("the neighbour", lambda: neighbors(lab))
    for i in range(40):
        h0.send(pdu(h0, 120, f"02:00:00:01:00:{i:02x}"))
    h0.send_all([pdu(h0, 120, "02:00:00:02:02:02")] * 3000)
    lab.wait_ping(0, "10.0.0.1")
    seen = neighbors(lab)
    assert len(seen) == 8 and seen[0]["chassis"] == "02:00:00:00:00:01"
    with lab.wire(1) as h1:
        h1.send(pdu(h1, 120, "02:00:00:00:00:55"))
        wait_for("another port's", lambda: neighbors(lab, "eth1"))
    assert lab.json("show protocols")["lldp"]["refused"] > 0
    toggle(lab)
    assert not neighbors(lab)


CHASSIS, PORT, TIME = b"\x02\x07\x04\2\0\0\0\0\1", b"\x04\x02\x05x", b"\x06\x02\0\x09"
MALFORMED = [
    ("no parts", b""),
    ("no time", CHASSIS + PORT),
    ("not in order", PORT + CHASSIS + TIME),
    ("twice", CHASSIS + PORT + TIME + PORT),
    ("beyond the frame", CHASSIS + PORT + TIME + b"\x0b\xff" + bytes(40)),
]


@pytest.mark.parametrize("data", [m[1] for m in MALFORMED], ids=[m[0] for m in MALFORMED])
def test_malformed(lab, h0, data):
    before = lab.drops().count("eth0", "lldp-malformed")
    h0.send(bytes(Ether(dst=GROUP, src=h0.host_mac, type=0x88CC)) + data)
    wait_for("its drop", lambda: lab.drops().count("eth0", "lldp-malformed") == before + 1)
    assert not neighbors(lab)


def test_off(lab, h0):
    """Nothing is said nor heard, and what comes counts as any multicast."""
    lab.configure("delete protocols lldp")
    before = lab.drops().count("eth0", "multicast")
    h0.send(pdu(h0))
    wait_for("its drop", lambda: lab.drops().count("eth0", "multicast") == before + 1)
    assert not neighbors(lab)
    lab.configure("set protocols lldp")


def test_lldpd(lab):
    """Debian's lldpd on h0: each sees the other."""
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)  # it gives up its rights before it comes to its socket
    socket = os.path.join(folder, "socket")
    command = [LAB, "exec", "h0", "lldpd", "-d", "-I", "p0", "-u", socket]
    daemon = subprocess.Popen(command, env={**os.environ, "LAB": lab.name},
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        first = wait_for("what it says", lambda: neighbors(lab))[0]
        assert first["chassis"] == first["port"] == hosts.host_mac(0)

        def told():
            done = lab.run(0, "lldpcli", "-u", socket, "-f", "json0", "show", "neighbors")
            found = json.loads(done.stdout or "{}").get("lldp", [{}])[0].get("interface", [])
            return found and found[0]
        toggle(lab)
        seen = wait_for("what we say", told)
        chassis, port = seen["chassis"][0], seen["port"][0]
        assert chassis["name"][0]["value"] == "edge1"
        assert chassis["descr"][0]["value"].startswith("barewire ")
        assert chassis["mgmt-ip"][0]["value"] == "10.0.0.1"
        assert {"type": "Router", "enabled": True} in chassis["capability"]
        assert port["id"][0]["value"] == "eth0" and port["descr"][0]["value"] == "to the core"
    finally:
        daemon.terminate()
        daemon.wait()
        shutil.rmtree(folder)
    toggle(lab)


# ---- martians (RFC 1812 5.3.7)


def arrives(lab, h0, source, destination):
    """It comes before the second of two frames behind it (it may be in one burst with the first,
    and order is a flow's)."""
    ether = Ether(dst=h0.router_mac, src=h0.host_mac)
    other = ether / IP(src="10.0.0.2", dst="10.0.1.2") / UDP(dport=4444)
    with lab.wire(1) as h1:
        h1.forget()
        h0.send(ether / IP(src=source, dst=destination) / UDP(dport=4444) / b"martian")
        seen = []
        for mark in [b"first..", b"second."]:
            h0.send(other / mark)
            while mark not in seen:
                frame = h1.receive(lambda f: f[12:14] == b"\x08\0" and f[23] == 17)
                seen.append(frame[42:49])
        return b"martian" in seen


@pytest.mark.parametrize("martian,prefix", [("240.1.2.3", "240.0.0.0/4"), ("0.1.2.3", "0.0.0.0/8"),
                                            ("127.0.0.9", "127.0.0.0/8")])
def test_martians_are_permitted(lab, h0, martian, prefix):
    assert not arrives(lab, h0, martian, "10.0.1.2")
    lab.configure(f"set forwarding martians {prefix} permit")
    assert arrives(lab, h0, martian, "10.0.1.2")
    if prefix == "240.0.0.0/4":
        assert arrives(lab, h0, "10.0.0.2", martian)
    lab.configure("delete forwarding")
    assert not arrives(lab, h0, martian, "10.0.1.2")


def test_other_martians(lab):
    lab.cli("set forwarding martians 224.0.0.0/4 permit")
    assert "is none of" in lab.error("commit")
    lab.cli("discard")


@pytest.mark.parametrize("source", ["10.0.0.1", "10.0.1.1", "10.0.0.255", "10.0.1.0"])
def test_sources_that_are_no_hosts(lab, h0, source):
    """Ours, or the broadcast of a network we are on: not heard."""
    before = lab.drops().count("eth0", "martian-source")
    h0.send(Ether(dst=h0.router_mac, src=h0.host_mac) / IP(src=source, dst="10.0.0.1") / UDP())
    wait_for("its drop", lambda: lab.drops().count("eth0", "martian-source") == before + 1)
