# The configuration: candidate and commit, all or nothing, canonical print, and the boot module.
import re

import pytest
from router import PATIENCE_S, running

FULL = """\
set system hostname edge-7
set system workers 1
set interfaces eth0 address 10.0.0.1/24
set interfaces eth0 address 10.7.0.1/24
set interfaces eth0 description "to core, \\"left\\" rack"
set interfaces eth0 mtu 1400
set interfaces eth1 address 10.0.1.1/24
set routes 0.0.0.0/0 via 10.0.1.2
set routes 203.0.113.0/24 blackhole
set routes 198.51.100.0/24 unreachable
set routes 198.51.100.0/25 prohibit
set neighbors eth1 10.0.1.50 02:00:00:00:00:50
"""


@pytest.fixture(scope="module")
def shared():
    with running() as lab:
        yield lab


@pytest.fixture
def lab(shared):
    """The shared lab with nothing left in its candidate."""
    shared.cli("discard")
    before = shared.cli("show configuration")
    yield shared
    shared.cli("discard")
    restore(shared, before)


def restore(lab, wanted):
    """Makes the configuration be `wanted` again, line by line."""
    now, lines = lab.cli("show configuration").splitlines(), wanted.splitlines()
    if now == lines:
        return
    lab.cli(*(re.sub("^set", "delete", line) for line in now if line not in lines),
            *(line for line in lines if line not in now), "commit")


def prompt(lab):
    """The prompt that is shown now."""
    with lab.console() as console:
        text = console.until(lambda t: t.endswith("> "), console.send(b"\r"), PATIENCE_S)
    return text.split("\n")[-1]


def test_generated_configuration(lab):
    """Without --config the router gets 10.0.i.1/24 and fd00:0:0:i::1/64 on eth i."""
    assert lab.cli("show configuration").splitlines() == [
        "set interfaces eth0 address 10.0.0.1/24", "set interfaces eth0 address fd00::1/64",
        "set interfaces eth1 address 10.0.1.1/24",
        "set interfaces eth1 address fd00:0:0:1::1/64"]


def test_candidate_changes_nothing_before_commit(lab):
    lab.cli("delete interfaces eth1 address 10.0.1.1/24")
    assert prompt(lab) == "barewire*> "
    assert "10.0.1.1/24" in lab.cli("show configuration")
    assert "10.0.1.1/24" not in lab.cli("show configuration candidate")
    assert lab.ping(0, "10.0.1.2")
    lab.cli("discard")
    assert prompt(lab) == "barewire> "
    assert "10.0.1.1/24" in lab.cli("show configuration candidate")


def test_compare(lab):
    lab.cli("set interfaces eth0 mtu 1400", "delete interfaces eth1 address 10.0.1.1/24")
    changes = lab.cli("compare").splitlines()
    assert any(re.match(r"\+ ?set interfaces eth0 mtu 1400$", c) for c in changes), changes
    assert any(re.match(r"- ?set interfaces eth1 address 10\.0\.1\.1/24$", c) for c in changes)
    assert len(changes) == 2
    lab.cli("discard")
    assert lab.cli("compare") == ""


def test_success_prints_nothing(lab):
    assert lab.cli("set system hostname gate", "commit") == ""
    assert prompt(lab) == "gate> "
    assert lab.cli("delete system hostname", "commit") == ""
    assert prompt(lab) == "barewire> "


def test_unique_prefixes(lab):
    lab.cli("se int eth0 mt 1300")
    assert "set interfaces eth0 mtu 1300" in lab.cli("show configuration candidate")


def test_new_address_works_at_once(lab):
    lab.must(0, "ip", "address", "add", "10.99.0.2/24", "dev", "p0")
    try:
        lab.configure("set interfaces eth0 address 10.99.0.1/24")
        assert lab.ping(0, "10.99.0.1")
        lab.configure("delete interfaces eth0 address 10.99.0.1/24")
        assert not lab.ping(0, "10.99.0.1", count=1, wait_s=1)
        assert lab.ping(0, "10.0.1.2")
    finally:
        lab.must(0, "ip", "address", "del", "10.99.0.2/24", "dev", "p0")


def test_static_route(lab):
    lab.must(1, "ip", "address", "add", "10.44.0.1/32", "dev", "lo")
    lab.configure("set routes 10.44.0.0/24 via 10.0.1.2")
    assert lab.ping(0, "10.44.0.1")
    assert "10.44.0.0/24" in lab.cli("show routes")
    lab.configure("delete routes 10.44.0.0/24", "set routes 10.44.0.0/24 prohibit")
    refused = lab.run(0, "ping", "-n", "-c", "1", "-W", "5", "10.44.0.1").stdout
    assert "Packet filtered" in refused, refused
    lab.configure("delete routes 10.44.0.0/24", "set routes 10.44.0.0/24 unreachable")
    refused = lab.run(0, "ping", "-n", "-c", "1", "-W", "5", "10.44.0.1").stdout
    assert "Host Unreachable" in refused, refused
    lab.configure("delete routes 10.44.0.0/24")
    refused = lab.run(0, "ping", "-n", "-c", "1", "-W", "5", "10.44.0.1").stdout
    assert "Net Unreachable" in refused, refused


