"""Questions of an environment by their seeds, as rows and dialogues; answers, and the best of n. Nothing is judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scoring import Scorer
from verienv.core.config import plain_settings
from verienv.core.dialogue import Message, with_pictures
from verienv.core.make import make_env
from verienv.core.response import clean_response
from verienv.policies import HuggingFacePolicy

Asked = tuple[dict[str, Any], list[Message]]
"""A row, as ``verienv.judge`` takes it, and the dialogue that a policy is to answer, with its pictures."""


class Questions:
    """The first questions of the episodes that ``reset(seed=...)`` deals under some settings."""

    def __init__(self, env_id: str, **settings: Any) -> None:
        """Raise ValueError for wrong settings, and for episodes that are more than a question."""
        self.env = make_env(env_id, **settings)
        if getattr(self.env.config, "episode", "") == "route":
            raise ValueError("single answers are asked for here; on routes set episode=waypoint (-s episode=waypoint)")
        self._about = {"env_id": env_id, "split": settings.get("split", "train"), "unit": self.env.task.unit, "step": 0}
        self._about["settings"] = json.dumps(plain_settings(self.env.config, settings))

    def ask(self, seed: int) -> Asked:
        """Return the question of a seed."""
        self.env.reset(seed=seed)
        row = {"id": f"{self._about['env_id']}/{self._about['split']}/{seed}", **self._about, "seed": seed}
        return row | self.env.question.row(), with_pictures(self.env.episode.messages, self.env.episode.pictures)


def answered(asked: Asked, text: str) -> tuple[str, list[Message]]:
    """Return a response as an episode would read it, and the dialogue with it."""
    row, dialogue = asked
    text = clean_response(text, tuple(row.get("reasoning_tags", ())))
    return text, [*dialogue, {"role": "assistant", "content": text}]


def answers(policy: HuggingFacePolicy, asked: Sequence[Asked]) -> tuple[list[str], list[list[Message]], list[bool]]:
    """Let a policy answer; return its responses, the dialogues with them, and whether each came to its end."""
    responses = policy.responses([dialogue for _, dialogue in asked])
    found = [answered(one, policy.text(response)) for one, response in zip(asked, responses, strict=True)]
    ended = [response[-1] in policy.stops for response in responses]
    return [text for text, _ in found], [dialogue for _, dialogue in found], ended


def sizes(most: int) -> list[int]:
    """Return 1, 2, 4, ... and the most."""
    return sorted({most, *(2**power for power in range(most.bit_length()))})


@dataclass
class BestOf:
    """The best of n responses of a policy by a reward model, itself a policy, as ``verienv.evaluate`` takes one."""

    policy: HuggingFacePolicy
    scorer: Scorer
    n: int

    def __post_init__(self) -> None:
        if self.n < 1 or (self.n > 1 and not self.policy.sampling.temperature):
            raise ValueError(f"n={self.n}, {self.policy.sampling}: expected n from 1, and a temperature to draw n with")

    def __call__(self, dialogues: Sequence[Sequence[Message]]) -> list[str]:
        texts, spoken, ended = answers(self.policy, [({}, [*each]) for each in dialogues for _ in range(self.n)])
        best = self.scorer(spoken, ended).reshape(-1, self.n).argmax(1)
        return [texts[at * self.n + number] for at, number in enumerate(best)]
