# Conversations as random walks, and how each is led through a router: what comes out of it, step by step.
import random
import struct
from typing import NamedTuple

from differential.packet4 import ICMP, TCP, UDP
from labkit import hosts
from oracle import datagram, datagram6

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
GATEWAY_MAC = "02:00:00:00:{:02x}:02"  # as Network.mac
NAMES = {TCP: "tcp", UDP: "udp", ICMP: "icmp"}


class Side(NamedTuple):
    """Who talks: an address and a port (ICMP: the identifier) behind a cable."""
    cable: int
    address: str
    port: int


class Step(NamedTuple):
    by: str        # client, server; error: somebody on the server's side, error-in: on the client's
    what: dict     # by kind
    name: str


class Talk(NamedTuple):
    """client talks to `to`, behind which (translated or not) is server."""
    number: int
    proto: int
    client: Side
    to: Side
    server: Side
    steps: tuple

    @property
    def family(self):
        """How its packets are made and read."""
        return datagram6 if ":" in self.client.address else datagram

    def __str__(self):
        return (f"talk {self.number}: {NAMES[self.proto]} {self.client.address}:{self.client.port}"
                f" > {self.to.address}:{self.to.port}: " + ", ".join(s.name for s in self.steps))


# ---------------------------------------------------------------- walks

class TcpWalk:
    """A plausible connection, from which a walk now and then departs."""

    def __init__(self, rng):
        self.rng = rng
        self.next = {"client": rng.randrange(1 << 32), "server": rng.randrange(1 << 32)}
        self.seen = set()

    def step(self, by, bits, data=0, offset=0, note=""):
        other = "server" if by == "client" else "client"
        what = {"bits": bits, "seq": (self.next[by] + offset) % (1 << 32), "data": data,
                "ack": self.next[other] if bits & ACK else 0}
        if not offset:
            self.next[by] = (self.next[by] + data + bool(bits & (SYN | FIN))) % (1 << 32)
        letters = "".join(c for c, b in zip("FSRPA", (FIN, SYN, RST, PSH, ACK)) if bits & b) or "0"
        return Step(by, what, f"{by[0]}:{letters}{data or ''}{note}")

    def ordinary(self):
        """A handshake, data, and an end of one kind or the other."""
        rng = self.rng
        yield self.step("client", SYN)
        yield self.step("server", SYN | ACK)
        yield self.step("client", ACK)
        for _ in range(rng.randrange(6)):
            yield self.step(rng.choice(("client", "server")), PSH | ACK, rng.choice((1, 7, 64, 500)))
        end, other = rng.sample(("client", "server"), 2)
        if rng.random() < 0.3:
            yield self.step(end, RST | ACK)
            return
        yield self.step(end, FIN | ACK)
        yield self.step(other, ACK)
        if rng.random() < 0.5:
            yield self.step(other, PSH | ACK, 20)
            yield self.step(end, ACK)
        yield self.step(other, FIN | ACK)
        yield self.step(end, ACK)
        if rng.random() < 0.5:
            yield self.step(rng.choice(("client", "server")), ACK)

    def strange(self):
        """One packet that does not belong there."""
        rng = self.rng
        by = rng.choice(("client", "server"))
        kind = rng.randrange(6)
        if kind == 0:
            return self.step(by, rng.choice((SYN | ACK, SYN, FIN | ACK, ACK)), offset=0, note="?")
        if kind == 1:
            return self.step(by, rng.choice((0, SYN | FIN, FIN, PSH, FIN | SYN | RST)), offset=1, note="?")
        if kind == 2:
            return self.step(by, RST | ACK, offset=rng.choice((0, 1, 1 << 20)), note="?")
        if kind == 3:
            return self.step(by, PSH | ACK, 10, offset=1 << 30, note="far")
        return error(rng, kind == 5)


def error(rng, inward):
    what = {"error": rng.randrange(len(datagram.ERRORS)), "quote": rng.choice((8, 20, 980)),
            "forged": rng.random() < 0.2, "astray": rng.random() < 0.15}
    name = f"err{what['error']}" + "".join(w for w in ("forged", "astray") if what[w])
    return Step("error-in" if inward else "error", what, name)


def tcp_steps(rng, strange):
    walk = TcpWalk(rng)
    for step in walk.ordinary():
        yield step
        if strange and rng.random() < 0.15:
            yield walk.strange()


def udp_steps(rng, strange):
    yield Step("client", {"data": rng.choice((0, 1, 30, 400))}, "c")
    for _ in range(rng.randrange(2, 9)):
        by = rng.choice(("client", "server"))
        data = rng.choice((0, 1, 33, 500))
        what = {"data": data, "sum": rng.choice((None, None, 0, "wrong"))}
        if rng.random() < 0.2:
            what |= {"data": rng.choice((1000, 2500)), "cut": rng.choice(("order", "last first"))}
        yield Step(by, what, f"{by[0]}{what['data']}{what['sum'] or ''}{what.get('cut', '')}")
        if strange and rng.random() < 0.3:
            yield error(rng, rng.random() < 0.3)


