#!/usr/bin/env python3
"""Whether the tests that docs/security.md names exist: what it promises must be what is tested.

  named_tests.py [FILE]   exit code 1 with one line per name that no test has
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def known_names():
    """Suites, Suite.Name of each GoogleTest, named parameters, and files of end-to-end tests."""
    names = {path.name for path in (ROOT / "tests/e2e").glob("test_*.py")}
    for path in (ROOT / "tests").rglob("*_test.cc"):
        text = path.read_text()
        for suite, name in re.findall(r"\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", text):
            names |= {suite, f"{suite}.{name}"}
        names |= set(re.findall(r'\{"(\w+)"', text))
    return names


def missing(text, known):
    """Names of tests in a text: code that is `Suite`, `Suite.Name`, `S1_2_Parameter` or `test_x.py`."""
    found = re.findall(r"`((?:[A-Z]\w*[a-z]\w*(?:\.[A-Z]\w+)?)|(?:test_\w+\.py))`", text)
    return [name for name in dict.fromkeys(found) if name not in known], len(found)


def main():
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/security.md"
    unknown, count = missing(path.read_text(), known_names())
    for name in unknown:
        print(f"{path.name}: there is no test {name}")
    if count == 0:
        print(f"{path.name}: names no tests")
    print(f"named tests: {count} names, {len(unknown)} unknown")
    return 1 if unknown or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
