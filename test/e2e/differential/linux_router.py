# A Linux router in a namespace, its cables' other ends in another, set to do what RFC 1812 says.
import contextlib

from labkit import hosts

# What would make Linux another kind of router, or make it forget to answer.
SYSCTLS = {
    "ipv4/ip_forward": "1",
    "ipv4/ip_default_ttl": "64",
    "ipv4/icmp_ratemask": "0",                   # errors are compared, so all must come
    "ipv4/icmp_msgs_per_sec": "1000000",
    "ipv4/icmp_msgs_burst": "1000000",
    "ipv4/icmp_errors_use_inbound_ifaddr": "1",  # as barewire: what traceroute is to show
    "ipv4/icmp_echo_ignore_broadcasts": "1",
    "ipv4/ip_forward_use_pmtu": "0",
    "ipv4/ipfrag_time": "3600",                  # no reassembly runs out during a comparison
    "ipv6/ip6frag_time": "3600",
    "ipv6/icmp/ratelimit": "0",
    "ipv6/auto_flowlabels": "0",
    "ipv6/flowlabel_reflect": "0",
    "ipv6/max_hbh_opts_number": "1000",          # RFC 8200 has no limit
    "ipv6/max_dst_opts_number": "1000",
}
PER_INTERFACE = {
    "rp_filter": "0",
    "send_redirects": "0",
    "accept_redirects": "0",
    "accept_source_route": "0",                  # RFC 7126 4.3, 4.4
    "accept_local": "1",                         # sources are not checked (uRPF is another matter)
    "bc_forwarding": "0",                        # RFC 2644
    "log_martians": "0",
    "drop_unicast_in_l2_multicast": "1",         # RFC 1812 5.3.4
    "arp_notify": "0",
}
PER_INTERFACE6 = {
    "addr_gen_mode": "1",                        # no address but those configured
    "forwarding": "1",
    "accept_ra": "0",
    "accept_redirects": "0",
    "accept_dad": "0",
    "dad_transmits": "0",
    "drop_unicast_in_l2_multicast": "1",
    "router_solicitations": "0",
}


def interface(port):
    return f"r{port}"


def cable(port):
    return f"c{port}"


def write(name, value):
    try:
        with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as f:
            f.write(value)
    except FileNotFoundError:
        pass  # a kernel without it does not do it


def write_sysctls(six):
    """six: IPv6 is on."""
    for name, value in SYSCTLS.items():
        write(name, value)
    for name, value in PER_INTERFACE.items():
        for which in ("all", "default"):
            write(f"ipv4/conf/{which}/{name}", value)
    for name, value in {**PER_INTERFACE6, "disable_ipv6": str(int(not six))}.items():
        for which in ("all", "default"):
            write(f"ipv6/conf/{which}/{name}", value)


def quieten(namespace, name):
    hosts.run_inside(namespace, "ethtool", "-K", name,
                     *(w for o in hosts.OFFLOADS for w in (o, "off")))


class LinuxRouter:
    """Its namespaces; made by running()."""

    def __init__(self, place, topology):
        self.topology = topology
        # By names of the lab's own, so that `lab down` takes them along whatever happens.
        self.namespace, self.cables = place.namespace("-linux"), place.namespace("-cables")

    def up(self):
        for namespace in (self.namespace, self.cables):
            hosts.ip("netns", "add", namespace)
            hosts.inside(namespace, write_sysctls,
                         self.topology.SIX and namespace == self.namespace)
        self.plug()
        for p in range(self.topology.PORTS):
            quieten(self.namespace, interface(p))
        self.batch(self.namespace, "link set lo up\n" + self.topology.linux_lines(interface))

    def plug(self):
        """Makes its interfaces, each with a cable."""
        self.batch(self.namespace, "".join(
            f"link add {interface(p)} type veth peer name {cable(p)} netns {self.cables}\n"
            for p in range(self.topology.PORTS)))
        for p in range(self.topology.PORTS):
            quieten(self.cables, cable(p))
        # The cable carries more than the router takes, as a wire does; nobody lives at its end.
        self.batch(self.cables, "".join(f"link set {cable(p)} mtu 4000 up\n"
                                        for p in range(self.topology.PORTS)))

    @staticmethod
    def batch(namespace, lines):
        hosts.must(hosts.run_inside(namespace, "ip", "-batch", "-", text=lines))

    def down(self):
        for namespace in (self.namespace, self.cables):
            with contextlib.suppress(Exception):
                hosts.ip("netns", "delete", namespace)

    def unresolved(self):
        """Neighbours it is still asking for."""
        shown = hosts.must(hosts.run_inside(self.namespace, "ip", "neighbor", "show",
                                            "nud", "incomplete"))
        return [line for line in shown.splitlines() if line]


@contextlib.contextmanager
def running(router):
    try:
        router.up()
        yield router
    finally:
        router.down()
