# A VLAN switch that nobody here wrote: Open vSwitch in user space, in a namespace of the lab's.
import contextlib
import os
import shutil
import subprocess

from labkit import hosts
from patience import PATIENCE_S, wait_for

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
BRIDGE = "br0"


class OpenVSwitch:
    """Its two programs, with all their files in a folder of their own."""

    def __init__(self, namespace, folder):
        self.namespace, self.folder = namespace, folder
        self.database = f"unix:{self.path('db.sock')}"
        self.programs = []

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, ports):
        """ports: interface of the namespace -> its settings as ovs-vsctl wants them, like tag=10."""
        os.makedirs(self.folder, mode=0o700)
        hosts.must(self.run("ovsdb-tool", "create", self.path("conf.db"), SCHEMA))
        self.spawn("ovsdb-server", self.path("conf.db"), "--remote=p" + self.database,
                   f"--unixctl={self.path('db.ctl')}")
        wait_for("the switch's database", lambda: os.path.exists(self.path("db.sock")))
        self.set("init")
        self.spawn("ovs-vswitchd", self.database, f"--unixctl={self.path('switch.ctl')}")
        words = ["add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=netdev"]
        for port, settings in ports.items():
            words += ["--", "add-port", BRIDGE, port, *settings]
        self.set(*words)  # waits until the switch does so

    def stop(self):
        for program in reversed(self.programs):
            program.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                program.wait(PATIENCE_S)
            program.kill()
            program.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self):
        return {**os.environ, **{f"OVS_{d}DIR": self.folder for d in ("RUN", "LOG", "DB")}}

    def enter(self):
        hosts.enter(self.namespace)

    def run(self, *command):
        return subprocess.run(command, capture_output=True, text=True, check=False,
                              env=self.environment(), preexec_fn=self.enter)

    def set(self, *words):
        hosts.must(self.run("ovs-vsctl", f"--db={self.database}", f"--timeout={PATIENCE_S}",
                            *(["--no-wait"] if words == ("init",) else []), *words))

    def spawn(self, *command):
        with open(self.path("log"), "ab") as log:
            self.programs.append(subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=self.environment(), preexec_fn=self.enter))
