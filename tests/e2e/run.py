"""Runs the end-to-end tests with the Python that has their clients."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
python = os.environ.get("E2E_PYTHON", sys.executable)
if not os.path.exists(python):
    sys.exit(f"{python} is missing: ./dev test installs the clients of these tests")
os.chdir(HERE)
os.execv(python, [python, "-m", "unittest", "-v", *sys.argv[1:]])
