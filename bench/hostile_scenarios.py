"""What hostile clients do to the gateway, scenario by scenario, for bench/hostile.py.

Each function takes a Run and returns Figures. Where a figure is growth, "before" is taken when the
gateway has done the same kind of thing before, harmlessly or in small: what a process loads and keeps
for its first connection, message or stream is not what an attack costs.
"""

import contextlib
import dataclasses
import json
import random
import selectors
import statistics
import subprocess
import time

from harness import CLIENT_CPU, BenchError, on_cpu
from hostile_peers import (BINARY, CONTINUATION, OFFER, TEXT, RandomPeers, bomb, close_code, closes, compressed,
                           connect, descriptors, echo, frame, header, open_websocket, receive, wait_until)
from memory import Peak, resident

KIB, MIB = 1 << 10, 1 << 20
TCP_PIECE = 16 * KIB


@dataclasses.dataclass
class Figure:
    what: str
    value: float
    bound: float
    unit: str
    is_latency: bool = False

    def holds(self):
        return self.value <= self.bound


@dataclasses.dataclass
class Run:
    """Where and how large: `start(*options)` is a gateway as a `with` block."""
    start: callable
    programs: object
    is_quick: bool

    def scaled(self, full, quick):
        return quick if self.is_quick else full


def expect(name, got, wanted):
    if got != wanted:
        raise BenchError(f"{name}: {got}, not {wanted}")


# ---- Readers that stall -------------------------------------------------------------------------

CHAT_RATE = 200
STALLED_WARMUP = 2


def chat_flood(run, gateway, seconds):
    """Good clients of the chat at a steady rate: ws_flood, which verifies every message."""
    command = [run.programs / "ws_flood", "--url", f"ws://127.0.0.1:{gateway.port}/chat", "--json",
               "--scenario", "chat", "--connections", "50", "--publishers", "4", "--rate", str(CHAT_RATE),
               "--size", "2048", "--warmup", f"{STALLED_WARMUP}s", "--duration", f"{seconds}s"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + 60,
                          preexec_fn=on_cpu(CLIENT_CPU))
    if done.returncode != 0:
        raise BenchError(f"ws_flood: {done.stderr or json.loads(done.stdout)['first_failure']}")
    return json.loads(done.stdout)


def stalled_once(run, count, seconds, options, ended):
    """p99 of the good clients in ms, and growth. Of the stalled ones `ended` must be closed."""
    with run.start(*options) as gateway, contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(open_websocket(gateway.port, "/chat", receive_buffer=2048))
        with Peak(gateway.process.pid) as peak:
            result = chat_flood(run, gateway, seconds)
            # Their Close waits for --close-timeout behind what they do not take.
            wait_until(lambda: closes(gateway.port, "slow_consumer") == ended, f"{ended} are ended")
        return result["p99_us"] / 1000, peak.growth_at_any_time()


def stalled_with(run, name, options, bound, ended):
    count, seconds = run.scaled(1000, 300), 6
    alone, beside, growths = [], [], []
    for _ in range(run.scaled(3, 1)):
        if not run.is_quick:
            alone.append(stalled_once(run, 0, seconds, options, 0)[0])
        p99, growth = stalled_once(run, count, seconds, options, count if ended else 0)
        beside.append(p99)
        growths.append(growth)
    figures = [Figure(f"{name}: growth, {count} stalled readers", max(growths) / MIB,
                      1.05 * bound * count / MIB, "MiB")]
    if alone:
        good = statistics.median(alone)
        figures.append(Figure(f"{name}: p99 of 50 good clients, {good:.2f} without",
                              statistics.median(beside), max(1.25 * good, good + 2), "ms", True))
    return figures


def stalled(run):
    """Subscribers of the chat that never read, while others talk there: 200 messages/s of 2 KiB.

    A queue is held to --write-queue, and who is over it is ended or loses messages; with the defaults
    and with 64 KiB each of the stalled readers gets there. The bytes of a message are one copy that all
    queues refer to, so what the process grows by is far below the sum of the queues, and
    --write-queues-total (256 MiB), which counts a copy once, is not what holds.
    """
    small = ("--write-queue", "64KiB", "--slow-consumer")
    figures = [] if run.is_quick else stalled_with(run, "1 MiB, disconnect", (), MIB, True)
    return [*figures, *stalled_with(run, "64 KiB, disconnect", (*small, "chat=disconnect"), 64 * KIB, True),
            *stalled_with(run, "64 KiB, drop-oldest", (*small, "chat=drop-oldest"), 64 * KIB, False)]


# ---- What inflates ------------------------------------------------------------------------------

def send_in_pieces(stream, data, pause):
    """Until the gateway does not want more."""
    with contextlib.suppress(ConnectionError):
        for start in range(0, len(data), TCP_PIECE):
            stream.sendall(data[start:start + TCP_PIECE])
            time.sleep(pause)


