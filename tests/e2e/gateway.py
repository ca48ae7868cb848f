"""Starts the real binary for a test and stops it again."""

import os
import re
import signal
import subprocess
import threading
import time

BINARY = os.environ["GATEWAY_BIN"]
START_SECONDS = 20


class Gateway:
    """One running gateway on a free port. A context manager; `lines` is its standard error so far.
    `through`: the words of a command that runs it."""

    def __init__(self, *arguments, listen=("127.0.0.1:0",), exit_code=0, through=()):
        self.exit_code = exit_code
        options = [word for address in listen for word in ("--listen", address)]
        self.process = subprocess.Popen([*through, BINARY, *options, *arguments], stderr=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.lines = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()

    def wait_for_line(self, pattern, seconds=START_SECONDS):
        """The match of the first line that contains `pattern`."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for line in self.lines:
                    if match := re.search(pattern, line):
                        return match
                left = deadline - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise AssertionError(f"no line with {pattern!r} in {self.lines}")

    def __enter__(self):
        self.port = int(self.wait_for_line(r"listening address=[^ ]*:(\d+)").group(1))
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError("the gateway did not stop within 15 s") from None
        self._reader.join(5)
        self.process.stderr.close()
        self.process.stdout.close()
        if self.process.returncode != self.exit_code:
            raise AssertionError(f"exit code {self.process.returncode}: {self.lines[-5:]}")

    def kill(self):
        """kill -9: nothing is tidied up."""
        self.exit_code = -signal.SIGKILL
        self.process.kill()
        self.process.wait(15)

    def url(self, path="/"):
        return f"ws://127.0.0.1:{self.port}{path}"
