# The Linux hosts: one network namespace each, with an interface `p0` whose other end is the router's.
import ctypes
import fcntl
import os
import struct
import subprocess
import threading

from .place import LabError, end_process

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_SLAVE, MNT_DETACH = 0x4000, 0x80000, 2
TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI, IFF_MULTI_QUEUE = 0x0002, 0x1000, 0x0100
OFFLOADS = ("tx", "rx", "sg", "tso", "gso", "gro", "txvlan", "rxvlan")

# Nothing but what a test asks for may appear on the wire, and nothing may be hidden from it.
SYSCTLS = {
    # IPv6 that says nothing unasked: no address of its own making, no probe of it, no solicitation
    # of routers, and reports of group membership some weeks from now.
    "ipv6/conf/all/disable_ipv6": "0",
    "ipv6/conf/default/disable_ipv6": "0",
    "ipv6/conf/default/addr_gen_mode": "1",
    "ipv6/conf/default/accept_ra": "0",
    "ipv6/conf/default/autoconf": "0",
    "ipv6/conf/default/router_solicitations": "0",
    "ipv6/conf/default/accept_dad": "0",
    "ipv6/conf/default/dad_transmits": "0",
    "ipv6/conf/default/mldv1_unsolicited_report_interval": str(2**31 - 1),
    "ipv6/conf/default/mldv2_unsolicited_report_interval": str(2**31 - 1),
    "ipv6/icmp/ratelimit": "0",
    "ipv4/ip_forward": "0",                 # a namespace has the machine's
    "ipv6/conf/all/forwarding": "0",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/icmp_ratelimit": "0",             # traceroute waits for every port unreachable
}


def host_mac(i):
    return f"52:54:00:00:01:{i:02x}"


def router_mac(i):
    return f"52:54:00:00:00:{i:02x}"


LIBC = ctypes.CDLL(None, use_errno=True)


def call(name, *args):
    if getattr(LIBC, name)(*args) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def enter(namespace):
    """Moves the calling thread into a namespace. (`ip -n` would want `/` to be a mount point.)"""
    with open(f"/run/netns/{namespace}", "rb") as f:
        call("setns", f.fileno(), CLONE_NEWNET)


def on_thread(function, *args):
    """function(*args) on a thread of its own, whose namespaces end with it."""
    result = []

    def run():
        try:
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


def inside(namespace, function, *args):
    """Runs function(*args) on a thread inside a namespace; sockets made there stay there."""
    def run():
        enter(namespace)
        return function(*args)
    return on_thread(run)


def run_inside(namespace, *command, text=None, timeout_s=None, sys=False):
    """A command inside a namespace, with its /sys if so wanted; returns the finished process with
    its output."""
    def begin():
        enter(namespace)
        if sys:
            show_own_sys()
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False,
                          timeout=timeout_s, preexec_fn=begin)


def must(done):
    if done.returncode:
        raise LabError(f"{' '.join(done.args)}: {done.stderr.strip()}")
    return done.stdout


def ip(*words):
    return must(subprocess.run(["ip", *words], capture_output=True, text=True, check=False))


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


def switch_offloads_off(namespace, interface):
    """Not checked: an interface has as many of them as it has."""
    run_inside(namespace, "ethtool", "-K", interface, *(w for o in OFFLOADS for w in (o, "off")))


def make(place, i, connect):
    """Host i of the lab. connect(): makes its p0; what it returns is returned."""
    namespace = place.namespace(i)
    ip("netns", "add", namespace)
    inside(namespace, write_sysctls)
    made = connect(namespace)
    set_addresses(namespace, i)
    switch_offloads_off(namespace, "p0")
    return made


def set_addresses(namespace, i):
    must(run_inside(namespace, "ip", "-batch", "-", text=f"link set lo up\n"
                    f"link set p0 address {host_mac(i)}\n"
                    f"address add 10.0.{i}.2/24 dev p0\n"
                    f"link set p0 up\n"
                    f"route add default via 10.0.{i}.1\n"))
    if os.path.exists("/proc/sys/net/ipv6"):
        must(run_inside(namespace, "ip", "-6", "-batch", "-",
                        text=f"address add fd00:0:0:{i:x}::2/64 dev p0 nodad\n"
                        f"route add default via fd00:0:0:{i:x}::1\n"))


def remove_all(place):
    """Ends what runs in the lab's namespaces and removes them."""
    for namespace in place.namespaces():
        def members(namespace=namespace):
            return [int(w) for w in ip("netns", "pids", namespace).split()]
        for pid in members():
            end_process(pid, lambda pid=pid: pid in members())
        ip("netns", "delete", namespace)


def show_own_sys():
    """/sys/class/net of the namespace, for this process alone. Where that cannot be, /sys stays."""
    try:
        call("unshare", CLONE_NEWNS)
        call("mount", b"none", b"/", None, MS_SLAVE | MS_REC, None)
        call("umount2", b"/sys", MNT_DETACH)
        call("mount", b"sysfs", b"/sys", b"sysfs", 0, None)
    except OSError:
        pass


def execute(place, host, command):
    """Becomes the command inside a host; its exit status is ours."""
    namespace = place.namespace(host)
    if namespace not in place.namespaces():
        raise LabError(f"lab {place.name}: no host h{host}")
    enter(namespace)
    show_own_sys()
    try:
        os.execvp(command[0], command)
    except OSError as e:
        raise LabError(f"{command[0]}: {e.strerror}") from None
