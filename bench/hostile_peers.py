"""Clients without manners, for bench/hostile.py: raw sockets, raw frames, and what inflates to much."""

import contextlib
import functools
import http.client
import os
import re
import selectors
import socket
import struct
import time
import zlib

TEXT, BINARY, CONTINUATION, CLOSE = 1, 2, 0, 8
SECONDS = 30
PATIENCE_SECONDS = 0.3
OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=12\r\n"
UPGRADE = ("GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n")


def header(opcode, size, fin=True, compressed=False):
    """The header of a client's frame, masked with zeros."""
    first = bytes([(0x80 if fin else 0) | (0x40 if compressed else 0) | opcode])
    if size < 126:
        return first + bytes([0x80 | size]) + bytes(4)
    if size < 1 << 16:
        return first + b"\xfe" + struct.pack(">H", size) + bytes(4)
    return first + b"\xff" + struct.pack(">Q", size) + bytes(4)


def frame(opcode, payload, fin=True, compressed=False):
    return header(opcode, len(payload), fin, compressed) + payload


def connect(port, receive_buffer=None):
    stream = socket.socket()
    if receive_buffer:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    stream.settimeout(SECONDS)
    stream.connect(("127.0.0.1", port))
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return stream


def open_websocket(port, path="/", extra="", receive_buffer=None):
    stream = connect(port, receive_buffer)
    stream.sendall(UPGRADE.format(path=path, extra=extra).encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.recv(1)
        if not byte:
            raise ConnectionError(f"no handshake: {head!r}")
        head += byte
    if b" 101 " not in head or (extra and b"permessage-deflate" not in head):
        raise ConnectionError(f"not what was asked for: {head!r}")
    return stream


def receive(stream, size):
    got = b""
    while len(got) < size:
        piece = stream.recv(size - len(got))
        if not piece:
            raise ConnectionError("ended too early")
        got += piece
    return got


def echo(stream, payload=b"hello"):
    """Sends a message of less than 126 bytes and waits until it is back."""
    stream.sendall(frame(BINARY, payload))
    if receive(stream, 2 + len(payload)) != bytes([0x82, len(payload)]) + payload:
        raise ConnectionError("not an echo")


def close_code(stream):
    """The code of the Close frame that ends what still comes; None without one. Closes the socket."""
    got = b""
    with contextlib.suppress(ConnectionError):
        while piece := stream.recv(65536):
            got += piece
    stream.close()
    while len(got) >= 2:
        size, start = got[1], 2
        if size == 126:
            size, start = struct.unpack(">H", got[2:4])[0], 4
        elif size == 127:
            size, start = struct.unpack(">Q", got[2:10])[0], 10
        if got[0] & 15 == CLOSE and size >= 2:
            return struct.unpack(">H", got[start:start + 2])[0]
        got = got[start + size:]
    return None


def compressed(payload):
    """As a message of its own (RFC 7692 7.2.1)."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -12)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


@functools.cache
def bomb(size):
    """A compressed message of `size` bytes, above 64 KiB, and how many zeros it becomes."""
    # Blocks of zeros are as short as DEFLATE gets, about 1 to 1,030; a stored block fills what is left.
    compressor = zlib.compressobj(9, zlib.DEFLATED, -12)
    zeros = bytes(1 << 20)
    pieces, made, becomes = [], 0, 0
    while made < size - 16384:
        pieces.append(compressor.compress(zeros))
        made += len(pieces[-1])
        becomes += len(zeros)
    pieces.append(compressor.flush(zlib.Z_SYNC_FLUSH))
    made += len(pieces[-1])
    stored = size - made - 6
    pieces.append(b"\0" + struct.pack("<HH", stored, stored ^ 0xFFFF) + bytes(stored) + b"\0")
    return b"".join(pieces), becomes + stored


def metrics(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    connection.request("GET", "/metrics", headers={"Connection": "close"})
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def closes(port, reason):
    """Sessions that the gateway has ended for that reason."""
    return sum(int(count) for count in re.findall(
        rf'sluice_closes_total\{{[^}}]*reason="{reason}"[^}}]*\}} (\d+)', metrics(port)))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_until(check, what, seconds=SECONDS):
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise ConnectionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class RandomPeers:
    """Connections that send random bytes, up to `at_once` together, and end in one of three ways."""

    PATHS = ("/", "/chat", "/sendone")

    def __init__(self, port, random, at_once):
        self.port, self.random, self.at_once = port, random, at_once
        self.selector = selectors.DefaultSelector()
        self.open = {}  # socket -> [bytes to send, its end, when it gives up]

    def words(self):
        """Bytes alone, or behind a handshake; half of those begin like a frame with a mask."""
        noise = self.random.randbytes(self.random.choice((1, 16, 200, 4000)))
        kind = self.random.randrange(4)
        if kind < 2:
            return noise
        upgrade = UPGRADE.format(path=self.random.choice(self.PATHS), extra="").encode()
        if kind == 3:
            noise = bytes([self.random.choice((0x81, 0x82, 0x01, 0x89)), 0x80 | noise[0] & 0x7F]) + noise
        return upgrade + noise

    def begin(self):
        stream = socket.socket()
        stream.setblocking(False)
        stream.connect_ex(("127.0.0.1", self.port))
        end = self.random.choice(("reset", "half", "wait"))
        self.open[stream] = [self.words(), end, time.monotonic() + PATIENCE_SECONDS]
        self.selector.register(stream, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def finish(self, stream):
        self.selector.unregister(stream)
        if self.open.pop(stream)[1] == "reset":
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()

    def step(self, stream, events):
        state = self.open[stream]
        try:
            if events & selectors.EVENT_WRITE:
                state[0] = state[0][stream.send(state[0]):]
                if not state[0]:
                    if state[1] == "reset":
                        return self.finish(stream)
                    if state[1] == "half":
                        stream.shutdown(socket.SHUT_WR)
                    self.selector.modify(stream, selectors.EVENT_READ)
            if events & selectors.EVENT_READ and not stream.recv(65536):
                self.finish(stream)
        except BlockingIOError:
            pass
        except OSError:
            self.finish(stream)

    def run(self, count):
        begun = 0
        while begun < count or self.open:
            while begun < count and len(self.open) < self.at_once:
                self.begin()
                begun += 1
            for key, events in self.selector.select(0.1):
                self.step(key.fileobj, events)
            now = time.monotonic()
            for stream in [each for each, state in self.open.items() if state[2] < now]:
                self.finish(stream)
        self.selector.close()
