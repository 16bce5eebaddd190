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
CTRL_C = b"\x03"
LEAVE = b"\x1d"  # Ctrl-]


class Console:
    """The lab's serial socket. QEMU serves one connection: that of the console lock's holder."""

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
        """Sends all of data; returns what is said meanwhile, so that neither side stalls."""
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
            raise LabError(f"lab {self.place.name}: its router has ended")
        return data

    def until(self, done, said, timeout_s):
        """Reads on until done(text) is true of all that was received; returns the text."""
        end = time.monotonic() + timeout_s
        while True:
            text = said.decode("utf-8", "replace")
            if done(text):
                return text
            left = end - time.monotonic()
            said += self.receive(left)
            if left <= 0:
                raise LabError(f"no prompt within {timeout_s:g} s; last received: {text[-200:]!r}")

    def sync(self, timeout_s):
        """Ends a command that still runs, empties the line, and waits for the prompt that follows.

        A word that was never typed before, given up by Ctrl-C (so history does not keep it), tells
        this prompt from older ones that are still on their way."""
        word = "sync" + os.urandom(4).hex()
        said = self.send(CTRL_C + word.encode() + CTRL_C)
        given_up = re.compile(word + r"\^C\s*?\n")

        def at_prompt(text):
            match = given_up.search(text)
            return match and PROMPT.search(text, match.end() - 1)

        self.until(at_prompt, said, timeout_s)

    def command(self, line, timeout_s=60):
        """One line, typed at the prompt; its reply without echo and prompt. sync() comes first."""
        def answered(text):
            echo = text.find("\n")
            return echo >= 0 and PROMPT.search(text, echo)

        text = self.until(answered, self.send(line.encode() + ENTER, timeout_s), timeout_s)
        echo = text.find("\n")
        reply = text[echo + 1:PROMPT.search(text, echo).start()]
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
