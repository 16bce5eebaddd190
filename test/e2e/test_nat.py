# NAT between Linux hosts: h0 and h2 are inside, h1 is outside and hears all that leaves.
import contextlib
import errno
import re
import socket
import struct
import threading

import pytest
from router import running, wait_for
from scapy.layers.inet import ICMP, IP, IPOption_NOP, IPOption_RR, UDP
from scapy.layers.l2 import Ether

ROUTER, OUTSIDE, SERVER = "10.0.1.1", "10.0.1.2", "10.0.2.2"
POOL = ("10.0.1.100", "10.0.1.101")
MASQUERADE = [f"set nat source rule {rule} out eth1 from 10.0.{net}.0/24 masquerade"
              for rule, net in ((10, 0), (20, 2))]
CONFIG = "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\n" for i in range(3)) + \
    "\n".join(MASQUERADE) + f"""
set nat destination rule 10 in eth1 proto tcp to {ROUTER} port 8080 to-address {SERVER} to-port 80
set nat destination rule 20 in eth1 proto udp to {ROUTER} port 5000-5009 to-address {SERVER} to-port 6000
set nat destination rule 30 in eth1 proto udp to {ROUTER} port 5999 to-address 10.0.2.99
"""
SIZE = 2_000_000


@pytest.fixture(scope="module", params=[2, 4], ids=["one worker", "three workers"])
def lab(request):
    with running(ports=3, cores=request.param, config=CONFIG) as lab:
        yield lab


def inside_addresses(frame):
    """Addresses of inside hosts in a frame's IPv4 header, and in the packet that an ICMP error holds."""
    found = []
    if frame[12:14] != b"\x08\0":
        return found
    header = 14 + (frame[14] & 15) * 4
    starts = [14]
    if frame[23] == 1 and frame[header:header + 1] in (b"\3", b"\x0b", b"\x0c"):
        starts.append(header + 8)
    for at in starts:
        for address in (frame[at + 12:at + 16], frame[at + 16:at + 20]):
            if address[:3] in (b"\x0a\0\0", b"\x0a\0\2"):
                found.append(socket.inet_ntoa(address))
    return found


@pytest.fixture(autouse=True)
def nothing_leaks(lab):
    """Whatever a test does, no frame that reaches the outside host names an inside one."""
    with lab.wire(1) as wire:
        yield
        wire.socket.setblocking(False)
        frames = []
        with contextlib.suppress(BlockingIOError):
            while True:
                frames.append(wire.socket.recv(65536))
        leaked = [a for f in frames for a in inside_addresses(f)]
        assert not leaked, f"{leaked} in {len(frames)} frames"


class TcpServer:
    """Sends SIZE bytes to each client; peers: whom it saw."""

    def __init__(self, lab, host, port):
        self.peers = []
        self.listener = lab.socket(host, socket.socket)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("", port))
        self.listener.listen()
        threading.Thread(target=self.work, daemon=True).start()

    def work(self):
        while True:
            try:
                client, peer = self.listener.accept()
            except OSError:
                return
            self.peers.append(peer)
            with client, contextlib.suppress(OSError):
                client.sendall(bytes(SIZE))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def fetch(lab, host, address, port):
    with lab.socket(host, socket.socket) as sock:
        sock.settimeout(30)
        sock.connect((address, port))
        got = 0
        while data := sock.recv(65536):
            got += len(data)
        return got


