# Attacks on what a router that translates has to remember: counted by name, and conversations go on.
import json
import random
import struct

import pytest
from differential.packet4 import ICMP, MF, TCP, UDP, echo, ether, icmp, ipv4, tcp, udp
from labkit import hosts
from router import running, wait_for
from talker import PORT, Talker

INSIDE, OUTSIDE, ATTACKER = 0, 1, 2
SERVER, EXTERNAL = "10.0.1.2", "10.0.1.1"
CROWD = "10.200"  # addresses inside, behind the attacker
CONFIG = "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\n" for i in range(3)) + f"""
set routes {CROWD}.0.0/16 via 10.0.2.2
set nat source rule 10 out eth1 from 10.0.0.0/24 masquerade
set nat source rule 20 out eth1 from 10.0.2.0/24 masquerade
set nat source rule 30 out eth1 from {CROWD}.0.0/16 masquerade
set nat destination rule 10 in eth1 proto tcp to {EXTERNAL} port 80 to-address 10.0.0.2 to-port 8080
set interfaces eth1 acl in edge
set acl edge rule 10 permit established
set acl edge rule 20 permit proto tcp to {EXTERNAL}/32 to-port 80
set acl edge rule 30 permit proto tcp to 10.0.0.2/32 to-port 8080
"""
MANY = 6_000
SYN, ACK, RST = 2, 16, 4
# voq-full: an emulated port is slower than a flood.
NO_ROOM = {"session-table-full", "nat-no-port", "session-limit", "voq-full"}


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, config=CONFIG, warm=False) as lab:
        for host in range(3):
            lab.must(host, "ip", "neighbor", "replace", f"10.0.{host}.1", "lladdr",
                     hosts.router_mac(host), "dev", "p0", "nud", "permanent")
        wait_for("a way out", lambda: lab.ping(INSIDE, SERVER, 1, wait_s=2))
        yield lab


def used(lab):
    memory = json.loads(lab.cli("show memory | json"))
    return memory["arena_used"], memory["heap_used"]


def frame(port, packet):
    return ether(hosts.router_mac(port), hosts.host_mac(port), packet)


class Grown:
    """By how much each drop reason of a port has grown since."""

    def __init__(self, lab, port):
        self.lab, self.port, self.before = lab, f"eth{port}", lab.drops()

    def __call__(self):
        now = self.lab.drops()
        change = {r: now.count(self.port, r) - self.before.count(self.port, r)
                  for r in now.reasons(self.port)}
        return {r: n for r, n in change.items() if n}


def attack(lab, port, packets):
    """Sends packets while a connection of others goes on; what was dropped, by reason."""
    frames = [frame(port, p) for p in packets]
    grown, memory = Grown(lab, port), used(lab)
    with Talker(lab, INSIDE, OUTSIDE) as talker:
        with lab.wire(port) as wire:
            taken, _ = wire.send_all(frames)
        received = grown.before.received(grown.port)
        wait_for("all", lambda: lab.drops().received(grown.port) - received >= taken)
    assert talker.seen_as[0] == EXTERNAL
    lab.check_books()
    assert used(lab) == memory
    return taken, grown()


def syn(src, sport, dst, dport, seq=1):
    return ipv4(src, dst, tcp(src, dst, sport, dport, seq, 0, SYN), proto=TCP)


def crowd(n):
    return f"{CROWD}.{n >> 8 & 255}.{n & 255}"


def test_syn_flood_from_inside(lab):
    """Each a session that nobody answers: those in use stay."""
    rng = random.Random(1)
    taken, dropped = attack(lab, ATTACKER, (
        syn(crowd(n), rng.randrange(1024, 65536), SERVER, 9, n) for n in range(MANY)))
    assert dropped.keys() <= NO_ROOM, dropped
    assert taken > MANY / 2


def test_syn_flood_from_outside(lab):
    """To what is offered and to what is not: the latter never gets in."""
    rng = random.Random(2)
    _, dropped = attack(lab, OUTSIDE, (
        syn(f"198.51.100.{rng.randrange(1, 255)}", rng.randrange(1024, 65536), EXTERNAL,
            80 if n % 2 else rng.randrange(100, 65536)) for n in range(MANY)))
    assert dropped["acl-denied"] >= MANY / 3, dropped


def test_random_flows(lab):
    rng = random.Random(3)
    taken, dropped = attack(lab, ATTACKER, (
        ipv4(s, SERVER, udp(s, SERVER, rng.randrange(65536), rng.randrange(1, 65536)))
        for s in (crowd(rng.randrange(65536)) for _ in range(MANY))))
    assert dropped.keys() <= NO_ROOM, dropped
    assert taken > MANY / 2


def test_ports_run_out(lab):
    """One rule with few ports: named, and of other rules nobody notices."""
    lab.configure("set nat source rule 5 out eth1 from 10.0.2.0/24 to-address 10.0.1.99 ports 5000-5127")
    try:
        _, dropped = attack(lab, ATTACKER, (
            ipv4("10.0.2.2", SERVER, udp("10.0.2.2", SERVER, 1024 + n, 7)) for n in range(1_000)))
        assert dropped["nat-no-port"] >= 1_000 - 128, dropped
    finally:
        lab.configure("delete nat source rule 5")


