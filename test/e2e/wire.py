# Raw frames on p0 of a host: exactly these bytes leave, and exactly what arrived is seen.
import errno
import os
import re
import socket
import struct
import time

from labkit import hosts
from patience import PATIENCE_S

ETH_P_ALL = 3
OUTGOING = 4  # packet(7): PACKET_OUTGOING, our own frames seen again
SOL_PACKET, PACKET_AUXDATA, TAG_VALID, TYPE_VALID = 263, 8, 0x10, 0x40  # packet(7)
SO_RCVBUFFORCE = 33  # socket(7): more than net.core.rmem_max, which by default is 500 small frames


def open_raw():
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    s.bind(("p0", ETH_P_ALL))
    return s


def own_device():
    """What the calling thread's namespace says of p0: eight numbers of each direction, in first."""
    with open("/proc/thread-self/net/dev", encoding="ascii") as f:
        return next(line.split(":")[1] for line in f if line.strip().startswith("p0:"))


def show_tags(s):
    """The raw socket will say what VLAN tag Linux has taken off a frame."""
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)


def receive_tagged(s):
    """One frame as it was on the wire, or None if it was our own. After show_tags."""
    frame, aux, _, address = s.recvmsg(65536, 64)
    for level, kind, data in aux:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, tci, protocol = struct.unpack_from("=I12xHH", data)
            if status & TAG_VALID:
                protocol = protocol if status & TYPE_VALID else 0x8100
                frame = frame[:12] + struct.pack("!HH", protocol, tci) + frame[12:]
    return None if address[2] == OUTGOING else frame


class Wire:
    """A raw socket on p0. host_mac and router_mac are the two ends of the cable."""

    def __init__(self, namespace, host):
        self.namespace = namespace
        self.host_mac = hosts.host_mac(host)
        self.router_mac = hosts.router_mac(host)
        self.socket = hosts.inside(namespace, open_raw)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, frame):
        """Sends one frame, bytes or scapy. A full tap drops it: see counters()."""
        try:
            self.socket.send(bytes(frame))
        except OSError as e:
            if e.errno != errno.ENOBUFS:
                raise

    def send_all(self, frames, burst=250):
        """Sends frames, `burst` at a time, and waits until the tap has accounted for each of them.
        Returns how many QEMU has taken and how many the tap has dropped (none in small bursts)."""
        before = self.counters()
        for first in range(0, len(frames), burst):
            sent = frames[first:first + burst]
            for frame in sent:
                self.send(frame)
            end = time.monotonic() + PATIENCE_S
            while True:
                now = self.counters()
                taken = now["sent"] - before["sent"]
                dropped = now["tap_dropped"] - before["tap_dropped"]
                if taken + dropped >= first + len(sent):
                    break
                assert time.monotonic() < end, f"the tap holds frames: {before} {now}"
                time.sleep(0.001)  # the emulator wants a core, too
        return taken, dropped

    def receive(self, wanted, timeout_s=PATIENCE_S):
        """The first frame from the router for which wanted(bytes) is true, or None."""
        end = time.monotonic() + timeout_s
        while True:
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                frame, address = self.socket.recvfrom(65536)
            except socket.timeout:
                return None
            if address[2] != OUTGOING and wanted(frame):
                return frame

    def forget(self):
        """Throws away what has arrived so far."""
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(65536)
        except BlockingIOError:
            pass

    def counters(self):
        """The tap's own book: sent (taken by QEMU), dropped (for want of room), received."""
        line = hosts.inside(self.namespace, own_device)
        received, sent, dropped = (int(line.split()[i]) for i in (1, 9, 11))
        far = self.far_end()
        if far:  # what a veth pair is given it still has to hand over
            sent, dropped = far["xdp_packets"] - far["drops"], dropped + far["drops"]
        return {"sent": sent, "tap_dropped": dropped, "received": received}

    def far_end(self):
        """Of a veth pair with a router's process at its other end: what has come there, and how
        much of that found its ring empty. None of a tap."""
        lab, _, host = self.namespace.rpartition("-h")
        if not os.path.exists(f"/run/netns/{lab}-r"):
            return None
        done = hosts.run_inside(f"{lab}-r", "ethtool", "-S", f"eth{host}")
        return {word: sum(int(n) for n in re.findall(rf"rx_queue_\d+_{word}: (\d+)", done.stdout))
                for word in ("xdp_packets", "drops")}
