# Ways to boot a lab's router: what QEMU is given, and how the configuration gets to the kernel.
import os
import shutil
import subprocess
from typing import Callable, NamedTuple

from . import machine, netboot
from .place import TREE, LabError

OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"
MKISO = os.path.join(TREE, "tools/mkiso")
# GRUB's tools, by mkiso; a file is as good as a command to tell whether a package is there.
GRUB_NEEDS = (("grub-mkimage", "grub-common"), ("xorriso", "xorriso"), ("mformat", "mtools"),
              ("/usr/lib/grub/i386-pc/boot_hybrid.img", "grub-pc-bin"),
              ("/usr/lib/grub/x86_64-efi/multiboot2.mod", "grub-efi-amd64-bin"))
OVMF_NEEDS = ((OVMF, "ovmf"), (OVMF_VARIABLES, "ovmf"))


def modules(place, options):
    """(name the router is to see, path) of what goes to it beside the kernel, in order."""
    found = [] if options.no_config else [("barewire.conf", place.path("config"))]
    return found + ([("barewire.routes", place.path("table.routes"))] if options.routes else [])


def ovmf_arguments(place):
    """UEFI firmware; it writes to its variables, so that each machine has its own."""
    variables = place.path("ovmf-variables")
    shutil.copyfile(OVMF_VARIABLES, variables)
    return ["-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}",
            "-drive", f"if=pflash,format=raw,file={variables}"]


def kernel_arguments(place, options, accel):
    return machine.kernel_arguments(accel, options, options.append,
                                    ",".join(path for _, path in modules(place, options)))


def iso_arguments(place, options, _accel):
    iso = place.path("barewire.iso")
    words = [MKISO, options.image, iso, "--append", options.append]
    for name, path in modules(place, options):
        words += ["--config" if name.endswith(".conf") else "--routes", path]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LabError(done.stderr.strip())
    return machine.bios_arguments(options.bios) + ["-cdrom", iso]


def iso_uefi_arguments(place, options, accel):
    return ovmf_arguments(place) + iso_arguments(place, options, accel)


def uefi_arguments(place, options, _accel):
    """A folder that QEMU shows as a disk with a FAT volume: the application, its files beside it."""
    volume = place.path("esp")
    folder = os.path.join(volume, "EFI/BOOT")
    os.makedirs(folder)
    shutil.copyfile(options.image, os.path.join(folder, "BOOTX64.EFI"))
    for name, path in modules(place, options):
        shutil.copyfile(path, os.path.join(folder, name))
    if options.append:
        with open(os.path.join(folder, "barewire.cmdline"), "w", encoding="utf-8") as f:
            f.write(options.append + "\n")
    return ovmf_arguments(place) + ["-drive", f"format=raw,file=fat:rw:{volume}"]


def network_arguments(place, options, _accel):
    """A machine that has nothing but what it finds on the network of its first port."""
    netboot.start_server(place, options)
    return ovmf_arguments(place) + netboot.firmware_words(options) if netboot.is_uefi(options) else []


class Way(NamedTuple):
    image: str  # of --image's default, below build/
    arguments: Callable  # (place, options, accel) -> QEMU's arguments; may write to the place
    needs: tuple = ()  # (command or file, package) beyond what every lab needs
    timeout_s: float = 60  # for the prompt; firmware takes its time, and more where it is emulated
    firmware: bool = True  # what boots is firmware and a boot medium, not QEMU's own loader


WAYS = {
    "kernel": Way("barewire.elf", kernel_arguments, firmware=False),
    "pvh": Way("barewire-pvh.elf", kernel_arguments, firmware=False),
    "iso": Way("barewire.elf", iso_arguments, GRUB_NEEDS, 120),
    "iso-uefi": Way("barewire.elf", iso_uefi_arguments, GRUB_NEEDS + OVMF_NEEDS, 240),
    "uefi": Way("barewire.efi", uefi_arguments, OVMF_NEEDS, 240),
    "pxe": Way("barewire.elf", network_arguments, netboot.NEEDS, 240),
    "pxe-uefi": Way("barewire.efi", network_arguments, netboot.NEEDS + OVMF_NEEDS, 240),
    "ipxe": Way("barewire.elf", network_arguments, netboot.NEEDS, 240),
    "ipxe-uefi": Way("barewire.efi", network_arguments, netboot.NEEDS + OVMF_NEEDS, 240),
    "http-uefi": Way("barewire.efi", network_arguments, netboot.NEEDS + OVMF_NEEDS, 240),
}
HELP = """\
kernel: QEMU loads build/barewire.elf (the default); pvh: build/barewire-pvh.elf; iso, iso-uefi: a CD
with GRUB, made for the lab, under SeaBIOS or OVMF; uefi: build/barewire.efi on a disk, under OVMF;
over the network, by tools/pxe in h0: pxe: a BIOS ROM loads undionly.kpxe, that the image; pxe-uefi:
OVMF loads ipxe.efi, that build/barewire.efi; ipxe, ipxe-uefi: the NIC's ROM is iPXE and loads either;
http-uefi: OVMF loads build/barewire.efi by HTTP"""


def complete(options):
    """Fills in what the way decides and nobody asked for."""
    way = WAYS[options.boot]
    options.image = options.image or os.path.join(TREE, "build", way.image)
    options.timeout = options.timeout or way.timeout_s
    return way


def missing(options):
    """Of what the way needs, what is not there, in words."""
    needs = WAYS[options.boot].needs
    return machine.commands_missing(*(n for n in needs if not n[0].startswith("/"))) + [
        f"{path} (package {package}: tools/setup --test)" for path, package in needs
        if path.startswith("/") and not os.access(path, os.R_OK)]
