"""One client's socket, as low as it is cheap: bytes, half an end, a reset, and WebSocket frames.

A Peer is used by one asyncio task at a time for reading and one for writing. It does not hide what
the gateway does: an end is `Gone`, and whatever a gateway must never send is `Broken`.
"""

import asyncio
import contextlib
import os
import re
import socket
import struct
import zlib

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
FIN, RSV1 = 0x80, 0x40
PIECE = 65536
OFFER = b"permessage-deflate; client_no_context_takeover; client_max_window_bits"
PATHS = {"echo": "/", "chat": "/chat", "relay": "/sendone", "centrifuge": "/connection/websocket"}


class Gone(Exception):
    """The gateway ended the connection."""


class Broken(Exception):
    """The gateway sent what no server may send."""


class Unavailable(Broken):
    """It takes nobody now (503), which it may say only when it stops or is full."""


def masked(data, key):
    if not any(key) or not data:
        return data
    repeated = key * (len(data) // 4 + 1)
    size = len(data)
    return (int.from_bytes(data, "big") ^ int.from_bytes(repeated[:size], "big")).to_bytes(size, "big")


def frame(opcode, payload=b"", first=FIN, declared=None, key=bytes(4)):
    """A client's frame. `first`: FIN and reserved bits; `declared`: a length that is not the payload's."""
    size = len(payload) if declared is None else declared
    head = bytes([first | opcode])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 1 << 16:
        head += b"\xfe" + struct.pack(">H", size)
    else:
        head += b"\xff" + struct.pack(">Q", size)
    return head + key + masked(payload, key)


def upgrade(path, offers_deflate=False):
    offer = b"Sec-WebSocket-Extensions: " + OFFER + b"\r\n" if offers_deflate else b""
    return (b"GET " + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" + offer +
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


class Peer:
    """One connection. A context manager: it ends with a reset unless something else ended it."""

    def __init__(self, port, receive_buffer=None):
        self.port = port
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:  # before connecting: it bounds the window
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.got = bytearray()
        self.is_answered = False
        self.window_bits = None  # of what we may compress with; None: not agreed
        self.inflates_anew = True
        self.inflator = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reset()

    async def connect(self):
        await asyncio.get_running_loop().sock_connect(self.socket, ("127.0.0.1", self.port))

    async def send(self, data):
        try:
            await asyncio.get_running_loop().sock_sendall(self.socket, data)
        except OSError as error:
            raise Gone(str(error)) from None

    async def more(self):
        try:
            piece = await asyncio.get_running_loop().sock_recv(self.socket, PIECE)
        except OSError as error:
            raise Gone(str(error)) from None
        if not piece:
            raise Gone("end of stream")
        self.is_answered = True
        self.got += piece

    async def drain(self):
        """Reads until the end; what came, at most the first 64 KiB of it."""
        kept = bytes(self.got)
        with contextlib.suppress(Gone):
            while True:
                self.got.clear()
                await self.more()
                kept = (kept + self.got)[:PIECE]
        return kept

    def finish(self):
        """Half an end: FIN."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()

    async def head(self):
        """The head of an HTTP answer; what follows it stays in `got`."""
        while b"\r\n\r\n" not in self.got:
            await self.more()
        size = self.got.index(b"\r\n\r\n") + 4
        head = bytes(self.got[:size])
        del self.got[:size]
        return head

    async def open(self, dialect, offers_deflate=False):
        """Connects and becomes a WebSocket."""
        await self.connect()
        await self.send(upgrade(PATHS[dialect], offers_deflate))
        head = await self.head()
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            kind = Unavailable if b" 503 " in head.split(b"\r\n", 1)[0] else Broken
            raise kind(f"no 101 but {head[:60]}")
        agreed = re.search(rb"permessage-deflate([^\r]*)", head)
        if agreed:
            bits = re.search(rb"client_max_window_bits=(\d+)", agreed[1])
            self.window_bits = int(bits[1]) if bits else 15
            self.inflates_anew = b"server_no_context_takeover" in agreed[1]

    async def say(self, text, compress=False):
        """One text message; compressed if asked for and agreed."""
        first, data = FIN, text.encode()
        if compress and self.window_bits:
            deflator = zlib.compressobj(wbits=-self.window_bits)
            data = (deflator.compress(data) + deflator.flush(zlib.Z_SYNC_FLUSH))[:-4]
            first |= RSV1
        await self.send(frame(TEXT, data, first, key=os.urandom(4)))

    def inflate(self, data):
        if self.inflator is None or self.inflates_anew:
            self.inflator = zlib.decompressobj(-15)
        try:
            return self.inflator.decompress(data + b"\x00\x00\xff\xff")
        except zlib.error as error:
            raise Broken(f"a message that cannot be inflated: {error}") from None

    def next_frame(self):
        """(opcode, payload) of a whole frame, or None. The gateway sends no fragments."""
        if len(self.got) < 2:
            return None
        first, size, head = self.got[0], self.got[1], 2
        if size == 126:
            size, head = int.from_bytes(self.got[2:4], "big"), 4
        elif size == 127:
            size, head = int.from_bytes(self.got[2:10], "big"), 10
        if len(self.got) < head + size or len(self.got) < head:
            return None
        if not first & FIN or first & 0x30 or size & 1 << 63:
            raise Broken(f"a frame that begins with {bytes(self.got[:10]).hex()}")
        payload = bytes(self.got[head:head + size])
        del self.got[:head + size]
        if first & RSV1:
            payload = self.inflate(payload)
        return first & 0xf, payload

    async def messages(self):
        """Data messages as (opcode, payload), pings answered, until the gateway's Close or end."""
        while True:
            while (found := self.next_frame()) is None:
                await self.more()
            opcode, payload = found
            if opcode == PING:
                await self.send(frame(PONG, payload))
            elif opcode == CLOSE:
                raise Gone(f"Close {payload[:2].hex()} {payload[2:].decode()}")
            elif opcode in (TEXT, BINARY):
                yield opcode, payload
            elif opcode != PONG:
                raise Broken(f"opcode {opcode}")
