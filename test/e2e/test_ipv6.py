# IPv6 end to end: real hosts, real tools, and every drop counted under one reason.
import re
import threading
import time

import pytest
from books import expect_drops
from differential import packet6
from frames6 import (FAR, FRAMES6, HOST, LINK_LOCAL_HOST, NEAR, ROUTER, US, eth, ip, net,
                     udp)
from labkit import hosts
from labkit.transfer import carry_file
from router import running, wait_for
from scapy.layers.inet import UDP
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS,
                                ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6NDOptDstLLAddr, ICMPv6NDOptMTU,
                                ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr, ICMPv6PacketTooBig,
                                ICMPv6ParamProblem, ICMPv6TimeExceeded, IPv6)
from scapy.layers.l2 import Ether

LINK_LOCAL = "fe80::5054:ff:fe00:0"  # of eth0, by its MAC

CONFIG = """
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address fd00::1/64
set interfaces eth1 address 10.0.1.1/24
set interfaces eth1 address fd00:0:0:1::1/64
set interfaces eth2 address 10.0.2.1/24
set interfaces eth2 address fd00:0:0:2::1/64
set interfaces eth2 mtu 1280
set routes 2001:db8:1::/48 blackhole
set routes 2001:db8:2::/48 unreachable
set routes 2001:db8:3::/48 prohibit
"""


def ping6(lab, host, address, *options, count=1, wait_s=10):
    return lab.run(host, "ping", "-6", "-c", str(count), "-W", str(wait_s), *options, address)


@pytest.fixture(scope="module")
def lab():
    with running(ports=3, config=CONFIG) as lab:
        lab.warm6(3)
        # whom errors about link-local packets go to
        lab.must(0, "ip", "address", "add", f"{LINK_LOCAL_HOST}/64", "dev", "p0", "nodad")
        yield lab


def neighbors(lab):
    return {n["address"]: n["state"] for n in lab.json("show neighbors")["neighbors"]}


def ipv6(frame):
    """The IPv6 packet in a frame, or None."""
    return Ether(frame)[IPv6] if frame[12:14] == b"\x86\xdd" else None


def answer(wire, frame, layer):
    """Sends a frame and returns the first IPv6 packet with this layer that comes back."""
    wire.forget()
    wire.send(frame)
    got = wire.receive(lambda f: (p := ipv6(f)) is not None and layer in p)
    assert got, f"no {layer.__name__}"
    return ipv6(got)


# ---------------------------------------------------------------- hosts and their tools


def test_default_lab():
    """Without a configuration both families are there; the books hold to the end."""
    with running(ports=2) as lab:
        lab.warm6(2)
        assert ping6(lab, 0, FAR).returncode == 0
        assert lab.ping(0, "10.0.1.2")
        shown = lab.interface("eth1")["address"]
        assert shown == ["10.0.1.1/24", "fd00:0:0:1::1/64", "fe80::5054:ff:fe00:1/64"]


def test_ping(lab):
    for size in (0, 56, 1452):
        assert ping6(lab, 0, FAR, "-s", str(size)).returncode == 0, size
        assert ping6(lab, 0, ROUTER, "-s", str(size)).returncode == 0, size
    assert ping6(lab, 0, net(1, 1)).returncode == 0, "the far address of the router"


def test_ping_link_local(lab):
    done = ping6(lab, 0, f"{LINK_LOCAL}%p0")
    assert done.returncode == 0, done.stdout


def test_ping_of_the_shell(lab):
    assert "1 received" in lab.cli(f"ping {NEAR} count 1 wait 60")
    assert "1 received" in lab.cli(f"ping {FAR} count 1 size 1000 wait 60")
    assert lab.error("ping 2001:db8:ffff::1").startswith("error: no route")


def test_traceroute(lab):
    out = lab.must(0, "traceroute", "-6", "-n", "-q", "1", "-w", "10", FAR)
    assert re.search(rf"^ 1  {ROUTER} ", out, re.M) and re.search(rf"^ 2  {FAR} ", out, re.M), out


def test_file(lab):
    sent, received = carry_file(lab.place, 0, 1, 3 << 20, address=FAR)
    assert sent == received


def test_fragments_pass(lab):
    """Fragmented by the host, untouched by the router."""
    done = ping6(lab, 0, FAR, "-s", "4000", "-M", "dont")
    assert done.returncode == 0, done.stdout


def test_path_mtu_discovery(lab):
    """A link of 1280 beyond the router: TCP and ping learn it from packet too big."""
    before = lab.drops()
    done = ping6(lab, 0, net(2, 2), "-s", "1400", "-M", "do", wait_s=3)
    assert done.returncode != 0 and re.search("mtu[:=] ?1280", done.stdout), done.stdout
    assert "1280" in lab.must(0, "ip", "-6", "route", "get", net(2, 2))
    sent, received = carry_file(lab.place, 0, 2, 1 << 20, address=net(2, 2))
    assert sent == received
    after = lab.drops()
    assert after.count("eth0", "mtu-exceeded") > before.count("eth0", "mtu-exceeded")


