"""Models behind a server that speaks OpenAI's chat completions: OpenAI's, vLLM, SGLang, llama.cpp, Ollama, most others.

from verienv import evaluate
from verienv.policies.server import OpenAIPolicy

policy = OpenAIPolicy("Qwen/Qwen2.5-VL-3B-Instruct", "http://127.0.0.1:8000/v1")
print(evaluate(policy, "verienv/GeneralPoints-VL-v0", episodes=50, log="runs/qwen.jsonl"))
print(policy.usage)
"""

from __future__ import annotations

import json
import os
import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import count
from math import isfinite
from socket import gaierror
from ssl import SSLCertVerificationError
from threading import Thread
from time import sleep
from typing import Any, TypeVar
from urllib.parse import urlsplit

from verienv.core.chat import chat_messages
from verienv.core.dialogue import Message, response_of
from verienv.core.response import clean_response
from verienv.core.shown import cut, shown
from verienv.policies.http import MOST_BYTES, Reply, post
from verienv.policies.usage import Completion, Usage

Result = TypeVar("Result")

OPENAI = "https://api.openai.com/v1"
LONGEST_WAIT = 60.0
"""Seconds: the longest wait before a request is sent again, whatever a server asks for."""


class PassingError(ConnectionError):
    """A failure that may be over when the request is sent again, after ``wait`` seconds if the server says so."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class RefusedError(ValueError):
    """A request that a server refuses, as it would again."""


class OpenAIPolicy:
    """A model behind an OpenAI-compatible server as a policy: several dialogues at once, each in a request of its own.

    ``evaluate`` writes each of its episodes to the log as it ends: what was answered up to an interruption is not paid
    for again, but for the at most ``concurrency`` episodes then under way. Pictures go as data URLs of PNG files.

    Whatever the model says is a response: one cut off at ``max_new_tokens`` counts as it stands, a tool call is its
    arguments, a refusal or nothing is "". Connections that fail and replies with status 408, 409, 429, 5xx or without
    a whole answer are tried again, after waits that double from ``backoff`` seconds up to a minute, with jitter, or
    that the server names.

    Args:
        model: its name on the server.
        base_url: the server's, such as "http://127.0.0.1:8000/v1" ("/v1" where it has no path); by default that of
            ``OPENAI_BASE_URL``, else OpenAI's own.
        api_key: by default that of ``OPENAI_API_KEY``; servers of one's own need none.
        max_new_tokens: the longest response, in tokens, hidden reasoning included.
        temperature: of sampling; 0 is greedy. None leaves it to the server.
        top_p: samples from the likeliest tokens that make up this probability.
        concurrency: requests under way at once.
        retries: how often a request is sent again.
        timeout: seconds to wait for a reply.
        backoff: seconds before a request is sent again for the first time.
        special_tokens: texts to take out of the dialogues, such as a tokenizer's ``all_special_tokens``: servers of
            open models read them as marks of their chat template, and a policy that spells them would forge a turn.
        prices: US dollars for a million prompt tokens and for a million completion tokens, for ``usage.cost``.
        top_logprobs: asks for the log-probabilities of so many likeliest tokens, for ``complete``; a model whose server
            refuses that is asked without them from then on.

    Attributes:
        usage: what was used so far.

    Raises:
        ValueError: for an argument out of range; by the policy, for a request that the server refuses.
        ConnectionError: by the policy, if the server cannot be reached or fails in every retry.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        max_new_tokens: int = 256,
        temperature: float | None = 0.0,
        top_p: float = 1.0,
        concurrency: int = 8,
        retries: int = 6,
        timeout: float = 300.0,
        backoff: float = 0.5,
        special_tokens: Iterable[str] = (),
        prices: tuple[float, float] | None = None,
        top_logprobs: int = 0,
    ) -> None:
        for name, number, least in (
            ("max_new_tokens", max_new_tokens, 1), ("concurrency", concurrency, 1), ("retries", retries, 0),
            ("top_logprobs", top_logprobs, 0),
        ):  # fmt: skip
            if type(number) is not int or number < least:
                raise ValueError(f"{name}={shown(number)}: expected an integer of at least {least}")
        _check("temperature", temperature, temperature is None or temperature >= 0, "0 (greedy) or a positive number")
        _check("top_p", top_p, 0 < top_p <= 1, "a number above 0, at most 1")
        _check("timeout", timeout, timeout > 0, "a positive number of seconds")
        _check("backoff", backoff, backoff >= 0, "a number of seconds")
        if prices is not None and not (len(prices) == 2 and all(isfinite(each) and each >= 0 for each in prices)):
            raise ValueError(
                f"prices={shown(prices)}: expected US dollars for a million tokens, of prompt and completion"
            )
        if not isinstance(model, str) or not model:
            raise ValueError(f"model={shown(model)}: expected its name on the server")
        self.model, self.concurrency = model, concurrency
        self.usage = Usage(prices=None if prices is None else (float(prices[0]), float(prices[1])))
        self._server = _checked_url(base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI)
        self._key = _checked_key(os.environ.get("OPENAI_API_KEY", "") if api_key is None else api_key)
        if not self._key and self._server == OPENAI:
            raise ValueError(
                f"{OPENAI} needs a key: set OPENAI_API_KEY, or give the base URL of another server (--base-url)"
            )
        self._retries, self._timeout, self._backoff = retries, timeout, backoff
        self._special_tokens = tuple(special_tokens)
        length = "max_completion_tokens" if self._server == OPENAI else "max_tokens"  # the old name, which others know
        self._fields = {"model": model, length: max_new_tokens}
        self._fields |= {} if temperature is None else {"temperature": temperature}
        self._fields |= {} if top_p == 1 else {"top_p": top_p}
        self._wishes: dict[str, Any] = {"logprobs": True, "top_logprobs": top_logprobs} if top_logprobs else {}

    def __repr__(self) -> str:
        """Name the model, its server and sampling in one line, never the key."""
        how = ", ".join(f"{name}={value}" for name, value in self._fields.items() if name != "model")
        model, server = (shown(self._without_key(each)) for each in (self.model, self._server))
        return f"OpenAIPolicy({model}, {server}, {how}, concurrency={self.concurrency})"

    def __call__(self, dialogues: Sequence[Sequence[Message]]) -> list[str]:
        """Answer a batch of dialogues, ``concurrency`` at once; return the responses in their order."""
        return [completion.response for completion in self.completions(dialogues)]

    def completions(self, dialogues: Sequence[Sequence[Message]]) -> list[Completion]:
        """Answer a batch of dialogues as a call does, for the responses with what the replies tell of them."""
        completions = dict[int, Completion]()
        waiting, asked = deque(enumerate(dialogues)), dict[Future[Completion], int]()
        while waiting or asked:
            while waiting and len(asked) < self.concurrency:
                index, dialogue = waiting.popleft()
                asked[self.complete(dialogue)] = index
            for future in wait(asked, return_when=FIRST_COMPLETED).done:
                completions[asked.pop(future)] = future.result()
        return [completions[index] for index in range(len(dialogues))]

    def submit(self, dialogue: Sequence[Message]) -> Future[str]:
        """Begin to answer a dialogue, in a thread that holds up no exit of the process."""
        return _begun(lambda: self._completion(dialogue).response)

    def complete(self, dialogue: Sequence[Message]) -> Future[Completion]:
        """Begin to answer a dialogue as ``submit`` does, for the response with what the reply tells of it."""
        return _begun(lambda: self._completion(dialogue))

    def _completion(self, dialogue: Sequence[Message]) -> Completion:
        messages, wishes = chat_messages(dialogue, self._special_tokens), self._wishes
        body = json.dumps({**self._fields, **wishes, "messages": messages}).encode()
        for retry in count():
            try:
                return self._asked(body)
            except RefusedError:
                if not wishes:
                    raise
                wishes = self._wishes = {}
                body = json.dumps({**self._fields, "messages": messages}).encode()
            except PassingError as error:
                if retry >= self._retries:
                    raise ConnectionError(
                        f"{self._server}: {error}, {retry + 1} times in a row; see to the server, then go on"
                    ) from None
                doubled = self._backoff * 2.0 ** min(retry, 30) * random.uniform(0.5, 1.0)
                sleep(min(LONGEST_WAIT, doubled if error.wait is None else error.wait))
            self.usage.count_retry()
        raise AssertionError  # counting never ends

    def _asked(self, body: bytes) -> Completion:
        """Send a request; return the response in its reply. Raises PassingError where it is worth another try."""
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            reply = post(f"{self._server}/chat/completions", body, headers, self._timeout)
        except (gaierror, ConnectionRefusedError, SSLCertVerificationError) as error:
            if self.usage.requests and not isinstance(error, SSLCertVerificationError):
                raise PassingError(f"no connection ({cut(error)})") from None
            raise ConnectionError(
                f"{self._server}: no connection ({cut(error)}); is it the server's base URL?"
            ) from None
        except OSError as error:
            raise PassingError(f"no reply ({cut(error) or type(error).__name__})") from None
        if reply.status != 200:
            raise self._refusal(reply)
        if len(reply.body) > MOST_BYTES:
            raise ValueError(
                f"{self._server} sent more than {MOST_BYTES // 2**20} MB in answer to one dialogue; is it the base "
                "URL of a server of chat completions?"
            )
        found = _read(reply.body)
        choices = found.get("choices") if isinstance(found, dict) else None
        if not isinstance(choices, list):
            raise PassingError(f"a reply without choices ({self._words(reply)})")
        first = choices[0] if choices and isinstance(choices[0], dict) else {}
        response = clean_response(response_of(first.get("message")))
        is_cut = first.get("finish_reason") == "length"
        return Completion(response, is_cut, first.get("logprobs"), *self.usage.count(found.get("usage")))

    def _refusal(self, reply: Reply) -> Exception:
        """Return the error that a reply with another status than 200 is."""
        said = f"status {reply.status} ({self._words(reply)})"
        if reply.status in (408, 409, 429) or reply.status >= 500:
            return PassingError(said, reply.retry_after)
        advice = {
            401: "check the key, OPENAI_API_KEY",
            403: "check what the key, OPENAI_API_KEY, may use",
            404: "check the name of the model and the base URL, which ends in /v1 on most servers",
        }.get(reply.status, "change what it refuses")
        if 300 <= reply.status < 400:
            place = cut(self._without_key(reply.location))
            advice = f"give the address to which it points, {place}, as the base URL, if you trust that"
        return RefusedError(f"{self._server} refused the request for model {shown(self.model)}: {said}; {advice}")

    def _words(self, reply: Reply) -> str:
        """Return what a reply says, its error's message if it has one, in at most 300 characters without the key."""
        found = _read(reply.body[: 2**16])
        error = found.get("error", found) if isinstance(found, dict) else None
        message = error.get("message") if isinstance(error, dict) else error
        text = message if isinstance(message, str) else reply.body[: 2**12].decode(errors="replace")
        return cut(self._without_key(text), 300) or "no words"

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "***") if self._key else text


def _begun(work: Callable[[], Result]) -> Future[Result]:
    """Begin to work in a thread of its own."""
    future = Future[Result]()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, name="verienv-request", daemon=True).start()
    return future


def _read(body: bytes) -> Any:
    """Return a body as JSON, None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _check(name: str, number: Any, is_right: bool, expected: str) -> None:
    if not (is_right and (number is None or isfinite(number))):
        raise ValueError(f"{name}={shown(number)}: expected {expected}")


def _checked_url(url: str) -> str:
    """Return a base URL without a slash at its end, "/v1" where it has no path."""
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) and url.isascii()
    except ValueError:
        is_right = False
    if not is_right or "@" in url or "?" in url or "#" in url or " " in url or not url.isprintable():
        raise ValueError(
            f"base_url={shown(url)}: expected one such as http://127.0.0.1:8000/v1, without query or password"
        )
    return url.rstrip("/") + ("/v1" if parts.path.strip("/") == "" else "")


def _checked_key(key: str) -> str:
    key = key.strip()
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ValueError("the key, of OPENAI_API_KEY, holds a character that no key has; copy it again")
    return key