def test_forged_errors(lab):
    """About sessions that are none, and about one that is: it goes on."""
    def forged():
        rng = random.Random(4)
        for n in range(MANY // 3):
            port = rng.randrange(1024, 65536)
            body = tcp(EXTERNAL, SERVER, port, PORT, rng.randrange(1 << 32), 0, ACK)
            inner = ipv4(EXTERNAL, SERVER, body, proto=TCP)[:28 + rng.randrange(13)]
            kind, code = rng.choice(((3, 1), (3, 2), (3, 3), (3, 4), (11, 0), (4, 0)))
            yield ipv4(SERVER, EXTERNAL, icmp(kind, code, b"\0\0\0\x44", inner), proto=ICMP)
            yield ipv4(SERVER, EXTERNAL, icmp(kind, code, b"\0\0\0\0", rng.randbytes(n % 60)), proto=ICMP)
            yield ipv4(SERVER, "10.0.0.2", icmp(kind, code, b"\0\0\0\0", inner), proto=ICMP)
    with lab.wire(INSIDE) as inside:
        inside.forget()
        _, dropped = attack(lab, OUTSIDE, forged())
        assert not inside.receive(lambda f: f[12:14] == b"\x08\0" and f[23] == ICMP and f[34] in (3, 4, 11)
                                  and struct.unpack_from("!H", f, 62)[0] < 1024, 0.3)
    assert dropped["acl-denied"] >= MANY / 3, dropped


def test_forged_resets(lab):
    """Blind ones, for a connection that is there, at numbers nobody waits for."""
    rng = random.Random(5)
    with Talker(lab, INSIDE, OUTSIDE) as talker:
        external = talker.seen_as[1]
        with lab.wire(OUTSIDE) as wire:
            wire.send_all([frame(OUTSIDE, ipv4(SERVER, EXTERNAL, tcp(
                SERVER, EXTERNAL, PORT, external, rng.randrange(1 << 32), 0, RST), proto=TCP))
                for _ in range(200)])
            wire.send_all([frame(OUTSIDE, ipv4(SERVER, EXTERNAL, tcp(
                SERVER, EXTERNAL, PORT, external, rng.randrange(1 << 32), 0, SYN), proto=TCP))
                for _ in range(200)])
    lab.check_books()


def test_fragments(lab):
    """Overlapping, out of order, without a first or a last one, of none and of any conversation."""
    def pieces():
        rng = random.Random(6)
        for n in range(MANY // 4):
            src, ident = crowd(n), rng.randrange(65536)
            body = udp(src, SERVER, 5000, 5001, bytes(1200))
            cuts = [ipv4(src, SERVER, body[at:at + 400 + rng.choice((0, 0, 8))], ident=ident,
                         offset=at // 8, flags=MF if at < 800 else 0) for at in (0, 400, 800)]
            rng.shuffle(cuts)
            yield from cuts[:rng.randrange(1, 4)]
        for n in range(MANY // 4):  # 64 KiB and one byte; tiny first ones (RFC 1858)
            yield ipv4(crowd(n), SERVER, bytes(64), ident=n, offset=8189, flags=MF)
            yield ipv4(crowd(n), SERVER, bytes(8), proto=TCP, ident=n, flags=MF)
            yield ipv4(crowd(n), SERVER, bytes(8), proto=TCP, ident=n, offset=1)
    _, dropped = attack(lab, ATTACKER, pieces())
    assert sum(dropped.values()) > MANY / 4, dropped
    wait_for("those that wait", lambda: lab.drops().in_flight("eth2") == 0, 120)


def test_echoes_of_all_identifiers(lab):
    taken, dropped = attack(lab, ATTACKER, (
        ipv4("10.0.2.2", SERVER, echo(n * 11 & 0xFFFF), proto=ICMP) for n in range(MANY)))
    assert dropped.keys() <= NO_ROOM, dropped
    assert taken > MANY / 2


def test_nothing_of_the_inside_shows(lab):
    """During all this, and of what is no conversation: no private source leaves for outside."""
    kinds = [udp("10.0.0.2", SERVER, 1, 9), tcp("10.0.0.2", SERVER, 7, 9, 5, 5, RST),
             tcp("10.0.0.2", SERVER, 8, 9, 5, 5, ACK), icmp(13, 0, b"\0\1\0\1"), icmp(5, 0),
             icmp(3, 3, b"\0\0\0\0", ipv4(SERVER, "10.0.0.2", udp(SERVER, "10.0.0.2", 9, 9))),
             b"\0\1\0", bytes(8)]
    with lab.wire(OUTSIDE) as outside, lab.wire(INSIDE) as inside:
        outside.forget()
        for n, proto in enumerate((UDP, TCP, TCP, ICMP, ICMP, ICMP, TCP, 47, 132, 50)):
            body = kinds[min(n, len(kinds) - 1)]
            inside.send(frame(INSIDE, ipv4("10.0.0.2", SERVER, body, proto=proto, ident=n)))
            inside.send(frame(INSIDE, ipv4("10.0.0.2", SERVER, bytes(16), proto=proto, ident=n, offset=9)))
        wait_for("all", lambda: lab.drops().in_flight("eth0") == 0)
        leaked = outside.receive(lambda f: f[12:14] == b"\x08\0" and f[26:29] == b"\x0a\0\0", 1)
    assert not leaked, leaked.hex()
