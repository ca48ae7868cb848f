"""What hostile clients cost, as ./dev bench --hostile measures it, with fewer of them.

Lengths and fragments are missing here: test_hostile.py has them in full.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway import BINARY

BENCH = Path(__file__).resolve().parents[2] / "bench" / "hostile.py"
BACKENDS = ("uring", "epoll")
SCENARIOS = ("stalled", "bombs", "slowloris", "garbage")


def measure(*arguments, programs=os.path.dirname(BINARY)):
    return subprocess.run([sys.executable, BENCH, "--quick", "--programs", programs, *arguments],
                          capture_output=True, text=True, timeout=240)


class HostileBench(unittest.TestCase):
    def test_every_bound_holds_on_both_backends(self):
        with ThreadPoolExecutor(2) as pool:  # much of the time is waiting for deadlines
            for scenario in SCENARIOS:
                runs = {backend: pool.submit(measure, "--backend", backend, scenario) for backend in BACKENDS}
                for backend, run in runs.items():
                    with self.subTest(scenario=scenario, backend=backend):
                        done = run.result()
                        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                        self.assertRegex(done.stdout, rf"(?m)^{backend} +{scenario} .* OK$")

    def test_what_is_missed_is_exit_code_1_and_a_wrong_name_2(self):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "sluice")
            program.write_text("#!/bin/sh\necho broken\n")
            program.chmod(0o755)
            done = measure("--backend", "epoll", "lengths", programs=folder)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("FAIL", done.stdout)
        self.assertIn("broken", done.stdout)
        self.assertEqual(measure("dance").returncode, 2)


if __name__ == "__main__":
    unittest.main()
