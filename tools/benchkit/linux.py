# A Linux router of one core between two veth pairs, fed as fast as it takes, and what it forwards.
#
# Three network namespaces without names, held by descriptors: a sender, a router, a sink. When this
# process ends, in whatever way, they and all in them are gone.
#
#   sender aPID ==veth== rPID router sPID ==veth== bPID sink
#
# The router's receiving side is a NAPI thread of the kernel (`napi/rPID-N`), bound to one core: it
# receives, routes and transmits, and what it costs is its own CPU time. A NIC's driver polls the same
# way. The sink's MAC is none of its own, so that it drops a packet at its first look.
import contextlib
import os
import signal
import socket
import statistics
import struct
import subprocess
import time

from labkit.hosts import CLONE_NEWNET, CLONE_NEWNS, call, on_thread

MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
GATEWAY_MAC = "02:01:01:01:01:01"
ETH_P_IP = 0x0800
WINDOW_S, WINDOW_CPU_S = 0.5, 0.1  # the kernel brings a thread's time up to date every 4 ms only


class BenchError(Exception):
    """Why the bench cannot be run here."""


def mount_own(kind, place):
    """Mounts a file system for the calling thread and its children alone."""
    call("unshare", CLONE_NEWNS)
    call("mount", b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    call("mount", b"none", place.encode(), kind.encode(), 0, None)


class Space:
    """A network namespace."""

    def __init__(self):
        def make():
            call("unshare", CLONE_NEWNET)
            return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.fd = on_thread(make)
        self.path = f"/proc/{os.getpid()}/fd/{self.fd}"

    def close(self):
        os.close(self.fd)

    def inside(self, function, *args):
        def enter():
            call("setns", self.fd, CLONE_NEWNET)
            return function(*args)
        return on_thread(enter)

    def start(self, *words, **more):
        """A process inside, which ends when the thread that starts it does."""
        def begin():
            call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL)
            call("setns", self.fd, CLONE_NEWNET)
        return subprocess.Popen(words, **more, preexec_fn=begin)

    def run(self, *words, text=None):
        done = self.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
        out, _ = done.communicate(text)
        if done.returncode:
            raise BenchError(f"{' '.join(words)}: {out.strip()}")
        return out

    def set(self, where, value):
        """/proc/sys/net/WHERE, as this namespace sees it."""
        def write():
            with open(f"/proc/sys/net/{where}", "w", encoding="ascii") as f:
                f.write(value)
        self.inside(write)

    def counters(self):
        """{interface: (received, dropped before that, transmitted, dropped)}"""
        def read():
            with open("/proc/thread-self/net/dev", encoding="ascii") as f:
                return f.readlines()[2:]
        lines = (line.partition(":") for line in self.inside(read))
        return {name.strip(): tuple(int(rest.split()[i]) for i in (1, 3, 9, 11))
                for name, _, rest in lines}


def nap(space, interface):
    """Has the interface polled by a thread of the kernel."""
    def write():
        mount_own("sysfs", "/sys")
        with open(f"/sys/class/net/{interface}/threaded", "w", encoding="ascii") as f:
            f.write("1")
    space.inside(write)


def kernel_threads(prefix):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as f:
            if f.read().startswith(prefix):
                yield int(pid)


def other_core(core):
    others = os.sched_getaffinity(0) - {core}
    if not others:
        raise BenchError("it needs two cores: one forwards, one sends")
    return min(others)


