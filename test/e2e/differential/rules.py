# Exceptions as a list of rules: what both families' files of them have in common.
from dataclasses import dataclass


@dataclass(frozen=True)
class Exemption:
    """adapt(case, Linux's messages, barewire's) gives the messages that are wanted, or None where
    the rule does not apply."""
    name: str
    rule: callable
    view: type

    def adapt(self, case, theirs, ours):
        view = self.view(case.frame)
        return self.rule(view, [dict(m) for m in theirs], ours) if view.ok else None


class Rules(list):
    """A decorator of rules, and the list of them. view: how a frame is read for them."""

    def __init__(self, view):
        super().__init__()
        self.view = view

    def __call__(self, rule):
        self.append(Exemption(rule.__name__, rule, self.view))
        return rule


def of_kind(messages, kind):
    return [m for m in messages if m["kind"] == kind]
