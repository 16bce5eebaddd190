# The tool that all other tests stand on: names, several labs, failures, and leaving nothing behind.
import os
import shutil
import subprocess
import tempfile

import pytest
from labkit.place import RUN
from router import LAB, PATIENCE_S, Lab, running


@pytest.fixture
def as_nobody():
    """Runs the tool as an ordinary user: a copy of it, for the checkout may be closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        shutil.copytree(os.path.dirname(LAB), os.path.join(folder, "tools"))
        tool = os.path.join(folder, "tools", "lab")

        def run(*words):
            return subprocess.run(
                ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                 "/usr/bin/python3", tool, *words], capture_output=True, text=True,
                check=False, cwd="/")
        yield run


def traces(lab):
    """What of a lab exists in the kernel and on disk."""
    left = [n for n in lab.place.namespaces()]
    left += [lab.place.folder] if os.path.exists(lab.place.folder) else []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if lab.place.tag.encode() in f.read():
                    left.append(f"process {pid}")
        except OSError:
            pass
    return left


@pytest.fixture
def lab():
    lab = Lab()
    yield lab
    lab.down()
    assert traces(lab) == []


def test_name_of_forty_characters():
    lab = Lab()
    lab.name = (lab.name + "-" + "n" * 40)[:40]
    lab.place = type(lab.place)(lab.name)
    try:
        lab.up()
        assert lab.ping(0, "10.0.1.2")
        links = lab.must(0, "ip", "-o", "link")
        assert "p0" in links and lab.name not in links
    finally:
        lab.down()
    assert traces(lab) == []


@pytest.mark.parametrize("name", ["n" * 41, "a/b", "..", "a b", "-x"])
def test_bad_names(name):
    done = subprocess.run([LAB, "down"], capture_output=True, text=True, check=False,
                          env={**os.environ, "LAB": name})
    assert done.returncode == 1 and done.stderr.startswith("lab: LAB=")


def test_exit_status_of_exec(lab):
    lab.up()
    assert lab.tool("exec", "h0", "sh", "-c", "exit 7").returncode == 7
    assert lab.tool("exec", "h1", "true").returncode == 0
    assert lab.tool("exec", "h2", "true").returncode == 1


def test_cli_status(lab):
    assert lab.tool("cli", "show version").returncode == 2, "not up"
    lab.up()
    assert lab.tool("cli", "show", "version").returncode == 0
    assert lab.tool("cli", "show nonsense").returncode == 1


def test_up_twice(lab):
    lab.up()
    done = lab.tool("up")
    assert done.returncode == 1 and "already" in done.stderr
    assert lab.ping(0, "10.0.1.2"), "the first one was harmed"


def test_image_that_does_not_boot(lab):
    done = lab.tool("up", "--image", LAB)
    assert done.returncode == 1 and "ended with status" in done.stderr
    assert traces(lab) == []


def test_image_that_says_nothing(lab, tmp_path):
    """No prompt in time: the last words are printed and all is removed."""
    image = tmp_path / "silent.elf"
    source = tmp_path / "silent.S"
    source.write_text(".code32\n.long 0x1badb002, 0, -0x1badb002\n"
                      ".globl _start\n_start: jmp _start\n")
    subprocess.run(["gcc", "-m32", "-nostdlib", "-static", "-no-pie", "-Wl,-Ttext=0x100000",
                    "-Wl,--build-id=none", str(source), "-o", str(image)], check=True)
    done = lab.tool("up", "--accel", "tcg", "--timeout", "2", "--image", str(image))
    assert done.returncode == 1 and "no prompt within 2 s" in done.stderr
    assert traces(lab) == []


def test_down_after_qemu_died(lab):
    lab.up()
    os.kill(lab.place.qemu(), 9)
    lab.down()
    assert traces(lab) == []
    lab.down()


def test_down_ends_what_runs_in_hosts(lab):
    lab.up()
    sleeper = subprocess.Popen([LAB, "exec", "h0", "sleep", "600"],
                               env={**os.environ, "LAB": lab.name})
    lab.down()
    assert sleeper.wait(PATIENCE_S) != 0


def test_up_broken_off(lab):
    """A signal in the middle of `up` leaves nothing."""
    process = subprocess.Popen([LAB, "up"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               env={**os.environ, "LAB": lab.name})
    while not lab.place.namespaces() and process.poll() is None:
        pass
    process.terminate()
    assert process.wait(60) != 0
    assert traces(lab) == []


def test_ordinary_user_is_told_what_is_missing(as_nobody):
    done = as_nobody("up")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and "root" in done.stderr
    for words in (["down"], ["cli", "show version"], ["exec", "h0", "true"]):
        done = as_nobody(*words)
        assert done.returncode != 0 and "root" in done.stderr


def test_stray_frames():
    """An idle host sends nothing but answers to ARP: counters of tests are theirs alone."""
    with running() as lab, lab.wire(0) as h0:
        before = h0.counters()["sent"]
        assert lab.ping(0, "10.0.0.1", count=1)
        sent = h0.counters()["sent"] - before
    assert sent <= 3, "ARP request, echo request, at most one ARP reply"
    assert not any(name.startswith(lab.name) for name in (os.listdir(RUN) if os.path.exists(RUN) else []))
