# Connection tracking end to end: a list with `established` lets answers in and nothing else.
import socket
import threading

import pytest
from differential.packet4 import ether, ipv4, udp
from router import running, wait_for
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from talker import Talker

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set interfaces eth1 acl in answers
set acl answers rule 10 permit established
set acl answers rule 20 permit to 10.0.1.1/32
set acl answers rule 30 permit to fd00:0:0:1::1/128
set forwarding sessions limit-per-source 400
set forwarding sessions timeout udp 5
"""
SIZE = 3_000_000


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, config=CONFIG) as lab:
        yield lab


def serve(lab, host, family, port):
    """A server of host that sends SIZE bytes to each client."""
    listener = lab.socket(host, socket.socket, family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("", port))
    listener.listen()

    def work():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.sendall(bytes(SIZE))
    threading.Thread(target=work, daemon=True).start()
    return listener


def fetch(lab, host, family, address, port):
    with lab.socket(host, socket.socket, family) as sock:
        sock.settimeout(20)
        sock.connect((address, port))
        got = 0
        while data := sock.recv(65536):
            got += len(data)
        return got


def denied(lab):
    return lab.drops().count("eth1", "acl-denied")


@pytest.mark.parametrize("family,address", [(socket.AF_INET, "10.0.1.2"),
                                            (socket.AF_INET6, "fd00:0:0:1::2")])
def test_tcp_from_inside(lab, family, address):
    port = 8003 if family == socket.AF_INET6 else 8000
    if family == socket.AF_INET6:
        lab.warm6(2)
    listener = serve(lab, 1, family, port)
    assert fetch(lab, 0, family, address, port) == SIZE
    row, = lab.json(f"show sessions proto tcp port {port}")["sessions"]
    assert row["state"] in ("time-wait", "last-ack", "fin-wait", "close-wait")
    assert row["bytes_back"] > SIZE and row["nat_from"] is None
    listener.close()
    lab.cli("clear sessions proto tcp")
    assert lab.json("show sessions proto tcp")["sessions"] == []


def test_tcp_from_outside(lab):
    before = denied(lab)
    listener = serve(lab, 0, socket.AF_INET, 8001)
    with lab.socket(1, socket.socket, socket.AF_INET) as sock:
        sock.settimeout(2)
        with pytest.raises(OSError):
            sock.connect(("10.0.0.2", 8001))
    listener.close()
    assert denied(lab) > before
    assert lab.json("show sessions port 8001")["sessions"] == []


def test_ping_and_errors(lab):
    assert lab.ping(0, "10.0.1.2")
    assert not lab.ping(1, "10.0.0.2", 1, wait_s=1)
    with lab.wire(0) as h0, lab.wire(1) as h1:
        ask = IP(src="10.0.0.2", dst="10.0.1.2") / UDP(sport=5, dport=9) / b"marked"
        h0.forget()
        h0.send(Ether(src=h0.host_mac, dst=h0.router_mac) / ask)
        assert h1.receive(lambda f: b"marked" in f)
        out = Ether(src=h1.host_mac, dst=h1.router_mac)
        # Linux says itself that nobody listens: that is of the session. What is about others is not.
        assert h0.receive(lambda f: f[23] == 1 and f[34:36] == b"\3\3")
        before = denied(lab)
        h1.send(out / IP(src="10.0.1.2", dst="10.0.0.2") / ICMP(type=3, code=3)
                / IP(src="10.0.0.2", dst="10.0.1.2") / UDP(sport=6, dport=9))
        h1.send(out / IP(src="10.0.1.2", dst="10.0.0.2") / UDP(sport=9, dport=6))
        h1.send(out / IP(src="10.0.1.2", dst="10.0.0.2") / TCP(sport=9, dport=6, flags="A"))
        wait_for("three", lambda: denied(lab) == before + 3)


def test_time_and_limit(lab):
    lab.configure("set forwarding sessions timeout udp 600")  # that there is time to look at them
    lab.cli("clear sessions")
    with lab.wire(0) as h0, lab.wire(1) as h1:
        def begin(port):
            h0.send(Ether(src=h0.host_mac, dst=h0.router_mac)
                    / IP(src="10.0.0.2", dst="10.0.1.2") / UDP(sport=port, dport=9))
        for port in range(1000, 2200):
            begin(port)
        wait_for("the limit", lambda: lab.drops().count("eth0", "session-limit") > 0)
        assert 0 < len(lab.json("show sessions from 10.0.0.2/32 count 1000")["sessions"]) <= 400
        lab.configure("set forwarding sessions timeout udp 5")
        lab.cli("clear sessions")
        h1.forget()
        begin(1000)
        assert h1.receive(lambda f: f[23] == 17 and f[34:36] == (1000).to_bytes(2, "big"))
    wait_for("the time-out", lambda: lab.json("show memory")["sessions"] == 0)


def test_blind_reset(lab):
    """A reset that is not at the number its receiver waits for closes nothing."""
    listener = serve(lab, 1, socket.AF_INET, 8002)
    with lab.socket(0, socket.socket, socket.AF_INET) as sock, lab.wire(1) as h1:
        sock.settimeout(20)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("10.0.1.2", 8002))
        port = sock.getsockname()[1]
        for seq in range(0, 1 << 32, 1 << 29):
            h1.send(Ether(src=h1.host_mac, dst=h1.router_mac) / IP(src="10.0.1.2", dst="10.0.0.2")
                    / TCP(sport=8002, dport=port, flags="R", seq=seq))
        state = lab.json(f"show sessions port {port}")["sessions"][0]["state"]
        assert state in ("established", "fin-wait", "close-wait")
        got = 0
        while data := sock.recv(65536):
            got += len(data)
        assert got == SIZE
    listener.close()
    lab.check_books()


ASKING, ASKED = "10.8", "10.9"  # behind h0, whose /16 has room for more than fit; behind h1
FULL = f"""
set interfaces eth0 address 10.0.0.1/24
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 acl in answers
set acl answers rule 10 permit established
set acl answers rule 20 permit to 10.0.1.1/32
set routes {ASKING}.0.0/16 via 10.0.0.2
set routes {ASKED}.0.0/16 via 10.0.1.2
"""


def datagrams(wire, numbers, back=False):
    """Of so many conversations, each of an address of its own."""
    for n in numbers:
        asking, asked = (f"{ASKING}.{n >> 8}.{n & 255}", 5000), (f"{ASKED}.0.1", 9)
        (src, sport), (dst, dport) = (asked, asking) if back else (asking, asked)
        yield ether(wire.router_mac, wire.host_mac,
                    ipv4(src, dst, udp(src, dst, sport, dport, b"number %d." % n)))


def test_table_full():
    """Of conversations that are answered none is given up: new ones are refused, by name."""
    with running(ports=2, mem=64, config=FULL) as lab, lab.wire(0) as h0, lab.wire(1) as h1:
        def memory():
            return lab.json("show memory")

        def answered(n):
            h0.forget()
            h1.send(next(datagrams(h1, [n], back=True)))
            return h0.receive(lambda f: b"number %d." % n in f, 2)
        before = memory()
        most = before["sessions_max"]
        with Talker(lab, 0, 1):
            begun = memory()["sessions"]
            assert 0 < begun < 10
            for first in range(begun, most, 500):
                numbers = range(first, min(first + 500, most))
                h0.send_all(list(datagrams(h0, numbers)))
                wait_for("questions", lambda n=numbers: memory()["sessions"] == n.stop)
                h1.send_all(list(datagrams(h1, numbers, back=True)))
            wait_for("the last answer, behind all others", lambda: answered(most - 1))
            assert lab.drops().count("eth0", "session-table-full") == 0

            h0.send_all(list(datagrams(h0, range(most, most + 100))))
            wait_for("those refused", lambda: lab.drops().count("eth0", "session-table-full") == 100)
            rows = lab.json("show sessions")["sessions"]
            assert len(rows) == most == memory()["sessions"]
            states = [row["state"] for row in rows]
            assert states.count("replied") >= most - begun and states.count("established") == 1
            assert not [r for r in rows if r["from"].startswith(f"{ASKING}.{most >> 8}.{most & 255}:")]
            for n in (begun, most // 2, most - 1):
                wait_for(f"answer {n}", lambda n=n: answered(n))
            after = memory()
            assert [after[k] for k in ("arena_used", "heap_used")] == [
                before[k] for k in ("arena_used", "heap_used")]
        assert lab.drops().count("eth1", "acl-denied") == 0
        lab.cli(f"clear sessions from {ASKING}.0.0/24")
        h1.forget()
        h0.send(next(datagrams(h0, [most])))
        assert h1.receive(lambda f: b"number %d." % most in f), "there is room again"
