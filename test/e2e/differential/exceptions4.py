# IPv4: where barewire is right to differ from Linux. Each rule turns what Linux did into what
# barewire is to do, and touches nothing else; its docstring says why.
import ipaddress

from . import packet4, topology
from .packet4 import View
from .rules import Rules, of_kind

NETWORKS = [ipaddress.ip_network(f"{a}/24", strict=False) for a in topology.ROUTER4] + [
    ipaddress.ip_network(f"{topology.SECOND4[1]}/{topology.SECOND4[2]}", strict=False)]
BROADCASTS = {str(a) for n in NETWORKS for a in (n.network_address, n.broadcast_address)}
ALL_ZEROS = {str(n.network_address) for n in NETWORKS}
OWN = {*topology.ROUTER4, topology.SECOND4[1]}
BLACKHOLE = ipaddress.ip_network("203.0.113.0/26")

# Protocols a Linux kernel may have a listener for: IGMP, IP in IP, IPv6, GRE, ESP, AH, IPComp, PIM,
# L2TP, SCTP, UDP-Lite.
LISTENERS = {2, 4, 41, 47, 50, 51, 103, 108, 115, 132, 136}


exception = EXCEPTIONS = Rules(View)


def first_byte(address):
    return int(address.split(".")[0])


@exception
def class_e_and_net_0(view, theirs, _ours):
    """RFC 1812 5.3.7 (SHOULD NOT forward class E; network 0, but for 0.0.0.0 at start-up, is no
    address): barewire drops both, as source and as destination. Linux routes them."""
    if any(first_byte(a) == 0 or first_byte(a) >= 240 for a in (view.src, view.dst)):
        return []
    return theirs


@exception
def all_zeros_broadcast(view, theirs, _ours):
    """RFC 1812 4.2.3.1: a router treats {network, 0} as a broadcast, which is not forwarded (RFC
    2644). Linux since 5.14 takes it for a host."""
    return [] if view.dst in ALL_ZEROS else theirs


@exception
def no_answer_to_broadcasts(view, theirs, _ours):
    """RFC 1812 4.3.2.7, RFC 1122 3.2.2: nothing is said to a source that does not define a single
    host. Linux sends to the network's broadcast address."""
    if view.src in BROADCASTS:
        return of_kind(theirs, "forwarded")
    return theirs


@exception
def longer_than_the_mtu(view, theirs, _ours):
    """RFC 894: the port's MTU is the longest packet there is. Linux takes four bytes more, in case
    they are a VLAN tag."""
    over = len(view.packet) - topology.MTU[port_of(view)]
    return [] if 0 < over <= 4 else theirs


def port_of(view):
    """The port whose router MAC the frame is for; 0 for any other."""
    macs = [packet4.hardware(topology.router_mac(p)) for p in range(topology.PORTS)]
    return macs.index(view.dst_mac) if view.dst_mac in macs else 0


@exception
def silence_before_options(view, theirs, _ours):
    """RFC 5635 3, RFC 1812 4.3.2.7: what goes to a black hole or a broadcast address ends in
    silence, whatever its options. Linux looks at options first, and reports a wrong one."""
    if ipaddress.ip_address(view.dst) in BLACKHOLE or view.dst in BROADCASTS:
        return [m for m in theirs if m.get("type") != packet4.PARAMETER]
    return theirs


@exception
def error_tos(view, theirs, _ours):
    """RFC 1812 4.3.2.5, RFC 1349 5.1: errors have precedence 6 and the default TOS. Linux keeps the
    TOS bits of the packet."""
    for m in of_kind(theirs, "error"):
        if m["tos"] == 0xC0 | view.tos & 0x1E:
            m["tos"] = 0xC0
    return theirs


@exception
def error_without_options(view, theirs, _ours):
    """RFC 1812 4.3.2.6 has only source routes come back in errors, and those are refused. Linux
    sends the record route and timestamp options along."""
    for m in of_kind(theirs, "error"):
        if view.options:
            m["options"] = b""
    return theirs


@exception
def quote_as_it_came(view, theirs, _ours):
    """RFC 792, RFC 1812 4.3.3.5: the header that is quoted is that of the original. Linux has
    written into its options before."""
    for m in of_kind(theirs, "error"):
        if view.options:
            m["quote"] = view.packet[:view.size] + m["quote"][view.size:]
    return theirs


@exception
def answer_without_options(view, theirs, _ours):
    """RFC 1812 4.3.3.6, RFC 1122 3.2.2.6: record route and timestamps SHOULD come back in an echo
    reply; 4.2.3.8: they MAY in TCP. barewire's have no options: for a trace there is the TTL."""
    for m in of_kind(theirs, "answer"):
        if view.options:
            m["options"] = b""
    return theirs


@exception
def answer_in_spite_of_options(view, theirs, ours):
    """RFC 1812 4.3.2, RFC 9293 3.10.7.1: an answer is due, whatever options came along. Linux says
    nothing if those it would send along have, after its own entry, some room left, but not enough
    for another."""
    for kind, raw in packet4.options_of(view.options):
        if kind in (7, 68) and len(raw) > 3 and not theirs and len(ours) == 1 and \
                ours[0]["kind"] != "forwarded":
            step = 8 if kind == 68 and raw[3] & 15 else 4
            if 0 < len(raw) - (raw[2] - 1) - step < step:
                return ours
    return theirs


