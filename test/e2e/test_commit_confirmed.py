# Commits on a running router: undone unless confirmed, written down, read back, and no flow's loss.
import re
import time

import pytest
from flood import udp_frame
from router import HOOKS_IMAGE, PATIENCE_S, running, wait_for

# Besides what the lab configures: it is 10.0.i.1/24 on eth i.
CUT = ["delete interfaces eth1 address", "set routes 10.0.1.0/24 blackhole"]


@pytest.fixture(scope="module")
def shared():
    with running(ports=3, image=HOOKS_IMAGE) as lab:
        yield lab


@pytest.fixture
def lab(shared):
    """The shared lab as it was configured by its boot module, nothing waiting to be confirmed."""
    generations = shared.json("show commits")["commits"]
    load(shared, wanted_lines())
    shared.cli("commit")
    yield shared
    assert len(shared.json("show commits")["commits"]) >= len(generations)


def wanted_lines():
    return [f"set interfaces eth{i} address 10.0.{i}.1/24" for i in range(3)]


def load(lab, lines):
    """Pastes lines in place of the candidate."""
    with lab.console() as console:
        said = console.send(b"load replace\r" + "".join(l + "\r" for l in lines).encode() + b"\x04")
        text = console.until(lambda t: re.search(r"> $", t), said, PATIENCE_S)
    assert "error" not in text, text


def log(lab):
    """The log's lines without their times."""
    return [line.split("] ", 1)[-1] for line in lab.cli("show log").splitlines()]


def cut_path(lab, command):
    lab.cli("discard", *CUT, command)
    assert not lab.ping(0, "10.0.1.2", count=1, wait_s=1)


def test_path_comes_back_unless_confirmed(lab):
    """A commit that cuts the path is undone by itself; addresses, routes and candidate are back."""
    before = lab.cli("show configuration")
    cut_path(lab, "commit confirmed 1")
    assert 0 < lab.json("show commits")["undone_in_s"] <= 60
    lab.cli("debug hurry")
    lab.wait_ping(0, "10.0.1.2")
    assert lab.cli("show configuration") == before
    assert lab.cli("compare") == ""
    assert lab.json("show commits")["undone_in_s"] is None
    newest = lab.json("show commits")["commits"][:2]
    assert [g["by"] for g in newest] == ["rollback timer", "console"]


def test_console_tells_of_it(lab):
    """Whoever is typing is told, and goes on where they were."""
    cut_path(lab, "commit confirmed 1")
    with lab.console() as console:
        said = console.send(b"debug hurry\rshow vers")
        text = console.until(lambda t: re.search(r"is undone\n.*> show vers$", t.replace("\r", "")),
                             said, PATIENCE_S)
        console.send(b"\x15")
    assert re.search(r"\nwarning: commit \d+ was not confirmed and is undone\n",
                     text.replace("\r", "")), text
    lab.wait_ping(0, "10.0.1.2")


@pytest.mark.parametrize("confirmation", ["confirm", "commit"])
def test_confirmed_commit_stays(lab, confirmation):
    cut_path(lab, "commit confirmed 1")
    lab.cli(confirmation, "debug hurry")
    time.sleep(3)
    assert not lab.ping(0, "10.0.1.2", count=1, wait_s=1)
    assert any(re.match(r"commit \d+ confirmed$", line) for line in log(lab))
    lab.cli("rollback 1", "commit")
    lab.wait_ping(0, "10.0.1.2")


def test_rollback_by_hand(lab):
    """Generations by number: the one before brings the path back, and the list tells of them."""
    before = lab.cli("show configuration")
    cut_path(lab, "commit")
    changed = lab.cli("show configuration")
    assert lab.cli("show configuration rollback 1") == before
    lab.cli("rollback 1")
    assert lab.cli("show configuration candidate") == before
    assert lab.cli("compare rollback 1") == ""
    assert lab.cli("compare").splitlines() == [
        "+ set interfaces eth1 address 10.0.1.1/24", "- set routes 10.0.1.0/24 blackhole"]
    lab.cli("commit")
    lab.wait_ping(0, "10.0.1.2")
    assert lab.cli("show configuration rollback 1") == changed
    newest = lab.json("show commits")["commits"][0]
    assert (newest["added"], newest["removed"], newest["by"]) == (1, 1, "console")
    assert newest["first_change"] == "+ set interfaces eth1 address 10.0.1.1/24"
    assert lab.error("rollback 11")


