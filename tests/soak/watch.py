"""The gateway under watch: its process from outside, and what it says of itself in /metrics.

A census is taken while no client sends and those that came and went are gone, so what is counted
must agree exactly, and memory and descriptors are those of the same few clients each time.
"""

import collections
import contextlib
import http.client
import os
import re
import signal
import subprocess
import threading
import time

# Deadlines and bounds so short that a storm of four seconds meets all of them. What is kept (history,
# mailboxes) is full after some seconds; then the user idle longest loses the mailbox, which a good one,
# who is written to all the time, never is. Write queues together stay below their bound.
KIB, MIB = 1 << 10, 1 << 20
QUEUES_TOTAL, HISTORY, MAILBOX, MAILBOXES = 16 * MIB, 500, 64 * KIB, 2 * MIB
SHARDS = 2
OPTIONS = (
    "--shards", str(SHARDS), "--compression", "shared", "--handshake-timeout", "1s",
    "--keep-alive-timeout", "2s", "--fragment-timeout", "1s", "--write-timeout", "1s",
    "--close-timeout", "1s", "--ping-interval", "2s", "--ping-timeout", "1s", "--max-message", "128KiB",
    "--max-fragments", "64", "--max-errors", "20", "--max-pings", "50", "--write-queue", "64KiB",
    "--write-queues-total", str(QUEUES_TOTAL), "--history-messages", str(HISTORY), "--history-size",
    "256KiB", "--mailbox-messages", "100", "--mailbox-size", str(MAILBOX), "--mailboxes-total",
    str(MAILBOXES), "--mailbox-time", "20s")
START_SECONDS, STOP_SECONDS, SETTLE_SECONDS = 20, 15, 15
# The bound of all queues holds from turn to turn, not inside one; a home goes beyond its part of the
# mailboxes by one message at most (tests/sim/chaos_books.cc has the same bounds).
QUEUED_MAX = 2 * QUEUES_TOTAL
MAILBOXES_MAX = MAILBOXES + SHARDS * (MAILBOX + 8 * KIB)


class Trouble(Exception):
    """The soak cannot go on: a fault of the gateway, or none that it could do anything about."""


class Metrics:
    """One scrape: sums of samples by name and labels."""

    def __init__(self, text):
        self.samples = collections.defaultdict(list)
        for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.M):
            self.samples[name].append((dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)))

    def sum(self, name, *reasons, **labels):
        """All samples with these labels; `reasons`: with one of these as label `reason`."""
        return sum(int(value) for has, value in self.samples[name]
                   if all(has.get(key) == wanted for key, wanted in labels.items()) and
                   (not reasons or has.get("reason") in reasons))

    def by(self, name, label):
        found = collections.Counter()
        for has, value in self.samples[name]:
            found[has[label]] += int(value)
        return found


def books(m, standing):
    """What does not agree in a scrape, as lines. `standing`: dialect -> sessions that are open."""
    lost = "sluice_dropped_total"
    returned, stored = m.sum("sluice_mailbox_returned_total"), m.sum("sluice_mailbox_stored_total")
    kept, held = m.sum("sluice_mailbox_kept_total"), m.sum("sluice_mailbox_held_total")
    pairs = [
        ("sessions opened, and closed or open", m.sum("sluice_sessions_opened_total"),
         m.sum("sluice_closes_total") + m.sum("sluice_connections")),
        ("connections and those expected", m.sum("sluice_shard_connections"), sum(standing.values()) + 1),
        ("subscriptions and those expected", m.sum("sluice_subscriptions"),
         standing["chat"] + standing["relay"]),
        ("deliveries, and what became of them", m.sum("sluice_fanned_out_total"),
         m.sum("sluice_delivered_total") + returned + kept +
         m.sum(lost, "session_ended", "slow_consumer", "queues_full", "inbox_full",
               "conflated")),
        ("publications, and what became of them", m.sum("sluice_published_total"),
         m.sum("sluice_distributed_total") + stored - returned - held +
         m.sum(lost, "no_subscriber", "channels_full")),
        ("messages into mailboxes, and what became of them", stored,
         m.sum("sluice_mailbox_delivered_total") + m.sum("sluice_mailbox_acknowledged_total") +
         m.sum("sluice_mailbox_messages") +
         m.sum(lost, "mailbox_full", "mailboxes_full", "mailbox_expired")),
        ("bytes in write queues, and none", m.sum("sluice_queued_bytes"), 0),
        ("messages aside for full inboxes, and none", m.sum("sluice_inbox_aside"), 0),
    ]
    pairs += [(f"sessions of {dialect} and those expected",
               m.sum("sluice_connections", dialect=dialect), count)
              for dialect, count in standing.items()]
    return [f"{what}: {a} and {b}" for what, a, b in pairs if a != b] + over_bounds(m)


