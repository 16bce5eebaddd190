# The kernel from boot media and firmware: each way brings it to its prompt, with its configuration, forwarding.
import os
import re
import shutil
import struct
import subprocess

import pytest
from building import made
from labkit.place import TREE
from router import IMAGE, LAB, PATIENCE_S, Lab, running, wait_for

EFI = os.path.join(TREE, "build", "barewire.efi")
ISO = os.path.join(TREE, "build", "barewire.iso")
ADDRESSES = "set interfaces eth0 address 10.0.0.1/24\nset interfaces eth1 address 10.0.1.1/24\n"
# What `show version` calls the way, and how the configuration is called.
WAYS = {
    "iso": ("multiboot2", "barewire.conf"),
    "iso-uefi": ("multiboot2", "barewire.conf"),
    "uefi": ("EFI", "barewire.conf"),
}


@pytest.mark.parametrize("way", WAYS)
def test_boots_and_forwards(way):
    name, config = WAYS[way]
    with running(boot=way, append="panic=reboot") as lab:
        assert lab.ping(0, "10.0.1.2") and lab.ping(1, "10.0.0.2")
        version = lab.cli("show version")
        assert f"booted by: {name}" in version
        assert "command line: panic=reboot" in version
        assert f"configuration: {config}" in lab.cli("show log")


@pytest.mark.parametrize("way", ["kernel", "pvh"])
def test_microvm(way):
    """A machine without MCFG and I/O ports for PCI: what the DSDT says leads to the NICs."""
    with running(boot=way, machine="microvm,pcie=on") as lab:
        assert lab.ping(0, "10.0.1.2")
        assert re.search(r"clock: TSC at \d+ kHz, by PIT", lab.cli("show hardware"))


def stick(folder, grub=""):
    """QEMU's words for the volume on a USB stick, as built but for the configuration that was put into it,
    and commands of GRUB."""
    site, words = folder / "site.iso", []
    for name, text in (("/barewire.conf", ADDRESSES), ("/boot/grub/options.cfg", grub)):
        if text:
            path = folder / os.path.basename(name)
            path.write_text(text)
            words += ["-map", path, name]
    subprocess.run(["xorriso", "-indev", ISO, "-outdev", site, "-boot_image", "any", "replay", *words],
                   check=True, capture_output=True)
    return ("-device qemu-xhci -device usb-storage,drive=stick,bootindex=0 "
            f"-drive if=none,id=stick,format=raw,readonly=on,file={site}")


def test_boots_from_usb(tmp_path):
    with running(boot="iso", no_config=True, qemu=stick(tmp_path)) as lab:
        assert lab.ping(0, "10.0.1.2")


# Holes where real-mode code, a panic's report and the arena would lie, on no page's boundary as well.
HOLES = """
cutmem 0x5000 0x7001
cutmem 60M 61M
cutmem 0x7abcdef 0x7abd000
cutmem 0x10000001 0x10400003
badram 0x18000000,0xfff00000,0x1a345678,0xfffff000
"""
# Each other 32 KiB of 16 MiB: more ranges than anybody counts on.
COMB = "badram 0x0c000000,0xff008000\n"


@pytest.mark.parametrize("grub, lost_kib, says, log", [
    (HOLES, range(6 * 1024, 7 * 1024), r"1\d ranges in", "crash: no free memory at 0x3c00000"),
    (COMB, range(8 * 1024, 17 * 1024), r"128 ranges and 1\d\d too many in", "ranges too many; some RAM is not used")],
    ids=["holes", "too many holes"])
def test_odd_memory_map(tmp_path, grub, lost_kib, says, log):
    """GRUB hands on a map in which it has cut holes: they are left alone, and all else is used."""
    with running(boot="iso", no_config=True, qemu=stick(tmp_path, grub)) as lab:
        assert lab.ping(0, "10.0.1.2")
        assert re.search(says, lab.json("show hardware")["memory"]) and log in lab.serial_log()
        assert 512 * 1024 - lab.json("show memory")["ram_bytes"] // 1024 in lost_kib


