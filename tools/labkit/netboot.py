# Booting over the network: tools/pxe in the namespace of a host, and the NIC that boots.
import os
import shutil
import subprocess

from . import hosts, serve
from .place import TREE, LabError

WAYS = ("pxe", "pxe-uefi", "ipxe", "ipxe-uefi", "http-uefi")
NEEDS = (("dnsmasq", "dnsmasq-base"), ("/usr/lib/ipxe/undionly.kpxe", "ipxe"))
PXE = os.path.join(TREE, "tools", "pxe")


def is_uefi(options):
    return options.boot in ("pxe-uefi", "ipxe-uefi", "http-uefi")


def boots(options):
    return getattr(options, "boot", None) in WAYS


def boot_host(options):
    """The number of the host that serves: of the first port, or of a NIC that only boots."""
    return options.ports if options.boot_nic else 0


def check_options(options):
    if options.boot_nic and not boots(options):
        raise LabError("--boot-nic: with --boot " + " | ".join(WAYS))
    if options.site_dhcp and not boots(options):
        raise LabError("--site-dhcp: with --boot " + " | ".join(WAYS))
    if not boots(options):
        return
    if options.hosted or options.net != "tap" or options.routes or options.bios:
        raise LabError(f"--boot {options.boot}: not with --hosted, --net, --routes, --bios")
    if not options.ports and not options.boot_nic:
        raise LabError(f"--boot {options.boot}: needs a port")


def start_inside(namespace, words, log_file):
    """Ends with the lab, as all that runs in its namespaces (hosts.remove_all)."""
    with open(log_file, "w", encoding="utf-8") as log:
        subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                         preexec_fn=lambda: hosts.enter(namespace))


def make_site(place, host):
    """
    A DHCP server of the site's own, which knows nothing of booting, in a namespace beside the host's: the
    host's p0 becomes a bridge with what it was before and the server as its ports.
    """
    site, own = place.namespace("site"), place.namespace(host)
    hosts.ip("netns", "add", site)
    hosts.inside(site, hosts.write_sysctls)
    hosts.must(hosts.run_inside(own, "ip", "-batch", "-", text=f"link set p0 down\n"
                                f"address flush dev p0\n"
                                f"link set p0 name cable\n"
                                f"link add name p0 type bridge mcast_snooping 0\n"
                                f"link add name site type veth peer name p0 netns {site}\n"
                                f"link set cable address {hosts.host_mac(0xfe)} master p0 up\n"
                                f"link set site master p0 up\n"))
    hosts.set_addresses(own, host)
    hosts.must(hosts.run_inside(site, "ip", "-batch", "-", text=f"link set lo up\n"
                                f"address add 10.0.{host}.3/24 dev p0\n"
                                f"link set p0 up\n"))
    start_inside(site, ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root", "--log-dhcp",
                        f"--dhcp-range=10.0.{host}.100,10.0.{host}.150,1h", "--dhcp-option=3", "--no-ping",
                        f"--dhcp-leasefile={place.path('site.leases')}", f"--pid-file={place.path('site.pid')}"],
                 place.path("site.log"))
    serve.wait_port(site, 67)


def start_server(place, options):
    host = boot_host(options)
    root = place.path("pxe")
    os.makedirs(os.path.join(root, "configs"))
    if not options.no_config:
        shutil.copyfile(place.path("config"), os.path.join(root, "configs", "default.conf"))
    words = [PXE, "--interface", "p0", "--root", root]
    words += ["--proxy"] if options.site_dhcp else ["--range", f"10.0.{host}.100,10.0.{host}.150"]
    words += ["--append", options.append] if options.append else []
    words += ["--chain"] if options.boot == "pxe" else []
    words += ["--module"] if options.boot_nic else []
    if options.site_dhcp:
        make_site(place, host)
    start_inside(place.namespace(host), words, place.path("pxe.log"))
    for port in (67, 69):
        serve.wait_port(place.namespace(host), port)


def port_words(i, options):
    """How a port's ROM is chosen; without one UEFI uses a driver of its own."""
    if not boots(options) or options.boot_nic or i != 0:
        return ",romfile="
    return ",bootindex=1" + (",romfile=" if options.boot in ("pxe-uefi", "http-uefi") else "")


def firmware_words(options):
    """OVMF tries PXE first: told not to, by its documented words of fw_cfg, it goes on to HTTP."""
    if options.boot != "http-uefi":
        return []
    return [w for v in "46" for w in ("-fw_cfg", f"name=opt/org.tianocore/IPv{v}PXESupport,string=no")]


def extra_nic(options, tap):
    """A NIC that barewire has no driver for."""
    i = options.ports
    return ["-netdev", f"tap,id=n{i},fd={tap[0]},vhost=off", "-device",
            f"{options.boot_nic},netdev=n{i},mac={hosts.router_mac(i)},bootindex=1"]
