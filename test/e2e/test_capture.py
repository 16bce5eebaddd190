# Packet capture: what is received, sent and dropped, as files; filters, loss that is stated, a collector.
import contextlib
import os
import re
import struct
import subprocess
import time

import pytest
from labkit.place import TREE
from patience import PATIENCE_S
from router import HOSTED, running, wait_for
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw
from scapy.utils import RawPcapNgReader, RawPcapReader

TOOL = os.path.join(TREE, "tools", "capture")
CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth0 vlan 7 address 10.7.0.1/24
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set routes 30.0.0.0/8 blackhole
set routes 2001:db8:bad::/48 blackhole
"""
TOLD = re.compile(r"captured (\d+), matched (\d+), lost (\d+) by a full ring and (\d+) beyond \d+ a turn, (\d+) not taken")


# The same with sessions, whose packets go to the worker that owns them.
SESSIONS = """
set acl all rule 10 permit established
set acl all rule 20 permit
set interfaces eth0 acl in all
"""


@pytest.fixture(scope="module", params=["", SESSIONS], ids=["plain", "sessions"])
def lab(request):
    with running(config=CONFIG + request.param, ports=2, cores=3) as lab:
        lab.warm6(2)
        yield lab


@pytest.fixture()
def wires(lab):
    with lab.wire(0) as first, lab.wire(1) as second:
        yield first, second


def udp(wire, to, size=60, port=1000, **ether):
    six = ":" in to
    source = "fd00::2" if six else "10.0.0.2"
    ip = IPv6(src=source, dst=to) if six else IP(src=source, dst=to)
    return bytes(Ether(src=wire.host_mac, dst=wire.router_mac, **ether) / ip /
                 UDP(sport=port, dport=53) / Raw(os.urandom(size)))


# ---------------------------------------------------------------- files

def comments(path):
    """The comment of each packet, or None, and the direction in its flags; by our own reading."""
    with open(path, "rb") as f:
        data = f.read()
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert struct.unpack_from("<I", data, at + length - 4)[0] == length
        body = data[at + 8:at + length - 4]
        at += length
        if kind != 6:
            continue
        rest = body[20 + (struct.unpack_from("<I", body, 12)[0] + 3) // 4 * 4:]
        comment, flags = None, None
        while rest:
            code, size = struct.unpack_from("<HH", rest)
            value, rest = rest[4:4 + size], rest[4 + (size + 3) // 4 * 4:]
            comment = value.decode() if code == 1 else comment
            flags = struct.unpack("<I", value)[0] if code == 2 else flags
        found.append((comment, flags))
    return found


def packets(path):
    """The bytes of all packets, as scapy reads them."""
    with contextlib.closing(RawPcapNgReader(path)) as reader:
        return [data for data, _ in reader]


class Capture:
    """tools/capture at work; `with` waits until it has begun."""

    def __init__(self, lab, file, *words, way="run", inside=None, begun=None):
        self.file = str(file)
        command = [TOOL, way, "-o", self.file, *words]
        if inside is not None:
            command = ["ip", "netns", "exec", lab.place.namespace(inside)] + command
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, "LAB": lab.name})
        self.begun = begun or (lambda: os.path.exists(self.file) and os.path.getsize(self.file) > 0)
        self.said = None

    def __enter__(self):
        wait_for("the capture to begin", lambda: self.begun() or self.process.poll() is not None)
        return self

    def wait(self):
        _, self.said = self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0, self.said
        return self

    def __exit__(self, kind, *_):
        if self.said is None:
            self.process.send_signal(2)  # SIGINT
            try:
                self.wait()
            finally:
                self.process.kill()

    def told(self):
        return [int(n) for n in TOLD.search(self.said).groups()]


def enough(capture, count):
    """So many packets have come to the file."""
    wait_for(f"{count} packets", lambda: len(packets(capture.file)) >= count)


# ---------------------------------------------------------------- tests

def test_received(lab, wires, tmp_path):
    other = Ether(src=wires[0].host_mac, dst="02:99:99:99:99:99") / IP(dst="10.0.1.2") / Raw(b"x" * 60)
    frames = [udp(wires[0], "10.0.1.2", size) for size in (18, 100, 1472)]
    frames += [udp(wires[0], "fd00:0:0:1::2"), bytes(other)]
    tagged = Ether(frames[0])
    frames.append(bytes(Ether(src=tagged.src, dst=tagged.dst) / Dot1Q(vlan=99) / tagged.payload))
    with Capture(lab, tmp_path / "rx", "eth0", "rx", "from", "10.0.0.0/24") as capture:
        for frame in frames:
            wires[0].send(frame)
        enough(capture, 4)
    got = packets(capture.file)
    assert got == [f for f in frames if Ether(f).haslayer(IP) and Ether(f)[IP].src == "10.0.0.2"]
    assert comments(capture.file) == [(None, 1)] * len(got)
    assert capture.told() == [len(got), len(got), 0, 0, 0]


def test_sent(lab, wires, tmp_path):
    sent = [udp(wires[0], "10.0.1.2", size) for size in (40, 100, 1472)]
    sent.append(udp(wires[0], "fd00:0:0:1::2", 700))
    payloads = [bytes(Ether(f)[Raw].load) for f in sent]
    with Capture(lab, tmp_path / "tx", "eth1", "tx", "proto", "udp") as capture:
        wires[1].forget()
        left = []
        for frame, payload in zip(sent, payloads):
            wires[0].send(frame)
            left.append(wires[1].receive(lambda f, p=payload: f.endswith(p)))
        enough(capture, len(sent))
    assert packets(capture.file) == left
    assert Ether(left[0])[IP].ttl == 63
    assert comments(capture.file) == [(None, 2)] * len(left)


DROPPED = [
    ("blackhole", lambda w: udp(w, "30.0.0.1")),
    ("blackhole", lambda w: udp(w, "2001:db8:bad::1")),
    ("no-route", lambda w: udp(w, "99.0.0.1")),
    ("wrong-mac", lambda w: bytes(Ether(src=w.host_mac, dst="02:99:99:99:99:99")) + udp(w, "10.0.1.2")[14:]),
    ("ip-checksum", lambda w: udp(w, "10.0.1.2")[:24] + b"\0\0" + udp(w, "10.0.1.2")[26:]),
    ("vlan-unknown", lambda w: bytes(Ether(src=w.host_mac, dst=w.router_mac) / Dot1Q(vlan=99) / Raw(b"v" * 60))),
    ("blackhole", lambda w: udp(w, "30.0.0.1")[:12] + b"\x81\0\0\x07" + udp(w, "30.0.0.2")[12:]),
    ("local-no-protocol", lambda w: udp(w, "10.0.0.1", port=77)),
]


def test_dropped(lab, wires, tmp_path):
    frames = [make(wires[0]) for _, make in DROPPED]
    before = lab.drops()
    with Capture(lab, tmp_path / "drop", "eth0", "drop") as capture:
        for number, frame in enumerate(frames):
            wires[0].send(frame)
            enough(capture, number + 1)
        wires[0].send(udp(wires[0], "10.0.1.2"))  # goes on
        assert wires[1].receive(lambda f: f[12:14] == b"\x08\0" and f[23] == 17)
    assert packets(capture.file) == frames
    assert comments(capture.file) == [(f"drop: {reason}", 1) for reason, _ in DROPPED]
    now = lab.drops()
    for reason in {reason for reason, _ in DROPPED}:
        times = [r for r, _ in DROPPED].count(reason)
        assert now.count("eth0", reason) - before.count("eth0", reason) == times


@pytest.mark.parametrize("words, ports", [
    ("rx port 1001", {1001}),
    ("rx from-port 1001-1002 host 10.0.1.2", {1001, 1002}),
    ("rx to 10.0.1.0/24 proto udp to-port 53", {1000, 1001, 1002}),
    ("rx to 10.0.1.3", set()),
])
def test_filters(lab, wires, tmp_path, words, ports):
    with Capture(lab, tmp_path / "some", "eth0", *words.split()) as capture:
        wires[1].forget()
        for port in (1000, 1001, 1002):
            wires[0].send(udp(wires[0], "10.0.1.2", port=port))
        left = {struct.pack("!H", port) for port in (1000, 1001, 1002)}
        while left:  # flows of different workers come in any order
            frame = wires[1].receive(lambda f: f[34:36] in left)
            assert frame
            left.remove(frame[34:36])
        enough(capture, len(ports))
    assert {Ether(f)[UDP].sport for f in packets(capture.file)} == ports


def test_vlan(lab, wires, tmp_path):
    tagged = udp(wires[0], "30.0.0.1")
    tagged = tagged[:12] + b"\x81\0\x60\x07" + tagged[12:]
    with Capture(lab, tmp_path / "vlan", "eth0.7") as capture:
        wires[0].send(udp(wires[0], "30.0.0.1"))
        wires[0].send(tagged)
        enough(capture, 2)
    assert packets(capture.file) == [tagged, tagged]
    assert comments(capture.file) == [(None, 1), ("drop: blackhole", 1)]


def test_flood(lab, wires, tmp_path):
    """More than a console takes: every frame is in the file or in a count, and none is lost but there."""
    frame = udp(wires[0], "30.0.0.1", 1000)
    before = lab.drops().count("eth0", "blackhole")
    with Capture(lab, tmp_path / "flood", "eth0", "drop", "to", "30.0.0.1") as capture:
        taken, _ = wires[0].send_all([frame] * 4000)
        time.sleep(2)  # the console is not ours: for the last of them to be looked at
    captured, matched, full, beyond, left = capture.told()
    dropped = lab.drops()
    assert dropped.balanced
    assert dropped.count("eth0", "blackhole") - before == taken
    assert matched == taken
    assert captured + full + beyond + left == matched
    got = packets(capture.file)
    assert len(got) == captured > 0 and set(got) == {frame}


def test_count_and_log(lab, wires, tmp_path):
    """A capture ends by itself; what was saved of a console has it as well, also as pcap."""
    frames = [udp(wires[0], "30.0.0.9", 200) for _ in range(2)]
    with lab.console() as console:
        console.socket.sendall(b"capture eth0 rx to 30.0.0.9 count 2 snap 64\r")
        text = console.until(lambda t: "BEGIN PCAPNG" in t, b"", PATIENCE_S)
        for frame in frames:
            wires[0].send(frame)
        text += console.until(TOLD.search, b"", PATIENCE_S)
    log, out = tmp_path / "log", str(tmp_path / "cut")
    log.write_text(text, encoding="utf-8")
    for words, reader in (((), RawPcapNgReader), (("--pcap",), RawPcapReader)):
        subprocess.run([TOOL, "read", *words, "-o", out, log], check=True, capture_output=True)
        with contextlib.closing(reader(out)) as f:
            found = [(data, meta.wirelen) for data, meta in f]
        assert found == [(frame[:64], len(frame)) for frame in frames]


@pytest.mark.parametrize("address, listen", [("10.0.1.2", "0.0.0.0"), ("fd00:0:0:1::2", "::")])
def test_collector(lab, wires, tmp_path, address, listen):
    frames = [udp(wires[0], "30.0.0.1", size) for size in (30, 1472, 31, 500, 600, 700, 1400)]
    with Capture(lab, tmp_path / "sink", "--address", listen, "--once", way="listen", inside=1,
                 begun=lambda: lab.run(1, "ss", "-uln").stdout.find(":4799") >= 0) as sink:
        with lab.console() as console:
            console.socket.sendall(f"capture eth0 rx to 30.0.0.1 collector {address}\r".encode())
            wait_for("it to begin", lambda: os.path.getsize(sink.file) > 0)
            for frame in frames:
                wires[0].send(frame)
            enough(sink, len(frames))
            console.sync(PATIENCE_S)
        sink.wait()
    assert packets(sink.file) == frames
    assert f"{len(frames)} packets in" in sink.said and " 0 datagrams missing" in sink.said
    assert sink.told() == [len(frames), len(frames), 0, 0, 0]


def test_own_datagrams(lab, wires, tmp_path):
    """What goes to a collector, and what comes back because nobody listens there, is not captured."""
    with lab.console() as console:
        wires[1].forget()
        # Of h1 alone: by IPv6 the router asks a neighbour again when half a minute has passed.
        console.socket.sendall(b"capture eth1 host 10.0.1.2 collector 10.0.1.2\r")
        assert wires[1].receive(lambda f: f[36:38] == struct.pack("!H", 4799))
        wires[0].send(udp(wires[0], "10.0.1.2", port=4321))
        assert wires[1].receive(lambda f: f[34:36] == struct.pack("!H", 4321))
        assert wires[1].receive(lambda f: f[36:38] == struct.pack("!H", 4799))
        time.sleep(1)  # for what must not be: an echo of its own
        text = console.until(lambda t: "datagrams" in t, console.send(b"\x03"), PATIENCE_S)
    captured, matched, *_ = (int(n) for n in TOLD.search(text).groups())
    answered = 1  # h1 says that nobody listens at port 53, either
    assert captured == matched == 1 + answered, text


@pytest.mark.skipif(not HOSTED, reason="a serial line does not say that nobody is there")
def test_hang_up(lab):
    def count(word):
        return lab.serial_log().count(f"-----{word} PCAPNG")

    before = count("BEGIN")
    with lab.console() as console:
        console.socket.sendall(b"capture eth0\r")
        console.until(lambda t: "BEGIN PCAPNG" in t, b"", PATIENCE_S)
    assert count("BEGIN") == before + 1
    wait_for("its end", lambda: count("END") == before + 1)
    assert lab.cli("show version")
