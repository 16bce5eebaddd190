# The crossbar under load: fair shares of a contended output, weights, priority, spreading, sleep.
import time

import pytest
from router import running, wait_for
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

PORTS = 6
OUT = 3  # the contended output: shaped, so that it and not the emulator is the bottleneck
RATE_MBIT = 5
TICK_S = 0.005
WINDOW_S = 4


@pytest.fixture(scope="module")
def lab():
    with running(ports=PORTS, cores=3) as lab:
        yield lab


@pytest.fixture
def shaped(lab):
    lab.configure(f"set queues eth{OUT} shape {RATE_MBIT}mbit")
    yield lab
    lab.cli("delete queues", "commit")
    wait_for("empty queues", lambda: all(q["depth"] == 0 for q in queues(lab, OUT)))


def frame(wire, source, destination, size, dscp=0, port=9):
    header = Ether(dst=wire.router_mac, src=wire.host_mac) / IP(
        src=f"10.0.{source}.2", dst=f"10.0.{destination}.2", tos=dscp << 2) / UDP(dport=port)
    return bytes(header / Raw(bytes(size - len(header))))


def queues(lab, to):
    """The VOQs towards a port."""
    return lab.json(f"show queues eth{to}")["queues"]


def sent_bytes(lab, to, key):
    """Bytes sent from the VOQs towards a port, by a column."""
    sums = {}
    for q in queues(lab, to):
        sums[q[key]] = sums.get(q[key], 0) + q["bytes"]
    return sums


class Flood:
    """Frames sent every tick from several hosts, at a pace that the emulator takes."""

    def __init__(self, *streams):
        """Each stream: a wire, a frame, bytes a second."""
        self.streams, self.begin = streams, time.monotonic()
        self.sent = [0] * len(streams)
        self.before = [wire.counters()["tap_dropped"] for wire, _, _ in streams]

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            passed = time.monotonic() - self.begin
            for i, (wire, data, rate) in enumerate(self.streams):
                # after a pause of this process no burst makes up for it
                due = min(int(passed * rate / len(data)) - self.sent[i], 64)
                for _ in range(due):
                    wire.send(data)
                self.sent[i] = int(passed * rate / len(data))
            time.sleep(TICK_S)

    def dropped_by_taps(self):
        return [wire.counters()["tap_dropped"] - before
                for (wire, _, _), before in zip(self.streams, self.before)]


def shares(lab, flood, key):
    """Bytes by `key` that left the contended output within a window under full queues."""
    flood.run(2)
    before = sent_bytes(lab, OUT, key)
    flood.run(WINDOW_S)
    after = sent_bytes(lab, OUT, key)
    assert flood.dropped_by_taps() == [0] * len(flood.streams), "the emulator was the bottleneck"
    return {k: after[k] - before.get(k, 0) for k in after if after[k] > before.get(k, 0)}


def jain(values):
    return sum(values) ** 2 / (len(values) * sum(v * v for v in values))


def test_incast(shaped):
    """Three inputs flood one output with frames of different sizes: equal bytes for each, and a
    fourth input on its way to another output loses nothing."""
    share = RATE_MBIT * 1e6 / 8 / 3
    with shaped.wire(0) as h0, shaped.wire(1) as h1, shaped.wire(2) as h2, \
            shaped.wire(4) as h4, shaped.wire(5) as h5:
        bystander = frame(h4, 4, 5, 100)
        before = h5.counters()["received"]
        lost = shaped.drops().total()
        flood = Flood((h0, frame(h0, 0, OUT, 64), 1.5 * share),
                      (h1, frame(h1, 1, OUT, 512), 1.5 * share),
                      (h2, frame(h2, 2, OUT, 1500), 1.5 * share), (h4, bystander, 5000))
        got = shares(shaped, flood, "from")
        inputs = [got[f"eth{i}"] for i in range(3)]
        assert jain(inputs) >= 0.99, got
        assert shaped.drops().total() > lost, "nothing was dropped: that was no overload"
        assert shaped.drops().count("eth4", "voq-full") == 0
        wait_for("all of the bystander's frames",
                 lambda: h5.counters()["received"] - before >= flood.sent[3])


