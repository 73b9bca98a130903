"""Models as judges: the question that one is put, in both orders of a pair, and the label that its answers come to.

Nothing here has the verdicts. Answers are hostile: whatever a model or a server says is read, within bounds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from math import exp
from pathlib import Path
from typing import Any, NamedTuple

from verienv.core.dialogue import Message
from verienv.core.run_folder import RunFolder
from verienv.core.special_tokens import MARK
from verienv.preferences.records import Choice, Judgement, Label, Pair, Relation, Side, hash_of

OPTIONS = ("A", "B", "tie")
BY_LETTER = "Which response is better, A or B? Answer with one letter."
BY_WORD = "Which response is better? Answer with one word: A, B or tie."

_TAIL = 4096
_MOST_BRACES = 64
_MOST_TOKENS = 4096
_MOST_LIKELIEST = 64
_MARKS = " \t\r\n\"'`*_.,:;!()[]{}<>\u2581"
_WORD = re.compile(r"\b(A|B|[Tt]ie|TIE)\b")
_TOKEN = re.compile(rf"{MARK.pattern}|</?s>|<(?:bos|eos|pad|unk|image)>")
"""Marks that servers of open models read as such wherever they stand."""
_LESSER = re.compile(r"(?i)\b(?:than|over|not|nor|against)\s(?:the\s)?(?:response\s)?(?:A|B)\b")
"""The response that another one is preferred to: in "A is better than B" it is no answer."""


@dataclass(frozen=True)
class Question:
    """The question that a judge is put.

    Attributes:
        guidelines: those that people are given.
        asks: the sentence that ends it, ``BY_LETTER`` or ``BY_WORD``.
    """

    guidelines: str
    asks: str

    def text(self, pair: Pair, first: Side) -> str:
        """Return it in words. Responses are quoted line by line, and marks of chat templates broken up: none can forge
        the head of the other, or a turn.
        """
        one, other = (pair.a, pair.b) if first == "a" else (pair.b, pair.a)
        shown = [f"Response {letter}:\n{_quoted(text)}" for letter, text in zip("AB", (one, other), strict=True)]
        return "\n\n".join([self.guidelines.strip(), f"The question:\n{_quoted(pair.words)}", *shown, self.asks])

    def dialogue(self, pair: Pair, first: Side, pictures: Sequence[Any] = ()) -> list[Message]:
        """Return it as a dialogue, with the pair's pictures, PIL images, before the words."""
        words = self.text(pair, first)
        if not pictures:
            return [{"role": "user", "content": words}]
        shown = [{"type": "image", "image": picture} for picture in pictures]
        return [{"role": "user", "content": [*shown, {"type": "text", "text": words}]}]

    def key(self, pair: Pair, first: Side, pictures: Sequence[bytes], about: Mapping[str, Any]) -> str:
        """Return the hash of all that is asked: ``about`` the model and its sampling, the words and the pictures."""
        whole = [dict(about), self.text(pair, first), *(sha256(each).hexdigest() for each in pictures)]
        return sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


class Answer(NamedTuple):
    """A judge's answer to a pair in one order; see ``Judgement``."""

    p: float | None
    mass: float | None = None
    said: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0


def read_answer(text: str, *, is_cut: bool = False, logprobs: Any = None) -> tuple[float | None, float | None]:
    """Read an answer: the probability that A is better, and that of all options where the likeliest tokens tell it.

    Args:
        text: in JSON, or else in words: the last of A, B and tie, but for what another response is preferred to. One
            that was cut off (``is_cut``) counts only if it begins with its answer.
        logprobs: as a server tells them, any JSON: where the likeliest tokens are told at the place of the answer, the
            probability is that of A and half of tie among these; else the answer counts as sure, and a tie as 0.5.
    """
    said = _in_json(text[-_TAIL:]) or (_at_the_start(text) if is_cut else _in_words(text[-_TAIL:]))
    if said is None:
        return None, None
    likely = _likeliest(logprobs, said)
    if likely is None:
        return {"A": 1.0, "B": 0.0, "tie": 0.5}[said], None
    mass = sum(likely.values())
    return min(1.0, (likely["A"] + likely["tie"] / 2) / mass), min(1.0, mass)


