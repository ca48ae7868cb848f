"""A gateway with a fault: it keeps 1 KiB of every connection (leak_per_connection.patch).

The copy of the sources and its build are those of ./dev faults, in a folder of their own.
"""

import sys
from pathlib import Path

from watch import Trouble

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "faults"))
import run as faults  # noqa: E402  tests/faults/run.py


def leaking_binary():
    folder = faults.ROOT / "build/soak"
    folder.mkdir(parents=True, exist_ok=True)
    copy = faults.Copy(folder)
    try:
        copy.prepare()
        for file, text in faults.Fault(HERE / "leak_per_connection.patch").texts(copy.source).items():
            faults.write(copy.source / file, text.encode())
        faults.say("building a copy that leaks")
        copy.run("ninja", "-C", str(copy.build), "sluice")
    except faults.Wrong as wrong:
        raise Trouble(str(wrong)) from None
    return copy.build / "bin/sluice"
