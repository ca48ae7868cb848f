"""Events with --data: those that nobody has taken come after a restart, however the gateway ended."""

import asyncio
import pathlib
import re
import tempfile
import time
import unittest
import urllib.request

import websockets

from gateway import Gateway
from hook_server import HookServer, allow, free_port

BACKENDS = ("io_uring", "epoll")
SECONDS = 30
MESSAGE = '{"msg_type":"message","message":"m"}'


async def say(client):
    await client.send(MESSAGE)
    return await asyncio.wait_for(client.recv(), SECONDS)


def metric(gateway, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/metrics", timeout=10) as answer:
        return int(re.search(rf"^{re.escape(name)} (\d+)$", answer.read().decode(), re.M).group(1))


class KeptEvents(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)
        self.port = free_port()

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    def gateway(self, backend, shards, *options, hooks=True):
        url = ("--hook-events-url", f"http://127.0.0.1:{self.port}/events") if hooks else ()
        return Gateway("--shards", str(shards), "--backend", backend, "--data", str(self.folder / backend),
                       "--namespace", "chat.sync=on", *url, *options)

    async def visit(self, gateway, count):
        for _ in range(count):
            async with websockets.connect(gateway.url("/chat")) as client:
                await say(client)
        await self.reaches(gateway, 'sluice_hook_events_total{type="disconnected"}', count)
        await self.reaches(gateway, 'sluice_hook_events_total{type="channel_vacated"}', count)

    async def reaches(self, gateway, name, count):
        deadline = time.monotonic() + SECONDS
        while await asyncio.to_thread(metric, gateway, name) < count:
            self.assertLess(time.monotonic(), deadline, name)
            await asyncio.sleep(0.02)

    def check(self, server, connected, disconnected):
        """Each has come, and in its order."""
        events = {event["id"]: event for event in server.events()}.values()
        kinds = [event["type"] for event in events]
        self.assertEqual((kinds.count("connected"), kinds.count("disconnected")), (connected, disconnected))
        state = {}
        for event in events:
            key = event.get("client") or event["channel"]
            comes = event["type"] in ("connected", "channel_occupied")
            self.assertNotEqual(state.get(key, False), comes, (key, events))
            state[key] = comes
        return events

    async def test_what_was_on_disk_comes_after_a_kill(self):
        for backend in BACKENDS:
            with self.subTest(backend=backend):
                with self.gateway(backend, 1) as gateway:
                    await self.visit(gateway, 5)
                    async with websockets.connect(gateway.url("/chat")) as client:
                        await say(client)  # is on disk, and what came before it on this shard, too
                        gateway.kill()
                with HookServer(allow, self.port) as server, self.gateway(backend, 1) as gateway:
                    await self.reaches(gateway, "sluice_hook_events_taken_total", 22)
                    events = list(self.check(server, 6, 5))
                    times = [event["time"] for event in events]
                    self.assertEqual(times, sorted(times))
                    self.assertEqual(metric(gateway, "sluice_hook_events_restored_total"), 22)
                with HookServer(allow, self.port) as server, self.gateway(backend, 1) as gateway:
                    self.assertEqual(metric(gateway, "sluice_hook_events_restored_total"), 0, "they were taken")

    async def test_what_a_stop_could_not_deliver_comes_after_the_next_start(self):
        for backend in BACKENDS:
            with self.subTest(backend=backend):
                with self.gateway(backend, 2, "--shutdown-timeout", "1s") as gateway:
                    await self.visit(gateway, 5)
                    async with websockets.connect(gateway.url("/chat")) as client:
                        await say(client)
                        await asyncio.to_thread(gateway.close)
                    self.assertTrue([line for line in gateway.lines if "events wait on disk" in line], gateway.lines)
                    self.assertFalse([line for line in gateway.lines if "not taken in time" in line])
                with self.gateway(backend, 2, hooks=False) as gateway:
                    left = int(gateway.wait_for_line(r"kept on disk.* events=(\d+)").group(1))
                    self.assertGreaterEqual(left, 5 * 4 + 3)
                with HookServer(allow, self.port) as server, self.gateway(backend, 2) as gateway:
                    await self.reaches(gateway, "sluice_hook_events_taken_total", left)
                    events = self.check(server, 6, 6)
                    self.assertEqual(len(events), left)
                    self.assertEqual([e["cause"] for e in events if e["type"] == "disconnected"].count("shutdown"), 1)


if __name__ == "__main__":
    unittest.main()
