#!/usr/bin/env python3
"""Which lines of core, proto and gateway the unit tests and the simulation run. `./dev coverage` calls it.

  report.py BUILD PROFILES   reads what the instrumented binaries in BUILD/bin left in PROFILES
  report.py --self-test      tests of this script

Prints the part of the lines that were run, by folder, and every file below 80 %. A number says what was
run, not that it was checked: a test fails without the change it came with.
"""

import json
import pathlib
import subprocess
import sys

FOLDERS = ("core", "proto", "gateway")
BINARIES = ("core_tests", "proto_tests", "gateway_tests", "sim_tests")
LOW = 80.0


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def lines_by_file(build, profiles):
    """{path from the root: (lines run, lines)}."""
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    merged = str(profiles / "merged.profdata")
    run("llvm-profdata-16", "merge", "-sparse", "-o", merged,
        *(str(path) for path in sorted(profiles.glob("*.profraw"))))
    first, *others = (str(build / "bin" / name) for name in BINARIES)
    exported = json.loads(run(
        "llvm-cov-16", "export", "-summary-only", f"-instr-profile={merged}", first,
        *(f"-object={other}" for other in others)))
    found = {}
    for file in exported["data"][0]["files"]:
        path = pathlib.Path(file["filename"])
        if path.is_relative_to(root) and path.relative_to(root).parts[0] in FOLDERS:
            lines = file["summary"]["lines"]
            found[path.relative_to(root).as_posix()] = (lines["covered"], lines["count"])
    return found


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def report(found):
    text = [f"{'folder':<10} {'lines':>7} {'run':>7}      %"]
    for folder in FOLDERS:
        mine = [lines for path, lines in found.items() if path.split("/")[0] == folder]
        covered, count = (sum(column) for column in zip(*mine)) if mine else (0, 0)
        text.append(f"{folder:<10} {count:>7} {covered:>7} {percent(covered, count):>6.1f}")
    low = sorted((percent(*lines), path, lines) for path, lines in found.items()
                 if percent(*lines) < LOW)
    text.append(f"files below {LOW:.0f} %: {len(low)}")
    for share, path, (covered, count) in low:
        text.append(f"  {path:<44} {covered:>5} of {count:>5} {share:>6.1f}")
    return "\n".join(text)


def self_test():
    text = report({"core/a.cc": (79, 100), "core/x/b.h": (10, 10), "gateway/c.cc": (80, 100),
                   "gateway/empty.h": (0, 0)})
    assert text.splitlines() == [
        "folder       lines     run      %",
        "core           110      89   80.9",
        "proto            0       0  100.0",
        "gateway        100      80   80.0",
        "files below 80 %: 1",
        "  core/a.cc                                       79 of   100   79.0",
    ], text
    print("the report says what it should")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif len(sys.argv) == 3:
        print(report(lines_by_file(*(pathlib.Path(argument) for argument in sys.argv[1:]))))
    else:
        sys.exit(__doc__)