def test_routes_beside_the_efi_image(tmp_path):
    """On a machine with a screen, too."""
    routes = tmp_path / "site.routes"
    routes.write_text("192.0.2.0/24 via 10.0.1.2\n")
    with running(boot="uefi", routes=routes, qemu="-vga std") as lab:
        assert re.search(r"screen: frame buffer \d+x\d+, boot messages", lab.cli("show hardware"))
        assert "192.0.2.0/24" in lab.cli("show routes 192.0.2.1")
        assert "routes barewire.routes: 1" in lab.cli("show log")


def test_load_options():
    """Firmware's own loader, as its shell: the command line is what it was given."""
    with running(boot="uefi", no_config=True, warm=False,
                 qemu=f"-kernel {EFI} -append 'panic=reboot one=1'") as lab:
        assert "command line: panic=reboot one=1" in lab.cli("show version")


def test_beside_the_efi_image_on_a_server(tmp_path):
    """Loaded by the firmware's PXE client: the files are taken from the same folder of the server."""
    folder = tmp_path / "rack" / "1"
    folder.mkdir(parents=True)
    shutil.copyfile(EFI, folder / "barewire.efi")
    (folder / "barewire.conf").write_text(ADDRESSES)
    with running(boot="uefi", no_config=True, qemu=f"-netdev user,id=boot,tftp={tmp_path},bootfile=rack/1/barewire.efi "
                 "-device virtio-net-pci,netdev=boot,romfile=,bootindex=0") as lab:
        assert lab.ping(0, "10.0.1.2")
        assert "configuration: barewire.conf" in lab.cli("show log")


def grown(path):
    """The EFI application with a kernel that says, in its multiboot1 header, that it needs 256 MiB."""
    with open(EFI, "rb") as f:
        data = bytearray(f.read())
    at = data.index(struct.pack("<II", 0x1badb002, 0x10003))
    struct.pack_into("<I", data, at + 24, 1 << 28)
    path.write_bytes(data)
    return path


def test_memory_that_is_not_free(tmp_path):
    """The EFI application says why it does not start; then the firmware goes on."""
    lab = Lab()
    process = subprocess.Popen([LAB, "up", "--accel", "tcg", "--boot", "uefi", "--image",
                                str(grown(tmp_path / "big.efi"))], stderr=subprocess.DEVNULL,
                               env={**os.environ, "LAB": lab.name})
    said = ""

    def ended():
        nonlocal said
        said = lab.serial_log() if os.path.exists(lab.place.path("serial.log")) else ""
        return re.search(r"not started: [\s\S]*\n.+", said)

    try:
        wait_for("firmware after the application", ended, 3 * PATIENCE_S)
        assert re.search("the kernel must lie at 100000 to 10000000, and at [0-9a-f]+ is memory of "
                         r"type \d+\n", said), said
        assert "barewire: not started: Unsupported" in said
        assert "starting;" not in said
    finally:
        process.terminate()
        process.wait()
        lab.down()


# ---------------------------------------------------------------- what is built

def test_sizes():
    assert os.path.getsize(IMAGE) < 1 << 20
    assert os.path.getsize(EFI) < 12 * (1 << 20) // 10


def test_builds_are_the_same(tmp_path):
    """Another build in another folder, at another time: the same bytes, whatever else was built there."""
    site = tmp_path / "site.conf"
    site.write_text(ADDRESSES)
    for more in ([f"IMAGE={tmp_path}/other.elf", f"CONFIG={site}"], []):
        made(f"-j{os.cpu_count()}", f"BUILD={tmp_path}", f"NEWLIB={TREE}/build/newlib/x86_64-elf", "image", *more)
    assert (tmp_path / "other.efi").read_bytes() != (tmp_path / "barewire.efi").read_bytes()
    for name in ("barewire.elf", "barewire.efi", "barewire.iso"):
        with open(os.path.join(TREE, "build", name), "rb") as f:
            assert (tmp_path / name).read_bytes() == f.read(), name
