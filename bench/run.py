#!/usr/bin/env python3
"""Measures the gateway's CPU time per message beside two bare loops. ./dev bench runs it.

The bare loops (bench/floor) do a handshake and frames and nothing else, so they mark the floor.
Servers take turns within each repetition, and ratios are formed between neighbouring runs, because
machines are not equally fast from one minute to the next. What counts is the server's CPU time per
message; messages per second depend on the client too.

Exit codes: 0 every run was correct and every bar holds (with --quick bars are shown, not judged);
1 a run lost or altered something, a server did not start, or a bar is missed; 2 usage.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from harness import (CLIENT_CPU, SERVER_CPU, BenchError, Server, describe_machine, on_cpu, progress,
                     run_program)

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / "bench-cache"
FLOORS = ("floor_epoll", "floor_uring")
OURS = ("sluice io_uring", "sluice epoll")
PEER = "uwebsockets"
PEER_BAR = 1.05


class Row:
    """One load: how ws_flood makes it, and what it may cost us, in multiples of the floor."""

    def __init__(self, name, what, scenario, connections, size, in_flight, bar):
        self.name, self.what, self.bar = name, what, bar
        self.is_chat = scenario == "chat"
        self.path = "/chat" if self.is_chat else "/"
        self.floor_mode = "broadcast" if self.is_chat else "echo"
        self.arguments = ["--scenario", scenario, "--connections", str(connections),
                          "--size", str(size), "--in-flight", str(in_flight)]


ROWS = (
    Row("echo1", "echo, 100 connections x 125 B, 1 in flight", "echo", 100, 125, 1, 1.15),
    Row("echo16", "echo, 100 connections x 125 B, 16 in flight", "echo", 100, 125, 16, 1.15),
    Row("chat1", "/chat fan-out, 128 B to 1,000, 1 under way", "chat", 1000, 128, 1, 1.3),
    Row("chat8", "/chat fan-out, 128 B to 1,000, 8 under way", "chat", 1000, 128, 8, 1.3),
)


def server_command(name, mode, programs):
    if name in FLOORS:
        return [programs / name, "--port", "0", "--mode", mode]
    if name == PEER:
        return ["node", ROOT / "bench" / "peers" / "uws_echo.js"]
    return [programs / "sluice", "--listen", "127.0.0.1:0", "--shards", "1",
            "--backend", name.split()[1], "--log-level", "info"]


def measure(name, row, options):
    """One run of ws_flood against a fresh server: its JSON result."""
    command = server_command(name, row.floor_mode, options.programs)
    with Server(command, peer_environment()) as server:
        command = [options.programs / "ws_flood", *row.arguments, "--json",
                   "--url", f"ws://127.0.0.1:{server.port}{row.path}",
                   "--server-pid", str(server.process.pid),
                   "--warmup", f"{options.warmup}s", "--duration", f"{options.duration}s"]
        try:
            client = subprocess.run(command, capture_output=True, text=True, check=False,
                                    timeout=options.warmup + options.duration + 90,
                                    preexec_fn=on_cpu(CLIENT_CPU))
        except subprocess.TimeoutExpired as error:
            raise BenchError(f"{name}: ws_flood did not end") from error
    try:
        result = json.loads(client.stdout)
    except ValueError as error:
        raise BenchError(f"{name}: ws_flood said: {client.stderr or client.stdout}") from error
    if client.returncode != 0:
        counts = {key: result[key] for key in ("wrong", "lost", "duplicated", "reordered",
                                               "misdelivered", "refused", "dropped")}
        raise BenchError(f"{name}: {counts} {result['first_failure']}")
    if not result.get("server_us_per_message"):
        raise BenchError(f"{name}: nothing arrived within the measured window")
    return result


def run_row(row, names, options):
    """Costs and rates per server, an entry per repetition (None: the run failed), and faults."""
    costs = {name: [] for name in names}
    rates = {name: [] for name in names}
    faults = []
    for repetition in range(options.repetitions):
        turn = repetition % len(names)
        for name in names[turn:] + names[:turn]:  # nobody is always the first
            progress(f"{row.name}: repetition {repetition + 1} of {options.repetitions}, {name}")
            try:
                result = measure(name, row, options)
            except BenchError as error:
                faults.append(str(error))
                result = {}
            costs[name].append(result.get("server_us_per_message"))
            rates[name].append(result.get("messages_per_second"))
    progress("")
    return costs, rates, faults


def known(values):
    return [value for value in values if value is not None]


def adjacent_ratio(ours, theirs):
    """Median of the ratios within each repetition; None when no repetition has both."""
    ratios = [a / b for a, b in zip(ours, theirs) if a is not None and b is not None]
    return statistics.median(ratios) if ratios else None


def best_floor(costs):
    """The bare loop with the lower median, or None."""
    floors = [name for name in FLOORS if known(costs.get(name, []))]
    return min(floors, key=lambda name: statistics.median(known(costs[name])), default=None)


def judge(row, costs, with_peer):
    """[(what is claimed, ratio, bar, holds)]"""
    # io_uring, the default, is held to the better of the two loops; epoll to the loop that makes the
    # same system calls.
    claims = []
    for name, floor in zip(OURS, (best_floor(costs), "floor_epoll")):
        if floor and name in costs:
            ratio = adjacent_ratio(costs[name], costs[floor])
            claims.append((f"{name} to {floor}", ratio, row.bar))
    if row.name == "echo1" and with_peer:
        for name in FLOORS:
            ratio = adjacent_ratio(costs[name], costs[PEER]) if PEER in costs else None
            claims.append((f"{name} to {PEER}", ratio, PEER_BAR))
    return [(what, ratio, bar, ratio is not None and ratio <= bar) for what, ratio, bar in claims]


def show_row(row, costs, rates, claims, faults):
    floor = best_floor(costs)
    unit = "delivery" if row.is_chat else "message"
    heading = f"server CPU, us per {unit}"
    print(f"\n{row.what}")
    print(f"  {heading:28}{'median':>9}{'min':>9}{'max':>9}{'of floor':>10}{'msg/s':>12}")
    for name, values in costs.items():
        values_known = known(values)
        if not values_known:
            print(f"  {name:28}{'failed':>9}")
            continue
        ratio = adjacent_ratio(values, costs[floor]) if floor else None
        print(f"  {name:28}{statistics.median(values_known):9.3f}{min(values_known):9.3f}"
              f"{max(values_known):9.3f}{f'{ratio:.2f}x' if ratio else '-':>10}"
              f"{statistics.median(known(rates[name])):12,.0f}")
    for what, ratio, bar, holds in claims:
        told = f"{ratio:.2f}x" if ratio is not None else "not measured"
        print(f"  {'holds ' if holds else 'MISSED'}  {what}: {told}, at most {bar:.2f}x")
    for fault in faults:
        print(f"  FAILED  {fault}")
    sys.stdout.flush()


def peer_environment():
    return dict(os.environ, NODE_PATH=str(CACHE / "node_modules"))


def peer_loads():
    try:
        subprocess.run(["node", "-e", "require('uwebsockets')"], check=True, capture_output=True,
                       timeout=60, env=peer_environment())
        return True
    except (OSError, subprocess.SubprocessError):
        return False


def have_peer():
    """Whether the peer, which ./dev bench installs, can run here."""
    if peer_loads():
        return True
    print("the peer does not run here: node or its npm package is missing (./dev bench installs both; "
          "--no-peer does without)", file=sys.stderr)
    return False


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Server CPU time per message: the gateway beside two bare loops, taking turns.")
    add = parser.add_argument
    add("--quick", action="store_true", help="2 repetitions of 1 s: a rough idea")
    add("--repetitions", type=int, metavar="N", help="default 5")
    add("--duration", type=float, metavar="S", help="measured seconds per run, default 3")
    add("--rows", metavar="LIST", default=",".join(row.name for row in ROWS), help="of %(default)s")
    add("--no-peer", action="store_true", help="without npm uwebsockets")
    add("--floor-only", action="store_true", help="without the gateway")
    add("--micro", action="store_true", help="the micro-benchmarks, too, at the end")
    add("--json", metavar="FILE", help="all figures, into a file")
    add("--programs", type=Path, metavar="DIR", default=ROOT / "build/release/bin",
        help="default build/release/bin")
    options = parser.parse_args()
    options.repetitions = options.repetitions or (2 if options.quick else 5)
    options.duration = options.duration or (1 if options.quick else 3)
    options.warmup = 0.5 if options.quick else 1
    options.programs = options.programs.resolve()
    wanted = options.rows.split(",")
    if unknown := set(wanted) - {row.name for row in ROWS}:
        parser.error("no such row: " + ", ".join(sorted(unknown)))
    if options.repetitions < 1 or options.duration <= 0:
        parser.error("--repetitions and --duration: more than nothing")
    options.rows = [row for row in ROWS if row.name in wanted]
    needed = [*FLOORS, "ws_flood"] + ([] if options.floor_only else ["sluice"])
    missing = [name for name in needed if not os.access(options.programs / name, os.X_OK)]
    if missing:
        parser.error(f"not in {options.programs}: {', '.join(missing)} (./dev bench builds them)")
    return options


def main():
    options = parse_arguments()
    names = list(FLOORS) + ([] if options.floor_only else list(OURS))
    with_peer = not options.no_peer and have_peer()
    print(describe_machine())
    print(f"{options.repetitions} runs of {options.duration:g} s each, server on CPU {SERVER_CPU}, "
          f"client on CPU {CLIENT_CPU}; ratios are medians over neighbouring runs")
    now = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    report = {"machine": describe_machine(), "time": now, "rows": {}}
    all_correct = all_hold = True
    for row in options.rows:
        row_names = names + ([PEER] if with_peer and not row.is_chat else [])
        costs, rates, faults = run_row(row, row_names, options)
        claims = judge(row, costs, not options.no_peer)
        show_row(row, costs, rates, claims, faults)
        all_correct &= not faults
        all_hold &= all(claim[3] for claim in claims)
        report["rows"][row.name] = {
            "what": row.what, "us_per_message": costs, "messages_per_second": rates,
            "faults": faults,
            "claims": [dict(zip(("what", "ratio", "bar", "holds"), claim)) for claim in claims]}
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if options.micro:
        micro = [options.programs / "micro_bench"]
        subprocess.run(micro, check=False, preexec_fn=on_cpu(SERVER_CPU))
    return 0 if all_correct and (all_hold or options.quick) else 1


if __name__ == "__main__":
    run_program(main)
