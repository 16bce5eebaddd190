# Paths of equal cost by Linux hosts as gateways, whose links stay up: one falls silent, and only its
# flows move; it comes back, and they return.
import random

import pytest
from differential import packet4, packet6
from labkit import hosts
from router import running, wait_for
from test_ecmp import FAMILIES

FLOWS = 400
GATEWAYS = (1, 2, 3)  # ports
HOST = 2              # last byte of theirs


def lines():
    for family in FAMILIES:
        for port in range(len(GATEWAYS) + 1):
            yield f"set interfaces eth{port} address {family.net.format(port, 1)}/{family.length}\n"
        for port in GATEWAYS:
            yield f"set routes {family.prefix} via {family.net.format(port, HOST)} weight {port}\n"


@pytest.fixture(scope="module")
def lab():
    with running(ports=len(GATEWAYS) + 1, cores=2, config="".join(lines()), warm=False) as lab:
        wait_for("its addresses", lambda: "tentative" not in lab.cli("show interfaces"))
        yield lab


@pytest.fixture(params=FAMILIES, ids=lambda f: f.name)
def family(request):
    return request.param


def states(lab, family):
    """What the router says of each gateway, by port."""
    shown = {h["next_hop"]: h["state"] for h in lab.json("show next-hops")["next_hops"]}
    return [shown.get(family.net.format(port, HOST)) for port in GATEWAYS]


def flow_ports(lab, family, flows):
    """The port each flow leaves by: one packet each; 0: none."""
    wires = [lab.wire(p) for p in (0, *GATEWAYS)]
    found = {}

    def take():
        for port, wire in zip(GATEWAYS, wires[1:]):
            wire.socket.setblocking(False)
            try:
                while True:
                    frame = wire.socket.recv(2048)
                    if frame[:6] == packet4.hardware(hosts.host_mac(port)) and len(frame) > 40:
                        found.setdefault(int.from_bytes(frame[-4:], "big"), port)
            except (BlockingIOError, OSError):
                pass
    try:
        for wire in wires:
            wire.forget()
        head = packet4.hardware(hosts.router_mac(0)) + packet4.hardware(hosts.host_mac(0))
        packets = [family.packet(f, n + 0x5A000000) for n, f in enumerate(flows)]
        frames = [head + (packet4.TYPE if p[0] >> 4 == 4 else packet6.TYPE) + p for p in packets]
        wires[0].send_all(frames, burst=100)
        try:
            wait_for("all", lambda: take() or sum(n + 0x5A000000 in found for n in range(len(flows)))
                     == len(flows), timeout_s=5)
        except AssertionError:
            pass
    finally:
        for wire in wires:
            wire.socket.close()
    return [found.get(n + 0x5A000000, 0) for n in range(len(flows))]


def silence(lab, port, silent):
    """Its cable stays in, but it hears nothing any more."""
    lab.must(port, "ip", "link", "set", "p0", "arp", "off" if silent else "on")
    lab.must(port, "sysctl", "-q", "-w", f"net.ipv6.conf.p0.disable_ipv6={int(silent)}")
    if not silent:
        lab.must(port, "ip", "address", "replace", f"fd00:0:0:{port}::2/64", "dev", "p0", "nodad")


def test_only_its_flows_move(lab, family):
    rng = random.Random(7)
    flows = [family.flow(rng) for _ in range(FLOWS)]
    wait_for("all gateways, without a packet for them",
             lambda: states(lab, family) == ["resolved"] * 3)
    before = flow_ports(lab, family, flows)
    assert set(before) == set(GATEWAYS)
    silence(lab, 2, True)
    try:
        wait_for("it to be noticed", lambda: states(lab, family)[1] == "silent")
        now = flow_ports(lab, family, flows)
        assert set(now) == {1, 3}
        assert all(a == b for a, b in zip(before, now) if a != 2)
        # A scan of its network neither brings its flows back to it nor moves others.
        scan = [family.packet((flows[0][0], scanned(family, n), 1, 2), n) for n in range(3000)]
        head = packet4.hardware(hosts.router_mac(0)) + packet4.hardware(hosts.host_mac(0))
        with lab.wire(0) as h0:
            h0.send_all([head + (packet4.TYPE if p[0] >> 4 == 4 else packet6.TYPE) + p
                         for p in scan], burst=200)
        assert flow_ports(lab, family, flows) == now
    finally:
        silence(lab, 2, False)
    wait_for("it to come back", lambda: states(lab, family) == ["resolved"] * 3)
    assert flow_ports(lab, family, flows) == before


def scanned(family, n):
    if family.name == "IPv4":
        return family.net.format(2, 10 + n % 200)
    return family.net.format(2, f"{n + 0x1000:x}")


def test_books(lab):
    lab.check_books()
