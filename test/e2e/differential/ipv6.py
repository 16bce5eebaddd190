# IPv6 as a family: how its cases are told apart, and what of a router's output is compared.
from . import generate6, packet6, singles6, topology6
from .case import Family
from .packet6 import View

MARK = 0xFF00  # ICMP ids of markers: above all tags
ARP = b"\x08\x06"


class IPv6(Family):
    """The tag is the flow label; in what the router itself says, it comes back in the quoted
    header, the ICMP id or the TCP port."""

    topology = topology6

    def singles(self):
        return singles6.singles()

    def kinds(self):
        return generate6.KINDS

    def is_fair(self, frame):
        view = View(frame)
        if not view.ok:
            return True
        if not all(generate6.is_known(a) for a in (view.src, view.dst)):
            return False
        # Reassembly is compared elsewhere: a case is one frame.
        return not (view.part and view.dst in generate6.DELIVERED)

    def marker(self, port, number):
        src, dst = topology6.net(port, topology6.HOST), topology6.ROUTER6[port]
        return packet6.ether(topology6.router_mac(port), topology6.mac(port, topology6.HOST),
                             packet6.ipv6(src, dst, packet6.echo(src, dst, MARK + number),
                                          packet6.ICMP6))

    def marked(self, frame):
        ident = self.answered(View(frame))
        return ident - MARK if ident is not None and ident > MARK else None

    def is_chatter(self, frame):
        """Neighbour discovery but for redirects, and multicast listener reports."""
        view = View(frame)
        if not view.ok or view.proto != packet6.ICMP6 or not view.message:
            return frame[12:14] == ARP
        kind = view.message[0]
        return view.hops == 255 and packet6.ND_FIRST <= kind < packet6.REDIRECT or \
            view.hops == 1 and view.dst.startswith("ff02::") and kind in packet6.MLD

    def is_slow(self, frame):
        view = View(frame)
        return view.ok and view.first_hop_by_hop

    def is_own(self, view):
        """Whether a router made the packet. (What is forwarded in its name has the tag as label.)"""
        return view.ok and view.src in generate6.OWN and view.label == 0

    def answered(self, view):
        """The ICMP id of an answer that a router made."""
        if self.is_own(view) and view.next == packet6.ICMP6 and len(view.payload) >= 8 and \
                view.payload[0] == packet6.ECHO_REPLY:
            return int.from_bytes(view.payload[4:6], "big")
        return None

    def is_error(self, frame):
        view = View(frame)
        return self.is_own(view) and view.next == packet6.ICMP6 and len(view.payload) >= 48 and \
            view.payload[0] < packet6.INFORMATIONAL

    def is_redirect(self, view):
        return self.is_own(view) and view.hops == 255 and view.next == packet6.ICMP6 and \
            view.payload[:1] == bytes([packet6.REDIRECT])

    def is_limited(self, frame):
        view = View(frame)
        return self.is_error(frame) or (self.is_own(view) and view.next == packet6.TCP)

    def by_tag(self, outputs):
        found = {}
        for port, frame in outputs:
            found.setdefault(self.tag_of(frame, View(frame)), []).append((port, frame))
        return found

    def tag_of(self, frame, view):
        if not view.ok:
            return None
        if self.is_error(frame):
            return int.from_bytes(view.payload[8:12], "big") & 0xFFFFF
        if self.is_redirect(view):
            return self.tag_of_redirect(view)
        ident = self.answered(view)
        if ident is not None:
            return ident
        if self.is_own(view) and view.next == packet6.TCP:
            return int.from_bytes(view.payload[2:4], "big")
        return view.label

    @staticmethod
    def tag_of_redirect(view):
        at = 40
        while at + 8 <= len(view.payload) and view.payload[at + 1]:
            if view.payload[at] == 4:  # RFC 4861 4.6.3
                return int.from_bytes(view.payload[at + 8:at + 12], "big") & 0xFFFFF
            at += view.payload[at + 1] * 8
        return None

    # ------------------------------------------------------------ outcomes

    def outcome(self, outputs):
        return sorted((self.message(port, frame) for port, frame in outputs), key=repr)

    def message(self, port, frame):
        view = View(frame)
        message = {"port": port, "to": view.dst_mac.hex(":"), "from": view.src_mac.hex(":"),
                   "src": view.src, "dst": view.dst, "next": view.next, "tc": view.tc,
                   "hops": view.hops, "label": view.label, "trailer": view.trailer,
                   "fits": view.length + 40 <= topology6.MTU[port], "pieces": 1}
        body = view.payload
        if self.is_error(frame):
            message.update(kind="error", type=body[0], code=body[1], rest=body[4:8],
                           quote=body[8:], sound=packet6.sound(view, packet6.ICMP6, body))
        elif self.is_redirect(view):
            message.update(kind="redirect")
        elif self.answered(view) is not None or (self.is_own(view) and view.next == packet6.TCP):
            message.update(kind="answer", body=body, sound=packet6.sound(view, view.next, body))
        else:
            message.update(kind="forwarded", payload=body)
        return message

    def align(self, ours, theirs):
        """Both quote all that fits 1280 bytes (RFC 4443 2.4 (c)): nothing to forgive."""
        return ours, theirs
