#!/usr/bin/env python3
"""What the server API costs, beside the cheapest answer there is. ./dev bench --api runs it.

One shard on one CPU, load on the other, over connections that are kept alive with one request under way
on each. Kinds of requests take turns; the figures are medians. Then how long it takes from a call to
publish until a client of the chat has what was published. At last the same with --data, in a directory
beside the results, for publications that wait for the disk (sync) and such that do not.

Exit codes: 0 a single publication is answered at least half as fast as /healthz, and takes no more than
twice its CPU time; 1 otherwise; 2 usage.
"""

import argparse
import base64
import json
import os
import socket
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from harness import CLIENT_CPU, BenchError, Server, describe_machine, on_cpu, progress, run_program

ROOT = Path(__file__).resolve().parent.parent
KEY = "bench"
BATCH = 100
RATIO_BAR = 0.5
WARMUP_SECONDS = 0.3


def post(method, body):
    text = json.dumps(body, separators=(",", ":")).encode()
    return (f"POST /api/{method} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\n"
            f"Content-Length: {len(text)}\r\n\r\n").encode() + text


PUBLICATION = {"channel": "news:all", "data": {"text": "x" * 100}}
REQUESTS = {
    "GET /healthz": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "publish": post("publish", PUBLICATION),
    "publish, kept": post("publish", {**PUBLICATION, "channel": "kept:all"}),
    f"batch of {BATCH}": post("batch", {"commands": [{"publish": PUBLICATION}] * BATCH}),
}

KEPT = {**PUBLICATION, "channel": "kept:all"}
SYNC = {**KEPT, "sync": True}
KEPT_REQUESTS = {
    "publish": post("publish", KEPT),
    "publish, sync": post("publish", SYNC),
    f"batch of {BATCH}": post("batch", {"commands": [{"publish": KEPT}] * BATCH}),
    f"batch of {BATCH}, sync": post("batch", {"commands": [{"publish": SYNC}] * BATCH}),
}


