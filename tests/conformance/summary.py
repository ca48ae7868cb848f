"""docs/conformance.md, from the results of a whole run."""

import collections
import datetime

from cases import INFORMATIONAL, OPTIONS, SECTIONS, section_of


def counts_of(run):
    """Section -> what its cases came to, counted."""
    counts = collections.defaultdict(collections.Counter)
    for result in run.results:
        counts[section_of(result.case)][result.behaviour] += 1
    return counts


def write_summary(path, runs, suite, today=None):
    """`runs`: backend -> a Run without faults."""
    counts = {name: counts_of(run) for name, run in runs.items()}
    today = today or datetime.date.today().isoformat()
    lines = [
        "# Conformance", "",
        "What the cases of the Autobahn suite say about the gateway, as `./dev conformance` runs them: "
        "against `/`, once over each", f"kernel interface, with `sluice {' '.join(OPTIONS)}`. "
        "A result is a fault unless it is exactly what is expected:", "\"OK\" for messages and close "
        "alike, not the suite's \"NON-STRICT\".", "",
        f"Written by `./dev conformance --write-summary` on {today}, with `{suite}` from PyPI.", "",
        "| section | cases | " + " | ".join(f"OK, {name}" for name in runs) +
        " | " + " | ".join(f"informational, {name}" for name in runs) + " |",
        "| --- | --- |" + " --- |" * (2 * len(runs)),
    ]

    def row(title, sections):
        one = next(iter(counts.values()))
        total = sum(sum(one[section].values()) for section in sections)
        cells = [str(sum(count[section][behaviour] for section in sections))
                 for behaviour in ("OK", "INFORMATIONAL") for count in counts.values()]
        lines.append(f"| {title} | {total} | " + " | ".join(cells) + " |")

    sections = sorted(next(iter(counts.values())))
    for section in sections:
        row(f"{section} {SECTIONS[section]}", [section])
    row("all", sections)
    lines += ["", "Informational cases have no right answer:", ""]
    lines += [f"- {case}: {what}" for case, what in INFORMATIONAL.items()]
    left_out = [f"{section} ({name})" for section, name in SECTIONS.items() if section not in sections]
    if left_out:
        lines += ["", f"Not run, because the gateway does not offer it: {', '.join(left_out)}."]
    path.write_text("\n".join(lines) + "\n")
