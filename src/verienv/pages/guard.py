"""A guard before a server on this machine: it lets in the page that was opened with the token, and nobody else.

Other sites in the same browser can send requests to 127.0.0.1, and names of their own can be made to lead there: so
Host and Origin must be this server's, and a token, which only the user's terminal showed, must come with each request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MOST_BYTES = 2**16
"""The bytes of the longest body of a request."""
METHODS = ("GET", "HEAD", "POST")
HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Refused(Exception):
    """A request that is not let in, with the status that says so."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Guard:
    """ASGI middleware around an application.

    Args:
        app: the application.
        token: secret of the URL; it is taken as ``?token=`` by ``GET /`` alone, which sets it as a cookie.
        port: of the server.
        policy: the Content-Security-Policy of every reply.
        most_bytes: of a request's body.
    """

    def __init__(self, app: App, *, token: str, port: int, policy: str, most_bytes: int = MOST_BYTES) -> None:
        self._app, self._token, self._policy, self._most = app, token, policy, most_bytes
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self._cookie = f"verienv-{port}"  # a browser keeps one jar for all ports

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a WebSocket that is not accepted is closed
        own = {**HEADERS, "content-security-policy": self._policy}
        try:
            if self._checked(scope) == "url":
                own["set-cookie"] = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
            body = await self._body(scope, receive)
        except Refused as refused:
            text = f"{refused}\n".encode()
            head = {
                **own,
                "content-type": "text/plain; charset=utf-8",
                "content-length": str(len(text)),
                "connection": "close",
            }
            await send({"type": "http.response.start", "status": refused.status, "headers": _encoded(head)})
            await send({"type": "http.response.body", "body": text})
            return

        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return waiting.pop() if waiting else await receive()

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_encoded(own)]
            await send(message)

        await self._app(scope, replayed, with_headers)

    def _checked(self, scope: Mapping[str, Any]) -> str:
        """Return where the request's token is: "url" or "cookie". Raises Refused."""
        headers = list(scope["headers"])
        method = scope["method"]
        if method not in METHODS:
            raise Refused(405, "only GET and POST are answered")
        hosts, origins = (_values(headers, name) for name in ("host", "origin"))
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            raise Refused(403, "this server answers to 127.0.0.1 alone; open the URL that it printed")
        if any(origin != f"http://{hosts[0]}" for origin in origins) or (method == "POST" and not origins):
            raise Refused(403, "the request comes from another page")
        tokens = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=16).get("token", [])
        if method == "GET" and scope["path"] == "/" and len(tokens) == 1 and self._fits(tokens[0]):
            return "url"
        if any(self._fits(value) for value in self._cookies(headers)):
            return "cookie"
        raise Refused(403, "the token is missing or wrong; open the URL that the server printed")

    def _fits(self, token: str) -> bool:
        return compare_digest(token.encode("utf-8", "replace"), self._token.encode())

    def _cookies(self, headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
        found = []
        for text in _values(headers, "cookie"):
            try:
                jar = SimpleCookie(text)
            except CookieError:
                continue
            if self._cookie in jar:
                found.append(jar[self._cookie].value)
        return found

    async def _body(self, scope: Mapping[str, Any], receive: Receive) -> bytes:
        """Read the body of a request. Raises Refused for one that is too long."""
        for length in _values(scope["headers"], "content-length"):
            if not length.isdecimal() or len(length) > 12 or int(length) > self._most:
                raise Refused(413, f"the request is longer than {self._most} bytes")
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the request ended before its body")
            body, more = body + message.get("body", b""), message.get("more_body", False)
            if len(body) > self._most:
                raise Refused(413, f"the request is longer than {self._most} bytes")
        return body


def _values(headers: Iterable[tuple[bytes, bytes]], name: str) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key.lower() == name.encode()]


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
