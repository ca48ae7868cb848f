"""The server API, as the client library of application servers calls it, and what clients get."""

import asyncio
import contextlib
import json
import os
import subprocess
import tempfile
import unittest
import urllib.request
import uuid
from pathlib import Path

import cent
import websockets

from gateway import BINARY, Gateway

KEY = "a key of the tests"
NEWS = ("--namespace", "news.history_messages=100", "--namespace", "news.presence=on")
PROGRAMS = Path(os.environ.get("E2E_CACHE", "")) / "bin"
SECONDS = 20


class Served:
    """A gateway with an API on a listener of its own; `url` is its base."""

    def __init__(self, *arguments, backend="auto"):
        self.folder = tempfile.TemporaryDirectory()
        keys = Path(self.folder.name) / "keys"
        keys.write_text(f"\n  {KEY}\t\nanother\n")
        self.gateway = Gateway("--shards", "2", "--backend", backend, "--ops-listen", "127.0.0.1:0",
                               "--api-key-file", str(keys), *NEWS, *arguments)

    def __enter__(self):
        self.gateway.__enter__()
        line = self.gateway.wait_for_line(r"listening address=[^ ]*:(\d+) for=ops")
        self.url = f"http://127.0.0.1:{line.group(1)}/api"
        return self

    def __exit__(self, *_):
        self.gateway.__exit__()
        self.folder.cleanup()

    def client(self):
        return contextlib.closing(cent.Client(self.url, KEY, timeout=SECONDS))

    def chat_history(self):
        url = f"http://127.0.0.1:{self.gateway.port}/chat/history"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:
            return json.load(answer)["messages"]


async def receive(client):
    return await asyncio.wait_for(client.recv(), SECONDS)


async def toy(served, name):
    """A relay connection that is this user already."""
    client = await websockets.connect(served.gateway.url("/sendone"))
    await client.send(json.dumps({"msg_type": "accept_", "toy_id": name}))
    check = str(uuid.uuid4())
    await client.send(json.dumps({"msg_type": "send_", "to_user": name, "check": check}))
    while json.loads(await receive(client)).get("check") != check:
        pass
    return client


