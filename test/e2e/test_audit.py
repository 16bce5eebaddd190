# The audit itself: faults planted in a test image turn it red, and it says which.
import re

import pytest
from router import HOOKS_IMAGE, PATIENCE_S, REBOOTED, running


@pytest.fixture
def lab():
    with running(image=HOOKS_IMAGE, books=False) as lab:
        lab.check_books()
        assert lab.ping(0, "10.0.1.2")
        yield lab


# debug command -> what the finding must say
PLANTED = [
    ("debug leak eth0", r"1 missing, last owner the worker of eth0"),
    ("debug double-free eth1", r"1 extra at the worker of eth1: there twice"),
    ("debug owner eth0", r"1 extra at the worker of eth0: .*wrong owner"),
]


@pytest.mark.parametrize("command,finding", PLANTED, ids=[p[0] for p in PLANTED])
def test_planted_fault_turns_audit_red(lab, command, finding):
    report = lab.cli(command, "show buffers")  # the first audit, as soon as the fault is there
    audit = re.search(r"^audit: (.*)$", report, re.MULTILINE)
    assert audit and re.search(finding, audit.group(1), re.IGNORECASE), report
    assert "audit: ok" not in lab.cli("show buffers"), "the fault went away by itself"


def test_no_debug_command_in_the_product():
    with running() as lab:
        assert lab.error("debug leak eth0")


def test_panic_prints_a_trace_and_reboots():
    """A fault prints registers and a symbolised back trace; panic=reboot starts anew."""
    with running(image=HOOKS_IMAGE, append="panic=reboot") as lab:
        with lab.console() as console:
            text = console.until(REBOOTED.search, console.send(b"debug panic\r"), PATIENCE_S)
        assert re.search(r"panic", text, re.IGNORECASE), text
        assert re.search(r"[a-z_0-9]+\+0x[0-9a-f]+", text), "no symbol in the back trace"
        lab.wait_ping(0, "10.0.1.2")
