#!/usr/bin/env python3
"""The rules that a compiler cannot hold: who includes whom, sizes, and what must not appear.

  form_test.py               checks the tree this file stands in; exit code 1 with one line per fault
  form_test.py --root DIR    checks another tree
  form_test.py --self-test   plants each fault in a small tree and demands that exactly it is found

ratchet.txt lists what is over the limits and tolerated, with its size now. It may only shrink: whoever
makes such a place smaller lowers the number, whoever makes it larger splits it instead.
"""

import argparse
import pathlib
import re
import sys
import tempfile

sys.dont_write_bytecode = True
from cpp_outline import blank, outline

# Folder -> what its files may include (with quotes). The longest matching folder counts.
MAY_INCLUDE = {
    "core/base": ("core/base",),
    "core": ("core",),
    "proto": ("proto", "core/base"),
    "gateway": ("gateway", "proto", "core"),
    "bench": ("bench", "gateway", "proto", "core"),
    "tests": ("tests", "bench", "gateway", "proto", "core"),
}
# proto is sans-IO: never a descriptor, a thread, a clock or the environment.
NOT_IN_PROTO = re.compile(
    r"^#include <(sys/|netinet/|arpa/|unistd\.h|poll\.h|liburing|thread|mutex|condition_variable|fstream"
    r"|iostream)|_clock::now\(|\bgetenv\(", re.M)

COLUMNS = 100
FILE_LINES = 400
FUNCTION_LINES = 60
LEFTOVERS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X")) + r")\b")
LEFTOVER_SUFFIXES = {".h", ".cc", ".py", ".js", ".mjs", ".html", ".css", ".cmake", ".txt", ".sh"}


