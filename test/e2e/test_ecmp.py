# Paths of equal cost: 10,000 flows by weight, and which of them move when a path fails: only its own.
import ipaddress
import random
import struct

import pytest
from differential import packet4, packet6
from labkit import hosts
from router import running, wait_for

WEIGHTS = {1: 1, 2: 2, 3: 3, 4: 4}  # of the path by each port; port 0 is where flows come from
PORTS = range(len(WEIGHTS) + 1)
FLOWS = 10_000
NEAR = 0.03  # a share is within three percentage points of its weight
GATEWAY = 9  # last byte of the neighbours


def gateway_mac(port):
    return f"02:00:00:00:{port:02x}:09"


class Family:
    """What differs between IP versions; flows are numbered in their payload."""

    def __init__(self, name, net, prefix):
        self.name, self.net, self.prefix = name, net, ipaddress.ip_network(prefix)

    def gateway(self, port):
        return self.net.format(port, GATEWAY)

    def lines(self):
        """The router's configuration."""
        for port in PORTS:
            yield f"set interfaces eth{port} address {self.net.format(port, 1)}/{self.length}"
            yield f"set neighbors eth{port} {self.gateway(port)} {gateway_mac(port)}"
        for port, weight in WEIGHTS.items():
            yield f"set routes {self.prefix} via {self.gateway(port)} weight {weight}"

    def flow(self, rng):
        """Addresses and ports."""
        return (self.net.format(0, rng.randrange(16, 250)), str(self.prefix[rng.randrange(1, 60000)]),
                rng.randrange(1024, 65536), rng.randrange(1, 65536))


class IPv4(Family):
    length = 24

    def packet(self, flow, number):
        src, dst, sport, dport = flow
        return packet4.ipv4(src, dst, packet4.udp(src, dst, sport, dport, struct.pack("!I", number)))

    def fragments(self, flow, number):
        """Two fragments of one datagram."""
        src, dst, sport, dport = flow
        data = struct.pack("!HHHH", sport, dport, 24, 0)
        for offset, more, part in ((0, packet4.MF, data), (1, 0, bytes(8))):
            yield packet4.ipv4(src, dst, part + struct.pack("!I", number) * 2, ident=number & 0xFFFF,
                               flags=more, offset=offset * 2)


class IPv6(Family):
    length = 64

    def packet(self, flow, number):
        src, dst, sport, dport = flow
        return packet6.ipv6(src, dst, packet6.udp(src, dst, sport, dport, struct.pack("!I", number)))

    def fragments(self, flow, number):
        src, dst, sport, dport = flow
        data = struct.pack("!HHHH", sport, dport, 24, 0)
        for offset, more, part in ((0, 1, data), (1, 0, bytes(8))):
            yield packet6.ipv6(src, dst, part + struct.pack("!I", number) * 2,
                               headers=[packet6.fragment(offset * 2, more, number)])


FAMILIES = [IPv4("IPv4", "10.0.{}.{}", "198.18.0.0/16"),
            IPv6("IPv6", "fd00:0:0:{}::{}", "2001:db8::/64")]


@pytest.fixture(scope="module")
def lab():
    lines = [line + "\n" for family in FAMILIES for line in family.lines()]
    with running(ports=len(PORTS), cores=2, config="".join(lines), warm=False) as lab:
        wait_for("its addresses", lambda: "tentative" not in lab.cli("show interfaces"))
        yield lab


@pytest.fixture(params=FAMILIES, ids=lambda f: f.name)
def family(request):
    return request.param


def arrivals(wire, found):
    """Takes what has come for the gateway: the port of each number, by order of sending."""
    wire.socket.setblocking(False)
    try:
        while True:
            frame = wire.socket.recv(2048)
            if frame[:6] == packet4.hardware(gateway_mac(wire.port)):
                found.setdefault(int.from_bytes(frame[-4:], "big"), []).append(wire.port)
    except BlockingIOError:
        pass


