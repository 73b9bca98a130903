"""A server of chat completions in a thread, which answers, and fails, as a test says."""

import json
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def words(self) -> str:
        """The text of its last message."""
        content = self.body["messages"][-1]["content"]
        return content if isinstance(content, str) else content[-1]["text"]


@dataclass
class Fault:
    """A reply that is no answer: bytes, with a status and headers; None for the body drops the connection."""

    status: int = 200
    body: bytes | None = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Served:
    url: str
    requests: list[Asked] = field(default_factory=list)
    most_at_once: int = 0


Reply = Callable[[Asked, int], Any]
"""From a request and its number, from 0, to a text, a message, a whole reply (with "choices"), or a Fault."""


@contextmanager
def serving(reply: Reply):
    """Serve on a free port of this machine; yield the address and what was asked."""
    served, lock, under_way = Served(""), threading.Lock(), []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked = Asked(self.path, dict(self.headers), body)
            with lock:
                number = len(served.requests)
                served.requests.append(asked)
                under_way.append(number)
                served.most_at_once = max(served.most_at_once, len(under_way))
            said = reply(asked, number)
            with lock:
                under_way.remove(number)
            if isinstance(said, Fault) and said.body is None:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            if not isinstance(said, Fault):
                said = Fault(200, json.dumps(whole(said)).encode())
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(said.body)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said.body)

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # the client has had enough, or we dropped it
                self.close_connection = True

        def finish(self) -> None:
            with suppress(OSError, ValueError):
                super().finish()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def whole(said: Any) -> dict[str, Any]:
    """A reply of chat completions around a text or a message."""
    if isinstance(said, dict) and "choices" in said:
        return said
    message = said if isinstance(said, dict) else {"role": "assistant", "content": said}
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    return {"choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": usage}
