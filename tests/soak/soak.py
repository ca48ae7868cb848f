#!/usr/bin/env python3
"""Whether the gateway stays as it is: memory, descriptors, latency and books over many clients.

Storms of clients that come and go, stall, flood, crawl and talk garbage (hostile.py) alternate with a
moment of rest; good clients (good.py) talk through the storms and check what they get. In each rest
the books must agree exactly, and a sample is taken. ./dev soak runs it; Ctrl-C ends it with the table.

Exit codes: 0 all holds, 1 something does not, 2 the command line is wrong.
"""

import argparse
import os
import random
import signal
import sys
from pathlib import Path

from planted import leaking_binary
from report import describe, write_summary
from rounds import Soak
from watch import Trouble

ROOT = Path(__file__).resolve().parents[2]
MINUTES, PLANTED_MINUTES, QUICK_MINUTES = 10, 3, 0.1


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="./dev soak", description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("minutes", type=float, nargs="?", metavar="MINUTES",
                        help=f"how long, over each backend; {MINUTES} if not said")
    parser.add_argument("--backend", choices=("uring", "epoll", "both"), default="uring")
    parser.add_argument("--seed", type=int, help="what the clients do; else one is chosen and said")
    parser.add_argument("--planted", action="store_true",
                        help=f"{PLANTED_MINUTES} minutes with a copy of the gateway that keeps 1 KiB of each "
                             "connection: exit code 0 only if that is found, and nothing else")
    parser.add_argument("--quick", action="store_true",
                        help="two storms: delivery, books and descriptors, too short for the rest")
    parser.add_argument("--write-summary", action="store_true",
                        help="write docs/soak.md if all holds; needs --backend both")
    asked = parser.parse_args()
    if asked.minutes is None:
        asked.minutes = PLANTED_MINUTES if asked.planted else QUICK_MINUTES if asked.quick else MINUTES
    elif asked.quick or asked.minutes <= 0:
        parser.error("MINUTES is a number above 0, and not for --quick")
    if asked.write_summary and (asked.backend != "both" or asked.planted or asked.quick):
        parser.error("a summary is of both backends (--backend both), and not of a planted fault")
    if asked.seed is None:
        asked.seed = random.randrange(1_000_000)
    return asked


def run(binary, backend, asked):
    print(f"soak: {backend}, {asked.minutes:g} minutes, seed {asked.seed}", file=sys.stderr, flush=True)
    soak = Soak(binary, backend, asked.seed, asked.minutes * 60).run()
    print("\n".join(describe(soak)) + "\n", flush=True)
    return soak


def plain(asked):
    binary = os.environ.get("GATEWAY_BIN", ROOT / "build/release/bin/sluice")
    soaks = []
    for backend in ("uring", "epoll") if asked.backend == "both" else (asked.backend,):
        soaks.append(run(binary, backend, asked))
        if soaks[-1].is_interrupted:
            break
    failed = [f"{soak.backend}: {name}" for soak in soaks for name in soak.failed()]
    is_whole = not any(soak.is_interrupted for soak in soaks)
    if asked.write_summary and is_whole and not failed:
        write_summary(ROOT / "docs/soak.md", soaks, asked.minutes)
    print("soak: " + ("FAILED, " + "; ".join(failed) if failed else "all that was judged holds"))
    return 1 if failed else 0


def planted(asked):
    """The backend does not matter to the fault; one is enough."""
    soak = run(leaking_binary(), "epoll" if asked.backend == "epoll" else "uring", asked)
    is_found = soak.failed() == ["memory"]
    print("soak: the leak " + ("was found, and nothing else" if is_found else "was NOT what was found"))
    return 0 if is_found else 1


def main():
    asked = parse_arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return planted(asked) if asked.planted else plain(asked)
    except Trouble as trouble:
        sys.exit(f"soak: {trouble}")


if __name__ == "__main__":
    sys.exit(main())
