#!/usr/bin/env python3
"""Holds what the project does against what somebody else makes of the same input.

Each pair draws its cases from a seed, so a case is known by seed and number. ./dev differential builds
and runs it; ./dev test runs some thousand cases of each.

Exit codes: 0 nothing differs; 1 something does, with a line for each that runs it again; 2 usage.
"""

import argparse
import collections
import importlib
import os
import random
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
from records import Program, Stopped

ROOT = Path(__file__).resolve().parent.parent.parent
# What is compared with what. JUDGES are modules of this folder; the other pairs are in the program.
PAIRS = {
    "backends": "the gateway on io_uring, epoll and the simulation with each other",
    "simd": "vector kernels with their scalar twins",
    "frames": "the frame reader and writer with the package websockets",
    "json": "the JSON reader and the dialects with Python's json",
    "deflate": "compressing and inflating with Python's zlib",
}
JUDGES = {"frames": "frame_pair", "json": "json_pair", "deflate": "deflate_pair"}
BATCH = 500
FINDINGS_MAX = 10
# From so many cases on, every kind of outcome that a judge counts must have come up.
CASES_FOR_ALL_OUTCOMES = 8000


def again(name, seed, number):
    return f"./dev differential {name} --seed {seed} --case {number}"


class Run:
    """Cases of one pair. Shows what differs, and counts what the judge has seen."""

    def __init__(self, name, seed, program):
        self.name = name
        self.seed = seed
        self.judge = importlib.import_module(JUDGES[name])
        self.program = Program(program)
        self.seen = collections.Counter()
        self.findings = 0

    def case(self, number):
        return self.judge.Case(random.Random(self.seed << 64 | number))

    def found(self, number, what):
        self.findings += 1
        print(f"{self.name} differs: {what}\n  again: {again(self.name, self.seed, number)}", flush=True)

    def batch(self, numbers):
        cases = [self.case(number) for number in numbers]
        try:
            self.program.send([case.record for case in cases])
            expected = [case.expect() for case in cases]
            answers = self.program.receive()
        except Stopped as stopped:
            if len(numbers) == 1:
                self.found(numbers[0], str(stopped))
                return
            for number in numbers:
                self.batch([number])
            return
        for number, case, expectation, answer in zip(numbers, cases, expected, answers, strict=True):
            try:
                wrong = case.judge(expectation, answer, self.seen)
            except (ValueError, LookupError, AssertionError, struct.error) as error:
                wrong = f"the answer cannot be read: {error!r} in {answer[:300].hex()}"
            if wrong:
                self.found(number, wrong)

    def run(self, numbers):
        shown = time.monotonic()
        for at in range(numbers.start, numbers.stop, BATCH):
            if time.monotonic() - shown >= 60:
                shown = time.monotonic()
                print(f"  case {at}", file=sys.stderr, flush=True)
            self.batch(range(at, min(at + BATCH, numbers.stop)))
            if self.findings >= FINDINGS_MAX:
                break
        self.program.close()
        missing = [what for what in self.judge.OUTCOMES if not self.seen[what]]
        if len(numbers) >= CASES_FOR_ALL_OUTCOMES and missing and not self.findings:
            self.findings += 1
            print(f"{self.name}: these never came up: {', '.join(missing)}")
        for what, count in sorted(self.seen.items()):
            print(f"  {count:>9,}  {what}")
        return self.findings


def run_in_program(name, seed, numbers, program):
    """A pair whose both sides are in the program: it says NUMBER WHAT of each case that differs."""
    findings = 0
    with subprocess.Popen([program, name, str(seed), str(numbers.start), str(len(numbers))],
                          stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout:
            number, _, what = line.rstrip("\n").partition(" ")
            if not number.isdigit():
                print(f"  {line}", end="", flush=True)
                continue
            findings += 1
            print(f"{name} differs: {what}\n  again: {again(name, seed, number)}", flush=True)
    if process.returncode != 0 and findings == 0:
        findings = 1
        print(f"{name}: the program stopped itself ({process.returncode})")
    return findings


def run_pair(name, seed, numbers, program):
    print(f"{name}: {PAIRS[name]}, {len(numbers):,} cases from {numbers.start} on, seed {seed}", flush=True)
    started = time.monotonic()
    if name in JUDGES:
        findings = Run(name, seed, program).run(numbers)
    else:
        findings = run_in_program(name, seed, numbers, program)
    verdict = "nothing differs" if findings == 0 else f"{findings} DIFFER"
    print(f"{name}: {verdict}, {time.monotonic() - started:.0f} s", flush=True)
    return findings == 0


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="./dev differential",
                                     description=__doc__.split("\n\n", maxsplit=1)[0],
                                     epilog="; ".join(f"{name}: {what}" for name, what in PAIRS.items()))
    parser.add_argument("pair", nargs="?", choices=PAIRS, metavar="NAME", help="one pair; all if left out")
    parser.add_argument("--cases", type=int, help="of each pair (1,000,000; with --case only that one)")
    parser.add_argument("--seed", type=int, default=1, help="what the cases are drawn from (1)")
    parser.add_argument("--case", type=int, help="begin with the case of that number")
    options = parser.parse_args(arguments)
    if options.case is not None and options.pair is None:
        parser.error("--case needs the name of a pair")
    first = options.case or 0
    count = options.cases if options.cases is not None else 1_000_000 if options.case is None else 1
    if count < 1 or not 0 <= options.seed < 1 << 64 or first < 0:
        parser.error("--cases is at least 1, --seed has 64 bits, and --case is at least 0")
    options.numbers = range(first, first + count)
    return options


def main():
    options = parse_arguments(sys.argv[1:])
    program = os.environ.get("DIFFERENTIAL_BIN", str(ROOT / "build/release/bin/differential"))
    names = [options.pair] if options.pair else list(PAIRS)
    return 0 if all([run_pair(name, options.seed, options.numbers, program) for name in names]) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
