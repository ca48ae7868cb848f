#!/usr/bin/env python3
"""Plants a fault for each fuzz target into a copy of the sources and demands that fuzzing finds it.

  planted.py [TARGET...]   all targets, or these; the unchanged sources first: they must pass their corpora
  planted.py --check       only that each target has a fault and that it still applies, and no build
  planted.py --self-test   tests of this script

A fault is tests/fuzz/planted/TARGET.patch, as those of tests/faults. Fuzzing begins with the corpus of
the tree; the table says whether that alone had found it. The copy is in build/planted.
Exit codes: 0 all were found and nothing else was, 1 not so, 2 the command line is wrong.
"""

import argparse
import contextlib
import importlib.util
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import run as fuzzing

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
_spec = importlib.util.spec_from_file_location("faults", HERE.parent / "faults" / "run.py")
faults = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(faults)

QUICK = ("-DSLUICE_WERROR=OFF",)
SECONDS = 300  # for one target; most need a few


class Finding:
    """What a run found, in words; empty: nothing."""

    def __init__(self, returncode, output):
        words = re.search(r"(broken invariant: .*|runtime error: .*|ERROR: .*)", output)
        self.words = "" if returncode == 0 else words[1] if words else f"exit code {returncode}"
        count = re.search(r"stat::number_of_executed_units: (\d+)", output)
        self.executions = int(count[1]) if count else 0


class FuzzCopy(faults.Copy):
    def __init__(self, folder, seconds):
        super().__init__(folder, "fuzz", QUICK)
        self.seconds = seconds

    def make(self):
        self.run("ninja", "-C", str(self.build), "fuzz")

    def run_target(self, target, *arguments):
        command = fuzzing.fixed_addresses([self.build / "bin" / "fuzz", f"--target={target}", "-timeout=20",
                                           "-print_final_stats=1", *arguments])
        environment = dict(os.environ, LLVM_PROFILE_FILE=os.devnull)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace",
                              check=False, stdin=subprocess.DEVNULL)
        return Finding(done.returncode, done.stderr)

    def replay(self, target):
        with tempfile.TemporaryDirectory() as folder:
            return self.run_target(target, "-runs=0", f"-artifact_prefix={folder}/",
                                   self.source / "tests/fuzz/corpus" / target)

    def fuzz(self, target):
        """From the corpus, with inputs as long as they may be at once: the time is short."""
        with tempfile.TemporaryDirectory() as folder:
            return self.run_target(target, f"-max_total_time={self.seconds}", "-max_len=8192",
                                   "-len_control=0", f"-artifact_prefix={folder}/", folder,
                                   self.source / "tests/fuzz/corpus" / target)


def planted_faults(names=()):
    """One for each target, and none for anything else."""
    found = faults.faults_in(HERE / "planted", names)
    if not names and sorted(fault.name for fault in found) != sorted(fuzzing.TARGETS):
        lacking = set(fuzzing.TARGETS).symmetric_difference(fault.name for fault in found)
        raise faults.Wrong(f"planted faults and targets differ: {', '.join(sorted(lacking))}")
    return found


def hunt(copy, chosen):
    """True if the unchanged sources pass and every fault is found. Prints a line for each."""
    copy.prepare()
    copy.make()
    for fault in chosen:
        finding = copy.replay(fault.name)
        if finding.words:
            print(f"{fault.name}: the unchanged sources fail on their corpus: {finding.words}")
            return False
    print(f"{'target':<14} {'corpus':>6} {'s':>5} {'executions':>10}  what was found", flush=True)
    is_well = True
    for fault in chosen:
        faults.say(f"{fault.name}: {fault.words}")
        with faults.planted(copy, fault):
            copy.make()
            is_in_corpus = bool(copy.replay(fault.name).words)
            started = time.monotonic()
            finding = copy.fuzz(fault.name)
        seconds = time.monotonic() - started
        is_well = is_well and bool(finding.words)
        print(f"{fault.name:<14} {'yes' if is_in_corpus else 'no':>6} {seconds:>5.0f} "
              f"{finding.executions:>10,}  {finding.words or 'nothing: NOT FOUND'}", flush=True)
    return is_well


def self_test():
    class FakeCopy:
        def __init__(self, source, is_found):
            self.source, self.is_found, self.made = Path(source), is_found, []

        def prepare(self):
            pass

        def make(self):
            self.made.append((self.source / "f.cc").read_text(encoding="utf-8"))

        def replay(self, _):
            return Finding(0, "")

        def fuzz(self, _):
            return Finding(77 if self.is_found(self.made[-1]) else 0, "sluice: broken invariant: x at y:1\n")

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "wrong.patch").write_text(faults.PATCH, encoding="utf-8")
        (folder / "f.cc").write_text("one\ntwo\n", encoding="utf-8")
        chosen = faults.faults_in(folder)
        copy = FakeCopy(folder, lambda text: "TWO" in text)
        assert hunt(copy, chosen)
        assert copy.made == ["one\ntwo\n", "one\nTWO\n"], copy.made
        assert (folder / "f.cc").read_text(encoding="utf-8") == "one\ntwo\n"
        assert not hunt(FakeCopy(folder, lambda text: False), chosen), "a fault that is not found"
        failing = FakeCopy(folder, lambda text: True)
        failing.replay = lambda _: Finding(1, "")
        assert not hunt(failing, chosen), "the sources have a fault"
    assert Finding(1, "a\n#1\nx.cc:1: runtime error: overflow\n").words == "runtime error: overflow"
    assert Finding(1, "stat::number_of_executed_units: 12\n").executions == 12
    assert Finding(0, "ERROR: no\n").words == ""


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz --planted", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="only these")
    parser.add_argument("--seconds", type=int, default=SECONDS, help=f"for each at most ({SECONDS})")
    parser.add_argument("--check", action="store_true", help="only whether they still apply")
    parser.add_argument("--self-test", action="store_true", help="tests of this script")
    asked = parser.parse_args()
    if asked.self_test:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            self_test()
        print("the script fails when it should")
        return
    try:
        chosen = planted_faults(asked.targets)
    except faults.Unknown as unknown:
        parser.error(str(unknown))
    for fault in chosen:
        fault.texts(ROOT)
    if asked.check:
        print(f"{len(chosen)} faults still apply")
        return
    folder = ROOT / "build" / "planted"
    folder.mkdir(parents=True, exist_ok=True)
    if not hunt(FuzzCopy(folder, asked.seconds), chosen):
        raise faults.Wrong("fuzzing does not find what it should, or finds what it should not")


if __name__ == "__main__":
    try:
        main()
    except faults.Wrong as wrong:
        sys.exit(f"planted: {wrong}")
