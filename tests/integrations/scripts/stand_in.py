"""A server that stands in for those of language models: it answers each chat completion as a function says."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}


@contextmanager
def stand_in(answer: Callable[[list[dict[str, Any]]], str]) -> Iterator[str]:
    """Serve on a free port until the block ends; yield the URL, which ends in "/v1".

    Args:
        answer: from the messages of a request to the text of the reply; one that raises ValueError has the status 400.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                message = {"role": "assistant", "content": answer(asked["messages"])}
            except ValueError:
                self.send_error(400)
                return
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            reply = {"id": "0", "object": "chat.completion", "created": 0, "model": asked["model"], "usage": USAGE}
            body = json.dumps({**reply, "choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            thread.join()
