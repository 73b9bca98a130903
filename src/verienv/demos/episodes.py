"""The questions of demonstrations, one after the other, and wrong responses to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from verienv.core.dialogue import images_of, in_parts
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.question import Question, check_question


def episodes_of(env: VerifiedEnv, seed: int) -> Iterator[Episode]:
    """Put questions in play, one after the other without end, and yield the episode of each.

    Where an episode holds several questions, the expert goes on to the next.
    """
    rng = np.random.default_rng(seed)
    while True:
        episode = Episode(check_question(env.deal(rng), env), env.task)
        while not episode.is_over:
            yield episode
            episode.answer(episode.expert())


def answer_wrongly(episode: Episode, failures: tuple[str, ...], times: int, rng: np.random.Generator) -> dict[str, str]:
    """Answer wrongly a number of ``times``, and return the column that names the newest ``failure``."""
    column: dict[str, str] = {}
    question = episode.question
    for _ in range(times):
        wrong, column["failure"] = wrong_response(question, failures, int(rng.integers(len(failures))), rng)
        episode.answer(wrong)
    return column


def wrong_response(
    question: Question, failures: tuple[str, ...], kind: int, rng: np.random.Generator
) -> tuple[str, str]:
    """A response that fails in the ``kind``-th way, or in the next way that this question allows."""
    for shift in range(len(failures)):
        failure = failures[(kind + shift) % len(failures)]
        response = question.wrong(failure, rng)
        if response is None:
            continue
        verdict = question.judge(response)
        if verdict.failure != failure:
            raise RuntimeError(f"{question.instance}: meant as {failure}, judged {verdict.failure!r}: {response}")
        return response, failure
    raise RuntimeError(f"{question.instance}: no kind of failure can be written for it")


def with_images(episode: Episode, row: dict[str, Any]) -> dict[str, Any]:
    """The row with its images and with all contents as lists of parts; a row in words as it is."""
    return in_parts(row) | {"images": images_of(episode.pictures)} if episode.pictures else row
