# Any family in VLANs: its ports are VLANs of fewer cables, and Linux stands behind a switch.
import re
import struct
from dataclasses import dataclass

from labkit import hosts

from .case import Case
from .linux_router import LinuxRouter, cable, interface, quieten
from .open_vswitch import OpenVSwitch
from .rules import Rules

CABLES = 2
# Port of the topology -> cable, VID. From VLAN to VLAN of a cable, and to and from one without.
WHERE = {0: (0, 10), 1: (1, None), 2: (0, 20)}
CUSTOMER, PROVIDER = 0x8100, 0x88A8  # IEEE 802.1Q table 9-1
KNOWN = {vid for _, vid in WHERE.values()}
WRONG = 0.08      # the part of random cases that carry a wrong tag
SINGLES = 6       # of each wrong tag, in any case
PRIORITY = 0.3    # of those without a VLAN that have a priority tag


def tag(vid, kind=CUSTOMER, priority=0):
    """priority: PCP and DEI, 4 bits."""
    return struct.pack("!HH", kind, priority << 12 | vid)


def replace_macs(text):
    """A router has one MAC for all VLANs of a cable."""
    for port, (on, _) in WHERE.items():
        text = text.replace(hosts.router_mac(port), hosts.router_mac(on))
    return text


def station(port):
    """The MAC of a port, as its frames have it here, and as the family has it."""
    return (bytes.fromhex(hosts.router_mac(p).replace(":", "")) for p in (WHERE[port][0], port))


class VlanTopology:
    """A topology whose ports are VLANs; the same network in all else."""

    def __init__(self, inner):
        self.inner, self.PORTS, self.SIX, self.MTU = inner, inner.PORTS, inner.SIX, inner.MTU

    def barewire_lines(self):
        text = self.inner.barewire_lines()
        for port, (on, vid) in WHERE.items():
            if vid is not None:
                text = re.sub(rf"\binterfaces eth{port}\b", f"interfaces IF{on} vlan {vid}", text)
                text = re.sub(rf"\beth{port}\b", f"IF{on}.{vid}", text)
                if self.SIX:  # by its MAC it would have that of another port
                    text += f"set interfaces IF{on} vlan {vid} address " \
                            f"{self.inner.link_local(port)}/64\n"
        return text.replace("IF", "eth")

    def linux_lines(self, name):
        return replace_macs(self.inner.linux_lines(name))


class RouterBehindSwitch(LinuxRouter):
    """A Linux router with an interface in each VLAN, the cables at the switch's trunks."""

    def __init__(self, place, topology):
        super().__init__(place, topology)
        self.switch = OpenVSwitch(self.cables, place.path("switch"))

    def plug(self):
        ports = {}
        for port, (on, vid) in WHERE.items():
            ports[f"s{port}"] = [f"tag={vid or 1}"]
            ports[f"t{on}"] = ["tag=1"] if vid is None else [
                "vlan_mode=trunk", "trunks=" + ",".join(str(v) for k, v in WHERE.values() if k == on)]
        self.batch(self.namespace, "".join(
            f"link add {interface(p)} type veth peer name s{p} netns {self.cables}\n" for p in WHERE))
        self.batch(self.cables, "".join(
            f"link add {cable(c)} type veth peer name t{c}\n" for c in range(CABLES)))
        ends = [*ports, *(cable(c) for c in range(CABLES))]
        for end in ends:
            quieten(self.cables, end)
        self.batch(self.cables, "".join(f"link set {end} mtu 4000 up\n" for end in ends))
        self.switch.start(ports)
        # A frame that is too long for the router is lost behind a queue. Else the switch would see
        # an error, and give up what it sends together with it.
        for port in WHERE:
            hosts.must(hosts.run_inside(self.cables, "tc", "qdisc", "replace", "dev", f"s{port}",
                                        "root", "pfifo", "limit", "1000"))

    def down(self):
        self.switch.stop()
        super().down()


@dataclass(frozen=True)
class TaggedCase(Case):
    """A case as it goes by a cable: which, the bytes, and why barewire drops them if the tag is
    wrong."""
    cable: int
    sent: bytes
    reason: str

    def on_wire(self):
        return self.cable, self.sent

    def __str__(self):
        return f"{super().__str__()}\n  on cable {self.cable}: {self.sent.hex()}"


