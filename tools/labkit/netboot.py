# Booting over the network: tools/pxe in the namespace of a host, and the NIC that boots.
import os
import shutil
import subprocess

from . import hosts, serve
from .place import TREE, LabError

WAYS = ("pxe", "pxe-uefi", "ipxe", "ipxe-uefi")
NEEDS = (("dnsmasq", "dnsmasq-base"), ("/usr/lib/ipxe/undionly.kpxe", "ipxe"))
PXE = os.path.join(TREE, "tools", "pxe")


def is_uefi(options):
    return options.boot in ("pxe-uefi", "ipxe-uefi")


def boots(options):
    return getattr(options, "boot", None) in WAYS


def boot_host(options):
    """The number of the host that serves: of the first port, or of a NIC that only boots."""
    return options.ports if options.boot_nic else 0


def check_options(options):
    if options.boot_nic and not boots(options):
        raise LabError("--boot-nic: with --boot " + " | ".join(WAYS))
    if not boots(options):
        return
    if options.hosted or options.net != "tap" or options.routes or options.bios:
        raise LabError(f"--boot {options.boot}: not with --hosted, --net, --routes, --bios")
    if not options.ports and not options.boot_nic:
        raise LabError(f"--boot {options.boot}: needs a port")


def start_server(place, options):
    """Ends with the lab, as all that runs in its namespaces (hosts.remove_all)."""
    host = boot_host(options)
    root = place.path("pxe")
    os.makedirs(os.path.join(root, "configs"))
    if not options.no_config:
        shutil.copyfile(place.path("config"), os.path.join(root, "configs", "default.conf"))
    words = [PXE, "--interface", "p0", "--root", root, "--range", f"10.0.{host}.100,10.0.{host}.150"]
    words += ["--append", options.append] if options.append else []
    words += ["--chain"] if options.boot == "pxe" else []
    words += ["--module"] if options.boot_nic else []
    with open(place.path("pxe.log"), "w", encoding="utf-8") as log:
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                         preexec_fn=lambda: hosts.enter(place.namespace(host)))
    for port in (67, 69):
        serve.wait_port(place.namespace(host), port)


def port_words(i, options):
    """How a port's ROM is chosen; without one UEFI uses a driver of its own."""
    if not boots(options) or options.boot_nic or i != 0:
        return ",romfile="
    return ",bootindex=1" + (",romfile=" if options.boot == "pxe-uefi" else "")


def extra_nic(options, tap):
    """A NIC that barewire has no driver for."""
    i = options.ports
    return ["-netdev", f"tap,id=n{i},fd={tap[0]},vhost=off", "-device",
            f"{options.boot_nic},netdev=n{i},mac={hosts.router_mac(i)},bootindex=1"]
