# Ports that are a model of Intel's cards: build/ixgbe-sim and a QEMU that speaks vfio-user, or that QEMU's own igb.
import json
import os
import re
import socket
import subprocess
import time

from . import hosts
from .place import TREE, LabError

SIM = os.path.join(TREE, "build/ixgbe-sim")
# Unpacked there by tools/setup --qemu-vfio-user; it runs with its own libraries.
PREFIX = os.path.join(TREE, "build/qemu-vfio-user")
LIBRARIES = os.path.join(PREFIX, "usr/lib/x86_64-linux-gnu")
QEMU = os.path.join(PREFIX, "usr/bin/qemu-system-x86_64")
READY_S = 10
IGB_PORTS_MAX = 6  # as many have room on a bus: see slot()
KINDS = ("virtio", "ixgbe", "igb")


def kind(options, i):
    """What port i is: the words of --nic in turn."""
    words = getattr(options, "nic", "virtio").split(",")
    return words[i % len(words)]


def newer_qemu(options):
    """Whether the machine needs the QEMU that set-up fetches: for its vfio-user, or for its own igb."""
    return getattr(options, "nic", "virtio") != "virtio"


def ports(options):
    """The numbers of the router's ports that are cards of build/ixgbe-sim."""
    if "ixgbe" not in getattr(options, "nic", ""):
        return []
    return [i for i in range(options.ports) if kind(options, i) == "ixgbe"]


def check_options(options):
    for word in options.nic.split(","):
        if word not in KINDS:
            raise LabError(f"--nic: {', '.join(KINDS)}, or several with commas")
    if options.cards and not ports(options):
        raise LabError("--cards: of --nic ixgbe")
    if not newer_qemu(options):
        return
    if options.hosted or options.net != "tap" or "pxe" in options.boot:
        raise LabError(f"--nic {options.nic}: not with --hosted, --net vhost-user, nor to boot from the network")
    if "igb" in options.nic.split(",") and options.ports > IGB_PORTS_MAX:
        raise LabError(f"--nic igb: at most {IGB_PORTS_MAX} ports")
    if options.queues != 1 and "virtio" not in options.nic:
        raise LabError("--queues: of virtio; the router takes as many of the others as it has use for")


def qemu_command():
    """QEMU by its own ld-linux, and the folders where it looks for firmware."""
    return [os.path.join(LIBRARIES, "ld-linux-x86-64.so.2"), "--library-path", LIBRARIES, QEMU,
            "-L", os.path.join(PREFIX, "usr/share/qemu"), "-L", os.path.join(PREFIX, "usr/share/seabios")]


def memory_arguments(mem_mib):
    """Memory that the process of the cards can have as well."""
    return ["-object", f"memory-backend-memfd,id=ram,size={mem_mib}M,share=on"]


def environment_missing(options):
    missing = []
    if ports(options) and not os.access(SIM, os.X_OK):
        missing.append(f"the process {SIM} (make)")
    if newer_qemu(options) and not os.access(QEMU, os.X_OK):
        missing.append("a QEMU of 10.1 or newer (tools/setup --qemu-vfio-user)")
    return missing


def socket_path(place, i):
    return place.path(f"nic{i}")


def start(place, options, taps, house=True):
    """Starts the cards, one process for all of them, and waits until machines can connect. house: the router
    is judged by the rules of this project, too."""
    mine = ports(options)
    if not mine:
        return
    words = [SIM, "--control", place.path("nics"), *(["--house"] if house else [])]
    cards = options.cards.split(";")
    for n, i in enumerate(mine):
        words += ["--port", f"socket={socket_path(place, i)},fd={taps[i][0]},mac={hosts.router_mac(i)},"
                  f"{cards[n % len(cards)]}".rstrip(",")]
    with open(place.path("nics.log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   pass_fds=[taps[i][0] for i in mine], start_new_session=True,
                                   preexec_fn=lambda: place.write_pid("nics.pid"))
    end = time.monotonic() + READY_S
    while "ready\n" not in said(place):
        if process.poll() is not None or time.monotonic() > end:
            raise LabError("the model of the cards does not start:\n" + said(place).strip())
        time.sleep(0.005)


def slot(options, i):
    """
    Where port i is on the bus: QEMU does not keep the order of devices told in different ways. More devices, by
    --qemu, come before. An igb has virtual functions, if only in name, which take the places from 16 slots further
    on, two slots full.
    """
    return f"{3 + 2 * i if 'igb' in options.nic.split(',') else 0x8 + i:x}"


def igb_arguments(options, i):
    return ["-device", f"igb,netdev=n{i},id=port{i},mac={hosts.router_mac(i)},addr={slot(options, i)},rombar=0"]


def port_arguments(place, options, i):
    return ["-device", json.dumps({"driver": "vfio-user-pci", "rombar": 0, "id": f"port{i}", "addr": slot(options, i),
                                   "socket": {"type": "unix", "path": socket_path(place, i)}})]


def said(place):
    try:
        with open(place.path("nics.log"), encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def order(place, port, words):
    """An order to the card of a router port: 'link PORT up', ..., PORT being its place among the cards."""
    mine = [i for i, kind in enumerate(place.facts().get("nic", [])) if kind == "ixgbe"]
    verb, *rest = words.split()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("")  # a name to answer to
        sock.settimeout(READY_S)
        sock.sendto(" ".join([verb, str(mine.index(port)), *rest]).encode(), place.path("nics"))
        answer = sock.recv(256).decode()
    if answer != "ok":
        raise LabError(answer)


def stop(place):
    """Ends the process; returns what its drivers did wrong, in words, or ''."""
    if not os.path.exists(place.path("nics.pid")):
        return ""
    place.stop("nics.pid")
    text = said(place)
    totals = re.findall(r"^port \d+: .*; (\d+) rules broken$", text, re.MULTILINE)
    if totals and not any(map(int, totals)):
        return ""
    return text.strip() if totals else "the model of the cards has ended before its time:\n" + text.strip()