class InVlans:
    """Before a family in the list of bases: the same family in VLANs."""

    def __init__(self):
        self.topology = VlanTopology(type(self).topology)

    def cables(self):
        return CABLES

    def linux(self, place):
        return RouterBehindSwitch(place, self.topology)

    def singles(self):
        """Those of the family, around the MTU of a VLAN, and a valid flow in each wrong tag."""
        return [*super().singles(), *((f"{over} bytes too long", self.too_long(port, over))
                                      for port in (0, 2) for over in (0, 1, 4, 5, 90)),
                *((wrong, self.flow) for wrong in WRONG_TAGS for _ in range(SINGLES))]

    def flow(self, rng, number):
        """A valid flow."""
        while True:
            port, frame = self.kinds()[0][1](rng, number)
            if self.is_fair(frame):
                return port, frame

    def too_long(self, wanted, over):
        """One to a port, with bytes behind the packet up to the MTU and beyond."""
        def make(rng, number):
            port, frame = self.flow(rng, number)
            while port != wanted:
                port, frame = self.flow(rng, number)
            return port, frame.ljust(14 + self.topology.MTU[port] + over, b"\0")
        return make

    def case(self, rng, number, port, what, frame):
        """A single keeps what it is there for; others may have a wrong tag."""
        on, vid = WHERE[port]
        ours, theirs = station(port)
        dst = frame[:6]
        if dst in (ours, theirs):  # the MAC of another port may be ours
            frame, dst = theirs + frame[6:], ours
        good = tag(vid, priority=rng.getrandbits(4)) if vid else \
            tag(0, priority=rng.getrandbits(4)) if rng.random() < PRIORITY else b""
        sent, reason = dst + frame[6:12] + good + frame[12:], None
        is_random = what in (kind[0] for kind in self.kinds())
        if is_random and dst == ours and rng.random() < WRONG:  # no other station's is looked at
            what = rng.choice(list(WRONG_TAGS))
        if what in WRONG_TAGS:
            reason, make = WRONG_TAGS[what]
            sent = make(rng, vid or 0, dst + frame[6:12], frame[12:])
        return TaggedCase(number, port, what, frame, on, sent, reason)

    def put(self, port, frame):
        on, vid = WHERE[port]
        ours, theirs = station(port)
        return on, (ours if frame[:6] == theirs else frame[:6]) + frame[6:12] + \
            (tag(vid) if vid else b"") + frame[12:]

    def take(self, on, frame):
        """Nothing but the right tag, of priority 0, and none where there is no VLAN, is read."""
        for port, (end, vid) in WHERE.items():
            head = tag(vid) if vid else b""
            if end == on and frame[12:].startswith(head) and \
                    frame[12 + len(head):][:2] not in (b"\x81\x00", b"\x88\xa8"):
                ours, theirs = station(port)
                return port, frame[:6] + (theirs if frame[6:12] == ours else frame[6:12]) + \
                    frame[12 + len(head):]
        return f"cable {on}", frame


# ------------------------------------------------------------ tags that are wrong


def unknown(rng, _vid, macs, rest):
    vid = rng.choice([v for v in (1, 9, 11, 21, 0x40A, 0x80A, 4094, 4095, rng.randrange(1, 4096))
                      if v not in KNOWN])
    return macs + tag(vid, priority=rng.getrandbits(4)) + rest


def reserved(rng, _vid, macs, rest):
    return macs + tag(4095, priority=rng.getrandbits(4)) + rest


def provider(rng, vid, macs, rest):
    return macs + tag(vid, PROVIDER, rng.getrandbits(4)) + rest


def provider_outside(rng, vid, macs, rest):
    return macs + tag(rng.choice((vid, 30)), PROVIDER) + tag(vid) + rest


def twice(rng, vid, macs, rest):
    return macs + tag(vid) + tag(rng.choice((10, 20, 30)), priority=rng.getrandbits(4)) + rest


def priority_inside(rng, vid, macs, rest):
    return macs + tag(vid) + tag(0, priority=rng.getrandbits(4)) + rest


def provider_inside(_rng, vid, macs, rest):
    return macs + tag(vid) + tag(vid, PROVIDER) + rest


def cut(rng, vid, macs, _rest):
    return macs + (tag(vid) + b"\x08")[:rng.randint(2, 5)]


# What is wrong, how barewire counts it, how it is made. By IEEE 802.1Q none goes anywhere: VIDs that
# the port is not in (8.6.2), the reserved one (table 9-2), what is no customer's tag (5.6), and
# what has, behind its tag, no packet but another tag.
WRONG_TAGS = {
    "a VLAN that is not there": ("vlan-unknown", unknown),
    "VID 4095": ("vlan-unknown", reserved),
    "a provider's tag": ("vlan-stacked", provider),
    "a provider's tag outside": ("vlan-stacked", provider_outside),
    "a provider's tag inside": ("vlan-stacked", provider_inside),
    "two tags": ("vlan-stacked", twice),
    "a priority tag inside": ("vlan-stacked", priority_inside),
    "cut in the tag": ("vlan-truncated", cut),
}


class Tags:
    """The tags of a frame, outermost first, as (type, VID)."""

    def __init__(self, sent):
        self.tags = []
        while len(sent) >= 18 and struct.unpack_from("!H", sent, 12)[0] in (CUSTOMER, PROVIDER):
            kind, tci = struct.unpack_from("!HH", sent, 12)
            self.tags.append((kind, tci & 0xFFF))
            sent = sent[:12] + sent[16:]
        self.ok = bool(self.tags)


EXCEPTIONS = exception = Rules(Tags, part="sent")


@exception
def provider_tag_alone(view, theirs, _ours):
    """IEEE 802.1Q 5.6: a customer's bridge knows 0x8100 alone. The switch takes a provider's tag for
    one."""
    return [] if view.tags[0][0] == PROVIDER else theirs


@exception
def priority_tag_inside(view, theirs, _ours):
    """IEEE 802.1Q 9.3: one tag. Linux behind the switch finds the second one first, and takes it for
    a priority tag."""
    return [] if len(view.tags) > 1 and view.tags[1][1] == 0 else theirs
