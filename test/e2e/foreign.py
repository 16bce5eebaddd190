# A machine with the model of Intel's card and software in it that nobody here wrote; at its cable a host as of a lab.
import contextlib
import os
import re
import subprocess
import time
import types

import pytest
from labkit import hosts, ixgbe, machine, netboot
from labkit.main import clear
from labkit.place import RUN, LabError
from router import Lab


def need_qemu():
    """Skips where set-up could not make it."""
    if not os.access(ixgbe.QEMU, os.X_OK):
        pytest.skip("no QEMU that speaks vfio-user (tools/setup --qemu-vfio-user)",
                    allow_module_level=True)


class Machine:
    """The card is at 10.0.0.0/24; the host there, 0 of a lab, is 10.0.0.2. Made by running()."""

    def __init__(self):
        self.lab = Lab()  # for its name, which the end of the session knows
        self.place = self.lab.place
        self.process = None

    def start(self, words, serve=None, card="", cores=2, mem=512):
        """serve: a configuration for barewire, which the host serves by tools/pxe; card: as ixgbe-sim has it."""
        options = types.SimpleNamespace(machine="q35,graphics=off", cores=cores, mem=mem, net="tap", qemu="", nic="ixgbe",
                                        ports=1, queues=1, cards=card, boot_nic=None, no_config=False, append="", boot="ipxe")
        os.makedirs(RUN, exist_ok=True)
        self.place.make()
        taps = [hosts.make(self.place, 0, lambda namespace: hosts.inside(namespace, hosts.open_tap, 1))]
        if serve:
            with open(self.place.path("config"), "w", encoding="ascii") as f:
                f.write(serve)
            netboot.start_server(self.place, options)
        ixgbe.start(self.place, options, taps, house=False)
        os.close(taps[0][0])
        words = [*machine.base_arguments("tcg", options), *words, "-no-reboot",
                 "-chardev", f"file,id=serial,path={self.place.path('serial.log')}", "-serial", "chardev:serial",
                 "-qmp", f"unix:{self.place.path('qmp')},server=on,wait=off", *ixgbe.port_arguments(self.place, options, 0)]
        with open(self.place.path("qemu.log"), "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=self.place.write_pid)

    def said(self):
        """What has come out of the serial line; what moves a terminal's cursor ends a line."""
        text = machine.read_text(self.place.path("serial.log"))
        return re.sub(r"\x1b(?:c|\[[?\d;]*[A-Zac-z])", "\n", text.replace("\r", ""))

    def wait_said(self, done, timeout_s):
        """Until done(what was said) is true of what has come out of the serial line."""
        end = time.monotonic() + timeout_s
        while not (found := done(self.said())):
            assert self.process.poll() is None and time.monotonic() < end, (
                self.said()[-3000:] + machine.read_text(self.place.path("qemu.log")) + ixgbe.said(self.place))
            time.sleep(0.05)
        return found


@contextlib.contextmanager
def running(words, **options):
    """QEMU with the words, serving a machine; at its end no rule of the card may have been broken."""
    need_qemu()
    m = Machine()
    try:
        m.start(words, **options)
        yield m
    except LabError as e:
        pytest.fail(str(e))
    finally:
        wrong = clear(m.place)
        if m.process:
            m.process.wait()
    assert not wrong, wrong
