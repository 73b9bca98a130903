"""The replies to a policy behind a server, and its usage: requests, tokens, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

MOST_TOKENS = 10**9
"""The greatest count of one reply that is believed."""


@dataclass(frozen=True)
class Completion:
    """A response of a model behind a server, with what the reply tells of it.

    Attributes:
        is_cut: whether it ended at the longest that was allowed.
        logprobs: "logprobs" of the reply as they came, any JSON; None where there are none.
        prompt_tokens, completion_tokens: as the server counts them, 0 where it tells none.
    """

    response: str
    is_cut: bool = False
    logprobs: Any = None
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass
class Usage:
    """The requests and tokens of a policy so far. Servers count the tokens; of some replies they tell none.

    Attributes:
        requests: requests that were answered.
        retries: requests that were sent again.
        prompt_tokens: tokens read, pictures among them as the server counts them.
        completion_tokens: tokens written, hidden reasoning among them.
        uncounted: answered requests of which the server told no tokens.
        prices: US dollars for a million prompt tokens, and for a million completion tokens; None if unknown.
    """

    requests: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    uncounted: int = 0
    prices: tuple[float, float] | None = None
    _lock: Any = field(default_factory=Lock, repr=False, compare=False)

    @property
    def cost(self) -> float | None:
        """US dollars, None without prices. Discounts, as for prompts that a server has cached, are left out."""
        if self.prices is None:
            return None
        return (self.prices[0] * self.prompt_tokens + self.prices[1] * self.completion_tokens) / 1e6

    def __str__(self) -> str:
        told = f"{self.requests:,} requests answered, {self.retries:,} sent again"
        told += f"; {self.prompt_tokens:,} prompt tokens, {self.completion_tokens:,} completion tokens"
        told += f" (of {self.uncounted:,} requests the server told none)" if self.uncounted else ""
        return told if self.cost is None else f"{told}, {self.cost:.4f} USD"

    def count(self, counted: Any) -> tuple[int, int]:
        """Count an answered request and, if they are numbers, the tokens that its reply tells; return these, or 0."""
        names = ("prompt_tokens", "completion_tokens")
        counts = [counted.get(name) if isinstance(counted, Mapping) else None for name in names]
        with self._lock:
            self.requests += 1
            self.uncounted += not all(map(_is_count, counts))
            for name, count in zip(names, counts, strict=True):
                if _is_count(count):
                    setattr(self, name, getattr(self, name) + count)
        prompt, completion = (int(count) if count is not None and _is_count(count) else 0 for count in counts)
        return prompt, completion

    def count_retry(self) -> None:
        with self._lock:
            self.retries += 1


def _is_count(told: Any) -> bool:
    return type(told) is int and 0 <= told <= MOST_TOKENS
