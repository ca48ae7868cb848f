"""The gateway as a process that is started, killed and started again on the same directory."""

import asyncio
import os
import re
import signal
import subprocess
import time

START_SECONDS = 30


class Trouble(Exception):
    """The run cannot go on: a process that does not start, or ends by itself."""


class Process:
    """One gateway at a time on ports that stay. Its standard error goes to a file, whole."""

    def __init__(self, binary, directory, log, *arguments):
        self.command = [binary, "--data", str(directory), *arguments]
        self.log = log
        self.ports = {}     # "clients", "ops"
        self.running = None
        self.starts = []    # seconds until it was ready

    def spawn(self):
        listen = [f"127.0.0.1:{self.ports.get(which, 0)}" for which in ("clients", "ops")]
        output = open(self.log, "ab")
        with output:
            self.from_byte = output.tell()
            self.running = subprocess.Popen(
                [*self.command, "--listen", listen[0], "--ops-listen", listen[1]],
                stdout=subprocess.DEVNULL, stderr=output)
        self.spawned_at = time.monotonic()

    def said(self):
        with open(self.log, "rb") as text:
            text.seek(self.from_byte)
            return text.read().decode(errors="replace")

    async def wait_until_ready(self):
        while True:
            if self.running.poll() is not None:
                raise Trouble(f"exit code {self.running.returncode}: {self.said()[-2000:]}")
            found = dict((role, int(port)) for port, role in re.findall(
                r"listening address=[^ ]*:(\d+) for=(clients|ops)", self.said()))
            if len(found) == 2:
                self.ports = found
                self.starts.append(time.monotonic() - self.spawned_at)
                return
            if time.monotonic() - self.spawned_at > START_SECONDS:
                raise Trouble(f"not ready within {START_SECONDS} s: {self.said()[-2000:]}")
            await asyncio.sleep(0.002)

    async def end(self, is_clean):
        """Ends it, and returns when. Of a kill that is the moment before it."""
        if self.running.poll() is not None:
            raise Trouble(f"it ended by itself, exit code {self.running.returncode}: {self.said()[-2000:]}")
        moment = time.monotonic()
        os.kill(self.running.pid, signal.SIGTERM if is_clean else signal.SIGKILL)
        code = await asyncio.to_thread(self.running.wait)
        expected = 0 if is_clean else -signal.SIGKILL
        if code != expected:
            raise Trouble(f"exit code {code} instead of {expected}: {self.said()[-2000:]}")
        return time.monotonic() if is_clean else moment

    def close(self):
        if self.running is not None and self.running.poll() is None:
            self.running.kill()
            self.running.wait()