def paths(lab, packets):
    """Sends packets by port 0; how each of their numbers left: a list of ports by number."""
    wires = [lab.wire(p) for p in PORTS]
    found, due = {}, 0

    def all_there():
        for wire in wires[1:]:
            arrivals(wire, found)
        return sum(map(len, found.values())) >= due
    try:
        for port, wire in enumerate(wires):
            wire.port = port
            wire.forget()
        head = packet4.hardware(hosts.router_mac(0)) + packet4.hardware(hosts.host_mac(0))
        frames = [head + (packet4.TYPE if p[0] >> 4 == 4 else packet6.TYPE) + p for p in packets]
        # No more at a time than the smallest ring holds, should the router not have a core for a while.
        for first in range(0, len(frames), 400):
            some = frames[first:first + 400]
            _, dropped = wires[0].send_all(some, burst=200)
            assert dropped == 0
            due += len(some)
            wait_for(f"{due} packets", all_there)
    finally:
        for wire in wires:
            wire.socket.close()
    assert sum(map(len, found.values())) == len(packets)
    return found


def flow_paths(lab, family, flows):
    found = paths(lab, [family.packet(f, n) for n, f in enumerate(flows)])
    return [found[n][0] for n in range(len(flows))]


def test_shares_and_failures(lab, family, capsys):
    """Each path has its weight's share; when one fails, not one flow of the others moves, and when
    it comes back, everything is as before. Then two at once."""
    rng = random.Random(FLOWS)
    flows = [family.flow(rng) for _ in range(FLOWS)]
    before = flow_paths(lab, family, flows)
    total = sum(WEIGHTS.values())
    share = {port: before.count(port) / FLOWS for port in WEIGHTS}
    text = [f"{family.name}, {FLOWS:,} flows: " + ", ".join(
        f"weight {w}: {share[p]:.2%} of {w / total:.0%}" for p, w in WEIGHTS.items())]
    for port, weight in WEIGHTS.items():
        assert abs(share[port] - weight / total) < NEAR, text
    down = set()
    now = before
    for port, up in ((3, False), (1, False), (3, True), (1, True)):
        lab.link(port, up)
        down = down - {port} if up else down | {port}
        was, now = now, flow_paths(lab, family, flows)
        # What moves was by the port that failed, or is by the one that came back.
        others = sum(a != b and port != (b if up else a) for a, b in zip(was, now))
        moved = sum(a != b for a, b in zip(was, now))
        text.append(f"  eth{port} {'up' if up else 'down'}: {moved} flows moved, {others} of others")
        assert others == 0, text
        assert not down & set(now)
        if not up:
            assert moved == was.count(port)
    assert now == before
    with capsys.disabled():
        print("\n" + "\n".join(text))


def test_fragments_by_addresses(lab, family):
    """Fragments of a datagram, only the first of which has ports, go one way: that of all
    datagrams between the two."""
    rng = random.Random(6)
    flows = [family.flow(rng) for _ in range(300)]
    same = [(src, dst, dport, sport ^ 1) for src, dst, sport, dport in flows]  # other ports
    packets = [p for group in (flows, same) for n, f in enumerate(group)
               for p in family.fragments(f, n)]
    found = paths(lab, packets)
    assert all(len(ports) == 4 and len(set(ports)) == 1 for ports in found.values()), found
    assert {ports[0] for ports in found.values()} == set(WEIGHTS)


def test_both_directions_meet(lab, family):
    """Answers hash as requests do: a flow turned round goes by the same path."""
    rng = random.Random(8)
    flows = [(str(family.prefix[a]), str(family.prefix[b]), rng.randrange(1, 65536), 443)
             for a, b in ((rng.randrange(1, 9999), rng.randrange(1, 9999)) for _ in range(500))]
    turned = [(dst, src, dport, sport) for src, dst, sport, dport in flows]
    assert flow_paths(lab, family, flows) == flow_paths(lab, family, turned)


def test_books(lab):
    lab.check_books()
