# The Linux hosts: one network namespace each, with a tap `p0` whose other end QEMU holds.
import ctypes
import fcntl
import os
import struct
import subprocess
import threading

from .place import LabError, end_process

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE = 0x0002, 0x1000, 0x0100
OFFLOADS = ("tx", "rx", "sg", "tso", "gso", "gro")

# Nothing but what a test asks for may appear on the wire, and nothing may be hidden from it.
SYSCTLS = {
    "ipv6/conf/all/disable_ipv6": "1",      # no neighbour discovery, no multicast reports
    "ipv6/conf/default/disable_ipv6": "1",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/icmp_ratelimit": "0",             # traceroute waits for every port unreachable
}


def host_mac(i):
    return f"52:54:00:00:01:{i:02x}"


def router_mac(i):
    return f"52:54:00:00:00:{i:02x}"


def inside(namespace, function, *args):
    """Runs function(*args) on a thread inside a namespace; sockets and taps made there stay there."""
    result = []

    def run():
        try:
            with open(f"/run/netns/{namespace}", "rb") as f:
                libc = ctypes.CDLL(None, use_errno=True)
                if libc.setns(f.fileno(), CLONE_NEWNET) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, f"setns {namespace}: {os.strerror(number)}")
            result.append((function(*args), None))
        except BaseException as e:  # handed to the caller's thread
            result.append((None, e))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = result[0]
    if error is not None:
        raise error
    return value


def ip(*words, batch=None):
    command = ["ip", *words] + (["-batch", "-"] if batch else [])
    done = subprocess.run(command, input=batch, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def write_sysctls():
    for name, value in SYSCTLS.items():
        try:
            with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as f:
                f.write(value)
        except FileNotFoundError:
            pass  # a kernel without IPv6 sends none of it


def open_tap(queues):
    """
    A tap p0 without virtio-net header: a frame is what was written. One descriptor for each of its
    queues; it lives as long as any of them.
    """
    flags = IFF_TAP | IFF_NO_PI | (IFF_MULTI_QUEUE if queues > 1 else 0)
    fds = []
    for _ in range(queues):
        fds.append(os.open("/dev/net/tun", os.O_RDWR))
        fcntl.ioctl(fds[-1], TUNSETIFF, struct.pack("16sH22x", b"p0", flags))
    return fds


def make(place, i, queues=1):
    """Host i of the lab; returns the tap's descriptors for QEMU, one a queue."""
    namespace = place.namespace(i)
    ip("netns", "add", namespace)
    inside(namespace, write_sysctls)
    fds = inside(namespace, open_tap, queues)
    ip("-n", namespace, batch=f"link set lo up\n"
       f"link set p0 address {host_mac(i)}\n"
       f"address add 10.0.{i}.2/24 dev p0\n"
       f"link set p0 up\n"
       f"route add default via 10.0.{i}.1\n")
    # Best effort: a tap without virtio-net header has nearly none of them to begin with.
    subprocess.run(["ip", "netns", "exec", namespace, "ethtool", "-K", "p0",
                    *(w for o in OFFLOADS for w in (o, "off"))],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return fds


def remove_all(place):
    """Ends what runs in the lab's namespaces and removes them."""
    for namespace in place.namespaces():
        def members(namespace=namespace):
            done = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True,
                                  check=False)
            return [int(w) for w in done.stdout.split()]
        for pid in members():
            end_process(pid, lambda pid=pid: pid in members())
        ip("netns", "delete", namespace)


def execute(place, host, command):
    """Becomes the command inside a host; its exit status is ours."""
    namespace = place.namespace(host)
    if namespace not in place.namespaces():
        raise LabError(f"lab {place.name}: no host h{host}")
    os.execvp("ip", ["ip", "netns", "exec", namespace, *command])
