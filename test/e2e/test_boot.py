# Every way in that QEMU offers: machines, firmware, loaders, cores, memory; and the way out.
import functools
import json
import os
import re
import subprocess
import types

import pytest
from labkit import accel
from router import HOOKS_IMAGE, IMAGE, PATIENCE_S, PVH_IMAGE, REBOOTED, running, wait_for

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
        assert lab.json("show hardware")["local_apic"] == "xAPIC", "TCG has no other"


@pytest.mark.skipif(not os.environ.get("LONG"), reason="seventy cores of TCG: make test-long")
def test_more_cores_than_are_used():
    """CORE_MAX of them run, and sleep on the few that the host has; the others are named and left alone."""
    config = "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\n" for i in range(2))
    with running(qemu="-smp 70", config=config + "set system idle relaxed\n") as lab:
        assert lab.ping(0, "10.0.1.2") and lab.ping(1, "10.0.0.2")
        assert "6 cores are left alone: 64 are used at most" in lab.serial_log()
        assert [c["state"] for c in lab.json("show cores")["cores"]] == 64 * ["running"]


@pytest.mark.parametrize("machine", ["q35", "pc"])
def test_boots_by_pvh(machine):
    with running(accel="tcg", image=PVH_IMAGE, machine=machine) as lab:
        forwards(lab)
        assert "PVH" in lab.cli("show version")


def test_no_ports():
    """NICs that it has no driver for, or cannot use, are named, and the shell comes all the same."""
    nics = ("-netdev user,id=u0 -device e1000,netdev=u0,romfile= -netdev user,id=u1 "
            "-device virtio-net-pci,netdev=u1,disable-modern=on,disable-legacy=off,romfile=")
    with running(accel="tcg", machine="pc", ports=0, qemu=nics) as lab:
        assert "audit: ok" in lab.cli("show buffers")
        notes = {d["id"]: d["note"] for d in lab.json("show hardware")["devices"]}
        assert notes["8086:100e"] == "no driver" and "legacy" in notes["1af4:1000"]
        assert "a NIC without a driver, 8086:100e" in lab.serial_log()
        assert "there is no MCFG" in lab.serial_log()


def test_sixteen_ports():
    with running(accel="tcg", ports=16) as lab:
        assert lab.ping(0, "10.0.15.2") and lab.ping(15, "10.0.7.2")


@functools.cache
def kvm_missing():
    """Why nothing can be said about KVM here, or ''."""
    options = types.SimpleNamespace(machine="q35", cores=2, mem=512, image=IMAGE, bios=None, net="tap", qemu="")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "no /dev/kvm here"
    if not accel.boots_under_kvm(options):
        return f"no prompt within {accel.LIMIT_S:g} s"
    return ""


def need(way):
    if way == "kvm" and kvm_missing():
        pytest.skip(f"KVM not covered: {kvm_missing()}")


def turns(lab):
    return sum(core["turns"] for core in lab.json("show cores")["cores"])


@pytest.mark.parametrize("cores, cpu, mode", [(1, "", "x2APIC"), (3, "", "x2APIC"),
                                              (2, "-cpu host,arch-capabilities=off,x2apic=off", "xAPIC")])
def test_boots_under_kvm(cores, cpu, mode):
    """Its local APICs have x2APIC mode: messages to cores, the timer that ends a sleep."""
    need("kvm")
    with running(accel="kvm", cores=cores, qemu=cpu) as lab:
        forwards(lab)
        assert lab.json("show hardware")["local_apic"] == mode
        assert [c["state"] for c in lab.json("show cores")["cores"]] == cores * ["running"]
        lab.configure("set system idle relaxed")
        before = turns(lab)
        wait_for("cores that go on after a sleep", lambda: turns(lab) > before)
        forwards(lab)


# What a worker at CPL 3 may not do, and what the report then begins with.
TRESPASSES = [
    ("instruction", r"general protection fault \(vector 13, error 0\)"),
    ("msr", r"general protection fault \(vector 13, error 0\)"),
    ("port", r"general protection fault \(vector 13, error 0\)"),
    ("text", "page fault, write of {platform_trespass}"),
    ("tables", "page fault, write of {cr3}"),
    ("supervisor", "page fault, write of {cpu_table}"),
    ("gate", "the gate refused"),
]


