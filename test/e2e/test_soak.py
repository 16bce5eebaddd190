# Soak: mixed traffic, churn of everything that can change, an audit each second. SOAK_S seconds.
import os
import random
import re
import time

from flood import Flood, udp_frame
from router import HOOKS_IMAGE, running, wait_for

SECONDS = int(os.environ.get("SOAK_S", "60"))
PORTS = 4


def ttl_one(frame):
    """The same frame on its last hop; its checksum follows (RFC 1624)."""
    check = int.from_bytes(frame[24:26], "big") + ((frame[22] - 1) << 8)
    check = (check & 0xFFFF) + (check >> 16)
    return frame[:22] + b"\x01" + frame[23:24] + check.to_bytes(2, "big") + frame[26:]


def streams(wires):
    """From every host to every other, of different sizes, classes and fates."""
    sizes = [60, 64, 65, 128, 511, 1000, 1514]
    for a, here in enumerate(wires):
        for b in range(PORTS):
            if a != b:
                yield (here, udp_frame(here, a, b, sizes[(a * PORTS + b) % len(sizes)],
                                       dscp=(a * 16 + b * 8) % 64, sport=1000 + b), 40000)
    first = udp_frame(wires[0], 0, 1, 200)
    yield wires[0], ttl_one(first), 2000
    yield wires[0], first[:26] + bytes(4) + first[30:], 2000  # from 0.0.0.0, checksum wrong
    yield wires[1], udp_frame(wires[1], 1, 2, 100)[:30], 2000  # ends inside the IPv4 header
    yield wires[2], b"\xff" * 6 + first[6:12] + b"\x86\xdd" + bytes(46), 2000


class Churn:
    """One change a call; none is left behind by undo()."""

    def __init__(self, lab):
        self.lab, self.random = lab, random.Random(4)
        self.kinds = [self.routes, self.neighbors, self.shape, self.classes, self.spread,
                      self.idle, self.mtu, self.cable, self.forget, self.port]

    def step(self):
        self.random.choice(self.kinds)()

    def routes(self):
        block = self.random.randrange(100)
        lines = [f"set routes 198.{block}.{i}.0/24 via 10.0.{i % PORTS}.2" for i in range(30)]
        self.lab.configure(*lines)
        self.lab.configure(*(l.replace("set", "delete", 1) for l in lines[::2]))

    def neighbors(self):
        self.lab.configure(f"set neighbors eth1 10.0.1.{self.random.randrange(10, 250)} "
                           f"02:00:00:00:00:{self.random.randrange(10, 99)}")

    def shape(self):
        self.lab.configure(f"set queues eth2 shape {self.random.randrange(100, 4000)}kbit")

    def classes(self):
        self.lab.configure(f"set queues eth3 class 1 dscp 8 weight {self.random.randrange(1, 9)}",
                           "set queues eth3 class 6 dscp 46-48 priority")

    def spread(self):
        self.lab.configure(f"set interfaces eth0 rx-spread {self.random.choice(['on', 'off'])}")

    def idle(self):
        self.lab.configure(f"set system idle {self.random.choice(['poll', 'relaxed'])}")

    def mtu(self):
        self.lab.configure(f"set interfaces eth3 mtu {self.random.randrange(1280, 1501)}")

    def cable(self):
        self.lab.link(3, up=False)
        self.lab.link(3, up=True)

    def port(self):
        self.lab.configure("set interfaces eth1 disabled")
        self.lab.configure("delete interfaces eth1 disabled")

    def forget(self):
        self.lab.cli(self.random.choice(["clear neighbors", "clear counters"]))

    def undo(self):
        self.lab.configure("delete routes", "delete neighbors", "delete queues",
                           "delete interfaces eth0 rx-spread", "delete interfaces eth3 mtu",
                           "delete system idle")


def undoable(lab):
    """One line of each kind, so that undo() finds something to delete."""
    lab.configure("set routes 198.51.100.0/24 blackhole", "set neighbors eth1 10.0.1.9 "
                  "02:00:00:00:00:09", "set queues eth2 shape 4mbit",
                  "set interfaces eth0 rx-spread auto", "set interfaces eth3 mtu 1500",
                  "set system idle poll")


def check_empty(lab):
    """Nothing on its way, and every packet has its fate."""
    wait_for("empty queues", lambda: all(
        q["depth"] == 0 for q in lab.json("show queues")["queues"]))
    lab.check_books()


def test_soak():
    with running(ports=PORTS, cores=3, image=HOOKS_IMAGE, books=False) as lab:
        wires = [lab.wire(i) for i in range(PORTS)]
        undoable(lab)
        churn, audits = Churn(lab), 0
        with Flood(*streams(wires)) as flood:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end or audits < SECONDS / 4:
                second = time.monotonic() + 1
                churn.step()
                lab.check_books()
                audits += 1
                time.sleep(max(0, second - time.monotonic()))
            churn.undo()
        assert all(stream.sent for stream in flood.streams)
        check_empty(lab)
        with Flood(*streams(wires)):
            check_leak_is_named(lab)
        for wire in wires:
            wire.socket.close()


def check_leak_is_named(lab):
    """Under load, the first audit after the leak finds it."""
    lab.check_books()
    report = lab.cli("debug leak eth0", "show buffers")  # the command ends when it is lost
    assert re.search(r"audit: .*1 missing, last owner the worker of eth0", report), report
