# The driver of Intel's cards in the real image: it forwards between ports of the model, and between them and virtio.
# At each lab's end the books are right and no rule of the model has been broken (tools/lab says so).
import os
import re

import foreign
import pytest
from books import expect_drops
from flood import check_order
from labkit import hosts, ixgbe
from labkit.machine import Qmp
from router import Lab, running, wait_for
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether
from switch import Switch

foreign.need_qemu()
QUIET, QUIET_MAC = "10.0.1.77", "02:00:00:00:00:77"
CONFIG = f"""
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 vlan 10 address 10.10.0.1/24
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 vlan 11 address 10.11.0.1/24
set neighbors eth0 10.0.0.77 {QUIET_MAC}
set neighbors eth1 {QUIET} {QUIET_MAC}
"""
JUMBO = 9000


@pytest.fixture(scope="module", params=["ixgbe", "ixgbe,virtio", "virtio,ixgbe"])
def lab(request):
    with running(nic=request.param, config=CONFIG, cores=3) as lab:
        lab.nic = request.param.split(",") * 2
        yield lab


def test_drivers(lab):
    for i in range(2):
        port = lab.interface(f"eth{i}")
        assert port["driver"] == ("ixgbe" if lab.nic[i] == "ixgbe" else "virtio-net")
        assert port["mac"] == hosts.router_mac(i) and port["link"] == "up"


def test_ping(lab):
    for size in (0, 56, 1472):
        assert lab.ping(0, "10.0.1.2", size=size)
    assert lab.ping(1, "10.0.0.2", size=8000, fragment=True)
    assert lab.ping(1, "10.0.0.1", size=8000, fragment=True)


def test_file(lab):
    for source, destination in ((0, 1), (1, 0)):
        sent, received = lab.carry_file(source, destination, 3_000_000)
        assert sent == received


def test_flows_keep_their_order(lab):
    check_order(lab, 0, 1)


def test_counted_frames(lab, h0):
    """What leaves h0 is what the router has received, sent, and what has come to h1."""
    frames = [Ether(src=h0.host_mac, dst=h0.router_mac) / IP(src="10.0.0.2", dst=QUIET) / UDP(sport=i, dport=9)
              / bytes(20 + i % 1400) for i in range(1000)]
    before, there = lab.drops(), lab.wire(1)
    with there:
        arrived = there.counters()["received"]
        taken, _ = h0.send_all(frames, burst=100)
        wait_for("all of it at h1", lambda: there.counters()["received"] - arrived >= taken)
        wait_for("all of it counted", lambda: lab.drops().transmitted("eth0") - before.transmitted("eth0") >= taken)
    now = lab.drops()
    assert now.received("eth0") - before.received("eth0") == taken == len(frames)
    assert now.total() == before.total() and now.balanced


def test_flood(lab):
    """More at once than the card has descriptors for: what it lost and what the router had is all of it."""
    i = lab.nic.index("ixgbe")

    def lost():
        return sum(lab.interface(f"eth{i}")["device"][name] for name in ("rx-no-descriptor", "rx-missed"))
    with lab.wire(i) as here:
        frames = [bytes(Ether(src=here.host_mac, dst=here.router_mac) / IP(src=f"10.0.{i}.2", dst=f"10.0.{1 - i}.77")
                        / UDP(sport=n, dport=9) / bytes(64)) for n in range(500)]
        before, was_lost = lab.drops(), lost()
        taken, _ = here.send_all(frames * 10, burst=5000)
        wait_for("all of it counted", lambda: lab.drops().received(f"eth{i}") - before.received(f"eth{i}")
                 + lost() - was_lost >= taken and lab.drops().in_flight(f"eth{i}") == 0)
    assert lab.drops().received(f"eth{i}") - before.received(f"eth{i}") + lost() - was_lost == taken
    lab.check_books()


DROPS = {
    "ip-checksum": lambda e: e / IP(src="10.0.0.2", dst=QUIET, chksum=1) / UDP() / bytes(30),
    "ttl-exceeded": lambda e: e / IP(src="10.0.0.2", dst=QUIET, ttl=1) / UDP() / bytes(30),
    "no-route": lambda e: e / IP(src="10.0.0.2", dst="198.51.100.1") / UDP() / bytes(30),
    "rx-oversize": lambda e: e / IP(src="10.0.0.2", dst=QUIET) / UDP() / bytes(1473),
}
FILTERED = {
    "another station's": lambda e: Ether(src=e.src, dst="02:00:00:00:00:01") / IP(dst=QUIET) / UDP(),
    "a VLAN not ours": lambda e: Ether(src=e.src, dst=e.dst) / Dot1Q(vlan=30) / IP(dst=QUIET) / UDP(),
}


@pytest.mark.parametrize("reason", DROPS)
def test_drops(lab, h0, reason):
    frame = DROPS[reason](Ether(src=h0.host_mac, dst=h0.router_mac))
    lab.must(0, "ip", "link", "set", "p0", "mtu", "2000")
    expect_drops(lab, {reason: 3}, lambda: [h0.send(frame) for _ in range(3)])
    lab.must(0, "ip", "link", "set", "p0", "mtu", "1500")


