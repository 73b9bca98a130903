"""Demonstrations: rows that the verifier has scored, in the prompt and completion form that TRL reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, get_args

import gymnasium as gym
import numpy as np

from verienv.core.config import UnknownSettingError
from verienv.core.dialogue import parts_of
from verienv.core.env import VerifiedEnv

if TYPE_CHECKING:
    from PIL.Image import Image

ENV_ID = "verienv/GeneralPoints-L-v0"
Kind = Literal["sft", "revision", "preference"]

_DIALOGUES = ("prompt", "completion", "chosen", "rejected")


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
        "preference" rows name the ``failure`` of the newest wrong response. Rows of a task by sight bring ``images``,
        a list of PIL images, one for each ``{"type": "image"}`` in the prompt; in them the content of every message is
        a list of parts, since a table's column holds texts or lists, not both.

        Where an episode holds several questions, the rows follow the expert from one to the next: in V-IRL a row is a
        waypoint, with "revision" one at which the attempts before the last are wrong, and the waypoints of a route
        follow one another. Shuffle such rows before training. For more routes than fit in ``n`` rows, make more rows,
        shuffle and keep ``n``: ``dataset.shuffle(seed=0).select(range(n))`` with Hugging Face's datasets. The last
        route may not be whole.

    Raises:
        ValueError: at once, for arguments out of range.
        RuntimeError: later, if a response meant to be correct does not score maximal, or a wrong one is not as wrong
            as meant.
    """
    try:
        env = gym.make(env_id, split=split, **settings).unwrapped
    except UnknownSettingError:
        raise
    except TypeError:  # it takes no split
        env = None
    if not isinstance(env, VerifiedEnv):
        raise ValueError(f"env_id={env_id!r} has no expert; use an environment of verienv, such as {ENV_ID}")
    return demonstrations_in(env, kind, n, seed, steps=steps, wrong_attempts=wrong_attempts)


def demonstrations_in(
    env: VerifiedEnv, kind: Kind, n: int, seed: int, *, steps: bool = False, wrong_attempts: int = 1
) -> Iterator[dict[str, Any]]:
    """As ``demonstrations``, in an environment of one's own: until the next row is asked for, its question is in play
    there."""
    if kind not in get_args(Kind):
        raise ValueError(f"kind={kind!r}: expected one of {', '.join(get_args(Kind))}")
    for name, count in (("n", n), ("seed", seed)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise ValueError(f"{name}={count!r}: expected an integer of at least 0")
    if kind == "revision" and not 1 <= wrong_attempts < env.attempts:
        raise ValueError(f"wrong_attempts={wrong_attempts}: expected 1 to {env.attempts - 1}, fewer than the attempts")
    return _rows(env, kind, n, seed, steps, wrong_attempts)


def _rows(
    env: VerifiedEnv, kind: Kind, n: int, seed: int, steps: bool, wrong_attempts: int
) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng([seed, 1])
    for row in questions_in_turn(env, n, seed):
        if kind == "preference":
            yield _seen(env, _preference(env, row, steps, rng))
        else:
            failure = {}
            for _ in range(int(rng.integers(1, wrong_attempts + 1)) if kind == "revision" else 0):
                wrong, failure["failure"] = _wrong_response(env, int(rng.integers(len(env.failures))), rng)
                env.step(wrong)
            yield _seen(env, _with_completion(env, steps) | failure)


def questions_in_turn(env: VerifiedEnv, n: int, seed: int) -> Iterator[int]:
    """Put ``n`` questions in play in ``env``, one after the other, and yield the number of each.

    Episodes are dealt, the first with ``seed``. Where one holds several questions, the expert goes on to the next.
    """
    over = True
    for number in range(n):
        if over:
            env.reset(seed=seed if number == 0 else None)
        yield number
        over = not env.has_further_questions or env.step(env.expert_response())[2]


def images_of(env: VerifiedEnv) -> list[Image]:
    """The pictures of ``env`` as PIL images, one for each ``{"type": "image"}`` in its messages."""
    from PIL import Image

    return [Image.fromarray(picture) for picture in env.pictures]


def _seen(env: VerifiedEnv, row: dict[str, Any]) -> dict[str, Any]:
    """The row with its images and with all contents as lists of parts; a row of a task in words as it is."""
    if not env.pictures:
        return row
    spoken = {
        name: [message | {"content": parts_of(message)} for message in row[name]] for name in _DIALOGUES if name in row
    }
    return row | spoken | {"images": images_of(env)}


def _preference(env: VerifiedEnv, row: int, steps: bool, rng: np.random.Generator) -> dict[str, Any]:
    right = env.expert_response(steps=steps)
    wrong, failure = _wrong_response(env, row, rng)
    return {
        "prompt": env.messages,
        "chosen": [{"role": "assistant", "content": right}],
        "rejected": [{"role": "assistant", "content": wrong}],
        "instance": env.instance,
        "reward": _reward_of_expert(env, right),
        "rejected_reward": env.judge(wrong).reward,
        "failure": failure,
    }


def _with_completion(env: VerifiedEnv, steps: bool) -> dict[str, Any]:
    right = env.expert_response(steps=steps)
    return {
        "prompt": env.messages,
        "completion": [{"role": "assistant", "content": right}],
        "instance": env.instance,
        "reward": _reward_of_expert(env, right),
    }


def _reward_of_expert(env: VerifiedEnv, response: str) -> float:
    verdict = env.judge(response)
    if not verdict.is_correct or verdict.reward < env.best_reward:
        raise RuntimeError(
            f"{env.instance}: the expert's response scores {verdict.reward} ({verdict.reason}): {response}"
        )
    return verdict.reward


def _wrong_response(env: VerifiedEnv, kind: int, rng: np.random.Generator) -> tuple[str, str]:
    """A response that fails in the ``kind``-th way, or in the next way that this instance allows."""
    for shift in range(len(env.failures)):
        failure = env.failures[(kind + shift) % len(env.failures)]
        response = env.flawed_response(failure, rng)
        if response is None:
            continue
        verdict = env.judge(response)
        if verdict.failure != failure:
            raise RuntimeError(f"{env.instance}: meant as {failure}, judged {verdict.failure!r}: {response}")
        return response, failure
    raise RuntimeError(f"{env.instance}: no kind of failure can be written for it")
