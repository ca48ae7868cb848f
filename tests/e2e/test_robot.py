"""The robot of the group chat: one that works, and all the ways in which one does not."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import websockets

from gateway import Gateway

BACKENDS = ("io_uring", "epoll")
SECONDS = 15
SAMPLE = Path(__file__).parents[2] / "deploy" / "robot" / "robot.py"


class StandIn(ThreadingHTTPServer):
    """A robot that answers as told; `asked` is what it was sent, as (headers, body)."""
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, answer):
        robot = self
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                robot.asked.append((self.headers, body))
                try:
                    answer(self, body)
                except OSError:
                    self.close_connection = True  # it was not waited for

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/answer?from=chat"

    def handle_error(self, *_):
        pass  # connections that the gateway resets

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def answering(body, status=200, fields=()):
    def answer(handler, _):
        handler.send_response(status)
        for name, value in (("Content-Length", str(len(body))), *fields):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
    return answer


def message(text, **more):
    return json.dumps({"msg_type": "message", "nickname": "unknown", "message": text, **more}, ensure_ascii=False)


async def receive(client):
    return await asyncio.wait_for(client.recv(), SECONDS)


async def outcome(gateway, name):
    def read():
        url = f"http://127.0.0.1:{gateway.port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    text = await asyncio.to_thread(read)
    return int(re.search(rf'sluice_robot_answers_total{{outcome="{name}"}} (\d+)', text).group(1))


async def reaches(gateway, name, count):
    """Waits until that many questions had this outcome."""
    deadline = time.monotonic() + SECONDS
    while (now := await outcome(gateway, name)) < count:
        if time.monotonic() > deadline:
            raise AssertionError(f"{name} is {now}, not {count}")
        await asyncio.sleep(0.05)


class Robot(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)  # it reports slow steps

    async def each_backend(self, url, check, *options):
        for backend in BACKENDS:
            with self.subTest(backend=backend), \
                    Gateway("--shards", "2", "--backend", backend, "--robot-url", url, *options) as gateway:
                clients = [await websockets.connect(gateway.url("/chat"), max_queue=None) for _ in range(3)]
                await check(gateway, clients)
                await asyncio.gather(*(client.close() for client in clients))

    async def check_silent(self, name, *answers):
        """Such answers say nothing, are counted, and the chat goes on as if there were no robot."""
        async def check(gateway, clients):
            for n in range(len(answers)):
                await clients[0].send(message(str(n)))
                for client in clients:
                    self.assertEqual(await receive(client), message(str(n)))
                await reaches(gateway, name, n + 1)
            await clients[1].send('{"msg_type":"update_clients","nickname":"a"}')
            self.assertEqual(json.loads(await receive(clients[1]))["msg_type"], "update_clients")
        with StandIn(lambda handler, body: answers[int(json.loads(body)["message"])](handler, body)) as robot:
            await self.each_backend(robot.url, check)

    async def test_json_is_said_by_the_robot_behind_its_question(self):
        async def check(gateway, clients):
            asked = ['{"msg_type":"message","nickname":"a","message":"你好" , "cur_time":1.50,"x":1e400}',
                     message("again", cur_time="2019-01-01"), message("no time")]
            for text, time_of in zip(asked, (',"cur_time":1.50', ',"cur_time":"2019-01-01"', "")):
                await clients[0].send(text)
                for client in clients:
                    self.assertEqual(await receive(client), text)
                for client in clients:
                    self.assertEqual(await receive(client), (
                        '{"msg_type":"message","nickname":"小图","message":"呱",'
                        f'"the_robot":"robot"{time_of}}}'))
                headers, body = robot.asked.pop(0)
                self.assertEqual(body.decode(), text)
                self.assertEqual(headers["Content-Type"], "application/json")
            await reaches(gateway, "answered", 3)
        with StandIn(answering('{"message":"呱","nickname":"小图"}'.encode())) as robot:
            await self.each_backend(robot.url, check)

    async def test_plain_text_is_said_under_the_name_of_the_option(self):
        async def check(gateway, clients):
            await clients[2].send(message("hello"))
            for client in clients:
                self.assertEqual(await receive(client), message("hello"))
                self.assertEqual(json.loads(await receive(client)),
                                 {"msg_type": "message", "nickname": "机器人", "message": 'so "you" say',
                                  "the_robot": "robot"})
        with StandIn(answering(b'so "you" say\n')) as robot:
            await self.each_backend(robot.url, check, "--robot-name", "机器人")

    async def test_the_sample_robot_answers(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        sample = subprocess.Popen([sys.executable, SAMPLE, str(port)], stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + SECONDS
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    self.assertLess(time.monotonic(), deadline, "the sample robot does not listen")
                    await asyncio.sleep(0.05)

            async def check(_, clients):
                await clients[0].send(message("abc"))
                await receive(clients[1])
                self.assertEqual(json.loads(await receive(clients[1]))["message"], "cba")
            await self.each_backend(f"http://127.0.0.1:{port}/", check)
        finally:
            sample.kill()
            sample.wait()

    async def test_every_question_of_a_burst_is_answered_after_it(self):
        def answer(handler, body):
            answering(json.dumps({"message": "re " + json.loads(body)["message"]}).encode())(handler, body)

        async def check(gateway, clients):
            for n in range(64):  # as many as one shard may ask, should it have both speakers
                await clients[n % 2].send(message(f"no {n}"))
            seen = [json.loads(await receive(clients[2]))["message"] for _ in range(128)]
            self.assertEqual(sorted(seen), sorted([f"no {n}" for n in range(64)] +
                                                  [f"re no {n}" for n in range(64)]))
            for n in range(64):
                self.assertLess(seen.index(f"no {n}"), seen.index(f"re no {n}"))
        with StandIn(answer) as robot:
            await self.each_backend(robot.url, check)

    async def test_other_statuses_are_silence_and_redirects_are_not_followed(self):
        with StandIn(answering(b"redirected")) as other:
            await self.check_silent("silent_status", answering(b'{"message":"x"}', 500),
                                    answering(b'{"message":"x"}', 201),
                                    answering(b"", 307, [("Location", other.url)]))
            self.assertEqual(other.asked, [])

    async def test_lies_are_silence(self):
        await self.check_silent("invalid", *(
            answering(body) for body in (b'{"answer":"x"}', b'{"message":17}', b"", b"\n", b"caf\xe9",
                                         b'{"message":"\xff"}')),
            lambda handler, _: handler.wfile.write(b"hello?\r\n" * 3))

    async def test_a_connection_that_breaks_is_silence(self):
        await self.check_silent("unreachable", lambda handler, _: setattr(handler, "close_connection", True))

    async def test_a_huge_answer_is_silence_and_not_read_to_its_end(self):
        ended = threading.Semaphore(0)

        def flood(handler, _):
            handler.send_response(200)
            handler.send_header("Content-Length", str(1 << 30))
            handler.end_headers()
            try:
                for _ in range(1 << 14):
                    handler.wfile.write(b"x" * 65536)
            except OSError:
                ended.release()
                raise
        await self.check_silent("too_long", flood, answering(b"x" * 65536),
                                answering(b"x", fields=[(f"X-{n}", "y" * 1000) for n in range(90)]))
        for _ in BACKENDS:
            self.assertTrue(await asyncio.to_thread(ended.acquire, timeout=SECONDS), "all of it was read")

    async def test_a_dead_robot_costs_nothing_and_is_asked_again_when_it_is_back(self):
        with StandIn(answering(b"I am back")) as robot:
            url, port = robot.url, robot.server_address[1]

        async def check(gateway, clients):
            await clients[0].send(message("first"))
            await reaches(gateway, "unreachable", 1)
            for n in range(1000):
                await clients[0].send(message(f"no {n}"))
            seen = [await receive(clients[1]) for _ in range(1001)]
            self.assertEqual(seen, [message("first")] + [message(f"no {n}") for n in range(1000)])
            await reaches(gateway, "skipped", 900)
            revived = ThreadingHTTPServer(("127.0.0.1", port), robot.RequestHandlerClass)
            threading.Thread(target=revived.serve_forever, daemon=True).start()
            try:
                deadline = time.monotonic() + SECONDS
                while await outcome(gateway, "answered") == 0:
                    self.assertLess(time.monotonic(), deadline, "it is not asked again")
                    await clients[0].send(message("there?"))
                    await asyncio.sleep(0.1)
            finally:
                revived.shutdown()
                revived.server_close()
        await self.each_backend(url, check)

    async def test_a_slow_robot_is_given_up_after_three_seconds_and_nobody_waits(self):
        release = threading.Event()

        async def check(gateway, clients):
            started = time.monotonic()
            for n in range(200):  # all from one shard: 64 are asked
                await clients[0].send(message(f"no {n}"))
            for client in clients:
                self.assertEqual([await receive(client) for _ in range(200)],
                                 [message(f"no {n}") for n in range(200)])
            self.assertLess(time.monotonic() - started, 2.5)
            self.assertEqual(await outcome(gateway, "timeout"), 0)
            await reaches(gateway, "skipped", 136)
            await reaches(gateway, "timeout", 64)
            self.assertGreater(time.monotonic() - started, 2.9)
            self.assertEqual(await outcome(gateway, "skipped"), 136)
            self.assertEqual(await outcome(gateway, "answered"), 0)
        with StandIn(lambda handler, body: release.wait(60)) as robot:
            try:
                await self.each_backend(robot.url, check)
            finally:
                release.set()

    async def test_stopping_does_not_wait_for_the_robot(self):
        release = threading.Event()
        with StandIn(lambda handler, body: release.wait(60)) as robot:
            for backend in BACKENDS:
                with self.subTest(backend=backend):
                    gateway = Gateway("--shards", "2", "--backend", backend, "--robot-url", robot.url)
                    with gateway:
                        client = await websockets.connect(gateway.url("/chat"))
                        await client.send(message("?"))
                        await receive(client)
                        deadline = time.monotonic() + SECONDS
                        while not robot.asked and time.monotonic() < deadline:
                            await asyncio.sleep(0.01)
                        robot.asked.clear()
                        await client.close()
                        started = time.monotonic()
                    self.assertLess(time.monotonic() - started, 2)
            release.set()


if __name__ == "__main__":
    unittest.main()
