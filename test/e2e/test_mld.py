# Multicast listener discovery: the router tells each link which of its groups it listens to, a
# querier of either version, and a Linux bridge that snoops.
import socket
import time

import pytest
from frames6 import LINK_LOCAL_HOST, NEAR, US
from labkit import hosts
from router import running, wait_for
from scapy.layers.inet6 import (ICMPv6MLDone, ICMPv6MLQuery, ICMPv6MLQuery2,
                                ICMPv6MLReport, ICMPv6MLReport2, ICMPv6ND_NS, IPv6,
                                IPv6ExtHdrHopByHop, RouterAlert)
from scapy.layers.l2 import Ether

CONFIG = "".join(f"set interfaces eth{i} address fd00:0:0:{i}::1/64\n" for i in range(2))
ROUTERS = {"ff02::2", "ff05::2"}
# Of fd00::1, of the anycast address fd00::, and of the link-local address, which ends in 00:00:00.
OURS = ROUTERS | {"ff02::1:ff00:1", "ff02::1:ff00:0"}
LINK_LOCAL = "fe80::5054:ff:fe00:0"
IS_INCLUDE, IS_EXCLUDE, TO_INCLUDE, TO_EXCLUDE = 1, 2, 3, 4


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, config=CONFIG, warm=False) as lab:
        wait_for("its addresses", lambda: "tentative" not in lab.cli("show interfaces"))
        quiet(lab)
        yield lab


def quiet(lab):
    """Waits until the router has told what it has joined; it repeats that within a second."""
    before = None
    while before != (now := lab.json("show protocols")["mld"]["reports_sent"]):
        before = now
        time.sleep(2.5)


@pytest.fixture
def h0(lab):
    with lab.wire(0) as wire:
        wire.forget()
        yield wire


def query(message, dst="ff02::1"):
    last = bytes(IPv6(dst=dst))[36:40]
    return Ether(dst="33:33:" + last.hex(":"), src=hosts.host_mac(0)) / \
        IPv6(src=LINK_LOCAL_HOST, dst=dst, hlim=1) / \
        IPv6ExtHdrHopByHop(options=[RouterAlert(value=0)]) / message


def take(wire, layer, wait_s=60):
    """The next frame from the router with this layer: as RFC 3810 5 wants them."""
    frame = wire.receive(lambda f: f[12:14] == b"\x86\xdd" and layer in Ether(f), wait_s)
    if not frame:
        return None
    packet = Ether(frame)[IPv6]
    sent_as = packet[layer].cksum
    del packet[layer].cksum
    assert IPv6(bytes(packet))[layer].cksum == sent_as
    assert packet.hlim == 1 and packet.src in ("::", LINK_LOCAL)
    assert packet[IPv6ExtHdrHopByHop].options[0].value == 0
    assert frame[:6].hex(":") == "33:33:" + frame[50:54].hex(":") and frame[6:12].hex(":") == US
    return packet


def records_of(report):
    """(type, group, sources) of each record of a report of version 2."""
    body, found, at = bytes(report), set(), 8
    for _ in range(int.from_bytes(body[6:8], "big")):
        sources = body[at + 20:at + 20 + 16 * int.from_bytes(body[at + 2:at + 4], "big")]
        found.add((body[at], inet(body[at + 4:at + 20]),
                   tuple(inet(sources[k:k + 16]) for k in range(0, len(sources), 16))))
        at += 20 + len(sources)
    assert at == len(body)
    return found


def inet(address):
    return socket.inet_ntop(socket.AF_INET6, address)


def records(wire, wait_s=60):
    """Those of the next report."""
    packet = take(wire, ICMPv6MLReport2, wait_s)
    assert packet is None or packet.dst == "ff02::16"
    return packet and records_of(packet[ICMPv6MLReport2])


def test_join_and_leave(lab, h0):
    """RFC 3810 6.1, RFC 4862 5.4.2: told before the address is probed, and when it goes; twice each."""
    seen = []
    lab.configure("set interfaces eth0 address fd00:7::ab:cdef/64")
    group = "ff02::1:ffab:cdef"

    def order(frame):
        p = Ether(frame)
        if ICMPv6MLReport2 in p:
            seen.append(records_of(p[ICMPv6MLReport2]))
        return ICMPv6ND_NS in p and p[ICMPv6ND_NS].tgt == "fd00:7::ab:cdef"
    assert h0.receive(order)
    assert seen == [{(TO_EXCLUDE, group, ())}]
    assert records(h0) == {(TO_EXCLUDE, group, ())}
    h0.forget()
    lab.configure("delete interfaces eth0 address fd00:7::ab:cdef/64")
    for _ in range(2):
        assert records(h0) == {(TO_INCLUDE, group, ())}
    assert records(h0, 2) is None


