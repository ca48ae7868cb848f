"""The access log of the real binary: at most 100 lines a second, a count of the rest, nothing forged."""

import contextlib
import datetime
import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import threading
import time
import unittest

from gateway import BINARY, Gateway

PER_SECOND = 100
SECONDS = 20


def ask(port, heads):
    """Sends heads of requests over one connection and reads until the gateway closes it."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as stream:
        stream.sendall(b"".join(heads[:-1]) + heads[-1].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = b""
        while piece := stream.recv(65536):
            answer += piece
    return answer


def ask_many(port, connections, each):
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    threads = [threading.Thread(target=ask, args=(port, [head] * each)) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def killed_at_the_end(process):
    try:
        yield
    finally:
        process.kill()


def own_lines(lines):
    return [line for line in lines if " request peer=" in line]


def counted(lines):
    return sum(int(re.search(r"count=(\d+)", line).group(1)) for line in lines
               if "requests held back" in line)


def moment(line):
    return datetime.datetime.fromisoformat(line.split(" ")[0].replace("Z", "+00:00")).timestamp()


class AccessLog(unittest.TestCase):
    def wait_for_all(self, gateway, requests):
        deadline = time.monotonic() + SECONDS
        while len(own_lines(gateway.lines)) + counted(gateway.lines) < requests:
            self.assertLess(time.monotonic(), deadline, gateway.lines[-3:])
            time.sleep(0.02)

    def test_two_thousand_requests_are_a_hundred_lines_a_second_and_counts_of_the_rest(self):
        for backend in ("io_uring", "epoll"):
            with self.subTest(backend=backend), Gateway("--shards", "2", "--backend", backend) as gateway:
                ask_many(gateway.port, 20, 100)
                self.wait_for_all(gateway, 2000)  # the last counts come without further requests
                lines = own_lines(gateway.lines)
                self.assertEqual(len(lines) + counted(gateway.lines), 2000)
                moments = sorted(map(moment, lines))
                # A line's time is later than its turn's, by which lines are counted.
                seconds = 1 + int(moments[-1] - moments[0] + 0.5)
                self.assertLessEqual(len(lines), PER_SECOND * seconds)
                self.assertGreaterEqual(len(lines), PER_SECOND // 2)

    def test_what_was_only_counted_is_said_before_the_end(self):
        with Gateway("--shards", "2") as gateway:
            ask_many(gateway.port, 4, 100)
            gateway.process.send_signal(signal.SIGTERM)
            gateway.process.wait(SECONDS)
        lines = gateway.lines
        self.assertEqual(len(own_lines(lines)) + counted(lines), 400)
        self.assertIn("stopped", lines[-1])

    def test_no_peer_can_forge_a_line_or_see_a_secret_in_one(self):
        heads = [b"GET /%0d%0aforged?token=secret HTTP/1.1\r\nHost: localhost\r\nAuthorization: secret\r\n"
                 b"Cookie: a=secret\r\nUser-Agent: \"\t\xff\xc2\x9b2J\xe2\x80\xae \\\" status=200\r\n\r\n",
                 b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"]
        for log_format in ("text", "json"):
            # Not through Gateway, which wants lines that are text, as they should be.
            with self.subTest(log_format), subprocess.Popen(
                    [BINARY, "--listen", "127.0.0.1:0", "--shards", "1", "--log-format", log_format],
                    stderr=subprocess.PIPE) as process, killed_at_the_end(process):
                port = int(re.search(rb"127.0.0.1:(\d+)", process.stderr.readline()).group(1))
                ask(port, heads)
                process.send_signal(signal.SIGTERM)
                lines = process.stderr.read().decode("utf-8").splitlines()  # strict: all is UTF-8
                self.assertEqual(process.wait(SECONDS), 0)
            requests = [line for line in lines if "/plain" in line or "forged" in line]
            self.assertEqual(len(requests), 2, lines)
            self.assertEqual(len(lines), 4, "the requests, stopping, stopped")
            self.assertNotIn("secret", "".join(lines))
            for line in lines:
                self.assertTrue(line.isprintable(), line)
            if log_format == "json":
                agent = json.loads(requests[0])["agent"]
                self.assertEqual(agent, "\"\t\ufffd\u009b2J\u202e \\\" status=200")

    def test_a_reader_of_the_log_that_stops_reading_holds_nobody_up(self):
        reader, writer = os.pipe()
        with open(reader, "rb") as log:
            process = subprocess.Popen([BINARY, "--listen", "127.0.0.1:0", "--shards", "2"], stderr=writer)
            try:
                port = int(re.search(rb"127.0.0.1:(\d+)", log.readline()).group(1))
                os.set_blocking(writer, False)
                try:
                    while os.write(writer, b"x" * 4096):
                        pass
                except BlockingIOError:
                    os.set_blocking(writer, True)
                ask_many(port, 4, 50)
                metrics = ask(port, [b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"]).decode()
                lost = int(re.search(r"^sluice_log_lines_lost_total (\d+)$", metrics, re.M).group(1))
                held_back = int(re.search(r"^sluice_requests_held_back_total (\d+)$", metrics, re.M).group(1))
                self.assertGreaterEqual(lost, PER_SECOND // 2)
                self.assertGreaterEqual(lost + held_back, 200)
            finally:
                os.close(writer)
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(SECONDS), 0)

    def test_warnings_of_a_shortage_of_descriptors_keep_their_own_limit(self):
        # On epoll: io_uring's accept that is under way keeps the limit that it was started with.
        with contextlib.ExitStack() as stack:
            gateway = stack.enter_context(Gateway("--shards", "1", "--backend", "epoll"))
            scrape = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=SECONDS)
            stack.callback(scrape.close)

            def pauses():
                scrape.request("GET", "/metrics")
                text = scrape.getresponse().read().decode()
                return int(re.search(r"^sluice_accept_pauses_total (\d+)$", text, re.M).group(1))

            pauses()
            ask_many(gateway.port, 1, PER_SECOND)  # the requests' lines are used up
            allowed = resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE)
            held_back = re.compile(r"warn  accepting paused shard=0 .* held_back=[1-9]")
            for times in range(100):
                if any(map(held_back.search, gateway.lines)):
                    break
                before = pauses()
                resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, (3, allowed[1]))
                with socket.create_connection(("127.0.0.1", gateway.port), SECONDS) as stream:
                    while pauses() == before:
                        pass
                    resource.prlimit(gateway.process.pid, resource.RLIMIT_NOFILE, allowed)
                    stream.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    self.assertIn(b"200 OK", stream.recv(4096))
            gateway.wait_for_line(held_back.pattern)
            self.assertGreater(times, 5, "the first ones are all said")
            self.assertIn("held_back=0", gateway.wait_for_line(r"accepting paused.*").group(0))
            gateway.wait_for_line("accepting again")


if __name__ == "__main__":
    unittest.main()
