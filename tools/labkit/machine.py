# QEMU: its command line, its start, and its control socket (QMP).
import json
import os
import re
import shlex
import socket
import subprocess
import time

from . import hosts, ixgbe, netboot
from .place import TREE, LabError
from .serve import commands_missing

QEMU = "qemu-system-x86_64"
IMAGE = os.path.join(TREE, "build/barewire.elf")
# HOSTNAME> or HOSTNAME*> at the very end of what has been received.
PROMPT = re.compile(r"(?:^|[\r\n])[A-Za-z0-9][A-Za-z0-9.-]{0,62}\*?> $")
READY = re.compile(r"barewire: ready in [^\r\n]+")
# Firmware that is through in a tenth of a second; it leaves BARs to the router.
QBOOT = "/usr/share/qemu/qboot.rom"
# -cpu host fails where the hypervisor lacks IA32_ARCH_CAPABILITIES; the router does not read it.
# Where a hypervisor filters CPUID at CPL 0 alone, the router finds AVX-512 all the same, at CPL 3.
ACCEL = {
    "tcg": ["-accel", "tcg,thread=multi", "-cpu", "max"],
    "kvm": ["-accel", "kvm", "-cpu", "host,arch-capabilities=off"],
}


def huge_pages_free():
    """MiB of huge pages of 2 MiB that nobody has or has reserved."""
    counts = {}
    with open("/proc/meminfo", encoding="ascii") as f:
        for line in f:
            name, value = line.split(":")
            counts[name] = int(value.split()[0])
    if counts.get("Hugepagesize") != 2048:
        return 0
    return 2 * (counts["HugePages_Free"] - counts["HugePages_Rsvd"])


def memory_arguments(accel, options):
    """
    The machine, on huge pages where there are enough: only under KVM do they matter. A back end of
    vhost-user has the memory as well, and so have cards behind vfio-user.
    """
    if ixgbe.ports(options):
        return ["-M", options.machine + ",memory-backend=ram", *ixgbe.memory_arguments(options.mem)]
    huge = accel == "kvm" and huge_pages_free() >= options.mem
    if "memory-backend" in options.qemu or not (huge or options.net == "vhost-user"):
        return ["-M", options.machine]
    return ["-M", options.machine + ",memory-backend=ram", "-object",
            f"memory-backend-memfd,id=ram,size={options.mem}M,share=on"
            + (",hugetlb=on,hugetlbsize=2M" if huge else "")]


def base_arguments(accel, options):
    """A machine with nothing to boot."""
    command = ixgbe.qemu_command() if ixgbe.newer_qemu(options) else [QEMU]
    return [*command, "-nodefaults", "-no-user-config", "-display", "none", "-vga", "none",
            "-monitor", "none", *memory_arguments(accel, options), *ACCEL[accel],
            "-smp", str(options.cores), "-m", f"{options.mem}M"]


def bios_arguments(bios):
    return ["-bios", bios] if bios else []


def kernel_arguments(accel, options, append, module):
    """QEMU as the loader, and its modules."""
    bios = options.bios or (QBOOT if accel == "kvm" and os.path.exists(QBOOT) else None)
    words = ["-kernel", options.image, *bios_arguments(bios)]
    if append:
        words += ["-append", append]
    if module:
        words += ["-initrd", module]
    return words


def common_arguments(accel, options, append, module):
    return base_arguments(accel, options) + kernel_arguments(accel, options, append, module)


def tap_arguments(i, fds):
    """A tap with a descriptor for each queue."""
    tap = f"fd={fds[0]}" if len(fds) == 1 else "fds=" + ":".join(map(str, fds))
    return ["-netdev", f"tap,id=n{i},{tap},vhost=off"]


def socket_arguments(i, options):
    return ["-chardev", f"socket,id=c{i},path={os.path.join(options.sockets, str(i))}",
            "-netdev", f"vhost-user,id=n{i},chardev=c{i},queues={options.queues}"]


def virtio_arguments(i, options):
    """The router uses no interrupts: no vectors, for which vhost-user would have none to give."""
    extra = "".join((",mq=on,vectors=0" if options.queues > 1 else "",
                     ",rss=on" if options.rss else "", ",packed=on" if options.packed else "",
                     f",addr={ixgbe.slot(options, i)}" if ixgbe.newer_qemu(options) else ""))
    return ["-device", f"virtio-net-pci,netdev=n{i},id=port{i},mac={hosts.router_mac(i)},"
            f"disable-legacy=on,rx_queue_size=1024{netboot.port_words(i, options)}{extra}"]


