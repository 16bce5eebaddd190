# Part B of `make bench-peers`: the generator on one core, a router on the other, vhost-user between them.
#
# The generator (tools/pktgen) is the server on two sockets. At saturation it fills every receive buffer
# that is offered and verifies every frame that comes back; what counts is what it received. All
# routers get the same work: 64-byte packets into both ports, each flow's destination drawn from
# all routes, MAC addresses and next hops the same.
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import types

from labkit import machine

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
SMALL, LARGE = "2", "1m"  # folders of routes
FLOWS = {SMALL: 2048, LARGE: 1 << 19}  # of each port
MEMORY_MIB = {SMALL: 512, LARGE: 1024}  # ours
DPDK_MIB = 320
READY_S = 60
HOST_MAC, ROUTER_MAC = "02:01:01:01:01:0{}", "02:01:01:01:02:0{}"
SPLIT, PACKED = "split", "packed"
# What makes DPDK's virtio-user fastest with either kind of ring: of all its ways those in vectors.
VIRTIO_USER = {SPLIT: "mrg_rxbuf=0,in_order=0,vectorized=1", PACKED: "packed_vq=1,mrg_rxbuf=0,in_order=1,vectorized=1"}

# The control core may sleep: see Hosted.
INTERFACES = "set system idle relaxed\n" + "".join(f"set interfaces eth{i} address 10.0.{i}.1/24\n" for i in range(2))
ROUTES = "".join(f"set routes 198.18.{i}.0/24 via 10.0.{i}.2\n" for i in range(2))


class BenchError(Exception):
    """Why a launch is worth nothing."""


class WrongPackets(Exception):
    """The generator saw packets that were not as a router must send them."""


def wrong(report):
    every = report["all"]
    return every["faulty"] + every["duplicate"] + every["too_late"] + report["corrupt"]


def wait_until(what, ready, process, seconds=READY_S):
    end = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None:
            raise BenchError(f"{what}: ended with status {process.returncode}")
        if time.monotonic() > end:
            raise BenchError(f"{what}: not within {seconds} s")
        time.sleep(0.01)


class Router:
    """What forwards, between rings of one kind."""

    way = "gateway 10.0.{}.1"  # how the generator learns the MAC addresses of its ports

    def __init__(self, bench, table, rings):
        self.bench, self.table, self.rings = bench, table, rings
        self.place = bench.folder / table

    def scenario(self, folder):
        """The generator's lines."""
        lines, without = [], "" if self.rings == PACKED else "without packed"
        for i in range(2):
            lines.append(f"port {i} socket {folder}/{i} {without} mac {HOST_MAC.format(i)} "
                         f"address 10.0.{i}.2/24 {self.way.format(i)}")
            lines.append(f"stream {i} from {i} routes {self.place / 'offered.routes'} flows {FLOWS[self.table]} size 64")
        return "\n".join(lines) + "\n"

    def words(self, folder):
        raise NotImplementedError

    def started(self, folder, process):
        """Called once it runs."""

    @contextlib.contextmanager
    def running(self, folder):
        with open(folder / "log", "wb") as log:
            process = self.bench.start(self.words(folder), log)
        try:
            self.started(folder, process)
            yield process
        finally:
            process.kill()
            process.wait()


class Hosted(Router):
    """
    The process: its worker has the router's core. The control core, which DPDK's router does not have, is
    a thread of the least priority there, so that it costs the router what it costs and the
    generator nothing.
    """

    def started(self, folder, process):
        wait_until("its console", (folder / "console").exists, process)
        text = ""
        with socket.socket(socket.AF_UNIX) as console:
            console.settimeout(READY_S)
            try:
                console.connect(str(folder / "console"))
                console.sendall(b"\r")
                while not machine.PROMPT.search(text):
                    data = console.recv(4096).decode("utf-8", "replace")
                    if not data:
                        raise BenchError("the router closed its console")
                    text += data
            except OSError as e:
                raise BenchError(f"no prompt: {e}") from None
        self.place_control(process.pid)

    def place_control(self, thread):
        os.sched_setaffinity(thread, {self.bench.cores[1]})
        os.setpriority(os.PRIO_PROCESS, thread, 19)

    def configuration(self, folder):
        """Files: the configuration, and where there are many routes these."""
        path = folder / "config"
        path.write_text(INTERFACES + (ROUTES if self.table == SMALL else ""))
        return path, None if self.table == SMALL else self.place / "ours.routes"

    def words(self, folder):
        config, routes = self.configuration(folder)
        cores = f"{self.bench.cores[0]},{self.bench.cores[1]}"
        words = [TREE / "build/barewire", "--cores", cores, "--mem", MEMORY_MIB[self.table],
                 "--config", config, "--console", f"unix:{folder}/console"]
        for i in range(2):
            words += ["--port", f"vhost-user:{folder}/{i}"]
        return words + (["--routes", routes] if routes else [])


class L3fwd(Router):
    way = f"router {ROUTER_MAC}"  # it asks nobody and answers nobody

    def words(self, folder):
        core = self.bench.cores[1]
        memory = ["--in-memory", "--single-file-segments"] if self.bench.huge else ["--in-memory", "--no-huge"]
        words = [TREE / "build/peers/dpdk-build/examples/dpdk-l3fwd", "-l", core, *memory, "-m", DPDK_MIB,
                 "--no-pci", "--no-telemetry", "--force-max-simd-bitwidth=512"]
        for i in range(2):
            words += ["--vdev", f"net_virtio_user{i},path={folder}/{i},mac={ROUTER_MAC.format(i)},"
                      f"queue_size=1024,{VIRTIO_USER[self.rings]}"]
        return words + ["--", "-p", "3", "--parse-ptype", "--config", f"(0,0,{core}),(1,0,{core})", "--lookup=lpm",
                        "--rx-queue-size=1024", "--tx-queue-size=1024",
                        f"--rule_ipv4={self.place / 'l3fwd.routes'}", f"--rule_ipv6={self.place / 'l3fwd.routes6'}",
                        *(f"--eth-dest={i},{HOST_MAC.format(i)}" for i in range(2))]


