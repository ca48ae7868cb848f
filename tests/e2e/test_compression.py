"""permessage-deflate with Python's `websockets` and npm `ws`, in both modes, on each kernel backend."""

import asyncio
import json
import os
import re
import subprocess
import unittest
import urllib.request
from pathlib import Path

import websockets

from gateway import Gateway
from test_clients import BACKENDS, receive

HERE = Path(__file__).parent
MODES = ("shared", "dedicated")
LARGEST = 1 << 20


def bytes_counted(gateway, direction, form):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/metrics", timeout=10) as response:
        text = response.read().decode()
    label = rf'sluice_compressed_bytes_total{{direction="{direction}",form="{form}"}} (\d+)'
    return int(re.search(label, text).group(1))


class Compression(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    async def each_mode(self, check, *options):
        for backend in BACKENDS:
            for mode in MODES:
                with self.subTest(backend=backend, mode=mode), Gateway(
                        "--shards", "2", "--backend", backend, "--compression", mode,
                        *options) as gateway:
                    await check(gateway, mode)

    async def connect(self, gateway, path="/", **options):
        client = await websockets.connect(gateway.url(path), max_size=None, **options)
        is_wanted = options.get("compression", "deflate") is not None
        self.assertEqual(bool(client.protocol.extensions), is_wanted)
        return client

    async def test_echo_in_both_directions_at_every_size(self):
        async def check(gateway, _):
            client = await self.connect(gateway)
            for size in (0, 1, 63, 64, 125, 126, 511, 512, 513, 4096, 65535, 65536, LARGEST):
                for message in ("x" * size, bytes(size), os.urandom(size), "你好"[:size] * (size // 6)):
                    await client.send(message)
                    self.assertEqual(await receive(client), message)
            await client.close(1000)
            for direction in ("in", "out"):
                self.assertGreater(bytes_counted(gateway, direction, "plain"), 3 * LARGEST)
                self.assertLess(bytes_counted(gateway, direction, "compressed"), 3 * LARGEST)
        await self.each_mode(check)

    async def test_echo_of_pipelined_and_fragmented_messages_keeps_order(self):
        async def check(gateway, _):
            client = await self.connect(gateway)

            async def send_all():
                for i in range(500):
                    text = f"message {i} " * (i % 200)
                    await client.send([text[:7], text[7:100], text[100:]] if i % 3 == 0 else text)

            sending = asyncio.create_task(send_all())
            for i in range(500):
                self.assertEqual(await receive(client), f"message {i} " * (i % 200))
            await sending
            await client.close()
        await self.each_mode(check)

    async def test_the_limit_is_of_what_a_message_becomes(self):
        async def check(gateway, _):
            client = await self.connect(gateway)
            await client.send("x" * (LARGEST + 1))
            with self.assertRaises(websockets.ConnectionClosed):
                await receive(client)
            self.assertEqual(client.close_code, 1009)
        await self.each_mode(check)

    async def test_chat_with_and_without_compression_is_one_chat(self):
        async def check(gateway, mode):
            clients = [await self.connect(gateway, "/chat", compression="deflate" if i % 2 else None)
                       for i in range(10)]
            length = 0  # of what is long enough to be compressed
            least = 512 if mode == "shared" else 1
            for n in range(100):
                text = json.dumps({"msg_type": "message", "n": n, "message": "包子 " * n})
                await clients[n % 10].send(text)
                length += len(text.encode()) if len(text.encode()) >= least else 0
                for client in clients:
                    self.assertEqual(await receive(client), text)
            # Once for each shard that has such a client, or for each of the five.
            times = (1, 2) if mode == "shared" else (5,)
            self.assertIn(bytes_counted(gateway, "out", "plain"), [n * length for n in times])
            await asyncio.gather(*(client.close() for client in clients))
        await self.each_mode(check)

    async def test_what_waits_for_a_user_comes_compressed_or_not(self):
        async def check(gateway, _):
            sender = await self.connect(gateway, "/sendone")
            texts = [json.dumps({"msg_type": "send_", "to_user": "T", "from_user": "A", "n": n,
                                 "message": "turn left " * 100}) for n in range(50)]
            for compression in (None, "deflate"):
                for text in texts:
                    await sender.send(text)
                await sender.send("not json")  # its answer proves that all before it was handled
                self.assertEqual(json.loads(await receive(sender))["code"], "bad_json")
                toy = await self.connect(gateway, "/sendone", compression=compression)
                await toy.send('{"msg_type":"accept_","toy_id":"T"}')
                for text in texts:
                    self.assertEqual(await receive(toy), text)
                await sender.send(texts[0])
                self.assertEqual(await receive(toy), texts[0])
                await toy.close()
            await sender.close()
        await self.each_mode(check)

    async def test_npm_ws_in_all_of_its_settings(self):
        async def check(gateway, _):
            for script in ("ws_deflate.js", "ws_client.js"):
                done = await asyncio.to_thread(
                    subprocess.run, ["node", str(HERE / script), str(gateway.port)],
                    capture_output=True, text=True, timeout=90, env=os.environ)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        await self.each_mode(check)

    async def test_off_is_the_default(self):
        with Gateway("--shards", "1") as gateway:
            client = await websockets.connect(gateway.url())
            self.assertEqual(client.protocol.extensions, [])
            await client.close()


if __name__ == "__main__":
    unittest.main()
