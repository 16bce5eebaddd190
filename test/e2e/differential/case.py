# What families, exchange and comparison share: a case, and the reproducible choice of many.
import random
from dataclasses import dataclass

from .linux_router import LinuxRouter


@dataclass(frozen=True)
class Case:
    """One frame for both routers. The tag is its number, and stands in the frame."""
    tag: int
    port: int
    what: str
    frame: bytes

    def on_wire(self):
        """The cable by which it goes, and the bytes."""
        return self.port, self.frame

    def __str__(self):
        return f"#{self.tag} to eth{self.port}, {self.what}: {self.frame.hex()}"


class Family:
    """What differs between IP versions. One object of each family goes to exchange and compare."""

    topology = None  # the module that says what network both routers are in

    def cables(self):
        """How many cables the router's ports are on."""
        return self.topology.PORTS

    def linux(self, place):
        """The Linux router to compare with."""
        return LinuxRouter(place, self.topology)

    def case(self, _rng, number, port, what, frame):
        """The case of a frame."""
        return Case(number, port, what, frame)

    def put(self, port, frame):
        """What goes by which cable to bring a frame to a port, as (cable, bytes)."""
        return port, frame

    def take(self, cable, frame):
        """The frame that came by a cable, as (port, frame)."""
        return cable, frame

    def singles(self):
        """Makers of all cases that are made once: (what, make), make(family, random, tag) giving
        a port and a frame."""
        raise NotImplementedError

    def kinds(self):
        """Makers of random cases: (what, make, weight)."""
        raise NotImplementedError

    def is_fair(self, frame):
        """Whether the frame is one that both routers are set up for alike."""
        raise NotImplementedError

    def marker(self, port, number):
        """A frame that the router answers by way of its control core, and nothing drops."""
        raise NotImplementedError

    def marked(self, frame):
        """The number in the answer to a marker; None for any other frame."""
        raise NotImplementedError

    def is_chatter(self, frame):
        """Whether the frame is one by which a router asks for neighbours: no part of an outcome."""
        raise NotImplementedError

    def is_slow(self, frame):
        """Whether barewire takes only so many cases like this one in a second."""
        return False

    def by_tag(self, outputs):
        """[(port, frame)] sorted into a dict by the tag of the case that made a router send them;
        what has none under None."""
        raise NotImplementedError

    def outcome(self, outputs):
        """What a router sent for one case, [(port, frame)], as a list of messages (dicts) in an
        order that depends on them alone."""
        raise NotImplementedError

    def align(self, ours, theirs):
        """Both outcomes without what no router is bound to have alike."""
        raise NotImplementedError

    def is_limited(self, frame):
        """Whether the frame is one that barewire's limit on errors counts."""
        raise NotImplementedError


def make_cases(family, seed, count):
    """`count` cases: each single once, then random ones. The same for the same seed."""
    rng = random.Random(seed)
    singles = list(family.singles())
    kinds = family.kinds()
    weights = [k[2] for k in kinds]
    cases = []
    while len(cases) < count:
        tag = len(cases)
        if tag < len(singles):
            what, make = singles[tag]
            port, frame = make(rng, tag)
        else:
            what, make, _ = rng.choices(kinds, weights)[0]
            port, frame = make(rng, tag)
            while not family.is_fair(frame):
                port, frame = make(rng, tag)
        cases.append(family.case(rng, tag, port, what, frame))
    return cases
