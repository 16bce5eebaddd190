# What families, exchange and comparison share: a case, and the reproducible choice of many.
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """One frame for both routers. The tag is its number, and stands in the frame."""
    tag: int
    port: int
    what: str
    frame: bytes

    def __str__(self):
        return f"#{self.tag} to eth{self.port}, {self.what}: {self.frame.hex()}"


class Family:
    """What differs between IP versions. One object of each family goes to exchange and compare."""

    topology = None  # the module that says what network both routers are in

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
        cases.append(Case(tag, port, what, frame))
    return cases
