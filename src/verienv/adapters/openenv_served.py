"""Episodes that a server offers, and bounds of what it hears, without OpenEnv; used by ``verienv.adapters.openenv``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from verienv.core import tasks
from verienv.core.episode import Episode
from verienv.core.rows import row_seed, rows
from verienv.core.shown import shown

MOST_SEED = 2**53
"""Seeds of clients are below it, so that JSON keeps them whole."""


class RefusedError(ValueError):
    """A client asks for something that the server does not offer."""


class Offer:
    """The episodes of a server: ``n`` of each split, under settings of the server's.

    Args:
        env_id: e.g. "verienv/GeneralPoints-L-v0".
        n: the number of episodes of a split.
        seed: fixes them where a client names none.
        settings: of ``gym.make``; the split is the client's to choose.

    Raises:
        ValueError: for settings out of range.
    """

    def __init__(self, env_id: str, n: int = 1000, seed: int = 0, **settings: Any) -> None:
        if "split" in settings:
            raise ValueError("split is what clients choose; leave it out of the server's settings")
        self.env_id, self.settings = tasks.imported_id(env_id), settings
        self.n, self.seed = _whole("n", n, 1, MOST_SEED), _whole("seed", seed, 0, MOST_SEED)
        self.splits = tuple(tasks.of_env_id(self.env_id).environment(self.env_id, **settings).splits)
        self._firsts = {self.splits[0]: self._first(self.splits[0])}

    def task(self, split: Any, index: Any) -> dict[str, Any]:
        """Return what a client may know of an episode, which does not tell its answers.

        Raises:
            RefusedError: for an unknown split, or an index out of range.
        """
        split, index = self._place(split, index)
        return {"id": f"{self.env_id}/{split}/{self.seed}/{index}", "split": split, "index": index}

    def row(self, split: Any = None, index: Any = 0, seed: Any = None) -> dict[str, Any]:
        """Return as much of ``verienv.rows(env_id, split, seed=seed)[index]`` as deals the episode.

        Raises:
            RefusedError: as ``task``; also for a seed out of range.
        """
        split, index = self._place(self.splits[0] if split is None else split, index)
        seed = self.seed if seed is None else _whole("seed", seed, 0, MOST_SEED)
        if split not in self._firsts:
            self._firsts[split] = self._first(split)
        return {**self._firsts[split], "id": f"{self.env_id}/{split}/{seed}/{index}", "seed": row_seed(seed, index)}

    def episode(self, row: dict[str, Any]) -> Episode:
        """Begin the episode of a row. Its settings are the server's own: they may open paths."""
        return Episode.of(row, trusted=True)

    def _place(self, split: Any, index: Any) -> tuple[str, int]:
        if not isinstance(split, str) or split not in self.splits:
            raise RefusedError(f"split={shown(split)}: expected one of {', '.join(self.splits)}")
        return split, _whole("index", index, 0, self.n)

    def _first(self, split: str) -> dict[str, Any]:
        [first] = rows(self.env_id, split, 1, **self.settings)
        return {name: first[name] for name in ("env_id", "split", "step", "unit", "settings")}


def _whole(name: str, number: Any, least: int, most: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number < most:
        raise RefusedError(f"{name}={shown(number)}: expected an integer from {least} to {most - 1}")
    return number


Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Bounded:
    """An ASGI application around another: whoever says too much at once, or nothing for too long, is let go.

    Args:
        app: the other.
        longest: the most bytes of a request's body, or characters of a message.
        idle: the most seconds between two messages of a client.
    """

    def __init__(self, app: Any, longest: int, idle: float) -> None:
        self.app, self.longest, self.idle = app, longest, idle

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "websocket":
            await self.app(scope, lambda: self._heard(receive), send)
        elif scope["type"] != "http":
            await self.app(scope, receive, send)
        elif (body := await self._body(receive)) is not None:
            told = iter([{"type": "http.request", "body": body, "more_body": False}])

            async def replay() -> Message:
                return next(told, None) or await receive()

            await self.app(scope, replay, send)
        else:
            said = f"expected a body of at most {self.longest} bytes, within {self.idle:g} seconds".encode()
            head = [(b"content-type", b"text/plain"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 413, "headers": head})
            await send({"type": "http.response.body", "body": said})

    async def _heard(self, receive: Receive) -> Message:
        """Return a client's next message; after too long a silence or message, that it is gone."""
        try:
            message = await asyncio.wait_for(receive(), self.idle)
        except TimeoutError:
            return {"type": "websocket.disconnect", "code": 1001}
        if len(message.get("text") or message.get("bytes") or "") > self.longest:
            return {"type": "websocket.disconnect", "code": 1009}
        return message

    async def _body(self, receive: Receive) -> bytes | None:
        """Return the body of a request, None if it is too long or too slow."""
        body, more = b"", True
        try:
            async with asyncio.timeout(self.idle):
                while more and len(body) <= self.longest:
                    message = await receive()
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
        except TimeoutError:
            return None
        return body if len(body) <= self.longest else None
