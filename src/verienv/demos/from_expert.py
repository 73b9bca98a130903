"""Demonstrations that the task's expert has written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.formats import OwnFormat
from verienv.core.question import Question
from verienv.core.writing import Writing
from verienv.demos.episodes import answer_wrongly, episodes_of, with_images, wrong_response


def expert_rows(
    env: VerifiedEnv, kind: str, n: int, seed: int, how: Writing, wrong_attempts: int
) -> Iterator[tuple[dict[str, Any], Question]]:
    """Yield ``n`` rows, each with its question."""
    rng, failures = np.random.default_rng([seed, 1]), env.measures.failures
    for number, episode in enumerate(islice(episodes_of(env, seed), n)):
        question, own = episode.question, np.random.default_rng([seed, 2, number])
        if kind == "preference":
            row = _preference(episode, failures, number, how, rng, own)
        else:
            times = int(rng.integers(1, wrong_attempts + 1)) if kind == "revision" else 0
            failure = answer_wrongly(episode, failures, times, rng)
            row = _with_completion(episode, how, own) | failure
        yield with_images(episode, row), question


def _preference(
    episode: Episode,
    failures: tuple[str, ...],
    number: int,
    how: Writing,
    rng: np.random.Generator,
    own: np.random.Generator,
) -> dict[str, Any]:
    question = episode.question
    right = question.demonstration(how, own)
    wrong, failure = wrong_response(question, failures, number, rng)
    return {
        "prompt": episode.messages,
        "chosen": [{"role": "assistant", "content": right}],
        "rejected": [{"role": "assistant", "content": wrong}],
        "instance": question.instance,
        "reward": _reward_of_expert(question, right),
        "rejected_reward": question.judge(wrong).reward,
        "failure": failure,
    }


def _with_completion(episode: Episode, how: Writing, own: np.random.Generator) -> dict[str, Any]:
    question = episode.question
    right = question.demonstration(how, own)
    return {
        "prompt": episode.messages,
        "completion": [{"role": "assistant", "content": right}],
        "instance": question.instance,
        "reward": _reward_of_expert(question, right),
    }


def _reward_of_expert(question: Question, response: str) -> float:
    verdict = question.judge(response)
    if not verdict.is_correct or verdict.reward < question.best_reward:
        own = isinstance(question.wording.answer_format, OwnFormat)
        hint = "; the `read` of your answer_format must read what its `write` writes" if own else ""
        raise RuntimeError(
            f"{question.instance}: the expert's response scores {verdict.reward} ({verdict.reason}): {response}{hint}"
        )
    return verdict.reward
