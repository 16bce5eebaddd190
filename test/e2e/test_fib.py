# A full table: given at boot, verified, forwarded by, and changed under traffic.
import ipaddress
import os
import random
import re
import socket
import struct
import subprocess
import time

import pytest
from labkit.place import TREE
from router import running, wait_for

PORTS = 4
SIZES = [200_000]
if os.environ.get("LONG"):
    SIZES.append(900_000)
GATEWAY_MAC = "02:00:00:00:01:{:02x}"
PAYLOAD = struct.Struct("!4sI")  # MAGIC, number
MAGIC = b"fib!"


def gateway(port):
    """Next hop of port i in the table: a neighbour that is only counted."""
    return f"10.0.{port}.77"


def config():
    lines = [f"set interfaces eth{i} address 10.0.{i}.1/24" for i in range(PORTS)]
    lines += [f"set neighbors eth{i} {gateway(i)} {GATEWAY_MAC.format(i)}" for i in range(PORTS)]
    return "\n".join(lines) + "\n"


def routegen():
    """The generator, compiled if need be."""
    program = os.path.join(TREE, "build", "routegen")
    sources = [os.path.join(TREE, s) for s in ("tools/routegen.c", "test/model/routegen.c")]
    if not os.path.exists(program) or any(os.path.getmtime(s) > os.path.getmtime(program)
                                          for s in sources):
        subprocess.run(["gcc", "-O2", "-std=gnu11", "-D_GNU_SOURCE", "-I", TREE, *sources, "-lm",
                        "-o", program], check=True)
    return program


