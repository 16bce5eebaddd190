# ICMP echo from a host, patient: a slow machine is no lost packet.
import os
import socket
import struct
import time

from scapy.layers.inet import ICMP, IP

IP_MTU_DISCOVER, PMTUDISC_DONT, PMTUDISC_DO = 10, 0, 2  # ip(7)
INTERVAL_S = 1.0  # between requests that are not answered; answered ones follow at once


def open_icmp():
    return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


class Ping:
    """`count` requests and who answered them; true if all were answered."""

    def __init__(self, sock, address, count, size, fragment, wait_s):
        self.socket, self.address = sock, address
        self.id = struct.unpack("!H", os.urandom(2))[0]
        self.payload = bytes(i & 0xFF for i in range(size))
        self.missing, self.errors = set(), []
        sock.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER,
                        PMTUDISC_DONT if fragment else PMTUDISC_DO)
        for number in range(count):
            self.missing.add(number)
            self.send(number)
            self.collect(INTERVAL_S)
        self.collect(wait_s)

    def send(self, number):
        request = ICMP(type=8, id=self.id, seq=number) / self.payload
        try:
            self.socket.sendto(bytes(request), (self.address, 0))
        except OSError as e:
            self.errors.append(str(e))

    def collect(self, wait_s):
        """Takes answers until none is missing or the time is over."""
        end = time.monotonic() + wait_s
        while self.missing and (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                packet = IP(self.socket.recv(65536))
            except socket.timeout:
                return
            self.look_at(packet)

    def look_at(self, packet):
        if ICMP not in packet or packet.src != self.address:
            return
        reply = packet[ICMP]
        if reply.type == 0 and reply.id == self.id and bytes(reply.payload) == self.payload:
            if reply.seq in self.missing:
                self.missing.remove(reply.seq)
            else:
                self.errors.append(f"{reply.seq} answered twice")

    def __bool__(self):
        return not self.missing and not self.errors

    def __repr__(self):
        return f"ping {self.address}: unanswered {sorted(self.missing)}, {self.errors}"
