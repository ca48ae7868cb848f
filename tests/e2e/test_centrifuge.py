"""The Centrifuge protocol with its own clients: npm `centrifuge`, PyPI `centrifuge-python`, and
`centrifuge-go`."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import sys
import tempfile
import time
import unittest
from pathlib import Path

import websockets

from gateway import Gateway

BACKENDS = ("io_uring", "epoll")
SECONDS = 30
HERE = Path(__file__).parent
PROGRAMS = Path(os.environ.get("E2E_CACHE", "")) / "bin"
KEY = b"the secret of these tests"
OPTIONS = ("--shards", "2", "--namespace", "hist.history_messages=100",
           "--namespace", "hist.presence=on", "--namespace", "hist.join_leave=on",
           "--namespace", "hist.subscribe=everybody", "--namespace", "hist.publish=everybody")


def token_of(**claims):
    def part(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=")
    signed = b".".join(part(json.dumps(one).encode())
                       for one in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (signed + b"." + part(hmac.new(KEY, signed, hashlib.sha256).digest())).decode()


class Proxy:
    """Passes bytes on, until it cuts what it has and lets nobody through."""

    def __init__(self, port):
        self.to = port
        self.writers = set()
        self.is_cut = False

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.cut()
        self.server.close()

    def cut(self):
        self.is_cut = True
        for writer in self.writers:
            writer.transport.abort()

    async def serve(self, reader, writer):
        if self.is_cut:
            return writer.transport.abort()
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        self.writers |= {writer, back}
        try:
            await asyncio.gather(self.pump(reader, back), self.pump(there, writer))
        except OSError:
            pass
        finally:
            self.writers -= {writer, back}

    async def pump(self, reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


class Centrifuge(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        self.key = tempfile.NamedTemporaryFile()
        self.key.write(KEY + b"\n")
        self.key.flush()
        self.addCleanup(self.key.close)

    async def publish(self, gateway, is_open, *data):
        """As a client of its own, which has no connection to lose."""
        async with websockets.connect(gateway.url("/connection/websocket")) as client:
            token = {} if is_open else {"token": token_of(sub="7")}
            await client.send(json.dumps({"id": 1, "connect": token}))
            await asyncio.wait_for(client.recv(), SECONDS)
            for one in data:
                await client.send(json.dumps(
                    {"id": 2, "publish": {"channel": "hist:1", "data": one}}))
                answer = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
                while "push" in answer:
                    answer = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
                self.assertEqual(answer, {"id": 2, "publish": {}})

    async def run_client(self, *command, is_open=False):
        """`is_open`: the gateway wants no tokens."""
        options = () if is_open else ("--token-key-file", self.key.name)
        for backend in BACKENDS:
            with self.subTest(backend=backend), Gateway(
                    *OPTIONS, "--backend", backend, *options) as gateway:
                async with Proxy(gateway.port) as proxy:
                    await self.run_one(gateway, proxy, command, is_open)
                self.assertFalse([line for line in gateway.lines if "the secret" in line])

    async def run_one(self, gateway, proxy, command, is_open):
        now = int(time.time())
        info = {"sub": "42", "info": {"name": "Alice"}}
        arguments = {"url": f"ws://127.0.0.1:{proxy.port}/connection/websocket", "user": "42",
                     "tokens": [token_of(**info, exp=now + 8), token_of(**info, exp=now + 3600)]}
        if is_open:
            arguments |= {"user": "", "tokens": []}
        process = await asyncio.create_subprocess_exec(
            *command, json.dumps(arguments), stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env=os.environ)
        try:
            said = []
            while line := (await asyncio.wait_for(process.stdout.readline(), SECONDS)).decode():
                said.append(line)
                if line == "ready\n":
                    proxy.cut()
                    await self.publish(gateway, is_open, 1, 2)
                    if not is_open:
                        async with websockets.connect(
                                gateway.url("/sendone?token=" + token_of(sub="7"))) as toy:
                            await toy.send('{"msg_type":"send_","to_user":"42","n":7}')
                    proxy.is_cut = False
                    await self.publish(gateway, is_open, "end")
            self.assertEqual(await asyncio.wait_for(process.wait(), SECONDS), 0, "".join(said))
            self.assertEqual(said[-1], "done\n", said)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def test_npm_centrifuge(self):
        await self.run_client("node", str(HERE / "centrifuge_client.js"))

    async def test_pypi_centrifuge_python(self):
        await self.run_client(sys.executable, str(HERE / "centrifuge_client.py"))

    async def test_centrifuge_go(self):
        await self.run_client(PROGRAMS / "centrifuge")

    async def test_centrifuge_go_without_tokens(self):
        await self.run_client(PROGRAMS / "centrifuge", is_open=True)

    async def test_a_token_for_others_opens_nothing(self):
        with Gateway("--token-key-file", self.key.name, "--token-audience", "chat",
                     "--token-issuer", "shop") as gateway:
            for claims, is_welcome in (({}, False), ({"aud": "chat"}, False),
                                       ({"aud": ["x", "chat"], "iss": "shop"}, True)):
                token = token_of(sub="7", **claims)
                async with websockets.connect(gateway.url("/connection/websocket")) as client:
                    await client.send(json.dumps({"id": 1, "connect": {"token": token}}))
                    await self.expect(client, is_welcome)
                connecting = websockets.connect(gateway.url("/chat?token=" + token))
                if is_welcome:
                    await (await connecting).close()
                    continue
                with self.assertRaises(websockets.exceptions.InvalidStatus):
                    await connecting

    async def expect(self, client, is_welcome):
        if is_welcome:
            answer = json.loads(await asyncio.wait_for(client.recv(), SECONDS))
            self.assertIn("client", answer["connect"])
            return
        with self.assertRaises(websockets.exceptions.ConnectionClosedError) as closed:
            await asyncio.wait_for(client.recv(), SECONDS)
        self.assertEqual(closed.exception.rcvd.code, 3500)

    async def test_the_access_log_never_has_a_token(self):
        with Gateway("--token-key-file", self.key.name) as gateway:
            token = token_of(sub="7")
            async with websockets.connect(gateway.url("/chat?token=" + token)):
                pass
            gateway.wait_for_line("path=/chat ")
            self.assertFalse([line for line in gateway.lines if token in line])

    async def test_the_subprotocol_is_echoed(self):
        with Gateway() as gateway:
            for offered, chosen in ((["centrifuge-json"], "centrifuge-json"), (None, None),
                                    (["x", "centrifuge-json"], "centrifuge-json")):
                async with websockets.connect(gateway.url("/connection/websocket"),
                                              subprotocols=offered) as client:
                    self.assertEqual(client.subprotocol, chosen)


class Keys(unittest.TestCase):
    def test_a_key_that_cannot_be_read_is_one_line(self):
        gateway = Gateway("--token-key-file", "/nonexistent/key", exit_code=2)
        gateway.wait_for_line("sluice: --token-key-file /nonexistent/key: cannot be read")
        gateway.process.wait(10)
        gateway.close()


if __name__ == "__main__":
    unittest.main()