def datagrams(lab, host, port=0):
    sock = lab.socket(host, socket.socket, socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(20)
    sock.bind(("", port))
    return sock


def exchange(client, server, to, data=b"question"):
    """A datagram there and its answer back; whom the server saw."""
    client.sendto(data, to)
    got, peer = server.recvfrom(65536)
    assert got == data
    server.sendto(data[::-1], peer)
    got, sender = client.recvfrom(65536)
    assert got == data[::-1] and sender == to
    return peer


def test_masquerade_tcp(lab):
    with TcpServer(lab, 1, 8000) as server:
        assert fetch(lab, 0, OUTSIDE, 8000) == SIZE
        assert [peer[0] for peer in server.peers] == [ROUTER]
        assert server.peers[0][1] >= 1024
    assert any(row["sessions"] for row in lab.json("show nat")["rules"])


def test_masquerade_udp_is_endpoint_independent(lab):
    with datagrams(lab, 0, 5555) as client, datagrams(lab, 1, 7000) as one, \
            datagrams(lab, 1, 7001) as two:
        first = exchange(client, one, (OUTSIDE, 7000))
        second = exchange(client, two, (OUTSIDE, 7001))
        assert first == second and first[0] == ROUTER
        assert first[1] % 2 == 1, "RFC 4787 REQ-4: of the same parity"
        rows = lab.json("show nat mappings 10.0.0.2")["mappings"]
        assert ["10.0.0.2:5555", f"{ROUTER}:{first[1]}", 2] in [
            [row["inside"], row["outside"], row["sessions"]] for row in rows]


def test_two_hosts_with_one_port(lab):
    with datagrams(lab, 0, 5600) as a, datagrams(lab, 2, 5600) as b, datagrams(lab, 1, 7000) as server:
        assert exchange(a, server, (OUTSIDE, 7000)) != exchange(b, server, (OUTSIDE, 7000))


@pytest.mark.parametrize("host", [0, 2])
def test_ping(lab, host):
    assert lab.ping(host, OUTSIDE)
    assert lab.ping(host, OUTSIDE, size=3000, fragment=True)


def test_traceroute(lab):
    """By UDP: what the outside host says to the router comes to the inside one."""
    shown = lab.must(0, "traceroute", "-n", "-q", "1", "-w", "30", OUTSIDE)
    hops = re.findall(r"^ *\d+ +([0-9.]+)", getattr(shown, "stdout", shown), re.M)
    assert hops == ["10.0.0.1", OUTSIDE]


def test_error_reaches_the_sender(lab):
    """Port unreachable about a masqueraded datagram: Linux gives it to the socket that sent it."""
    with lab.socket(0, socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.connect((OUTSIDE, 9))
        sock.send(b"nobody listens")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(10)


def test_error_from_inside(lab):
    """The inside host refuses a forwarded datagram: the error leaves with the external address."""
    with lab.socket(1, socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        sock.connect((ROUTER, 5009))
        sock.send(b"nobody listens")
        with pytest.raises(ConnectionRefusedError):
            sock.recv(10)


def test_forwarded_port(lab):
    with TcpServer(lab, 2, 80) as server:
        assert fetch(lab, 1, ROUTER, 8080) == SIZE
        assert server.peers[0][0] == OUTSIDE


def test_forwarded_range(lab):
    with datagrams(lab, 1) as client, datagrams(lab, 2, 6003) as server:
        assert exchange(client, server, (ROUTER, 5003))[0] == OUTSIDE


@pytest.mark.parametrize("host", [0, 2])
def test_hairpin(lab, host):
    """Inside hosts use the external address: the server, even if it is their own, sees that."""
    with TcpServer(lab, 2, 80) as server:
        assert fetch(lab, host, ROUTER, 8080) == SIZE
        assert server.peers[0][0] == ROUTER


def test_hairpin_by_mapping(lab):
    """RFC 4787 REQ-9: two inside hosts that know each other by what a third one outside saw."""
    with datagrams(lab, 0, 5700) as a, datagrams(lab, 2, 5702) as b, datagrams(lab, 1, 7000) as outside:
        seen = exchange(b, outside, (OUTSIDE, 7000))
        assert exchange(a, b, seen)[0] == ROUTER


@pytest.mark.parametrize("size", [1473, 5000, 20000])
def test_fragments(lab, size):
    data = bytes(i * 7 & 255 for i in range(size))
    with datagrams(lab, 0, 5800) as client, datagrams(lab, 1, 7000) as server:
        assert exchange(client, server, (OUTSIDE, 7000), data)[0] == ROUTER
    with datagrams(lab, 1) as client, datagrams(lab, 2, 6000) as server:
        assert exchange(client, server, (ROUTER, 5000), data)[0] == OUTSIDE


def test_router_has_its_address_still(lab):
    assert lab.ping(1, ROUTER)
    assert "2 received" in lab.cli(f"ping {OUTSIDE} count 2 wait 60")


def test_other_protocol(lab):
    """GRE: the address alone, both ways."""
    with lab.wire(0) as inside, lab.wire(1) as outside:
        def gre(src, dst, mark):
            return IP(src=src, dst=dst, proto=47) / (b"\0\0\x88\xbe" + mark)
        inside.send(Ether(src=inside.host_mac, dst=inside.router_mac) / gre("10.0.0.2", OUTSIDE, b"there"))
        frame = outside.receive(lambda f: b"there" in f)
        assert frame and frame[26:30] == socket.inet_aton(ROUTER)
        outside.send(Ether(src=outside.host_mac, dst=outside.router_mac) / gre(OUTSIDE, ROUTER, b"back"))
        frame = inside.receive(lambda f: b"back" in f)
        assert frame and frame[30:34] == socket.inet_aton("10.0.0.2")


def test_options(lab):
    """What the control core forwards is translated as all else."""
    with lab.wire(0) as inside, lab.wire(1) as outside:
        for options in ([IPOption_NOP()] * 4, [IPOption_RR(routers=["0.0.0.0"] * 3)]):
            packet = IP(src="10.0.0.2", dst=OUTSIDE, options=options) / UDP(sport=4444, dport=7009) / b"options"
            inside.send(Ether(src=inside.host_mac, dst=inside.router_mac) / packet)
            frame = outside.receive(lambda f: b"options" in f)
            assert frame and frame[26:30] == socket.inet_aton(ROUTER)
            outside.forget()


def test_neighbor_is_asked_for(lab):
    """The first packet to a neighbour waits for its address, and leaves translated."""
    lab.must(1, "ip", "address", "add", "10.0.1.77/24", "dev", "p0")
    with datagrams(lab, 0, 5990) as client, datagrams(lab, 1, 7000) as server:
        client.sendto(b"first", ("10.0.1.77", 7000))
        assert server.recvfrom(100)[1][0] == ROUTER
    lab.must(1, "ip", "address", "delete", "10.0.1.77/24", "dev", "p0")


@pytest.mark.parametrize("host,to", [(0, ("10.0.1.99", 7000)), (1, (ROUTER, 5999))])
def test_no_neighbor(lab, host, to):
    """Nobody is there: who sent it is told so, about what it sent, else Linux would not know whose."""
    with lab.socket(host, socket.socket, socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR: such an error as well
        sock.connect(to)
        sock.send(b"nobody is there")
        with pytest.raises(OSError) as refused:
            sock.recv(10)
    assert refused.value.errno == errno.EHOSTUNREACH


def test_fragmented_by_the_router(lab):
    """The way out has a smaller MTU: datagrams are translated and cut, of whatever form they come."""
    lab.configure("set interfaces eth1 mtu 600")
    data = bytes(i * 11 & 255 for i in range(4000))
    with datagrams(lab, 0, 5890) as client, datagrams(lab, 1, 7000) as server:
        for size in (1000, 4000):
            client.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: without DF
            client.sendto(data[:size], (OUTSIDE, 7000))
            got, peer = server.recvfrom(65536)
            assert got == data[:size] and peer[0] == ROUTER
        client.setsockopt(socket.IPPROTO_IP, 10, 2)  # with DF: the error names the inside host to itself
        client.sendto(data[:1000], (OUTSIDE, 7000))
        wait_for("fragmentation needed", lambda: refuses(client, data[:1000]))
    lab.configure("delete interfaces eth1 mtu")


def refuses(client, data):
    try:
        client.sendto(data, (OUTSIDE, 7000))
    except OSError as e:
        return e.errno == errno.EMSGSIZE
    return False


def test_pool_then_back(lab):
    """A session whose rule is another by now goes on by the new rule, and never untranslated."""
    with datagrams(lab, 0, 5900) as client, datagrams(lab, 1, 7000) as server:
        assert exchange(client, server, (OUTSIDE, 7000))[0] == ROUTER
        lab.configure("set nat source rule 10 out eth1 from 10.0.0.0/24 to-address " + "-".join(POOL))
        pooled = exchange(client, server, (OUTSIDE, 7000))
        assert pooled[0] in POOL, "and the router answers ARP for it"
        with TcpServer(lab, 1, 8000) as tcp:
            assert fetch(lab, 0, OUTSIDE, 8000) == SIZE
            assert tcp.peers[0][0] == pooled[0], "RFC 4787 REQ-2"
        assert lab.ping(0, OUTSIDE)
        before = lab.drops().count("eth1", "nat-no-session")
        with lab.wire(1) as outside:
            outside.send(Ether(src=outside.host_mac, dst=outside.router_mac)
                         / IP(src=OUTSIDE, dst=pooled[0]) / UDP(sport=9, dport=9) / b"unasked")
            outside.send(Ether(src=outside.host_mac, dst=outside.router_mac)
                         / IP(src=OUTSIDE, dst=POOL[0]) / ICMP(type=0, id=9) / b"unasked")
        wait_for("both", lambda: lab.drops().count("eth1", "nat-no-session") == before + 2)
        lab.configure(*MASQUERADE)
        assert exchange(client, server, (OUTSIDE, 7000))[0] == ROUTER


def test_no_port_is_left(lab):
    lab.configure("set nat source rule 10 out eth1 from 10.0.0.0/24 masquerade ports 2000-2001")
    before = lab.drops().count("eth0", "nat-no-port")
    with lab.wire(0) as wire:
        for port in range(4000, 4010):
            wire.send(Ether(src=wire.host_mac, dst=wire.router_mac)
                      / IP(src="10.0.0.2", dst=OUTSIDE) / UDP(sport=port, dport=9) / struct.pack("!H", port))
    wait_for("those without", lambda: lab.drops().count("eth0", "nat-no-port") == before + 8)
    used = [row for row in lab.json("show nat ports")["ports"]
            if row["address"] == ROUTER and row["proto"] == "udp"]
    assert used and used[0]["used"] >= 2
    lab.configure(*MASQUERADE)
    assert lab.ping(0, OUTSIDE)