def icmp_steps(rng, strange):
    for n in range(rng.randrange(1, 5)):
        cut = {"cut": rng.choice(("order", "last first"))} if rng.random() < 0.15 else {}
        size = 2000 if cut else rng.choice((0, 1, 56))
        yield Step("client", {"data": size, "seq": n, **cut}, f"c{size}")
        for _ in range(rng.choice((0, 1, 1, 1, 2 if strange else 1))):
            yield Step("server", {"data": size, "seq": n, **cut}, f"s{size}")
        if strange and rng.random() < 0.3:
            yield error(rng, rng.random() < 0.3)


STEPS = {TCP: tcp_steps, UDP: udp_steps, ICMP: icmp_steps}


def steps(proto, seed, strange):
    return tuple(STEPS[proto](random.Random(seed), strange))


# ---------------------------------------------------------------- packets

def fill(n):
    return bytes(i * 7 & 255 for i in range(n))


def wrong_by(much, check):
    total = int.from_bytes(check, "big") + much
    return struct.pack("!H", (total & 0xFFFF) + (total >> 16) or 1)


def packets(talk, step, src, dst, ident):
    """The IP packets of a step; src, dst: (address, port) as they are where it is sent."""
    what, family = step.what, talk.family
    data = fill(what["data"])
    if talk.proto == TCP:
        body = family.tcp(src[0], dst[0], src[1], dst[1], what["seq"], what["ack"], what["bits"], data)
        return [family.packet(src[0], dst[0], body, TCP, ident, df=True)]
    if talk.proto == UDP:
        body = family.udp(src[0], dst[0], src[1], dst[1], data, check=0 if what.get("sum") == 0 else None)
        if what.get("sum") == "wrong":  # by as much whatever the ports are
            body = body[:6] + wrong_by(0x1234, body[6:8]) + body[8:]
    else:
        asks = step.by == "client"
        body = family.echo(src[0], dst[0], src[1] if asks else dst[1], what["seq"], data, asks)
    if "cut" not in what:
        return [family.packet(src[0], dst[0], body, talk.proto, ident)]
    cut = family.cut(src[0], dst[0], body, talk.proto, ident)
    return cut if what["cut"] == "order" else cut[::-1]


def forged(quoted, at):
    """Nobody has sent that: another port of the server (one of the client may be another's by chance),
    or another type of ICMP."""
    return quoted[:at] + bytes([quoted[at] ^ 0x2A]) + quoted[at + 1:]


# ---------------------------------------------------------------- at one router

