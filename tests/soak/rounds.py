"""One soak: storms and moments of rest by turns, what is wrong beyond doubt, and samples for judging."""

import contextlib
import json
import subprocess
import sys
import time
from pathlib import Path

from judge import MIB, Sample, Verdict, judge, judge_ends
from watch import Gateway, Trouble, over_bounds

HERE = Path(__file__).resolve().parent
BACKENDS = {"uring": "io_uring", "epoll": "epoll"}
STORM_SECONDS = 4
RATE = 400  # clients that come in a second
PROGRESS_SECONDS = 10, 60  # on a terminal, elsewhere


class Clients:
    """A process of clients: a line in, a line of JSON out. Ends with its standard input."""

    def __init__(self, script, *arguments):
        self.name = script
        self.process = subprocess.Popen(
            [sys.executable, "-B", HERE / script, *map(str, arguments)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, start_new_session=True)

    def tell(self, line):
        with contextlib.suppress(BrokenPipeError):  # the answer will be missing
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise Trouble(f"{self.name} has ended by itself")
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Soak:
    """One run over one backend. `faults` are what is wrong beyond doubt; `samples` are for judging."""

    def __init__(self, binary, backend, seed, seconds):
        self.binary, self.backend, self.seed, self.planned = binary, backend, seed, seconds
        self.samples, self.faults = [], []
        self.tried = self.answered = self.checked = self.good_made = 0
        self.last = None  # the last scrape
        self.seconds = 0
        self.is_interrupted = False

    def run(self):
        started = time.monotonic()
        try:
            with Gateway(self.binary, BACKENDS[self.backend]) as gateway, \
                    Clients("good.py", gateway.port, self.seed) as good, \
                    Clients("storms.py", gateway.port, self.seed) as storms:
                progress = Progress(self)
                while not self.faults and time.monotonic() - started < self.planned:
                    self.cycle(gateway, good, storms, started)
                    progress.show()
        except Trouble as trouble:
            self.faults.append(str(trouble))
        except KeyboardInterrupt:
            self.is_interrupted = True
        self.seconds = time.monotonic() - started
        if self.is_interrupted:
            self.planned = self.seconds  # what the warm-up is a part of
        return self

    def cycle(self, gateway, good, storms, started):
        good.tell("go")
        good.answer()
        storms.tell(f"storm {STORM_SECONDS} {RATE}")
        time.sleep(0.7 * STORM_SECONDS)  # when much of what stalls has piled up
        self.faults += over_bounds(gateway.metrics())
        weather = storms.answer()
        good.tell("gather")
        report = good.answer()
        gateway.check_alive()
        self.tried += weather["tried"]
        self.answered += weather["answered"]
        self.checked, self.good_made = report["checked"], report["made"]
        self.faults += report["faults"] + [f"a client: {weather['fault']}"] * bool(weather["fault"])
        self.last, wrong = gateway.settled(report["standing"])
        self.faults += wrong
        accepted = self.last.sum("sluice_accepted_total")
        ours = self.good_made + gateway.scrapes
        # Who resets before it is accepted is not counted.
        if not self.answered <= accepted - ours <= self.tried:
            self.faults.append(f"{accepted} connections accepted; {self.tried + ours} were made, and "
                               f"{self.answered + ours} were answered")
        resident, private = gateway.memory()
        self.samples.append(Sample(
            time.monotonic() - started, accepted, resident, private, gateway.descriptors(),
            report["latencies"]))

    def failed(self):
        return [verdict.name for verdict in self.verdicts() if verdict.holds is False]

    def verdicts(self):
        delivery = Verdict("delivery and books", f"{self.checked:,} messages to good clients, "
                           f"{len(self.samples)} moments of rest", not self.faults)
        closes = self.last.by("sluice_closes_total", "reason") if self.last else {}
        return [delivery, judge_ends(closes), *judge(self.samples, self.planned)]


class Progress:
    """A line now and then: what a look at a long run wants to know."""

    def __init__(self, soak):
        self.soak = soak
        self.interval = PROGRESS_SECONDS[0 if sys.stderr.isatty() else 1]
        self.next = time.monotonic() + self.interval

    def show(self):
        if time.monotonic() < self.next or not self.soak.samples:
            return
        self.next += self.interval
        sample = self.soak.samples[-1]
        late = "  ".join(f"{kind} {values[0]:.1f}/{values[1]:.1f}/{values[2]:.0f}"
                         for kind, values in sorted(sample.latencies.items()))
        print(f"{sample.seconds:6.0f} s  {sample.connections:>8,} connections  "
              f"{sample.private / MIB:6.2f} MiB  {sample.descriptors} descriptors  "
              f"p50/p99/max in ms: {late}", file=sys.stderr, flush=True)