def symbols(image):
    text = subprocess.run(["nm", image], capture_output=True, text=True, check=True).stdout
    return {words[2]: hex(int(words[0], 16))
            for words in map(str.split, text.splitlines()) if len(words) == 3}


@pytest.mark.parametrize("way", ["tcg", "kvm"])
def test_worker_has_no_privilege(way):
    """Each ends in a report that names the worker and the place; then the machine starts anew."""
    need(way)
    known = symbols(HOOKS_IMAGE)
    with running(image=HOOKS_IMAGE, append="panic=reboot", accel=way, books=False) as lab:
        for what, expected in TRESPASSES:
            with lab.console() as console:
                text = console.until(REBOOTED.search,
                                     console.send(f"debug trespass {what} eth0\r".encode()),
                                     PATIENCE_S)
            cr3 = re.search(r"cr3 ([0-9a-f]+)", text)
            place = {"cr3": hex(int(cr3.group(1), 16)) if cr3 else "?", **known}
            headline = expected.format_map(place) + r" on core 1 \(worker 0\),"
            assert re.search(headline, text), f"{headline}:\n{text}"
            trace = text[text.find("back trace:"):]
            assert re.search(r"(platform_trespass|pio_write8)\+0x", trace), text
            assert "worker_main+0x" in trace, text
            kept = lab.cli("show crash")
            assert re.search(headline, kept) and "worker_main+0x" in kept, kept
            if what == TRESPASSES[0][0]:  # later boots have not seen any
                assert "worker 0, eth0:0, recent: " in kept, kept
        lab.cli("clear crash")
        assert lab.cli("show crash") == "no crash recorded"
        lab.wait_ping(0, "10.0.1.2")


def test_bench_measures():
    """One start is timed; how long it took is for the bench to judge, not here."""
    done = subprocess.run([os.path.join(os.path.dirname(__file__), "../../tools/bench-boot"), IMAGE, "--runs", "1"],
                          capture_output=True, text=True, timeout=PATIENCE_S * 2)
    result = json.loads(done.stdout.splitlines()[-1].removeprefix("RESULT "))
    assert 0 < result["rings_posted_ms"] and result["booted_by"] == "multiboot1", done.stderr
    assert 0 < result["phases_ms"]["receive rings"]


def test_ready_line_and_log():
    with running() as lab:
        assert re.search(r"^barewire: ready in [\d.]+ ms", lab.serial_log(), re.MULTILINE)
        assert lab.cli("show log")
        boot = lab.json("show boot")
        phases = {p["phase"]: p for p in boot["phases"]}
        assert boot["booted_by"] == "multiboot1" and 0 < boot["rings_posted_ms"]
        assert {"entry", "memory", "ACPI", "clock", "cores", "PCI", "ports", "router", "configuration",
                "receive rings", "ready"} <= phases.keys()
        assert all(p["cycles"] > 0 for p in phases.values())
        hardware = lab.json("show hardware")
        assert "FACP" in hardware["acpi_tables"] and "TSC" in hardware["clock"]
        assert sum(d["driver"] == "virtio-net" for d in hardware["devices"]) == 2


@pytest.mark.parametrize("machine", ["q35", "pc"])
def test_reboot_and_poweroff(machine):
    with running(machine=machine, books=False) as lab:
        lab.cli("set interfaces eth0 mtu 1400", "commit")
        with lab.console() as console:
            console.until(REBOOTED.search, console.send(b"reboot\r"), PATIENCE_S)
        lab.wait_ping(0, "10.0.1.2")
        assert "mtu" not in lab.cli("show configuration"), "not the boot module's configuration"
        lab.check_books()
        lab.tool("cli", "--timeout", "5", "poweroff")
        wait_for("QEMU to end", lambda: lab.place.qemu() is None)
