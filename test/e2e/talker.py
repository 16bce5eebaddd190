# A TCP connection between two hosts on which something is said all the time; if it ends, a test sees why.
import socket
import threading
import time

from patience import PATIENCE_S

PORT = 7107
EVERY_S = 0.02


def listen(address):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, PORT))
    s.listen(1)
    return s


def connect(address):
    return socket.create_connection((address, PORT), PATIENCE_S)


class Talker:
    """From one host to another, from entry to exit of a `with`: numbers, each of which comes back."""

    def __init__(self, lab, source, destination):
        address = f"10.0.{destination}.2"
        self.listener = lab.socket(destination, listen, address)
        self.client = lab.socket(source, connect, address)
        self.server, self.seen_as = self.listener.accept()  # how the server sees the client
        for s in (self.client, self.server):
            s.settimeout(PATIENCE_S)
        self.answered, self.failure = 0, None
        self.over = threading.Event()
        self.threads = [threading.Thread(target=f) for f in (self.ask, self.answer)]

    def ask(self):
        try:
            while not self.over.wait(EVERY_S):
                word = self.answered.to_bytes(8, "big")
                self.client.sendall(word)
                back = b""
                while len(back) < 8:
                    more = self.client.recv(8 - len(back))
                    assert more, "the connection was closed"
                    back += more
                assert back == word
                self.answered += 1
        except (AssertionError, OSError) as e:
            self.failure = e
        self.client.close()

    def answer(self):
        try:
            while word := self.server.recv(64):
                self.server.sendall(word)
        except OSError as e:
            self.failure = self.failure or e

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        begun, end = self.answered, time.monotonic() + PATIENCE_S
        while self.answered < begun + 3 and not self.failure and time.monotonic() < end:
            time.sleep(EVERY_S)  # it goes on behind what happened
        self.over.set()
        for t in self.threads:
            t.join()
        for s in (self.listener, self.client, self.server):
            s.close()
        assert not self.failure, self.failure
        assert self.answered >= begun + 3, "nothing is said any more"
