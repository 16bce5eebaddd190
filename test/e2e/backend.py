# A vhost-user back end in Python, as small as one can be: it takes what it is given, and may lie.
import mmap
import os
import socket
import struct
import threading

GET_FEATURES, SET_MEM_TABLE, SET_VRING_ADDR, SET_VRING_ENABLE = 1, 5, 9, 18
GET_PROTOCOL_FEATURES, GET_QUEUE_NUM = 15, 17
FEATURES = 1 << 32 | 1 << 30  # VERSION_1, PROTOCOL_FEATURES
REPLY = 5                     # version 1, reply
HEADER = struct.Struct("=III")


class Backend:
    """Serves one connection after the other at a path, on a thread; ready is set once per queue."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.connection = self.memory = None
        self.base, self.used = 0, {}
        self.ready = threading.Semaphore(0)
        self.gone = threading.Semaphore(0)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                self.connection, _ = self.listener.accept()
            except OSError:
                return
            try:
                while self.one_request():
                    pass
            except OSError:
                pass
            self.connection.close()
            self.gone.release()

    def one_request(self):
        data, fds, _, _ = socket.recv_fds(self.connection, HEADER.size, 8)
        if len(data) < HEADER.size:
            return False
        request, _, size = HEADER.unpack(data)
        payload = self.connection.recv(size, socket.MSG_WAITALL) if size else b""
        self.obey(request, payload, fds)
        for fd in fds:
            os.close(fd)
        answer = {GET_FEATURES: FEATURES, GET_PROTOCOL_FEATURES: 0, GET_QUEUE_NUM: 1}.get(request)
        if answer is not None:
            self.connection.sendall(HEADER.pack(request, REPLY, 8) + struct.pack("=Q", answer))
        return True

    def obey(self, request, payload, fds):
        if request == SET_MEM_TABLE:
            _, size, self.base, _ = struct.unpack_from("=QQQQ", payload, 8)
            self.memory = mmap.mmap(fds[0], size)
        elif request == SET_VRING_ADDR:
            queue, _, _, used = struct.unpack_from("=IIQQ", payload)
            self.used[queue] = used - self.base
        elif request == SET_VRING_ENABLE:
            self.ready.release()

    def await_queues(self, timeout_s):
        return all(self.ready.acquire(timeout=timeout_s) for _ in range(2))

    def claim(self, queue, index):
        """Says in the used ring of a queue (split) that so many buffers have been returned."""
        struct.pack_into("=H", self.memory, self.used[queue] + 2, index)

    def close(self):
        self.listener.close()
        if self.connection:
            self.connection.close()