def test_general_query(lab, h0):
    """RFC 3810 6.2: all groups but that of all nodes, within the time allowed; one answer to many
    questions, but for those that chance sends between two of them."""
    everything = {(IS_EXCLUDE, group, ()) for group in OURS}
    h0.send(query(ICMPv6MLQuery2(mrd=0)))
    assert records(h0) == everything
    assert records(h0, 1.5) is None
    many = bytes(query(ICMPv6MLQuery2(mrd=500)))
    for _ in range(20):
        h0.send(many)
    answers = list(iter(lambda: records(h0, 1.5), None))
    assert 1 <= len(answers) <= 5 and all(a == everything for a in answers), answers


def test_answers_are_spread(h0):
    """RFC 3810 6.2: the delay is random, up to what the querier allows."""
    delays = []
    for _ in range(8):
        start = time.monotonic()
        h0.send(query(ICMPv6MLQuery2(mrd=1000)))
        assert records(h0)
        delays.append(time.monotonic() - start)
    assert max(delays) - min(delays) > 0.05, delays


def test_group_query(h0):
    for group in sorted(OURS):
        h0.send(query(ICMPv6MLQuery2(mrd=0, mladdr=group), dst=group if group != "ff05::2" else "ff02::1"))
        assert records(h0) == {(IS_EXCLUDE, group, ())}
    h0.send(query(ICMPv6MLQuery2(mrd=0, mladdr="ff02::1:ff99:9999")))
    h0.send(query(ICMPv6MLQuery2(mrd=0, mladdr="ff02::1")))
    assert records(h0, 1) is None


def test_sources_query(h0):
    """RFC 3810 6.3: of the sources asked for, those that are listened to: all."""
    sources = [NEAR, "fe80::7"]
    h0.send(query(ICMPv6MLQuery2(mrd=0, mladdr="ff02::2", sources=sources)))
    assert records(h0) == {(IS_INCLUDE, "ff02::2", tuple(sources))}


def test_bridge_that_snoops(lab):
    """A Linux bridge asks, and knows by the answers which groups are behind its port. It cannot ask
    before it has an address of its own, which may take longer than its two queries at the start."""
    for command in ("ip link add br0 type bridge mcast_snooping 1 mcast_querier 1 "
                    "mcast_startup_query_interval 100 mcast_startup_query_count 60 "
                    "mcast_query_response_interval 50",
                    "ip link set br0 addrgenmode eui64", "ip link set p0 master br0",
                    "ip link set br0 up"):
        lab.must(0, *command.split())
    try:
        def known():
            return {line.split()[5] for line in lab.must(0, "bridge", "mdb", "show").splitlines()
                    if line.startswith("dev br0 port p0 grp ")}
        wait_for("its groups", lambda: OURS - {"ff02::1:ff00:0"} <= known())
    finally:
        lab.must(0, "ip", "link", "del", "br0")


def test_version_1(lab, h0):
    """RFC 3810 8.2: a querier of version 1 is answered in its language, also about what is left."""
    h0.send(query(ICMPv6MLQuery(mrd=0)))
    got = [take(h0, ICMPv6MLReport) for _ in OURS]
    assert {p.dst for p in got} == {p[ICMPv6MLReport].mladdr for p in got} == OURS
    h0.send(query(ICMPv6MLQuery2(mrd=0, mladdr="ff02::2")))
    assert take(h0, ICMPv6MLReport).dst == "ff02::2"
    h0.send(query(ICMPv6MLQuery(mrd=2000, mladdr="ff02::1:ff00:1"), dst="ff02::1:ff00:1"))
    other = IPv6(src="fe80::99", dst="ff02::1:ff00:1", hlim=1) / \
        IPv6ExtHdrHopByHop(options=[RouterAlert()]) / ICMPv6MLReport(mladdr="ff02::1:ff00:1")
    h0.send(Ether(dst="33:33:ff:00:00:01", src=hosts.host_mac(0)) / other)
    answered = take(h0, ICMPv6MLReport, 3)  # by chance before the other one had spoken
    assert answered is None or answered.dst == "ff02::1:ff00:1"
    assert lab.json("show protocols")["mld"]["reports_heard"] == 1
    lab.configure("set interfaces eth0 address fd00:7::ab:cdef/64")
    assert take(h0, ICMPv6MLReport).dst == "ff02::1:ffab:cdef"
    lab.configure("delete interfaces eth0 address fd00:7::ab:cdef/64")
    done = take(h0, ICMPv6MLDone)
    assert done.dst == "ff02::2" and done[ICMPv6MLDone].mladdr == "ff02::1:ffab:cdef"


def test_books(lab):
    lab.check_books()