def machine_options(mib):
    """What tools/lab would ask of QEMU, with memory that the generator can share."""
    return types.SimpleNamespace(image=machine.IMAGE, machine="q35,memory-backend=m", cores=2, mem=mib, bios=None, net="tap",
                                 qemu="memory-backend")


class Image(Hosted):
    """The image in QEMU under KVM; the control core's CPU as the process's control thread."""

    def words(self, folder):
        config, routes = self.configuration(folder)
        modules = [str(config)]
        if routes:
            shutil.copy(routes, folder / "table.routes")
            modules.append(str(folder / "table.routes"))
        mib = MEMORY_MIB[self.table]
        words = machine.common_arguments("kvm", machine_options(mib), "", ",".join(modules))
        words += ["-object", f"memory-backend-memfd,id=m,size={mib}M,share=on"
                  + (",hugetlb=on,hugetlbsize=2M" if self.bench.huge else "")]
        for i in range(2):
            words += ["-chardev", f"socket,id=c{i},path={folder}/{i}",
                      "-netdev", f"vhost-user,id=n{i},chardev=c{i}", "-device",
                      f"virtio-net-pci,netdev=n{i},mac={ROUTER_MAC.format(i)},disable-legacy=on,romfile=,"
                      f"rx_queue_size=1024,tx_queue_size=1024,packed={'on' if self.rings == PACKED else 'off'}"]
        return words + ["-serial", f"file:{folder}/console", "-qmp", f"unix:{folder}/qmp,server=on,wait=off"]

    def started(self, folder, process):
        wait_until("QEMU", (folder / "qmp").exists, process)
        with machine.Qmp(types.SimpleNamespace(name="bench", path=lambda name: str(folder / name))) as qmp:
            control, worker = (cpu["thread-id"] for cpu in qmp.run("query-cpus-fast"))
        os.sched_setaffinity(worker, {self.bench.cores[1]})
        os.sched_setaffinity(control, {self.bench.cores[0]})
        wait_until("the image", lambda: machine.PROMPT.search(machine.read_text(folder / "console")), process)
        self.place_control(control)


def write_offered(place):
    """The routes that are sent to: none that a router may refuse as martian, nor its ports' networks."""
    with open(place / "ours.routes", encoding="ascii") as routes, \
            open(place / "offered.routes", "w", encoding="ascii") as offered:
        for line in routes:
            first = int(line.partition(".")[0])
            if first not in (0, 10, 127) and first < 224:
                offered.write(line)


class Bench:
    """Where and how routers and generator are launched."""

    def __init__(self, folder, seconds, nice, huge):
        self.folder, self.seconds, self.nice, self.huge = folder, seconds, nice, huge
        allowed = sorted(os.sched_getaffinity(0))
        if len(allowed) < 2:
            raise BenchError("two cores are wanted")
        self.cores = allowed[:2]  # the generator's, the router's
        for table in (SMALL, LARGE):
            write_offered(folder / table)

    def start(self, words, log):
        """A process in a session of its own, whose priority against other sessions is nice's."""
        def begin():
            with contextlib.suppress(OSError):
                pathlib.Path("/proc/self/autogroup").write_text(str(self.nice), encoding="ascii")
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, 0, self.nice)
        return subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=log,
                                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=begin)

    def generator(self, folder, router, command):
        (folder / "scenario").write_text(router.scenario(folder), encoding="ascii")
        return [TREE / "build/pktgen", "-f", folder / "scenario", "-c", self.cores[0], "-j", folder / "json",
                "--wait", READY_S, *command]

    def launch(self, router, command, seconds):
        """What the generator reports of a command that it should be done with in so many seconds."""
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = pathlib.Path(name)
            with open(folder / "said", "wb") as said:
                generator = self.start(self.generator(folder, router, command), said)
            try:
                wait_until("pktgen", (folder / "1").exists, generator)
                with router.running(folder) as process:
                    wait_until("router", lambda: generator.poll() is not None, process, READY_S + seconds)
            except BenchError as e:
                raise BenchError(f"{e}\n{self.words_of(folder)}") from None
            finally:
                generator.kill()
                generator.wait()
            report = (folder / "json").read_text()
            if not report:
                raise BenchError(f"pktgen: status {generator.returncode}\n{self.words_of(folder)}")
            return json.loads(report)

    def saturate(self, router):
        """The report of a launch in which as much is offered as is taken, and all that came back was right."""
        command = ["--warmup", "0.3", "--time", self.seconds, "run"]
        result = self.launch(router, command, 30 + 2 * self.seconds)
        if wrong(result):
            raise WrongPackets(f"{type(router).__name__}, {router.rings} rings, {router.table} routes: {result['all']}")
        if result["interrupted"] or not result["all"]["received"]:
            raise BenchError("pktgen received nothing")
        return result

    @staticmethod
    def words_of(folder):
        return "".join(f"--- {name}\n{(folder / name).read_text(errors='replace')[-1500:]}\n"
                       for name in ("said", "log", "console") if (folder / name).is_file())
