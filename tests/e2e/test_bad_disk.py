"""--data on a disk that is full or read-only, and on files that are damaged: what an operator meets."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

import websockets

from gateway import BINARY, Gateway

KEY = "a key of the tests"
SECONDS = 20
NEWS = ("--namespace", "news.history_messages=100000", "--namespace", "news.history_size=64MiB")


class Kept(Gateway):
    """A gateway with an API that keeps things in a directory."""

    def __init__(self, directory, keys, *arguments, **options):
        super().__init__("--shards", "2", "--ops-listen", "127.0.0.1:0", "--api-key-file", str(keys),
                         "--data", str(directory), *NEWS, *arguments, **options)

    def __enter__(self):
        super().__enter__()
        self.ops = self.wait_for_line(r"listening address=[^ ]*:(\d+) for=ops").group(1)
        return self

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops}{path}", timeout=SECONDS) as answer:
            return answer.read().decode()

    def call(self, method, **body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.ops}/api/{method}",
                                         json.dumps(body).encode(), {"X-API-Key": KEY})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            return {"status": refused.code, **json.loads(refused.read())}

    def publish(self, data, **more):
        return self.call("publish", channel="news:1", data=data, **more)

    def history(self):
        """(epoch, what was published)."""
        result = self.call("history", channel="news:1", limit=-1)["result"]
        return result["epoch"], [one["data"] for one in result["publications"]]

    def metric(self, name):
        return int(re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics"), re.M)[1])


def wait_until(condition, what):
    deadline = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {SECONDS} s: {what}")
        time.sleep(0.02)


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.keys = self.folder / "keys"
        self.keys.write_text(KEY)
        self.data = self.folder / "data"

    def kept(self, *arguments, **options):
        return Kept(self.data, self.keys, *arguments, **options)


class Refusals(Folder):
    """At a start: one line with the remedy, exit code 2, and the files as they were."""

    def refused(self, *through):
        done = subprocess.run([*through, BINARY, "--listen", "127.0.0.1:0", "--data", str(self.data)],
                              capture_output=True, text=True, timeout=SECONDS)
        self.assertEqual((done.returncode, done.stderr.count("\n"), done.stdout), (2, 1, ""), done.stderr)
        self.assertIn(f"--data {self.data}", done.stderr)
        return done.stderr

    def make(self):
        with self.kept() as gateway:
            gateway.publish(1, sync=True)

    def test_garbage_is_refused(self):
        self.data.mkdir()
        garbage = os.urandom(20_000)
        (self.data / "sluice.db").write_bytes(garbage)
        self.assertIn("backup", self.refused())
        self.assertEqual((self.data / "sluice.db").read_bytes(), garbage)

    def test_a_damaged_database_is_refused(self):
        self.make()
        file = self.data / "sluice.db"
        whole = file.read_bytes()
        for page in range(1, len(whole) // 4096):
            damaged = bytearray(whole)
            damaged[page * 4096:(page + 1) * 4096] = os.urandom(4096)
            for old in self.data.iterdir():
                old.unlink()
            file.write_bytes(damaged)
            with self.subTest(page=page):
                self.assertIn("backup", self.refused())

    def test_a_newer_version_s_database_is_refused_and_left_alone(self):
        self.make()
        with contextlib.closing(sqlite3.connect(self.data / "sluice.db")) as database:
            database.execute("PRAGMA user_version=1000")
        self.assertIn("newer", self.refused())
        with contextlib.closing(sqlite3.connect(self.data / "sluice.db")) as database:
            self.assertEqual(database.execute("PRAGMA user_version").fetchone(), (1000,))
            self.assertEqual(database.execute("SELECT count(*) FROM publication").fetchone(), (1,))
            database.execute("PRAGMA user_version=1")
        with self.kept() as gateway:
            self.assertEqual(gateway.history()[1], [1])

    def test_a_database_in_use_is_refused(self):
        with self.kept() as gateway:
            self.assertIn("stop the process", self.refused())
            gateway.publish(1, sync=True)

    def test_a_directory_that_cannot_be_made_is_refused(self):
        self.data = self.folder / "missing" / "data"
        self.refused()
        self.data = self.folder / "file"
        self.data.write_text("no directory")
        self.refused()

    def test_a_read_only_directory_is_refused(self):
        with small_disk(self) as disk:
            self.data = disk.folder
            disk.run("mount", "-o", "remount,ro", str(disk.folder))
            self.assertIn("write", self.refused(*disk.through))


class SmallDisk:
    """A disk of 512 KiB in a user namespace, which needs no rights. `inside`: its folder, seen from here."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.holder = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=512k tmpfs "$1" && echo ready && exec cat',
             "sh", str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.works = self.holder.stdout.readline() == b"ready\n"
        self.through = ("nsenter", "--preserve-credentials", "-U", "-m", "-t", str(self.holder.pid))
        self.inside = Path(f"/proc/{self.holder.pid}/root{folder}")

    def run(self, *command):
        subprocess.run([*self.through, *command], check=True, timeout=SECONDS)

    def close(self):
        self.holder.stdin.close()
        self.holder.wait(SECONDS)
        self.holder.stdout.close()


