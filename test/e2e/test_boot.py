# Every way in that QEMU offers: machines, firmware, loaders, cores, memory; and the way out.
import os
import re
import subprocess
import types

import pytest
from labkit import accel
from router import IMAGE, PATIENCE_S, PVH_IMAGE, REBOOTED, running, wait_for

QBOOT = "/usr/share/qemu/qboot.rom"


def forwards(lab):
    assert lab.ping(0, "10.0.1.2") and lab.ping(1, "10.0.0.2")
    sent, received = lab.carry_file(0, 1, 1_000_000)
    assert sent == received


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
def test_boots_by_pvh(machine):
    with running(accel="tcg", image=PVH_IMAGE, machine=machine) as lab:
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
        with lab.console() as console:
            console.until(REBOOTED.search, console.send(b"reboot\r"), PATIENCE_S)
        lab.wait_ping(0, "10.0.1.2")
        assert "mtu" not in lab.cli("show configuration"), "not the boot module's configuration"
        lab.check_books()
        lab.tool("cli", "--timeout", "5", "poweroff")
        wait_for("QEMU to end", lambda: lab.place.qemu() is None)
