# The crossbar under load: fair shares of a contended output, weights, priority, spreading, sleep.
import time

import pytest
from flood import Flood, check_order, udp_frame
from router import running, wait_for

PORTS = 6
OUT = 3  # the contended output: shaped, so that it and not the emulator is the bottleneck
RATES_MBIT = (20, 10, 5)  # the first one that the emulator keeps up with
WINDOW_S = 4


@pytest.fixture(scope="module")
def lab():
    with running(ports=PORTS, cores=3) as lab:
        yield lab


@pytest.fixture
def contended(lab):
    yield lab
    lab.cli("delete queues", "commit")
    wait_for("empty queues", lambda: all(q["depth"] == 0 for q in queues(lab, OUT)))


def queues(lab, to):
    """The VOQs towards a port."""
    return lab.json(f"show queues eth{to}")["queues"]


def queue_sums(lab, key, value):
    """A column of the VOQs towards the contended port, summed by another."""
    sums = {}
    for q in queues(lab, OUT):
        sums[q[key]] = sums.get(q[key], 0) + q[value]
    return sums


def shares(lab, key, streams, settings=(), contenders=3):
    """
    Bytes by `key` that left the contended output within a window, of those whose queues held
    packets at its beginning and end; and the flood. streams: what makes its streams, for an output
    of so many bytes a second. contenders: how many are to have had packets waiting; at a rate where
    fewer had, whoever sends was the bottleneck.
    """
    for rate in RATES_MBIT:
        lab.configure(f"set queues eth{OUT} shape {rate}mbit", *settings)
        with Flood(*streams(rate * 1e6 / 8)) as flood:
            time.sleep(1.5)
            before, waited = queue_sums(lab, key, "bytes"), queue_sums(lab, key, "depth")
            time.sleep(WINDOW_S)
            after, waiting = queue_sums(lab, key, "bytes"), queue_sums(lab, key, "depth")
        backlogged = [k for k in after if waited.get(k) and waiting[k]]
        if flood.tap_dropped() == 0 and len(backlogged) >= contenders:
            return {k: after[k] - before[k] for k in backlogged}, flood
    raise AssertionError("the emulator was the bottleneck at every rate")


def jain(values):
    return sum(values) ** 2 / (len(values) * sum(v * v for v in values))


def test_incast(contended):
    """Three inputs flood one output with frames of different sizes: equal bytes for each, and a
    fourth input on its way to another output loses nothing."""
    lab = contended
    with lab.wire(0) as h0, lab.wire(1) as h1, lab.wire(2) as h2, lab.wire(4) as h4, \
            lab.wire(5) as h5:
        before, lost = h5.counters()["received"], lab.drops()

        def streams(rate):
            return ((h0, udp_frame(h0, 0, OUT, 64), rate / 2),
                    (h1, udp_frame(h1, 1, OUT, 512), rate / 2),
                    (h2, udp_frame(h2, 2, OUT, 1500), rate / 2),
                    (h4, udp_frame(h4, 4, 5, 100), 50000))

        got, flood = shares(lab, "from", streams)
        assert jain([got[f"eth{i}"] for i in range(3)]) >= 0.99, got
        now = lab.drops()
        assert now.total() > lost.total(), "nothing was dropped: that was no overload"
        assert now.count("eth4", "voq-full") == lost.count("eth4", "voq-full")
        wait_for("all of the bystander's frames",
                 lambda: h5.counters()["received"] - before >= flood.sent(3))


