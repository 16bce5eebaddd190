# A lab as the tests see it: the router by its shell, the hosts by commands and sockets.
import contextlib
import json
import os
import re
import subprocess
import tempfile
import time

import pytest

from books import Drops
from echo import Ping, open_icmp
from labkit import hosts
from labkit.console import Console
from labkit.place import TREE, Place
from labkit.transfer import carry_file
from patience import PATIENCE_S, wait_for
from wire import Wire

# BAREWIRE_LAB=hosted: the same tests, the router a Linux process over AF_XDP instead of a machine.
HOSTED = os.environ.get("BAREWIRE_LAB") == "hosted"
# BAREWIRE_NIC=ixgbe, or ixgbe,virtio: the same tests, the machine's ports being such.
NIC = os.environ.get("BAREWIRE_NIC")
LAB = os.path.join(TREE, "tools", "lab")
IMAGE = os.path.join(TREE, "build", "barewire.elf")
PVH_IMAGE = os.path.join(TREE, "build", "barewire-pvh.elf")  # without its multiboot1 header
HOOKS_IMAGE = os.path.join(TREE, "build", "barewire-hooks.elf")
BUSY = re.compile(r"error: worker \d+ does not answer")
TOOL_S = 300  # for tools/lab, which gives up by itself before that (labkit/boot.py)
TRIES = 10  # a worker that is stuck stays so
MACHINE_ONLY = {"accel", "append", "bios", "boot", "image", "machine", "nic", "no_config", "packed",
                "qemu", "queues", "rss"}
REBOOTED = re.compile(r"barewire: ready in [\s\S]*barewire> $")
_count = 0


