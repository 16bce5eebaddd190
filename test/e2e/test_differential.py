# The same frames to barewire and to a Linux router: what each makes of them is the same.
import os
import re

import pytest
from differential import exceptions4, exceptions6, linux_router, vlans
from differential.case import make_cases
from differential.compare import Report, compare, judge
from differential.exchange import Bench
from differential.ipv4 import IPv4
from differential.ipv6 import IPv6
from router import running, wait_for

SEED = int(os.environ.get("SEED", "1812"))
LONG = bool(os.environ.get("LONG"))
# Not each kernel: with NetLabel, with a listener for IGMP or the like, with mobility, with SRv6.
BY_KERNEL = {"security_labels", "protocols_linux_listens_to", "headers_linux_may_know"}


class IPv4InVlans(vlans.InVlans, IPv4):
    pass


class IPv6InVlans(vlans.InVlans, IPv6):
    pass


COUNT = 20_000 if LONG else 1_200
# Each family, its exceptions: of the cases made by hand each has all.
FAMILIES = {"IPv4": (IPv4(), exceptions4.EXCEPTIONS),
            "IPv6": (IPv6(), exceptions6.EXCEPTIONS),
            "IPv4 in VLANs": (IPv4InVlans(), exceptions4.EXCEPTIONS + vlans.EXCEPTIONS),
            "IPv6 in VLANs": (IPv6InVlans(), exceptions6.EXCEPTIONS + vlans.EXCEPTIONS)}


class Run:
    """Both routers' outputs for all cases of a family."""

    def __init__(self, lab, linux, family, exceptions):
        self.family, self.exceptions = family, exceptions
        self.cables = range(family.cables())
        self.cases = make_cases(family, SEED, COUNT)
        for p in self.cables:
            lab.must(p, "ip", "link", "set", "p0", "mtu", "4000")  # too long must get out, too
        wait_for("its addresses", lambda: "tentative" not in lab.cli("show interfaces"))
        self.before = lab.drops()
        ours = Bench(family, [(lab.place.namespace(p), "p0") for p in self.cables], paced=True)
        theirs = Bench(family, [(linux.cables, linux_router.cable(p)) for p in self.cables],
                       paced=False)
        try:
            ours.run(self.cases)
            theirs.run(self.cases)
            wait_for("no packet in barewire", lambda: not sum(
                lab.drops().in_flight(p) for p in lab.drops().ports()))
            wait_for("no packet in Linux", lambda: not linux.unresolved())
            ours.finish()
            theirs.finish()
        finally:
            ours.close()
            theirs.close()
        self.after = lab.drops()
        self.ours, self.theirs, self.sent = ours.outputs, theirs.outputs, ours.sent
        self.suppressed = sum(lab.json("show protocols")[p]["suppressed"] for p in ("icmp", "icmp6"))
        self.report = compare(family, self.cases, self.ours, self.theirs, exceptions)

    def outcomes(self):
        """What barewire did with each case."""
        by_tag = self.family.by_tag(self.ours)
        return {c.tag: self.family.outcome(by_tag.get(c.tag, [])) for c in self.cases}

    def grown(self, read):
        """How much a number in the books of the ports has grown."""
        return sum(read(self.after, f"eth{p}") - read(self.before, f"eth{p}") for p in self.cables)


@pytest.fixture(scope="module", params=FAMILIES)
def run(request):
    family, exceptions = FAMILIES[request.param]
    config = family.topology.barewire_lines()
    with running(ports=family.cables(), config=config, warm=False) as lab:
        with linux_router.running(family.linux(lab.place)) as linux:
            yield Run(lab, linux, family, exceptions)


def test_same_as_linux(run):
    count = len(run.cases)
    assert run.suppressed == 0, "errors were limited: slower, or nothing can be compared"
    assert not run.report.differences, f"SEED={SEED}, {count} cases:\n{run.report}"
    assert run.report.answered > count / 3 and run.report.silent > count / 5


def test_drops_explain_what_did_not_pass(run):
    """Each frame was forwarded, delivered, or is counted under one reason: no more, no fewer."""
    forwarded = [m for messages in run.outcomes().values() for m in messages
                 if m["kind"] == "forwarded"]
    cut = sum(m["pieces"] > 1 for m in forwarded)  # the whole ended as delivered to the cutter
    transmitted = run.grown(lambda d, p: d.transmitted(p))
    delivered = run.grown(lambda d, p: d.delivered(p))
    dropped = run.grown(lambda d, p: sum(d.count(p, r) for r in d.reasons(p)))
    assert run.after.balanced
    assert run.grown(lambda d, p: d.received(p)) == sum(run.sent)
    assert transmitted + cut == len(forwarded)
    assert dropped == sum(run.sent) - len(forwarded) - (delivered - cut)


def test_wrong_tags(run):
    """Whatever Linux and its switch do: each is dropped, under its own reason."""
    wrong = [c for c in run.cases if getattr(c, "reason", None)]
    outcomes = run.outcomes()
    assert not [str(c) for c in wrong if outcomes[c.tag]]
    for reason in ("vlan-unknown", "vlan-stacked", "vlan-truncated"):
        counted = run.grown(lambda d, p, r=reason: d.count(p, r))
        assert counted == sum(c.reason == reason for c in wrong), reason


def test_every_exception_is_needed(run):
    """One that no case needs is a hole in the test."""
    unused = {e.name for e in run.exceptions} - run.report.used.keys() - BY_KERNEL
    assert not unused, unused
    assert all(re.search("RFC|IEEE", e.rule.__doc__ or "") for e in run.exceptions)


def test_comparison_sees_everything(run):
    """Any field of any message changed, a message missing, one too many: a difference."""
    outcomes = run.outcomes()
    seen = set()
    for case in run.cases:
        messages = outcomes[case.tag]
        for i, message in enumerate(messages):
            for key in message.keys() - {"pieces"}:
                changed = [dict(m) for m in messages]
                changed[i][key] = flipped(message[key])
                assert differs(run, case, messages, changed), f"{key} of {case}"
                seen.add((message["kind"], key))
        if messages:
            assert differs(run, case, messages, messages[1:])
            assert differs(run, case, messages, messages + messages[:1])
    assert {kind for kind, _ in seen} == {"forwarded", "error", "answer"}


def flipped(value):
    """Another value of the same kind; of bytes, the first is another."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:] if value else b"\1"
    if isinstance(value, str):
        return value + "1"
    if isinstance(value, list):
        return value + [b"\1"]
    return not value if isinstance(value, bool) else value + 1


def differs(run, case, ours, theirs):
    report = Report()
    judge(run.family, case, ours, theirs, [], report)
    return bool(report.differences)
