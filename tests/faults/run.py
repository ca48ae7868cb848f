#!/usr/bin/env python3
"""Plants faults into a copy of the sources and demands that the simulation finds each of them.

  run.py [NAME...]     all faults, or these; the unchanged sources first: they must pass the same seeds
  run.py --check       only that each fault still applies to the sources, and no build; also those of
                       ./dev soak, which no simulation can find
  run.py --self-test   tests of this script

A fault is a patch in this folder, with what is wrong in words before it. The lines that it shows must
stand in the file exactly once, wherever that is. The copy is in build/faults; nothing else is touched.
Exit codes: 0 all were found and nothing else was, 1 not so, 2 the command line is wrong.
"""

import argparse
import contextlib
import io
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

SEEDS = 500
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COPIED = ("CMakeLists.txt", "CMakePresets.json", "bench", "cmake", "core", "gateway", "proto", "tests")
# Compiling is what takes the time, not running. Warnings are another build's business.
QUICK = ("-DSLUICE_BENCH=OFF", "-DSLUICE_WERROR=OFF", "-DCMAKE_CXX_FLAGS_RELEASE=-O1 -g0 -DNDEBUG")


class Wrong(Exception):
    pass


class Unknown(Wrong):
    """There is no fault of that name."""


class Fault:
    """One patch: `words` say what is wrong, `edits` are (path, lines as they are, lines as planted)."""

    def __init__(self, path):
        self.name = path.stem
        words, _, rest = path.read_text(encoding="utf-8").partition("\n--- ")
        self.words = " ".join(words.split())
        self.edits = []
        file = None
        for line in ("--- " + rest).splitlines():
            if line.startswith("+++ b/"):
                file = line[len("+++ b/"):]
            elif line.startswith("@@"):
                self.edits.append((file, [], []))
            elif self.edits:
                if line[:1] in ("-", " "):
                    self.edits[-1][1].append(line[1:])
                if line[:1] in ("+", " "):
                    self.edits[-1][2].append(line[1:])
        if not self.words or not self.edits or file is None:
            raise Wrong(f"{path}: not words and then a patch")

    def texts(self, root):
        """The changed files: {path: text with the fault}."""
        changed = {}
        for file, old, new in self.edits:
            path = pathlib.Path(root) / file
            if file not in changed and not path.is_file():
                raise Wrong(f"fault {self.name} no longer applies: there is no {file}")
            text = changed.get(file) or path.read_text(encoding="utf-8")
            before, after = ("".join(line + "\n" for line in lines) for lines in (old, new))
            places = [place.start() for place in re.finditer("^" + re.escape(before), text, re.M)]
            if len(places) != 1:
                raise Wrong(f"fault {self.name} no longer applies: what it changes stands in {file} "
                            f"{len(places)} times, not once")
            changed[file] = text[:places[0]] + after + text[places[0] + len(before):]
        return changed


def faults_in(folder, names=()):
    faults = [Fault(path) for path in sorted(pathlib.Path(folder).glob("*.patch"))]
    known = {fault.name for fault in faults}
    for name in names:
        if name not in known:
            raise Unknown(f"no fault {name}; there are: {', '.join(sorted(known))}")
    return [fault for fault in faults if not names or fault.name in names]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)


def copy_tree(root, copy):
    """Makes `copy` what the sources are now. What is the same is left alone: it need not be built."""
    wanted = set()
    for name in COPIED:
        top = root / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if not path.is_file() or {"node_modules", "__pycache__"} & set(path.parts):
                continue
            wanted.add(path.relative_to(root))
            target = copy / path.relative_to(root)
            content = path.read_bytes()
            if not target.is_file() or target.read_bytes() != content:
                write(target, content)
                shutil.copymode(path, target)
    for name in COPIED:
        for path in sorted((copy / name).rglob("*")):
            if path.is_file() and path.relative_to(copy) not in wanted:
                path.unlink()


