# The server of vfio-user behind build/ixgbe-sim: what a machine may ask, and clients that do not know how to.
# It is built with sanitizers here, and must be alive at the end of each test.
import errno
import os
import random
import select
import struct
import subprocess

import pytest
from labkit.place import TREE
from vfio_client import (BAR0, BAR4, CONFIG, GET_INFO, HEADER, HELLO, IRQ_INFO, MSIX, NO_REPLY, READ,
                         REGION_INFO, RESET, SET_IRQS, VERSION, WRITE, Client, Refused, memory)

SIM = os.path.join(TREE, "build/check/ixgbe-sim")
TRIGGER, NONE, BOOL, EVENTFD, MASK = 0x20, 1, 2, 4, 8
MIB = 1 << 20


class Server:
    def __init__(self, folder):
        self.path = os.path.join(folder, "nic")
        self.log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([SIM, "--port", f"socket={self.path},mac=52:54:00:00:00:07"],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        assert self.process.stdout.readline() == "ready\n", self.said()

    def said(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def client(self, **more):
        return Client(self.path, **more)

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        self.process.terminate()
        out, _ = self.process.communicate(timeout=20)
        return self.process.returncode, out


@pytest.fixture
def server(tmp_path):
    server = Server(str(tmp_path))
    files = server.files()
    yield server
    try:
        with server.client() as client:  # it is alive, and has room for a next one
            assert client.read(CONFIG, 0) == 0x10fb8086
            assert server.files() == files + 1, "a file too many"
    finally:
        status, out = server.end()
    assert status == 0 and out.startswith("port 0: 0 frames in"), out + server.said()
    assert not os.path.exists(server.path)


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


def refused(number, call, *args, **more):
    with pytest.raises(Refused) as refusal:
        call(*args, **more)
    assert refusal.value.args == (number,)


def let_go(client):
    with pytest.raises(ConnectionError):
        client.receive()


# ---------------------------------------------------------------- what a machine asks

def test_what_there_is(client):
    assert struct.unpack("=IIII", client.ask(GET_INFO, struct.pack("=IIII", 16, 0, 0, 0)))[2:] == (9, 5)
    sizes = {i: client.region_info(i)[1] for i in range(9)}
    assert {i: s for i, s in sizes.items() if s} == {BAR0: 512 << 10, BAR4: 16 << 10, CONFIG: 4096}
    refused(errno.EINVAL, client.region_info, 9)
    for index in range(5):
        reply = client.ask(IRQ_INFO, struct.pack("=IIII", 16, 0, index, 0))
        assert struct.unpack("=IIII", reply)[3] == (64 if index == MSIX else 0)


def test_configuration_space(client):
    assert client.read(CONFIG, 8) == 0x02000001  # Ethernet, revision 1
    assert client.read(CONFIG, 0x2c) == 0x000c8086
    client.write(CONFIG, 0, 0xffffffff)
    assert client.read(CONFIG, 0) == 0x10fb8086, "the ids were written"
    for bar, size in ((0, 512 << 10), (4, 16 << 10)):
        client.write(CONFIG, 0x10 + 4 * bar, 0xffffffff)
        client.write(CONFIG, 0x14 + 4 * bar, 0xffffffff)
        assert client.read(CONFIG, 0x10 + 4 * bar, 8) == (1 << 64) - size | 0xc
    for bar in (2, 3):
        client.write(CONFIG, 0x10 + 4 * bar, 0xffffffff)
        assert client.read(CONFIG, 0x10 + 4 * bar) == 0
    found, at = {}, client.read(CONFIG, 0x34, 1)
    while at:
        found[client.read(CONFIG, at, 1)] = at
        at = client.read(CONFIG, at + 1, 1)
    assert sorted(found) == [0x01, 0x10, 0x11]  # PM, PCI Express, MSI-X
    assert client.read(CONFIG, found[0x11] + 2, 2) == 63
    assert client.read(CONFIG, found[0x11] + 4) == BAR4 and client.read(CONFIG, found[0x11] + 8) == 0x2000 | BAR4
    assert client.read(CONFIG, found[0x10] + 0x12, 2) == 0x82  # x8 at 5 GT/s


def test_registers_need_memory_space(client):
    status = 8
    assert client.read(BAR0, status) == 0xffffffff
    client.write(CONFIG, 4, 6, 2)
    assert client.read(BAR0, status) != 0xffffffff
    express = 0xa0
    client.write(CONFIG, express + 8, 0x8000, 2)  # function level reset
    assert client.read(CONFIG, 4, 2) == 0 and client.read(CONFIG, express + 8, 2) & 0x8000 == 0
    client.write(CONFIG, 4, 6, 2)
    client.write(CONFIG, 0x44, 3, 1)  # D3hot and back
    assert client.read(CONFIG, 4, 2) == 6
    client.write(CONFIG, 0x44, 0, 1)
    assert client.read(CONFIG, 4, 2) == 0
    client.write(CONFIG, 4, 6, 2)
    client.ask(RESET)
    assert client.read(CONFIG, 4, 2) == 0


def test_table_of_vectors(client):
    client.write(BAR4, 16, 0xfee00000)
    assert client.read(BAR4, 16) == 0xfee00000 and client.read(BAR4, 0x2000, 8) == 0


def test_interrupts(client):
    events = [os.eventfd(0, os.EFD_NONBLOCK) for _ in range(3)]
    try:
        client.set_irqs(MSIX, 61, 3, TRIGGER | EVENTFD, fds=events)
        client.set_irqs(MSIX, 62, 1, TRIGGER | NONE)
        client.set_irqs(MSIX, 61, 3, TRIGGER | BOOL, b"\0\1\1")
        assert os.eventfd_read(events[1]) == 2 and os.eventfd_read(events[2]) == 1
        client.set_irqs(MSIX, 62, 1, TRIGGER | EVENTFD)
        client.set_irqs(MSIX, 61, 3, TRIGGER | NONE)
        assert not select.select([events[1]], [], [], 0)[0] and os.eventfd_read(events[0]) == 1
        client.set_irqs(MSIX, 0, 0, TRIGGER | NONE)
        client.set_irqs(MSIX, 61, 3, TRIGGER | NONE)
        assert not select.select(events[:1], [], [], 0)[0]
        wrong = ((0, 0, 1, TRIGGER | NONE), (MSIX, 62, 3, TRIGGER | NONE), (MSIX, 65, 0, TRIGGER | NONE),
                 (MSIX, 0, 1, MASK | NONE), (MSIX, 0, 3, TRIGGER | BOOL), (MSIX, 1, 0xffffffff, TRIGGER | NONE),
                 (MSIX, 0, 1, TRIGGER | NONE | BOOL))
        for words in wrong:
            refused(errno.EINVAL, client.set_irqs, *words)
        refused(errno.EINVAL, client.set_irqs, MSIX, 0, 3, TRIGGER | EVENTFD, fds=events[:2])
        refused(errno.EINVAL, client.set_irqs, MSIX, 0, 1, TRIGGER | NONE, fds=events[:1])
    finally:
        for event in events:
            os.close(event)


def test_memory(client):
    fd, soft = memory(4 * MIB), memory(MIB, sealed=False)
    try:
        client.map(0, 2 * MIB, fd)
        client.map(8 * MIB, 2 * MIB, fd, offset=2 * MIB)
        client.map(0xfffc0000, 0x40000)  # without a file: firmware, say
        for number, words in ((errno.EEXIST, (MIB, 2 * MIB, fd)), (errno.EINVAL, (32 * MIB, 0, fd)),
                              (errno.EINVAL, (32 * MIB, 4 * MIB + 1, fd)), (errno.EINVAL, (1 << 63, 1 << 63)),
                              (errno.EINVAL, (32 * MIB, MIB, fd, (1 << 64) - 4096)),
                              (errno.EINVAL, (32 * MIB, MIB, fd, 0, 0)), (errno.EACCES, (32 * MIB, MIB, soft)),
                              (errno.EACCES, (32 * MIB, MIB, 0))):
            refused(number, client.map, *words)
        refused(errno.EINVAL, client.unmap, MIB, MIB)
        refused(errno.ENOENT, client.unmap, 64 * MIB, MIB)
        refused(errno.EINVAL, client.unmap, 0, (1 << 64) - 1, flags=4)
        client.unmap(0, 2 * MIB)
        client.unmap(0, 0, flags=2)
        for i in range(64):
            client.map(i * MIB, MIB, fd)
        refused(errno.ENOSPC, client.map, 99 * MIB, MIB, fd)
    finally:
        os.close(fd)
        os.close(soft)


def test_no_reply_is_asked_for(client):
    access = struct.pack("=QII", 4, CONFIG, 2) + b"\2\0"
    client.send(WRITE, access, flags=NO_REPLY)
    client.send(WRITE, struct.pack("=QII", 9999, CONFIG, 2) + b"\2\0", flags=NO_REPLY)  # nor errors
    assert client.read(CONFIG, 4, 2) == 2


def test_one_machine_at_a_time(server):
    with server.client() as first, server.client(hello=False) as second:
        second.send(VERSION, HELLO)
        assert not select.select([second.socket], [], [], 0.1)[0]
        first.socket.close()
        second.receive()
        assert second.read(CONFIG, 0) == 0x10fb8086


# ---------------------------------------------------------------- what none should

@pytest.mark.parametrize("region,at,size", [(BAR0, 512 << 10, 4), (BAR0, (512 << 10) - 2, 4), (BAR0, 2, 4), (BAR0, 0, 3),
                                            (BAR0, 0, 16), (BAR0, (1 << 64) - 4, 4), (CONFIG, 4093, 4), (1, 0, 4),
                                            (99, 0, 4), (BAR4, 0, 0), (CONFIG, 0, 5000)])
def test_access_out_of_place(client, region, at, size):
    refused(errno.EINVAL, client.read, region, at, size)
    refused(errno.EINVAL, client.write, region, at, 0, size)


def test_length_and_data_disagree(client):
    refused(errno.EINVAL, client.ask, WRITE, struct.pack("=QII", 0, CONFIG, 8) + b"1234")
    for command in (GET_INFO, REGION_INFO, IRQ_INFO, SET_IRQS, READ, WRITE):
        refused(errno.EINVAL, client.ask, command, b"1234567")
    for command in (0, 6, 11, 12, 14, 99, 65535):
        refused(errno.ENOTSUP, client.ask, command, bytes(64))
    refused(errno.EINVAL, client.ask, READ, struct.pack("=QII", 0, CONFIG, 4), fds=[0])


@pytest.mark.parametrize("size,flags", [(15, 0), (0, 0), (0xffffffff, 0), (1 << 20, 0), (16, 1), (16, 7)])
def test_no_message(client, size, flags):
    client.send(READ, size=size, flags=flags)
    let_go(client)


def test_too_many_files(client):
    client.send(SET_IRQS, struct.pack("=IIIII", 20, TRIGGER | EVENTFD, MSIX, 0, 64), fds=[0] * 64 + [1] * 60)
    let_go(client)


@pytest.mark.parametrize("words", [(READ, struct.pack("=QII", 0, CONFIG, 4)), (VERSION, struct.pack("=HH", 1, 0)),
                                   (VERSION, struct.pack("=HH", 0, 0) + b"no end"), (RESET,)])
def test_not_before_a_version_is_agreed(server, words):
    with server.client(hello=False) as client:
        client.send(*words)
        let_go(client)


def test_a_version_once(client):
    client.send(VERSION, HELLO)
    let_go(client)


def test_gone_in_the_middle(server):
    for cut in (1, 15, 17, 31):
        with server.client() as client:
            message = HEADER.pack(1, READ, 32, 0, 0) + struct.pack("=QII", 0, CONFIG, 4)
            client.socket.send(message[:cut])


def random_message(dice):
    """Mostly of the right form, with values at the edges."""
    edge = (0, 1, 2, 4, 7, 8, 16, 63, 64, 4095, 4096, 65536, 0x7ffff, 0x80000, 0xffffffff, (1 << 64) - 1)
    command = dice.choice((2, 3, 4, 5, 7, 8, 8, 9, 9, 10, 10, 13, dice.randrange(17)))
    words = [dice.choice(edge) for _ in range(4)]
    data = bytes(dice.choice((0, 0, 1, 4, 8, 100)))
    if command in (READ, WRITE):
        payload = struct.pack("=QII", words[0], dice.choice((0, 4, 7, words[1] & 0xffffffff)),
                              dice.choice((len(data), 4, words[2] & 0xffffffff))) + data
    elif command in (2, 3):
        payload = struct.pack("=IIQQQ", 32, dice.choice((0, 1, 2, 3, 4)), *words[:3])
    else:
        payload = struct.pack("=IIIII", 20, dice.choice((0x21, 0x22, 0x24, 9, 0x11)), dice.randrange(6),
                              *(w & 0xffffffff for w in words[:2])) + data
    return command, payload


def test_random_messages(server):
    dice = random.Random(82599)
    fd = memory(MIB)
    client, served = server.client(), 0
    try:
        for _ in range(4000):
            command, payload = random_message(dice)
            try:
                client.ask(command, payload, [fd] * dice.choice((0, 0, 0, 1, 2)))
                served += 1
            except Refused:
                pass
            except ConnectionError:
                client.socket.close()
                client = server.client()
    finally:
        client.socket.close()
        os.close(fd)
    assert served > 500, "few were worth an answer"