class Library(unittest.TestCase):
    """All calls of the library that the gateway serves."""

    @classmethod
    def setUpClass(cls):
        cls.served = Served().__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.served.__exit__()

    def setUp(self):
        self.client = self.enterContext(self.served.client())
        self.channel = f"news:{uuid.uuid4()}"

    def test_publish_and_history(self):
        for n in range(5):
            done = self.client.publish(cent.PublishRequest(channel=self.channel, data={"n": n},
                                                           tags={"t": str(n)}))
            self.assertEqual(done.offset, n + 1)
        history = self.client.history(cent.HistoryRequest(channel=self.channel, limit=-1))
        self.assertEqual([p.data["n"] for p in history.publications], list(range(5)))
        self.assertEqual([p.offset for p in history.publications], [1, 2, 3, 4, 5])
        self.assertEqual(history.publications[3].tags, {"t": "3"})
        self.assertEqual((history.offset, history.epoch), (5, done.epoch))
        later = self.client.history(cent.HistoryRequest(
            channel=self.channel, limit=1, since=cent.StreamPosition(offset=3, epoch=done.epoch)))
        self.assertEqual([p.offset for p in later.publications], [4])
        newest = self.client.history(cent.HistoryRequest(channel=self.channel, limit=2, reverse=True))
        self.assertEqual([p.offset for p in newest.publications], [5, 4])
        self.client.history_remove(cent.HistoryRemoveRequest(channel=self.channel))
        self.assertEqual(self.client.history(cent.HistoryRequest(channel=self.channel, limit=-1))
                         .publications, [])

    def test_an_idempotency_key_publishes_once(self):
        request = cent.PublishRequest(channel=self.channel, data=1, idempotency_key="once")
        self.assertEqual(self.client.publish(request), self.client.publish(request))
        history = self.client.history(cent.HistoryRequest(channel=self.channel, limit=-1))
        self.assertEqual(len(history.publications), 1)

    def test_broadcast(self):
        done = self.client.broadcast(cent.BroadcastRequest(
            channels=[self.channel, "nobody:knows", "plain"], data={}))
        self.assertEqual(done.responses[0].result.offset, 1)
        self.assertEqual(done.responses[1].error.code, 102)
        self.assertEqual(done.responses[2].result.offset, 0)

    def test_presence_channels_and_info(self):
        self.assertEqual(self.client.presence(cent.PresenceRequest(channel=self.channel)).presence, {})
        stats = self.client.presence_stats(cent.PresenceStatsRequest(channel=self.channel))
        self.assertEqual((stats.num_clients, stats.num_users), (0, 0))
        self.assertEqual(self.client.channels(cent.ChannelsRequest(pattern="news:*")).channels, {})
        node, = self.client.info(cent.InfoRequest()).nodes
        self.assertEqual(node.name, "sluice")
        self.assertTrue(node.uid and node.version)

    def test_calls_about_a_user_who_is_away(self):
        self.client.subscribe(cent.SubscribeRequest(user="away", channel=self.channel))
        self.client.unsubscribe(cent.UnsubscribeRequest(user="away", channel=self.channel))
        self.client.refresh(cent.RefreshRequest(user="away", expire_at=17))
        self.client.disconnect(cent.DisconnectRequest(user="away"))
        self.client.disconnect(cent.DisconnectRequest(
            user="away", disconnect=cent.Disconnect(code=4000, reason="bye"), whitelist=["x"]))
        found = self.client.connections(cent.ConnectionsRequest(user="away", expression=""))
        self.assertEqual(found.connections, {})

    def test_batch(self):
        done = self.client.batch(cent.BatchRequest(parallel=True, requests=[
            cent.PublishRequest(channel=self.channel, data=1),
            cent.BroadcastRequest(channels=[self.channel], data=2),
            cent.HistoryRequest(channel=self.channel, limit=-1),
            cent.InfoRequest()]))
        self.assertEqual(done.replies[0].offset, 1)
        self.assertEqual([p.data for p in done.replies[2].publications], [1, 2])
        self.assertEqual(done.replies[3].nodes[0].name, "sluice")

    def test_gocent_which_calls_in_the_older_form(self):
        with Served() as served:
            done = subprocess.run([PROGRAMS / "gocent", served.url, KEY], capture_output=True,
                                  text=True, timeout=SECONDS, check=False)
            self.assertEqual(done.stdout, "done\n", done.stderr)

    def test_what_is_refused_is_an_error_with_its_code(self):
        other = cent.StreamPosition(offset=1, epoch="other")
        for call, request, code in (
                (self.client.publish, cent.PublishRequest(channel="nobody:knows", data=1), 102),
                (self.client.history, cent.HistoryRequest(channel="plain"), 108),
                (self.client.presence, cent.PresenceRequest(channel=""), 107),
                (self.client.history, cent.HistoryRequest(channel=self.channel, since=other), 112)):
            with self.assertRaises(cent.CentApiResponseError) as refused:
                call(request)
            self.assertEqual(refused.exception.code, code, request)

    def test_a_wrong_key_is_refused(self):
        with contextlib.closing(cent.Client(self.served.url, "wrong")) as client, \
                self.assertRaises(cent.CentUnauthorizedError):
            client.info(cent.InfoRequest())

    def test_a_method_that_is_not_there_is_404(self):
        with self.assertRaises(cent.CentTransportError) as missing:
            self.client.unblock_user(cent.UnblockUserRequest(user="u"))
        self.assertEqual(missing.exception.status_code, 404)


