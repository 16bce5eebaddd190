# The IPv6 network around either router; as topology.py for IPv4, with the same names.
import ipaddress

from .topology import GATEWAY, HOST, PORTS, SMALL, mac, router_mac  # noqa: F401

SIX = True  # IPv6
MTU = {0: 1500, 1: 1500, SMALL: 1280}


def net(port, last):
    """The address of a port's network that ends in `last`, in the words of both routers."""
    return str(ipaddress.IPv6Address(f"fd00:0:0:{port}::{last}"))


def link_local(port):
    """The router's, by its MAC (RFC 4291 appendix A)."""
    return f"fe80::5054:ff:fe00:{port}"


ROUTER6 = [net(p, 1) for p in range(PORTS)]
SECOND6 = (0, "fd00:0:0:16::1", 64)
LINK_HOST, LINK_GATEWAY = f"fe80::{HOST}", f"fe80::{GATEWAY}"

# 2001:db8:100 + port::/48: senders behind the gateway of a port.
SENDERS = 0x100

# Prefix, and a gateway (port, address) or what is done instead.
ROUTES6 = [
    ("2001:db8:1::/48", (0, net(0, GATEWAY))),
    ("2001:db8:2::/47", (1, net(1, GATEWAY))),
    ("2001:db8:2:5::/64", (0, net(0, GATEWAY))),     # more specific, another way
    ("2001:db8:2:5:8000::/65", "unreachable"),
    ("2001:db8:2:6::6/128", "prohibit"),
    ("2001:db8:4::/48", (SMALL, net(SMALL, GATEWAY))),
    ("2001:db8:5::/64", "blackhole"),
    ("2001:db8:5:1::/64", "unreachable"),
    ("2001:db8:5:2::/64", "prohibit"),
    ("2001:db8:6::/48", (1, LINK_GATEWAY)),
] + [(f"2001:db8:{SENDERS + p:x}::/48", (p, net(p, GATEWAY))) for p in range(PORTS)]


def neighbors6():
    """(port, address, MAC) of all neighbours that never need to be asked for."""
    known = [(p, net(p, n), mac(p, n)) for p in range(PORTS) for n in (HOST, GATEWAY)]
    known += [(p, f"fe80::{n}", mac(p, n)) for p in range(PORTS) for n in (HOST, GATEWAY)]
    known.append((SECOND6[0], f"fd00:0:0:16::{HOST}", mac(SECOND6[0], HOST)))
    return known


def barewire_lines():
    """The configuration for barewire."""
    lines = []
    for p in range(PORTS):
        lines.append(f"set interfaces eth{p} address {ROUTER6[p]}/64")
        if MTU[p] != 1500:
            lines.append(f"set interfaces eth{p} mtu {MTU[p]}")
    lines.append(f"set interfaces eth{SECOND6[0]} address {SECOND6[1]}/{SECOND6[2]}")
    lines += [f"set neighbors eth{p} {a} {m}" for p, a, m in neighbors6()]
    for prefix, way in ROUTES6:
        if isinstance(way, str):
            lines.append(f"set routes {prefix} {way}")
        else:
            dev = f" dev eth{way[0]}" if way[1].startswith("fe80") else ""
            lines.append(f"set routes {prefix} via {way[1]}{dev}")
    return "".join(line + "\n" for line in lines)


def linux_lines(interface):
    """The same for `ip -batch`; interface(port) names a port."""
    lines = [f"address add {SECOND6[1]}/{SECOND6[2]} dev {interface(SECOND6[0])} nodad"]
    for p in range(PORTS):
        lines += [f"link set {interface(p)} address {router_mac(p)} mtu {MTU[p]}",
                  f"address add {link_local(p)}/64 dev {interface(p)} nodad",
                  f"address add {ROUTER6[p]}/64 dev {interface(p)} nodad"]
    lines += [f"link set {interface(p)} up" for p in range(PORTS)]
    lines += [f"neighbor replace {a} lladdr {m} dev {interface(p)} nud permanent"
              for p, a, m in neighbors6()]
    for prefix, way in ROUTES6:
        lines.append(f"route add {way} {prefix}" if isinstance(way, str) else
                     f"route add {prefix} via {way[1]} dev {interface(way[0])}")
    return "".join(line + "\n" for line in lines)
