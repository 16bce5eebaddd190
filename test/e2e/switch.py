# A VLAN switch between a host's tap and Linux hosts of their own: p0 of hI is the trunk. In Python,
# because not every kernel has 802.1Q, and so that a test can say exactly what is tagged how.
import os
import select
import struct
import subprocess
import threading

from labkit import hosts
from wire import Wire, receive_tagged, show_tags


class TagWire(Wire):
    """A raw socket on p0 that sees tags, which Linux takes off frames before it shows them."""

    def __init__(self, lab, host):
        super().__init__(lab.place.namespace(host), host)
        show_tags(self.socket)

    def read(self):
        """One frame as it was on the wire, or None if it was our own."""
        return receive_tagged(self.socket)


class VlanHost:
    """A Linux host at an access port, in a namespace of its own."""

    def __init__(self, name, addresses, routers, mtu):
        self.name = name
        subprocess.run(["ip", "netns", "add", name], check=True)
        hosts.inside(name, hosts.write_sysctls)
        self.tap = hosts.inside(name, hosts.open_tap, 1)[0]
        self.must("ip", "link", "set", "lo", "up")
        self.must("ip", "link", "set", "p0", "mtu", str(mtu), "up")
        for address in addresses:
            self.must("ip", "address", "add", address, "dev", "p0")
        for router in routers:
            self.must("ip", "-6" if ":" in router else "-4", "route", "add", "default", "via",
                      router)

    def close(self):
        os.close(self.tap)
        subprocess.run(["ip", "netns", "del", self.name], check=False)

    def run(self, *command):
        return hosts.run_inside(self.name, *command)

    def must(self, *command):
        return hosts.must(self.run(*command))

    def ping(self, address, *options, count=1, wait_s=10):
        """True if every echo is answered."""
        done = self.run("ping", "-c", str(count), "-W", str(wait_s), *options, address)
        return done.returncode == 0


class Switch:
    """Access ports by VID behind hI; frames of no access port are not passed on."""

    def __init__(self, lab, host=0):
        self.lab, self.trunk, self.port = lab, TagWire(lab, host), {}
        self.stop_read, self.stop_write = os.pipe()
        self.thread = None

    def add(self, vid, addresses, routers, mtu=1500):
        """A host there; before start()."""
        self.port[vid] = VlanHost(f"{self.lab.name}-v{vid}", addresses, routers, mtu)
        return self.port[vid]

    def start(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def close(self):
        os.write(self.stop_write, b"x")
        if self.thread:
            self.thread.join()
        for host in self.port.values():
            host.close()
        self.trunk.socket.close()
        os.close(self.stop_read)
        os.close(self.stop_write)

    def run(self):
        taps = {host.tap: vid for vid, host in self.port.items()}
        trunk = self.trunk.socket.fileno()
        self.trunk.socket.setblocking(True)
        while True:
            ready, _, _ = select.select([self.stop_read, trunk, *taps], [], [])
            for fd in ready:
                if fd == self.stop_read:
                    return
                if fd == trunk:
                    self.from_trunk()
                else:
                    frame = os.read(fd, 65536)
                    self.trunk.send(frame[:12] + struct.pack("!HH", 0x8100, taps[fd]) + frame[12:])

    def from_trunk(self):
        frame = self.trunk.read()
        if frame is None or frame[12:14] != b"\x81\x00":
            return
        host = self.port.get(struct.unpack_from("!H", frame, 14)[0] & 0xFFF)
        if host:
            os.write(host.tap, frame[:12] + frame[16:])
