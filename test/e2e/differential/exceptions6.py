# IPv6: where barewire is right to differ from Linux. Each rule turns what Linux did into what
# barewire is to do, and touches nothing else; its docstring says why.
import ipaddress

from . import generate6, packet6, topology6
from .packet6 import View
from .rules import Rules, of_kind

MAPPED = ipaddress.ip_network("::ffff:0:0/96")
LINK_LOCAL = ipaddress.ip_network("fe80::/10")
BLACKHOLE = ipaddress.ip_network("2001:db8:5::/64")

# Protocols a Linux kernel may have a listener for: IP in IP, DCCP, IPv6, RSVP, GRE, ESP, AH, PIM,
# IPComp, L2TP, SCTP, mobility, UDP-Lite, HIP, Shim6.
LISTENERS = {4, 33, 41, 46, 47, 50, 51, 103, 108, 115, 132, 135, 136, 139, 140}

exception = EXCEPTIONS = Rules(View)


def within(address, network):
    return ipaddress.ip_address(address) in network


def port_of(view):
    """The port whose router MAC the frame is for; 0 for any other."""
    macs = [packet6.hardware(topology6.router_mac(p)) for p in range(topology6.PORTS)]
    return macs.index(view.dst_mac) if view.dst_mac in macs else 0


def options_seen(view, kinds):
    """Options in the hop-by-hop header if it is first, and in all other headers of these kinds."""
    return [o for kind, data in view.headers if kind in kinds for o in packet6.options_of(data)]


# ------------------------------------------------------------ addresses

@exception
def no_such_destination(view, theirs, _ours):
    """RFC 4291 2.5.2 (:: is never a destination), RFC 6890 (::ffff:0:0/96 is not forwarded):
    dropped in silence. Linux looks for a route, and reports that there is none."""
    return [] if view.dst == "::" or within(view.dst, MAPPED) else theirs


@exception
def no_such_source(view, theirs, _ours):
    """RFC 6890: ::ffff:0:0/96 is no source, and not forwarded. Linux does."""
    return [] if within(view.src, MAPPED) else theirs


@exception
def link_local_stays(view, theirs, _ours):
    """RFC 4291 2.5.6: what is to a link-local address is not for a router to forward, nor to say
    anything about: sender and destination are on one link, or it does not leave its own. Linux
    forwards it back to the link, and looks for others' addresses there."""
    if within(view.dst, LINK_LOCAL) and view.dst != topology6.link_local(port_of(view)):
        return []
    return theirs


@exception
def beyond_scope_first(view, theirs, ours):
    """RFC 4443 3.1, code 2: what may not be forwarded at all is told so, whatever its options and
    hop limit. Linux looks at these first."""
    if within(view.src, LINK_LOCAL) and len(ours) == 1 and \
            (ours[0].get("type"), ours[0].get("code")) == (1, 2):
        return ours
    return theirs


@exception
def not_even_back(view, theirs, _ours):
    """RFC 4291 2.5.2, 2.5.6: what is from :: or a link-local address is not forwarded. Linux does
    where it leaves by the port it came in by."""
    if view.src == "::" or within(view.src, LINK_LOCAL):
        return [m for m in theirs if m["kind"] != "forwarded"]
    return theirs


@exception
def group_in_another_frame(view, theirs, _ours):
    """RFC 2464 7: what is to a group comes in a frame to 33:33 and the group's last bytes. Linux takes
    it in any."""
    if view.dst.startswith("ff") and view.dst_mac[0] & 1 and view.dst_mac[:2] != b"\x33\x33":
        return []
    return theirs


@exception
def source_of_errors_from_anycast(view, theirs, _ours):
    """RFC 4443 2.2 (b): an error about a packet to an anycast address comes from a unicast address
    of the router. Linux takes the anycast address."""
    for m in of_kind(theirs, "error"):
        if view.dst in generate6.ANYCAST and m["src"] == view.dst:
            m["src"] = source_here(view)
    return theirs


@exception
def answers_from_anycast(view, theirs, ours):
    """RFC 4443 4.2: a request to an anycast address is answered, by the route to who asked. Linux
    answers only by the port it came in by, whatever the route."""
    if view.dst in generate6.ANYCAST and {m["kind"] for m in theirs + ours} == {"answer"}:
        return ours
    return theirs


def source_here(view):
    """The router's address on the port the frame came in by that suits its source (RFC 6724 5)."""
    second = ipaddress.ip_network(f"{topology6.SECOND6[1]}/64", strict=False)
    if within(view.src, LINK_LOCAL):
        return topology6.link_local(port_of(view))
    if port_of(view) == topology6.SECOND6[0] and within(view.src, second):
        return topology6.SECOND6[1]
    return topology6.ROUTER6[port_of(view)]


@exception
def routers_of_the_site(view, theirs, ours):
    """RFC 4291 2.8: a router recognises ff05::2. Linux does not, unless told to forward later than
    its interfaces come."""
    return ours if view.dst == "ff05::2" and not theirs else theirs


# ------------------------------------------------------------ what errors and answers look like

@exception
def error_class(_view, theirs, _ours):
    """RFC 4594 3.1 (network control), as RFC 1812 4.3.2.5 has it for IPv4: errors have class CS6.
    Linux sends them with the lowest."""
    for m in of_kind(theirs, "error"):
        m["tc"] = 0xC0
    return theirs