def label_of(
    pair: Pair, one: Judgement, other: Judgement, *, annotator: str, guidelines: str, margin: float, relation: Relation
) -> Label:
    """Return the label of a pair whose judgements these are, where a and where b was shown first.

    The better response is that which the mean of the orders favours by more than ``margin``; else it is a tie. Without
    an answer in both orders the pair is skipped.
    """
    choice: Choice = "skip"
    p, orders = None, None
    if one.p is not None and other.p is not None:
        orders = one.p, 1 - other.p
        p = sum(orders) / 2
        choice = "tie" if abs(p - 0.5) <= margin else "a" if p > 0.5 else "b"
    return Label(
        pair=pair.pair,
        annotator=annotator,
        kind="judge",
        choice=choice,
        p=p,
        p_orders=orders,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        guidelines=hash_of(guidelines),
        model=one.model,
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        relation=relation,
    )


def annotator_of(model: str) -> str:
    """Return the name under which a model labels: its own, as far as names of annotators allow."""
    kept = re.sub(r"[^A-Za-z0-9_.:/@+-]", "-", model)[-100:]
    return re.sub(r"^[^A-Za-z0-9]+", "", kept) or "judge"


def relation_of(model: str, policy: str) -> Relation:
    """Return what a judge is to a policy, both by their names; checkpoints are of the model that their run began with.

    A family is told by the letters at the head of a name: Qwen/Qwen2.5-7B and qwen3:4b are of one.
    """
    model, policy = (name.removeprefix("openai:") for name in (model, policy))
    if model and model == policy:
        return "self"
    one, other = _family(model), _family(policy)
    return ("family" if one == other else "other") if one and other else ""


def _family(name: str) -> str:
    for _ in range(_MOST_BRACES):
        if not re.fullmatch(r"checkpoint-\d+", Path(name).name):
            break
        try:
            name = str(RunFolder(Path(name).parent).config()["arguments"]["model"])
        except (ValueError, LookupError, OSError):
            return ""
    found = re.match(r"(?:meta-)?([a-z]+)", Path(name).name.casefold())
    return found[1] if found and found[1] != "checkpoint" else ""


def _quoted(text: str) -> str:
    text = _TOKEN.sub(lambda mark: f"{mark[0][0]} {mark[0][1:]}", text)
    return "\n".join(f"> {line}" for line in text.splitlines() or [""])


def _option(text: Any) -> str | None:
    """Return the option that a token, or a value of an answer, is."""
    if not isinstance(text, str) or len(text) > 32:
        return None
    word = text.strip(_MARKS)
    return word if word in ("A", "B") else "tie" if word.casefold() == "tie" else None


def _in_json(text: str) -> str | None:
    """Return the option that the last JSON object with one in it names."""
    end, decoder = len(text), json.JSONDecoder()
    for _ in range(_MOST_BRACES):
        end = text.rfind("{", 0, end)
        if end < 0:
            return None
        try:
            found, _ = decoder.raw_decode(text, end)
        except (ValueError, RecursionError):
            continue
        values = [value.upper() if isinstance(value, str) and len(value) < 32 else "" for value in found.values()]
        options = [_option(value.replace("RESPONSE", "")) for value in values]
        if any(options):
            return [option for option in options if option][-1]
    return None


def _in_words(text: str) -> str | None:
    said = _WORD.findall(_LESSER.sub("", text))
    return _option(said[-1]) if said else None


def _at_the_start(text: str) -> str | None:
    return _option(text[:_TAIL].lstrip(_MARKS).partition("\n")[0].partition(" ")[0])


def _likeliest(logprobs: Any, said: str) -> dict[str, float] | None:
    """Return the probabilities of the options where the answer was said; None where they are not told."""
    tokens = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    for token in reversed(tokens[-_MOST_TOKENS:] if isinstance(tokens, list) else []):
        if not isinstance(token, Mapping) or _option(token.get("token")) != said:
            continue
        found, likely = dict.fromkeys(OPTIONS, 0.0), token.get("top_logprobs")
        for each in likely[:_MOST_LIKELIEST] if isinstance(likely, list) else []:
            option = _option(each.get("token")) if isinstance(each, Mapping) else None
            logprob: Any = each.get("logprob") if option else None
            if option and type(logprob) in (int, float) and -1e4 < logprob < 1e4:
                found[option] += exp(min(0.0, logprob))
        return found if found[said] > 0 else None
    return None