def test_disabled_interface(lab):
    lab.configure("set interfaces eth1 disabled")
    assert not lab.ping(0, "10.0.1.2", count=1, wait_s=1)
    lab.configure("delete interfaces eth1 disabled")
    lab.wait_ping(0, "10.0.1.2")


REFUSED = [
    ("the address twice", ["set interfaces eth1 address 10.0.0.1/24"]),
    ("networks that overlap", ["set interfaces eth1 address 10.0.0.9/25"]),
    ("a network address", ["set interfaces eth0 address 10.9.0.0/24"]),
    ("a broadcast address", ["set interfaces eth0 address 10.9.0.255/24"]),
    ("a loopback address", ["set interfaces eth0 address 127.0.0.1/8"]),
    ("a gateway that is the router", ["set routes 10.44.0.0/24 via 10.0.1.1"]),
    ("a neighbour that is the router", ["set neighbors eth0 10.0.0.1 02:00:00:00:00:01"]),
    ("nine addresses", [f"set interfaces eth0 address 10.{i}.0.1/24" for i in range(60, 69)]),
    ("one bad line among good ones", ["set routes 10.44.0.0/24 via 10.0.1.2",
                                      "set interfaces eth1 address 10.0.0.1/24",
                                      "set system hostname half-applied"]),
]


@pytest.mark.parametrize("lines", [r[1] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_commit_refuses_whole(lab, lines):
    """One 'error:' line that names the line; nothing is in force, the candidate stays."""
    before = lab.cli("show configuration")
    lab.cli(*lines)
    error = lab.error("commit")
    assert any(word in error for word in lines[-1].split()[1:] + ["10.0.0.1/24"]), error
    assert lab.cli("show configuration") == before
    assert lab.ping(0, "10.0.1.2")


def test_absent_interface_is_kept_and_warned_about(lab):
    line = "set interfaces eth9 address 10.9.9.1/24"
    reply = lab.cli(line, "commit")
    assert re.search(r"^warning: .*eth9", reply, re.MULTILINE), reply
    assert line in lab.cli("show configuration")
    lab.cli("delete interfaces eth9", "commit")
    assert lab.error("show interfaces eth9")


def test_load_pasted_text(lab):
    """Lines up to Ctrl-D become part of the candidate; a bad one is named by its number."""
    with lab.console() as console:
        said = console.send(b"load\rset interfaces eth0 mtu 1400\r# a remark\r\x04")
        console.until(lambda t: re.search(r"\*> $", t), said, PATIENCE_S)
    assert "set interfaces eth0 mtu 1400" in lab.cli("show configuration candidate")


def test_thousand_routes(lab):
    lines = [f"set routes 10.{100 + i // 250}.{i % 250}.0/24 via 10.0.1.2" for i in range(1000)]
    lab.cli(*lines, "commit")
    shown = lab.cli("show configuration").splitlines()
    assert [l for l in shown if "routes" in l] == lines
    assert lab.ping(0, "10.0.1.2")
    lab.cli("delete routes", "commit")
    assert "routes" not in lab.cli("show configuration")


def test_boot_module_round_trip():
    """What a router prints, another one reads at boot and prints again, word for word."""
    with running(config=FULL) as first:
        printed = first.cli("show configuration")
        assert sorted(printed.splitlines()) == sorted(FULL.splitlines())
        assert prompt(first) == "edge-7> "
        assert first.ping(0, "10.0.1.2")
    with running(config=printed + "\n") as second:
        assert second.cli("show configuration") == printed


def test_boot_module_with_remarks_and_line_ends():
    text = "# a remark\r\n\r\n  set interfaces eth0 address 10.0.0.1/24  \r\n" \
           "set interfaces eth1 address 10.0.1.1/24"
    with running(config=text) as lab:
        assert lab.ping(0, "10.0.1.2")


@pytest.mark.parametrize("bad", ["set interfaces eth0 adress 10.0.0.1/24",
                                 "set interfaces eth0 address 10.0.0.999/24",
                                 "show version", "\x01\x02\xff", "x" * 9000],
                         ids=["word", "address", "command", "bytes", "length"])
def test_boot_module_with_a_bad_line(bad):
    """The line is named by its number, nothing is applied, and the shell is there to mend it."""
    text = f"set interfaces eth1 address 10.0.1.1/24\n{bad}\nset system hostname wrong\n"
    with running(config=text, warm=False) as lab:
        assert re.search(r"\bline 2\b", lab.serial_log()), lab.serial_log()
        assert lab.cli("show configuration") == ""
        assert not lab.ping(1, "10.0.1.1", count=1, wait_s=1)
        lab.configure("set interfaces eth1 address 10.0.1.1/24")
        assert lab.ping(1, "10.0.1.1")