class Copy:
    """A copy of the sources with a build of its own."""

    def __init__(self, folder, preset="release", settings=QUICK):
        self.source = folder / "src"
        self.preset = preset
        self.settings = settings
        self.build = self.source / "build" / preset
        self.log = folder / "build.log"

    def prepare(self):
        copy_tree(ROOT, self.source)
        if not (self.build / "build.ninja").is_file():
            self.run("cmake", "--preset", self.preset, *self.settings)

    def run(self, *command):
        with self.log.open("w") as log:
            done = subprocess.run(command, cwd=self.source, stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            lines = self.log.read_text(errors="replace").splitlines()[-20:]
            raise Wrong("\n".join(lines) + f"\nfailed: {' '.join(command)} (output: {self.log})")

    def simulate(self):
        """(seed, what was found), or None. Progress goes to standard error."""
        self.run("ninja", "-C", str(self.build), "simulate")
        command = [str(self.build / "bin/simulate"), "--seeds", str(SEEDS), "--first"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              check=False)
        found = re.search(r"^seed (\d+): (.*)$", done.stdout, re.M)
        if found:
            return int(found[1]), found[2]
        if done.returncode != 0:
            raise Wrong(f"the simulation ended with {done.returncode} and said nothing")
        return None


@contextlib.contextmanager
def planted(copy, fault):
    """The copy with a fault (None: as it is), and afterwards without it."""
    plain = {}
    try:
        for file, text in (fault.texts(copy.source) if fault else {}).items():
            plain[file] = (copy.source / file).read_bytes()
            write(copy.source / file, text.encode())
        yield
    finally:
        for file, content in plain.items():
            write(copy.source / file, content)


def say(text):
    print(f"==> {text}", file=sys.stderr, flush=True)


def hunt(copy, faults):
    """True if the unchanged sources pass and every fault is found. Prints a line for each."""
    print(f"{'fault':<28} {'seed':>5} {'s':>5}  what was found", flush=True)
    is_well = True
    copy.prepare()
    for fault in [None, *faults]:
        name = fault.name if fault else "(none)"
        say(f"{name}: {fault.words}" if fault else "the unchanged sources")
        started = time.monotonic()
        with planted(copy, fault):
            found = copy.simulate()
        seconds = time.monotonic() - started
        is_well = is_well and (found is not None) == (fault is not None)
        seed, what = found or ("-", f"nothing in {SEEDS} seeds" + (": NOT FOUND" if fault else ""))
        print(f"{name:<28} {seed:>5} {seconds:>5.0f}  {what}", flush=True)
        if found and not fault:
            break  # the rest would prove nothing
    return is_well


PATCH = "It is wrong.\n\n--- a/f.cc\n+++ b/f.cc\n@@ -1,2 +1,2 @@\n one\n-two\n+TWO\n"


def self_test():
    class FakeCopy:
        def __init__(self, source, is_found):
            self.source, self.is_found, self.seen = pathlib.Path(source), is_found, []

        def prepare(self):
            pass

        def simulate(self):
            self.seen.append((self.source / "f.cc").read_text())
            return (3, "lost") if self.is_found(self.seen[-1]) else None

    def refusal(action):
        try:
            action()
        except Wrong as wrong:
            return str(wrong)
        return ""

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "wrong.patch").write_text(PATCH)
        source = folder / "f.cc"
        source.write_text("zero\none\ntwo\n")
        faults = faults_in(folder)
        copy = FakeCopy(folder, lambda text: "TWO" in text)
        assert hunt(copy, faults)
        assert copy.seen == ["zero\none\ntwo\n", "zero\none\nTWO\n"], copy.seen
        assert source.read_text() == "zero\none\ntwo\n", "the copy is as it was"
        assert not hunt(FakeCopy(folder, lambda text: False), faults), "a fault that is not found"
        assert not hunt(FakeCopy(folder, lambda text: True), faults), "the sources have a fault"
        for drifted in ("zero\none\n2\n", "one\ntwo\none\ntwo\n", "none\ntwo\n", "one\ntwo"):
            source.write_text(drifted)
            assert "fault wrong no longer applies" in refusal(lambda: hunt(copy, faults)), drifted
            assert source.read_text() == drifted
        source.unlink()
        assert "there is no f.cc" in refusal(lambda: faults[0].texts(folder))
        assert "no fault other; there are: wrong" in refusal(lambda: faults_in(folder, ["other"]))
        (folder / "empty.patch").write_text("It is wrong.\n")
        assert "not words and then a patch" in refusal(lambda: faults_in(folder))


def main():
    parser = argparse.ArgumentParser(
        description="Plants faults into a copy of the sources; the simulation must find each.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these faults")
    parser.add_argument("--check", action="store_true", help="only whether they still apply")
    parser.add_argument("--self-test", action="store_true", help="tests of this script")
    asked = parser.parse_args()
    if asked.self_test:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            self_test()
        print("the script fails when it should")
        return
    try:
        faults = faults_in(HERE, asked.names)
    except Unknown as unknown:
        parser.error(str(unknown))
    if asked.check:
        faults += faults_in(ROOT / "tests/soak")
    for fault in faults:
        fault.texts(ROOT)
    if asked.check:
        print(f"{len(faults)} faults still apply")
        return
    folder = ROOT / "build/faults"
    folder.mkdir(parents=True, exist_ok=True)
    if not hunt(Copy(folder), faults):
        raise Wrong("the simulation does not find what it should, or finds what it should not")


if __name__ == "__main__":
    try:
        main()
    except Wrong as wrong:
        sys.exit(f"faults: {wrong}")
