# The driver of Intel's 82576 in the real image, against the model of it that QEMU has: nobody here wrote that, and it
# goes through the same rings as the driver of the 82599 (drivers/intel).
import contextlib
import socket
import time

import foreign
import pytest
from books import expect_drops
from flood import check_order, udp_frame
from labkit import hosts
from router import running, wait_for
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from switch import Switch

QUIET, QUIET_MAC = "10.0.1.77", "02:00:00:00:00:77"
CONFIG = f"""
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth0 vlan 10 address 10.10.0.1/24
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set neighbors eth1 {QUIET} {QUIET_MAC}
"""
JUMBO = 9000
FCS, SLOTS = 4, 1024
KEY = bytes.fromhex("6d5a") * 20


@pytest.fixture(scope="module", autouse=True)
def qemu():
    foreign.need_qemu()


@pytest.fixture(scope="module")
def lab():
    with running(nic="igb", config=CONFIG, cores=3) as lab:
        yield lab


def test_drivers(lab):
    for i in range(2):
        port = lab.interface(f"eth{i}")
        assert port["driver"] == "igb" and port["queues"] == 2 and port["steering"] == "rss"
        assert port["mac"] == hosts.router_mac(i) and port["link"] == "up"
    assert "8086:10c9" in lab.cli("show hardware")


def test_ping(lab):
    for size in (0, 56, 1472):
        assert lab.ping(0, "10.0.1.2", size=size)
    assert lab.ping(1, "10.0.0.2", size=8000, fragment=True)
    assert lab.ping(1, "10.0.0.1", size=8000, fragment=True)
    lab.warm6(2)


def test_file(lab):
    for source, destination in ((0, 1), (1, 0)):
        sent, received = lab.carry_file(source, destination, 5_000_000)
        assert sent == received


def test_flows_keep_their_order(lab):
    check_order(lab, 0, 1)


