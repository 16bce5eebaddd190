# Access lists like those in use, and the same in nftables on a Linux router: each packet meets the same rule.
import collections
import json
import os
import subprocess

import pytest
from building import made
from differential import linux_router
from labkit.place import TREE
from oracle.acl_packets import frame, number, parse
from oracle.ends import OfBarewire, OfLinux
from oracle.netfilter import Netfilter, Network
from router import HOSTED, running

LONG = bool(os.environ.get("LONG"))
SEED = os.environ.get("SEED", "9")
ACLGEN = os.path.join(TREE, "build", "aclgen")
# Rules in all, the kind of list, packets.
LISTS = [(10, 1, 2_000), (1_000, 2, 4_000), (10_000, 0, 200_000 if LONG else 20_000)]
# Nothing of it is where generated addresses are; all that is comes by port 0 and leaves by port 1.
NETWORK = Network(
    [["192.168.0.1/24", "fd00::1/64"], ["192.168.1.1/24", "fd00:0:0:1::1/64"]],
    neighbors=[(p, f"{a}{p}{b}") for p in (0, 1) for a, b in (("192.168.", ".2"), ("fd00:0:0:", "::2"))],
    routes=[("0.0.0.0/0", "192.168.1.2"), ("::/0", "fd00:0:0:1::2")])
NFT = """table inet acl {{
    chain forward {{
        type filter hook forward priority 0; policy drop;
        ip frag-off & 0x1fff != 0 meta mark set 1
        frag frag-off != 0 meta mark set 1
        {rules}
        counter drop
    }}
}}
"""


def aclgen(rules, kind, packets, what):
    half = str(rules // 2)
    done = subprocess.run([ACLGEN, "-4", half, "-6", half, "-k", str(kind), "-s", SEED,
                           "-p", str(packets // 2), "-n", "edge", what],
                          capture_output=True, text=True, check=True)
    return done.stdout


class Run:
    """What both routers did with the same packets."""

    def __init__(self, lab, linux, rules, packets):
        self.lab, self.packets = lab, packets
        frames = [(0, frame(p, 0)) for p in packets]
        with OfBarewire(lab, 2) as ours, OfLinux(linux) as theirs:
            before = lab.drops()
            self.ours = self.passed(ours.exchange(frames))
            self.denied = (lab.drops().count("eth0", "acl-denied")
                           - before.count("eth0", "acl-denied"))
            self.theirs = self.passed(theirs.exchange(frames))
        listed = json.loads(linux.listed("chain", "inet", "acl", "forward"))["nftables"]
        self.their_hits = [e["counter"]["packets"] for rule in listed if "rule" in rule
                           for e in rule["rule"]["expr"] if "counter" in e]
        assert len(self.their_hits) == rules + 1
        # A serial line takes minutes for all of a long list.
        shown = lab.json("show acl edge")["acl"] if rules <= 1_000 or HOSTED else []
        self.hits = [row["packets"] for row in shown] or self.their_hits

    @staticmethod
    def passed(came):
        """How often each packet left by port 1; by the other port nothing may."""
        assert not [f for cable, f in came if cable == 0 and number(f) is not None]
        return collections.Counter(n for _, f in came if (n := number(f)) is not None)

    def met(self):
        """How many packets meet each rule by the generator's own, plain comparison; last: none."""
        count = collections.Counter(p.rule for p in self.packets)
        return [count[i] for i in range(len(self.hits) - 1)] + [count[-1]]


@pytest.fixture(scope="module", params=LISTS, ids=lambda p: f"{p[0]} rules")
def run(request):
    rules, kind, packets = request.param
    made("build/aclgen")
    config = (NETWORK.barewire_lines() + "set interfaces eth0 acl in edge\n"
              + aclgen(rules, kind, packets, "config"))
    with running(config=config, warm=False) as lab:
        with linux_router.running(Netfilter(lab.place, NETWORK)) as linux:
            linux.nft(NFT.format(rules=aclgen(rules, kind, packets, "nft")))
            yield Run(lab, linux, rules, parse(aclgen(rules, kind, packets, "packets")))


def test_same_verdicts(run):
    different = run.ours.keys() ^ run.theirs.keys()
    assert not different, [(p, p.number in run.ours) for p in run.packets
                           if p.number in different][:20]
    assert max(run.ours.values()) == max(run.theirs.values()) == 1, "a packet came twice"
    assert run.denied == len(run.packets) - len(run.ours)
    assert len(run.packets) / 5 < len(run.ours) < len(run.packets) * 4 / 5


def test_same_rules(run):
    """Counted by rule: the same packets met each, in both routers and by a plain comparison."""
    met = run.met()
    assert [n for n in range(len(met)) if run.their_hits[n] != met[n]] == []
    assert [n for n in range(len(met)) if run.hits[n] != met[n]] == []


def test_deep_rules_are_met(run):
    """Else the comparison says little."""
    rules = len(run.hits) - 1
    depth = [p.rule if p.rule >= 0 else rules for p in run.packets]
    assert sum(depth) / len(depth) > rules / 4
    assert sum(n > 0 for n in run.hits) > min(rules / 3, len(depth) / 20)
    assert {p.form for p in run.packets} == {0, 1, 2, 3}
