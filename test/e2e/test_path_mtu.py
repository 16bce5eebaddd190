# The path MTU of what the router itself says by IPv6: a smaller link behind a Linux router, and
# packets too big of scapy's making, true and false.
import subprocess

import pytest
from frames6 import NEAR, ROUTER, eth, ip, net
from labkit import hosts
from router import running, wait_for
from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6PacketTooBig, IPv6,
                                IPv6ExtHdrFragment)
from scapy.layers.l2 import Ether

BEYOND = "2001:db8:77::2"  # behind h1, by a link of 1280
MACS = ("02:00:00:00:77:01", "02:00:00:00:77:02")  # of the two ends of that link
CONFIG = "".join(f"set interfaces eth{i} address fd00:0:0:{i}::1/64\n" for i in range(2)) + \
    f"set routes 2001:db8:77::/48 via {net(1, 2)}\n"


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, config=CONFIG, warm=False) as lab:
        for h in range(2):
            wait_for(f"h{h} to reach its router", lambda h=h: lab.run(
                h, "ping", "-6", "-c", "1", "-W", "1", net(h, 1)).returncode == 0)
            lab.must(h, "ip", "neighbor", "replace", net(h, 1), "lladdr", hosts.router_mac(h),
                     "dev", "p0", "nud", "permanent")
        yield lab


@pytest.fixture
def h0(lab):
    with lab.wire(0) as wire:
        yield wire


@pytest.fixture
def beyond(lab):
    """A host behind h1, which forwards; its name."""
    name = lab.name + "-far"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        hosts.inside(name, hosts.write_sysctls)
        lab.must(1, "ip", "link", "add", "v0", "address", MACS[0], "mtu", "1280", "type", "veth",
                 "peer", "name", "v1", "address", MACS[1], "netns", name)
        lab.must(1, "ip", "address", "add", "2001:db8:77::1/64", "dev", "v0", "nodad")
        lab.must(1, "ip", "link", "set", "v0", "up")
        lab.must(1, "ip", "neighbor", "add", BEYOND, "lladdr", MACS[1], "dev", "v0")
        lab.must(1, "sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1")
        for command in (f"ip address add {BEYOND}/64 dev v1 nodad", "ip link set v1 mtu 1280 up",
                        f"ip neighbor add 2001:db8:77::1 lladdr {MACS[0]} dev v1",
                        "ip -6 route add default via 2001:db8:77::1"):
            hosts.must(hosts.run_inside(name, *command.split()))
        yield name
    finally:
        lab.run(1, "ip", "link", "del", "v0")
        subprocess.run(["ip", "netns", "del", name], check=False)


def replies(wire, frame):
    """The packets of the echo reply that comes back."""
    found = []

    def last(f):
        if f[12:14] != b"\x86\xdd":
            return False
        p = Ether(f)[IPv6]
        if IPv6ExtHdrFragment in p:
            found.append(p)
            return p[IPv6ExtHdrFragment].m == 0
        if ICMPv6EchoReply in p:
            found.append(p)
        return ICMPv6EchoReply in p
    wire.forget()
    wire.send(frame)
    assert wire.receive(last)
    return found


def echo(size=1400, number=1):
    return eth(ip(dst=ROUTER) / ICMPv6EchoRequest(id=number, data=bytes(size)))


def too_big(mtu, inner, **fields):
    return eth(ip(dst=ROUTER, **fields) / ICMPv6PacketTooBig(mtu=mtu) / bytes(inner)[:1232])


def reply_as_sent(size=1400):
    return IPv6(src=ROUTER, dst=NEAR) / ICMPv6EchoReply(id=1, data=bytes(size))


def test_linux_router_with_a_smaller_link(lab, beyond):
    """The first long reply is lost and told of, those after it arrive in fragments; so does a ping of
    the shell."""
    before = lab.json("show protocols")["icmp6"]["too_big_heeded"]

    def ping(size, count=1):
        return hosts.run_inside(beyond, "ping", "-6", "-c", str(count), "-W", "5", "-s", str(size),
                                ROUTER)
    wait_for("a short one", lambda: ping(56).returncode == 0)
    assert ping(1400, 1).returncode != 0, "it cannot have known"
    assert ping(1400, 3).returncode == 0
    assert lab.json("show protocols")["icmp6"]["too_big_heeded"] == before + 1
    assert "1 received" in lab.cli(f"ping {BEYOND} count 1 size 1400 wait 60")


@pytest.mark.parametrize("what,message", [
    ("less than 1280", too_big(1279, reply_as_sent())),
    ("about what fits", too_big(1448, reply_as_sent())),
    ("about what others send", too_big(1300, IPv6(src=NEAR, dst=ROUTER) / ICMPv6EchoReply(
        data=bytes(1400)))),
    ("about what we do not send", too_big(1300, IPv6(src=ROUTER, dst=NEAR, nh=17) / bytes(1400))),
    ("about where nothing went", too_big(1300, IPv6(src=ROUTER, dst="2001:db8:77::99")
                                         / ICMPv6EchoReply(data=bytes(1400)))),
    ("about longer ones than there were", too_big(1300, reply_as_sent(1445)))])
def test_not_believed(lab, h0, what, message):
    """RFC 8201 4, RFC 4443 5.2."""
    assert [len(bytes(p)) for p in replies(h0, echo())] == [1448], what
    before = lab.json("show protocols")["icmp6"]
    h0.send(message)
    wait_for("it to be refused", lambda: lab.json("show protocols")["icmp6"]["too_big_refused"]
             == before["too_big_refused"] + 1)
    assert [len(bytes(p)) for p in replies(h0, echo())] == [1448], what


def test_believed(lab, h0):
    """From then on in fragments no longer than that; and never again longer by what is said."""
    replies(h0, echo())
    for said, expected in ((1400, 1400), (1280, 1280), (1350, 1280)):
        h0.send(too_big(said, reply_as_sent() if said == 1400 else IPv6(src=ROUTER, dst=NEAR, nh=44)
                        / IPv6ExtHdrFragment(nh=58, m=1) / bytes(1344)))
        got = replies(h0, echo())
        assert len(got) == 2 and expected - 8 < len(bytes(got[0])) <= expected, said


def test_books(lab):
    lab.check_books()
