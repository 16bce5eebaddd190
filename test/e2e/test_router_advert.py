# Router advertisements asked for, and what a link hears before an interface or the router goes.
import socket

import pytest
from frames6 import HOST, NEAR, ROUTER
from router import HOSTED, PATIENCE_S, REBOOTED, running, wait_for
from scapy.contrib.lldp import LLDPDUTimeToLive
from scapy.layers.inet6 import (ICMPv6MLReport2, ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6NDOptSrcLLAddr,
                                IPv6)
from scapy.layers.l2 import Ether

CONFIG = """
set interfaces eth0 address fd00::1/64
set interfaces eth0 router-advert
set interfaces eth1 address 10.0.1.1/24
set protocols lldp
"""
LLDP, TO_INCLUDE = 0x88CC, 3


@pytest.fixture(scope="module")
def lab():
    with running(ports=2, config=CONFIG, warm=False) as lab:
        advertising(lab)
        yield lab


@pytest.fixture
def h0(lab):
    with lab.wire(0) as wire:
        wire.forget()
        yield wire


def advertising(lab):
    wait_for("its addresses", lambda: "tentative" not in lab.cli("show interfaces"))
    wait_for("the first", lambda: lab.json("show protocols")["nd"]["router_adverts_sent"])


def kind(frame):
    """What the tests here look for in a frame of the router's."""
    p = Ether(frame)
    if p.type == LLDP:
        return "lldp goodbye" if p[LLDPDUTimeToLive].ttl == 0 else "lldp"
    if ICMPv6ND_RA in p:
        to = "all" if p[IPv6].dst == "ff02::1" else p[IPv6].dst
        return f"{'router' if p[ICMPv6ND_RA].routerlifetime else 'no router'} to {to}"
    if ICMPv6MLReport2 in p and frame[70] == TO_INCLUDE:
        return "groups left"
    return None


def hears(wire, *wanted, wait_s=PATIENCE_S):
    """Takes frames until all of these were there; returns all kinds heard until then."""
    heard = []

    def all_there(frame):
        heard.append(kind(frame))
        return set(wanted) <= set(heard)
    wire.receive(all_there, wait_s)
    assert set(wanted) <= set(heard), heard
    return [k for k in heard if k]


def solicit(src, mac=HOST):
    return Ether(dst="33:33:00:00:00:02", src=mac) / IPv6(src=src, dst="ff02::2", hlim=255) \
        / ICMPv6ND_RS() / ICMPv6NDOptSrcLLAddr(lladdr=mac)


def test_one_is_answered_alone(h0):
    """RFC 4861 6.2.6: by unicast, whatever often it asks within half a second."""
    for _ in range(5):
        h0.send(solicit(NEAR))
    assert "router to all" not in hears(h0, f"router to {NEAR}")


def test_many_are_answered_together(h0):
    """RFC 4861 6.2.6: one advertisement to all, of which there is one in three seconds."""
    for n in range(50):
        h0.send(solicit(f"fe80::{n + 1:x}"))
    assert hears(h0, "router to all").count("router to all") == 1
    for n in range(50):
        h0.send(solicit(f"fe80::{n + 1:x}"))
    assert hears(h0, "router to all").count("router to all") == 1


def test_disabled_interface(lab, h0):
    """RFC 4861 6.2.5, 802.1AB 9.1.2: the last advertisement has no lifetime, the last LLDP frame no
    time to live; and the groups are left."""
    lab.configure("set interfaces eth0 disabled")
    hears(h0, "no router to all", "lldp goodbye", "groups left")
    lab.configure("delete interfaces eth0 disabled")
    hears(h0, "router to all", "lldp")


def test_no_ipv6_any_more(lab, h0):
    """Addresses gone: no router any more, but the port stays."""
    lab.configure("delete interfaces eth0 address fd00::1/64", "delete interfaces eth0 router-advert")
    assert "lldp goodbye" not in hears(h0, "no router to all", "groups left")
    lab.configure("set interfaces eth0 address fd00::1/64", "set interfaces eth0 router-advert")
    hears(h0, "router to all")


def test_nothing_said_for_nothing(lab, h0):
    """Another port's commit, and one that is refused before it begins, tell this link nothing."""
    lab.configure("set interfaces eth1 disabled")
    lab.cli("set interfaces eth0 disabled", "set interfaces eth0 mtu 1279", "commit", fails=True)
    lab.cli("discard")
    lab.configure("delete interfaces eth1 disabled")
    h0.send(solicit(ROUTER[:-1] + "77"))
    heard = hears(h0, f"router to {ROUTER[:-1]}77")
    assert not {"no router to all", "lldp goodbye", "groups left"} & set(heard)


@pytest.mark.parametrize("cores", [1, 2])
def test_reboot(cores):
    """The same before a reboot, by either way of sharing cores; on all ports."""
    if HOSTED:
        pytest.skip("the process closes its console when it reboots")
    with running(ports=2, cores=cores, config=CONFIG, warm=False, books=False) as lab:
        advertising(lab)
        with lab.wire(0) as h0, lab.wire(1) as h1:
            h0.forget()
            h1.forget()
            with lab.console() as console:
                console.until(REBOOTED.search, console.send(b"reboot\r"), PATIENCE_S)
            hears(h0, "no router to all", "lldp goodbye", "groups left")
            hears(h1, "lldp goodbye")
        advertising(lab)


def test_poweroff():
    with running(ports=2, config=CONFIG, warm=False, books=False) as lab:
        advertising(lab)
        with lab.wire(0) as h0:
            h0.forget()
            lab.tool("cli", "--timeout", "5", "poweroff")
            wait_for("QEMU to end", lambda: lab.place.qemu() is None)
            # That p0 is down comes before what it had received.
            h0.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            hears(h0, "no router to all", "lldp goodbye")


def test_books(lab):
    lab.check_books()
