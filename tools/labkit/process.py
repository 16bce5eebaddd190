# The router as a Linux process: a namespace of its own, veth pairs to the hosts, its start.
import os
import shlex
import subprocess
import time

from . import hosts, machine
from .place import TREE, LabError

PROCESS = os.path.join(TREE, "build/barewire")

# What only a machine has, and how it looks if nobody asked for it.
MACHINE_ONLY = {"queues": 1, "rss": False, "packed": False, "append": "", "machine": "q35",
                "bios": None, "qemu": "", "no_config": False, "accel": "auto", "boot": "kernel",
                "nic": "virtio"}


def check_options(options):
    for name, default in MACHINE_ONLY.items():
        if getattr(options, name) != default:
            raise LabError(f"--{name.replace('_', '-')}: not with --hosted")


def make(place):
    hosts.ip("netns", "add", place.namespace("r"))
    hosts.inside(place.namespace("r"), hosts.write_sysctls)


def make_port(place, i):
    """ethI in the router's namespace, p0 in host I's: frames as they are, no offloads."""
    router = place.namespace("r")
    hosts.ip("link", "add", "name", f"eth{i}", "netns", router, "type", "veth",
             "peer", "name", "p0", "netns", place.namespace(i))
    hosts.must(hosts.run_inside(router, "ip", "-batch", "-",
                                text=f"link set eth{i} address {hosts.router_mac(i)}\n"
                                f"link set eth{i} up\n"))
    hosts.switch_offloads_off(router, f"eth{i}")


def start(place, options):
    """Starts the router. Returns the process and the time of its start."""
    words = [options.image, "--cores", str(options.cores), "--mem", str(options.mem),
             "--config", place.path("config"), "--console", "unix:" + place.path("serial")]
    if options.routes:
        words += ["--routes", place.path("table.routes")]
    for i in range(options.ports):
        words += ["--port", f"vhost-user:{os.path.join(options.sockets, str(i))}"
                  if options.net == "vhost-user" else f"xdp:eth{i}"]
    words += shlex.split(options.process)

    def become_it():
        hosts.enter(place.namespace("r"))
        place.write_pid()

    with open(place.path("serial.log"), "wb") as log, \
            open(place.path("qemu.log"), "wb") as errors:
        begin = time.monotonic()
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=errors,
                                start_new_session=True, preexec_fn=become_it), begin


def set_link(place, port, up):
    """The cable is a pair of interfaces: down at the router's end, neither has a carrier."""
    hosts.must(hosts.run_inside(place.namespace("r"), "ip", "link", "set", f"eth{port}",
                                "up" if up else "down"))


def environment_missing(image):
    missing = machine.rights_missing() + machine.commands_missing(("ip", "iproute2"),
                                                                  ("ethtool", "ethtool"))
    if not os.access(image, os.X_OK):
        missing.append(f"the process {image} (make)")
    return missing