def port_arguments(place, i, options, taps):
    if ixgbe.kind(options, i) == "ixgbe":
        return ixgbe.port_arguments(place, options, i)
    behind = socket_arguments(i, options) if options.net == "vhost-user" else tap_arguments(i, taps[i])
    return behind + (ixgbe.igb_arguments(options, i) if ixgbe.kind(options, i) == "igb" else virtio_arguments(i, options))


def start(place, options, accel, taps, boot):
    """Starts QEMU for the lab; `boot`: arguments for what it is to boot. Returns the process and the
    time of its start."""
    words, cards = base_arguments(accel, options) + boot, ixgbe.ports(options)
    words += ["-name", f"barewire-{place.tag}",
              "-chardev", f"socket,id=serial,path={place.path('serial')},server=on,wait=off,"
              f"logfile={place.path('serial.log')}",
              "-serial", "chardev:serial",
              "-qmp", f"unix:{place.path('qmp')},server=on,wait=off"]
    for i in range(options.ports):
        words += port_arguments(place, i, options, taps)
    words += netboot.extra_nic(options, taps[-1]) if options.boot_nic else []
    words += shlex.split(options.qemu)
    with open(place.path("qemu.log"), "w", encoding="utf-8") as log:
        begin = time.monotonic()
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   pass_fds=sum((t for i, t in enumerate(taps) if i not in cards), []),
                                   start_new_session=True,
                                   preexec_fn=place.write_pid)
    return process, begin


def read_text(path):
    try:
        with open(path, "rb") as f:
            return f.read().decode("utf-8", "replace")
    except OSError:
        return ""


def wait_prompt(place, process, timeout_s, firmware):
    """
    Waits until the shell's prompt stands in the serial log; returns the log. Firmware has shells with such
    prompts, too: then the router must have said before that it is ready.
    """
    end = time.monotonic() + timeout_s
    while True:
        text = read_text(place.path("serial.log"))
        if PROMPT.search(text) and (not firmware or READY.search(text)):
            return text
        if process.poll() is not None:
            raise LabError(f"the router ended with status {process.returncode} before the prompt")
        if time.monotonic() > end:
            raise LabError(f"no prompt within {timeout_s:g} s")
        time.sleep(0.01)


def last_words(place, lines=25):
    """What QEMU and the router said last, for a person to read after a failure."""
    text = ""
    for name, title in (("nics.log", "cards"), ("qemu.log", "errors"), ("serial.log", "serial")):
        tail = read_text(place.path(name)).replace("\r", "").splitlines()[-lines:]
        if tail:
            text += f"--- {title}, last lines:\n" + "\n".join(tail) + "\n"
    return text


class Qmp:
    """One command at a time over QEMU's control socket."""

    def __init__(self, place, timeout_s=10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        try:
            self.socket.connect(place.path("qmp"))
            self.file = self.socket.makefile("rw", encoding="utf-8")
            self.file.readline()  # greeting
            self.run("qmp_capabilities")
        except OSError as e:
            raise LabError(f"lab {place.name}: QEMU does not answer ({e})") from None

    def run(self, command, **arguments):
        self.file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.file.flush()
        for line in self.file:
            reply = json.loads(line)
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise LabError(f"QEMU: {reply['error'].get('desc')}")
        raise LabError("QEMU closed its control socket")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def set_link(place, port, up):
    """Pulls or plugs the cable of a router port, as QEMU sees it."""
    with Qmp(place) as qmp:
        qmp.run("set_link", name=f"port{port}", up=up)


def rights_missing():
    """What an ordinary user lacks to make or reach namespaces, or []."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as f:
        capabilities = int(re.search(r"CapEff:\s*([0-9a-f]+)", f.read()).group(1), 16)
    if capabilities >> 12 & 1 and capabilities >> 21 & 1:
        return []
    return ["root (CAP_NET_ADMIN and CAP_SYS_ADMIN, for network namespaces)"]


def environment_missing(image):
    """What keeps a lab from starting, each in a few words; [] when nothing does."""
    missing = rights_missing()
    if not os.path.exists("/dev/net/tun"):
        missing.append("/dev/net/tun (kernel module tun)")
    elif not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        missing.append("access to /dev/net/tun")
    missing += commands_missing((QEMU, "qemu-system-x86"), ("ip", "iproute2"),
                                ("ethtool", "ethtool"))
    if not os.access(image, os.R_OK):
        missing.append(f"the image {image} (make)")
    return missing
