# `established` and Linux's connection tracking: the same packets of random conversations pass.
import os
import random
import re

import pytest
from differential import linux_router
from oracle.ends import OfBarewire, OfLinux
from oracle.exceptions import OFFERED, after_a_reset, half_open, syn_of_the_other
from oracle.netfilter import Netfilter, Network
from oracle.talk import (ICMP, TCP, UDP, Side, Talk, differences, lead, steps, told,
                         unexplained)
from router import running

LONG = bool(os.environ.get("LONG"))
SEED = int(os.environ.get("SEED", "793"))
TALKS = 2_000 if LONG else 240  # of each family
INSIDE, OUTSIDE = 0, 1
# By family.
HOSTS = [f"10.0.0.{n}" for n in range(10, 20)], [f"fd00:0:0:a::{n}" for n in range(10, 20)]
SERVERS = [f"198.51.100.{n}" for n in range(10, 20)], [f"2001:db8:64::{n}" for n in range(10, 20)]
GATEWAY = "192.0.2.254", "2001:db8:2::254"
NETWORK = Network(
    [["10.0.0.1/24", "fd00:0:0:a::1/64"], ["192.0.2.1/24", "2001:db8:2::1/64"]],
    neighbors=[(INSIDE, a) for a in (*HOSTS[0], *HOSTS[1], *OFFERED)] + [(OUTSIDE, a) for a in GATEWAY],
    routes=[("198.51.100.0/24", GATEWAY[0]), ("198.18.0.0/24", GATEWAY[0]),
            ("2001:db8:63::/48", GATEWAY[1]), ("2001:db8:64::/48", GATEWAY[1])])
BAREWIRE = f"""
set interfaces eth1 acl in edge
set acl edge rule 10 permit established
set acl edge rule 20 permit proto tcp to {OFFERED[0]}/32 to-port 80
set acl edge rule 30 permit proto udp to {OFFERED[0]}/32 to-port 53
set acl edge rule 40 permit proto tcp to {OFFERED[1]}/128 to-port 80
set acl edge rule 50 permit proto udp to {OFFERED[1]}/128 to-port 53
"""
NFT = f"""table inet edge {{
    chain forward {{
        type filter hook forward priority 0; policy drop;
        iifname r0 accept
        ct state established,related accept
        ip daddr {OFFERED[0]} tcp dport 80 accept
        ip daddr {OFFERED[0]} udp dport 53 accept
        ip6 daddr {OFFERED[1]} tcp dport 80 accept
        ip6 daddr {OFFERED[1]} udp dport 53 accept
    }}
}}
"""

# Where barewire is right to differ, by the first step of a talk that does.


def contradicts(talk, n, ours, theirs):
    """A packet that its session cannot have is dropped as session-state (RFC 9293 3.10.7: its
    receiver would drop it). Linux calls it invalid, and lets it pass where rules ask no state."""
    return talk.proto == TCP and theirs and not ours and (
        talk.steps[n].by in ("client", "server")
        and (talk.steps[n].by == "client") == (talk.client.cable == INSIDE)
        or talk.to.address in OFFERED)


EXCEPTIONS = [contradicts, half_open, after_a_reset, syn_of_the_other]


def make_talks(seed, numbers, six):
    rng = random.Random(seed)
    talks = []
    for number in numbers:
        proto = rng.choice((TCP, TCP, TCP, UDP, ICMP))
        inside = Side(INSIDE, rng.choice(HOSTS[six]), 20000 + number)
        outside = Side(OUTSIDE, rng.choice(SERVERS[six]), 20000 + number if proto == ICMP else 443)
        if rng.random() < 0.3:  # from outside, half of it to what is offered
            port = {TCP: 80, UDP: 53, ICMP: 20000 + number}[proto]
            to = Side(INSIDE, OFFERED[six] if rng.random() < 0.5 else rng.choice(HOSTS[six]), port)
            client = outside._replace(port=20000 + number)
        else:
            client, to = inside, outside
        talks.append(Talk(number, proto, client, to, to,
                          steps(proto, seed * 1_000_003 + number, True)))
    return talks


class Run:
    def __init__(self, lab, linux):
        self.talks = make_talks(SEED, range(TALKS), False) + make_talks(
            SEED + 1, range(TALKS, 2 * TALKS), True)
        with OfBarewire(lab, 2) as ours, OfLinux(linux) as theirs:
            self.ours = lead(self.talks, ours)
            self.theirs = lead(self.talks, theirs)


@pytest.fixture(scope="module")
def run():
    with running(config=NETWORK.barewire_lines() + BAREWIRE, warm=False) as lab:
        with linux_router.running(Netfilter(lab.place, NETWORK)) as linux:
            linux.tracks()
            linux.nft(NFT)
            yield Run(lab, linux)


def test_same_as_linux(run):
    found = unexplained(differences(run.ours, run.theirs), EXCEPTIONS)
    assert not found, told(found)


def test_exceptions_name_their_source():
    assert all(re.search("RFC", e.__doc__) for e in EXCEPTIONS)


@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "IPv6"])
def test_some_pass_and_some_do_not(run, six):
    """Errors as well."""
    courses = [c for c in run.theirs if (":" in c.talk.client.address) == six]
    outcomes = [o for c in courses for o in c.outcome]
    assert sum(bool(o) for o in outcomes) > len(outcomes) / 3
    assert sum(not o for o in outcomes) > len(outcomes) / 20
    errors = [o for c in courses for s, o in zip(c.talk.steps, c.outcome) if s.by.startswith("error")]
    assert sum(any("inner" in m for m in o) for o in errors) > len(errors) / 4
    assert sum(not o for o in errors) > len(errors) / 10
