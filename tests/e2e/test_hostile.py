"""Peers that mean harm, on real sockets: what they cost, and by what name they are ended."""

import contextlib
import http.client
import os
import re
import select
import socket
import struct
import time
import unittest

from gateway import Gateway

UPGRADE = (b"GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
TEXT, BINARY, CONTINUATION, CLOSE, PING = 1, 2, 0, 8, 9
SECONDS = 20
MIB = 1 << 20


def frame(opcode, payload=b"", fin=True, declared=None):
    """A client's frame, masked with zeros; `declared`: a length other than the payload's."""
    size = len(payload) if declared is None else declared
    first = bytes([(0x80 if fin else 0) | opcode])
    if size < 126:
        head = bytes([0x80 | size])
    elif size < 1 << 16:
        head = b"\xfe" + struct.pack(">H", size)
    else:
        head = b"\xff" + struct.pack(">Q", size)
    return first + head + bytes(4) + payload


def wait_until(check, what):
    deadline = time.monotonic() + SECONDS
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {SECONDS} s: {what}")
        time.sleep(0.02)


class Hostile:
    """The tests; a class for each backend runs them."""
    BACKEND = None

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(
            "--shards", "2", "--backend", cls.BACKEND, "--handshake-timeout", "1s", "--write-timeout",
            "1s", "--close-timeout", "1s", "--fragment-timeout", "1s", "--max-pings", "50").__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__()

    def setUp(self):
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.addCleanup(self.still_serves)

    def connect(self, words=b""):
        stream = self.stack.enter_context(
            socket.create_connection(("127.0.0.1", self.gateway.port), SECONDS))
        stream.sendall(words)
        return stream

    def open(self, path=b"/"):
        stream = self.connect(UPGRADE % path)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.recv(1)
        self.assertIn(b" 101 ", head)
        return stream

    def rest_of(self, stream):
        """All that comes until the end, and whether that was a reset."""
        got = b""
        try:
            while piece := stream.recv(65536):
                got += piece
        except ConnectionError:
            return got, True
        return got, False

    def metrics(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=SECONDS)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def closes(self, reason):
        return sum(int(count) for count in re.findall(
            rf'sluice_closes_total\{{[^}}]*reason="{reason}"[^}}]*\}} (\d+)', self.metrics()))

    @contextlib.contextmanager
    def ends_with(self, reason, count=1):
        before = self.closes(reason)
        yield
        wait_until(lambda: self.closes(reason) == before + count, f"{count} x {reason}")

    def resident(self):
        with open(f"/proc/{self.gateway.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1)) * 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.gateway.process.pid}/stat") as stat:
            user, system = stat.read().rsplit(") ", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def still_serves(self):
        with socket.create_connection(("127.0.0.1", self.gateway.port), SECONDS) as stream:
            stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            self.assertIn(b" 200 ", self.rest_of(stream)[0])

    def test_a_head_that_comes_too_slowly_is_408(self):
        began = time.monotonic()
        streams = [self.connect() for _ in range(50)]
        for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\n":
            if time.monotonic() - began > 0.8:
                break
            for stream in streams:
                stream.sendall(bytes([byte]))
            time.sleep(0.05)
        for stream in streams:
            self.assertIn(b" 408 ", self.rest_of(stream)[0])
        self.assertLess(time.monotonic() - began, 10)

    def test_heads_without_end_are_431_and_cost_little(self):
        for head in (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 2000,
                     b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * MIB,
                     (UPGRADE % b"/")[:-2] + b"X: y\r\n" * 2000):
            stream = self.connect()
            with contextlib.suppress(ConnectionError):
                stream.sendall(head)
            self.assertIn(b" 431 ", self.rest_of(stream)[0])
        stream = self.connect(b"GET / HTTP/1.1\r\nHost: h\r\nX: ")
        before = self.cpu_seconds()
        with contextlib.suppress(ConnectionError):
            for _ in range(20_000):
                stream.send(b"x")
        self.assertIn(b" 431 ", self.rest_of(stream)[0])
        self.assertLess(self.cpu_seconds() - before, 2)  # one read for each byte, and no more than that

    def test_fragments_are_bounded_in_number(self):
        tiny = frame(CONTINUATION, b"x", fin=False)
        before = self.resident()
        with self.ends_with("too_many_fragments", 50):
            streams = [self.open() for _ in range(50)]
            for stream in streams:
                with contextlib.suppress(ConnectionError):
                    stream.sendall(frame(TEXT, fin=False) + tiny * 131_000)
            for stream in streams:
                self.assertIn(struct.pack(">H", 1008), self.rest_of(stream)[0])
                stream.close()
        self.assertLess(self.resident() - before, 32 * MIB)

    def test_fragments_are_bounded_in_bytes(self):
        with self.ends_with("message_too_big"):
            stream = self.open()
            stream.sendall(frame(BINARY, fin=False) + frame(CONTINUATION, bytes(MIB), fin=False))
            with contextlib.suppress(ConnectionError):
                stream.sendall(frame(CONTINUATION, b"x"))
            self.assertIn(struct.pack(">H", 1009), self.rest_of(stream)[0])
            stream.close()

    def test_fragments_are_bounded_in_time(self):
        with self.ends_with("fragment_timeout"):
            stream = self.open()
            stream.sendall(frame(TEXT, fin=False))
            while not select.select([stream], [], [], 0.1)[0]:
                stream.sendall(frame(CONTINUATION, b"x", fin=False))
            self.assertIn(struct.pack(">H", 1008), self.rest_of(stream)[0])
            stream.close()

    def test_a_declared_length_costs_nothing_until_it_comes(self):
        before = self.resident()
        for reason, size, code in (("message_too_big", 1 << 62, 1009), ("message_too_big", 1 << 40, 1009),
                                   ("protocol_error", 1 << 63, 1002),
                                   ("protocol_error", (1 << 64) - 1, 1002)):
            with self.ends_with(reason):
                stream = self.open()
                stream.sendall(frame(BINARY, declared=size))
                self.assertIn(struct.pack(">H", code), self.rest_of(stream)[0])
                stream.close()
        for _ in range(300):
            self.open().sendall(frame(BINARY, declared=MIB) + b"x")
        self.still_serves()
        self.assertLess(self.resident() - before, 16 * MIB, "of 300 MiB that were announced")

    def test_a_flood_of_pings_gets_few_pongs_and_an_end(self):
        with self.ends_with("too_many_pings"):
            stream = self.open()
            with contextlib.suppress(ConnectionError):
                stream.sendall(frame(PING, b"x" * 125) * 20_000)
            got, _ = self.rest_of(stream)
            self.assertLess(len(got), 51 * 127 + 100)
            self.assertTrue(got.endswith(b"\x88\x10\x03\xf0too many pings"), got[-40:])
            stream.close()

    def test_who_never_reads_is_cut_off(self):
        with self.ends_with("write_timeout"):
            stream = self.open()
            stream.setblocking(False)
            message = frame(BINARY, bytes(MIB - 1))
            began = time.monotonic()
            with contextlib.suppress(ConnectionError):
                while time.monotonic() - began < SECONDS:
                    _, writable, _ = select.select([], [stream], [], 0.2)
                    if writable:
                        stream.send(message)  # what is sent of it does not matter
            self.assertLess(time.monotonic() - began, SECONDS, "the gateway took it all")

    def test_who_never_closes_is_cut_off(self):
        with self.ends_with("closed"):
            stream = self.open()
            stream.sendall(frame(CLOSE, struct.pack(">H", 1000)))
            self.assertEqual(self.rest_of(stream), (b"\x88\x02\x03\xe8", False))
            poll = select.poll()
            poll.register(stream, 0)
            self.assertTrue(poll.poll(SECONDS * 1000), "no reset")

    def test_who_floods_behind_a_close_is_cut_off(self):
        with self.ends_with("protocol_error"):
            stream = self.open()
            stream.sendall(b"\x81\x02hi")
            with self.assertRaises(ConnectionError):
                for _ in range(64):
                    stream.sendall(bytes(MIB))

    def test_half_an_end_at_every_byte(self):
        words = UPGRADE % b"/" + frame(TEXT, b"hello") + frame(PING, b"p") + frame(TEXT, b"x", fin=False)
        upgraded = len(UPGRADE % b"/")
        with self.ends_with("left", len(words) - upgraded + 1):
            for size in range(len(words) + 1):
                stream = self.connect(words[:size])
                stream.shutdown(socket.SHUT_WR)
                got, _ = self.rest_of(stream)
                if size >= upgraded + len(frame(TEXT, b"hello")):
                    self.assertIn(b"\x81\x05hello", got)
                stream.close()

    def test_a_reset_at_every_byte(self):
        words = UPGRADE % b"/chat" + frame(TEXT, b'{"msg_type":"message"}') + frame(PING) + frame(CLOSE)
        for size in range(len(words) + 1):
            stream = self.connect(words[:size])
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.close()
        # While the gateway has much to send.
        for _ in range(20):
            stream = self.open()
            stream.sendall(frame(BINARY, bytes(MIB - 1)))
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.close()
        wait_until(lambda: re.search(r'sluice_connections\{dialect="echo"\} 0\n', self.metrics()) and
                   re.search(r'sluice_connections\{dialect="chat"\} 0\n', self.metrics()), "no sessions")
        self.assertGreater(self.closes("connection_lost"), 0)


class HostileOverUring(Hostile, unittest.TestCase):
    BACKEND = "io_uring"


class HostileOverEpoll(Hostile, unittest.TestCase):
    BACKEND = "epoll"


if __name__ == "__main__":
    unittest.main()
