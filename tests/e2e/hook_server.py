"""An application server with hooks: right, slow, lying or dead, as a test says."""

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOOKS = ("connect", "subscribe", "publish", "events")


class HookServer(ThreadingHTTPServer):
    """A context manager. `answer(handler, hook, body)` answers each request; `asked` has (hook, headers, body)."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, answer, port=0, asked=None):
        self.asked = [] if asked is None else asked
        self.is_dead = False
        self.changed = threading.Condition()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 60

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with server.changed:
                    if server.is_dead:  # connections that are open die with it
                        self.close_connection = True
                        return
                    server.asked.append((self.path[1:], self.headers, body))
                    server.changed.notify_all()
                try:
                    answer(self, self.path[1:], json.loads(body))
                except OSError:
                    self.close_connection = True  # it was not waited for

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", port), Handler)
        self.port = self.server_address[1]

    def handle_error(self, *_):
        pass  # connections that the gateway resets

    def options(self, *hooks):
        return [word for hook in hooks or HOOKS
                for word in (f"--hook-{hook}-url", f"http://127.0.0.1:{self.port}/{hook}")]

    def wait_for(self, done, seconds=30):
        """Waits until `done(asked)`; what was asked then."""
        with self.changed:
            if not self.changed.wait_for(lambda: done(self.asked), seconds):
                raise AssertionError(f"not within {seconds} s; asked: {[(h, b) for h, _, b in self.asked][-5:]}")
            return list(self.asked)

    def deliveries(self):
        return [json.loads(body) for hook, _, body in self.asked if hook == "events"]

    def events(self):
        return [event for delivery in self.deliveries() for event in delivery["events"]]

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        with self.changed:
            self.is_dead = True
        self.shutdown()
        self.server_close()


def send(handler, body, status=200, fields=()):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in (("Content-Length", str(len(raw))), *fields):
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(raw)


def allow(handler, hook, body):
    send(handler, {} if hook == "events" else {"result": {}})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def example(language):
    """The code in that language in docs/hooks.md."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "hooks.md").read_text()
    return re.search(rf"```{language}\n(.*?)```", text, re.S).group(1)
