# Chooses between KVM and TCG by booting the image: some hypervisors offer a /dev/kvm that crawls.
import hashlib
import os
import select
import subprocess
import time

from . import ixgbe, machine
from .place import RUN

# An ordinary KVM shows the prompt within a second, and so does one that emulates kernel mode, as the
# router leaves that at once; on a busy host it takes some. An image that stays there takes minutes.
LIMIT_S = 10.0


def boots_under_kvm(options):
    """Whether the image reaches its prompt under KVM within the limit."""
    words = machine.common_arguments("kvm", options, "", None) + ["-serial", "stdio"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    text, end = "", time.monotonic() + LIMIT_S
    try:
        while not machine.PROMPT.search(text):
            left = end - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                return False
            data = os.read(process.stdout.fileno(), 4096)
            if not data:
                return False
            text += data.decode("utf-8", "replace")
        return True
    finally:
        process.kill()
        process.wait()


def verdict_path(image):
    """
    One verdict per image and boot of the host: what one image can, another may not. The folder
    /run does not outlive a boot, but may be copied.
    """
    name = hashlib.sha256(os.path.realpath(image).encode()).hexdigest()[:16]
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as f:
        return os.path.join(RUN, f".accel-{f.read().strip()}-{name}")


def choose(options, firmware):
    """
    tcg or kvm, and whether the choice is new and worth keeping once the lab is up. What a hypervisor
    makes of firmware is not tried.
    """
    if options.accel != "auto":
        return options.accel, False
    if firmware or ixgbe.newer_qemu(options) or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg", False
    try:
        with open(verdict_path(options.image), encoding="ascii") as f:
            word = f.read().strip()
        if word in machine.ACCEL:
            return word, False
    except OSError:
        pass
    return ("kvm" if boots_under_kvm(options) else "tcg"), True


def keep(verdict, image):
    with open(verdict_path(image), "w", encoding="ascii") as f:
        f.write(verdict + "\n")
