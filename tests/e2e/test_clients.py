"""The dialects with Python's `websockets` and npm `ws`, on two shards, on each kernel backend."""

import asyncio
import json
import os
import subprocess
import unittest
from pathlib import Path

import websockets

from gateway import Gateway

BACKENDS = ("io_uring", "epoll")
SECONDS = 10
HERE = Path(__file__).parent


async def receive(client):
    return await asyncio.wait_for(client.recv(), SECONDS)


class Clients(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it reports slow steps, of which a busy machine has many

    async def each_backend(self, check):
        for backend in BACKENDS:
            with self.subTest(backend=backend), Gateway("--shards", "2", "--backend", backend) as gateway:
                await check(gateway)

    async def connect_all(self, gateway, path, count):
        return [await websockets.connect(gateway.url(path), max_size=None) for _ in range(count)]

    async def close_all(self, clients):
        await asyncio.gather(*(client.close() for client in clients))

    async def test_echo_returns_text_and_binary_of_every_length_form(self):
        async def check(gateway):
            [client] = await self.connect_all(gateway, "/", 1)
            for size in (0, 1, 125, 126, 127, 65535, 65536, 1 << 20):
                for message in ("x" * size, bytes(size)):
                    await client.send(message)
                    self.assertEqual(await receive(client), message)
            await client.close(1000, "done")
            self.assertEqual(client.close_code, 1000)
        await self.each_backend(check)

    async def test_echo_pipelined_messages_keep_their_order(self):
        async def check(gateway):
            [client] = await self.connect_all(gateway, "/", 1)

            async def send_all():
                for i in range(2000):
                    await client.send(str(i))

            sending = asyncio.create_task(send_all())
            self.assertEqual([await receive(client) for _ in range(2000)],
                             [str(i) for i in range(2000)])
            await sending
            await client.close()
        await self.each_backend(check)

    async def test_a_message_above_the_limit_is_closed_with_1009(self):
        async def check(gateway):
            [client] = await self.connect_all(gateway, "/", 1)
            await client.send("x" * ((1 << 20) + 1))
            with self.assertRaises(websockets.ConnectionClosed):
                await receive(client)
            self.assertEqual(client.close_code, 1009)
        await self.each_backend(check)

    async def test_chat_reaches_everybody_as_it_came(self):
        async def check(gateway):
            clients = await self.connect_all(gateway, "/chat", 12)
            text = '{"msg_type":"message", "n":1e400,"nickname":"包子","message":"你好","extra":[1, 2]}'
            await clients[3].send(text)
            for client in clients:
                self.assertEqual(await receive(client), text)
            await self.close_all(clients)
        await self.each_backend(check)

    async def test_chat_keeps_the_order_of_each_sender_for_all(self):
        async def check(gateway):
            clients = await self.connect_all(gateway, "/chat", 6)

            async def speak(sender):
                for i in range(100):
                    await clients[sender].send(
                        json.dumps({"msg_type": "message", "from": sender, "n": i}))

            await asyncio.gather(speak(0), speak(1), speak(2))
            seen = []
            for client in clients:
                messages = [json.loads(await receive(client)) for _ in range(300)]
                for sender in range(3):
                    self.assertEqual([m["n"] for m in messages if m["from"] == sender],
                                     list(range(100)))
                seen.append([(m["from"], m["n"]) for m in messages])
            self.assertTrue(all(order == seen[0] for order in seen), "one channel, one order")
            await self.close_all(clients)
        await self.each_backend(check)

    async def test_update_clients_lists_everybody_in_connection_order(self):
        async def check(gateway):
            clients = await self.connect_all(gateway, "/chat", 5)
            await clients[1].send('{"msg_type":"update_clients","nickname":"baozi"}')
            self.assertEqual(json.loads(await receive(clients[1])), {
                "msg_type": "update_clients",
                "clients": ["anonymous", "baozi", "anonymous", "anonymous", "anonymous"]})
            await clients[0].close()
            await clients[1].send('{"msg_type":"update_clients","nickname":"baozi"}')
            self.assertEqual(json.loads(await receive(clients[1]))["clients"],
                             ["baozi", "anonymous", "anonymous", "anonymous"])
            await self.close_all(clients[1:])
        await self.each_backend(check)

    async def test_relay_reaches_every_device_of_a_user_and_nobody_else(self):
        async def check(gateway):
            clients = await self.connect_all(gateway, "/sendone", 9)
            for i, client in enumerate(clients):
                user = f"U{i % 3}"
                await client.send(json.dumps({"msg_type": "accept_", "from_user": user}))
                await client.send(json.dumps({"msg_type": "send_", "to_user": f"probe{i}",
                                              "from_user": user}))
                await client.send("not json")  # its answer proves that all before it was handled
                self.assertEqual(json.loads(await receive(client))["code"], "bad_json")
            text = '{"msg_type":"send_","to_user":"U1","from_user":"U0","message":"hi"}'
            await clients[0].send(text)
            for client in clients[1::3]:
                self.assertEqual(await receive(client), text)
            for client in (clients[0], clients[2]):
                await client.send("not json")
                self.assertEqual(json.loads(await receive(client))["code"], "bad_json")
            await self.close_all(clients)
        await self.each_backend(check)

    async def test_relay_numbers_and_strings_are_different_users(self):
        async def check(gateway):
            number, string = await self.connect_all(gateway, "/sendone", 2)
            await number.send('{"msg_type":"accept_","toy_id":17.0}')
            await string.send('{"msg_type":"accept_","toy_id":"17"}')
            # A message to oneself comes back when the binding holds.
            for client, own in ((number, "17"), (string, '"17"')):
                text = '{"msg_type":"send_","to_user":%s,"m":1}' % own
                await client.send(text)
                self.assertEqual(await receive(client), text)
            for client, to, receiver in ((number, '"17"', string), (string, "17", number)):
                text = '{"msg_type":"send_","to_user":%s,"m":2}' % to
                await client.send(text)
                self.assertEqual(await receive(receiver), text)
            await self.close_all([number, string])
        await self.each_backend(check)

    async def test_a_hundred_errors_close_the_connection(self):
        async def check(gateway):
            [client] = await self.connect_all(gateway, "/sendone", 1)
            for _ in range(100):
                await client.send("[1,2}")
            for _ in range(100):
                self.assertEqual(json.loads(await receive(client))["code"], "bad_json")
            with self.assertRaises(websockets.ConnectionClosed):
                await receive(client)
            self.assertEqual(client.close_code, 1008)
        await self.each_backend(check)

    async def test_stopping_closes_sessions_with_1001(self):
        for backend in BACKENDS:
            with self.subTest(backend=backend), Gateway("--shards", "2", "--backend", backend) as gateway:
                clients = await self.connect_all(gateway, "/chat", 4)
                gateway.process.terminate()
                for client in clients:
                    with self.assertRaises(websockets.ConnectionClosed):
                        await receive(client)
                    self.assertEqual(client.close_code, 1001)
                self.assertEqual(gateway.process.wait(10), 0)

    async def test_pages_of_named_origins_may_connect_and_no_others(self):
        for backend in BACKENDS:
            with self.subTest(backend=backend), Gateway(
                    "--shards", "2", "--backend", backend, "--allow-origin", "https://app.example",
                    "--allow-origin", "null") as gateway:
                gateway.wait_for_line("warn  any web page can send the origin null")
                for path in ("/chat", "/sendone"):
                    own = f"http://127.0.0.1:{gateway.port}"
                    for origin in ("https://app.example", "https://APP.example:443", "null", own):
                        async with websockets.connect(gateway.url(path), origin=origin) as client:
                            await client.send("not json")
                            self.assertEqual(json.loads(await receive(client))["code"], "bad_json")
                    for origin in ("http://app.example", "https://app.example:444",
                                   "https://app.example.evil.example"):
                        with self.assertRaises(websockets.InvalidStatus) as refused:
                            await websockets.connect(gateway.url(path), origin=origin)
                        self.assertEqual(refused.exception.response.status_code, 403, origin)

    async def test_npm_ws_speaks_all_three_dialects(self):
        async def check(gateway):
            done = await asyncio.to_thread(
                subprocess.run, ["node", str(HERE / "ws_client.js"), str(gateway.port)],
                capture_output=True, text=True, timeout=60, env=os.environ)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        await self.each_backend(check)


if __name__ == "__main__":
    unittest.main()