class Form:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.faults = []
        self.oversized = {}  # "file path" or "function path name" -> (lines, where)

    def fault(self, where, what):
        self.faults.append(f"{where}: {what}")

    def files(self):
        for folder in sorted({name.split("/")[0] for name in MAY_INCLUDE}):
            for path in sorted((self.root / folder).rglob("*")):
                if path.is_file() and not {"node_modules", "__pycache__"} & set(path.parts):
                    yield path, path.relative_to(self.root).as_posix()

    def check(self):
        for path, name in self.files():
            if path.suffix not in LEFTOVER_SUFFIXES:
                continue
            text = path.read_text(encoding="utf-8", errors="replace")
            for number, line in enumerate(text.splitlines(), 1):
                if LEFTOVERS.search(line):
                    self.fault(f"{name}:{number}", "unfinished work left in the tree")
            if path.suffix in (".h", ".cc"):
                self.check_cpp(path, name, text)
        self.check_ratchet()
        return self.faults

    def check_cpp(self, path, name, text):
        self.check_includes(path, name, text)
        lines = text.splitlines()
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS:
                self.fault(f"{name}:{number}", f"{len(line)} columns, at most {COLUMNS}")
        if path.suffix == ".h":
            if not text.startswith(("//", "/*")):
                self.fault(name, "a header opens with a comment: why it exists, its invariants")
            if not re.search(r"^#pragma once$", text, re.M):
                self.fault(name, "no #pragma once")
        for match in re.finditer(r"\bthread_local\b", blank(text)):
            self.fault(f"{name}:{text.count(chr(10), 0, match.start()) + 1}", "thread_local")
        functions, mutables = outline(text)
        # A test may have to count inside a plain function that the code takes by pointer.
        for number, statement in mutables if not name.startswith("tests/") else ():
            self.fault(f"{name}:{number}", f"mutable static state: {statement[:60]}")
        if len(lines) > FILE_LINES:
            self.oversized[f"file {name}"] = (len(lines), name)
        for function, first, length in functions:
            if length > FUNCTION_LINES:
                key = f"function {name} {function}"
                if length > self.oversized.get(key, (0,))[0]:
                    self.oversized[key] = (length, f"{name}:{first}")
        if name.startswith("proto/") and path.suffix == ".cc":
            stem = self.unit_of(name[: -len(".cc")])
            if not (self.root / "tests" / f"{stem}_test.cc").exists():
                self.fault(name, f"has no tests/{stem}_test.cc")

    def unit_of(self, stem):
        """x_avx2.cc without a header of its own is one of the bodies of x.h, and tested with it."""
        unit = stem
        while "_" in unit.rsplit("/", 1)[1] and not (self.root / f"{unit}.h").exists():
            unit = unit.rsplit("_", 1)[0]
        return unit if (self.root / f"{unit}.h").exists() else stem

    def check_includes(self, path, name, text):
        folder = max((f for f in MAY_INCLUDE if name.startswith(f + "/")), key=len)
        included = re.findall(r'^#include ([<"])([^>"]+)[>"]', text, re.M)
        for bracket, target in included:
            if bracket != '"' or target.startswith(tuple(f + "/" for f in MAY_INCLUDE[folder])):
                continue
            if target.split("/")[0] in MAY_INCLUDE and "/" in target:
                self.fault(name, f"must not include {target}")
            else:
                self.fault(name, f"quotes are for our own files, named from the root: {target}")
        if folder == "proto":
            for match in NOT_IN_PROTO.finditer(text):
                self.fault(name, f"sans-IO code must not have {match.group(0).strip()}")
        header = name[: -len(".cc")] + ".h"
        if path.suffix == ".cc" and (self.root / header).exists():
            if not included or included[0][1] != header:
                self.fault(name, f"must include {header} first")

    def check_ratchet(self):
        ratchet = self.root / "tests/form/ratchet.txt"
        tolerated = {}
        for line in ratchet.read_text().splitlines() if ratchet.exists() else []:
            if line.strip() and not line.startswith("#"):
                size, key = line.split(" ", 1)
                tolerated[key] = int(size)
        for key, (lines, where) in self.oversized.items():
            limit = FILE_LINES if key.startswith("file ") else FUNCTION_LINES
            allowed = tolerated.pop(key, None)
            if allowed is None:
                self.fault(where, f"{key}: {lines} lines, at most {limit}")
            elif lines > allowed:
                self.fault(where, f"{key}: grew from {allowed} to {lines} lines")
            elif lines < allowed:
                self.fault("tests/form/ratchet.txt", f"shrunk, now: {lines} {key}")
        for key in tolerated:
            self.fault("tests/form/ratchet.txt", f"within the limits or gone, remove: {key}")


HEADER = "// Why.\n#pragma once\n"
LONG_BODY = "".join(f"  x += {i};\n" for i in range(FUNCTION_LINES))
LONG_FUNCTION = f"namespace a {{\nint Thing::grow(int x) {{\n{LONG_BODY}  return x;\n}}\n}}\n"

