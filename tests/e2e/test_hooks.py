"""Hooks with the real binary: servers that are right, slow, lying and dead, and nobody else who waits."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

import websockets

from gateway import Gateway
from hook_server import HookServer, allow, example, free_port, send

BACKENDS = ("io_uring", "epoll")
SECONDS = 30
CENTRIFUGE = "/connection/websocket"
NAMESPACES = ("--namespace", "room.subscribe_hook=on", "--namespace", "room.publish_hook=on",
              "--namespace", "open.subscribe=everybody")


async def receive(client):
    return await asyncio.wait_for(client.recv(), SECONDS)


async def ask(client, command):
    await client.send(json.dumps(command))
    while True:
        for line in (await receive(client)).split("\n"):
            answer = json.loads(line)
            if answer.get("id") == command["id"]:
                return answer


async def connect(gateway, **fields):
    client = await websockets.connect(gateway.url(CENTRIFUGE), additional_headers=fields.pop("headers", None))
    answer = await ask(client, {"id": 1, "connect": fields})
    return client, answer


def metric(gateway, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/metrics", timeout=10) as answer:
        return int(re.search(rf"^{re.escape(name)} (\d+)$", answer.read().decode(), re.M).group(1))


async def reaches(gateway, name, count, at_most=False):
    deadline = time.monotonic() + SECONDS
    while True:
        now = await asyncio.to_thread(metric, gateway, name)
        if (now <= count) if at_most else (now >= count):
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{name} is {now}, not {count}")
        await asyncio.sleep(0.05)


def requests(hook, outcome):
    return f'sluice_hook_requests_total{{hook="{hook}",outcome="{outcome}"}}'


def gateway_on(backend, *options):
    namespaces = NAMESPACES if "--hook-publish-url" in options else ()
    return Gateway("--shards", "2", "--backend", backend, *namespaces, *options)


class Hooks(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    async def test_the_application_server_says_who_connects_and_what_it_may(self):
        def answer(handler, hook, body):
            if hook == "connect":
                return send(handler, {"result": {"user": "42", "info": {"n": 1}, "data": {"hello": 1},
                                                 "channels": ["open:a"]}})
            if hook == "subscribe" and body["channel"] == "room:closed":
                return send(handler, {"error": {"code": 403, "message": "not yours"}})
            if hook == "subscribe" and body["channel"] == "room:trap":
                return send(handler, {"disconnect": {"code": 4501, "reason": "caught"}})
            if hook == "publish":
                return send(handler, {"result": {"data": {"said": body["data"]["say"].upper()}}})
            return allow(handler, hook, body)

        with HookServer(answer) as server:
            for backend in BACKENDS:
                with self.subTest(backend=backend), gateway_on(
                        backend, *server.options("connect", "subscribe", "publish"),
                        "--hook-header", "Cookie", "--hook-header", "x-real-ip") as gateway:
                    server.asked.clear()
                    client, answered = await connect(gateway, data={"x": 1}, name="js", version="1.0",
                                                     headers={"Cookie": "sid=1", "X-Real-IP": "1.2.3.4",
                                                              "Authorization": "secret"})
                    self.assertEqual(answered["connect"]["data"], {"hello": 1})
                    self.assertEqual(set(answered["connect"]["subs"]), {"#42", "open:a"})
                    self.assertEqual(await ask(client, {"id": 2, "subscribe": {"channel": "room:1", "data": {"sub": 1}}}),
                                     {"id": 2, "subscribe": {}})
                    self.assertEqual(await ask(client, {"id": 3, "subscribe": {"channel": "room:closed"}}),
                                     {"id": 3, "error": {"code": 403, "message": "not yours"}})
                    await client.send(json.dumps({"id": 4, "publish": {"channel": "room:1", "data": {"say": "hi"}}}))
                    self.assertEqual(json.loads(await receive(client))["push"]["pub"]["data"], {"said": "HI"})
                    self.assertEqual(json.loads(await receive(client)), {"id": 4, "publish": {}})
                    await client.send(json.dumps({"id": 5, "subscribe": {"channel": "room:trap"}}))
                    with self.assertRaises(websockets.ConnectionClosed) as closed:
                        await receive(client)
                    self.assertEqual((closed.exception.rcvd.code, closed.exception.rcvd.reason), (4501, "caught"))

                    asked = [(hook, json.loads(body)) for hook, _, body in server.asked]
                    common = {"client": answered["connect"]["client"], "transport": "websocket", "protocol": "json",
                              "encoding": "json"}
                    self.assertEqual(asked[0], ("connect", {**common, "name": "js", "version": "1.0", "data": {"x": 1}}))
                    self.assertEqual(asked[1], ("subscribe", {**common, "user": "42", "channel": "room:1",
                                                              "data": {"sub": 1}}))
                    self.assertEqual(asked[3], ("publish", {**common, "user": "42", "channel": "room:1",
                                                            "data": {"say": "hi"}}))
                    for _, headers, _ in server.asked:
                        self.assertEqual((headers["Cookie"], headers["X-Real-IP"], headers["Authorization"],
                                          headers["Content-Type"]), ("sid=1", "1.2.3.4", None, "application/json"))
                    self.assertEqual(await asyncio.to_thread(metric, gateway, requests("subscribe", "disconnected")), 1)

    async def test_our_own_protocols_wait_for_the_answer_with_their_101(self):
        answers = []
        with HookServer(lambda handler, *_: send(handler, answers[0])) as server:
            for backend in BACKENDS:
                with self.subTest(backend=backend), gateway_on(
                        backend, *server.options("connect"), "--hook-connect-for", "chat",
                        "--hook-connect-for", "relay") as gateway:
                    answers[:] = [{"result": {"user": "U1"}}]
                    async with websockets.connect(gateway.url("/sendone")) as client:
                        await client.send('{"msg_type":"accept_","from_user":"U2"}')
                        self.assertEqual(json.loads(await receive(client))["code"], "bad_id")
                        await client.send('{"msg_type":"send_","from_user":"U1","to_user":"U1"}')
                        self.assertEqual(json.loads(await receive(client))["to_user"], "U1")
                    async with websockets.connect(gateway.url("/chat")) as client:
                        await client.send('{"msg_type":"message","message":"m"}')
                        await receive(client)
                    for answered, status, words in (({"error": {"code": 403, "message": "go away"}}, 403, "go away\n"),
                                                    ({"disconnect": {"code": 4501, "reason": "banned"}}, 403, "banned\n"),
                                                    ({"error": {"code": 1000, "temporary": True}}, 503, None),
                                                    ({"result": 1}, 503, None), ({}, 503, None)):
                        answers[:] = [answered]
                        for path in ("/chat", "/sendone"):
                            with self.assertRaises(websockets.InvalidStatus) as refused:
                                await websockets.connect(gateway.url(path))
                            response = refused.exception.response
                            self.assertEqual(response.status_code, status)
                            if words is not None:
                                self.assertEqual(response.body.decode(), words)
                            else:
                                self.assertIn("Retry-After", response.headers)
                    self.assertEqual({json.loads(body)["dialect"] for _, _, body in server.asked}, {"chat", "relay"})
                    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/") as page:
                        self.assertNotIn(b'"message":"m"', page.read(), "who was not vouched for reads the chat")

    async def check_refused(self, server, outcome, *options):
        """Everything that is asked is refused for this reason, in time, while others go on."""
        for backend in BACKENDS:
            with self.subTest(backend=backend), gateway_on(
                    backend, *server.options("connect", "subscribe", "publish"), *options,
                    "--hook-timeout", "700ms", "--insecure-identities", "on") as gateway:
                async with websockets.connect(gateway.url("/chat")) as chat, websockets.connect(gateway.url("/")) as echo:
                    started = time.monotonic()
                    waiting = asyncio.create_task(connect(gateway))
                    count = 0
                    while not waiting.done():
                        await chat.send(f'{{"msg_type":"message","message":"{count}"}}')
                        await echo.send(str(count))
                        self.assertEqual(json.loads(await receive(chat))["message"], str(count))
                        self.assertEqual(await receive(echo), str(count))
                        count += 1
                        await asyncio.sleep(0.01)
                    client, answered = await waiting
                    self.assertLess(time.monotonic() - started, 5)
                    self.assertEqual(answered, {"id": 1, "error": {"code": 100, "message": "internal server error",
                                                                   "temporary": True}})
                    await reaches(gateway, requests("connect", outcome), 1)
                    await client.close()

    async def test_lies_are_refused(self):
        with HookServer(allow) as other:
            lies = {
                "status": [lambda h, *_: send(h, {"result": {}}, 201), lambda h, *_: send(h, {"result": {}}, 500),
                           lambda h, *_: send(h, b"", 307, [("Location", f"http://127.0.0.1:{other.port}/connect")])],
                "invalid": [lambda h, *_: send(h, b"<html>"), lambda h, *_: send(h, b""),
                            lambda h, *_: send(h, b'{"result":{"user":"\xff"}}'), lambda h, *_: send(h, {"result": []}),
                            lambda h, *_: send(h, b'{"result":{},"result":{}}'),
                            lambda h, *_: h.wfile.write(b"hello?\r\n" * 3)],
                "too_long": [lambda h, *_: send(h, b'{"result":{"user":"' + b"x" * (1 << 20) + b'"}}')],
                "unreachable": [lambda h, *_: setattr(h, "close_connection", True), self.half],
            }
            for outcome, answers in lies.items():
                for answer in answers:
                    with HookServer(answer) as server:
                        await self.check_refused(server, outcome)
                        self.assertEqual(len(server.asked), len(BACKENDS), "what may have been done is not repeated")
            self.assertEqual(other.asked, [])

    @staticmethod
    def half(handler, *_):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b'{"result":{')
        handler.close_connection = True

    async def test_a_wrong_content_type_does_not_matter(self):
        with HookServer(lambda h, *_: send(h, {"result": {"user": "1"}}, 200, [("Content-Type", "text/html")])) as server:
            for backend in BACKENDS:
                with self.subTest(backend=backend), gateway_on(
                        backend, *server.options("connect")) as gateway:
                    client, answered = await connect(gateway)
                    self.assertIn("connect", answered)
                    await client.close()

    async def test_slow_and_endless_answers_are_given_up(self):
        release = threading.Event()

        def endless(handler, *_):
            handler.send_response(200)
            handler.send_header("Content-Length", str(1 << 30))
            handler.end_headers()
            while not release.wait(0.05):
                handler.wfile.write(b" ")

        try:
            for answer in (lambda *_: release.wait(60), endless):
                with HookServer(answer) as server:
                    await self.check_refused(server, "timeout")
                    self.assertEqual(len(server.asked), len(BACKENDS))
        finally:
            release.set()

    async def test_a_dead_server_is_tried_again_until_the_time_is_over(self):
        server = HookServer(allow)
        server.server_close()  # nobody listens on its port
        await self.check_refused(server, "unconnected")

    async def test_a_certificate_that_nobody_has_signed_is_not_trusted(self):
        with tempfile.TemporaryDirectory() as folder, HookServer(allow) as server:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1",
                            "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", f"{folder}/key",
                            "-out", f"{folder}/cert"], check=True, capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(f"{folder}/cert", f"{folder}/key")
            server.socket = context.wrap_socket(server.socket, server_side=True)
            for backend in BACKENDS:
                with self.subTest(backend=backend), gateway_on(
                        backend, "--hook-connect-url", f"https://127.0.0.1:{server.port}/connect") as gateway:
                    client, answered = await connect(gateway)
                    self.assertEqual(answered["error"]["code"], 100)
                    await reaches(gateway, 'sluice_hook_retries_total{hook="connect"}', 1)
                    self.assertEqual(metric(gateway, requests("connect", "allowed")), 0)
                    await client.close()
            self.assertEqual(server.asked, [])

    async def test_a_black_hole_is_given_up(self):
        with contextlib.closing(socket.socket()) as hole:
            hole.bind(("127.0.0.1", 0))
            hole.listen(0)  # accepts nobody
            others = [socket.socket() for _ in range(4)]
            for one in others:
                one.setblocking(False)
                one.connect_ex(hole.getsockname())
            for backend in BACKENDS:
                with self.subTest(backend=backend), gateway_on(
                        backend, "--hook-connect-url", f"http://127.0.0.1:{hole.getsockname()[1]}/",
                        "--hook-timeout", "500ms") as gateway:
                    started = time.monotonic()
                    client, answered = await connect(gateway)
                    self.assertLess(time.monotonic() - started, 5)
                    self.assertEqual(answered["error"]["code"], 100)
                    self.assertEqual(metric(gateway, requests("connect", "unconnected")), 1)
                    await client.close()
            for one in others:
                one.close()

    async def test_a_server_that_comes_back_within_the_time_is_asked(self):
        port = free_port()
        for backend in BACKENDS:
            with self.subTest(backend=backend), gateway_on(
                    backend, "--hook-connect-url", f"http://127.0.0.1:{port}/connect",
                    "--hook-timeout", "20s") as gateway:
                waiting = asyncio.create_task(connect(gateway))
                await reaches(gateway, 'sluice_hook_retries_total{hook="connect"}', 2)
                with HookServer(lambda h, *_: send(h, {"result": {"user": "9"}}), port) as server:
                    client, answered = await waiting
                    self.assertEqual(set(answered["connect"]["subs"]), {"#9"})
                    self.assertEqual(len(server.asked), 1)
                    await client.close()

    async def test_beyond_the_bounds_questions_are_refused_at_once(self):
        release = threading.Event()
        try:
            with HookServer(lambda *_: release.wait(60)) as server:
                for backend in BACKENDS:
                    with self.subTest(backend=backend), gateway_on(
                            backend, *server.options("connect"), "--hook-concurrency", "4", "--hook-queue", "4",
                            "--hook-timeout", "30s") as gateway:
                        waiting = [asyncio.create_task(connect(gateway)) for _ in range(40)]
                        done = []
                        while len(done) < 32:  # 8 for both shards together, if both have that many
                            done = [one for one in waiting if one.done()]
                            await asyncio.sleep(0.05)
                        self.assertLessEqual(len(done), 36)
                        for one in done:
                            self.assertEqual((await one)[1]["error"]["code"], 100)
                        await reaches(gateway, requests("connect", "busy"), len(done))
                        self.assertLessEqual(len(server.asked), 4)
                        server.asked.clear()
                        for one in waiting:
                            one.cancel()
        finally:
            release.set()

    async def test_a_stop_does_not_wait_for_answers(self):
        release = threading.Event()
        try:
            with HookServer(lambda *_: release.wait(60)) as server:
                for backend in BACKENDS:
                    with self.subTest(backend=backend), gateway_on(
                            backend, *server.options("connect"), "--hook-timeout", "30s") as gateway:
                        waiting = asyncio.create_task(connect(gateway))
                        await asyncio.to_thread(server.wait_for, lambda asked: asked)
                        server.asked.clear()
                        started = time.monotonic()
                        await asyncio.to_thread(gateway.close)
                        self.assertLess(time.monotonic() - started, 4)
                        with self.assertRaises(websockets.ConnectionClosed):
                            await waiting
        finally:
            release.set()


class Events(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    def check_order(self, events):
        """Each connection comes before it goes, and channels change between the two states."""
        state = {}
        for event in events:
            key = event.get("client") or event.get("channel") or event["user"]
            comes = event["type"] in ("connected", "channel_occupied")
            self.assertNotEqual(state.get(key, False), comes, (key, events))
            state[key] = comes

    async def visit(self, gateway, count):
        for _ in range(count):
            async with websockets.connect(gateway.url("/chat")) as client:
                await client.send('{"msg_type":"message","message":"m"}')
                await receive(client)

    async def test_connections_and_channels_are_told(self):
        with HookServer(allow) as server:
            for backend in BACKENDS:
                with self.subTest(backend=backend), Gateway("--shards", "2", "--backend", backend,
                                                            *server.options("events")) as gateway:
                    server.asked.clear()
                    async with websockets.connect(gateway.url("/sendone")) as client:
                        await client.send('{"msg_type":"accept_","from_user":"U1"}')
                        await asyncio.to_thread(server.wait_for, lambda _: len(server.events()) >= 2)
                    await asyncio.to_thread(server.wait_for, lambda _: len(server.events()) >= 4)
                    told = {event["type"]: event for event in server.events()}
                    self.assertEqual(set(told), {"connected", "disconnected", "channel_occupied", "channel_vacated"})
                    self.assertEqual(told["channel_occupied"]["user"], "U1")
                    self.assertEqual(told["channel_vacated"]["user"], "U1")
                    gone = told["disconnected"]
                    self.assertEqual((gone["dialect"], gone["code"], gone["initiator"], gone["cause"]),
                                     ("relay", 1000, "client", "closed"))
                    self.assertEqual(gone["client"], told["connected"]["client"])
                    self.assertLess(abs(gone["time"] - told["connected"]["time"] - gone["duration_ms"]), 100)

    async def test_events_arrive_at_least_once_and_in_order_over_restarts_of_the_server(self):
        port = free_port()
        lock = threading.Lock()
        count = 0

        def moody(handler, *_):
            nonlocal count
            with lock:
                count += 1
                mood = count % 4
            if mood == 1:
                return send(handler, {}, 503)
            if mood == 2:
                handler.close_connection = True  # taken, but who is to know
                return None
            return send(handler, {}, 204)

        for backend in BACKENDS:
            with Gateway("--shards", "1", "--backend", backend, "--hook-events-url",
                         f"http://127.0.0.1:{port}/events") as gateway:
                await self.visit(gateway, 5)  # nobody listens
                asked = []
                with HookServer(moody, port, asked) as server:
                    await self.visit(gateway, 5)
                    await asyncio.to_thread(server.wait_for, lambda _: len(server.events()) >= 10)
                await self.visit(gateway, 5)
                with HookServer(moody, port, asked) as server:
                    await reaches(gateway, 'sluice_hook_events_total{type="disconnected"}', 15)
                    await reaches(gateway, 'sluice_hook_queued{hook="events"}', 0, at_most=True)
                    deliveries = server.deliveries()
            seen = {}
            for delivery in deliveries:
                for event in delivery["events"]:
                    seen.setdefault(event["id"], event)
            self.assertEqual(sum(event["type"] == "disconnected" for event in seen.values()), 15)
            self.assertEqual(sum(event["type"] == "connected" for event in seen.values()), 15)
            self.check_order(seen.values())
            attempts = {}
            for delivery in deliveries:
                attempts.setdefault(delivery["delivery"], []).append((delivery["attempt"], delivery["events"]))
            self.assertTrue(any(len(tries) > 1 for tries in attempts.values()), "none was made again")
            for tries in attempts.values():
                numbers = [number for number, _ in tries]
                self.assertEqual(numbers, sorted(set(numbers)))  # those that came to nobody are missing
                self.assertTrue(all(events == tries[0][1] for _, events in tries))

    async def test_a_dead_server_costs_bounded_memory_and_the_loss_is_told(self):
        port = free_port()
        with Gateway("--shards", "1", "--hook-events-queue", "10", "--hook-events-url",
                     f"http://127.0.0.1:{port}/events") as gateway:
            await self.visit(gateway, 50)
            await reaches(gateway, 'sluice_hook_events_total{type="disconnected"}', 50)
            lost = await asyncio.to_thread(metric, gateway, 'sluice_hook_events_lost_total{reason="full"}')
            with HookServer(allow, port) as server:
                await reaches(gateway, "sluice_hook_events_taken_total", 10)
                self.assertEqual(server.deliveries()[0]["lost"], lost)
                self.assertEqual(lost, 50 * 4 - 10)
                self.assertEqual(server.events()[-1]["type"], "disconnected", "the newest are kept")

    async def test_a_stop_delivers_what_waits(self):
        with HookServer(allow) as server:
            with Gateway("--shards", "2", *server.options("events")) as gateway:
                clients = [await websockets.connect(gateway.url("/chat")) for _ in range(20)]
                await asyncio.to_thread(gateway.close)
                for client in clients:
                    await client.close()
            gone = [event for event in server.events() if event["type"] == "disconnected"]
            self.assertEqual([event["cause"] for event in gone], ["shutdown"] * 20)

    async def test_a_stop_gives_up_in_time_and_says_how_many(self):
        release = threading.Event()
        try:
            with HookServer(lambda *_: release.wait(60)) as server:
                with Gateway("--shards", "1", "--shutdown-timeout", "2s", *server.options("events")) as gateway:
                    await self.visit(gateway, 3)
                    started = time.monotonic()
                    await asyncio.to_thread(gateway.close)
                    self.assertLess(time.monotonic() - started, 4)
                    self.assertTrue([line for line in gateway.lines if re.search("not taken in time.*events=12", line)],
                                    gateway.lines)
        finally:
            release.set()


class Signatures(unittest.IsolatedAsyncioTestCase):
    async def test_each_secret_signs_and_the_documents_can_tell(self):
        with HookServer(allow) as server, tempfile.NamedTemporaryFile("w") as file:
            file.write("  new secret\n\nold secret\n")
            file.flush()
            with Gateway(*NAMESPACES, *server.options(), "--hook-secret-file", file.name) as gateway:
                client, _ = await connect(gateway)
                await ask(client, {"id": 2, "subscribe": {"channel": "room:1"}})
                await ask(client, {"id": 3, "publish": {"channel": "room:1", "data": "é"}})
                await client.close()
                await asyncio.to_thread(server.wait_for, lambda asked: {h for h, _, _ in asked} >= {
                    "connect", "subscribe", "publish", "events"})
                self.assertFalse([line for line in gateway.lines if "secret" in line])
            names = {}
            exec(example("python"), names)  # noqa: S102: what the documents say
            is_signed = names["is_signed"]
            for _, headers, body in server.asked:
                field = headers["Sluice-Signature"]
                when = field.split(",")[0].removeprefix("t=")
                expected = [hmac.new(secret, when.encode() + b"." + body, hashlib.sha256).hexdigest()
                            for secret in (b"new secret", b"old secret")]
                self.assertEqual(field, f"t={when},v1={expected[0]},v1={expected[1]}")
                self.assertLess(abs(time.time() - int(when)), 60)
                cases = [(field, body, b"new secret", True), (field, body, b"old secret", True),
                         (field, body, b"another", False), (field, body + b" ", b"new secret", False),
                         (field.replace(f"t={when}", f"t={int(when) + 1}"), body, b"new secret", False)]
                old = str(int(time.time()) - 3600)
                stale = hmac.new(b"new secret", old.encode() + b"." + body, hashlib.sha256).hexdigest()
                cases.append((f"t={old},v1={stale}", body, b"new secret", False))
                for case in cases:
                    self.assertEqual(is_signed(*case[:3]), case[3], case)
                script = example("js") + (
                    "for (const [field, body, secret] of JSON.parse(process.argv[1]))"
                    " console.log(isSigned(field, Buffer.from(body, 'latin1'), secret));")
                said = subprocess.run(
                    ["node", "-e", script, json.dumps([[f, b.decode("latin1"), s.decode()] for f, b, s, _ in cases])],
                    check=True, capture_output=True, text=True, env=os.environ).stdout.split()
                self.assertEqual(said, [str(case[3]).lower() for case in cases])

    async def test_without_a_secret_nothing_is_signed(self):
        with HookServer(allow) as server:
            with Gateway(*server.options("connect")) as gateway:
                client, _ = await connect(gateway)
                await client.close()
            self.assertIsNone(server.asked[0][1]["Sluice-Signature"])

    async def test_what_is_wrong_is_one_line(self):
        with tempfile.NamedTemporaryFile("w") as empty:
            for options, words in (
                    (("--hook-connect-url", "http://127.0.0.1/", "--hook-secret-file", empty.name),
                     "there is no key in"),
                    (("--hook-connect-url", "http://127.0.0.1/", "--hook-secret-file", "/nowhere"), "cannot read"),
                    (("--namespace", "a1.publish_hook=on"), "set --hook-publish-url or turn it off")):
                said = subprocess.run([os.environ["GATEWAY_BIN"], "--listen", "127.0.0.1:0", *options], timeout=20,
                                      capture_output=True, text=True, check=False)
                self.assertEqual((said.returncode, said.stderr.count("\n")), (2, 1), said.stderr)
                self.assertIn(words, said.stderr)


if __name__ == "__main__":
    unittest.main()
