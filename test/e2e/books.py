# `show drops` as an object: the fate of every packet, by port and reason.
from patience import wait_for


class Drops:
    """What `show drops | json` said at one instant."""

    def __init__(self, shown):
        self.port = {p["port"]: p for p in shown["ports"]}
        self.balanced = shown["balance"] == "ok"

    def ports(self):
        return list(self.port)

    def reasons(self, port):
        return list(self.port[port]["dropped"])

    def count(self, port, reason):
        return self.port[port]["dropped"].get(reason, 0)

    def received(self, port):
        return self.port[port]["received"]

    def transmitted(self, port):
        return self.port[port]["transmitted"]

    def delivered(self, port):
        return self.port[port]["delivered"]

    def in_flight(self, port):
        return self.port[port]["in_flight"]

    def total(self):
        """Packets dropped on all ports, for whatever reason."""
        return sum(n for p in self.port.values() for n in p["dropped"].values())


def expect_drops(lab, expected, act, port="eth0"):
    """Runs act(); then the port's drops have grown by exactly `expected`, all else by nothing."""
    before = lab.drops()
    act()

    def grown():
        now = lab.drops()
        return now if now.total() - before.total() >= sum(expected.values()) else None
    try:
        after = wait_for("the drops", grown)
    except AssertionError:
        after = lab.drops()  # say what was counted instead
    change = {(p, r): after.count(p, r) - before.count(p, r)
              for p in after.ports() for r in after.reasons(p)}
    assert {k: n for k, n in change.items() if n} == {(port, r): n for r, n in expected.items()}
    assert after.balanced