class Lab:
    """One lab by a name of its own; made by running()."""

    def __init__(self):
        global _count
        _count += 1
        self.name = f"e2e-{os.getpid()}-{_count}"
        self.place = Place(self.name)

    def tool(self, *words, timeout_s=TOOL_S, text=None):
        return subprocess.run([LAB, *words], capture_output=True, text=True, input=text,
                              timeout=timeout_s, check=False, env={**os.environ, "LAB": self.name})

    def up(self, ports=2, cores=2, config=None, **options):
        words = ["--ports", str(ports), "--cores", str(cores)]
        if HOSTED and not options.get("hosted"):
            only = MACHINE_ONLY & options.keys()
            if only:
                pytest.skip(f"{', '.join(sorted(only))}: a matter of the machine")
            words += ["--hosted"]
        elif not options.get("hosted"):
            options.setdefault("accel", "tcg")  # the same everywhere; tests of KVM ask for it
            if NIC:
                options.setdefault("nic", NIC)
        for name, value in options.items():
            word = "--" + name.replace("_", "-")
            words += [word] if value is True else [word, str(value)]
        with contextlib.ExitStack() as stack:
            if config is not None:
                file = stack.enter_context(tempfile.NamedTemporaryFile("w", suffix=".conf"))
                file.write(config)
                file.flush()
                words += ["--config", file.name]
            done = self.tool("up", *words)
        assert done.returncode == 0, f"lab up {' '.join(words)}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def down(self):
        done = self.tool("down")
        assert done.returncode == 0, done.stderr

    # ------------------------------------------------------------ the router

    def cli(self, *lines, fails=False):
        """Runs shell lines one after the other and returns their replies as one text. As `lab cli`,
        without a process of its own."""
        with self.console() as console:
            replies = [self.reply(console, line, 0 if fails else TRIES) for line in lines]
        said = "\n".join(r for r in replies if r)
        good = not re.search(r"^error:", said, re.MULTILINE)
        assert good != fails, f"{lines}:\n{said}"
        return said

    @staticmethod
    def reply(console, line, tries):
        """What a line is answered. On a busy machine a worker may not have had a core for a second,
        and what needs it has not been done: then again, so many times."""
        while True:
            reply = console.command(line, PATIENCE_S)
            tries -= 1
            if tries <= 0 or not BUSY.fullmatch(reply):
                return reply
            time.sleep(0.2)

    def json(self, command):
        return json.loads(self.cli(command + " | json"))

    def drops(self):
        return Drops(self.json("show drops"))

    def interface(self, name):
        """One interface as `show interfaces` tells it."""
        return self.json(f"show interfaces {name}")["interfaces"][0]

    def error(self, line):
        """Runs a line that must end in exactly one 'error: ...' line, which is returned."""
        reply = self.cli(line, fails=True)
        assert reply.startswith("error: ") and "\n" not in reply, repr(reply)
        return reply

    def configure(self, *lines):
        self.cli(*lines, "commit")

    @contextlib.contextmanager
    def console(self):
        """The serial line to ourselves, at an empty prompt."""
        with self.place.console_lock(PATIENCE_S):
            console = Console(self.place)
            try:
                console.sync(PATIENCE_S)
                yield console
            finally:
                console.close()

    def serial_log(self):
        with open(self.place.path("serial.log"), "rb") as f:
            return f.read().decode("utf-8", "replace").replace("\r", "")

    def check_books(self):
        buffers, drops = self.cli("show buffers"), self.cli("show drops")
        assert "audit: ok" in buffers, buffers
        assert "balance: ok" in drops, drops

    def link(self, port, up):
        """Pulls or plugs the cable of a port, and waits until the router has noticed."""
        state = "up" if up else "down"
        done = self.tool("link", str(port), state)
        assert done.returncode == 0, done.stderr
        wait_for(f"link {state}", lambda: self.interface(f"eth{port}")["link"] == state)

    # ------------------------------------------------------------ the hosts

    def run(self, host, *command, timeout_s=120):
        """A command in host hI; returns the finished process. As `lab exec`."""
        return hosts.run_inside(self.place.namespace(host), *command, timeout_s=timeout_s, sys=True)

    def must(self, host, *command):
        done = self.run(host, *command)
        assert done.returncode == 0, f"h{host}: {command}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def ping(self, host, address, count=3, size=56, fragment=False, wait_s=PATIENCE_S):
        """True if every echo is answered; its repr tells which was not."""
        with self.socket(host, open_icmp) as sock:
            return Ping(sock, address, count, size, fragment, wait_s)

    def wait_ping(self, host, address):
        """Waits until an echo is answered."""
        wait_for(f"h{host} to reach {address}", lambda: self.ping(host, address, 1, wait_s=1))

    def socket(self, host, make, *args):
        """make(*args) run inside the host's namespace: a socket of that host."""
        return hosts.inside(self.place.namespace(host), make, *args)

    def wire(self, host):
        return Wire(self.place.namespace(host), host)

    def warm(self, ports):
        """Lets the router learn its hosts, so that the first packets of a test are not those
        that wait for ARP (of several, it holds one). The hosts know the router and never ask, so
        that nothing but what a test sends is counted."""
        for host in range(ports):
            self.know_router(host, f"10.0.{host}.1")
            self.wait_ping(host, f"10.0.{host}.1")

    def warm6(self, ports):
        """The same for IPv6. A host that asked would be known to the router, but not confirmed: that asks five
        seconds later (RFC 4861 7.3.3), and the answer is counted."""
        for host in range(ports):
            router = f"fd00:0:0:{host:x}::1"
            self.know_router(host, router)
            wait_for(f"h{host} to reach {router}", lambda h=host, r=router: self.run(
                h, "ping", "-6", "-c", "1", "-W", "1", r).returncode == 0)

    def know_router(self, host, address):
        self.must(host, "ip", "neighbor", "replace", address, "lladdr", hosts.router_mac(host),
                  "dev", "p0", "nud", "permanent")

    def carry_file(self, source, destination, size):
        return carry_file(self.place, source, destination, size)


@contextlib.contextmanager
def running(books=True, warm=True, **options):
    """A lab that is up; taken down whatever happens, and its books checked at the end."""
    lab = Lab()
    try:
        lab.up(**options)
        if warm:
            lab.warm(options.get("ports", 2))
        yield lab
        if books:
            lab.check_books()
    finally:
        lab.down()
