"""What the measuring programs share: servers that end with a `with` block, and pinning to CPUs."""

import os
import re
import signal
import subprocess
import sys
import threading

SERVER_CPU, CLIENT_CPU = 0, 1
START_SECONDS = 15


class BenchError(Exception):
    pass


def on_cpu(cpu):
    """For Popen: stays on one CPU, if this machine has it."""
    def pin():
        if cpu in os.sched_getaffinity(0):
            os.sched_setaffinity(0, {cpu})
    return pin


class Server:
    """A server process of ours; it ends with the `with` block."""

    def __init__(self, command, environment, cpu=SERVER_CPU):
        self.command = command
        self.tail = []
        self.port = None
        self.is_known = threading.Event()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", env=environment, preexec_fn=on_cpu(cpu))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.tail = self.tail[-9:] + [line.rstrip()]
            found = re.search(r'listening.*address="?127\.0\.0\.1:(\d+)', line)
            if found and self.port is None:
                self.port = int(found.group(1))
                self.is_known.set()
        self.is_known.set()

    def __enter__(self):
        self.is_known.wait(START_SECONDS)
        if self.port is None:
            self.stop()
            raise BenchError("no listening line from: " + " ".join(map(str, self.command)) +
                             "".join("\n    " + line for line in self.tail))
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(8)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(2)


def run_program(main):
    """Ends the process with what `main` answers, so that `with` blocks end the servers whatever comes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def progress(text):
    if sys.stderr.isatty():
        print("\r\033[K" + text, end="", file=sys.stderr, flush=True)


def describe_machine():
    load = os.getloadavg()[0]
    note = "   <- busy: expect noise, trust only ratios" if load > 0.5 else ""
    system = os.uname()
    return f"{system.sysname} {system.release}, {os.cpu_count()} CPUs, load {load:.1f}{note}"