def test_log_says_who_changed_what(lab):
    cut_path(lab, "commit confirmed 1")
    number = lab.json("show commits")["commits"][0]["commit"]
    lab.cli("debug hurry")
    lab.wait_ping(0, "10.0.1.2")
    wait_for("the rollback", lambda: lab.json("show commits")["undone_in_s"] is None)
    lines = [line for line in log(lab) if line.startswith("commit ")]  # a slow worker is written down, too
    at = lines.index(f"commit {number} by console: 1 lines added, 1 removed")
    assert lines[at:at + 8] == [
        f"commit {number} by console: 1 lines added, 1 removed",
        f"commit {number}: - set interfaces eth1 address 10.0.1.1/24",
        f"commit {number}: + set routes 10.0.1.0/24 blackhole",
        f"commit {number} is undone in 1 min unless confirmed",
        f"commit {number + 1} by rollback timer: 1 lines added, 1 removed",
        f"commit {number + 1}: + set interfaces eth1 address 10.0.1.1/24",
        f"commit {number + 1}: - set routes 10.0.1.0/24 blackhole",
        f"commit {number} was not confirmed and is undone",
    ], lines
    assert "commit 1 by boot module: 6 lines added, 0 removed" in lines


def numbered(frame, number):
    return frame[:42] + number.to_bytes(4, "big") + frame[46:]


# Settings that the flow from h0 to h1 does not need, each a commit.
OTHERS = [
    ["set interfaces eth1 address 10.77.0.1/24"],  # beside the one the flow leaves by
    ["set interfaces eth0 address 10.78.0.1/24"],
    [f"set routes 10.{100 + i // 250}.{i % 250}.0/24 via 10.0.1.2" for i in range(500)],
    ["set interfaces eth2 disabled", "set queues eth2 shape 10mbit"],
    ["delete routes", "set routes 10.100.0.0/16 blackhole", "set neighbors eth2 10.0.2.9 "
     "02:00:00:00:00:09"],
    ["delete interfaces eth1 address 10.77.0.1/24", "set system hostname other"],
    ["delete interfaces eth2", "delete queues", "delete neighbors", "delete routes"],
]


def test_no_loss_for_flows_not_touched(lab):
    """Packets pass, one after another, while other settings are committed: none is missing."""
    lab.wait_ping(0, "10.0.1.2")
    with lab.wire(0) as there, lab.wire(1) as here:
        here.forget()
        frame, sent, seen = udp_frame(there, 0, 1, 90, sport=4242), 0, set()
        before = there.counters()["tap_dropped"]

        def take(timeout_s):
            """One that has come through; the socket holds only some thousands."""
            f = here.receive(lambda f: f[12:14] == b"\x08\x00" and f[23] == 17
                             and f[34:36] == (4242).to_bytes(2, "big"), timeout_s)
            if f:
                seen.add(int.from_bytes(f[42:46], "big"))
            return f

        def keep_sending(lines):
            nonlocal sent
            with lab.console() as console:
                said = b""
                for line in lines + ["commit"]:
                    said += console.send(line.encode() + b"\r")
                console.send(b"# done\r")
                done = False
                while not done:
                    for _ in range(4):
                        there.send(numbered(frame, sent))
                        sent += 1
                    said += console.receive(0.002)
                    while take(0.001):
                        pass
                    done = b"# done\r\n" in said and said.endswith(b"> ")
            assert b"error" not in said, said

        for lines in OTHERS:
            keep_sending(lines)
            while len(seen) < sent and take(5):
                pass
            dropped = there.counters()["tap_dropped"] - before
            assert len(seen) + dropped >= sent, \
                f"{lines[0]}: {sent} sent, {dropped} not taken by the emulator, {len(seen)} seen"
    assert sent > 200


def test_saved_text_boots():
    """`save` prints what a boot reads: as a module it gives the same configuration."""
    with running() as first:
        first.cli("set system hostname kept", "set interfaces eth0 mtu 1400",
                  "set routes 10.44.0.0/24 via 10.0.1.2", "commit")
        saved, shown = first.cli("save"), first.cli("show configuration")
        assert saved.startswith("# kept, barewire ")
        assert saved.split("\n", 1)[1] == shown
        load(first, saved.splitlines())
        assert first.cli("compare") == ""
    with running(config=saved + "\n") as second:
        assert second.cli("show configuration") == shown
        assert second.ping(0, "10.0.1.2")


def test_ten_thousand_lines():
    """A large configuration goes and comes back while packets pass; what it took is printed."""
    lines = wanted_lines()[:2] + [
        f"set routes 20.{i // 256}.{i % 256}.0/24 via 10.0.1.{2 + i % 3}" for i in range(10000)]
    with running(config="\n".join(lines) + "\n") as lab:
        lab.cli("clear counters")
        lab.cli("delete routes")
        for what in ["removed", "added"]:
            start = time.monotonic()
            lab.cli("commit")
            print(f"10,000 lines {what}: {time.monotonic() - start:.2f} s under emulation")
            assert lab.ping(0, "10.0.1.2")
            lab.cli("rollback 1")
        lab.cli("discard")
        assert len(lab.cli("show configuration").splitlines()) == len(lines)
        assert "verify: ok" in lab.cli("show fib verify")
        print(lab.cli("show latency"))