# A tree without faults that comes close to each.
CLEAN = {
    "core/base/check.h": HEADER + "#include <cstddef>\n",
    "core/reactor.h": HEADER + '#include "core/base/check.h"\nclass R {\n public:\n  static int of(int x);\n'
                               "  static constexpr int kMax = 1;\n};\n",
    "core/reactor.cc": '#include "core/reactor.h"\n\nnamespace a {\nnamespace {\nconstexpr int kA = 1;\n'
                       "const char* const kNames[] = {\"static int x;\", \"b\"};\nstatic int f(int x) { return x; }\n"
                       "struct P {\n  int x = 0;\n  int y{1};\n};\n}  // namespace\n"
                       "R::R(int x)\n    : x_{x}, y_(1) {\n  int z = 1'000;\n  static constexpr int kB = 2;\n"
                       "  // thread_local static int no;\n}\ntemplate <class T>\nint g(T t) {\n  return t;\n}\n"
                       "extern const int kC;\nint h(int a = 0);\nenum class E : int { kOne, kTwo };\n}\n",
    "proto/ws/frame.h": HEADER,
    "proto/ws/frame.cc": '#include "proto/ws/frame.h"\n#include "core/base/check.h"\n#include "proto/ws/frame_a.h"\n',
    "proto/ws/frame_avx2.cc": "#include <cstddef>\n",
    "proto/ws/frame_a.h": HEADER,
    "tests/proto/ws/frame_test.cc": '#include "proto/ws/frame_a.h"\n',
    "gateway/shard.cc": '#include "core/reactor.h"\n#include "proto/ws/frame_a.h"\n',
    "bench/a.cc": '#include "gateway/shard.h"\n',
    "tests/form/ratchet.txt": "# nothing\n",
}
# (file, its text, what the one fault must say)
PLANTED = [
    ("core/base/log.h", HEADER + '#include "core/reactor.h"\n', "must not include core/reactor.h"),
    ("core/x.h", HEADER + '#include "proto/ws/frame_a.h"\n', "must not include proto/"),
    ("core/x.h", HEADER + '#include "reactor.h"\n', "named from the root: reactor.h"),
    ("proto/x.h", HEADER + '#include "core/reactor.h"\n', "must not include core/reactor.h"),
    ("proto/x.h", HEADER + "#include <sys/socket.h>\n", "sans-IO"),
    ("gateway/x.h", HEADER + '#include "bench/a.h"\n', "must not include bench/"),
    ("bench/x.h", HEADER + '#include "tests/a.h"\n', "must not include tests/"),
    ("core/x.h", "// Why.\n#include <cstddef>\n", "no #pragma once"),
    ("core/x.h", "#pragma once\n", "opens with a comment"),
    ("core/reactor.cc", '#include <cstddef>\n#include "core/reactor.h"\n', "include core/reactor.h first"),
    ("core/x.cc", "// " + "x" * 98 + "\n", "columns"),
    ("gateway/x.cc", "// TO" + "DO later\n", "unfinished"),
    ("tests/x.py", "# FIX" + "ME\n", "unfinished"),
    ("core/x.cc", "thread_local const int x = 0;\n", "thread_local"),
    ("core/x.cc", "namespace a {\nstatic int count = 0;\n}\n", "mutable static state: static int count"),
    ("core/x.cc", "namespace {\nstd::map<int, int> all;\n}\n", "mutable static state: std::map"),
    ("core/x.cc", "namespace {\nFoo instance{1};\n}\n", "mutable static state: Foo instance"),
    ("core/x.cc", "namespace {\nconst char* name = nullptr;\n}\n", "mutable static state: const char* name"),
    ("core/x.cc", "int f() {\n  if (a) {\n    static int n = 0;\n  }\n}\n", "mutable static state"),
    ("core/x.h", HEADER + "class A {\n  static int n;\n};\n", "mutable static state"),
    ("core/x.cc", "int f();\n" * (FILE_LINES + 1), "401 lines, at most 400"),
    ("core/x.cc", LONG_FUNCTION, "function core/x.cc Thing::grow: 63 lines, at most 60"),
    ("proto/ws/new.cc", "#include <cstddef>\n", "has no tests/proto/ws/new_test.cc"),
    ("tests/form/ratchet.txt", "70 function core/gone.cc f\n", "remove"),
]
RATCHETS = [("62", "grew from 62 to 63"), ("63", None), ("64", "shrunk, now: 63")]


def faults_of(files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Form(root).check()


def self_test():
    wrong = []

    def expect(what, faults, wanted):
        if len(faults) != (wanted is not None) or (wanted and wanted not in faults[0]):
            wrong.append(f"{what}: wanted {wanted!r}, found {faults}")

    expect("a clean tree", faults_of(CLEAN), None)
    for name, text, wanted in PLANTED:
        expect(name, faults_of({**CLEAN, name: text}), wanted)
    for size, wanted in RATCHETS:
        ratchet = {"core/x.cc": LONG_FUNCTION,
                   "tests/form/ratchet.txt": f"{size} function core/x.cc Thing::grow\n"}
        expect(f"ratchet {size}", faults_of({**CLEAN, **ratchet}), wanted)
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2])
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    faults = self_test() if arguments.self_test else Form(arguments.root).check()
    for fault in faults:
        print(fault)
    print(f"form: {len(faults)} faults" if faults else "form: no faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
