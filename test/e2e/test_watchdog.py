# The hardware watchdog: a worker that stands still for good ends in a reset, and the router is back.
import struct

import pytest

from router import HOOKS_IMAGE, PATIENCE_S, REBOOTED, running

NO_STRAP = "-global ICH9-LPC.noreboot=false"
TCO = 0x660  # ports, where QEMU's firmware has them
GENERAL_CONTROL = 0xfed1f410

WRITE, KEEP, COUNT = 2, 0x80, 1
ENABLED = 1

# What firmware could say of q35's TCO timer: action, instruction; port or memory, access, address; value, mask
STEPS = [
    (0x01, WRITE, 1, 2, TCO, 1, 1),
    (0x06, WRITE | COUNT | KEEP, 1, 2, TCO + 0x12, 0, 0x3ff),
    (0x08, 0, 1, 2, TCO + 0x08, 0, 0x800),
    (0x09, WRITE | KEEP, 1, 2, TCO + 0x08, 0, 0x800),
    (0x0b, WRITE | KEEP, 1, 1, TCO + 0x09, 8, 8),
    (0x11, WRITE | KEEP, 0, 3, GENERAL_CONTROL, 0, 0x20),
]


def wdat(file, flags=ENABLED):
    """QEMU's words for a WDAT. The timer runs down twice, in 0.6 s a count."""
    body = struct.pack("<IHBBB3xIIIB3xI", 32, 255, 255, 255, 255, 1200, 0x3ff, 2, flags, len(STEPS))
    for action, instruction, io, access, address, value, mask in STEPS:
        body += struct.pack("<BB2xBBBBQII", action, instruction, io, 8 << access - 1, 0, access, address, value, mask)
    file.write_bytes(body)
    return f" -acpitable sig=WDAT,rev=1,data={file}"


@pytest.mark.parametrize("name", ["i6300esb", "TCO", "WDAT"])
def test_stuck_worker(name, tmp_path):
    qemu = {"i6300esb": "-device i6300esb",
            "TCO": NO_STRAP + wdat(tmp_path / "disabled", flags=0),
            "WDAT": NO_STRAP + wdat(tmp_path / "wdat")}[name]
    with running(image=HOOKS_IMAGE, qemu=qemu, books=False) as lab:
        assert lab.json("show hardware")["watchdog"] == f"{name}, off"
        unused = "watchdog: the WDAT is not used: firmware says that it is disabled"
        assert (unused in lab.serial_log()) == (name == "TCO")
        lab.configure("set system watchdog 5")
        lab.cli("debug stuck eth0")  # two seconds are no reason
        with lab.console() as console:
            console.until(REBOOTED.search, console.send(b"debug hang eth0\r"), PATIENCE_S)
        lab.wait_ping(0, "10.0.1.2")
        if name == "i6300esb":
            assert "the last reset was made by i6300esb" in lab.serial_log()
        assert lab.json("show hardware")["watchdog"] == f"{name}, off"
