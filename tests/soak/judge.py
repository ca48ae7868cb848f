"""What the samples of a soak come to: a table, and a verdict on each thing that must hold.

Pure: samples in, text and verdicts out.
"""

import dataclasses

from slope import FEWEST, Slope, thirds

MIB = 1 << 20
# What sweeps of mailboxes, pools that breathe and the allocator's holes do to a run of three minutes
# is a third of this at most, and to a longer one less.
BYTES_PER_CONNECTION = 128
# So many connections that a rise at the bound would be larger than what one sample is off by.
CONNECTIONS_FEWEST = 20_000
# Latency may not double, unless it is a matter of milliseconds. What counts is the time in which the
# machine was calm: a timer of the good clients was late by no more than this, 99 times in 100.
LATENCY_RATIO, LATENCY_MS = 2.0, 10.0
CALM_MS = 25.0
TIMER = "timer"
WARMUP_PART, WARMUP_MOST = 0.2, 240
# Whoever is closed for one of these is there in each storm; a soak that never sees it tests less.
EXPECTED_CLOSES = (
    "closed", "left", "connection_lost", "protocol_error", "invalid_utf8", "bad_deflate",
    "message_too_big", "too_many_fragments", "fragment_timeout", "too_many_errors", "too_many_pings",
    "ping_timeout", "write_timeout", "slow_consumer")
ENDS_FEWEST = 2000  # sessions ended: fewer come from a machine too busy to storm


@dataclasses.dataclass
class Sample:
    seconds: float      # since the start
    connections: int    # accepted so far
    resident: int       # bytes
    private: int        # bytes
    descriptors: int
    latencies: dict     # kind -> (p50, p99, max) in ms since the sample before


@dataclasses.dataclass
class Verdict:
    name: str
    text: str
    holds: bool | None  # None: too little happened to say

    def line(self):
        word = {True: "holds", False: "FAILS", None: "not judged"}[self.holds]
        return f"{self.name}: {self.text}: {word}"


def warm(samples, planned):
    """Those after the warm-up of a soak that was to take `planned` seconds."""
    begin = min(WARMUP_PART * planned, WARMUP_MOST)
    return [sample for sample in samples if sample.seconds >= begin]


def judge_memory(samples):
    connections = [sample.connections for sample in samples]
    slope = Slope(connections, [sample.private for sample in samples])
    text = (f"{slope.value:+.0f} bytes a connection ({slope.low:+.0f} to {slope.high:+.0f}), "
            f"at most {BYTES_PER_CONNECTION}")
    is_enough = len(samples) >= FEWEST and connections[-1] - connections[0] >= CONNECTIONS_FEWEST
    return Verdict("memory", text, slope.value <= BYTES_PER_CONNECTION if is_enough else None)


def judge_descriptors(samples):
    if len(samples) < 2:
        return Verdict("descriptors", "nothing to compare", None)
    counts = [sample.descriptors for sample in samples]
    slope = Slope([sample.connections for sample in samples], counts)
    return Verdict("descriptors", f"{counts[0]} at first, {counts[-1]} at last, "
                   f"{1e3 * slope.value:+.3f} in 1,000 connections",
                   slope.value <= 0 and counts[-1] <= counts[0])


def judge_latency(samples, kind):
    values = [sample.latencies[kind][1] for sample in samples
              if kind in sample.latencies and sample.latencies[TIMER][1] <= CALM_MS]
    if len(values) < FEWEST:
        return Verdict(f"latency of {kind}", "too few samples while the machine was calm", None)
    first, last = thirds(values)
    return Verdict(f"latency of {kind}", f"p99 {first:.1f} ms, then {last:.1f} ms in "
                   f"{len(values)} samples; at most {LATENCY_RATIO:g} times or {LATENCY_MS:g} ms more",
                   last <= LATENCY_RATIO * first or last <= first + LATENCY_MS)


def judge_ends(closes):
    """`closes`: sessions ended, by reason."""
    missing = [reason for reason in EXPECTED_CLOSES if not closes.get(reason)]
    text = "nobody was closed for " + ", ".join(missing) if missing else "every reason seen"
    return Verdict("ends", text, not missing if sum(closes.values()) >= ENDS_FEWEST else None)


def kinds(samples):
    return sorted({kind for sample in samples for kind in sample.latencies})


def judge(samples, planned):
    """Verdicts on the figures that should not grow."""
    after = warm(samples, planned)
    return [judge_memory(after) if after else Verdict("memory", "no samples", None),
            judge_descriptors(samples),
            *(judge_latency(after, kind) for kind in kinds(samples) if kind != TIMER)]


def table(samples, planned):
    """Lines of Markdown: first and last third after the warm-up, and slopes."""
    after = warm(samples, planned)
    rows = ["| | first third | last third | in an hour | a connection |",
            "| --- | --- | --- | --- | --- |"]
    if not after:
        return rows

    def row(name, values, unit, digits, each):
        first, last = thirds(values)
        hourly = 3600 * Slope([sample.seconds for sample in after], values).value
        single = Slope([sample.connections for sample in after], values).value
        rows.append(f"| {name} | {first / unit:,.{digits}f} | {last / unit:,.{digits}f} | "
                    f"{hourly / unit:+,.{digits}f} | {each(single)} |")

    bytes_each = "{:+.0f} B".format
    row("memory of its own, MiB", [s.private for s in after], MIB, 2, bytes_each)
    row("resident memory, MiB", [s.resident for s in after], MIB, 2, bytes_each)
    row("descriptors", [s.descriptors for s in after], 1, 0, "{:+.4f}".format)
    for kind in kinds(after):
        if all(kind in sample.latencies for sample in after):
            for place, name in enumerate(("p50", "p99", "max")):
                row(f"{kind}, {name}, ms", [s.latencies[kind][place] for s in after], 1, 1,
                    lambda _: "")
    return rows