class Clients(unittest.IsolatedAsyncioTestCase):
    """What calls do to clients, over either kernel interface."""

    async def both(self, test):
        for backend in ("io_uring", "epoll"):
            with self.subTest(backend=backend), Served(backend=backend) as served:
                client = cent.AsyncClient(served.url, KEY, timeout=SECONDS)
                try:
                    await test(served, client)
                finally:
                    await client.close()

    async def test_what_is_published_to_the_chat_is_heard_and_kept(self):
        async def test(served, api):
            async with websockets.connect(served.gateway.url("/chat")) as listener:
                for n in range(20):
                    done = await api.publish(cent.PublishRequest(channel="chat", data={"n": n}))
                    self.assertEqual(done.offset, n + 1)
                    self.assertEqual(json.loads(await receive(listener)), {"n": n})
                presence = await api.presence(cent.PresenceRequest(channel="chat"))
                self.assertEqual(len(presence.presence), 1)
                channels = await api.channels(cent.ChannelsRequest(pattern="ch*"))
                self.assertEqual(channels.channels["chat"].num_clients, 1)
            kept = await asyncio.to_thread(served.chat_history)
            self.assertEqual(kept, [{"n": n} for n in range(20)])
        await self.both(test)

    async def test_what_is_published_to_a_user_is_heard_or_waits(self):
        async def test(served, api):
            async with await toy(served, "there") as client:
                await api.publish(cent.PublishRequest(channel="#there", data={"n": 1}))
                self.assertEqual(json.loads(await receive(client)), {"n": 1})
            for n in range(3):
                await api.publish(cent.PublishRequest(channel="#away", data={"n": n}))
            async with websockets.connect(served.gateway.url("/sendone")) as client:
                await client.send('{"msg_type":"accept_","toy_id":"away"}')
                self.assertEqual([json.loads(await receive(client))["n"] for _ in range(3)], [0, 1, 2])
        await self.both(test)

    async def test_a_user_is_disconnected_and_nobody_else(self):
        async def test(served, api):
            gone, other = await toy(served, "gone"), await toy(served, "other")
            async with gone, other:
                found = await api.connections(cent.ConnectionsRequest(user="gone", expression=""))
                self.assertEqual([c.user for c in found.connections.values()], ["gone"])
                await api.disconnect(cent.DisconnectRequest(user="gone"))
                with self.assertRaises(websockets.ConnectionClosed) as closed:
                    await receive(gone)
                self.assertEqual((closed.exception.rcvd.code, closed.exception.rcvd.reason),
                                 (3503, "force disconnect"))
                await api.publish(cent.PublishRequest(channel="#other", data=1))
                self.assertEqual(await receive(other), "1")
        await self.both(test)

    async def test_many_at_once_are_each_answered(self):
        async def test(served, api):
            done = await asyncio.gather(*(api.publish(
                cent.PublishRequest(channel="news:all", data=n)) for n in range(100)))
            self.assertEqual(sorted(one.offset for one in done), list(range(1, 101)))
        await self.both(test)


class KeyFiles(unittest.TestCase):
    def refused(self, *arguments):
        done = subprocess.run([BINARY, "--listen", "127.0.0.1:0", *arguments], capture_output=True,
                              text=True, timeout=SECONDS)
        self.assertEqual((done.returncode, done.stderr.count("\n"), done.stdout), (2, 1, ""),
                         done.stderr)
        return done.stderr

    def test_a_file_that_cannot_be_read_or_has_no_key_is_one_line_and_exit_code_2(self):
        with tempfile.TemporaryDirectory() as folder:
            missing, empty = Path(folder) / "missing", Path(folder) / "empty"
            empty.write_text(" \n\t\r\n\n")
            for path in (missing, empty, folder):
                line = self.refused("--api-key-file", str(path))
                self.assertIn("--api-key-file", line)
                self.assertIn(str(path), line)

    def test_wrong_options_are_one_line_and_exit_code_2(self):
        for arguments in (("--api-on-clients", "maybe"), ("--api-max-body", "1"),
                          ("--api-max-batch", "0"), ("--api-max-rate", "-1"),
                          ("--namespace", "news"), ("--namespace", "n.presence=on"),
                          ("--namespace", "news.colour=red"), ("--namespace", "news.presence=maybe"),
                          ("--namespace", "news.history_messages=-1"),
                          ("--namespace", "news.subscribe=subscribers"),
                          ("--namespace", "user.presence=off")):
            self.assertIn(arguments[1], self.refused(*arguments))

    def test_settings_of_namespaces_survive_a_round_trip(self):
        with tempfile.TemporaryDirectory() as folder:
            path, keys = Path(folder) / "gateway.toml", Path(folder) / "keys"
            keys.write_text(KEY)
            path.write_text(f'api_key_file = ["{keys}"]\napi_on_clients = true\n'
                            '[namespace.news]\nhistory_messages = 7\npresence = true\n'
                            'history_time = "90s"\n[namespace.chat]\nslow_consumer = "drop-oldest"\n')
            env = {key: value for key, value in os.environ.items() if not key.startswith("SLUICE_")}

            def checked(file):
                done = subprocess.run([BINARY, "--config", str(file), "--check-config"], text=True,
                                      capture_output=True, timeout=SECONDS, env=env)
                self.assertEqual(done.returncode, 0, done.stderr)
                return [line.split("  # ")[0] for line in done.stdout.splitlines()
                        if not line.startswith("#")]

            first = checked(path)
            text = "\n".join(first)
            for part in ('news.history_messages = "7"', 'news.presence = "on"',
                         'news.history_time = "90s"', 'chat.slow_consumer = "drop-oldest"'):
                self.assertIn(part, text)
            self.assertNotIn(KEY, text)
            again = Path(folder) / "again.toml"
            again.write_text(text)
            self.assertEqual(checked(again), first)


if __name__ == "__main__":
    unittest.main()
