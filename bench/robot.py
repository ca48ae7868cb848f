#!/usr/bin/env python3
"""Shows that a robot in trouble costs nobody else anything. ./dev bench --robot runs it.

People talk in the group chat and others send to each other through the relay, at fixed rates, while
the robot is well (it answers every question at once, with silence, so that all that arrives can be
verified), is killed in the middle of the run, or is slow (it never answers). These take turns; what
counts is the 99th percentile of latency, as a median over the repetitions, against a robot that is
well.

Exit codes: 0 everything arrived and every bar holds; 1 otherwise; 2 usage.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from harness import CLIENT_CPU, BenchError, Server, describe_machine, on_cpu, progress, run_program

ROOT = Path(__file__).resolve().parent.parent
WELL, KILLED, SLOW = "well", "killed", "slow"
FATES = (WELL, KILLED, SLOW)
WARMUP_SECONDS = 1
LOADS = {
    "chat": ["--scenario", "chat", "--connections", "200", "--publishers", "4", "--rate", "100"],
    "relay": ["--scenario", "relay", "--connections", "100", "--rate", "1000"],
}
SILENCE = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n"
           b'{"message":""}')
# A bar holds if either does.
RATIO_BAR, MICROSECONDS_BAR = 1.10, 1000


async def answer(reader, writer, is_slow):
    """One connection of the gateway's: reads questions, and answers each unless slow."""
    try:
        while True:
            header = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(header.split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(size)
            if not is_slow:
                writer.write(SILENCE)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def serve(is_slow):
    server = await asyncio.start_server(lambda r, w: answer(r, w, is_slow), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(f'listening address="127.0.0.1:{port}"', flush=True)
    await server.serve_forever()


def flood(name, port, options):
    command = [options.programs / "ws_flood", *LOADS[name], "--json",
               "--url", f"ws://127.0.0.1:{port}", "--warmup", f"{WARMUP_SECONDS}s",
               "--duration", f"{options.duration}s"]
    return subprocess.Popen(command, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, preexec_fn=on_cpu(CLIENT_CPU))


def answers(port):
    """What came of the questions, by outcome, as /metrics says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        text = response.read().decode()
    lines = (line.split() for line in text.splitlines())
    return {words[0].split('"')[1]: int(words[1]) for words in lines
            if words and words[0].startswith("sluice_robot_answers_total{") and words[1] != "0"}


def measure(fate, options):
    """One run: the 99th percentile of each load in microseconds, and the questions' outcomes."""
    robot_command = [sys.executable, __file__, "--serve", SLOW if fate == SLOW else WELL]
    with Server(robot_command, None, CLIENT_CPU) as robot:
        gateway_command = [options.programs / "sluice", "--listen", "127.0.0.1:0", "--shards", "1",
                           "--robot-url", f"http://127.0.0.1:{robot.port}/", "--log-level", "info"]
        with Server(gateway_command, None) as gateway:
            clients = {name: flood(name, gateway.port, options) for name in LOADS}
            if fate == KILLED:
                time.sleep(WARMUP_SECONDS + options.duration / 3)
                robot.process.kill()
            results = {}
            for name, client in clients.items():
                result = json.loads(client.communicate(timeout=options.duration + 90)[0])
                if client.returncode != 0:
                    raise BenchError(f"{fate}, {name}: {result['first_failure']}")
                results[name] = result["p99_us"]
            return results, answers(gateway.port)


def judge(values, baseline):
    """Text, and whether a load's latency is near enough to that with a robot that is well."""
    ratio, more = values / baseline, values - baseline
    holds = ratio <= RATIO_BAR or more <= MICROSECONDS_BAR
    return f"{ratio:.2f}x, {more:+.0f} us  {'holds' if holds else 'MISSED'}", holds


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--programs", type=Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--duration", type=float, default=8, help="seconds of each run")
    parser.add_argument("--serve", choices=(WELL, SLOW), help="be that robot, and nothing else")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if options.serve:
        asyncio.run(serve(options.serve == SLOW))
        return 0
    print(describe_machine())
    print(f"p99 in us, medians of {options.repetitions} alternating runs of {options.duration:g} s: "
          "200 people in the chat at 100 messages/s, 100 relay users at 1,000 messages/s")
    runs = {fate: [] for fate in FATES}
    outcomes = {}
    for repetition in range(options.repetitions):
        turn = repetition % len(FATES)
        for fate in FATES[turn:] + FATES[:turn]:
            progress(f"repetition {repetition + 1} of {options.repetitions}: robot {fate}")
            result, outcomes[fate] = measure(fate, options)
            runs[fate].append(result)
    progress("")
    all_hold = True
    for name in LOADS:
        medians = {fate: statistics.median(run[name] for run in runs[fate]) for fate in FATES}
        print(f"{name:6} robot {WELL:7}{medians[WELL]:8.0f}")
        for fate in (KILLED, SLOW):
            text, holds = judge(medians[fate], medians[WELL])
            all_hold &= holds
            print(f"{name:6} robot {fate:7}{medians[fate]:8.0f}  {text}")
    for fate in FATES:
        print(f"what came of the questions in the last run, robot {fate}: {outcomes[fate]}")
    return 0 if all_hold else 1


if __name__ == "__main__":
    run_program(main)
