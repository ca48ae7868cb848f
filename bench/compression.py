#!/usr/bin/env python3
"""What permessage-deflate costs and saves: memory per connection, CPU time and bytes per delivery.

  bench/compression.py [--gateway PATH] [--connections N] [--members N] [--messages N] [--size BYTES]

Starts the gateway in each mode with one shard. Memory: connections that are open, and the same after
each has sent and received one message. Chat: one speaker, everybody hears the messages. They are words
in JSON, so they compress as what people say does. Needs nothing but Python; ./dev build makes the
gateway.
"""

import argparse
import json
import random
import re
import resource
import selectors
import socket
import subprocess
import urllib.request
import zlib
from pathlib import Path

BINARY = Path(__file__).resolve().parents[1] / "build/release/bin/sluice"
OFFER = "permessage-deflate; client_max_window_bits"
# Mode, and what the clients offer.
CASES = (("off", ""), ("shared", ""), ("shared", OFFER), ("dedicated", OFFER))


class Gateway:
    def __init__(self, binary, mode):
        self.process = subprocess.Popen(
            [binary, "--listen", "127.0.0.1:0", "--shards", "1", "--compression", mode],
            stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if match := re.search(r"listening address=[^ ]*:(\d+)", line):
                self.port = int(match.group(1))
                break
        subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=subprocess.DEVNULL)

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as response:
            lines = response.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if re.match(rf"{name}[ {{]", line))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Client:
    def __init__(self, port, path, offer):
        self.socket = socket.create_connection(("127.0.0.1", port))
        extension = f"Sec-WebSocket-Extensions: {offer}\r\n" if offer else ""
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extension}\r\n").encode())
        self.received = b""
        while b"\r\n\r\n" not in self.received:
            self.received += self.socket.recv(4096)
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        self.compress = None
        if b"permessage-deflate" in head:
            self.compress = zlib.compressobj(1, zlib.DEFLATED, -12)

    def send(self, text):
        data = text.encode()
        first = 0x81
        if self.compress:
            data = (self.compress.compress(data) + self.compress.flush(zlib.Z_SYNC_FLUSH))[:-4]
            self.compress = zlib.compressobj(1, zlib.DEFLATED, -12)
            first = 0xC1
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
        self.socket.sendall(bytes([first]) + size + bytes(4) + data)

    def take_frames(self):
        """How many whole frames have come."""
        count = 0
        while len(self.received) >= 2:
            size, at = self.received[1], 2
            if size == 126:
                size, at = int.from_bytes(self.received[2:4], "big"), 4
            if len(self.received) < at + size:
                break
            self.received = self.received[at + size:]
            count += 1
        return count


def message(words, size):
    text = json.dumps({"msg_type": "message", "nickname": "baozi", "message": ""})
    while len(text) < size:
        text = text[:-2] + random.choice(words) + ' "}'
    return text


def receive(clients, frames):
    """Until every client has got that many frames."""
    selector = selectors.DefaultSelector()
    left = {}
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
        left[client] = frames - client.take_frames()
    waiting = sum(1 for due in left.values() if due > 0)
    while waiting:
        for key, _ in selector.select():
            client = key.data
            client.received += client.socket.recv(1 << 20)
            was_waiting = left[client] > 0
            left[client] -= client.take_frames()
            waiting -= was_waiting and left[client] <= 0
    selector.close()


def memory(binary, mode, offer, connections, words, size):
    gateway = Gateway(binary, mode)
    Client(gateway.port, "/", offer).send(message(words, size))
    before = gateway.metric("process_resident_memory_bytes")
    clients = [Client(gateway.port, "/", offer) for _ in range(connections)]
    opened = gateway.metric("process_resident_memory_bytes")
    for client in clients:
        client.send(message(words, size))
        receive([client], 1)
    spoke = gateway.metric("process_resident_memory_bytes")
    gateway.stop()
    return (opened - before) / connections, (spoke - before) / connections


def chat(binary, mode, offer, members, messages, words, size):
    gateway = Gateway(binary, mode)
    clients = [Client(gateway.port, "/chat", offer) for _ in range(members)]
    speaker = Client(gateway.port, "/chat", "")
    speak = [message(words, size) for _ in range(messages)]
    before = [gateway.metric(name) for name in ("process_cpu_seconds_total", "sluice_sent_bytes_total")]
    for text in speak:
        speaker.send(text)
        receive([*clients, speaker], 1)
    after = [gateway.metric(name) for name in ("process_cpu_seconds_total", "sluice_sent_bytes_total")]
    gateway.stop()
    deliveries = messages * (members + 1)
    return [(b - a) / deliveries for a, b in zip(before, after)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gateway", default=BINARY)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--messages", type=int, default=200)
    parser.add_argument("--size", type=int, default=1000)
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    random.seed(1)
    words = ["".join(random.choices("etaoinshrdlucmfwypvbgk", k=random.randint(2, 9))) for _ in range(2000)]
    columns = ("gateway", "clients", "B open", "B spoke", "us/delivery", "B/delivery")
    print("".join(f"{column:>12}" for column in columns))
    for mode, offer in CASES:
        opened, spoke = memory(arguments.gateway, mode, offer, arguments.connections, words, arguments.size)
        cpu, sent = chat(arguments.gateway, mode, offer, arguments.members, arguments.messages, words,
                         arguments.size)
        clients = "offer" if offer else "plain"
        print(f"{mode:>12}{clients:>12}{opened:12.0f}{spoke:12.0f}{cpu * 1e6:12.2f}{sent:12.0f}", flush=True)



if __name__ == "__main__":
    main()
