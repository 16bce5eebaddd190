# The hardware watchdog: a worker that stands still for good ends in a reset, and the router is back.
import pytest

from router import HOOKS_IMAGE, PATIENCE_S, REBOOTED, running

WATCHDOGS = {"i6300esb": "-device i6300esb",
             "TCO": "-global ICH9-LPC.noreboot=false"}


@pytest.mark.parametrize("name", WATCHDOGS)
def test_stuck_worker(name):
    with running(image=HOOKS_IMAGE, qemu=WATCHDOGS[name], books=False) as lab:
        assert lab.json("show hardware")["watchdog"] == f"{name}, off"
        lab.configure("set system watchdog 5")
        lab.cli("debug stuck eth0")  # two seconds are no reason
        with lab.console() as console:
            console.until(REBOOTED.search, console.send(b"debug hang eth0\r"), PATIENCE_S)
        lab.wait_ping(0, "10.0.1.2")
        if name == "i6300esb":
            assert "the last reset was made by i6300esb" in lab.serial_log()
        assert lab.json("show hardware")["watchdog"] == f"{name}, off"
