# The router as a Linux process: its command line, its console, ports that lie beside ports that do not.
import json
import os
import re
import shutil
import subprocess
import tempfile

import pytest

from backend import Backend
from building import make, made
from labkit.place import TREE
from labkit.process import PROCESS
from patience import PATIENCE_S, wait_for
from router import Lab


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="bw-") as name:
        yield name


@pytest.fixture(name="hosted")
def hosted_lab():
    lab = Lab()
    yield lab
    lab.down()


def run(*words, text="poweroff\r", process=PROCESS):
    return subprocess.run([process, *words], input=text, capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False)


@pytest.mark.parametrize("words", [
    ["--port", "mem:0"], ["--port", "mem:17"], ["--port", "mem:9", "--port", "mem:8"],
    ["--port", "tap:x"], ["--port", "vhost-user:"], ["--port", "vhost-user:/x,what"],
    ["--port", "vhost-user:/x,queues=0"], ["--port", "vhost-user:/x,mac=1:2"],
    ["--port", "vhost-user:/" + "x" * 200], ["--port", "xdp:"], ["--port", "ixgbe:03:00.0"], ["--port", "xdp:eth0:x"],
    ["--port", "xdp:" + "e" * 16], ["--cores", "0"], ["--cores", "65"], ["--cores", "x"],
    ["--cores", ","], ["--cores", "0,,1"], ["--cores", "0-1"], ["--console", "tcp:1"],
    ["--console", "unix:"], ["--mem", "1"], ["what"]])
def test_refused(words):
    done = run(*words)
    assert done.returncode == 2, (words, done.stdout)
    assert "is not valid" in done.stderr and "usage: barewire" in done.stderr


def made_anew(folder, *words):
    """The process made anew in a folder of its own, of the objects that are there but those that depend on the
    words."""
    if not os.path.exists(f"{folder}/hosted"):
        for name in os.listdir(f"{TREE}/build"):
            if name.endswith((".flags", ".linked")) or name in ("version", "hosted"):
                subprocess.run(["cp", "-a", f"{TREE}/build/{name}", folder], check=True)
    return make(f"BUILD={folder}", f"{folder}/barewire", *words)


def test_sizes_compiled_in(tmp_path):
    done = made_anew(tmp_path, "FLOWS=20K", "SESSIONS=30K")
    assert done.returncode == 0, done.stdout + done.stderr
    said = run("--port", "mem:2", "--cores", "3", text="show flows\rshow memory\rpoweroff\r",
               process=f"{tmp_path}/barewire").stdout
    assert re.search(r"^because: auto", said, re.MULTILINE), said
    # 32,768 lines of two places for each of two workers; sessions of both.
    assert re.search(r"^places: 131072\b", said, re.MULTILINE), said
    assert re.search(r"^places used: 65536\b", said, re.MULTILINE), said
    assert re.search(r"^sessions max: 30000\b", said, re.MULTILINE), said


@pytest.mark.parametrize("word, told", [("FLOWS=many", "FLOWS is a number"), ("SESSIONS=1x", "SESSIONS is a number"),
                                        ("FLOWS=1G", "so many flows fit one cache")])
def test_sizes_that_cannot_be(tmp_path, word, told):
    done = made_anew(tmp_path, word)
    assert done.returncode != 0 and told in done.stderr, done.stderr


def cpus_of_threads(pid):
    """What each thread may run on, by its number."""
    found = []
    for thread in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
        with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as f:
            found.append(re.search(r"Cpus_allowed_list:\s*(\S+)", f.read()).group(1))
    return found


