# IPv4 as a family: how its cases are told apart, and what of a router's output is compared.
from . import generate4, packet4, topology
from .case import Family
from .packet4 import View

MARK = 0xFF00  # ICMP ids of markers: above all tags
ARP = b"\x08\x06"


class IPv4(Family):
    """The tag is the IPv4 identification; in what the router itself says, it comes back in the
    quoted header, the ICMP id or the TCP port."""

    topology = topology

    def singles(self):
        return generate4.singles()

    def kinds(self):
        return generate4.KINDS

    def is_fair(self, frame):
        view = View(frame)
        if not view.ok:
            return True
        if not all(generate4.is_known(a) for a in (view.src, view.dst)):
            return False
        # Reassembly is compared elsewhere: a case is one frame.
        return not (view.fragment and view.dst in generate4.OWN)

    def marker(self, port, number):
        src, dst = f"10.0.{port}.{topology.HOST}", topology.ROUTER4[port]
        return packet4.ether(topology.router_mac(port), topology.mac(port, topology.HOST),
                             packet4.ipv4(src, dst, packet4.echo(MARK + number), packet4.ICMP))

    def marked(self, frame):
        ident = self.answered(View(frame))
        return ident - MARK if ident is not None and ident > MARK else None

    def is_chatter(self, frame):
        return frame[12:14] == ARP

    def answered(self, view):
        """The ICMP id of an answer that a router made."""
        if view.ok and view.src in generate4.OWN and view.proto == packet4.ICMP and \
                len(view.payload) >= 8 and view.payload[0] in (packet4.ECHO_REPLY, 14, 18):
            return int.from_bytes(view.payload[4:6], "big")
        return None

    def is_error(self, frame):
        view = View(frame)
        return view.ok and view.src in generate4.OWN and view.proto == packet4.ICMP and \
            view.offset == 0 and len(view.payload) >= 28 and view.payload[0] in packet4.ICMP_ERRORS

    def is_limited(self, frame):
        view = View(frame)
        return self.is_error(frame) or (view.ok and view.src in generate4.OWN
                                        and view.proto == packet4.TCP)

    def by_tag(self, outputs):
        """Of our own answers only the first fragment has the tag; the others follow it."""
        found, answers = {}, {}
        for port, frame in sorted(outputs, key=lambda o: View(o[1]).offset if View(o[1]).ok else 0):
            view = View(frame)
            tag = self.tag_of(frame, view)
            if self.is_answer(view) and view.fragment:
                tag = answers.setdefault((port, view.src, view.dst, view.ident), tag)
            found.setdefault(tag, []).append((port, frame))
        return found

    def is_answer(self, view):
        return view.ok and view.src in generate4.OWN and view.proto != packet4.UDP and \
            not self.is_error(view.frame)

    def tag_of(self, frame, view):
        if not view.ok:
            return None
        if self.is_error(frame):
            return int.from_bytes(view.payload[12:14], "big")
        ident = self.answered(view)
        if ident is not None:
            return ident
        if view.src in generate4.OWN and view.proto == packet4.TCP:
            return int.from_bytes(view.payload[2:4], "big")
        return view.ident

    # ------------------------------------------------------------ outcomes

    def outcome(self, outputs):
        messages = []
        pieces = {}
        for port, frame in outputs:
            view = View(frame)
            message = self.header(port, view)
            if self.is_error(frame):
                messages.append(self.error(message, view))
            else:
                pieces.setdefault((port, view.dst_mac, view.src, view.dst, view.proto, view.ident),
                                  []).append((message, view))
        for group in pieces.values():
            message = self.joined(group)
            messages.append(self.answer(message) if self.is_answer(group[0][1]) else message)
        return sorted(messages, key=repr)

    @staticmethod
    def header(port, view):
        """What all messages have."""
        return {"port": port, "to": view.dst_mac.hex(":"), "from": view.src_mac.hex(":"),
                "src": view.src, "dst": view.dst, "proto": view.proto, "tos": view.tos,
                "ttl": view.ttl, "options": view.options, "sound": view.check_ok,
                "trailer": view.trailer}

    @staticmethod
    def error(message, view):
        body = view.payload
        message.update(kind="error", type=body[0], code=body[1], rest=body[4:8], quote=body[8:],
                       sound=view.check_ok and packet4.checksum(body) == 0)
        return message

    @staticmethod
    def answer(message):
        """A whole message of the router's own; its identification is its own affair."""
        body = message.pop("payload")
        message.pop("ident")
        good = packet4.checksum(body) == 0 if message["proto"] == packet4.ICMP else \
            packet4.checksum(packet4.pseudo(message["src"], message["dst"], message["proto"],
                                            len(body)) + body) == 0
        message.update(kind="answer", body=body, sound=message["sound"] and good)
        return message

    @staticmethod
    def joined(group):
        """A forwarded packet, put together from the fragments it left in."""
        group.sort(key=lambda g: g[1].offset)
        message, first = group[0]
        last, payload, at, whole = group[-1][1], b"", first.offset, True
        for other, view in group:
            whole &= view.offset == at and (view is last or bool(view.flags & packet4.MF))
            payload += view.payload
            at += len(view.payload)
            message["sound"] &= view.check_ok
            whole &= all(other[k] == message[k] for k in ("ttl", "tos", "trailer"))
        message.update(kind="forwarded", ident=first.ident, offset=first.offset, payload=payload,
                       df=first.flags & ~packet4.MF, more=last.flags & packet4.MF,
                       fits=all(v.total <= topology.MTU[message["port"]] for _, v in group),
                       pieces=len(group), whole=whole,
                       later=sorted({copied(v.options) for _, v in group[1:]}))
        return message

    def align(self, ours, theirs):
        """Errors quote as much as they like from header and 8 bytes on (RFC 1812 4.3.2.3); a
        packet is cut wherever its pieces fit (RFC 791 3.2)."""
        ours, theirs = [dict(m) for m in ours], [dict(m) for m in theirs]
        for a, b in zip(ours, theirs):
            if a["kind"] == b["kind"] == "error":
                common = max(min(len(a["quote"]), len(b["quote"])), 28)
                for m in (a, b):
                    m["quote"] = m["quote"][:common]
            elif a["kind"] == b["kind"] and a["pieces"] > 1 and b["pieces"] > 1:
                a["pieces"] = b["pieces"] = 2
        return ours, theirs


def copied(options):
    """The options of a later fragment as a receiver sees them: without padding."""
    return b"".join(raw for kind, raw in packet4.options_of(options) if kind != 1)
