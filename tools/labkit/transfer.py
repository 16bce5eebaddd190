# Carries a random file over TCP from one host to another and compares digests.
import hashlib
import os
import socket
import tempfile
import threading

from . import hosts

PORT = 5001
PATIENCE_S = 60


def listen(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, PORT), family=family)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def receive(listener, path):
    listener.settimeout(PATIENCE_S)
    connection, _ = listener.accept()
    connection.settimeout(PATIENCE_S)
    with connection, open(path, "wb") as f:
        while data := connection.recv(1 << 16):
            f.write(data)


def carry_file(place, source, destination, size, address=None):
    """
    Host numbers and bytes; address: another one of the destination's. Returns the SHA-256 of what
    was sent and of what arrived.
    """
    address = address or f"10.0.{destination}.2"
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with tempfile.TemporaryDirectory() as folder, \
            hosts.inside(place.namespace(destination), listen, address) as listener, \
            hosts.inside(place.namespace(source), socket.socket, family) as sender:
        sent, received = os.path.join(folder, "sent"), os.path.join(folder, "received")
        with open(sent, "wb") as f:
            f.write(os.urandom(size))
        open(received, "wb").close()
        receiver = threading.Thread(target=receive, args=(listener, received))
        receiver.start()
        try:
            sender.settimeout(PATIENCE_S)
            sender.connect((address, PORT))
            with open(sent, "rb") as f:
                sender.sendfile(f)
        finally:
            sender.close()  # the receiver reads to its end, or gives up after PATIENCE_S
            receiver.join()
        return digest(sent), digest(received)
