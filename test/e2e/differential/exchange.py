# Sends cases to a router a batch at a time and takes what it sends, with no waiting but for events.
import contextlib
import errno
import select
import socket
import time

from labkit import hosts
from patience import PATIENCE_S
from wire import receive_tagged, show_tags

ETH_P_ALL = 3
SO_RCVBUFFORCE = 33  # socket(7)
BATCH = 40  # fewer than the errors barewire has in its bucket (net/proto/icmp.h)
ERRORS_PER_S, ERROR_BURST = 600, 50  # it gives 1000: its clock may be slower than ours
SLOW_PER_S, SLOW_BURST = 400, 50  # it takes 100 in a tenth of a second (net/proto/slowpath6.c)
QUIET_S = 0.05  # nothing for so long: what was under way when the last answer came is there


def open_port(name):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    s.bind((name, ETH_P_ALL))
    show_tags(s)
    s.setblocking(False)
    return s


class Bucket:
    """The router's allowance for something as we know it: we wait before it can be empty."""

    def __init__(self, per_s, burst):
        self.per_s, self.burst = per_s, burst
        self.tokens, self.last = 0.0, time.monotonic()

    def fill(self):
        now = time.monotonic()
        self.tokens = min(self.tokens + (now - self.last) * self.per_s, self.burst)
        self.last = now

    def wait(self, wanted):
        self.fill()
        if self.tokens < wanted:
            time.sleep((wanted - self.tokens) / self.per_s)

    def take(self, n=1):
        """An error has come. The router took it from its bucket earlier than we do from ours."""
        self.fill()
        self.tokens -= n


class Bench:
    """A router seen from outside: a raw socket at the far end of each of its cables."""

    def __init__(self, family, ends, paced):
        """ends: (namespace, interface) by cable. paced: its errors are limited."""
        self.family = family
        self.sockets = [hosts.inside(ns, open_port, name) for ns, name in ends]
        self.bucket = Bucket(ERRORS_PER_S, ERROR_BURST) if paced else None
        self.slow = Bucket(SLOW_PER_S, SLOW_BURST) if paced else None
        self.outputs = []   # (port, frame), as they came
        self.markers = 0
        self.marked = set()
        self.sent = [0] * len(ends)

    def close(self):
        for s in self.sockets:
            s.close()

    def send(self, cable, frame):
        try:
            self.sockets[cable].send(frame)
            self.sent[cable] += 1
        except OSError as e:
            # A veth refuses what its peer's MTU forbids: that router has dropped it.
            if e.errno != errno.ENOBUFS or len(frame) <= 14 + self.family.topology.MTU[cable]:
                raise

    def take(self):
        """Takes what has come; True if there was anything but our own frames."""
        any_came = False
        for cable, s in enumerate(self.sockets):
            with contextlib.suppress(BlockingIOError):
                while True:
                    frame = receive_tagged(s)
                    if frame is not None:
                        any_came = True
                        self.sort(*self.family.take(cable, frame))
        return any_came

    def sort(self, port, frame):
        if self.family.is_chatter(frame):
            return
        number = self.family.marked(frame)
        if number is not None:
            self.marked.add(number)
            return
        if self.bucket and self.family.is_limited(frame):
            self.bucket.take()
        self.outputs.append((port, frame))

    def mark(self, ports):
        """Sends a marker by each port and takes frames until all are answered: what was sent
        before has been through the workers and the control core."""
        waited_for = set()
        for port in ports:
            self.markers = self.markers % 250 + 1
            self.marked.discard(self.markers)
            self.send(*self.family.put(port, self.family.marker(port, self.markers)))
            waited_for.add(self.markers)
        end = time.monotonic() + PATIENCE_S
        while not waited_for <= self.marked:
            assert time.monotonic() < end, f"markers {waited_for - self.marked} are not answered"
            select.select(self.sockets, [], [], 1)
            self.take()

    def run(self, cases):
        """Sends all cases and takes what comes of them."""
        for first in range(0, len(cases), BATCH):
            batch = cases[first:first + BATCH]
            if self.bucket:
                self.bucket.wait(BATCH)
                slow = sum(self.family.is_slow(case.frame) for case in batch)
                self.slow.wait(slow)
                self.slow.take(slow)
            for case in batch:
                self.send(*case.on_wire())
            self.mark(sorted({case.port for case in batch}))

    def finish(self):
        """The last frames, once the router says that it holds none."""
        self.mark(range(self.family.topology.PORTS))
        while select.select(self.sockets, [], [], QUIET_S)[0]:
            self.take()