@contextlib.contextmanager
def small_disk(test):
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        test.skipTest("no unshare or nsenter here")
    disk = SmallDisk(test.folder / "small")
    try:
        if not disk.works:
            test.skipTest("no user namespaces here")
        yield disk
    finally:
        disk.close()


class FullDisk(Folder):
    def test_the_service_goes_on_and_keeps_everything_once_there_is_room(self):
        with small_disk(self) as disk:
            self.data = disk.folder
            with self.kept(through=disk.through) as gateway:
                first = gateway.publish(0, sync=True)["result"]
                (disk.inside / "filler").write_bytes(bytes(shutil.disk_usage(disk.inside).free))
                published = self.fill(gateway)
                self.check_full(gateway, published)
                (disk.inside / "filler").unlink()
                wait_until(lambda: gateway.get("/readyz") == "ready\n", "ready again")
                wait_until(lambda: gateway.metric("sluice_storage_stale_channels") == 0, "all is written")
                wait_until(lambda: "result" in gateway.publish("last", sync=True), "sync works")
                self.assertEqual(gateway.metric("sluice_storage_up"), 1)
                self.assertEqual(gateway.metric("sluice_storage_reopened_total"), 1)
                before = gateway.history()[1]
                gateway.kill()
            with self.kept(through=disk.through) as gateway:
                after = gateway.history()[1]
                self.assertEqual(after, before)
                self.assertEqual(after[0], 0)
                self.assertEqual([n for n in after if isinstance(n, int)], list(range(published + 1)))
                self.assertEqual(first["offset"], 1)

    @staticmethod
    def fill(gateway):
        """Publishes until there is no room; the last number."""
        published = 0
        while gateway.get("/readyz") == "ready\n":
            published += 1
            assert "result" in gateway.publish(published, tags={"filler": "x" * 200})
            if published > 20_000:
                raise AssertionError("the disk does not become full")
        return published

    def check_full(self, gateway, published):
        self.assertEqual(gateway.get("/readyz"), "ready, but nothing is kept on disk\n")
        with urllib.request.urlopen(f"http://127.0.0.1:{gateway.port}/healthz", timeout=SECONDS) as answer:
            self.assertEqual(answer.status, 200)
        self.assertEqual(gateway.metric("sluice_storage_up"), 0)
        self.assertGreater(gateway.metric('sluice_storage_failures_total{cause="full"}'), 0)
        line = gateway.wait_for_line("goes on from memory").string
        self.assertIn("free some space", line)
        refused = gateway.publish("refused", sync=True)
        self.assertEqual((refused["status"], refused["error"]["code"]), (503, 100))
        self.assertEqual([n for n in gateway.history()[1] if isinstance(n, int)],
                         list(range(published + 1)))
        asyncio.run(self.chat(gateway))
        said = [line for line in gateway.lines if "goes on from memory" in line]
        self.assertEqual(len(said), 1, said)

    @staticmethod
    async def chat(gateway):
        async with websockets.connect(gateway.url("/chat")) as client:
            text = '{"msg_type":"message","message":"still here"}'
            await client.send(text)
            assert await asyncio.wait_for(client.recv(), SECONDS) == text


if __name__ == "__main__":
    unittest.main()
