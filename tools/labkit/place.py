# Where a lab keeps its things: its name, its folder, its lock, and the pid of its QEMU.
import hashlib
import json
import os
import re
import select
import shutil
import signal
import socket
import time

RUN = "/run/barewire"
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
NAME_MAX = 40


class LabError(Exception):
    """What went wrong, in one line for a person."""


def start_time(pid):
    """The start time of a process in clock ticks since boot (proc(5), field 22), or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return int(f.read().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return None


class Lock:
    """A lock that leaves no file: an abstract socket name, freed by the kernel with its holder."""

    def __init__(self, name, busy, wait_s):
        self.address = "\0barewire-" + name
        self.busy = busy
        self.wait_s = wait_s

    def __enter__(self):
        end = time.monotonic() + self.wait_s
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        while True:
            try:
                self.socket.bind(self.address)
                return self
            except OSError:
                if time.monotonic() > end:
                    self.socket.close()
                    raise LabError(self.busy) from None
                time.sleep(0.02)

    def __exit__(self, *_):
        self.socket.close()


class Place:
    """One lab by name. Kernel-visible names carry a hash: an interface name has 15 characters."""

    def __init__(self, name):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or len(name) > NAME_MAX:
            raise LabError(f"LAB={name}: a name is 1 to {NAME_MAX} letters, digits, '.', '_', '-'")
        self.name = name
        self.tag = hashlib.sha256(name.encode()).hexdigest()[:10]
        self.folder = os.path.join(RUN, name)

    def path(self, file):
        return os.path.join(self.folder, file)

    def namespace(self, host):
        return f"bw-{self.tag}-" + (host if host == "r" else f"h{host}")

    def namespaces(self):
        """Namespaces of this lab that exist, also those a failed `up` left behind."""
        try:
            found = os.listdir("/run/netns")
        except OSError:
            return []
        return sorted(n for n in found if n.startswith(f"bw-{self.tag}-"))

    def lock(self, wait_s=60):
        return Lock(self.tag, f"lab {self.name}: another up or down is at work on it", wait_s)

    def console_lock(self, wait_s):
        busy = f"lab {self.name}: its console is in use (lab console or lab cli)"
        return Lock(self.tag + "-console", busy, wait_s)

    def make(self):
        os.makedirs(self.folder, mode=0o700)

    def remember(self, **facts):
        with open(self.path("facts.tmp"), "w", encoding="utf-8") as f:
            json.dump(facts, f)
        os.rename(self.path("facts.tmp"), self.path("facts"))

    def facts(self):
        try:
            with open(self.path("facts"), encoding="utf-8") as f:
                return json.load(f)
        except (OSError, ValueError):
            return {}

    # ------------------------------------------------------------ its QEMU

    def write_pid(self, file="pid"):
        """Called in the child before exec, so that no process exists that `down` does not know."""
        with open(self.path(file), "w", encoding="ascii") as f:
            f.write(f"{os.getpid()} {start_time(os.getpid())}\n")

    def qemu(self):
        """The pid of the lab's running QEMU, or None."""
        return self.running("pid")

    def running(self, file):
        """The pid of the process that wrote itself into the file, or None. Checked against its start time."""
        try:
            with open(self.path(file), encoding="ascii") as f:
                pid, started = (int(w) for w in f.read().split())
        except (OSError, ValueError):
            return None
        return pid if start_time(pid) == started else None

    def stop_qemu(self):
        self.stop("pid")

    def stop(self, file):
        pid = self.running(file)
        if pid is not None:
            end_process(pid, lambda: self.running(file) == pid)

    def remove(self):
        """Removes the folder; everything named in it has been ended before."""
        shutil.rmtree(self.folder, ignore_errors=True)
        try:
            os.rmdir(RUN)  # the last lab takes it along
        except OSError:
            pass


def end_process(pid, still_it):
    """Ends one process and waits for it; still_it() says whether the pid still means the same."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # The handle is fixed to one process: if that is ours, the pid cannot be reused under it.
        for number, wait_s in ((signal.SIGTERM, 3), (signal.SIGKILL, 10)):
            if not still_it():
                return
            signal.pidfd_send_signal(handle, number)
            if select.select([handle], [], [], wait_s)[0]:
                return
    except ProcessLookupError:
        return
    finally:
        os.close(handle)
