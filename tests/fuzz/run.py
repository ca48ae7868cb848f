#!/usr/bin/env python3
"""Runs the fuzz targets, or says what their corpora cover. ./dev fuzz builds and runs it.

New inputs go to build/fuzz/corpus; --keep adds to the tree those that reach something new.

Exit codes: 0 nothing was found; 1 something was, and the input that shows it is named; 2 usage.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "fuzz"
FUZZ = BUILD / "bin" / "fuzz"
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
# The code that each target is for, as patterns below the root.
TARGETS = {
    "http_request": ["proto/http/request*.cc", "proto/http/scan*.cc"],
    "handshake": ["proto/ws/handshake.cc", "gateway/origin.cc"],
    "frames": ["proto/ws/message_reader*.cc", "proto/ws/unmask.cc"],
    "deflate_offer": ["proto/ws/deflate_offer.cc"],
    "deflate": ["proto/ws/deflate.cc", "proto/ws/inflate.cc", "proto/ws/zlib_memory.cc",
                "proto/ws/message_reader_deflate.cc"],
    "utf8": ["proto/ws/utf8.cc"],
    "chat": ["proto/dialect/chat*.cc", "proto/dialect/client_list.cc", "proto/json/*.cc"],
    "relay": ["proto/dialect/mid.cc", "proto/dialect/relay.cc", "proto/identity.cc", "proto/json/scan.cc"],
    "robot": ["proto/dialect/robot.cc"],
    "hooks": ["proto/hooks/*.cc", "proto/token/claim_parts.cc"],
    "api": ["proto/api/re*.cc", "proto/api/key.cc", "proto/base64.cc"],
    "centrifuge": ["proto/centrifuge/*.cc", "proto/json/fields.cc", "proto/json/scan.cc"],
    "token": ["proto/token/*.cc", "proto/json/fields.cc", "proto/base64.cc"],
    "configuration": ["gateway/config/config_file.cc", "gateway/config/units.cc",
                      "gateway/config/namespaces.cc"],
    "session_state": ["gateway/session_state.cc", "proto/ws/message_reader_state.cc"],
    "instance": ["gateway/session*.cc", "gateway/hub.cc", "gateway/home*.cc", "gateway/router.cc",
                 "gateway/mailboxes.cc", "gateway/stored_messages.cc", "gateway/http_stage.cc",
                 "gateway/dialects/*.cc", "gateway/endpoints.cc", "gateway/history*.cc"],
}


def fixed_addresses(command):
    """The sanitizers of clang 16 need the address space that a kernel with much randomization denies."""
    prefix = ["setarch", platform.machine(), "-R"]
    works = subprocess.run([*prefix, "true"], check=False, capture_output=True).returncode == 0
    return [*(prefix if works else []), *map(str, command)]


def run_fuzz(target, arguments, profile=os.devnull):
    environment = dict(os.environ, LLVM_PROFILE_FILE=str(profile), UBSAN_OPTIONS="print_stacktrace=1")
    command = fixed_addresses([FUZZ, f"--target={target}", "-timeout=20", *arguments])
    return subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace",
                          check=False)


def fuzz(target, seconds):
    """True if nothing was found."""
    own = BUILD / "corpus" / target
    found = BUILD / "found" / target
    own.mkdir(parents=True, exist_ok=True)
    found.mkdir(parents=True, exist_ok=True)
    print(f"{target}: {seconds} s", end="", flush=True)
    started = time.monotonic()
    run = run_fuzz(target, [f"-max_total_time={seconds}", f"-artifact_prefix={found}/", "-max_len=8192",
                            "-print_final_stats=1", own, CORPUS / target])
    stats = dict(line.rsplit(":", 1) for line in run.stderr.splitlines() if line.startswith("stat::"))
    count = int(stats.get("stat::number_of_executed_units", "0"))
    print(f", {count:,} inputs, {len(list(own.iterdir()))} kept: ", end="")
    if run.returncode == 0:
        print("nothing found", flush=True)
        return True
    print(f"FOUND something after {time.monotonic() - started:.0f} s", flush=True)
    print("".join(f"    {line}\n" for line in run.stderr.splitlines()[-40:]))
    print(f"  again: {FUZZ} --target={target} FILE, with the newest file of {found}")
    return False


def coverage_of(target, folder):
    """Covered and all lines of the code that a target is for, with the tree's corpus."""
    raw = folder / "raw"
    inputs = sorted(path for path in (CORPUS / target).iterdir())
    run = run_fuzz(target, ["-runs=0", CORPUS / target], raw)
    if run.returncode != 0:
        sys.exit(f"{target}: one of {len(inputs)} inputs of the corpus fails:\n{run.stderr[-2000:]}")
    data = folder / "data"
    subprocess.run(["llvm-profdata-16", "merge", "-sparse", raw, "-o", data], check=True)
    sources = [path for pattern in TARGETS[target] for path in sorted(ROOT.glob(pattern))]
    report = subprocess.run(["llvm-cov-16", "export", "-summary-only", FUZZ, f"-instr-profile={data}",
                             *map(str, sources)], check=True, capture_output=True, text=True).stdout
    lines = json.loads(report)["data"][0]["totals"]["lines"]
    return len(inputs), lines["covered"], lines["count"]


def show_coverage(names):
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            inputs, covered, count = coverage_of(name, Path(folder))
            print(f"{name:14} {inputs:5} inputs  {covered:5} of {count:5} lines  {covered / count:6.1%}",
                  flush=True)


def keep(target):
    """Makes the tree's corpus the smallest set that reaches what all inputs reach."""
    own = BUILD / "corpus" / target
    with tempfile.TemporaryDirectory() as folder:
        merged = Path(folder) / "merged"
        merged.mkdir()
        run = run_fuzz(target, ["-set_cover_merge=1", "-use_counters=0", merged,
                                CORPUS / target, own])
        if run.returncode != 0:
            sys.exit(f"{target}: cannot merge:\n{run.stderr[-2000:]}")
        known = {path.read_bytes() for path in (CORPUS / target).iterdir()}
        fresh = [path for path in merged.iterdir() if path.read_bytes() not in known]
        for path in fresh:
            shutil.copy(path, CORPUS / target / path.name)
    print(f"{target}: {len(fresh)} inputs added to the {len(known)} of the tree")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.split("\n\n", maxsplit=1)[0],
                                     epilog="Targets: " + ", ".join(TARGETS))
    parser.add_argument("target", nargs="?", help="one of them; all if left out")
    parser.add_argument("seconds", nargs="?", type=int, default=60, help="for each target (60)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--coverage", action="store_true",
                      help="lines that the corpora reach in the code they are for")
    what.add_argument("--keep", action="store_true", help="add inputs that reach more to the tree")
    options = parser.parse_args()
    if options.target is not None and options.target.isdigit():
        options.target, options.seconds = None, int(options.target)
    if options.target is not None and options.target not in TARGETS:
        parser.error(f"no target {options.target}; there are: {', '.join(TARGETS)}")
    return options


def main():
    options = parse_arguments()
    names = [options.target] if options.target else list(TARGETS)
    if options.coverage:
        show_coverage(names)
        return 0
    if options.keep:
        for name in names:
            keep(name)
        return 0
    return 0 if all([fuzz(name, options.seconds) for name in names]) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
