# The shell as a person meets it: keys, completion, history, abbreviations, and nonsense.
import os
import pty
import random
import re
import select
import subprocess
import time

import pytest
from labkit.place import TREE
from router import LAB, PATIENCE_S, running

UP, DOWN, RIGHT, LEFT = b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D"
HOME, END, DELETE = b"\x1b[H", b"\x1b[F", b"\x1b[3~"
CTRL = {letter: bytes([ord(letter) & 31]) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
PROMPT = re.compile(r"barewire\*?> $")


@pytest.fixture(scope="module")
def lab():
    with running() as lab:
        yield lab


class Typist:
    """Somebody at the terminal: types keys and sees the screen."""

    def __init__(self, console):
        self.console = console

    def type(self, keys):
        """Types keys at a fresh prompt, returns what is drawn. Ctrl-C behind them ends the line."""
        breaks = keys.count(CTRL["C"]) + 1
        text = self.console.until(lambda t: t.count("^C\r\n") == breaks and PROMPT.search(t),
                                  self.console.send(keys + CTRL["C"]), PATIENCE_S)
        return text[:text.rindex("^C")]

    def enter(self, keys):
        """Types a line and Enter; returns the reply up to the next prompt."""
        said = self.console.send(keys + b"\r")
        text = self.console.until(lambda t: PROMPT.search(t) and "\n" in t, said, PATIENCE_S)
        lines = text.replace("\r", "").split("\n")
        return "\n".join(lines[1:-1])

    def line(self, keys):
        """What stands in the last line of the screen after the keys, without the prompt."""
        return screen("barewire> " + self.type(keys))[-1].partition("> ")[2]


def screen(text):
    """The lines a terminal shows: backspace moves left, printing overwrites."""
    lines, column = [""], 0
    for c in text:
        if c == "\b":
            column = max(column - 1, 0)
        elif c == "\r":
            column = 0
        elif c == "\n":
            lines.append("")
        elif c >= " ":
            line = lines[-1].ljust(column)
            lines[-1] = line[:column] + c + line[column + 1:]
            column += 1
    return [line.rstrip() for line in lines]


@pytest.fixture
def typist(lab):
    with lab.console() as console:
        yield Typist(console)
        console.sync(PATIENCE_S)


EDITS = [
    ("plain", b"show version", "show version"),
    ("backspace", b"shoo\x7fw", "show"),
    ("Ctrl-H", b"shoo\bw", "show"),
    ("left and insert", b"shw" + LEFT + b"o", "show"),
    ("left, right", b"show" + LEFT * 2 + RIGHT + b"X", "shoXw"),
    ("Home", b"how" + HOME + b"s", "show"),
    ("Ctrl-A, Ctrl-E", b"how" + CTRL["A"] + b"s" + CTRL["E"] + b" it", "show it"),
    ("End", b"sho" + HOME + END + b"w", "show"),
    ("Delete", b"sshow" + HOME + DELETE, "show"),
    ("Ctrl-W", b"show nonsense" + CTRL["W"] + b"version", "show version"),
    ("Ctrl-U", b"nonsense" + CTRL["U"] + b"show", "show"),
    ("Ctrl-K", b"show nonsense" + LEFT * 8 + CTRL["K"], "show"),
    ("left beyond the start", b"ow" + LEFT * 9 + b"sh", "show"),
    ("right beyond the end", b"sho" + RIGHT * 9 + b"w", "show"),
    ("backspace beyond the start", b"x" + b"\x7f" * 9 + b"show", "show"),
    ("keypad arrows", b"shw\x1bOD" + b"o", "show"),
    ("xterm Home and End", b"ho\x1b[1~s\x1b[4~w", "show"),
    ("unknown escape sequence", b"sh\x1b[99;5~ow", "show"),
]


@pytest.mark.parametrize("keys,expected", [e[1:] for e in EDITS], ids=[e[0] for e in EDITS])
def test_editing(typist, keys, expected):
    assert typist.line(keys) == expected


def test_ctrl_c_gives_a_new_line(typist):
    assert screen(typist.type(b"rubbish" + CTRL["C"]))[-1] == "barewire>"


def test_history(typist):
    typist.enter(b"show uptime")
    typist.enter(b"show version")
    assert typist.line(UP) == "show version"
    assert typist.line(UP + UP) == "show uptime"
    assert typist.line(UP + UP + DOWN) == "show version"
    assert typist.line(b"x" + UP + DOWN) == ""


def test_history_survives_many_lines(typist):
    """More than the history holds: the oldest are forgotten."""
    for i in range(150):
        typist.enter(b"# line %d %s" % (i, b"x" * 100))
    assert typist.line(UP).startswith("# line 149 ")
    assert typist.line(UP * 200).startswith("# line ")


def test_tab_completes(typist):
    assert typist.line(b"sh\tver\t") == "show version"
    assert typist.line(b"set int\teth0 mt\t") == "set interfaces eth0 mtu"
    assert typist.line(b"show interfaces e\t") == "show interfaces eth"
    assert typist.line(b"show interfaces eth1\t") == "show interfaces eth1"


def test_tab_lists_choices(typist):
    shown = typist.type(b"show \t")
    for word in ("version", "interfaces", "drops", "buffers"):
        assert re.search(rf"^\s*{word}\s", shown.replace("\r", ""), re.MULTILINE), shown
    assert screen(shown)[-1] == "barewire> show"


def test_question_mark_lists_with_help(typist):
    shown = typist.type(b"show ?")
    assert re.search(r"^\s*drops\s+\S+", shown.replace("\r", ""), re.MULTILINE), shown
    assert screen(shown)[-1] == "barewire> show"
    shown = typist.type(b"?")
    for word in ("set", "show", "commit", "ping", "reboot"):
        assert re.search(rf"^\s*{word}\s", shown.replace("\r", ""), re.MULTILINE), shown


def test_abbreviations(lab):
    assert lab.cli("sh ver") == lab.cli("show version")
    assert lab.cli("s v", fails=True).startswith("error: ")
    assert lab.error("c").startswith("error: 'c' is ambiguous")


def test_line_ends(typist):
    """Carriage return, newline, and both together each end one line."""
    for end in (b"\r", b"\n", b"\r\n"):
        assert typist.type(b"# nothing" + end).count("> ") == 1


def test_no_escape_codes_unasked(lab):
    """Until the terminal sends one (the log begins before any test typed)."""
    before_first = lab.serial_log().split("\x1b")[0]
    assert "barewire> " in before_first
    with running() as quiet:
        quiet.cli("show version", "show interfaces", "show configuration")
        assert "\x1b" not in quiet.serial_log()


def test_filters(lab):
    text = lab.cli("show drops")
    assert lab.cli("show drops | include balance") == "balance: ok"
    assert int(lab.cli("show drops | count").split()[0]) == len(text.splitlines())
    assert "\n" not in lab.cli("show drops | json")
    lab.json("show drops")


@pytest.mark.parametrize("command", [
    "version", "uptime", "cores", "memory", "log", "interfaces", "interfaces eth0", "routes",
    "routes 10.0.0.0/8", "routes 10.0.1.2", "neighbors", "buffers", "drops", "queues",
    "configuration", "configuration candidate"])
def test_every_show(lab, command):
    assert lab.cli(f"show {command}")
    if not command.startswith("configuration"):
        assert isinstance(lab.json(f"show {command}"), dict)


NONSENSE = [
    "foo", "show foo", "show", "set", "set interfaces", "set interfaces eth0 address",
    "set interfaces eth0 address 10.0.0.1", "set interfaces eth0 address 300.0.0.1/24",
    "set interfaces eth0 address 10.0.0.1/33", "set interfaces eth0 address 10.0.0.1/24 more",
    "set interfaces eth0 mtu 1", "set interfaces eth0 mtu 99999999999999999999",
    "set interfaces eth0 mtu -1", "set interfaces eth0 mac 52:54:00", "set system hostname -a",
    "set system hostname " + "a" * 64, "set system workers 0", "set routes 10.0.0.0/8",
    "set routes 10.0.0.1/8 blackhole", "set routes 10.0.0.0/8 via 10.0.0.0.1",
    "set neighbors eth0 10.0.0.5 nonsense", 'set interfaces eth0 description "open',
    "delete", "ping", "ping nowhere", "ping 10.0.0.2 count 0", "ping 10.0.0.2 size 70000",
    "show interfaces eth9", "show queues eth9", "show routes 10.0.0.0/99", "clear", "clear foo",
    "show drops |", "show drops | foo", "show drops | include", "show drops | include [a",
    "| json", "commit now", "show version version", ";;;\x7f\x7f", "%s%n%x", "../../etc/passwd",
    "a " * 100, "x" * 4000, "x" * 5000,
]


@pytest.mark.parametrize("line", NONSENSE, ids=[repr(line[:40]) for line in NONSENSE])
def test_nonsense_is_one_error(lab, line):
    """One line that begins with 'error: ', and nothing is applied."""
    before = lab.cli("show configuration candidate")
    lab.error(line)
    assert lab.cli("show configuration candidate") == before


def test_line_of_100_kilobytes(lab):
    error = lab.error("set interfaces eth0 description " + "x" * 100_000)
    assert "too long" in error
    assert lab.ping(0, "10.0.1.2")


def test_random_bytes(typist):
    """Noise, no Enter in it that could confirm anything: the shell lives. Short lines, because a
    key in the middle of a long one draws all that follows."""
    noise = random.Random(4711)
    alphabet = bytes(set(range(256)) - set(b"\r\n\x04"))
    for _ in range(50):
        typist.console.send(bytes(noise.choice(alphabet) for _ in range(150)) + CTRL["C"])
    typist.console.sync(PATIENCE_S)
    assert typist.enter(b"show version")


def test_random_lines(typist):
    """Noise with Enter: every line is refused or harmless; the configuration stays."""
    before = typist.enter(b"show configuration candidate")
    noise = random.Random(815)
    words = [b"show", b"set", b"delete", b"eth0", b"|", b"json", b"include", b"\"", b"\\",
             b"10.0.0.1/24", b"\xff\xfe", b"\x00", b"\t", b"?", b"-1", b"9" * 30, b"interfacesx"]
    for _ in range(300):
        typist.console.send(b" ".join(noise.choice(words) for _ in range(6)) + b" zzz\r")
        typist.console.receive(0)
    typist.console.sync(PATIENCE_S)
    assert typist.enter(b"show configuration candidate") == before


def test_ping_can_be_stopped(typist):
    begin = time.monotonic()
    typist.console.send(b"ping 10.0.1.2 count 1000000\r")
    time.sleep(1.5)
    typist.console.send(CTRL["C"])
    typist.console.sync(PATIENCE_S)
    assert time.monotonic() - begin < 60
    assert typist.enter(b"show version")


def test_ping_nobody(lab):
    reply = lab.cli("ping 10.0.1.99 count 2")
    assert re.search(r"\b0\b", reply.splitlines()[-1]) and "100" in reply.splitlines()[-1], reply


def read_until(fd, pattern, timeout_s=PATIENCE_S):
    text, end = "", time.monotonic() + timeout_s
    while not re.search(pattern, text):
        left = end - time.monotonic()
        assert left > 0, f"{pattern!r} did not come: {text!r}"
        if select.select([fd], [], [], left)[0]:
            text += os.read(fd, 4096).decode("ascii", "replace")
    return text


def test_console_on_a_pty(lab):
    """`lab console` in a terminal: arrow keys and Tab get through, Ctrl-] leaves."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([LAB, "console"], stdin=theirs, stdout=theirs, stderr=theirs,
                               env={**os.environ, "LAB": lab.name})
    os.close(theirs)
    try:
        read_until(ours, "barewire> ")
        os.write(ours, b"sh\t" + b"verson" + LEFT * 2 + b"i\r")
        shown = screen(read_until(ours, r"\n[\s\S]*\n[^\n]*barewire> $"))
        assert "show version" in shown[0]
        assert re.match(r"version: \S+", shown[1])
        os.write(ours, b"\x1d")
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert shown[1] in lab.cli("show version")


def test_console_through_a_pipe(lab):
    done = lab.tool("console", text="show version\r")
    assert done.returncode == 0 and "version" in done.stdout
    assert "\x1b" not in done.stdout


def test_end_of_a_pipe():
    """The Linux process answers all that was piped into it, sliced commands too, then ends."""
    command = [os.path.join(TREE, "build", "barewire"), "--port", "mem:2", "--cores", "1"]
    done = subprocess.run(command, input="show neighbors\nshow routes\nshow fib\n", text=True,
                          capture_output=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0
    for line in ("show neighbors", "address ", "show routes", "source ", "show fib", "routes: 0"):
        assert line in done.stdout, done.stdout