class Table:
    """A generated table, and the longest match in it by trying every prefix length."""

    def __init__(self, path, routes):
        text = subprocess.run([routegen(), "-4", str(routes), "-6", str(routes // 10),
                               "-n", str(PORTS)], check=True, capture_output=True, text=True).stdout
        self.path = path
        self.port = [{} for _ in range(33)]  # by length: prefix -> port
        self.prefixes = []
        with open(path, "w", encoding="ascii") as f:
            for line in text.splitlines():
                f.write(self.take(line) + "\n")
        self.prefixes.sort()

    def take(self, line):
        prefix, via, hop = line.split()
        if ":" in prefix:
            return line
        assert via == "via"
        address, length = prefix.split("/")
        number = struct.unpack("!I", socket.inet_aton(address))[0]
        port = int(hop.split(".")[3]) - 1
        self.port[int(length)][number] = port
        self.prefixes.append(number)
        return f"{prefix} via {gateway(port)}"

    def match(self, address):
        """The port of the longest match, or None."""
        for length in range(32, -1, -1):
            port = self.port[length].get(address >> (32 - length) << (32 - length))
            if port is not None:
                return port
        return None

    def addresses(self, n, seed):
        """Random addresses inside random prefixes, of all ports, and none a host would not have."""
        rng, found = random.Random(seed), set()
        while len(found) < n:
            address = self.prefixes[rng.randrange(len(self.prefixes))] + rng.randrange(256)
            if not 1 <= address >> 24 <= 223 or address >> 24 in (10, 127):
                continue
            if self.match(address) is not None:
                found.add(address)
        return sorted(found, key=lambda a: hash((a, seed)))


def dotted(address):
    return socket.inet_ntoa(struct.pack("!I", address))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(wire, address, number):
    """A UDP packet for an address, with its number in it. Written by hand: scapy takes too long."""
    payload = PAYLOAD.pack(MAGIC, number)
    udp = struct.pack("!HHHH", 4000, 4001, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number & 0xffff, 0, 64, 17, 0,
                       socket.inet_aton("10.0.0.2"), struct.pack("!I", address))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    macs = bytes.fromhex((wire.router_mac + wire.host_mac).replace(":", ""))
    return macs + b"\x08\x00" + head + udp


def arrivals(wire, port, timeout_s=0.0):
    """(address, number) of what has come in by a port for its gateway."""
    mac = bytes.fromhex(GATEWAY_MAC.format(port).replace(":", ""))
    found = []
    while True:
        data = wire.receive(lambda f: f[:6] == mac and f[42:46] == MAGIC, timeout_s)
        if data is None:
            return found
        found.append((struct.unpack("!I", data[30:34])[0], PAYLOAD.unpack(data[42:50])[1]))


def collect(wires):
    """All that has come in: number -> (address, port)."""
    return {number: (address, port)
            for port, wire in enumerate(wires)
            for address, number in arrivals(wire, port, 0.2)}


@pytest.fixture(scope="module", params=SIZES)
def table(request, tmp_path_factory):
    return Table(str(tmp_path_factory.mktemp("fib") / "table.txt"), request.param)


@pytest.fixture(scope="module")
def lab(table):
    big = len(table.prefixes) > 300_000
    with running(ports=PORTS, config=config(), routes=table.path, mem=2048 if big else 768,
                 timeout=300 if big else 90, warm=False) as lab:
        yield lab


def verify(lab):
    reply = lab.cli("show fib verify")
    assert reply.endswith("verify: ok"), reply


def test_table_is_whole(lab, table):
    summary = lab.json("show routes")
    file = {s["family"]: s["routes"] for s in summary["sources"] if s["source"] == "file"}
    assert file["IPv4"] == len(table.prefixes)
    lengths = {r["length"]: r["routes"] for r in summary["lengths"] if r["family"] == "IPv4"}
    assert lengths[16] >= len(table.port[16])
    assert lab.json("show fib")["current"] == "yes"
    verify(lab)


def test_longest_match(lab, table):
    for address in table.addresses(10, seed=3):
        row = lab.json(f"show routes {dotted(address)}")["routes"][0]
        assert row["next_hop"] == gateway(table.match(address))


def test_thousand_addresses(lab, table):
    """Each of 1,000 random addresses leaves by the port that brute force says."""
    wires = [lab.wire(i) for i in range(PORTS)]
    addresses = table.addresses(1000, seed=1)
    wires[0].send_all([frame(wires[0], a, n) for n, a in enumerate(addresses)])
    got = {}
    wait_for("1,000 packets", lambda: got.update(collect(wires)) or len(got) == len(addresses))
    assert got == {n: (a, table.match(a)) for n, a in enumerate(addresses)}
    assert {p for _, p in got.values()} == set(range(PORTS))
    for wire in wires:
        wire.socket.close()


def test_churn_loses_nothing(lab, table):
    """Commits add and delete routes beside those the traffic goes by: every packet arrives."""
    wires = [lab.wire(i) for i in range(PORTS)]
    addresses = table.addresses(200, seed=2)
    # More specific than what traffic uses, in the same /16s and /24s, but never covering it.
    taken = set(addresses)
    beside = [a ^ 1 for a in addresses[:20] if a ^ 1 not in taken]
    number, sent, got = 0, {}, {}
    rng = random.Random(9)
    for turn in range(12):
        console = subprocess.Popen([os.path.join(TREE, "tools", "lab"), "cli", "-"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   env={**os.environ, "LAB": lab.name})
        lines = [f"set routes {dotted(a)}/32 via {gateway(rng.randrange(PORTS))}" if turn % 2 == 0
                 else f"delete routes {dotted(a)}/32" for a in beside] + ["commit"]
        console.stdin.write("\n".join(lines) + "\n")
        console.stdin.close()
        while console.poll() is None:
            frames = []
            for address in rng.sample(addresses, 50):
                sent[number] = (address, table.match(address))
                frames.append(frame(wires[0], address, number))
                number += 1
            _, dropped = wires[0].send_all(frames, burst=50)
            assert dropped == 0
        assert console.returncode == 0, console.stdout.read()
        console.stdout.close()
        got.update(collect(wires))
    end = time.monotonic() + 10
    while len(got) < len(sent) and time.monotonic() < end:
        got.update(collect(wires))
    assert got == sent
    for wire in wires:
        wire.socket.close()
    assert number > 500
    verify(lab)
    lab.check_books()


def test_paths_of_equal_cost(lab):
    """Two next hops share flows by weight; a flow stays on its path."""
    lab.configure(f"set routes 198.18.0.0/15 via {gateway(1)} weight 3",
                  f"set routes 198.18.0.0/15 via {gateway(2)}")
    wires = [lab.wire(i) for i in range(PORTS)]
    base = int(ipaddress.ip_address("198.18.0.1"))
    addresses = [base + 977 * i for i in range(100)]
    wires[0].send_all([frame(wires[0], a, n) for n, a in enumerate(addresses * 2)])
    got = {}
    wait_for("200 packets", lambda: got.update(collect(wires)) or len(got) == 200)
    ports = [got[n][1] for n in range(200)]
    assert ports[:100] == ports[100:]
    assert set(ports) == {1, 2}
    assert ports.count(1) > ports.count(2)
    for wire in wires:
        wire.socket.close()
    lab.configure("delete routes 198.18.0.0/15")


def test_bad_line_is_named(tmp_path):
    routes = tmp_path / "bad.txt"
    routes.write_text(f"10.50.0.0/16 via {gateway(1)}\n10.51.0.1/16 via {gateway(1)}\n"
                      f"10.52.0.0/16 via {gateway(1)}\n")
    with running(ports=2, routes=str(routes), warm=False) as lab:
        assert re.search(r"routes \S+: line 2: the prefix has host bits set", lab.cli("show log"))
        assert "10.52.0.0/16" in lab.cli("show routes 10.52.1.1")
        assert "10.51" not in lab.cli("show routes 10.0.0.0/8")
        verify(lab)
