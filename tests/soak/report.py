"""What is said of a soak: on standard output, and in docs/soak.md."""

import datetime
import os

from judge import WARMUP_MOST, WARMUP_PART, table
from rounds import RATE, STORM_SECONDS
from watch import OPTIONS


def describe(soak):
    """Lines of Markdown about one run."""
    closes = soak.last.by("sluice_closes_total", "reason") if soak.last else {}
    ended = ", ".join(f"`{reason}` {count:,}" for reason, count in closes.items() if count)
    drops = soak.last.by("sluice_dropped_total", "reason") if soak.last else {}
    lost = ", ".join(f"`{reason}` {count:,}" for reason, count in drops.items() if count)
    lines = [f"## {soak.backend}", "",
             f"{soak.seconds / 60:.1f} minutes, seed {soak.seed}: {soak.tried + soak.good_made:,} "
             f"connections in {len(soak.samples)} storms, {soak.checked:,} messages of good clients "
             "checked.", "",
             *table(soak.samples, soak.planned), "", f"Sessions ended: {ended}.", "",
             f"Messages that hostile clients did not get: {lost}.", ""]
    lines += [f"- {verdict.line()}" for verdict in soak.verdicts()]
    return lines + [f"- fault: {fault}" for fault in soak.faults]


def write_summary(path, soaks, minutes):
    """`soaks`: runs in which all holds."""
    system = os.uname()
    version = ".".join(system.release.split(".")[:2])
    lines = [
        "# Soak", "",
        f"Whether the gateway stays as it is, as `./dev soak` sees it: storms of {STORM_SECONDS} s, in each "
        f"of which {RATE} clients a second come and go,", "break off, stall, flood, crawl or talk garbage, "
        "then a moment of rest in which the books must agree exactly and memory is measured. Good",
        "clients talk on echo, chat and relay all the time; each of their messages must come once and in "
        f"order. The first {100 * WARMUP_PART:g} % of a run (at most {WARMUP_MOST} s)", "are warm-up. "
        "The slopes are Theil and Sen's; thirds are medians. `./dev soak --planted` shows that 1 KiB "
        "left behind by each", "connection is found in three minutes.", "",
        f"Written by `./dev soak {minutes:g} --backend both --write-summary` on "
        f"{datetime.date.today().isoformat()}, {system.sysname} {version}, {os.cpu_count()} CPUs,",
        "clients on the same machine, with `sluice " + " ".join(OPTIONS) + "`.", ""]
    for soak in soaks:
        lines += [*describe(soak), ""]
    path.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8")
