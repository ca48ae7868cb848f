"""What the README shows is what happens: its commands are run, and must say what stands behind them."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

from gateway import BINARY
from test_browser import quiet_port

README = Path(__file__).resolve().parents[2] / "README.md"
HEADING = "## From an application server to a browser\n"
SECONDS = 20


def section():
    text = README.read_text()
    assert HEADING in text, "the section has another name now"
    return text.split(HEADING)[1].split("\n## ")[0]


def blocks(text):
    """(language, content) of each block of code."""
    return re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)


def without_epochs(text):
    return re.sub(r'"epoch":"\d+"', '"epoch":"E"', text)


class Shell:
    """A shell that is told commands as a person types them; all that anything in it says."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            ["bash", "-e"], cwd=folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True)
        self.said = ""
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while data := os.read(self.process.stdout.fileno(), 65536):
            with self.changed:
                self.said += data.decode()
                self.changed.notify_all()

    def type(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def wait_for(self, text):
        with self.changed:
            if not self.changed.wait_for(lambda: text in without_epochs(self.said), SECONDS):
                raise AssertionError(f"nobody said {text!r}: {self.said}")

    def close(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.stdin.close()
        self.process.wait(SECONDS)
        self.reader.join(SECONDS)
        self.process.stdout.close()


class Readme(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.ports = {"9999": str(quiet_port()), "9998": str(quiet_port())}

    def here(self, text):
        """As it stands there, with the programs and ports of this test."""
        for port, ours in self.ports.items():
            text = text.replace(f":{port}", f":{ours}")
        return text.replace("./dev run", f"{BINARY} --listen 127.0.0.1:{self.ports['9999']}")

    def wait_until_ready(self):
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                url = f"http://127.0.0.1:{self.ports['9999']}/readyz"
                return urllib.request.urlopen(url, timeout=SECONDS).close()
            except OSError:
                self.assertLess(time.monotonic(), deadline, "the gateway is not ready")
                time.sleep(0.02)

    def run_block(self, shell, content):
        """Command by command, each up to what it is to say."""
        for line in content.replace("\\\n", " ").splitlines():
            if line.startswith("# "):
                shell.wait_for(without_epochs(line[2:]))
                self.expected += 1
            elif not line.startswith("npm install "):  # those are installed
                shell.type(self.here(line))
                if line.startswith("./dev run"):
                    self.wait_until_ready()

    def test_a_publication_travels_as_it_says(self):
        self.expected = 0
        shell = Shell(self.folder.name)
        self.addCleanup(shell.close)
        for language, content in blocks(section()):
            if language == "sh":
                self.run_block(shell, content)
            else:
                Path(self.folder.name, "client.js").write_text(self.here(content))
        self.assertEqual(self.expected, 5)


if __name__ == "__main__":
    unittest.main()
