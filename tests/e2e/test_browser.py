"""The pages in headless Chromium. What they are asked to do stands in pages/."""

import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from gateway import START_SECONDS, Gateway

HERE = Path(__file__).parent
SECONDS = 240


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def quiet_port():
    """A free port that nobody is given by chance while its gateway is down: they come from 32768 on."""
    while True:
        port = random.randrange(20000, 32000)
        if is_free(port):
            return port


class Browser(unittest.TestCase):
    def setUp(self):
        self.chromium = shutil.which("chromium")
        self.assertIsNotNone(self.chromium, "install Debian's chromium")

    def drive(self, group, *options, **environment):
        """Runs a group; stops and starts the gateway, on the port it had, when the group asks for it."""
        def start():
            # The kernel takes a ring apart after its process has ended, and its sockets with it.
            deadline = time.monotonic() + START_SECONDS
            while not is_free(port) and time.monotonic() < deadline:
                time.sleep(0.01)
            return Gateway("--shards", "2", *options, listen=(f"127.0.0.1:{port}",)).__enter__()

        port = quiet_port()
        gateway = start()
        node = subprocess.Popen(
            ["node", str(HERE / "pages.js"), str(port), self.chromium, group], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, **environment})
        patience = threading.Timer(SECONDS, node.kill)
        patience.start()
        faults = []
        listener = threading.Thread(target=lambda: faults.append(node.stderr.read()))
        listener.start()
        try:
            for line in node.stdout:
                if line == "gateway stop\n":
                    gateway.close()
                elif line == "gateway kill\n":
                    gateway.kill()
                    gateway.close()
                elif line == "gateway start\n":
                    gateway = start()
                else:
                    self.fail(f"not understood: {line}")
                print("done", file=node.stdin, flush=True)
            node.wait()
            listener.join()
            self.assertEqual(node.returncode, 0, "".join(faults))
        finally:
            patience.cancel()
            node.kill()
            node.wait()
            listener.join()
            for stream in (node.stdin, node.stdout, node.stderr):
                stream.close()
            if not gateway.process.stderr.closed:
                gateway.close()

    def test_the_chat_page(self):
        self.drive("chat", "--backend", "io_uring")

    def test_the_chat_page_over_epoll(self):
        self.drive("chat", "--backend", "epoll",
                   E2E_PAGES_ONLY="two_windows_chat_and_markup_stays_text")

    def test_the_relay_page(self):
        self.drive("relay", "--backend", "io_uring")

    def test_the_relay_page_over_epoll(self):
        self.drive("relay", "--backend", "epoll", E2E_PAGES_ONLY="a_message_travels_and_is_answered")

    def test_compressed_sockets(self):
        for mode in ("shared", "dedicated"):
            with self.subTest(mode=mode):
                self.drive("compression", "--compression", mode)

    def test_merging(self):
        done = subprocess.run(["node", str(HERE / "pages" / "merge.js")], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_what_was_missed(self):
        self.drive("history", "--backend", "io_uring")

    def drive_centrifuge(self, group, *options, settings=()):
        settings = ("history_messages=1000", "subscribe=everybody", "publish=everybody", *settings)
        self.drive(group, *options, *(word for setting in settings
                                      for word in ("--namespace", f"hist.{setting}")))

    def test_a_centrifuge_client_that_was_offline(self):
        for backend in ("io_uring", "epoll"):
            with self.subTest(backend=backend):
                self.drive_centrifuge("centrifuge", "--backend", backend)

    def test_a_centrifuge_client_that_was_offline_while_the_gateway_was_killed(self):
        with tempfile.TemporaryDirectory() as folder:
            self.drive_centrifuge("centrifuge_kept", "--data", folder, settings=("sync=on",))

    def test_how_the_pages_look(self):
        with tempfile.TemporaryDirectory() as folder:
            self.drive("look", SCREENSHOTS=os.environ.get("SCREENSHOTS") or folder)


if __name__ == "__main__":
    unittest.main()
