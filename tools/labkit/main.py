# The commands of tools/lab: up, cli, exec, console, link, down.
import argparse
import os
import re
import shutil
import signal
import stat
import sys
import time

from . import accel, boot, console, hosts, ixgbe, machine, netboot, process, serve
from .place import RUN, LabError, Place

DESCRIPTION = """\
A barewire router in QEMU, or (--hosted) as a Linux process. Port i of the router (ethI) is
connected to the interface p0 of a Linux host hI, a network namespace: a tap, or a veth pair;
addresses 10.0.I.2/24 and fd00:0:0:I::2/64 (I in hex), default routes 10.0.I.1 and fd00:0:0:I::1; no
link-local address. With --net vhost-user there are no hosts: port I is the socket I in a folder, on
which a back end such as build/pktgen listens. LAB names the lab (default "lab"); several can be up at
once."""


def parse(arguments):
    parser = argparse.ArgumentParser(prog="lab", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = parser.add_subparsers(dest="verb", required=True, metavar="COMMAND")

    up = sub.add_parser("up", help="start router and hosts; returns when the shell answers")
    up.add_argument("--ports", type=int, default=2, metavar="N")
    up.add_argument("--cores", type=int, default=2, metavar="N")
    up.add_argument("--mem", type=int, default=512, metavar="MIB")
    up.add_argument("--nic", default="virtio", metavar="KIND",
                    help="virtio, ixgbe or igb (models of Intel's cards: tools/setup --qemu-vfio-user), or several "
                    "with commas: port after port, in turn")
    up.add_argument("--cards", default="", metavar="WORDS",
                    help="of --nic ixgbe: more words for each of them in turn, ';' between two cards "
                    "(build/ixgbe-sim --help)")
    up.add_argument("--queues", type=int, default=1, metavar="N", help="queue pairs of each port")
    up.add_argument("--rss", action="store_true", help="ports offer RSS")
    up.add_argument("--packed", action="store_true", help="ports offer packed virtqueues")
    up.add_argument("--config", metavar="FILE",
                    help="'set' lines; default: 10.0.I.1/24 and fd00:0:0:I::1/64 on ethI")
    up.add_argument("--no-config", action="store_true",
                    help="no such boot module: the image brings its own")
    up.add_argument("--routes", metavar="FILE", help="a table of routes: a second boot module")
    up.add_argument("--net", choices=("tap", "vhost-user"), default="tap",
                    help="what is behind the ports; tap: a host each")
    up.add_argument("--sockets", metavar="FOLDER",
                    help="of --net vhost-user; default: /run/barewire/LAB-ports")
    up.add_argument("--hosted", action="store_true",
                    help="the router as the process build/barewire, its ports by AF_XDP")
    up.add_argument("--process", metavar="WORDS", default="", help="more arguments for it")
    up.add_argument("--accel", choices=("auto", "tcg", "kvm"), default="auto")
    up.add_argument("--boot", choices=boot.WAYS, default="kernel", help=boot.HELP)
    up.add_argument("--image", metavar="FILE",
                    help="default: of the way to boot; hosted: build/barewire")
    up.add_argument("--append", metavar="WORDS", default="", help="the kernel's command line")
    up.add_argument("--boot-nic", choices=("e1000", "e1000e", "rtl8139"), metavar="MODEL",
                    help="of a way over the network: boot by one more NIC, behind which is one more host")
    up.add_argument("--tftp", metavar="FOLDER",
                    help="h0 serves it by TFTP, for config=tftp://10.0.0.2 and save; files are written")
    up.add_argument("--machine", default="q35", metavar="TYPE", help="QEMU's -M: q35 or pc")
    up.add_argument("--bios", metavar="FILE", help="firmware in place of SeaBIOS")
    up.add_argument("--qemu", metavar="WORDS", default="", help="more arguments for QEMU")
    up.add_argument("--timeout", type=float, metavar="S",
                    help="for the prompt; default: 60, with firmware 120 or 240")

    cli = sub.add_parser("cli", help="one shell command and its reply; status 1 on 'error:'")
    cli.add_argument("--timeout", type=float, default=60, metavar="S", help="for each reply")
    cli.add_argument("command", nargs="+", help="the command, or - for lines from stdin")

    run = sub.add_parser("exec", help="run a command in host hI, with its exit status")
    run.add_argument("host", metavar="hI")
    run.add_argument("command", nargs=argparse.REMAINDER)

    sub.add_parser("console", help="attach the terminal; Ctrl-] leaves")

    link = sub.add_parser("link", help="pull or plug the cable of router port I")
    link.add_argument("port", type=int, metavar="I")
    link.add_argument("state", choices=("up", "down"))

    sub.add_parser("down", help="end everything the lab started")
    return parser.parse_args(arguments)


def check_up_options(options):
    if options.hosted:
        process.check_options(options)
    ixgbe.check_options(options)
    netboot.check_options(options)
    limits = {"ports": (0, 16), "cores": (1, 64), "mem": (32, 1 << 20), "queues": (1, 64)}
    for name, (low, high) in limits.items():
        if not low <= getattr(options, name) <= high:
            raise LabError(f"--{name}: {low} to {high}")
    if options.sockets and options.net != "vhost-user":
        raise LabError("--sockets: of --net vhost-user only")
    for file in filter(None, (options.config, options.routes, options.bios)):
        if not os.access(file, os.R_OK):
            raise LabError(f"{file}: cannot be read")


def write_config(place, options):
    """The router's configuration goes by a plain name: QEMU splits -initrd at spaces and commas."""
    if options.routes:
        shutil.copyfile(options.routes, place.path("table.routes"))
    if options.no_config:
        return
    if options.config:
        shutil.copyfile(options.config, place.path("config"))
        return
    with open(place.path("config"), "w", encoding="ascii") as f:
        for i in range(options.ports):
            f.write(f"set interfaces eth{i} address 10.0.{i}.1/24\n"
                    f"set interfaces eth{i} address fd00:0:0:{i:x}::1/64\n")


def find_sockets(place, options):
    """Where the ports' back ends are to listen; before QEMU, which would not wait for them."""
    options.sockets = os.path.realpath(options.sockets or place.folder + "-ports")
    if "," in options.sockets:
        raise LabError("--sockets: no comma, QEMU splits there")
    for i in range(options.ports):
        path = os.path.join(options.sockets, str(i))
        if not os.path.exists(path) or not stat.S_ISSOCK(os.stat(path).st_mode):
            raise LabError(f"{path}: no socket; start its back end first (build/pktgen)")


def start_process(place, options):
    process.make(place)
    for i in range(options.ports if options.net == "tap" else 0):
        hosts.make(place, i, lambda _, i=i: process.make_port(place, i))
    serve.start(place, options)
    return process.start(place, options)


def start_machine(place, options, chosen):
    taps = []
    try:
        for i in range(options.ports + bool(options.boot_nic) if options.net == "tap" else 0):
            taps.append(hosts.make(place, i, lambda namespace: hosts.inside(
                namespace, hosts.open_tap, options.queues if ixgbe.kind(options, i) == "virtio" else 1)))
        serve.start(place, options)
        ixgbe.start(place, options, taps)
        return machine.start(place, options, chosen, taps,
                             boot.WAYS[options.boot].arguments(place, options, chosen))
    finally:
        for fd in sum(taps, []):
            os.close(fd)  # QEMU has its own copies


def start(place, options):
    os.makedirs(RUN, mode=0o755, exist_ok=True)
    if options.net == "vhost-user":
        find_sockets(place, options)
    chosen, fresh = ("hosted", False) if options.hosted else accel.choose(options, boot.WAYS[options.boot].firmware)
    place.make()
    write_config(place, options)
    router, begin = (start_process(place, options) if options.hosted
                     else start_machine(place, options, chosen))
    text = machine.wait_prompt(place, router, options.timeout,
                               not options.hosted and boot.WAYS[options.boot].firmware)
    prompt_s = time.monotonic() - begin
    place.remember(ports=options.ports, accel=chosen,
                   nic=[ixgbe.kind(options, i) for i in range(options.ports)])
    if fresh:
        accel.keep(chosen, options.image)
    ready = machine.READY.search(text)
    under = "as a process" if options.hosted else f"under {chosen}"
    whose = "its" if options.hosted else "QEMU's"
    print(f"lab {place.name}: up {under}, {options.ports} ports, {options.cores} cores; "
          f"prompt {prompt_s:.2f} s after {whose} start; "
          f"{ready.group(0) if ready else 'the kernel gave no time'}")


def up(place, options):
    check_up_options(options)
    with place.lock():
        if place.qemu() is not None:
            raise LabError(f"lab {place.name}: is up already (lab down ends it)")
        clear(place)
        try:
            start(place, options)
        except BaseException as e:
            if isinstance(e, LabError):
                sys.stderr.write(machine.last_words(place))
            clear(place)
            raise


def clear(place):
    """Ends and removes all that may exist of a lab; works after any half-done up. Returns what cards
    that were a model had to say against the router."""
    place.stop_qemu()
    wrong = ixgbe.stop(place)
    hosts.remove_all(place)
    place.remove()
    return wrong


def down(place):
    with place.lock():
        wrong = clear(place)
    if wrong:
        raise LabError("the router broke rules of its cards:\n" + wrong)


def host_number(word):
    match = re.fullmatch(r"h(\d{1,2})", word)
    if not match:
        raise LabError(f"{word}: hosts are h0, h1, ...")
    return int(match.group(1))


def command_lines(words):
    if words == ["-"]:
        return [line.rstrip("\n") for line in sys.stdin]
    return [" ".join(words)]


def environment_missing(options):
    if options.hosted:
        options.image = options.image or process.PROCESS
        options.timeout = options.timeout or 60
        return process.environment_missing(options.image) + serve.environment_missing(options)
    boot.complete(options)
    return (machine.environment_missing(options.image) + serve.environment_missing(options)
            + boot.missing(options) + ixgbe.environment_missing(options))


def set_link(place, port, up):
    if place.facts().get("accel") == "hosted":
        process.set_link(place, port, up)
    elif place.facts().get("nic", [])[port:port + 1] == ["ixgbe"]:
        ixgbe.order(place, port, "link up" if up else "link down")
    else:
        machine.set_link(place, port, up)


def dispatch(place, options):
    missing = (environment_missing(options) if options.verb == "up"
               else machine.rights_missing())
    if missing:
        raise LabError("missing: " + "; ".join(missing))
    if options.verb == "up":
        up(place, options)
    elif options.verb == "down":
        down(place)
    elif options.verb == "cli":
        if not console.run_commands(place, command_lines(options.command), options.timeout,
                                    sys.stdout):
            return 1
    elif options.verb == "exec":
        if not options.command:
            raise LabError("exec hI COMMAND...")
        hosts.execute(place, host_number(options.host), options.command)
    elif options.verb == "console":
        console.attach(place)
    elif options.verb == "link":
        set_link(place, options.port, options.state == "up")
    return 0


def end_on(number, _frame):
    raise SystemExit(128 + number)


def main(arguments):
    options = parse(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_on)
    try:
        return dispatch(Place(os.environ.get("LAB") or "lab"), options)
    except LabError as e:
        print(f"lab: {e}", file=sys.stderr)
        return 2 if options.verb == "cli" else 1
    except (PermissionError, FileNotFoundError) as e:
        print(f"lab: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
