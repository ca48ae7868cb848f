"""Runs the Autobahn cases against the gateway; see ./dev conformance.

Exit code 0 only if as many cases ran as there are and each came to what is expected of it.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "e2e"))

from cases import GROUPS, OPTIONS
from suite import Run
from summary import write_summary

BACKENDS = {"uring": "io_uring", "epoll": "epoll"}


class Progress:
    """On a terminal one line that changes; elsewhere a line for each section."""

    def __init__(self, backend, out=sys.stderr):
        self.backend = backend
        self.out = out
        self.began = time.monotonic()
        self.section = None

    def __call__(self, run, group):
        seconds = time.monotonic() - self.began
        text = (f"{self.backend}: {len(run.results)} of {run.expected} cases, "
                f"{len(run.faults)} faults, {seconds:.0f} s, now {group}")
        if self.out.isatty():
            print(f"\r    {text:<72}", end="", file=self.out, flush=True)
        elif group.split(".")[0] != self.section:
            print(f"    {text}", file=self.out, flush=True)
        self.section = group.split(".")[0]

    def end(self):
        if self.out.isatty():
            print(f"\r{'':<76}\r", end="", file=self.out, flush=True)
        return time.monotonic() - self.began


def run_backend(name, arguments):
    """The Run of one backend, which is done; its faults are printed."""
    from gateway import Gateway

    progress = Progress(name)
    run = None
    try:  # a gateway that does not start, or ends badly, is a fault like any other
        with Gateway("--backend", BACKENDS[name], "--shards", "2", *OPTIONS) as gateway:
            run = Run(gateway.url(), GROUPS, arguments.quick, arguments.concurrency)
            run.run(lambda: gateway.process.poll() is None, progress)
    except (AssertionError, OSError) as error:
        run = run or Run("", GROUPS, arguments.quick)
        run.faults.append(f"the gateway: {error}")
    run.seconds = progress.end()
    for fault in run.faults:
        print(f"{name}: {fault}")
    print(f"{name}: {len(run.results)} of {run.expected} cases ran, {len(run.faults)} faults, "
          f"{run.seconds:.0f} s", flush=True)
    return run


def main():
    parser = argparse.ArgumentParser(prog="./dev conformance", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    parser.add_argument("--backend", choices=[*BACKENDS, "both"], default="both")
    parser.add_argument("--concurrency", type=int, default=None, metavar="N",
                        help="cases at a time (default: 1, with --quick 4)")
    parser.add_argument("--write-summary", action="store_true",
                        help="write docs/conformance.md if all is as expected")
    arguments = parser.parse_args()
    if arguments.write_summary and (arguments.quick or arguments.backend != "both"):
        parser.error("a summary is of all cases on both backends")
    if arguments.concurrency is None:
        arguments.concurrency = 4 if arguments.quick else 1
    if "GATEWAY_BIN" not in os.environ:
        os.environ["GATEWAY_BIN"] = str(ROOT / "build/release/bin/sluice")

    names = list(BACKENDS) if arguments.backend == "both" else [arguments.backend]
    runs = {name: run_backend(name, arguments) for name in names}
    if any(run.faults for run in runs.values()):
        return 1
    if arguments.write_summary:
        suite = re.search(r"kosoku==\S+", (HERE / "requirements.txt").read_text()).group(0)
        write_summary(ROOT / "docs/conformance.md", runs, suite)
    return 0


if __name__ == "__main__":
    sys.exit(main())
