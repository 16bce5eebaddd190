# A Linux router with nftables, beside a barewire with the same addresses, neighbours and routes.
from differential.linux_router import LinuxRouter, interface, write
from labkit import hosts


class Network:
    """What both routers know: by port its addresses, and who lives there. Every address beyond
    leads to a gateway whose MAC no kernel has, so what is sent there is seen and not answered."""
    SIX = True

    def __init__(self, addresses, neighbors=(), routes=()):
        """addresses: by port, a list like 192.0.2.1/24. neighbors: (port, address).
        routes: (prefix, gateway)."""
        self.addresses, self.neighbors, self.routes = addresses, list(neighbors), list(routes)
        self.PORTS = len(addresses)

    @staticmethod
    def mac(port):
        """Of all neighbours of a port."""
        return f"02:00:00:00:{port:02x}:02"

    def barewire_lines(self):
        lines = [f"set interfaces eth{p} address {a}"
                 for p, group in enumerate(self.addresses) for a in group]
        lines += [f"set neighbors eth{p} {a} {self.mac(p)}" for p, a in self.neighbors]
        lines += [f"set routes {prefix} via {gateway}" for prefix, gateway in self.routes]
        return "".join(line + "\n" for line in lines)

    def linux_lines(self, name):
        lines = [f"link set {name(p)} address {hosts.router_mac(p)}" for p in range(self.PORTS)]
        lines += [f"address add {a} dev {name(p)}" + (" nodad" if ":" in a else "")
                  for p, group in enumerate(self.addresses) for a in group]
        lines += [f"link set {name(p)} up" for p in range(self.PORTS)]
        lines += [f"neighbor replace {a} lladdr {self.mac(p)} dev {name(p)} nud permanent"
                  for p, a in self.neighbors]
        lines += [f"route add {prefix} via {gateway}" for prefix, gateway in self.routes]
        return "".join(line + "\n" for line in lines)


# Tracking that forgets nothing while a test runs; wrong transport checksums are not its business.
TRACKING = {"checksum": "0", "tcp_be_liberal": "1", "log_invalid": "0",
            **{f"{name}": "3600" for name in (
                "udp_timeout", "udp_timeout_stream", "icmp_timeout", "icmpv6_timeout", "generic_timeout",
                *(f"tcp_timeout_{state}" for state in (
                    "syn_sent", "syn_recv", "established", "fin_wait", "close_wait", "last_ack",
                    "time_wait", "close", "max_retrans", "unacknowledged")))}}


def write_tracking(loose):
    for name, value in {**TRACKING, "tcp_loose": str(int(loose))}.items():
        write(f"netfilter/nf_conntrack_{name}", value)


class Netfilter(LinuxRouter):
    """The Linux router; nft() gives it rules."""

    def tracks(self, loose=True):
        """loose: TCP connections whose beginning was not seen are taken for such."""
        hosts.inside(self.namespace, write_tracking, loose)

    def nft(self, script, timeout_s=300):
        return hosts.must(hosts.run_inside(self.namespace, "nft", "-f", "-", text=script,
                                           timeout_s=timeout_s))

    def listed(self, *words):
        return hosts.must(hosts.run_inside(self.namespace, "nft", "-j", "list", *words))


__all__ = ["Netfilter", "Network", "interface"]