@pytest.mark.parametrize("what", FILTERED)
def test_filtered(lab, what):
    """The card keeps it to itself: what comes right behind is the next that the router has received."""
    i = lab.nic.index("ixgbe")
    with lab.wire(i) as wire:
        ethernet, before = Ether(src=wire.host_mac, dst=wire.router_mac), lab.drops().received(f"eth{i}")
        expect_drops(lab, {"no-route": 1}, lambda: [
            wire.send(frame(ethernet)) for frame in (FILTERED[what], DROPS["no-route"])], f"eth{i}")
    assert lab.drops().received(f"eth{i}") - before == 1


def test_vlan(lab):
    switch = Switch(lab)
    try:
        host = switch.add(10, ["10.10.0.2/24"], ["10.10.0.1"])
        switch.start()
        assert host.ping("10.10.0.1", count=2) and host.ping("10.0.1.2", count=2)
        assert host.ping("10.0.1.2", "-s", "1472", "-M", "do"), "a whole MTU and the tag"
    finally:
        switch.close()


def test_pulled_cable(lab):
    for port in range(2):
        lab.link(port, False)
        assert not lab.ping(0, "10.0.1.2", count=1, wait_s=1)
        lab.link(port, True)
        lab.wait_ping(0, "10.0.1.2")


def test_jumbo():
    """Frames up to 9,000 bytes, and one byte more."""
    config = "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\nset interfaces eth{i} mtu {JUMBO}\n" for i in range(2))
    with running(nic="ixgbe", config=config) as lab:
        for host in range(2):
            lab.must(host, "ip", "link", "set", "p0", "mtu", str(JUMBO))
        for size in (1472, 2020, 4000, JUMBO - 28):
            assert lab.ping(0, "10.0.1.2", size=size) and lab.ping(0, "10.0.0.1", size=size)
        lab.must(0, "ip", "link", "set", "p0", "mtu", str(JUMBO + 1))
        before = lab.drops().count("eth0", "rx-oversize")
        assert not lab.ping(0, "10.0.1.2", count=2, size=JUMBO - 27, wait_s=1)
        assert lab.drops().count("eth0", "rx-oversize") == before + 2


def test_reboot():
    """The card is found as the last one left it."""
    with running(nic="ixgbe") as lab:
        before = len(lab.serial_log())
        with lab.console() as console:
            console.until(lambda text: "ready in" in text, console.send(b"reboot\r"), 60)
        wait_for("the next boot", lambda: "ready in" in lab.serial_log()[before:])
        lab.wait_ping(0, "10.0.1.2")


CARDS = "device=1528,media=base-t;device=1563,media=base-t;device=10f7,media=kx4;media=sfp-odd"


def test_kinds():
    """X540, X550, a backplane, and a module of whom nobody has heard."""
    with running(nic="ixgbe", ports=4, cards=CARDS) as lab:
        for port in range(4):
            assert lab.interface(f"eth{port}")["speed"] == "10000 Mbit/s"
            assert lab.ping(port, f"10.0.{(port + 1) % 4}.2")
        sent, received = lab.carry_file(0, 2, 1_000_000)
        assert sent == received


def test_no_cable():
    """It keeps nobody from the start; the port comes up when it is plugged in."""
    with running(nic="ixgbe", cards=";no-cable", warm=False) as lab:
        assert [lab.interface(f"eth{i}")["link"] for i in range(2)] == ["up", "down"]
        lab.wait_ping(0, "10.0.0.1")
        lab.link(1, True)
        lab.wait_ping(0, "10.0.1.2")


def test_broken_rule_is_told():
    """The end of a lab turns red: here QEMU's monitor reads two registers as one of 64 bits."""
    lab = Lab()
    try:
        lab.up(nic="ixgbe", ports=1)
        with Qmp(lab.place) as qmp:
            bars = qmp.run("human-monitor-command", **{"command-line": "info pci"})
            address = int(re.search(r"BAR0: 64 bit .*memory at (0x[0-9a-f]+)", bars).group(1), 16)
            qmp.run("human-monitor-command", **{"command-line": f"xp /1gx {address + 8:#x}"})
    finally:
        done = lab.tool("down")
    assert done.returncode == 1 and "rule access-width broken: 8 bytes at 0x00008" in done.stderr
    assert not os.path.exists(lab.place.folder) and not lab.place.namespaces()


def test_removed():
    """A card is pulled out of the running machine: its port is down, the others go on."""
    with running(nic="ixgbe", ports=3) as lab:
        ixgbe.order(lab.place, 1, "remove")
        wait_for("link down", lambda: lab.interface("eth1")["link"] == "down")
        assert lab.ping(0, "10.0.2.2") and not lab.ping(0, "10.0.1.2", count=1, wait_s=1)
