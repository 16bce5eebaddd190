# Traffic at a pace the emulator takes, sent while the test does something else.
import threading
import time

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

TICK_S = 0.002
BURST = 200  # of one stream in one tick: less than a tap queues


def udp_frame(wire, source, destination, size, dscp=0, sport=1000, dport=9):
    """An Ethernet frame of `size` bytes from host to host, without FCS."""
    header = Ether(dst=wire.router_mac, src=wire.host_mac) / IP(
        src=f"10.0.{source}.2", dst=f"10.0.{destination}.2", tos=dscp << 2) / UDP(
        sport=sport, dport=dport)
    return bytes(header / bytes(size - len(header)))


class Stream:
    """One frame, sent over and over."""

    def __init__(self, wire, frame, bytes_per_second):
        self.wire, self.frame = wire, frame
        self.per_tick = bytes_per_second * TICK_S / len(frame)
        self.due, self.sent = 0.0, 0
        self.dropped_before = wire.counters()["tap_dropped"]

    def tick(self, ticks):
        """Sends what became due; what was missed in a pause of this process is not made up for."""
        self.due = min(self.due + ticks * self.per_tick, BURST)
        while self.due >= 1:
            self.wire.send(self.frame)
            self.sent += 1
            self.due -= 1

    def tap_dropped(self):
        return self.wire.counters()["tap_dropped"] - self.dropped_before


class Flood:
    """Streams in the background, from entry to exit of a `with`."""

    def __init__(self, *streams):
        """Each stream: a wire, a frame, bytes a second."""
        self.streams = [Stream(*s) for s in streams]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        last = time.monotonic()
        while not self.over.wait(TICK_S):
            now = time.monotonic()
            for stream in self.streams:
                stream.tick((now - last) / TICK_S)
            last = now

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def sent(self, i):
        return self.streams[i].sent

    def tap_dropped(self):
        """Frames that the emulator was too slow for, before the router had them."""
        return sum(stream.tap_dropped() for stream in self.streams)


def check_order(lab, source, destination, flows=16, count=60):
    """Sends `count` numbered packets of each flow: all arrive, each flow's in order."""
    with lab.wire(source) as there, lab.wire(destination) as here:
        here.forget()
        for number in range(count):
            for flow in range(flows):
                frame = udp_frame(there, source, destination, 90, sport=2000 + flow)
                there.send(frame[:42] + number.to_bytes(4, "big") + frame[46:])
            time.sleep(0.002)
        seen = {flow: [] for flow in range(flows)}
        while sum(map(len, seen.values())) < flows * count:
            f = here.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == 17)
            assert f, {flow: len(numbers) for flow, numbers in seen.items()}
            seen[int.from_bytes(f[34:36], "big") - 2000].append(int.from_bytes(f[42:46], "big"))
    assert all(numbers == list(range(count)) for numbers in seen.values()), seen
