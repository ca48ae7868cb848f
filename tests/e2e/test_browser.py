"""Both pages in headless Chromium, on each kernel backend."""

import os
import shutil
import subprocess
import unittest
from pathlib import Path

from gateway import Gateway

HERE = Path(__file__).parent


class Browser(unittest.TestCase):
    def test_two_windows_chat_and_a_relay_message_travels(self):
        chromium = shutil.which("chromium")
        self.assertIsNotNone(chromium, "install Debian's chromium")
        for backend in ("io_uring", "epoll"):
            with self.subTest(backend=backend), Gateway("--shards", "2", "--backend", backend) as gateway:
                done = subprocess.run(
                    ["node", str(HERE / "pages.js"), str(gateway.port), chromium],
                    capture_output=True, text=True, timeout=180, env=os.environ)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
