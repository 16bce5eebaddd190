# Somebody else's traffic: numbered datagrams of both families, none of which may be lost.
import select
import socket
import threading
import time

PORT = 7007
EVERY_S = 0.005
PATIENCE_S = 30


def listen(address):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind((address, PORT))
    s.setblocking(False)
    return s


def connect(address):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((address, PORT))
    return s


class Bystander:
    """From one host to another, from entry to exit of a `with`; then sent, lost and out_of_order
    say how it went."""

    def __init__(self, lab, source, destination):
        addresses = [f"10.0.{destination}.2", f"fd00:0:0:{destination:x}::2"]
        self.receivers = [lab.socket(destination, listen, a) for a in addresses]
        self.senders = [lab.socket(source, connect, a) for a in addresses]
        self.sent = 0
        self.seen = [[] for _ in addresses]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.wait(EVERY_S):
            for sender in self.senders:
                sender.send(self.sent.to_bytes(8, "big"))
            self.sent += 1
            self.take(0)

    def take(self, wait_s):
        for receiver in select.select(self.receivers, [], [], wait_s)[0]:
            seen = self.seen[self.receivers.index(receiver)]
            try:
                while True:
                    seen.append(int.from_bytes(receiver.recv(64), "big"))
            except BlockingIOError:
                pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        end = time.monotonic() + PATIENCE_S
        while self.lost and time.monotonic() < end:
            self.take(0.2)
        for s in self.receivers + self.senders:
            s.close()

    @property
    def lost(self):
        return sum(self.sent - len(set(seen)) for seen in self.seen)

    @property
    def out_of_order(self):
        return any(seen != sorted(seen) for seen in self.seen)