def cpu_seconds(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as response:
        for line in response.read().decode().splitlines():
            if line.startswith("process_cpu_seconds_total "):
                return float(line.split()[1])
    raise BenchError("no process_cpu_seconds_total")


def measure(kind, port, options, requests=None):
    """Requests per second, and microseconds of the gateway's CPU for each."""
    def flood(seconds):
        command = [options.programs / "http_flood", str(port), str(options.connections), str(seconds)]
        done = subprocess.run(command, input=(requests or REQUESTS)[kind], capture_output=True,
                              preexec_fn=on_cpu(CLIENT_CPU), check=False)
        if done.returncode != 0:
            raise BenchError(f"{kind}: {done.stderr.decode()}")
        return json.loads(done.stdout)
    flood(WARMUP_SECONDS)
    before = cpu_seconds(port)
    result = flood(options.duration)
    used = cpu_seconds(port) - before
    return result["answers"] / result["seconds"], used / result["answers"] * 1e6


def listen_to_chat(port):
    listener = socket.create_connection(("127.0.0.1", port), 10)
    key = base64.b64encode(os.urandom(16)).decode()
    listener.sendall((f"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                      f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                      f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
    if not listener.recv(4096).startswith(b"HTTP/1.1 101"):
        raise BenchError("the chat does not let us in")
    return listener


def latencies(port, count, **members):
    """From a call to what a listener gets, in microseconds, sorted."""
    listener = listen_to_chat(port)
    caller = socket.create_connection(("127.0.0.1", port), 10)
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    took = []
    for number in range(count):
        text = f"{number:060}"
        request = post("publish", {"channel": "chat", "data": text, **members})
        begin = time.perf_counter_ns()
        caller.sendall(request)
        if listener.recv(4096)[2:] != f'"{text}"'.encode():
            raise BenchError("the listener got something else")
        took.append((time.perf_counter_ns() - begin) / 1000)
        if not caller.recv(4096).startswith(b"HTTP/1.1 200"):
            raise BenchError("a publication was refused")
    return sorted(took)


def start(options, key_file, *more):
    return Server([options.programs / "sluice", "--listen", "127.0.0.1:0", "--shards", "1",
                   "--backend", options.backend, "--api-key-file", key_file, "--api-on-clients", "on",
                   "--namespace", "news.presence=on", "--namespace", "kept.history_messages=100",
                   "--log-level", "info", *more], None)


def measure_kept(options, key_file):
    with tempfile.TemporaryDirectory(dir=options.data or Path.cwd()) as folder:
        with start(options, key_file, "--data", folder) as gateway:
            print(f"\nwith --data, on one CPU\n{'':22}publications/s   us of CPU for each")
            for kind in KEPT_REQUESTS:
                runs = []
                for repetition in range(options.repetitions):
                    progress(f"repetition {repetition + 1} of {options.repetitions}: {kind}")
                    runs.append(measure(kind, gateway.port, options, KEPT_REQUESTS))
                each = BATCH if kind.startswith("batch") else 1
                progress("")
                print(f"{kind:22}{statistics.median(r[0] for r in runs) * each:14,.0f}"
                      f"{statistics.median(r[1] for r in runs) / each:21.2f}")
            for sync in (False, True):
                took = latencies(gateway.port, options.calls, sync=sync)
                print(f"from call to receipt in the chat, {'' if sync else 'without '}sync: "
                      f"p50 {took[len(took) // 2]:.0f} us, p99 {took[len(took) * 99 // 100]:.0f} us")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--programs", type=Path, default=ROOT / "build" / "release" / "bin")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--duration", type=float, default=2, help="seconds of each run")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--backend", default="auto")
    parser.add_argument("--data", type=Path, help="on whose disk it is kept; here, if left out")
    parser.add_argument("--calls", type=int, default=5000, help="whose latency is measured")
    return parser.parse_args()


def measure_plain(options, key_file):
    """Runs by kind, and latencies."""
    with start(options, key_file) as gateway:
        runs = {kind: [] for kind in REQUESTS}
        for repetition in range(options.repetitions):
            for kind in REQUESTS:
                progress(f"repetition {repetition + 1} of {options.repetitions}: {kind}")
                runs[kind].append(measure(kind, gateway.port, options))
        progress("latency")
        took = latencies(gateway.port, options.calls)
        progress("")
    return runs, took


def report(options, runs, took):
    """Whether the bars hold."""
    print(f"{options.connections} connections, medians of {options.repetitions} runs of "
          f"{options.duration:g} s\n{'':18}requests/s   of /healthz   us of CPU   of /healthz")
    ratios, costs = {}, {}
    for kind, results in runs.items():
        # Neighbours share the machine's mood, so it is they who are compared.
        pairs = list(zip(results, runs["GET /healthz"]))
        ratios[kind] = statistics.median(one[0] / base[0] for one, base in pairs)
        costs[kind] = statistics.median(one[1] / base[1] for one, base in pairs)
        print(f"{kind:18}{statistics.median(r[0] for r in results):10,.0f}{ratios[kind]:13.2f}"
              f"{statistics.median(r[1] for r in results):12.2f}{costs[kind]:14.2f}")
    print(f"from call to receipt in the chat, {options.calls} calls: p50 {took[len(took) // 2]:.0f} us, "
          f"p99 {took[len(took) * 99 // 100]:.0f} us")
    # The load may be what limits the rate; then the CPU time tells more.
    holds = min(ratios["publish"], 1 / costs["publish"]) >= RATIO_BAR
    print(f"a single publication at least {RATIO_BAR} as fast as /healthz, by rate and by CPU time: "
          f"{'holds' if holds else 'MISSED'}")
    return holds


def main():
    options = parse_arguments()
    print(describe_machine())
    with tempfile.NamedTemporaryFile("w", suffix=".keys") as keys:
        keys.write(KEY)
        keys.flush()
        holds = report(options, *measure_plain(options, keys.name))
        measure_kept(options, keys.name)
    return 0 if holds else 1


if __name__ == "__main__":
    run_program(main)