@exception
def error_without_source_route(view, theirs, ours):
    """RFC 7126 4.3, 4.4: source routes are refused, also for what is said about them. Linux sends
    an error back by the reversed route, or not at all if that leads nowhere."""
    routed = {131, 137} & {kind for kind, _ in packet4.options_of(view.options)}
    if not routed or len(ours) != 1 or ours[0].get("type") != packet4.PARAMETER:
        return theirs
    if not theirs:
        return ours
    if len(theirs) == 1:
        for key in ("port", "to", "from", "src", "dst"):
            theirs[0][key] = ours[0][key]
    return theirs


@exception
def bytes_after_the_end(view, theirs, _ours):
    """RFC 791 3.1: after the end of options there is padding, and RFC 1812 4.2.2.3 lets what a
    router does not look at pass. Linux writes zeros over it."""
    for m in of_kind(theirs, "forwarded"):
        end = sum(len(raw) for _, raw in packet4.options_of(view.options))
        if len(m["options"]) == len(view.options):
            m["options"] = m["options"][:end] + view.options[end:]
    return theirs


@exception
def timestamp_of_the_way_out(view, theirs, _ours):
    """RFC 1812 4.2.2.2: an address put into an option is that of the interface by which the packet
    leaves. In a timestamp option Linux puts the one it came in by."""
    at = time_written(view.options, with_address=True)
    for m in of_kind(theirs, "forwarded"):
        if at and m["options"][at - 4:at] != view.options[at - 4:at]:
            way_out = topology.SECOND4[1] if view.dst == "172.16.0.77" else \
                topology.ROUTER4[m["port"]]
            m["options"] = m["options"][:at - 4] + packet4.address(way_out) + m["options"][at:]
    return theirs


@exception
def timestamp_of_others(view, theirs, _ours):
    """RFC 1812 5.3.13.6, RFC 791: at addresses chosen by the sender a router writes where the next
    one is its own. Linux writes at 0.0.0.0 and at broadcast addresses, too."""
    at = 0
    for kind, raw in packet4.options_of(view.options):
        if kind == 68 and len(raw) >= 12 and raw[3] & 15 == 3 and \
                packet4.dotted(raw[raw[2] - 1:raw[2] + 3]) not in OWN:
            for m in of_kind(theirs, "forwarded"):
                m["options"] = m["options"][:at] + raw + m["options"][at + len(raw):]
        at += len(raw)
    return theirs


@exception
def another_clock(view, theirs, ours):
    """RFC 791, timestamp: a router without a clock of universal time inserts any, with the highest
    bit set. The one time that this router wrote may differ, no more."""
    pairs = zip(of_kind(theirs, "forwarded"), of_kind(ours, "forwarded"))
    for m, own in pairs:
        at = time_written(view.options)
        if at and len(own["options"]) == len(m["options"]) and own["options"][at] & 0x80 and \
                m["options"][at:at + 4] != view.options[at:at + 4]:
            m["options"] = m["options"][:at] + own["options"][at:at + 4] + m["options"][at + 4:]
    return theirs


def time_written(options, with_address=False):
    """Where in the options a router puts its time; None if nowhere, or not behind its address."""
    at = 0
    for kind, raw in packet4.options_of(options):
        if kind == 68 and len(raw) >= 4 and (raw[3] & 15 == 1 or not with_address):
            place = raw[2] - 1 + (4 if raw[3] & 15 else 0)
            return at + place if place + 4 <= len(raw) else None
        at += len(raw)
    return None


@exception
def no_timestamp_reply(view, theirs, _ours):
    """RFC 1812 4.3.3.8: a router MAY implement ICMP timestamps. barewire does not."""
    if view.proto == packet4.ICMP and view.payload[:1] == b"\x0d":
        return [m for m in theirs if m["kind"] != "answer"]
    return theirs


@exception
def reserved_flag(view, theirs, _ours):
    """RFC 1812 4.2.2.3: reserved bits pass through. Linux clears the one in the flags when it cuts
    the packet."""
    for m in of_kind(theirs, "forwarded"):
        if view.flags & 4 and m["pieces"] > 1:
            m["df"] |= 4
    return theirs


@exception
def security_labels(view, theirs, ours):
    """RFC 1812 4.2.2.1 (c): a router passes options it does not know. Linux knows CIPSO (134), if
    so built, and reports labels that it finds wrong."""
    at = 20
    for kind, raw in packet4.options_of(view.options):
        if kind == 134 and len(theirs) == 1 and theirs[0].get("type") == packet4.PARAMETER and \
                at <= theirs[0]["rest"][0] < at + len(raw):
            return ours
        at += len(raw)
    return theirs


@exception
def options_of_later_fragments(view, theirs, _ours):
    """RFC 791 3.1: options without the copy bit are in the first fragment alone. One that comes
    with such options and is no first fragment is cut by the same rule; Linux keeps them."""
    for m in of_kind(theirs, "forwarded"):
        if view.offset and m["pieces"] > 1:
            m["later"] = [b"".join(raw for kind, raw in packet4.options_of(view.options)
                                   if kind & 0x80)]
    return theirs


@exception
def beyond_65535(view, theirs, _ours):
    """RFC 791 3.2: a datagram ends at 65,535 bytes. A fragment that would end behind it cannot be
    cut: the offsets of its parts overflow, into the flags in Linux."""
    if view.offset + len(view.payload) > 65535:
        return [m for m in theirs if m.get("pieces", 0) == 1 or m["kind"] != "forwarded"]
    return theirs


@exception
def protocols_linux_listens_to(view, theirs, ours):
    """RFC 1122 3.2.2.1: protocol unreachable if no one listens. In a Linux kernel someone may."""
    if view.dst in OWN and view.proto in LISTENERS and \
            [(m.get("type"), m.get("code")) for m in ours] == [(3, 2)]:
        return ours
    return theirs
