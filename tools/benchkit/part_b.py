# Part B of `make bench-peers`: which launches, in which order, and what is said of them.
import json
import statistics
import tempfile

from labkit import accel

from . import linux, two_cores
from .two_cores import LARGE, PACKED, SMALL, SPLIT, BenchError

LAUNCHES = 4  # of one row, until it is given up: others may take its huge pages
NEAR = 1.5  # times the shortest round trip between the cores
GOALS = {"b_small_ratio": 1.35, "b_1m_ratio": 2, "image_ratio": 0.95, "linux_ratio": 40}


def rows(bench):
    """(name, rings, table, router) in the order of an even round; neighbours are compared."""
    image = kvm_works()
    for table in (SMALL, LARGE):
        for rings in (PACKED, SPLIT):
            yield "l3fwd", rings, table, two_cores.L3fwd(bench, table, rings)
            yield "ours", rings, table, two_cores.Hosted(bench, table, rings)
            if image:
                yield "image", rings, table, two_cores.Image(bench, table, rings)


def kvm_works():
    """Whether the image is quick under KVM, as tools/lab finds."""
    options = two_cores.machine_options(512)
    options.accel, options.machine, options.qemu = "auto", "q35", ""
    return accel.choose(options, firmware=False)[0] == "kvm"


def launch(bench, pages, router):
    for left in reversed(range(LAUNCHES)):
        pages.ensure()
        try:
            return bench.saturate(router)
        except BenchError as e:
            if not left:
                raise
            why = str(e).splitlines()[0]
            print(f"  once more: {type(router).__name__} {router.table} {router.rings}: {why}")
    raise AssertionError


def measure(bench, pages, rounds):
    """{(name, rings, table): [report of each launch]}, forwards and backwards by turns."""
    order, results = list(rows(bench)), {}
    before = round_trip(bench)
    for i in range(rounds):
        for name, rings, table, router in order if i % 2 == 0 else order[::-1]:
            result = launch(bench, pages, router)
            after = round_trip(bench)
            result["trip"] = max(before, after)
            results.setdefault((name, rings, table), []).append(result)
            before = after
    return {(name, rings, table): results[name, rings, table] for name, rings, table, _ in order}


def near(results):
    """
    Those launches in which the two cores were near each other before and after: a hypervisor moves them, and
    then a cache line takes five times as long. All of a row's, if fewer than two were.
    """
    limit = NEAR * min(run["trip"] for runs in results.values() for run in runs)
    kept = {key: [run for run in runs if run["trip"] <= limit] for key, runs in results.items()}
    return {key: kept[key] if len(kept[key]) > 1 else runs for key, runs in results.items()}


def round_trip(bench):
    """A cache line to the other core and back, TSC cycles."""
    with tempfile.TemporaryFile() as out:
        process = bench.start([bench.folder / "roundtrip", *bench.cores], out)
        if process.wait(timeout=two_cores.READY_S):
            raise BenchError("roundtrip failed")
        out.seek(0)
        return json.loads(out.read())["p50"]


def median(runs, part="p50"):
    return statistics.median(run["window_pps"][part] for run in runs)


def best(results, name, table, part="p50"):
    """The kind of ring that is faster for it, and how fast."""
    found = {rings: median(runs, part) for (who, rings, of), runs in results.items() if (who, of) == (name, table)}
    return max(found.items(), key=lambda item: item[1]) if found else (None, None)


def say_table(results, rounds):
    print(f"million 64-byte packets a second, one core, two ports, every packet verified; medians of up to {rounds} "
          "launches\n(n: those in which the cores were near each other; p10, p50, p90: of a launch's windows of 10 ms; spread: the launches' p50; us: median latency)")
    print(f"{'':8s}{'rings':>7s}{'routes':>8s}{'n':>3s}{'p10':>8s}{'p50':>8s}{'p90':>8s}   {'spread of p50':16s}"
          f"{'us':>7s}{'lost':>9s}{'verified':>12s}{'wrong':>6s}{'generator: sends, verifies':>28s}")
    for (name, rings, table), runs in results.items():
        every = [run["window_pps"]["p50"] / 1e6 for run in runs]
        p10, p50, p90 = (median(runs, part) / 1e6 for part in ("p10", "p50", "p90"))
        received = sum(run["all"]["received"] for run in runs)
        sent = sum(run["all"]["sent"] for run in runs)
        latency, sends, verifies = (statistics.median(values) for values in zip(
            *((run["all"]["latency_us"]["p50"], run["send_ticks"], run["verify_ticks"]) for run in runs)))
        print(f"{name:8s}{rings:>7s}{table:>8s}{len(runs):3d}{p10:8.2f}{p50:8.2f}{p90:8.2f}   "
              f"{min(every):6.2f} to {max(every):6.2f}{latency:7.1f}{100 * (1 - received / sent):8.3f}%"
              f"{received:12d}{sum(map(two_cores.wrong, runs)):6d}{sends:20.1f}{verifies:8.1f}")


