# Exceptions as a list of rules: what both families' files of them have in common.
from dataclasses import dataclass


@dataclass(frozen=True)
class Exemption:
    """adapt(case, Linux's messages, barewire's) gives the messages that are wanted, or None where
    the rule does not apply."""
    name: str
    rule: callable
    view: type
    part: str

    def adapt(self, case, theirs, ours):
        view = self.view(getattr(case, self.part))
        return self.rule(view, [dict(m) for m in theirs], ours) if view.ok else None


class Rules(list):
    """A decorator of rules, and the list of them. view: how a frame is read for them; part: which
    of a case that is."""

    def __init__(self, view, part="frame"):
        super().__init__()
        self.view, self.part = view, part

    def __call__(self, rule):
        self.append(Exemption(rule.__name__, rule, self.view, self.part))
        return rule


def of_kind(messages, kind):
    return [m for m in messages if m["kind"] == kind]
