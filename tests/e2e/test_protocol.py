"""The examples of docs/protocol.md, played line by line against each kernel backend."""

import asyncio
import re
import unittest
from pathlib import Path

import websockets

from gateway import Gateway

SECONDS = 10
DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
MID = re.compile(r'"mid":"\((\d+)\)"')


def transcripts():
    """The examples, each a list of lines."""
    blocks = re.findall(r"^```transcript\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)
    return [block.splitlines() for block in blocks]


class Transcript:
    """Plays one example. A mid that the document calls (1) is whatever came first in that place."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.clients = {}
        self.mids = {}

    async def play(self, lines):
        for line in lines:
            name, rest = line[0], line[1:]
            if rest.startswith(" /"):
                self.clients[name] = await websockets.connect(self.gateway.url(rest[1:]))
            elif rest == " closes":
                await self.clients.pop(name).close()
            elif rest.startswith("> "):
                await self.clients[name].send(MID.sub(lambda m: f'"mid":"{self.mids[m[1]]}"', rest[2:]))
            elif rest.startswith("< "):
                message = await asyncio.wait_for(self.clients[name].recv(), SECONDS)
                self.expect(rest[2:], message)
            else:
                raise AssertionError(f"no line of a transcript: {line}")
        for client in self.clients.values():
            await asyncio.wait_for(await client.ping(), SECONDS)
            await client.close()
            left = [message async for message in client]
            if left:
                raise AssertionError(f"and then came {left}")

    def expect(self, expected, message):
        pattern = re.escape(MID.sub(lambda m: f'"mid":"<{m[1]}>"', expected))
        named = re.sub(r"<(\d+)>", r"(?P<m\1>[^\"]{1,41})", pattern)
        match = re.fullmatch(named, message)
        if not match:
            raise AssertionError(f"expected {expected}, got {message}")
        for name, mid in match.groupdict().items():
            if self.mids.setdefault(name[1:], mid) != mid:
                raise AssertionError(f"{mid} came, and {self.mids[name[1:]]} before it: {expected}")
        if len(set(self.mids.values())) != len(self.mids):
            raise AssertionError(f"two messages have one mid: {self.mids}")


class Protocol(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it reports slow steps, of which a busy machine has many

    async def test_every_example(self):
        examples = transcripts()
        self.assertEqual(len(examples), 6)
        for backend in ("io_uring", "epoll"):
            with Gateway("--shards", "2", "--backend", backend) as gateway:
                for lines in examples:
                    with self.subTest(backend=backend, first=lines[0], second=lines[1]):
                        await Transcript(gateway).play(lines)

    async def test_a_gateway_that_keeps_nothing_says_what_is_documented(self):
        said = next(line.strip() for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
                    if '"ack":false' in line).strip("`")
        with Gateway("--mailbox-messages", "0") as gateway:
            await Transcript(gateway).play([
                "T /sendone", 'T> {"msg_type":"accept_","toy_id":"T","ack":true}', f"T< {said}",
                'T> {"msg_type":"send_","to_user":"T"}', 'T< {"msg_type":"send_","to_user":"T"}'])


if __name__ == "__main__":
    unittest.main()
