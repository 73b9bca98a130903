"""Demonstrations that a policy has written: responses drawn from it, kept if the verifier says so."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, inf
from typing import Any, Literal

import numpy as np

from verienv.core.dialogue import Message, images_of, in_parts, with_pictures
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.policy import Policy, checked_responses
from verienv.core.question import Question
from verienv.core.response import clean_response
from verienv.core.shown import cut
from verienv.core.verdict import Verdict
from verienv.demos.episodes import answer_wrongly, episodes_of

Keep = Literal["correct", "first", "all"]

CORRECT = "correct"
"""The outcome of a correct response; that of another one is its kind of failure."""


class InVainError(RuntimeError):
    """The teacher's responses were wrong for too long."""


@dataclass(frozen=True)
class Sampling:
    """How responses are drawn from a teacher; see ``demonstrations``."""

    teacher: Policy
    samples: int = 1
    keep: Keep = "correct"
    batch_size: int = 64
    patience: int = 2000
    tries: int | None = None


def sampled(
    env: VerifiedEnv, kind: str, n: int, seed: int, how: Sampling, wrong_attempts: int, tally: Counter[str]
) -> Iterator[tuple[dict[str, Any], Question]]:
    """Yield ``n`` rows, each with its question, in the order of questions and samples; count outcomes in ``tally``.

    ``batch_size`` questions are in play at once, and each call of the teacher draws one more sample of each. Which
    rows there are does not depend on it, where the teacher answers a dialogue alike in every batch.
    """
    seats, kept, done, in_vain, drawn = deque[_Seat](), 0, 0, 0, 0
    waiting = _seats(env, kind, seed, wrong_attempts)
    while n:
        size = how.batch_size if how.tries is None else min(how.batch_size, how.tries - drawn)
        playing = [seat for seat in seats if not seat.is_done(how)][:size]
        most = _questions_needed(how, n - kept, kept, done)
        while len(playing) < size and len(seats) < most:
            playing.append(next(waiting))
            seats.append(playing[-1])
        answers = how.teacher([seat.dialogue for seat in playing])
        for seat, response in zip(playing, checked_responses(answers, len(playing), "teacher"), strict=True):
            seat.add(response)
        drawn += len(playing)
        while seats and (drawn == how.tries or seats[0].is_done(how)):
            seat = seats.popleft()
            done += 1
            in_vain += len(seat.verdicts)
            for row in seat.rows(how.keep, tally):
                kept, in_vain = kept + 1, 0
                yield row, seat.question
                if kept == n:
                    return
            if in_vain >= how.patience:
                raise InVainError(_in_vain(in_vain, kept, tally, seat.responses[-1]))
        if drawn == how.tries:
            return


def _questions_needed(how: Sampling, rows: int, kept: int, done: int) -> float:
    """Return how many questions bring that many more ``rows``, going by those ``kept`` of the questions ``done``."""
    if how.keep == "all":
        return ceil(rows / how.samples)
    if not kept:
        return inf if done else rows
    return ceil(rows * done / kept)


@dataclass
class _Seat:
    """One question before the teacher, with its responses so far."""

    number: int
    question: Question
    prompt: list[Message]
    pictures: list[Any]
    about: dict[str, Any]
    responses: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @classmethod
    def of(cls, number: int, episode: Episode, about: dict[str, Any]) -> _Seat:
        return cls(number, episode.question, episode.messages, images_of(episode.pictures), about)

    @property
    def dialogue(self) -> list[Message]:
        return with_pictures(self.prompt, self.pictures)

    def add(self, response: str) -> None:
        response = clean_response(response, getattr(self.question, "reasoning_tags", ()))
        self.responses.append(response)
        self.verdicts.append(self.question.judge(response))

    def is_done(self, how: Sampling) -> bool:
        found = how.keep == "first" and any(verdict.is_correct for verdict in self.verdicts)
        return found or len(self.verdicts) >= how.samples

    def rows(self, keep: Keep, tally: Counter[str]) -> Iterator[dict[str, Any]]:
        for sample, (response, verdict) in enumerate(zip(self.responses, self.verdicts, strict=True)):
            outcome = CORRECT if verdict.is_correct else verdict.failure
            tally[outcome] += 1
            if keep == "all" or verdict.is_correct:
                row = {
                    "prompt": self.prompt,
                    "completion": [{"role": "assistant", "content": response}],
                    "instance": self.question.instance,
                    "reward": verdict.reward,
                    **self.about,
                    "outcome": outcome,
                    "question": self.number,
                    "sample": sample,
                    "tried": tally.total(),
                }
                yield in_parts(row) | {"images": self.pictures} if self.pictures else row


def _seats(env: VerifiedEnv, kind: str, seed: int, wrong_attempts: int) -> Iterator[_Seat]:
    rng = np.random.default_rng([seed, 1])
    for number, episode in enumerate(episodes_of(env, seed)):
        times = int(rng.integers(1, wrong_attempts + 1)) if kind == "revision" else 0
        yield _Seat.of(number, episode, answer_wrongly(episode, env.measures.failures, times, rng))


def _in_vain(in_vain: int, kept: int, tally: Counter[str], newest: str) -> str:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in tally.most_common())
    return (
        f"none of the teacher's last {in_vain} responses is correct ({kept} rows from {tally.total()} responses: "
        f"{outcomes}). Take a stronger teacher or easier instances; keep='all' keeps wrong responses too, and a larger "
        f"patience goes on for longer. The newest response: {cut(newest)!r}"
    )
