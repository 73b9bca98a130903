"""Demonstrations: rows that the verifier has scored, in the prompt and completion form that TRL reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args

import numpy as np

from verienv.core.dialogue import images_of, in_parts
from verienv.core.env import VerifiedEnv
from verienv.core.episode import Episode
from verienv.core.make import make_env
from verienv.core.question import Question, check_question
from verienv.core.shown import shown

Kind = Literal["sft", "revision", "preference"]


def demonstrations(
    env_id: str,
    kind: Kind = "sft",
    n: int = 1000,
    seed: int = 0,
    split: str = "train",
    *,
    steps: bool = False,
    wrong_attempts: int = 1,
    **settings: Any,
) -> Iterator[dict[str, Any]]:
    """``n`` rows of chat messages, made one by one as they are asked for.

    Args:
        env_id: a verienv environment.
        kind: "sft": the question and a correct response (``prompt``, ``completion``). "revision": the question, one
            or more wrong attempts each with its real feedback, and the correct response (``prompt``,
            ``completion``). "preference": the question, a correct and a wrong response (``prompt``, ``chosen``,
            ``rejected``), the wrong ones spread evenly over the kinds of failure.
        n: the number of rows. Where an episode holds several questions, each is a row: see below.
        seed: fixes every row.
        split: and further ``settings``: as for ``gym.make``.
        steps: write the steps of the derivation before the answer.
        wrong_attempts: for "revision", the greatest number of wrong attempts; each row draws from 1 to it.

    Returns:
        An iterator of dicts with the messages, ``instance`` and ``reward`` (of the correct response); "revision" and
        "preference" rows name the ``failure`` of the newest wrong response. Rows with pictures bring ``images``,
        a list of PIL images, one for each ``{"type": "image"}`` in the prompt; in them the content of every message is
        a list of parts, since a table's column holds texts or lists, not both.

        Where an episode holds several questions, the rows follow the expert from one to the next: in V-IRL a row is a
        waypoint, with "revision" one with wrong attempts first and then the right one, and the waypoints of a route
        follow one another. Shuffle such rows before training. For more routes than fit in ``n`` rows, make more rows,
        shuffle and keep ``n``: ``dataset.shuffle(seed=0).select(range(n))`` with Hugging Face's datasets. The last
        route may not be whole.

    Raises:
        ValueError: at once, for arguments out of range.
        RuntimeError: later, if a response meant to be correct does not score maximal, or a wrong one is not as wrong
            as meant.
    """
    return (
        row
        for row, _ in demonstrations_in(
            make_env(env_id, split=split, **settings), kind, n, seed, steps=steps, wrong_attempts=wrong_attempts
        )
    )


def demonstrations_in(
    env: VerifiedEnv, kind: Kind, n: int, seed: int, *, steps: bool = False, wrong_attempts: int = 1
) -> Iterator[tuple[dict[str, Any], Question]]:
    """Yield rows as ``demonstrations`` does, of the questions that an environment deals, each with its question."""
    if kind not in get_args(Kind):
        raise ValueError(f"kind={shown(kind)}: expected one of {', '.join(get_args(Kind))}")
    for name, count in (("n", n), ("seed", seed)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"{name}={shown(count)}: expected an integer of at least 0")
    if kind == "revision" and not 1 <= wrong_attempts < env.attempts:
        if env.attempts == 1:
            raise ValueError(
                "attempts=1 leaves no room for a wrong attempt before the right one; set attempts=2 or more"
            )
        raise ValueError(f"wrong_attempts={wrong_attempts}: expected 1 to {env.attempts - 1}, fewer than the attempts")
    if kind != "sft" and not env.measures.failures:
        raise ValueError(
            f"kind={shown(kind)}: {env.task.title} names no failures in its measures, so none can be written"
        )
    return _rows(env, kind, n, seed, steps, wrong_attempts)


def _rows(
    env: VerifiedEnv, kind: Kind, n: int, seed: int, steps: bool, wrong_attempts: int
) -> Iterator[tuple[dict[str, Any], Question]]:
    rng, failures = np.random.default_rng([seed, 1]), env.measures.failures
    for number, episode in enumerate(_episodes(env, n, seed)):
        question = episode.question
        if kind == "preference":
            row = _preference(episode, failures, number, steps, rng)
        else:
            failure = {}
            for _ in range(int(rng.integers(1, wrong_attempts + 1)) if kind == "revision" else 0):
                kind_of_failure = int(rng.integers(len(failures)))
                wrong, failure["failure"] = _wrong_response(question, failures, kind_of_failure, rng)
                episode.answer(wrong)
            row = _with_completion(episode, steps) | failure
        yield _with_images(episode, row), question


def _episodes(env: VerifiedEnv, n: int, seed: int) -> Iterator[Episode]:
    """Put ``n`` questions in play, one after the other, and yield the episode of each.

    Where an episode holds several questions, the expert goes on to the next.
    """
    rng = np.random.default_rng(seed)
    episode: Episode | None = None
    for _ in range(n):
        if episode is None or episode.is_over:
            episode = Episode(check_question(env.deal(rng), env), env.task)
        yield episode
        episode.answer(episode.expert())


def _with_images(episode: Episode, row: dict[str, Any]) -> dict[str, Any]:
    """The row with its images and with all contents as lists of parts; a row in words as it is."""
    return in_parts(row) | {"images": images_of(episode.pictures)} if episode.pictures else row


def _preference(
    episode: Episode, failures: tuple[str, ...], number: int, steps: bool, rng: np.random.Generator
) -> dict[str, Any]:
    question = episode.question
    right = question.expert(steps=steps)
    wrong, failure = _wrong_response(question, failures, number, rng)
    return {
        "prompt": episode.messages,
        "chosen": [{"role": "assistant", "content": right}],
        "rejected": [{"role": "assistant", "content": wrong}],
        "instance": question.instance,
        "reward": _reward_of_expert(question, right),
        "rejected_reward": question.judge(wrong).reward,
        "failure": failure,
    }


def _with_completion(episode: Episode, steps: bool) -> dict[str, Any]:
    question = episode.question
    right = question.expert(steps=steps)
    return {
        "prompt": episode.messages,
        "completion": [{"role": "assistant", "content": right}],
        "instance": question.instance,
        "reward": _reward_of_expert(question, right),
    }


def _reward_of_expert(question: Question, response: str) -> float:
    verdict = question.judge(response)
    if not verdict.is_correct or verdict.reward < question.best_reward:
        raise RuntimeError(
            f"{question.instance}: the expert's response scores {verdict.reward} ({verdict.reason}): {response}"
        )
    return verdict.reward


def _wrong_response(
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
