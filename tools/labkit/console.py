# The serial console: one command and its reply, or a person's terminal.
import os
import re
import select
import socket
import sys
import termios
import time
import tty

from .machine import PROMPT
from .place import LabError

ENTER = b"\r"
CTRL_C, CTRL_U = b"\x03", b"\x15"
LEAVE = b"\x1d"  # Ctrl-]
SETTLE_S = 0.03  # a prompt that nothing follows for this long is where the shell waits


class Console:
    """The lab's serial socket. QEMU serves one connection; whoever holds the console lock has it."""

    def __init__(self, place):
        self.place = place
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.connect(place.path("serial"))
        except OSError:
            raise LabError(f"lab {place.name}: not up") from None
        self.socket.setblocking(False)

    def close(self):
        self.socket.close()

    def send(self, data, timeout_s=60):
        """Sends all of data; what the router says meanwhile is returned, so that neither side stalls."""
        said, end = b"", time.monotonic() + timeout_s
        while data:
            left = end - time.monotonic()
            if left <= 0:
                raise LabError(f"the console takes no input for {timeout_s:g} s")
            readable, writable, _ = select.select([self.socket], [self.socket], [], left)
            if readable:
                said += self.receive(0)
            if writable:
                data = data[self.socket.send(data[:512]):]
        return said

    def receive(self, timeout_s):
        """What arrives within the time, b"" if nothing does."""
        if not select.select([self.socket], [], [], max(timeout_s, 0))[0]:
            return b""
        data = self.socket.recv(65536)
        if not data:
            raise LabError(f"lab {self.place.name}: QEMU has ended")
        return data

    def until(self, done, said, timeout_s, settle_s=SETTLE_S):
        """Reads on until done(text) is true and silence follows; returns the text."""
        end = time.monotonic() + timeout_s
        while True:
            if done(said.decode("utf-8", "replace")):
                more = self.receive(settle_s)
                if not more:
                    return said.decode("utf-8", "replace")
            else:
                left = end - time.monotonic()
                more = self.receive(left)
                if not more and left <= 0:
                    tail = said[-200:].decode("utf-8", "replace")
                    raise LabError(f"no prompt within {timeout_s:g} s; last received: {tail!r}")
            said += more

    def sync(self, timeout_s):
        """Empties the line (and ends a command that still runs) and waits for a prompt."""
        said = self.send(CTRL_C + CTRL_U + ENTER)
        self.until(PROMPT.search, said, timeout_s)

    def command(self, line, timeout_s=60):
        """One line, typed at the prompt; its reply without echo and prompt. sync() comes first."""
        # The echo tells where the reply begins. Of a very long line the shell may echo a part only,
        # and keys like '?' are not echoed.
        echo = re.match(r"[ -~]*", line[:60].split("?")[0]).group(0)
        start = re.compile(re.escape(echo) + r"[^\r\n]*[\r\n]")

        def answered(text):
            match = start.search(text)
            return match and PROMPT.search(text, match.end() - 1)

        said = self.send(line.encode() + ENTER, timeout_s)
        text = self.until(answered, said, timeout_s, settle_s=0)
        begin = start.search(text).end()
        reply = text[begin:PROMPT.search(text, begin - 1).start()]
        return reply.replace("\r", "").strip("\n")


def run_commands(place, lines, timeout_s, out):
    """Runs lines one after the other; True if no reply has a line 'error: ...'."""
    good = True
    with place.console_lock(timeout_s):
        console = Console(place)
        try:
            console.sync(timeout_s)
            for line in lines:
                reply = console.command(line, timeout_s)
                if reply:
                    out.write(reply + "\n")
                good = good and not re.search(r"^error:", reply, re.MULTILINE)
        finally:
            console.close()
    return good


def attach(place):
    """A person's terminal (or a pipe) on the console, until Ctrl-] or the end of either side."""
    with place.console_lock(1):
        console = Console(place)
        terminal = sys.stdin.isatty()
        if terminal:
            saved = termios.tcgetattr(0)
            print(f"console of lab {place.name}; Ctrl-] leaves", flush=True)
            tty.setraw(0)
        try:
            console.socket.sendall(ENTER)
            copy_both_ways(console)
        finally:
            if terminal:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
                print()
            console.close()


def copy_both_ways(console):
    watched = [0, console.socket]
    while True:
        readable = select.select(watched, [], [], None if 0 in watched else 1.0)[0]
        if not readable:
            return  # input has ended and the router is silent
        if console.socket in readable:
            try:
                os.write(1, console.receive(0))
            except LabError:
                return
        if 0 in readable:
            data = os.read(0, 4096)
            if LEAVE in data:
                return
            if not data:
                watched.remove(0)
            os.write(1, console.send(data))