# ---------------------------------------------------------------- forwarding, frame by frame


def test_forwarded_frame(lab, h0):
    """Hop limit and MACs are new, nothing else; traffic class and flow label stay."""
    packet = ip(hlim=17, tc=0xB8, fl=0x12345) / UDP(sport=7, dport=9) / bytes(range(64))
    with lab.wire(1) as h1:
        h1.forget()
        h0.send(eth(packet))
        got = h1.receive(lambda f: (p := ipv6(f)) is not None and UDP in p)
    assert got
    want = bytearray(bytes(packet))
    want[7] = 16
    assert got[14:] == bytes(want)
    assert Ether(got).dst == hosts.host_mac(1) and Ether(got).src == hosts.router_mac(1)


def test_mixed_burst(lab, h0):
    """Both families in one burst: each arrives, in its order."""
    from flood import udp_frame
    with lab.wire(1) as h1:
        h1.forget()
        for i in range(200):
            h0.send(eth(udp(hlim=64)) if i % 2 else udp_frame(h0, 0, 1, 80 + i))
        seen = {4: 0, 6: 0}

        def wanted(f):
            if f[12:14] == b"\x08\x00" and f[23] == 17:
                seen[4] += 1
            if f[12:14] == b"\x86\xdd" and f[20] == 17:
                seen[6] += 1
            return sum(seen.values()) == 200
        assert h1.receive(wanted), seen
    assert seen == {4: 100, 6: 100}


def test_error_quotes(lab, h0):
    """As much of the packet as fits 1280; the hop limit is the one that arrived."""
    packet = ip(hlim=1) / UDP(sport=7, dport=9) / bytes(1400)
    got = answer(h0, eth(packet), ICMPv6TimeExceeded)
    assert got.src == ROUTER and got.dst == NEAR and len(bytes(got)) == 1280
    assert bytes(got)[48:] == bytes(packet)[:1232]
    got = answer(h0, eth(ip(dst=net(2, 2)) / UDP() / bytes(1300)), ICMPv6PacketTooBig)
    assert got[ICMPv6PacketTooBig].mtu == 1280


def test_parameter_problem(lab, h0):
    got = answer(h0, eth(ip(dst=ROUTER, nh=99) / bytes(16)), ICMPv6ParamProblem)
    assert (got[ICMPv6ParamProblem].code, got[ICMPv6ParamProblem].ptr) == (1, 6)


def test_subnet_router_anycast(lab, h0):
    """RFC 4291 2.6.1: the network's first address is every router's; the answer is ours."""
    got = answer(h0, eth(ip(dst="fd00::") / ICMPv6EchoRequest(id=5)), ICMPv6EchoReply)
    assert got.src == ROUTER


@pytest.mark.parametrize("reason,frame", [f[1:] for f in FRAMES6],
                         ids=[f"{f[1]}: {f[0]}" for f in FRAMES6])
def test_frame_is_counted_once(lab, h0, reason, frame):
    expect_drops(lab, {reason: 1}, lambda: h0.send(frame))


# ---------------------------------------------------------------- neighbour discovery


def test_solicitation_is_answered(lab, h0):
    frame = eth(ip(dst="ff02::1:ff00:1", hlim=255) / ICMPv6ND_NS(tgt=ROUTER)
                / ICMPv6NDOptSrcLLAddr(lladdr=HOST), dst="33:33:ff:00:00:01")
    got = answer(h0, frame, ICMPv6ND_NA)
    assert got.hlim == 255 and got.src == ROUTER and got.dst == NEAR
    assert (got.R, got.S, got.O) == (1, 1, 1) and got.tgt == ROUTER
    assert got[ICMPv6NDOptDstLLAddr].lladdr == US


def test_neighbor_that_never_answers(lab, h0):
    """One packet is held, a second pushes it out; the last falls with address unreachable."""
    def act():
        h0.send(eth(udp(dst=net(1, 99))))
        h0.send(eth(udp(dst=net(1, 99))))
    expect_drops(lab, {"neighbor-pending": 1, "neighbor-failed": 1}, act)
    done = ping6(lab, 0, net(1, 98))
    assert "Address unreachable" in done.stdout, done.stdout


