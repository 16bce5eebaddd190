# What Linux does with a packet: where the router's time goes, how often tracepoints fire, one packet in order.
#
# perf and tracefs see what the kernel lets them; tracefs is mounted for this process alone.
import collections
import contextlib
import os
import re
import subprocess
import tempfile
import time

from .linux import BenchError, mount_own, on_thread

TRACEFS = "/sys/kernel/tracing"
SAMPLES_HZ = 5000
INSTANCE = "bench-linux-"
ALONE, ALONE_US = 32, 5000  # packets that are followed, and the time between them

# A sample belongs to the step whose function is innermost on its stack.
STEPS = {
    "take": ("napi_threaded_poll_loop", "__napi_poll", "veth_poll", "veth_xdp_rcv"),
    "allocate": ("veth_xdp_rcv_bulk_skb",),
    "GRO": ("gro_receive_skb", "gro_flush_normal", "napi_gro_receive"),
    "demux": ("netif_receive_skb_list_internal", "__netif_receive_skb_list_core"),
    "check": ("ip_list_rcv", "ip_sublist_rcv", "ip_rcv_core", "ip_rcv"),
    "route": ("ip_rcv_finish_core", "ip_route_use_hint"),
    "forward": ("ip_forward", "ip_forward_finish"),
    "rewrite": ("ip_output", "ip_finish_output2", "__ip_finish_output"),
    "queue": ("__dev_queue_xmit", "dev_hard_start_xmit"),
    "transmit": ("veth_xmit",),
}
STEP_OF = {function: step for step, functions in STEPS.items() for function in functions}
# These decide wherever they stand. The sink is no part of the router; freeing is, as a NIC's driver
# frees what it has sent.
FREEING = {"sk_skb_reason_drop", "kfree_skb_list_reason", "consume_skb", "__kfree_skb",
           "napi_consume_skb", "kmem_cache_free"}
SINK = {"process_backlog"}
OTHER_SOFTIRQ = {"handle_softirqs", "net_rx_action"}
ORDER = (*STEPS, "free", "sink", "other")

LOCK = re.compile(r"^_raw_(spin|read|write)_(try)?lock|queued_spin_lock_slowpath$")
LOCK_PARTS = re.compile(r"^_raw_(spin|read|write)_|queued_spin_|__raw_callee_save")

EVENTS = ("napi:napi_poll", "net:napi_gro_receive_entry", "net:netif_receive_skb",
          "fib:fib_table_lookup", "net:net_dev_queue", "qdisc:qdisc_enqueue",
          "net:net_dev_start_xmit", "net:netif_rx", "kmem:kmem_cache_alloc", "kmem:kmalloc",
          "kmem:mm_page_alloc", "kmem:kmem_cache_free", "kmem:kfree", "kmem:mm_page_free",
          "skb:kfree_skb", "skb:consume_skb", "page_pool:page_pool_state_release",
          "lock:contention_begin", "irq:softirq_entry", "irq_vectors:local_timer_entry",
          "irq_vectors:reschedule_entry", "irq_vectors:call_function_single_entry", "ipi:ipi_send_cpu",
          "sched:sched_switch")
FOLLOWED = ("napi", "net", "fib", "kmem", "skb", "page_pool", "irq", "lock", "sched/sched_waking",
            "sched/sched_switch")


def own_tracefs():
    mount_own("tracefs", TRACEFS)


def perf(*words):
    done = subprocess.run(["perf", *words], capture_output=True, text=True, check=False,
                          preexec_fn=own_tracefs)
    if done.returncode:
        raise BenchError(f"perf {words[0]}: {(done.stderr or done.stdout).strip()}")
    return done


# ---- where the time goes ----

def step_of(stack):
    """stack: function names, the innermost first"""
    if FREEING.intersection(stack):
        return "free"
    if SINK.intersection(stack):
        return "sink"
    for function in stack:
        if function in OTHER_SOFTIRQ:
            break
        if function in STEP_OF:
            return STEP_OF[function]
    return "other"


def stacks(script):
    """The stacks in the output of `perf script -F ip,sym`, names without what the compiler added."""
    stack = []
    for line in script.splitlines():
        words = line.split()
        if len(words) >= 2:
            stack.append(words[1].split(".")[0])
        elif stack:
            yield stack
            stack = []
    if stack:
        yield stack


def profile(router, seconds):
    """
    ({step: share of the thread's time}, {step: [(function, share)], most first}, {lock's taker:
    share spent in its locking}, samples)
    """
    with tempfile.TemporaryDirectory() as place:
        data = os.path.join(place, "data")
        perf("record", "-q", "-e", "cpu-clock", "-F", str(SAMPLES_HZ), "-g",
             "-t", str(router.thread), "-o", data, "--", "sleep", str(seconds))
        script = perf("script", "-i", data, "-F", "ip,sym").stdout
    steps, functions, locks, samples = collections.Counter(), {}, collections.Counter(), 0
    for stack in stacks(script):
        samples += 1
        step = step_of(stack)
        steps[step] += 1
        functions.setdefault(step, collections.Counter())[stack[0]] += 1
        if LOCK_PARTS.search(stack[0]):
            locks[next((f for f in stack if not LOCK_PARTS.search(f)), "?")] += 1
    if not samples:
        raise BenchError("perf took no samples of the router")
    return ({step: steps[step] / samples for step in ORDER},
            {step: [(function, n / samples) for function, n in of.most_common()]
             for step, of in functions.items()},
            {taker: n / samples for taker, n in locks.most_common()}, samples)


