# A client of the vfio-user protocol, for one that serves a device: says what it is told to, right or wrong.
import os
import socket
import struct

VERSION, DMA_MAP, DMA_UNMAP, GET_INFO, REGION_INFO, IRQ_INFO, SET_IRQS, READ, WRITE, RESET = (
    1, 2, 3, 4, 5, 7, 8, 9, 10, 13)
REPLY, NO_REPLY, ERROR = 0x1, 0x10, 0x20
HEADER = struct.Struct("=HHIII")
BAR0, BAR4, CONFIG = 0, 4, 7
MSIX = 2
HELLO = struct.pack("=HH", 0, 0) + b'{"capabilities":{"max_msg_fds":8}}\0'
F_ADD_SEALS, F_SEAL_SHRINK = 1033, 2


class Refused(Exception):
    """The server answered with an error; its number is the argument."""


def memory(size, sealed=True):
    """A file of memory, to be closed by whoever asked for it."""
    import fcntl
    fd = os.memfd_create("guest", os.MFD_ALLOW_SEALING)
    os.truncate(fd, size)
    if sealed:
        fcntl.fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK)
    return fd


class Client:
    def __init__(self, path, hello=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.number = 0
        if hello:
            self.ask(VERSION, HELLO)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, command, payload=b"", fds=(), flags=0, size=None):
        self.number = (self.number + 1) & 0xffff
        size = HEADER.size + len(payload) if size is None else size
        socket.send_fds(self.socket, [HEADER.pack(self.number, command, size, flags, 0) + payload], fds)

    def receive(self):
        """(command, payload) of the reply to what was sent last. ConnectionError where there is none."""
        head = self.take(HEADER.size)
        number, command, size, flags, error = HEADER.unpack(head)
        payload = self.take(size - HEADER.size)
        assert number == self.number and flags & 0xf == REPLY
        if flags & ERROR:
            raise Refused(error)
        return command, payload

    def take(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise ConnectionResetError("let go")
            data += more
        return data

    def ask(self, command, payload=b"", fds=(), **more):
        self.send(command, payload, fds, **more)
        answered, reply = self.receive()
        assert answered == command
        return reply

    # ------------------------------------------------------------ what a machine asks

    def read(self, region, at, size=4):
        reply = self.ask(READ, struct.pack("=QII", at, region, size))
        assert struct.unpack_from("=QII", reply) == (at, region, size) and len(reply) == 16 + size
        return int.from_bytes(reply[16:], "little")

    def write(self, region, at, value, size=4):
        return self.ask(WRITE, struct.pack("=QII", at, region, size) + value.to_bytes(size, "little"))

    def map(self, address, size, fd=None, offset=0, flags=3):
        return self.ask(DMA_MAP, struct.pack("=IIQQQ", 32, flags, offset, address, size),
                        [] if fd is None else [fd])

    def unmap(self, address, size, flags=0):
        return self.ask(DMA_UNMAP, struct.pack("=IIQQ", 24, flags, address, size))

    def set_irqs(self, index, start, count, flags, data=b"", fds=()):
        return self.ask(SET_IRQS, struct.pack("=IIIII", 20 + len(data), flags, index, start, count) + data, fds)

    def region_info(self, index):
        """(flags, bytes) of a region."""
        reply = self.ask(REGION_INFO, struct.pack("=IIIIQQ", 32, 0, index, 0, 0, 0))
        _, flags, _, _, size, _ = struct.unpack("=IIIIQQ", reply)
        return flags, size
