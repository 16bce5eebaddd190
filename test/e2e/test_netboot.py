# Configuration over the network: autoload at boot by name, save and load; and every way of network boot.
import contextlib
import os
import re
import signal
import subprocess
import tempfile

import pytest
from labkit import hosts, serve
from labkit.place import TREE, end_process
from patience import wait_for
from router import running

LONG = bool(os.environ.get("LONG"))

OWN = "set interfaces eth0 address 10.0.0.1/24\nset interfaces eth1 address 10.0.1.1/24\n"
ASK = "config=tftp://10.0.0.2/rack ip=10.0.0.9/255.255.255.0 gw=10.0.0.2 if=" + hosts.router_mac(0)
BY_MAC = hosts.router_mac(0).replace(":", "-") + ".conf"


@contextlib.contextmanager
def folder(**files):
    """A folder that a TFTP server may write to, with these files in rack/."""
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        os.mkdir(os.path.join(root, "rack"))
        for name, text in files.items():
            with open(os.path.join(root, "rack", name), "w", encoding="ascii") as f:
                f.write(text)
        yield root


def named(name):
    return OWN + f"set system hostname {name}\n"


def booted(root, **options):
    options.setdefault("append", ASK)
    return running(tftp=root, no_config=True, **options)


def test_by_mac_then_save_and_load():
    files = {BY_MAC: named("mac"), "serial-7.conf": named("serial"), "default.conf": named("default")}
    with folder(**files) as root, booted(root) as lab:
        assert "mac> " in lab.serial_log()
        assert "configuration: tftp://10.0.0.2/rack/" + BY_MAC in lab.serial_log()
        assert lab.ping(0, "10.0.1.2")  # the temporary address and its route are gone
        assert "10.0.0.9" not in lab.cli("show configuration")
        assert lab.json("show commits")["commits"][0]["by"] == "autoload"

        lab.cli("set interfaces eth1 description \"two  blanks\"", "commit")
        assert lab.cli("save tftp://10.0.0.2/rack/saved.conf") == ""
        shown = lab.cli("show configuration")
        with open(os.path.join(root, "rack", "saved.conf"), encoding="ascii") as f:
            saved = f.read()
        assert saved.startswith("# mac, barewire ") and saved.partition("\n")[2] == shown + "\n"

        lab.cli("delete interfaces eth1 description", "set system hostname other")
        assert lab.cli("load replace tftp://10.0.0.2/rack/saved.conf") == ""
        assert lab.cli("compare") == ""
        with open(os.path.join(root, "rack", "bad.conf"), "w", encoding="ascii") as f:
            f.write("set system hostname x\nset interfaces eth0 adress 10.0.0.1/24\n")
        assert "line 2" in lab.error("load tftp://10.0.0.2/rack/bad.conf")
        assert "not found" in lab.error("load tftp://10.0.0.2/rack/none.conf").lower()
        assert "tftp" in lab.error("load tftp://10.0.0.2/")
        assert "port unreachable" in lab.error("save tftp://10.0.1.2/x.conf")
        assert lab.cli("compare") == ""


def test_by_serial_number():
    files = {"serial-7.conf": named("serial"), "default.conf": named("default")}
    with folder(**files) as root, booted(root, qemu="-smbios type=1,serial=serial-7") as lab:
        assert "serial> " in lab.serial_log()


def test_default_in_place_of_a_boot_module():
    """A long file, on one core; the module's address is there before."""
    routes = "".join(f"set routes 198.18.{i}.0/24 blackhole\n" for i in range(256))
    with folder(**{"default.conf": named("default") + routes}) as root, \
            running(tftp=root, cores=1, append="config=tftp://10.0.0.2/rack", config=named("module")) as lab:
        assert "default> " in lab.serial_log()
        assert "bytes, in place of " in lab.serial_log()
        assert len(lab.cli("show configuration").splitlines()) == 3 + 256


@pytest.mark.parametrize("text, line", [
    (None, "error: autoload: tftp://10.0.0.2/rack has none of " + BY_MAC + ", default.conf"),
    (OWN + "set rubbish\n", "error: autoload: tftp://10.0.0.2/rack/default.conf: line 3: "),
], ids=["no file", "a wrong line"])
def test_nothing_to_load(text, line):
    """The shell comes all the same, with the temporary address."""
    with folder(**({"default.conf": text} if text else {})) as root, booted(root, warm=False) as lab:
        assert line in lab.serial_log()
        assert "10.0.0.9/24" in lab.cli("show configuration")
        lab.wait_ping(0, "10.0.0.9")


def test_no_server():
    """No answer, and a host without a server."""
    for server, why in (("10.0.0.77", "10.0.0.77 does not answer"),
                        ("10.0.0.2", "10.0.0.2 has no TFTP server (port unreachable)")):
        with running(no_config=True, warm=False, append=ASK.replace("10.0.0.2/", server + "/")) as lab:
            assert f"error: autoload: tftp://{server}/rack/{BY_MAC}: {why}" in lab.serial_log()


