# Machines that lack something, or have it in odd places: each comes up, forwards nothing worse, and says what it lacks.
import json
import re

import pytest

from bare import booted
from labkit.machine import Qmp
from patience import wait_for
from router import HOOKS_IMAGE

PROMPT = re.compile(r"barewire: ready in [\s\S]*> $")
NICS = [w for i in range(1, 8) for w in ("-netdev", f"user,id=u{i}", "-device",
                                         f"virtio-net-pci,netdev=u{i},disable-legacy=on,romfile=")]

QBOOT = "/usr/share/qemu/qboot.rom"  # leaves them off
NO_HYPERVISOR = ["-cpu", "max,-hypervisor"]  # where one is they are its own matter

# What is odd; how it is booted; what the boot messages say.
MACHINES = {
    "64 MiB": ({"mem": 64, "qemu": NICS[:4]}, "2 ports, 2 cores"),
    # With less of either these have no room for the packet buffers or the tables of routes.
    "64 MiB and four cores": ({"mem": 64, "cores": 4, "qemu": NICS[:4]}, "2 ports, 4 cores"),
    "72 MiB and three ports": ({"mem": 72, "qemu": NICS[:8]}, "3 ports, 2 cores"),
    "80 MiB and four ports": ({"mem": 80, "qemu": NICS[:12]}, "4 ports, 2 cores"),
    "pc without ACPI": ({"machine": "pc,acpi=off"}, "no ACPI tables: one core"),
    "no HPET": ({"machine": "q35,hpet=off"}, "1 ports, 2 cores"),
    "eight NICs": ({"qemu": NICS}, "8 ports, 2 cores"),
    "lost start-up messages": ({"image": HOOKS_IMAGE, "append": "sipi=second"}, "1 ports, 2 cores"),
    "MTRRs off": ({"bios": QBOOT, "qemu": NO_HYPERVISOR}, "memory types: MTRRs are off: nothing is cached"),
    # QEMU's processors lose theirs by INIT, which real ones keep.
    "MTRRs of a core": ({"qemu": NO_HYPERVISOR}, "write-back by MTRRs; made those of the boot core on 1 others"),
    "a dead core": ({"image": HOOKS_IMAGE, "append": "sipi=none", "cores": 3}, "did not answer"),
}


def up(bare):
    wait_for("the prompt", lambda: PROMPT.search(bare.serial(0)))
    bare.wait_alive()
    return bare.serial(0)


@pytest.mark.parametrize("name", MACHINES)
def test_comes_up(name):
    options, says = MACHINES[name]
    with booted(**options) as bare:
        assert says in up(bare)


def test_too_little_memory():
    """Said in one line, and the machine stops."""
    with booted(mem=40) as bare:
        wait_for("its last words", lambda: "stopped" in bare.serial(0))
        assert re.search(r"multiboot1 reports 39 MiB of memory; 48 are needed", bare.serial(0))
        assert "another fault" not in bare.serial(0)


def available_gib():
    with open("/proc/meminfo", encoding="ascii") as f:
        return int(re.search(r"MemAvailable:\s+(\d+)", f.read()).group(1)) >> 20


def test_16_gib():
    if available_gib() < 17:
        pytest.skip("16 GiB not covered: the host has not that much free")
    with booted(mem=16384) as bare:
        up(bare)


def bars(value):
    """Addresses of all BARs in what query-pci says."""
    if isinstance(value, dict):
        if value.get("type") == "memory" and "address" in value:
            yield value["address"]
        value = list(value.values())
    if isinstance(value, list):
        for v in value:
            yield from bars(v)


def test_bar_above_4_gib():
    """A BAR of 8 GiB makes the firmware put the NIC's there as well."""
    with booted(qemu=["-device", "pci-testdev,membar=8G"]) as bare:
        up(bare)
        devices = [d for bus in Qmp(bare).run("query-pci") for d in bus["devices"]]
        nic = next(d for d in devices if d["id"]["vendor"] == 0x1af4)
        assert max(bars(nic["regions"])) >= 1 << 32, json.dumps(nic["regions"])