# ---- how often ----

def count(router, seconds):
    """{event: times a forwarded packet}"""
    before = router.sample()
    done = perf("stat", "-x", ",", "-e", ",".join((*EVENTS, "context-switches")),
                "-t", str(router.thread), "--", "sleep", str(seconds))
    forwarded = router.sample()[4] - before[4]
    counted = {}
    for line in done.stderr.splitlines():
        words = line.split(",")
        if len(words) > 2 and words[0].isdigit():
            counted[words[2]] = int(words[0])
    # perf begins later than we and ends earlier: what it saw counts by the packets it saw.
    seen = counted.get("net:net_dev_start_xmit") or forwarded
    return {event: n / seen for event, n in counted.items()}


# ---- in order ----

LINE = re.compile(r"^\s*.+-\d+\s+\[\d+\]\s+\S+\s+(\d+): (\w+): ?(.*)$")
FRAME = re.compile(r"^ => (\S+)$")


@contextlib.contextmanager
def instance():
    """A buffer of ftrace's that is ours alone: its folder."""
    instances = f"{TRACEFS}/instances"
    for name in os.listdir(instances):  # of one that was killed
        if name.startswith(INSTANCE) and not os.path.exists(f"/proc/{name[len(INSTANCE):]}"):
            os.rmdir(f"{instances}/{name}")
    place = f"{instances}/{INSTANCE}{os.getpid()}"
    os.mkdir(place)
    try:
        yield place
    finally:
        os.rmdir(place)


def write(path, text):
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def traced(router, stacks_too):
    """The lines of ftrace while some packets pass one by one."""
    def run():
        own_tracefs()
        with instance() as place:
            write(f"{place}/trace_clock", "x86-tsc")
            write(f"{place}/options/stacktrace", "1" if stacks_too else "0")
            write(f"{place}/set_event_pid", str(router.thread))
            for event in FOLLOWED:
                write(f"{place}/events/{event}/enable", "1")
            router.send(256, ALONE, ALONE_US).wait(60)
            time.sleep(0.1)
            write(f"{place}/tracing_on", "0")
            with open(f"{place}/trace", encoding="utf-8", errors="replace") as f:
                return f.read().splitlines()
    return on_thread(run)


def packets(lines, thread):
    """
    [[(cycle, event, what it says, [function, the innermost first])]]: from a waking of the thread to
    the next one, of those that wake nobody else meanwhile.
    """
    found = []
    for line in lines:
        if match := FRAME.match(line):
            if found:
                found[-1][-1][3].append(match.group(1).partition("+")[0].partition(".")[0])
        elif match := LINE.match(line):
            cycle, event, says = match.groups()
            if event == "sched_waking" and f" pid={thread} " in says:
                found.append([])
            if found:
                found[-1].append((int(cycle), event, says, []))
    names = [[event for _, event, *_ in packet] for packet in found]
    return [packet for packet, events in zip(found, names)
            if "net_dev_start_xmit" in events and events.count("sched_waking") == 1]


def follow(router):
    """
    The quickest of some packets that pass an idle router one by one, as packets() has it. Asking for
    functions takes long, so these are another packet's with the same events.
    """
    plain = packets(traced(router, False), router.thread)
    if not plain:
        raise BenchError("ftrace saw no packet")
    best = min(plain, key=lambda packet: packet[-1][0] - packet[0][0])
    events = [e[1] for e in best]
    for packet in packets(traced(router, True), router.thread):
        if [e[1] for e in packet] == events:
            for mine, other in zip(best, packet):
                mine[3].extend(other[3])
            break
    return best


def entered(packet):
    """For each event of a packet, the functions entered since the one before, the outermost first."""
    before = []
    for _, _, _, stack in packet:
        here = [f for f in reversed(stack)
                if not f.startswith(("trace_event_raw_", "__traceiter_"))]
        same = 0
        while same < min(len(here), len(before)) and here[same] == before[same]:
            same += 1
        yield here[same:]
        before = here


def function_tracer():
    """Why there is no trace by function, or None."""
    def look():
        own_tracefs()
        with open(f"{TRACEFS}/available_tracers", encoding="ascii") as f:
            tracers = f.read().split()
        if "function_graph" not in tracers:
            return f"the kernel's tracers are {', '.join(tracers)}: no function_graph"
        try:
            with open(f"{TRACEFS}/set_graph_function", encoding="ascii") as f:
                f.read()
        except OSError as e:
            return f"function_graph: {e.strerror}"
        return None
    try:
        return on_thread(look)
    except OSError as e:
        return f"tracefs: {e}"
