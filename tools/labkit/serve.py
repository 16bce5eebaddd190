# What h0 serves to the router before it starts: files by TFTP.
import os
import subprocess
import time

from . import hosts
from .place import LabError

WAIT_S = 10


def commands_missing(*commands):
    """Of (command, package) pairs, in words."""
    path = os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"]
    return [f"{command} (package {package}: tools/setup)" for command, package in commands
            if not any(os.access(os.path.join(p, command), os.X_OK) for p in path if p)]


def environment_missing(options):
    return commands_missing(("in.tftpd", "tftpd-hpa")) if options.tftp else []


def wait_port(namespace, port):
    """Until somebody listens there: a datagram before that is lost for good."""
    end = time.monotonic() + WAIT_S
    needle = f":{port:04X} "
    while needle not in hosts.inside(namespace, read_sockets):
        if time.monotonic() > end:
            raise LabError(f"nobody listens on UDP port {port} within {WAIT_S} s")
        time.sleep(0.02)


def read_sockets():
    with open("/proc/thread-self/net/udp", encoding="ascii") as f:
        return f.read()


def start(place, options):
    """Ends with the lab, as all that runs in its namespaces (hosts.remove_all)."""
    if not options.tftp:
        return
    if not os.path.isdir(options.tftp):
        raise LabError(f"--tftp: {options.tftp} is no folder")
    namespace = place.namespace(0)
    with open(place.path("tftp.log"), "w", encoding="utf-8") as log:
        subprocess.Popen(["in.tftpd", "-L", "-c", "-p", "-u", "root", "-U", "022", "-a", "0.0.0.0:69", "-s",
                          os.path.realpath(options.tftp)], stdin=subprocess.DEVNULL, stdout=log,
                         stderr=log, start_new_session=True,
                         preexec_fn=lambda: hosts.enter(namespace))
    wait_port(namespace, 69)
