"""Runs the end-to-end tests with the Python that has their clients.

--offline-seconds N in front of a test's name: how long a page is away from its network (3).
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
python = os.environ.get("E2E_PYTHON", sys.executable)
if not os.path.exists(python):
    sys.exit(f"{python} is missing: ./dev test installs the clients of these tests")
arguments = sys.argv[1:]
if arguments[:1] == ["--offline-seconds"]:
    os.environ["OFFLINE_SECONDS"] = arguments[1]
    arguments = arguments[2:]
os.chdir(HERE)
os.execv(python, [python, "-m", "unittest", "-v", *arguments])
