#!/usr/bin/env python3
"""What hostile clients cost: memory, and everybody else's time. ./dev bench --hostile runs it.

  bench/hostile.py [--backend uring|epoll|both] [--quick] [--programs DIR] [SCENARIO...]

Each figure stands beside its bound. Memory is Rss (bench/memory.py). The gateway has its defaults
where a row names nothing else, and a CPU of its own. For steady latencies beside other work:
chrt -r 10 ./dev bench --hostile, as root.

Exit codes: 0 every bound holds (with --quick latencies are shown, not judged); 1 one is missed, or the
gateway did something else than it should; 2 usage.
"""

import argparse
import resource
from pathlib import Path

from harness import CLIENT_CPU, BenchError, Server, describe_machine, on_cpu, progress, run_program
from hostile_scenarios import SCENARIOS, Run

ROOT = Path(__file__).resolve().parent.parent
BACKENDS = {"uring": "io_uring", "epoll": "epoll"}


def measure(name, backend, options):
    """Prints a scenario's figures; whether all of them hold."""
    def start(*arguments):
        return Server([options.programs / "sluice", "--listen", "127.0.0.1:0",
                       "--backend", BACKENDS[backend], *arguments], None)

    progress(f"{backend}: {name}")
    try:
        figures = SCENARIOS[name](Run(start, options.programs, options.quick))
    except (BenchError, OSError) as error:
        progress("")
        print(f"{backend:6}{name}: FAIL  {error}", flush=True)
        return False
    progress("")
    all_hold = True
    for figure in figures:
        is_judged = not (options.quick and figure.is_latency)
        verdict = "-" if not is_judged else "OK" if figure.holds() else "FAIL"
        all_hold &= verdict != "FAIL"
        print(f"{backend:6}{name:10}{figure.what:76}{figure.value:10.2f}{figure.bound:10.2f} "
              f"{figure.unit:4}{verdict}", flush=True)
    return all_hold


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n", maxsplit=1)[0],
        epilog="\n".join(f"{name:11}{run.__doc__.splitlines()[0]}" for name, run in SCENARIOS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="default: all")
    parser.add_argument("--backend", choices=(*BACKENDS, "both"), default="both")
    parser.add_argument("--quick", action="store_true", help="fewer clients; latencies are not judged")
    parser.add_argument("--programs", type=Path, default=ROOT / "build/release/bin", metavar="DIR",
                        help="default build/release/bin")
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error("no such scenario: " + ", ".join(sorted(unknown)))
    options.programs = options.programs.resolve()
    return options


def main():
    options = parse_arguments()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    on_cpu(CLIENT_CPU)()
    print(describe_machine())
    print(f"{'':92}{'figure':>10}{'at most':>10}")
    all_hold = True
    for name in options.scenarios or SCENARIOS:
        for backend in BACKENDS if options.backend == "both" else (options.backend,):
            all_hold &= measure(name, backend, options)
    return 0 if all_hold else 1


if __name__ == "__main__":
    run_program(main)
