"""Publications with keys and a client that stops reading: it gets the newest of each key, and is told."""

import asyncio
import json
import socket
import unittest
import urllib.request

import websockets

from test_api import KEY, SECONDS, Served

SIZE = 8000
COUNT = 1000


class Conflation(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it reports slow steps, of which a busy machine has many

    async def connect(self, served, path):
        """A client whose kernel takes little for it; it reads when it is asked to."""
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        plain.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(plain, ("127.0.0.1", served.gateway.port))
        client = await websockets.connect(served.gateway.url(path), sock=plain, max_queue=1,
                                          ping_interval=None)
        self.addAsyncCleanup(client.close)
        return client

    def publish(self, served, channel, n):
        body = json.dumps({"channel": channel, "key": "ab"[n % 2],
                           "data": {"key": "ab"[n % 2], "n": n, "x": "x" * SIZE}})
        request = urllib.request.Request(f"{served.url}/publish", body.encode(),
                                         {"X-API-Key": KEY, "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.load(answer)

    async def publish_all(self, served, channel):
        for n in range(COUNT):
            self.assertIn("result", await asyncio.to_thread(self.publish, served, channel, n))

    def dropped(self, served):
        url = served.url.replace("/api", "/metrics")
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            lines = answer.read().decode().splitlines()
        name = 'sluice_dropped_total{reason="conflated"} '
        return next(int(float(line[len(name):])) for line in lines if line.startswith(name))

    async def read_all(self, client, unwrap):
        """What came until everything was received or told missing: (publications, gaps)."""
        heard, missed = [], 0
        while len(heard) + missed < COUNT:
            message = unwrap(json.loads(await asyncio.wait_for(client.recv(), SECONDS)))
            if message is None:
                await client.send("{}")
            elif message.get("msg_type") == "gap":
                missed += message["missed"]
            else:
                heard.append(message)
        return heard, missed

    def check(self, served, heard, missed):
        numbers = [message["n"] for message in heard]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertEqual(numbers[-2:], [COUNT - 2, COUNT - 1])
        self.assertGreater(missed, COUNT / 3)
        self.assertEqual(self.dropped(served), missed)

    async def test_a_client_of_the_chat(self):
        for backend in ("io_uring", "epoll"):
            with self.subTest(backend=backend), \
                    Served("--namespace", "chat.conflation=on", backend=backend) as served:
                client = await self.connect(served, "/chat")
                await self.publish_all(served, "chat")
                heard, missed = await self.read_all(client, lambda message: message)
                self.check(served, heard, missed)

    async def test_a_client_of_the_centrifuge_protocol_stays_subscribed(self):
        with Served("--namespace", "rates.conflation=on", "--namespace", "rates.subscribe=everybody",
                    "--namespace", "rates.history_messages=10") as served:
            client = await self.connect(served, "/connection/websocket")
            await client.send('{"id":1,"connect":{}}')
            await client.recv()
            await client.send('{"id":2,"subscribe":{"channel":"rates:x"}}')
            self.assertIn("subscribe", json.loads(await client.recv()))
            await self.publish_all(served, "rates:x")
            offsets = []

            def unwrap(reply):
                if reply == {}:
                    return None
                self.assertNotIn("unsubscribe", reply["push"])
                if "message" in reply["push"]:
                    return reply["push"]["message"]["data"]
                offsets.append(reply["push"]["pub"]["offset"])
                return reply["push"]["pub"]["data"]

            heard, missed = await self.read_all(client, unwrap)
            self.check(served, heard, missed)
            self.assertEqual(offsets, [message["n"] + 1 for message in heard])

    async def test_a_key_is_refused_elsewhere(self):
        with Served() as served:
            self.assertEqual(self.publish(served, "chat", 0)["error"]["code"], 108)


if __name__ == "__main__":
    unittest.main()
