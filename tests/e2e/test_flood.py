"""The load tool as a program, against the real gateway and against nothing."""

import json
import os
import subprocess
import unittest

from gateway import Gateway

FLOOD = os.environ["WS_FLOOD_BIN"]


def flood(url, *arguments):
    return subprocess.run([FLOOD, "--url", url, "--json", *arguments],
                          capture_output=True, text=True, timeout=120)


class Flood(unittest.TestCase):
    def test_a_thousand_connections_lose_nothing_on_any_path(self):
        for backend in ("io_uring", "epoll"):
            with Gateway("--shards", "2", "--backend", backend) as gateway:
                for scenario, path in (("echo", "/"), ("chat", "/chat"), ("relay", "/sendone")):
                    with self.subTest(backend=backend, scenario=scenario):
                        done = flood(gateway.url(path), "--scenario", scenario, "--connections", "1000",
                                     "--warmup", "200ms", "--duration", "1s")
                        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                        result = json.loads(done.stdout)
                        self.assertEqual((result["wrong"], result["lost"]), (0, 0))
                        self.assertGreater(result["arrived"], 1000)

    def test_an_open_loop_keeps_its_rate(self):
        with Gateway("--shards", "2") as gateway:
            done = flood(gateway.url("/"), "--connections", "50", "--rate", "1000", "--duration", "2s")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_nobody_listening_is_exit_code_1_and_a_wrong_option_2(self):
        with Gateway() as gateway:
            url = gateway.url("/")
        self.assertEqual(flood(url, "--connections", "1").returncode, 1)
        self.assertEqual(flood(url, "--scenario", "dance").returncode, 2)


if __name__ == "__main__":
    unittest.main()
