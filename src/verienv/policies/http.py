"""A POST of JSON over HTTP, bounded in bytes and in seconds, that follows no redirect.

It stands on ``urllib``: one request and one reply need none of what a client library brings (pools, streams, models of
every reply), and a policy behind a server then works where nothing but verienv is installed. Proxies are those of the
environment (``HTTPS_PROXY``, ``NO_PROXY``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from time import monotonic
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

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
        timeout: seconds to connect, between two parts of the reply, and for its body as a whole.

    Raises:
        OSError: if no whole reply came: no connection, one that broke off, or none in time.
    """
    request = Request(url, body, {"Content-Type": "application/json", "User-Agent": "verienv", **headers})  # noqa: S310 - the caller's scheme
    opener = build_opener(_NoRedirect)
    deadline = monotonic() + timeout
    try:
        try:
            response: Any = opener.open(request, timeout=timeout)
        except HTTPError as error:  # a reply too
            response = error
        with response:
            asked, place = response.headers.get("Retry-After"), response.headers.get("Location")
            return Reply(response.status, _read(response, deadline), _seconds(asked), str(place or ""))
    except URLError as error:
        if isinstance(error.reason, OSError):
            raise error.reason from None
        raise OSError(str(error.reason)) from None
    except (HTTPException, ValueError) as error:
        raise ConnectionError(f"the reply broke off ({type(error).__name__})") from None


class _NoRedirect(HTTPRedirectHandler):
    """A redirect is a reply as any other: the request, and the key with it, goes to the address given alone."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _read(response: Any, deadline: float) -> bytes:
    """Return at most ``MOST_BYTES + 1`` bytes of a body. Raises TimeoutError past the deadline."""
    parts, length = list[bytes](), 0
    while length <= MOST_BYTES and (part := response.read1(2**16)):
        parts.append(part)
        length += len(part)
        if monotonic() > deadline:
            raise TimeoutError("the reply did not end in time")
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
        except ValueError:
            return None
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - datetime.now(UTC).timestamp()
    return max(0.0, seconds) if seconds < float("inf") else None
