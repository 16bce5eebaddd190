# One network around either router: addresses, neighbours and routes, in the words of both.
from labkit import hosts

SIX = False        # IPv6
PORTS = 3
SMALL = 2          # the port with the small MTU
MTU = {0: 1500, 1: 1500, SMALL: 600}
HOST, GATEWAY, SILENT = 77, 78, 200  # last bytes: neighbours with a MAC; from SILENT on, without


def mac(port, neighbor):
    """A neighbour's MAC. No kernel has it: what is sent there is seen, and nothing else happens."""
    return f"02:00:00:00:{port:02x}:{neighbor:02x}"


def router_mac(port):
    return hosts.router_mac(port)


ROUTER4 = [f"10.0.{p}.1" for p in range(PORTS)]
SENDERS = 100      # 10.SENDERS + port.0.0/16: senders behind the gateway of a port

# A second network on a port, for the choice of the source address of errors.
SECOND4 = (0, "172.16.0.1", 24)

# Prefix, and a gateway (port, last byte) or what is done instead.
ROUTES4 = [
    ("192.0.2.0/24", (0, GATEWAY)),
    ("198.18.0.0/15", (1, GATEWAY)),
    ("198.18.5.0/24", (0, GATEWAY)),       # more specific, another way
    ("198.18.5.128/25", "unreachable"),
    ("198.18.6.6/32", "prohibit"),
    ("198.51.100.0/24", (SMALL, GATEWAY)),
    ("203.0.113.0/26", "blackhole"),
    ("203.0.113.64/26", "unreachable"),
    ("203.0.113.128/26", "prohibit"),
] + [(f"10.{SENDERS + p}.0.0/16", (p, GATEWAY)) for p in range(PORTS)]


def neighbors4():
    """(port, address, MAC) of all neighbours that never need to be asked for."""
    known = [(p, f"10.0.{p}.{n}", mac(p, n)) for p in range(PORTS) for n in (HOST, GATEWAY)]
    known.append((SECOND4[0], "172.16.0.77", mac(SECOND4[0], HOST)))
    # The all-zeros address: a broadcast of old to one router, a host to the other.
    return known, [(p, f"10.0.{p}.0", mac(p, 0)) for p in range(PORTS)]


def barewire_lines():
    """The configuration for barewire."""
    lines = []
    for p in range(PORTS):
        lines.append(f"set interfaces eth{p} address {ROUTER4[p]}/24")
        if MTU[p] != 1500:
            lines.append(f"set interfaces eth{p} mtu {MTU[p]}")
    lines.append(f"set interfaces eth{SECOND4[0]} address {SECOND4[1]}/{SECOND4[2]}")
    lines += [f"set neighbors eth{p} {a} {m}" for p, a, m in neighbors4()[0]]
    for prefix, way in ROUTES4:
        lines.append(f"set routes {prefix} {way}" if isinstance(way, str) else
                     f"set routes {prefix} via 10.0.{way[0]}.{way[1]}")
    return "".join(line + "\n" for line in lines)


def linux_lines(interface):
    """The same for `ip -batch`; interface(port) names a port."""
    lines = []
    for p in range(PORTS):
        lines += [f"link set {interface(p)} address {router_mac(p)} mtu {MTU[p]}",
                  f"address add {ROUTER4[p]}/24 dev {interface(p)}"]
    lines.append(f"address add {SECOND4[1]}/{SECOND4[2]} dev {interface(SECOND4[0])}")
    lines += [f"link set {interface(p)} up" for p in range(PORTS)]
    for group in neighbors4():
        lines += [f"neighbor replace {a} lladdr {m} dev {interface(p)} nud permanent"
                  for p, a, m in group]
    for prefix, way in ROUTES4:
        lines.append(f"route add {way} {prefix}" if isinstance(way, str) else
                     f"route add {prefix} via 10.0.{way[0]}.{way[1]}")
    return "".join(line + "\n" for line in lines)
