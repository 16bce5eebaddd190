# The same frames to barewire and to a Linux router: what each makes of them is the same.
import os

import pytest
from differential import exceptions4, linux_router, topology
from differential.case import make_cases
from differential.compare import Report, compare, judge
from differential.exchange import Bench
from differential.ipv4 import IPv4
from router import running, wait_for

SEED = int(os.environ.get("SEED", "1812"))
COUNT = 20_000 if os.environ.get("LONG") else 2_000
# Not each kernel: with NetLabel, and with a listener for IGMP or the like.
BY_KERNEL = {"security_labels", "protocols_linux_listens_to"}


def barewire_ends(lab):
    return [(lab.place.namespace(p), "p0") for p in range(topology.PORTS)]


def linux_ends(linux):
    return [(linux.cables, linux_router.cable(p)) for p in range(topology.PORTS)]


class Run:
    """Both routers' outputs for all cases of a family."""

    def __init__(self, lab, linux, family, exceptions):
        self.family, self.exceptions = family, exceptions
        self.cases = make_cases(family, SEED, COUNT)
        for p in range(topology.PORTS):
            lab.must(p, "ip", "link", "set", "p0", "mtu", "4000")  # too long must get out, too
        self.before = lab.drops()
        ours = Bench(family, barewire_ends(lab), paced=True)
        theirs = Bench(family, linux_ends(linux), paced=False)
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
        self.suppressed = lab.json("show protocols")["icmp"]["suppressed"]
        self.report = compare(family, self.cases, self.ours, self.theirs, exceptions)

    def outcomes(self):
        """What barewire did with each case."""
        by_tag = self.family.by_tag(self.ours)
        return {c.tag: self.family.outcome(by_tag.get(c.tag, [])) for c in self.cases}

    def grown(self, read):
        """How much a number in the books of the ports has grown."""
        ports = [f"eth{p}" for p in range(topology.PORTS)]
        return sum(read(self.after, p) - read(self.before, p) for p in ports)


@pytest.fixture(scope="module")
def lab():
    with running(ports=topology.PORTS, config=topology.barewire_lines(), warm=False) as lab:
        yield lab


@pytest.fixture(scope="module")
def run(lab):
    with linux_router.running(lab.place) as linux:
        yield Run(lab, linux, IPv4(), exceptions4.EXCEPTIONS)


def test_same_as_linux(run):
    assert run.suppressed == 0, "errors were limited: slower, or nothing can be compared"
    assert not run.report.differences, f"SEED={SEED}, {COUNT} cases:\n{run.report}"
    assert run.report.answered > COUNT / 3 and run.report.silent > COUNT / 5


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


def test_every_exception_is_needed(run):
    """One that no case needs is a hole in the test."""
    unused = {e.name for e in run.exceptions} - run.report.used.keys() - BY_KERNEL
    assert not unused, unused
    assert all(e.rule.__doc__ and "RFC" in e.rule.__doc__ for e in run.exceptions)


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