def test_scan(lab, h0):
    """RFC 6583: 20,000 addresses of a /64 are asked for; a flow meanwhile loses nothing."""
    lab.cli("clear neighbors")
    assert ping6(lab, 0, FAR, count=2).returncode == 0
    probes = [net(1, f"{i >> 8:x}:{i & 255:x}") for i in range(0x10000, 0x10000 + 20000)]
    frames = [packet6.ether(US, HOST, packet6.ipv6(NEAR, probe, packet6.udp(NEAR, probe, 53, 9)))
              for probe in probes]
    over, lost = threading.Event(), []

    def flow():
        while not over.is_set():
            done = lab.run(2, "ping", "-6", "-q", "-c", "20", "-i", "0.05", "-W", "20", FAR)
            lost.append(done.stdout)
    assert ping6(lab, 2, FAR).returncode == 0
    thread = threading.Thread(target=flow)
    thread.start()
    try:
        before = lab.drops()
        taken, _ = h0.send_all(frames)
        wait_for("the scan to be seen",
                 lambda: lab.drops().received("eth0") - before.received("eth0") >= taken)
    finally:
        over.set()
        thread.join()
    assert all(" 0% packet loss" in out for out in lost), lost
    states = neighbors(lab)
    assert states[FAR] in ("reachable", "stale", "delay", "probe"), states[FAR]
    counters = lab.json("show protocols")["nd"]
    assert counters["suppressed"] > 0 or counters["solicits_sent"] < 20000

    def all_ended():
        now = lab.drops()
        ended = sum(now.count("eth0", r) - before.count("eth0", r) for r in
                    ("neighbor-pending", "neighbor-failed", "policed",
                     "control-queue-full"))
        return now.in_flight("eth0") == 0 and ended >= taken
    wait_for("every probe of the scan to have its end", all_ended)
    lab.check_books()


def test_duplicate_address(lab):
    """RFC 4862 5.4: another station answers our probe. It is told, and the address not used."""
    with lab.wire(1) as h1:
        over = threading.Event()

        def defend():
            while not over.is_set():
                got = h1.receive(lambda f: f[12:14] == b"\x86\xdd" and f[20] == 58
                                 and f[54] == 135 and ipv6(f).src == "::"
                                 and ipv6(f).tgt == "fd00:0:0:11::1", 1)
                if got:
                    h1.send(Ether(dst="33:33:00:00:00:01", src="02:00:00:00:00:99")
                            / IPv6(src="fd00:0:0:11::1", dst="ff02::1", hlim=255)
                            / ICMPv6ND_NA(tgt="fd00:0:0:11::1", R=0, S=0, O=1)
                            / ICMPv6NDOptDstLLAddr(lladdr="02:00:00:00:00:99"))
        thread = threading.Thread(target=defend)
        thread.start()
        try:
            lab.configure("set interfaces eth1 address fd00:0:0:11::1/64")
            wait_for("the conflict", lambda: "fd00:0:0:11::1/64 duplicate"
                     in lab.interface("eth1")["address"])
        finally:
            over.set()
            thread.join()
        assert "02:00:00:00:00:99 uses our address fd00:0:0:11::1" in lab.cli("show log")
        wait_for("the other one", lambda: "fd00:0:0:1::1/64" in lab.interface("eth1")["address"])
        h1.forget()
        h1.send(Ether(dst="33:33:ff:00:00:01", src=hosts.host_mac(1))
                / IPv6(src=FAR, dst="ff02::1:ff00:1", hlim=255)
                / ICMPv6ND_NS(tgt="fd00:0:0:11::1"))
        assert not h1.receive(lambda f: f[12:14] == b"\x86\xdd" and f[54] == 136, 1)
    lab.configure("delete interfaces eth1 address fd00:0:0:11::1/64")
    wait_for("h0 to reach h1", lambda: ping6(lab, 0, FAR).returncode == 0)


def test_tentative_address(lab, h0):
    """Until an address is known to be unique, only neighbour discovery reaches it."""
    before = lab.drops()
    lab.configure("set interfaces eth0 address fd00:0:0:10::1/64")
    deadline = time.monotonic() + 30
    while lab.drops().count("eth0", "tentative-address") == before.count("eth0",
                                                                         "tentative-address"):
        if "fd00:0:0:10::1/64" in lab.interface("eth0")["address"]:
            # too slow to see it: once more
            lab.configure("delete interfaces eth0 address fd00:0:0:10::1/64")
            lab.configure("set interfaces eth0 address fd00:0:0:10::1/64")
        h0.send(eth(udp(dst="fd00:0:0:10::1")))
        assert time.monotonic() < deadline
    lab.configure("delete interfaces eth0 address fd00:0:0:10::1/64")
    wait_for("h0 to reach its router", lambda: ping6(lab, 0, ROUTER).returncode == 0)