def toeplitz(data):
    """Microsoft's hash of RSS, as it is defined: bit by bit."""
    key, width, value = int.from_bytes(KEY, "big"), 8 * len(KEY), 0
    for i in range(8 * len(data)):
        if data[i // 8] >> (7 - i % 8) & 1:
            value ^= key >> (width - 32 - i) & 0xFFFFFFFF
    return value


def by_worker(lab, way):
    """Packets of `way`, two ports, by the worker that received them."""
    packets = [0, 0]
    for q in lab.json(f"show queues {way[1]}")["queues"]:
        if q["from"] == way[0]:
            packets[q["worker"]] += q["packets"]
    return packets


@contextlib.contextmanager
def listening(lab, host, port):
    """Somebody takes UDP there: Linux does not say that nobody does."""
    with lab.socket(host, socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("", port))
        yield


def test_rss(lab):
    """Each flow comes in by the queue that the hash names, and so does what is answered to it."""
    seen = set()
    for sport in range(1000, 1006):
        address = bytes((10, 0, 0, 2, 10, 0, 1, 2))
        queue = toeplitz(address + sport.to_bytes(2, "big") + (9).to_bytes(2, "big")) % 128 % 2
        seen.add(queue)
        for source, way in ((0, ("eth0", "eth1")), (1, ("eth1", "eth0"))):
            ports = {"sport": sport, "dport": 9} if source == 0 else {"sport": 9, "dport": sport}
            before = by_worker(lab, way)
            with lab.wire(source) as wire, listening(lab, 1 - source, ports["dport"]):
                frame = udp_frame(wire, source, 1 - source, 100, **ports)
                for _ in range(20):
                    wire.send(frame)
                wait_for("the flow", lambda b=before, w=way: by_worker(lab, w)[queue] - b[queue] >= 20)
            assert by_worker(lab, way)[1 - queue] == before[1 - queue]
    assert seen == {0, 1}, "the ports drawn do not test it"


def test_wrong_checksums(lab, h0):
    """The device says so of each, by bits of its own; the parser alone drops, and only what it has to."""
    ethernet = Ether(src=h0.host_mac, dst=h0.router_mac)
    with lab.wire(1) as there:
        h0.send(ethernet / IP(src="10.0.0.2", dst=QUIET) / UDP(dport=9, chksum=1) / bytes(30))
        assert there.receive(lambda f: f[12:14] == b"\x08\x00" and f[40:42] == b"\x00\x01")
    expect_drops(lab, {"ip-checksum": 1},
                 lambda: h0.send(ethernet / IP(src="10.0.0.2", dst=QUIET, chksum=1) / UDP(dport=9) / bytes(30)))


def counted(lab, port, way):
    """Frames and bytes of a port's one direction, as its device has them, when they stand still: they are read by
    turns."""
    def read():
        device = lab.interface(f"eth{port}")["device"]
        return device[f"{way}-frames"], device[f"{way}-bytes"]

    def settled():
        first = read()
        time.sleep(1)
        return first if read() == first else None
    return wait_for(f"the counters of eth{port} to settle", settled)


def test_counted_frames(lab, h0):
    """What leaves h0 is what the device and the router have received and sent, and what has come to h1; several
    times round the rings, in all sizes."""
    header = Ether(src=h0.host_mac, dst=h0.router_mac) / IP(src="10.0.0.2", dst=QUIET)
    frames = [bytes(header / UDP(sport=i, dport=9) / bytes(18 + i % 1455)) for i in range(4 * SLOTS)]
    lengths = sum(len(f) + FCS for f in frames)
    before, there = lab.drops(), lab.wire(1)
    device = counted(lab, 0, "rx"), counted(lab, 1, "tx")
    with there:
        arrived = there.counters()["received"]
        taken, _ = h0.send_all(frames, burst=100)
        assert taken == len(frames)
        wait_for("all of it at h1", lambda: there.counters()["received"] - arrived >= taken)
        wait_for("all of it counted", lambda: lab.drops().transmitted("eth0") - before.transmitted("eth0") >= taken)
    now = lab.drops()
    assert now.received("eth0") - before.received("eth0") == taken
    assert now.total() == before.total() and now.balanced
    assert counted(lab, 0, "rx") == (device[0][0] + taken, device[0][1] + lengths)
    sent = counted(lab, 1, "tx")  # the router may have had to say something of its own
    assert sent[0] >= device[1][0] + taken and sent[1] >= device[1][1] + lengths


def test_vlan(lab, h0):
    switch = Switch(lab)
    try:
        host = switch.add(10, ["10.10.0.2/24"], ["10.10.0.1"])
        switch.start()
        assert host.ping("10.10.0.1", count=2) and host.ping("10.0.1.2", count=2)
        assert host.ping("10.0.1.2", "-s", "1472", "-M", "do"), "a whole MTU and the tag"
    finally:
        switch.close()


def test_filtered(lab, h0):
    """Frames to others and of other VLANs stay outside: what comes right behind is the next that the router has."""
    before = lab.drops().received("eth0")
    h0.send(Ether(src=h0.host_mac, dst="02:00:00:00:00:01") / IP(dst=QUIET) / UDP())
    h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / Dot1Q(vlan=30) / IP(dst=QUIET) / UDP())
    assert lab.ping(0, "10.0.1.2", count=1)
    assert lab.drops().received("eth0") - before == 1


def test_one_queue():
    """Jumbo frames; a pulled cable; after a reboot the device is as before."""
    config = "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\nset interfaces eth{i} mtu {JUMBO}\n" for i in range(2))
    with running(nic="igb,virtio", config=config) as lab:
        before = len(lab.serial_log())
        with lab.console() as console:
            console.until(lambda text: "ready in" in text, console.send(b"reboot\r"), 60)
        wait_for("the next boot", lambda: "ready in" in lab.serial_log()[before:])
        port = lab.interface("eth0")
        assert port["driver"] == "igb" and port["queues"] == 1 and "steering" not in port
        for host in range(2):
            lab.must(host, "ip", "link", "set", "p0", "mtu", str(JUMBO))
        lab.wait_ping(0, "10.0.1.2")
        for size in (1472, 2020, 4000, JUMBO - 28):
            assert lab.ping(0, "10.0.1.2", size=size) and lab.ping(0, "10.0.0.1", size=size)
        lab.must(0, "ip", "link", "set", "p0", "mtu", str(JUMBO + 1))
        before = lab.drops().count("eth0", "rx-oversize")
        assert not lab.ping(0, "10.0.1.2", count=2, size=JUMBO - 27, wait_s=1)
        assert lab.drops().count("eth0", "rx-oversize") == before + 2
        lab.link(0, False)
        assert not lab.ping(0, "10.0.1.2", count=1, wait_s=1)
        lab.link(0, True)
        lab.wait_ping(0, "10.0.1.2")