@exception
def no_error_about_redirects(view, theirs, _ours):
    """RFC 4443 2.4 (e.2): no error about a redirect. Linux sends one."""
    if view.proto == packet6.ICMP6 and not view.later and \
            view.message[:1] == bytes([packet6.REDIRECT]):
        return [m for m in theirs if m["kind"] != "error"]
    return theirs


@exception
def no_error_about_the_unknown(view, theirs, _ours):
    """RFC 4443 2.4 (e.1): no error about an error, which a first fragment of ICMPv6 may be if it ends
    before its type (RFC 7112 5 forbids it). Linux takes it for a request."""
    if view.part and not view.later and view.proto == packet6.ICMP6 and not view.message:
        return [m for m in theirs if m["kind"] != "error"]
    return theirs


@exception
def error_about_cut_headers(view, theirs, ours):
    """RFC 4443 2.4 (e.1): what ends within an extension header is no ICMPv6 error, whatever that
    header says will follow. Linux believes it."""
    if view.broken and not theirs and view.message[:1] == bytes([packet6.ICMP6]):
        return ours
    return theirs


@exception
def longer_than_the_mtu(view, theirs, _ours):
    """RFC 2464 2: the port's MTU is the longest packet there is. Linux takes four bytes more, in
    case they are a VLAN tag."""
    over = len(view.packet) - topology6.MTU[port_of(view)]
    return [] if 0 < over <= 4 else theirs


# ------------------------------------------------------------ options and headers

@exception
def silence_before_options(view, theirs, _ours):
    """RFC 5635 3: what goes to a black hole ends in silence, whatever its options. Linux looks at
    options first, and reports unknown ones."""
    if within(view.dst, BLACKHOLE):
        return [m for m in theirs if m.get("type") != packet6.PARAMETER]
    return theirs


@exception
def groups_of_others(view, theirs, _ours):
    """RFC 8200 4: a node that is not in the group is neither destination nor on the way. Linux looks
    at the options of what is to any group, and reports unknown ones."""
    if view.dst.startswith("ff") and view.dst not in generate6.GROUPS:
        return [m for m in theirs if m.get("type") != packet6.PARAMETER]
    return theirs


@exception
def padding(view, theirs, ours):
    """RFC 8200 4.2: padding is passed over. Linux drops what has more than 7 bytes of it in a row,
    or other bytes than zeros in it."""
    run = 0
    for kind, data in options_seen(view, (packet6.HOP_BY_HOP, packet6.OPTIONS)):
        run = run + len(data) + 1 + (kind == 1) if kind in (0, 1) else 0
        if not theirs and (run > 7 or kind == 1 and any(data)):
            return ours
    return theirs


@exception
def router_alert(view, theirs, ours):
    """RFC 2711 2.1: a router that does not listen for the option passes it. Linux drops one of the
    wrong length."""
    seen = options_seen(view, (packet6.HOP_BY_HOP,))
    return ours if not theirs and any(k == 5 and len(d) != 2 for k, d in seen) else theirs


@exception
def jumbo_payload(view, theirs, ours):
    """RFC 2675 3, 4: without a link for jumbograms the option, and UDP of length 0, are as unknown as
    any other. Linux knows them everywhere."""
    if any(k == 0xC2 for k, _ in options_seen(view, (packet6.HOP_BY_HOP,))) and \
            {(m.get("type"), m.get("code")) for m in theirs + ours} <= {(4, 0), (4, 2)}:
        return ours
    if view.proto == packet6.UDP and view.message[4:6] == b"\0\0":
        return [m for m in theirs if m["kind"] != "error" or view.dst not in generate6.OWN]
    return theirs


@exception
def cut_fragment_header(view, theirs, ours):
    """RFC 4443 3.4: parameter problem for headers that are wrong is a SHOULD, where a field is to
    blame. barewire drops in silence what ends within an extension header. Linux does the same, but
    not with a fragment header."""
    if view.broken and view.proto == packet6.FRAGMENT and view.dst in generate6.DELIVERED and not ours:
        return [m for m in theirs if (m.get("type"), m.get("code")) != (packet6.PARAMETER, 0)]
    return theirs


@exception
def headers_linux_may_know(view, theirs, ours):
    """RFC 8200 4.2, 4.4: what is not known is reported as its type says. A Linux kernel may know the
    routing headers of RPL and SRv6, and the options of mobility, labels and IOAM."""
    seen = {k for k, _ in options_seen(view, (packet6.HOP_BY_HOP, packet6.OPTIONS))}
    routed = {data[2] for kind, data in view.headers if kind == packet6.ROUTING}
    return ours if not theirs and (seen & {0x07, 0x31, 0xC9} or routed & {2, 3, 4}) else theirs


@exception
def fragment_header_again(view, theirs, ours):
    """RFC 8200 4.1: extension headers are taken in any order and any number of times. Linux refuses
    a second fragment header, also where both say that the packet is whole."""
    twice = [kind for kind, _ in view.headers].count(packet6.FRAGMENT) > 1 or \
        view.proto == packet6.FRAGMENT and view.headers
    return ours if twice and any(m.get("type") == packet6.PARAMETER for m in theirs) else theirs


@exception
def protocols_linux_listens_to(view, theirs, ours):
    """RFC 8200 4: unknown next header if no one knows it. In a Linux kernel someone may."""
    if view.dst in generate6.OWN and view.proto in LISTENERS and \
            [(m.get("type"), m.get("code")) for m in ours] == [(4, 1)]:
        return ours
    return theirs
