# What the two routers made of each case, side by side; differences that no exception explains.
from dataclasses import dataclass, field


@dataclass
class Report:
    """The result of a comparison."""
    differences: list = field(default_factory=list)  # texts
    used: dict = field(default_factory=dict)         # exception's name -> how often it was needed
    silent: int = 0
    answered: int = 0

    def __str__(self):
        return "\n\n".join(self.differences[:20]) + f"\n{len(self.differences)} differences"


def compare(family, cases, ours, theirs, exceptions):
    """ours, theirs: [(port, frame)] of barewire and Linux. Each exception turns what Linux did
    into what barewire is to do; after that both are equal, or it is a difference."""
    ours, theirs = family.by_tag(ours), family.by_tag(theirs)
    report = Report()
    known = {case.tag for case in cases}
    for who, found in (("barewire", ours), ("Linux", theirs)):
        for tag in found.keys() - known:
            report.differences.append(f"{who} sent what nobody caused: {found[tag]}")
    for case in cases:
        us, them = family.outcome(ours.get(case.tag, [])), family.outcome(theirs.get(case.tag, []))
        report.answered += bool(us)
        report.silent += not us
        judge(family, case, us, them, exceptions, report)
    return report


def judge(family, case, us, them, exceptions, report):
    if equal(family, us, them):
        return
    used, wanted = [], them
    for exception in exceptions:
        changed = exception.adapt(case, wanted, us)
        if changed is not None and changed != wanted:
            used.append(exception.name)
            wanted = changed
    wanted = sorted(wanted, key=repr)
    if not equal(family, us, wanted):
        report.differences.append(text(family, case, us, wanted, used))
        return
    for name in used:
        report.used[name] = report.used.get(name, 0) + 1


def equal(family, us, them):
    if len(us) != len(them):
        return False
    us, them = family.align(us, them)
    return us == them


def text(family, case, us, them, used):
    """One difference for a person: what is not alike, message by message."""
    lines = [str(case)] + ([f"  in spite of: {', '.join(used)}"] if used else [])
    a, b = family.align(us, them)
    for i in range(max(len(a), len(b))):
        left, right = (m[i] if i < len(m) else None for m in (a, b))
        if left is None or right is None or left["kind"] != right["kind"]:
            lines += [f"  barewire: {show(left)}", f"  Linux:    {show(right)}"]
            continue
        lines += [f"  {left['kind']}: {k}: {show(left[k])} / {show(right.get(k))}"
                  for k in left if left[k] != right.get(k)]
    return "\n".join(lines)


def show(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {show(v)}" for k, v in value.items()) + "}"
    return value.hex() or "-" if isinstance(value, bytes) else str(value)