class Router:
    """The three namespaces, up and forwarding; use with `with`."""

    def __init__(self, core, sender):
        self.core, self.sender = core, sender
        pid = os.getpid()
        self.a, self.r, self.s, self.b = (f"{side}{pid}" for side in "arsb")
        self.spaces, self.running = [], []
        try:
            self.build()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for process in self.running:
            process.kill()
            process.wait()
        for space in self.spaces:
            space.close()
        self.running, self.spaces = [], []

    def build(self):
        for _ in range(3):
            self.spaces.append(Space())
            self.spaces[-1].set("ipv6/conf/all/disable_ipv6", "1")
            self.spaces[-1].set("ipv6/conf/default/disable_ipv6", "1")
        source, router, sink = self.spaces
        for of, near, to, far in ((source, self.a, router, self.r), (router, self.s, sink, self.b)):
            of.run("ip", "link", "add", near, "type", "veth", "peer", far, "netns", to.path)
        # Without this a veth takes frames for a local socket's and does not poll.
        source.run("ethtool", "-K", self.a, "tso", "off")
        router.run("ethtool", "-K", self.r, "gro", "on")
        source.run("ip", "link", "set", self.a, "up")
        sink.run("ip", "link", "set", self.b, "up")
        router.run("ip", "-batch", "-", text=f"address add 10.0.0.1/24 dev {self.r}\n"
                   f"address add 10.0.1.1/24 dev {self.s}\n"
                   f"link set {self.r} up\nlink set {self.s} up\n"
                   f"neighbor add 10.0.1.2 lladdr {GATEWAY_MAC} dev {self.s}\n"
                   f"route add 198.18.1.0/24 via 10.0.1.2\n"
                   f"route add 198.18.0.0/24 via 10.0.0.2\n")
        router.set("ipv4/conf/all/rp_filter", "0")
        router.set(f"ipv4/conf/{self.r}/rp_filter", "0")
        router.set("ipv4/ip_forward", "1")
        nap(router, self.r)
        threads = list(kernel_threads(f"napi/{self.r}-"))
        if len(threads) != 1:
            raise BenchError(f"{len(threads)} NAPI threads of {self.r}, and not one")
        self.thread = threads[0]
        os.sched_setaffinity(self.thread, {self.core})

    def mac(self):
        return self.spaces[1].run("ip", "-br", "link", "show", self.r).split()[2]

    def send(self, hosts, *more):
        """Starts the sender: to so many destinations; or PACKETS, US."""
        process = self.spaces[0].start(self.sender, self.a, self.mac(), str(hosts),
                                       *map(str, more))
        self.running.append(process)
        os.sched_setaffinity(process.pid, {other_core(self.core)})
        return process

    def stop(self, process):
        process.kill()
        process.wait()
        self.running.remove(process)

    def capture(self):
        """One frame as it comes out."""
        def read():
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP)) as s:
                s.bind((self.b, ETH_P_IP))
                s.settimeout(10)
                return s.recv(2048)
        return self.spaces[2].inside(read)

    def sample(self):
        """(seconds, of the thread; packets offered, received, forwarded)"""
        with open(f"/proc/{self.thread}/schedstat", encoding="ascii") as f:
            cpu = int(f.read().split()[0]) / 1e9
        offered = sum(self.spaces[0].counters()[self.a][2:])
        of = self.spaces[1].counters()
        return time.monotonic(), cpu, offered, of[self.r][0], of[self.s][2]


def check_frame(frame):
    """It has been routed: to the gateway's MAC, a TTL of one less, the checksum right."""
    words = struct.unpack_from("!10H", frame, 14)
    total = sum(words)
    total = (total & 0xffff) + (total >> 16)
    total += total >> 16
    if frame[:6].hex(":") != GATEWAY_MAC or frame[22] != 63 or total & 0xffff != 0xffff:
        raise BenchError(f"not a forwarded frame: {frame.hex()}")


def windows(router, seconds):
    """
    [(packets a second of the thread's CPU time, packets a second, share of the core)], in windows
    in which more was offered than forwarded and next to nothing was lost inside; five at least.
    """
    found, end = [], time.monotonic() + seconds
    before = router.sample()
    while len(found) < 5 or time.monotonic() < end:
        time.sleep(WINDOW_S)
        now = router.sample()
        took, cpu, offered, received, forwarded = (n - b for n, b in zip(now, before))
        full = offered > received and abs(received - forwarded) < 0.02 * received
        if full and cpu >= WINDOW_CPU_S:
            found.append((forwarded / cpu, forwarded / took, cpu / took))
        if not full or cpu >= WINDOW_CPU_S:
            before = now
        if time.monotonic() > end + 60:
            raise BenchError(f"in {took:.1f} s {offered} packets were offered, {received} "
                             f"received, {forwarded} forwarded in {cpu:.3f} s of the core")
    return found


def forwarded_pps(core, seconds, sender="build/bench/linux-send", hosts=256):
    """
    What Linux forwards on one core. The medians of windows of half a second or more; `pps` is per
    second of CPU time that the core gave to the router: what it does if nobody else uses the core.
    """
    with Router(core, sender) as router:
        process = router.send(hosts)
        check_frame(router.capture())
        found = windows(router, seconds)
        router.stop(process)
    per_core, wall, share = zip(*found)
    quarters = statistics.quantiles(per_core)
    return {"pps": statistics.median(per_core), "pps_quarters": (quarters[0], quarters[2]),
            "pps_wall": statistics.median(wall), "core_share": statistics.median(share),
            "windows": len(found)}


def end_by_signal():
    """SIGTERM and SIGHUP end the process as an exception does, so that all is taken down."""
    def end(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
