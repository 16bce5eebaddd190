# A lab as the tests see it: the router by its shell, the hosts by commands and sockets.
import contextlib
import json
import os
import subprocess
import tempfile
import time

from books import Drops
from labkit import hosts
from labkit.console import Console
from labkit.place import TREE, Place
from labkit.transfer import carry_file
from wire import Wire

LAB = os.path.join(TREE, "tools", "lab")
IMAGE = os.path.join(TREE, "build", "barewire.elf")
PVH_IMAGE = os.path.join(TREE, "build", "barewire-pvh.elf")  # without its multiboot1 header
HOOKS_IMAGE = os.path.join(TREE, "build", "barewire-hooks.elf")
PATIENCE_S = 30  # for events that normally take milliseconds; the machine may be busy
_count = 0


def wait_for(what, condition, timeout_s=PATIENCE_S):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"{what}: not within {timeout_s} s"
        time.sleep(0.05)


class Ping:
    def __init__(self, done):
        self.good = done.returncode == 0 and " 0% packet loss" in done.stdout
        self.text = done.stdout + done.stderr

    def __bool__(self):
        return self.good

    def __repr__(self):
        return self.text


class Lab:
    """One lab by a name of its own; made by running()."""

    def __init__(self):
        global _count
        _count += 1
        self.name = f"e2e-{os.getpid()}-{_count}"
        self.place = Place(self.name)

    def tool(self, *words, timeout_s=180, text=None):
        return subprocess.run([LAB, *words], capture_output=True, text=True, input=text,
                              timeout=timeout_s, check=False, env={**os.environ, "LAB": self.name})

    def up(self, ports=2, cores=2, config=None, **options):
        words = ["--ports", str(ports), "--cores", str(cores)]
        for name, value in options.items():
            words += [f"--{name}", str(value)]
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
        """Runs shell lines one after the other and returns their replies as one text."""
        done = self.tool("cli", "-", text="".join(line + "\n" for line in lines))
        wanted = 1 if fails else 0
        assert done.returncode == wanted, f"{lines}: status {done.returncode}\n" \
            f"{done.stdout}{done.stderr}"
        return done.stdout.rstrip("\n")

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

    def console(self):
        return Console(self.place)

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
        """A command in host hI; returns the finished process."""
        return self.tool("exec", f"h{host}", *command, timeout_s=timeout_s)

    def must(self, host, *command):
        done = self.run(host, *command)
        assert done.returncode == 0, f"h{host}: {command}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def ping(self, host, address, *options, count=3):
        """True if every echo is answered; its repr tells what ping said."""
        return Ping(self.run(host, "ping", "-n", "-c", str(count), "-i", "0.1", "-W", "5", *options,
                             address))

    def socket(self, host, make, *args):
        """make(*args) run inside the host's namespace: a socket of that host."""
        return hosts.inside(self.place.namespace(host), make, *args)

    def wire(self, host):
        return Wire(self.place.namespace(host), host)

    def warm(self, ports):
        """Lets the router learn its hosts, so that the first packets of a test are not the ones that
        wait for ARP: of several, it holds one."""
        for host in range(ports):
            wait_for(f"h{host} to reach the router",
                     lambda host=host: self.ping(host, f"10.0.{host}.1", count=1))

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