def test_router_advertisement(lab, h0):
    solicit = eth(IPv6(src=NEAR, dst="ff02::2", hlim=255) / ICMPv6ND_RS()
                  / ICMPv6NDOptSrcLLAddr(lladdr=HOST), dst="33:33:00:00:00:02")
    h0.forget()
    h0.send(solicit)
    assert not h0.receive(lambda f: f[12:14] == b"\x86\xdd" and f[54] == 134, 1), "unasked for"
    lab.configure("set interfaces eth0 router-advert")
    wait_for("the first", lambda: lab.json("show protocols")["nd"]["router_adverts_sent"])
    got = answer(h0, solicit, ICMPv6ND_RA)
    assert got.src == LINK_LOCAL and got.hlim == 255 and got.routerlifetime == 1800
    prefix = got[ICMPv6NDOptPrefixInfo]
    assert (prefix.prefix, prefix.prefixlen, prefix.L, prefix.A) == ("fd00::", 64, 1, 1)
    assert got[ICMPv6NDOptMTU].mtu == 1500
    h0.forget()
    lab.configure("delete interfaces eth0 router-advert")
    last = h0.receive(lambda f: f[12:14] == b"\x86\xdd" and f[54] == 134)
    assert ipv6(last).routerlifetime == 0


# ---------------------------------------------------------------- routes


def test_routes(lab):
    """By a gateway, by a link-local gateway, by a gateway that another route leads to."""
    lab.must(1, "ip", "address", "add", "2001:db8:a::1/128", "dev", "lo")
    lab.must(1, "ip", "address", "add", "2001:db8:b::1/128", "dev", "lo")
    lab.must(1, "ip", "address", "add", "2001:db8:c::1/128", "dev", "lo")
    lab.must(1, "ip", "address", "add", "fe80::b/64", "dev", "p0", "nodad")
    lab.configure(f"set routes 2001:db8:a::/48 via {FAR}",
                  "set routes 2001:db8:b::/48 via fe80::b dev eth1",
                  "set routes 2001:db8:c::/48 via 2001:db8:a::1")
    for name in "abc":
        done = ping6(lab, 0, f"2001:db8:{name}::1", count=2)
        assert done.returncode == 0, (name, done.stdout, lab.cli("show routes"))
    rows = {r["prefix"]: r for r in lab.json("show routes")["routes"]}
    assert rows["2001:db8:b::/48"]["next_hop"] == "fe80::b"
    assert rows["2001:db8:b::/48"]["interface"] == "eth1"
    assert lab.cli("show fib verify").endswith("verify: ok")
    lab.configure("delete routes 2001:db8:a::/48", "delete routes 2001:db8:b::/48",
                  "delete routes 2001:db8:c::/48")


def test_static_neighbor(lab, h0):
    lab.configure("set neighbors eth1 fd00:0:0:1::77 02:00:00:00:00:77")
    with lab.wire(1) as h1:
        h1.forget()
        h0.send(eth(udp(dst=net(1, 77))))
        assert h1.receive(lambda f: f[:6] == bytes.fromhex("020000000077"))
    assert neighbors(lab)[net(1, 77)] == "static"
    lab.configure("delete neighbors eth1 fd00:0:0:1::77")
    assert net(1, 77) not in neighbors(lab)


def test_link_down_and_up(lab):
    lab.link(1, False)
    assert not any(n["interface"] == "eth1" for n in lab.json("show neighbors")["neighbors"])
    lab.link(1, True)
    wait_for("h0 to reach h1", lambda: ping6(lab, 0, FAR).returncode == 0)


def test_point_to_point(lab):
    """RFC 6164: a /127, where the first address is an ordinary one."""
    lab.configure("set interfaces eth2 address fd00:0:0:99::1/127")
    lab.must(2, "ip", "address", "add", "fd00:0:0:99::/127", "dev", "p0", "nodad")
    wait_for("h2", lambda: "1 received" in lab.cli("ping fd00:0:0:99:: count 1"))
    lab.must(2, "ip", "address", "del", "fd00:0:0:99::/127", "dev", "p0")
    lab.configure("delete interfaces eth2 address fd00:0:0:99::1/127")


def test_configuration_errors(lab):
    for line, why in (("set interfaces eth0 address fd00:0:0:1::9/64", "overlaps"),
                      ("set interfaces eth0 address ff02::1/64", "multicast"),
                      ("set interfaces eth0 address fd00:0:0:20::/64", "anycast"),
                      ("set interfaces eth0 address ::1/128", "loopback"),
                      ("set routes 2001:db8:e::/48 via fe80::1", "needs 'dev'"),
                      (f"set routes 2001:db8:e::/48 via {ROUTER}", "address of this router"),
                      ("set interfaces eth0 mtu 1279", "needs an MTU of 1280")):
        reply = lab.cli(line, "commit", fails=True)
        assert why in reply, (line, reply)
        lab.cli("discard")


def test_books(lab):
    lab.check_books()