def as_fragments(data):
    pieces = [data[start:start + TCP_PIECE] for start in range(0, len(data), TCP_PIECE)]
    frames = [frame(BINARY, pieces[0], fin=False, compressed=True)]
    frames += [frame(CONTINUATION, piece, fin=False) for piece in pieces[1:-1]]
    return b"".join([*frames, frame(CONTINUATION, pieces[-1])])


def bombs(run):
    """1,000,000 compressed bytes that become 1 GB, with --max-message 1MiB."""
    data, becomes = bomb(1_000_000)
    expect("the message becomes a GB", becomes > 10**9, True)
    whole = frame(BINARY, data, compressed=True)
    ways = {"one frame": (whole, 0), "one frame, TCP pieces of 16 KiB": (whole, 0.005),
            "fragments of 16 KiB": (as_fragments(data), 0.005)}
    figures = []
    for mode in ("shared", "dedicated"):
        for way, (sent, pause) in ways.items():
            with run.start("--compression", mode, "--max-message", "1MiB") as gateway:
                with open_websocket(gateway.port, extra=OFFER) as stream:  # zlib is in memory now
                    stream.sendall(frame(BINARY, compressed(b"hello"), compressed=True))
                    receive(stream, receive(stream, 2)[1])
                stream = open_websocket(gateway.port, extra=OFFER)
                with Peak(gateway.process.pid) as peak:
                    send_in_pieces(stream, sent, pause)
                    expect(f"{mode}, {way}: close code", close_code(stream), 1009)
                figures.append(Figure(f"{mode}, {way}: growth", peak.growth_at_any_time() / KIB, 2048, "KiB"))
    return figures


# ---- Lengths and fragments ----------------------------------------------------------------------

def trickle(streams, data):
    for byte in data:
        for stream in streams:
            stream.sendall(bytes([byte]))
        time.sleep(0.05)


def open_many(gateway, count):
    """Connections of which each has had an echo, and as many before them that are gone again."""
    for is_rehearsal in (True, False):
        streams = [open_websocket(gateway.port) for _ in range(count)]
        for stream in streams:
            echo(stream)
        if is_rehearsal:
            for stream in streams:
                stream.sendall(frame(8, b"\x03\xe8"))
            for stream in streams:
                expect("close code", close_code(stream), 1000)
    return streams


def lengths(run):
    """Headers that announce 2^62 bytes, then 2^20 (which may come): at once, and byte by byte."""
    count = 50
    figures = []
    with run.start() as gateway:
        for name, is_slow in (("at once", False), ("byte by byte", True)):
            streams = open_many(gateway, count)
            with Peak(gateway.process.pid) as peak:
                announced = header(BINARY, 1 << 62)
                trickle(streams, announced) if is_slow else [s.sendall(announced) for s in streams]
                for stream in streams:
                    expect(f"2^62 {name}: close code", close_code(stream), 1009)
            figures.append(Figure(f"2^62 bytes, {count} connections, {name}: growth of all", peak.growth() / KIB,
                                  64, "KiB"))
        streams = open_many(gateway, count)
        with Peak(gateway.process.pid) as peak:
            trickle(streams, header(BINARY, MIB) + b"0123456789")
        for stream in streams:
            stream.close()
        figures.append(Figure(f"1 MiB announced, 10 bytes come, {count} connections: growth of all",
                              peak.growth() / KIB, 64, "KiB"))
    return figures


# What io_uring receives into grows to this in each shard, whoever sends, and shrinks again.
SHARED_RECEIVE_BUFFERS = 8 * MIB
FRAGMENTS_MAX = 4096


def fragments(run):
    """50 connections that send fragments of one byte, none of them the last one: 131,000 or just too few."""
    count = 50
    tiny = frame(CONTINUATION, b"x", fin=False)
    first = frame(TEXT, b"", fin=False)
    with run.start() as gateway:
        streams = open_many(gateway, count)
        before = resident(gateway.process.pid)
        for stream in streams:
            stream.sendall(first + tiny * (FRAGMENTS_MAX - 1))
        held = settled(gateway.process.pid) - before
        expect("ended too early", closes(gateway.port, "too_many_fragments"), 0)
        for stream in streams:
            stream.sendall(tiny)
            expect("close code", close_code(stream), 1008)
        streams = open_many(gateway, count)
        with Peak(gateway.process.pid) as peak:
            for stream in streams:
                with contextlib.suppress(ConnectionError):
                    stream.sendall(first + tiny * 131_000)
            for stream in streams:
                expect("close code", close_code(stream), 1008)
        # Counted when their input has ended, too.
        wait_until(lambda: closes(gateway.port, "too_many_fragments") >= 2 * count, "all ended for that")
        expect("ended for that", closes(gateway.port, "too_many_fragments"), 2 * count)
    return [Figure(f"{FRAGMENTS_MAX} fragments: held for each of {count}", held / count / KIB, 64, "KiB"),
            Figure("131,000 fragments: growth, 50 x 64 KiB + receive buffers of all allowed",
                   peak.growth_at_any_time() / KIB, (count * 64 * KIB + SHARED_RECEIVE_BUFFERS) / KIB, "KiB")]


