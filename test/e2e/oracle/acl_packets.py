# The packets that build/aclgen prints for a list, as frames that carry their number.
import ipaddress
import struct
from typing import NamedTuple

from differential.packet4 import checksum, hardware, ipv4
from labkit import hosts

MAGIC = b"aclgen"
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
WHOLE, FIRST, LATER, OPTIONS = range(4)
MF = 1
FRAGMENT, DESTINATION = 44, 60  # IPv6 next headers


class Packet(NamedTuple):
    number: int
    family: int
    src: str
    dst: str
    protocol: int
    from_port: int
    to_port: int
    form: int
    rule: int  # which matches, counted from 0; -1: none


def parse(text):
    packets = []
    for number, line in enumerate(text.splitlines()):
        family, src, dst, *rest = line.split()
        packets.append(Packet(number, int(family), src, dst, *map(int, rest)))
    return packets


def transport(p, data):
    """The header that the protocol begins with; its checksum is no router's business."""
    if p.form == LATER:
        return data
    if p.protocol == TCP:
        return struct.pack("!HHIIBBHHH", p.from_port, p.to_port, 1, 0, 5 << 4, 2, 8192, 0, 0) + data
    if p.protocol == UDP:
        return struct.pack("!HHHH", p.from_port, p.to_port, 8 + len(data), 0) + data
    if p.protocol in (ICMP, ICMP6):
        head = struct.pack("!HHI", p.from_port, 0, p.number)
        return head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data
    return data


def packet6(p, data):
    payload, after = transport(p, data), p.protocol
    if p.form in (FIRST, LATER):
        place = 100 << 3 if p.form == LATER else MF
        payload = struct.pack("!BBHI", after, 0, place, p.number) + payload
        after = FRAGMENT
    elif p.form == OPTIONS:
        payload = struct.pack("!BBBB4x", after, 0, 1, 4) + payload  # PadN of four
        after = DESTINATION
    return struct.pack("!IHBB16s16s", 6 << 28, len(payload), after, 64,
                       ipaddress.IPv6Address(p.src).packed,
                       ipaddress.IPv6Address(p.dst).packed) + payload


def frame(p, port):
    """As it goes to the router's port; 24 bytes of payload are whole fragments."""
    data = (MAGIC + struct.pack("!I", p.number)).ljust(24, b".")
    if p.family == 6:
        packet, kind = packet6(p, data), b"\x86\xdd"
    else:
        packet = ipv4(p.src, p.dst, transport(p, data), proto=p.protocol, ident=p.number & 0xFFFF,
                      flags=MF if p.form == FIRST else 0, offset=100 if p.form == LATER else 0)
        kind = b"\x08\x00"
    return (hardware(hosts.router_mac(port)) + hardware(hosts.host_mac(port)) + kind + packet)


def number(raw):
    """The number a frame carries, or None."""
    at = raw.find(MAGIC)
    return None if at < 0 else struct.unpack_from("!I", raw, at + len(MAGIC))[0]