def test_cores_are_pinned():
    """--cores with a list: each thread on its CPU; the first is the control core."""
    last = max(os.sched_getaffinity(0))
    with subprocess.Popen([PROCESS, "--cores", f"{last},0,{last}", "--port", "mem:1"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        text = ""
        while "ready in" not in text:
            text += process.stdout.readline()
        assert cpus_of_threads(process.pid) == [str(last), "0", str(last)]
        process.communicate("show cores\rpoweroff\r", timeout=PATIENCE_S)
        assert process.returncode == 0
    assert re.search(r"^memory: \d+ MiB, pages of .*(reserved|kernel gives)", text, re.MULTILINE)


def test_port_that_cannot_be(folder):
    """A refused port says why, and the others are there."""
    done = run("--port", "xdp:nowhere", "--port", f"vhost-user:{folder}/no/s,server",
               "--port", "mem:1")
    assert done.returncode == 0
    assert "xdp nowhere: refused: no such Ethernet interface" in done.stdout
    assert "vhost:s: refused: no socket at its path" in done.stdout
    assert "ready in" in done.stdout and "1 ports" in done.stdout


def failure(lab, port):
    return lab.interface(port).get("failure")


def test_lying_back_end(hosted, folder):
    """An absurd index in a ring: the port stops with a reason and is left alone, the rest goes on."""
    backend = Backend(f"{folder}/s")
    hosted.up(hosted=True, process=f"--port vhost-user:{folder}/s")
    assert backend.await_queues(PATIENCE_S)
    assert hosted.interface("eth2")["state"] == "up"
    assert hosted.ping(0, "10.0.1.2")
    backend.claim(0, 40000)
    wait_for("the port to stop", lambda: failure(hosted, "eth2"))
    assert failure(hosted, "eth2") == "it returned more buffers than it had"
    assert backend.gone.acquire(timeout=PATIENCE_S)
    assert hosted.ping(0, "10.0.1.2") and hosted.ping(1, "10.0.0.2")
    hosted.check_books()
    assert "eth2: virtio-net stopped: it returned more" in hosted.cli("show log")
    backend.close()


def test_back_end_that_ends(hosted, folder):
    """It ends: link down. Another one comes to the same path: link up, and the books are right."""
    backend = Backend(f"{folder}/s")
    hosted.up(hosted=True, process=f"--port vhost-user:{folder}/s")
    for _ in range(3):
        assert backend.await_queues(PATIENCE_S)
        wait_for("link up", lambda: hosted.interface("eth2")["link"] == "up")
        backend.connection.shutdown(2)
        backend.close()
        os.unlink(f"{folder}/s")
        wait_for("link down", lambda: hosted.interface("eth2")["link"] == "down")
        assert failure(hosted, "eth2") == "its back end is gone"
        assert hosted.ping(0, "10.0.1.2")
        hosted.check_books()
        backend = Backend(f"{folder}/s")
    assert backend.await_queues(PATIENCE_S)
    wait_for("link up", lambda: failure(hosted, "eth2") is None)
    hosted.check_books()
    backend.close()


def test_interface_that_goes(hosted):
    """Its interface is removed: that port stops, and says so; the rest goes on."""
    hosted.up(ports=3, hosted=True)
    assert hosted.ping(0, "10.0.2.2")
    hosted.must(2, "ip", "link", "delete", "p0")
    wait_for("the port to stop", lambda: failure(hosted, "eth2"))
    assert failure(hosted, "eth2") == "its interface is gone"
    assert hosted.ping(0, "10.0.1.2")
    hosted.check_books()


def test_console_serves_one_after_the_other(hosted):
    """A connection that ends gives the console to the next; the log has all."""
    hosted.up(hosted=True)
    for _ in range(3):
        with hosted.console() as console:
            assert "barewire" in console.command("show version")
            console.send(b"set system hostn")  # and leaves
    assert hosted.serial_log().count("vector code") == 3


# ---------------------------------------------------------------- a back end that is not ours

TESTPMD = shutil.which("dpdk-testpmd")


def start_testpmd(folder, more):
    """DPDK's test program over its vhost driver: sends what it likes, until its input ends."""
    words = [TESTPMD, "--lcores", "0@0,1@0", "--no-huge", "-m", "128", "--no-pci",
             "--file-prefix", os.path.basename(folder)]
    for i in range(2):
        words += ["--vdev", f"net_vhost{i},iface={folder}/{i},queues=2{more}"]
    words += ["--", "--forward-mode=flowgen", "--total-num-mbufs=8192", "--no-mlockall",
              "--nb-cores=1", "--rxq=2", "--txq=2"]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


@pytest.mark.skipif(not TESTPMD, reason="DPDK is not there (tools/setup --test)")
@pytest.mark.parametrize("theirs, ours", [("", ""), (",client=1", ",server,queues=2,packed")],
                         ids=["it listens", "we listen"])
def test_dpdk(hosted, folder, theirs, ours):
    """Two queue pairs of packed rings each: what testpmd has sent is what we have received."""
    with start_testpmd(folder, theirs) as peer:
        try:
            wait_for("its sockets", lambda: theirs or os.path.exists(f"{folder}/1"))
            hosted.up(ports=0, cores=3, hosted=True, process=" ".join(
                f"--port vhost-user:{folder}/{i}{ours}" for i in range(2)))
            for name in ("eth0", "eth1"):
                wait_for("frames", lambda n=name: hosted.drops().received(n) > 10000)
                told = hosted.interface(name)
                assert (told["rings"], told["queues"]) == ("packed", 2)
            said = peer.communicate("\n", timeout=PATIENCE_S)[0]
        finally:
            peer.kill()
    sent = re.findall(r"Forward statistics for port (\d)[^\n]*\n(?:[^\n]*\n)*?\s*TX-packets: (\d+)", said)
    drops = hosted.drops()
    assert [(port, drops.received(f"eth{port}")) for port, _ in sent] == \
        [(port, int(n)) for port, n in sent] and len(sent) == 2, said[-2000:]
    hosted.check_books()


def test_bench_flow_measures():
    """Its shortest rows are run; every flow comes out. How long it takes is for the bench to judge, not here."""
    made("build/bench/flow/path")
    done = subprocess.run(["tools/bench-flow", "build/bench/flow", "--quick", "--only", "64k"], cwd=TREE,
                          capture_output=True, text=True, timeout=PATIENCE_S * 10, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1].removeprefix("RESULT "))
    assert 0 < result["plain_cycles"]
