# Drivers of the 82599 that nobody here wrote, unmodified, against the model: Linux's and iPXE's. If they get on
# with it, it is not only our reading of the datasheet; what they are blamed for is a wrong rule.
import os
import re
import subprocess

import foreign
import initramfs
import pytest
from labkit import hosts
from labkit.place import TREE
from switch import Switch

LINUX = os.path.join(TREE, "build/linux-guest")
IPXE = "/usr/lib/ipxe/ipxe.lkrn"
IPERF = "/usr/bin/iperf3"

LONG = bool(os.environ.get("LONG"))
# 82599 with an SFP+ module, X540, 82599 at a backplane. X550 is not among them: there Linux reads the EEPROM by
# firmware, which the model has not.
CARDS = ["device=10fb,media=sfp", "device=1528,media=base-t", "device=10f7,media=kx4"]

INIT = """#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc none /proc; mount -t sysfs none /sys; mount -t devtmpfs none /dev
step() {{ echo "== $*"; }}
for m in {modules}; do insmod /lib/$m; done
ip link set lo up
ready() {{
        for i in $(seq 100); do [ "$(cat /sys/class/net/eth0/carrier 2>/dev/null)" = 1 ] && return; usleep 50000; done
}}
# Behind a reset the driver may say that there is a link a moment before frames pass.
heard() {{ for i in $(seq 20); do ping -c 1 -W 1 $1 > /dev/null && return; done }}
up() {{ ip link set eth0 up; ready; ip address replace 10.0.0.1/24 dev eth0; }}
[ -e /sys/class/net/eth0 ] || {{ dmesg | grep ixgbe; step end; poweroff -f; }}
up
step link $(cat /sys/class/net/eth0/speed) $(cat /sys/class/net/eth0/address)
ping -c 5 -i 0.2 -w 10 10.0.0.2
ping -c 2 -s 1472 -w 10 10.0.0.2
carry() {{ # the server takes its time between two
        for i in $(seq 20); do iperf3 -c 10.0.0.2 -P 4 -n 24M -f m "$@" && return; usleep 200000; done
}}
step send; carry
step receive; carry -R
step again; ip link set eth0 down; up
heard 10.0.0.2
ping -c 2 -w 10 10.0.0.2
step jumbo; ip link set eth0 mtu 9000
ready
heard 10.0.0.2
ping -c 2 -s 8972 -w 10 10.0.0.2
step vlan; ip link set eth0 mtu 1500
ip link add link eth0 name v7 type vlan id 7; ip link set v7 up; ip address add 10.7.0.1/24 dev v7
ready
heard 10.7.0.2
ping -c 2 -w 10 10.7.0.2
step interrupts; grep -c eth0-TxRx /proc/interrupts
for i in rx_packets tx_packets rx_errors tx_errors rx_dropped tx_dropped; do echo $i $(cat /sys/class/net/eth0/statistics/$i); done
step warnings; dmesg | grep -E 'WARNING|BUG|Tx Unit Hang|Reset adapter|Hardware Error'
step end
poweroff -f
"""


def modules():
    with open(os.path.join(LINUX, "modules"), encoding="ascii") as f:
        return f.read().split()


@pytest.fixture
def linux(tmp_path):
    foreign.need_qemu()
    if not os.path.exists(os.path.join(LINUX, "modules")):
        pytest.skip("no Linux for a guest (tools/setup --qemu-vfio-user)")
    initrd = str(tmp_path / "initrd")
    initramfs.build(initrd, INIT.format(modules=" ".join(modules())), [IPERF],
                    [(os.path.join(LINUX, m), f"/lib/{m}") for m in modules()])
    return ["-kernel", os.path.join(LINUX, "vmlinuz"), "-initrd", initrd,
            "-append", "console=ttyS0 quiet loglevel=4 panic=-1"]


@pytest.mark.parametrize("card", [c for c in CARDS if LONG or "kx4" not in c])
def test_linux(linux, card):
    """Linux's ixgbe: link, echoes, TCP both ways by several queues and their interrupts, jumbo frames, VLANs."""
    with foreign.running(linux, card=card) as machine:
        namespace = machine.place.namespace(0)
        hosts.must(hosts.run_inside(namespace, "ip", "link", "set", "p0", "mtu", "9000"))
        server = subprocess.Popen([IPERF, "-s"], stdout=subprocess.DEVNULL, preexec_fn=lambda: hosts.enter(namespace))
        switch = Switch(machine.lab)
        try:
            switch.add(7, ["10.7.0.2/24"], [])
            switch.start()
            text = machine.wait_said(lambda said: "== end" in said and said, 150)
        finally:
            switch.close()
            server.kill()
            server.wait()
    steps = dict(re.findall(r"^== (\w+) ?(.*?)(?=^== |\Z)", text, re.MULTILINE | re.DOTALL))
    assert steps.get("link", "").startswith("10000 52:54:00:00:00:00"), text
    assert "5 packets received" in steps["link"] and "2 packets received" in steps["link"], text
    for way in ("send", "receive"):
        rates = re.findall(r"\[SUM\].* ([\d.]+) Mbits/sec.*receiver", steps[way])
        assert rates and float(rates[0]) > 1, text
        print(f"figure: Linux's ixgbe, {card}, {way}s {rates[0]} Mbit/s")
    for step in ("again", "jumbo", "vlan"):
        assert "2 packets received" in steps[step], text
    lines = steps["interrupts"].strip().split("\n")
    assert int(lines[0]) >= 2, "a queue for each core"
    counts = dict(line.split() for line in lines[1:] if line)
    assert all(int(counts[name]) == 0 for name in counts if "err" in name), text
    assert steps["warnings"].strip() == "", text


def test_ipxe():
    """iPXE's intelx: DHCP, and TFTP of the whole image; that takes the card over and loads its configuration."""
    with foreign.running(["-kernel", IPXE], serve="set interfaces eth0 address 10.0.0.1/24\n") as machine:
        machine.wait_said(lambda said: "configuration: tftp://10.0.0.2/configs/default.conf" in said, 100)
        machine.lab.wait_ping(0, "10.0.0.1")
        text = machine.said()
    assert re.search(r"net0: 52:54:00:00:00:00 using 82599", text), text
    # SeaBIOS, which prints for iPXE, holds the last character back until the next one or a timer's tick: of the "ok"
    # behind the name the router's start may cut off the rest.
    loaded = text.split("tftp://10.0.0.2/barewire.elf...", 1)
    assert len(loaded) == 2 and re.search(r"^barewire \w+ \(multiboot1", loaded[1], re.MULTILINE), text