def test_wrong_words():
    with running(no_config=True, warm=False, append="config=tftp://nowhere ip=10.0.0.9/24") as lab:
        assert "error: command line: config=tftp://nowhere is not understood" in lab.serial_log()
    with running(no_config=True, warm=False, append="ip=10.0.0.9/24 if=52:54:00:00:00:77") as lab:
        assert "error: command line: if=52:54:00:00:00:77: no such interface is driven" in lab.serial_log()


def test_process():
    """The same code as a Linux process."""
    with folder(**{"default.conf": named("default")}) as root, \
            running(hosted=True, tftp=root, process="--append 'config=tftp://10.0.0.2/rack'") as lab:
        assert "default> " in lab.serial_log()
        assert lab.cli("save tftp://10.0.0.2/rack/saved.conf") == ""
        with open(os.path.join(root, "rack", "saved.conf"), encoding="ascii") as f:
            assert named("default").splitlines()[0] in f.read()


# ---------------------------------------------------------------- ways of network boot

# (way, a NIC that only boots, or a DHCP server of the site's own): what `show version` calls it. `ipxe`: see
# the steps of the README.
WAYS = {
    ("pxe-uefi", None): "EFI",
    ("http-uefi", None): "EFI",
    ("pxe", None): "multiboot1",
    ("ipxe-uefi", None): "EFI",
    ("ipxe", "e1000"): "multiboot1",
    ("ipxe-uefi", "e1000"): "EFI",
    ("pxe", "site"): "multiboot1",
    ("pxe-uefi", "site"): "EFI",
    ("http-uefi", "site"): "EFI",
}
SHORT = [("pxe-uefi", None), ("http-uefi", None)]


@pytest.mark.parametrize("way, more", [w for w in WAYS if LONG or w in SHORT])
def test_network_boot(way, more):
    nic = None if more == "site" else more
    options = {"site_dhcp": True} if more == "site" else {"boot_nic": nic} if nic else {}
    with running(boot=way, append="panic=reboot", **options) as lab:
        assert lab.ping(0, "10.0.1.2")
        version = lab.cli("show version")
        assert f"booted by: {WAYS[way, more]}" in version and "panic=reboot" in version
        assert len(lab.json("show cores")["cores"]) == 2
        by = lab.json("show commits")["commits"][0]["by"]
        assert by == ("boot module" if nic else "autoload")


def readme_steps(**names):
    """The commands of README's section, with the names of its example replaced."""
    with open(os.path.join(TREE, "README.md"), encoding="utf-8") as f:
        section = f.read().split("## PXE-boot a rack\n")[1].split("\n## ")[0]
    steps = re.findall(r"^    (.+)$", section, re.MULTILINE)
    for name, value in names.items():
        steps = [re.sub(rf"\b{name}\b", value, step) for step in steps]
    return steps


def end_members(lab, host):
    def members():
        return [int(w) for w in hosts.ip("netns", "pids", lab.place.namespace(host)).split()]
    for pid in members():
        end_process(pid, lambda: pid in members())


def test_steps_of_the_readme(tmp_path):
    """A machine that has booted by iPXE on BIOS boots again, from servers set up as the README says: beside a
    DHCP server of the site's, and alone."""
    mac = hosts.router_mac(0).replace(":", "-")
    *steps, alone, beside = readme_steps(eth1="p0", rack=str(tmp_path / "rack"), **{"52-54-00-12-34-56": mac})
    with running(boot="ipxe", ports=1, warm=False, site_dhcp=True) as lab:
        assert "autoload" in lab.cli("show commits")
        end_members(lab, 0)
        for step in steps:
            subprocess.run(step, shell=True, check=True, cwd=TREE, stdout=subprocess.DEVNULL)
        for server in beside, alone:
            before = len(lab.serial_log())
            boot_again(lab, server, tmp_path)
            log = lab.serial_log()[before:]
            assert "r1> " in log and "autoload: asking tftp://10.0.0.2/configs" in log
            assert lab.ping(0, "10.0.0.1")
            end_members(lab, "site")


def start(lab, command, log):
    with open(log, "w", encoding="utf-8") as f:
        return subprocess.Popen(["/bin/sh", "-c", "exec " + command], cwd=TREE, stdout=f, stderr=f,
                                preexec_fn=lambda: hosts.enter(lab.place.namespace(0)))


def boot_again(lab, command, folder):
    """The router restarts while the server runs, which ends on Ctrl-C and leaves nothing."""
    log = folder / "pxe.log"
    process = start(lab, command, log)
    try:
        wait_for("the server", lambda: "serves" in log.read_text())
        serve.wait_port(lab.place.namespace(0), 69)
        before = len(lab.serial_log())
        with lab.console() as console:
            console.until(lambda text: "reboot\r\n" in text, console.send(b"reboot\r"), 60)
        wait_for("the next boot", lambda: re.search(
            r"barewire: ready in [\s\S]*> $", lab.serial_log()[before:]), 150)
        tree = re.search(r"TFTP root is (\S+)", log.read_text()).group(1)
        assert os.path.isdir(tree)
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(30)
    assert status == 0
    assert not os.path.exists(os.path.dirname(tree))
