"""A POST of JSON over HTTP, bounded in bytes and in seconds, that follows no redirect.

It stands on ``urllib``: one request and one reply need none of what a client library brings (pools, streams, models of
every reply), and a policy behind a server then works where nothing but verienv is installed. Proxies are those of the
environment (``HTTPS_PROXY``, ``NO_PROXY``).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from socket import SHUT_RDWR
from threading import TIMEOUT_MAX, Timer
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

MOST_BYTES = 2**24
"""The bytes of the longest body that is read: 16 MB, where a hundred thousand tokens are half a megabyte."""


@dataclass(frozen=True)
class Reply:
    """An HTTP reply: its status, the first ``MOST_BYTES + 1`` bytes of its body, and what its headers ask for.

    Attributes:
        retry_after: the seconds after which to come again, None where it does not say.
        location: the address to which it would redirect, "" for none.
    """

    status: int
    body: bytes
    retry_after: float | None = None
    location: str = ""


def post(url: str, body: bytes, headers: Mapping[str, str], timeout: float) -> Reply:
    """Post JSON; return the reply, whatever its status.

    Args:
        url: an address of http or https.
        body: the JSON.
        headers: further headers, such as Authorization.
        timeout: seconds to connect, and for the reply as a whole, its headers included.

    Raises:
        OSError: if no whole reply came: no connection, one that broke off, or none in time.
    """
    request = Request(url, body, {"Content-Type": "application/json", "User-Agent": "verienv", **headers})  # noqa: S310 - the caller's scheme
    deadline = _Deadline(timeout)
    opener = build_opener(_NoRedirect, _Plain(deadline), _Secure(deadline))
    try:
        try:
            response: Any = opener.open(request, timeout=timeout)
        except HTTPError as error:  # a reply too
            response = error
        with response:
            asked, place = response.headers.get("Retry-After"), response.headers.get("Location")
            reply = Reply(response.status, _read(response), _seconds(asked), str(place or ""))
    except (OSError, HTTPException, ValueError) as error:  # URLError is an OSError
        reason = error.reason if isinstance(error, URLError) else error
        if deadline.is_over:
            raise TimeoutError("the reply did not end in time") from None
        if isinstance(reason, OSError):
            raise reason from None
        if isinstance(error, URLError):
            raise OSError(str(reason)) from None
        raise ConnectionError(f"the reply broke off ({type(error).__name__})") from None
    finally:
        deadline.cancel()
    if deadline.is_over:
        raise TimeoutError("the reply did not end in time")
    return reply


class _Deadline:
    """Shuts a connection down when its seconds are over: a server can drip headers, 100s or trailers without end."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.is_over, self._timers = seconds, False, list[Timer]()

    def begin(self, socket: Any) -> None:
        """Count from now on."""
        timer = Timer(min(self.seconds, TIMEOUT_MAX), self._end, (socket,))
        timer.daemon = True
        self._timers.append(timer)
        timer.start()

    def _end(self, socket: Any) -> None:
        self.is_over = True
        with suppress(OSError):  # it is closed already
            socket.shutdown(SHUT_RDWR)

    def cancel(self) -> None:
        for timer in self._timers:
            timer.cancel()


class _Plain(HTTPHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self.deadline = deadline

    def http_open(self, request: Request) -> Any:
        return self.do_open(_timed(HTTPConnection, self.deadline), request)


class _Secure(HTTPSHandler):
    def __init__(self, deadline: _Deadline) -> None:
        super().__init__()
        self.deadline = deadline

    def https_open(self, request: Request) -> Any:
        return self.do_open(_timed(HTTPSConnection, self.deadline), request)


def _timed(kind: type[HTTPConnection], deadline: _Deadline) -> Any:
    """Return a kind of connection whose time runs from when it is there."""

    class Timed(kind):  # type: ignore[misc, valid-type]
        def connect(self) -> None:
            super().connect()
            deadline.begin(self.sock)

    return Timed


class _NoRedirect(HTTPRedirectHandler):
    """A redirect is a reply as any other: the request, and the key with it, goes to the address given alone."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _read(response: Any) -> bytes:
    """Return at most ``MOST_BYTES + 1`` bytes of a body."""
    parts, length = list[bytes](), 0
    while length <= MOST_BYTES and (part := response.read1(2**16)):
        parts.append(part)
        length += len(part)
    return b"".join(parts)[: MOST_BYTES + 1]


def _seconds(asked: str | None) -> float | None:
    """Return a header Retry-After, a number of seconds or a date, as seconds from now; None where it is neither."""
    if not asked:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        try:
            date = parsedate_to_datetime(asked)
        except (ValueError, OverflowError):  # a year of twenty digits
            return None
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp()
    return max(0.0, seconds) if seconds < float("inf") else None
