# `show drops` as an object: the fate of every packet, by port and reason.


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
