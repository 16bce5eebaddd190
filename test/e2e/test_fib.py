# A full table: as a boot module and compiled in, verified, forwarded by, changed under traffic.
import gzip
import ipaddress
import os
import random
import re
import socket
import struct
import subprocess
import time

import pytest
from building import made
from labkit.place import TREE
from router import running, wait_for

PORTS = 4
NEXTHOPS = 64  # 16 gateways at each port
SIZES = [50_000]
if os.environ.get("LONG"):
    SIZES.append(900_000)
GATEWAY_MAC = "02:00:00:00:01:{:02x}"
PAYLOAD = struct.Struct("!4sI")  # MAGIC, number
MAGIC = b"fib!"
PATHS = "198.18.0.0/15"  # of equal cost: by gateways 1 and 2, with weights 3 and 1


def port_of(hop):
    return hop % PORTS


def gateway(hop):
    """Next hop number `hop` in the table: a neighbour of its own address and MAC."""
    return f"10.0.{port_of(hop)}.{100 + hop // PORTS}"


def config():
    lines = [f"set interfaces eth{i} address 10.0.{i}.1/24" for i in range(PORTS)]
    lines += [f"set neighbors eth{port_of(h)} {gateway(h)} {GATEWAY_MAC.format(h)}"
              for h in range(NEXTHOPS)]
    return "\n".join(lines) + "\n"