def over_bounds(m):
    """What must hold at any moment."""
    channels = m.sum("sluice_mailbox_messages") + m.sum("sluice_subscriptions") + 1
    bounds = [("bytes in write queues", m.sum("sluice_queued_bytes"), QUEUED_MAX),
              ("history messages", m.sum("sluice_history_messages"), HISTORY),
              ("bytes in mailboxes", m.sum("sluice_mailbox_bytes"), MAILBOXES_MAX)]
    if m.sum("sluice_queued_bytes") == 0:  # while nobody is leaving
        bounds.append(("channels", m.sum("sluice_channels"), channels))
    return [f"{what}: {value}, at most {bound}" for what, value, bound in bounds if value > bound]


class Gateway:
    """The process. A context manager; leaving it normally demands that it stops, and with exit code 0."""

    def __init__(self, binary, backend):
        # A session of its own: Ctrl-C is for the soak, which stops the gateway afterwards.
        self.process = subprocess.Popen(
            [binary, "--listen", "127.0.0.1:0", "--backend", backend, *OPTIONS], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
            start_new_session=True)
        self.lines = collections.deque(maxlen=15)
        self.port = None
        self.is_known = threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.scrapes = 0

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())
            if self.port is None and (found := re.search(r"listening address=\S*:(\d+)", line)):
                self.port = int(found[1])
                self.is_known.set()
        self.is_known.set()

    def __enter__(self):
        self.is_known.wait(START_SECONDS)
        if self.port is None:
            self.process.kill()
            raise Trouble("the gateway does not start:\n" + "\n".join(self.lines))
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = f"none within {STOP_SECONDS} s of SIGTERM"
        self.process.wait()
        self.reader.join(5)
        self.process.stderr.close()
        if code != 0 and kind is None:
            raise Trouble(f"the gateway's exit code: {code}\n" + "\n".join(self.lines))

    def check_alive(self):
        if (code := self.process.poll()) is not None:
            raise Trouble(f"the gateway has ended, exit code {code}:\n" + "\n".join(self.lines))

    def metrics(self):
        self.scrapes += 1
        try:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as asked:
                asked.request("GET", "/metrics")
                return Metrics(asked.getresponse().read().decode())
        except (OSError, http.client.HTTPException) as error:
            self.check_alive()
            raise Trouble(f"/metrics: {error}") from None

    def memory(self):
        """Bytes: resident, and of these what no other process has."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="ascii") as rollup:
            kib = {key: int(value) for key, value in re.findall(r"(\w+): +(\d+) kB", rollup.read())}
        return kib["Rss"] * KIB, (kib["Private_Clean"] + kib["Private_Dirty"]) * KIB

    def descriptors(self):
        """The fewest of a few looks: a scrape's own connection may still be on its way out."""
        fewest = len(os.listdir(f"/proc/{self.process.pid}/fd"))
        for _ in range(10):
            time.sleep(0.01)
            fewest = min(fewest, len(os.listdir(f"/proc/{self.process.pid}/fd")))
        return fewest

    def settled(self, standing):
        """A scrape whose books agree; (scrape, what does not agree) if there is none in time."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            m = self.metrics()
            wrong = books(m, standing)
            if not wrong or time.monotonic() > deadline:
                return m, wrong
            time.sleep(0.05)
