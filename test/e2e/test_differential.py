# The same frames to barewire and to a Linux router: what each makes of them is the same.
import os

import pytest
from differential import exceptions4, linux_router, topology
from differential.case import make_cases
from differential.compare import compare
from differential.exchange import Bench
from differential.ipv4 import IPv4
from router import running, wait_for

SEED = int(os.environ.get("SEED", "20240501"))
COUNT = int(os.environ.get("COUNT", 20_000 if os.environ.get("LONG") else 2_000))


def barewire_ends(lab):
    return [(lab.place.namespace(p), "p0") for p in range(topology.PORTS)]


def linux_ends(linux):
    return [(linux.cables, linux_router.cable(p)) for p in range(topology.PORTS)]


class Run:
    """Both routers' outputs for all cases of a family."""

    def __init__(self, lab, linux, family):
        self.family = family
        self.cases = make_cases(family, SEED, COUNT)
        self.before = lab.drops()
        for p in range(topology.PORTS):
            lab.must(p, "ip", "link", "set", "p0", "mtu", "4000")  # too long must get out, too
        ours = Bench(family, barewire_ends(lab), paced=True)
        theirs = Bench(family, linux_ends(linux), paced=False)
        try:
            ours.run(self.cases)
            theirs.run(self.cases)
            wait_for("no packet in barewire", lambda: all(
                lab.drops().in_flight(p) == 0 for p in lab.drops().ports()))
            wait_for("no packet in Linux", lambda: not linux.unresolved())
            ours.finish()
            theirs.finish()
        finally:
            ours.close()
            theirs.close()
        self.ours, self.theirs, self.sent = ours.outputs, theirs.outputs, ours.sent
        self.report = compare(family, self.cases, self.ours, self.theirs, exceptions4.EXCEPTIONS)


@pytest.fixture(scope="module")
def lab():
    with running(ports=topology.PORTS, config=topology.barewire_lines(), warm=False) as lab:
        yield lab


@pytest.fixture(scope="module")
def run(lab):
    with linux_router.running(lab.place) as linux:
        yield Run(lab, linux, IPv4())


def test_same_as_linux(run):
    assert not run.report.differences, f"seed {SEED}, {COUNT} cases:\n{run.report}"