class Course:
    """A talk at one router: what each end has seen, so that it answers what it was sent."""

    def __init__(self, talk):
        self.talk = talk
        self.at_server = None  # (src, sport, dst, dport) of what the client says, as the server sees it
        self.last = {}         # by side: the last packet it has seen, IPv4 header and all
        self.outcome = []      # by step

    def frames(self, n, ident):
        """(cable, frame) of a step; nothing if there is nothing yet that it could be about."""
        talk, step = self.talk, self.talk.steps[n]
        if step.by == "client":
            side = talk.client
            made = packets(talk, step, (side.address, side.port), (talk.to.address, talk.to.port), ident)
        elif step.by == "server":
            side = talk.server
            seen = self.at_server or (talk.client.address, talk.client.port, side.address, side.port)
            made = packets(talk, step, seen[2:], seen[:2], ident)
        else:
            side = talk.server if step.by == "error" else talk.client
            made = self.errors(step, side, ident)
        return [(side.cable, talk.family.ether(hosts.router_mac(side.cable), GATEWAY_MAC.format(side.cable), p))
                for p in made]

    def errors(self, step, side, ident):
        family, what = self.talk.family, step.what
        quoted = self.last.get("server" if step.by == "error" else "client")
        if not quoted:
            return []
        if what["forged"]:
            to_server = step.by == "error" and self.talk.proto != ICMP
            quoted = forged(quoted, family.HEADER + 2 * to_server)
        (kind, code), rest, by_host = family.ERRORS[what["error"]]
        to = family.source(quoted)
        if what["astray"]:
            to = next(a for a in family.STRANGERS[side.cable] if a != to)
        who = side.address if by_host else family.ON_THE_WAY[side.cable]
        return [family.error(who, to, kind, code, rest, quoted[:family.HEADER + what["quote"]], ident)]

    def take(self, datagrams, raw):
        """What came out of the router after a step."""
        talk, family, told = self.talk, self.talk.family, []
        for d, packet in zip(datagrams, raw):
            told.append(self.tell(d))
            ports = family.ports_of(d.proto, d.payload)
            if family.is_error(d.proto, d.payload) or ports is None:
                continue
            by = talk.steps[len(self.outcome)].by
            if by == "client" and d.cable == talk.server.cable and d.dst == talk.server.address:
                self.at_server = (d.src, ports[0], d.dst, ports[1])
                self.last["server"] = packet
            elif by == "server" and d.cable == talk.client.cable:
                self.last["client"] = packet
        self.outcome.append(sorted(told, key=str))

    def name(self, address, port, cable):
        """An end of the conversation by its part in it: which port was chosen is no matter."""
        seen = self.at_server and cable == self.talk.server.cable
        if self.talk.proto == ICMP:  # the identifier is of both
            return f"{address}:{'mapped' if seen and port == self.at_server[1] else port}"
        return f"{address}:{'mapped' if seen and (address, port) == self.at_server[:2] else port}"

    def tell(self, d):
        """A datagram without what routers may choose."""
        talk, family = self.talk, self.talk.family
        ports = family.ports_of(d.proto, d.payload)
        by = talk.steps[len(self.outcome)].by
        if ports and by == "client" and d.cable == talk.server.cable and d.dst == talk.server.address:
            self.at_server = (d.src, ports[0], d.dst, ports[1])
        told = {"cable": d.cable, "to": d.dst_mac.hex(":"), "proto": d.proto, "ttl": d.ttl,
                "tos": d.tos, "df": d.df, "header": d.header_ok,
                "sum": family.check_error(d.src, d.dst, d.proto, d.payload)}
        if family.is_error(d.proto, d.payload):
            inner = family.inner_of(d.payload)
            told |= {"src": d.src, "dst": d.dst, "error": d.payload[:2].hex(), "rest": d.payload[4:8],
                     "inner": inner._replace(
                         ports=None, src=self.name(inner.src, (inner.ports or (0, 0))[0], d.cable),
                         dst=self.name(inner.dst, (inner.ports or (0, 0))[1], d.cable))}
        else:
            told |= {"src": self.name(d.src, ports[0], d.cable) if ports else d.src,
                     "dst": self.name(d.dst, ports[1], d.cable) if ports else d.dst,
                     "body": family.without_numbers(d.proto, d.payload)}
        return told


def lead(talks, ends, while_away=None):
    """All talks through a router side by side, a step of each at a time; their courses."""
    courses = [Course(t) for t in talks]
    rounds = max(len(t.steps) for t in talks)
    ident = 0
    for n in range(rounds):
        frames, of = [], {}
        for course in courses:
            if n < len(course.talk.steps):
                ident += 1
                of[ident] = course
                frames += course.frames(n, ident)
        came = ends.exchange(frames)
        groups = {number: [] for number in of}
        for d in datagram.together(came) + datagram6.together(came):
            if d.ttl == datagram.HOPS - 1 and d.ident in groups:  # else it is what the router says itself
                groups[d.ident].append(d)
        for number, course in of.items():
            course.take(groups[number], [course.talk.family.again(d) for d in groups[number]])
        if while_away:
            while_away(n)
    return courses


def differences(ours, theirs):
    """(talk, number of the step, what ours told, what theirs) of each step that differs."""
    return [(a.talk, n, a.outcome[n], b.outcome[n]) for a, b in zip(ours, theirs)
            for n in range(len(a.talk.steps)) if a.outcome[n] != b.outcome[n]]


def unexplained(found, exceptions):
    """Without talks whose first difference is one that an exception explains."""
    first = {}
    for talk, n, ours, theirs in found:
        first.setdefault(talk.number, any(e(talk, n, ours, theirs) for e in exceptions))
    return [f for f in found if not first[f[0].number]]


def told(found, most=12):
    """Of each talk that differs the first step that does: what comes later may follow from it."""
    lines, talks = [], set()
    for talk, n, ours, theirs in found:
        if talk.number in talks:
            continue
        talks.add(talk.number)
        lines.append(f"{talk}\n  step {n} {talk.steps[n].name}:")
        for name, one, other in (("ours", ours, theirs), ("Linux", theirs, ours)):
            if not one or not other:
                lines.append(f"    {name}: {len(one)} packets")
            lines += [f"    {name}: { {k: v for k, v in a.items() if b.get(k) != v} }"
                      for a, b in zip(one, other) if a != b]
    return "\n".join(lines[:most * 4]) + f"\n{len(talks)} talks differ, in {len(found)} steps"


__all__ = ["ICMP", "TCP", "UDP", "Side", "Step", "Talk", "differences", "lead", "steps", "told",
           "unexplained"]
