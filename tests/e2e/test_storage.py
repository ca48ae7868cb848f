"""What outlives the process with --data: after a stop, after kill -9, and when it cannot be used."""

import json
import pathlib
import re
import resource
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

from gateway import BINARY, Gateway

KEPT = ("--namespace", "news.history_messages=1000", "--namespace", "safe.history_messages=1000",
        "--namespace", "safe.sync=on")


class Kept(Gateway):
    """A gateway with a directory and an API."""

    def __init__(self, folder, *arguments):
        key = folder / "api.key"
        key.write_text("k\n")
        super().__init__("--shards", "2", "--ops-listen", "127.0.0.1:0", "--api-key-file", str(key),
                         "--data", str(folder / "data"), *KEPT, *arguments)

    def __enter__(self):
        super().__enter__()
        self.ops = int(self.wait_for_line(r"listening address=[^ ]*:(\d+) for=ops").group(1))
        return self

    def call(self, method, **body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.ops}/api/{method}",
                                         json.dumps(body).encode(), {"X-API-Key": "k"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"status": error.code}

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ops}{path}", timeout=20) as answer:
            return answer.read().decode()

    def metric(self, name):
        return float(re.search(rf"^{re.escape(name)} (.*)$", self.get("/metrics"), re.M).group(1))

    def history(self, channel):
        result = self.call("history", channel=channel, limit=-1)["result"]
        return [p["data"] for p in result["publications"]], result["epoch"], result["offset"]

    def wait_for_metric(self, name, value):
        deadline = time.monotonic() + 20
        while self.metric(name) != value:
            if time.monotonic() > deadline:
                raise AssertionError(f"{name} is {self.metric(name)}")
            time.sleep(0.02)


class Storage(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def refused(self, *arguments):
        done = subprocess.run([BINARY, "--listen", "127.0.0.1:0", *arguments], capture_output=True,
                              text=True, timeout=20)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        return done.stderr

    def test_a_stop_loses_nothing_and_epochs_go_on(self):
        with Kept(self.folder) as gateway:
            for n in range(20):
                gateway.call("publish", channel="news:a", data=n)
                gateway.call("publish", user="bob", data=n)
            before = gateway.history("news:a")
        with Kept(self.folder, "--shards", "3") as gateway:
            self.assertEqual(gateway.history("news:a"), before)
            self.assertEqual(gateway.metric("sluice_mailbox_restored_total"), 20)
            answer = gateway.call("publish", channel="news:a", data="on")["result"]
            self.assertEqual((answer["epoch"], answer["offset"]), (before[1], 21))

    def test_killed_what_was_answered_with_sync_is_there(self):
        positions = {}
        with Kept(self.folder) as gateway:
            for n in range(50):
                for channel, sync in (("safe:a", False), ("news:a", True)):
                    answer = gateway.call("publish", channel=channel, data=n, sync=sync)["result"]
                    positions[channel] = (answer["epoch"], answer["offset"])
            gateway.call("publish", user="bob", data="x", sync=True)
            gateway.kill()
        with Kept(self.folder) as gateway:
            for channel, position in positions.items():
                data, epoch, offset = gateway.history(channel)
                self.assertEqual(data, list(range(50)))
                self.assertEqual((epoch, offset), position, "every offset was on disk")
            self.assertEqual(gateway.metric("sluice_mailbox_restored_total"), 1)

    def test_killed_no_offset_is_given_twice_in_an_epoch(self):
        given = {}
        for life in range(4):
            with Kept(self.folder) as gateway:
                for n in range(30):
                    answer = gateway.call("publish", channel="news:a", data=[life, n])["result"]
                    position = (answer["epoch"], answer["offset"])
                    self.assertNotIn(position, given)
                    given[position] = [life, n]
                gateway.kill()

    def test_what_was_kept_when_all_is_quiet_goes_on_in_its_epoch(self):
        with Kept(self.folder) as gateway:
            first = gateway.call("publish", channel="news:a", data=1)["result"]
            gateway.wait_for_metric("sluice_storage_commits_total", 2)  # the message, the rest
            gateway.kill()
        with Kept(self.folder) as gateway:
            second = gateway.call("publish", channel="news:a", data=2)["result"]
            self.assertEqual((second["epoch"], second["offset"]), (first["epoch"], 2))

    def test_a_full_disk_costs_persistence_and_not_the_service(self):
        data = "x" * 50_000
        with Kept(self.folder) as gateway:
            gateway.call("publish", channel="safe:a", data="kept")
            # As a full disk does, a limit of file sizes lets no more be written.
            free = resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (150_000, free[1]))
            answers = [gateway.call("publish", channel="safe:a", data=data) for _ in range(8)]
            self.assertIn({"status": 503}, answers)
            self.assertIn("result", gateway.call("publish", channel="news:a", data="go on"))
            self.assertEqual(gateway.get("/readyz"), "ready, but nothing is kept on disk\n")
            self.assertEqual(gateway.metric("sluice_storage_up"), 0)
            gateway.wait_for_line("nothing is kept on disk any more")
            resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, free)
            gateway.wait_for_metric("sluice_storage_up", 1)
            gateway.wait_for_metric("sluice_storage_stale_channels", 0)
            self.assertIn("result", gateway.call("publish", channel="safe:a", data="again"))
            before = gateway.history("safe:a")
        with Kept(self.folder) as gateway:
            self.assertEqual(gateway.history("safe:a"), before)
            self.assertEqual(gateway.history("news:a")[0], ["go on"])

    def test_what_cannot_be_used_is_one_line(self):
        where = ("--data", str(self.folder / "data"))
        with Kept(self.folder):
            self.assertIn("stop the process that uses it", self.refused(*where))
        file = self.folder / "data" / "sluice.db"
        file.write_bytes(b"x" * 8192)
        self.assertIn("move the directory away", self.refused(*where))
        self.assertIn("choose a directory", self.refused("--data", str(self.folder / "no" / "where")))
        self.assertIn("--data", self.refused("--namespace", "news.history_messages=1", "--namespace",
                                             "news.sync=on"))


if __name__ == "__main__":
    unittest.main()