# ---- Connections --------------------------------------------------------------------------------

class Slowloris:
    """Connections that send a request byte by byte and never the end of it."""

    HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "

    def __init__(self, port, count):
        self.selector = selectors.DefaultSelector()
        self.streams = [connect(port) for _ in range(count)]
        for stream in self.streams:
            stream.sendall(self.HALF)
            self.selector.register(stream, selectors.EVENT_READ, [])
        self.next = 0
        self.open = count

    def step(self, share):
        """A byte of each in `share`, in turns; counts those that were ended."""
        for _ in range(len(self.streams) // share):
            stream = self.streams[self.next % len(self.streams)]
            self.next += 1
            with contextlib.suppress(OSError):
                stream.send(b"x")
        for key, _ in self.selector.select(0):
            try:
                piece = key.fileobj.recv(4096)
            except ConnectionError:
                piece = b""
            if piece:
                key.data.append(piece)
            else:
                expect("what a slow request is answered", b"".join(key.data)[9:12], b"408")
                self.selector.unregister(key.fileobj)
                self.open -= 1

    def close(self):
        for stream in self.streams:
            stream.close()


def connect_time(port):
    began = time.monotonic()
    with open_websocket(port) as stream:
        echo(stream)
    return (time.monotonic() - began) * 1000


def slowloris(run):
    """Half a request and a byte now and then, while others connect: TCP, handshake and an echo."""
    count, deadline = run.scaled(5000, 200), run.scaled(10, 2)
    with run.start("--handshake-timeout", f"{deadline}s") as gateway:
        connect_time(gateway.port)
        wait_until(lambda: closes(gateway.port, "left") == 1, "the first client is gone")
        before = descriptors(gateway.process.pid)
        alone = [connect_time(gateway.port) for _ in range(100)]
        slow = Slowloris(gateway.port, count)
        all_open = time.monotonic()
        times = []
        while time.monotonic() < all_open + deadline - 1:
            slow.step(50)
            times.append(connect_time(gateway.port))
            time.sleep(0.02)
        expect("slow connections that are still there", slow.open > 0, True)
        while slow.open > 0 and time.monotonic() < all_open + deadline + 10:
            slow.step(50)
            time.sleep(0.01)
        all_ended = time.monotonic() - all_open
        wait_until(lambda: descriptors(gateway.process.pid) <= before, "all are gone", 10)
        all_gone = time.monotonic() - all_open
        slow.close()
    what = f"beside {count} slow requests, a client connects"
    return [Figure(f"{what}: most of {len(times)}, {max(alone):.1f} without", max(times), 100, "ms", True),
            Figure(f"{what}: p50, {statistics.median(alone):.2f} without", statistics.median(times), 100, "ms", True),
            Figure("slow requests: the last answered 408 and ended", all_ended, deadline + 1, "s"),
            Figure("slow requests: the last descriptor free, without a close of theirs", all_gone,
                   deadline + 5 + 1, "s")]


def settled(pid):
    """Resident bytes once they have not changed for five seconds: unused blocks go back bit by bit."""
    deadline, since, size = time.monotonic() + 60, time.monotonic(), resident(pid)
    while time.monotonic() < min(deadline, since + 5):
        time.sleep(0.2)
        now = resident(pid)
        if now != size:
            since, size = time.monotonic(), now
    return size


def garbage(run):
    """Random bytes, alone or behind a handshake; before it the same number twice, from other seeds."""
    count = run.scaled(10_000, 1000)
    with run.start() as gateway:
        pid = gateway.process.pid
        empty = descriptors(pid)
        sizes = []
        for seed in (1, 2, 3):
            RandomPeers(gateway.port, random.Random(seed), 300).run(count)
            wait_until(lambda: descriptors(pid) <= empty, "all connections are gone")
            with open_websocket(gateway.port) as stream:
                echo(stream)
            wait_until(lambda: descriptors(pid) <= empty, "the last one, too")
            sizes.append(settled(pid))
    _, before, after = sizes
    return [Figure(f"size after {count} connections of random bytes, of {before / KIB:.0f} KiB before",
                   100 * (after / before - 1), 1, "%")]


SCENARIOS = {"stalled": stalled, "bombs": bombs, "lengths": lengths, "fragments": fragments,
             "slowloris": slowloris, "garbage": garbage}