def generated(routes):
    """Lines of a generated table, with the numbers of next hops in it."""
    made("build/routegen")
    text = subprocess.run([os.path.join(TREE, "build", "routegen"), "-i", "-4", str(routes),
                           "-6", str(routes // 10), "-n", str(NEXTHOPS)],
                          check=True, capture_output=True, text=True).stdout
    return (line.split() for line in text.splitlines())


def read(paths):
    """The same of files: `PREFIX INDEX` or `PREFIX via GATEWAY`, plain or .gz."""
    hops = {}
    for path in paths.split():
        with (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="ascii") as f:
            for words in map(str.split, f):
                yield words[0], hops.setdefault(words[-1], len(hops)) % NEXTHOPS


class Table:
    """A table in a file, and the longest match in it by trying every prefix length."""

    def __init__(self, path, routes):
        given = os.environ.get("ROUTES") if routes == max(SIZES) > 50_000 else None
        self.path = path
        self.hop = [{} for _ in range(33)]  # by length: prefix -> next hop
        self.prefixes = []
        self.ipv6 = 0
        with open(path, "w", encoding="ascii") as f:
            for prefix, hop in read(given) if given else generated(routes):
                f.write(self.take(prefix, int(hop)))
            f.write(f"{PATHS} via {gateway(1)} weight 3\n{PATHS} via {gateway(2)} dev eth2\n")
        self.prefixes.sort()

    def take(self, prefix, hop):
        """The line of a route; none of those that would have paths of equal cost elsewhere."""
        address, length = prefix.split("/")
        if ":" in prefix:
            self.ipv6 += 1
            return f"{prefix} via fd00:ff::{hop + 1:x}\n"
        number = struct.unpack("!I", socket.inet_aton(address))[0]
        if number >> 17 == 198 << 7 | 18 >> 1 and int(length) >= 15:
            return ""
        self.hop[int(length)][number] = hop
        self.prefixes.append(number)
        return f"{prefix} via {gateway(hop)}\n"

    def match(self, address):
        """The next hop of the longest match, or None."""
        for length in range(32, -1, -1):
            hop = self.hop[length].get(address >> (32 - length) << (32 - length))
            if hop is not None:
                return hop
        return None

    def addresses(self, n, seed):
        """Random addresses inside random prefixes, of all ports, and none a host would not have."""
        rng, found = random.Random(seed), set()
        while len(found) < n:
            address = self.prefixes[rng.randrange(len(self.prefixes))] + rng.randrange(256)
            if not 1 <= address >> 24 <= 223 or address >> 24 in (10, 127) or address >> 17 == 25353:
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


def arrivals(wire, timeout_s=0.0):
    """(address, number, next hop) of what has come in, by the MAC it was sent to."""
    macs = bytes.fromhex(GATEWAY_MAC[:14].replace(":", ""))
    found = []
    while True:
        data = wire.receive(lambda f: f[:5] == macs and f[42:46] == MAGIC, timeout_s)
        if data is None:
            return found
        found.append((struct.unpack("!I", data[30:34])[0], PAYLOAD.unpack(data[42:50])[1], data[5]))


def collect(wires, timeout_s=0.2):
    """All that has come in: number -> (address, next hop, port)."""
    return {number: (address, hop, port)
            for port, wire in enumerate(wires)
            for address, number, hop in arrivals(wire, timeout_s)}


def expected(table, address):
    hop = table.match(address)
    return address, hop, port_of(hop)


@pytest.fixture(scope="module", params=SIZES)
def table(request, tmp_path_factory):
    return Table(str(tmp_path_factory.mktemp("fib") / "table.txt"), request.param)


@pytest.fixture(scope="module")
def image(table):
    """An image with the table and the configuration in it."""
    folder = os.path.dirname(table.path)
    site, name = os.path.join(folder, "site.conf"), os.path.join(folder, "fib.elf")
    with open(site, "w", encoding="ascii") as f:
        f.write(config())
    made("kernel", f"IMAGE={name}", f"FIB={table.path}", f"CONFIG={site}")
    return name


@pytest.fixture(scope="module", params=["module", "compiled in"])
def lab(request, table):
    big = len(table.prefixes) > 300_000
    options = {"ports": PORTS, "mem": 2048 if big else 768, "timeout": 300 if big else 90,
               "warm": False}
    if request.param == "module":
        options |= {"config": config(), "routes": table.path}
    else:
        options |= {"image": request.getfixturevalue("image"), "no_config": True}
    with running(**options) as lab:
        lab.how = request.param
        yield lab


def verify(lab):
    reply = lab.cli("show fib verify")
    assert reply.endswith("verify: ok"), reply


def test_boot(lab, table, capsys):
    """How long it took, for whoever reads; nothing is claimed about it."""
    text = lab.serial_log()
    log = lab.cli("show log")
    ready = float(re.search(r"barewire: ready in ([\d.]+) ms", text).group(1))
    with capsys.disabled():
        print(f"\n{len(table.prefixes)} IPv4 and {table.ipv6} IPv6 routes {lab.how}: "
              f"{ready:.0f} ms from entry to forwarding")
    if lab.how == "module":
        assert re.search(r"routes \S+table.routes: \d+, read in \d+ ms", log)
    else:
        assert re.search(r"routes compiled in: \d+, \d+ next hops, in force after \d+ us", log)
        assert "configuration: compiled in" in log


def test_thousand_addresses(lab, table):
    """Each of 1,000 random addresses goes to the gateway, by the port, that brute force says.
    Compiled in, most routes are not even in the RIB yet."""
    wires = [lab.wire(i) for i in range(PORTS)]
    addresses = table.addresses(1000, seed=1)
    wires[0].send_all([frame(wires[0], a, n) for n, a in enumerate(addresses)])
    got = {}
    wait_for("1,000 packets", lambda: got.update(collect(wires)) or len(got) == len(addresses))
    assert got == {n: expected(table, a) for n, a in enumerate(addresses)}
    assert {port for _, _, port in got.values()} == set(range(PORTS))
    for wire in wires:
        wire.socket.close()


def test_table_is_whole(lab, table):
    verify(lab)  # waits until all is known
    summary = lab.json("show routes")
    file = {s["family"]: s["routes"] for s in summary["sources"] if s["source"] == "file"}
    assert file.pop("IPv6", 0) == table.ipv6
    assert file == {"IPv4": len(table.prefixes) + 1}
    lengths = {r["length"]: r["routes"] for r in summary["lengths"] if r["family"] == "IPv4"}
    assert lengths[16] >= len(table.hop[16])
    fib = lab.json("show fib")
    assert fib["current"] == "yes"
    assert fib["routes_to_come"] == 0


def test_longest_match(lab, table):
    for address in table.addresses(10, seed=3):
        row = lab.json(f"show routes {dotted(address)}")["routes"][0]
        assert row["next_hop"] == gateway(table.match(address))


def test_churn_loses_nothing(lab, table):
    """Commits add and delete routes beside those the traffic goes by: every packet arrives."""
    wires = [lab.wire(i) for i in range(PORTS)]
    addresses = table.addresses(200, seed=2)
    # More specific than what traffic uses, in the same /16s and /24s, but never covering it.
    taken = set(addresses)
    beside = [a ^ 1 for a in addresses[:20] if a ^ 1 not in taken]
    number, sent, got = 0, {}, {}
    rng = random.Random(9)
    for turn in range(8):
        console = subprocess.Popen([os.path.join(TREE, "tools", "lab"), "cli", "-"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                   env={**os.environ, "LAB": lab.name})
        lines = [f"set routes {dotted(a)}/32 via {gateway(rng.randrange(NEXTHOPS))}" if turn % 2 == 0
                 else f"delete routes {dotted(a)}/32" for a in beside] + ["commit"]
        console.stdin.write("\n".join(lines) + "\n")
        console.stdin.close()
        while console.poll() is None:
            frames = []
            for address in rng.sample(addresses, 50):
                sent[number] = expected(table, address)
                frames.append(frame(wires[0], address, number))
                number += 1
            _, dropped = wires[0].send_all(frames, burst=50)
            assert dropped == 0
            # A commit takes a slow machine long: what has arrived may not wait for its end.
            if len(sent) - len(got) > 1000:
                got.update(collect(wires, 0.002))
        assert console.returncode == 0, console.stdout.read()
        console.stdout.close()
        got.update(collect(wires, 0.002))
    end = time.monotonic() + 10
    while len(got) < len(sent) and time.monotonic() < end:
        got.update(collect(wires))
    assert got == sent
    for wire in wires:
        wire.socket.close()
    assert number > 500
    verify(lab)
    lab.check_books()


def shares(lab):
    """Of 100 flows to PATHS, sent twice, those that go by ports 1 and 2."""
    wires = [lab.wire(i) for i in range(PORTS)]
    base = int(ipaddress.ip_network(PATHS)[1])
    addresses = [base + 977 * i for i in range(100)]
    wires[0].send_all([frame(wires[0], a, n) for n, a in enumerate(addresses * 2)])
    got = {}
    wait_for("200 packets", lambda: got.update(collect(wires)) or len(got) == 200)
    for wire in wires:
        wire.socket.close()
    ports = [got[n][2] for n in range(200)]
    assert ports[:100] == ports[100:]
    assert set(ports) <= {1, 2}
    return ports.count(1) // 2, ports.count(2) // 2


def test_paths_of_equal_cost(lab):
    """Two lines of a prefix share flows by weight; a flow stays on its path while that is there."""
    one, two = shares(lab)
    assert one > two > 0
    lab.link(2, up=False)
    assert shares(lab) == (100, 0)
    lab.link(2, up=True)
    assert shares(lab) == (one, two)
    # What is configured is preferred.
    lab.configure(f"set routes {PATHS} via {gateway(2)} weight 3",
                  f"set routes {PATHS} via {gateway(1)}")
    one, two = shares(lab)
    assert two > one > 0
    lab.configure(f"delete routes {PATHS}")
    verify(lab)


# ---------------------------------------------------------------- making and boot


BAD = "line {}: the prefix has host bits set"


def bad_table(path):
    path.write_text(f"10.50.0.0/16 via {gateway(1)}\n10.51.0.1/16 via {gateway(1)}\n"
                    f"10.52.0.0/16 via {gateway(1)}\n")
    return str(path)


def test_bad_line_is_named(tmp_path):
    with running(ports=2, routes=bad_table(tmp_path / "bad.txt"), warm=False) as lab:
        assert re.search(r"routes \S+: " + BAD.format(2), lab.cli("show log"))
        assert "10.52.0.0/16" in lab.cli("show routes 10.52.1.1")
        assert "10.51" not in lab.cli("show routes 10.0.0.0/8")
        verify(lab)


def test_fibgen_refuses_bad_lines(tmp_path):
    routes, obj = bad_table(tmp_path / "bad.txt"), tmp_path / "x.o"
    done = subprocess.run([os.path.join(TREE, "tools", "fibgen"), routes, "-o", str(obj)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"{routes}:2: the prefix has host bits set\n"
    assert os.listdir(tmp_path) == ["bad.txt"]


def test_other_content_is_linked_anew(tmp_path):
    """Also from a packed file. What boot modules give is used in place of what is compiled in."""
    routes, site, image = (str(tmp_path / n) for n in ("t.routes.gz", "site.conf", "x.elf"))
    words = ["kernel", f"IMAGE={image}", f"FIB={routes}", f"CONFIG={site}"]

    def write(first, hostname):
        with gzip.open(routes, "wt") as f:
            f.write(f"{first}.0.0.0/8 via 10.0.1.2\n")
        with open(site, "w", encoding="ascii") as f:
            f.write(f"set system hostname {hostname}\nset interfaces eth1 address 10.0.1.1/24\n")

    write(60, "first")
    assert "fibgen: 1 IPv4 and 0 IPv6 routes, 1 next hops" in made(*words)
    assert made(*words) == ""
    old = os.stat(image).st_mtime_ns
    write(61, "second")
    made(*words)
    assert os.stat(image).st_mtime_ns > old
    with running(ports=2, image=image, no_config=True, warm=False) as lab:
        assert "set system hostname second" in lab.cli("show configuration")
        assert "10.0.1.2         eth1       active" in lab.cli("show routes 61.0.0.1")
        assert "60.0.0.0" not in lab.cli("show routes")
        verify(lab)
    module = tmp_path / "module.txt"
    module.write_text("62.0.0.0/8 via 10.0.1.2\n")
    with running(ports=2, image=image, routes=str(module), warm=False) as lab:
        assert "hostname" not in lab.cli("show configuration")
        assert "62.0.0.0/8" in lab.cli("show routes 62.0.0.1")
        assert "61.0.0.0" not in lab.cli("show routes")
        log = lab.cli("show log")
        assert "configuration compiled in is not used: there is a boot module" in log
        assert "routes compiled in are not used: there is a boot module" in log
        verify(lab)
