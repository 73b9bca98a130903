"""Demonstrations where a policy drives and the expert labels, as DAgger asks for them (arXiv 1011.0686)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from verienv.core.counts import check_count
from verienv.core.episode import Episode
from verienv.core.make import make_env
from verienv.core.policy import Policy, checked_responses, dialogue
from verienv.core.question import check_question
from verienv.core.shown import shown
from verienv.demos.episodes import with_images


@dataclass
class _Seat:
    episode: Episode
    rng: np.random.Generator
    rows: list[dict[str, Any]] = field(default_factory=list)


def driven(
    driver: Policy,
    env_id: str,
    n: int = 1000,
    seed: int = 0,
    split: str = "train",
    *,
    share: float = 1.0,
    batch_size: int = 16,
    **settings: Any,
) -> Iterator[dict[str, Any]]:
    """Yield ``n`` rows: each dialogue that a policy comes to, with the expert's response as the completion.

    The policy's own responses lead on, right or wrong: with ``mode="walk"`` to wherever it strays, elsewhere to the
    feedback on them. Train on the rows, and let the policy that comes of it drive the next ones.

    Args:
        driver: a policy (see ``verienv.evaluation.Policy``).
        env_id: a verienv environment.
        n: the number of rows.
        seed: fixes the instances, and who drives.
        split: and further ``settings``: as for ``gym.make``.
        share: the share of responses at which the policy drives; at the others the expert does.
        batch_size: dialogues put to the policy at once; rows do not depend on it, where the policy does not.

    Raises:
        ValueError: for arguments out of range, or a policy that does not answer each dialogue with a string.
    """
    for name, count, least in (("n", n, 0), ("seed", seed, 0), ("batch_size", batch_size, 1)):
        check_count(name, count, least)
    if not callable(driver):
        raise ValueError(f"driver={shown(driver)}: expected a policy, a callable from dialogues to responses")
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share={shown(share)}: expected a number from 0 to 1")
    env = make_env(env_id, split=split, **settings)
    return _rows(driver, env, n, seed, share, batch_size)


def _rows(driver: Policy, env: Any, n: int, seed: int, share: float, batch_size: int) -> Iterator[dict[str, Any]]:
    rng, seats, begun, made = np.random.default_rng(seed), deque[_Seat](), 0, 0
    while made < n:
        while len(seats) < min(batch_size, n - made):
            episode = Episode(check_question(env.deal(rng), env), env.task)
            seats.append(_Seat(episode, np.random.default_rng([seed, 1, begun])))
            begun += 1
        driving = []
        for seat in [seat for seat in seats if not seat.episode.is_over]:
            episode, right = seat.episode, seat.episode.expert()
            row = {
                "prompt": episode.messages,
                "completion": [{"role": "assistant", "content": right}],
                "instance": episode.instance,
                "reward": episode.question.judge(right).reward,
            }
            seat.rows.append(with_images(episode, row))
            if seat.rng.random() < share:
                driving.append(seat)
            else:
                episode.answer(right)
        if driving:
            responses = driver([dialogue(seat.episode) for seat in driving])
            for seat, response in zip(driving, checked_responses(responses, len(driving), "driver"), strict=True):
                seat.episode.answer(response)
        while seats and seats[0].episode.is_over:
            for row in seats.popleft().rows[: n - made]:
                made += 1
                yield row