def ratio(over, under):
    return round(over / under, 3) if over and under else None


def result_keys(results, linux_pps, part="p50"):
    pps = {(name, table): best(results, name, table, part)[1]
           for name in ("l3fwd", "ours", "image") for table in (SMALL, LARGE)}
    line = {"b_small_ratio": ratio(pps["ours", SMALL], pps["l3fwd", SMALL]),
            "b_1m_ratio": ratio(pps["ours", LARGE], pps["l3fwd", LARGE]),
            "image_ratio": ratio(pps["image", SMALL], pps["ours", SMALL]),
            "image_1m_ratio": ratio(pps["image", LARGE], pps["ours", LARGE]),
            "linux_ratio": ratio(pps["ours", SMALL], linux_pps)}
    for rings in (SPLIT, PACKED):  # like for like
        for table in (SMALL, LARGE):
            ours, theirs = (median(results[name, rings, table], part) for name in ("ours", "l3fwd"))
            line[f"b_{'small' if table == SMALL else table}_{rings}_ratio"] = ratio(ours, theirs)
    return line


def plot(folder, options, pages):
    """Draws the process's latency over load, to options.plot. Returns the rate without loss that it is drawn for."""
    bench = two_cores.Bench(folder, options.seconds, options.nice, pages.ensure())
    rate = ["--ndr", options.ndr] if options.ndr else ["--max", "50M", "--precision", "0.02"]
    router = two_cores.Hosted(bench, SMALL, PACKED)
    result = bench.launch(router, [*rate, "--time", options.seconds, "plot", "--plot", options.plot], 600)
    for load in result["loads"]:
        trial = load["trial"]
        latency = ", ".join(f"{name} {us:.1f}" for name, us in trial["all"]["latency_us"].items() if name != "samples")
        print(f"{trial['offered_pps'] / 1e6:7.3f} M packets/s, loss {100 * trial['loss']:.4f} %, us: {latency}")
    return result["ndr"]


def run(folder, options, pages):
    """Measures and prints; the keys of RESULT."""
    bench = two_cores.Bench(folder, options.seconds, options.nice, pages.ensure())
    kernel = linux.forwarded_pps(bench.cores[1], max(2.5, options.seconds * options.rounds / 2),
                                 str(two_cores.TREE / "build/bench/linux-send"))
    everything = measure(bench, pages, options.rounds)
    results = near(everything)
    trips = sorted(run["trip"] for runs in everything.values() for run in runs)
    say_table(results, options.rounds)
    if not any(name == "image" for name, _, _ in results):
        print("image: not run, KVM does not carry it here")
    print(f"Linux: {kernel['pps'] / 1e6:.3f} M packets/s of one core between veth pairs "
          f"({kernel['pps_quarters'][0] / 1e6:.3f} to {kernel['pps_quarters'][1] / 1e6:.3f})")
    kept = [run["trip"] for runs in results.values() for run in runs]
    print(f"a cache line to the other core and back, TSC cycles: {trips[0]:.0f} to {trips[-1]:.0f}; "
          f"in the {len(kept)} of {len(trips)} launches that count, up to {max(kept):.0f}")
    line = result_keys(results, kernel["pps"])
    for key, goal in GOALS.items():
        print(f"  {key}: {line[key]}, goal {goal}")
    for name, rings, table in results:
        line[f"b_{name}_{rings}_{table}_mpps"] = round(median(results[name, rings, table]) / 1e6, 2)
    line |= {f"{key}_p90": value for key, value in result_keys(results, kernel["pps"], "p90").items()
             if key in ("b_small_ratio", "b_1m_ratio", "image_ratio")}
    return line | {"linux_mpps": round(kernel["pps"] / 1e6, 3), "roundtrip_cycles": statistics.median(kept),
                   "roundtrip_max_cycles": max(kept)}
