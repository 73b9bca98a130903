"""The judgement of a start that follows routes, before it is stopped: waypoints under both rules, sampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from starts.routes.kind import Routes
from starts.routes.pool import question_tokens
from verienv.policies import HuggingFacePolicy
from verienv.virl.question import VIRLQuestion

CELLS = {"ID": "absolute", "proxy": "relative"}
_SEED = 2024
"""Every start is asked the same questions, and sampled with the same chances."""


def questions_on(kind: Routes, actions: str) -> list[VIRLQuestion]:
    """Return the questions at the turns of ``kind.items`` routes of east halves, and a third as many elsewhere."""
    rng, env = np.random.default_rng(_SEED), kind.env(kind.judged_in, side="test", actions=actions)
    turns, others = [], []
    for _ in range(kind.items):
        first = env.deal(rng)
        assert first.route
        moves = np.array([waypoint.move for waypoint in first.route.waypoints])
        turns.append(first.only(int(np.flatnonzero(moves == "turn")[0])))
        others.append(first.only(int(rng.choice(np.flatnonzero(moves != "turn")))))
    return turns + others[: kind.items // 3]


class RouteJudge:
    """Asks a start under the absolute rule ("ID") and under the relative one ("proxy"), at temperature 1."""

    def __init__(self, kind: Routes, tokenizer: PreTrainedTokenizerFast) -> None:
        self.tokenizer = tokenizer
        self.items = {name: questions_on(kind, actions) for name, actions in CELLS.items()}

    def __call__(self, model: PreTrainedModel) -> dict[str, dict[str, float]]:
        """Return percentages by cell and measure."""
        return {name: self.percentages(model, questions) for name, questions in self.items.items()}

    def percentages(self, model: PreTrainedModel, questions: Sequence[VIRLQuestion]) -> dict[str, float]:
        """Return how often the action is right at turns, at turns whose sentence is said right, and elsewhere."""
        policy = HuggingFacePolicy(model.eval(), self.tokenizer, max_new_tokens=48)
        asked = question_tokens(questions, self.tokenizer)
        responses: list[list[int]] = []
        with torch.random.fork_rng(()):
            torch.manual_seed(_SEED)
            for begin in range(0, len(asked), 256):
                responses += policy.sample(asked[begin : begin + 256], 1.0)[0]
        verdicts = [
            question.judge(policy.text(response)) for response, question in zip(responses, questions, strict=True)
        ]
        found = [{"right": verdict.is_correct, **verdict.metrics} for verdict in verdicts]
        turns = [one for one in found if one["is_turn"]]
        return {
            "at turns": percent(turns),
            "at turns read right": percent([one for one in turns if one["instruction_correct"]]),
            "elsewhere": percent([one for one in found if not one["is_turn"]]),
        }


def percent(found: Sequence[Mapping[str, Any]]) -> float:
    """Return the percentage that is right, 0 among none."""
    return round(100 * sum(one["right"] for one in found) / max(1, len(found)), 1)