def test_weights(contended):
    """1:2:4 within 5 %."""
    settings = (f"set queues eth{OUT} class 1 dscp 10 weight 2",
                f"set queues eth{OUT} class 2 dscp 18-20 weight 4")
    with contended.wire(0) as h0, contended.wire(1) as h1, contended.wire(2) as h2:
        got, _ = shares(contended, "class", lambda rate: (
            (h0, udp_frame(h0, 0, OUT, 800), rate * 1.3 / 7),
            (h1, udp_frame(h1, 1, OUT, 500, dscp=10), rate * 2.6 / 7),
            (h2, udp_frame(h2, 2, OUT, 1200, dscp=19), rate * 5.2 / 7)), settings)
    assert got[1] / got[0] == pytest.approx(2, rel=0.05), got
    assert got[2] / got[0] == pytest.approx(4, rel=0.05), got


def test_priority(contended):
    """A strict class keeps its packets while the rest is overloaded."""
    before = contended.drops().count("eth0", "voq-full")
    with contended.wire(0) as h0, contended.wire(1) as h1, contended.wire(OUT) as out:
        out.forget()
        _, flood = shares(contended, "class", lambda rate: (
            (h0, udp_frame(h0, 0, OUT, 1000), rate * 1.5),
            (h1, udp_frame(h1, 1, OUT, 200, dscp=46), rate / 10)),
            (f"set queues eth{OUT} class 5 dscp 46 priority",), contenders=1)
        assert queue_sums(contended, "class", "drops")[5] == 0
        wait_for("the strict class's packets",
                 lambda: queue_sums(contended, "class", "packets")[5] >= flood.sent(1))
    assert contended.drops().count("eth0", "voq-full") > before


def test_spread_keeps_order(lab):
    """One RX queue processed by two workers: each flow's packets arrive in order."""
    lab.configure("set interfaces eth0 rx-spread on")
    assert "eth0" in {core["helps"] for core in lab.json("show cores")["cores"]}
    check_order(lab, 0, 1)
    used = {q["worker"] for q in queues(lab, 1) if q["from"] == "eth0" and q["packets"]}
    assert len(used) == 2, "one worker did it all"
    lab.configure("delete interfaces eth0 rx-spread")


def test_commit_under_load_loses_nothing(lab):
    with lab.wire(0) as h0, lab.wire(1) as h1:
        before, lost = h1.counters()["received"], lab.drops().total()
        # A queue holds what comes in a second: a worker may be without a core for so long.
        with Flood((h0, udp_frame(h0, 0, 1, 200), 200000)) as flood:
            commits = 0
            while commits < 10 or flood.sent(0) < 1000:
                lab.configure(f"set system hostname r{commits}",
                              f"set routes 203.0.{commits % 256}.0/24 via 10.0.1.2",
                              f"set queues eth2 shape {commits % 100 + 1}mbit")
                commits += 1
        taken = flood.sent(0) - flood.tap_dropped()  # the rest never reached the router
        wait_for("all frames", lambda: h1.counters()["received"] - before >= taken)
        assert lab.drops().total() == lost
    lab.configure("delete routes", "delete queues", "delete system hostname")


def test_host_goes_silent_and_deaf(lab):
    """One of two receivers disappears in mid flood and comes back: the other misses nothing."""
    with lab.wire(0) as h0, lab.wire(1) as h1:
        before = h1.counters()["received"]
        with Flood((h0, udp_frame(h0, 0, 1, 200), 100000),
                   (h0, udp_frame(h0, 0, 2, 1000), 500000)) as flood:
            time.sleep(1)
            lab.must(2, "ip", "link", "set", "p0", "down")
            # New gateways by way of it are asked for in vain, while packets come.
            lab.configure("set routes 10.0.2.2/32 via 10.0.2.77")
            time.sleep(4)
            lab.check_books()
            lab.must(2, "ip", "link", "set", "p0", "up")
            lab.must(2, "ip", "route", "replace", "default", "via", "10.0.2.1")
            lab.configure("delete routes")
            lab.wait_ping(2, "10.0.1.2")
        taken = flood.sent(0) - flood.streams[0].tap_dropped()  # and both streams share the tap
        wait_for("all frames to h1", lambda: h1.counters()["received"] - before >= taken)
    lab.warm(PORTS)


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
