# The far ends of a router's cables: sends frames at its pace and takes all that comes out.
import contextlib
import errno
import select
import time

from differential.exchange import open_port
from labkit import hosts
from patience import PATIENCE_S, wait_for
from wire import OUTGOING

BURST = 100     # frames of one send: fewer than a tap's queue
QUIET_S = 0.2   # nothing for so long: all that was under way is there; Linux may leave it to a thread


class Ends:
    """Raw sockets, one by cable; of either router."""

    def __init__(self, ends):
        """ends: (namespace, interface) by cable."""
        self.sockets = [hosts.inside(ns, open_port, name) for ns, name in ends]
        self.came = []  # (cable, frame), since last taken

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in self.sockets:
            s.close()

    def put(self, cable, frame):
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.sockets[cable].send(frame)
                return
            except OSError as e:  # a tap's queue is full
                if e.errno != errno.ENOBUFS or time.monotonic() > end:
                    raise
                self.drain()
                time.sleep(0.001)

    def drain(self):
        any_came = False
        for cable, s in enumerate(self.sockets):
            with contextlib.suppress(BlockingIOError):
                while True:
                    frame, address = s.recvfrom(65536)
                    if address[2] != OUTGOING:
                        self.came.append((cable, frame))
                        any_came = True
        return any_came

    def taken(self):
        """All that has come since this was asked last."""
        while select.select(self.sockets, [], [], QUIET_S)[0] and self.drain():
            pass
        came, self.came = self.came, []
        return came


class OfLinux(Ends):
    """Linux forwards a frame before the call that sends it returns, or soon after."""

    def __init__(self, linux):
        super().__init__([(linux.cables, f"c{p}") for p in range(linux.topology.PORTS)])

    def exchange(self, frames):
        """Sends (cable, frame) one after the other; what came out."""
        for n, (cable, frame) in enumerate(frames):
            self.put(cable, frame)
            if n % BURST == 0:
                self.drain()
        return self.taken()


class OfBarewire(Ends):
    """A burst is waited for until the router has it; and at the end until it holds nothing."""

    def __init__(self, lab, ports):
        super().__init__([(lab.place.namespace(p), "p0") for p in range(ports)])
        self.lab = lab
        self.wires = [lab.wire(p) for p in range(ports)]
        self.put_so_far = [0] * ports
        self.begin = [w.counters() for w in self.wires]

    def __exit__(self, *unused):
        for w in self.wires:
            w.socket.close()
        super().__exit__(*unused)

    def accounted(self, cable):
        """Whether the tap has handed over all that was put into it; none may be dropped there."""
        now, then = self.wires[cable].counters(), self.begin[cable]
        assert now["tap_dropped"] == then["tap_dropped"], "the tap dropped what a test sent"
        return now["sent"] - then["sent"] >= self.put_so_far[cable]

    def settle(self):
        """Waits until the router has all frames and holds none of them."""
        for cable, put in enumerate(self.put_so_far):
            if put:
                wait_for("the tap", lambda c=cable: self.drain() or self.accounted(c))

        def at_rest():
            self.drain()
            drops = self.lab.drops()
            return drops if not sum(map(drops.in_flight, drops.ports())) else None
        return wait_for("the router at rest", at_rest)

    def exchange(self, frames):
        for n, (cable, frame) in enumerate(frames):
            self.put(cable, frame)
            self.put_so_far[cable] += 1
            if n % BURST == BURST - 1:
                wait_for("the tap", lambda c=cable: self.drain() or self.accounted(c))
        self.settle()
        return self.taken()
