# Every way in that QEMU offers: machines, firmware, loaders, cores, memory; and the way out.
import os
import re
import subprocess
import tempfile
import types

import pytest
from labkit import accel
from router import IMAGE, running, wait_for

MULTIBOOT1 = (0x1BADB002).to_bytes(4, "little")
QBOOT = "/usr/share/qemu/qboot.rom"


def forwards(lab):
    assert lab.ping(0, "10.0.1.2") and lab.ping(1, "10.0.0.2")
    sent, received = lab.carry_file(0, 1, 1_000_000)
    assert sent == received


@pytest.fixture
def pvh_image():
    """The same image without its multiboot1 header, so that QEMU takes the PVH note."""
    with open(IMAGE, "rb") as f:
        data = bytearray(f.read())
    at = data.find(MULTIBOOT1, 0, 8192)
    assert at >= 0, "no multiboot1 header in the first 8 KiB"
    data[at:at + 4] = b"\0\0\0\0"
    with tempfile.NamedTemporaryFile(suffix=".elf") as f:
        f.write(data)
        f.flush()
        yield f.name


WAYS = [
    ("q35", {}),
    ("pc", {"machine": "pc"}),
    ("q35 with qboot, BARs unassigned", {"bios": QBOOT}),
    ("pc with qboot", {"machine": "pc", "bios": QBOOT}),
    ("one core", {"cores": 1}),
    ("eight cores", {"cores": 8}),
    ("128 MiB", {"mem": 128}),
    ("6 GiB, memory above 4 GiB", {"mem": 6144}),
]


@pytest.mark.parametrize("options", [w[1] for w in WAYS], ids=[w[0] for w in WAYS])
def test_boots_and_forwards(options):
    with running(accel="tcg", **options) as lab:
        forwards(lab)
        cores = lab.json("show cores")["cores"]
        assert len(cores) == options.get("cores", 2)
        assert "multiboot1" in lab.cli("show version")


@pytest.mark.parametrize("machine", ["q35", "pc"])
def test_boots_by_pvh(pvh_image, machine):
    with running(accel="tcg", image=pvh_image, machine=machine) as lab:
        forwards(lab)
        assert "PVH" in lab.cli("show version")


def test_no_ports():
    with running(accel="tcg", ports=0) as lab:
        assert "audit: ok" in lab.cli("show buffers")


def test_sixteen_ports():
    with running(accel="tcg", ports=16) as lab:
        assert lab.ping(0, "10.0.15.2") and lab.ping(15, "10.0.7.2")


def test_boots_under_kvm():
    options = types.SimpleNamespace(machine="q35", cores=2, mem=512, image=IMAGE, bios=None)
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        pytest.skip("KVM not covered: no /dev/kvm here")
    if not accel.boots_under_kvm(options):
        pytest.skip(f"KVM not covered: no prompt within {accel.LIMIT_S:g} s, "
                    "this hypervisor emulates kernel mode")
    with running(accel="kvm") as lab:
        forwards(lab)


def test_image_is_small(tmp_path):
    stripped = tmp_path / "barewire.elf"
    subprocess.run(["strip", "-o", stripped, IMAGE], check=True)
    assert stripped.stat().st_size < 1 << 20


def test_ready_line_and_log():
    with running() as lab:
        assert re.search(r"^barewire: ready in [\d.]+ ms", lab.serial_log(), re.MULTILINE)
        assert lab.cli("show log")


def test_reboot_and_poweroff():
    with running(books=False) as lab:
        lab.cli("set interfaces eth0 mtu 1400", "commit")
        with lab.place.console_lock(30):
            console = lab.console()
            try:
                console.sync(30)
                said = console.send(b"reboot\r")
                console.until(
                    lambda t: re.search(r"barewire: ready in [\s\S]*barewire> $", t), said, 60)
            finally:
                console.close()
        assert lab.ping(0, "10.0.1.2")
        assert "mtu" not in lab.cli("show configuration"), "not the boot module's configuration"
        lab.check_books()
        lab.tool("cli", "--timeout", "5", "poweroff")
        wait_for("QEMU to end", lambda: lab.place.qemu() is None)
