# A machine without a lab around it: QEMU with the devices a test names, serial lines into files, one NIC
# whose wire is a pair of UDP sockets.
import contextlib
import os
import socket
import struct
import subprocess
import tempfile
import types

import frame
from labkit import boot, machine
from labkit.machine import Qmp
from patience import PATIENCE_S, wait_for

ROUTER = "10.0.0.1"
CONFIG = f"set interfaces eth0 address {ROUTER}/24\n"
MAC = bytes.fromhex("020000000002")
VGA_TEXT, VGA_BYTES = 0xb8000, 80 * 25 * 2


class Bare:
    """A machine that is up; made by booted()."""

    def __init__(self, folder):
        self.folder, self.name = folder, "bare"
        self.wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.wire.bind(self.path("wire"))
        self.process = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def serial(self, line):
        """What has come out of a serial line, counted from 0."""
        return machine.read_text(self.path(f"serial{line}")).replace("\r", "")

    def start(self, lines, qemu, **options):
        options = types.SimpleNamespace(**{"machine": "q35", "cores": 2, "mem": 512, "bios": None,
                                           "net": "tap", "qemu": "", "boot": "kernel", "image": None,
                                           "no_config": False, "routes": None, "timeout": None, **options})
        way = boot.complete(options)
        with open(self.path("config"), "w", encoding="ascii") as f:
            f.write(CONFIG)
        words = machine.base_arguments("tcg", options) + way.arguments(self, options, "tcg")
        for line in range(lines):
            words += ["-serial", f"file:{self.path(f'serial{line}')}"]
        words += ["-qmp", f"unix:{self.path('qmp')},server=on,wait=off",
                  "-netdev", f"dgram,id=n0,local.type=unix,local.path={self.path('nic')},"
                  f"remote.type=unix,remote.path={self.path('wire')}",
                  "-device", "virtio-net-pci,netdev=n0,disable-legacy=on,romfile=", *qemu]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT,
                                        stdout=open(self.path("qemu.log"), "wb"))

    def answers_arp(self, timeout_s=0.5):
        """Does the router say who has its address?"""
        address = socket.inet_aton(ROUTER)
        ask = (b"\xff" * 6 + MAC + struct.pack("!HHHBBH", 0x806, 1, 0x800, 6, 4, 1) + MAC
               + socket.inet_aton("10.0.0.2") + bytes(6) + address)
        self.wire.settimeout(timeout_s)
        try:
            self.wire.sendto(ask.ljust(60, b"\0"), self.path("nic"))
            while True:
                frame = self.wire.recv(2048)
                if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\x02" and frame[28:32] == address:
                    return True
        except OSError:
            return False

    def wait_alive(self, patience_s=PATIENCE_S):
        wait_for("an ARP reply", self.answers_arp, patience_s)

    def screen(self):
        """The lines of the VGA screen."""
        Qmp(self).run("pmemsave", val=VGA_TEXT, size=VGA_BYTES, filename=self.path("screen"))
        with open(self.path("screen"), "rb") as f:
            text = f.read()[::2].decode("latin-1")
        return [text[i:i + 80].rstrip() for i in range(0, len(text), 80)]

    def frame(self):
        """The lines on the frame buffer."""
        Qmp(self).run("screendump", filename=self.path("frame"))
        return frame.lines(self.path("frame"))


@contextlib.contextmanager
def booted(lines=1, qemu=(), append="", **options):
    """A machine with so many serial lines, booted in a way of labkit/boot.py; it ends with the block."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Bare(folder)
        try:
            bare.start(lines, qemu, append=append, **options)
            yield bare
        finally:
            if bare.process:
                bare.process.kill()
                bare.process.wait()
            bare.wire.close()
