# A small Linux userland as an initramfs: busybox, programs of this machine with their libraries, an init script.
import os
import re
import subprocess

BUSYBOX = "/bin/busybox"


def libraries(program):
    """What a program is linked with, by ldd."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+) \(0x", said)


def entry(name, data, mode, number):
    """One file in the "new ASCII" form of cpio (Linux, Documentation/driver-api/early-userspace)."""
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + "".join(f"{f:08x}" for f in fields).encode() + name.encode() + b"\0"
    return pad(head) + pad(data)


def pad(data):
    return data + bytes(-len(data) % 4)


def build(path, init, programs=(), files=()):
    """Writes it; init: a script for busybox's sh. programs, files: of this machine, which keep their paths,
    or (path here, path there)."""
    wanted = {"/bin/busybox": BUSYBOX}
    for program in programs:
        wanted.update({p: p for p in (program, *libraries(program))})
    wanted.update(f[::-1] for f in files)
    folders = {f"/{name}" for name in ("proc", "sys", "dev", "tmp")}
    for there in wanted:
        while (there := os.path.dirname(there)) != "/":
            folders.add(there)
    parts = [(folder, b"", 0o40755) for folder in sorted(folders)]
    for there, here in wanted.items():
        with open(here, "rb") as f:
            parts.append((there, f.read(), 0o100755))
    parts += [("/bin/sh", b"/bin/busybox", 0o120777), ("/init", init.encode(), 0o100755)]
    with open(path, "wb") as f:
        for number, (name, data, mode) in enumerate(parts, 1):
            f.write(entry(name[1:], data, mode, number))
        f.write(entry("TRAILER!!!", b"", 0, 0))
