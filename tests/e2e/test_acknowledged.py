"""Relay clients that acknowledge and whose connections break: they get everything, with the same mids."""

import asyncio
import json
import random
import unittest

import websockets

from gateway import Gateway

SECONDS = 20
COUNT = 900  # within what a mailbox keeps


class Receiver:
    """All connections of one user, one after the other. It remembers what it has done."""

    def __init__(self, gateway, seed):
        self.gateway = gateway
        self.random = random.Random(seed)
        self.done = {}  # mid -> number
        self.again = 0

    async def connection(self, messages):
        """Takes that many messages, acknowledges most of them, and breaks."""
        client = await websockets.connect(self.gateway.url("/sendone"), max_queue=None)
        await client.send('{"msg_type":"accept_","from_user":"R","ack":true}')
        first = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
        if first != {"msg_type": "accept_", "ack": True}:
            raise AssertionError(f"answered {first}")
        for _ in range(messages):
            if len(self.done) == COUNT:
                break
            message = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
            mid, number = message["mid"], message["n"]
            if mid in self.done:
                self.again += 1
                if self.done[mid] != number:
                    raise AssertionError(f"{mid} was {self.done[mid]} and is {number}")
            elif number != len(self.done):
                raise AssertionError(f"{number} came first instead of {len(self.done)}")
            self.done[mid] = number
            if self.random.random() < 0.8:
                await client.send(json.dumps({"msg_type": "ack_", "mid": mid}))
        client.transport.abort()

    async def last(self):
        """What comes is what was not acknowledged; nothing is left behind it."""
        for left in (True, False):
            client = await websockets.connect(self.gateway.url("/sendone"), max_queue=None)
            await client.send('{"msg_type":"accept_","from_user":"R","ack":true}')
            await client.send('{"msg_type":"send_","to_user":"R","end":1}')
            await client.recv()
            came = []
            while not came or "end" not in came[-1]:
                came.append(json.loads(await asyncio.wait_for(client.recv(), SECONDS)))
            for message in came:
                if "n" in message and message["mid"] not in self.done:
                    raise AssertionError(f"{message} has never come before")
                await client.send(json.dumps({"msg_type": "ack_", "mid": message["mid"]}))
            await client.close()
            if not left and len(came) > 1:
                raise AssertionError(f"all was acknowledged, and {len(came) - 1} came again")


class Acknowledged(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it reports slow steps, of which a busy machine has many

    async def test_whose_connections_break_gets_everything(self):
        for backend in ("io_uring", "epoll"):
            with self.subTest(backend=backend), \
                    Gateway("--shards", "2", "--backend", backend) as gateway:
                receiver = Receiver(gateway, 1)
                sender = await websockets.connect(gateway.url("/sendone"))

                async def send_all():
                    for n in range(COUNT):
                        await sender.send(json.dumps({"msg_type": "send_", "to_user": "R", "n": n}))
                        if n % 50 == 0:
                            await asyncio.sleep(0)

                sending = asyncio.create_task(send_all())
                while len(receiver.done) < COUNT:
                    await receiver.connection(receiver.random.randrange(1, 120))
                await sending
                self.assertGreater(receiver.again, 0)
                await receiver.last()
                await sender.close()


if __name__ == "__main__":
    unittest.main()
