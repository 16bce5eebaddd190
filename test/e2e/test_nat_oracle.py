# NAT and nftables' NAT on a Linux router: the same conversations from inside and outside come out as the same bytes.
import os
import random

import pytest
from differential import linux_router
from oracle.ends import OfBarewire, OfLinux
from oracle.exceptions import (after_a_reset, ended_by_a_syn, half_open,
                               syn_of_the_other, two_fins)
from oracle.netfilter import Netfilter, Network
from oracle.talk import (ICMP, SYN, TCP, UDP, Side, Talk, differences, lead, steps, told,
                         unexplained)
from router import running

LONG = bool(os.environ.get("LONG"))
SEED = int(os.environ.get("SEED", "4787"))
TALKS = 2_000 if LONG else 240
INSIDE, OUTSIDE = 0, 1
HOSTS = [f"10.0.0.{n}" for n in range(10, 20)]
POOLED = [f"10.9.0.{n}" for n in range(10, 20)]   # behind a gateway; they get an address of their own
SERVERS = [f"198.51.100.{n}" for n in range(10, 20)]
SERVER = "10.0.0.80"
MASQUERADED, POOL = "192.0.2.1", "192.0.2.77"
NETWORK = Network(
    [["10.0.0.1/24"], [MASQUERADED + "/24"]],
    neighbors=[(INSIDE, a) for a in HOSTS + [SERVER, "10.0.0.254"]] + [(OUTSIDE, "192.0.2.254")],
    routes=[("10.9.0.0/16", "10.0.0.254"), ("198.51.100.0/24", "192.0.2.254"),
            ("198.18.0.0/24", "192.0.2.254")])
# On Linux a pool's address must be somebody's for ARP only; what comes has the router's MAC anyway.
BAREWIRE = f"""
set nat source rule 10 out eth1 from 10.9.0.0/16 to-address {POOL}
set nat source rule 20 out eth1 from 10.0.0.0/8 masquerade
set nat destination rule 10 in eth1 proto tcp to {MASQUERADED} port 80 to-address {SERVER} to-port 8080
set nat destination rule 20 in eth1 proto udp to {MASQUERADED} port 53 to-address {SERVER}
set interfaces eth1 acl in edge
set acl edge rule 10 permit established
set acl edge rule 20 permit proto tcp to {MASQUERADED}/32 to-port 80
set acl edge rule 30 permit proto udp to {MASQUERADED}/32 to-port 53
"""
NFT = f"""table ip nat {{
    chain prerouting {{
        type nat hook prerouting priority -100;
        iifname r1 ip daddr {MASQUERADED} tcp dport 80 dnat to {SERVER}:8080
        iifname r1 ip daddr {MASQUERADED} udp dport 53 dnat to {SERVER}
        iifname r0 ip daddr {MASQUERADED} tcp dport 80 dnat to {SERVER}:8080
        iifname r0 ip daddr {MASQUERADED} udp dport 53 dnat to {SERVER}
    }}
    chain postrouting {{
        type nat hook postrouting priority 100;
        oifname r1 ip saddr 10.9.0.0/16 snat to {POOL}
        oifname r1 ip saddr 10.0.0.0/8 masquerade
        oifname r0 ct status dnat ip saddr 10.9.0.0/16 snat to {POOL}
        oifname r0 ct status dnat ip saddr 10.0.0.0/8 snat to {MASQUERADED}
    }}
    chain forward {{
        type filter hook forward priority 0;
        ct state invalid drop
        iifname r1 ct state new ip daddr != {SERVER} drop
    }}
    chain input {{
        type filter hook input priority 0;
        ip protocol {{ tcp, udp }} drop
    }}
}}
"""


def outward(number, rng, proto):
    """Somebody inside begins."""
    client = Side(INSIDE, rng.choice(HOSTS + POOLED), 20000 + number)
    port = {TCP: 443, UDP: 4500, ICMP: 20000 + number}[proto]
    server = Side(OUTSIDE, rng.choice(SERVERS), port)
    return client, server, server


def inward(number, rng, proto):
    """Somebody outside begins with what is offered."""
    client = Side(OUTSIDE, rng.choice(SERVERS), 20000 + number)
    if proto == TCP:
        return client, Side(OUTSIDE, MASQUERADED, 80), Side(INSIDE, SERVER, 8080)
    return client, Side(OUTSIDE, MASQUERADED, 53), Side(INSIDE, SERVER, 53)


def around(number, rng, proto):
    """Somebody inside begins with what is offered outside (RFC 4787 REQ-9)."""
    client = Side(INSIDE, rng.choice(HOSTS + POOLED), 20000 + number)
    return client, *inward(number, rng, proto)[1:]


def make_talks(seed, count, strange):
    rng = random.Random(seed)
    talks = []
    for number in range(count):
        proto = rng.choice((TCP, TCP, UDP, UDP, ICMP))
        ends = outward if proto == ICMP else rng.choice((inward, around, outward, outward))
        client, to, server = ends(number, rng, proto)
        talks.append(Talk(number, proto, client, to, server,
                          steps(proto, seed * 1_000_003 + number, strange)))
    return talks


def another_by_the_server(talk, n, ours, theirs):
    """Its SYN behind the end of a forwarded connection is one from inside, whose port Linux tries to
    keep, and a mapping chooses at random (RFC 6056 3)."""
    return talk.proto == TCP and talk.steps[n].what.get("bits") == SYN and talk.steps[n].by == "server" \
        and len(ours) == len(theirs) == 1 and ours[0].keys() == theirs[0].keys() and not [
            k for k in ours[0] if k != "src" and ours[0][k] != theirs[0][k]]


class Run:
    def __init__(self, lab, linux):
        self.talks = make_talks(SEED, TALKS, strange=True)
        with OfBarewire(lab, 2) as ours, OfLinux(linux) as theirs:
            self.ours = lead(self.talks, ours)
            self.theirs = lead(self.talks, theirs)


@pytest.fixture(scope="module", params=[2, 4], ids=lambda n: f"{n} cores")
def run(request):
    config = NETWORK.barewire_lines() + BAREWIRE
    with running(cores=request.param, config=config, warm=False) as lab:
        with linux_router.running(Netfilter(lab.place, NETWORK)) as linux:
            linux.tracks(loose=False)  # without its beginning nobody knows how it was translated
            linux.nft(NFT)
            yield Run(lab, linux)


def test_same_as_linux(run):
    found = unexplained(differences(run.ours, run.theirs),
                        [after_a_reset, another_by_the_server, ended_by_a_syn, half_open,
                         syn_of_the_other, two_fins])
    assert not found, told(found)


def test_much_is_translated(run):
    """Else the comparison says little."""
    steps_told = [o for c in run.theirs for o in c.outcome]
    assert sum(bool(o) for o in steps_told) > len(steps_told) / 2
    messages = [m for o in steps_told for m in o]
    assert sum(m["src"].endswith(":mapped") for m in messages) > len(messages) / 5
    assert sum("inner" in m for m in messages) > TALKS / 20
    hairpins = [c for c in run.theirs if c.talk.client.cable == c.talk.server.cable]
    assert sum(c.at_server is not None and c.at_server[0] in (MASQUERADED, POOL) for c in hairpins) > TALKS / 10
    assert any("inner" in m for c in hairpins for o in c.outcome for m in o)


def test_nothing_leaks(run):
    """No address of the inside comes out to the outside, but inside payload."""
    for course in run.ours:
        for outcome in course.outcome:
            assert not [m for m in outcome if m["cable"] == OUTSIDE and (
                m["src"].startswith("10.") or "inner" in m and m["inner"].dst.startswith("10."))]