def test_weights(shaped):
    """1:2:4 within 5 %."""
    shaped.configure(f"set queues eth{OUT} class 1 dscp 10 weight 2",
                     f"set queues eth{OUT} class 2 dscp 18-20 weight 4")
    rate = RATE_MBIT * 1e6 / 8
    with shaped.wire(0) as h0, shaped.wire(1) as h1, shaped.wire(2) as h2:
        flood = Flood((h0, frame(h0, 0, OUT, 800), rate * 1.5 / 7),
                      (h1, frame(h1, 1, OUT, 500, dscp=10), rate * 3 / 7),
                      (h2, frame(h2, 2, OUT, 1200, dscp=19), rate * 6 / 7))
        got = shares(shaped, flood, "class")
    assert got[1] / got[0] == pytest.approx(2, rel=0.05), got
    assert got[2] / got[0] == pytest.approx(4, rel=0.05), got


def test_priority(shaped):
    """A strict class loses nothing while the rest is overloaded."""
    shaped.configure(f"set queues eth{OUT} class 5 dscp 46 priority")
    rate = RATE_MBIT * 1e6 / 8
    with shaped.wire(0) as h0, shaped.wire(1) as h1:
        flood = Flood((h0, frame(h0, 0, OUT, 1000), rate * 2),
                      (h1, frame(h1, 1, OUT, 200, dscp=46), rate / 10))
        shares(shaped, flood, "class")
        strict = [q for q in queues(shaped, OUT) if q["class"] == 5]
        assert sum(q["drops"] for q in strict) == 0
        wait_for("the strict class's packets", lambda: flood.sent[1] == sum(
            q["packets"] for q in queues(shaped, OUT) if q["class"] == 5))
        assert shaped.drops().count("eth0", "voq-full") > 0


def test_spread_keeps_order(lab):
    """One RX queue processed by two workers: each flow's packets arrive in order."""
    lab.configure("set interfaces eth0 rx-spread on")
    helps = {core["helps"] for core in lab.json("show cores")["cores"]}
    assert "eth0" in helps
    flows, count = 8, 60
    with lab.wire(0) as h0, lab.wire(1) as h1:
        h1.forget()
        for number in range(count):
            for flow in range(flows):
                header = Ether(dst=h0.router_mac, src=h0.host_mac) / IP(
                    src="10.0.0.2", dst="10.0.1.2") / UDP(sport=2000 + flow, dport=9)
                h0.send(header / Raw(number.to_bytes(4, "big") + bytes(40)))
            time.sleep(0.002)
        seen = {flow: [] for flow in range(flows)}
        while sum(map(len, seen.values())) < flows * count:
            f = h1.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == 17, timeout_s=10)
            assert f, {flow: len(numbers) for flow, numbers in seen.items()}
            seen[int.from_bytes(f[34:36], "big") - 2000].append(int.from_bytes(f[42:46], "big"))
    assert all(numbers == list(range(count)) for numbers in seen.values()), seen
    used = {q["worker"] for q in queues(lab, 1) if q["from"] == "eth0" and q["packets"]}
    assert len(used) == 2, "one worker did it all"
    lab.configure("delete interfaces eth0 rx-spread")


def test_commit_under_load_loses_nothing(lab):
    with lab.wire(0) as h0, lab.wire(1) as h1:
        before, lost = h1.counters()["received"], lab.drops().total()
        flood = Flood((h0, frame(h0, 0, 1, 200), 100000))
        for i in range(10):
            flood.run(0.2)
            lab.configure(f"set system hostname r{i}", f"set routes 203.0.{i}.0/24 via 10.0.1.2",
                          f"set queues eth2 shape {i + 1}mbit")
        assert flood.dropped_by_taps() == [0]
        wait_for("all frames", lambda: h1.counters()["received"] - before >= flood.sent[0])
        assert lab.drops().total() == lost
    lab.configure("delete routes", "delete queues", "delete system hostname")


def test_latency_and_sleep(lab):
    lab.configure("set system idle relaxed")
    lab.cli("clear counters")
    time.sleep(1)
    assert lab.ping(0, "10.0.1.2", count=5)
    shown = lab.json("show latency")
    pairs = {(p["from"], p["to"]): p for p in shown["latency"]}
    there = pairs["eth0", "eth1"]
    assert there["packets"] >= 5
    assert 0 < there["p50_ns"] <= there["p99_ns"] <= there["p9999_ns"] <= there["max_ns"]
    assert all(worker["sleep_ns"] > 0 for worker in shown["workers"])
    lab.configure("delete system idle")
