"""HTTP beside the WebSockets, and how the process behaves towards its operator."""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from gateway import BINARY, Gateway


def run(*arguments, **more):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=20, **more)


class Http:
    """The tests; a class for each backend runs them."""
    BACKEND = None

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway("--shards", "2", "--backend", cls.BACKEND).__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.__exit__()

    def ask(self, method, path, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=10)
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def test_pages_are_served_and_head_sends_no_body(self):
        for path in ("/", "/toy"):
            response, body = self.ask("GET", path)
            self.assertEqual(response.status, 200)
            self.assertIn(b"<!doctype html>", body)
            policy = response.headers["Content-Security-Policy"]
            self.assertIn("default-src 'none'", policy)
            for loophole in ("unsafe", "*", "ws:", "http:", "data:"):
                self.assertNotIn(loophole, policy)
            head, nothing = self.ask("HEAD", path)
            self.assertEqual(head.headers["Content-Length"], str(len(body)))
            self.assertEqual(nothing, b"")

    def test_what_a_page_loads_is_served_with_its_type(self):
        types = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
                 "svg": "image/svg+xml"}
        found = set()
        for page in ("/", "/toy"):
            _, body = self.ask("GET", page)
            found |= {name.decode() for name in re.findall(rb'(?:src|href)="([^"]*)"', body)}
        self.assertGreaterEqual(len(found), 6)
        for name in found:
            response, body = self.ask("GET", "/" + name)
            self.assertEqual(response.status, 200, name)
            self.assertEqual(response.headers["Content-Type"], types[name.rsplit(".")[-1]])
            self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
            self.assertGreater(len(body), 0)
        self.assertEqual(self.ask("GET", "/pages/chat.html")[0].status, 404)

    def test_health_and_readiness_are_one_word(self):
        self.assertEqual(self.ask("GET", "/healthz")[1], b"ok\n")
        self.assertEqual(self.ask("GET", "/readyz")[1], b"ready\n")

    def test_unknown_paths_are_404_and_other_methods_405(self):
        self.assertEqual(self.ask("GET", "/nothing")[0].status, 404)
        response, _ = self.ask("POST", "/")
        self.assertEqual((response.status, response.headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(self.ask("GET", "/chat")[0].status, 426)

    def test_keep_alive_and_pipelining_answer_in_order(self):
        with socket.create_connection(("127.0.0.1", self.gateway.port), 10) as stream:
            stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3 +
                           b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            data = b""
            while piece := stream.recv(65536):
                data += piece
        self.assertEqual(data.count(b"HTTP/1.1 200 OK"), 4)
        self.assertTrue(data.endswith(b"ready\n"))

    def test_each_handshake_violation_gets_its_status(self):
        good = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        for change, status in (({"Sec-WebSocket-Version": "12"}, 426),
                               ({"Sec-WebSocket-Key": "short"}, 400),
                               ({"Connection": "close"}, 400)):
            response, _ = self.ask("GET", "/", {**good, **change})
            self.assertEqual(response.status, status, change)
            if status == 426:
                self.assertEqual(response.headers["Sec-WebSocket-Version"], "13")
        self.assertEqual(self.ask("GET", "/nothing", good)[0].status, 404)
        self.assertEqual(self.ask("GET", "/chat", {**good, "Origin": "http://evil.example"})[0].status, 403)
        self.assertEqual(self.ask("GET", "/chat", {**good, "X-Forwarded-For": "1.2.3.4"})[0].status, 403)
        self.assertEqual(self.ask("GET", "/chat", {**good, "Host": "evil.example"})[0].status, 403)

    def test_a_head_without_end_is_431(self):
        response, _ = self.ask("GET", "/", {"X-Long": "x" * 20000})
        self.assertEqual(response.status, 431)

    def test_metrics_are_what_prometheus_accepts(self):
        _, text = self.ask("GET", "/metrics")
        for name in ("sluice_connections{dialect=\"chat\"}", "sluice_dropped_total{reason=",
                     "sluice_closes_total{code=", "sluice_turns_total{shard=\"1\"}"):
            self.assertIn(name, text.decode())
        promtool = shutil.which("promtool") or os.path.join(os.environ["E2E_CACHE"], "bin", "promtool")
        self.assertTrue(os.path.exists(promtool), "./dev test fetches promtool")
        checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)
        self.assertEqual(checked.returncode, 0, checked.stdout + checked.stderr)


class HttpOverUring(Http, unittest.TestCase):
    BACKEND = "io_uring"


class HttpOverEpoll(Http, unittest.TestCase):
    BACKEND = "epoll"


UPGRADE = (b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


class Operator(unittest.TestCase):
    def test_a_port_in_use_is_one_line_and_exit_code_2(self):
        with Gateway("--shards", "2") as gateway:
            done = run("--listen", f"127.0.0.1:{gateway.port}")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("--listen", done.stderr)

    def test_a_port_that_becomes_free_a_little_later_is_taken(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = "127.0.0.1:%d" % other.getsockname()[1]
            gateway = Gateway(listen=(address,))
            time.sleep(0.2)  # it would have given up by now; that it is slower is no failure
        with gateway:
            self.assertEqual(address, f"127.0.0.1:{gateway.port}")

    def test_wrong_options_are_one_line_and_exit_code_2(self):
        for arguments in (["--lisen", "x"], ["--max-message", "lots"], ["--listen", "nowhere"],
                          ["--backend", "magic"], ["--allow-origin", "https://*.example"],
                          ["--allow-origin", "https://app.example/"]):
            done = run(*arguments)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), done.stderr)
            self.assertEqual(done.stdout, "")

    def test_an_ops_listener_serves_metrics_and_no_pages(self):
        with Gateway("--ops-listen", "127.0.0.1:0") as gateway:
            port = int(gateway.wait_for_line(r"listening address=[^ ]*:(\d+) for=ops").group(1))
            for path, status in (("/metrics", 200), ("/healthz", 200), ("/", 404),
                                 ("/pages/page.css", 404)):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                connection.request("GET", path)
                self.assertEqual(connection.getresponse().status, status, path)
                connection.close()

    def test_a_unix_socket_is_a_listener(self):
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "gateway.sock")
            with Gateway("--shards", "2", listen=("127.0.0.1:0", f"unix:{path}")) as gateway:
                gateway.wait_for_line("unix:")
                with socket.socket(socket.AF_UNIX) as stream:
                    stream.settimeout(10)
                    stream.connect(path)
                    stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    data = b""
                    while piece := stream.recv(4096):
                        data += piece
                self.assertIn(b"200 OK", data)

    def test_clients_that_do_not_go_are_cut_before_the_shutdown_timeout(self):
        for backend in ("io_uring", "epoll"):
            with self.subTest(backend=backend), contextlib.ExitStack() as stack:
                with Gateway("--shards", "2", "--backend", backend,
                             "--shutdown-timeout", "2s") as gateway:
                    address = ("127.0.0.1", gateway.port)
                    for words in (UPGRADE, UPGRADE, b"GET / HTTP/1.1\r\nHo", b""):
                        stream = stack.enter_context(socket.create_connection(address, 10))
                        stream.sendall(words)
                        if words == UPGRADE:
                            self.assertIn(b"101", stream.recv(4096))
                    asked = time.monotonic()
                    gateway.process.send_signal(signal.SIGTERM)
                    self.assertEqual(gateway.process.wait(20), 0)
                    self.assertLess(time.monotonic() - asked, 2)

    def test_without_clients_it_stops_at_once(self):
        for backend in ("io_uring", "epoll"):
            with self.subTest(backend=backend), \
                    Gateway("--shards", "2", "--backend", backend) as gateway:
                with socket.create_connection(("127.0.0.1", gateway.port), 10) as stream:
                    stream.sendall(UPGRADE)
                    self.assertIn(b"101", stream.recv(4096))
                    asked = time.monotonic()
                    gateway.process.send_signal(signal.SIGTERM)
                    while stream.recv(4096):
                        pass
                self.assertEqual(gateway.process.wait(20), 0)
                self.assertLess(time.monotonic() - asked, 2)

    def test_a_port_that_was_picked_is_said_at_every_level(self):
        with Gateway("--log-level", "error") as gateway:
            self.assertGreater(gateway.port, 0)

    def test_options_come_from_the_environment_and_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "gateway.toml"
            path.write_text('max_message = "2MiB"\nshards = 1\nlog_format = "json"\n')
            done = run("--config", str(path), "--check-config",
                       env={**os.environ, "SLUICE_MAX_MESSAGE": "3MiB"})
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('max_message = "3MiB"  # SLUICE_MAX_MESSAGE', done.stdout)
            self.assertIn("shards = 1  # " + str(path), done.stdout)
            # Only the file says json, so its line has no address=... that Gateway looks for.
            gateway = Gateway("--config", str(path), listen=("[::1]:0",))
            with contextlib.closing(gateway):
                line = gateway.wait_for_line(r"\{.*listening.*\}")
                self.assertIn("[::1]:", json.loads(line.group(0))["address"])

    def test_a_second_signal_ends_it_at_once(self):
        # A client that never reads its Close keeps the first stop waiting.
        with Gateway("--shards", "1", exit_code=1) as gateway, \
                socket.create_connection(("127.0.0.1", gateway.port), 10) as stream:
            stream.sendall(UPGRADE)
            self.assertIn(b"101", stream.recv(4096))
            gateway.process.send_signal(signal.SIGTERM)
            gateway.wait_for_line("stopping")
            gateway.process.send_signal(signal.SIGINT)
            self.assertEqual(gateway.process.wait(2), 1)


if __name__ == "__main__":
    unittest.main()
