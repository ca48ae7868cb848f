"""What clients do that mean harm, or only come and go: one function for each habit.

Each takes the Field, which makes connections, and a source of random numbers of its own, and may be
cancelled anywhere; its connections are then reset. What it meets on the way (Gone) is no fault.
`HABITS` says how often each is chosen.
"""

import asyncio
import contextlib
import json
import zlib

from wire import BINARY, CONTINUATION, FIN, PING, RSV1, TEXT, CLOSE, Gone, Peer, frame, upgrade

USERS = 300  # relay users who come and go; what waits for them is bounded
STEP = 0.05
REASON_NORMAL = b"\x03\xe8"


class Field:
    """Where the clients of one storm get their connections, counted."""

    def __init__(self, port):
        self.port = port
        self.tried = self.answered = 0

    @contextlib.asynccontextmanager
    async def peer(self, dialect=None, offers_deflate=False, **options):
        """A connection; with a dialect, one that has become a WebSocket."""
        with Peer(self.port, **options) as peer:
            self.tried += 1
            try:
                await (peer.open(dialect, offers_deflate) if dialect else peer.connect())
                yield peer
            finally:
                self.answered += peer.is_answered


def words(source, size):
    """Text that can be compressed a little."""
    return " ".join(source.choice(("salve", "orbis", "aqua", "ventus", "你好")) for _ in range(size // 6))


def chat(source, size):
    return json.dumps({"msg_type": "message", "nickname": "x", "message": words(source, size)})


def accept(user):
    return json.dumps({"msg_type": "accept_", "toy_id": user})


def relay(user, text):
    return json.dumps({"msg_type": "send_", "to_user": user, "message": text})


def some_text(source, dialect):
    if dialect == "chat":
        if source.random() < 0.3:
            return json.dumps({"msg_type": "update_clients", "nickname": words(source, 12)})
        return chat(source, source.choice((10, 100, 700)))
    if dialect == "relay":
        return relay(f"user-{source.randrange(USERS)}", words(source, 100))
    return words(source, source.choice((0, 20, 600, 3000)))


async def end(peer, source):
    """One of the ways to go."""
    way = source.choice(("close", "close and go", "FIN", "FIN and read", "RST", "vanish"))
    if way.startswith("close"):
        await peer.send(frame(CLOSE, REASON_NORMAL))
        if way == "close":
            await peer.drain()
    elif way.startswith("FIN"):
        peer.finish()
        if way == "FIN and read":
            await peer.drain()
    elif way == "vanish":
        peer.close()
    # The rest is a reset, which leaving the peer does anyway.


async def come_and_go(field, source):
    dialect = source.choice(("echo", "chat", "relay"))
    async with field.peer(dialect, source.random() < 0.5) as peer:
        for _ in range(source.randrange(4)):
            await peer.say(some_text(source, dialect), source.random() < 0.5)
        if source.random() < 0.3:
            await peer.more()
        await end(peer, source)


async def break_off(field, source):
    """Ends in the middle of the handshake or of a frame."""
    path = source.choice(("/", "/chat", "/sendone", "/chat/history", "/none"))
    data = upgrade(path, source.random() < 0.5) + frame(TEXT, chat(source, 300).encode()) + frame(PING)
    async with field.peer() as peer:
        await peer.send(data[:source.randrange(len(data) + 1)])
        if source.random() < 0.5:
            await asyncio.sleep(source.random() * STEP)
        if source.random() < 0.5:
            peer.finish()
            await peer.drain()


async def talk(field, source):
    """Keeps the chat hot as long as it may, so that who does not read falls behind."""
    async with field.peer("chat", source.random() < 0.5) as peer:
        reading = asyncio.ensure_future(peer.drain())
        try:
            while not reading.done():
                await peer.say(chat(source, 1500))
                await asyncio.sleep(STEP / 4)
        finally:
            reading.cancel()


async def ignore_the_chat(field, source):
    """Never reads what others say."""
    async with field.peer("chat", source.random() < 0.3, receive_buffer=4096):
        await asyncio.sleep(60)


async def ignore_echoes(field, source):
    """Never reads what it sent itself."""
    async with field.peer("echo", source.random() < 0.3, receive_buffer=4096) as peer:
        while True:
            await peer.send(frame(BINARY, bytes(60_000)))


async def play_dead(field, source):
    """Answers no ping, and does not read what other users send."""
    async with field.peer("relay") as peer:
        await peer.say(accept(f"user-{source.randrange(USERS)}"))
        await asyncio.sleep(60)


async def flood(field, source):
    kind = source.choice(("pings", "fragments", "errors", "messages", "unknown"))
    dialect = source.choice(("chat", "relay")) if kind in ("errors", "unknown") else "echo"
    data = {"pings": lambda: frame(PING, b"x" * 125) * 60,
            "fragments": lambda: frame(TEXT, b"", 0) + frame(CONTINUATION, b"x", 0) * 200,
            "errors": lambda: frame(TEXT, b"{}") * 40,
            "unknown": lambda: frame(TEXT, b'{"msg_type":"what"}') * 50,
            "messages": lambda: frame(TEXT, b"m" * 20) * 500}[kind]()
    async with field.peer(dialect) as peer:
        await peer.send(data)
        await peer.more()
        if kind in ("messages", "unknown"):
            await end(peer, source)
        await peer.drain()


async def garbage(field, source):
    """What no protocol allows, as HTTP and as frames."""
    frames = {"bytes": lambda: source.randbytes(source.randrange(2, 400)),
              "reserved": lambda: frame(TEXT, b"x", FIN | source.choice((0x10, 0x20, 0x30))),
              "opcode": lambda: frame(source.choice((3, 7, 11, 15)), b"x"),
              "unmasked": lambda: b"\x81\x01x",
              "utf8": lambda: frame(TEXT, b"good " + source.choice((b"\xff", b"\xc0\x80", b"\xed\xa0\x80"))),
              "deflate": lambda: frame(TEXT, b"\xff" + source.randbytes(40), FIN | RSV1),
              "bomb": lambda: frame(BINARY, zlib.compress(bytes(4 << 20), wbits=-15), FIN | RSV1),
              "size": lambda: frame(BINARY, b"x", declared=source.choice((1 << 20, 1 << 40, 1 << 63))),
              "close": lambda: frame(CLOSE, source.choice((b"\x03", b"\x03\xed", b"\x03\xe8\xff")))}
    kind = source.choice((*frames, "http"))
    if kind == "http":
        async with field.peer() as peer:
            await peer.send(source.choice((source.randbytes(300), b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 3000,
                                           b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n")))
            await peer.drain()
        return
    dialect = source.choice(("echo", "chat", "relay"))
    async with field.peer(dialect, kind in ("deflate", "bomb") or source.random() < 0.5) as peer:
        await peer.send(frames[kind]())
        peer.finish()
        await peer.drain()


async def crawl(field, source):
    """A byte now and then: of a request, or of a message that never ends."""
    if source.random() < 0.5:
        async with field.peer() as peer:
            for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1000:
                await peer.send(bytes([byte]))
                await asyncio.sleep(STEP)
    async with field.peer("echo") as peer:
        await peer.send(frame(TEXT, b"", 0))
        while True:
            await peer.send(frame(CONTINUATION, b"x", 0))
            await asyncio.sleep(STEP)


async def browse(field, source):
    """Requests on one connection, kept alive or not."""
    async with field.peer() as peer:
        for _ in range(source.randrange(1, 4)):
            path = source.choice(("/", "/toy", "/chat/history", "/healthz", "/none", "/pages/page.css"))
            await peer.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            await peer.more()
        peer.finish()
        if source.random() < 0.5:
            await peer.drain()


async def visit(field, source):
    """A relay user who comes back for what waits, and goes, perhaps before all of it was read."""
    async with field.peer("relay", source.random() < 0.5) as peer:
        await peer.say(accept(f"user-{source.randrange(USERS)}"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(source.random() * 0.3):
                while True:
                    peer.got.clear()
                    await peer.more()
        await end(peer, source)


async def write_to(field, source):
    """Messages for users who may be there or not, some of whom nobody will ever be."""
    async with field.peer("relay") as peer:
        for _ in range(source.randrange(1, 20)):
            name = source.randrange(USERS) if source.random() < 0.7 else source.randbytes(6).hex()
            await peer.say(relay(f"user-{name}", words(source, source.choice((20, 200, 700)))))
        await end(peer, source)


HABITS = {come_and_go: 40, break_off: 20, visit: 10, write_to: 8, browse: 5, garbage: 12, flood: 3,
          ignore_the_chat: 1, crawl: 1}
STALLS = (ignore_the_chat,) * 6 + (ignore_echoes,) * 2 + (play_dead,) * 4


async def live(habit, field, source):
    """One client from its coming to its end, whoever brings that about."""
    with contextlib.suppress(Gone, OSError):
        await habit(field, source)
